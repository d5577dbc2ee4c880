//! Paying what is owed: the sponsor fee and other expenses, by selling coins or in coins.

use super::orders::holds;
use super::{covered, exposure, positive, relieved, valued};
use crate::command::Liability;
use crate::event::{Event, Sale};
use crate::ledger::Account;
use crate::refusal::Refusal;
use crate::state::FundState;
use std::collections::BTreeMap;
use strongroom_fund::definition::FeeAccrual;
use strongroom_fund::fees::money_fee;
use strongroom_units::time::Date;
use strongroom_units::{Money, Price, Quantity, Rounding, Symbol};

pub(super) fn pay(
    state: &FundState,
    liability: Liability,
    prices: &BTreeMap<Symbol, Price>,
) -> Result<Vec<Event>, Refusal> {
    let in_coins = matches!(state.definition().fee.accrual, FeeAccrual::Coins { .. });
    match liability {
        Liability::SponsorFee { through } => {
            let through = struck_through(state, through)?;
            let liability = Liability::SponsorFee { through: Some(through) };
            if in_coins {
                return pay_in_coins(state, liability, through);
            }
            sell(state, liability, fee_due(state, through)?, prices)
        }
        Liability::Expenses => {
            sell(state, liability, state.ledger().money(Account::AccruedExpense).try_neg()?, prices)
        }
    }
}

/// Sells coins for what is due, in whole cents.
///
/// No more coins are sold than the last strike set aside for what is owed in money: when the price has fallen since, the
/// proceeds pay a part and the rest stays accrued until the next strike, so a payment never takes coins that
/// are owed to shares.
fn sell(
    state: &FundState,
    liability: Liability,
    due: Money,
    prices: &BTreeMap<Symbol, Price>,
) -> Result<Vec<Event>, Refusal> {
    let due = due.to_cents(Rounding::Floor)?;
    if due <= Money::ZERO {
        return Err(Refusal::PaymentMustHaveSomethingAccrued);
    }
    if state.position().is_some() {
        exposure::has_cash(state, due)?;
        let sale = Sale { assets: BTreeMap::new(), value: Money::ZERO };
        return Ok(vec![Event::Paid { liability, sale, amount: due }]);
    }
    let coins = coins_to_sell(state, due, prices)?;
    holds(state, Account::Trading, &coins)?;
    let sale =
        valued(&coins, prices, Rounding::Floor, |asset, quantity, _| relieved(state, asset, quantity))?;
    let amount = due.min(sale.value);
    if amount <= Money::ZERO {
        return Err(Refusal::PaymentMustHaveSomethingAccrued);
    }
    covered(state, Event::Paid { liability, sale, amount }, None)
}

fn coins_to_sell(
    state: &FundState,
    due: Money,
    prices: &BTreeMap<Symbol, Price>,
) -> Result<BTreeMap<Symbol, Quantity>, Refusal> {
    let mut positions = state.reserve().positions()?;
    positions.retain(|position| !position.held.is_zero());
    let mut values = BTreeMap::new();
    for position in &positions {
        let value = positive(position.asset, prices)?.value(position.held, Rounding::HalfEven)?;
        values.insert(position.asset, value);
    }
    let total = values.values().try_fold(Money::ZERO, |sum, value| sum.try_add(*value))?;
    let for_fee = coins_accrued(state, struck_through(state, None)?)?;
    let mut coins = BTreeMap::new();
    for position in positions {
        let value = values.get(&position.asset).copied().unwrap_or_default();
        let share = due.try_mul_div(value.units(), total.units(), Rounding::Ceiling)?;
        let price = positive(position.asset, prices)?;
        let wanted = share.buys(price, position.held.scale(), Rounding::Ceiling)?;
        let set_aside = for_fee.get(&position.asset).map_or(Ok(position.set_aside), |fee| {
            position.set_aside.try_sub(*fee) // coins owed as coins are not there to be sold
        })?;
        let capped = if set_aside.try_sub(wanted)?.is_negative() { set_aside } else { wanted };
        if !capped.is_zero() && !capped.is_negative() {
            coins.insert(position.asset, capped);
        }
    }
    Ok(coins)
}

