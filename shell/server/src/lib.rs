//! HTTP/JSON in front of the desk: every request through the gate, every answer signed, an OpenAPI document that is
//! made from the same table as the router.
//!
//! Plaintext is served on loopback only; elsewhere TLS by rustls. There is no default key: the first start makes a
//! one-time invitation for the first operator.

mod caller;
mod endpoint;
mod errors;
mod events;
mod forward;
mod funds;
mod guard;
mod house;
mod keys;
mod log;
mod nonces;
mod openapi;
mod orders;
mod pages;
mod problem;
mod recorded;
mod repeat;
mod rewrap;
mod rotation;
mod serve_error;
mod sockets;
mod start;
mod streams;
mod telemetry;
mod token;
mod usage;
mod verifiers;
mod view;

pub use endpoint::{ENDPOINTS, Endpoint, Leave};
pub use errors::{CODES, page_of};
pub use log::{ConsistencyProof, Deeds};
pub use openapi::document;
pub use problem::{Problem, ProblemDetails};
pub use rotation::view::{
    DueView, Emergency, EmergencyDone, PolicySet, PolicyView, Replaced, RollBack, Rotate, Rotated,
    RotationView, SetPolicy, UnusedView, UsageView, VersionView,
};
pub use serve_error::ServeError;
pub use start::{Invitation, Running, ServerOptions, Tls, serve};
pub use strongroom_gate::public_key;
pub use view::{
    Done, Enrol, Enrolled, KeyIssued, NewKey, NewOrder, NewPrincipal, Restrict, Revoke, ServerKeyView,
};
