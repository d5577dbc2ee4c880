//! The tests of this crate, as one program.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;
mod interop;
mod leaves;
mod notes;
mod parsers;
mod proofs;
mod receipts;
mod table;
mod tiles;
mod tree;
mod vectors;
