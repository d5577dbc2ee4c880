//! Inclusion and consistency proofs: made from stored hashes, verified without any (RFC 9162 section 2.1).
//!
//! Subtrees and their proofs are those of draft-ietf-plants-merkle-tree-certs: leaves `start` to `end`, where `start` is
//! a multiple of the smallest power of two that is not less than their number. A tree is the subtree from 0, and a
//! consistency proof of RFC 9162 is the one of that subtree.

use crate::error::AuditError;
use crate::hash::{Hash, node_hash};
use crate::tree::{TREE_SIZE_MAX, fold};

/// A complete subtree: leaves `index << level` to `(index + 1) << level`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// 0 for a leaf.
    pub level: u8,
    /// Its place in the level, from 0.
    pub index: u64,
}

impl Node {
    /// The node above.
    #[must_use]
    pub(crate) const fn parent(self) -> Self {
        Self { level: self.level.saturating_add(1), index: self.index >> 1 }
    }
}

/// Where hashes come from: tiles, a column of leaf hashes, memory. What it gives is not trusted more than the proof that
/// is made of it: whoever is not sure of the source verifies the proof.
pub trait HashReader {
    /// What can go wrong.
    type Error: From<AuditError>;

    /// The hashes of these complete subtrees, in their order. At most a few hundred at once.
    ///
    /// # Errors
    /// If a hash cannot be had.
    fn hashes(&self, nodes: &[Node]) -> Result<Vec<Hash>, Self::Error>;
}

/// Leaf hashes in memory: every node is hashed together from its leaves, so this is for small trees and tests.
#[derive(Clone, Copy, Debug)]
pub struct Leaves<'a>(pub &'a [Hash]);

impl HashReader for Leaves<'_> {
    type Error = AuditError;

    fn hashes(&self, nodes: &[Node]) -> Result<Vec<Hash>, AuditError> {
        nodes.iter().map(|node| self.node(*node).ok_or(AuditError::ReaderMustAnswerEachNode)).collect()
    }
}

impl Leaves<'_> {
    fn node(&self, node: Node) -> Option<Hash> {
        let width = 1_usize.checked_shl(node.level.into())?;
        let start = usize::try_from(node.index).ok()?.checked_mul(width)?;
        subtree_root(self.0.get(start..start.checked_add(width)?)?)
    }
}

/// The root of a complete subtree over its leaves or nodes, whose number is a power of two; `None` of none.
pub(crate) fn subtree_root(hashes: &[Hash]) -> Option<Hash> {
    let mut level = hashes.to_vec();
    while level.len() > 1 {
        level = level.as_chunks::<2>().0.iter().map(|[left, right]| node_hash(left, right)).collect();
    }
    level.first().copied()
}

/// Asks a reader and counts its answers.
pub(crate) fn read<R: HashReader>(reader: &R, nodes: &[Node]) -> Result<Vec<Hash>, R::Error> {
    let hashes = if nodes.is_empty() { Vec::new() } else { reader.hashes(nodes)? };
    if hashes.len() == nodes.len() { Ok(hashes) } else { Err(AuditError::ReaderMustAnswerEachNode.into()) }
}

/// The complete subtrees of a subtree, from left to right.
pub(crate) fn subtrees(start: u64, end: u64) -> impl Iterator<Item = Node> {
    let mut next = start;
    std::iter::from_fn(move || {
        let level = end.checked_sub(next)?.checked_ilog2()?;
        let node = Node { level: u8::try_from(level).ok()?, index: next >> level };
        next = next.checked_add(1 << level)?;
        Some(node)
    })
}

/// The hashes of several subtrees, read at once.
fn subtree_hashes<R: HashReader>(reader: &R, ranges: &[(u64, u64)]) -> Result<Vec<Hash>, R::Error> {
    let nodes: Vec<Vec<Node>> = ranges.iter().map(|(start, end)| subtrees(*start, *end).collect()).collect();
    let mut hashes = read(reader, &nodes.concat())?.into_iter();
    let folded = nodes.iter().map(|nodes| fold(&hashes.by_ref().take(nodes.len()).collect::<Vec<_>>()));
    folded.collect::<Option<_>>().ok_or_else(|| AuditError::ReaderMustAnswerEachNode.into())
}

