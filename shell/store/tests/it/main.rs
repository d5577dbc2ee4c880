//! What a store guarantees: one conformance suite for both databases, and what holds for one of them alone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper of a test may fail the test"
)]

mod conformance;
mod copies;
mod crash;
mod home;
mod log;
mod opening;
mod postgres_only;
mod sample;
mod sqlite_only;
