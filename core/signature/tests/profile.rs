//! The profile of requests: what a signed request must be like, rule by rule.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use common::Sent;
use http::header::HeaderName;
use strongroom_signature::{
    Component, Content, ContentElsewhere, Profile, RequestLine, SignatureError, SignedRequest, SigningKey,
    SigningParameters, VerifiedRequest, VerifyingKey, sign_request, sign_request_covering, strip,
};

type Change = fn(&mut Sent);

const NOW: i64 = 1_700_000_000;

fn key() -> SigningKey {
    SigningKey::ed25519(&[1; 32]).unwrap()
}

fn verifying() -> VerifyingKey {
    key().verifying_key().unwrap()
}

fn parameters(nonce: &[u8]) -> SigningParameters<'_> {
    SigningParameters { created: NOW, expires: NOW + 30, nonce, key_id: "acme.1" }
}

fn order() -> Sent {
    Sent::new(
        "POST",
        "https://fund.example/v1/funds/BTCX/orders?dry=1",
        &[("content-type", "application/json"), ("idempotency-key", "\"a1\""), ("content-length", "13")],
        b"{\"units\": 40}",
    )
}

fn signed(mut sent: Sent) -> Sent {
    let (method, uri) = (sent.method.clone(), sent.uri.clone());
    let line = RequestLine::of_uri(&method, &uri).unwrap();
    let content = sent.content.clone();
    sign_request(&line, &mut sent.headers, &key(), &parameters(&[9; 16]), &content, &Profile::default())
        .unwrap();
    sent
}

fn judge(sent: &Sent, profile: &Profile, content: Content<'_>) -> Result<VerifiedRequest, SignatureError> {
    let candidate = SignedRequest::read(&sent.request(), profile)?;
    candidate.must_be_fresh(NOW, profile)?;
    candidate.verify(&verifying(), content)
}

/// The outcome's code, or `ok`.
fn outcome(sent: &Sent) -> &'static str {
    code(&judge(sent, &Profile::default(), Content::Bytes(&sent.content)))
}

fn code<T>(result: &Result<T, SignatureError>) -> &'static str {
    result.as_ref().err().map_or("ok", SignatureError::code)
}

#[test]
fn a_signed_order_is_verified_and_tells_what_the_caller_needs() {
    let sent = signed(order());
    let profile = Profile::default();
    let request = sent.request();
    let candidate = SignedRequest::read(&request, &profile).unwrap();
    assert_eq!(candidate.key_id(), "acme.1");
    assert_eq!((candidate.created(), candidate.expires()), (NOW, NOW + 30));
    assert_eq!(candidate.last_second(&profile), NOW + 35);
    assert!(candidate.covers(&Component::field("Idempotency-Key").unwrap()));
    assert!(!candidate.covers(&Component::field("content-length").unwrap()));
    let verified = candidate.verify(&verifying(), Content::Bytes(&sent.content)).unwrap();
    assert_eq!(verified.nonce(), [9; 16]);
    assert_eq!(verified.label(), "strongroom");
    assert_eq!(verified.content_left(), None);
    verifying().verify(verified.base(), verified.signature()).unwrap();
}

#[test]
fn every_change_to_what_was_signed_is_refused() {
    let rows: [(&str, Change); 9] = [
        ("request.signature_must_be_valid", |sent| sent.method = http::Method::PUT),
        ("request.signature_must_be_valid", |sent| {
            sent.uri = "https://fund.example/v1/funds/ETHX/orders?dry=1".parse().unwrap();
        }),
        ("request.signature_must_be_valid", |sent| {
            sent.uri = "https://other.example/v1/funds/BTCX/orders?dry=1".parse().unwrap();
        }),
        ("request.signature_must_be_valid", |sent| {
            sent.uri = "https://fund.example/v1/funds/BTCX/orders".parse().unwrap();
        }),
        ("request.signature_must_be_valid", |sent| sent.set("content-type", "text/plain")),
        ("request.signature_must_be_valid", |sent| sent.set("idempotency-key", "\"a2\"")),
        ("request.content_must_match_digest", |sent| sent.content = b"{\"units\": 41}".to_vec()),
        ("request.content_must_match_digest", |sent| sent.content.clear()),
        ("request.signature_must_cover_what_is_present", |sent| {
            sent.headers.remove("idempotency-key");
        }),
    ];
    assert_eq!(outcome(&signed(order())), "ok");
    for (expected, change) in rows {
        let mut sent = signed(order());
        change(&mut sent);
        assert_eq!(outcome(&sent), expected, "{sent:?}");
    }
}

