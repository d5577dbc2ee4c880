//! How keys are used, as the gate counted it: hours for people, and the last use for whoever retires keys. No record of the
//! log says it, so these two tables are read again.

use crate::desk::{Desk, microsecond};
use crate::error::DeskError;
use crate::tables::{KEY_LAST_USED, KEY_USAGE};
use strongroom_access::{KeyId, LineageId};
use strongroom_store::{RowChange, Store, Value};
use strongroom_units::time::Timestamp;

/// One hour of one key at one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHour {
    /// The key.
    pub key: KeyId,
    /// When the hour began.
    pub hour: Timestamp,
    /// Which server counted.
    pub server: String,
    /// Requests that were let in.
    pub accepted: i64,
    /// Requests that named the key and were refused, whoever sent them.
    pub refused: i64,
    /// Refusals by code, JSON.
    pub codes: String,
    /// Requests by source prefix, JSON.
    pub sources: String,
    /// Requests by user agent, JSON.
    pub agents: String,
}

/// When a key was last let in, as one server saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastUse {
    /// The key.
    pub key: KeyId,
    /// Which server saw it.
    pub server: String,
    /// When.
    pub at: Timestamp,
}

impl Desk {
    /// Writes hours and last uses, each a whole row; an earlier row of the same hour or key and server is replaced.
    pub fn put_key_usage(&mut self, hours: &[KeyHour], last: &[LastUse]) -> Result<(), DeskError> {
        let rows: Vec<RowChange> = hours.iter().map(hour_row).chain(last.iter().map(last_row)).collect();
        for part in rows.chunks(Store::BATCH_MAX / 2) {
            self.store.append(&[], part)?;
        }
        Ok(())
    }

    /// When keys were last let in, by every server; of one lineage, or of all.
    pub fn last_uses(&mut self, lineage: Option<&LineageId>) -> Result<Vec<LastUse>, DeskError> {
        let rows = self.store.rows(&KEY_LAST_USED, lineage.map(LineageId::as_str))?;
        Ok(rows.iter().filter_map(|row| last_of(row)).collect())
    }

    /// The hours of one lineage, oldest first within each version.
    pub fn key_hours(&mut self, lineage: &LineageId) -> Result<Vec<KeyHour>, DeskError> {
        let rows = self.store.rows(&KEY_USAGE, Some(lineage.as_str()))?;
        Ok(rows.iter().filter_map(|row| hour_of(row)).collect())
    }

    /// Forgets hours that began before an instant, and says how many.
    pub fn prune_key_usage(&mut self, before: Timestamp) -> Result<usize, DeskError> {
        Ok(self.store.prune(&KEY_USAGE, "hour", &microsecond(before).to_string())?)
    }
}

fn text(value: impl ToString) -> Value {
    Value::Text(value.to_string())
}

fn hour_row(hour: &KeyHour) -> RowChange {
    let values = vec![
        text(&hour.key.lineage),
        Value::Integer(i64::from(hour.key.version)),
        text(microsecond(hour.hour)),
        text(&hour.server),
        Value::Integer(hour.accepted),
        Value::Integer(hour.refused),
        text(&hour.codes),
        text(&hour.sources),
        text(&hour.agents),
    ];
    RowChange::Upsert { table: &KEY_USAGE, values }
}

fn last_row(last: &LastUse) -> RowChange {
    let values = vec![
        text(&last.key.lineage),
        Value::Integer(i64::from(last.key.version)),
        text(&last.server),
        text(microsecond(last.at)),
    ];
    RowChange::Upsert { table: &KEY_LAST_USED, values }
}

fn key_of(lineage: &str, version: i64) -> Option<KeyId> {
    Some(KeyId { lineage: lineage.parse().ok()?, version: u32::try_from(version).ok()? })
}

fn last_of(row: &[Value]) -> Option<LastUse> {
    let [Value::Text(lineage), Value::Integer(version), Value::Text(server), Value::Text(at)] = row else {
        return None;
    };
    Some(LastUse { key: key_of(lineage, *version)?, server: server.clone(), at: at.parse().ok()? })
}

fn hour_of(row: &[Value]) -> Option<KeyHour> {
    let [
        Value::Text(lineage),
        Value::Integer(version),
        Value::Text(hour),
        Value::Text(server),
        Value::Integer(accepted),
        Value::Integer(refused),
        Value::Text(codes),
        Value::Text(sources),
        Value::Text(agents),
    ] = row
    else {
        return None;
    };
    Some(KeyHour {
        key: key_of(lineage, *version)?,
        hour: hour.parse().ok()?,
        server: server.clone(),
        accepted: *accepted,
        refused: *refused,
        codes: codes.clone(),
        sources: sources.clone(),
        agents: agents.clone(),
    })
}
