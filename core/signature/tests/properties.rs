//! Properties: what is signed verifies; what is changed does not; nothing that a stranger sends makes a panic.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use common::Sent;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use proptest::prelude::*;
use strongroom_signature::{
    AcceptSignature, Component, Content, ContentDigest, Nonce, Profile, Request, RequestLine, Response,
    ResponseProfile, SignatureError, SignedRequest, SignedResponse, SigningKey, SigningParameters,
    sign_request, signatures,
};

const NOW: i64 = 1_700_000_000;

fn key(which: bool) -> SigningKey {
    if which { SigningKey::ed25519(&[1; 32]).unwrap() } else { SigningKey::hmac_sha256(&[2; 32]).unwrap() }
}

/// A request with everything that may change, as text.
#[derive(Clone, Debug)]
struct Text {
    method: String,
    authority: String,
    path: String,
    query: Option<String>,
    headers: Vec<(&'static str, String)>,
    content: Vec<u8>,
}

const COVERED: [&str; 5] = ["authorization", "content-type", "idempotency-key", "if-match", "x-more"];

fn text() -> impl Strategy<Value = Text> {
    let value = "[!-~]([ -~]{0,20}[!-~])?";
    let headers = proptest::collection::vec((proptest::sample::select(&COVERED[..]), value), 0..6);
    (
        "[A-Z]{1,8}|[!#$%&'*+.^_`|~a-zA-Z0-9-]{1,12}",
        "[a-zA-Z0-9.-]{1,20}(:[0-9]{1,5})?",
        "/[!-~]{0,40}",
        proptest::option::of("[!-~]{0,40}"),
        headers,
        proptest::collection::vec(any::<u8>(), 0..80),
    )
        .prop_map(|(method, authority, path, query, headers, content)| Text {
            method,
            authority,
            path,
            query,
            headers,
            content,
        })
}

/// What a judge of this request would get: its fields beside the text.
struct Held {
    method: Method,
    headers: HeaderMap,
}

impl Text {
    fn held(&self) -> Held {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            headers.append(*name, HeaderValue::try_from(value).unwrap());
        }
        Held { method: Method::try_from(self.method.as_str()).unwrap(), headers }
    }

    fn line<'m>(&'m self, method: &'m Method) -> RequestLine<'m> {
        RequestLine {
            method,
            scheme: "https",
            authority: &self.authority,
            path: &self.path,
            query: self.query.as_deref(),
        }
    }
}

fn profile() -> Profile {
    Profile::default().demanding(HeaderName::from_static("x-more"))
}

fn signed(text: &Text, which: bool, nonce: &[u8], key_id: &str) -> Held {
    let mut held = text.held();
    let parameters = SigningParameters { created: NOW, expires: NOW + 60, nonce, key_id };
    let method = held.method.clone();
    let line = text.line(&method);
    sign_request(&line, &mut held.headers, &key(which), &parameters, &text.content, &profile()).unwrap();
    held
}

fn judge(text: &Text, held: &Held, which: bool) -> Result<Vec<u8>, SignatureError> {
    let profile = profile();
    let request = Request { line: text.line(&held.method), headers: &held.headers };
    let candidate = SignedRequest::read(&request, &profile)?;
    candidate.must_be_fresh(NOW, &profile)?;
    let key = key(which).verifying_key().unwrap();
    Ok(candidate.verify(&key, Content::Bytes(&text.content))?.nonce().to_vec())
}

/// Another printable byte in the place of one.
fn replaced(text: &str, at: usize, by: u8) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let at = at % bytes.len();
    let other = b'!' + by % 94;
    bytes[at] = if bytes[at] == other { other ^ 1 } else { other };
    if bytes[at] == 0x7f || bytes[at] == b' ' {
        bytes[at] = b'a';
    }
    String::from_utf8(bytes).unwrap()
}

/// The request with one byte of one part changed; `None` where the change is none, or no request.
fn change(text: &Text, held: &Held, part: usize, at: usize, by: u8) -> Option<(Text, Held)> {
    let mut text = text.clone();
    let mut method = held.method.clone();
    let mut headers = held.headers.clone();
    match part {
        0 => method = Method::try_from(replaced(&text.method, at, by).as_str()).ok()?,
        1 => {
            let authority = replaced(&text.authority, at, by);
            if authority.eq_ignore_ascii_case(&text.authority) {
                return None;
            }
            text.authority = authority;
        }
        2 => text.path = replaced(&text.path, at, by),
        3 => text.query = Some(replaced(text.query.as_deref().filter(|query| !query.is_empty())?, at, by)),
        4 if !text.content.is_empty() => {
            let at = at % text.content.len();
            text.content[at] ^= by.max(1);
        }
        4 => text.content.push(by),
        _ => {
            let at_field = part % headers.len();
            let (name, _) = headers.iter().nth(at_field)?;
            let name = name.clone();
            let mut lines: Vec<HeaderValue> = headers.get_all(&name).iter().cloned().collect();
            let line = at % lines.len();
            let old = lines[line].to_str().ok()?.to_owned();
            let new = replaced(&old, at, by);
            if name == "signature" && same_bytes(&old, &new) {
                return None;
            }
            lines[line] = HeaderValue::try_from(new).ok()?;
            headers.remove(&name);
            for line in lines {
                headers.append(name.clone(), line);
            }
        }
    }
    Some((text, Held { method, headers }))
}

