//! Splits, changes of custodian and benchmark, the end of a fund, and what a strike finds due before it.

use super::promise::{Leaving, promises};
use super::registers::ascend;
use super::{Decision, covered, distributions, done, halts, relieved, short, staking, valued};
use crate::command::NewOrder;
use crate::distribution::Holder;
use crate::event::{Event, Promise};
use crate::fund::Outcome;
use crate::ledger::Account;
use crate::life::{End, LifeCommand, LifeEvent, Split};
use crate::life_refusal::LifeRefusal;
use crate::order::{OrderSide, OrderState};
use crate::refusal::Refusal;
use crate::state::FundState;
use std::collections::BTreeMap;
use strongroom_fund::FundDefinition;
use strongroom_fund::definition::{CustodyKind, FeeAccrual, GiftPolicy};
use strongroom_fund::distribution::{Payout, per_share_of};
use strongroom_units::time::{Date, Timestamp};
use strongroom_units::{Money, PerShare, Price, Quantity, Rounding, Scale, Shares, Symbol};

/// Holders whose fractions one split works out.
const HOLDERS_MAX: usize = 100_000;

pub(super) fn decide(state: &FundState, command: &LifeCommand, now: Timestamp) -> Decision {
    let today = state.definition().strike.zone.date_of(now);
    match command {
        LifeCommand::Split { date, new, old, holders, reason } => {
            let split = Split { date: *date, new: *new, old: *old };
            self::split(state, split, holders, reason, today)
        }
        LifeCommand::ChangeCustodian { account, custodian, from, reason } => {
            change_custodian(state, (*account, custodian), *from, reason)
        }
        LifeCommand::ChangeBenchmark { id, name, from, reason } => {
            change_benchmark(state, (id, name), *from, reason)
        }
        LifeCommand::RecordTradingHalt { cause, began } => halts::record(state, *cause, *began, now),
        LifeCommand::Close { reason } => close(state, reason),
        LifeCommand::Liquidate { prices, pay_date } => liquidate(state, prices, *pay_date, today),
    }
}

/// What a strike finds due before it: orders that wait because trading is halted, and distributions whose record date it is.
pub(super) fn before_strike(state: &FundState, date: Date) -> Result<Vec<Event>, Refusal> {
    let mut events = distributions::go_ex(state, date)?;
    events.extend(halts::postpone(state, date)?);
    Ok(events)
}

pub(super) fn is_not_liquidated(state: &FundState) -> Result<(), Refusal> {
    match state.end() {
        Some(End::Liquidated { .. }) => Err(LifeRefusal::FundMustNotBeClosing.into()),
        _ => Ok(()),
    }
}

/// What stands in the way of an order that is sound: the end of the fund, a halt, the cap, coins that are staked.
pub(super) fn takes_orders(state: &FundState, new: &NewOrder, now: Timestamp) -> Result<(), Refusal> {
    if state.end().is_some() {
        return Err(LifeRefusal::FundMustNotBeClosing.into());
    }
    halts::is_trading(state, now)?;
    is_within_the_cap(state, new)?;
    staking::is_liquid(state, new)
}

fn is_within_the_cap(state: &FundState, new: &NewOrder) -> Result<(), Refusal> {
    let Some(most) = state.definition().shares_most.filter(|_| new.side == OrderSide::Creation) else {
        return Ok(());
    };
    let waiting = state.orders().filter(|order| order.side == OrderSide::Creation);
    let waiting = waiting.filter(|order| order.state == OrderState::Accepted);
    let there = waiting.into_iter().try_fold(state.outstanding()?, |sum, order| sum.try_add(order.shares))?;
    if there.try_add(new.shares)? > most {
        return Err(LifeRefusal::CreationMustStayWithinTheCap { most, there }.into());
    }
    Ok(())
}

/// An order of before a split or a record date would change who was owed what.
pub(super) fn late_order_is_of_now(state: &FundState, trade_date: Date) -> Result<(), Refusal> {
    let splits = state.splits().iter().map(|split| split.date);
    let struck = state.last_nav().map(|nav| nav.date);
    let records = state.distributions().map(|known| known.terms.record_date);
    let records = records.filter(|record| struck.is_some_and(|struck| *record <= struck));
    match splits.chain(records).filter(|event| trade_date < *event).max() {
        None => Ok(()),
        Some(event) => Err(LifeRefusal::LateOrderMustNotPrecedeALifeEvent { trade_date, event }.into()),
    }
}

/// Forks and airdrops of a fund of one asset: abandoned, or sold for holders, by its definition.
pub(super) fn follows_gift_policy(definition: &FundDefinition, sold: bool) -> Result<(), Refusal> {
    match (definition.gifts, sold) {
        (GiftPolicy::Abandon, false) | (GiftPolicy::Distribute, true) => Ok(()),
        (GiftPolicy::Abandon, true) => Err(LifeRefusal::GiftMustFollowThePolicy("abandon them").into()),
        (GiftPolicy::Distribute, false) => {
            Err(LifeRefusal::GiftMustFollowThePolicy("sell them for holders").into())
        }
    }
}

