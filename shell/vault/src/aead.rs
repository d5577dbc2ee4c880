//! AES-256-GCM (NIST SP 800-38D) by AWS-LC. A box is `nonce (12 bytes) | ciphertext | tag (16 bytes)`.
//!
//! Nonces are 96 random bits.
//! - A data key encrypts one record, once: no second nonce exists that could meet the first.
//! - A key-encryption key wraps one data key a record. SP 800-38D section 8.3 allows 2^32 random nonces under one key,
//!   where the chance that any two are equal is still below 2^-32. A vault that makes ten secrets a second for ten
//!   years stays below it; the rotation of the key starts the count again.

use crate::{Secret, VaultError, random};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

/// Bytes of a key.
pub(crate) const KEY_BYTES: usize = 32;

/// Bytes that a box is longer than what is in it.
pub(crate) const OVERHEAD_BYTES: usize = NONCE_LEN + 16;

/// A key, ready for use. AWS-LC zeroes its schedule when it is dropped.
pub(crate) struct Key(LessSafeKey);

impl Key {
    pub(crate) fn try_new(bytes: &[u8; KEY_BYTES]) -> Result<Self, VaultError> {
        let key = UnboundKey::new(&AES_256_GCM, bytes).map_err(|_| VaultError::RecordMustBeUnaltered)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// A box with what is given in it, under a nonce drawn now.
    pub(crate) fn seal(&self, associated: &[u8], content: &[u8]) -> Result<Vec<u8>, VaultError> {
        self.seal_under(random::array()?, associated, content)
    }

    /// INVARIANT: a nonce is given once under one key. Only [`Key::seal`] and the test against vectors call this.
    fn seal_under(
        &self,
        nonce: [u8; NONCE_LEN],
        associated: &[u8],
        content: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        // The content is copied into a buffer of its final size, so that no copy is left behind by growth, and is
        // overwritten by its ciphertext.
        let mut sealed = Vec::with_capacity(content.len() + OVERHEAD_BYTES);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(content);
        let (_, text) = sealed.split_at_mut(NONCE_LEN);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self
            .0
            .seal_in_place_separate_tag(nonce, Aad::from(associated), text)
            .map_err(|_| VaultError::SecretMustBeShorter)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// What is in a box; refused if a bit of it or of the associated data is another than when it was sealed.
    pub(crate) fn open(&self, associated: &[u8], sealed: &[u8]) -> Result<Secret, VaultError> {
        let refused = VaultError::RecordMustBeUnaltered;
        let Some((nonce, text)) = sealed.split_first_chunk::<NONCE_LEN>() else { return Err(refused) };
        let mut text = Zeroizing::new(text.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.0.open_in_place(nonce, Aad::from(associated), &mut text);
        let length = opened.map_err(|_| refused)?.len();
        text.truncate(length);
        Ok(Secret::new(std::mem::take(&mut *text)))
    }
}

#[cfg(test)]
mod tests;
