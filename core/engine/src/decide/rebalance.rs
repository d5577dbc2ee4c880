//! A basket is brought to target weights, net of what that costs.
//!
//! Whoever sizes trades on the value before costs ends with too little cash or with weights off target. Here the worth
//! of the coins after the trades is the unknown: the largest amount W for which
//!
//! ```text
//! cash + sold(W) − bought(W) − cost(W) ≥ 0        with each asset at weight × W after the trades
//! ```
//!
//! Coins after the trades are `weight × W ÷ price`, rounded down to the base unit; what is sold fetches, and what is bought
//! costs, whole cents in the market's favour; the cost is rounded up to cents. So weights are on target to a base unit, and
//! what is left of the cash is less than a few cents and a base unit of each asset.
//!
//! Coins set aside for accrued fee and expenses are part of the basket like all others: they follow the index until they
//! are sold.

use super::orders::holds;
use super::strike::{Coming, per_share, set_aside};
use super::{Decision, covered, positive, relieved, short, valued, weights};
use crate::command::Rebalance;
use crate::event::{AssetNav, Event, NavInputs, Promise, Sale};
use crate::fund::Outcome;
use crate::ledger::Account;
use crate::refusal::Refusal;
use crate::state::FundState;
use std::collections::BTreeMap;
use strongroom_fund::definition::FundKind;
use strongroom_units::{Money, NumberError, Price, Quantity, Rate, Rounding, Shares, Symbol};

type Coins = BTreeMap<Symbol, Quantity>;
type Prices = BTreeMap<Symbol, Price>;

/// What a rebalance buys and sells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trades {
    /// Coins sold, per asset.
    pub sold: Coins,
    /// Coins bought, per asset.
    pub bought: Coins,
}

pub(super) fn rebalance(state: &FundState, rebalance: &Rebalance) -> Decision {
    short("the reason", &rebalance.reason)?;
    if let Some(outcome) = repeat(state, rebalance)? {
        return Ok((Vec::new(), outcome));
    }
    let Trades { sold, bought } = state.trades_to(rebalance)?;
    holds(state, Account::Trading, &sold)?;
    let Rebalance { date, targets, prices, reason, .. } = rebalance.clone();
    let sold =
        valued(&sold, &prices, Rounding::Floor, |asset, quantity, _| relieved(state, asset, quantity))?;
    let bought = valued(&bought, &prices, Rounding::Ceiling, |_, _, value| Ok(value))?;
    let cost = cost_of(&sold, &bought, rebalance.cost)?;
    let promises = promises(state, (&sold, &bought), &prices)?;
    let event = Event::Rebalanced { date, targets, sold, bought, cost, reason, promises };
    Ok((covered(state, event, None)?, Outcome::Done))
}

impl FundState {
    /// The trades that bring the basket to its targets net of their own cost: what a desk has to move to the trading balance
    /// first is what is sold.
    pub fn trades_to(&self, rebalance: &Rebalance) -> Result<Trades, Refusal> {
        is_due(self, rebalance)?;
        let basket = Basket::try_new(self, rebalance)?;
        basket.at(basket.worth_after()?).map(|(trades, _)| trades)
    }
}

/// The same again is a repeat; other weights after the same strike are refused.
fn repeat(state: &FundState, rebalance: &Rebalance) -> Result<Option<Outcome>, Refusal> {
    match state.rebalanced_since_strike() {
        Some(last) if last.date != rebalance.date => Ok(None),
        Some(last) if last.targets == rebalance.targets => Ok(Some(Outcome::AlreadyDone)),
        Some(last) => Err(Refusal::RebalanceMustNotBeDoneTwice(last.date)),
        None => Ok(None),
    }
}

fn is_due(state: &FundState, rebalance: &Rebalance) -> Result<(), Refusal> {
    let definition = state.definition();
    if definition.kind != FundKind::Basket {
        return Err(Refusal::RebalanceMustBeOfABasket(definition.id));
    }
    weights::check(definition, &rebalance.targets)?;
    let most = Rate::from_units(10i128.pow(17)); // a tenth of what is traded
    if rebalance.cost.is_negative() || rebalance.cost > most {
        return Err(Refusal::RebalanceCostMustBeAFraction(rebalance.cost));
    }
    let last = state.last_nav().map_or(definition.seed.date, |nav| nav.date);
    if rebalance.date != last {
        return Err(Refusal::RebalanceMustFollowTheLastStrike { last, given: rebalance.date });
    }
    match state.orders().find(|order| state.awaits_coins(order)) {
        Some(order) => Err(Refusal::RebalanceMustFollowExecutions(order.id.clone())),
        None => Ok(()),
    }
}

/// A basket before its trades.
struct Basket<'a> {
    assets: Vec<Held>,
    prices: &'a Prices,
    cash: Money,
    cost: Rate,
}

struct Held {
    asset: Symbol,
    quantity: Quantity,
    price: Price,
    weight: Rate,
}

impl<'a> Basket<'a> {
    fn try_new(state: &FundState, rebalance: &'a Rebalance) -> Result<Self, Refusal> {
        let held: Coins = state.reserve().positions()?.iter().map(|p| (p.asset, p.held)).collect();
        let mut assets = Vec::new();
        for known in &state.definition().assets {
            let asset = known.symbol;
            let quantity = held.get(&asset).copied().unwrap_or(Quantity::zero(known.scale));
            let weight = rebalance.targets.get(&asset).copied().unwrap_or(Rate::ZERO);
            if !quantity.is_zero() || !weight.is_zero() {
                let price = positive(asset, &rebalance.prices)?;
                assets.push(Held { asset, quantity, price, weight });
            }
        }
        let cash = state.ledger().money(Account::Cash);
        Ok(Self { assets, prices: &rebalance.prices, cash, cost: rebalance.cost })
    }

