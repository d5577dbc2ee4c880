//! What can be wrong with a proof, a note, a tile, a leaf or a receipt. Each error names the rule that was broken.

/// The rule that was broken. Nothing was changed by the call that gives it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuditError {
    /// Text that is not 32 bytes in canonical base64.
    #[error("a hash must be 32 bytes in base64 with padding")]
    HashMustBeBase64,
    /// Bytes that are no state of a tree: their number does not fit its size.
    #[error("the state of a tree must have one hash for each bit that is set in its size")]
    TreeMustFitItsSize,
    /// An index at or behind the end of the tree.
    #[error("leaf {index} must be in the tree, which has {size} leaves")]
    IndexMustBeInTree {
        /// The leaf that was asked for, from 0.
        index: u64,
        /// The leaves of the tree.
        size: u64,
    },
    /// A range that is no subtree of the tree: empty, reversed, behind its end, or not aligned.
    #[error("leaves {start} to {end} must be a subtree of the tree, which has {size} leaves")]
    SubtreeMustBeInTree {
        /// Its first leaf, from 0.
        start: u64,
        /// The leaf behind its last one.
        end: u64,
        /// The leaves of the tree.
        size: u64,
    },
    /// More or fewer hashes than the place in the tree needs.
    #[error("the proof must have as many hashes as the place in the tree needs")]
    ProofMustFitTheTree,
    /// The hashes lead to another root.
    #[error("the proof must lead to the root of the checkpoint")]
    ProofMustLeadToRoot,
    /// The source of hashes gave more or fewer than were asked for.
    #[error("the source of hashes must give one for each node that is asked for")]
    ReaderMustAnswerEachNode,
    /// A path that names no tile.
    #[error("the path must name a tile, as tile/0/x001/234 or tile/entries/005.p/17")]
    TileMustBeNamed,
    /// The content of a tile does not have the length that its width says.
    #[error("the content of a tile must have the length that its width says")]
    TileMustFitItsWidth,
    /// An entry that is larger than its two bytes of length can say.
    #[error("an entry must have at most 65535 bytes")]
    EntryMustFitBundle,
    /// Text that is no verifier key.
    #[error("the text must be a verifier key: name+hash+key")]
    KeyMustBeVerifierKey,
    /// A name that is empty, too long, or has a space or a plus sign.
    #[error("the name of a key must have 1 to 255 bytes, without spaces and plus signs")]
    KeyNameMustBePlain,
    /// A public key under which anything verifies, or that is none.
    #[error("the public key must be a strong key of Ed25519")]
    KeyMustBeStrong,
    /// A key for notes was used for a cosignature, or the other way round.
    #[error("the key must be of the kind that this signature needs")]
    KeyMustBeOfKind,
    /// A time before 1970 or behind what the format allows.
    #[error("the time of a cosignature must be seconds since 1970 below 2^63")]
    CosignatureTimeMustBeInRange,
    /// Text that is no signed note.
    #[error("a signed note must be well formed: {0}")]
    NoteMustBeWellFormed(&'static str),
    /// No signature by a key that is trusted.
    #[error("the note must be signed by a key that is known")]
    NoteMustBeSignedByKnownKey,
    /// A known key's signature that does not verify.
    #[error("every signature by a known key must verify")]
    SignatureMustVerify,
    /// Text that is no checkpoint.
    #[error("a checkpoint must be well formed: {0}")]
    CheckpointMustBeWellFormed(&'static str),
    /// The checkpoint of another log.
    #[error("the checkpoint must be of the log {expected:?}, it is of {found:?}")]
    CheckpointMustBeOfThisLog {
        /// The name of the key.
        expected: String,
        /// The origin in the checkpoint.
        found: String,
    },
    /// A field that is too long for a leaf, or an empty stream.
    #[error("the field {0} of a leaf must be within its bounds")]
    LeafFieldMustBeWithinBounds(&'static str),
    /// Bytes that are no entry of this log.
    #[error("an entry of the log must be well formed")]
    EntryMustBeWellFormed,
    /// Text that is no proof file.
    #[error("a proof file must be well formed: {0}")]
    ProofFileMustBeWellFormed(&'static str),
    /// Text that is no receipt.
    #[error("a receipt must be well formed: {0}")]
    ReceiptMustBeWellFormed(String),
    /// The record is not under the root of the key table, or is another one there.
    #[error("the record must be under the root of the key table")]
    RecordMustBeUnderRoot,
}

impl AuditError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::HashMustBeBase64 => "audit.hash_must_be_base64",
            Self::TreeMustFitItsSize => "audit.tree_must_fit_its_size",
            Self::IndexMustBeInTree { .. } => "audit.index_must_be_in_tree",
            Self::SubtreeMustBeInTree { .. } => "audit.subtree_must_be_in_tree",
            Self::ProofMustFitTheTree => "audit.proof_must_fit_the_tree",
            Self::ProofMustLeadToRoot => "audit.proof_must_lead_to_root",
            Self::ReaderMustAnswerEachNode => "audit.reader_must_answer_each_node",
            Self::TileMustBeNamed => "audit.tile_must_be_named",
            Self::TileMustFitItsWidth => "audit.tile_must_fit_its_width",
            Self::EntryMustFitBundle => "audit.entry_must_fit_bundle",
            Self::KeyMustBeVerifierKey => "audit.key_must_be_verifier_key",
            Self::KeyNameMustBePlain => "audit.key_name_must_be_plain",
            Self::KeyMustBeStrong => "audit.key_must_be_strong",
            Self::KeyMustBeOfKind => "audit.key_must_be_of_kind",
            Self::CosignatureTimeMustBeInRange => "audit.cosignature_time_must_be_in_range",
            Self::NoteMustBeWellFormed(_) => "audit.note_must_be_well_formed",
            Self::NoteMustBeSignedByKnownKey => "audit.note_must_be_signed_by_known_key",
            Self::SignatureMustVerify => "audit.signature_must_verify",
            Self::CheckpointMustBeWellFormed(_) => "audit.checkpoint_must_be_well_formed",
            Self::CheckpointMustBeOfThisLog { .. } => "audit.checkpoint_must_be_of_this_log",
            Self::LeafFieldMustBeWithinBounds(_) => "audit.leaf_field_must_be_within_bounds",
            Self::EntryMustBeWellFormed => "audit.entry_must_be_well_formed",
            Self::ProofFileMustBeWellFormed(_) => "audit.proof_file_must_be_well_formed",
            Self::ReceiptMustBeWellFormed(_) => "audit.receipt_must_be_well_formed",
            Self::RecordMustBeUnderRoot => "audit.record_must_be_under_root",
        }
    }
}
