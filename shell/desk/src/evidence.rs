//! What is kept of a signed request that asked for a change: enough for a third party to see who asked for what.
//!
//! Each lineage has a stream of its own, `key/LINEAGE`: its records are what its keys did, done and refused. From where
//! a request came is personal: it stands in a side table behind a salted commitment and can be erased there, and
//! neither a record nor the log changes.

use crate::cause::Cause;
use crate::desk::{Desk, microsecond};
use crate::error::DeskError;
use crate::tables::{REQUEST_ANSWERS, REQUEST_SOURCES};
use core::net::IpAddr;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use strongroom_access::LineageId;
use strongroom_audit::{Content, Hash, SALT_BYTES};
use strongroom_store::{Appended, LogReport, Record, RowChange, Store, StoreError, Value};
use strongroom_units::time::Timestamp;

/// The longest content that is kept; of a longer one the digest in the signature has to do.
pub const CONTENT_MAX: usize = 64 * 1024;
const PREFIX: &str = "key/";

/// A signed request as the gate verified it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The text that was signed.
    pub signature_base: String,
    /// The signature, base64.
    pub signature: String,
    /// How it was signed.
    pub algorithm: String,
    /// The content, where it is text and not too long.
    pub content: Option<String>,
    /// From where it came.
    pub peer: IpAddr,
    /// What the client calls itself.
    pub user_agent: Option<String>,
    /// What keeps the source from being guessed from its commitment.
    pub salt: [u8; SALT_BYTES],
}

/// One record of a stream `key/LINEAGE`: what a request asked for and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRecord {
    /// The key, lineage and version.
    pub key: String,
    /// `done`, `already done`, or the code of the refusal.
    pub outcome: String,
    /// Which records it caused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caused: Option<Caused>,
    /// How it was signed.
    pub algorithm: String,
    /// The text that was signed.
    pub signature_base: String,
    /// The signature, base64.
    pub signature: String,
    /// The content, where it is text and not too long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The hash of salt, address and user agent: see the table `request_sources`.
    pub source: String,
}

/// Records that a request caused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caused {
    /// Their stream.
    pub stream: String,
    /// The first.
    pub first: u64,
    /// The last.
    pub last: u64,
}

/// A record in the log, with what proves it. Cheap to clone: a whole group shares its tree.
#[derive(Debug, Clone)]
pub struct Place {
    appended: Arc<Appended>,
    records: Arc<[Record]>,
    place: usize,
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.record() == other.record()
    }
}

impl Place {
    /// None where the commit has no such record.
    pub(crate) fn of(appended: &Arc<Appended>, records: &Arc<[Record]>, place: usize) -> Option<Self> {
        let (appended, records) = (appended.clone(), records.clone());
        records.get(place).is_some().then_some(Self { appended, records, place })
    }

    fn record(&self) -> Option<&Record> {
        self.records.get(self.place)
    }

    /// Its stream and number.
    pub fn name(&self) -> (&str, u64) {
        self.record().map_or(("", 0), |record| (record.stream.as_str(), record.seq))
    }

    /// The proof that it is in the log; none where nobody signs.
    pub fn receipt(&self) -> Option<strongroom_audit::Receipt> {
        self.appended.receipt(self.place, self.record()?).ok().flatten()
    }
}

/// The stream of what a lineage did.
pub fn stream_of(lineage: &str) -> String {
    [PREFIX, lineage].concat()
}

/// Where a request came from, behind its commitment.
pub fn commitment_to(salt: &[u8; SALT_BYTES], peer: &str, user_agent: &str) -> Hash {
    // The same form as the content of a leaf: each text behind its length.
    Content { at: peer, actor: user_agent, body: "", salt }.commitment()
}

/// The ends of the streams of lineages, as far as they were looked up.
#[derive(Debug, Default)]
pub(crate) struct Heads(BTreeMap<String, u64>);

impl Heads {
    pub(crate) fn next(&mut self, store: &mut Store, stream: &str) -> Result<u64, StoreError> {
        if let Some(head) = self.0.get_mut(stream) {
            *head += 1;
            return Ok(*head);
        }
        let next = store.head(stream)? + 1;
        self.0.insert(stream.to_owned(), next);
        Ok(next)
    }

    /// What was counted may not be in the log.
    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }
}

