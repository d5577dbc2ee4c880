//! What can be asked of a fund about its life, its distributions and its staking.

use crate::distribution::{Distribution, Stage};
use crate::ledger::Account;
use crate::life::{End, HaltCause, Split, Suspension};
use crate::order::{OrderId, OrderSide, OrderState};
use crate::refusal::Refusal;
use crate::staking::StakingState;
use crate::state::FundState;
use strongroom_fund::definition::{Benchmark, CustodyKind};
use strongroom_fund::safe_harbour::{Books, Condition, conditions};
use strongroom_units::time::{Date, Timestamp};
use strongroom_units::{NumberError, Price, Quantity, Rounding, Symbol};

impl FundState {
    /// Every distribution, by its id.
    pub fn distributions(&self) -> impl Iterator<Item = &Distribution> {
        self.parts.life.distributions.values()
    }

    /// One distribution.
    pub fn distribution(&self, id: &OrderId) -> Option<&Distribution> {
        self.parts.life.distributions.get(id)
    }

    /// What is remembered of staking.
    pub fn staking(&self) -> &StakingState {
        &self.parts.life.staking
    }

    /// Every split, oldest first.
    pub fn splits(&self) -> &[Split] {
        &self.parts.life.splits
    }

    /// Times in which orders were not taken, oldest first.
    pub fn suspensions(&self) -> &[Suspension] {
        &self.parts.life.suspensions
    }

    /// The halt of trading that an instant falls into: until when, and why.
    pub fn trading_halt(&self, at: Timestamp) -> Option<(Timestamp, HaltCause)> {
        let (began, until, cause) = self.parts.life.halted?;
        (began <= at && at < until).then_some((until, cause))
    }

    /// How far the fund is towards its end; none while it goes on.
    pub fn end(&self) -> Option<&End> {
        self.parts.life.end.as_ref()
    }

    /// What a share of a day's NAV is of today's shares: a figure per share of before a 4:1 split is divided by 4.
    ///
    /// A split of a session holds from its strike on. Half even at eighteen decimals, once for each split.
    pub fn split_adjusted(&self, per_share: Price, date: Date) -> Result<Price, NumberError> {
        let later = self.splits().iter().filter(|split| split.date > date);
        later.into_iter().try_fold(per_share, |figure, split| {
            figure.try_mul_div(i128::from(split.old), i128::from(split.new), Rounding::HalfEven)
        })
    }

    /// Who keeps a balance on a day.
    pub fn custodian(&self, account: CustodyKind, date: Date) -> Option<&str> {
        let changed =
            self.parts.life.custodians.iter().filter(|(from, kind, _)| *kind == account && *from <= date);
        let defined =
            self.definition.custody.iter().filter(|held| held.account == account && held.from <= date);
        let last = defined.max_by_key(|held| held.from).map(|held| held.custodian.as_str());
        changed.max_by_key(|(from, _, _)| *from).map(|(_, _, name)| name.as_str()).or(last)
    }

    /// The rate that NAV is measured against on a day.
    pub fn benchmark(&self, date: Date) -> Option<Benchmark> {
        let changed = self.parts.life.benchmarks.iter().filter(|(from, _, _)| *from <= date);
        let changed = changed.max_by_key(|(from, _, _)| *from);
        let changed = changed.map(|(_, id, name)| Benchmark { id: id.clone(), name: name.clone() });
        changed.or_else(|| self.definition.benchmark.at(date).cloned())
    }

    /// The conditions under which a trust that stakes keeps its tax status, as they stand; none for a fund that does not stake.
    pub fn safe_harbour(&self, today: Date) -> Option<Vec<Condition>> {
        let oldest_reward = self.staking().oldest_reward();
        conditions(&self.definition, Books { today, oldest_reward, holds_other: false })
    }

    /// Coins of an asset in an account.
    pub(crate) fn in_account(&self, asset: Symbol, account: Account) -> Result<Quantity, Refusal> {
        let scale = self.definition.asset(asset).ok_or(Refusal::AssetMustBeInDefinition(asset))?.scale;
        Ok(self.ledger().coins(asset, account).unwrap_or(Quantity::zero(scale)))
    }

    /// Coins of the vault and the trading balance.
    pub fn liquid(&self, asset: Symbol) -> Result<Quantity, Refusal> {
        Ok(self.in_account(asset, Account::Vault)?.try_add(self.in_account(asset, Account::Trading)?)?)
    }

    /// Coins that redemptions taken are due on their next session, at the Basket Amount promised now.
    pub fn due_to_redemptions(&self, asset: Symbol) -> Result<Quantity, Refusal> {
        self.due(asset, false)
    }

    /// Coins that redemptions are due which wait for unstaked coins.
    pub fn due_to_delayed_redemptions(&self, asset: Symbol) -> Result<Quantity, Refusal> {
        self.due(asset, true)
    }

    fn due(&self, asset: Symbol, delayed: bool) -> Result<Quantity, Refusal> {
        let amounts = self.reserve().basket_amounts();
        let amount = amounts.into_iter().find(|(held, _)| *held == asset).map(|(_, amount)| amount);
        let mut due = Quantity::zero(self.in_account(asset, Account::Vault)?.scale());
        for order in self.orders().filter(|order| order.side == OrderSide::Redemption) {
            let next = self.definition.calendar.next_session(order.trade_date)?;
            if (order.settlement_date > next) != delayed {
                continue;
            }
            let coins = match &order.state {
                OrderState::Accepted => {
                    amount.unwrap_or_default().times(order.shares, due.scale(), Rounding::Ceiling)?
                }
                OrderState::Struck { coins, .. } | OrderState::Executed { coins, .. } => {
                    coins.get(&asset).copied().unwrap_or(Quantity::zero(due.scale()))
                }
            };
            due = due.try_add(coins)?;
        }
        Ok(due)
    }

    /// Money that is owed to nobody yet: cash less what holders are owed.
    pub fn cash_not_owed(&self) -> Result<strongroom_units::Money, NumberError> {
        let owed = self.ledger().money(Account::DistributionPayable);
        self.ledger().money(Account::Cash).try_add(owed)
    }

    /// Distributions declared and not yet gone ex.
    pub(crate) fn to_go_ex(&self) -> impl Iterator<Item = &Distribution> {
        self.distributions().filter(|one| one.stage == Stage::Declared)
    }
}
