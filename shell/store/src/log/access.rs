//! Reading and proving the log through an open store.

use std::cell::RefCell;
use strongroom_audit::{
    AuditError, Hash, HashReader, Node, Receipt, SignedNote, Tile, TileKind, TileReader, Tree, VerifierKey,
    bundle_content, prove_consistency, prove_inclusion, tile_content,
};

use super::{Leaf, LogFault, LogHead, LogReport, Logged, Notary, TILE, entry_bytes, key_of, receipt_of};
use crate::error::StoreError;
use crate::row::Value;
use crate::schema::Table;
use crate::store::{Database, Store};

/// Leaves at the end of the log that are looked at when a store is opened.
const TAIL: u64 = 2 * TILE;

impl Store {
    /// From now on a checkpoint is signed with every commit; and one at once if the log is ahead of its last one.
    ///
    /// # Errors
    /// [`StoreError::LogKeyDiffers`] if the log is signed by another key.
    pub fn sign_with(&mut self, notary: Box<dyn Notary>) -> Result<LogHead, StoreError> {
        self.must_write()?;
        let head = self.log_head()?;
        let key = key_of(&head.origin, notary.as_ref())?.to_string();
        if let Some(known) = head.key.as_ref().filter(|known| **known != key) {
            return Err(StoreError::LogKeyDiffers { known: known.clone(), given: key });
        }
        let signed = head.checkpoint.as_deref().and_then(|note| SignedNote::parse(note).ok());
        let is_behind = signed
            .and_then(|note| strongroom_audit::Checkpoint::parse(note.text()).ok())
            .is_none_or(|checkpoint| checkpoint.size() != head.size());
        let head =
            if is_behind { self.attempt(|database| database.sign_head(notary.as_ref()))? } else { head };
        self.notary = Some(notary);
        Ok(head)
    }

    /// Where the log stands.
    pub fn log_head(&mut self) -> Result<LogHead, StoreError> {
        self.attempt(|database| database.log_head())
    }

    /// The leaf of a record.
    pub fn leaf(&mut self, stream: &str, seq: u64) -> Result<Option<Leaf>, StoreError> {
        let Ok(seq) = i64::try_from(seq) else { return Ok(None) };
        self.attempt(|database| database.leaf(stream, seq))
    }

    /// Records by their leaves, from `from` on: at most `limit`, and at most [`Store::PAGE_MAX`].
    pub fn logged(&mut self, from: u64, limit: usize) -> Result<Vec<Logged>, StoreError> {
        let Ok(from) = i64::try_from(from) else { return Ok(Vec::new()) };
        let limit = i64::try_from(limit.min(Self::PAGE_MAX)).unwrap_or(i64::MAX);
        self.attempt(|database| database.logged(from, limit))
    }

    /// A file of the log (C2SP tlog-tiles), as it is or was in the tree of some size up to this one.
    pub fn tile(&mut self, tile: &Tile) -> Result<Vec<u8>, StoreError> {
        let head = self.log_head()?;
        self.attempt(|database| tile_of(database, &head, tile))
    }

    /// Proves that a leaf is in the log of a size.
    pub fn prove_inclusion(&mut self, index: u64, size: u64) -> Result<Vec<Hash>, StoreError> {
        self.with_reader(size, |reader| prove_inclusion(index, size, reader))
    }

    /// Proves that the log of the first size is the beginning of the log of the second.
    pub fn prove_consistency(&mut self, first: u64, second: u64) -> Result<Vec<Hash>, StoreError> {
        self.with_reader(second, |reader| prove_consistency(first, second, reader))
    }

    /// The root of the log when it had this size.
    pub fn root_at(&mut self, size: u64) -> Result<Hash, StoreError> {
        self.with_reader(size, |reader| Ok(Tree::read(size, reader)?.root()))
    }

    /// A receipt of any record, by the last checkpoint.
    ///
    /// # Errors
    /// [`StoreError::LogPlaceUnknown`] if there is no such record, or if no checkpoint covers it.
    pub fn receipt(&mut self, stream: &str, seq: u64) -> Result<Receipt, StoreError> {
        let leaf = self.leaf(stream, seq)?.ok_or(StoreError::LogPlaceUnknown)?;
        let (head, logged) = (self.log_head()?, self.logged(leaf.index, 1)?);
        let checkpoint = SignedNote::parse(head.checkpoint.as_deref().ok_or(StoreError::LogPlaceUnknown)?)?;
        let size = strongroom_audit::Checkpoint::parse(checkpoint.text())?.size();
        let proof = self.prove_inclusion(leaf.index, size)?;
        let logged = logged.into_iter().next().ok_or(StoreError::LogPlaceUnknown)?;
        Ok(receipt_of(logged, head.written(leaf.index), proof, checkpoint))
    }

