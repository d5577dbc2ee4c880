//! The stream `access`: who may touch the funds. Changed one command at a time, each in a transaction of its own.

use crate::cause::{Cause, nonce_row};
use crate::desk::{Desk, microsecond};
use crate::error::DeskError;
use crate::tables::{CREDENTIALS, PRINCIPALS};
use std::collections::BTreeSet;
use strongroom_access::{
    AccessCommand, AccessEvent, AccessState, KeyId, KeyVersion, Lineage, Principal, decode, encode,
};
use strongroom_store::{Record, RowChange, Store, StoreError, Value};
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
}

/// What came of a change of access that was not refused. It is durable.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessAnswer {
    /// The last record of the stream after it.
    pub seq: u64,
    /// What happened; nothing when it had been done before.
    pub events: Vec<AccessEvent>,
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
            let events = self.access.state.decide(command, at)?;
            tries += 1;
            match self.append_access(&events, at, cause) {
                Err(DeskError::Store(StoreError::SequenceTaken { .. })) if tries < TRIES => {}
                Err(error) => return Err(error),
                Ok(()) => return Ok(AccessAnswer { seq: self.access.head, events }),
            }
        }
    }

    fn append_access(
        &mut self,
        events: &[AccessEvent],
        at: Timestamp,
        cause: &Cause,
    ) -> Result<(), DeskError> {
        if events.is_empty() {
            return Ok(());
        }
        let (at_text, recorded_at) = (at.to_string(), microsecond(Timestamp::now()).to_string());
        let mut records = Vec::with_capacity(events.len());
        for (seq, event) in (self.access.head + 1..).zip(events) {
            let (kind, body) = encode(event).map_err(|source| unreadable(seq, source))?;
            self.access.state.apply(event, at);
            records.push(Record {
                stream: STREAM.to_owned(),
                seq,
                at: at_text.clone(),
                recorded_at: recorded_at.clone(),
                actor: cause.actor.clone(),
                kind: kind.to_owned(),
                body,
            });
        }
        let mut rows = rows(events, &self.access.state);
        rows.extend(cause.nonce.as_ref().map(nonce_row));
        let done = self.store.append(&records, &rows);
        match done {
            Ok(()) => self.access.head += records.len() as u64,
            // Memory holds what is not in the log: it is read again when next needed.
            Err(_) => self.access = AccessSlot::default(),
        }
        done.map_err(DeskError::of_append)
    }
}

impl AccessSlot {
    /// Reads what the log has and memory has not.
    fn catch_up(&mut self, store: &mut Store) -> Result<(), DeskError> {
        loop {
            let page = store.read(STREAM, self.head + 1, PAGE)?;
            for record in &page {
                let (event, at) = read(record)?;
                self.state.apply(&event, at);
                self.head = record.seq;
            }
            if page.len() < PAGE {
                return Ok(());
            }
        }
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

/// The rows of the principals and keys that the events name, as they are after all of them.
fn rows(events: &[AccessEvent], after: &AccessState) -> Vec<RowChange> {
    let mut principals = BTreeSet::new();
    let mut keys: BTreeSet<KeyId> = BTreeSet::new();
    for event in events {
        match event {
            AccessEvent::PrincipalRegistered(Principal { id, .. })
            | AccessEvent::PrincipalEnabled { id, .. }
            | AccessEvent::ScopesDenied { id, .. } => drop(principals.insert(id)),
            AccessEvent::KeyIssued { lineage, key, .. } => {
                keys.insert(KeyId { lineage: lineage.clone(), version: key.version });
            }
            AccessEvent::KeyActivated { key }
            | AccessEvent::KeyRevoked { key, .. }
            | AccessEvent::KeyRewrapped { key, .. } => drop(keys.insert(key.clone())),
            AccessEvent::Rotation(event) => keys.extend(event.keys()),
            AccessEvent::EnrolmentOpened(_)
            | AccessEvent::EnrolmentClosed { .. }
            | AccessEvent::ServerSecretKept { .. }
            | AccessEvent::ServerKeyRewrapped { .. }
            | AccessEvent::ServerKeyAdded(_) => {}
        }
    }
    let principals = principals.into_iter().filter_map(|id| after.principal(id)).map(principal_row);
    let keys = keys.iter().filter_map(|key| {
        let lineage = after.lineage(&key.lineage)?;
        Some(credential_row(lineage, lineage.versions.get(&key.version)?))
    });
    principals.chain(keys).collect()
}

fn text(value: impl ToString) -> Value {
    Value::Text(value.to_string())
}

fn list<T: ToString>(values: impl IntoIterator<Item = T>) -> Value {
    text(values.into_iter().map(|value| value.to_string()).collect::<Vec<_>>().join(" "))
}

fn principal_row(principal: &Principal) -> RowChange {
    let values = vec![
        text(&principal.id),
        text(principal.role.as_str()),
        text(if principal.enabled { "yes" } else { "no" }),
        list(&principal.denied),
        principal.participant.as_ref().map_or(Value::Null, text),
    ];
    RowChange::Upsert { table: &PRINCIPALS, values }
}

fn credential_row(lineage: &Lineage, key: &KeyVersion) -> RowChange {
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
    ];
    RowChange::Upsert { table: &CREDENTIALS, values }
}
