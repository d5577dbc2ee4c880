//! Whether all records are as they were: every leaf is hashed anew and the tree is built anew from them.
//!
//! A log is checked in parts, several at once. All but the last are complete subtrees of one width, so their roots are
//! the leaves of a tree over the parts.

use std::collections::BTreeMap;
use std::ops::Range;
use strongroom_audit::{Hash, SALT_BYTES, Tree};

use super::{LogFault, LogHead, NodeRow, TILE, leaf_hash_of};
use crate::error::StoreError;
use crate::record::Record;

/// Levels of the tree in one part.
const PART_HEIGHT: u8 = 16;
/// Leaves of a part.
pub(crate) const PART: u64 = 1 << PART_HEIGHT;

/// What a whole verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogReport {
    /// Leaves by the head.
    pub leaves: u64,
    /// Those whose leaves were made later, by the migration.
    pub backfilled: u64,
    /// What is wrong, by place; at most [`LogReport::FAULTS_MAX`].
    pub faults: Vec<LogFault>,
}

impl LogReport {
    /// Faults that are listed.
    pub const FAULTS_MAX: usize = 100;

    /// Refuses a log with a fault, by its first.
    pub fn must_be_whole(&self) -> Result<(), StoreError> {
        self.faults.first().map_or(Ok(()), |fault| Err(StoreError::LogFaulty(fault.clone())))
    }
}

/// Takes the records of a part in their order and notes what is wrong.
pub(crate) struct PartCheck<'a> {
    head: &'a LogHead,
    range: Range<u64>,
    next: u64,
    tree: Tree,
    nodes: Vec<NodeRow>,
    faults: Vec<LogFault>,
    buffer: Vec<u8>,
}

/// A part that was looked at: the edge of its own tree, the nodes below it, and its faults.
pub(crate) struct Part {
    edge: Vec<Hash>,
    nodes: Vec<NodeRow>,
    faults: Vec<LogFault>,
}

/// The parts of a log, and one behind them in which nothing may be.
pub(crate) fn parts(size: u64) -> impl Iterator<Item = Range<u64>> {
    (0..size.div_ceil(PART)).map(move |part| part * PART..((part + 1) * PART).min(size))
}

impl<'a> PartCheck<'a> {
    pub(crate) fn new(head: &'a LogHead, range: Range<u64>) -> Self {
        let (next, buffer) = (range.start, Vec::with_capacity(512));
        Self { head, range, next, tree: Tree::default(), nodes: Vec::new(), faults: Vec::new(), buffer }
    }

    /// Looks at the record of a leaf, which must hash to what is kept of it. What is kept goes into the tree, so that a
    /// record that was changed alone is named, and not its tile too.
    pub(crate) fn look(
        &mut self,
        record: &Record,
        index: u64,
        salt: &[u8; SALT_BYTES],
        kept: &Hash,
    ) -> Result<(), StoreError> {
        self.pass_over_missing(index);
        let hash = leaf_hash_of(record, salt, self.head.written(index), &mut self.buffer)?;
        if hash != *kept {
            let (stream, seq) = (record.stream.clone(), record.seq);
            self.note(LogFault::RecordChanged { stream, seq, leaf: index });
        }
        self.append(*kept);
        Ok(())
    }

    fn pass_over_missing(&mut self, index: u64) {
        while self.next < index.min(self.range.end) {
            self.note(LogFault::LeafMissing { leaf: self.next });
            self.append(Hash::new([0; 32]));
        }
    }

    fn note(&mut self, fault: LogFault) {
        if self.faults.len() < LogReport::FAULTS_MAX {
            self.faults.push(fault);
        }
    }

    fn append(&mut self, hash: Hash) {
        let (nodes, first) = (&mut self.nodes, self.range.start);
        self.tree.append_noting(hash, |node, hash| {
            let shifted = NodeRow::of(node, hash).map(|row| {
                let below = first >> node.level;
                NodeRow { place: row.place + below.cast_signed(), ..row }
            });
            nodes.extend(shifted);
        });
        self.next += 1;
    }

    pub(crate) fn finish(mut self) -> Part {
        self.pass_over_missing(self.range.end);
        let edge = self.tree.edge().map(|(_, hash)| hash).collect();
        Part { edge, nodes: self.nodes, faults: self.faults }
    }
}

/// Joins the parts of a log, in their order, and compares them with the nodes and the head that are kept.
pub(crate) fn join(
    head: &LogHead,
    parts: Vec<Part>,
    kept: &[NodeRow],
    unknown: Option<u64>,
) -> Result<LogReport, StoreError> {
    let mut over = Tree::default();
    let (mut edge, mut nodes, mut faults) = (Vec::new(), BTreeMap::new(), Vec::new());
    for part in parts {
        nodes.extend(part.nodes.iter().map(|row| ((row.level, row.place), row.hash)));
        faults.extend(part.faults);
        match part.edge.as_slice() {
            // A whole part is one leaf of the tree over the parts; only the last one may be less.
            [whole] if edge.is_empty() && part.nodes.iter().any(|row| row.level == 2) => {
                let nodes = &mut nodes;
                over.append_noting(*whole, |node, hash| {
                    let lifted = strongroom_audit::Node { level: node.level + PART_HEIGHT, ..node };
                    nodes.extend(NodeRow::of(lifted, hash).map(|row| ((row.level, row.place), row.hash)));
                });
            }
            rest => edge = rest.to_vec(),
        }
    }
    let named: Vec<u64> = faults.iter().filter_map(missing).collect();
    let spans = |level: i64, place: i64| {
        let width = TILE.saturating_pow(u32::try_from(level).unwrap_or(u32::MAX));
        let first = place.cast_unsigned().saturating_mul(width);
        (first, first.saturating_add(width - 1))
    };
    let kept: BTreeMap<(i64, i64), Hash> =
        kept.iter().map(|row| ((row.level, row.place), row.hash)).collect();
    let places: std::collections::BTreeSet<_> = nodes.keys().chain(kept.keys()).copied().collect();
    for (level, place) in places {
        let (first, last) = spans(level, place);
        let is_named = named.iter().any(|leaf| (first..=last).contains(leaf));
        if nodes.get(&(level, place)) != kept.get(&(level, place)) && !is_named {
            faults.push(LogFault::TileChanged { first, last: last.min(head.size().saturating_sub(1)) });
        }
    }
    let hashes = over.edge().map(|(_, hash)| hash).chain(edge);
    let bytes = head.size().to_be_bytes().into_iter().chain(hashes.flat_map(|hash| *hash.as_bytes()));
    let found = Tree::from_bytes(&bytes.collect::<Vec<_>>())?;
    if found != head.tree {
        let (head, found) = (head.tree.root().to_string(), found.root().to_string());
        faults.push(LogFault::HeadChanged { head, found });
    }
    faults.extend(unknown.map(|leaf| LogFault::LeafUnknown { leaf }));
    faults.truncate(LogReport::FAULTS_MAX);
    Ok(LogReport { leaves: head.size(), backfilled: head.backfilled, faults })
}

fn missing(fault: &LogFault) -> Option<u64> {
    match fault {
        LogFault::LeafMissing { leaf } => Some(*leaf),
        _ => None,
    }
}
