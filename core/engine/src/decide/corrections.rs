//! What was learned late: a wrong price, an expense of an earlier day, an order entered after its strike.
//!
//! History is never edited. The correction is a new event with both dates, and it names every published NAV that
//! would have been different, and by how much; the published figure itself stays as it was.

use super::strike::{Coming, figures, inputs, per_share};
use super::{Decision, done, short};
use crate::apply::after;
use crate::event::{Event, NavRecord, PriceBasis, Promise, Restatement};
use crate::fund::Outcome;
use crate::order::{Order, OrderId, OrderSide};
use crate::refusal::Refusal;
use crate::reserve::entitled_shares;
use crate::state::FundState;
use std::collections::BTreeMap;
use strongroom_fund::definition::Exposure;
use strongroom_fund::fees::coin_fee;
use strongroom_units::time::{Date, Timestamp};
use strongroom_units::{Money, NumberError, Price, Quantity, Rounding, Shares, Symbol};

/// What turned out to have been different.
enum Change<'a> {
    /// The reference rate of one day.
    Price(Symbol, Date, Price),
    /// An expense from a day on.
    Expense(Date, Money),
    /// A struck order, from the strike after its own on, with the fee in coins that its coins would have accrued.
    LateOrder(&'a Order, &'a CoinFees),
    /// What holders are owed from a record date on.
    Distribution(Date, Money),
}

pub(super) fn price(state: &FundState, asset: Symbol, date: Date, new: Price, reason: &str) -> Decision {
    short("the reason", reason)?;
    let recorded =
        state.price(asset, date).ok_or(Refusal::PriceMustBeRecordedToBeCorrected { asset, date })?;
    let old = recorded.price;
    if new <= Price::ZERO {
        return Err(Refusal::PriceMustBePositive { row: 1, date, price: new });
    }
    if new == old {
        return Ok((Vec::new(), Outcome::AlreadyDone));
    }
    let restatement = restate(state, &Change::Price(asset, date, new))?;
    done(vec![Event::PriceCorrected { asset, date, old, new, reason: reason.to_owned(), restatement }])
}

pub(super) fn expense(
    state: &FundState,
    id: &OrderId,
    effective: Date,
    amount: Money,
    memo: &str,
    now: Timestamp,
) -> Decision {
    short("the memo", memo)?;
    match state.parts.expenses.get(id) {
        Some(known) if *known == (effective, amount) => return Ok((Vec::new(), Outcome::AlreadyDone)),
        Some(_) => return Err(Refusal::OrderIdMustBeUnique(id.clone())),
        None => {}
    }
    if amount <= Money::ZERO {
        return Err(Refusal::AmountMustBePositive(amount));
    }
    if amount.to_cents(Rounding::Floor)? != amount {
        return Err(Refusal::AmountMustBeInCents(amount));
    }
    if effective > state.definition().strike.zone.date_of(now) {
        return Err(Refusal::DateMustNotBeInTheFuture(effective));
    }
    if effective < state.definition().seed.date {
        return Err(Refusal::DateMustNotPrecedeTheFund(effective));
    }
    leaves_net_assets(state, amount)?;
    let restatement = restate(state, &Change::Expense(effective, amount))?;
    let (id, memo) = (id.clone(), memo.to_owned());
    done(vec![Event::ExpenseRecorded { id, effective, amount, memo, restatement }])
}

/// Refuses an expense beyond the net assets of today's holdings at the last prices: it could not be undone, and no
/// later session could be struck.
fn leaves_net_assets(state: &FundState, amount: Money) -> Result<(), Refusal> {
    let Some(last) = state.last_nav() else { return Ok(()) };
    let mut inputs = inputs(state, &state.last_prices())?;
    inputs.accrued_expenses = inputs.accrued_expenses.try_add(amount)?;
    figures(state.definition(), &inputs, last.date).map(|_| ())
}

