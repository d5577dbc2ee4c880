//! What a desk guarantees to those who give it commands, on both databases, and after a crash.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper of a test may fail the test"
)]

mod access;
mod crash;
mod distributions;
mod edited;
mod failures;
mod groups;
mod home;
mod judge;
mod life;
mod readers;
mod sample;
mod service;
mod snapshots;
mod two_desks;
