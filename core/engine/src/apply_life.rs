//! Writes what happened to distributions, to staked coins and in a fund's life into the state.

use crate::command::HaltScope;
use crate::distribution::{
    Distribution, DistributionEvent, DistributionSource, NewDistribution, PartMark, Register, Stage,
};
use crate::event::Sale;
use crate::life::{End, LifeEvent, Split, Suspension};
use crate::life_refusal::LifeRefusal;
use crate::order::OrderId;
use crate::refusal::Refusal;
use crate::staking::{StakingEvent, StakingState};
use crate::state::FundState;
use std::collections::BTreeMap;
use strongroom_fund::rollforward::MovementKind;
use strongroom_units::time::{Date, Timestamp};
use strongroom_units::{NumberError, PerShare, Quantity, Scale, Shares};

impl FundState {
    pub(crate) fn follow_distribution(&mut self, event: &DistributionEvent) -> Result<(), Refusal> {
        if let DistributionEvent::Declared { terms, on } = event {
            let distribution = declared(terms.clone(), *on);
            self.parts.life.distributions.insert(terms.id.clone(), distribution);
            return Ok(());
        }
        if let DistributionEvent::WentEx { coins: Some(coins), id, .. } = event {
            let date = self.known(id)?.terms.record_date;
            self.go_out(date, MovementKind::DistributedToHolders, coins)?;
            for line in coins.assets.values() {
                self.parts.life.staking.give_up(line.quantity)?;
            }
            self.note_promises();
        }
        if let DistributionEvent::Corrected { restatement, .. } = event {
            self.restate(restatement)?;
        }
        let known = self.known(event.id())?;
        match event {
            DistributionEvent::Declared { .. } => {}
            DistributionEvent::WentEx { shares, total, .. } => {
                (known.stage, known.shares, known.total) = (Stage::Ex, *shares, Some(*total));
            }
            DistributionEvent::RegisterRecorded { holders, is_last, shares, amount, .. } => {
                known.register.record(holders.as_slice(), (*shares, *amount), *is_last)?;
            }
            DistributionEvent::Paid { paid, .. } => {
                known.stage = Stage::Paid;
                for (holder, part) in core::mem::take(&mut known.register.unreachable) {
                    add(&mut known.unclaimed, &holder, part)?;
                }
                known.paid_per_share = known.terms.per_share;
                known.paid = Some(known.paid.map_or(Ok(*paid), |before| before.try_add(*paid))?);
            }
            DistributionEvent::Claimed { holder, amount, .. } => {
                known.unclaimed.remove(holder);
                if let Some(before) = known.paid {
                    let amount = Quantity::try_from_decimal(amount.to_decimal(), before.scale())?;
                    known.paid = Some(before.try_add(amount)?);
                }
            }
            DistributionEvent::Corrected { new, difference, .. } => {
                known.terms.per_share = *new;
                let total = known.total.map(|total| total.try_add(*difference)).transpose()?;
                known.total = total;
                if known.stage != Stage::Declared {
                    (known.stage, known.register) = (Stage::Ex, Register::default());
                }
            }
            DistributionEvent::Cancelled { .. } => known.stage = Stage::Cancelled,
        }
        Ok(())
    }

    fn known(&mut self, id: &OrderId) -> Result<&mut Distribution, Refusal> {
        let known = self.parts.life.distributions.get_mut(id);
        known.ok_or_else(|| LifeRefusal::DistributionMustBeDeclared(id.clone()).into())
    }