impl FundState {
    /// Coins that paying the sponsor fee accrued through a day would take out of the trading balance now, at these
    /// prices: what a desk has to move there first. Nothing when nothing is due.
    pub fn coins_for_fee(
        &self,
        through: Option<Date>,
        prices: &BTreeMap<Symbol, Price>,
    ) -> Result<BTreeMap<Symbol, Quantity>, Refusal> {
        let through = struck_through(self, through)?;
        if matches!(self.definition().fee.accrual, FeeAccrual::Coins { .. }) {
            return coins_accrued(self, through);
        }
        if self.position().is_some() {
            return Ok(BTreeMap::new());
        }
        let due = fee_due(self, through)?.to_cents(Rounding::Floor)?;
        if due <= Money::ZERO { Ok(BTreeMap::new()) } else { coins_to_sell(self, due, prices) }
    }

    /// Sponsor fee accrued in money through a day and not yet paid.
    pub fn fee_due(&self, through: Option<Date>) -> Result<Money, Refusal> {
        fee_due(self, struck_through(self, through)?)
    }
}

fn coins_accrued(state: &FundState, through: Date) -> Result<BTreeMap<Symbol, Quantity>, Refusal> {
    let mut coins: BTreeMap<Symbol, Quantity> = BTreeMap::new();
    for fees in state.parts.coin_fees.range(..=through).map(|(_, fees)| fees) {
        for (asset, fee) in fees {
            let sum = coins.entry(*asset).or_insert(Quantity::zero(fee.scale()));
            *sum = sum.try_add(*fee)?;
        }
    }
    coins.retain(|_, quantity| !quantity.is_zero() && !quantity.is_negative());
    Ok(coins)
}

fn pay_in_coins(state: &FundState, liability: Liability, through: Date) -> Result<Vec<Event>, Refusal> {
    let coins = coins_accrued(state, through)?;
    if coins.is_empty() {
        return Err(Refusal::PaymentMustHaveSomethingAccrued);
    }
    holds(state, Account::Trading, &coins)?;
    let sale = at_last_strike(state, &coins)?;
    covered(state, Event::Paid { liability, sale, amount: Money::ZERO }, None)
}

fn at_last_strike(state: &FundState, coins: &BTreeMap<Symbol, Quantity>) -> Result<Sale, Refusal> {
    let prices = state
        .last_nav()
        .map(|nav| nav.inputs.assets.iter().map(|(asset, input)| (*asset, input.price)).collect())
        .unwrap_or_default();
    valued(coins, &prices, Rounding::HalfUp, |asset, quantity, _| relieved(state, asset, quantity))
}

/// Fee accrued through a day less everything paid so far.
///
/// A strike on a Monday accrues Saturday's, Sunday's and Monday's fee: when the day is the Saturday on which a month
/// ends, only its own part of that strike is counted.
fn fee_due(state: &FundState, through: Date) -> Result<Money, Refusal> {
    let mut accrued = Money::ZERO;
    for nav in state.navs() {
        if nav.date <= through {
            accrued = accrued.try_add(nav.current.valuation.fee)?;
            continue;
        }
        let (basis, after) = (nav.current.valuation.fee_basis, nav.inputs.after);
        accrued = accrued.try_add(money_fee(&state.definition().fee, basis, after, through)?)?;
        break;
    }
    Ok(accrued.try_sub(state.parts.fee_paid)?)
}

/// The day given, or that of the last strike; refuses a day that no strike has reached.
fn struck_through(state: &FundState, through: Option<Date>) -> Result<Date, Refusal> {
    let last = state.last_nav().map_or(state.definition().seed.date, |nav| nav.date);
    match through {
        Some(day) if day > last || day < state.definition().seed.date => {
            Err(Refusal::PaymentMustBeThroughAStruckDay(day))
        }
        Some(day) => Ok(day),
        None => Ok(last),
    }
}
