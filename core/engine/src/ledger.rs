//! The double-entry ledger, one set of accounts per asset and one in money.
//!
//! Debits are positive, credits negative. INVARIANT: in every [`Journal`], and so in the ledger, the lines of
//! each asset sum to zero, and so do those in money. Only [`Journal::try_new`] makes a journal.

use crate::refusal::Refusal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use strongroom_units::{Money, NumberError, Quantity, Symbol};

/// An account of the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Account {
    /// Coins in cold storage.
    Vault,
    /// Coins with the prime execution agent.
    Trading,
    /// Money in the bank.
    Cash,
    /// Coins bought and money due, not yet received.
    Receivable,
    /// Coins sold and money owed, not yet given.
    Payable,
    /// Sponsor fee accrued and unpaid.
    AccruedFee,
    /// Other expenses accrued and unpaid.
    AccruedExpense,
    /// Paid in by participants less paid out to them.
    Capital,
    /// Where coins were exchanged for money: the coin side and the money side of every purchase and sale.
    Exchange,
    /// Sponsor fee of all days.
    FeeExpense,
    /// Other expenses of all days.
    OtherExpense,
    /// Costs of trading in rebalances and resets, of all days.
    RebalanceCost,
    /// Money with the broker of derivatives.
    Margin,
    /// Gains of derivatives settled, of all days.
    DerivativeGain,
    /// Funding of perpetual futures, of all days.
    Funding,
    /// Financing of swaps, of all days.
    Financing,
    /// What cash and margin have earned, of all days.
    CollateralIncome,
    /// Costs of rolling futures, of all days.
    RollCost,
    /// Coins at work for the network.
    Staked,
    /// Coins on their way back from it.
    Unbonding,
    /// Distributions that shares have gone ex of and that are unpaid.
    DistributionPayable,
    /// What was distributed to holders, of all days.
    Distributions,
    /// What the network paid before cuts, of all days.
    Rewards,
    /// What provider and custodian kept of it, of all days.
    RewardCost,
    /// What the network took away, of all days.
    Slashing,
}

impl Account {
    /// The account's name, as read tables know it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Vault => "vault",
            Self::Trading => "trading",
            Self::Cash => "cash",
            Self::Receivable => "receivable",
            Self::Payable => "payable",
            Self::AccruedFee => "accrued-fee",
            Self::AccruedExpense => "accrued-expense",
            Self::Capital => "capital",
            Self::Exchange => "exchange",
            Self::FeeExpense => "fee-expense",
            Self::OtherExpense => "other-expense",
            Self::RebalanceCost => "rebalance-cost",
            Self::Margin => "margin",
            Self::DerivativeGain => "derivative-gain",
            Self::Funding => "funding",
            Self::Financing => "financing",
            Self::CollateralIncome => "collateral-income",
            Self::RollCost => "roll-cost",
            Self::Staked => "staked",
            Self::Unbonding => "unbonding",
            Self::DistributionPayable => "distribution-payable",
            Self::Distributions => "distributions",
            Self::Rewards => "rewards",
            Self::RewardCost => "reward-cost",
            Self::Slashing => "slashing",
        }
    }

    /// Whether coins in it are the fund's to give: what it holds, is due and works for it, less what it owes.
    pub(crate) fn is_held(self) -> bool {
        match self {
            Self::Vault | Self::Trading | Self::Receivable | Self::Payable => true,
            Self::Staked | Self::Unbonding | Self::DistributionPayable => true,
            Self::Cash | Self::AccruedFee | Self::AccruedExpense | Self::Capital | Self::Exchange => false,
            Self::FeeExpense | Self::OtherExpense | Self::RebalanceCost => false,
            Self::Margin | Self::DerivativeGain | Self::Funding => false,
            Self::Financing | Self::CollateralIncome | Self::RollCost => false,
            Self::Distributions | Self::Rewards | Self::RewardCost | Self::Slashing => false,
        }
    }
}

/// The entries of one event. They balance; nothing else can be built.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Journal {
    coins: Vec<(Symbol, Account, Quantity)>,
    money: Vec<(Account, Money)>,
}

