//! The figures that a fund prints about its own past: return, risk, tracking, premium and spread.
//!
//! Statistics are `f64`; money is not. Where a rounding decides in which column a day is counted (premium,
//! discount, spread) the arithmetic is exact and the result a decimal. No function returns NaN or an infinity:
//! what cannot be computed is refused with a [`StatisticsError`]. This module knows nothing of reference rates,
//! accounting or pages.

mod annualisation;
mod benchmark;
mod error;
mod moments;
mod premium;
mod series;
mod spread;

pub use annualisation::{Annualisation, Annualised};
pub use benchmark::{Aligned, tracking_error};
pub use error::StatisticsError;
pub use premium::{Extreme, PremiumTable, Run, SessionPrice};
pub use series::{DatedSeries, Drawdown};
pub use spread::{Quote, median_spread};
