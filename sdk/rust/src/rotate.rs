//! A new key without anybody noticing. The file comes first, so that a crash at any step leaves a key that works:
//!
//! | step | in the file | at the server |
//! |---|---|---|
//! | make the new key | current, next | current |
//! | ask, signed by both | current, next | current, pending |
//! | write its name | current, next with its name | current, pending |
//! | use it | current, next with its name | grace, active |
//! | switch | next as current, the old one among the former | grace, active |
//!
//! The file is locked meanwhile; another process on it waits, and then finds that it was done.

use crate::client::{Answer, Client, Sent, Signers, code_of, local_seconds, random};
use crate::error::ClientError;
use crate::key_file::{KeyFile, SecretText, StoredKey, lock};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::header::{self, HeaderValue};
use http::{HeaderMap, Method};
use serde::Deserialize;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;
use strongroom_signature::SigningKey;

/// Codes by which a server says that a key that it named will not work any more.
const GIVEN_UP: [&str; 3] = ["key.must_be_known", "key.must_not_be_revoked", "key.must_not_be_expired"];

/// Servers of one database hear of each other's changes every quarter of a second.
const NEWS_WAIT: Duration = Duration::from_millis(300);
const NEWS_TRIES: u32 = 5;

/// What a rotation came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// The key that signed before.
    pub from: String,
    /// The key that signs now.
    pub to: String,
}

#[derive(Deserialize)]
struct Rotated {
    key: String,
    expires: String,
    secret: Option<String>,
}

#[derive(Deserialize)]
struct Standing {
    primary: Option<String>,
    is_due: bool,
}

impl Client {
    /// Replaces the key: makes a new one, proves both, uses it and switches to it. Where another process on the same file
    /// was first, takes over what that one has. What was begun before is gone on with.
    ///
    /// # Errors
    /// The file's, the transport's, and the server's refusals. After any of them the client works on with a key that the
    /// server knows, and the next call goes on where this one stopped.
    pub fn rotate(&self) -> Result<Rotation, ClientError> {
        let path = self.path_of_file()?.to_owned();
        let _lock = lock(&path)?;
        let mut file = KeyFile::read(&path)?;
        let from = self.key_id();
        if file.key != from {
            self.take_identity(file.identity()?);
            return Ok(Rotation { from, to: file.key.clone() });
        }
        if file.next.is_none() {
            file.next = Some(new_key(&file.algorithm)?);
            file.replace(&path)?;
        }
        if !self.confirm_named(&mut file, &path)? {
            self.ask(&mut file, &path)?;
            self.confirm(&mut file, &path)?;
        }
        Ok(Rotation { from, to: file.key.clone() })
    }

    fn path_of_file(&self) -> Result<&Path, ClientError> {
        self.path.as_deref().ok_or(ClientError::KeyFileMustBeKnown)
    }

