//! The last checkpoint, kept outside the database: an older copy of a database is valid in itself, and only something
//! outside it can tell that it is older.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use strongroom_audit::{AuditError, Checkpoint, NOTE_BYTES_MAX, SignedNote, VerifierKey};

use crate::error::StoreError;
use crate::files::{Partial, file_error};
use crate::log::LogFault;
use crate::store::Store;

/// A file with a signed checkpoint.
#[derive(Debug)]
pub struct Anchor {
    path: PathBuf,
    held: Option<Held>,
}

#[derive(Debug)]
struct Held {
    note: SignedNote,
    checkpoint: Checkpoint,
}

impl Held {
    fn parse(note: &str) -> Result<Self, AuditError> {
        let note = SignedNote::parse(note)?;
        let checkpoint = Checkpoint::parse(note.text())?;
        Ok(Self { note, checkpoint })
    }
}

impl Anchor {
    /// The anchor in a file, which need not exist yet. Nothing is verified.
    ///
    /// # Errors
    /// [`LogFault::AnchorUnsigned`] if the file holds no checkpoint; [`StoreError::File`].
    pub fn file(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let path = path.into();
        let held = match read(&path)? {
            Some(note) => Some(Held::parse(&note).map_err(unsigned)?),
            None => None,
        };
        Ok(Self { path, held })
    }

    /// An anchor in a file that begins anew, whatever the file holds.
    #[must_use]
    pub fn anew(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), held: None }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The checkpoint that is held, with its signatures.
    #[must_use]
    pub fn note(&self) -> Option<&SignedNote> {
        self.held.as_ref().map(|held| &held.note)
    }

    /// Whether the log of a store is, or continues, the log of the checkpoint that is held.
    ///
    /// # Errors
    /// [`StoreError::LogFaulty`] says what does not fit.
    pub fn check(&self, store: &mut Store) -> Result<(), StoreError> {
        let Some(Held { note, checkpoint }) = &self.held else { return Ok(()) };
        let faulty = |fault| Err(StoreError::LogFaulty(fault));
        let (head, signed) = (store.log_head()?, checkpoint.size());
        if checkpoint.origin() != head.origin {
            let (anchor, here) = (checkpoint.origin().to_owned(), head.origin);
            return faulty(LogFault::OtherLog { anchor, here });
        }
        let Some(key) = &head.key else {
            return faulty(LogFault::AnchorUnsigned { reason: "this log was never signed".into() });
        };
        let key: VerifierKey = key.parse().map_err(unsigned)?;
        Checkpoint::open(note, &key).map_err(unsigned)?;
        if signed > head.size() {
            return faulty(LogFault::OlderThanAnchor { size: head.size(), signed });
        }
        if store.root_at(signed)? != checkpoint.root() {
            return faulty(LogFault::OtherThanAnchor { signed });
        }
        Ok(())
    }

    /// Keeps a newer checkpoint of the log. One that is not newer than what is held is passed over, so that signatures
    /// of witnesses under it are not lost. The caller has checked the log.
    ///
    /// # Errors
    /// [`StoreError::Audit`], [`StoreError::NotWritable`], [`StoreError::File`].
    pub fn advance(&mut self, note: &str) -> Result<(), StoreError> {
        let new = Held::parse(note)?;
        let is_newer = |held: &Held| held.checkpoint.size() < new.checkpoint.size();
        if self.held.as_ref().is_none_or(is_newer) { self.put(new) } else { Ok(()) }
    }

    /// Keeps a note in place of the one that is held.
    ///
    /// # Errors
    /// As [`Anchor::advance`].
    pub fn replace(&mut self, note: &SignedNote) -> Result<(), StoreError> {
        self.put(Held::parse(&note.to_string())?)
    }

    /// The file is complete before it gets its name: after a power cut there is the old checkpoint or the new one.
    fn put(&mut self, new: Held) -> Result<(), StoreError> {
        let partial = Partial::create_beside(&self.path)?;
        let written = fs::File::options().write(true).open(&partial.path).and_then(|mut file| {
            file.write_all(new.note.to_string().as_bytes())?;
            file.sync_data()
        });
        written.map_err(|error| file_error(&partial.path, error))?;
        fs::rename(&partial.path, &self.path).map_err(|error| file_error(&self.path, error))?;
        self.held = Some(new);
        Ok(())
    }
}

fn read(path: &Path) -> Result<Option<String>, StoreError> {
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(file_error(path, error)),
    };
    let (mut text, limit) = (String::new(), NOTE_BYTES_MAX as u64 + 1);
    match file.take(limit).read_to_string(&mut text) {
        Ok(_) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::InvalidData => {
            Err(unsigned(AuditError::NoteMustBeWellFormed("it is no text")))
        }
        Err(error) => Err(file_error(path, error)),
    }
}

fn unsigned(error: AuditError) -> StoreError {
    StoreError::LogFaulty(LogFault::AnchorUnsigned { reason: error.to_string() })
}
