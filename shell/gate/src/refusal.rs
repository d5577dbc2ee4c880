//! Why a request did not pass, with the status that HTTP has for it.

use crate::shared::SharedError;
use crate::wal::AppendError;
use http::StatusCode;
use strongroom_access::AccessRefusal;
use strongroom_access::idempotency::IdempotencyRefusal;
use strongroom_access::rate_limit::RateRefusal;
use strongroom_access::replay::ReplayRefusal;
use strongroom_signature::SignatureError;
use strongroom_units::time::Timestamp;
use thiserror::Error;

/// A request that did not pass. Nothing was executed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GateRefusal {
    /// The signature is missing, malformed, stale or wrong.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The nonce was used, or its lineage has used up its room.
    #[error(transparent)]
    Replay(#[from] ReplayRefusal),
    /// The key is unknown or at its end, or it may not do this.
    #[error(transparent)]
    Access(#[from] AccessRefusal),
    /// More requests than the key may make.
    #[error(transparent)]
    Rate(#[from] RateRefusal),
    /// A nonce could not be made durable: its request is not executed.
    #[error(transparent)]
    Nonces(#[from] AppendError),
    /// Redis, which remembers nonces for all verifiers, has not confirmed this one: its request is not executed.
    #[error(transparent)]
    Shared(#[from] SharedError),
    /// A key of a repeat that cannot be one.
    #[error(transparent)]
    Idempotency(#[from] IdempotencyRefusal),
    /// A key that counts, with a nonce that is no number.
    #[error("this key counts: its nonce is eight zero bytes and a number of eight, big-endian, as base64url")]
    NonceMustBeANumber,
    /// A bearer key where a signature is needed.
    #[error(
        "a bearer key only reads, with GET or HEAD and without content; sign the request with a signing key"
    )]
    BearerMustOnlyRead,
    /// A proxy that does not say what it asks about.
    #[error("the proxy must pass on {0}; see the guide for its configuration")]
    ProxyMustPassOn(String),
    /// A field that only the gate gives.
    #[error("leave out {0}: fields of this name are the gate's word to the application")]
    FieldMustBeTheGates(String),
    /// A path that a proxy and the application behind it could read differently.
    #[error(
        "write the path in its plainest form: no empty, `.` or `..` segment, no escape that is not needed, no \
         escaped slash, no fragment"
    )]
    PathMustBePlain,
    /// No host, or more than one.
    #[error("the request must name one host")]
    HostMustBeOne,
    /// Content that is too long or broke off.
    #[error("the content is too long, or broke off")]
    ContentMustBeReadable,
    /// This verifier has not looked at the log of access for longer than its lease.
    #[error("this verifier has lost sight of the log of keys and lets nothing in until it sees it again")]
    LeaseMustBeCurrent,
    /// Something that the gate needs failed: it does not open then.
    #[error("the gate could not decide and does not open")]
    Failed,
}

impl GateRefusal {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Signature(error) => error.code(),
            Self::Replay(refusal) => refusal.code(),
            Self::Access(refusal) => refusal.code(),
            Self::Rate(refusal) => refusal.code(),
            Self::Nonces(error) => error.code(),
            Self::Shared(error) => error.code(),
            Self::Idempotency(refusal) => refusal.code(),
            Self::NonceMustBeANumber => "request.nonce_must_be_a_number",
            Self::BearerMustOnlyRead => "request.bearer_must_only_read",
            Self::ProxyMustPassOn(_) => "gate.proxy_must_pass_the_request_on",
            Self::FieldMustBeTheGates(_) => "request.must_not_speak_for_the_gate",
            Self::PathMustBePlain => "request.path_must_be_plain",
            Self::HostMustBeOne => "request.must_name_one_host",
            Self::ContentMustBeReadable => "request.body_must_be_readable",
            Self::LeaseMustBeCurrent => "gate.lease_must_be_current",
            Self::Failed => "gate.must_be_able_to_decide",
        }
    }

    /// The refusal as problem details (RFC 9457) with the server's time.
    pub fn problem(&self, now: Timestamp) -> serde_json::Value {
        let (code, status) = (self.code(), self.status().as_u16());
        serde_json::json!({
            "type": format!("/errors/{code}"),
            "code": code,
            "status": status,
            "title": code.replace(['.', '_'], " "),
            "detail": self.to_string(),
            "server_time": now.to_string(),
        })
    }

    /// When trying again could help.
    pub fn retry_after_seconds(&self) -> Option<u64> {
        match self {
            Self::Rate(RateRefusal::RateMustStayWithinTheQuota { retry_after_seconds, .. })
            | Self::Idempotency(IdempotencyRefusal::LineageMustHaveRoom { retry_after_seconds }) => {
                Some(*retry_after_seconds)
            }
            Self::Replay(ReplayRefusal::RateMustStayWithinTheQuota { retry_after_seconds }) => {
                Some(u64::from(*retry_after_seconds))
            }
            Self::Failed
            | Self::LeaseMustBeCurrent
            | Self::Nonces(_)
            | Self::Shared(_)
            | Self::Replay(ReplayRefusal::WindowMustHaveRoom)
            | Self::Rate(RateRefusal::KeysMustHaveRoom)
            | Self::Idempotency(IdempotencyRefusal::KeyMustNotBeInUse | IdempotencyRefusal::MustHaveRoom) => {
                Some(1)
            }
            _ => None,
        }
    }

    /// The status: 401 where a better signature would pass, 403 where none of this key would, 429 where waiting helps.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Signature(_) | Self::NonceMustBeANumber => StatusCode::UNAUTHORIZED,
            Self::Replay(ReplayRefusal::RateMustStayWithinTheQuota { .. }) => StatusCode::TOO_MANY_REQUESTS,
            Self::Replay(ReplayRefusal::WindowMustHaveRoom) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Replay(_) => StatusCode::UNAUTHORIZED,
            Self::Access(refusal) => status_of(refusal),
            Self::Rate(RateRefusal::KeysMustHaveRoom) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Rate(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Idempotency(refusal) => status_of_repeat(refusal),
            Self::BearerMustOnlyRead | Self::ProxyMustPassOn(_) => StatusCode::FORBIDDEN,
            Self::FieldMustBeTheGates(_)
            | Self::PathMustBePlain
            | Self::HostMustBeOne
            | Self::ContentMustBeReadable => StatusCode::BAD_REQUEST,
            Self::Failed | Self::LeaseMustBeCurrent | Self::Nonces(_) | Self::Shared(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }
}