/// Base64 of a length that is no multiple of three has bits that stand for nothing, and the library reads over them.
fn same_bytes(old: &str, new: &str) -> bool {
    let bytes = |text: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("signature-input", HeaderValue::from_static("strongroom=()"));
        headers.insert("signature", HeaderValue::try_from(text).ok()?);
        Some(signatures(&headers).ok()?.first()?.bytes.clone())
    };
    bytes(old) == bytes(new)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_signed_verifies(
        text in text(),
        which: bool,
        nonce in proptest::collection::vec(any::<u8>(), 16..=64),
        key_id in "[ -~]{1,40}",
    ) {
        let held = signed(&text, which, &nonce, &key_id);
        prop_assert_eq!(judge(&text, &held, which).unwrap(), nonce);
    }

    #[test]
    fn any_byte_that_changes_is_seen(
        text in text(),
        which: bool,
        part in 0_usize..24,
        at: usize,
        by: u8,
    ) {
        let held = signed(&text, which, &[9; 16], "acme");
        if let Some((changed, changed_held)) = change(&text, &held, part, at, by) {
            let result = judge(&changed, &changed_held, which);
            prop_assert!(result.is_err(), "{:?} {:?}", changed, changed_held.headers);
        }
    }

    #[test]
    fn a_field_that_is_taken_away_or_comes_twice_is_seen(text in text(), which: bool, at: usize) {
        let held = signed(&text, which, &[9; 16], "acme");
        let names: Vec<HeaderName> = held.headers.keys().cloned().collect();
        let name = &names[at % names.len()];
        let mut without = Held { method: held.method.clone(), headers: held.headers.clone() };
        without.headers.remove(name);
        prop_assert!(judge(&text, &without, which).is_err(), "{name}");
        let mut twice = Held { method: held.method.clone(), headers: held.headers.clone() };
        twice.headers.append(name.clone(), held.headers[name].clone());
        prop_assert!(judge(&text, &twice, which).is_err(), "{name}");
    }
}

/// Bytes of a header value: arbitrary, or pieces of what is expected in any order.
fn header_bytes() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "sig=",
        "(",
        ")",
        "\"@method\"",
        "\"@path\"",
        "\"content-digest\"",
        " ",
        ";",
        "created=",
        "expires=",
        "17",
        "-",
        "keyid=",
        "nonce=",
        "\"AAAAAAAAAAAAAAAAAAAAAA\"",
        "tag=",
        "\"strongroom-request\"",
        "\"strongroom-response\"",
        ",",
        ", ",
        "=:",
        "AAAA",
        ":",
        "==",
        "?1",
        "@",
        "\\",
        "\"",
        "sha-256=:",
        ";req",
        ";key=\"sig\"",
        ";sf",
        "alg=\"ed25519\"",
        "\t",
        "1.5",
        "%\"",
        "a",
        "*",
        "token",
    ];
    let piece = proptest::sample::select(pieces.to_vec()).prop_map(|piece| piece.as_bytes().to_vec());
    let byte = any::<u8>().prop_map(|byte| vec![byte]);
    proptest::collection::vec(prop_oneof![6 => piece, 1 => byte], 0..40).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn nothing_that_is_sent_makes_a_panic(
        input in header_bytes(),
        signature in header_bytes(),
        digest in header_bytes(),
        length in header_bytes(),
    ) {
        let mut sent = Sent::new("POST", "https://fund.example/v1/orders?a=1", &[], b"");
        for (name, bytes) in [
            ("signature-input", &input),
            ("signature", &signature),
            ("content-digest", &digest),
            ("content-length", &length),
            ("accept-signature", &input),
        ] {
            if let Ok(value) = HeaderValue::from_bytes(bytes) {
                sent.headers.insert(name, value);
            }
        }
        let request = sent.request();
        let verifying = key(true).verifying_key().unwrap();
        if let Ok(candidate) = SignedRequest::read(&request, &Profile::default()) {
            let _ = candidate.must_be_fresh(i64::MAX, &Profile::default());
            let _ = candidate.must_be_fresh(i64::MIN, &Profile::default());
            prop_assert!(candidate.verify(&verifying, Content::None).is_err());
        }
        let response = Response { status: StatusCode::OK, headers: &sent.headers };
        if let Ok(candidate) = SignedResponse::read(&response, &request, &ResponseProfile::default()) {
            prop_assert!(candidate.verify(&verifying, b"").is_err());
        }
        let _ = (AcceptSignature::read(&sent.headers), ContentDigest::read(&sent.headers));
        let text = String::from_utf8_lossy(&input);
        let _ = (Component::parse(&text), Nonce::decode(&text), Component::field(&text));
    }

    #[test]
    fn a_nonce_is_read_as_it_was_written(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let nonce = Nonce::try_new(&bytes);
        prop_assert_eq!(nonce.is_ok(), (16..=64).contains(&bytes.len()));
        if let Ok(nonce) = nonce {
            prop_assert_eq!(nonce.as_bytes(), &bytes[..]);
            prop_assert_eq!(Nonce::decode(&nonce.encode()), Ok(nonce));
        }
    }
}
