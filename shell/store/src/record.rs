//! Records and snapshots, and the checks that hold before any SQL runs. What a body means is the caller's business.

use std::collections::HashMap;

use crate::error::StoreError;

/// The longest name of a stream, in bytes; an index entry of PostgreSQL has to hold it.
const STREAM_LENGTH_MAX: usize = 200;

/// One entry of the log. All texts are stored and given back byte for byte; none may contain NUL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The stream it belongs to: 1 to 200 bytes.
    pub stream: String,
    /// Its place in the stream, from 1 without holes.
    pub seq: u64,
    /// When it happened, in business time (RFC 3339).
    pub at: String,
    /// When it was written, by the clock on the wall (RFC 3339).
    pub recorded_at: String,
    /// Who caused it, as the caller names people, keys and programs; empty in records of before actors were kept.
    pub actor: String,
    /// What kind of event it is.
    pub kind: String,
    /// The event as JSON text, stored as given.
    pub body: String,
}

/// A state that saves replaying the stream up to `seq`. The store keeps the newest two of each stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The stream it summarises.
    pub stream: String,
    /// The last record that it contains.
    pub seq: u64,
    /// When it was written, by the clock on the wall (RFC 3339).
    pub recorded_at: String,
    /// The state, stored as given.
    pub body: String,
}

/// Refuses a batch whose records cannot be stored, or do not follow each other within the batch. Gives the first
/// record of each stream.
pub(crate) fn check_batch(records: &[Record]) -> Result<Vec<&Record>, StoreError> {
    let mut firsts = Vec::new();
    let mut last: HashMap<&str, u64> = HashMap::new();
    for record in records {
        check_texts(
            &record.stream,
            record.seq,
            [&record.at, &record.recorded_at, &record.actor, &record.kind, &record.body],
        )?;
        match last.insert(&record.stream, record.seq) {
            Some(previous) => follows(record, previous)?,
            None => firsts.push(record),
        }
    }
    Ok(firsts)
}

/// Refuses a page of a stream that does not run from `from_seq` without a hole: somebody edited the database.
pub(crate) fn check_page(stream: &str, from_seq: u64, page: &[Record]) -> Result<(), StoreError> {
    let hole = (from_seq..).zip(page).find(|(expected, record)| record.seq != *expected);
    match hole {
        Some((seq, _)) => Err(StoreError::LogGap { stream: stream.to_owned(), seq }),
        None => Ok(()),
    }
}

/// Refuses a record that does not come right after `head` in its stream.
pub(crate) fn follows(record: &Record, head: u64) -> Result<(), StoreError> {
    let (stream, seq) = (record.stream.clone(), record.seq);
    match seq.checked_sub(head) {
        Some(1) => Ok(()),
        Some(2..) => Err(StoreError::SequenceGap { stream, seq, head }),
        Some(0) | None => Err(StoreError::SequenceTaken { stream, seq }),
    }
}

/// Refuses a batch that was decided by a stream which has grown since.
pub(crate) fn ends_at(stream: &str, expected: u64, head: u64) -> Result<(), StoreError> {
    if head == expected {
        Ok(())
    } else {
        Err(StoreError::SequenceTaken { stream: stream.to_owned(), seq: expected.saturating_add(1) })
    }
}

/// Refuses a snapshot whose texts cannot be stored.
pub(crate) fn check_snapshot(snapshot: &Snapshot) -> Result<(), StoreError> {
    check_texts(&snapshot.stream, snapshot.seq, [&snapshot.recorded_at, &snapshot.body])
}

fn check_texts<const N: usize>(stream: &str, seq: u64, texts: [&String; N]) -> Result<(), StoreError> {
    let malformed = |reason| Err(StoreError::RecordMalformed { stream: stream.to_owned(), seq, reason });
    if stream.is_empty() || stream.len() > STREAM_LENGTH_MAX {
        return malformed("the name of a stream has 1 to 200 bytes");
    }
    if seq == 0 || i64::try_from(seq).is_err() {
        return malformed("sequence numbers start at 1 and fit 63 bits");
    }
    if has_nul(stream) || texts.iter().any(|text| has_nul(text)) {
        return malformed("a text contains the character NUL");
    }
    Ok(())
}

/// PostgreSQL cannot store this character in a text.
pub(crate) fn has_nul(text: &str) -> bool {
    text.as_bytes().contains(&0)
}
