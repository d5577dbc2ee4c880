//! Event streams that are open: so many of one lineage, each until it is dropped.

use crate::problem::Problem;
use http::StatusCode;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use strongroom_access::LineageId;

/// Streams of one lineage at once: each looks through the log.
const STREAMS_MAX: usize = 16;

/// How many are open, by lineage.
#[derive(Default)]
pub(crate) struct Streams(Mutex<BTreeMap<LineageId, usize>>);

/// One open stream.
pub(crate) struct Stream {
    streams: Arc<Streams>,
    lineage: LineageId,
}

impl Streams {
    /// Opens one more, or refuses.
    pub fn open(self: &Arc<Self>, lineage: &LineageId) -> Result<Stream, Problem> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = open.entry(lineage.clone()).or_default();
        if *own >= STREAMS_MAX {
            let detail = format!("this key follows {STREAMS_MAX} streams already; close one");
            let code = "request.streams_must_stay_within_the_quota";
            return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, code, detail));
        }
        *own += 1;
        Ok(Stream { streams: self.clone(), lineage: lineage.clone() })
    }
}

impl Streams {
    /// How many are open.
    pub fn open_now(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut open = self.streams.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = open.get_mut(&self.lineage) {
            *own -= 1;
            if *own == 0 {
                open.remove(&self.lineage);
            }
        }
    }
}
