//! Authorisation for a proxy in front of somebody else's application: nginx's `auth_request` and Envoy's `ext_authz`.
//!
//! Only loopback and the networks named at start may ask. The application gets the principal, the key and its scopes in
//! header fields that the proxy must set anew for every request.

use crate::guard::{content_of, problem_of};
use crate::house::{House, Shared};
use crate::problem::Problem;
use axum::body::Body;
use axum::extract::{ConnectInfo, Query, State};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;
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
const SCOPE_ASKED: HeaderName = HeaderName::from_static("x-strongroom-need");
const CLIENT: HeaderName = HeaderName::from_static("x-real-ip");

/// What the proxy's configuration says, never its client.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// The scope that the place needs.
    scope: String,
    /// `checked`: the application checks the content against Content-Digest.
    #[serde(default)]
    content: Option<String>,
}

/// nginx: a subrequest without content.
pub(crate) async fn nginx(
    State(house): State<Shared>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let judged = (|| {
        must_be_proxy(&house, peer.ip())?;
        let original = Original::of_nginx(&headers).map_err(|refusal| problem_of(&house, &refusal))?;
        let elsewhere = match asked.content.as_deref() {
            Some("checked") => ContentElsewhere::Checked,
            _ => ContentElsewhere::Refused,
        };
        judge(&house, &original, &asked.scope, None, elsewhere)
    })();
    match judged {
        Ok(permit) => allowed(&permit, StatusCode::NO_CONTENT),
        // nginx passes on 401 and 403 and takes anything else for a failure of ours.
        Err(problem) => {
            let code = HeaderValue::from_static(problem.code());
            let mut response = problem.into_response();
            if response.status() != StatusCode::UNAUTHORIZED {
                *response.status_mut() = StatusCode::FORBIDDEN;
            }
            response.headers_mut().insert(CODE, code);
            response
        }
    }
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
        Err(problem) => problem.into_response(),
    }
}

async fn ask_envoy(house: &House, peer: IpAddr, parts: &Parts, body: Body) -> Result<Permit, Problem> {
    must_be_proxy(house, peer)?;
    let refused = |refusal: GateRefusal| problem_of(house, &refusal);
    let content = content_of(body, CONTENT_MAX).await?;
    let mut original =
        Original::of_envoy(&parts.method, &parts.uri, &parts.headers, ENVOY_PREFIX).map_err(refused)?;
    let scope = original.headers.remove(SCOPE_ASKED);
    let scope = scope.as_ref().and_then(|scope| scope.to_str().ok()).map(str::to_owned);
    let scope = scope.ok_or_else(|| refused(GateRefusal::ProxyMustPassOn(SCOPE_ASKED.to_string())))?;
    judge(house, &original, &scope, Some(&content), ContentElsewhere::Refused)
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

fn judge(
    house: &House,
    original: &Original,
    scope: &str,
    content: Option<&[u8]>,
    elsewhere: ContentElsewhere,
) -> Result<Permit, Problem> {
    let refused = |refusal: GateRefusal| problem_of(house, &refusal);
    let scope = Scope::try_new(scope)?;
    let now = Timestamp::now();
    let client = original.headers.get(CLIENT).and_then(|value| value.to_str().ok()?.parse().ok());
    let peer = client.ok_or_else(|| refused(GateRefusal::ProxyMustPassOn(CLIENT.to_string())))?;
    let line = RequestLine::received(&original.method, &original.uri, &original.headers, original.scheme)
        .map_err(|_| refused(GateRefusal::HostMustBeOne))?;
    let request = line.with(&original.headers);
    let candidate = match content {
        Some(_) => house.gate.read(&request, now),
        None => house.gate.read_unseen(&request, elsewhere, now),
    };
    let content = content.map_or(Content::CheckedElsewhere, Content::Bytes);
    let need = Need { scope: Some(&scope), peer, now };
    candidate.and_then(|candidate| house.gate.judge(candidate, content, &need)).map_err(refused)
}

fn allowed(permit: &Permit, status: StatusCode) -> Response {
    let mut response = status.into_response();
    let scopes: Vec<&str> = permit.scopes.iter().map(Scope::as_str).collect();
    let fields = [
        (PRINCIPAL, permit.principal.id.to_string()),
        (KEY, permit.key.to_string()),
        (SCOPES, scopes.join(" ")),
    ];
    for (name, value) in fields {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
