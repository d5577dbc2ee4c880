//! The root over all records of the key table: a binary trie by the hash of the key. The root depends on the records
//! alone, not on the order in which they came, and a change costs as many hashes as the record is deep: about 17 for
//! 100,000 records.
//!
//! No hash of it can be taken for one of the log: the first byte differs.

use crate::error::AuditError;
use crate::hash::{HASH_BYTES, Hash};
use std::mem;

/// Hashes in a proof, at most: one for each bit of a path.
pub const TABLE_PROOF_HASHES_MAX: usize = 256;

/// Stands for a place without records, and is the root of a table without any. Nothing hashes to it.
const EMPTY: Hash = Hash::new([0; HASH_BYTES]);
const BITS_OF_BYTE: usize = 8;

/// Where a key stands: SHA-256 of 0x12 and the key. Its bits are read from the first byte's highest on; 0 is left.
fn path_of(key: &[u8]) -> Hash {
    Hash::of(&[&[0x12], key])
}

/// SHA-256 of 0x13 and the record.
fn digest_of(record: &[u8]) -> Hash {
    Hash::of(&[&[0x13], record])
}

/// A record alone in its part of the trie stands there, however far up: SHA-256 of 0x10, path and digest.
fn leaf_of(path: &Hash, digest: &Hash) -> Hash {
    Hash::of(&[&[0x10], path.as_bytes(), digest.as_bytes()])
}

/// SHA-256 of 0x11 and both sides.
fn inner_of(left: &Hash, right: &Hash) -> Hash {
    Hash::of(&[&[0x11], left.as_bytes(), right.as_bytes()])
}

fn goes_right(path: &Hash, depth: usize) -> bool {
    let byte = path.as_bytes().get(depth / BITS_OF_BYTE).copied().unwrap_or_default();
    byte << (depth % BITS_OF_BYTE) & 0x80 != 0
}

#[derive(Clone, Debug)]
struct Leaf {
    path: Hash,
    digest: Hash,
    hash: Hash,
}

#[derive(Clone, Debug)]
struct Inner {
    left: Slot,
    right: Slot,
    hash: Hash,
}

#[derive(Clone, Debug, Default)]
enum Slot {
    #[default]
    Empty,
    Leaf(Leaf),
    Inner(Box<Inner>),
}

impl Slot {
    const fn hash(&self) -> Hash {
        match self {
            Self::Empty => EMPTY,
            Self::Leaf(leaf) => leaf.hash,
            Self::Inner(inner) => inner.hash,
        }
    }

    fn insert(&mut self, leaf: Leaf, depth: usize) {
        match mem::take(self) {
            Self::Empty => *self = Self::Leaf(leaf),
            Self::Leaf(held) if held.path == leaf.path => *self = Self::Leaf(leaf),
            Self::Leaf(held) => {
                *self = Self::Inner(Box::new(Inner { left: Self::Empty, right: Self::Empty, hash: EMPTY }));
                self.insert(held, depth);
                self.insert(leaf, depth);
            }
            Self::Inner(mut inner) => {
                inner.side(&leaf.path, depth).insert(leaf, depth.saturating_add(1));
                inner.hash = inner_of(&inner.left.hash(), &inner.right.hash());
                *self = Self::Inner(inner);
            }
        }
    }

    /// Takes a record that is there away; a record that is alone then moves up.
    fn remove(&mut self, path: &Hash, depth: usize) {
        match mem::take(self) {
            Self::Empty | Self::Leaf(_) => {}
            Self::Inner(mut inner) => {
                inner.side(path, depth).remove(path, depth.saturating_add(1));
                *self = match (mem::take(&mut inner.left), mem::take(&mut inner.right)) {
                    (Self::Empty, Self::Leaf(leaf)) | (Self::Leaf(leaf), Self::Empty) => Self::Leaf(leaf),
                    (left, right) => {
                        let hash = inner_of(&left.hash(), &right.hash());
                        *inner = Inner { left, right, hash };
                        Self::Inner(inner)
                    }
                };
            }
        }
    }
}

impl Inner {
    fn side(&mut self, path: &Hash, depth: usize) -> &mut Slot {
        if goes_right(path, depth) { &mut self.right } else { &mut self.left }
    }
}

/// Records by their keys, as hashes: the table holds neither.
#[derive(Clone, Debug, Default)]
pub struct KeyTable {
    top: Slot,
    records: usize,
}

impl KeyTable {
    /// The number of records.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.records
    }

    /// Whether there is no record.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// The root over all records; 32 zeros of none.
    #[must_use]
    pub const fn root(&self) -> Hash {
        self.top.hash()
    }

    /// Sets the record of a key, which may have one already.
    pub fn set(&mut self, key: &[u8], record: &[u8]) {
        let (path, digest) = (path_of(key), digest_of(record));
        if self.digest_at(&path).is_none() {
            self.records = self.records.saturating_add(1);
        }
        self.top.insert(Leaf { path, digest, hash: leaf_of(&path, &digest) }, 0);
    }

    /// Takes the record of a key away; false if there was none.
    pub fn remove(&mut self, key: &[u8]) -> bool {
        let path = path_of(key);
        let found = self.digest_at(&path).is_some();
        if found {
            self.top.remove(&path, 0);
            self.records = self.records.saturating_sub(1);
        }
        found
    }

    /// Whether the key has exactly this record: it names a record that was changed behind the program's back.
    #[must_use]
    pub fn holds(&self, key: &[u8], record: &[u8]) -> bool {
        self.digest_at(&path_of(key)) == Some(digest_of(record))
    }

    /// Proves that a key's record is under the root: the hashes beside its path, from the root down. `None` without one.
    #[must_use]
    pub fn prove(&self, key: &[u8]) -> Option<Vec<Hash>> {
        let mut beside = Vec::new();
        let found = self.descend(&path_of(key), |hash| beside.push(hash));
        found.map(|_| beside)
    }

    fn digest_at(&self, path: &Hash) -> Option<Hash> {
        self.descend(path, |_| ())
    }

    /// The digest of the record at a path, telling of the hashes beside it on the way down.
    fn descend(&self, path: &Hash, mut pass: impl FnMut(Hash)) -> Option<Hash> {
        let (mut slot, mut depth) = (&self.top, 0_usize);
        loop {
            slot = match slot {
                Slot::Empty => return None,
                Slot::Leaf(leaf) => return (leaf.path == *path).then_some(leaf.digest),
                Slot::Inner(inner) => {
                    let right = goes_right(path, depth);
                    let (next, other) =
                        if right { (&inner.right, &inner.left) } else { (&inner.left, &inner.right) };
                    pass(other.hash());
                    next
                }
            };
            depth = depth.saturating_add(1);
        }
    }
}

/// Verifies that a key has this record under a root, by the proof that [`KeyTable::prove`] gave. A key has one record
/// under a root, so there is no such proof for another.
///
/// # Errors
/// [`AuditError::RecordMustBeUnderRoot`].
pub fn verify_record(root: Hash, key: &[u8], record: &[u8], proof: &[Hash]) -> Result<(), AuditError> {
    let path = path_of(key);
    let mut hash = leaf_of(&path, &digest_of(record));
    for (depth, beside) in proof.iter().enumerate().rev() {
        hash = if goes_right(&path, depth) { inner_of(beside, &hash) } else { inner_of(&hash, beside) };
    }
    let found = hash == root && proof.len() <= TABLE_PROOF_HASHES_MAX;
    if found { Ok(()) } else { Err(AuditError::RecordMustBeUnderRoot) }
}
