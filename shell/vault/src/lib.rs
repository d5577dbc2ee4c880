//! Secrets that must be recoverable, under envelope encryption: AES-256-GCM, one data key a record, wrapped by a
//! key-encryption key that lives elsewhere. And secrets on their way to one receiver: [`sealed_box`].
//!
//! This crate knows nothing of what a secret is for; it is told a purpose and an id, and holds a record to them.

mod aead;
mod error;
mod identity;
mod keeping;
mod kek;
#[cfg(feature = "pkcs11")]
mod pkcs11;
mod random;
mod sealed;
pub mod sealed_box;
mod secret;
mod vault;

pub use error::VaultError;
pub use identity::Identity;
pub use keeping::{KeepingError, KekSource, LogKey, PinSource, TokenObject};
pub use kek::{Kek, KekId};
#[cfg(feature = "pkcs11")]
pub use pkcs11::{Pkcs11Signer, SigningAlgorithm};
pub use sealed::Sealed;
pub use secret::Secret;
pub use vault::Vault;

/// Bytes of a secret, at most.
pub const SECRET_BYTES_MAX: usize = 64 * 1024;