    /// Goes on with a key that the server named before a crash; false where there is none, or it was given up.
    fn confirm_named(&self, file: &mut KeyFile, path: &Path) -> Result<bool, ClientError> {
        if file.next.as_ref().is_none_or(|next| next.key.is_none()) {
            return Ok(false);
        }
        match self.confirm(file, path) {
            Ok(()) => Ok(true),
            Err(error) if GIVEN_UP.contains(&error.code()) => {
                file.next = Some(new_key(&file.algorithm)?);
                file.replace(path)?;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Asks for the successor and writes its name. The same key or request again gets the same answer.
    fn ask(&self, file: &mut KeyFile, path: &Path) -> Result<(), ClientError> {
        let lineage = file.key.split('.').next().unwrap_or_default();
        let target = format!("/v1/keys/{lineage}/rotate");
        let Some(next) = file.next.as_mut() else { return Ok(()) };
        let mut headers =
            HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        let (body, new) = match &next.request {
            Some(request) => {
                let name = HeaderValue::from_str(request).map_err(|_| ClientError::KeySecret)?;
                headers.insert("idempotency-key", name);
                (serde_json::json!({}), None)
            }
            None => {
                let key = next.signing_key()?;
                let public = STANDARD.encode(key.public_key().unwrap_or_default());
                let body = serde_json::json!({ "algorithm": next.algorithm, "public_key": public });
                (body, Some(key))
            }
        };
        let request = Sent { method: Method::POST, target, headers, body: body.to_string().into_bytes() };
        let signers = new.as_ref().map_or(Signers::Present, Signers::Both);
        let answer = self.send_by(&request, signers)?;
        let refused = matches!(answer.status, 400..500) && answer.is_signed;
        let content = match answer.into_success() {
            Ok(content) => content,
            Err(error) => {
                // The server does not know it and will not: another one next time.
                if refused && error.code().starts_with("rotation.") {
                    file.next = None;
                    file.replace(path)?;
                }
                return Err(error);
            }
        };
        let rotated: Rotated = serde_json::from_slice(&content)
            .map_err(|error| ClientError::AnswerMustBeSigned(format!("it is no successor: {error}")))?;
        if let Some(secret) = rotated.secret {
            next.secret = SecretText::new(secret);
        }
        (next.key, next.expires) = (Some(rotated.key), Some(rotated.expires));
        file.replace(path)
    }

    /// Uses the new key, which makes it the primary, and switches to it.
    fn confirm(&self, file: &mut KeyFile, path: &Path) -> Result<(), ClientError> {
        let Some(next) = &file.next else { return Ok(()) };
        let identity = next.identity()?;
        let mut answer = self.send_by(&who_am_i(), Signers::Other(&identity))?;
        for _ in 0..NEWS_TRIES {
            if code_of(&answer).is_none_or(|code| code != "key.must_be_known") {
                break;
            }
            // Another server of the same database named it, and this one has not heard of it yet.
            std::thread::sleep(NEWS_WAIT);
            answer = self.send_by(&who_am_i(), Signers::Other(&identity))?;
        }
        if let Err(error) = answer.into_success() {
            if error.code() == "key.must_not_be_retired" {
                // It worked once, and was taken back: a server may go forward to it again.
                let next = file.next.take();
                next.into_iter().for_each(|next| file.keep(next));
                file.replace(path)?;
            }
            return Err(error);
        }
        file.switch();
        file.replace(path)?;
        self.take_identity(identity);
        Ok(())
    }

    /// Finds a key in the file that works, after the server ended the one that signed. False where there is none.
    pub(crate) fn recover(&self, ended: &str) -> Result<bool, ClientError> {
        let path = self.path_of_file()?.to_owned();
        let _lock = lock(&path)?;
        if self.key_id() != ended {
            // Another thread was first.
            return Ok(true);
        }
        let mut file = KeyFile::read(&path)?;
        if file.key != ended {
            self.take_identity(file.identity()?);
            return Ok(true);
        }
        if self.confirm_named(&mut file, &path).unwrap_or(false) {
            return Ok(true);
        }
        for place in (0..file.former.len()).rev() {
            let Some(identity) = file.former.get(place).and_then(|old| old.identity().ok()) else { continue };
            let answer = self.send_by(&who_am_i(), Signers::Other(&identity))?;
            if answer.status < 400 {
                let old = file.former.remove(place);
                let next = file.next.replace(old);
                file.switch();
                file.next = next;
                file.replace(&path)?;
                self.take_identity(identity);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Does what an answer hints at: the key is old or due. The hint is not signed, so the signed state is asked for first,
    /// not more often than the options say. What fails is tried again at the next hint: the key at hand still works.
    pub(crate) fn heed(&self, answer: &Answer) {
        if !answer.headers.contains_key("deprecation") || !answer.is_signed {
            return;
        }
        let (now, last) = (local_seconds(), self.looked.load(Ordering::Relaxed));
        let pause = i64::try_from(self.options.notice_pause.as_secs()).unwrap_or(i64::MAX);
        let is_time = now.saturating_sub(last) >= pause;
        if !is_time || self.looked.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_err()
        {
            return;
        }
        drop(self.follow_notice());
    }

    fn follow_notice(&self) -> Result<(), ClientError> {
        let present = self.key_id();
        let path = self.path_of_file()?;
        let file = KeyFile::read(path)?;
        if file.key != present {
            self.take_identity(file.identity()?);
            return Ok(());
        }
        let lineage = present.split('.').next().unwrap_or_default();
        let request = Sent {
            method: Method::GET,
            target: format!("/v1/keys/{lineage}/rotation"),
            headers: HeaderMap::new(),
            body: Vec::new(),
        };
        let content = self.send_by(&request, Signers::Present)?.into_success()?;
        let standing: Standing = serde_json::from_slice(&content)
            .map_err(|error| ClientError::AnswerMustBeSigned(format!("it is no rotation: {error}")))?;
        let is_primary = standing.primary.as_deref() == Some(&present);
        let is_begun = file.next.is_some_and(|next| next.key == standing.primary);
        if (is_primary && standing.is_due) || is_begun { self.rotate().map(drop) } else { Ok(()) }
    }
}

fn who_am_i() -> Sent {
    Sent { method: Method::GET, target: "/v1/whoami".into(), headers: HeaderMap::new(), body: Vec::new() }
}

/// A key of the same kind: made here, or still to be made by the server.
fn new_key(algorithm: &str) -> Result<StoredKey, ClientError> {
    let mut stored = StoredKey {
        key: None,
        algorithm: algorithm.to_owned(),
        secret: SecretText::new(String::new()),
        request: None,
        expires: None,
    };
    match algorithm {
        "hmac-sha256" => stored.request = Some(URL_SAFE_NO_PAD.encode(random::<18>()?)),
        _ => {
            let seed = zeroize::Zeroizing::new(random::<32>()?);
            SigningKey::ed25519(seed.as_slice())?;
            stored.secret = SecretText::new(STANDARD.encode(seed.as_slice()));
        }
    }
    Ok(stored)
}