    pub(crate) fn follow_staking(&mut self, event: &StakingEvent) -> Result<(), Refusal> {
        match event {
            StakingEvent::Staked { .. } => {}
            StakingEvent::Unstaked { quantity, ready, .. } => {
                self.parts.life.staking.unbonding.push((*ready, *quantity));
            }
            StakingEvent::Released { on, .. } => {
                self.parts.life.staking.unbonding.retain(|(ready, _)| ready > on);
            }
            StakingEvent::RewardRecorded { through, reward, received, .. } => {
                self.come_in(*through, MovementKind::Rewarded, received)?;
                let cut = reward.provider.try_add(reward.custodian)?;
                let staking = &mut self.parts.life.staking;
                staking.rewarded_through = Some(*through);
                staking.undistributed.push((*through, reward.net));
                staking.gross =
                    Some(staking.gross.map_or(Ok(reward.gross), |all| all.try_add(reward.gross))?);
                staking.cuts = Some(staking.cuts.map_or(Ok(cut), |all| all.try_add(cut))?);
            }
            StakingEvent::Slashed { id, date, lost, indemnified, gone, .. } => {
                self.go_out(*date, MovementKind::Slashed, &without_nothing(gone))?;
                let slashings = &mut self.parts.life.staking.slashings;
                slashings.insert(id.clone(), (*date, *lost, *indemnified));
                self.note_promises();
            }
            StakingEvent::RewardsSold { date, sale, .. } => {
                self.go_out(*date, MovementKind::SoldForDistribution, sale)?;
                let staking = &mut self.parts.life.staking;
                staking.sold_for = staking.sold_for.try_add(sale.value)?;
                for line in sale.assets.values() {
                    staking.give_up(line.quantity)?;
                }
                self.note_promises();
            }
        }
        Ok(())
    }

    pub(crate) fn follow_life(&mut self, event: &LifeEvent) -> Result<(), Refusal> {
        match event {
            LifeEvent::Split { date, new, old, after, in_lieu, fractional_holders, .. } => {
                self.parts.issued = *after;
                self.parts.life.splits.push(Split { date: *date, new: *new, old: *old });
                if !in_lieu.is_zero() {
                    let amount = Quantity::from_units(in_lieu.units(), Scale::try_new(8)?);
                    let owed = in_lieu_of(*date, (*after, *fractional_holders), amount)?;
                    self.parts.life.distributions.insert(owed.terms.id.clone(), owed);
                }
                self.note_promises();
            }
            LifeEvent::CustodianChanged { account, new, from, .. } => {
                self.parts.life.custodians.push((*from, *account, new.clone()));
            }
            LifeEvent::BenchmarkChanged { id, name, from, .. } => {
                self.parts.life.benchmarks.push((*from, id.clone(), name.clone()));
            }
            LifeEvent::TradingHalted { cause, began, until } => {
                self.parts.life.halted = Some((*began, *until, *cause));
                self.suspend((*began, Some(*until)), HaltScope::Orders, cause.as_str());
            }
            LifeEvent::DealingPostponed { to, orders, .. } => {
                for (id, settlement_date) in orders {
                    let order = self.open_order(id)?;
                    (order.trade_date, order.settlement_date) = (*to, *settlement_date);
                }
            }
            LifeEvent::Closing { reason } => {
                self.parts.life.end = Some(End::Closing { reason: reason.clone() });
            }
            LifeEvent::Liquidated { sale, fee, waived, per_share, total, on, pay_date, shares, .. } => {
                self.go_out(*on, MovementKind::SoldInLiquidation, &without_nothing(sale))?;
                self.parts.fee_paid = self.parts.fee_paid.try_add(*fee)?.try_add(*waived)?;
                self.parts.issued = Shares::ZERO;
                let owed = last_of(*on, *pay_date, (*shares, *per_share), *total)?;
                self.parts.life.distributions.insert(owed.terms.id.clone(), owed);
                self.parts.life.end = Some(End::Liquidated { on: *on });
                self.note_promises();
            }
        }
        Ok(())
    }

    fn note_promises(&mut self) {
        self.parts.life.promised_after = self.last_nav().map(|nav| nav.date);
    }

    /// A suspension follows one that has not ended by ending it.
    pub(crate) fn suspend(
        &mut self,
        (from, until): (Timestamp, Option<Timestamp>),
        scope: HaltScope,
        reason: &str,
    ) {
        if until.is_none() {
            self.end_suspension(from);
        }
        self.parts.life.suspensions.push(Suspension { from, until, scope, reason: reason.to_owned() });
    }

    pub(crate) fn end_suspension(&mut self, at: Timestamp) {
        for suspension in self.parts.life.suspensions.iter_mut().filter(|one| one.until.is_none()) {
            suspension.until = Some(at);
        }
    }
}

fn declared(terms: NewDistribution, on: Date) -> Distribution {
    Distribution {
        terms,
        declared: on,
        stage: Stage::Declared,
        shares: Shares::ZERO,
        paid_per_share: PerShare::ZERO,
        total: None,
        register: Register::default(),
        paid: None,
        unclaimed: BTreeMap::new(),
    }
}

