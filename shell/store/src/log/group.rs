//! A batch gets its leaves: hashes, salts, the nodes that are complete with it, and the head after it.

use std::collections::BTreeMap;
use strongroom_audit::{AuditError, Hash, HashReader, Node, SALT_BYTES, Tree};

use super::{Leaf, LogHead, leaf_hash_of};
use crate::error::StoreError;
use crate::record::Record;

/// Leaves of a tile, and nodes below one that is kept.
pub(crate) const TILE: u64 = 256;
/// Levels of the tree between nodes that are kept.
const HEIGHT: u8 = 8;

/// A node that is kept: the root over 256 nodes of the level below; of level 1 over 256 leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NodeRow {
    pub(crate) level: i64,
    pub(crate) place: i64,
    pub(crate) hash: Hash,
}

impl NodeRow {
    /// Whether a log of a size has this node complete.
    pub(crate) fn is_below(&self, size: u64) -> bool {
        let width = TILE.saturating_pow(u32::try_from(self.level).unwrap_or(u32::MAX));
        self.place.cast_unsigned().saturating_add(1).saturating_mul(width) <= size
    }

    /// The node as it is kept, if nodes of its level are.
    pub(crate) fn of(node: Node, hash: Hash) -> Option<Self> {
        let kept = node.level > 0 && node.level.is_multiple_of(HEIGHT);
        kept.then(|| Self { level: i64::from(node.level / HEIGHT), place: node.index.cast_signed(), hash })
    }
}

/// What a batch adds to the log.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) leaves: Vec<Leaf>,
    pub(crate) nodes: Vec<NodeRow>,
    pub(crate) head: LogHead,
}

impl Group {
    /// The leaves of records behind the head, in their order, with a salt for each.
    pub(crate) fn behind(
        before: &LogHead,
        records: &[Record],
        salts: &[[u8; SALT_BYTES]],
    ) -> Result<Self, StoreError> {
        let mut head = before.clone();
        let (mut leaves, mut nodes) = (Vec::with_capacity(records.len()), Vec::new());
        let mut buffer = Vec::with_capacity(256);
        for (record, salt) in records.iter().zip(salts) {
            let written = head.written(head.size());
            let hash = leaf_hash_of(record, salt, written, &mut buffer)?;
            let index = head.tree.append_noting(hash, |node, hash| nodes.extend(NodeRow::of(node, hash)));
            leaves.push(Leaf { index, salt: *salt, hash });
        }
        Ok(Self { leaves, nodes, head })
    }
}

/// Salts for so many records, from the system's random source.
pub(crate) fn salts(count: usize) -> Result<Vec<[u8; SALT_BYTES]>, StoreError> {
    let mut bytes = vec![0; count * SALT_BYTES];
    getrandom::fill(&mut bytes).map_err(|error| StoreError::NoRandomness { source: Box::new(error) })?;
    Ok(bytes.as_chunks::<SALT_BYTES>().0.to_vec())
}

/// A name for a new log. Nobody else's log has it, so no checkpoint of one is taken for one of the other.
pub(crate) fn new_origin() -> Result<String, StoreError> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|error| StoreError::NoRandomness { source: Box::new(error) })?;
    Ok(format!("strongroom.log/{:016x}", u64::from_be_bytes(bytes)))
}

/// The nodes of a tree that a batch has made or that were its edge before: enough to prove any leaf of the batch.
#[derive(Debug, Clone)]
pub(super) struct Grown(BTreeMap<Node, Hash>);

impl Grown {
    pub(super) fn new(before: &Tree, leaves: impl Iterator<Item = Hash>) -> Self {
        let mut nodes: BTreeMap<Node, Hash> = before.edge().collect();
        let mut tree = before.clone();
        for leaf in leaves {
            tree.append_noting(leaf, |node, hash| {
                nodes.insert(node, hash);
            });
        }
        Self(nodes)
    }
}

impl HashReader for Grown {
    type Error = StoreError;

    fn hashes(&self, nodes: &[Node]) -> Result<Vec<Hash>, StoreError> {
        let found = nodes.iter().map(|node| self.0.get(node).copied());
        found.collect::<Option<_>>().ok_or(StoreError::Audit(AuditError::ReaderMustAnswerEachNode))
    }
}
