//! What an answer to a change carries of the log: the receipt of what it caused; and what the log gets of the answer.

use crate::house::House;
use axum::Json;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use sha2::{Digest, Sha256};
use strongroom_access::Algorithm;
use strongroom_desk::{CONTENT_MAX, Evidence, Place, SignedAnswer};
use strongroom_gate::Permit;
use strongroom_signature::Signed;

/// Characters of what a client calls itself.
const USER_AGENT_MAX: usize = 200;

/// The record of the signed request that an answer belongs to, among its extensions.
#[derive(Debug, Clone)]
pub(crate) struct OfRequest(pub Place);

/// An answer with the receipt of the last record that the request caused, as its member `receipt`.
pub(crate) fn recorded<T: Serialize>(
    status: StatusCode,
    view: &T,
    caused: Option<&Place>,
    request: Option<Place>,
) -> Response {
    let mut response = match serde_json::to_value(view) {
        Ok(serde_json::Value::Object(mut members)) => {
            let receipt =
                caused.and_then(Place::receipt).and_then(|receipt| serde_json::to_value(receipt).ok());
            members.extend(receipt.map(|receipt| ("receipt".to_owned(), receipt)));
            (status, Json(members)).into_response()
        }
        _ => (status, Json(view)).into_response(),
    };
    if let Some(place) = request {
        response.extensions_mut().insert(OfRequest(place));
    }
    response
}

/// What is to be kept of a request that was let in. Where a field with a secret was signed, the hash of the text stands
/// for it.
pub(crate) fn evidence_of(
    permit: &Permit,
    algorithm: Algorithm,
    content: &[u8],
    headers: &HeaderMap,
    peer: core::net::IpAddr,
) -> Option<Box<Evidence>> {
    let verified = permit.verified.as_ref()?;
    let base = String::from_utf8_lossy(verified.base()).into_owned();
    let has_secret = base.lines().any(|line| {
        let name = line.split(':').next().unwrap_or_default();
        ["\"authorization\"", "\"cookie\"", "\"proxy-authorization\""]
            .iter()
            .any(|secret| name.contains(secret))
    });
    let signature_base = match has_secret {
        true => format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(verified.base()))),
        false => base,
    };
    let content =
        std::str::from_utf8(content).ok().filter(|text| text.len() <= CONTENT_MAX && !text.contains('\0'));
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    let mut salt = [0; 16];
    aws_lc_rs::rand::fill(&mut salt).ok()?;
    Some(Box::new(Evidence {
        signature_base,
        signature: STANDARD.encode(verified.signature()),
        algorithm: algorithm.to_string(),
        content: content.filter(|text| !text.is_empty()).map(str::to_owned),
        peer,
        user_agent: agent.map(|agent| agent.chars().take(USER_AGENT_MAX).collect()),
        salt,
    }))
}

/// Hands a signed answer to the desk, to be kept beside the record of its request.
pub(crate) fn keep(
    house: &House,
    place: &Place,
    (status, headers): (StatusCode, &HeaderMap),
    signed: &Signed,
    content: &[u8],
) {
    let (stream, seq) = place.name();
    // What is shown once is not kept.
    let is_secret = headers.get(header::CACHE_CONTROL).is_some_and(|value| value == "no-store");
    let content = std::str::from_utf8(content)
        .ok()
        .filter(|_| !is_secret)
        .filter(|text| text.len() <= CONTENT_MAX && !text.contains('\0'));
    let answer = SignedAnswer {
        stream: stream.to_owned(),
        seq,
        status: status.as_u16(),
        key: house.answerer().key_id().to_owned(),
        signature_base: String::from_utf8_lossy(&signed.base).into_owned(),
        signature: STANDARD.encode(&signed.bytes),
        content: content.map(str::to_owned),
    };
    // A desk that is full or closed has no room for it: it can be signed anew from the log.
    drop(house.desk.try_run(move |desk| {
        if let Err(error) = desk.keep_answer(answer) {
            eprintln!("error: an answer was not kept: {error}");
        }
    }));
}

/// Whether a request of this method may change something.
pub(crate) fn may_change(parts: &Parts) -> bool {
    !matches!(parts.method, http::Method::GET | http::Method::HEAD)
}
