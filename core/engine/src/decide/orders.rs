//! The order desk: taking, withdrawing, executing and settling creations and redemptions.

use super::strike::{deal_order, scales};
use super::{Decision, corrections, covered, done, exposure, life, relieved, short, staking, valued};
use crate::command::{HaltScope, NewOrder};
use crate::event::{Event, OrderDealt};
use crate::fund::Outcome;
use crate::ledger::Account;
use crate::order::{Order, OrderId, OrderSide, OrderState};
use crate::refusal::{ExposureRefusal, Refusal};
use crate::reserve::entitled_shares;
use crate::state::{FundState, FundStatus};
use core::cmp::Ordering;
use std::collections::BTreeMap;
use strongroom_fund::definition::OrderMethod;
use strongroom_fund::valuation::execution_variance;
use strongroom_units::time::Timestamp;
use strongroom_units::{Money, Price, Quantity, Rounding, Shares, Symbol};

/// Sessions ahead for which orders are taken.
const SESSIONS_AHEAD_MAX: i32 = 5;
/// Shares in one order.
const SHARES_MAX: Shares = Shares::new(10_000_000_000);

pub(super) fn submit(state: &FundState, new: &NewOrder, now: Timestamp) -> Decision {
    if let Some(outcome) = repeat(state, new)? {
        return Ok((Vec::new(), outcome));
    }
    is_sound(state, new)?;
    is_running(state, new.side)?;
    life::takes_orders(state, new, now)?;
    is_in_time(state, new, now)?;
    done(vec![Event::OrderAccepted { order: accepted(state, new, now)? }])
}

pub(super) fn record_late(state: &FundState, new: &NewOrder, reason: &str, now: Timestamp) -> Decision {
    if let Some(outcome) = repeat(state, new)? {
        return Ok((Vec::new(), outcome));
    }
    short("the reason", reason)?;
    if state.position().is_some() {
        return Err(ExposureRefusal::LateOrderMustBeOfAFundWithCoins(state.definition().id).into());
    }
    is_sound(state, new)?;
    life::late_order_is_of_now(state, new.trade_date)?;
    if state.definition().cut_off(new.method, new.trade_date)?.is_none() {
        return Err(Refusal::OrderMethodMustBeOffered { method: new.method, date: new.trade_date });
    }
    let rebalanced = state.parts.last_rebalance.as_ref().map(|last| last.date);
    let changed =
        rebalanced.into_iter().chain(state.asset_changes().iter().map(|change| change.struck)).max();
    if let Some(rebalanced) = changed.filter(|changed| new.trade_date <= *changed) {
        let trade_date = new.trade_date;
        return Err(Refusal::LateOrderMustNotPrecedeARebalance { trade_date, rebalanced });
    }
    let nav = state.nav(new.trade_date).ok_or(Refusal::LateOrderMustBeForAStruckSession(new.trade_date))?;
    let mut order = accepted(state, new, now)?;
    let OrderDealt { nav_value, coins, .. } =
        deal_order(&order, &nav.published, &scales(state.definition()))?;
    order.state = OrderState::Struck { nav_value, coins };
    let restatement = corrections::late_order(state, &order)?;
    done(vec![Event::LateOrderRecorded { order, reason: reason.to_owned(), restatement }])
}

pub(super) fn cancel(state: &FundState, id: &OrderId, now: Timestamp) -> Decision {
    let Some(order) = state.order(id) else {
        return match state.parts.closed.get(id) {
            Some(closed) if closed.cancelled => Ok((Vec::new(), Outcome::AlreadyDone)),
            _ => Err(Refusal::OrderMustBeOpen(id.clone())),
        };
    };
    let cut_off = state.definition().cut_off(order.method, order.trade_date)?;
    if order.state != OrderState::Accepted || cut_off.is_none_or(|cut_off| now > cut_off) {
        return Err(Refusal::OrderMustBeCancelledBeforeCutoff(id.clone()));
    }
    done(vec![Event::OrderCancelled { id: id.clone() }])
}

