//! Signed responses: bound to the request, the content and the status; and the challenge in a refusal.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use common::Sent;
use http::{HeaderMap, HeaderValue, StatusCode};
use strongroom_signature::{
    ACCEPT_SIGNATURE, AcceptSignature, Binding, Nonce, Profile, REQUEST_TAG, RequestLine, Response,
    ResponseParameters, ResponseProfile, SignatureError, SignedResponse, SigningKey, SigningParameters,
    VerifiedResponse, sign_request, sign_response,
};

type Change = fn(&mut Answer);

const NOW: i64 = 1_700_000_000;

fn server() -> SigningKey {
    SigningKey::ed25519(&[2; 32]).unwrap()
}

fn signed_request(nonce: &[u8]) -> Sent {
    let mut sent = Sent::new("GET", "https://fund.example/v1/nav", &[], b"");
    let (method, uri) = (sent.method.clone(), sent.uri.clone());
    let line = RequestLine::of_uri(&method, &uri).unwrap();
    let parameters = SigningParameters { created: NOW - 600, expires: NOW - 570, nonce, key_id: "acme.1" };
    let key = SigningKey::hmac_sha256(&[3; 32]).unwrap();
    sign_request(&line, &mut sent.headers, &key, &parameters, b"", &Profile::default()).unwrap();
    sent
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    content: Vec<u8>,
}

fn answer(sent: &Sent) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/problem+json"));
    let nonce = Nonce::try_new(&[5; 24]).unwrap();
    headers.insert(ACCEPT_SIGNATURE, AcceptSignature::challenge(REQUEST_TAG, &nonce).header_value().unwrap());
    let content = b"{\"code\": \"request.must_be_fresh\"}".to_vec();
    let parameters = ResponseParameters { created: NOW, key_id: "server.1" };
    let status = StatusCode::UNAUTHORIZED;
    let profile = ResponseProfile::default();
    sign_response(status, &mut headers, &sent.request(), &server(), &parameters, &content, &profile).unwrap();
    Answer { status, headers, content }
}

fn judge(answer: &Answer, sent: &Sent) -> Result<VerifiedResponse, SignatureError> {
    let response = Response { status: answer.status, headers: &answer.headers };
    let candidate = SignedResponse::read(&response, &sent.request(), &ResponseProfile::default())?;
    assert_eq!(candidate.key_id(), "server.1");
    candidate.verify(&server().verifying_key().unwrap(), &answer.content)
}

fn outcome(answer: &Answer, sent: &Sent) -> &'static str {
    judge(answer, sent).as_ref().err().map_or("ok", SignatureError::code)
}

#[test]
fn a_refusal_of_a_signed_request_gives_the_servers_time_and_a_challenge() {
    let sent = signed_request(&[8; 16]);
    let answer = answer(&sent);
    let verified = judge(&answer, &sent).unwrap();
    assert_eq!(verified.binding(), Binding::Signature);
    assert_eq!(verified.server_time(), Some(NOW));
    let asked = AcceptSignature::read(&answer.headers).unwrap();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].tag.as_deref(), Some(REQUEST_TAG));
    assert_eq!(Nonce::decode(asked[0].nonce.as_deref().unwrap()).unwrap().as_bytes(), [5; 24]);
    assert_eq!(asked[0].components, ["\"@method\"", "\"@authority\"", "\"@path\"", "\"@query\""]);
}

#[test]
fn an_answer_to_an_unsigned_request_is_genuine_but_its_time_is_not_to_be_believed() {
    let sent = Sent::new("GET", "https://fund.example/v1/nav", &[], b"");
    let verified = judge(&answer(&sent), &sent).unwrap();
    assert_eq!(verified.binding(), Binding::Target);
    assert_eq!(verified.server_time(), None);
}