fn status_of_repeat(refusal: &IdempotencyRefusal) -> StatusCode {
    match refusal {
        IdempotencyRefusal::KeyMustFit => StatusCode::BAD_REQUEST,
        IdempotencyRefusal::KeyMustNotBeInUse => StatusCode::CONFLICT,
        IdempotencyRefusal::LineageMustHaveRoom { .. } => StatusCode::TOO_MANY_REQUESTS,
        IdempotencyRefusal::MustHaveRoom => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// The status of a refusal of access.
pub fn status_of(refusal: &AccessRefusal) -> StatusCode {
    match refusal {
        AccessRefusal::KeyMustBeKnown
        | AccessRefusal::KeyMustBeValidAlready { .. }
        | AccessRefusal::KeyMustNotBeExpired { .. }
        | AccessRefusal::KeyMustNotBeRetired(_)
        | AccessRefusal::KeyMustNotBeRevoked(_)
        | AccessRefusal::EnrolmentMustBeOpen(_) => StatusCode::UNAUTHORIZED,
        AccessRefusal::EnvironmentMustMatch { .. }
        | AccessRefusal::KeyMustNotBeSuspended
        | AccessRefusal::KeyMustOnlyRead(_)
        | AccessRefusal::NetworkMustBeAllowed
        | AccessRefusal::ScopeMustBeGranted(_)
        | AccessRefusal::PrincipalMustBeEnabled(_)
        | AccessRefusal::ScopeMustNotBeDenied(_)
        | AccessRefusal::RoleMustAllowScope { .. }
        | AccessRefusal::OperatorMustBeMissing => StatusCode::FORBIDDEN,
        AccessRefusal::PrincipalMustBeNew(_)
        | AccessRefusal::ParticipantMustBeUnique(_)
        | AccessRefusal::NameMustBeNew
        | AccessRefusal::WindowMustHaveRoom { .. }
        | AccessRefusal::KeyMustBeNew
        | AccessRefusal::PredecessorMustExist
        | AccessRefusal::LastOperatorMustRemain(_) => StatusCode::CONFLICT,
        AccessRefusal::Name(_)
        | AccessRefusal::ScopeMustBeKnown(_)
        | AccessRefusal::PolicyMustBeBounded { .. }
        | AccessRefusal::ListMustBeBounded { .. } => StatusCode::BAD_REQUEST,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}
