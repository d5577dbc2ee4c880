//! Prices with evidence: reference rates from trades, by a methodology that is data.
//!
//! This crate reads no file: trades come in one by one, and what it gives back says from what and how it was computed.
//! It knows nothing of funds.

pub mod rate;
