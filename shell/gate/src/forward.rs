//! What a proxy asks about: the request as its client sent it, put together again from what the proxy sends on.
//!
//! | proxy | method and target | host and scheme | content |
//! |---|---|---|---|
//! | nginx `auth_request` | `X-Original-Method`, `X-Original-URI` | `X-Original-Host`, `X-Original-Scheme` | never sent; its length and coding are named |
//! | Envoy `ext_authz` | its own, under a prefix | `Host`, `X-Forwarded-Proto` | sent, when `with_request_body` says so |
//!
//! The proxy must set each of these itself, or a client would write them: the guide shows how.

use crate::refusal::GateRefusal;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};

const ORIGINAL_METHOD: HeaderName = HeaderName::from_static("x-original-method");
const ORIGINAL_URI: HeaderName = HeaderName::from_static("x-original-uri");
const ORIGINAL_HOST: HeaderName = HeaderName::from_static("x-original-host");
const ORIGINAL_SCHEME: HeaderName = HeaderName::from_static("x-original-scheme");
const ORIGINAL_LENGTH: HeaderName = HeaderName::from_static("x-original-content-length");
const ORIGINAL_CODING: HeaderName = HeaderName::from_static("x-original-transfer-encoding");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// A client's request as a proxy passed it on.
#[derive(Debug, Clone)]
pub struct Original {
    /// Its method.
    pub method: Method,
    /// Path and query as sent.
    pub uri: Uri,
    /// `https` or `http`, as the proxy spoke with the client.
    pub scheme: &'static str,
    /// Its header fields.
    pub headers: HeaderMap,
}

impl Original {
    /// From the subrequest of nginx's `auth_request`. What the proxy did not set is refused, never guessed.
    pub fn of_nginx(headers: &HeaderMap) -> Result<Self, GateRefusal> {
        let method = one(headers, &ORIGINAL_METHOD)?.as_bytes();
        let method = Method::from_bytes(method).map_err(|_| unset(&ORIGINAL_METHOD))?;
        let uri = one(headers, &ORIGINAL_URI)?.as_bytes().try_into().map_err(|_| unset(&ORIGINAL_URI))?;
        let scheme = scheme_of(one(headers, &ORIGINAL_SCHEME)?, &ORIGINAL_SCHEME)?;
        let host = one(headers, &ORIGINAL_HOST)?.clone();
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
        for name in [ORIGINAL_METHOD, ORIGINAL_URI, ORIGINAL_HOST, ORIGINAL_SCHEME] {
            restored.remove(&name);
        }
        Ok(Self { method, uri, scheme, headers: restored })
    }

    /// From Envoy's `ext_authz` request, whose path is the client's behind `prefix`.
    pub fn of_envoy(
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        prefix: &str,
    ) -> Result<Self, GateRefusal> {
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let target = target.strip_prefix(prefix).filter(|rest| rest.starts_with('/'));
        let uri = target.and_then(|target| target.parse().ok()).ok_or_else(|| unset(&header::HOST))?;
        let scheme = scheme_of(one(headers, &FORWARDED_PROTO)?, &FORWARDED_PROTO)?;
        Ok(Self { method: method.clone(), uri, scheme, headers: headers.clone() })
    }
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
