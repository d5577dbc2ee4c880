//! Answers that are no: RFC 9457 problem details with a stable code, what to do next, and the server's time.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use strongroom_access::AccessRefusal;
use strongroom_desk::DeskError;
use strongroom_engine::Refusal;
use strongroom_store::StoreError;
use strongroom_units::time::Timestamp;

/// Where a code is explained; each has a page.
const PAGES: &str = "/errors/";

/// One refusal. Nothing was changed.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// The body of a problem (RFC 9457 section 3.1), with three members of ours.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ProblemDetails {
    /// The page that explains the code.
    #[serde(rename = "type")]
    #[schema(rename = "type")]
    pub kind: String,
    /// The rule that was broken; it never changes its meaning.
    pub code: &'static str,
    /// The status of the answer.
    pub status: u16,
    /// The rule in words.
    pub title: String,
    /// What is wrong and what to do.
    pub detail: String,
    /// The server's time, RFC 3339. Trust it only on a signed answer.
    pub server_time: String,
    /// The id of the request in the server's log; also in `X-Request-Id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl Problem {
    /// A refusal by a rule.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), headers: Vec::new() }
    }

    /// Adds a header, such as a challenge or when to come back.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Nothing is there.
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "resource.must_exist", format!("there is no {what}"))
    }

    /// A body that cannot be read.
    pub fn body(error: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "request.body_must_be_readable", error.to_string())
    }

    /// A query parameter or a part of the path that cannot be read.
    pub fn parameter(name: &str, error: impl std::fmt::Display) -> Self {
        let detail = format!("{name}: {error}");
        Self::new(StatusCode::BAD_REQUEST, "request.parameter_must_be_valid", detail)
    }

    /// Something failed here that the caller cannot mend. The cause goes to the log, not to the caller.
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(request = crate::telemetry::current_id().unwrap_or_default(), "{cause}");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "server.must_not_fail",
            "something failed here; the operator's log has the reason",
        )
    }

    /// The body.
    pub fn details(&self) -> ProblemDetails {
        ProblemDetails {
            kind: format!("{PAGES}{}", self.code),
            code: self.code,
            status: self.status.as_u16(),
            title: self.code.replace(['.', '_'], " "),
            detail: self.detail.clone(),
            server_time: Timestamp::now().to_string(),
            request_id: crate::telemetry::current_id(),
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.code
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.details())).into_response();
        response.extensions_mut().insert(crate::telemetry::Code(self.code));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value) in self.headers {
            headers.append(name, value);
        }
        response
    }
}

impl From<&DeskError> for Problem {
    fn from(error: &DeskError) -> Self {
        match error {
            DeskError::Refused(refusal) => refusal.as_ref().into(),
            DeskError::AccessRefused(refusal) => refusal.into(),
            DeskError::NonceWasUsed => Self::new(StatusCode::UNAUTHORIZED, error.code(), error.to_string()),
            DeskError::Busy => Self::new(StatusCode::SERVICE_UNAVAILABLE, error.code(), error.to_string())
                .with(header::RETRY_AFTER, HeaderValue::from_static("1")),
            DeskError::Closed => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, error.code(), "the server is closing")
            }
            DeskError::Store(error @ (StoreError::LogPlaceUnknown | StoreError::Audit(_))) => {
                Self::new(StatusCode::NOT_FOUND, "log.leaf_must_be_in_the_log", error.to_string())
            }
            DeskError::Store(StoreError::LogFaulty(fault)) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "log.must_be_whole",
                format!("nothing is changed over a log that was edited: {fault}"),
            ),
            // Database text is not for callers.
            _ => Self::internal(error),
        }
    }
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        (&error).into()
    }
}

impl From<&Refusal> for Problem {
    fn from(refusal: &Refusal) -> Self {
        let status = match refusal {
            Refusal::FundMustBeOpen => StatusCode::NOT_FOUND,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::new(status, refusal.code(), refusal.to_string())
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        (&refusal).into()
    }
}

impl From<&AccessRefusal> for Problem {
    fn from(refusal: &AccessRefusal) -> Self {
        Self::new(strongroom_gate::status_of(refusal), refusal.code(), refusal.to_string())
    }
}

impl From<AccessRefusal> for Problem {
    fn from(refusal: AccessRefusal) -> Self {
        (&refusal).into()
    }
}
