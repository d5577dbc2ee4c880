//! A secret on its way to one receiver: HPKE (RFC 9180) in base mode to the receiver's X25519 key, so that whoever
//! carries the answer, logs it or replays it reads nothing.
//!
//! ```text
//! suite    DHKEM(X25519, HKDF-SHA256) 0x0020, HKDF-SHA256 0x0001, ChaCha20Poly1305 0x0003; no associated data
//! box      sb1.ENC.CIPHERTEXT        both base64url without padding, ENC of 32 bytes
//! key      x25519:..                 the public key, 32 bytes as base64url without padding
//! secret   x25519-secret:..          the private key, likewise
//! ```
//!
//! `info` says what the box is for and must be the same on both sides; a box for one purpose opens for no other. Base
//! mode does not say who sealed: the signature of the answer that carries the box does.

use crate::{SECRET_BYTES_MAX, Secret, VaultError, random};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::{Kem, X25519HkdfSha256};
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{Deserializable, OpModeR, OpModeS, Serializable, single_shot_open, single_shot_seal_with_rng};
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;
use zeroize::Zeroizing;

const BOX: &str = "sb1.";
const PUBLIC: &str = "x25519:";
const PRIVATE: &str = "x25519-secret:";
const KEY_BYTES: usize = 32;
const TAG_BYTES: usize = 16;

/// Characters of the longest box: more is refused unread.
const BOX_BYTES_MAX: usize = 64 + (SECRET_BYTES_MAX + TAG_BYTES) * 4 / 3;

type PublicKey = <X25519HkdfSha256 as Kem>::PublicKey;
type PrivateKey = <X25519HkdfSha256 as Kem>::PrivateKey;
type Encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey;

/// Why a box was not sealed or opened. No text here contains a byte of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SealedBoxError {
    /// No public key.
    #[error("a receiver's key is x25519: and 32 bytes as base64url without padding")]
    KeyMustBeWellFormed,
    /// No private key.
    #[error("a receiver's private key is x25519-secret: and 32 bytes as base64url without padding")]
    PrivateKeyMustBeWellFormed,
    /// A public key of low order, to which anybody could open (RFC 9180 section 7.1.4).
    #[error("nobody has the private key of this X25519 key; make a key pair")]
    KeyMustBeOfHighOrder,
    /// A secret that is too long.
    #[error("a secret has at most {SECRET_BYTES_MAX} bytes")]
    SecretMustBeShorter,
    /// No box.
    #[error("this is not the text of a sealed box")]
    BoxMustBeWellFormed,
    /// Changed on its way, for another receiver, or for another purpose.
    #[error("the sealed box was altered, or is for another key or purpose")]
    BoxMustBeUnaltered,
    /// The operating system gave no randomness.
    #[error("the operating system gives no random bytes")]
    RandomFailed,
}

impl SealedBoxError {
    /// The stable name of the rule.
    pub fn code(self) -> &'static str {
        match self {
            Self::KeyMustBeWellFormed => "sealed_box.key_must_be_well_formed",
            Self::PrivateKeyMustBeWellFormed => "sealed_box.private_key_must_be_well_formed",
            Self::KeyMustBeOfHighOrder => "sealed_box.key_must_be_of_high_order",
            Self::SecretMustBeShorter => "sealed_box.secret_must_be_shorter",
            Self::BoxMustBeWellFormed => "sealed_box.box_must_be_well_formed",
            Self::BoxMustBeUnaltered => "sealed_box.box_must_be_unaltered",
            Self::RandomFailed => "sealed_box.random_failed",
        }
    }
}

impl From<VaultError> for SealedBoxError {
    /// Of what this module asks of the vault, only randomness can fail.
    fn from(_: VaultError) -> Self {
        Self::RandomFailed
    }
}

/// The public key that secrets are sealed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiverKey([u8; KEY_BYTES]);

impl ReceiverKey {
    /// The key of RFC 7748's 32 bytes.
    pub fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }

    /// Its 32 bytes.
    pub fn as_bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}

impl FromStr for ReceiverKey {
    type Err = SealedBoxError;

    fn from_str(text: &str) -> Result<Self, SealedBoxError> {
        let bytes = text.strip_prefix(PUBLIC).and_then(key_bytes);
        bytes.map(|bytes| Self(*bytes)).ok_or(SealedBoxError::KeyMustBeWellFormed)
    }
}

impl fmt::Display for ReceiverKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{PUBLIC}{}", BASE64_URL_SAFE_NO_PAD.encode(self.0))
    }
}

/// The private key that opens them. It is kept by the receiver and shown by [`ReceiverSecret::to_text`] alone.
pub struct ReceiverSecret {
    private: PrivateKey,
    public: ReceiverKey,
}

impl ReceiverSecret {
    /// A new key pair.
    ///
    /// # Errors
    /// [`SealedBoxError::RandomFailed`].
    pub fn generate() -> Result<Self, SealedBoxError> {
        Self::from_bytes(&Zeroizing::new(random::array()?))
    }

    /// The private key that a text says.
    ///
    /// # Errors
    /// [`SealedBoxError::PrivateKeyMustBeWellFormed`].
    pub fn from_text(text: &str) -> Result<Self, SealedBoxError> {
        let bytes = text.strip_prefix(PRIVATE).and_then(key_bytes);
        let bytes = bytes.ok_or(SealedBoxError::PrivateKeyMustBeWellFormed)?;
        Self::from_bytes(&bytes)
    }

