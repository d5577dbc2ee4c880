//! One fund as the shell sees it: commands and recorded events go in, events and answers come out.

use crate::apply;
use crate::command::Command;
use crate::decide::{accruals, decide};
use crate::event::Event;
use crate::ledger::Journal;
use crate::order::Order;
use crate::refusal::Refusal;
use crate::state::FundState;
use strongroom_units::time::Timestamp;
use thiserror::Error;

/// One fund, open or not yet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fund {
    state: Option<FundState>,
    torn: bool,
}

/// The answer to a command that was not refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was done now.
    Done,
    /// It had been done before; nothing changed.
    AlreadyDone,
}

/// An event that was applied, with what it did to the books.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    /// The event, to be recorded.
    pub event: Event,
    /// The open order that it is about, as it was before.
    pub order: Option<Order>,
    /// Its balanced entries.
    pub journal: Journal,
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq)]
pub struct Handled {
    /// What happened, in order. Not empty even for a refusal when the passing of time alone made something due.
    pub applied: Vec<Applied>,
    /// The answer.
    pub outcome: Result<Outcome, Refusal>,
}

/// An event that does not fit the state before it: the log was edited or is incomplete.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("event {seq} does not fit the events before it: {source}")]
pub struct ReplayError {
    /// Its place in the stream, from 1.
    pub seq: u64,
    /// What did not fit.
    pub source: Box<Refusal>,
}

impl Fund {
    /// A fund that continues from a snapshot.
    pub fn from_state(state: FundState) -> Self {
        Self { state: Some(state), torn: false }
    }

    /// The state, once the fund is open.
    pub fn state(&self) -> Option<&FundState> {
        self.state.as_ref()
    }

    /// Whether an event was applied in part: memory is then no longer what the log says and must be rebuilt.
    /// It takes a sum beyond 128 bits to get here.
    pub fn is_torn(&self) -> bool {
        self.torn
    }

    /// Decides a command at `now` and applies its events.
    pub fn handle(&mut self, command: &Command, now: Timestamp) -> Handled {
        let mut applied = Vec::new();
        let outcome = self.let_time_pass(now, &mut applied).and_then(|()| {
            let (decided, outcome) = decide(self.state.as_ref(), command, now)?;
            for event in decided {
                applied.push(self.apply(event, now)?);
            }
            Ok(outcome)
        });
        Handled { applied, outcome }
    }

    /// Applies one recorded event; `seq` names it in the error.
    pub fn replay(&mut self, event: Event, at: Timestamp, seq: u64) -> Result<Applied, ReplayError> {
        self.apply(event, at).map_err(|source| ReplayError { seq, source: Box::new(source) })
    }

    fn let_time_pass(&mut self, now: Timestamp, applied: &mut Vec<Applied>) -> Result<(), Refusal> {
        let Some(state) = self.state.as_ref().filter(|state| state.last_at() <= now) else { return Ok(()) };
        for event in accruals(state, now)? {
            applied.push(self.apply(event, now)?);
        }
        Ok(())
    }

    fn apply(&mut self, event: Event, at: Timestamp) -> Result<Applied, Refusal> {
        let Some(state) = &mut self.state else {
            let (state, journal) = apply::open(&event, at)?;
            self.state = Some(state);
            return Ok(Applied { event, order: None, journal });
        };
        match state.apply(&event, at) {
            Ok((order, journal)) => Ok(Applied { event, order, journal }),
            Err(refusal) => {
                self.torn = true;
                Err(refusal)
            }
        }
    }
}
