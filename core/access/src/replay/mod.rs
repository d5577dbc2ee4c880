//! Lets nothing in twice: the window of nonces, challenges that heal its refusals, and sequence numbers for keys that
//! count instead.
//!
//! The order at the gate is bounds, key, freshness, signature, **insert**, authorise, execute: what is not verified is
//! never remembered, and what is not remembered is never executed. The caller who cannot insert refuses.

mod challenge;
mod era;
mod fingerprint;
mod journal;
mod refusal;
mod sequence;
mod table;
mod tally;
mod window;

pub use challenge::{CHALLENGE_BYTES, Challenge, Challenges, is_challenge};
pub use era::EraSecret;
pub use fingerprint::{FingerprintKey, NONCE_BYTES_MAX, NONCE_BYTES_MIN};
pub use journal::{FRAME_ENTRIES_MAX, Frames, HEADER_BYTES, JournalFile, JournalHeader, Tail};
pub use refusal::ReplayRefusal;
pub use sequence::{SEQUENCE_BYTES, SEQUENCE_WINDOW, Sequence};
pub use window::{Entry, Limits, Presented, Recovered, SingleUse, Window, WindowTime};
