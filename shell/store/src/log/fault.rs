//! What can be wrong with a log, each with the name of what is wrong.

use thiserror::Error;

/// Something in the database that is not as the log has it. Somebody edited it, or a disk lost it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LogFault {
    /// A record whose leaf says that it was another.
    #[error("record {seq} of stream {stream:?} (leaf {leaf}) is not what it was when it was written")]
    RecordChanged {
        /// The stream.
        stream: String,
        /// Its number in the stream.
        seq: u64,
        /// Its place in the log.
        leaf: u64,
    },
    /// A leaf that is not there.
    #[error("leaf {leaf} is missing: a record was deleted, or the end of the log was cut off")]
    LeafMissing {
        /// The first that is missing.
        leaf: u64,
    },
    /// More leaves than the head knows.
    #[error("leaf {leaf} lies behind the head of the log: a record was slipped in")]
    LeafUnknown {
        /// The first of them.
        leaf: u64,
    },
    /// Leaves whose hashes do not lead to the node above them.
    #[error(
        "leaves {first} to {last} do not lead to the node above them: one of them was changed with its hash"
    )]
    TileChanged {
        /// The first leaf below the node.
        first: u64,
        /// The last one.
        last: u64,
    },
    /// A head that the leaves do not lead to.
    #[error("the head of the log says {head}, and its leaves lead to {found}")]
    HeadChanged {
        /// The root by the head.
        head: String,
        /// The root by the leaves.
        found: String,
    },
    /// A checkpoint that is not of this log, or that its key did not sign.
    #[error("the checkpoint in the database is not one of this log: {reason}")]
    CheckpointChanged {
        /// Why.
        reason: String,
    },
    /// The database ends before a checkpoint that was kept outside.
    #[error(
        "the log ends at leaf {size}, and the checkpoint outside it was signed at {signed}: this is an older copy"
    )]
    OlderThanAnchor {
        /// Leaves here.
        size: u64,
        /// Leaves of the checkpoint.
        signed: u64,
    },
    /// The database has another history than a checkpoint that was kept outside.
    #[error("the first {signed} leaves are not those of the checkpoint outside: this is another history")]
    OtherThanAnchor {
        /// Leaves of the checkpoint.
        signed: u64,
    },
    /// Another log than the one of a checkpoint that was kept outside.
    #[error("the checkpoint outside is of the log {anchor}, this database holds the log {here}")]
    OtherLog {
        /// By the checkpoint.
        anchor: String,
        /// By the database.
        here: String,
    },
    /// A file with a checkpoint that is none of this log's key.
    #[error("the checkpoint outside the database cannot be believed: {reason}")]
    AnchorUnsigned {
        /// Why.
        reason: String,
    },
    /// A row of a read table about keys that does not follow from the log.
    #[error("{table} row {row} is not what the log says: it was changed behind the program's back")]
    RowChanged {
        /// The table.
        table: &'static str,
        /// The key of the row.
        row: String,
    },
    /// The keys by the log do not lead to the root that the log has of them.
    #[error("the keys do not lead to the root that record {seq} of stream \"access\" has of them")]
    KeyTableChanged {
        /// The record with the root.
        seq: u64,
    },
}

impl LogFault {
    /// Whether it is the checkpoint outside that does not fit, and not the log itself.
    pub fn is_of_anchor(&self) -> bool {
        use LogFault::{AnchorUnsigned, OlderThanAnchor, OtherLog, OtherThanAnchor};
        matches!(
            self,
            OlderThanAnchor { .. } | OtherThanAnchor { .. } | OtherLog { .. } | AnchorUnsigned { .. }
        )
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::RecordChanged { .. } => "log.record_must_be_as_it_was",
            Self::LeafMissing { .. } => "log.leaf_must_be_there",
            Self::LeafUnknown { .. } => "log.leaf_must_be_known_to_the_head",
            Self::TileChanged { .. } => "log.leaves_must_lead_to_their_node",
            Self::HeadChanged { .. } => "log.leaves_must_lead_to_the_head",
            Self::CheckpointChanged { .. } => "log.checkpoint_must_be_of_this_log",
            Self::OlderThanAnchor { .. } => "log.must_not_be_older_than_its_anchor",
            Self::OtherThanAnchor { .. } => "log.must_continue_its_anchor",
            Self::OtherLog { .. } => "log.anchor_must_be_of_this_log",
            Self::AnchorUnsigned { .. } => "log.anchor_must_be_signed_by_the_logs_key",
            Self::RowChanged { .. } => "log.row_must_follow_from_the_log",
            Self::KeyTableChanged { .. } => "log.keys_must_lead_to_their_root",
        }
    }
}
