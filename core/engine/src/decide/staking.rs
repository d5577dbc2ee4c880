//! Staking coins and getting them back, what they earn and lose, and redemptions for more coins than are liquid.

use super::distributions::{last_price, rewards};
use super::orders::holds;
use super::promise::{Leaving, promises};
use super::{Decision, covered, done, relieved, short, valued};
use crate::command::NewOrder;
use crate::event::{Event, Sale, SaleLine};
use crate::fund::Outcome;
use crate::ledger::Account;
use crate::life_refusal::LifeRefusal;
use crate::order::{OrderId, OrderSide};
use crate::refusal::Refusal;
use crate::staking::{RewardSource, StakingCommand, StakingEvent};
use crate::state::FundState;
use std::collections::BTreeMap;
use strongroom_fund::definition::{BeyondLiquid, StakingTerms};
use strongroom_fund::staking::{Reward, StakingCut};
use strongroom_units::time::{Date, Timestamp};
use strongroom_units::{Money, Price, Quantity, Rate, Rounding, Shares, Symbol};

const ONE: i128 = 10i128.pow(Rate::SCALE as u32);

pub(super) fn decide(state: &FundState, command: &StakingCommand, now: Timestamp) -> Decision {
    let today = state.definition().strike.zone.date_of(now);
    match command {
        StakingCommand::Stake { quantity } => stake(state, *quantity),
        StakingCommand::Unstake { quantity } => unstake(state, *quantity, today),
        StakingCommand::Release => release(state, today),
        StakingCommand::RecordReward { through, gross, source } => {
            reward(state, (*through, today), *gross, *source)
        }
        StakingCommand::RecordSlashing { id, date, lost, indemnified, reason } => {
            slash(state, id, (*date, today), (*lost, *indemnified), reason)
        }
        StakingCommand::SellRewards { quantity, price } => sell(state, *quantity, *price, today),
    }
}

fn terms(state: &FundState) -> Result<(&StakingTerms, Symbol), Refusal> {
    let definition = state.definition();
    let asset = definition.assets.first().map(|asset| asset.symbol);
    let both = definition.staking.as_ref().zip(asset);
    both.ok_or_else(|| LifeRefusal::StakingMustBeInDefinition.into())
}

fn something(state: &FundState, asset: Symbol, quantity: Quantity) -> Result<Quantity, Refusal> {
    let scale = state.in_account(asset, Account::Vault)?.scale();
    let quantity = Quantity::try_from_decimal(quantity.to_decimal(), scale)?;
    if quantity.is_zero() || quantity.is_negative() {
        return Err(LifeRefusal::StakingMustMoveSomething(quantity).into());
    }
    Ok(quantity)
}

fn held(state: &FundState, asset: Symbol) -> Result<Quantity, Refusal> {
    let position = state.reserve().positions()?.into_iter().find(|position| position.asset == asset);
    position.map(|position| position.held).ok_or(Refusal::AssetMustBeInDefinition(asset))
}

/// Coins for accrued fee, expenses and holders: they are going to be sold, so no redemption can count on them.
fn set_aside(state: &FundState, asset: Symbol) -> Result<Quantity, Refusal> {
    let position = state.reserve().positions()?.into_iter().find(|position| position.asset == asset);
    position.map(|position| position.set_aside).ok_or(Refusal::AssetMustBeInDefinition(asset))
}

/// What has to stay liquid: the sleeve of the definition, or what redemptions taken are due and what is set aside when that is
/// more.
fn sleeve(state: &FundState, asset: Symbol, least: Rate) -> Result<Quantity, Refusal> {
    let part = held(state, asset)?.try_mul_div(least.units(), ONE, Rounding::Ceiling)?;
    let due = state.due_to_redemptions(asset)?.try_add(set_aside(state, asset)?)?;
    Ok(if part.units() > due.units() { part } else { due })
}

