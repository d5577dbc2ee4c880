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
            let now = microsecond(Timestamp::now()).to_string();
            let body = serde_json::json!({ "stream": stream, "rows": chunk.len(), "reason": reason });
            let record = Record {
                stream: STREAM.to_owned(),
                seq: self.store.head(STREAM)? + 1,
                at: now.clone(),
                recorded_at: now,
                actor: cause.actor.clone(),
                kind: KIND.to_owned(),
                body: body.to_string(),
            };
            let delete = |key: &Vec<Value>| RowChange::Delete { table: &REQUEST_SOURCES, key: key.clone() };
            let rows: Vec<RowChange> = chunk.iter().map(delete).collect();
            let appended = self.store.append(&[record], &rows)?;
            self.anchoring.note(appended.checkpoint());
        }
        Ok(keys.len())
    }
}
