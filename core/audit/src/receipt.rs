//! Receipts: an event, and the proof that it is in the log, as one JSON text (`spec/receipts.md`). Who has the log's
//! verifier key checks it offline.

use crate::checkpoint::Checkpoint;
use crate::error::AuditError;
use crate::hash::{Hash, decode_base64, encode_base64};
use crate::leaf::{Content, Entry, SALT_BYTES, Written};
use crate::note::{SignedNote, VerifierKey};
use crate::proof::verify_inclusion;
use crate::proof_file::{PROOF_HASHES_MAX, ProofFile};
use serde::{Deserialize, Deserializer, Serialize};

/// Bytes of a receipt, at most.
pub const RECEIPT_BYTES_MAX: usize = 16 << 20;

const FORMAT: &str = "strongroom-receipt/v1";
/// The largest integer that every reader of JSON reads exactly (RFC 8259 section 6).
const INTEGER_MAX: u64 = (1 << 53) - 1;

/// What of the event can be erased, as a receipt shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenedContent {
    /// When it happened, in business time, as stored.
    pub at: String,
    /// Who caused it, as stored.
    pub actor: String,
    /// The event, byte for byte as stored.
    pub body: String,
    /// The salt of the commitment.
    pub salt: Salt,
}

/// The salt of a commitment. Its text is base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Salt(pub [u8; SALT_BYTES]);

impl TryFrom<String> for Salt {
    type Error = AuditError;

    fn try_from(text: String) -> Result<Self, AuditError> {
        let bytes = decode_base64(&text, SALT_BYTES).and_then(|bytes| bytes.try_into().ok());
        let bytes = bytes.ok_or_else(|| malformed("a salt must be 16 bytes in base64 with padding"))?;
        Ok(Self(bytes))
    }
}

impl From<Salt> for String {
    fn from(salt: Salt) -> Self {
        encode_base64(&salt.0)
    }
}

/// What stands behind the commitment of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disclosure {
    /// The content itself: the receipt proves what the event says.
    Opened(OpenedContent),
    /// The hash alone: the receipt proves that there was an event of this kind.
    Withheld(Hash),
}

/// That an event is in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Fields", into = "Fields")]
pub struct Receipt {
    /// The stream of the event.
    pub stream: String,
    /// Its number in the stream; below 2^53.
    pub seq: u64,
    /// When it was written, as stored.
    pub recorded_at: String,
    /// What kind of event it is.
    pub kind: String,
    /// When its leaf was made.
    pub written: Written,
    /// Its content, or the hash of it.
    pub disclosure: Disclosure,
    /// The place of its leaf in the log, from 0; below 2^53.
    pub leaf_index: u64,
    /// The hashes beside the path, from the leaf up.
    pub inclusion_proof: Vec<Hash>,
    /// The checkpoint, with the log's signature and those of witnesses.
    pub checkpoint: SignedNote,
}

/// The members of the JSON object, in their order.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    format: String,
    stream: String,
    seq: u64,
    recorded_at: String,
    kind: String,
    written: Written,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    content: Option<OpenedContent>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    commitment: Option<Hash>,
    leaf_index: u64,
    inclusion_proof: Vec<Hash>,
    checkpoint: String,
}

