//! The transparency log: what it hashes, how it proves, and what it signs.
//!
//! A Merkle tree of RFC 6962 over one leaf for each event; inclusion and consistency proofs of RFC 9162; files of C2SP
//! tlog-tiles; checkpoints of C2SP tlog-checkpoint as signed notes, with cosignatures of witnesses; proof files of C2SP
//! tlog-proof; and receipts. Beside the log, the root over the key table.
//! This crate stores nothing and holds no key: hashes come from a [`HashReader`], signatures from a function.

mod checkpoint;
mod error;
mod hash;
mod leaf;
mod note;
mod proof;
mod proof_file;
mod receipt;
mod table;
mod tile;
mod tree;

pub use checkpoint::Checkpoint;
pub use error::AuditError;
pub use hash::{HASH_BYTES, Hash, empty_root, leaf_hash, node_hash};
pub use leaf::{Content, Entry, FIELD_BYTES_MAX, SALT_BYTES, STREAM_BYTES_MAX, Written};
pub use note::{
    KEY_NAME_BYTES_MAX, KeyKind, NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX, NoteSignature, SignedNote,
    VerifiedSignature, VerifierKey,
};
pub use proof::{
    HashReader, Leaves, Node, prove_consistency, prove_inclusion, prove_subtree, root_of_inclusion,
    verify_consistency, verify_inclusion, verify_subtree, verify_subtree_inclusion,
};
pub use proof_file::{PROOF_HASHES_MAX, ProofFile};
pub use receipt::{Disclosure, OpenedContent, RECEIPT_BYTES_MAX, Receipt, Salt};
pub use table::{KeyTable, TABLE_PROOF_HASHES_MAX, verify_record};
pub use tile::{TILE_WIDTH, Tile, TileKind, TileReader, bundle_content, tile_content, tiles_between};
pub use tree::{TREE_SIZE_MAX, Tree};
