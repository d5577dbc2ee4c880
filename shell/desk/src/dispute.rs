//! "Did this participant send this order?", and "what did this key do?": answers that a third party can check.

use crate::access::{AccessSlot, KeyCertificate, STREAM};
use crate::desk::Desk;
use crate::error::DeskError;
use crate::evidence::{RequestRecord, SignedAnswer, stream_of};
use crate::tables::{REQUEST_ANSWERS, REQUEST_SOURCES};
use serde::{Deserialize, Serialize};
use strongroom_access::{AccessEvent, KeyId, LineageId};
use strongroom_audit::Receipt;
use strongroom_engine::{Event, decode};
use strongroom_store::{StoreError, Value};
use strongroom_units::Symbol;

/// Everything that shows who sent an order and what was answered. Whoever has the log's verifier key and the server's
/// public keys can check it without this installation: `docs/guide/audit.md` says how.
#[derive(Debug, Serialize, Deserialize)]
pub struct Dispute {
    /// The order.
    pub order: String,
    /// That the order was taken: the record of the fund's stream, in the log.
    pub accepted: Receipt,
    /// The signed request that it came in: text, signature, content and outcome, in the log.
    pub request: Receipt,
    /// The key as it was when the request was decided: its public half, whose it was and what it could be used for.
    pub key: KeyCertificate,
    /// The record of the stream `access` with the root that covers the key, in the log.
    pub root: Receipt,
    /// What this server answered, signed; none if it was lost in a crash.
    pub answer: Option<SignedAnswer>,
}

/// One thing that a key asked for.
#[derive(Debug, Serialize, Deserialize)]
pub struct Deed {
    /// Its number in the lineage's stream.
    pub seq: u64,
    /// When it was decided.
    pub at: String,
    /// From where it came; none if that was erased.
    pub peer: Option<String>,
    /// What the client calls itself; none if that was erased.
    pub user_agent: Option<String>,
    /// What was asked, and what came of it.
    #[serde(flatten)]
    pub request: RequestRecord,
}

impl Desk {
    /// What a lineage's keys did, with where it came from, from one record on: at most `limit`.
    pub fn deeds_with_sources(
        &mut self,
        lineage: &LineageId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<Deed>, DeskError> {
        let stream = stream_of(lineage.as_str());
        let records = self.store.read(&stream, from, limit)?;
        let mut deeds = Vec::with_capacity(records.len());
        for record in records {
            let seq = record.seq;
            let request = serde_json::from_str(&record.body)
                .map_err(|source| DeskError::AccessRecord { seq, source })?;
            let key = [Value::Text(stream.clone()), Value::Integer(seq.cast_signed())];
            let source = self.store.row(&REQUEST_SOURCES, &key)?;
            let text = |place: usize| match source.as_ref().and_then(|row| row.get(place)) {
                Some(Value::Text(text)) => Some(text.clone()),
                _ => None,
            };
            deeds.push(Deed { seq, at: record.at, peer: text(2), user_agent: text(3), request });
        }
        Ok(deeds)
    }

    /// What shows who sent an order; none if it did not come in by a signed request.
    pub fn dispute(&mut self, fund: Symbol, order: &str) -> Result<Option<Dispute>, DeskError> {
        let Some((stream, seq, actor)) = self.acceptance(fund, order)? else { return Ok(None) };
        let Some(key) = actor.strip_prefix("key:").and_then(|key| KeyId::try_new(key).ok()) else {
            return Ok(None);
        };
        let Some(request) = self.request_that_caused(&key, &stream, seq)? else { return Ok(None) };
        let deeds = stream_of(key.lineage.as_str());
        let leaf = self.store.leaf(&deeds, request)?.ok_or(StoreError::LogPlaceUnknown)?;
        let (certificate, rooted) = self.key_as_of(&key, leaf.index)?;
        Ok(Some(Dispute {
            order: order.to_owned(),
            accepted: self.store.receipt(&stream, seq)?,
            request: self.store.receipt(&deeds, request)?,
            key: certificate,
            root: self.store.receipt(STREAM, rooted)?,
            answer: self.kept_answer(&deeds, request)?,
        }))
    }

    /// The record that took an order.
    fn acceptance(&mut self, fund: Symbol, order: &str) -> Result<Option<(String, u64, String)>, DeskError> {
        for record in self.store.records(&crate::desk::stream(fund), 1) {
            let record = record?;
            if !record.body.contains(order) {
                continue;
            }
            let event =
                decode(&record.body).map_err(|source| DeskError::Record { fund, seq: record.seq, source })?;
            if matches!(&event, Event::OrderAccepted { order: taken } if taken.id.as_str() == order) {
                return Ok(Some((record.stream, record.seq, record.actor)));
            }
        }
        Ok(None)
    }

    fn request_that_caused(&mut self, key: &KeyId, stream: &str, seq: u64) -> Result<Option<u64>, DeskError> {
        for record in self.store.records(&stream_of(key.lineage.as_str()), 1) {
            let record = record?;
            let request: RequestRecord = serde_json::from_str(&record.body)
                .map_err(|source| DeskError::AccessRecord { seq: record.seq, source })?;
            let caused = request.caused.filter(|caused| caused.stream == stream);
            if caused.is_some_and(|caused| (caused.first..=caused.last).contains(&seq)) {
                return Ok(Some(record.seq));
            }
        }
        Ok(None)
    }

    /// A key under the last root before a leaf of the log: what the log said of it then. No change of keys stands between a
    /// root and the next one without a root of its own.
    fn key_as_of(&mut self, key: &KeyId, leaf: u64) -> Result<(KeyCertificate, u64), DeskError> {
        let last = self.last_up_to(STREAM, leaf)?;
        let (mut access, mut rooted) = (AccessSlot::default(), None);
        for record in self.store.records(STREAM, 1) {
            let record = record?;
            if record.seq > last {
                break;
            }
            if let AccessEvent::KeysRooted { .. } = access.replay(&record)? {
                rooted = Some(record.seq);
            }
        }
        let found = access.certificate(key).zip(rooted);
        found.ok_or_else(|| StoreError::LogPlaceUnknown.into())
    }

    /// The last record of a stream that is in the log up to a leaf; 0 if there is none. Leaves of a stream ascend.
    fn last_up_to(&mut self, stream: &str, leaf: u64) -> Result<u64, DeskError> {
        let (mut low, mut high) = (0, self.store.head(stream)?);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            match self.store.leaf(stream, middle)? {
                Some(found) if found.index <= leaf => low = middle,
                _ => high = middle - 1,
            }
        }
        Ok(low)
    }

    fn kept_answer(&mut self, stream: &str, seq: u64) -> Result<Option<SignedAnswer>, DeskError> {
        self.flush_answers()?;
        let key = [Value::Text(stream.to_owned()), Value::Integer(seq.cast_signed())];
        let row = self.store.row(&REQUEST_ANSWERS, &key)?;
        Ok(row.as_deref().and_then(SignedAnswer::of_row))
    }
}
