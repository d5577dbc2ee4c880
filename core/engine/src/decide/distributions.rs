//! Declaring, paying, claiming and correcting distributions, and going ex of them.

use super::life::is_not_liquidated;
use super::orders::holds;
use super::promise::{Leaving, promises};
use super::{Decision, corrections, covered, done, registers, relieved, short, valued};
use crate::distribution::{
    Distribution, DistributionCommand, DistributionEvent, DistributionSource, NewDistribution, Stage,
};
use crate::event::{Event, Restatement};
use crate::fund::Outcome;
use crate::ledger::Account;
use crate::life_refusal::LifeRefusal;
use crate::order::OrderId;
use crate::refusal::Refusal;
use crate::state::FundState;
use std::collections::BTreeMap;
use strongroom_fund::definition::{DistributionTerms, PaidIn};
use strongroom_fund::distribution::Payout;
use strongroom_units::time::{Date, Timestamp};
use strongroom_units::{Money, PerShare, Price, Quantity, Rounding, Symbol};

pub(super) fn decide(state: &FundState, command: &DistributionCommand, now: Timestamp) -> Decision {
    match command {
        DistributionCommand::Declare(terms) => declare(state, terms, now),
        DistributionCommand::ImportRegister(part) => registers::import(state, part),
        DistributionCommand::Pay { id } => pay(state, id, now),
        DistributionCommand::Claim { id, holder } => claim(state, id, holder),
        DistributionCommand::Correct { id, per_share, reason } => correct(state, id, *per_share, reason),
        DistributionCommand::Cancel { id, reason } => cancel(state, id, reason),
    }
}

fn declare(state: &FundState, terms: &NewDistribution, now: Timestamp) -> Decision {
    if let Some(known) = state.distribution(&terms.id) {
        let same = known.terms == *terms && known.stage != Stage::Cancelled;
        let taken = || LifeRefusal::DistributionIdMustBeUnique(terms.id.clone()).into();
        return if same { Ok((Vec::new(), Outcome::AlreadyDone)) } else { Err(taken()) };
    }
    short("the memo", &terms.memo)?;
    is_not_liquidated(state)?;
    let defined = defined(state)?;
    is_as_defined(state, &defined, terms)?;
    let on = state.definition().strike.zone.date_of(now);
    are_in_order(state, terms, on)?;
    let wanted = payout(state, terms.asset, terms.per_share)?.total(state.outstanding()?)?;
    is_covered(state, terms, wanted)?;
    done(vec![Event::Distribution(DistributionEvent::Declared { terms: terms.clone(), on })])
}

fn defined(state: &FundState) -> Result<DistributionTerms, Refusal> {
    state.definition().distribution.ok_or_else(|| LifeRefusal::DistributionMustBeInDefinition.into())
}

fn is_as_defined(
    state: &FundState,
    defined: &DistributionTerms,
    terms: &NewDistribution,
) -> Result<(), Refusal> {
    is_publishable(defined, terms.per_share)?;
    let own = |asset| state.definition().asset(asset).is_some();
    match (defined.paid, terms.asset) {
        (PaidIn::Cash, None) => {}
        (PaidIn::InKind, Some(asset)) if own(asset) => {}
        (PaidIn::InKind, Some(asset)) => return Err(Refusal::AssetMustBeInDefinition(asset)),
        (PaidIn::Cash, Some(_)) => return Err(LifeRefusal::DistributionMustBePaidAsDefined("cash").into()),
        (PaidIn::InKind, None) => return Err(LifeRefusal::DistributionMustBePaidAsDefined("coins").into()),
    }
    match terms.source {
        DistributionSource::CashInLieu | DistributionSource::Liquidation => {
            Err(LifeRefusal::DistributionMustBePaidAsDefined("rewards, fees and what was received in a fork")
                .into())
        }
        _ => Ok(()),
    }
}

fn is_publishable(defined: &DistributionTerms, given: PerShare) -> Result<(), Refusal> {
    let decimals = defined.decimals;
    if given <= PerShare::ZERO || given.to_decimal().units_at(decimals).is_err() {
        return Err(LifeRefusal::DistributionAmountMustBePublishable { given, decimals }.into());
    }
    Ok(())
}

/// Declared on one day, ex on the record date after it, paid on a session after that; no strike of the record date yet.
fn are_in_order(state: &FundState, terms: &NewDistribution, declared: Date) -> Result<(), Refusal> {
    let calendar = state.definition().calendar;
    let NewDistribution { record_date, pay_date, .. } = *terms;
    let struck = state.last_nav().is_some_and(|nav| record_date <= nav.date);
    let sessions = calendar.is_session(record_date) && calendar.is_session(pay_date);
    if struck || !sessions || declared >= record_date || record_date >= pay_date {
        return Err(
            LifeRefusal::DistributionDatesMustFollowEachOther { declared, record_date, pay_date }.into()
        );
    }
    Ok(())
}

