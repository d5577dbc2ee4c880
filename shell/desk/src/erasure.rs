//! Erasing from where requests came: rows of a side table go, the records and the log stay as they are, and the log says
//! that something was erased, by whom and why.

use crate::cause::Cause;
use crate::desk::{Desk, microsecond};
use crate::error::DeskError;
use crate::evidence::stream_of;
use crate::tables::REQUEST_SOURCES;
use strongroom_access::LineageId;
use strongroom_store::{Record, RowChange, Value};
use strongroom_units::time::Timestamp;

/// The stream of what was done to the log itself.
const STREAM: &str = "log";
const KIND: &str = "sources-erased";
/// Rows that go in one transaction.
const CHUNK: usize = 10_000;

impl Desk {
    /// Erases from where a lineage's requests came, and says of how many. Nothing that is left says it: the records hold a
    /// commitment to it under a salt that goes too.
    pub fn erase_sources(
        &mut self,
        lineage: &LineageId,
        reason: &str,
        cause: &Cause,
    ) -> Result<usize, DeskError> {
        let stream = stream_of(lineage.as_str());
        let rows = self.store.rows(&REQUEST_SOURCES, Some(&stream))?;
        let keys: Vec<Vec<Value>> =
            rows.into_iter().map(|row| row.into_iter().take(REQUEST_SOURCES.key).collect()).collect();
        for chunk in keys.chunks(CHUNK) {
            let body = serde_json::json!({ "stream": stream, "rows": chunk.len(), "reason": reason });
            let delete = |key: &Vec<Value>| RowChange::Delete { table: &REQUEST_SOURCES, key: key.clone() };
            let rows: Vec<RowChange> = chunk.iter().map(delete).collect();
            self.record_with(KIND, &body, (Timestamp::now(), cause), &rows)?;
        }
        Ok(keys.len())
    }

    /// Records what was done to the log itself, at a business time.
    pub fn record_of_log(
        &mut self,
        kind: &str,
        body: &serde_json::Value,
        at: Timestamp,
        cause: &Cause,
    ) -> Result<(), DeskError> {
        self.record_with(kind, body, (at, cause), &[])
    }

    fn record_with(
        &mut self,
        kind: &str,
        body: &serde_json::Value,
        (at, cause): (Timestamp, &Cause),
        rows: &[RowChange],
    ) -> Result<(), DeskError> {
        let record = Record {
            stream: STREAM.to_owned(),
            seq: self.store.head(STREAM)? + 1,
            at: microsecond(at).to_string(),
            recorded_at: microsecond(Timestamp::now()).to_string(),
            actor: cause.actor.clone(),
            kind: kind.to_owned(),
            body: body.to_string(),
        };
        let appended = self.store.append(&[record], rows)?;
        self.anchoring.note(appended.checkpoint());
        Ok(())
    }
}
