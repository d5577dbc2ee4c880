//! Idempotency keys: a request that is sent again with its key gets the answer of the first, and has no second effect
//! (draft-ietf-httpapi-idempotency-key-header). The key is bound to the request: method, path, query and content.

use crate::guard::problem_of;
use crate::house::House;
use crate::problem::Problem;
use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use sha2::{Digest, Sha256};
use strongroom_access::KeyId;
use strongroom_access::idempotency::{Begun, Ticket};
use strongroom_gate::GateRefusal;
use strongroom_units::time::Timestamp;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that nothing was done anew.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The longest answer to a request with a key.
const KEPT_MAX: usize = 8 * 1024 * 1024;

/// An answer for whoever asks again.
#[derive(Debug, Clone)]
pub(crate) struct KeptAnswer {
    status: StatusCode,
    headers: HeaderMap,
    content: Bytes,
}

/// What a request with or without a key is to get.
pub(crate) enum Turn {
    /// Execute it; with a ticket, its answer is to be kept.
    First(Option<Ticket>),
    /// It was executed before.
    Again(Response),
}

/// Begins a request of a key.
pub(crate) fn begin(house: &House, key: &KeyId, parts: &Parts, content: &[u8]) -> Result<Turn, Problem> {
    let mut named = parts.headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(name) = named.next() else { return Ok(Turn::First(None)) };
    // What only reads may be asked again as it is, and may never end: its answers are not to fill the memory.
    if matches!(parts.method, Method::GET | Method::HEAD) {
        return Ok(Turn::First(None));
    }
    let wrong = |detail: &str| Problem::parameter("Idempotency-Key", detail);
    if named.next().is_some() {
        return Err(wrong("give one"));
    }
    let name = name.to_str().map_err(|_| wrong("it has 1 to 255 printable ASCII characters"))?;
    let mut repeats =
        house.repeats.lock().map_err(|_| Problem::internal(&"the idempotency keys are poisoned"))?;
    let begun = repeats.begin(key.lineage.as_str(), name, identity(parts, content), Timestamp::now());
    match begun.map_err(|refusal| problem_of(house, &GateRefusal::Idempotency(refusal)))? {
        Begun::First(ticket) => Ok(Turn::First(Some(ticket))),
        Begun::Again(kept) => {
            let mut answer = Response::new(Body::from(kept.content.clone()));
            *answer.status_mut() = kept.status;
            *answer.headers_mut() = kept.headers.clone();
            answer.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
            Ok(Turn::Again(answer))
        }
    }
}

/// Keeps an answer, a failure of ours included: what failed late may have had its effect. Only who was told to come back
/// later was certainly not executed, and finds the key free.
pub(crate) async fn finish(house: &House, ticket: Ticket, answer: Response) -> Response {
    let (head, body) = answer.into_parts();
    let content = Limited::new(body, KEPT_MAX).collect().await.map(|content| content.to_bytes());
    let Ok(mut repeats) = house.repeats.lock() else {
        return Problem::internal(&"the idempotency keys are poisoned").into_response();
    };
    let content = match content {
        Ok(content) if head.status != StatusCode::SERVICE_UNAVAILABLE => content,
        Ok(content) => {
            repeats.abandon(ticket);
            return Response::from_parts(head, Body::from(content));
        }
        Err(error) => return Problem::internal(&error).into_response(),
    };
    let is_secret = head.headers.get(header::CACHE_CONTROL).is_some_and(|value| value == "no-store");
    if head.status.is_success() && is_secret {
        // What is shown once is not kept for a second time.
        repeats.finish(ticket, shown_once());
        return Response::from_parts(head, Body::from(content));
    }
    let mut kept = HeaderMap::new();
    for name in [header::CONTENT_TYPE, header::LOCATION, header::ETAG, header::CACHE_CONTROL] {
        if let Some(value) = head.headers.get(&name) {
            kept.insert(name, value.clone());
        }
    }
    repeats.finish(ticket, KeptAnswer { status: head.status, headers: kept, content: content.clone() });
    Response::from_parts(head, Body::from(content))
}

/// For whoever asks again for a code, a token or a secret.
fn shown_once() -> KeptAnswer {
    let status = StatusCode::CONFLICT;
    let detail = "this was done, and its answer holds a secret that is shown once; if it was lost, revoke what was made";
    let details = Problem::new(status, "request.answer_must_be_shown_once", detail).details();
    let headers =
        HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))]);
    KeptAnswer { status, headers, content: serde_json::to_vec(&details).unwrap_or_default().into() }
}

fn identity(parts: &Parts, content: &[u8]) -> [u8; 32] {
    let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
    let mut hash = Sha256::new();
    for part in [parts.method.as_str().as_bytes(), target.as_bytes(), content] {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}
