//! The engine from outside: refusals, properties against an independent oracle, worked cases, and corrections
//! against the history that would have been right from the start.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says where it stopped"
)]

mod answers;
mod asset_changes;
mod baskets;
mod corrections;
mod distributions;
mod exposure;
mod extremes;
mod in_lieu;
mod life;
mod oracle;
mod oracle_life;
mod properties;
mod properties_life;
mod rates;
mod refusals;
mod regressions;
mod scenario;
mod worked;
