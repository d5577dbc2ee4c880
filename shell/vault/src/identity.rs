//! What a sealed record is and whose: the associated data that ties a ciphertext to its place.

use crate::VaultError;

/// Bytes of a purpose or an id, at most.
const PART_BYTES_MAX: usize = 128;

/// The identity of a record: what it is for (`hmac-credential`) and which one it is (`lineage.version`). A record that
/// was sealed under one identity opens under no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity<'a> {
    purpose: &'a str,
    id: &'a str,
}

impl<'a> Identity<'a> {
    /// # Errors
    /// [`VaultError::IdentityMustBeVisibleText`] unless both have 1 to 128 characters of visible ASCII.
    pub fn try_new(purpose: &'a str, id: &'a str) -> Result<Self, VaultError> {
        let good = |part: &str| {
            (1..=PART_BYTES_MAX).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_graphic())
        };
        if !good(purpose) || !good(id) {
            return Err(VaultError::IdentityMustBeVisibleText);
        }
        Ok(Self { purpose, id })
    }

    /// What the record is for.
    pub fn purpose(&self) -> &'a str {
        self.purpose
    }

    /// Which one it is.
    pub fn id(&self) -> &'a str {
        self.id
    }

    /// The associated data of the record's own ciphertext. It does not name the key-encryption key, so that a new one
    /// needs no new ciphertext.
    pub(crate) fn of_record(&self) -> Vec<u8> {
        framed(&["strongroom-vault/1 record", self.purpose, self.id])
    }

    /// The associated data of the record's wrapped data key.
    pub(crate) fn of_data_key(&self, kek_id: &str) -> Vec<u8> {
        framed(&["strongroom-vault/1 data key", kek_id, self.purpose, self.id])
    }
}

/// Each part behind its length, so that no two lists of parts give the same bytes.
fn framed(parts: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}
