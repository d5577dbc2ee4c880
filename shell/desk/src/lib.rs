//! The desk: the one place where commands come in, are decided, made durable and answered.
//!
//! Commands of a group are decided one after the other, each seeing what those before it did, and share one
//! transaction and one fsync. Nothing is answered before the commit. A commit that fails discards memory, and the
//! funds are rebuilt from the log. This crate knows the engine and the store; it knows nothing of files, HTTP or
//! people.

mod access;
mod cause;
mod desk;
mod dispute;
mod erasure;
mod error;
mod evidence;
mod keys;
mod projection;
mod projection_life;
mod recorded;
mod schema;
mod service;
mod tables;
mod usage;

pub use access::{AccessAnswer, KeyCertificate};
pub use cause::{Cause, Claim, SpentNonce};
pub use desk::{Answer, Desk, GROUP_MAX, Request};
pub use dispute::{Deed, Dispute};
pub use error::DeskError;
pub use evidence::{
    CONTENT_MAX, Caused, Evidence, Place, RequestRecord, SignedAnswer, commitment_to, stream_of,
};
pub use schema::SCHEMA;
pub use service::{DeskHandle, DeskService, Load, Reply};
pub use usage::{KeyHour, LastUse};
