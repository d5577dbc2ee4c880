//! The key that signs the checkpoints of a log: Ed25519 (RFC 8032), in this process or in a PKCS#11 token.

use super::{KeepingError, TokenObject};
use crate::Secret;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use std::fmt;

/// Signs checkpoints. What it signs is public; the key itself is never shown.
pub struct LogKey {
    public: [u8; 32],
    keeper: Keeper,
}

/// Where the key is.
enum Keeper {
    Process(Ed25519KeyPair),
    #[cfg(feature = "pkcs11")]
    Token(crate::Pkcs11Signer),
}

impl LogKey {
    /// The key of a seed of 32 bytes.
    ///
    /// # Errors
    /// [`KeepingError::KekMustBe32Bytes`].
    pub fn from_seed(seed: &Secret) -> Result<Self, KeepingError> {
        let malformed = |_| KeepingError::KekMustBe32Bytes;
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose()).map_err(malformed)?;
        let public = pair.public_key().as_ref().try_into().map_err(|_| KeepingError::KekMustBe32Bytes)?;
        Ok(Self { public, keeper: Keeper::Process(pair) })
    }

    /// The 32 bytes of the public half (RFC 8032 section 5.1.5).
    pub fn public(&self) -> [u8; 32] {
        self.public
    }

    /// The signature over a message, `R | S` of RFC 8032.
    ///
    /// # Errors
    /// [`KeepingError::TokenFailed`] where a token does not answer with a signature.
    pub fn sign(&self, message: &[u8]) -> Result<[u8; 64], KeepingError> {
        match &self.keeper {
            Keeper::Process(pair) => {
                let signature = pair.sign(message);
                signature.as_ref().try_into().map_err(|_| KeepingError::KekMustBe32Bytes)
            }
            #[cfg(feature = "pkcs11")]
            Keeper::Token(signer) => signer.sign(message),
        }
    }
}

#[cfg(feature = "pkcs11")]
impl LogKey {
    pub(super) fn in_token(object: &TokenObject) -> Result<Self, KeepingError> {
        Self::of_signer(crate::Pkcs11Signer::open(object)?, object)
    }

    pub(super) fn make_in_token(object: &TokenObject) -> Result<Self, KeepingError> {
        let algorithm = crate::SigningAlgorithm::Ed25519;
        Self::of_signer(crate::Pkcs11Signer::create_new(object, algorithm)?, object)
    }

    fn of_signer(signer: crate::Pkcs11Signer, object: &TokenObject) -> Result<Self, KeepingError> {
        let is_ed25519 = signer.algorithm() == crate::SigningAlgorithm::Ed25519;
        let public = <[u8; 32]>::try_from(signer.public_key()).ok().filter(|_| is_ed25519);
        let unfit = || KeepingError::ObjectMustFit {
            label: object.label().to_owned(),
            reason: "a log is signed with Ed25519",
        };
        Ok(Self { public: public.ok_or_else(unfit)?, keeper: Keeper::Token(signer) })
    }
}

#[cfg(not(feature = "pkcs11"))]
impl LogKey {
    pub(super) fn in_token(_: &TokenObject) -> Result<Self, KeepingError> {
        Err(KeepingError::Pkcs11MustBeBuiltIn)
    }

    pub(super) fn make_in_token(_: &TokenObject) -> Result<Self, KeepingError> {
        Err(KeepingError::Pkcs11MustBeBuiltIn)
    }
}

impl fmt::Debug for LogKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("LogKey").finish_non_exhaustive()
    }
}