/// Buys or sells the coins of a cash order, or those of an order in kind for which cash stands in, whose part of the order's
/// value is theirs at the strike's rates.
///
/// The participant bears the difference between execution and NAV, both ways: what it pays is what the coins
/// cost, and what it receives is what they fetched.
pub(super) fn execute(
    state: &FundState,
    id: &OrderId,
    prices: &BTreeMap<Symbol, Price>,
) -> Result<Vec<Event>, Refusal> {
    let order = open(state, id)?;
    let OrderState::Struck { nav_value, coins } = &order.state else { return Err(wrong(order, "struck")) };
    let coins = match order.method {
        OrderMethod::Cash => coins.clone(),
        OrderMethod::InKind => state.coins_to_trade(order),
    };
    if order.method == OrderMethod::InKind && coins.is_empty() {
        return Err(wrong(order, "a cash order, or one with cash in lieu"));
    }
    let nav_value = match order.method {
        OrderMethod::Cash => *nav_value,
        OrderMethod::InKind => in_lieu_value(state, order, &coins)?,
    };
    let (trade, variance) = match order.side {
        OrderSide::Creation => {
            let trade = valued(&coins, prices, Rounding::Ceiling, |_, _, value| Ok(value))?;
            let variance = execution_variance(nav_value, trade.value)?;
            (trade, variance)
        }
        OrderSide::Redemption => {
            let trade = valued(&coins, prices, Rounding::Floor, |asset, quantity, _| {
                relieved(state, asset, quantity)
            })?;
            let variance = execution_variance(trade.value, nav_value)?;
            (trade, variance)
        }
    };
    let cash_due = match order.side {
        OrderSide::Creation => nav_value.try_add(variance)?,
        OrderSide::Redemption => nav_value.try_sub(variance)?,
    };
    let event = Event::OrderExecuted { id: id.clone(), trade, variance, cash_due };
    covered(state, event, Some(order))
}

pub(super) fn settle(state: &FundState, id: &OrderId, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    let order = open(state, id)?;
    if state.definition().strike.zone.date_of(now) < order.settlement_date {
        return Err(Refusal::OrderMustSettleOnItsDate { id: id.clone(), date: order.settlement_date });
    }
    let in_kind = match (order.method, &order.state) {
        (OrderMethod::Cash, OrderState::Executed { .. }) => None,
        (OrderMethod::InKind, OrderState::Struck { .. }) if !state.coins_to_trade(order).is_empty() => {
            return Err(wrong(order, "executed, as cash stands in for some of its coins"));
        }
        (OrderMethod::InKind, OrderState::Struck { .. } | OrderState::Executed { .. }) => {
            Some(at_strike_value(state, order, &state.coins_to_deliver(order))?)
        }
        (OrderMethod::Cash, _) => return Err(wrong(order, "executed")),
        (OrderMethod::InKind, _) => return Err(wrong(order, "struck")),
    };
    if order.side == OrderSide::Redemption {
        // Shares of a creation that has not settled cannot be given up yet.
        if order.shares > state.issued() {
            let (wanted, available) = (order.shares, state.issued());
            return Err(Refusal::RedemptionMustBeCoveredByShares { wanted, available });
        }
        order.coins().map_or(Ok(()), |coins| holds(state, Account::Trading, coins))?;
        if let (Some(_), OrderState::Executed { cash_due, .. }) = (state.position(), &order.state) {
            exposure::has_cash(state, *cash_due)?;
        }
    }
    covered(state, Event::OrderSettled { id: id.clone(), in_kind }, Some(order))
}

/// Refuses a movement that a custody balance does not cover.
pub(super) fn holds(
    state: &FundState,
    account: Account,
    coins: &BTreeMap<Symbol, Quantity>,
) -> Result<(), Refusal> {
    for (asset, needed) in coins {
        let held = state.ledger().coins(*asset, account).unwrap_or(Quantity::zero(needed.scale()));
        if held.try_sub(*needed)?.is_negative() {
            let (asset, needed, account) = (*asset, *needed, account.as_str());
            return Err(Refusal::CustodyMustCoverTheMovement { asset, account, needed, held });
        }
    }
    Ok(())
}

/// Refused, already done and done are three answers: the same order again is the second.
fn repeat(state: &FundState, new: &NewOrder) -> Result<Option<Outcome>, Refusal> {
    let same = match (state.order(&new.id), state.parts.closed.get(&new.id)) {
        (Some(order), _) => {
            order.side == new.side
                && order.shares == new.shares
                && order.trade_date == new.trade_date
                && order.method == new.method
                && order.participant == new.participant
        }
        (None, Some(closed)) => {
            // A withdrawn order is not in force: the same one again is no repeat of something done.
            !closed.cancelled
                && closed.side == new.side
                && closed.shares == new.shares
                && closed.trade_date == new.trade_date
                && closed.method == new.method
                && closed.participant == new.participant
        }
        (None, None) => return Ok(None),
    };
    if same { Ok(Some(Outcome::AlreadyDone)) } else { Err(Refusal::OrderIdMustBeUnique(new.id.clone())) }
}

fn is_sound(state: &FundState, new: &NewOrder) -> Result<(), Refusal> {
    short("the participant", &new.participant)?;
    let definition = state.definition();
    if !definition.calendar.is_session(new.trade_date) {
        return Err(Refusal::TradeDateMustBeASession(new.trade_date));
    }
    let unit = definition.creation_unit.at(new.trade_date).copied().unwrap_or(Shares::new(1));
    is_whole_baskets(new.shares, unit)?;
    if new.side == OrderSide::Redemption {
        is_covered_by_shares(state, new.shares)?;
    }
    Ok(())
}