/// What a split owes for fractions: its holders were worked out with it, so its register is whole.
fn in_lieu_of(
    date: Date,
    (shares, holders): (Shares, u64),
    amount: Quantity,
) -> Result<Distribution, Refusal> {
    let id = OrderId::try_new(&format!("in-lieu-{date}"))?;
    let memo = "cash in lieu of fractional shares".to_owned();
    let terms = NewDistribution {
        id,
        source: DistributionSource::CashInLieu,
        asset: None,
        per_share: PerShare::ZERO,
        record_date: date,
        pay_date: date,
        memo,
    };
    let cents = Quantity::try_from_decimal(amount.to_decimal(), Scale::try_new(2)?)?;
    let register = Register { holders, amount: Some(cents), is_whole: true, ..Register::default() };
    Ok(Distribution { stage: Stage::Ex, shares, total: Some(amount), register, ..declared(terms, date) })
}

fn last_of(
    on: Date,
    pay_date: Date,
    (shares, per_share): (Shares, PerShare),
    total: Quantity,
) -> Result<Distribution, Refusal> {
    let terms = NewDistribution {
        id: OrderId::try_new("liquidation")?,
        source: DistributionSource::Liquidation,
        asset: None,
        per_share,
        record_date: on,
        pay_date,
        memo: "everything, when the fund was wound up".to_owned(),
    };
    Ok(Distribution { stage: Stage::Ex, shares, total: Some(total), ..declared(terms, on) })
}

/// Lines of nothing would be lots and movements of nothing.
fn without_nothing(sale: &Sale) -> Sale {
    let mut sale = sale.clone();
    sale.assets.retain(|_, line| !line.quantity.is_zero());
    sale
}

fn add(to: &mut BTreeMap<String, Quantity>, holder: &str, part: Quantity) -> Result<(), NumberError> {
    let waiting = to.get(holder).copied().unwrap_or(Quantity::zero(part.scale()));
    to.insert(holder.to_owned(), waiting.try_add(part)?);
    Ok(())
}

impl Register {
    fn record(
        &mut self,
        holders: &[crate::distribution::HolderPart],
        (shares, amount): (Shares, Quantity),
        is_last: bool,
    ) -> Result<(), NumberError> {
        let lines = holders.iter().map(|line| &line.holder);
        self.parts.push(PartMark::of(lines));
        self.holders += u64::try_from(holders.len()).unwrap_or(u64::MAX);
        self.shares = self.shares.try_add(shares)?;
        self.amount = Some(self.amount.map_or(Ok(amount), |before| before.try_add(amount))?);
        for line in holders.iter().filter(|line| line.holder.is_unreachable && !line.part.is_zero()) {
            add(&mut self.unreachable, &line.holder.holder, line.part)?;
        }
        if let Some(last) = holders.last() {
            self.last.clone_from(&last.holder.holder);
        }
        self.is_whole = is_last;
        Ok(())
    }
}

impl PartMark {
    /// FNV-1a over every line: a repeat has the same.
    pub(crate) fn of<'a>(lines: impl Iterator<Item = &'a crate::distribution::Holder>) -> Self {
        let (mut digest, mut holders) = (0xcbf2_9ce4_8422_2325u64, 0u32);
        let mut take = |bytes: &[u8]| {
            for byte in bytes {
                digest = (digest ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
        };
        for line in lines {
            take(line.holder.as_bytes());
            take(&line.shares.count().to_le_bytes());
            take(&[u8::from(line.is_unreachable), 0xff]);
            holders = holders.saturating_add(1);
        }
        Self { holders, digest }
    }
}

impl StakingState {
    /// Rewards leave oldest first; what is taken beyond them is no reward.
    fn give_up(&mut self, quantity: Quantity) -> Result<(), NumberError> {
        let mut left = quantity;
        for (_, reward) in &mut self.undistributed {
            let taken = if left.units() < reward.units() { left } else { *reward };
            (*reward, left) = (reward.try_sub(taken)?, left.try_sub(taken)?);
        }
        self.undistributed.retain(|(_, reward)| !reward.is_zero());
        Ok(())
    }

    /// Rewards neither sold nor distributed.
    pub fn undistributed(&self, scale: Scale) -> Result<Quantity, NumberError> {
        let rewards = self.undistributed.iter().map(|(_, reward)| *reward);
        rewards.into_iter().try_fold(Quantity::zero(scale), Quantity::try_add)
    }
}
