//! Bytes that nobody may see: zeroed when dropped, compared in constant time, without `Debug`, `Display`, `Clone` or
//! `Serialize`. Who needs them says [`Secret::expose`], which a reviewer can search for.

use crate::{VaultError, random};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A secret of any length.
///
/// `==` takes the same time wherever two secrets of one length differ; their lengths are no secret.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the bytes over; no other copy is left, unless the vector grew after they were written to it.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A copy of bytes that somebody else keeps and zeroes.
    pub fn copy_of(bytes: &[u8]) -> Self {
        Self::new(bytes.to_vec())
    }

    /// Takes a text over, such as a bearer token.
    pub fn from_text(text: String) -> Self {
        Self::new(text.into_bytes())
    }

    /// So many bytes of the operating system's randomness.
    ///
    /// # Errors
    /// [`VaultError::RandomFailed`] where the system gives none.
    pub fn random(bytes: usize) -> Result<Self, VaultError> {
        let mut drawn = Zeroizing::new(vec![0; bytes]);
        random::fill(&mut drawn)?;
        Ok(Self(drawn))
    }

    /// The bytes, for the one place that needs them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as text; None if they are no UTF-8.
    pub fn expose_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// Bytes in it.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_slice().ct_eq(other.0.as_slice()).into()
    }
}

impl Eq for Secret {}