impl FundState {
    /// Coins to stake (positive) or to ask back (negative) so that the target of the definition is met, as far as the liquid sleeve
    /// and redemptions leave coins; nothing for a fund that does not stake. A target missed by less than a hundredth of the coins
    /// asks nothing back: it would be staked again with the next creation.
    pub fn coins_to_stake(&self) -> Result<Option<(Symbol, Quantity)>, Refusal> {
        let Some(staking) = &self.definition().staking else { return Ok(None) };
        let (_, asset) = terms(self)?;
        let account = |account| self.in_account(asset, account);
        let (held, staked) = (held(self, asset)?, account(Account::Staked)?);
        let none = Quantity::zero(held.scale());
        let delayed = self.due_to_delayed_redemptions(asset)?;
        let staying = held.try_sub(delayed)?.try_mul_div(staking.target.units(), ONE, Rounding::Floor)?;
        let liquid = self.liquid(asset)?.try_sub(sleeve(self, asset, staking.liquid_least)?)?;
        let enough = liquid.try_add(account(Account::Unbonding)?)?.try_sub(delayed)?;
        let least = |one: Quantity, other: Quantity| if one.units() < other.units() { one } else { other };
        let more = least(staying.try_sub(staked)?, enough);
        if !more.is_negative() {
            let most = least(liquid, account(Account::Vault)?);
            let more = least(more, most);
            return Ok(Some((asset, if more.is_negative() { none } else { more })));
        }
        let is_slight = more.units().saturating_mul(-100) < held.units();
        if is_slight && !enough.is_negative() {
            return Ok(Some((asset, none)));
        }
        let all = staked.try_neg()?;
        Ok(Some((asset, if more.units() < all.units() { all } else { more })))
    }
}

fn stake(state: &FundState, quantity: Quantity) -> Decision {
    let (staking, asset) = terms(state)?;
    let quantity = something(state, asset, quantity)?;
    holds(state, Account::Vault, &BTreeMap::from([(asset, quantity)]))?;
    let left = state.liquid(asset)?.try_sub(quantity)?;
    let needed = sleeve(state, asset, staking.liquid_least)?;
    if left.try_sub(needed)?.is_negative() {
        return Err(LifeRefusal::StakingMustLeaveTheSleeve { left, needed }.into());
    }
    done(covered(state, Event::Staking(StakingEvent::Staked { asset, quantity }), None)?)
}

fn unstake(state: &FundState, quantity: Quantity, today: Date) -> Decision {
    let (staking, asset) = terms(state)?;
    let needed = something(state, asset, quantity)?;
    let held = state.in_account(asset, Account::Staked)?;
    if held.try_sub(needed)?.is_negative() {
        return Err(LifeRefusal::UnstakingMustBeOfWhatIsStaked { needed, held }.into());
    }
    let ready = after_days(today, staking.unbonding_days)?;
    let event = StakingEvent::Unstaked { asset, quantity: needed, ready };
    done(covered(state, Event::Staking(event), None)?)
}

fn after_days(mut day: Date, days: u16) -> Result<Date, Refusal> {
    for _ in 0..days {
        day = day.tomorrow().map_err(|_| strongroom_units::NumberError::Overflow)?;
    }
    Ok(day)
}

fn release(state: &FundState, today: Date) -> Decision {
    let (_, asset) = terms(state)?;
    let unbonding = state.staking().unbonding();
    let ready = unbonding.iter().filter(|(ready, _)| *ready <= today).map(|(_, quantity)| *quantity);
    let zero = Quantity::zero(state.in_account(asset, Account::Vault)?.scale());
    let quantity = ready.into_iter().try_fold(zero, Quantity::try_add)?;
    if quantity.is_zero() {
        let next = unbonding.iter().map(|(ready, _)| *ready).min();
        return Err(LifeRefusal::ReleaseMustHaveSomethingReady(next).into());
    }
    done(covered(state, Event::Staking(StakingEvent::Released { asset, quantity, on: today }), None)?)
}

