//! What a fund is and how it is valued.
//!
//! Pure arithmetic over data that the caller brings: this crate knows no log, no command, no clock and no file.

pub mod composition;
pub mod definition;
pub mod distribution;
pub mod fees;
pub mod leverage;
pub mod lots;
pub mod rollforward;
pub mod safe_harbour;
pub mod staking;
pub mod statistics;
pub mod valuation;

pub use definition::{DefinitionError, FundDefinition};
