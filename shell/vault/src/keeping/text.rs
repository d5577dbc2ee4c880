//! The one text form of a key: 32 bytes as base64 with padding, 44 characters, as `openssl rand -base64
//! 32` writes them. White space at the end is let pass.

use super::KeepingError;
use crate::aead::KEY_BYTES;
use crate::{Secret, VaultError};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

/// The key that a text says.
pub(super) fn parse(text: &[u8]) -> Result<Secret, KeepingError> {
    // One byte of room more than the key: base64 tells how long its output is only to a multiple of three.
    let mut bytes = Zeroizing::new(vec![0; KEY_BYTES + 1]);
    let written = BASE64_STANDARD.decode_slice(text.trim_ascii_end(), &mut bytes);
    if written.ok() != Some(KEY_BYTES) {
        return Err(KeepingError::KekMustBe32Bytes);
    }
    bytes.truncate(KEY_BYTES);
    Ok(Secret::new(std::mem::take(&mut *bytes)))
}

/// A new key, and its text with a line end.
pub(super) fn generate() -> Result<(Secret, Zeroizing<String>), VaultError> {
    let key = Secret::random(KEY_BYTES)?;
    let mut text = Zeroizing::new(String::with_capacity(64));
    BASE64_STANDARD.encode_string(key.expose(), &mut text);
    text.push('\n');
    Ok((key, text))
}
