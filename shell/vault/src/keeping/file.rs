//! Small secret files, read only where nobody else could have written or read them. Unix only.
//!
//! What is checked is the opened file, not its path, so that the file cannot be exchanged between the check and the
//! read.

use super::KeepingError;
use crate::Secret;
use rustix::fs::{FileType, Mode, OFlags, fstat, open, stat};
use rustix::io::Errno;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use zeroize::Zeroizing;

/// Bytes of a file, at most: a key or a PIN is far shorter.
const FILE_BYTES_MAX: usize = 1024;

/// The content of a file that belongs to this process's user, is readable by that user alone, and whose folder not
/// everybody may write to. Symbolic links are refused.
pub(super) fn read(path: &Path) -> Result<Secret, KeepingError> {
    folder_must_be_safe(path)?;
    // NONBLOCK: a named pipe is refused instead of being waited for.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = open(path, flags, Mode::empty()).map_err(|errno| match errno {
        Errno::LOOP => KeepingError::FileMustBeRegular(path.to_owned()),
        other => failed(path)(other.into()),
    })?;
    must_be_private(path, &file)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(FILE_BYTES_MAX + 1));
    let limit = FILE_BYTES_MAX as u64 + 1;
    File::from(file).take(limit).read_to_end(&mut bytes).map_err(failed(path))?;
    if bytes.len() > FILE_BYTES_MAX {
        return Err(KeepingError::FileMustBeShort(path.to_owned()));
    }
    Ok(Secret::new(std::mem::take(&mut *bytes)))
}

/// Writes a file that did not exist, for this process's user alone, and waits until it is on disk.
pub(super) fn create(path: &Path, content: &[u8]) -> Result<(), KeepingError> {
    folder_must_be_safe(path)?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = open(path, flags, Mode::RUSR | Mode::WUSR).map_err(|errno| match errno {
        Errno::EXIST => KeepingError::FileMustNotExist(path.to_owned()),
        other => failed(path)(other.into()),
    })?;
    let mut file = File::from(file);
    let written = file.write_all(content).and_then(|()| file.sync_all());
    written.and_then(|()| File::open(folder(path))?.sync_all()).map_err(failed(path))
}

fn must_be_private(path: &Path, file: &rustix::fd::OwnedFd) -> Result<(), KeepingError> {
    let facts = fstat(file).map_err(|errno| failed(path)(errno.into()))?;
    if FileType::from_raw_mode(facts.st_mode) != FileType::RegularFile {
        return Err(KeepingError::FileMustBeRegular(path.to_owned()));
    }
    if facts.st_uid != rustix::process::geteuid().as_raw() {
        return Err(KeepingError::FileMustBelongToTheUser(path.to_owned()));
    }
    let mode = facts.st_mode & 0o7777;
    match mode {
        0o400 | 0o600 => Ok(()),
        _ => Err(KeepingError::FileMustBePrivate { path: path.to_owned(), mode }),
    }
}

fn folder_must_be_safe(path: &Path) -> Result<(), KeepingError> {
    let folder = folder(path);
    let facts = stat(folder).map_err(|errno| failed(folder)(errno.into()))?;
    match facts.st_mode & 0o002 {
        0 => Ok(()),
        _ => Err(KeepingError::FolderMustNotBeWritableByAll(folder.to_owned())),
    }
}

/// The folder that a file is in.
fn folder(path: &Path) -> &Path {
    let folder = path.parent().unwrap_or(Path::new("/"));
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> KeepingError {
    |source| KeepingError::FileFailed { path: path.to_owned(), source }
}
