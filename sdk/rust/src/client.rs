//! Signing, sending, believing.

use crate::error::ClientError;
use crate::healing::{LIFETIME_SECONDS, Sending, may_send_again};
use crate::key_file::{KeyFile, pinned};
use crate::transport::{agent, base_of, directory, transport};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::header::{self, HeaderValue};
use http::{HeaderMap, Method, Uri};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use strongroom_signature::{
    AcceptSignature, Nonce, Profile, RequestLine, Response, ResponseProfile, SignedResponse, SigningKey,
    SigningParameters, VerifyingKey, sign_request, sign_rotation, strip, vouch_text,
};

/// The code of an answer that has none.
const NO_CODE: &str = "client.answer_must_be_a_success";
/// How much of such an answer is shown.
const SAID_CHARACTERS_MAX: usize = 2_000;
/// The first and the longest wait between two tries.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LAST_WAIT: Duration = Duration::from_secs(1);
/// Codes by which a server says that a key has ended.
const ENDED: [&str; 4] =
    ["key.must_not_be_retired", "key.must_not_be_revoked", "key.must_not_be_expired", "key.must_be_known"];
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// How to talk.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the server is, when it is not where the key file says.
    pub server: Option<String>,
    /// A PEM file of certificates to trust instead of the public ones.
    pub ca: Option<PathBuf>,
    /// Whose answers are taken.
    pub answers: Answers,
    /// How long hints at a rotation are not followed after one was; a minute.
    pub notice_pause: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { server: None, ca: None, answers: Answers::default(), notice_pause: Duration::from_secs(60) }
    }
}

/// Whose answers are taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Answers {
    /// Only those that a pinned key signed.
    #[default]
    Signed,
    /// Those of an application behind the gate as well, which nobody signs. They are as good as the connection that
    /// brought them: they move no clock, and no request is signed anew because of one. Otherwise whoever stands between
    /// could answer a request that was executed with a made-up refusal, and have it executed twice.
    Any,
}

/// What came back in answer to this request; unless [`Answers::Any`] was asked for, signed by a pinned key.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its header fields.
    pub headers: HeaderMap,
    /// Its content.
    pub body: Vec<u8>,
    /// How often the request was signed: 2 when the first was healed.
    pub tries: u32,
    /// Whether a pinned key signed it.
    pub is_signed: bool,
}

/// One request as it is to be sent.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Its method.
    pub method: Method,
    /// Path and query; or a whole URL of the server.
    pub target: String,
    /// Header fields beside those of the signature.
    pub headers: HeaderMap,
    /// Its content.
    pub body: Vec<u8>,
}

/// A key and its name.
pub(crate) struct Identity {
    pub key: SigningKey,
    pub key_id: String,
}

