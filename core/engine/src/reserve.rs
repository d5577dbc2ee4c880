//! The fund's solvency, per asset, at every event.
//!
//! INVARIANT: coins held (vault + trading + staked + unbonding + receivable − payable − owed to holders) ≥ entitlement + coins set aside for accrued fee
//! and expenses, where entitlement = entitled shares × the Basket Amount per share recorded at the last strike.
//! Entitled are the shares outstanding, less struck redemptions, plus struck and funded creations. The entitlement
//! is never derived from the reserve that it checks: between two strikes it moves only with shares.
//!
//! A rebalance changes the coins per share, so it promises anew: of the coins that are there after it, those not set aside.
//!
//! A correction of the last strike promises anew, as a strike does: orders dealt since at the published amount have
//! taken or brought other coins than the corrected amount would have, and those who stay bear the difference.
//!
//! Fee that accrues in coins after a strike is not yet in that strike's Basket Amount, so it is set aside at the
//! next strike: both sides of the comparison are as of the last one.

use crate::distribution::DistributionEvent;
use crate::event::{Event, NavFigures, Promise};
use crate::ledger::Journal;
use crate::life::LifeEvent;
use crate::order::{Order, OrderSide, OrderState};
use crate::refusal::Refusal;
use crate::staking::StakingEvent;
use core::fmt;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use strongroom_fund::definition::OrderMethod;
use strongroom_units::{NumberError, PerShare, Quantity, Rounding, Shares, Symbol};

/// What is held and owed, per asset.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ReserveSheet {
    /// Shares that are owed their Basket Amount.
    entitled: Shares,
    assets: BTreeMap<Symbol, AssetReserve>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct AssetReserve {
    held: Quantity,
    set_aside: Quantity,
    basket_amount: PerShare,
    /// Taken out of what the last strike set aside.
    spent: Quantity,
}

/// A reserve that does not cover what is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReserveBreach {
    /// The asset.
    pub asset: Symbol,
    /// Vault, trading and receivable, less payable.
    pub held: Quantity,
    /// Owed to shares.
    pub entitlement: Quantity,
    /// Set aside for accrued fee and expenses.
    pub set_aside: Quantity,
}

impl fmt::Display for ReserveBreach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { asset, held, entitlement, set_aside } = self;
        write!(
            f,
            "{held} {asset} would be held, but {entitlement} are owed to shares and {set_aside} to accrued fee"
        )
    }
}

impl std::error::Error for ReserveBreach {}

impl ReserveSheet {
    /// Shares that are owed their Basket Amount.
    pub fn entitled(&self) -> Shares {
        self.entitled
    }

    /// Coins held, owed to shares, and set aside, per asset.
    pub fn positions(&self) -> Result<Vec<ReserveBreach>, NumberError> {
        self.assets.iter().map(|(asset, reserve)| self.position(*asset, reserve)).collect()
    }

    /// Refuses when an asset's reserve does not cover what is owed.
    pub fn check(&self) -> Result<(), Refusal> {
        for position in self.positions()? {
            let owed = position.entitlement.try_add(position.set_aside)?;
            if position.held.try_sub(owed)?.is_negative() {
                return Err(position.into());
            }
        }
        Ok(())
    }

