//! What a fund does for its holders in a working day: staking towards its target, rewards of the days past, and distributions from
//! the declaration to the payment.

use crate::run::{RunError, Runner, price};
use crate::sink::CommandSink;
use std::collections::BTreeMap;
use strongroom_engine::{
    Account, Command, DistributionCommand, DistributionSource, Holder, NewDistribution, OrderId,
    RegisterPart, RewardSource, Stage, StakingCommand,
};
use strongroom_fund::definition::{CustodyKind, PaidIn};
use strongroom_fund::distribution::per_share_of;
use strongroom_fund::staking::gross_reward;
use strongroom_units::time::{Date, Timestamp};
use strongroom_units::{Money, PerShare, Quantity, Rounding, Scale, Symbol};

type Step<S> = Result<(), RunError<<S as CommandSink>::Error>>;

/// The one holder of a simulated register: the nominee in whose name all shares are.
const NOMINEE: &str = "nominee";

impl<S: CommandSink> Runner<'_, S> {
    /// Brings unstaked coins that are free to the vault: redemptions may wait for them.
    pub(crate) fn release(&mut self, session: Date, at: Timestamp) -> Step<S> {
        let ready = self.state()?.staking().unbonding().iter().any(|(ready, _)| *ready <= session);
        if ready { self.command(Command::Staking(StakingCommand::Release), at) } else { Ok(()) }
    }

    /// Of the coins of a redemption, those that have to come from the vault. A fund that stakes may need what the trading balance
    /// has left over; any other has every coin in the vault.
    pub(crate) fn missing_in_trading(
        &self,
        coins: &BTreeMap<Symbol, Quantity>,
    ) -> Result<BTreeMap<Symbol, Quantity>, RunError<S::Error>> {
        let state = self.state()?;
        if state.definition().staking.is_none() {
            return Ok(coins.clone());
        }
        let mut missing = BTreeMap::new();
        for (asset, quantity) in coins {
            let zero = Quantity::zero(quantity.scale());
            let there = state.ledger().coins(*asset, Account::Trading).unwrap_or(zero);
            let more = quantity.try_sub(there)?;
            missing.insert(*asset, if more.is_negative() { zero } else { more });
        }
        Ok(missing)
    }

    /// Records the rewards of the days before this one, and moves towards the target.
    pub(crate) fn stake(&mut self, session: Date, at: Timestamp) -> Step<S> {
        self.record_rewards(session, at)?;
        let Some((_, quantity)) = self.state()?.coins_to_stake()? else { return Ok(()) };
        if quantity.is_negative() {
            let quantity = quantity.try_neg()?;
            return self.command(Command::Staking(StakingCommand::Unstake { quantity }), at);
        }
        if quantity.is_zero() {
            return Ok(());
        }
        self.command(Command::Staking(StakingCommand::Stake { quantity }), at)
    }

    /// The days since the last reward, at the yield of each and on what is staked now.
    fn record_rewards(&mut self, session: Date, at: Timestamp) -> Step<S> {
        let state = self.state()?;
        let Some(asset) = state.definition().assets.first() else { return Ok(()) };
        let staked = state.ledger().coins(asset.symbol, Account::Staked);
        let staked = staked.unwrap_or(Quantity::zero(asset.scale));
        let through = session.yesterday().map_err(|_| strongroom_units::NumberError::Overflow)?;
        let mut day = state.staking().rewarded_through.unwrap_or(state.definition().seed.date);
        let mut gross = Quantity::zero(asset.scale);
        while day < through {
            day = day.tomorrow().map_err(|_| strongroom_units::NumberError::Overflow)?;
            if let Some(annual) = self.market.staking_yields.get(&day) {
                gross = gross.try_add(gross_reward(staked, *annual, 1)?)?;
            }
        }
        if gross.is_zero() {
            return Ok(());
        }
        let source = RewardSource::Staking;
        self.command(Command::Staking(StakingCommand::RecordReward { through, gross, source }), at)
    }

    /// Pays what is due, sells and registers what has gone ex, and declares what a period brought.
    pub(crate) fn distribute(&mut self, session: Date, at: Timestamp) -> Step<S> {
        let distributions: Vec<_> = self.state()?.distributions().cloned().collect();
        for one in
            distributions.iter().filter(|one| one.stage == Stage::Ex && one.terms.record_date == session)
        {
            let holder = Holder { holder: NOMINEE.to_owned(), shares: one.shares, is_unreachable: false };
            let part =
                RegisterPart { id: one.terms.id.clone(), part: 1, is_last: true, holders: vec![holder] };
            self.command(Command::Distribution(DistributionCommand::ImportRegister(part)), at)?;
            self.raise(session, (one.terms.asset, one.total), at)?;
        }
        for one in distributions.iter().filter(|one| one.stage == Stage::Ex && one.terms.pay_date <= session)
        {
            let id = one.terms.id.clone();
            self.command(Command::Distribution(DistributionCommand::Pay { id }), at)?;
        }
        self.declare(session, at)
    }

    /// Money for holders comes from rewards at the session's price; coins for holders go to the trading balance.
    fn raise(
        &mut self,
        session: Date,
        (paid, total): (Option<Symbol>, Option<Quantity>),
        at: Timestamp,
    ) -> Step<S> {
        let Some(asset) = self.state()?.definition().assets.first().cloned() else { return Ok(()) };
        if let (Some(_), Some(total)) = (paid, total) {
            let coins = BTreeMap::from([(asset.symbol, total)]);
            return self.transfer(&coins, (CustodyKind::Vault, CustodyKind::Trading), at);
        }
        let lacking = Money::ZERO.try_sub(self.state()?.cash_not_owed()?)?;
        if lacking <= Money::ZERO {
            return Ok(());
        }
        let price = price(self.market, asset.symbol, session)?;
        let quantity = lacking.to_cents(Rounding::Ceiling)?.buys(price, asset.scale, Rounding::Ceiling)?;
        let coins = BTreeMap::from([(asset.symbol, quantity)]);
        self.transfer(&coins, (CustodyKind::Vault, CustodyKind::Trading), at)?;
        self.command(Command::Staking(StakingCommand::SellRewards { quantity, price }), at)
    }

    fn declare(&mut self, session: Date, at: Timestamp) -> Step<S> {
        let state = self.state()?;
        let definition = state.definition();
        let Some(terms) = definition.distribution else { return Ok(()) };
        let Some((record_date, pay_date)) = terms.dates(definition.calendar, session)? else { return Ok(()) };
        let Some(asset) = definition.assets.first() else { return Ok(()) };
        let rewards = state.staking().undistributed(asset.scale)?;
        let (paid, amount) = match terms.paid {
            PaidIn::InKind => (Some(asset.symbol), rewards),
            PaidIn::Cash => {
                let value = price(self.market, asset.symbol, session)?.value(rewards, Rounding::Floor)?;
                let there = state.cash_not_owed()?.try_add(value)?;
                (None, Quantity::try_from_decimal(there.to_decimal(), Scale::try_new(Money::SCALE)?)?)
            }
        };
        let per_share = per_share_of(amount, state.outstanding()?, terms.decimals)?;
        if per_share <= PerShare::ZERO || rewards.is_zero() {
            return Ok(());
        }
        let id = OrderId::try_new(&format!("rewards-{session}"))?;
        let (source, memo) = (DistributionSource::StakingRewards, format!("rewards up to {session}"));
        let terms = NewDistribution { id, source, asset: paid, per_share, record_date, pay_date, memo };
        self.command(Command::Distribution(DistributionCommand::Declare(terms)), at)
    }
}
