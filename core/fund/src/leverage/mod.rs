//! What a daily multiple of an index comes to: over a day exactly, over a period as an estimate.
//!
//! A fund of factor L holds L × its net assets of the index at each close. Between two closes its exposure moves with the
//! index and not with its net assets, so at each close it trades the difference. This module knows nothing of contracts,
//! margin or ledgers.

mod day;
mod estimate;

pub use day::{DayTerms, net_assets_after, rebalance_trade};
pub use estimate::{Estimate, EstimateError, Table};
