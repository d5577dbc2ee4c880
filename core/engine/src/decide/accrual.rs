//! Fee that accrues in coins on every calendar day, however often anybody looks.

use crate::event::Event;
use crate::refusal::Refusal;
use crate::state::FundState;
use std::collections::BTreeMap;
use strongroom_fund::definition::FeeAccrual;
use strongroom_fund::fees::coin_fee;
use strongroom_units::time::{Date, Timestamp};
use strongroom_units::{NumberError, Quantity, Symbol};

/// Most days that are accrued at once: a fund asleep for longer is woken again by the next command.
const DAYS_MAX: usize = 400;

/// The coin fee of each calendar day whose strike time has come since the last accrual.
///
/// A day waits until the session before it has been struck, so that the coins dealt there are in its holdings:
/// the result depends on the days and the strikes, not on when the engine was woken.
pub(crate) fn accruals(state: &FundState, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    let definition = state.definition();
    if definition.fee.accrual == FeeAccrual::Money {
        return Ok(Vec::new());
    }
    let Some(last_strike) = state.last_nav().map(|nav| nav.date) else { return Ok(Vec::new()) };
    let mut events = Vec::new();
    let mut day = state.parts.coins_accrued_through;
    while events.len() < DAYS_MAX {
        day = day.tomorrow().map_err(|_| NumberError::Overflow)?;
        let waits = definition.calendar.previous_session(day)? > last_strike;
        if waits || definition.strike.instant(day)? > now {
            break;
        }
        events.push(Event::FeeAccrued { day, coins: fee_of(state, day)? });
    }
    Ok(events)
}

fn fee_of(state: &FundState, day: Date) -> Result<BTreeMap<Symbol, Quantity>, Refusal> {
    let mut coins = BTreeMap::new();
    for (asset, holdings) in state.fee_holdings()? {
        coins.insert(asset, coin_fee(&state.definition().fee, holdings, day)?);
    }
    Ok(coins)
}