/// The largest power of two below the number of leaves, where a tree of two or more divides.
const fn split(size: u64) -> u64 {
    1 << size.saturating_sub(1).ilog2()
}

/// Refuses what is no subtree of a tree: empty, behind its end, or not aligned.
fn check_subtree(start: u64, end: u64, size: u64) -> Result<(), AuditError> {
    let width = end.saturating_sub(start).checked_next_power_of_two();
    // Nothing is as wide as that but the whole of a tree that is wider still.
    let aligned = width.map_or(start == 0, |width| start.is_multiple_of(width));
    if start < end && end <= size && aligned {
        return Ok(());
    }
    Err(AuditError::SubtreeMustBeInTree { start, end, size })
}

/// Proves that a leaf is in the tree of a size: the hashes beside its path, from the leaf up. At most 63.
///
/// # Errors
/// [`AuditError::IndexMustBeInTree`], and what the reader gives.
pub fn prove_inclusion<R: HashReader>(index: u64, size: u64, reader: &R) -> Result<Vec<Hash>, R::Error> {
    if index >= size || size > TREE_SIZE_MAX {
        return Err(AuditError::IndexMustBeInTree { index, size }.into());
    }
    let (mut start, mut end) = (0, size);
    let mut beside = Vec::new();
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            beside.push((middle, end));
            end = middle;
        } else {
            beside.push((start, middle));
            start = middle;
        }
    }
    beside.reverse();
    subtree_hashes(reader, &beside)
}

/// Proves that the tree of the first size is the beginning of the tree of the second. At most 64 hashes.
///
/// # Errors
/// [`AuditError::SubtreeMustBeInTree`] unless 0 < first ≤ second, and what the reader gives.
pub fn prove_consistency<R: HashReader>(first: u64, second: u64, reader: &R) -> Result<Vec<Hash>, R::Error> {
    prove_subtree(0, first, second, reader)
}

/// Proves that leaves `start` to `end` of the tree of a size are those of a subtree. At most 64 hashes.
///
/// # Errors
/// [`AuditError::SubtreeMustBeInTree`], and what the reader gives.
pub fn prove_subtree<R: HashReader>(
    start: u64,
    end: u64,
    size: u64,
    reader: &R,
) -> Result<Vec<Hash>, R::Error> {
    check_subtree(start, end, size.min(TREE_SIZE_MAX))?;
    // The part of the tree that is looked at, and whether its hash is the one that the verifier has.
    let (mut from, mut to, mut known) = (0, size, true);
    let mut ranges = Vec::new();
    while from < start || to != end {
        let middle = from + split(to - from);
        if end <= middle {
            ranges.push((middle, to));
            to = middle;
        } else {
            ranges.push((from, middle));
            known &= start >= middle;
            from = middle;
        }
    }
    if !known {
        ranges.push((from, to));
    }
    ranges.reverse();
    subtree_hashes(reader, &ranges)
}

/// The root to which a proof leads (RFC 9162 section 2.1.3.2).
///
/// # Errors
/// [`AuditError::IndexMustBeInTree`], [`AuditError::ProofMustFitTheTree`].
pub fn root_of_inclusion(leaf: Hash, index: u64, size: u64, proof: &[Hash]) -> Result<Hash, AuditError> {
    if index >= size {
        return Err(AuditError::IndexMustBeInTree { index, size });
    }
    // Both climb a level with each hash: the node, and the last one of its level.
    let (mut node, mut last) = (index, size - 1);
    let mut hash = leaf;
    for beside in proof {
        if last == 0 {
            return Err(AuditError::ProofMustFitTheTree);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(beside, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, beside);
        }
        node >>= 1;
        last >>= 1;
    }
    if last == 0 { Ok(hash) } else { Err(AuditError::ProofMustFitTheTree) }
}