    /// The largest worth of the coins after the trades that leaves no debt, found by halving: at eight decimals, some
    /// sixty steps for ten thousand million.
    fn worth_after(&self) -> Result<Money, Refusal> {
        let mut whole = self.cash;
        for held in &self.assets {
            whole = whole.try_add(held.price.value(held.quantity, Rounding::Floor)?)?;
        }
        let (mut enough, mut too_much) = (0, whole.units().max(0).saturating_add(1));
        while too_much - enough > 1 {
            let middle = enough + (too_much - enough) / 2;
            let (_, left) = self.at(Money::from_units(middle))?;
            if left.is_negative() { too_much = middle } else { enough = middle }
        }
        match self.at(Money::from_units(enough))? {
            (_, left) if left.is_negative() => Err(Refusal::NavMustBePositive(left)),
            _ => Ok(Money::from_units(enough)),
        }
    }

    /// The trades after which the coins are worth this, and the cash left after them.
    fn at(&self, worth: Money) -> Result<(Trades, Money), Refusal> {
        let mut trades = Trades::default();
        for held in &self.assets {
            let target = weights::part(worth, held.weight)?.buys(
                held.price,
                held.quantity.scale(),
                Rounding::Floor,
            )?;
            let more = target.try_sub(held.quantity)?;
            if more.is_negative() {
                trades.sold.insert(held.asset, more.try_neg()?);
            } else if !more.is_zero() {
                trades.bought.insert(held.asset, more);
            }
        }
        let as_traded = |_, _, value| Ok(value);
        let sold = valued(&trades.sold, self.prices, Rounding::Floor, as_traded)?;
        let bought = valued(&trades.bought, self.prices, Rounding::Ceiling, as_traded)?;
        let cost = cost_of(&sold, &bought, self.cost)?;
        let left = self.cash.try_add(sold.value)?.try_sub(bought.value)?.try_sub(cost)?;
        Ok((trades, left))
    }
}

/// The cost of trades, rounded up to cents.
fn cost_of(sold: &Sale, bought: &Sale, cost: Rate) -> Result<Money, NumberError> {
    let one = 10i128.pow(u32::from(Rate::SCALE));
    let traded = sold.value.try_add(bought.value)?;
    traded.try_mul_div(cost.units(), one, Rounding::Ceiling)?.to_cents(Rounding::Ceiling)
}

/// What can be promised per share after the trades: of the coins that are there, those not set aside for what is owed in
/// money. Nothing is pending, so it is one division per asset.
fn promises(
    state: &FundState,
    (sold, bought): (&Sale, &Sale),
    prices: &Prices,
) -> Result<BTreeMap<Symbol, Promise>, Refusal> {
    promises_of(state, after(state, sold, bought)?, prices)
}

/// The same of coins that are there after any change, of every asset held before or after.
pub(super) fn promises_of(
    state: &FundState,
    coins: Coins,
    prices: &Prices,
) -> Result<BTreeMap<Symbol, Promise>, Refusal> {
    let owed = |account| state.ledger().money(account).try_neg();
    let mut inputs = NavInputs {
        assets: BTreeMap::new(),
        shares: state.outstanding()?,
        entitled: state.reserve().entitled(),
        cash: state.ledger().money(Account::Cash),
        accrued_fee: owed(Account::AccruedFee)?,
        accrued_expenses: owed(Account::AccruedExpense)?,
        distributions: owed(Account::DistributionPayable)?,
        after: state.definition().seed.date,
        evidence: BTreeMap::new(),
        position: None,
    };
    for (asset, owned) in coins {
        let none = Quantity::zero(owned.scale());
        let (accrued_fee, pending_creations, pending_redemptions) = (none, none, none);
        let price = prices.get(&asset).copied().unwrap_or_default();
        let input = AssetNav { price, owned, accrued_fee, pending_creations, pending_redemptions };
        inputs.assets.insert(asset, input);
    }
    let unpaid = inputs.accrued_fee.try_add(inputs.accrued_expenses)?.try_add(inputs.uncovered()?)?;
    let mut held = inputs.clone();
    held.assets.retain(|_, input| !input.owned.is_zero());
    let asides = set_aside(&held, unpaid)?;
    let mut promises = BTreeMap::new();
    for (asset, input) in &inputs.assets {
        let none = Quantity::zero(input.owned.scale());
        let set_aside = asides.get(asset).copied().unwrap_or(none);
        let coming = Coming { coins: none, shares: Shares::ZERO };
        let basket_amount = per_share(input.owned.try_sub(set_aside)?, inputs.entitled, &coming)?;
        if basket_amount.is_negative() {
            return Err(Refusal::NavMustBePositive(unpaid.try_neg()?));
        }
        promises.insert(*asset, Promise { basket_amount, set_aside });
    }
    Ok(promises)
}

/// Coins of every asset that was held before, is held after, or both.
fn after(state: &FundState, sold: &Sale, bought: &Sale) -> Result<Coins, NumberError> {
    let mut coins: Coins = state.reserve().positions()?.iter().map(|p| (p.asset, p.held)).collect();
    for (asset, line) in &bought.assets {
        let held = coins.entry(*asset).or_insert(Quantity::zero(line.quantity.scale()));
        *held = held.try_add(line.quantity)?;
    }
    for (asset, line) in &sold.assets {
        let held = coins.entry(*asset).or_insert(Quantity::zero(line.quantity.scale()));
        *held = held.try_sub(line.quantity)?;
    }
    Ok(coins)
}