    /// Follows one event. `order` is the order that the event is about, as it was before.
    pub(crate) fn follow(
        &mut self,
        event: &Event,
        journal: &Journal,
        order: Option<&Order>,
    ) -> Result<(), NumberError> {
        for (asset, account, quantity) in journal.coins() {
            let scale = quantity.scale();
            let reserve = self.assets.entry(*asset).or_insert_with(|| AssetReserve::empty(scale));
            if account.is_held() {
                reserve.held = reserve.held.try_add(*quantity)?;
            }
        }
        match event {
            Event::FundOpened { nav, .. } => {
                self.entitled = nav.inputs.shares;
                self.record(&nav.current);
            }
            Event::OrderExecuted { .. } if order.is_some_and(|order| order.method == OrderMethod::Cash) => {
                self.fund(order)?;
            }
            Event::Rebalanced { promises, .. }
            | Event::AssetMigrated { promises, .. }
            | Event::AssetWrittenOff { promises, .. } => self.promise_afresh(promises),
            Event::Distribution(DistributionEvent::WentEx { promises, .. })
            | Event::Staking(StakingEvent::Slashed { promises, .. })
            | Event::Staking(StakingEvent::RewardsSold { promises, .. }) => self.promise_afresh(promises),
            Event::Life(LifeEvent::Split { before, after, promises, .. }) => {
                self.entitled = self.entitled.try_add(after.try_sub(*before)?)?;
                self.promise_afresh(promises);
            }
            Event::Life(LifeEvent::Liquidated { promises, .. }) => {
                self.entitled = Shares::ZERO;
                self.promise_afresh(promises);
            }
            Event::OrderSettled { in_kind: Some(_), .. } => self.fund(order)?,
            Event::Paid { sale, .. } => {
                for (asset, line) in &sale.assets {
                    if let Some(reserve) = self.assets.get_mut(asset) {
                        reserve.set_aside = less_at_least_zero(reserve.set_aside, line.quantity)?;
                        reserve.spent = reserve.spent.try_add(line.quantity)?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Coins per share that are owed, per asset that was ever held.
    pub fn basket_amounts(&self) -> impl Iterator<Item = (Symbol, PerShare)> + '_ {
        self.assets.iter().map(|(asset, reserve)| (*asset, reserve.basket_amount))
    }

    fn promise_afresh(&mut self, promises: &BTreeMap<Symbol, Promise>) {
        for (asset, promise) in promises {
            if let Some(reserve) = self.assets.get_mut(asset) {
                reserve.basket_amount = promise.basket_amount;
                reserve.set_aside = promise.set_aside;
                reserve.spent = Quantity::zero(promise.set_aside.scale());
            }
        }
    }

    /// Takes over the promises of a correction; what they do not name stays.
    pub(crate) fn promise(&mut self, promises: &BTreeMap<Symbol, Promise>, entitled: Shares) {
        self.entitled = entitled;
        for (asset, promise) in promises {
            if let Some(reserve) = self.assets.get_mut(asset) {
                reserve.basket_amount = promise.basket_amount;
                reserve.set_aside = promise.set_aside;
            }
        }
    }

    /// What is left of the coins that the last strike, as corrected, sets aside.
    pub(crate) fn left_of(&self, asset: Symbol, set_aside: Quantity) -> Result<Quantity, NumberError> {
        self.assets.get(&asset).map_or(Ok(set_aside), |reserve| less_at_least_zero(set_aside, reserve.spent))
    }

    /// Takes over the entitlement of a strike.
    pub(crate) fn restate(&mut self, figures: &NavFigures, entitled: Shares) {
        self.entitled = entitled;
        self.record(figures);
    }

    fn record(&mut self, figures: &NavFigures) {
        for (asset, reserve) in &mut self.assets {
            if let Some(amount) = figures.basket_amount.get(asset) {
                reserve.basket_amount = *amount;
            }
            if let Some(coins) = figures.liability_coins.get(asset) {
                reserve.set_aside = *coins;
                reserve.spent = Quantity::zero(coins.scale());
            }
        }
    }

    /// A creation is entitled from the moment its coins are the fund's.
    fn fund(&mut self, order: Option<&Order>) -> Result<(), NumberError> {
        if let Some(order) = order.filter(|order| order.side == OrderSide::Creation) {
            self.entitled = self.entitled.try_add(order.shares)?;
        }
        Ok(())
    }

    fn position(&self, asset: Symbol, reserve: &AssetReserve) -> Result<ReserveBreach, NumberError> {
        let scale = reserve.held.scale();
        let entitlement = reserve.basket_amount.times(self.entitled, scale, Rounding::Ceiling)?;
        Ok(ReserveBreach { asset, held: reserve.held, entitlement, set_aside: reserve.set_aside })
    }
}

impl AssetReserve {
    fn empty(scale: strongroom_units::Scale) -> Self {
        let none = Quantity::zero(scale);
        Self { held: none, set_aside: none, basket_amount: PerShare::ZERO, spent: none }
    }
}

/// Shares entitled after a strike: issued, less struck redemptions, plus creations struck and funded.
pub(crate) fn entitled_shares<'a>(
    issued: Shares,
    orders: impl Iterator<Item = &'a Order>,
) -> Result<Shares, NumberError> {
    orders.into_iter().try_fold(issued, |shares, order| match (order.side, &order.state) {
        (_, OrderState::Accepted) => Ok(shares),
        (OrderSide::Creation, _) if order.is_funded() => shares.try_add(order.shares),
        (OrderSide::Creation, _) => Ok(shares),
        (OrderSide::Redemption, _) => shares.try_sub(order.shares),
    })
}

fn less_at_least_zero(from: Quantity, quantity: Quantity) -> Result<Quantity, NumberError> {
    let rest = from.try_sub(quantity)?;
    Ok(if rest.is_negative() { Quantity::zero(rest.scale()) } else { rest })
}