/// A late order's coins belong to every day after its strike: to the NAVs, and to the holdings on which fee accrued
/// in coins.
pub(super) fn late_order(state: &FundState, order: &Order) -> Result<Restatement, Refusal> {
    let coin_fees = coin_fees(state, order)?;
    let mut restatement = revalued(state, &Change::LateOrder(order, &coin_fees))?;
    restatement.promises = promises(state, &restatement, Some(order))?;
    Ok(Restatement { coin_fees, ..restatement })
}

/// A distribution that was wrong is owed more, or less, from its record date on.
pub(super) fn distribution(
    state: &FundState,
    record_date: Date,
    more: Money,
) -> Result<Restatement, Refusal> {
    restate(state, &Change::Distribution(record_date, more))
}

/// Values every strike since the change again, and promises anew when the last one is among them.
fn restate(state: &FundState, change: &Change<'_>) -> Result<Restatement, Refusal> {
    let mut restatement = revalued(state, change)?;
    if last_restated(state, &restatement).is_some() {
        restatement.promises = promises(state, &restatement, None)?;
    }
    Ok(restatement)
}

/// Values every strike since the change again. A fee that would have been different is carried into the accrued fee of
/// the strikes after it.
fn revalued(state: &FundState, change: &Change<'_>) -> Result<Restatement, Refusal> {
    let mut restatement = Restatement::default();
    for nav in state.navs().iter().skip_while(|nav| nav.date < change.first_day()) {
        let mut corrected = nav.clone();
        change.make(&mut corrected, state.definition().exposure.as_ref())?;
        corrected.inputs.accrued_fee = corrected.inputs.accrued_fee.try_add(restatement.fee_adjustment)?;
        corrected.current = figures(state.definition(), &corrected.inputs, nav.date)?;
        let more = corrected.current.valuation.fee.try_sub(nav.current.valuation.fee)?;
        restatement.fee_adjustment = restatement.fee_adjustment.try_add(more)?;
        if corrected != *nav {
            restatement.navs.push(corrected);
        }
    }
    Ok(restatement)
}

/// The last strike as corrected.
fn last_restated<'a>(state: &FundState, restatement: &'a Restatement) -> Option<&'a NavRecord> {
    let last = state.last_nav()?.date;
    restatement.navs.last().filter(|nav| nav.date == last)
}

/// What can be promised per share from now on: of the coins that are there, those neither dealt nor set aside.
fn promises(
    state: &FundState,
    restatement: &Restatement,
    late: Option<&Order>,
) -> Result<BTreeMap<Symbol, Promise>, Refusal> {
    let Some(last) = last_restated(state, restatement).or(state.last_nav()) else {
        return Ok(BTreeMap::new());
    };
    let entitled = entitled_shares(state.issued(), state.orders().chain(late))?;
    let shares = state.orders().chain(late).try_fold(Shares::ZERO, |sum, order| match order {
        Order { side: OrderSide::Creation, .. } if order.coins().is_some() && !order.is_funded() => {
            sum.try_add(order.shares)
        }
        _ => Ok(sum),
    })?;
    let mut promises = BTreeMap::new();
    for position in state.reserve().positions()? {
        let (asset, zero) = (position.asset, Quantity::zero(position.held.scale()));
        let (mut coins, mut going) = state.pending(asset, zero)?;
        if let Some((order, due)) = late.and_then(|order| Some((order, order.coins()?.get(&asset)?))) {
            let side = if order.side == OrderSide::Creation { &mut coins } else { &mut going };
            *side = side.try_add(*due)?;
        }
        let liability = last.current.liability_coins.get(&asset).copied().unwrap_or(zero);
        let set_aside = match state.has_changed_since_strike() {
            true => position.set_aside,
            false => state.reserve().left_of(asset, liability)?,
        };
        let free = position.held.try_sub(going)?.try_sub(set_aside)?;
        let basket_amount = per_share(free, entitled, &Coming { coins, shares })?;
        if basket_amount.is_negative() {
            return Err(Refusal::NavMustBePositive(last.current.valuation.net_assets));
        }
        promises.insert(asset, Promise { basket_amount, set_aside });
    }
    Ok(promises)
}

