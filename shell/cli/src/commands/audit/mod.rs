//! `strongroom audit`: the history of a database proves itself, here and to others.

mod anchor;
mod consistency;
mod cosign;
mod deeds;
mod erase;
mod export;
mod proof;
mod tail;
mod verify;

pub(crate) use export::put;

use crate::context::Global;
use crate::failure::{Exit, Failure};
use crate::print;
use clap::{Args, Subcommand};
use strongroom_audit::{AuditError, Checkpoint, SignedNote, VerifierKey};
use strongroom_desk::Desk;
use strongroom_store::{LogHead, StoreError};

/// Characters of a reason.
const REASON_MAX: usize = 500;

/// The log over everything that happened: verify it, prove from it, hand it to others.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditVerb {
    /// Look at every record, every node, the checkpoint and the anchor
    Verify(verify::Verify),
    /// Prove that a record is in the log: a receipt that anybody can check offline
    Prove(proof::Prove),
    /// Check a receipt or a proof file offline, by the log's public key
    Check(proof::Check),
    /// Prove that the log of one size is the beginning of the log of another
    Consistency(consistency::Consistency),
    /// Write the log as static files (C2SP tlog-tiles) into a folder; again, only what is new
    Export(export::Export),
    /// List what happened, one line for each record, in the order of the log
    Tail(tail::Tail),
    /// List what a key asked for, done and refused: root-cause material
    Key(deeds::Key),
    /// Show who sent an order, so that a third party can check it; or check that, offline
    Dispute(deeds::DisputeArgs),
    /// Erase from where a lineage's requests came; no proof changes
    Erase(erase::Erase),
    /// Print the public key that checks this log
    Vkey(Vkey),
    /// Show the checkpoint outside the database, or accept a database that does not continue it
    Anchor(anchor::AnchorArgs),
    /// Ask a witness to cosign the last checkpoint
    Cosign(cosign::Cosign),
}

/// Prints the public key that checks this log.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  strongroom audit vkey")]
pub(crate) struct Vkey {}

impl AuditVerb {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Self::Verify(verify) => verify.run(global),
            Self::Prove(prove) => prove.run(global),
            Self::Check(check) => check.run(global),
            Self::Consistency(consistency) => consistency.run(global),
            Self::Export(export) => export.run(global),
            Self::Tail(tail) => tail.run(global),
            Self::Key(key) => key.run(global),
            Self::Dispute(dispute) => dispute.run(global),
            Self::Erase(erase) => erase.run(global),
            Self::Vkey(_) => vkey(global),
            Self::Anchor(anchor) => anchor.run(global),
            Self::Cosign(cosign) => cosign.run(global),
        }
    }
}

fn vkey(global: &Global) -> Result<(), Failure> {
    let head = read(global)?.log_head()?;
    let key = head.key.as_ref().ok_or_else(nobody_signs)?;
    if global.json {
        return print::json(&serde_json::json!({"vkey": key}));
    }
    print::line(key);
    Ok(())
}

/// A database for reading, which another process may write meanwhile.
fn read(global: &Global) -> Result<Desk, Failure> {
    global.open_read_only()?.into_desk()
}

/// The last signed checkpoint of a log.
struct Signed {
    key: VerifierKey,
    note: SignedNote,
    checkpoint: Checkpoint,
}

impl Signed {
    fn of(head: &LogHead) -> Result<Self, Failure> {
        let (Some(key), Some(note)) = (&head.key, &head.checkpoint) else { return Err(nobody_signs()) };
        let (key, note) = (key.parse().map_err(not_held)?, SignedNote::parse(note).map_err(not_held)?);
        let checkpoint = Checkpoint::open(&note, &key).map_err(not_held)?;
        Ok(Self { key, note, checkpoint })
    }
}

/// Refuses a reason that says nothing, or that could not be read in a line of the log.
fn must_be_reason(reason: &str) -> Result<(), Failure> {
    let is_plain = !reason.trim().is_empty() && !reason.contains(|c: char| c.is_control());
    if is_plain && reason.chars().count() <= REASON_MAX {
        return Ok(());
    }
    let message = format!("a reason is 1 to {REASON_MAX} characters, without control characters");
    Err(Failure::new("audit.reason_must_be_given", message, Exit::CommandLine))
}

fn nobody_signs() -> Failure {
    let failure = Failure::new("log.must_be_signed", "nobody has signed this log yet", Exit::Refused);
    failure.hint("Write to the database once with --log-key SOURCE: from then on every commit is signed.")
}

/// A check that did not hold.
fn not_held(error: AuditError) -> Failure {
    Failure::new(error.code(), error.to_string(), Exit::Refused)
}

/// A place that the log does not have is asked for in vain; everything else is the database's failure.
fn of_store(error: StoreError) -> Failure {
    match error {
        StoreError::LogPlaceUnknown => {
            let failure = Failure::new(error.code(), error.to_string(), Exit::Refused);
            failure.hint("`strongroom audit tail` lists what is in the log.")
        }
        StoreError::Audit(error) => not_held(error),
        other => other.into(),
    }
}
