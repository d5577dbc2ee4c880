//! The profile: what a service demands of a signature beyond RFC 9421. Written down in
//! `spec/http-signature-profile.md`.

use http::header::{self, HeaderName};
use std::borrow::Cow;

/// Seconds from `created` to `expires`, at most.
pub const LIFETIME_SECONDS_MAX: i64 = 60;

/// The tag of a signed request.
pub const REQUEST_TAG: &str = "strongroom-request";
/// The tag of a signed response.
pub const RESPONSE_TAG: &str = "strongroom-response";
/// The label under which this crate signs; a verifier takes any label and goes by the tag.
pub const LABEL: &str = "strongroom";

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const ACCEPT_SIGNATURE: HeaderName = HeaderName::from_static("accept-signature");

/// Fields by which common frameworks take a request for another one, or its sender for somebody else.
const HEEDED_BY_FRAMEWORKS: [&str; 6] = [
    "cookie",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
];

/// What is to be done where the judge of a signature does not see the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentElsewhere {
    /// Refuse requests that have content or may have it.
    Refused,
    /// A later step sees the content and compares it with the covered `Content-Digest`.
    Checked,
}

/// What a request must be like.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The tag that counts; exactly one signature must have it.
    pub tag: Cow<'static, str>,
    /// Seconds after `created` at which a signature is too old, whatever it says of its own expiry.
    pub window_seconds: i64,
    /// Seconds by which a signer's clock may differ.
    pub skew_seconds: i64,
    /// Fields that must be covered where they are present: every one that changes what the service does.
    pub covered_when_present: Vec<HeaderName>,
    /// Where the content is judged.
    pub content_elsewhere: ContentElsewhere,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            tag: Cow::Borrowed(REQUEST_TAG),
            window_seconds: LIFETIME_SECONDS_MAX,
            skew_seconds: 5,
            covered_when_present: vec![
                header::AUTHORIZATION,
                header::CONTENT_ENCODING,
                header::CONTENT_TYPE,
                IDEMPOTENCY_KEY,
                header::IF_MATCH,
                header::IF_NONE_MATCH,
            ],
            content_elsewhere: ContentElsewhere::Refused,
        }
    }
}

impl Profile {
    /// The same profile, which also demands that a field be covered where it is present.
    #[must_use]
    pub fn demanding(mut self, field: HeaderName) -> Self {
        if !self.covered_when_present.contains(&field) {
            self.covered_when_present.push(field);
        }
        self
    }

    /// The same profile for a service that nobody has read: it also demands what common frameworks heed.
    #[must_use]
    pub fn for_any_application(self) -> Self {
        let fields = HEEDED_BY_FRAMEWORKS.iter().map(|name| HeaderName::from_static(name));
        fields.fold(self, Self::demanding)
    }
}

/// What a response must be like.
#[derive(Clone, Debug)]
pub struct ResponseProfile {
    /// The tag that counts; exactly one signature must have it.
    pub tag: Cow<'static, str>,
    /// The tag of the request's own signature, which the response must cover.
    pub request_tag: Cow<'static, str>,
    /// Fields that must be covered where they are present.
    pub covered_when_present: Vec<HeaderName>,
}

impl Default for ResponseProfile {
    fn default() -> Self {
        Self {
            tag: Cow::Borrowed(RESPONSE_TAG),
            request_tag: Cow::Borrowed(REQUEST_TAG),
            covered_when_present: vec![
                ACCEPT_SIGNATURE,
                header::CONTENT_ENCODING,
                header::CONTENT_TYPE,
                header::ETAG,
                header::LOCATION,
                header::RETRY_AFTER,
            ],
        }
    }
}