pub(super) fn payout(
    state: &FundState,
    asset: Option<Symbol>,
    per_share: PerShare,
) -> Result<Payout, Refusal> {
    match asset {
        None => Ok(Payout::cash(per_share)?),
        Some(asset) => {
            let known = state.definition().asset(asset).ok_or(Refusal::AssetMustBeInDefinition(asset))?;
            Ok(Payout::in_kind(per_share, known.scale)?)
        }
    }
}

/// Money for holders is money that nobody is owed yet, and rewards at the last price; coins for holders are rewards.
fn is_covered(state: &FundState, terms: &NewDistribution, wanted: Quantity) -> Result<(), Refusal> {
    let mut there = match terms.asset {
        None => in_books(state.cash_not_owed()?)?,
        Some(_) => Quantity::zero(wanted.scale()),
    };
    if let Some((asset, rewards)) = rewards(state)? {
        let more = match terms.asset {
            Some(paid) if paid == asset => rewards,
            Some(_) => there,
            None => in_books(last_price(state, asset)?.value(rewards, Rounding::Floor)?)?,
        };
        there = there.try_add(more)?;
    }
    for other in state.to_go_ex().filter(|other| other.terms.asset == terms.asset) {
        let earlier = payout(state, other.terms.asset, other.terms.per_share)?;
        there = there.try_sub(earlier.total(state.outstanding()?)?)?;
    }
    if there.try_sub(wanted)?.is_negative() {
        return Err(LifeRefusal::DistributionMustBeCovered { wanted, there }.into());
    }
    Ok(())
}

fn in_books(money: Money) -> Result<Quantity, Refusal> {
    Ok(Quantity::try_from_decimal(money.to_decimal(), strongroom_units::Scale::try_new(Money::SCALE)?)?)
}

/// Rewards not yet distributed; only a fund of one asset has any.
pub(super) fn rewards(state: &FundState) -> Result<Option<(Symbol, Quantity)>, Refusal> {
    let Some(asset) = state.definition().assets.first() else { return Ok(None) };
    Ok(Some((asset.symbol, state.staking().undistributed(asset.scale)?)))
}

pub(super) fn last_price(state: &FundState, asset: Symbol) -> Result<Price, Refusal> {
    state.last_prices().get(&asset).copied().ok_or(Refusal::PriceMustBeGiven(asset))
}

/// Every distribution whose record date is struck now: shares outstanding before the day's orders are owed it.
pub(super) fn go_ex(state: &FundState, date: Date) -> Result<Vec<Event>, Refusal> {
    let shares = state.outstanding()?;
    let mut events = Vec::new();
    for known in state.to_go_ex().filter(|known| known.terms.record_date == date) {
        let total = payout(state, known.terms.asset, known.terms.per_share)?.total(shares)?;
        let (mut coins, mut promised) = (None, BTreeMap::new());
        if let Some(asset) = known.terms.asset {
            let given = BTreeMap::from([(asset, total)]);
            let prices = super::strike::prices_of(state, date)?;
            promised = promises(state, &given, Leaving::OfWhatIsOwedToShares, state.reserve().entitled())?;
            coins = Some(valued(&given, &prices, Rounding::HalfUp, |asset, quantity, _| {
                relieved(state, asset, quantity)
            })?);
        }
        let id = known.terms.id.clone();
        let event = DistributionEvent::WentEx { id, shares, total, coins, promises: promised };
        events.push(Event::Distribution(event));
    }
    Ok(events)
}

fn known<'a>(state: &'a FundState, id: &OrderId) -> Result<&'a Distribution, Refusal> {
    state.distribution(id).ok_or_else(|| LifeRefusal::DistributionMustBeDeclared(id.clone()).into())
}

pub(super) fn ex<'a>(state: &'a FundState, id: &OrderId) -> Result<&'a Distribution, Refusal> {
    let known = known(state, id)?;
    if known.stage == Stage::Ex { Ok(known) } else { Err(wrong(known, "ex")) }
}

fn wrong(known: &Distribution, needed: &'static str) -> Refusal {
    let (id, stage) = (known.terms.id.clone(), known.stage.as_str());
    LifeRefusal::DistributionMustBeInStage { id, stage, needed }.into()
}

