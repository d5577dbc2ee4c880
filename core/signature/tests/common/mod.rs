//! What the tests of this crate share: keys of RFC 9421 Appendix B, messages from text, bytes from text.
#![allow(dead_code, reason = "each test takes what it needs")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use serde_json::Value;
use std::path::Path;
use strongroom_signature::{Request, RequestLine};

pub fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

pub fn base64(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}

pub fn base64url(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).unwrap()
}

pub fn hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}

/// A request that owns its parts.
#[derive(Clone, Debug)]
pub struct Sent {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub content: Vec<u8>,
}

impl Sent {
    pub fn new(method: &str, uri: &str, headers: &[(&str, &str)], content: &[u8]) -> Self {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap());
        }
        Self {
            method: Method::try_from(method).unwrap(),
            uri: uri.parse().unwrap(),
            headers: map,
            content: content.to_vec(),
        }
    }

    pub fn line(&self) -> RequestLine<'_> {
        RequestLine::of_uri(&self.method, &self.uri).unwrap()
    }

    pub fn request(&self) -> Request<'_> {
        self.line().with(&self.headers)
    }

    pub fn set(&mut self, name: &'static str, value: &str) {
        self.headers.insert(name, HeaderValue::try_from(value).unwrap());
    }

    pub fn get(&self, name: &str) -> String {
        self.headers[name].to_str().unwrap().to_owned()
    }
}
