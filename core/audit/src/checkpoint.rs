//! Checkpoints (C2SP tlog-checkpoint): size and root of a log, as the text of a signed note.

use crate::error::AuditError;
use crate::hash::Hash;
use crate::note::{KeyKind, SignedNote, VerifierKey};
use std::fmt;

/// What a log says of itself at one moment. Its text is three lines, and the lines of extension behind them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Hash,
    extensions: Vec<String>,
}

impl Checkpoint {
    /// A checkpoint without extensions. The origin is the name of the log's key.
    ///
    /// # Errors
    /// [`AuditError::CheckpointMustBeWellFormed`] if the origin is empty or has a control character.
    pub fn try_new(origin: &str, size: u64, root: Hash) -> Result<Self, AuditError> {
        check_line(origin)?;
        Ok(Self { origin: origin.to_owned(), size, root, extensions: Vec::new() })
    }

    /// Reads the text of a note. To be believed only if the note is verified: see [`Self::open`].
    ///
    /// # Errors
    /// [`AuditError::CheckpointMustBeWellFormed`].
    pub fn parse(text: &str) -> Result<Self, AuditError> {
        const LINES: AuditError =
            AuditError::CheckpointMustBeWellFormed("it must have at least three lines, none of them empty");
        let lines = text.strip_suffix('\n').ok_or(LINES)?;
        let mut lines = lines.split('\n');
        let origin = lines.next().ok_or(LINES)?;
        check_line(origin)?;
        let size = lines.next().and_then(parse_decimal).ok_or(AuditError::CheckpointMustBeWellFormed(
            "its size must be a decimal number without leading zeros",
        ))?;
        let root = lines.next().ok_or(LINES)?.parse().map_err(|_| {
            AuditError::CheckpointMustBeWellFormed("its root must be 32 bytes in base64 with padding")
        })?;
        let extensions = lines.map(|line| check_line(line).map(|()| line.to_owned()));
        Ok(Self { origin: origin.to_owned(), size, root, extensions: extensions.collect::<Result<_, _>>()? })
    }

    /// The checkpoint in a note, signed by the key of its log.
    ///
    /// # Errors
    /// [`AuditError::KeyMustBeOfKind`] if the key is a witness's; what [`SignedNote::verify`] and [`Self::parse`] give;
    /// [`AuditError::CheckpointMustBeOfThisLog`] if its origin is not the name of the key.
    pub fn open(note: &SignedNote, key: &VerifierKey) -> Result<Self, AuditError> {
        if key.kind() != KeyKind::Note {
            return Err(AuditError::KeyMustBeOfKind);
        }
        note.verify([key])?;
        let checkpoint = Self::parse(note.text())?;
        if checkpoint.origin == key.name() {
            return Ok(checkpoint);
        }
        let (expected, found) = (key.name().to_owned(), checkpoint.origin);
        Err(AuditError::CheckpointMustBeOfThisLog { expected, found })
    }

    /// Which log it is.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The leaves of the tree.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree.
    #[must_use]
    pub const fn root(&self) -> Hash {
        self.root
    }

    /// The lines behind the third, whose meaning is not of this format.
    #[must_use]
    pub fn extensions(&self) -> &[String] {
        &self.extensions
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}\n{}\n{}", self.origin, self.size, self.root)?;
        self.extensions.iter().try_for_each(|line| writeln!(formatter, "{line}"))
    }
}

fn check_line(line: &str) -> Result<(), AuditError> {
    if line.is_empty() || line.contains(|character: char| character < ' ') {
        return Err(AuditError::CheckpointMustBeWellFormed(
            "a line must not be empty or have control characters",
        ));
    }
    Ok(())
}

/// An ASCII decimal without sign and leading zeros.
pub(crate) fn parse_decimal(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = digits && (text == "0" || !text.starts_with('0'));
    if canonical { text.parse().ok() } else { None }
}
