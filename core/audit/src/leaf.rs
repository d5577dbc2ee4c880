//! The leaf of an event. What it says in the open is stream, number, time of writing and kind; the rest stands behind a
//! salted hash, so that it can be erased and neither the tree nor any proof changes.

use crate::error::AuditError;
use crate::hash::{Hash, leaf_hash};
use serde::{Deserialize, Serialize};

/// Bytes of a salt. It is random, of its own for each event, and erased with the content.
pub const SALT_BYTES: usize = 16;
/// Bytes of the name of a stream, at most.
pub const STREAM_BYTES_MAX: usize = 200;
/// Bytes of a kind and of a time, at most.
pub const FIELD_BYTES_MAX: usize = 1_000;

/// When the leaf was made. It is the first byte of an entry, which also is the version of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Written {
    /// In the transaction of the event: 0x01.
    WithEvent,
    /// Later, for an event that was older than the log: 0x02. What was done to it before that, the log cannot tell.
    Later,
}

impl Written {
    const fn byte(self) -> u8 {
        match self {
            Self::WithEvent => 0x01,
            Self::Later => 0x02,
        }
    }

    const fn of_byte(byte: u8) -> Option<Self> {
        match byte {
            0x01 => Some(Self::WithEvent),
            0x02 => Some(Self::Later),
            _ => None,
        }
    }
}

/// What of an event can be erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content<'e> {
    /// When it happened, in business time, as stored.
    pub at: &'e str,
    /// Who caused it, as stored.
    pub actor: &'e str,
    /// The event, as stored.
    pub body: &'e str,
    /// What keeps a short content from being guessed from its hash.
    pub salt: &'e [u8; SALT_BYTES],
}

impl Content<'_> {
    /// SHA-256 of the salt, and of at, actor and body, each behind its length in 8 bytes big-endian.
    #[must_use]
    pub fn commitment(&self) -> Hash {
        let length = |text: &str| u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes();
        let (at, actor, body) = (length(self.at), length(self.actor), length(self.body));
        let texts = (self.at.as_bytes(), self.actor.as_bytes(), self.body.as_bytes());
        Hash::of(&[self.salt, &at, texts.0, &actor, texts.1, &body, texts.2])
    }
}

/// What is published of an event: an entry of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'e> {
    /// When the leaf was made.
    pub written: Written,
    /// The stream of the event: 1 to 200 bytes.
    pub stream: &'e str,
    /// Its number in the stream.
    pub seq: u64,
    /// When it was written, as stored: at most 1,000 bytes.
    pub recorded_at: &'e str,
    /// What kind of event it is: at most 1,000 bytes.
    pub kind: &'e str,
    /// The hash of its content: [`Content::commitment`].
    pub commitment: Hash,
}

impl<'e> Entry<'e> {
    /// Writes the entry behind what is in the buffer: the byte of [`Written`]; stream, behind its length in 2 bytes
    /// big-endian; number in 8 bytes big-endian; time and kind as the stream; the 32 bytes of the commitment.
    ///
    /// # Errors
    /// [`AuditError::LeafFieldMustBeWithinBounds`]; nothing is written.
    pub fn write(&self, buffer: &mut Vec<u8>) -> Result<(), AuditError> {
        if self.stream.is_empty() {
            return Err(AuditError::LeafFieldMustBeWithinBounds("stream"));
        }
        let stream = length(self.stream, STREAM_BYTES_MAX, "stream")?;
        let recorded_at = length(self.recorded_at, FIELD_BYTES_MAX, "recorded_at")?;
        let kind = length(self.kind, FIELD_BYTES_MAX, "kind")?;
        buffer.push(self.written.byte());
        buffer.extend_from_slice(&stream);
        buffer.extend_from_slice(self.stream.as_bytes());
        buffer.extend_from_slice(&self.seq.to_be_bytes());
        buffer.extend_from_slice(&recorded_at);
        buffer.extend_from_slice(self.recorded_at.as_bytes());
        buffer.extend_from_slice(&kind);
        buffer.extend_from_slice(self.kind.as_bytes());
        buffer.extend_from_slice(self.commitment.as_bytes());
        Ok(())
    }

    /// The bytes that an entry bundle holds: [`Self::write`].
    ///
    /// # Errors
    /// [`AuditError::LeafFieldMustBeWithinBounds`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, AuditError> {
        let mut bytes = Vec::with_capacity(128);
        self.write(&mut bytes)?;
        Ok(bytes)
    }

    /// The hash of the leaf: [`leaf_hash`] of [`Self::to_bytes`].
    ///
    /// # Errors
    /// [`AuditError::LeafFieldMustBeWithinBounds`].
    pub fn leaf_hash(&self) -> Result<Hash, AuditError> {
        Ok(leaf_hash(&self.to_bytes()?))
    }

    /// Reads an entry of a bundle, exactly as [`Self::write`] writes it.
    ///
    /// # Errors
    /// [`AuditError::EntryMustBeWellFormed`].
    pub fn parse(bytes: &'e [u8]) -> Result<Self, AuditError> {
        Self::read(bytes).ok_or(AuditError::EntryMustBeWellFormed)
    }

    fn read(bytes: &'e [u8]) -> Option<Self> {
        let (written, rest) = bytes.split_first()?;
        let written = Written::of_byte(*written)?;
        let (stream, rest) = text(rest, STREAM_BYTES_MAX)?;
        let (seq, rest) = rest.split_first_chunk()?;
        let (recorded_at, rest) = text(rest, FIELD_BYTES_MAX)?;
        let (kind, rest) = text(rest, FIELD_BYTES_MAX)?;
        let commitment = Hash::from_slice(rest)?;
        let seq = u64::from_be_bytes(*seq);
        let entry = Self { written, stream, seq, recorded_at, kind, commitment };
        (!stream.is_empty()).then_some(entry)
    }
}

fn length(text: &str, bytes_max: usize, field: &'static str) -> Result<[u8; 2], AuditError> {
    let fits = u16::try_from(text.len()).ok().filter(|_| text.len() <= bytes_max);
    fits.map(u16::to_be_bytes).ok_or(AuditError::LeafFieldMustBeWithinBounds(field))
}

fn text(bytes: &[u8], bytes_max: usize) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let length = usize::from(u16::from_be_bytes(*length));
    let (text, rest) = rest.split_at_checked(length).filter(|_| length <= bytes_max)?;
    Some((std::str::from_utf8(text).ok()?, rest))
}
