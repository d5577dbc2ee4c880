//! The `strongroom` program as a stranger meets it: every test starts the built binary in a folder of its own and looks
//! at what it prints, writes and returns. Nothing here calls the program's functions.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper of a test may fail the test"
)]

mod audit;
mod audit_edits;
mod baskets;
mod by_hand;
mod copies;
mod demo;
mod derivatives;
mod drill;
mod exact;
mod happenings;
mod harness;
mod holders;
mod index;
mod leverage;
mod live;
mod one_writer;
mod output;
mod rates;
mod real_data;
mod reference;
mod refusals;
mod revoked;
mod signed;
mod small_market;
mod sweeps;
mod tables;
mod witness;
