//! `spec/vectors/http-signature-profile.json`: every row has its outcome. The file is made by
//! `tools/interop/profile_vectors.py`, which shares no code with this crate.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use common::{base64, hex, json};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use strongroom_signature::{
    Content, Profile, Request, RequestLine, Response, ResponseProfile, SignatureError, SignedRequest,
    SignedResponse, VerifyingKey,
};

fn vectors() -> Value {
    let file = "../../spec/vectors/http-signature-profile.json";
    json(&Path::new(env!("CARGO_MANIFEST_DIR")).join(file))
}

fn text<'v>(row: &'v Value, name: &str) -> &'v str {
    row[name].as_str().unwrap_or_else(|| panic!("{name} of {}", row["name"]))
}

/// `None` where no HTTP message can be made of the row.
fn headers(row: &Value) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for pair in row["headers"].as_array().unwrap() {
        let latin_1: Vec<u8> = pair[1]
            .as_str()
            .unwrap()
            .chars()
            .map(|character| u8::try_from(u32::from(character)).unwrap())
            .collect();
        let name = HeaderName::try_from(pair[0].as_str().unwrap()).ok()?;
        headers.append(name, HeaderValue::from_bytes(&latin_1).ok()?);
    }
    Some(headers)
}

fn line<'v>(row: &'v Value, method: &'v Method) -> RequestLine<'v> {
    RequestLine {
        method,
        scheme: text(row, "scheme"),
        authority: text(row, "authority"),
        path: text(row, "path"),
        query: row["query"].as_str(),
    }
}

fn key(vectors: &Value, row: &Value) -> VerifyingKey {
    let key = &vectors["keys"][text(row, "key")];
    match text(key, "algorithm") {
        "ed25519" => VerifyingKey::ed25519(&base64(text(key, "public"))),
        "ecdsa-p256-sha256" => VerifyingKey::ecdsa_p256(&base64(text(key, "public"))),
        "hmac-sha256" => VerifyingKey::hmac_sha256(&base64(text(key, "secret"))),
        other => panic!("{other}"),
    }
    .unwrap()
}

fn judge_request(
    row: &Value,
    headers: &HeaderMap,
    key: &VerifyingKey,
    profile: &Profile,
) -> Result<Vec<u8>, SignatureError> {
    let method = Method::try_from(text(row, "method")).unwrap();
    let request = Request { line: line(row, &method), headers };
    let content = base64(text(row, "content"));
    let seen = if row["content_seen"] == true { Content::Bytes(&content) } else { Content::CheckedElsewhere };
    let candidate = SignedRequest::read(&request, profile)?;
    candidate.must_be_fresh(row["now"].as_i64().unwrap(), profile)?;
    Ok(candidate.verify(key, seen)?.nonce().to_vec())
}

fn judge_response(
    row: &Value,
    headers: &HeaderMap,
    key: &VerifyingKey,
) -> Result<Option<i64>, SignatureError> {
    let method = Method::try_from(text(&row["request"], "method")).unwrap();
    let sent = self::headers(&row["request"]).unwrap();
    let request = Request { line: line(&row["request"], &method), headers: &sent };
    let status = StatusCode::from_u16(u16::try_from(row["status"].as_u64().unwrap()).unwrap()).unwrap();
    let candidate =
        SignedResponse::read(&Response { status, headers }, &request, &ResponseProfile::default())?;
    Ok(candidate.verify(key, &base64(text(row, "content")))?.server_time())
}

#[test]
fn the_profile_of_the_file_is_the_default_of_the_crate() {
    let vectors = vectors();
    let (profile, own, response) = (&vectors["profile"], Profile::default(), ResponseProfile::default());
    assert_eq!(text(profile, "tag"), own.tag);
    assert_eq!(text(profile, "tag"), response.request_tag);
    assert_eq!(text(profile, "response_tag"), response.tag);
    assert_eq!(profile["window_seconds"], own.window_seconds);
    assert_eq!(profile["skew_seconds"], own.skew_seconds);
    let covered: Vec<&str> = own.covered_when_present.iter().map(HeaderName::as_str).collect();
    assert_eq!(profile["covered_when_present"], Value::from(covered));
}

#[test]
fn every_request_has_its_outcome() {
    let vectors = vectors();
    let profile = Profile::default();
    let mut wrong = Vec::new();
    for row in vectors["requests"].as_array().unwrap() {
        let name = text(row, "name");
        let outcome = match headers(row) {
            None => "unreadable",
            Some(headers) => match judge_request(row, &headers, &key(&vectors, row), &profile) {
                Ok(nonce) => {
                    assert_eq!(nonce, hex(row["nonce"].as_str().unwrap_or_default()), "{name}");
                    "ok"
                }
                Err(error) => error.code(),
            },
        };
        if outcome != text(row, "outcome") {
            wrong.push(format!("{name}: {outcome} instead of {}", row["outcome"]));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_response_has_its_outcome() {
    let vectors = vectors();
    let mut wrong = Vec::new();
    for row in vectors["responses"].as_array().unwrap() {
        let name = text(row, "name");
        let outcome = match judge_response(row, &headers(row).unwrap(), &key(&vectors, row)) {
            Ok(server_time) => {
                assert_eq!(server_time, row["server_time"].as_i64(), "{name}");
                "ok"
            }
            Err(error) => error.code(),
        };
        if outcome != text(row, "outcome") {
            wrong.push(format!("{name}: {outcome} instead of {}", row["outcome"]));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Codes that no message can provoke have their reason here.
#[test]
fn every_code_of_a_request_has_a_row() {
    // Signing, not judging, gives it.
    let elsewhere = BTreeSet::from(["request.must_be_signable"]);
    let vectors = vectors();
    let rows: BTreeSet<&str> =
        vectors["requests"].as_array().unwrap().iter().map(|row| text(row, "outcome")).collect();
    let missing: Vec<_> = SignatureError::CODES
        .iter()
        .filter(|code| code.starts_with("request.") && !rows.contains(*code) && !elsewhere.contains(*code))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn names_of_rows_are_unique() {
    let vectors = vectors();
    for table in ["requests", "responses"] {
        let rows = vectors[table].as_array().unwrap();
        let names: BTreeSet<&str> = rows.iter().map(|row| text(row, "name")).collect();
        assert_eq!(names.len(), rows.len(), "{table}");
    }
}