fn is_whole_baskets(shares: Shares, unit: Shares) -> Result<(), Refusal> {
    if shares > SHARES_MAX {
        return Err(Refusal::OrderMustBeBounded(shares));
    }
    let rest = shares.count().rem_euclid(unit.count());
    if rest == 0 && shares > Shares::ZERO {
        return Ok(());
    }
    let multiple = shares.count().saturating_sub(rest);
    let below = Shares::new(multiple.max(unit.count()));
    let above = Shares::new(multiple.saturating_add(unit.count()).max(unit.count()));
    Err(Refusal::OrderMustBeWholeBaskets { shares, unit, below, above })
}

/// Only shares whose coins are the fund's can be redeemed, and not the last of them: a fund without shares has no
/// NAV per share, so no later session could be struck.
fn is_covered_by_shares(state: &FundState, wanted: Shares) -> Result<(), Refusal> {
    let waiting = state
        .orders()
        .filter(|order| order.side == OrderSide::Redemption && order.state == OrderState::Accepted)
        .try_fold(Shares::ZERO, |sum, order| sum.try_add(order.shares))?;
    let available = entitled_shares(state.issued(), state.orders())?.try_sub(waiting)?;
    match wanted.cmp(&available) {
        Ordering::Greater => Err(Refusal::RedemptionMustBeCoveredByShares { wanted, available }),
        Ordering::Equal => Err(Refusal::RedemptionMustLeaveShares(wanted)),
        Ordering::Less => Ok(()),
    }
}

fn is_running(state: &FundState, side: OrderSide) -> Result<(), Refusal> {
    match state.status() {
        FundStatus::Halted { scope, reason }
            if *scope == HaltScope::Orders || side == OrderSide::Creation =>
        {
            Err(Refusal::FundMustNotBeHalted(reason.clone()))
        }
        _ => Ok(()),
    }
}

fn is_in_time(state: &FundState, new: &NewOrder, now: Timestamp) -> Result<(), Refusal> {
    let definition = state.definition();
    let date = new.trade_date;
    if state.last_nav().is_some_and(|nav| date <= nav.date) {
        return Err(Refusal::TradeDateMustNotBeStruck(date));
    }
    let cut_off = definition
        .cut_off(new.method, date)?
        .ok_or(Refusal::OrderMethodMustBeOffered { method: new.method, date })?;
    if now > cut_off {
        return Err(Refusal::OrderMustArriveBeforeCutoff { date, cut_off, now });
    }
    let today = definition.strike.zone.date_of(now);
    if date > definition.calendar.add_sessions(today, SESSIONS_AHEAD_MAX)? {
        return Err(Refusal::TradeDateMustBeNear(date));
    }
    Ok(())
}

fn accepted(state: &FundState, new: &NewOrder, now: Timestamp) -> Result<Order, Refusal> {
    let settlement_date = staking::settlement_date(state, new)?;
    Ok(Order {
        id: new.id.clone(),
        participant: new.participant.clone(),
        side: new.side,
        method: new.method,
        shares: new.shares,
        trade_date: new.trade_date,
        settlement_date,
        submitted_at: now,
        state: OrderState::Accepted,
    })
}

fn at_strike_value(
    state: &FundState,
    order: &Order,
    coins: &BTreeMap<Symbol, Quantity>,
) -> Result<crate::event::Sale, Refusal> {
    let prices = strike_prices(state, order)?;
    let cost = |asset: Symbol, quantity: Quantity, value: Money| match order.side {
        OrderSide::Creation => Ok(value),
        OrderSide::Redemption => relieved(state, asset, quantity),
    };
    valued(coins, &prices, Rounding::HalfUp, cost)
}

/// What the coins for which cash stands in are worth at the strike: up for a creation and down for a redemption.
fn in_lieu_value(
    state: &FundState,
    order: &Order,
    coins: &BTreeMap<Symbol, Quantity>,
) -> Result<Money, Refusal> {
    let rounding = match order.side {
        OrderSide::Creation => Rounding::Ceiling,
        OrderSide::Redemption => Rounding::Floor,
    };
    Ok(valued(coins, &strike_prices(state, order)?, rounding, |_, _, value| Ok(value))?.value)
}

fn strike_prices(state: &FundState, order: &Order) -> Result<BTreeMap<Symbol, Price>, Refusal> {
    let nav = state.nav(order.trade_date).ok_or(Refusal::NavMustBeOnASession(order.trade_date))?;
    Ok(nav.inputs.assets.iter().map(|(asset, input)| (*asset, input.price)).collect())
}

fn open<'a>(state: &'a FundState, id: &OrderId) -> Result<&'a Order, Refusal> {
    state.order(id).ok_or_else(|| Refusal::OrderMustBeOpen(id.clone()))
}

fn wrong(order: &Order, needed: &'static str) -> Refusal {
    Refusal::OrderMustBeInState { id: order.id.clone(), state: order.state_name(), needed }
}
