//! What a proxy asks about: the request as its client sent it, put together again from what the proxy sends on.
//!
//! | | nginx `auth_request` | Envoy `ext_authz` |
//! |---|---|---|
//! | method and target | `X-Original-Method`, `X-Original-URI` | its own, under a prefix |
//! | host and scheme | `X-Original-Host`, `X-Original-Scheme` | `Host`, `X-Forwarded-Proto` |
//! | client | `X-Real-IP` | `X-Real-IP` |
//! | scope | in the query of the question | `X-Strongroom-Need` |
//! | content | never sent; its length and coding are named | sent, when `with_request_body` says so |
//!
//! The proxy must set each of these itself, or a client would write them: the guide shows how. What is missing, or there
//! twice, is refused and never guessed.

use crate::plain::is_plain;
use crate::refusal::GateRefusal;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use std::net::IpAddr;
use strongroom_access::Scope;

const ORIGINAL_METHOD: HeaderName = HeaderName::from_static("x-original-method");
const ORIGINAL_URI: HeaderName = HeaderName::from_static("x-original-uri");
const ORIGINAL_HOST: HeaderName = HeaderName::from_static("x-original-host");
const ORIGINAL_SCHEME: HeaderName = HeaderName::from_static("x-original-scheme");
const ORIGINAL_LENGTH: HeaderName = HeaderName::from_static("x-original-content-length");
const ORIGINAL_CODING: HeaderName = HeaderName::from_static("x-original-transfer-encoding");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const CLIENT: HeaderName = HeaderName::from_static("x-real-ip");
const NEED: HeaderName = HeaderName::from_static("x-strongroom-need");
/// What the gate says to the application and what a proxy says to the gate.
const OURS: &str = "x-strongroom-";

/// A client's request as a proxy passed it on.
#[derive(Debug, Clone)]
pub struct Original {
    /// Its method.
    pub method: Method,
    /// Path and query as sent.
    pub uri: Uri,
    /// `https` or `http`, as the proxy spoke with the client.
    pub scheme: &'static str,
    /// From where it came to the proxy.
    pub client: IpAddr,
    /// Its header fields.
    pub headers: HeaderMap,
}

impl Original {
    /// From the subrequest of nginx's `auth_request`.
    pub fn of_nginx(headers: &HeaderMap) -> Result<Self, GateRefusal> {
        let method = one(headers, &ORIGINAL_METHOD)?.as_bytes();
        let method = Method::from_bytes(method).map_err(|_| unset(&ORIGINAL_METHOD))?;
        let target = one(headers, &ORIGINAL_URI)?.to_str().map_err(|_| GateRefusal::PathMustBePlain)?;
        let scheme = scheme_of(one(headers, &ORIGINAL_SCHEME)?, &ORIGINAL_SCHEME)?;
        let host = one(headers, &ORIGINAL_HOST)?.clone();
        let client = client_of(headers)?;
        let mut restored = headers.clone();
        restored.insert(header::HOST, host);
        // An empty value is what nginx sends for a field that the client did not.
        for (from, to) in
            [(ORIGINAL_LENGTH, header::CONTENT_LENGTH), (ORIGINAL_CODING, header::TRANSFER_ENCODING)]
        {
            restored.remove(&to);
            if let Some(value) = restored.remove(&from).filter(|value| !value.is_empty()) {
                restored.insert(to, value);
            }
        }
        for name in [ORIGINAL_METHOD, ORIGINAL_URI, ORIGINAL_HOST, ORIGINAL_SCHEME, CLIENT] {
            restored.remove(&name);
        }
        must_not_speak_for_the_gate(&restored)?;
        Ok(Self { method, uri: plain_uri(target)?, scheme, client, headers: restored })
    }

    /// From Envoy's `ext_authz` request, whose path is the client's behind `prefix`; with the scope that its route needs.
    pub fn of_envoy(
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        prefix: &str,
    ) -> Result<(Self, Scope), GateRefusal> {
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let target = target.strip_prefix(prefix).ok_or_else(|| unset(&header::HOST))?;
        let scheme = scheme_of(one(headers, &FORWARDED_PROTO)?, &FORWARDED_PROTO)?;
        let need = one(headers, &NEED)?.to_str().map_err(|_| unset(&NEED))?;
        let scope = Scope::try_new(need).map_err(|_| unset(&NEED))?;
        let client = client_of(headers)?;
        let mut restored = headers.clone();
        for name in [NEED, CLIENT] {
            restored.remove(&name);
        }
        must_not_speak_for_the_gate(&restored)?;
        let original =
            Self { method: method.clone(), uri: plain_uri(target)?, scheme, client, headers: restored };
        Ok((original, scope))
    }
}

/// The target in origin-form, in a spelling that proxy and application cannot read differently.
fn plain_uri(target: &str) -> Result<Uri, GateRefusal> {
    if !is_plain(target) {
        return Err(GateRefusal::PathMustBePlain);
    }
    target.parse().map_err(|_| GateRefusal::PathMustBePlain)
}

/// A proxy sets those that it knows; an application may come to trust another.
fn must_not_speak_for_the_gate(headers: &HeaderMap) -> Result<(), GateRefusal> {
    match headers.keys().find(|name| name.as_str().starts_with(OURS)) {
        Some(name) => Err(GateRefusal::FieldMustBeTheGates(name.to_string())),
        None => Ok(()),
    }
}

fn client_of(headers: &HeaderMap) -> Result<IpAddr, GateRefusal> {
    let text = one(headers, &CLIENT)?.to_str().map_err(|_| unset(&CLIENT))?;
    text.parse().map_err(|_| unset(&CLIENT))
}

fn one<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<&'h HeaderValue, GateRefusal> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Ok(value),
        _ => Err(unset(name)),
    }
}

fn scheme_of(value: &HeaderValue, name: &HeaderName) -> Result<&'static str, GateRefusal> {
    match value.as_bytes() {
        b"https" => Ok("https"),
        b"http" => Ok("http"),
        _ => Err(unset(name)),
    }
}

fn unset(name: &HeaderName) -> GateRefusal {
    GateRefusal::ProxyMustPassOn(name.to_string())
}