#[test]
fn what_comes_after_signing_and_changes_meaning_must_be_covered() {
    for (field, value) in [
        ("authorization", "Bearer x"),
        ("content-encoding", "gzip"),
        ("if-match", "\"1\""),
        ("if-none-match", "*"),
    ] {
        let mut sent = signed(order());
        sent.set(field, value);
        assert_eq!(outcome(&sent), "request.signature_must_cover", "{field}");
    }
    let mut sent = signed(order());
    sent.set("x-trace", "1");
    assert_eq!(outcome(&sent), "ok");
    let demanding = Profile::default().demanding(HeaderName::from_static("x-trace"));
    let result = judge(&sent, &demanding, Content::Bytes(&sent.content));
    assert_eq!(code(&result), "request.signature_must_cover");
}

#[test]
fn content_that_is_not_seen_passes_only_where_somebody_checks_it() {
    let bare = |method: &str, headers: &[(&str, &str)]| {
        signed(Sent::new(method, "https://fund.example/v1/nav", headers, b""))
    };
    let elsewhere = Profile { content_elsewhere: ContentElsewhere::Checked, ..Profile::default() };
    let rows = [
        (signed(order()), "request.content_must_be_checked", Some(true)),
        (bare("GET", &[]), "ok", Some(false)),
        (bare("DELETE", &[]), "ok", Some(false)),
        (bare("POST", &[]), "request.content_must_be_checked", Some(false)),
        (bare("POST", &[("content-length", "0")]), "ok", None),
    ];
    for (sent, refused, left) in rows {
        let result = judge(&sent, &Profile::default(), Content::CheckedElsewhere);
        assert_eq!(code(&result), refused, "{sent:?}");
        let verified = judge(&sent, &elsewhere, Content::CheckedElsewhere).unwrap();
        assert_eq!(verified.content_left().map(|digest| digest.is_some()), left, "{sent:?}");
        if let Some(Some(digest)) = verified.content_left() {
            assert!(digest.matches(&sent.content));
        }
    }
}

#[test]
fn a_request_is_signed_again_after_its_signature_is_stripped() {
    let mut sent = signed(order());
    strip(&mut sent.headers);
    assert_eq!(outcome(&sent), "request.must_be_signed");
    assert_eq!(outcome(&signed(sent)), "ok");
}

#[test]
fn a_request_is_good_from_skew_before_it_was_made_to_skew_after_it_ends() {
    let sent = signed(order());
    let profile = Profile::default();
    let request = sent.request();
    let candidate = SignedRequest::read(&request, &profile).unwrap();
    for (now, expected) in [
        (NOW - 6, "request.must_not_be_from_the_future"),
        (NOW - 5, "ok"),
        (NOW, "ok"),
        (NOW + 35, "ok"),
        (NOW + 36, "request.must_be_fresh"),
    ] {
        assert_eq!(code(&candidate.must_be_fresh(now, &profile)), expected, "{now}");
    }
    let narrow = Profile { window_seconds: 10, ..Profile::default() };
    assert_eq!(code(&candidate.must_be_fresh(NOW + 15, &narrow)), "ok");
    assert_eq!(code(&candidate.must_be_fresh(NOW + 16, &narrow)), "request.must_be_fresh");
}

/// What needs neither key nor time is refused before either is asked for.
#[test]
fn what_nobody_knows_is_refused_when_it_is_read() {
    let sent = signed(order());
    for (component, expected) in [
        ("\"@later\"", "request.signature_must_cover_known_components"),
        ("\"@path\";req", "request.signature_must_cover_known_components"),
        ("\"x-trace\"", "ok"),
    ] {
        let mut changed = sent.clone();
        let input = sent.get("signature-input").replace("=(", &format!("=({component} "));
        changed.set("signature-input", &input);
        let read = SignedRequest::read(&changed.request(), &Profile::default()).map(|_| ());
        assert_eq!(code(&read), expected, "{component}");
    }
}

