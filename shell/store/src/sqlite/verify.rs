//! The whole log looked at, on as many threads as there are processors: each reads a part through its own connection.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::fault::fault;
use super::{connect, read};
use crate::error::StoreError;
use crate::log::{LogHead, LogReport, PartCheck, join, parts};

/// Records between two words on how far it is.
const TELL: u64 = 16_384;

pub(super) fn verify(
    connection: &Connection,
    path: &Path,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<LogReport, StoreError> {
    let at_fault = |e| fault(path, e);
    let head = read::log_head(connection).map_err(at_fault)?;
    let ranges: Vec<Range<u64>> = parts(head.size()).collect();
    let (next, looked, done) = (AtomicU64::new(0), AtomicU64::new(0), Mutex::new(BTreeMap::new()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(ranges.len().max(1));
    let work = || -> Result<(), StoreError> {
        let own = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(range) = usize::try_from(place).ok().and_then(|place| ranges.get(place)) else {
                return Ok(());
            };
            let part = look(&own, path, &head, range.clone(), &looked, progress)?;
            done.lock().map_err(|_| StoreError::MustReopen)?.insert(place, part);
        }
    };
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        running.into_iter().try_for_each(|thread| thread.join().unwrap_or(Err(StoreError::MustReopen)))
    })?;
    let newest = read::log_head(connection).map_err(at_fault)?;
    let behind = "SELECT min(leaf) FROM events WHERE leaf >= ?1";
    let unknown = connection
        .query_row(behind, [newest.size().cast_signed()], |row| row.get::<_, Option<i64>>(0))
        .optional()
        .map_err(at_fault)?
        .flatten();
    let parts = done.into_inner().map_err(|_| StoreError::MustReopen)?.into_values().collect();
    // Another process may have written since the head was read.
    let mut kept = read::all_nodes(connection).map_err(at_fault)?;
    kept.retain(|row| row.is_below(head.size()));
    join(&head, parts, &kept, unknown.map(i64::cast_unsigned))
}

fn look(
    connection: &Connection,
    path: &Path,
    head: &LogHead,
    range: Range<u64>,
    looked: &AtomicU64,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<crate::log::Part, StoreError> {
    let at_fault = |e| fault(path, e);
    let mut check = PartCheck::new(head, range.clone());
    let mut statement = connection.prepare_cached(read::LOGGED).map_err(at_fault)?;
    let bounds = (range.start.cast_signed(), range.end.cast_signed());
    let mut rows = statement.query(bounds).map_err(at_fault)?;
    let mut count = 0;
    while let Some(row) = rows.next().map_err(at_fault)? {
        let logged = read::logged(row).map_err(at_fault)?;
        check.look(&logged.record, logged.leaf.index, &logged.leaf.salt, &logged.leaf.hash)?;
        count += 1;
        if count % TELL == 0 {
            progress(looked.fetch_add(TELL, Ordering::Relaxed) + TELL);
        }
    }
    let rest = count % TELL;
    progress(looked.fetch_add(rest, Ordering::Relaxed) + rest);
    Ok(check.finish())
}
