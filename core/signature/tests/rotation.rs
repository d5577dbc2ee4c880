//! `spec/vectors/rotation.json`: every row has its outcome, and what is signed here is accepted. The file is made by
//! `tools/interop/rotation_vectors.py`, which shares no code with this crate.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use common::{base64, json};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value;
use std::path::Path;
use strongroom_signature::{
    Content, Profile, ROTATE_TAG, Request, RequestLine, SignatureError, SignedRequest, SigningKey,
    SigningParameters, VerifyingKey, sign_request, sign_rotation, verify_rotation,
};

fn vectors() -> Value {
    json(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors/rotation.json"))
}

fn key(vectors: &Value, name: &str) -> VerifyingKey {
    let key = &vectors["keys"][name];
    let public = base64(key["public"].as_str().unwrap());
    match key["algorithm"].as_str().unwrap() {
        "ed25519" => VerifyingKey::ed25519(&public).unwrap(),
        _ => VerifyingKey::ecdsa_p256(&public).unwrap(),
    }
}

fn judge(vectors: &Value, row: &Value) -> Result<(), SignatureError> {
    let text = |name: &str| row[name].as_str().unwrap();
    let mut headers = HeaderMap::new();
    for pair in row["headers"].as_array().unwrap() {
        let name: HeaderName = pair[0].as_str().unwrap().parse().unwrap();
        headers.append(name, pair[1].as_str().unwrap().parse().unwrap());
    }
    let method: Method = text("method").parse().unwrap();
    let line = RequestLine {
        method: &method,
        scheme: text("scheme"),
        authority: text("authority"),
        path: text("path"),
        query: row["query"].as_str(),
    };
    let (request, profile) = (Request { line, headers: &headers }, Profile::default());
    let content = base64(text("content"));
    let old = SignedRequest::read(&request, &profile)?;
    old.must_be_fresh(row["now"].as_i64().unwrap(), &profile)?;
    let old = old.verify(&key(vectors, text("old")), Content::Bytes(&content))?;
    let new = key(vectors, text("new"));
    verify_rotation(&request, &old, text("lineage"), &new, Content::Bytes(&content), &profile).map(drop)
}

#[test]
fn every_request_for_a_successor_has_its_outcome() {
    let vectors = vectors();
    assert_eq!(vectors["tag"], ROTATE_TAG);
    let rows = vectors["requests"].as_array().unwrap();
    let outcome = |row: &Value| judge(&vectors, row).map_or_else(|error| error.code(), |()| "ok");
    let wrong: Vec<_> = rows
        .iter()
        .filter(|row| outcome(row) != row["outcome"])
        .map(|row| format!("{}: {} instead of {}", row["name"], outcome(row), row["outcome"]))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(rows.len() >= 20);
}

#[test]
fn what_both_keys_sign_here_is_accepted_and_only_with_the_new_key() {
    let (old, new) = (SigningKey::ed25519(&[1; 32]).unwrap(), SigningKey::ed25519(&[2; 32]).unwrap());
    let (profile, content) = (Profile::default(), b"{}");
    let line = RequestLine {
        method: &Method::POST,
        scheme: "https",
        authority: "fund.example",
        path: "/v1/keys/k0123456789ab/rotate",
        query: None,
    };
    let mut headers =
        HeaderMap::from_iter([(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    let by_old =
        SigningParameters { created: 1_000, expires: 1_030, nonce: &[7; 24], key_id: "k0123456789ab.1" };
    let by_new = SigningParameters { key_id: "k0123456789ab", ..by_old };
    let alone = sign_rotation(&line, &mut headers.clone(), &new, &by_new, content, &profile).unwrap_err();
    assert_eq!(alone.code(), "request.must_be_signed", "the old key signs first");
    sign_request(&line, &mut headers, &old, &by_old, content, &profile).unwrap();
    sign_rotation(&line, &mut headers, &new, &by_new, content, &profile).unwrap();
    let request = line.with(&headers);
    let public = |key: &SigningKey| VerifyingKey::ed25519(&key.public_key().unwrap()).unwrap();
    let verified = SignedRequest::read(&request, &profile).unwrap();
    let verified = verified.verify(&public(&old), Content::Bytes(content)).unwrap();
    let judged = |key: &SigningKey| {
        let content = Content::Bytes(content);
        verify_rotation(&request, &verified, "k0123456789ab", &public(key), content, &profile).map(drop)
    };
    assert!(judged(&new).is_ok());
    assert_eq!(judged(&old).unwrap_err().code(), "request.signature_must_be_valid");
}