/// Fee in coins that each day after a late order's strike should have accrued more or less.
fn coin_fees(state: &FundState, order: &Order) -> Result<CoinFees, Refusal> {
    let schedule = &state.definition().fee;
    let coins = order.coins_signed()?.unwrap_or_default();
    let mut days = CoinFees::new();
    for (day, holdings) in state.parts.coin_holdings.range(after(order.trade_date)) {
        for (asset, quantity) in &coins {
            let Some(known) = holdings.get(asset) else { continue };
            let accrued = coin_fee(schedule, *known, *day)?;
            let more = coin_fee(schedule, known.try_add(*quantity)?, *day)?.try_sub(accrued)?;
            days.entry(*day).or_default().insert(*asset, more);
        }
    }
    Ok(days)
}

type CoinFees = BTreeMap<Date, BTreeMap<Symbol, Quantity>>;

impl Change<'_> {
    fn first_day(&self) -> Date {
        match self {
            Self::Price(_, date, _) | Self::Expense(date, _) | Self::Distribution(date, _) => *date,
            Self::LateOrder(order, _) => order.trade_date,
        }
    }

    fn make(&self, nav: &mut NavRecord, exposure: Option<&Exposure>) -> Result<(), Refusal> {
        match self {
            Self::Price(asset, date, price) => {
                if let Some(input) = nav.inputs.assets.get_mut(asset).filter(|_| nav.date == *date) {
                    if let Some((exposure, position)) = exposure.zip(nav.inputs.position.as_mut()) {
                        // The books settled at the old mark, and settle the difference at the next: only this NAV changes.
                        let mark = exposure.mark(*price, *date, position.expiry)?;
                        let gain = mark.try_sub(position.mark)?.value(position.coins, Rounding::HalfEven)?;
                        nav.inputs.cash = nav.inputs.cash.try_add(gain)?;
                        position.mark = mark;
                    }
                    input.price = *price;
                    if let Some(basis) = nav.inputs.evidence.get_mut(asset) {
                        *basis = PriceBasis::Corrected;
                    }
                }
            }
            Self::Expense(_, amount) => {
                nav.inputs.accrued_expenses = nav.inputs.accrued_expenses.try_add(*amount)?;
            }
            Self::Distribution(_, more) => {
                nav.inputs.distributions = nav.inputs.distributions.try_add(*more)?;
            }
            Self::LateOrder(order, coin_fees) if nav.date > order.trade_date => {
                join(order, nav)?;
                accrue(coin_fees, nav)?;
            }
            Self::LateOrder(..) => {}
        }
        Ok(())
    }
}

/// Adds what should have accrued in coins by a strike.
fn accrue(coin_fees: &CoinFees, nav: &mut NavRecord) -> Result<(), NumberError> {
    for (asset, more) in coin_fees.range(..=nav.date).flat_map(|(_, coins)| coins) {
        if let Some(input) = nav.inputs.assets.get_mut(asset) {
            input.accrued_fee = input.accrued_fee.try_add(*more)?;
        }
    }
    Ok(())
}

/// Puts a struck order among the pending ones of a later strike.
fn join(order: &Order, nav: &mut NavRecord) -> Result<(), Refusal> {
    let inputs = &mut nav.inputs;
    match order.side {
        OrderSide::Creation => inputs.shares = inputs.shares.try_add(order.shares)?,
        OrderSide::Redemption => {
            inputs.shares = inputs.shares.try_sub(order.shares)?;
            inputs.entitled = inputs.entitled.try_sub(order.shares)?;
        }
    }
    for (asset, quantity) in order.coins().into_iter().flatten() {
        let Some(input) = inputs.assets.get_mut(asset) else { continue };
        let pending = match order.side {
            OrderSide::Creation => &mut input.pending_creations,
            OrderSide::Redemption => &mut input.pending_redemptions,
        };
        *pending = pending.try_add(*quantity)?;
    }
    Ok(())
}
