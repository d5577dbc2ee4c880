//! Instants, dates, the wall clocks of three markets, and the sessions of an exchange.
//!
//! Dates, times and zones are [jiff](jiff)'s, with the IANA database compiled in: no file of the machine decides
//! when a strike is. Nothing here reads a clock.

mod calendar;
mod error;
mod zone;

pub use calendar::{Calendar, Session};
pub use error::TimeError;
pub use jiff::Timestamp;
pub use jiff::civil::{Date, Time, Weekday};
pub use zone::Zone;
