//! Prices with evidence: reference rates from trades, and basket indices, each by a methodology that is data.
//!
//! This crate reads no file: trades, snapshots and closes come in one by one, and what it gives back says from what and
//! how it was computed.
//! It knows nothing of funds.

pub mod index;
pub mod rate;
