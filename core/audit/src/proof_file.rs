//! Proof files (C2SP tlog-proof): a checkpoint, an index and an inclusion proof as one text, verified offline.

use crate::checkpoint::{Checkpoint, parse_decimal};
use crate::error::AuditError;
use crate::hash::{Hash, decode_base64, encode_base64, leaf_hash};
use crate::note::{NOTE_BYTES_MAX, SignedNote, VerifierKey};
use crate::proof::verify_inclusion;
use std::fmt;
use std::str::FromStr;

/// Hashes of an inclusion proof, at most.
pub const PROOF_HASHES_MAX: usize = 63;

const HEADER: &str = "c2sp.org/tlog-proof@v1\n";
/// Bytes of the data that a file may carry along: an entry and more.
const EXTRA_BYTES_MAX: usize = 1 << 17;
/// Bytes of a file: its note, what is carried along, and the lines of the proof.
const FILE_BYTES_MAX: usize = NOTE_BYTES_MAX + (1 << 18);

/// That something is in a log. Its text is the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofFile {
    /// What is carried along, unsigned; of this log's files the entry, so that a file needs nothing beside it.
    pub extra: Option<Vec<u8>>,
    /// The place in the log, from 0.
    pub index: u64,
    /// The hashes beside the path, from the leaf up.
    pub proof: Vec<Hash>,
    /// The checkpoint, with the log's signature and those of witnesses.
    pub checkpoint: SignedNote,
}

impl ProofFile {
    /// Verifies that the entry that is carried along is in the log of a key. Gives the checkpoint.
    ///
    /// # Errors
    /// [`AuditError::ProofFileMustBeWellFormed`] without an entry; what [`Checkpoint::open`] and [`verify_inclusion`]
    /// give.
    pub fn verify(&self, key: &VerifierKey) -> Result<Checkpoint, AuditError> {
        let missing = AuditError::ProofFileMustBeWellFormed("the entry must be in it, as extra");
        self.verify_leaf(leaf_hash(self.extra.as_ref().ok_or(missing)?), key)
    }

    /// Verifies that a leaf is in the log of a key, whatever is carried along. Gives the checkpoint.
    ///
    /// # Errors
    /// What [`Checkpoint::open`] and [`verify_inclusion`] give.
    pub fn verify_leaf(&self, leaf: Hash, key: &VerifierKey) -> Result<Checkpoint, AuditError> {
        let checkpoint = Checkpoint::open(&self.checkpoint, key)?;
        verify_inclusion(leaf, self.index, checkpoint.size(), &self.proof, checkpoint.root())?;
        Ok(checkpoint)
    }
}

impl fmt::Display for ProofFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(HEADER)?;
        if let Some(extra) = &self.extra {
            writeln!(formatter, "extra {}", encode_base64(extra))?;
        }
        writeln!(formatter, "index {}", self.index)?;
        self.proof.iter().try_for_each(|hash| writeln!(formatter, "{hash}"))?;
        write!(formatter, "\n{}", self.checkpoint)
    }
}

impl FromStr for ProofFile {
    type Err = AuditError;

    /// Reads a file. Nothing is verified: see [`ProofFile::verify`].
    fn from_str(text: &str) -> Result<Self, AuditError> {
        let malformed = AuditError::ProofFileMustBeWellFormed;
        if text.len() > FILE_BYTES_MAX {
            return Err(malformed("it is too long"));
        }
        let rest =
            text.strip_prefix(HEADER).ok_or(malformed("its first line must be c2sp.org/tlog-proof@v1"))?;
        let (head, checkpoint) =
            rest.split_once("\n\n").ok_or(malformed("an empty line must stand before the checkpoint"))?;
        let mut lines = head.split('\n').peekable();
        let extra =
            lines.next_if(|line| line.starts_with("extra ")).and_then(|line| line.strip_prefix("extra "));
        let extra =
            extra.map(|extra| decode_base64(extra, EXTRA_BYTES_MAX).ok_or(malformed("extra must be base64")));
        let index = lines.next().and_then(|line| parse_decimal(line.strip_prefix("index ")?));
        let index = index.ok_or(malformed("index must be a decimal number without leading zeros"))?;
        let proof: Vec<Hash> = lines.take(PROOF_HASHES_MAX + 1).map(str::parse).collect::<Result<_, _>>()?;
        if proof.len() > PROOF_HASHES_MAX {
            return Err(malformed("it must have at most 63 hashes"));
        }
        let checkpoint = SignedNote::parse(checkpoint)?;
        Checkpoint::parse(checkpoint.text())?;
        Ok(Self { extra: extra.transpose()?, index, proof, checkpoint })
    }
}
