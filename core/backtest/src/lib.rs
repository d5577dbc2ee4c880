//! A fund's working days as commands.
//!
//! A backtest is not a second engine: it is the order in which a desk would have given its commands, with the past as
//! its market. Where the commands go is the caller's business: to an engine in memory, or to a desk that writes them
//! to a database. This crate reads no file and no clock, and knows nothing of reports.

mod agenda;
mod basket;
mod filing;
mod happenings;
mod holders;
mod market;
mod run;
mod sink;

pub use agenda::{Agenda, Task};
pub use basket::{BasketError, Target, session_for, symbol_of, targets};
pub use filing::Comparison;
pub use happenings::{Changes, happenings};
pub use market::{Market, at_strike};
pub use run::{ExposureRow, FlowRow, RebalanceRow, RunError, Runner, Summary};
pub use sink::{CommandSink, MemorySink};
