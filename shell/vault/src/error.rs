//! Why the vault did not do what was asked. No text here contains a byte of a secret.

use crate::{KeepingError, KekId};
use thiserror::Error;

/// A rule that a call broke, or a part that failed. [`VaultError::code`] never changes meaning.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VaultError {
    /// A part of an identity is empty, too long, or has characters that are no visible ASCII.
    #[error("the purpose and the id of a record have 1 to 128 visible ASCII characters")]
    IdentityMustBeVisibleText,
    /// A secret that is too long.
    #[error("a secret has at most {} bytes", crate::SECRET_BYTES_MAX)]
    SecretMustBeShorter,
    /// A text that is no sealed record.
    #[error("this is not the text of a sealed record")]
    SealedMustBeWellFormed,
    /// A record that was changed, or that is another record's.
    #[error("the sealed record was altered, or is not the record of this identity")]
    RecordMustBeUnaltered,
    /// The record's key-encryption key is not one of the vault's.
    #[error("the record is sealed under key-encryption key {0}, which this vault was not given")]
    KekMustBeKnown(KekId),
    /// Two keys with one id.
    #[error("key-encryption key {0} was given twice")]
    KekMustBeGivenOnce(KekId),
    /// The key that seals cannot be dropped.
    #[error("key-encryption key {0} is the current one; rotate to another before it is dropped")]
    KekMustBeFormer(KekId),
    /// The token that keeps a key-encryption key did not answer.
    #[error("the key-encryption key cannot be used now: {0}")]
    KekFailed(#[from] KeepingError),
    /// The operating system gave no randomness.
    #[error("the operating system gives no random bytes")]
    RandomFailed,
}

impl VaultError {
    /// The stable name of the rule.
    pub fn code(&self) -> &'static str {
        match self {
            Self::IdentityMustBeVisibleText => "vault.identity_must_be_visible_text",
            Self::SecretMustBeShorter => "vault.secret_must_be_shorter",
            Self::SealedMustBeWellFormed => "vault.sealed_must_be_well_formed",
            Self::RecordMustBeUnaltered => "vault.record_must_be_unaltered",
            Self::KekMustBeKnown(_) => "vault.kek_must_be_known",
            Self::KekMustBeGivenOnce(_) => "vault.kek_must_be_given_once",
            Self::KekMustBeFormer(_) => "vault.kek_must_be_former",
            Self::KekFailed(_) => "vault.kek_failed",
            Self::RandomFailed => "vault.random_failed",
        }
    }
}
