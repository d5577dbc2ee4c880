//! One process, and within it one `Store`, writes a file at a time. Readers need no lock.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};

use crate::error::StoreError;
use crate::files::{beside, file_error};

/// The right to write a database file, held until dropped. The lock file stays behind on purpose: removing it would
/// let two processes hold locks on two files of one name.
#[derive(Debug)]
pub(super) struct WriterLock {
    held: File,
    path: PathBuf,
}

impl WriterLock {
    /// Takes the lock beside `database`, or names the process that has it.
    pub(super) fn take(database: &Path) -> Result<Self, StoreError> {
        let path = lock_path(database);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|e| StoreError::NotWritable { path: path.clone(), source: Box::new(e) })?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(another_writer(database, &path)),
            Err(TryLockError::Error(e)) => return Err(file_error(&path, e)),
        }
        write_holder(&mut file, None).map_err(|e| file_error(&path, e))?;
        Ok(Self { held: file, path })
    }

    /// Writes where this process can be talked to beside its number.
    pub(super) fn say_served_at(&mut self, url: &str) -> Result<(), StoreError> {
        write_holder(&mut self.held, Some(url)).map_err(|e| file_error(&self.path, e))
    }
}

/// Symbolic links lead to one lock: the one beside the real file.
fn lock_path(database: &Path) -> PathBuf {
    let real = fs::canonicalize(database).unwrap_or_else(|_| database.to_owned());
    beside(&real, ".lock")
}

/// The process number on the first line, where it serves on the second.
fn write_holder(file: &mut File, url: Option<&str>) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    let url = url.map(|url| format!("{url}\n")).unwrap_or_default();
    write!(file, "{}\n{url}", std::process::id())
}

fn another_writer(database: &Path, lock: &Path) -> StoreError {
    let text = fs::read_to_string(lock).unwrap_or_default();
    let mut lines = text.lines();
    let pid = lines.next().and_then(|line| line.trim().parse().ok());
    let served_at = lines.next().map(str::to_owned);
    StoreError::AnotherWriter { path: database.to_owned(), pid, served_at }
}
