//! What the files of a folder say of what was accepted before, and whether that is all.

use super::OpenError;
use super::files::{Folder, failed, identity};
use super::writer::Kept;
use std::fs::OpenOptions;
use std::io::Read;
use strongroom_access::replay::{HEADER_BYTES, JournalFile, Recovered, Tail};
use thiserror::Error;

/// Why nonces may be missing. Requests signed before the start are then refused and heal by a challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Loss {
    /// There is no file: a first start, or somebody removed them.
    #[error("there are no nonces on disk")]
    NoFile,
    /// A file between the others is not there.
    #[error("file {0} of the nonces is missing")]
    Missing(u64),
    /// A file is a copy, so it may be an old one.
    #[error("file {0} of the nonces is a copy, perhaps from a backup")]
    Copied(u64),
    /// A file has unreadable parts that no crash explains.
    #[error("file {0} of the nonces is damaged")]
    Damaged(u64),
    /// A file was written under another key.
    #[error("file {0} of the nonces was written under another key")]
    OtherKey(u64),
    /// Whoever started the process says so.
    #[error("the nonces were put back from an image")]
    PutBack,
}

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    pub recovered: Recovered,
    pub loss: Option<Loss>,
    /// The files that are there, ascending.
    pub files: Vec<Kept>,
}

impl Found {
    pub fn lose(&mut self, loss: Loss) {
        self.recovered.complete = false;
        self.loss.get_or_insert(loss);
    }
}

/// Reads all files, and cuts off what a crash left behind the last whole frame.
pub(super) fn recover(folder: &Folder, key_check: u128) -> Result<Found, OpenError> {
    let recovered = Recovered { entries: Vec::new(), watermark: 0, complete: true };
    let mut found = Found { recovered, loss: None, files: Vec::new() };
    let numbers = folder.numbers()?;
    let mut oldest = None;
    for (place, number) in numbers.iter().enumerate() {
        let is_last = place + 1 == numbers.len();
        oldest = read_file(folder, *number, key_check, is_last, &mut found)?.or(oldest);
    }
    match (oldest, numbers.last()) {
        (Some(oldest), Some(last)) => {
            let missing = (oldest..=*last).find(|number| numbers.binary_search(number).is_err());
            missing.into_iter().for_each(|number| found.lose(Loss::Missing(number)));
        }
        // No header could be read, of any file.
        _ => found.lose(Loss::NoFile),
    }
    Ok(found)
}

/// Adds what one file says. Returns the number of the oldest file that counted when it was begun, if it can be read.
fn read_file(
    folder: &Folder,
    number: u64,
    key_check: u128,
    is_last: bool,
    found: &mut Found,
) -> Result<Option<u64>, OpenError> {
    let path = folder.file(number);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(&path)
        .map_err(|source| failed("open", &path, source))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(|source| failed("read", &path, source))?;
    let Some(read) = JournalFile::read(&bytes) else {
        if is_last && bytes.len() <= HEADER_BYTES {
            // A crash while it was begun: it never held anything, and the others hold all.
            folder.remove(number).map_err(|source| failed("remove", &path, source))?;
        } else {
            found.files.push(Kept { number, newest: i64::MIN });
            found.lose(Loss::Damaged(number));
        }
        return Ok(None);
    };
    let newest = read.entries.iter().map(|entry| entry.second).max().unwrap_or(i64::MIN);
    found.files.push(Kept { number, newest });
    // Whatever it says of its entries, nothing from before its watermark may be accepted.
    found.recovered.watermark = found.recovered.watermark.max(read.header.watermark);
    if read.header.key_check != key_check {
        found.lose(Loss::OtherKey(number));
        return Ok(Some(read.header.oldest));
    }
    if read.header.identity != identity(&file).map_err(|source| failed("look at", &path, source))? {
        found.lose(Loss::Copied(number));
    }
    match read.tail {
        Tail::Whole => {}
        Tail::Torn if is_last => {
            file.set_len(read.sound_bytes as u64)
                .and_then(|()| file.sync_all())
                .map_err(|source| failed("cut the torn end off", &path, source))?;
        }
        // A file that was followed by another ended with a whole frame.
        Tail::Torn | Tail::Damaged => found.lose(Loss::Damaged(number)),
    }
    found.recovered.entries.extend(read.entries);
    Ok(Some(read.header.oldest))
}
