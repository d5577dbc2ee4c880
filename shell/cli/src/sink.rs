//! A desk on a database as a place where a run's commands go.

use crate::context::cause;
use crate::failure::{Exit, Failure};
use strongroom_backtest::CommandSink;
use strongroom_desk::{Desk, DeskError, Request};
use strongroom_engine::{Command, FundState, Outcome};
use strongroom_store::Location;
use strongroom_units::Symbol;
use strongroom_units::time::Timestamp;

/// One fund of a database.
pub(crate) struct DeskSink {
    desk: Desk,
    fund: Symbol,
}

impl DeskSink {
    /// Opens a database that does not have the fund yet.
    pub fn open(location: &Location, fund: Symbol) -> Result<Self, Failure> {
        let mut desk = Desk::open(location)?;
        if desk.fund_names()?.contains(&fund) {
            let message = format!("{location} holds {fund} already; a run begins with a new fund");
            let failure = Failure::new("database.must_not_hold_the_fund", message, Exit::Input);
            return Err(failure.hint("Name a new file, or a database without this fund."));
        }
        Ok(Self { desk, fund })
    }
}

impl CommandSink for DeskSink {
    type Error = DeskError;

    fn command(&mut self, command: Command, at: Timestamp) -> Result<Outcome, DeskError> {
        Ok(self.desk.command(Request { fund: self.fund, command, at, cause: cause() })?.outcome)
    }

    fn state(&self) -> Option<&FundState> {
        self.desk.last_seen(self.fund)
    }
}
