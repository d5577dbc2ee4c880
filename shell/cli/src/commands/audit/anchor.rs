//! `strongroom audit anchor`: the checkpoint outside the database, and the conscious step of accepting another history.

use super::{Signed, must_be_reason, of_store, read};
use crate::context::{Global, cause};
use crate::failure::{Exit, Failure};
use crate::print;
use clap::Args;
use std::path::Path;
use strongroom_audit::Checkpoint;
use strongroom_desk::Desk;
use strongroom_store::{Anchor, StoreError};

const KIND: &str = "anchor-accepted";

/// Shows the checkpoint outside the database, or accepts a database that does not continue it.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  strongroom audit anchor\n  strongroom audit anchor --accept --reason \"restored the backup of 31 December\""
)]
pub(crate) struct AnchorArgs {
    /// Go on with this database although it does not continue the checkpoint outside; recorded in the log
    #[arg(long, requires = "reason")]
    accept: bool,
    /// Why, for the log
    #[arg(long, value_name = "TEXT", requires = "accept")]
    reason: Option<String>,
}

impl AnchorArgs {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        let Some(path) = global.log.anchor_path(&global.location()?) else {
            let message = "no checkpoint is kept outside this database";
            let failure = Failure::new("log.anchor_must_be_named", message, Exit::CommandLine);
            return Err(failure.hint("Name a file with --anchor, on another disk than the database's."));
        };
        match &self.reason {
            Some(reason) => accept(global, &path, reason),
            None => show(global, &path),
        }
    }
}

fn show(global: &Global, path: &Path) -> Result<(), Failure> {
    let mut desk = read(global)?;
    let anchor = Anchor::file(path)?;
    anchor.check(desk.store()).map_err(of_store)?;
    let held = anchor.note().and_then(|note| Checkpoint::parse(note.text()).ok());
    let size = desk.log_head()?.size();
    if global.json {
        return print::json(&serde_json::json!({
            "file": path, "size": held.as_ref().map(Checkpoint::size),
            "root": held.as_ref().map(Checkpoint::root), "leaves": size,
        }));
    }
    print::line(print::pairs([
        ("file", path.display().to_string()),
        ("checkpoint", held.map_or("none yet".into(), |held| format!("{} {}", held.size(), held.root()))),
        ("leaves now", size.to_string()),
    ]));
    Ok(())
}

fn accept(global: &Global, path: &Path, reason: &str) -> Result<(), Failure> {
    must_be_reason(reason)?;
    global.must_exist()?;
    let location = global.location()?;
    let mut desk = Desk::open_recorded(&location, global.log.notary(&location)?, None)?;
    let refused = match Anchor::file(path).and_then(|anchor| anchor.check(desk.store())) {
        Ok(()) => {
            print::line("already done: the database continues the checkpoint outside");
            return Ok(());
        }
        Err(StoreError::LogFaulty(fault)) => fault,
        Err(other) => return Err(other.into()),
    };
    let body = serde_json::json!({"reason": reason, "code": refused.code(), "refused": refused.to_string()});
    desk.record_of_log(KIND, &body, global.now(), &cause())?;
    let signed = Signed::of(&desk.log_head()?)?;
    Anchor::anew(path).replace(&signed.note)?;
    if global.json {
        return print::json(&serde_json::json!({
            "outcome": "done", "refused": refused.code(), "size": signed.checkpoint.size(),
        }));
    }
    print::line(format!(
        "Accepted, and recorded as record of stream \"log\": {} now holds this log at {} leaves",
        path.display(),
        signed.checkpoint.size()
    ));
    Ok(())
}
