//! What is due when, from a fund's definition: the clock of its working days.
//!
//! ```text
//! session T   10:00  settle what was dealt on T−1
//!             11:00  record what has happened to assets of a basket
//!             11:30  stake towards the target, and record the rewards of the days before
//!             strike + 30 min  record the reference rates since the last session
//!             strike + 32 min  record the funding of perpetual futures that has fallen due
//!             strike + 35 min  strike NAV and deal the orders for T
//!             strike + 40 min  execute the cash orders dealt
//!             strike + 43 min  bring a basket to its index's weights, when they change
//!             strike + 44 min  roll futures and reset exposure, when they are due
//!             strike + 45 min  pay the sponsor fee, on its session
//!             strike + 50 min  pay, register and declare distributions
//! before the cut-off for T, by an hour: take the orders for T (cash: on T−1)
//! ```

use core::time::Duration;
use strongroom_fund::FundDefinition;
use strongroom_fund::definition::{FundKind, OrderMethod};
use strongroom_units::time::{Date, Time, TimeError, Timestamp};

/// One thing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Task {
    /// Take the cash orders that will deal on a session.
    TakeOrders(Date),
    /// Settle the orders whose settlement date this is.
    Settle(Date),
    /// Record what has happened to assets of a basket before a session, if anything.
    ChangeAssets(Date),
    /// Stake towards the target of the definition.
    Stake(Date),
    /// Record reference rates through a day.
    RecordPrices(Date),
    /// Record the funding that has fallen due.
    RecordFunding(Date),
    /// Strike NAV.
    Strike(Date),
    /// Buy or sell the coins of the session's cash orders.
    Execute(Date),
    /// Bring a basket to its targets, if there are any for the session.
    Rebalance(Date),
    /// Bring a fund of derivatives to its multiple, and its futures to their expiry, as far as that is due.
    Expose(Date),
    /// Pay the sponsor fee accrued through a day.
    PayFee {
        /// The last day paid for.
        through: Date,
        /// The day of payment.
        on: Date,
    },
    /// Pay, register and declare distributions.
    Distribute(Date),
}

/// Everything due in a period, in order of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agenda {
    tasks: Vec<(Timestamp, Task)>,
}

impl Agenda {
    /// The tasks of the sessions after `after` through `through`, and the reference rate of `through` itself when it
    /// is no session, so that a period which ends on a Sunday is valued on that Sunday.
    pub fn try_new(definition: &FundDefinition, after: Date, through: Date) -> Result<Self, TimeError> {
        let mut tasks = Vec::new();
        let first = definition.calendar.next_session(after)?;
        for session in definition.calendar.sessions(first, through) {
            tasks.extend(tasks_of(definition, session)?);
        }
        if !definition.calendar.is_session(through) && through > after {
            tasks.push((after_strike(definition, through, 30)?, Task::RecordPrices(through)));
        }
        tasks.sort_unstable();
        Ok(Self { tasks })
    }

    /// Instants and tasks, in order of time.
    pub fn tasks(&self) -> &[(Timestamp, Task)] {
        &self.tasks
    }
}

fn tasks_of(definition: &FundDefinition, session: Date) -> Result<Vec<(Timestamp, Task)>, TimeError> {
    let at_ten = definition.strike.zone.instant(session, Time::constant(10, 0, 0, 0))?;
    let mut tasks = vec![
        (at_ten, Task::Settle(session)),
        (after_strike(definition, session, 30)?, Task::RecordPrices(session)),
        (after_strike(definition, session, 35)?, Task::Strike(session)),
        (after_strike(definition, session, 40)?, Task::Execute(session)),
    ];
    if definition.kind == FundKind::Basket {
        let at_eleven = definition.strike.zone.instant(session, Time::constant(11, 0, 0, 0))?;
        tasks.push((at_eleven, Task::ChangeAssets(session)));
        tasks.push((after_strike(definition, session, 43)?, Task::Rebalance(session)));
    }
    if definition.kind == FundKind::Derivatives {
        tasks.push((after_strike(definition, session, 32)?, Task::RecordFunding(session)));
        tasks.push((after_strike(definition, session, 44)?, Task::Expose(session)));
    }
    if definition.staking.is_some() {
        let half_past = definition.strike.zone.instant(session, Time::constant(11, 30, 0, 0))?;
        tasks.push((half_past, Task::Stake(session)));
    }
    if definition.distribution.is_some() {
        tasks.push((after_strike(definition, session, 50)?, Task::Distribute(session)));
    }
    if let Some(cut_off) = definition.cut_off(OrderMethod::Cash, session)? {
        let hour = Duration::from_secs(3_600);
        tasks.push((cut_off.saturating_sub(hour).unwrap_or(cut_off), Task::TakeOrders(session)));
    }
    if let Some(through) = definition.fee.payment.due_on(definition.calendar, session) {
        tasks.push((after_strike(definition, session, 45)?, Task::PayFee { through, on: session }));
    }
    Ok(tasks)
}

fn after_strike(definition: &FundDefinition, date: Date, minutes: u64) -> Result<Timestamp, TimeError> {
    let strike = definition.strike.instant(date)?;
    Ok(strike.saturating_add(Duration::from_secs(60 * minutes)).unwrap_or(strike))
}
