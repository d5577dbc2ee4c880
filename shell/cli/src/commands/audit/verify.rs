//! `strongroom audit verify`: the whole history.

use super::read;
use crate::backtest::progress;
use crate::commands::counted;
use crate::context::Global;
use crate::failure::{Exit, Failure};
use crate::print::{self, Align};
use clap::Args;
use serde::Serialize;
use std::path::Path;
use std::time::{Duration, Instant};
use strongroom_audit::{Checkpoint, SignedNote};
use strongroom_store::{Anchor, LogFault, LogHead, LogReport, Store, StoreError};

/// Looks at every record, every node, the checkpoint and the anchor.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  strongroom audit verify --database fund.db")]
pub(crate) struct Verify {}

#[derive(Serialize)]
struct Verified {
    log: String,
    leaves: u64,
    backfilled: u64,
    unsigned: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    vkey: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    anchor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    anchor_size: Option<u64>,
    milliseconds: u128,
    faults: Vec<Fault>,
}

#[derive(Serialize)]
struct Fault {
    code: &'static str,
    message: String,
}

impl Fault {
    fn of(fault: &LogFault) -> Self {
        Self { code: fault.code(), message: fault.to_string() }
    }
}

impl Verify {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        let mut desk = read(global)?;
        let head = desk.log_head()?;
        let anchor_path = global.log.anchor_path(&global.location()?);
        let begun = Instant::now();
        let mut faults = Vec::new();
        let anchor_size = match &anchor_path {
            Some(path) => anchored(desk.store(), path, &mut faults)?,
            None => None,
        };
        let report = leaves(desk.store(), &head, &mut faults)?;
        faults.extend(keys(&mut desk)?);
        let took = begun.elapsed();
        faults.extend(report.faults.iter().map(Fault::of));
        let verified = Verified {
            log: head.origin.clone(),
            leaves: report.leaves,
            backfilled: report.backfilled,
            unsigned: unsigned(&head),
            vkey: head.key,
            anchor: anchor_path.map(|path| path.display().to_string()),
            anchor_size,
            milliseconds: took.as_millis(),
            faults,
        };
        verified.say(global, took)?;
        let count = verified.faults.len();
        match verified.faults.into_iter().next() {
            None => Ok(()),
            Some(first) => {
                let found = counted(count.try_into().unwrap_or(u64::MAX), "fault");
                let message = format!("{found} in the history; the first: {}", first.message);
                let failure = Failure::new(first.code, message, Exit::Refused);
                Err(failure.hint(
                    "Keep the database for inspection, compare it with an exported log or a witness, and restore a \
                     backup.",
                ))
            }
        }
    }
}

impl Verified {
    fn say(&self, global: &Global, took: Duration) -> Result<(), Failure> {
        if global.json {
            return print::json(self);
        }
        let rate = u128::from(self.leaves) * 1_000 / took.as_millis().max(1);
        let anchor = match (&self.anchor, self.anchor_size) {
            (None, _) => "none: name a file with --anchor".to_owned(),
            (Some(path), None) => path.clone(),
            (Some(path), Some(size)) => format!("{path}, {}", counted(size, "record")),
        };
        let signed = match (&self.vkey, self.unsigned) {
            (None, _) => "by nobody: give --log-key".to_owned(),
            (Some(key), 0) => key.clone(),
            (Some(key), count) => format!("{key}, but for the last {}", counted(count, "record")),
        };
        print::line(print::pairs([
            ("log", self.log.clone()),
            ("leaves", format!("{}, {} of them made later", self.leaves, self.backfilled)),
            ("signed", signed),
            ("anchor", anchor),
            ("looked at", format!("{rate} leaves a second")),
            ("faults", self.faults.len().to_string()),
        ]));
        if !self.faults.is_empty() {
            let rows = self.faults.iter().map(|fault| vec![fault.code.to_owned(), fault.message.clone()]);
            print::line("");
            print::line(print::table(&[("code", Align::Left), ("what is wrong", Align::Left)], rows));
        }
        Ok(())
    }
}

/// Compares the log with the checkpoint outside, and gives its size if it is one of this log.
fn anchored(store: &mut Store, path: &Path, faults: &mut Vec<Fault>) -> Result<Option<u64>, Failure> {
    let checked = Anchor::file(path).and_then(|anchor| anchor.check(store).map(|()| anchor));
    match checked {
        Ok(anchor) => {
            let checkpoint = anchor.note().and_then(|note| Checkpoint::parse(note.text()).ok());
            Ok(checkpoint.map(|checkpoint| checkpoint.size()))
        }
        Err(StoreError::LogFaulty(fault)) => {
            faults.push(Fault::of(&fault));
            Ok(None)
        }
        // A tree that has lost nodes is described by what looks at its leaves.
        Err(StoreError::Audit(_) | StoreError::LogPlaceUnknown) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

/// Principals and keys: by the log under the roots that it has of them, and the tables that people read.
fn keys(desk: &mut strongroom_desk::Desk) -> Result<Vec<Fault>, Failure> {
    match desk.check_keys() {
        Ok(faults) => Ok(faults.iter().map(Fault::of).collect()),
        Err(strongroom_desk::DeskError::Store(StoreError::LogFaulty(fault))) => Ok(vec![Fault::of(&fault)]),
        // A record that cannot be read any more is named by what looks at its leaf.
        Err(strongroom_desk::DeskError::AccessRecord { .. } | strongroom_desk::DeskError::Store(_)) => {
            Ok(Vec::new())
        }
        Err(other) => Err(other.into()),
    }
}

fn leaves(store: &mut Store, head: &LogHead, faults: &mut Vec<Fault>) -> Result<LogReport, Failure> {
    let bar = progress(usize::try_from(head.size()).unwrap_or(usize::MAX));
    let verified = store.verify_log(&|count| bar.set_position(count));
    bar.finish_and_clear();
    match verified {
        Ok(report) => Ok(report),
        Err(StoreError::LogFaulty(fault)) => {
            faults.push(Fault::of(&fault));
            let (leaves, backfilled) = (head.size(), head.backfilled);
            Ok(LogReport { leaves, backfilled, faults: Vec::new() })
        }
        Err(other) => Err(other.into()),
    }
}

/// Leaves behind the last checkpoint.
fn unsigned(head: &LogHead) -> u64 {
    let note = head.checkpoint.as_deref().and_then(|note| SignedNote::parse(note).ok());
    let checkpoint = note.and_then(|note| Checkpoint::parse(note.text()).ok());
    head.size().saturating_sub(checkpoint.map_or(0, |checkpoint| checkpoint.size()))
}
