//! `strongroom audit export`: the log as static files (C2SP tlog-tiles), for a web server or another program.

use super::{Signed, not_held, of_store, read};
use crate::backtest::progress;
use crate::commands::counted;
use crate::context::Global;
use crate::failure::{Exit, Failure};
use crate::print;
use clap::Args;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use strongroom_audit::{Checkpoint, SignedNote, TILE_WIDTH, tiles_between};
use strongroom_store::Store;

/// Writes the log into a folder: `checkpoint`, `tile/...`, `tile/entries/...`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  strongroom audit export public/log")]
pub(crate) struct Export {
    /// The folder; a new one, or one that this command wrote before
    folder: PathBuf,
}

impl Export {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        let mut desk = read(global)?;
        let signed = Signed::of(&desk.log_head()?)?;
        let before = exported(desk.store(), &self.folder, &signed)?;
        let size = signed.checkpoint.size();
        let tiles: Vec<_> = tiles_between(before, size).collect();
        let bar = progress(tiles.len());
        for tile in &tiles {
            let content = desk.store().tile(tile).map_err(of_store)?;
            let path = self.folder.join(tile.to_string());
            if tile.width() == TILE_WIDTH {
                put_full(&path, &content)?
            } else {
                put(&path, &content)?
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        // Last, so that whoever reads a checkpoint finds every tile of it.
        if before < size || !self.folder.join("checkpoint").exists() {
            put(&self.folder.join("checkpoint"), signed.note.to_string().as_bytes())?;
        }
        if global.json {
            return print::json(&serde_json::json!({
                "log": signed.checkpoint.origin(), "from": before, "size": size, "files": tiles.len(),
            }));
        }
        let files = counted(tiles.len().try_into().unwrap_or(u64::MAX), "file");
        let records = counted(size - before, "record");
        print::line(format!("{records} more in {}: {files}, {size} in all", self.folder.display()));
        Ok(())
    }
}

/// How much of the log the folder has already.
fn exported(store: &mut Store, folder: &Path, signed: &Signed) -> Result<u64, Failure> {
    let path = folder.join("checkpoint");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(Failure::file(&path, &error)),
    };
    let note = SignedNote::parse(&text).map_err(not_held)?;
    let there = Checkpoint::open(&note, &signed.key).map_err(not_held)?;
    let is_shorter = there.size() <= signed.checkpoint.size();
    if is_shorter && store.root_at(there.size()).map_err(of_store)? == there.root() {
        return Ok(there.size());
    }
    let message = format!(
        "{} holds {} of another history than this database, which has {}",
        folder.display(),
        counted(there.size(), "record"),
        signed.checkpoint.size()
    );
    let failure = Failure::new("audit.export_must_continue_its_folder", message, Exit::Refused);
    Err(failure.hint("Keep the folder: it is evidence. Verify the database, or export into a new folder."))
}

/// A full tile never changes: one that is there must be the same.
fn put_full(path: &Path, content: &[u8]) -> Result<(), Failure> {
    match fs::read(path) {
        Ok(there) if there == content => Ok(()),
        Ok(_) => {
            let message = format!("{} is there with another content", path.display());
            let failure = Failure::new("audit.tile_must_not_change", message, Exit::Refused);
            Err(failure
                .hint("Keep the folder: it is evidence. Verify the database, or export into a new folder."))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => put(path, content),
        Err(error) => Err(Failure::file(path, &error)),
    }
}

/// Writes a file whole: it gets its name when its content is on disk.
pub(crate) fn put(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::file(path, &error);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".partial-{}", std::process::id()));
    let partial = PathBuf::from(name);
    let written = File::create(&partial).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_data()
    });
    written.and_then(|()| fs::rename(&partial, path)).map_err(failed)
}