#[test]
fn an_answer_answers_one_request_only() {
    let first = signed_request(&[8; 16]);
    let second = signed_request(&[9; 16]);
    let unsigned = Sent::new("GET", "https://fund.example/v1/nav", &[], b"");
    assert_eq!(outcome(&answer(&first), &first), "ok");
    assert_eq!(outcome(&answer(&first), &second), "response.must_answer_the_request");
    assert_eq!(outcome(&answer(&unsigned), &first), "response.must_answer_the_request");
    let mut same_nonce = first.clone();
    same_nonce.uri = "https://fund.example/v1/other".parse().unwrap();
    assert_eq!(outcome(&answer(&first), &same_nonce), "response.signature_must_be_valid");
}

#[test]
fn every_change_to_an_answer_is_refused() {
    let rows: [(&str, Change); 6] = [
        ("response.signature_must_be_valid", |answer| answer.status = StatusCode::OK),
        ("response.content_must_match_digest", |answer| answer.content.push(b' ')),
        ("response.signature_must_be_valid", |answer| {
            answer.headers.insert("content-type", HeaderValue::from_static("text/html"));
        }),
        ("response.signature_must_be_valid", |answer| {
            let other = Nonce::try_new(&[6; 24]).unwrap();
            let value = AcceptSignature::challenge(REQUEST_TAG, &other).header_value().unwrap();
            answer.headers.insert(ACCEPT_SIGNATURE, value);
        }),
        ("response.signature_must_cover", |answer| {
            answer.headers.insert("location", HeaderValue::from_static("https://evil.example"));
        }),
        ("response.must_be_signed", |answer| {
            answer.headers.remove("signature");
        }),
    ];
    let sent = signed_request(&[8; 16]);
    for (expected, change) in rows {
        let mut changed = answer(&sent);
        change(&mut changed);
        assert_eq!(outcome(&changed, &sent), expected);
    }
}

#[test]
fn an_answer_to_head_has_a_length_but_no_content() {
    let mut sent = signed_request(&[8; 16]);
    sent.method = http::Method::HEAD;
    let mut headers = HeaderMap::new();
    headers.insert("content-length", HeaderValue::from_static("40"));
    let parameters = ResponseParameters { created: NOW, key_id: "server.1" };
    let profile = ResponseProfile::default();
    sign_response(StatusCode::OK, &mut headers, &sent.request(), &server(), &parameters, b"", &profile)
        .unwrap();
    let answer = Answer { status: StatusCode::OK, headers, content: Vec::new() };
    assert_eq!(outcome(&answer, &sent), "ok");
    sent.method = http::Method::GET;
    assert_eq!(outcome(&answer, &sent), "response.content_must_have_digest");
}

#[test]
fn what_is_asked_for_is_read_as_it_was_written() {
    let asked = AcceptSignature {
        label: "again".to_owned(),
        components: vec!["\"@method\"".to_owned(), "\"@query-param\";name=\"a\"".to_owned()],
        nonce: Some("a\"b".to_owned()),
        algorithm: Some("ed25519".to_owned()),
        key_id: Some("acme.1".to_owned()),
        tag: None,
    };
    let mut headers = HeaderMap::new();
    headers.append(ACCEPT_SIGNATURE, asked.header_value().unwrap());
    headers.append(ACCEPT_SIGNATURE, HeaderValue::from_static("second=()"));
    let read = AcceptSignature::read(&headers).unwrap();
    assert_eq!(read.len(), 2);
    assert_eq!(read[0], asked);
    for malformed in ["a=1", "a=(", "a=();nonce=b", "a=();tag=1", "a=(), a=()"] {
        headers.insert(ACCEPT_SIGNATURE, HeaderValue::from_static(malformed));
        assert!(AcceptSignature::read(&headers).is_err(), "{malformed}");
    }
    for unfit in ["", "A", "a b"] {
        let unfit = AcceptSignature { label: unfit.to_owned(), ..asked.clone() };
        assert!(unfit.header_value().is_err(), "{unfit:?}");
    }
    assert!(AcceptSignature { nonce: Some("\u{e9}".to_owned()), ..asked }.header_value().is_err());
}