    /// Looks at the head, its checkpoint and the end of the log: enough to go on from there. It costs no more for a
    /// long log than for a short one.
    pub fn check_log_tail(&mut self) -> Result<LogHead, StoreError> {
        let head = self.log_head()?;
        check_checkpoint(&head)?;
        let first = head.size().saturating_sub(TAIL) / TILE * TILE;
        let logged = self.logged(first, usize::try_from(head.size() - first).unwrap_or(usize::MAX))?;
        let faulty = |fault| Err(StoreError::LogFaulty(fault));
        let mut buffer = Vec::new();
        for (index, logged) in (first..).zip(&logged) {
            let written = head.written(index);
            let hash = super::leaf_hash_of(&logged.record, &logged.leaf.salt, written, &mut buffer)?;
            match logged.leaf.index {
                found if found != index => return faulty(LogFault::LeafMissing { leaf: index }),
                _ if hash != logged.leaf.hash => {
                    let (stream, seq) = (logged.record.stream.clone(), logged.record.seq);
                    return faulty(LogFault::RecordChanged { stream, seq, leaf: index });
                }
                _ => {}
            }
        }
        let end = first + logged.len() as u64;
        if end < head.size() {
            return faulty(LogFault::LeafMissing { leaf: end });
        }
        // Another process may have gone on meanwhile: then the head has moved too.
        if !self.logged(end, 1)?.is_empty() && self.log_head()?.size() == end {
            return faulty(LogFault::LeafUnknown { leaf: end });
        }
        let found = self.root_at(head.size()).map_err(|error| match error {
            // A node that is not there is no tree at all.
            StoreError::Audit(_) => StoreError::LogFaulty(LogFault::LeafMissing { leaf: first }),
            other => other,
        })?;
        if found != head.tree.root() {
            let (head, found) = (head.tree.root().to_string(), found.to_string());
            return faulty(LogFault::HeadChanged { head, found });
        }
        Ok(head)
    }

    /// Looks at every record and every node. `progress` is told how many records were looked at.
    pub fn verify_log(&mut self, progress: &(dyn Fn(u64) + Sync)) -> Result<LogReport, StoreError> {
        let head = self.log_head()?;
        check_checkpoint(&head)?;
        self.attempt(|database| database.verify_log(progress))
    }

    /// One whole row of a read table, by its key.
    pub fn row(&mut self, table: &'static Table, key: &[Value]) -> Result<Option<Vec<Value>>, StoreError> {
        let known = self.schema().tables.iter().any(|known| known.name == table.name);
        if !known || key.len() != table.key {
            return Err(StoreError::RowMalformed {
                table: table.name,
                reason: "it has not one value for each key",
            });
        }
        self.attempt(|database| database.row(table, key))
    }

    fn with_reader<T>(
        &mut self,
        size: u64,
        work: impl FnOnce(&StoredHashes<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let head = self.log_head()?;
        if size > head.size() {
            return Err(StoreError::LogPlaceUnknown);
        }
        self.attempt(|database| work(&StoredHashes { database: RefCell::new(database), head, size }))
    }
}

/// Hashes out of the database, a tile at a time.
struct StoredHashes<'d> {
    database: RefCell<&'d mut dyn Database>,
    head: LogHead,
    size: u64,
}

impl HashReader for StoredHashes<'_> {
    type Error = StoreError;

    fn hashes(&self, nodes: &[Node]) -> Result<Vec<Hash>, StoreError> {
        let fetch = |tile: &Tile| tile_of(*self.database.borrow_mut(), &self.head, tile);
        TileReader { size: self.size, fetch }.hashes(nodes)
    }
}

/// The checkpoint in the head must be the head's own: signed by the log's key, of its size and root or an earlier one.
fn check_checkpoint(head: &LogHead) -> Result<(), StoreError> {
    let (Some(key), Some(note)) = (&head.key, &head.checkpoint) else { return Ok(()) };
    let changed = |reason: String| StoreError::LogFaulty(LogFault::CheckpointChanged { reason });
    let told = |error: AuditError| changed(error.to_string());
    let key: VerifierKey = key.parse().map_err(told)?;
    let note = SignedNote::parse(note).map_err(told)?;
    let checkpoint = strongroom_audit::Checkpoint::open(&note, &key).map_err(told)?;
    if key.name() != head.origin || checkpoint.size() > head.size() {
        return Err(changed("it is of another log or of a longer one".into()));
    }
    if checkpoint.size() == head.size() && checkpoint.root() != head.tree.root() {
        return Err(changed("it was signed over another root".into()));
    }
    Ok(())
}

/// The content of a file of the log.
fn tile_of(database: &mut dyn Database, head: &LogHead, tile: &Tile) -> Result<Vec<u8>, StoreError> {
    let width = i64::from(tile.width());
    let from = i64::try_from(tile.index().saturating_mul(TILE)).map_err(|_| StoreError::LogPlaceUnknown)?;
    let hashes = match tile.kind() {
        TileKind::Entries => {
            let entries = database.logged(from, width)?;
            let bytes =
                entries.iter().map(|logged| entry_bytes(logged, head)).collect::<Result<Vec<_>, _>>()?;
            let is_whole = bytes.len() == usize::from(tile.width());
            return if is_whole { Ok(bundle_content(bytes)?) } else { Err(StoreError::LogPlaceUnknown) };
        }
        TileKind::Hashes(0) => database.leaf_hashes(from, width)?,
        TileKind::Hashes(level) => database.nodes(level.into(), from, width)?,
    };
    if hashes.len() == usize::from(tile.width()) {
        Ok(tile_content(&hashes))
    } else {
        Err(StoreError::LogPlaceUnknown)
    }
}