/// `new` shares for every `old` ones, holder by holder and rounded down; what is left of a share is owed in cash at the NAV of the
/// last strike, rounded down to the cent. Coins do not change.
fn split(state: &FundState, split: Split, holders: &[Holder], reason: &str, today: Date) -> Decision {
    short("the reason", reason)?;
    if state.splits().contains(&split) {
        return Ok((Vec::new(), Outcome::AlreadyDone));
    }
    let Split { date, new, old } = split;
    if new == 0 || old == 0 || new == old {
        return Err(LifeRefusal::SplitMustChangeTheNumberOfShares { new, old }.into());
    }
    let last = state.last_nav().map_or(state.definition().seed.date, |nav| nav.date);
    let is_session = state.definition().calendar.is_session(date);
    if !is_session || date <= last || date > today || state.splits().iter().any(|known| known.date >= date) {
        return Err(LifeRefusal::SplitMustBeOnItsSession(date).into());
    }
    is_not_liquidated(state)?;
    if let Some(order) = state.orders().next() {
        return Err(LifeRefusal::SplitMustFindNoOpenOrders(order.id.clone()).into());
    }
    let (after, in_lieu, fractional_holders) = divided(state, split, holders)?;
    if after <= Shares::ZERO {
        return Err(LifeRefusal::SplitMustLeaveShares(after).into());
    }
    let held = state.cash_not_owed()?;
    if in_lieu > held.max(Money::ZERO) {
        return Err(LifeRefusal::SplitFractionsMustBeCoveredByCash { needed: in_lieu, held }.into());
    }
    let before = state.issued();
    let entitled = state.reserve().entitled().try_add(after.try_sub(before)?)?;
    let promises = promises(state, &BTreeMap::new(), Leaving::OfWhatIsOwedToShares, entitled)?;
    let reason = reason.to_owned();
    let event =
        LifeEvent::Split { date, new, old, before, after, in_lieu, fractional_holders, reason, promises };
    done(covered(state, Event::Life(event), None)?)
}

fn divided(state: &FundState, split: Split, holders: &[Holder]) -> Result<(Shares, Money, u64), Refusal> {
    let wanted = state.issued();
    let nominee = [Holder { holder: "all".to_owned(), shares: wanted, is_unreachable: false }];
    let holders = if holders.is_empty() { nominee.as_slice() } else { holders };
    if holders.len() > HOLDERS_MAX {
        return Err(LifeRefusal::RegisterPartMustBeBounded(holders.len()).into());
    }
    ascend("", holders)?;
    let given = holders.iter().try_fold(Shares::ZERO, |sum, line| sum.try_add(line.shares))?;
    if given != wanted {
        return Err(LifeRefusal::RegisterMustSumToSharesOutstanding { given, wanted }.into());
    }
    let nav = state.last_nav().map_or(Price::ZERO, |nav| nav.current.nav_per_share);
    let (new, old) = (i128::from(split.new), i128::from(split.old));
    let (mut after, mut in_lieu, mut fractional) = (0i128, Money::ZERO, 0);
    for line in holders {
        let made = i128::from(line.shares.count()) * new;
        after += made.div_euclid(old);
        // The fraction rest ÷ old of a new share is worth rest ÷ new of an old one.
        let rest = made.rem_euclid(old);
        if rest > 0 {
            let worth = nav.times(rest, Rounding::Floor)?.try_mul_div(1, new, Rounding::Floor)?;
            in_lieu = in_lieu.try_add(worth.to_cents(Rounding::Floor)?)?;
            fractional += 1;
        }
    }
    let after = i64::try_from(after).map_err(|_| strongroom_units::NumberError::Overflow)?;
    Ok((Shares::new(after), in_lieu, fractional))
}

fn change_custodian(
    state: &FundState,
    (account, custodian): (CustodyKind, &str),
    from: Date,
    reason: &str,
) -> Decision {
    short("the reason", reason)?;
    short("the custodian", custodian)?;
    let old = state.custodian(account, from).unwrap_or_default().to_owned();
    let changes = state.parts.life.custodians.iter().filter(|(_, kind, _)| *kind == account);
    let last = changes.map(|(from, _, _)| *from).max();
    if state.parts.life.custodians.iter().any(|known| *known == (from, account, custodian.to_owned())) {
        return Ok((Vec::new(), Outcome::AlreadyDone));
    }
    follows(state, from, last, old == custodian)?;
    let (new, reason) = (custodian.to_owned(), reason.to_owned());
    done(vec![Event::Life(LifeEvent::CustodianChanged { account, old, new, from, reason })])
}

