//! `strongroom backup` and `strongroom restore`.

use super::counted;
use crate::context::Global;
use crate::failure::Failure;
use crate::print;
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;
use strongroom_desk::Desk;
use strongroom_store::Location;

/// Copies the whole database into one new file.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  strongroom backup 2024-12-31.backup.db")]
pub(crate) struct Backup {
    /// The new file; nothing is ever overwritten
    file: PathBuf,
}

/// Brings a backup into a new file or an empty PostgreSQL database.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  strongroom restore 2024-12-31.backup.db \\\n      --database postgres://postgres@127.0.0.1/fund"
)]
pub(crate) struct Restore {
    /// The backup
    file: PathBuf,
}

#[derive(Serialize)]
struct Copied {
    streams: u64,
    records: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
}

impl Backup {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        let summary = global.open_read_only()?.into_desk()?.back_up(&self.file)?;
        let copied =
            Copied { streams: summary.streams, records: summary.records, bytes: Some(summary.bytes) };
        say(global, &copied, &format!("to {}", self.file.display()))
    }
}

impl Restore {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        let location = global.location()?;
        if let Err(error) = std::fs::metadata(&self.file) {
            return Err(Failure::file(&self.file, &error));
        }
        let summary = strongroom_store::restore_from(&self.file, &location, &strongroom_desk::SCHEMA)?;
        let copied = Copied { streams: summary.streams, records: summary.records, bytes: None };
        anchor_must_fit(global, &location)?;
        say(global, &copied, &format!("into {location}"))
    }
}

/// A backup that is older than the checkpoint outside is brought in all the same, and the next step is named.
fn anchor_must_fit(global: &Global, location: &Location) -> Result<(), Failure> {
    let Some(anchor) = global.log.anchor(location)? else { return Ok(()) };
    let mut desk = Desk::open_read_only(location)?;
    anchor.check(desk.store()).map_err(|error| {
        let failure = Failure::from(error);
        let message = format!("restored, but not to be written yet: {}", failure.message);
        Failure { message, ..failure }
    })
}

fn say(global: &Global, copied: &Copied, where_to: &str) -> Result<(), Failure> {
    if global.json {
        return print::json(copied);
    }
    let (funds, records) = (counted(copied.streams, "fund"), counted(copied.records, "record"));
    print::line(format!("{funds} with {records} copied {where_to}"));
    Ok(())
}
