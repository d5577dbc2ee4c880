//! The double entries of distributions, staking and a fund's life.

use crate::distribution::DistributionEvent;
use crate::ledger::Account;
use crate::life::LifeEvent;
use crate::posting::Entries;
use crate::staking::StakingEvent;
use strongroom_units::{Money, NumberError, Quantity, Symbol};

/// An amount in money, or in coins of an asset.
fn in_money(amount: Quantity) -> Result<Money, NumberError> {
    Money::try_from_decimal(amount.to_decimal())
}

impl Entries {
    fn give(
        &mut self,
        asset: Option<Symbol>,
        amount: Quantity,
        debit: Account,
        credit: Account,
    ) -> Result<(), NumberError> {
        match asset {
            None => self.pay(in_money(amount)?, debit, credit),
            Some(asset) => self.deliver(asset, amount, debit, credit),
        }
    }

    pub(crate) fn distribution(&mut self, event: &DistributionEvent) -> Result<(), NumberError> {
        use Account::{Cash, DistributionPayable, Distributions, Trading};
        let from = |asset: &Option<Symbol>| if asset.is_some() { Trading } else { Cash };
        match event {
            DistributionEvent::WentEx { total, coins: None, .. } => {
                self.give(None, *total, Distributions, DistributionPayable)
            }
            DistributionEvent::WentEx { coins: Some(coins), .. } => {
                self.deliver_all(coins, Distributions, DistributionPayable)
            }
            DistributionEvent::Paid { asset, paid, fractions, .. } => {
                self.give(*asset, *paid, DistributionPayable, from(asset))?;
                self.give(*asset, *fractions, DistributionPayable, Distributions)
            }
            DistributionEvent::Claimed { asset, amount, .. } => {
                self.give(*asset, *amount, DistributionPayable, from(asset))
            }
            DistributionEvent::Corrected { difference, restatement, .. } => {
                self.give(None, *difference, Distributions, DistributionPayable)?;
                self.adjustment(restatement)
            }
            DistributionEvent::Declared { .. }
            | DistributionEvent::RegisterRecorded { .. }
            | DistributionEvent::Cancelled { .. } => Ok(()),
        }
    }

    pub(crate) fn staking(&mut self, event: &StakingEvent) -> Result<(), NumberError> {
        use Account::{Cash, Exchange, RewardCost, Rewards, Slashing, Staked, Trading, Unbonding, Vault};
        match event {
            StakingEvent::Staked { asset, quantity } => self.deliver(*asset, *quantity, Staked, Vault),
            StakingEvent::Unstaked { asset, quantity, .. } => {
                self.deliver(*asset, *quantity, Unbonding, Staked)
            }
            StakingEvent::Released { asset, quantity, .. } => {
                self.deliver(*asset, *quantity, Vault, Unbonding)
            }
            StakingEvent::RewardRecorded { reward, received, .. } => {
                self.deliver_all(received, Vault, Rewards)?;
                let cut = reward.provider.try_add(reward.custodian)?;
                received.assets.keys().try_for_each(|asset| self.deliver(*asset, cut, RewardCost, Rewards))
            }
            StakingEvent::Slashed { lost, indemnified, gone, .. } => {
                gone.assets.keys().try_for_each(|asset| {
                    self.deliver(*asset, *lost, Slashing, Staked)?;
                    self.deliver(*asset, *indemnified, Vault, Slashing)
                })
            }
            StakingEvent::RewardsSold { sale, .. } => {
                self.deliver_all(sale, Exchange, Trading)?;
                self.pay(sale.value, Cash, Exchange)
            }
        }
    }

    pub(crate) fn life(&mut self, event: &LifeEvent) -> Result<(), NumberError> {
        use Account::{
            AccruedExpense, AccruedFee, Cash, DistributionPayable, Distributions, Exchange, FeeExpense,
            Trading,
        };
        match event {
            LifeEvent::Split { in_lieu, .. } => self.pay(*in_lieu, Distributions, DistributionPayable),
            LifeEvent::Liquidated { sale, fee, waived, expenses, total, .. } => {
                self.deliver_all(sale, Exchange, Trading)?;
                self.pay(sale.value, Cash, Exchange)?;
                self.pay(*fee, AccruedFee, Cash)?;
                self.pay(*waived, AccruedFee, FeeExpense)?;
                self.pay(*expenses, AccruedExpense, Cash)?;
                self.give(None, *total, Distributions, DistributionPayable)
            }
            LifeEvent::CustodianChanged { .. }
            | LifeEvent::BenchmarkChanged { .. }
            | LifeEvent::TradingHalted { .. }
            | LifeEvent::DealingPostponed { .. }
            | LifeEvent::Closing { .. } => Ok(()),
        }
    }
}
