//! The requests of a load as bytes, each signed with a nonce of its own.

use super::child::PATH;
use crate::Failure;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use sha2::Sha256;
use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};
use strongroom_signature::{Profile, RequestLine, Signed, SigningKey, SigningParameters, sign_request};

/// Bytes of content.
pub const CONTENT_BYTES: usize = 1_024;
const LIFETIME_SECONDS: i64 = 60;
/// For nginx, whose script checks no more than this.
const BODY_HMAC: HeaderName = HeaderName::from_static("x-body-hmac");

/// A key and its name.
pub struct Signer {
    pub key: SigningKey,
    pub name: String,
}

/// A request and how it was signed.
pub struct Made {
    pub method: Method,
    pub headers: HeaderMap,
    pub content: Vec<u8>,
    pub signed: Option<Signed>,
}

/// What a token is asked for with, filled up with white space to its size.
fn content() -> Vec<u8> {
    let mut content = br#"{"purpose":"events","context":"BTCX""#.to_vec();
    content.resize(CONTENT_BYTES - 1, b' ');
    content.push(b'}');
    content
}

/// One request to an address; not signed where there is no signer. The counter is its nonce.
pub fn make(address: SocketAddr, signer: Option<&Signer>, counter: u64) -> Result<Made, Failure> {
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, HeaderValue::try_from(address.to_string())?);
    headers.insert(header::USER_AGENT, HeaderValue::from_static("strongroom-bench"));
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(CONTENT_BYTES));
    let mut made = Made { method: Method::POST, headers, content: content(), signed: None };
    if let Some(signer) = signer {
        let created = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?;
        let mut nonce = [0; 16];
        nonce.iter_mut().zip(counter.to_be_bytes()).for_each(|(place, byte)| *place = byte);
        let parameters = SigningParameters {
            created,
            expires: created + LIFETIME_SECONDS,
            nonce: &nonce,
            key_id: &signer.name,
        };
        let authority = address.to_string();
        let line = RequestLine {
            method: &made.method,
            scheme: "http",
            authority: &authority,
            path: PATH,
            query: None,
        };
        let profile = Profile::default();
        let signed =
            sign_request(&line, &mut made.headers, &signer.key, &parameters, &made.content, &profile)?;
        made.signed = Some(signed);
    }
    Ok(made)
}

/// Many, as they are sent. With a secret, each has the MAC of the content alone in a field of its own as well.
pub fn many(
    address: SocketAddr,
    signer: Option<&Signer>,
    secret: Option<&[u8]>,
    counters: std::ops::Range<u64>,
) -> Result<Vec<Vec<u8>>, Failure> {
    let ready = |counter| {
        let mut made = make(address, signer, counter)?;
        if let Some(secret) = secret {
            let mac = Hmac::<Sha256>::new_from_slice(secret)?.chain_update(&made.content).finalize();
            made.headers.insert(BODY_HMAC, HeaderValue::try_from(STANDARD.encode(mac.into_bytes()))?);
        }
        Ok(as_sent(&made))
    };
    counters.map(ready).collect()
}

fn as_sent(made: &Made) -> Vec<u8> {
    let mut bytes = format!("{} {PATH} HTTP/1.1\r\n", made.method).into_bytes();
    for (name, value) in &made.headers {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&made.content);
    bytes
}
