//! What reads bytes that anybody may send, as functions of bytes that panic when a rule is broken. A fuzzer calls them
//! (`fuzz/`), and so does a test that changes valid samples at random, in every run.
//!
//! | harness | reads | must hold beside an end without a panic |
//! |---|---|---|
//! | [`header`] | a request's lines | what is accepted as signed binds what the sample bound |
//! | [`base`] | components and parameters | the base of the same message is the same, and reads back into one line each |
//! | [`record`] | a record of the log | what is read is written and read again as the same |
//! | [`composition`] | a composition file in each of its forms | the same |
//!
//! A long run: `cargo install cargo-fuzz`, then `cargo +nightly fuzz run header -- -max_len=16384` in the repository, one
//! core for each; samples are in `tools/fuzzing/src/samples.rs`.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a broken rule ends the run")]

pub mod samples;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use samples::{NOW, verifying_key};
use strongroom_engine::{decode, encode};
use strongroom_fund::composition::{Composition, fixed_width};
use strongroom_signature::{
    Content, Message, Profile, RequestLine, SignedRequest, VerifiedRequest, signatures,
};

/// A request as text: method and URI, fields, an empty line, content. None where it is none that a transport would pass on.
pub struct Text {
    /// Its method.
    pub method: Method,
    /// Its URI.
    pub uri: Uri,
    /// Its fields.
    pub headers: HeaderMap,
    /// Its content.
    pub content: Vec<u8>,
}

impl Text {
    /// Reads it.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(2).position(|two| two == b"\n\n")?;
        let (head, rest) = bytes.split_at_checked(end)?;
        let content = rest.get(2..)?.to_vec();
        let mut lines = head.split(|byte| *byte == b'\n');
        let first = lines.next()?;
        let space = first.iter().position(|byte| *byte == b' ')?;
        let (method, uri) = first.split_at_checked(space)?;
        let mut headers = HeaderMap::new();
        for line in lines.take(200) {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let (name, value) = line.split_at_checked(colon)?;
            let value = value.get(1..)?.trim_ascii();
            headers.append(HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?);
        }
        let method = Method::from_bytes(method).ok()?;
        Some(Self { method, uri: Uri::try_from(uri.get(1..)?).ok()?, headers, content })
    }

    /// Writes it.
    pub fn write(&self) -> Vec<u8> {
        let mut bytes = format!("{} {}\n", self.method, self.uri).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(name.as_str().as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value.as_bytes());
            bytes.push(b'\n');
        }
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.content);
        bytes
    }

    /// What the gate would make of it.
    pub fn verify(&self) -> Option<VerifiedRequest> {
        let line = RequestLine::of_uri(&self.method, &self.uri).ok()?;
        let profile = Profile::default();
        let candidate = SignedRequest::read(&line.with(&self.headers), &profile).ok()?;
        candidate.must_be_fresh(NOW, &profile).ok()?;
        candidate.verify(&verifying_key(), Content::Bytes(&self.content)).ok()
    }

    /// What a signature binds, and an application heeds. The scheme is the server's own and not the client's; an authority
    /// has no case and may name the scheme's own port.
    fn bound(&self) -> Bound {
        let authority = self.uri.authority().map(|authority| authority.as_str().to_ascii_lowercase());
        let authority = authority.unwrap_or_default();
        let port = if self.uri.scheme_str() == Some("http") { ":80" } else { ":443" };
        Bound {
            method: self.method.clone(),
            authority: authority.strip_suffix(port).unwrap_or(&authority).to_owned(),
            path: self.uri.path().to_owned(),
            query: self.uri.query().unwrap_or_default().to_owned(),
            kind: self.headers.get(http::header::CONTENT_TYPE).cloned(),
            content: self.content.clone(),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Bound {
    method: Method,
    authority: String,
    path: String,
    query: String,
    kind: Option<HeaderValue>,
    content: Vec<u8>,
}

/// The fields of a request, up to the signature.
///
/// # Panics
/// When something else than the sample is accepted under the sample's key.
pub fn header(bytes: &[u8]) {
    let Some(text) = Text::read(bytes) else { return };
    drop(signatures(&text.headers));
    if text.verify().is_some() {
        let sample = Text::read(&samples::request()).unwrap();
        assert_eq!(text.bound(), sample.bound(), "something else was accepted");
    }
}

/// The signature base of every signature of a request.
///
/// # Panics
/// When it differs from one time to the next, or is not as many lines as there are components and one.
pub fn base(bytes: &[u8]) {
    let Some(text) = Text::read(bytes) else { return };
    let Ok(line) = RequestLine::of_uri(&text.method, &text.uri) else { return };
    let request = line.with(&text.headers);
    let Ok(read) = signatures(&text.headers) else { return };
    for signature in &read {
        let message = Message::Request(request);
        let Ok(base) = signature.base(&message) else { continue };
        assert_eq!(Some(&base), signature.base(&message).ok().as_ref());
        let lines = base.split(|byte| *byte == b'\n').count();
        assert_eq!(lines, signature.input.components.len() + 1, "a field has made a line of its own");
    }
}

/// A record of the log.
///
/// # Panics
/// When what was read is not read again as the same after it was written.
pub fn record(bytes: &[u8]) {
    let Ok(text) = core::str::from_utf8(bytes) else { return };
    let Ok(event) = decode(text) else { return };
    if let Ok((_, written)) = encode(&event) {
        assert_eq!(decode(&written).ok().as_ref(), Some(&event), "{written}");
    }
}

/// A composition file, in each of its forms.
///
/// # Panics
/// When what was read is not read again as the same after it was written.
pub fn composition(bytes: &[u8]) {
    drop(fixed_width::Record::parse(bytes));
    let read =
        [Composition::from_json(bytes), Composition::from_csv(bytes), Composition::from_fixed_width(bytes)];
    for composition in read.into_iter().flatten() {
        if let Ok(json) = composition.to_json() {
            assert_eq!(Composition::from_json(json.as_bytes()).ok().as_ref(), Some(&composition));
        }
        if let Ok(csv) = composition.to_csv() {
            assert_eq!(Composition::from_csv(csv.as_bytes()).ok().as_ref(), Some(&composition));
        }
        if let Ok(fixed) = composition.to_fixed_width() {
            assert_eq!(Composition::from_fixed_width(fixed.as_bytes()).ok().as_ref(), Some(&composition));
        }
    }
}
