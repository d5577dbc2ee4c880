//! A sealed record as text for a database column: `sv1.KEK.DATAKEY.RECORD`.
//!
//! ```text
//! sv1       the form, which is also in the associated data of both boxes
//! KEK       the id of the key-encryption key: a-z, 0-9 and -
//! DATAKEY   base64url of  nonce (12) | encrypted data key (32) | tag (16)
//! RECORD    base64url of  nonce (12) | encrypted secret | tag (16)
//! ```
//!
//! Nothing of it is secret.

use crate::aead::{KEY_BYTES, OVERHEAD_BYTES};
use crate::{KekId, SECRET_BYTES_MAX, VaultError};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use std::fmt;
use std::str::FromStr;

/// The form that is written.
const FORM: &str = "sv1";

/// Characters of the longest text that can be one: more is refused unread.
const TEXT_BYTES_MAX: usize = 256 + (SECRET_BYTES_MAX + OVERHEAD_BYTES) * 4 / 3;

/// A record under envelope encryption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    pub(crate) kek_id: KekId,
    pub(crate) data_key: Vec<u8>,
    pub(crate) record: Vec<u8>,
}

impl Sealed {
    /// The key-encryption key that its data key is wrapped by.
    pub fn kek_id(&self) -> &KekId {
        &self.kek_id
    }
}

impl fmt::Display for Sealed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let data_key = BASE64_URL_SAFE_NO_PAD.encode(&self.data_key);
        let record = BASE64_URL_SAFE_NO_PAD.encode(&self.record);
        write!(out, "{FORM}.{}.{data_key}.{record}", self.kek_id)
    }
}

impl FromStr for Sealed {
    type Err = VaultError;

    /// # Errors
    /// [`VaultError::SealedMustBeWellFormed`] if it is not exactly what `Display` writes.
    fn from_str(text: &str) -> Result<Self, VaultError> {
        parse(text).ok_or(VaultError::SealedMustBeWellFormed)
    }
}

fn parse(text: &str) -> Option<Sealed> {
    if text.len() > TEXT_BYTES_MAX {
        return None;
    }
    let mut parts = text.split('.');
    let (form, kek_id) = (parts.next()?, KekId::parse(parts.next()?)?);
    let data_key = BASE64_URL_SAFE_NO_PAD.decode(parts.next()?).ok()?;
    let record = BASE64_URL_SAFE_NO_PAD.decode(parts.next()?).ok()?;
    let lengths = data_key.len() == KEY_BYTES + OVERHEAD_BYTES && record.len() >= OVERHEAD_BYTES;
    (form == FORM && lengths && parts.next().is_none()).then_some(Sealed { kek_id, data_key, record })
}