fn pay(state: &FundState, id: &OrderId, now: Timestamp) -> Decision {
    if known(state, id)?.stage == Stage::Paid {
        return Ok((Vec::new(), Outcome::AlreadyDone));
    }
    let known = ex(state, id)?;
    let date = known.terms.pay_date;
    if state.definition().strike.zone.date_of(now) < date {
        return Err(LifeRefusal::DistributionMustBePaidOnItsDate { id: id.clone(), date }.into());
    }
    if !known.register.is_whole {
        let (shares, wanted) = (known.register.shares, known.shares);
        return Err(LifeRefusal::DistributionMustHaveItsRegister { id: id.clone(), shares, wanted }.into());
    }
    let owed = owed_now(state, known)?;
    let parts = match known.register.amount {
        Some(amount) => Quantity::try_from_decimal(amount.to_decimal(), owed.scale())?,
        None => Quantity::zero(owed.scale()),
    };
    let unclaimed =
        known.register.unreachable.values().try_fold(Quantity::zero(owed.scale()), |sum, part| {
            sum.try_add(Quantity::try_from_decimal(part.to_decimal(), owed.scale())?)
        })?;
    let paid = parts.try_sub(unclaimed)?;
    let fractions = owed.try_sub(parts)?;
    is_there(state, known.terms.asset, paid)?;
    let (id, asset) = (id.clone(), known.terms.asset);
    let event = DistributionEvent::Paid { id, asset, paid, unclaimed, fractions };
    Ok((covered(state, Event::Distribution(event), None)?, Outcome::Done))
}

/// What this payment is about: all of it, or after a correction what is owed more.
fn owed_now(state: &FundState, known: &Distribution) -> Result<Quantity, Refusal> {
    let total = known.total.unwrap_or(payout(state, known.terms.asset, known.terms.per_share)?.nothing());
    if known.terms.per_share.is_zero() {
        return Ok(total);
    }
    let before = payout(state, known.terms.asset, known.paid_per_share)?.total(known.shares)?;
    Ok(total.try_sub(before)?)
}

fn is_there(state: &FundState, asset: Option<Symbol>, amount: Quantity) -> Result<(), Refusal> {
    match asset {
        Some(asset) => holds(state, Account::Trading, &BTreeMap::from([(asset, amount)])),
        None => {
            let needed = Money::try_from_decimal(amount.to_decimal())?;
            let held = state.ledger().money(Account::Cash);
            if needed > held {
                return Err(LifeRefusal::DistributionMustBeCoveredByCash { needed, held }.into());
            }
            Ok(())
        }
    }
}

fn claim(state: &FundState, id: &OrderId, holder: &str) -> Decision {
    let known = known(state, id)?;
    if known.stage != Stage::Paid {
        return Err(wrong(known, "paid"));
    }
    let Some(amount) = known.unclaimed.get(holder).copied() else {
        let (id, holder) = (id.clone(), holder.to_owned());
        return Err(LifeRefusal::ClaimMustHaveSomethingUnclaimed { id, holder }.into());
    };
    is_there(state, known.terms.asset, amount)?;
    let (id, asset, holder) = (id.clone(), known.terms.asset, holder.to_owned());
    let event = DistributionEvent::Claimed { id, asset, holder, amount };
    Ok((covered(state, Event::Distribution(event), None)?, Outcome::Done))
}

/// Before the record date another amount takes the place of the first. Afterwards what holders are owed changes from the record
/// date on, and every NAV since is named; once paid, holders can only be owed more.
fn correct(state: &FundState, id: &OrderId, new: PerShare, reason: &str) -> Decision {
    short("the reason", reason)?;
    let known = known(state, id)?;
    let own = matches!(known.terms.source, DistributionSource::CashInLieu | DistributionSource::Liquidation);
    if known.stage == Stage::Cancelled || own {
        return Err(wrong(known, "declared, ex or paid, and not made by a split or the liquidation"));
    }
    is_publishable(&defined(state)?, new)?;
    let old = known.terms.per_share;
    if old == new {
        return Ok((Vec::new(), Outcome::AlreadyDone));
    }
    let right = payout(state, known.terms.asset, new)?.total(known.shares)?;
    let (mut difference, mut restatement) = (Quantity::zero(right.scale()), Restatement::default());
    if known.stage != Stage::Declared {
        if known.terms.asset.is_some() {
            return Err(LifeRefusal::DistributionInKindMustBeCorrectedBeforeItsRecordDate.into());
        }
        if new < known.paid_per_share {
            return Err(LifeRefusal::DistributionPaidMustNotBeLowered { paid: known.paid_per_share }.into());
        }
        difference = right.try_sub(known.total.unwrap_or(right))?;
        let more = Money::try_from_decimal(difference.to_decimal())?;
        restatement = corrections::distribution(state, known.terms.record_date, more)?;
    }
    let (id, reason) = (id.clone(), reason.to_owned());
    let event = DistributionEvent::Corrected { id, old, new, difference, reason, restatement };
    done(vec![Event::Distribution(event)])
}

fn cancel(state: &FundState, id: &OrderId, reason: &str) -> Decision {
    short("the reason", reason)?;
    let known = known(state, id)?;
    match known.stage {
        Stage::Cancelled => Ok((Vec::new(), Outcome::AlreadyDone)),
        Stage::Declared => {
            let (id, reason) = (id.clone(), reason.to_owned());
            done(vec![Event::Distribution(DistributionEvent::Cancelled { id, reason })])
        }
        _ => Err(wrong(known, "declared")),
    }
}