/// Net rewards come to the vault at the price of the last strike: that is their income and their cost.
fn reward(
    state: &FundState,
    (through, today): (Date, Date),
    gross: Quantity,
    source: RewardSource,
) -> Decision {
    let asset = match source {
        RewardSource::Staking => terms(state)?.1,
        RewardSource::NetworkFees => distributing(state)?,
    };
    let gross = something(state, asset, gross)?;
    if through > today {
        return Err(Refusal::DateMustNotBeInTheFuture(through));
    }
    let last = state.staking().rewarded_through.unwrap_or(state.definition().seed.date);
    let follows = match source {
        RewardSource::Staking => through > last,
        RewardSource::NetworkFees => through >= last,
    };
    if !follows {
        return Err(LifeRefusal::RewardMustFollowTheLast(last).into());
    }
    let cut = match source {
        RewardSource::Staking => terms(state)?.0.cuts.at(through).copied(),
        RewardSource::NetworkFees => None,
    };
    let cut = cut.unwrap_or(StakingCut { provider: Rate::ZERO, custodian: Rate::ZERO });
    let reward = Reward::divide(gross, cut)?;
    if reward.net.is_zero() || reward.net.is_negative() {
        return Err(LifeRefusal::StakingMustMoveSomething(reward.net).into());
    }
    let prices = BTreeMap::from([(asset, last_price(state, asset)?)]);
    let coins = BTreeMap::from([(asset, reward.net)]);
    let received = valued(&coins, &prices, Rounding::HalfUp, |_, _, value| Ok(value))?;
    let event = StakingEvent::RewardRecorded { through, source, reward, received };
    done(covered(state, Event::Staking(event), None)?)
}

fn distributing(state: &FundState) -> Result<Symbol, Refusal> {
    let definition = state.definition();
    let asset = definition.assets.first().filter(|_| definition.distribution.is_some());
    asset.map(|asset| asset.symbol).ok_or_else(|| LifeRefusal::DistributionMustBeInDefinition.into())
}

/// What is not made good is gone: shares are owed fewer coins from now on.
fn slash(
    state: &FundState,
    id: &OrderId,
    (date, today): (Date, Date),
    (lost, indemnified): (Quantity, Quantity),
    reason: &str,
) -> Decision {
    short("the reason", reason)?;
    let (_, asset) = terms(state)?;
    let lost = something(state, asset, lost)?;
    let indemnified = Quantity::try_from_decimal(indemnified.to_decimal(), lost.scale())?;
    match state.staking().slashings.get(id) {
        Some(known) if *known == (date, lost, indemnified) => return Ok((Vec::new(), Outcome::AlreadyDone)),
        Some(_) => return Err(Refusal::OrderIdMustBeUnique(id.clone())),
        None => {}
    }
    if date > today {
        return Err(Refusal::DateMustNotBeInTheFuture(date));
    }
    let staked = state.in_account(asset, Account::Staked)?;
    let gone = lost.try_sub(indemnified)?;
    if staked.try_sub(lost)?.is_negative() || gone.is_negative() || indemnified.is_negative() {
        return Err(LifeRefusal::SlashingMustBeOfWhatIsStaked { lost, indemnified }.into());
    }
    let leaving = BTreeMap::from([(asset, gone)]);
    let promises = promises(state, &leaving, Leaving::OfWhatIsOwedToShares, state.reserve().entitled())?;
    let cost = relieved(state, asset, gone)?;
    let line = SaleLine { quantity: gone, price: Price::ZERO, value: Money::ZERO, cost };
    let gone = Sale { assets: BTreeMap::from([(asset, line)]), value: Money::ZERO };
    let (id, reason) = (id.clone(), reason.to_owned());
    let event = StakingEvent::Slashed { id, date, lost, indemnified, gone, reason, promises };
    done(covered(state, Event::Staking(event), None)?)
}

