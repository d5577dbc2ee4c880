//! Key-encryption keys: 256 bits that wrap the data key of each record, kept in this process or in a PKCS#11 token.

use crate::aead::{KEY_BYTES, Key};
use crate::{KeepingError, Secret, VaultError};
use aws_lc_rs::hmac;
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The name of a key-encryption key: 1 to 64 of a-z, 0-9 and `-`. It is no secret and stands in every record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KekId(String);

impl KekId {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        ((1..=64).contains(&text.len()) && text.bytes().all(good)).then(|| Self(text.to_owned()))
    }

    /// The name of a key whose bytes are known: 64 bits of an HMAC under the key. One key has one name wherever it was
    /// read from, and the name says nothing about the key.
    fn of_bytes(bytes: &[u8; KEY_BYTES]) -> Self {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, bytes), b"strongroom-vault/1 kek id");
        let start = tag.as_ref().iter().take(8);
        Self(format!("kek-{}", start.map(|byte| format!("{byte:02x}")).collect::<String>()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KekId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A key-encryption key. Clones share the one key.
#[derive(Clone)]
pub struct Kek {
    id: KekId,
    keeper: Arc<Keeper>,
}

/// Where the key is.
enum Keeper {
    Process(Key),
    #[cfg(feature = "pkcs11")]
    Token(crate::pkcs11::TokenKek),
}

impl Kek {
    /// A key of 32 bytes that are known to this process.
    ///
    /// # Errors
    /// [`KeepingError::KekMustBe32Bytes`].
    pub fn from_secret(secret: &Secret) -> Result<Self, KeepingError> {
        let bytes: &[u8; KEY_BYTES] =
            secret.expose().try_into().map_err(|_| KeepingError::KekMustBe32Bytes)?;
        let key = Key::try_new(bytes).map_err(|_| KeepingError::KekMustBe32Bytes)?;
        Ok(Self { id: KekId::of_bytes(bytes), keeper: Arc::new(Keeper::Process(key)) })
    }

    #[cfg(feature = "pkcs11")]
    pub(crate) fn in_token(id: KekId, key: crate::pkcs11::TokenKek) -> Self {
        Self { id, keeper: Arc::new(Keeper::Token(key)) }
    }

    /// Its name.
    pub fn id(&self) -> &KekId {
        &self.id
    }

    pub(crate) fn wrap(&self, associated: &[u8], data_key: &[u8; KEY_BYTES]) -> Result<Vec<u8>, VaultError> {
        match self.keeper.as_ref() {
            Keeper::Process(key) => key.seal(associated, data_key),
            #[cfg(feature = "pkcs11")]
            Keeper::Token(key) => key.seal(associated, data_key),
        }
    }

    pub(crate) fn unwrap(
        &self,
        associated: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<[u8; KEY_BYTES]>, VaultError> {
        let opened = match self.keeper.as_ref() {
            Keeper::Process(key) => key.open(associated, sealed)?,
            #[cfg(feature = "pkcs11")]
            Keeper::Token(key) => key.open(associated, sealed)?,
        };
        let bytes = <[u8; KEY_BYTES]>::try_from(opened.expose());
        bytes.map(Zeroizing::new).map_err(|_| VaultError::RecordMustBeUnaltered)
    }
}

impl fmt::Debug for Kek {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Kek").field(&self.id.0).finish()
    }
}