impl Receipt {
    /// The entry of the log that the receipt is about.
    #[must_use]
    pub fn entry(&self) -> Entry<'_> {
        let commitment = match &self.disclosure {
            Disclosure::Withheld(commitment) => *commitment,
            Disclosure::Opened(OpenedContent { at, actor, body, salt }) => {
                Content { at, actor, body, salt: &salt.0 }.commitment()
            }
        };
        Entry {
            written: self.written,
            stream: &self.stream,
            seq: self.seq,
            recorded_at: &self.recorded_at,
            kind: &self.kind,
            commitment,
        }
    }

    /// Verifies that the event, as the receipt shows it, is in the log of a key. Gives the checkpoint, whose note may
    /// carry witnesses' signatures to verify: [`SignedNote::verify`].
    ///
    /// # Errors
    /// [`AuditError::LeafFieldMustBeWithinBounds`]; what [`Checkpoint::open`] and [`verify_inclusion`] give.
    pub fn verify(&self, key: &VerifierKey) -> Result<Checkpoint, AuditError> {
        let leaf = self.entry().leaf_hash()?;
        let checkpoint = Checkpoint::open(&self.checkpoint, key)?;
        verify_inclusion(leaf, self.leaf_index, checkpoint.size(), &self.inclusion_proof, checkpoint.root())?;
        Ok(checkpoint)
    }

    /// The same proof as a file for tools of C2SP tlog-proof, which carries the entry along. What stands behind the
    /// commitment is not in it.
    ///
    /// # Errors
    /// [`AuditError::LeafFieldMustBeWithinBounds`].
    pub fn to_proof_file(&self) -> Result<ProofFile, AuditError> {
        Ok(ProofFile {
            extra: Some(self.entry().to_bytes()?),
            index: self.leaf_index,
            proof: self.inclusion_proof.clone(),
            checkpoint: self.checkpoint.clone(),
        })
    }

    /// The receipt as JSON, with its members in the order of the specification and without spaces between them.
    ///
    /// # Errors
    /// [`AuditError::ReceiptMustBeWellFormed`] for a receipt that [`Self::from_json`] would refuse.
    pub fn to_json(&self) -> Result<String, AuditError> {
        Self::try_from(Fields::from(self.clone()))?;
        let text = serde_json::to_string(self).map_err(|error| malformed(&error.to_string()))?;
        if text.len() > RECEIPT_BYTES_MAX { Err(malformed("it must have at most 16 MiB")) } else { Ok(text) }
    }

    /// Reads a receipt. Nothing is verified: see [`Self::verify`].
    ///
    /// # Errors
    /// [`AuditError::ReceiptMustBeWellFormed`]: not JSON, a member too many, too few or twice, or one out of its bounds.
    pub fn from_json(text: &str) -> Result<Self, AuditError> {
        if text.len() > RECEIPT_BYTES_MAX {
            return Err(malformed("it must have at most 16 MiB"));
        }
        serde_json::from_str(text).map_err(|error| malformed(&error.to_string()))
    }
}

impl TryFrom<Fields> for Receipt {
    type Error = AuditError;

    fn try_from(fields: Fields) -> Result<Self, AuditError> {
        if fields.format != FORMAT {
            return Err(malformed("its format must be strongroom-receipt/v1"));
        }
        if fields.seq > INTEGER_MAX || fields.leaf_index > INTEGER_MAX {
            return Err(malformed("its numbers must be below 2^53"));
        }
        if fields.inclusion_proof.len() > PROOF_HASHES_MAX {
            return Err(malformed("its proof must have at most 63 hashes"));
        }
        let disclosure = match (fields.content, fields.commitment) {
            (Some(content), None) => Disclosure::Opened(content),
            (None, Some(commitment)) => Disclosure::Withheld(commitment),
            _ => return Err(malformed("it must have either content or commitment")),
        };
        let receipt = Self {
            stream: fields.stream,
            seq: fields.seq,
            recorded_at: fields.recorded_at,
            kind: fields.kind,
            written: fields.written,
            disclosure,
            leaf_index: fields.leaf_index,
            inclusion_proof: fields.inclusion_proof,
            checkpoint: SignedNote::parse(&fields.checkpoint)?,
        };
        receipt.entry().to_bytes()?;
        Ok(receipt)
    }
}

impl From<Receipt> for Fields {
    fn from(receipt: Receipt) -> Self {
        let (content, commitment) = match receipt.disclosure {
            Disclosure::Opened(content) => (Some(content), None),
            Disclosure::Withheld(commitment) => (None, Some(commitment)),
        };
        Self {
            format: FORMAT.to_owned(),
            stream: receipt.stream,
            seq: receipt.seq,
            recorded_at: receipt.recorded_at,
            kind: receipt.kind,
            written: receipt.written,
            content,
            commitment,
            leaf_index: receipt.leaf_index,
            inclusion_proof: receipt.inclusion_proof,
            checkpoint: receipt.checkpoint.to_string(),
        }
    }
}

/// A member that is there has a value: `null` is none.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

fn malformed(why: &str) -> AuditError {
    AuditError::ReceiptMustBeWellFormed(why.to_owned())
}
