//! What was learned late: a wrong price, an expense of an earlier day, an order entered after its strike.
//!
//! History is never edited. The correction is a new event with both dates, and it names every published NAV that
//! would have been different, and by how much; the published figure itself stays as it was.

use super::strike::figures;
use super::{Decision, done, short};
use crate::event::{Event, NavRecord, Restatement};
use crate::fund::Outcome;
use crate::order::{Order, OrderId, OrderSide};
use crate::refusal::Refusal;
use crate::state::FundState;
use strongroom_units::time::{Date, Timestamp};
use strongroom_units::{Money, Price, Rounding, Symbol};

/// What turned out to have been different.
pub(super) enum Change<'a> {
    /// The reference rate of one day.
    Price(Symbol, Date, Price),
    /// An expense from a day on.
    Expense(Date, Money),
    /// A struck order, from the strike after its own on.
    LateOrder(&'a Order),
}

pub(super) fn price(
    state: &FundState,
    asset: Symbol,
    date: Date,
    new: Price,
    reason: &str,
) -> Result<Vec<Event>, Refusal> {
    short("the reason", reason)?;
    let recorded =
        state.price(asset, date).ok_or(Refusal::PriceMustBeRecordedToBeCorrected { asset, date })?;
    let old = recorded.price;
    if new <= Price::ZERO {
        return Err(Refusal::PriceMustBePositive { row: 1, date, price: new });
    }
    let restatement = restate(state, &Change::Price(asset, date, new))?;
    Ok(vec![Event::PriceCorrected { asset, date, old, new, reason: reason.to_owned(), restatement }])
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
    let restatement = restate(state, &Change::Expense(effective, amount))?;
    let (id, memo) = (id.clone(), memo.to_owned());
    done(vec![Event::ExpenseRecorded { id, effective, amount, memo, restatement }])
}

/// Values every strike since the change again. A fee that would have been different is carried into the accrued
/// fee of the strikes after it, as it would have been.
pub(super) fn restate(state: &FundState, change: &Change<'_>) -> Result<Restatement, Refusal> {
    let mut restatement = Restatement::default();
    for nav in state.navs().iter().skip_while(|nav| nav.date < change.first_day()) {
        let mut corrected = nav.clone();
        change.make(&mut corrected)?;
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

impl Change<'_> {
    fn first_day(&self) -> Date {
        match self {
            Self::Price(_, date, _) | Self::Expense(date, _) => *date,
            Self::LateOrder(order) => order.trade_date,
        }
    }

    fn make(&self, nav: &mut NavRecord) -> Result<(), Refusal> {
        match self {
            Self::Price(asset, date, price) => {
                if let Some(input) = nav.inputs.assets.get_mut(asset).filter(|_| nav.date == *date) {
                    input.price = *price;
                }
            }
            Self::Expense(_, amount) => {
                nav.inputs.accrued_expenses = nav.inputs.accrued_expenses.try_add(*amount)?;
            }
            Self::LateOrder(order) if nav.date > order.trade_date => join(order, nav)?,
            Self::LateOrder(_) => {}
        }
        Ok(())
    }
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
