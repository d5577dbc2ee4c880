//! The message that a signature covers, borrowed from the `http` crate. This module knows nothing of signatures; it
//! decides what the derived components of RFC 9421 section 2.2 are in a message.

use crate::rule::Rule;
use http::uri::{Authority, Uri};
use http::{HeaderMap, Method, StatusCode, header};
use std::fmt;

/// What of a request is not in its header fields: RFC 9110 calls it control data.
#[derive(Clone, Copy)]
pub struct RequestLine<'m> {
    /// Case-sensitive, as sent.
    pub method: &'m Method,
    /// `https` or `http`.
    pub scheme: &'m str,
    /// Host and port, as in `Host` or `:authority`; compared in lower case and without the scheme's own port.
    pub authority: &'m str,
    /// As sent: percent-encoding is not touched.
    pub path: &'m str,
    /// As sent, without the question mark. `None` and the empty query are one `@query`, `?` (RFC 9421 section 2.2.7).
    pub query: Option<&'m str>,
}

/// A request.
#[derive(Clone, Copy)]
pub struct Request<'m> {
    /// Method and target.
    pub line: RequestLine<'m>,
    /// Its header fields, without trailers.
    pub headers: &'m HeaderMap,
}

/// A response.
#[derive(Clone, Copy)]
pub struct Response<'m> {
    /// Three digits.
    pub status: StatusCode,
    /// Its header fields, without trailers.
    pub headers: &'m HeaderMap,
}

/// A message with what its components may be taken from.
#[derive(Clone, Copy, Debug)]
pub enum Message<'m> {
    /// A request.
    Request(Request<'m>),
    /// A response, and the request it answers, for components with the `req` parameter (RFC 9421 section 2.4).
    Response {
        /// The response.
        response: Response<'m>,
        /// The request, if it is known.
        request: Option<Request<'m>>,
    },
}

/// Host and port; a user's name is not sent (RFC 9110 section 4.2.4).
fn is_authority(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'@' | b'/' | b'?' | b'#'))
}

impl<'m> RequestLine<'m> {
    /// Of a client's request, whose URI is absolute.
    ///
    /// # Errors
    /// [`Rule::MustBeWellFormed`] where the URI has no scheme or no authority, or names a user.
    pub fn of_uri(method: &'m Method, uri: &'m Uri) -> Result<Self, Rule> {
        let scheme = uri.scheme_str().ok_or(Rule::MustBeWellFormed("target URI"))?;
        let authority = uri.authority().map(Authority::as_str).filter(|authority| is_authority(authority));
        let authority = authority.ok_or(Rule::MustBeWellFormed("target URI"))?;
        Ok(Self { method, scheme, authority, path: uri.path(), query: uri.query() })
    }

    /// As a server received it: the authority is the target's, else that of the one `Host` field. The scheme is what
    /// the server knows of its own connection, never what a field claims.
    ///
    /// # Errors
    /// [`Rule::MustBeWellFormed`] where there is no authority, more than one, or one that names a user.
    pub fn received(
        method: &'m Method,
        uri: &'m Uri,
        headers: &'m HeaderMap,
        scheme: &'m str,
    ) -> Result<Self, Rule> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let host = hosts.next().map(|host| host.to_str().map_err(|_| Rule::MustBeWellFormed("host")));
        let host = host.transpose()?;
        if hosts.next().is_some() {
            return Err(Rule::MustBeWellFormed("host"));
        }
        let authority = match (uri.authority().map(Authority::as_str), host) {
            (Some(target), Some(host)) if !target.eq_ignore_ascii_case(host) => {
                return Err(Rule::MustBeWellFormed("host"));
            }
            (Some(authority), _) | (None, Some(authority)) => authority,
            (None, None) => return Err(Rule::MustBeWellFormed("host")),
        };
        if !is_authority(authority) {
            return Err(Rule::MustBeWellFormed("host"));
        }
        Ok(Self { method, scheme, authority, path: uri.path(), query: uri.query() })
    }

    /// With header fields it is a request.
    #[must_use]
    pub fn with(self, headers: &'m HeaderMap) -> Request<'m> {
        Request { line: self, headers }
    }

    /// The authority in its normal form (RFC 9421 section 2.2.3): lower case, without the default port.
    pub(crate) fn push_authority(&self, out: &mut Vec<u8>) {
        let default_port = match self.scheme {
            scheme if scheme.eq_ignore_ascii_case("https") => ":443",
            scheme if scheme.eq_ignore_ascii_case("http") => ":80",
            _ => "\0",
        };
        let authority = self.authority.strip_suffix(default_port).unwrap_or(self.authority);
        out.extend(authority.bytes().map(|byte| byte.to_ascii_lowercase()));
    }

    pub(crate) fn push_scheme(&self, out: &mut Vec<u8>) {
        out.extend(self.scheme.bytes().map(|byte| byte.to_ascii_lowercase()));
    }

    /// The path; an empty one is `/` (RFC 9421 section 2.2.6).
    pub(crate) fn push_path(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.path.is_empty() { b"/" } else { self.path.as_bytes() });
    }

    /// The question mark and the query; only the question mark where there is none (RFC 9421 section 2.2.7).
    pub(crate) fn push_query(&self, out: &mut Vec<u8>) {
        out.push(b'?');
        out.extend_from_slice(self.query.unwrap_or_default().as_bytes());
    }

    /// Path and query as they stand in the request target, where no query is no question mark.
    fn push_path_and_query(&self, out: &mut Vec<u8>) {
        self.push_path(out);
        if self.query.is_some() {
            self.push_query(out);
        }
    }

    /// RFC 9421 section 2.2.2.
    pub(crate) fn push_target_uri(&self, out: &mut Vec<u8>) {
        self.push_scheme(out);
        out.extend_from_slice(b"://");
        self.push_authority(out);
        self.push_path_and_query(out);
    }

    /// The target in origin-form, or in authority-form for CONNECT (RFC 9421 section 2.2.5). The absolute-form of a
    /// request to a proxy is not known here.
    pub(crate) fn push_request_target(&self, out: &mut Vec<u8>) {
        if *self.method == Method::CONNECT {
            return self.push_authority(out);
        }
        self.push_path_and_query(out);
    }
}

// Fields and queries may hold secrets, so no Debug shows them.

impl fmt::Debug for RequestLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}://{}{}", self.method, self.scheme, self.authority, self.path)
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} with {} fields", self.line, self.headers.len())
    }
}

impl fmt::Debug for Response<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with {} fields", self.status, self.headers.len())
    }
}