/// Who signs one request: the present key, another one, or the present one and a new one after it.
#[derive(Clone, Copy)]
pub(crate) enum Signers<'a> {
    Present,
    Other(&'a Identity),
    Both(&'a SigningKey),
}

/// A key, its server, and what is known of the server's clock.
pub struct Client {
    agent: ureq::Agent,
    server: String,
    /// The key that signs now; another after a rotation.
    identity: RwLock<Arc<Identity>>,
    /// Where the key file is, for who rotates by himself.
    pub(crate) path: Option<PathBuf>,
    /// When the state of the rotation was last asked for, in seconds since 1970.
    pub(crate) looked: AtomicI64,
    pub(crate) options: Options,
    /// Server keys that are believed: those of the key file, and those that they vouch for.
    pinned: RwLock<Vec<(String, Arc<VerifyingKey>)>>,
    /// Seconds that the server's clock is ahead of ours, as a signed answer said.
    ahead: AtomicI64,
    profile: Profile,
    response_profile: ResponseProfile,
}

impl Client {
    /// A client of a key file.
    pub fn open(path: &Path) -> Result<Self, ClientError> {
        Self::open_with(path, &Options::default())
    }

    /// A client of a key file. It replaces its key by itself when the server says that it is due, keeps the file up to
    /// date, and follows what other processes do with it.
    pub fn open_with(path: &Path, options: &Options) -> Result<Self, ClientError> {
        Ok(Self { path: Some(path.to_owned()), ..Self::try_new(&KeyFile::read(path)?, options)? })
    }

    /// A client of a key that was read already.
    pub fn try_new(file: &KeyFile, options: &Options) -> Result<Self, ClientError> {
        let server = options.server.clone().unwrap_or_else(|| file.server.clone());
        Ok(Self {
            agent: agent(options, &base_of(&server)?)?,
            server: base_of(&server)?,
            identity: RwLock::new(Arc::new(file.identity()?)),
            path: None,
            looked: AtomicI64::new(0),
            options: options.clone(),
            pinned: RwLock::new(pinned(&file.server_keys)?),
            ahead: AtomicI64::new(0),
            profile: match options.answers {
                Answers::Signed => Profile::default(),
                Answers::Any => Profile::default().for_any_application(),
            },
            response_profile: ResponseProfile::default(),
        })
    }

    pub(crate) fn of_parts(
        options: &Options,
        server: &str,
        key: SigningKey,
        key_id: String,
    ) -> Result<Self, ClientError> {
        let pinned = RwLock::new(pinned(&directory(options, server)?)?);
        Ok(Self {
            agent: agent(options, &base_of(server)?)?,
            server: base_of(server)?,
            identity: RwLock::new(Arc::new(Identity { key, key_id })),
            path: None,
            looked: AtomicI64::new(0),
            options: options.clone(),
            pinned,
            ahead: AtomicI64::new(0),
            profile: match options.answers {
                Answers::Signed => Profile::default(),
                Answers::Any => Profile::default().for_any_application(),
            },
            response_profile: ResponseProfile::default(),
        })
    }

    /// Assumes that the server's clock is so many seconds ahead of this machine's, as was learned before.
    pub fn assume_clock(&self, ahead_seconds: i64) {
        self.ahead.store(ahead_seconds, Ordering::Relaxed);
    }

    /// Where the server is.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Reads.
    pub fn get(&self, target: &str) -> Result<Answer, ClientError> {
        self.send(&Sent {
            method: Method::GET,
            target: target.into(),
            headers: HeaderMap::new(),
            body: Vec::new(),
        })
    }

    /// Sends JSON.
    pub fn post(&self, target: &str, json: &[u8]) -> Result<Answer, ClientError> {
        let headers =
            HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        self.send(&Sent { method: Method::POST, target: target.into(), headers, body: json.to_vec() })
    }

    /// Signs a request, sends it, checks the answer; signs it anew, once, where the refusal says that this heals it.
    ///
    /// A client of a key file also finds out whether its key is to be replaced, and does it; a request that was refused
    /// because its key has ended is signed with what the file has instead.
    pub fn send(&self, request: &Sent) -> Result<Answer, ClientError> {
        let signed_with = self.identity().key_id.clone();
        let answer = self.send_by(request, Signers::Present)?;
        if self.path.is_none() {
            return Ok(answer);
        }
        if has_ended(&answer) && answer.is_signed && self.recover(&signed_with)? {
            return self.send_by(request, Signers::Present);
        }
        self.heed(&answer);
        Ok(answer)
    }

    /// Sends until there is an answer that more sending would not better, or the time is up: each time signed anew, under one
    /// idempotency key. For requests that must get through a restart of the server.
    pub fn send_within(&self, request: &Sent, within: Duration) -> Result<Answer, ClientError> {
        let mut request = request.clone();
        let names_itself = request.headers.contains_key(IDEMPOTENCY_KEY);
        if !names_itself && !matches!(request.method, Method::GET | Method::HEAD) {
            let name = URL_SAFE_NO_PAD.encode(random::<18>()?);
            let name = HeaderValue::from_str(&name).map_err(|_| ClientError::Random)?;
            request.headers.insert(IDEMPOTENCY_KEY, name);
        }
        let (begun, mut wait, mut tries) = (Instant::now(), FIRST_WAIT, 0_u32);
        loop {
            let outcome = self.send(&request);
            tries = tries.saturating_add(outcome.as_ref().map_or(1, |answer| answer.tries));
            let is_over = begun.elapsed() + wait >= within;
            match outcome {
                Ok(answer) if is_over || !may_get_better(&answer) => return Ok(Answer { tries, ..answer }),
                Err(error) if is_over || !matches!(error, ClientError::Transport(_)) => return Err(error),
                _ => std::thread::sleep(wait),
            }
            wait = (wait * 2).min(LAST_WAIT);
        }
    }

    pub(crate) fn send_by(&self, request: &Sent, signers: Signers<'_>) -> Result<Answer, ClientError> {
        let first = self.attempt(request, None, signers)?;
        match self.healing(&first) {
            Some(challenge) => {
                let second = self.attempt(request, challenge.as_ref(), signers)?;
                Ok(Answer { tries: 2, ..second.answer })
            }
            None => Ok(first.answer),
        }
    }

    /// The key that signs now.
    pub(crate) fn identity(&self) -> Arc<Identity> {
        self.identity.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn take_identity(&self, identity: Identity) {
        *self.identity.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(identity);
    }

    /// The name of the key that signs now.
    pub fn key_id(&self) -> String {
        self.identity().key_id.clone()
    }

    /// A request as it would be sent now, signed: header fields included. For tests of a server's defences.
    pub fn sign(&self, request: &Sent) -> Result<http::Request<Vec<u8>>, ClientError> {
        let identity = self.identity();
        let (uri, headers, _) = self.signed(request, None, &identity, None)?;
        let mut whole = http::Request::new(request.body.clone());
        (*whole.method_mut(), *whole.uri_mut(), *whole.headers_mut()) =
            (request.method.clone(), uri, headers);
        Ok(whole)
    }

    /// Whether signing anew heals a refusal, and with which nonce the server would have it.
    fn healing(&self, tried: &Tried) -> Option<Option<Nonce>> {
        let code = code_of(&tried.answer)?;
        // Only a signed answer to this very request tells the time; an old one would set the clock back.
        let server_time = tried.server_time?;
        if !may_send_again(&code, &tried.sent, server_time) {
            return None;
        }
        self.ahead.store(server_time - local_seconds(), Ordering::Relaxed);
        let asked = AcceptSignature::read(&tried.answer.headers).ok()?;
        let nonce = asked.into_iter().find_map(|asked| Nonce::decode(&asked.nonce?).ok());
        Some(nonce)
    }

    fn signed(
        &self,
        request: &Sent,
        nonce: Option<&Nonce>,
        identity: &Identity,
        new: Option<&SigningKey>,
    ) -> Result<(Uri, HeaderMap, i64), ClientError> {
        let uri = self.uri_of(&request.target)?;
        let mut headers = request.headers.clone();
        strip(&mut headers);
        let random = random::<24>()?;
        let created = local_seconds() + self.ahead.load(Ordering::Relaxed);
        let parameters = SigningParameters {
            created,
            expires: created + LIFETIME_SECONDS,
            nonce: nonce.map_or(&random, |nonce| nonce.as_bytes()),
            key_id: &identity.key_id,
        };
        let line =
            RequestLine::of_uri(&request.method, &uri).map_err(|_| ClientError::Url(uri.to_string()))?;
        sign_request(&line, &mut headers, &identity.key, &parameters, &request.body, &self.profile)
            .map_err(ClientError::Signature)?;
        if let Some(new) = new {
            let lineage = identity.key_id.split('.').next().unwrap_or_default();
            let parameters = SigningParameters { key_id: lineage, ..parameters };
            sign_rotation(&line, &mut headers, new, &parameters, &request.body, &self.profile)
                .map_err(ClientError::Signature)?;
        }
        Ok((uri, headers, created))
    }

    fn attempt(
        &self,
        request: &Sent,
        nonce: Option<&Nonce>,
        signers: Signers<'_>,
    ) -> Result<Tried, ClientError> {
        let present = self.identity();
        let (identity, new) = match signers {
            Signers::Present => (&*present, None),
            Signers::Other(other) => (other, None),
            Signers::Both(new) => (&*present, Some(new)),
        };
        let (uri, headers, created) = self.signed(request, nonce, identity, new)?;
        let line =
            RequestLine::of_uri(&request.method, &uri).map_err(|_| ClientError::Url(uri.to_string()))?;
        let begun = Instant::now();
        let (status, answered, body) = self.transport(&request.method, &uri, &headers, &request.body)?;
        let sent = Sending { created, took: begun.elapsed() };
        let response = Response { status, headers: &answered };
        let believed = self.believe(&response, &line.with(&headers), &body);
        let is_signed = believed.is_ok();
        let server_time = match self.options.answers {
            Answers::Signed => believed?,
            Answers::Any => believed.ok().flatten(),
        };
        Ok(Tried {
            answer: Answer { status: status.as_u16(), headers: answered, body, tries: 1, is_signed },
            server_time,
            sent,
        })
    }

    fn uri_of(&self, target: &str) -> Result<Uri, ClientError> {
        let wrong = || ClientError::Url(target.to_owned());
        let text = match target.starts_with('/') {
            true => format!("{}{target}", self.server),
            false => target.to_owned(),
        };
        // A signature for one server must not be sent to another.
        let ours = text == self.server
            || text.strip_prefix(&self.server).is_some_and(|rest| rest.starts_with(['/', '?']));
        if ours { text.parse().map_err(|_| wrong()) } else { Err(wrong()) }
    }

    fn transport(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<(http::StatusCode, HeaderMap, Vec<u8>), ClientError> {
        transport(&self.agent, method, uri, headers, body)
    }

    fn pinned_key(&self, name: &str) -> Option<Arc<VerifyingKey>> {
        let pinned = self.pinned.read().unwrap_or_else(PoisonError::into_inner);
        pinned.iter().find(|(known, _)| known == name).map(|(_, key)| key.clone())
    }

    /// Looks whether the server signs with a newer key, and believes each that the one before it vouches for. A key that
    /// nobody pinned and nobody vouches for is believed by nobody, whatever the directory says.
    fn follow_rotation(&self) -> Result<bool, ClientError> {
        let listed = directory(&self.options, &self.server)?;
        let mut pinned = self.pinned.write().unwrap_or_else(PoisonError::into_inner);
        let before = pinned.len();
        for (earlier, later) in listed.iter().zip(listed.iter().skip(1)) {
            let Some((_, old)) = pinned.iter().find(|(name, _)| *name == earlier.key) else { continue };
            let text = vouch_text(&later.key, &later.algorithm, &later.public_key);
            let vouched =
                later.vouched.as_ref().and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default();
            let is_known = pinned.iter().any(|(name, _)| *name == later.key);
            if !is_known && old.verify(&text, &vouched).is_ok() {
                pinned.extend(crate::key_file::pinned(core::slice::from_ref(later))?);
            }
        }
        Ok(pinned.len() > before)
    }

    /// Checks an answer and gives the server's time if it is bound to this request.
    fn believe(
        &self,
        response: &Response<'_>,
        request: &strongroom_signature::Request<'_>,
        body: &[u8],
    ) -> Result<Option<i64>, ClientError> {
        let unbelieved = |error: &dyn std::fmt::Display| ClientError::AnswerMustBeSigned(error.to_string());
        let signed =
            SignedResponse::read(response, request, &self.response_profile).map_err(|e| unbelieved(&e))?;
        let key = match self.pinned_key(signed.key_id()) {
            Some(key) => Some(key),
            None => self.follow_rotation()?.then(|| self.pinned_key(signed.key_id())).flatten(),
        };
        let key = key.ok_or_else(|| unbelieved(&format!("the key {} is not pinned", signed.key_id())))?;
        let verified = signed.verify(&key, body).map_err(|e| unbelieved(&e))?;
        Ok(verified.server_time())
    }
}

/// One attempt and what the server's clock said in it.
struct Tried {
    answer: Answer,
    server_time: Option<i64>,
    sent: Sending,
}

impl Answer {
    /// The content where the server agreed; its refusal where it did not.
    pub fn into_success(self) -> Result<Vec<u8>, ClientError> {
        if self.status < 400 {
            return Ok(self.body);
        }
        let problem: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let text =
            |name: &str| problem.get(name).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        let (code, detail) = match text("code") {
            // Of an application, or of a proxy that failed.
            code if code.is_empty() => (NO_CODE.to_owned(), self.as_said()),
            code => (code, text("detail")),
        };
        Err(ClientError::Refused { status: self.status, code, detail })
    }
}

impl Answer {
    /// Status and the beginning of the content, for an answer that is no problem of ours.
    fn as_said(&self) -> String {
        let text: String = String::from_utf8_lossy(&self.body).chars().take(SAID_CHARACTERS_MAX).collect();
        format!("HTTP {} {}", self.status, text.trim_end())
    }
}

/// Whether the server ended the key that signed.
fn has_ended(answer: &Answer) -> bool {
    code_of(answer).is_some_and(|code| ENDED.contains(&code.as_str()))
}

/// Whether the same request, signed anew, may fare better.
fn may_get_better(answer: &Answer) -> bool {
    matches!(answer.status, 429 | 502 | 503 | 504)
        || code_of(answer).is_some_and(|code| code == "request.must_answer_a_challenge")
        || (answer.status == 409
            && String::from_utf8_lossy(&answer.body).contains("idempotency_key_must_not_be_in_use"))
}

pub(crate) fn random<const N: usize>() -> Result<[u8; N], ClientError> {
    let mut random = [0; N];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| ClientError::Random)?;
    Ok(random)
}

pub(crate) fn code_of(answer: &Answer) -> Option<String> {
    let problem: serde_json::Value =
        serde_json::from_slice(&answer.body).ok().filter(|_| answer.status == 401)?;
    problem.get("code").and_then(serde_json::Value::as_str).map(str::to_owned)
}

pub(crate) fn local_seconds() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX)
}
