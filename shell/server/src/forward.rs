//! Authorisation for a proxy in front of somebody else's application: nginx's `auth_request` and Envoy's `ext_authz`.
//!
//! Only loopback and the networks named at start may ask. The application gets the principal, the key and its scopes in
//! header fields that the proxy must set anew for every request. A refusal is signed over the client's own request, so
//! that the client may trust its time and heal, although it is the proxy that hands it over.

use crate::caller::Caller;
use crate::guard::{content_of, note_first_use, problem_of, signed_over};
use crate::house::{House, Shared};
use crate::problem::Problem;
use crate::telemetry::about_key;
use crate::usage::Outcome;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Query, State};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use strongroom_access::Scope;
use strongroom_gate::{GateRefusal, Need, Original, Permit};
use strongroom_signature::{Content, ContentElsewhere, RequestLine};
use strongroom_units::time::Timestamp;

/// Where Envoy sends what it asks about, its path behind it.
pub(crate) const ENVOY_PREFIX: &str = "/gate/envoy";
/// The most content that Envoy may send along.
const CONTENT_MAX: usize = 1024 * 1024;

const PRINCIPAL: HeaderName = HeaderName::from_static("x-strongroom-principal");
const KEY: HeaderName = HeaderName::from_static("x-strongroom-key");
const SCOPES: HeaderName = HeaderName::from_static("x-strongroom-scopes");
const CODE: HeaderName = HeaderName::from_static("x-strongroom-code");
const CONTENT: HeaderName = HeaderName::from_static("x-strongroom-content");
const REFUSAL: HeaderName = HeaderName::from_static("x-strongroom-refusal");

/// What the proxy's configuration says, never its client.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// The scope that the place needs.
    scope: String,
    /// `checked`: a later step compares the content with `X-Strongroom-Content`.
    #[serde(default)]
    content: Option<String>,
}

/// A request that did not pass: why, and what it was where that much is known.
type Refused = (Option<Box<Original>>, Problem);

/// nginx: a subrequest without content.
pub(crate) async fn nginx(
    State(house): State<Shared>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    match ask_nginx(&house, peer.ip(), &asked, &headers).await {
        Ok(permit) => {
            let mut response = allowed(&permit, StatusCode::NO_CONTENT);
            put(&mut response, CONTENT, &content_left(&permit));
            response
        }
        Err((original, problem)) => carried(&house, original, problem).await,
    }
}

async fn ask_nginx(
    house: &Shared,
    peer: IpAddr,
    asked: &Asked,
    headers: &HeaderMap,
) -> Result<Permit, Refused> {
    must_be_proxy(house, peer).map_err(|problem| (None, problem))?;
    let original = Original::of_nginx(headers).map_err(|refusal| (None, problem_of(house, &refusal)))?;
    let elsewhere = match asked.content.as_deref() {
        Some("checked") => ContentElsewhere::Checked,
        _ => ContentElsewhere::Refused,
    };
    let judged = match Scope::try_new(&asked.scope) {
        Ok(scope) => judge(house, &original, &scope, None, elsewhere).await,
        Err(refusal) => Err(refusal.into()),
    };
    judged.map_err(|problem| (Some(Box::new(original)), problem))
}

/// Envoy: the request itself under a prefix, content included. The route's configuration names the scope.
pub(crate) async fn envoy(
    State(house): State<Shared>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: axum::extract::Request,
) -> Response {
    let (parts, body) = request.into_parts();
    match ask_envoy(&house, peer.ip(), &parts, body).await {
        Ok(permit) => allowed(&permit, StatusCode::OK),
        Err((original, problem)) => signed(&house, original, problem.into_response()).await,
    }
}

async fn ask_envoy(house: &Shared, peer: IpAddr, parts: &Parts, body: Body) -> Result<Permit, Refused> {
    must_be_proxy(house, peer).map_err(|problem| (None, problem))?;
    let asked = Original::of_envoy(&parts.method, &parts.uri, &parts.headers, ENVOY_PREFIX);
    let (original, scope) = asked.map_err(|refusal| (None, problem_of(house, &refusal)))?;
    let judged = match content_of(body, CONTENT_MAX).await {
        Ok(content) => judge(house, &original, &scope, Some(content), ContentElsewhere::Refused).await,
        Err(problem) => Err(problem),
    };
    judged.map_err(|problem| (Some(Box::new(original)), problem))
}

