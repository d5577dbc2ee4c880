//! The transport: TLS, the agent, a server's address and its directory of keys. It signs nothing and believes nothing.

use crate::client::{Answer, Options};
use crate::error::ClientError;
use crate::key_file::ServerKey;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{HeaderMap, Method, Uri};
use std::sync::Arc;
use std::time::Duration;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};

/// The longest answer that is read.
const ANSWER_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Where a server lists the keys with which it signs.
const DIRECTORY: &str = "/.well-known/http-message-signatures-directory";
/// The longest directory that is read.
const DIRECTORY_BYTES_MAX: u64 = 64 * 1024;
/// How long a whole request may take.
const WAIT: Duration = Duration::from_secs(30);

/// Sends a request as it is, signed or not, and takes whatever comes back. For tests of a server's defences.
///
/// # Errors
/// The transport's.
pub fn send_as_it_is(options: &Options, request: &http::Request<Vec<u8>>) -> Result<Answer, ClientError> {
    let agent = agent(options, &request.uri().to_string())?;
    let (status, headers, body) =
        transport(&agent, request.method(), request.uri(), request.headers(), request.body())?;
    Ok(Answer { status: status.as_u16(), headers, body, tries: 1, is_signed: false })
}

pub(crate) fn transport(
    agent: &ureq::Agent,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(http::StatusCode, HeaderMap, Vec<u8>), ClientError> {
    let failed = |error: ureq::Error| ClientError::Transport(error.to_string());
    let mut request = http::Request::new(body);
    *request.method_mut() = method.clone();
    *request.uri_mut() = uri.clone();
    *request.headers_mut() = headers.clone();
    // A POST without content says so by its length; a GET says nothing.
    let is_bare = body.is_empty() && *method != Method::POST;
    let mut response = match is_bare {
        true => agent.run(request.map(|_| ())).map_err(failed)?,
        false => agent.run(request).map_err(failed)?,
    };
    let limited = response.body_mut().with_config().limit(ANSWER_BYTES_MAX);
    let content = limited.read_to_vec().map_err(|error| match error {
        ureq::Error::BodyExceedsLimit(max) => ClientError::AnswerMustBeBounded(max),
        other => failed(other),
    })?;
    Ok((response.status(), response.headers().clone(), content))
}

/// Scheme, host and port of a server's URL, without a slash at the end.
pub(crate) fn base_of(server: &str) -> Result<String, ClientError> {
    let uri: Uri = server.parse().map_err(|_| ClientError::Url(server.to_owned()))?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(ClientError::Url(server.to_owned()));
    };
    let host = authority.host().trim_matches(['[', ']']);
    let is_loopback = host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
    match scheme {
        "https" => {}
        "http" if is_loopback => {}
        "http" => return Err(ClientError::PlaintextMustStayOnLoopback(host.to_owned())),
        _ => return Err(ClientError::Url(server.to_owned())),
    }
    Ok(format!("{scheme}://{authority}"))
}

/// The server's keys as its directory lists them, a JSON Web Key Set: believed as far as the transport is.
pub(crate) fn directory(options: &Options, server: &str) -> Result<Vec<ServerKey>, ClientError> {
    let failed = |error: ureq::Error| ClientError::Transport(error.to_string());
    let base = base_of(server)?;
    let mut answer = agent(options, &base)?.get(format!("{base}{DIRECTORY}")).call().map_err(failed)?;
    let text = answer.body_mut().with_config().limit(DIRECTORY_BYTES_MAX).read_to_vec().map_err(failed)?;
    let set: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
    let keys = set.get("keys").and_then(serde_json::Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let key = |listed: &serde_json::Value| {
        let public = URL_SAFE_NO_PAD.decode(listed.get("x")?.as_str()?).ok()?;
        Some(ServerKey {
            key: listed.get("kid")?.as_str()?.to_owned(),
            algorithm: "ed25519".to_owned(),
            public_key: STANDARD.encode(public),
            vouched: listed.get("vouched").and_then(serde_json::Value::as_str).map(str::to_owned),
        })
    };
    // The directory has the newest first; a chain is followed from the oldest on.
    Ok(keys.iter().rev().filter_map(key).collect())
}

pub(crate) fn agent(options: &Options, base: &str) -> Result<ureq::Agent, ClientError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut tls =
        TlsConfig::builder().provider(TlsProvider::Rustls).unversioned_rustls_crypto_provider(provider);
    if let Some(path) = &options.ca {
        let wrong = |reason: String| ClientError::KeyFile { path: path.clone(), reason };
        let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
        let certificates: Vec<Certificate<'static>> = parse_pem(&pem)
            .filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            })
            .collect();
        if certificates.is_empty() {
            return Err(wrong("it has no certificate".to_owned()));
        }
        tls = tls.root_certs(RootCerts::from(certificates));
    }
    // A proxy of the environment would carry plaintext to another machine; over https it sees none.
    let proxy = if base.starts_with("http://") { None } else { ureq::Proxy::try_from_env() };
    let config = ureq::Agent::config_builder()
        .tls_config(tls.build())
        .proxy(proxy)
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(WAIT))
        .allow_non_standard_methods(true)
        .build();
    Ok(config.into())
}
