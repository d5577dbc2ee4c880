//! A reference rate: trades of a window, in intervals, one price for each, and their weighted mean.
//!
//! Every published methodology here is that shape with other numbers: CF's BRR has 12 intervals of five minutes and
//! the volume-weighted median of each; Coin Metrics has 61 of one minute with rising weights; a VWAP has one.

mod book;
mod compute;
mod dense;
mod error;
mod evidence;
mod hash;
mod methodology;
mod restatement;
mod ticks;
mod window;

pub use book::Book;
pub use compute::median_of;
pub use error::{MethodologyError, RateError};
pub use evidence::{
    Conversion, Exclusion, ExclusionReason, MethodologyUsed, Partition, RateEvidence, Venue, Volume,
};
pub use methodology::{
    Conversions, EmptyInterval, Methodology, Statistic, Tie, VenueScreen, Version, Weights,
};
pub use restatement::must_be_restated;
pub use ticks::{Grid, GridShape, Ticks};
pub use window::{Pair, Trade, Window};
