//! Where commands go.

use strongroom_engine::{Command, Fund, FundState, Outcome, Refusal};
use strongroom_units::time::Timestamp;

/// One open fund, or one about to be opened, that takes commands.
pub trait CommandSink {
    /// Why a command was not done.
    type Error: std::error::Error;

    /// Gives one command at an instant of business time.
    fn command(&mut self, command: Command, at: Timestamp) -> Result<Outcome, Self::Error>;

    /// The fund after the commands so far; none before it is open.
    fn state(&self) -> Option<&FundState>;
}

/// The engine alone, in memory.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct MemorySink {
    fund: Fund,
}

impl MemorySink {
    /// The fund as it stands.
    pub fn fund(&self) -> &Fund {
        &self.fund
    }
}

impl CommandSink for MemorySink {
    type Error = Refusal;

    fn command(&mut self, command: Command, at: Timestamp) -> Result<Outcome, Refusal> {
        self.fund.handle(&command, at).outcome
    }

    fn state(&self) -> Option<&FundState> {
        self.fund.state()
    }
}