    /// The private key as text, for the receiver's own file.
    pub fn to_text(&self) -> Secret {
        let bytes = Zeroizing::new(<[u8; KEY_BYTES]>::from(self.private.to_bytes()));
        // Of its final size at once, so that growth leaves no copy behind.
        let mut text = String::with_capacity(PRIVATE.len() + KEY_BYTES * 2);
        text.push_str(PRIVATE);
        BASE64_URL_SAFE_NO_PAD.encode_string(*bytes, &mut text);
        Secret::from_text(text)
    }

    /// The public half.
    pub fn public(&self) -> ReceiverKey {
        self.public
    }

    fn from_bytes(bytes: &[u8; KEY_BYTES]) -> Result<Self, SealedBoxError> {
        let malformed = |_| SealedBoxError::PrivateKeyMustBeWellFormed;
        let private = PrivateKey::from_bytes(bytes).map_err(malformed)?;
        let public = ReceiverKey(X25519HkdfSha256::sk_to_pk(&private).to_bytes().into());
        Ok(Self { private, public })
    }
}

/// Seals a secret of at most [`SECRET_BYTES_MAX`] bytes to a receiver, for one purpose.
///
/// # Errors
/// [`SealedBoxError::KeyMustBeOfHighOrder`], [`SealedBoxError::SecretMustBeShorter`],
/// [`SealedBoxError::RandomFailed`].
pub fn seal_to(receiver: &ReceiverKey, info: &[u8], secret: &Secret) -> Result<String, SealedBoxError> {
    if secret.len() > SECRET_BYTES_MAX {
        return Err(SealedBoxError::SecretMustBeShorter);
    }
    let weak = |_| SealedBoxError::KeyMustBeOfHighOrder;
    let key = PublicKey::from_bytes(&receiver.0).map_err(weak)?;
    let mut drawn = Drawn::try_new()?;
    let sealed = single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        &key,
        info,
        secret.expose(),
        &[],
        &mut drawn,
    );
    let (encapsulated, text) = sealed.map_err(weak)?;
    if drawn.ran_out {
        return Err(SealedBoxError::RandomFailed);
    }
    let encapsulated = BASE64_URL_SAFE_NO_PAD.encode(encapsulated.to_bytes());
    Ok(format!("{BOX}{encapsulated}.{}", BASE64_URL_SAFE_NO_PAD.encode(text)))
}

/// Opens a box.
///
/// # Errors
/// [`SealedBoxError::BoxMustBeWellFormed`] if it is none, [`SealedBoxError::BoxMustBeUnaltered`] if it was changed or
/// is for another key or purpose.
pub fn open(receiver: &ReceiverSecret, info: &[u8], text: &str) -> Result<Secret, SealedBoxError> {
    let (encapsulated, text) = parse(text).ok_or(SealedBoxError::BoxMustBeWellFormed)?;
    let altered = |_| SealedBoxError::BoxMustBeUnaltered;
    let encapsulated = Encapsulated::from_bytes(&encapsulated).map_err(altered)?;
    let opened = single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeR::Base,
        &receiver.private,
        &encapsulated,
        info,
        &text,
        &[],
    );
    opened.map(Secret::new).map_err(altered)
}

fn parse(text: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    if text.len() > BOX_BYTES_MAX {
        return None;
    }
    let (encapsulated, text) = text.strip_prefix(BOX)?.split_once('.')?;
    let encapsulated = BASE64_URL_SAFE_NO_PAD.decode(encapsulated).ok()?;
    let text = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
    (encapsulated.len() == KEY_BYTES && text.len() >= TAG_BYTES).then_some((encapsulated, text))
}

/// The 32 bytes of a key's base64url.
fn key_bytes(text: &str) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    // One byte of room more than a key: base64 tells how long its output is only to a multiple of three.
    let mut room = Zeroizing::new([0; KEY_BYTES + 1]);
    let written = BASE64_URL_SAFE_NO_PAD.decode_slice(text, room.as_mut_slice()).ok()?;
    let bytes = room.first_chunk::<KEY_BYTES>().filter(|_| written == KEY_BYTES)?;
    Some(Zeroizing::new(*bytes))
}

/// Random bytes that were drawn beforehand, since the library asks for them where it cannot be told that there are
/// none. It needs 32 for the one-time key pair.
struct Drawn {
    bytes: Zeroizing<[u8; 2 * KEY_BYTES]>,
    used: usize,
    ran_out: bool,
}

impl Drawn {
    fn try_new() -> Result<Self, VaultError> {
        Ok(Self { bytes: Zeroizing::new(random::array()?), used: 0, ran_out: false })
    }
}

impl TryRng for Drawn {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes).map(|()| u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes).map(|()| u64::from_le_bytes(bytes))
    }

    /// INVARIANT: no byte is given twice; where too few are left, `ran_out` refuses what was made of them.
    fn try_fill_bytes(&mut self, wanted: &mut [u8]) -> Result<(), Infallible> {
        let end = self.used.saturating_add(wanted.len());
        match self.bytes.get(self.used..end) {
            Some(bytes) => wanted.copy_from_slice(bytes),
            None => self.ran_out = true,
        }
        self.used = end;
        Ok(())
    }
}

impl TryCryptoRng for Drawn {}
