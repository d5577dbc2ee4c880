//! Prices, flows, market prices and filings from files: one module each.
//!
//! Columns are found by name. A file with a bad row gives every bad row (the first twenty), each with its line and
//! column, and none of its good rows: nothing is imported in part. This crate knows files and exact numbers; it knows
//! nothing of funds.

mod caps;
mod error;
mod filings;
mod flows;
mod funding;
mod holders;
#[cfg(feature = "parquet")]
mod parquet;
mod prices;
mod table;
mod trades;

pub use caps::{IndexFile, read_index_file};
pub use error::{FeedError, Problem};
pub use filings::{FiledCoins, read_filed_coins};
pub use flows::read_flows;
pub use funding::read_funding;
pub use holders::{HolderLine, read_register, read_yields};
pub use prices::{read_market_prices, read_prices};
pub use trades::{TradesRead, read_trades, read_trades_into};
