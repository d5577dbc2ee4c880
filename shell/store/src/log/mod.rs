//! The transparency log over all records of all streams: each record is a leaf of one Merkle tree (RFC 6962), in the
//! order of the commits.
//!
//! A leaf is columns of its record's row, written in the same transaction, so that there is no record without a leaf.
//! One row, the head, holds the size and the edge of the tree and the last signed checkpoint; on PostgreSQL its lock
//! gives every commit its place. Of the tree's inner nodes every eighth level is kept, one row for 256 below it.

mod access;
mod fault;
mod group;
mod verify;

use strongroom_audit::{
    AuditError, Checkpoint, Content, Disclosure, Entry, Hash, OpenedContent, Receipt, SALT_BYTES, Salt,
    SignedNote, Tree, VerifierKey, Written, prove_inclusion,
};

use std::sync::OnceLock;

use crate::error::StoreError;
use crate::record::Record;

pub use fault::LogFault;
pub(crate) use group::{Group, NodeRow, TILE, new_origin, salts};
pub use verify::LogReport;
pub(crate) use verify::{Part, PartCheck, join, parts};

/// A record's leaf: the columns beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaf {
    /// Its place in the log, from 0.
    pub index: u64,
    /// What keeps the content from being guessed from its hash.
    pub salt: [u8; SALT_BYTES],
    /// The hash of the leaf.
    pub hash: Hash,
}

/// A record with its leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// The record.
    pub record: Record,
    /// Its leaf.
    pub leaf: Leaf,
}

/// The one row that says where the log stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogHead {
    /// The growing edge of the tree.
    pub tree: Tree,
    /// Records of before there was a log: their leaves, the first ones, were made later.
    pub backfilled: u64,
    /// The name of this log, unique to it.
    pub origin: String,
    /// Who signs it; none before the first checkpoint.
    pub key: Option<String>,
    /// The last signed checkpoint, a note.
    pub checkpoint: Option<String>,
}

impl LogHead {
    /// The head of a new log.
    pub(crate) fn new(origin: String) -> Self {
        Self { tree: Tree::default(), backfilled: 0, origin, key: None, checkpoint: None }
    }

    /// How many leaves.
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// How the leaf of a place was made.
    pub fn written(&self, index: u64) -> Written {
        if index < self.backfilled { Written::Later } else { Written::WithEvent }
    }
}

/// Signs checkpoints. The key may be in a token: it gets the bytes.
pub trait Notary: std::fmt::Debug + Send {
    /// The 32 bytes of the public half.
    fn public(&self) -> [u8; 32];
    /// Signs with Ed25519.
    ///
    /// # Errors
    /// What the holder of the key says.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], String>;
}

/// The key of a log by the name of the log.
pub(crate) fn key_of(origin: &str, notary: &dyn Notary) -> Result<VerifierKey, StoreError> {
    let kind = strongroom_audit::KeyKind::Note;
    Ok(VerifierKey::try_new(origin, kind, &notary.public())?)
}

/// Signs where the log stands. A log has one key for its whole life.
pub(crate) fn sign(head: &mut LogHead, notary: &dyn Notary) -> Result<(), StoreError> {
    let key = key_of(&head.origin, notary)?;
    let text = key.to_string();
    if let Some(known) = head.key.as_ref().filter(|known| **known != text) {
        return Err(StoreError::LogKeyDiffers { known: known.clone(), given: text });
    }
    let checkpoint = Checkpoint::try_new(&head.origin, head.size(), head.tree.root())?;
    let signed = SignedNote::sign(checkpoint.to_string(), &key, |message| {
        notary.sign(message).map_err(|reason| StoreError::CheckpointUnsigned { reason })
    })?;
    head.checkpoint = Some(signed.to_string());
    head.key = Some(text);
    Ok(())
}

/// The hash of a record's leaf. `buffer` is only room.
pub(crate) fn leaf_hash_of(
    record: &Record,
    salt: &[u8; SALT_BYTES],
    written: Written,
    buffer: &mut Vec<u8>,
) -> Result<Hash, AuditError> {
    buffer.clear();
    write_entry(record, salt, written, buffer)?;
    Ok(strongroom_audit::leaf_hash(buffer))
}

fn write_entry(
    record: &Record,
    salt: &[u8; SALT_BYTES],
    written: Written,
    buffer: &mut Vec<u8>,
) -> Result<(), AuditError> {
    let content = Content { at: &record.at, actor: &record.actor, body: &record.body, salt };
    let entry = Entry {
        written,
        stream: &record.stream,
        seq: record.seq,
        recorded_at: &record.recorded_at,
        kind: &record.kind,
        commitment: content.commitment(),
    };
    entry.write(buffer)
}

/// The entry of the log for a record: what a bundle holds.
pub(crate) fn entry_bytes(logged: &Logged, head: &LogHead) -> Result<Vec<u8>, AuditError> {
    let mut buffer = Vec::new();
    write_entry(&logged.record, &logged.leaf.salt, head.written(logged.leaf.index), &mut buffer)?;
    Ok(buffer)
}

/// What an append came to: the places of its records in the log, and the checkpoint that covers them.
#[derive(Debug, Clone)]
pub struct Appended {
    before: Tree,
    leaves: Vec<Leaf>,
    /// None where nobody signs.
    checkpoint: Option<String>,
    /// Made at the first receipt.
    grown: OnceLock<group::Grown>,
}

impl Appended {
    pub(crate) fn new(before: Tree, leaves: Vec<Leaf>, checkpoint: Option<String>) -> Self {
        Self { before, leaves, checkpoint, grown: OnceLock::new() }
    }

    /// The leaf of a record, by its place in the batch.
    pub fn leaf(&self, place: usize) -> Option<Leaf> {
        self.leaves.get(place).copied()
    }

    /// The size of the log with the batch.
    pub fn size(&self) -> u64 {
        self.before.size().saturating_add(self.leaves.len() as u64)
    }

    /// The signed checkpoint of the commit.
    pub fn checkpoint(&self) -> Option<&str> {
        self.checkpoint.as_deref()
    }

    /// The receipt of a record of the batch, by its place in it; none where nobody signs. The first one walks over the
    /// batch, which serves all others.
    ///
    /// # Errors
    /// A place that is not in the batch.
    pub fn receipt(&self, place: usize, record: &Record) -> Result<Option<Receipt>, StoreError> {
        let Some(checkpoint) = &self.checkpoint else { return Ok(None) };
        let checkpoint = SignedNote::parse(checkpoint)?;
        let leaf = self.leaf(place).ok_or(StoreError::LogPlaceUnknown)?;
        let leaves = || group::Grown::new(&self.before, self.leaves.iter().map(|leaf| leaf.hash));
        let proof = prove_inclusion(leaf.index, self.size(), self.grown.get_or_init(leaves))?;
        let logged = Logged { record: record.clone(), leaf };
        Ok(Some(receipt_of(logged, Written::WithEvent, proof, checkpoint)))
    }
}

/// A receipt with its content open.
pub(crate) fn receipt_of(
    logged: Logged,
    written: Written,
    inclusion_proof: Vec<Hash>,
    checkpoint: SignedNote,
) -> Receipt {
    let Logged { record, leaf } = logged;
    let content =
        OpenedContent { at: record.at, actor: record.actor, body: record.body, salt: Salt(leaf.salt) };
    Receipt {
        stream: record.stream,
        seq: record.seq,
        recorded_at: record.recorded_at,
        kind: record.kind,
        written,
        disclosure: Disclosure::Opened(content),
        leaf_index: leaf.index,
        inclusion_proof,
        checkpoint,
    }
}
