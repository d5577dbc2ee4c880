//! The gate, judged from outside: as a layer, and on real files.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod layer;
mod shared;
mod wal;
