//! Files and directories: what has to be synchronised, and how a finished file gets its name.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::StoreError;

/// How many unfinished files of one name may lie about.
const PARTIALS_MAX: u32 = 100;

/// The directory that a path stands in.
pub(crate) fn directory(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// The path with something added to its name: `fund.db` and `.lock` give `fund.db.lock`.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Brings a file's content to the disk.
pub(crate) fn sync_file(path: &Path) -> Result<(), StoreError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(|e| file_error(path, e))
}

/// Brings a directory's entries to the disk, so that a new name survives a power cut.
pub(crate) fn sync_directory(path: &Path) -> Result<(), StoreError> {
    // Only Unix opens directories as files; elsewhere the file system orders names itself.
    if cfg!(unix) { sync_file(path) } else { Ok(()) }
}

/// Gives a finished file its final name without ever replacing another file.
pub(crate) fn publish(partial: &Path, path: &Path) -> Result<(), StoreError> {
    // A hard link refuses an existing name, which a rename would replace.
    match fs::hard_link(partial, path) {
        Ok(()) => fs::remove_file(partial).map_err(|e| file_error(partial, e))?,
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            return Err(StoreError::BackupExists { path: path.to_owned() });
        }
        // A file system without hard links (exFAT on a removable disk).
        Err(_) => fs::rename(partial, path).map_err(|e| file_error(path, e))?,
    }
    sync_directory(&directory(path))
}

pub(crate) fn file_error(path: &Path, error: io::Error) -> StoreError {
    StoreError::File { path: path.to_owned(), source: Box::new(error) }
}

/// A file under construction: removed again unless it was published.
pub(crate) struct Partial {
    pub(crate) path: PathBuf,
}

impl Partial {
    /// Creates an empty file beside `path` under a name that nobody else uses.
    pub(crate) fn create_beside(path: &Path) -> Result<Self, StoreError> {
        // A process in a container often has the number of the one that left a file behind when it crashed.
        let mut names =
            (0..PARTIALS_MAX).map(|n| beside(path, &format!(".partial-{}-{n}", std::process::id())));
        let name = names.find(|name| !name.exists()).unwrap_or_else(|| beside(path, ".partial"));
        match File::create_new(&name) {
            Ok(_) => Ok(Self { path: name }),
            Err(e) => Err(StoreError::NotWritable { path: name, source: Box::new(e) }),
        }
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        for suffix in ["", "-journal", "-wal", "-shm"] {
            // Most of these do not exist, and a file that cannot be removed is named `.partial`: nobody takes it for a backup.
            let _ = fs::remove_file(beside(&self.path, suffix));
        }
    }
}
