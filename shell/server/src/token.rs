//! Session tokens: good once, for one purpose and context, in place of a signature where none can be made, such as a
//! browser's event stream. Only what is listed here takes one.

use crate::caller::Caller;
use crate::endpoint::Endpoint;
use crate::guard::problem_of;
use crate::house::{House, Shared};
use crate::problem::Problem;
use crate::view::{NewToken, TokenIssued};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use core::net::IpAddr;
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};
use strongroom_access::{KeyId, Scope};
use strongroom_gate::Need;
use strongroom_units::time::Timestamp;

/// The purpose that opens a fund's event stream; the context is the fund.
const EVENTS: &str = "events";
/// The query parameter that carries a token, `KEY~TOKEN`.
const PARAMETER: &str = "session_token=";

/// Issues a token to the key of a signed request.
pub(crate) async fn issue(
    State(house): State<Shared>,
    Extension(caller): Extension<Caller>,
    body: axum::body::Bytes,
) -> Result<Response, Problem> {
    let new: NewToken = serde_json::from_slice(&body).map_err(Problem::body)?;
    if new.purpose != EVENTS {
        return Err(Problem::parameter("purpose", "a token is for `events`; its context is the fund"));
    }
    let permit = caller.permit();
    let token = house.gate.issue_token(permit, EVENTS, context_of(&new.context), Timestamp::now());
    let token = token.ok_or_else(|| Problem::internal(&"no randomness"))?;
    let token = format!("{}~{}", permit.key, token.reveal());
    let mut response = (StatusCode::CREATED, Json(TokenIssued { token })).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn context_of(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// Uses up the token of a request, if the endpoint takes one and the request has one.
pub(crate) fn redeem(
    house: &House,
    endpoint: &Endpoint,
    peer: IpAddr,
    parts: &Parts,
    scope: Option<&Scope>,
) -> Result<Option<Caller>, Problem> {
    if endpoint.path != "/v1/funds/{fund}/events" {
        return Ok(None);
    }
    let shown =
        parts.uri.query().and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix(PARAMETER)));
    let Some(shown) = shown else { return Ok(None) };
    let wrong = || Problem::parameter("session_token", "it is KEY~TOKEN, as it was issued");
    let (key, token) = shown.split_once('~').or_else(|| shown.split_once("%7E")).ok_or_else(wrong)?;
    let key = KeyId::try_new(key).map_err(|_| wrong())?;
    let fund = parts.uri.path().split('/').nth(3).unwrap_or_default();
    let need = Need { scope, peer, now: Timestamp::now() };
    let permit = house.judging(|| house.gate.redeem(&key, token, (EVENTS, context_of(fund)), &need));
    let permit = permit.map_err(|refusal| problem_of(house, &refusal))?;
    Ok(Some(Caller::new(permit, house.gate.environment(), peer, scope.cloned())))
}
