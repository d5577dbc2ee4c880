//! A desk on a database as a place where a run's commands go.

use crate::failure::Failure;
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
    pub fn open(location: &Location, fund: Symbol) -> Result<Self, Failure> {
        Ok(Self { desk: Desk::open(location)?, fund })
    }
}

impl CommandSink for DeskSink {
    type Error = DeskError;

    fn command(&mut self, command: Command, at: Timestamp) -> Result<Outcome, DeskError> {
        Ok(self.desk.command(Request { fund: self.fund, command, at })?.outcome)
    }

    fn state(&self) -> Option<&FundState> {
        self.desk.last_seen(self.fund)
    }
}