fn change_benchmark(state: &FundState, (id, name): (&str, &str), from: Date, reason: &str) -> Decision {
    short("the reason", reason)?;
    short("the benchmark", id)?;
    short("the benchmark", name)?;
    let old = state.benchmark(from).map(|benchmark| benchmark.id).unwrap_or_default();
    let last = state.parts.life.benchmarks.iter().map(|(from, _, _)| *from).max();
    if state.parts.life.benchmarks.iter().any(|known| *known == (from, id.to_owned(), name.to_owned())) {
        return Ok((Vec::new(), Outcome::AlreadyDone));
    }
    follows(state, from, last, old == id)?;
    let (id, name, reason) = (id.to_owned(), name.to_owned(), reason.to_owned());
    done(vec![Event::Life(LifeEvent::BenchmarkChanged { old, id, name, from, reason })])
}

/// A change holds from a day after the last one, after the last strike, and changes something.
fn follows(state: &FundState, from: Date, last: Option<Date>, same: bool) -> Result<(), Refusal> {
    let struck = state.last_nav().map_or(state.definition().seed.date, |nav| nav.date);
    let last = last.map_or(struck, |last| last.max(struck));
    if same || from <= last {
        return Err(LifeRefusal::ChangeMustFollowTheLast { from, last }.into());
    }
    Ok(())
}

fn close(state: &FundState, reason: &str) -> Decision {
    short("the reason", reason)?;
    match state.end() {
        Some(End::Closing { .. }) => Ok((Vec::new(), Outcome::AlreadyDone)),
        Some(End::Liquidated { .. }) => Err(LifeRefusal::FundMustNotBeClosing.into()),
        None => done(vec![Event::Life(LifeEvent::Closing { reason: reason.to_owned() })]),
    }
}

/// Everything is sold, fee and expenses are paid, and the rest is the last distribution: its shares are cancelled against it.
fn liquidate(state: &FundState, prices: &BTreeMap<Symbol, Price>, pay_date: Date, today: Date) -> Decision {
    match state.end() {
        Some(End::Closing { .. }) => {}
        Some(End::Liquidated { .. }) => return Ok((Vec::new(), Outcome::AlreadyDone)),
        None => return Err(LifeRefusal::FundMustBeClosing.into()),
    }
    everything_is_settled(state)?;
    if pay_date < today {
        return Err(Refusal::DateMustNotPrecedeTheFund(pay_date));
    }
    let positions = state.reserve().positions()?;
    let coins: BTreeMap<Symbol, Quantity> = positions
        .iter()
        .filter(|position| !position.held.is_zero())
        .map(|position| (position.asset, position.held))
        .collect();
    super::orders::holds(state, Account::Trading, &coins)?;
    let sale =
        valued(&coins, prices, Rounding::Floor, |asset, quantity, _| relieved(state, asset, quantity))?;
    let owed = |account| state.ledger().money(account).try_neg();
    let (accrued, expenses) = (owed(Account::AccruedFee)?, owed(Account::AccruedExpense)?);
    let fee = accrued.to_cents(Rounding::Floor)?;
    let left = state.cash_not_owed()?.try_add(sale.value)?.try_sub(fee)?.try_sub(expenses)?;
    if left <= Money::ZERO {
        return Err(Refusal::NavMustBePositive(left));
    }
    let shares = state.issued();
    let there = Quantity::from_units(left.units(), Scale::try_new(Money::SCALE)?);
    let decimals = state.definition().distribution.map_or(6, |terms| terms.decimals.min(Money::SCALE));
    let per_share = per_share_of(there, shares, decimals)?;
    let total = Payout::cash(per_share)?.total(shares)?;
    let nothing = |asset: &Symbol, quantity: &Quantity| {
        let set_aside = Quantity::zero(quantity.scale());
        (*asset, Promise { basket_amount: PerShare::ZERO, set_aside })
    };
    let promises = positions.iter().map(|position| nothing(&position.asset, &position.held)).collect();
    let waived = accrued.try_sub(fee)?;
    let event = LifeEvent::Liquidated {
        sale,
        fee,
        waived,
        expenses,
        shares,
        per_share,
        total,
        on: today,
        pay_date,
        promises,
    };
    done(covered(state, Event::Life(event), None)?)
}

fn everything_is_settled(state: &FundState) -> Result<(), Refusal> {
    let refuse = |what| Err(LifeRefusal::LiquidationMustFindEverythingSettled(what).into());
    if state.orders().next().is_some() {
        return refuse("settle or withdraw every order");
    }
    if state.to_go_ex().next().is_some() {
        return refuse("cancel distributions that have not gone ex");
    }
    let in_coins = matches!(state.definition().fee.accrual, FeeAccrual::Coins { .. });
    for asset in &state.definition().assets {
        let account = |account| state.in_account(asset.symbol, account);
        if !account(Account::Staked)?.is_zero() || !account(Account::Unbonding)?.is_zero() {
            return refuse("unstake and release every coin");
        }
        if in_coins && !account(Account::AccruedFee)?.is_zero() {
            return refuse("pay the fee that accrued in coins");
        }
        if !account(Account::DistributionPayable)?.is_zero() {
            return refuse("pay distributions in kind, and let holders claim theirs");
        }
    }
    Ok(())
}
