//! What the server guarantees to those who talk to it: a real server on a free port, real sockets, real signatures.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper of a test may fail the test"
)]

mod attacks;
mod home;
mod hostile;
mod openapi;
mod orders;
mod recorded;
mod replay;
mod rotation;
mod table;
mod telemetry;
