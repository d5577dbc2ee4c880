//! `strongroom key scan`: finds leaked bearer keys in files, without asking anybody.

use crate::context::Global;
use crate::failure::{Exit, Failure};
use crate::print::{self, Align};
use clap::Args;
use serde::Serialize;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use strongroom_access::scan::scan;

/// The largest file that is read.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Folders deeper than this are not looked into.
const DEPTH_MAX: usize = 64;

/// Looks for bearer keys in files and folders; each finding is confirmed by the key's own check.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  strongroom key scan src docs\n  git log -p --all | strongroom key scan -\n\nExit code 1 when a key was found."
)]
pub(crate) struct Scan {
    /// Files and folders; `-` is standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// A key where it should not be. Its secret is not repeated.
#[derive(Debug, Serialize)]
struct Found {
    place: String,
    line: usize,
    column: usize,
    lineage: String,
    environment: String,
}

impl Scan {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        let mut found = Vec::new();
        for path in &self.paths {
            if path.as_os_str() == "-" {
                let mut bytes = Vec::new();
                let read = std::io::stdin().read_to_end(&mut bytes);
                read.map_err(|error| Failure::file(path, &error))?;
                look("standard input", &bytes, &mut found);
            } else {
                walk(path, 0, &mut found)?;
            }
        }
        if global.json {
            print::json(&found)?;
        } else if found.is_empty() {
            print::line("no bearer key found");
        } else {
            print::line(print::table(&COLUMNS, found.iter().map(Found::cells)));
        }
        if found.is_empty() {
            return Ok(());
        }
        let message =
            format!("{} found", super::counted(found.len().try_into().unwrap_or(u64::MAX), "bearer key"));
        let failure = Failure::new("key.must_not_be_leaked", message, Exit::Refused);
        Err(failure
            .hint("Revoke each with `strongroom key revoke LINEAGE`: whoever saw the text has the key."))
    }
}

const COLUMNS: [(&str, Align); 3] =
    [("place", Align::Left), ("key", Align::Left), ("environment", Align::Left)];

impl Found {
    fn cells(&self) -> Vec<String> {
        let place = format!("{}:{}:{}", self.place, self.line, self.column);
        vec![place, self.lineage.clone(), self.environment.clone()]
    }
}

fn walk(path: &Path, depth: usize, found: &mut Vec<Found>) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::file(path, &error);
    let kind = fs::symlink_metadata(path).map_err(failed)?;
    if kind.is_dir() && depth < DEPTH_MAX {
        for entry in fs::read_dir(path).map_err(failed)? {
            walk(&entry.map_err(failed)?.path(), depth + 1, found)?;
        }
    } else if kind.is_file() && kind.len() <= FILE_BYTES_MAX {
        look(&path.display().to_string(), &fs::read(path).map_err(failed)?, found);
    }
    Ok(())
}

/// Keys are ASCII, so a file in any encoding of it can be looked through.
fn look(place: &str, bytes: &[u8], found: &mut Vec<Found>) {
    found.extend(scan(&String::from_utf8_lossy(bytes)).into_iter().map(|finding| Found {
        place: place.to_owned(),
        line: finding.line,
        column: finding.column,
        lineage: finding.key_id.to_string(),
        environment: finding.environment.to_string(),
    }));
}