/// Rewards may be sold, and whatever coins it takes to pay a distribution that shares have gone ex of.
fn sell(state: &FundState, quantity: Quantity, price: Price, date: Date) -> Decision {
    let asset = distributing(state)?;
    let quantity = something(state, asset, quantity)?;
    let coins = BTreeMap::from([(asset, quantity)]);
    holds(state, Account::Trading, &coins)?;
    let prices = BTreeMap::from([(asset, price)]);
    let sale =
        valued(&coins, &prices, Rounding::Floor, |asset, quantity, _| relieved(state, asset, quantity))?;
    let rewards = rewards(state)?.map_or(Quantity::zero(quantity.scale()), |(_, rewards)| rewards);
    let lacking = Money::ZERO.try_sub(state.cash_not_owed()?)?;
    let unit = price.value(Quantity::from_units(1, quantity.scale()), Rounding::Ceiling)?;
    let cent = Money::from_units(1_000_000);
    let is_for_holders = sale.value <= lacking.try_add(unit)?.try_add(cent)? && lacking > Money::ZERO;
    if quantity.units() > rewards.units() && !is_for_holders {
        return Err(LifeRefusal::SaleMustBeOfRewards { given: quantity, rewards }.into());
    }
    let promises = promises(state, &coins, Leaving::OfWhatIsSetAside, state.reserve().entitled())?;
    let event = StakingEvent::RewardsSold { date, sale, promises };
    done(covered(state, Event::Staking(event), None)?)
}

/// Redemptions for more coins than are liquid: refused, or settled when unstaked coins are free, by the definition.
pub(super) fn is_liquid(state: &FundState, new: &NewOrder) -> Result<(), Refusal> {
    let Some(staking) = &state.definition().staking else { return Ok(()) };
    if new.side != OrderSide::Redemption || staking.beyond_liquid == BeyondLiquid::Delay {
        return Ok(());
    }
    let (wanted, liquid) = due_and_free(state, new)?;
    if wanted.units() <= liquid.units() {
        return Ok(());
    }
    let most = i128::from(new.shares.count()).saturating_mul(liquid.units().max(0)) / wanted.units().max(1);
    let shares = Shares::new(i64::try_from(most).unwrap_or(0));
    Err(LifeRefusal::RedemptionMustBeCoveredByLiquidCoins { wanted, liquid, shares }.into())
}

/// What a redemption is due at the Basket Amount promised now, and liquid coins not due to earlier ones.
fn due_and_free(state: &FundState, new: &NewOrder) -> Result<(Quantity, Quantity), Refusal> {
    let (_, asset) = terms(state)?;
    let free =
        state.liquid(asset)?.try_sub(state.due_to_redemptions(asset)?)?.try_sub(set_aside(state, asset)?)?;
    let amount = state.reserve().basket_amounts().find(|(held, _)| *held == asset).map(|(_, amount)| amount);
    Ok((amount.unwrap_or_default().times(new.shares, free.scale(), Rounding::Ceiling)?, free))
}

/// The session on which an order settles: the next one, or for a redemption beyond what is liquid the first on which coins unstaked
/// at its strike are free.
pub(super) fn settlement_date(state: &FundState, new: &NewOrder) -> Result<Date, Refusal> {
    let calendar = state.definition().calendar;
    let next = calendar.next_session(new.trade_date)?;
    let Some(staking) = &state.definition().staking else { return Ok(next) };
    if new.side != OrderSide::Redemption {
        return Ok(next);
    }
    let (wanted, liquid) = due_and_free(state, new)?;
    if wanted.units() <= liquid.units() {
        return Ok(next);
    }
    let ready = after_days(new.trade_date, staking.unbonding_days)?;
    let on = if calendar.is_session(ready) { ready } else { calendar.next_session(ready)? };
    Ok(on.max(calendar.next_session(next)?))
}
