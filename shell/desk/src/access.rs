//! The stream `access`: who may touch the funds. Changed one command at a time, each in a transaction of its own.

use crate::cause::{Cause, nonce_row};
use crate::desk::{Desk, microsecond};
use crate::error::DeskError;
use crate::evidence::{Caused, Place};
use crate::keys::{Roots, Touched, key_record};
use crate::tables::{CREDENTIALS, PRINCIPALS};
use std::sync::Arc;
use strongroom_access::{
    AccessCommand, AccessEvent, AccessRefusal, AccessState, KeyId, KeyVersion, Lineage, Principal, decode,
    encode,
};
use strongroom_store::{LogFault, Record, RowChange, Store, StoreError, Value};
use strongroom_units::time::Timestamp;

/// The name of the stream.
pub(crate) const STREAM: &str = "access";
/// Records read at once.
const PAGE: usize = 1_000;
/// How often a change is decided anew when another writer of the same database was first.
const TRIES: u32 = 50;

/// Access in memory. INVARIANT: `state` is the replay of records 1 to `head`.
#[derive(Debug, Default)]
pub(crate) struct AccessSlot {
    state: AccessState,
    head: u64,
    roots: Roots,
}

/// What came of a change of access that was not refused. It is durable.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessAnswer {
    /// The last record of the stream after it.
    pub seq: u64,
    /// What happened; nothing when it had been done before.
    pub events: Vec<AccessEvent>,
    /// The records of the events, with their proofs.
    pub places: Vec<Place>,
    /// The record of the signed request.
    pub request: Option<Place>,
}

impl Desk {
    /// Access as the log has it now.
    pub fn access(&mut self) -> Result<&AccessState, DeskError> {
        self.access.catch_up(&mut self.store)?;
        Ok(&self.access.state)
    }

    /// Access as this desk last decided or read it.
    pub(crate) fn last_access(&self) -> &AccessState {
        &self.access.state
    }

    /// What happened to access after so many records, by the log as it is now: each event with its instant.
    pub fn access_since(&mut self, seen: u64) -> Result<Vec<(AccessEvent, Timestamp)>, DeskError> {
        let (mut events, mut next) = (Vec::new(), seen + 1);
        loop {
            let page = self.store.read(STREAM, next, PAGE)?;
            for record in &page {
                events.push(read(record)?);
                next = record.seq + 1;
            }
            if page.len() < PAGE {
                return Ok(events);
            }
        }
    }

    /// How many records of access this desk has decided or read.
    pub fn access_records(&self) -> u64 {
        self.access.head
    }

    /// Decides one change of access and makes it durable.
    pub fn change_access(
        &mut self,
        command: &AccessCommand,
        at: Timestamp,
        cause: &Cause,
    ) -> Result<AccessAnswer, DeskError> {
        let at = microsecond(at);
        let mut tries = 0;
        loop {
            self.access.catch_up(&mut self.store)?;
            self.is_still_allowed(cause, Timestamp::now())?;
            let decided = self.access.state.decide(command, at);
            tries += 1;
            match self.append_access(decided, at, cause) {
                Err(DeskError::Store(StoreError::SequenceTaken { .. })) if tries < TRIES => {
                    self.deeds.forget();
                }
                done => return done,
            }
        }
    }

    /// Writes what was decided, and the signed request with it, which is kept of a refusal too.
    fn append_access(
        &mut self,
        decided: Result<Vec<AccessEvent>, AccessRefusal>,
        at: Timestamp,
        cause: &Cause,
    ) -> Result<AccessAnswer, DeskError> {
        let recorded_at = microsecond(Timestamp::now()).to_string();
        let events = decided.as_ref().map(Vec::as_slice).unwrap_or_default();
        let mut touched = Touched::default();
        let (mut records, first) = (Vec::with_capacity(events.len() + 2), self.access.head + 1);
        let mut entries = events.to_vec();
        for event in events {
            self.access.state.apply(event, at);
            touched.add(event, &self.access.state);
        }
        if !touched.is_empty() {
            self.access.roots.follow(&touched, &self.access.state);
            entries.push(self.access.roots.event());
        }
        for (seq, event) in (first..).zip(&entries) {
            let (kind, body) = encode(event).map_err(|source| unreadable(seq, source))?;
            records.push(Record {
                stream: STREAM.to_owned(),
                seq,
                at: at.to_string(),
                recorded_at: recorded_at.clone(),
                actor: cause.actor.clone(),
                kind: kind.to_owned(),
                body,
            });
        }
        let mut rows = touched.rows(&self.access.state);
        if !events.is_empty() {
            rows.extend(cause.nonce.as_ref().map(nonce_row));
        }
        let outcome = match &decided {
            Ok(events) if events.is_empty() => "already done",
            Ok(_) => "done",
            Err(refusal) => refusal.code(),
        };
        let caused = (!entries.is_empty()).then(|| Caused {
            stream: STREAM.to_owned(),
            first,
            last: first + entries.len() as u64 - 1,
        });
        if let Some((record, row)) = self.deed(cause, (at, &recorded_at), outcome, caused)? {
            records.push(record);
            rows.push(row);
        }
        let mut places = Vec::new();
        if !records.is_empty() {
            rows.extend(self.answers.iter().cloned());
            let head = [(STREAM, self.access.head)];
            let ends = if entries.is_empty() { head.as_slice() } else { &[] };
            match self.store.append_after(&records, &rows, ends) {
                Ok(appended) => {
                    self.access.head += entries.len() as u64;
                    self.anchoring.note(appended.checkpoint());
                    self.answers.clear();
                    let appended = Arc::new(appended);
                    let records: Arc<[Record]> = records.into();
                    let place = |place| Place::of(&appended, &records, place);
                    places = (0..records.len()).filter_map(place).collect();
                }
                Err(error) => {
                    // Memory holds what is not in the log: it is read again when next needed.
                    self.access = AccessSlot::default();
                    self.deeds.forget();
                    return Err(DeskError::of_append(error));
                }
            }
        }
        let request = if places.len() > entries.len() { places.pop() } else { None };
        let events = decided?;
        places.truncate(events.len());
        Ok(AccessAnswer { seq: self.access.head, events, places, request })
    }
}

