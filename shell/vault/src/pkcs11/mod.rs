//! Keys in a PKCS#11 token: a key-encryption key that wraps inside the token, and signing keys. None of them leaves it.
//!
//! The process keeps one logged-in session for each key, behind a lock. A session that the token has forgotten (it was
//! restarted, or its network failed for a while) is opened anew once per call.

mod kek;
mod module;
mod session;
mod signer;

pub(crate) use kek::{TokenKek, create_kek, load_kek};
pub use signer::{Pkcs11Signer, SigningAlgorithm};

use crate::{KeepingError, Secret, VaultError};

/// Bytes of a `CKA_ID` that is made here.
const ID_BYTES: usize = 8;

/// A new `CKA_ID`: by it a key is known, also where a label was given twice.
fn new_id() -> Result<Vec<u8>, KeepingError> {
    let id = Secret::random(ID_BYTES).map_err(|_: VaultError| KeepingError::RandomFailed)?;
    Ok(id.expose().to_vec())
}
