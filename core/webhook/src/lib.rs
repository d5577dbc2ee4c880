//! Webhooks by [Standard Webhooks](https://www.standardwebhooks.com) 1.0.0, without a clock, a socket or chance: time is
//! seconds since 1970 and randomness is a number, both given by the caller.
//!
//! | out | in |
//! |---|---|
//! | [`Secrets`] sign, with both secrets while one follows the other | [`Receiver`] judges signature and time |
//! | [`Schedule`] says when to try again | [`SeenIds`] lets each be acted on once |
//! | [`Delivery`] and [`Endpoint`] are what is known; [`settle`] is what an attempt changes | |

mod delivery;
mod receiver;
mod refusal;
mod schedule;
mod secret;
mod seen;

pub use delivery::{
    CONTENT_BYTES_MAX, Delivery, DeliveryState, Endpoint, EndpointState, FAILING_SECONDS_MAX, Failure,
    LEASE_SECONDS, Outcome, settle,
};
pub use receiver::{Received, Receiver, SIGNATURES_MAX, TOLERANCE_SECONDS};
pub use refusal::WebhookRefusal;
pub use schedule::Schedule;
pub use secret::{MessageId, OVERLAP_SECONDS_MAX, Secrets, SigningSecret};
pub use seen::{Begun, SeenIds};

/// The field of the id, which stays the same over all attempts.
pub const ID: &str = "webhook-id";
/// The field of the second since 1970 of this attempt.
pub const TIMESTAMP: &str = "webhook-timestamp";
/// The field of the signatures, with spaces between them.
pub const SIGNATURE: &str = "webhook-signature";
