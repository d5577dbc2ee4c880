//! The file that holds a client's key: JSON, readable by its owner only.

use crate::client::Identity;
use crate::error::ClientError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use strongroom_signature::{SigningKey, VerifyingKey};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A server's signing key, pinned at enrolment.
#[derive(Clone, Serialize, Deserialize)]
pub struct ServerKey {
    /// Its name.
    pub key: String,
    /// How it signs; `ed25519`.
    pub algorithm: String,
    /// The public half, base64.
    pub public_key: String,
    /// Signature of the key before it, base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vouched: Option<String>,
}

/// A client's key and whom it talks to. It has no `Debug`: it holds a secret.
#[derive(Clone, Serialize, Deserialize)]
pub struct KeyFile {
    /// Where the server is.
    pub server: String,
    /// The key's name: `keyid` of signatures.
    pub key: String,
    /// `ed25519` or `hmac-sha256`.
    pub algorithm: String,
    /// The seed of an Ed25519 key or the HMAC secret, base64.
    pub secret: SecretText,
    /// Server keys that are believed.
    pub server_keys: Vec<ServerKey>,
    /// Until when the key is good, for people.
    #[serde(default)]
    pub expires: Option<String>,
    /// The key that is to follow, from before the server knows it until it was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<StoredKey>,
    /// Keys that were current, newest last: a server that goes back to one finds it here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<StoredKey>,
}

/// A key beside the current one.
#[derive(Clone, Serialize, Deserialize)]
pub struct StoredKey {
    /// Its name, once the server gave it one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// How it signs.
    pub algorithm: String,
    /// Its secret; empty while a server that makes it has not answered.
    pub secret: SecretText,
    /// The name of the request for it, so that the same request gets the same answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// Until when it is good, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
}

/// Held while one process changes a key file.
pub(crate) struct Lock {
    _file: fs::File,
}

/// Text that is wiped when it is dropped.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
pub struct SecretText(String);

impl SecretText {
    /// From text that is secret.
    pub fn new(text: String) -> Self {
        Self(text)
    }
}

impl KeyFile {
    /// Reads a file. One that others may read is refused.
    pub fn read(path: &Path) -> Result<Self, ClientError> {
        let wrong = |reason: String| ClientError::KeyFile { path: path.to_owned(), reason };
        let mut text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        must_be_private(path)?;
        // The text of a parse error may repeat what is in the file.
        let file = serde_json::from_str(&text)
            .map_err(|error| wrong(format!("it is no key file (line {})", error.line())));
        text.zeroize();
        file
    }

    /// Writes a new file that only its owner can read. An existing one stays as it is.
    pub fn write_new(&self, path: &Path) -> Result<(), ClientError> {
        let wrong = |error: &dyn std::fmt::Display| ClientError::KeyFile {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        let mut text = serde_json::to_string_pretty(self).map_err(|error| wrong(&error))?;
        let written = write_private(path, &text);
        text.zeroize();
        written.map_err(|error| wrong(&error))
    }

    /// The key that signs.
    pub fn signing_key(&self) -> Result<SigningKey, ClientError> {
        signing_key(&self.algorithm, &self.secret)
    }

    pub(crate) fn identity(&self) -> Result<Identity, ClientError> {
        Ok(Identity { key: self.signing_key()?, key_id: self.key.clone() })
    }

    /// Replaces the file at once: who reads it finds the old one or the new one, whole, also after a crash.
    pub fn replace(&self, path: &Path) -> Result<(), ClientError> {
        let wrong = |error: &dyn std::fmt::Display| ClientError::KeyFile {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        let mut text = serde_json::to_string_pretty(self).map_err(|error| wrong(&error))?;
        let beside = beside(path, "new");
        // What a crash left there was never the file.
        drop(fs::remove_file(&beside));
        let written = write_private(&beside, &text).and_then(|()| fs::rename(&beside, path));
        text.zeroize();
        written.map_err(|error| wrong(&error))?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or_else(|| Path::new("."));
        fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| wrong(&error))
    }

    /// Makes the next key the current one.
    pub(crate) fn switch(&mut self) {
        let Some(StoredKey { key: Some(key), algorithm, secret, expires, .. }) = self.next.take() else {
            return;
        };
        let old = StoredKey {
            key: Some(std::mem::replace(&mut self.key, key)),
            algorithm: std::mem::replace(&mut self.algorithm, algorithm),
            secret: std::mem::replace(&mut self.secret, secret),
            request: None,
            expires: std::mem::replace(&mut self.expires, expires),
        };
        self.keep(old);
    }

    /// Keeps a key for a server that goes back to it.
    pub(crate) fn keep(&mut self, old: StoredKey) {
        self.former.push(old);
        let too_many = self.former.len().saturating_sub(FORMER_MAX);
        self.former.drain(..too_many);
    }
}

impl StoredKey {
    pub(crate) fn identity(&self) -> Result<Identity, ClientError> {
        let key_id = self.key.clone().ok_or(ClientError::KeySecret)?;
        Ok(Identity { key: self.signing_key()?, key_id })
    }

    pub(crate) fn signing_key(&self) -> Result<SigningKey, ClientError> {
        signing_key(&self.algorithm, &self.secret)
    }
}

fn signing_key(algorithm: &str, secret: &SecretText) -> Result<SigningKey, ClientError> {
    let mut secret = STANDARD.decode(&secret.0).map_err(|_| ClientError::KeySecret)?;
    let key = match algorithm {
        "hmac-sha256" => SigningKey::hmac_sha256(&secret),
        _ => SigningKey::ed25519(&secret),
    };
    secret.zeroize();
    Ok(key?)
}

/// Former keys that are kept.
const FORMER_MAX: usize = 4;

fn beside(path: &Path, what: &str) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{what}"));
    name.into()
}

/// Waits until no other process changes the key file. A crash lets go of it.
pub(crate) fn lock(path: &Path) -> Result<Lock, ClientError> {
    let wrong = |error: std::io::Error| ClientError::KeyFile {
        path: path.to_owned(),
        reason: format!("it cannot be locked: {error}"),
    };
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(beside(path, "lock")).map_err(wrong)?;
    file.lock().map_err(wrong)?;
    Ok(Lock { _file: file })
}

pub(crate) fn pinned(keys: &[ServerKey]) -> Result<Vec<(String, Arc<VerifyingKey>)>, ClientError> {
    let key = |pinned: &ServerKey| {
        let public = STANDARD.decode(&pinned.public_key).unwrap_or_default();
        Ok((pinned.key.clone(), Arc::new(VerifyingKey::ed25519(&public)?)))
    };
    keys.iter().map(key).collect()
}

/// Writes a new file that only its owner can read. An existing one stays as it is.
pub fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

#[cfg(unix)]
fn must_be_private(path: &Path) -> Result<(), ClientError> {
    use std::os::unix::fs::MetadataExt;
    let open = fs::metadata(path).is_ok_and(|found| found.mode() & 0o077 != 0);
    if open { Err(ClientError::KeyFileMustBePrivate { path: path.to_owned() }) } else { Ok(()) }
}

#[cfg(not(unix))]
fn must_be_private(_: &Path) -> Result<(), ClientError> {
    Ok(())
}
