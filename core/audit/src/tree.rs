//! The growing edge of the tree: enough to append and to give the root, without any leaf.

use crate::error::AuditError;
use crate::hash::{HASH_BYTES, Hash, empty_root, node_hash};
use crate::proof::{HashReader, Node, read, subtrees};

/// Leaves of a tree, at most: an index fits a signed column of a database.
pub const TREE_SIZE_MAX: u64 = i64::MAX as u64;

/// The size of a tree and the roots of its complete subtrees, from the largest, which is on the left, to the smallest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    size: u64,
    edge: Vec<Hash>,
}

impl Tree {
    /// The number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf by its hash and gives its index, from 0. One hash on average.
    pub fn append(&mut self, leaf: Hash) -> u64 {
        self.append_noting(leaf, |_, _| ())
    }

    /// As [`Self::append`], and tells of every node that is complete with this leaf, from the leaf up.
    pub fn append_noting(&mut self, leaf: Hash, mut note: impl FnMut(Node, Hash)) -> u64 {
        let index = self.size;
        let mut node = Node { level: 0, index };
        let mut hash = leaf;
        note(node, hash);
        for _ in 0..index.trailing_ones() {
            let Some(left) = self.edge.pop() else { break };
            hash = node_hash(&left, &hash);
            node = node.parent();
            note(node, hash);
        }
        self.edge.push(hash);
        self.size = index.saturating_add(1);
        index
    }

    /// The complete subtrees of the edge, from the largest to the smallest, with their roots.
    pub fn edge(&self) -> impl Iterator<Item = (Node, Hash)> {
        subtrees(0, self.size).zip(self.edge.iter().copied())
    }

    /// The Merkle tree hash of RFC 6962 section 2.1 over all leaves.
    #[must_use]
    pub fn root(&self) -> Hash {
        fold(&self.edge).unwrap_or_else(empty_root)
    }

    /// The size, 8 bytes big-endian, and the hashes of the edge: 8 bytes and 32 for each bit that is set in the size.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let size = self.size.to_be_bytes();
        size.into_iter().chain(self.edge.iter().flat_map(|hash| *hash.as_bytes())).collect()
    }

    /// What [`Self::to_bytes`] gave.
    ///
    /// # Errors
    /// [`AuditError::TreeMustFitItsSize`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, AuditError> {
        let (size, edge) = bytes.split_first_chunk().ok_or(AuditError::TreeMustFitItsSize)?;
        let size = u64::from_be_bytes(*size);
        let (hashes, rest) = edge.as_chunks::<HASH_BYTES>();
        if size > TREE_SIZE_MAX || !rest.is_empty() || u32::try_from(hashes.len()) != Ok(size.count_ones()) {
            return Err(AuditError::TreeMustFitItsSize);
        }
        Ok(Self { size, edge: hashes.iter().copied().map(Hash::new).collect() })
    }

    /// The edge of a tree of this size, from its stored nodes: at most 63 of them.
    ///
    /// # Errors
    /// What the reader gives; [`AuditError::TreeMustFitItsSize`] for a size that no tree can have.
    pub fn read<R: HashReader>(size: u64, reader: &R) -> Result<Self, R::Error> {
        if size > TREE_SIZE_MAX {
            return Err(AuditError::TreeMustFitItsSize.into());
        }
        Ok(Self { size, edge: read(reader, &subtrees(0, size).collect::<Vec<_>>())? })
    }
}

/// The root over complete subtrees that get smaller from left to right; `None` of none.
pub(crate) fn fold(subtrees: &[Hash]) -> Option<Hash> {
    subtrees.iter().copied().rev().reduce(|right, left| node_hash(&left, &right))
}