impl Journal {
    /// Refuses lines that do not sum to zero per asset and in money.
    pub fn try_new(
        coins: Vec<(Symbol, Account, Quantity)>,
        money: Vec<(Account, Money)>,
    ) -> Result<Self, Refusal> {
        let mut sums: BTreeMap<Symbol, Quantity> = BTreeMap::new();
        for (asset, _, quantity) in &coins {
            let sum = sums.entry(*asset).or_insert_with(|| Quantity::zero(quantity.scale()));
            *sum = sum.try_add(*quantity)?;
        }
        let money_sum = money.iter().try_fold(Money::ZERO, |sum, (_, amount)| sum.try_add(*amount))?;
        if money_sum.is_zero() && sums.values().all(|sum| sum.is_zero()) {
            Ok(Self { coins, money })
        } else {
            Err(Refusal::BooksMustBalance)
        }
    }

    /// Lines in coins: asset, account, signed quantity.
    pub fn coins(&self) -> &[(Symbol, Account, Quantity)] {
        &self.coins
    }

    /// Lines in money: account, signed amount.
    pub fn money(&self) -> &[(Account, Money)] {
        &self.money
    }
}

/// The balances of every account.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ledger {
    coins: BTreeMap<Symbol, BTreeMap<Account, Quantity>>,
    money: BTreeMap<Account, Money>,
}

impl Ledger {
    /// Adds a journal's lines to the balances.
    pub fn post(&mut self, journal: &Journal) -> Result<(), NumberError> {
        for (asset, account, quantity) in &journal.coins {
            let accounts = self.coins.entry(*asset).or_default();
            let balance = accounts.entry(*account).or_insert_with(|| Quantity::zero(quantity.scale()));
            *balance = balance.try_add(*quantity)?;
        }
        for (account, amount) in &journal.money {
            let balance = self.money.entry(*account).or_default();
            *balance = balance.try_add(*amount)?;
        }
        Ok(())
    }

    /// The balance of a coin account; none when nothing was ever posted to it.
    pub fn coins(&self, asset: Symbol, account: Account) -> Option<Quantity> {
        self.coins.get(&asset).and_then(|accounts| accounts.get(&account)).copied()
    }

    /// The balance of a money account.
    pub fn money(&self, account: Account) -> Money {
        self.money.get(&account).copied().unwrap_or_default()
    }

    /// Every balance in coins.
    pub fn coin_balances(&self) -> impl Iterator<Item = (Symbol, Account, Quantity)> + '_ {
        self.coins.iter().flat_map(|(asset, accounts)| {
            accounts.iter().map(|(account, quantity)| (*asset, *account, *quantity))
        })
    }

    /// Every balance in money.
    pub fn money_balances(&self) -> impl Iterator<Item = (Account, Money)> + '_ {
        self.money.iter().map(|(account, amount)| (*account, *amount))
    }

    /// Whether the balances of each asset, and those in money, sum to zero.
    pub fn balances(&self) -> Result<bool, NumberError> {
        for accounts in self.coins.values() {
            let mut sum: Option<Quantity> = None;
            for quantity in accounts.values() {
                sum = Some(sum.map_or(Ok(*quantity), |sum| sum.try_add(*quantity))?);
            }
            if sum.is_some_and(|sum| !sum.is_zero()) {
                return Ok(false);
            }
        }
        let money = self.money.values().try_fold(Money::ZERO, |sum, amount| sum.try_add(*amount))?;
        Ok(money.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_that_does_not_balance_cannot_be_built() {
        let btc: Symbol = "BTC".parse().unwrap();
        let one: Quantity = "1.00000000".parse().unwrap();
        let unbalanced = Journal::try_new(vec![(btc, Account::Vault, one)], vec![]);
        assert_eq!(unbalanced.unwrap_err().code(), "ledger.books_must_balance");
        let cents: Money = "0.01".parse().unwrap();
        assert!(Journal::try_new(vec![], vec![(Account::Cash, cents)]).is_err());
        let moved = vec![(btc, Account::Vault, one.try_neg().unwrap()), (btc, Account::Trading, one)];
        let mut ledger = Ledger::default();
        ledger.post(&Journal::try_new(moved, vec![]).unwrap()).unwrap();
        assert_eq!(ledger.coins(btc, Account::Trading), Some(one));
        assert!(ledger.balances().unwrap());
    }
}
