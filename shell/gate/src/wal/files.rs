//! The folder of the log: its lock, its files by number, and what the file system calls a file.

use super::OpenError;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

const LOCK: &str = "nonces.lock";

/// The folder, and the right to write in it.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Held until dropped. The lock file stays: removing it would let two processes hold locks on two files of one name.
    _lock: File,
}

impl Folder {
    pub fn lock(path: &Path) -> Result<Self, OpenError> {
        fs::create_dir_all(path).map_err(|source| failed("make the folder", path, source))?;
        let name = path.join(LOCK);
        let lock = private(OpenOptions::new().write(true).create(true).truncate(false))
            .open(&name)
            .map_err(|source| failed("open the lock", &name, source))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(OpenError::Locked { folder: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(failed("lock", &name, source)),
        }
    }

    pub fn file(&self, number: u64) -> PathBuf {
        self.path.join(format!("nonces-{number:010}.log"))
    }

    /// The numbers of the files that are there, ascending.
    pub fn numbers(&self) -> Result<Vec<u64>, OpenError> {
        let read = |source| failed("read the folder", &self.path, source);
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(read)? {
            let name = entry.map_err(read)?.file_name();
            let name = name.to_str().and_then(|name| name.strip_prefix("nonces-")?.strip_suffix(".log"));
            numbers.extend(name.and_then(|number| number.parse::<u64>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// A new, empty file that nobody else may read.
    pub fn create(&self, number: u64) -> io::Result<File> {
        private(OpenOptions::new().write(true).create_new(true)).open(self.file(number))
    }

    pub fn remove(&self, number: u64) -> io::Result<()> {
        fs::remove_file(self.file(number))
    }

    /// Makes the names of the files durable.
    pub fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }
}

pub(super) fn failed(doing: &'static str, path: &Path, source: io::Error) -> OpenError {
    OpenError::File { doing, path: path.to_owned(), source }
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// The inode; 0 where there is none, and then a copy is not told from its original.
#[cfg(unix)]
pub(super) fn identity(file: &File) -> io::Result<u64> {
    Ok(std::os::unix::fs::MetadataExt::ino(&file.metadata()?))
}

#[cfg(not(unix))]
pub(super) fn identity(_: &File) -> io::Result<u64> {
    Ok(0)
}
