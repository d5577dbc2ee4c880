//! Why a webhook is not acted on, or not taken to be delivered. A refusal changes nothing.

use thiserror::Error;

/// A rule that was broken. The code never changes its meaning.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WebhookRefusal {
    /// A header field that is missing, comes twice, or is not what it should be.
    #[error("{0}")]
    MustBeWellFormed(String),
    /// An attempt of another time.
    #[error("it was signed {age_seconds} seconds ago, and at most {tolerance_seconds} are tolerated")]
    MustBeFresh {
        /// Seconds; negative for one from the future.
        age_seconds: i64,
        /// Seconds.
        tolerance_seconds: i64,
    },
    /// No signature fits.
    #[error("no signature fits this content and a known secret")]
    SignatureMustBeValid,
    /// It was acted on before.
    #[error("{0} was acted on before; answer 200")]
    IdMustBeNew(String),
    /// Another caller is acting on it.
    #[error("{0} is being acted on; answer 409, and the sender asks again")]
    IdMustNotBeInUse(String),
    /// Too many ids that must not be forgotten yet.
    #[error("{0} ids are remembered and none may be forgotten yet; answer 503")]
    MemoryMustHaveRoom(usize),
    /// A secret in another form.
    #[error(
        "a secret is whsec_ and base64 of 24 to 64 bytes, or whsk_ (private) or whpk_ (public) and base64 of an Ed25519 key"
    )]
    SecretMustFit,
    /// A rotation while the one before it is under way, or one that is too short or too long.
    #[error("{0}")]
    OverlapMustFit(String),
    /// Content that is too long.
    #[error("a webhook has at most {0} bytes; send where to read the rest")]
    ContentMustBeBounded(usize),
    /// Too many deliveries wait for one endpoint.
    #[error("{0} deliveries wait for this endpoint already")]
    QueueMustHaveRoom(usize),
    /// An endpoint that nobody made known.
    #[error("no endpoint is known by {0}")]
    EndpointMustBeKnown(String),
    /// An endpoint that gets nothing.
    #[error("the endpoint {0} is disabled; enable it first")]
    EndpointMustBeEnabled(String),
    /// An address that is not a public HTTPS one.
    #[error("{0}")]
    UrlMustBePublic(String),
    /// A delivery that is not dead, or nobody knows.
    #[error("only a delivery that was given up is sent again, and {0} was not")]
    DeliveryMustBeDead(String),
}

impl WebhookRefusal {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::MustBeWellFormed(_) => "webhook.must_be_well_formed",
            Self::MustBeFresh { .. } => "webhook.must_be_fresh",
            Self::SignatureMustBeValid => "webhook.signature_must_be_valid",
            Self::IdMustBeNew(_) => "webhook.id_must_be_new",
            Self::IdMustNotBeInUse(_) => "webhook.id_must_not_be_in_use",
            Self::MemoryMustHaveRoom(_) => "webhook.memory_must_have_room",
            Self::SecretMustFit => "webhook.secret_must_fit",
            Self::OverlapMustFit(_) => "webhook.overlap_must_fit",
            Self::ContentMustBeBounded(_) => "webhook.content_must_be_bounded",
            Self::QueueMustHaveRoom(_) => "webhook.queue_must_have_room",
            Self::EndpointMustBeKnown(_) => "webhook.endpoint_must_be_known",
            Self::EndpointMustBeEnabled(_) => "webhook.endpoint_must_be_enabled",
            Self::UrlMustBePublic(_) => "webhook.url_must_be_public",
            Self::DeliveryMustBeDead(_) => "webhook.delivery_must_be_dead",
        }
    }
}
