//! Exact numbers and time for a fund's books.
//!
//! Money is never a float here: every figure is an integer count of base units with a known scale, every
//! operation that could lose digits takes a named [`Rounding`], and every operation that could overflow
//! refuses with [`NumberError`] instead of wrapping. This crate reaches no clock, file, network or random source.

mod decimal;
mod error;
mod fixed;
mod money;
mod quantity;
mod ratio;
mod rounding;
mod symbol;
pub mod time;
mod wide;

pub use decimal::Decimal;
pub use error::NumberError;
pub use money::{Money, Price};
pub use quantity::{Quantity, Scale, Shares};
pub use ratio::{PerShare, Rate};
pub use rounding::Rounding;
pub use symbol::{Symbol, SymbolError};
