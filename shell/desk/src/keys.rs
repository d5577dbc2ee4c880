//! Principals and keys by the log, against the root that the log has of them and the tables that people read.
//!
//! The record of a key is the JSON of its grant, its restriction and its version; of a principal that of itself. Their
//! root stands behind every change of them in the stream `access`.

use crate::access::{credential_row, principal_row};
use crate::desk::Desk;
use crate::error::DeskError;
use crate::tables::{CREDENTIALS, PRINCIPALS};
use std::collections::{BTreeMap, BTreeSet};
use strongroom_access::{AccessEvent, AccessState, KeyId, LineageId, Principal, PrincipalId};
use strongroom_audit::{Hash, KeyTable};
use strongroom_store::{LogFault, RowChange, Table, Value};

/// What events name: principals and keys.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    pub(crate) principals: BTreeSet<PrincipalId>,
    pub(crate) keys: BTreeSet<KeyId>,
}

impl Touched {
    /// Everything that an event changes, as it is named after it.
    pub(crate) fn add(&mut self, event: &AccessEvent, after: &AccessState) {
        match event {
            AccessEvent::PrincipalRegistered(Principal { id, .. })
            | AccessEvent::PrincipalEnabled { id, .. }
            | AccessEvent::ScopesDenied { id, .. } => drop(self.principals.insert(id.clone())),
            AccessEvent::KeyIssued { lineage, key, .. } => {
                self.keys.insert(KeyId { lineage: lineage.clone(), version: key.version });
            }
            AccessEvent::KeyRewrapped { key, .. } => drop(self.keys.insert(key.clone())),
            // What happens to one version may change where others are in their lives.
            AccessEvent::KeyActivated { key } | AccessEvent::KeyRevoked { key, .. } => {
                self.add_lineage(&key.lineage, after);
            }
            AccessEvent::LineageRestricted { lineage, .. } => self.add_lineage(lineage, after),
            AccessEvent::Rotation(event) => self.add_lineage(event.lineage(), after),
            AccessEvent::EnrolmentOpened(_)
            | AccessEvent::EnrolmentClosed { .. }
            | AccessEvent::ServerSecretKept { .. }
            | AccessEvent::ServerKeyRewrapped { .. }
            | AccessEvent::ServerKeyAdded(_)
            | AccessEvent::KeysRooted { .. } => {}
        }
    }

    fn add_lineage(&mut self, lineage: &LineageId, after: &AccessState) {
        let versions = after.lineage(lineage).into_iter().flat_map(|known| known.versions.keys());
        self.keys.extend(versions.map(|version| KeyId { lineage: lineage.clone(), version: *version }));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.principals.is_empty() && self.keys.is_empty()
    }

    /// The rows of what was touched, as they are now.
    pub(crate) fn rows(&self, after: &AccessState) -> Vec<RowChange> {
        let principals = self.principals.iter().filter_map(|id| after.principal(id)).map(principal_row);
        let keys = self.keys.iter().filter_map(|key| {
            let lineage = after.lineage(&key.lineage)?;
            Some(credential_row(lineage, lineage.versions.get(&key.version)?))
        });
        principals.chain(keys).collect()
    }
}

/// The root over principals and keys, kept up with the log.
#[derive(Debug, Default)]
pub(crate) struct Roots(KeyTable);

impl Roots {
    pub(crate) fn follow(&mut self, touched: &Touched, after: &AccessState) {
        for id in &touched.principals {
            if let Some(record) = after.principal(id).and_then(|principal| serde_json::to_vec(principal).ok())
            {
                self.0.set(format!("principal/{id}").as_bytes(), &record);
            }
        }
        for key in &touched.keys {
            if let Some(record) = key_record(after, key) {
                self.0.set(key.to_string().as_bytes(), &record);
            }
        }
    }

    pub(crate) fn root(&self) -> Hash {
        self.0.root()
    }

    /// The event that says what the root is now.
    pub(crate) fn event(&self) -> AccessEvent {
        AccessEvent::KeysRooted { root: self.root().to_string(), records: self.0.len() as u64 }
    }

    /// The hashes that lead from a key's record to the root.
    pub(crate) fn prove(&self, key: &KeyId) -> Option<Vec<Hash>> {
        self.0.prove(key.to_string().as_bytes())
    }
}

/// What the root covers of a key: its grant, its restriction and its version, as JSON.
pub(crate) fn key_record(access: &AccessState, key: &KeyId) -> Option<Vec<u8>> {
    let lineage = access.lineage(&key.lineage)?;
    let version = lineage.versions.get(&key.version)?;
    serde_json::to_vec(&(&lineage.grant, lineage.restriction, version)).ok()
}

impl Desk {
    /// Whether the tables of principals and keys are what the log says. Reading access has checked the log itself against
    /// the roots that it has.
    pub fn check_keys(&mut self) -> Result<Vec<LogFault>, DeskError> {
        let mut touched = Touched::default();
        let access = self.access()?;
        touched.principals.extend(access.principals().map(|principal| principal.id.clone()));
        for lineage in access.lineages() {
            touched.keys.extend(lineage.versions.keys().map(|version| lineage.key_id(*version)));
        }
        let expected = touched.rows(access);
        let mut faults = Vec::new();
        for table in [&PRINCIPALS, &CREDENTIALS] {
            let ours = expected.iter().filter_map(|row| values_of(row, table));
            let ours: BTreeMap<&[Value], &[Value]> =
                ours.map(|values| (key_of(table, values), values)).collect();
            let found = self.store.rows(table, None)?;
            let theirs: BTreeMap<&[Value], &[Value]> =
                found.iter().map(|values| (key_of(table, values), values.as_slice())).collect();
            let keys: BTreeSet<_> = ours.keys().chain(theirs.keys()).copied().collect();
            let differs = keys.into_iter().filter(|key| ours.get(key) != theirs.get(key));
            faults.extend(differs.map(|key| LogFault::RowChanged { table: table.name, row: name_of(key) }));
        }
        Ok(faults)
    }
}

fn values_of<'r>(row: &'r RowChange, wanted: &Table) -> Option<&'r [Value]> {
    match row {
        RowChange::Upsert { table, values } if table.name == wanted.name => Some(values),
        _ => None,
    }
}

fn key_of<'v>(table: &Table, values: &'v [Value]) -> &'v [Value] {
    values.get(..table.key).unwrap_or(values)
}

/// A credential by its own name, `k0123456789ab.1`; anything else by its key.
fn name_of(key: &[Value]) -> String {
    let text = |value: &Value| match value {
        Value::Null => String::new(),
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
    };
    key.iter().map(text).collect::<Vec<_>>().join(".")
}