/// What the log says of a key at one time, under the root that a record of it has.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct KeyCertificate {
    /// The key.
    pub key: String,
    /// Its grant, restriction and version, as JSON.
    pub record: String,
    /// The root, base64.
    pub root: String,
    /// The hashes beside its path, from the root down.
    pub proof: Vec<String>,
}

impl AccessSlot {
    pub(crate) fn head(&self) -> u64 {
        self.head
    }

    /// Reads what the log has and memory has not.
    fn catch_up(&mut self, store: &mut Store) -> Result<(), DeskError> {
        loop {
            let page = store.read(STREAM, self.head + 1, PAGE)?;
            for record in &page {
                self.replay(record)?;
            }
            if page.len() < PAGE {
                return Ok(());
            }
        }
    }
}

impl AccessSlot {
    /// Follows one record and gives its event; a root in the log must be the one that the records before it lead to.
    pub(crate) fn replay(&mut self, record: &Record) -> Result<AccessEvent, DeskError> {
        let (event, at) = read(record)?;
        self.state.apply(&event, at);
        let mut touched = Touched::default();
        touched.add(&event, &self.state);
        self.roots.follow(&touched, &self.state);
        self.head = record.seq;
        match &event {
            AccessEvent::KeysRooted { root, .. } if *root != self.roots.root().to_string() => {
                Err(StoreError::LogFaulty(LogFault::KeyTableChanged { seq: record.seq }).into())
            }
            _ => Ok(event),
        }
    }

    /// What is known of a key here, and what leads from it to the root.
    pub(crate) fn certificate(&self, key: &KeyId) -> Option<KeyCertificate> {
        Some(KeyCertificate {
            key: key.to_string(),
            record: String::from_utf8(key_record(&self.state, key)?).ok()?,
            root: self.roots.root().to_string(),
            proof: self.roots.prove(key)?.iter().map(ToString::to_string).collect(),
        })
    }
}

fn read(record: &Record) -> Result<(AccessEvent, Timestamp), DeskError> {
    let event = decode(&record.body).map_err(|source| unreadable(record.seq, source))?;
    let at = record.at.parse().map_err(|_| DeskError::AccessInstant { seq: record.seq })?;
    Ok((event, at))
}

fn unreadable(seq: u64, source: serde_json::Error) -> DeskError {
    DeskError::AccessRecord { seq, source }
}

fn text(value: impl ToString) -> Value {
    Value::Text(value.to_string())
}

fn list<T: ToString>(values: impl IntoIterator<Item = T>) -> Value {
    text(values.into_iter().map(|value| value.to_string()).collect::<Vec<_>>().join(" "))
}

pub(crate) fn principal_row(principal: &Principal) -> RowChange {
    let values = vec![
        text(&principal.id),
        text(principal.role.as_str()),
        text(if principal.enabled { "yes" } else { "no" }),
        list(&principal.denied),
        principal.participant.as_ref().map_or(Value::Null, text),
    ];
    RowChange::Upsert { table: &PRINCIPALS, values }
}

pub(crate) fn credential_row(lineage: &Lineage, key: &KeyVersion) -> RowChange {
    let values = vec![
        text(&lineage.id),
        Value::Integer(i64::from(key.version)),
        text(&lineage.grant.principal),
        text(lineage.grant.environment),
        list(&lineage.grant.scopes),
        list(lineage.grant.networks.as_slice()),
        text(&lineage.grant.owner),
        text(key.algorithm),
        text(key.state.as_str()),
        text(microsecond(key.created)),
        text(microsecond(key.not_before)),
        text(microsecond(key.expires)),
        lineage.restriction.map_or(Value::Null, text),
    ];
    RowChange::Upsert { table: &CREDENTIALS, values }
}
