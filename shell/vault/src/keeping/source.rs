//! Where a key comes from, as one option: `file:/PATH`, `env:NAME` or `pkcs11:..`.

use super::{KeepingError, LogKey, TokenObject, file, text};
use crate::{Kek, Secret};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// The keeping place of a key-encryption key, or of the key that signs the log. It holds no secret: it may be shown and logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KekSource {
    /// A file of 32 bytes as base64, mode 0600 or 0400, that belongs to this process's user, in a folder that not
    /// everybody may write to.
    File(PathBuf),
    /// An environment variable with 32 bytes as base64, read once. Every process of the same user, and root, reads it
    /// in `/proc/PID/environ` for as long as this process lives, and child processes inherit it: a file is better.
    Environment(String),
    /// A key that does not leave its PKCS#11 token.
    Pkcs11(TokenObject),
}

impl KekSource {
    /// Gets the key.
    ///
    /// # Errors
    /// A [`KeepingError`] that says what to put right; a place that is not safe is refused, not warned of.
    pub fn load(&self) -> Result<Kek, KeepingError> {
        match self {
            Self::File(path) => Kek::from_secret(&text::parse(file::read(path)?.expose())?),
            Self::Environment(name) => Kek::from_secret(&text::parse(variable(name)?.expose())?),
            Self::Pkcs11(object) => load_from_token(object),
        }
    }

    /// Makes a new key in this place: a file that did not exist, or a key in a token that cannot leave it.
    ///
    /// # Errors
    /// A [`KeepingError`]; what exists is never overwritten.
    pub fn create_new(&self) -> Result<Kek, KeepingError> {
        match self {
            Self::File(path) => {
                let (key, text) = text::generate().map_err(|_| KeepingError::RandomFailed)?;
                file::create(path, text.as_bytes())?;
                Kek::from_secret(&key)
            }
            Self::Environment(_) => Err(KeepingError::KekMustBeMadeElsewhere),
            Self::Pkcs11(object) => make_in_token(object),
        }
    }
}

impl KekSource {
    /// Gets the key that signs the log: 32 bytes, the seed of an Ed25519 key (RFC 8032), or an Ed25519 key of a token.
    ///
    /// # Errors
    /// As [`KekSource::load`].
    pub fn load_log_key(&self) -> Result<LogKey, KeepingError> {
        match self {
            Self::File(path) => LogKey::from_seed(&text::parse(file::read(path)?.expose())?),
            Self::Environment(name) => LogKey::from_seed(&text::parse(variable(name)?.expose())?),
            Self::Pkcs11(object) => LogKey::in_token(object),
        }
    }

    /// Makes a new key that signs a log in this place.
    ///
    /// # Errors
    /// As [`KekSource::create_new`]; what exists is never overwritten.
    pub fn create_log_key(&self) -> Result<LogKey, KeepingError> {
        match self {
            Self::File(path) => {
                let (seed, text) = text::generate().map_err(|_| KeepingError::RandomFailed)?;
                file::create(path, text.as_bytes())?;
                LogKey::from_seed(&seed)
            }
            Self::Environment(_) => Err(KeepingError::KekMustBeMadeElsewhere),
            Self::Pkcs11(object) => LogKey::make_in_token(object),
        }
    }
}

impl FromStr for KekSource {
    type Err = KeepingError;

    fn from_str(option: &str) -> Result<Self, KeepingError> {
        let malformed = KeepingError::SourceMustBeWellFormed;
        match option.split_once(':') {
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            Some(("file", _)) => Err(malformed("the path is empty")),
            Some(("env", name)) if is_variable(name) => Ok(Self::Environment(name.to_owned())),
            Some(("env", _)) => Err(malformed("the name of the variable is A-Z, a-z, 0-9 and _")),
            Some(("pkcs11", _)) => option.parse().map(Self::Pkcs11),
            _ => Err(malformed("no such place")),
        }
    }
}

impl fmt::Display for KekSource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(out, "file:{}", path.display()),
            Self::Environment(name) => write!(out, "env:{name}"),
            Self::Pkcs11(object) => object.fmt(out),
        }
    }
}

pub(super) fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

pub(super) fn variable(name: &str) -> Result<Secret, KeepingError> {
    std::env::var(name).map(Secret::from_text).map_err(|_| KeepingError::VariableMustBeSet(name.to_owned()))
}

#[cfg(feature = "pkcs11")]
fn load_from_token(object: &TokenObject) -> Result<Kek, KeepingError> {
    crate::pkcs11::load_kek(object)
}

#[cfg(feature = "pkcs11")]
fn make_in_token(object: &TokenObject) -> Result<Kek, KeepingError> {
    crate::pkcs11::create_kek(object)
}

#[cfg(not(feature = "pkcs11"))]
fn load_from_token(_: &TokenObject) -> Result<Kek, KeepingError> {
    Err(KeepingError::Pkcs11MustBeBuiltIn)
}

#[cfg(not(feature = "pkcs11"))]
fn make_in_token(_: &TokenObject) -> Result<Kek, KeepingError> {
    Err(KeepingError::Pkcs11MustBeBuiltIn)
}
