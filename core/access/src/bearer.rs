//! Bearer keys: a secret that is shown with every request, for reading only, in a form that a scanner can find and
//! confirm without asking anybody.
//!
//! ```text
//! sr_live_k0123456789ab.1_ + 43 characters of base 62 (256 random bits) + 6 of base 62 (CRC-32 of all before)
//! ```
//!
//! Stored is HMAC-SHA256 under a pepper. The secret is 256 random bits, so nothing is gained by a slow hash. The MAC is
//! over all before the checksum, not the secret alone: otherwise whoever holds a `dev` key could write `live` in it.
//!
//! The checksum proves nothing; it tells a key from text that looks like one, which it does but for one in 2^32.
//! Format, regular expression and gitleaks rule are written down in `spec/secret-scanning.md`.

mod base62;
mod scan;

pub use scan::{Finding, scan};

use crate::mac::hmac_sha256;
use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A regular expression for keys: RE2, PCRE and Rust syntax alike. What it finds is to be confirmed by the checksum.
pub const PATTERN: &str = r"sr_(?:dev|test|live)_[0-9A-Za-z.-]{1,40}_[0-9A-Za-z]{49}";

const PREFIX: &str = "sr_";
const ENVIRONMENTS: [&str; 3] = ["dev", "test", "live"];
const ID_CHARACTERS_MAX: usize = 40;
const SECRET_CHARACTERS: usize = 43;
const CHECKSUM_CHARACTERS: usize = 6;

/// Text that is no bearer key. It says nothing of the text, which may be nearly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BearerError {
    /// Another form.
    #[error("this is not a bearer key; one looks like sr_live_ID_SECRET")]
    MustHaveTheForm,
    /// The form, but mistyped or made up.
    #[error("the bearer key is mistyped or cut: its checksum does not match")]
    ChecksumMustMatch,
    /// A key cannot be made of this.
    #[error("a bearer key is for dev, test or live, and its id has 1 to 40 letters, digits, `.` and `-`")]
    MustBeNameable,
}

impl BearerError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MustHaveTheForm => "bearer.must_have_the_form",
            Self::ChecksumMustMatch => "bearer.checksum_must_match",
            Self::MustBeNameable => "bearer.must_be_nameable",
        }
    }
}

/// A bearer key. It is shown to its holder once and never printed.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct BearerKey {
    text: String,
    #[zeroize(skip)]
    environment: &'static str,
    #[zeroize(skip)]
    id: (usize, usize),
}

impl BearerKey {
    /// From 32 random bytes, for one of the environments `dev`, `test` and `live` and a key's name.
    ///
    /// # Errors
    /// `bearer.must_be_nameable`.
    pub fn make(environment: &str, id: &str, random: &Zeroizing<[u8; 32]>) -> Result<Self, BearerError> {
        // Of the final length, so that no half of it is left behind where the text grew.
        let length =
            PREFIX.len() + environment.len() + id.len() + 2 + SECRET_CHARACTERS + CHECKSUM_CHARACTERS;
        let mut text = Zeroizing::new(String::with_capacity(length));
        for part in [PREFIX, environment, "_", id, "_"] {
            text.push_str(part);
        }
        base62::write_bytes(random, &mut text);
        let checksum = crc32fast::hash(text.as_bytes());
        base62::write_number(checksum, &mut text);
        Self::parse(&text).map_err(|_| BearerError::MustBeNameable)
    }

    /// Reads a key and compares its checksum. That it is one of ours, only its hash can say.
    ///
    /// # Errors
    /// `bearer.must_have_the_form`, `bearer.checksum_must_match`.
    pub fn parse(text: &str) -> Result<Self, BearerError> {
        let (environment, id) = form(text).ok_or(BearerError::MustHaveTheForm)?;
        let (body, checksum) = text.split_at(text.len() - CHECKSUM_CHARACTERS);
        if base62::read_number(checksum) != Some(crc32fast::hash(body.as_bytes())) {
            return Err(BearerError::ChecksumMustMatch);
        }
        Ok(Self { text: text.to_owned(), environment, id })
    }

    /// The text, to be shown or sent.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// `dev`, `test` or `live`.
    pub fn environment(&self) -> &'static str {
        self.environment
    }

    /// The key's name, by which it is looked up.
    pub fn id(&self) -> &str {
        self.text.get(self.id.0..self.id.1).unwrap_or_default()
    }

    /// What is stored of it.
    pub fn hash(&self, pepper: &Pepper) -> BearerHash {
        let (body, _) = self.text.split_at(self.text.len() - CHECKSUM_CHARACTERS);
        BearerHash(hmac_sha256(&pepper.0, "strongroom bearer key", &[body.as_bytes()]))
    }
}

/// The secret under which bearer keys are hashed, kept by the vault and not beside the hashes.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Pepper([u8; 32]);

impl Pepper {
    /// From 32 random bytes.
    pub fn new(random: [u8; 32]) -> Self {
        Self(random)
    }
}

/// The keyed hash of a bearer key. It is no secret; it is compared in constant time nevertheless.
#[derive(Debug, Clone, Copy)]
pub struct BearerHash([u8; 32]);

impl BearerHash {
    /// Lower-case hexadecimal, as it is stored.
    pub fn to_hex(&self) -> String {
        self.0
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .filter_map(|digit| char::from_digit(digit.into(), 16))
            .collect()
    }

    /// From the stored form; none of any other text.
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        let mut bytes = [0; 32];
        if digits.len() != 64 || digits.iter().any(u8::is_ascii_uppercase) {
            return None;
        }
        for (place, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = core::str::from_utf8(pair).ok().filter(|pair| !pair.starts_with('+'))?;
            *place = u8::from_str_radix(pair, 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// Whether both are of the same key; takes the same time whatever they are.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// The environment of text in a key's form, and where in it the id is.
fn form(text: &str) -> Option<(&'static str, (usize, usize))> {
    let after_prefix = text.strip_prefix(PREFIX)?;
    let environment = ENVIRONMENTS
        .into_iter()
        .find(|name| after_prefix.strip_prefix(name).is_some_and(|rest| rest.starts_with('_')))?;
    let id_at = PREFIX.len() + environment.len() + 1;
    let (id, secret) = text.get(id_at..)?.split_once('_')?;
    let id_is_plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    let fits = (1..=ID_CHARACTERS_MAX).contains(&id.len())
        && id_is_plain
        && secret.len() == SECRET_CHARACTERS + CHECKSUM_CHARACTERS
        && secret.bytes().all(|byte| byte.is_ascii_alphanumeric());
    fits.then_some((environment, (id_at, id_at + id.len())))
}

#[cfg(test)]
mod tests;