/// A rotation: the old key signs the request, the new one signs it too and covers the old signature, each under its tag.
#[test]
fn a_second_signature_under_its_own_tag_covers_the_first() {
    let mut sent = signed(order());
    let (method, uri, content) = (sent.method.clone(), sent.uri.clone(), sent.content.clone());
    let line = RequestLine::of_uri(&method, &uri).unwrap();
    let rotate = Profile { tag: "strongroom-rotate".into(), ..Profile::default() };
    let new_key = SigningKey::ed25519(&[2; 32]).unwrap();
    let old_signature = Component::parse("\"signature\";key=\"strongroom\"").unwrap();
    let more = [old_signature.clone()];
    let parameters = SigningParameters { key_id: "acme.2", ..parameters(&[8; 16]) };
    let both =
        sign_request_covering(&line, &mut sent.headers, &new_key, &parameters, &content, &rotate, &more)
            .unwrap();
    assert_eq!(both.label, "strongroom2");

    assert_eq!(outcome(&sent), "ok");
    let request = sent.request();
    let candidate = SignedRequest::read(&request, &rotate).unwrap();
    assert_eq!(candidate.key_id(), "acme.2");
    assert!(candidate.covers(&old_signature));
    candidate.verify(&new_key.verifying_key().unwrap(), Content::Bytes(&content)).unwrap();

    let again = sign_request(&line, &mut sent.headers, &new_key, &parameters, &content, &rotate);
    assert_eq!(code(&again), "request.must_have_one_signature");
}

#[test]
fn nothing_that_is_printed_shows_a_field_a_query_or_a_key() {
    let secret = "hunter2";
    let mut sent = Sent::new("GET", "https://fund.example/v1/nav?token=hunter2", &[], b"");
    sent.set("authorization", secret);
    let (method, uri) = (sent.method.clone(), sent.uri.clone());
    let line = RequestLine::of_uri(&method, &uri).unwrap();
    let done =
        sign_request(&line, &mut sent.headers, &key(), &parameters(&[9; 16]), b"", &Profile::default())
            .unwrap();
    let request = sent.request();
    let candidate = SignedRequest::read(&request, &Profile::default()).unwrap();
    let printed = format!("{line:?} {request:?} {done:?} {candidate:?}");
    let verified = candidate.verify(&verifying(), Content::None).unwrap();
    assert!(String::from_utf8_lossy(verified.base()).contains(secret));
    let printed = format!("{printed} {verified:?}");
    assert!(!printed.contains(secret), "{printed}");
}

/// Whoever signs twice by mistake is told, and a third party's labels are left alone.
#[test]
fn signing_finds_a_free_label() {
    let mut sent = order();
    sent.set("signature-input", "strongroom=();tag=\"other\"");
    sent.set("signature", "strongroom=:AAAA:");
    let sent = signed(sent);
    let request = sent.request();
    assert_eq!(SignedRequest::read(&request, &Profile::default()).unwrap().label(), "strongroom2");
    assert_eq!(outcome(&sent), "ok");
}

/// Base64 has bits to spare at its end; whatever they are, they stand for the same signature. Only one spelling is taken.
#[test]
fn a_signature_has_one_spelling() {
    let sent = signed(order());
    let text = sent.get("signature");
    let (body, _) = text.split_once("==:").unwrap();
    let (kept, last) = body.split_at(body.len() - 1);
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let place = alphabet.find(last).unwrap();
    assert_eq!((place % 16, outcome(&sent)), (0, "ok"));
    for spare in 1..16 {
        let mut other = sent.clone();
        other.set("signature", &format!("{kept}{}==:", &alphabet[place + spare..=place + spare]));
        assert_eq!(outcome(&other), "request.must_be_well_formed", "{spare}");
    }
    for unpadded in ["=:", ":"] {
        let mut other = sent.clone();
        other.set("signature", &format!("{body}{unpadded}"));
        assert_eq!(outcome(&other), "request.must_be_well_formed", "{unpadded}");
    }
}
