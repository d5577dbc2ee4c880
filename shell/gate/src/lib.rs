//! The verifier in front of an API: a request passes when it is signed, fresh, unique and authorised, in this order:
//! bounds, key, freshness, signature, nonce, authority. It needs no fund: the same gate stands in front of ours and of
//! anybody else's, as a `tower` layer or behind a proxy's authorisation request.
//!
//! It keeps the keys and the replay window in memory. Where they come from, and where what happened is written, is the
//! caller's business.

mod answer;
mod forward;
mod gate;
mod keys;
mod layer;
mod lease;
mod memory;
mod plain;
mod refusal;
pub mod shared;
pub mod wal;

pub use answer::Answerer;
pub use forward::Original;
pub use gate::{Candidate, Gate, GateOptions, Need, Permit, RateFields};
pub use keys::{KeyTable, OpenSecret, SecretError, public_key};
pub use layer::{GateLayer, Guarded, Surroundings};
pub use lease::{BootInstant, LEASE, Lease};
pub use memory::{EraMakers, NonceStore};
pub use refusal::{GateRefusal, status_of};