impl Desk {
    /// The next record of what a lineage did, for a signed request, and the row of its source; nothing where the cause has
    /// no signed request.
    pub(crate) fn deed(
        &mut self,
        cause: &Cause,
        (at, recorded_at): (Timestamp, &str),
        outcome: &str,
        caused: Option<Caused>,
    ) -> Result<Option<(Record, RowChange)>, DeskError> {
        let (Some(evidence), Some(claim)) = (&cause.evidence, &cause.claim) else { return Ok(None) };
        let stream = stream_of(claim.key.lineage.as_str());
        let seq = self.deeds.next(&mut self.store, &stream)?;
        let (peer, agent) = (evidence.peer.to_string(), evidence.user_agent.clone().unwrap_or_default());
        let body = RequestRecord {
            key: claim.key.to_string(),
            outcome: outcome.to_owned(),
            caused,
            algorithm: evidence.algorithm.clone(),
            signature_base: evidence.signature_base.clone(),
            signature: evidence.signature.clone(),
            content: evidence.content.clone(),
            source: commitment_to(&evidence.salt, &peer, &agent).to_string(),
        };
        let body = serde_json::to_string(&body).map_err(|source| DeskError::AccessRecord { seq, source })?;
        let row = RowChange::Upsert {
            table: &REQUEST_SOURCES,
            values: vec![
                Value::Text(stream.clone()),
                Value::Integer(seq.cast_signed()),
                Value::Text(peer),
                Value::Text(agent),
                Value::Text(evidence.salt.iter().map(|byte| format!("{byte:02x}")).collect()),
            ],
        };
        let record = Record {
            stream,
            seq,
            at: microsecond(at).to_string(),
            recorded_at: recorded_at.to_owned(),
            actor: cause.actor.clone(),
            kind: "request".to_owned(),
            body,
        };
        Ok(Some((record, row)))
    }
}

/// What was answered to a request, and signed by this server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedAnswer {
    /// The stream of the request's record.
    pub stream: String,
    /// Its number.
    pub seq: u64,
    /// The status.
    pub status: u16,
    /// The server's key.
    pub key: String,
    /// The text that was signed.
    pub signature_base: String,
    /// The signature, base64.
    pub signature: String,
    /// The content, where it is text and not too long.
    pub content: Option<String>,
}

impl SignedAnswer {
    pub(crate) fn of_row(row: &[Value]) -> Option<Self> {
        let text = |place: usize| match row.get(place)? {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        };
        let number = |place: usize| match row.get(place)? {
            Value::Integer(number) => Some(*number),
            _ => None,
        };
        Some(Self {
            stream: text(0)?,
            seq: number(1)?.cast_unsigned(),
            status: u16::try_from(number(2)?).ok()?,
            key: text(3)?,
            signature_base: text(4)?,
            signature: text(5)?,
            content: text(6),
        })
    }
}

impl Desk {
    /// What a lineage's keys did, from one record of its stream on: at most `limit`.
    pub fn deeds(
        &mut self,
        lineage: &LineageId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<RequestRecord>, DeskError> {
        let records = self.store.read(&stream_of(lineage.as_str()), from, limit)?;
        let read = |record: &Record| {
            let seq = record.seq;
            serde_json::from_str(&record.body).map_err(|source| DeskError::AccessRecord { seq, source })
        };
        records.iter().map(read).collect()
    }

    /// Looks at every record of the log; see [`Store::verify_log`].
    pub fn verify_log(&mut self, progress: &(dyn Fn(u64) + Sync)) -> Result<LogReport, DeskError> {
        Ok(self.store.verify_log(progress)?)
    }

    /// Notes that this verifier has followed access, and gives the end of its stream.
    pub fn renew_verifier(&mut self, verifier: &strongroom_store::Verifier) -> Result<u64, DeskError> {
        Ok(self.store.renew_verifier(verifier, crate::access::STREAM)?)
    }

    /// A verifier that ends is waited for by nobody.
    pub fn forget_verifier(&mut self, name: &str) -> Result<(), DeskError> {
        Ok(self.store.forget_verifier(name)?)
    }

    /// Every verifier that was noted, with the milliseconds since.
    pub fn verifiers(&mut self) -> Result<Vec<(strongroom_store::Verifier, u64)>, DeskError> {
        Ok(self.store.verifiers()?)
    }

    /// Keeps a signed answer beside the record of its request. It waits for the next commit: an answer that is lost in a
    /// crash before it can be signed anew from the log.
    pub fn keep_answer(&mut self, answer: SignedAnswer) -> Result<(), DeskError> {
        let optional = |text: Option<String>| text.map_or(Value::Null, Value::Text);
        let values = vec![
            Value::Text(answer.stream),
            Value::Integer(answer.seq.cast_signed()),
            Value::Integer(answer.status.into()),
            Value::Text(answer.key),
            Value::Text(answer.signature_base),
            Value::Text(answer.signature),
            optional(answer.content),
        ];
        self.answers.push(RowChange::Upsert { table: &REQUEST_ANSWERS, values });
        if self.answers.len() >= ANSWERS_MAX { self.flush_answers() } else { Ok(()) }
    }

    /// Writes the answers that wait.
    pub fn flush_answers(&mut self) -> Result<(), DeskError> {
        if !self.answers.is_empty() {
            let rows = std::mem::take(&mut self.answers);
            self.store.append(&[], &rows)?;
        }
        Ok(())
    }
}

/// Answers that may wait for a commit.
const ANSWERS_MAX: usize = 256;