/// Verifies that a leaf is in the tree of a size and root (RFC 9162 section 2.1.3.2).
///
/// # Errors
/// [`AuditError::IndexMustBeInTree`], [`AuditError::ProofMustFitTheTree`], [`AuditError::ProofMustLeadToRoot`].
pub fn verify_inclusion(
    leaf: Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: Hash,
) -> Result<(), AuditError> {
    must_be(root_of_inclusion(leaf, index, size, proof)?, root)
}

/// Verifies that a leaf is in the subtree of leaves `start` to `end`, whose hash is given.
///
/// # Errors
/// As [`verify_inclusion`], and [`AuditError::SubtreeMustBeInTree`].
pub fn verify_subtree_inclusion(
    leaf: Hash,
    index: u64,
    (start, end): (u64, u64),
    proof: &[Hash],
    subtree: Hash,
) -> Result<(), AuditError> {
    check_subtree(start, end, end)?;
    let size = end - start;
    let index = index.checked_sub(start).ok_or(AuditError::IndexMustBeInTree { index, size })?;
    verify_inclusion(leaf, index, size, proof, subtree)
}

/// Verifies that one tree is the beginning of another (RFC 9162 section 2.1.4.2).
///
/// # Errors
/// [`AuditError::SubtreeMustBeInTree`] unless 0 < first ≤ second; [`AuditError::ProofMustFitTheTree`],
/// [`AuditError::ProofMustLeadToRoot`].
pub fn verify_consistency(
    (first, first_root): (u64, Hash),
    (second, second_root): (u64, Hash),
    proof: &[Hash],
) -> Result<(), AuditError> {
    verify_subtree((0, first), first_root, (second, second_root), proof)
}

/// Verifies that a subtree is part of a tree.
///
/// # Errors
/// [`AuditError::SubtreeMustBeInTree`], [`AuditError::ProofMustFitTheTree`], [`AuditError::ProofMustLeadToRoot`].
pub fn verify_subtree(
    (start, end): (u64, u64),
    subtree: Hash,
    (size, root): (u64, Hash),
    proof: &[Hash],
) -> Result<(), AuditError> {
    check_subtree(start, end, size)?;
    // All climb a level with each hash: the subtree's first and last node, and the tree's last one.
    let (mut first, mut last, mut tree_last) = (start, end - 1, size - 1);
    let whole = last == tree_last;
    while first != last && (whole || last & 1 == 1) {
        first >>= 1;
        last >>= 1;
        tree_last >>= 1;
    }
    let (mut subtree_hash, proof) = match proof.split_first() {
        _ if first == last => (subtree, proof),
        Some((hash, proof)) => (*hash, proof),
        None => return Err(AuditError::ProofMustFitTheTree),
    };
    let mut hash = subtree_hash;
    for beside in proof {
        if tree_last == 0 {
            return Err(AuditError::ProofMustFitTheTree);
        }
        if last & 1 == 1 || last == tree_last {
            if first < last {
                subtree_hash = node_hash(beside, &subtree_hash);
            }
            hash = node_hash(beside, &hash);
            while last & 1 == 0 && last != 0 {
                first >>= 1;
                last >>= 1;
                tree_last >>= 1;
            }
        } else {
            hash = node_hash(&hash, beside);
        }
        first >>= 1;
        last >>= 1;
        tree_last >>= 1;
    }
    if tree_last != 0 {
        return Err(AuditError::ProofMustFitTheTree);
    }
    must_be(subtree_hash, subtree)?;
    must_be(hash, root)
}

fn must_be(found: Hash, expected: Hash) -> Result<(), AuditError> {
    if found == expected { Ok(()) } else { Err(AuditError::ProofMustLeadToRoot) }
}
