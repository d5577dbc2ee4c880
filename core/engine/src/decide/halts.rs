//! Halts of trading: market-wide circuit breakers by their rule, and halts of the shares.
//!
//! ```text
//! level 1 (−7 %), level 2 (−13 %)   begin 9:30 to before 15:25: 15 minutes; later they do not halt
//! level 3 (−20 %)                   until the next session opens
//! the shares                        until the instant that the exchange names
//! ```
//!
//! While trading is halted no orders are taken; they are again when the time is over, without a command. When the strike itself
//! falls into a halt, NAV is struck and the session's orders deal at the next strike that does not.

use super::{Decision, done};
use crate::event::Event;
use crate::fund::Outcome;
use crate::life::{HaltCause, LifeEvent};
use crate::life_refusal::LifeRefusal;
use crate::order::OrderState;
use crate::refusal::Refusal;
use crate::state::FundState;
use core::time::Duration;
use strongroom_units::time::{Date, Time, Timestamp};

/// Fifteen minutes.
const SHORT_HALT: Duration = Duration::from_secs(900);
/// From here on levels 1 and 2 do not halt.
const LAST_SHORT: Time = Time::constant(15, 25, 0, 0);

pub(super) fn record(state: &FundState, cause: HaltCause, began: Timestamp, now: Timestamp) -> Decision {
    let until = end_of(state, cause, began)?;
    let event = LifeEvent::TradingHalted { cause, began, until };
    if state.parts.life.halted == Some((began, until, cause)) {
        return Ok((Vec::new(), Outcome::AlreadyDone));
    }
    if began > now || until <= now {
        return Err(LifeRefusal::HaltMustBeNow { began, until, now }.into());
    }
    done(vec![Event::Life(event)])
}

fn end_of(state: &FundState, cause: HaltCause, began: Timestamp) -> Result<Timestamp, Refusal> {
    let calendar = state.definition().calendar;
    let zone = calendar.zone();
    let (date, time) = (zone.date_of(began), zone.time_of(began));
    let outside = || Refusal::from(LifeRefusal::HaltMustBeginInTradingHours(began));
    let session = calendar.session(date).map_err(|_| outside())?;
    if began < session.open || began >= session.close {
        return Err(outside());
    }
    match cause {
        HaltCause::MarketLevel1 | HaltCause::MarketLevel2 => {
            if time >= LAST_SHORT {
                return Err(outside());
            }
            began.saturating_add(SHORT_HALT).map_err(|_| outside())
        }
        HaltCause::MarketLevel3 => Ok(calendar.session(calendar.next_session(date)?)?.open),
        HaltCause::Shares { until } => Ok(until),
    }
}

/// Refuses an order while trading is halted.
pub(super) fn is_trading(state: &FundState, now: Timestamp) -> Result<(), Refusal> {
    match state.trading_halt(now) {
        None => Ok(()),
        Some((until, cause)) => {
            Err(LifeRefusal::OrdersMustWaitForTheHaltToEnd { cause: cause.as_str(), until }.into())
        }
    }
}

/// Orders of a session whose strike falls into a halt deal at the next session's.
pub(super) fn postpone(state: &FundState, date: Date) -> Result<Option<Event>, Refusal> {
    let strike = state.definition().strike.instant(date)?;
    if state.trading_halt(strike).is_none() {
        return Ok(None);
    }
    let calendar = state.definition().calendar;
    let to = calendar.next_session(date)?;
    let mut orders = std::collections::BTreeMap::new();
    for order in
        state.orders().filter(|order| order.trade_date == date && order.state == OrderState::Accepted)
    {
        let later = calendar.next_session(order.settlement_date)?;
        orders.insert(order.id.clone(), later);
    }
    let event = LifeEvent::DealingPostponed { from: date, to, orders };
    Ok((!matches!(&event, LifeEvent::DealingPostponed { orders, .. } if orders.is_empty()))
        .then_some(Event::Life(event)))
}