/// A decision helps nobody but its proxy; others could only use up nonces that they have overheard.
fn must_be_proxy(house: &House, peer: IpAddr) -> Result<(), Problem> {
    if peer.to_canonical().is_loopback()
        || house.proxies.iter().any(|network| network.contains(&peer.to_canonical()))
    {
        return Ok(());
    }
    let detail = "only the proxies named with --proxy may ask for decisions";
    Err(Problem::new(StatusCode::FORBIDDEN, "gate.must_be_asked_by_its_proxy", detail))
}

async fn judge(
    house: &Shared,
    original: &Original,
    scope: &Scope,
    content: Option<Bytes>,
    elsewhere: ContentElsewhere,
) -> Result<Permit, Problem> {
    let refused = |refusal: GateRefusal| problem_of(house, &refusal);
    let now = Timestamp::now();
    let line = line_of(original).ok_or_else(|| refused(GateRefusal::HostMustBeOne))?;
    let candidate =
        house.gate.read_foreign(&line.with(&original.headers), elsewhere, now).map_err(refused)?;
    let key = candidate.key().clone();
    about_key(&key);
    let content = content.as_deref().map_or(Content::CheckedElsewhere, Content::Bytes);
    let need = Need { scope: Some(scope), peer: original.client, now };
    let judged = house.judging(|| house.gate.judge(candidate, content, &need));
    house.watch((Some(&key), original.client, &original.headers), Some(scope), &judged);
    let permit = judged.map_err(refused)?;
    house.usage.count(&permit.key, Outcome::LetIn, original.client, &original.headers);
    if permit.is_first_use {
        let (environment, scope) = (house.gate.environment(), Some(scope.clone()));
        note_first_use(house, &Caller::new(permit.clone(), environment, original.client, scope)).await?;
    }
    Ok(permit)
}

fn line_of(original: &Original) -> Option<RequestLine<'_>> {
    RequestLine::received(&original.method, &original.uri, &original.headers, original.scheme).ok()
}

fn allowed(permit: &Permit, status: StatusCode) -> Response {
    let mut response = status.into_response();
    let scopes: Vec<&str> = permit.scopes.iter().map(Scope::as_str).collect();
    put(&mut response, PRINCIPAL, permit.principal.id.as_str());
    put(&mut response, KEY, &permit.key.to_string());
    put(&mut response, SCOPES, &scopes.join(" "));
    response
}

fn put(response: &mut Response, name: HeaderName, value: &str) {
    // Names, keys and scopes are ASCII; a proxy that finds none of them set hands on none.
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// What the content must be that the gate did not see: its digest as it was signed, or `none`. So the later step
/// compares bytes and parses no field that a client wrote.
fn content_left(permit: &Permit) -> String {
    let left = permit.verified.as_ref().and_then(|verified| verified.content_left()).flatten();
    left.map_or_else(|| "none".to_owned(), |digest| digest.text())
}

/// A whole answer in one header field: of a subrequest, nginx keeps the status and header fields and drops the content.
#[derive(Serialize)]
struct Carried {
    status: u16,
    fields: BTreeMap<String, String>,
    body: String,
}

/// nginx takes 401 and 403 for a no and anything else for a failure, so the true status is inside.
async fn carried(house: &House, original: Option<Box<Original>>, problem: Problem) -> Response {
    let code = problem.code();
    let answer = signed(house, original, problem.into_response()).await;
    let status = match answer.status() {
        StatusCode::UNAUTHORIZED => StatusCode::UNAUTHORIZED,
        _ => StatusCode::FORBIDDEN,
    };
    let (head, body) = answer.into_parts();
    let body = body.collect().await.map(|collected| collected.to_bytes()).unwrap_or_default();
    let fields = head.headers.iter().filter(|(name, _)| **name != header::CONTENT_LENGTH);
    let fields = fields.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
    let whole = Carried {
        status: head.status.as_u16(),
        fields: fields.collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let mut response = status.into_response();
    let text = serde_json::to_vec(&whole).unwrap_or_default();
    put(&mut response, REFUSAL, &STANDARD.encode(text));
    put(&mut response, CODE, code);
    response
}

/// Signs a refusal over the client's request, where that could be put together.
async fn signed(house: &House, original: Option<Box<Original>>, answer: Response) -> Response {
    let line = original.as_deref().and_then(|original| Some(line_of(original)?.with(&original.headers)));
    match line {
        Some(request) => signed_over(house, &request, answer).await,
        None => answer,
    }
}
