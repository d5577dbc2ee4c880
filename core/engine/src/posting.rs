//! The double entries of each event. Debits are positive.
//!
//! A cash creation's coins go from the exchange account to receivable when they are bought and to the trading
//! balance at settlement; its money comes from capital and leaves through the exchange account. So the exchange
//! account holds, per asset, the coins bought less sold, and in money what was paid less received for them.

use crate::command::Liability;
use crate::event::{Event, Restatement, Sale};
use crate::exposure::payments;
use crate::ledger::{Account, Journal};
use crate::order::{Order, OrderSide, OrderState};
use crate::refusal::Refusal;
use strongroom_fund::definition::{CustodyKind, OrderMethod};
use strongroom_units::{Money, NumberError, Quantity, Symbol};

/// The balanced entries of an event; empty for events that move nothing.
/// `order` is the order that the event is about, as it was before the event.
pub fn postings(event: &Event, order: Option<&Order>) -> Result<Journal, Refusal> {
    let mut entries = Entries::default();
    match event {
        Event::FundOpened { paid_in, purchase, .. } => {
            entries.pay(*paid_in, Account::Cash, Account::Capital)?;
            entries.pay(purchase.value, Account::Exchange, Account::Cash)?;
            entries.deliver_all(purchase, Account::Vault, Account::Exchange)?;
        }
        Event::NavStruck { nav, .. } => {
            entries.pay(nav.published.valuation.fee, Account::FeeExpense, Account::AccruedFee)?;
        }
        Event::FeeAccrued { coins, .. } => {
            for (asset, quantity) in coins {
                entries.deliver(*asset, *quantity, Account::FeeExpense, Account::AccruedFee)?;
            }
        }
        Event::OrderExecuted { trade, cash_due, .. } => entries.execution(order, trade, *cash_due)?,
        Event::OrderSettled { in_kind, .. } => entries.settlement(order, in_kind.as_ref())?,
        Event::Paid { liability, sale, amount } => entries.payment(*liability, sale, *amount)?,
        Event::ExpenseRecorded { amount, restatement, .. } => {
            entries.pay(*amount, Account::OtherExpense, Account::AccruedExpense)?;
            entries.adjustment(restatement)?;
        }
        Event::Rebalanced { sold, bought, cost, .. } => entries.rebalance(sold, bought, *cost)?,
        Event::AssetMigrated { asset, into, vault, trading, .. } => {
            for (account, coins) in [(Account::Vault, vault), (Account::Trading, trading)] {
                entries.deliver(*asset, coins.out, Account::Exchange, account)?;
                entries.deliver(*into, coins.into, account, Account::Exchange)?;
            }
        }
        Event::AssetWrittenOff { asset, vault, trading, .. } => {
            entries.deliver(*asset, *vault, Account::Exchange, Account::Vault)?;
            entries.deliver(*asset, *trading, Account::Exchange, Account::Trading)?;
        }
        Event::GiftRecorded { received, .. } => entries.pay(*received, Account::Cash, Account::Exchange)?,
        Event::Exposure(event) => {
            for (amount, debit, credit) in payments(event) {
                entries.pay(amount, debit, credit)?;
            }
        }
        Event::PriceCorrected { restatement, .. } | Event::LateOrderRecorded { restatement, .. } => {
            entries.adjustment(restatement)?;
        }
        Event::CustodyTransferred { asset, from, to, quantity } => {
            entries.deliver(*asset, *quantity, balance(*to), balance(*from))?;
        }
        Event::Distribution(event) => entries.distribution(event)?,
        Event::Staking(event) => entries.staking(event)?,
        Event::Life(event) => entries.life(event)?,
        Event::PricesRecorded { .. }
        | Event::RateRecorded { .. }
        | Event::FallbackDecided { .. }
        | Event::OrderAccepted { .. }
        | Event::OrderCancelled { .. }
        | Event::FundHalted { .. }
        | Event::FundResumed { .. } => {}
    }
    Journal::try_new(entries.coins, entries.money)
}

/// The ledger account of a custody balance.
pub(crate) fn balance(kind: CustodyKind) -> Account {
    match kind {
        CustodyKind::Vault => Account::Vault,
        CustodyKind::Trading => Account::Trading,
    }
}

#[derive(Default)]
pub(crate) struct Entries {
    coins: Vec<(Symbol, Account, Quantity)>,
    money: Vec<(Account, Money)>,
}

impl Entries {
    pub(crate) fn pay(&mut self, amount: Money, debit: Account, credit: Account) -> Result<(), NumberError> {
        if !amount.is_zero() {
            self.money.push((debit, amount));
            self.money.push((credit, amount.try_neg()?));
        }
        Ok(())
    }

    pub(crate) fn deliver(
        &mut self,
        asset: Symbol,
        quantity: Quantity,
        debit: Account,
        credit: Account,
    ) -> Result<(), NumberError> {
        if !quantity.is_zero() {
            self.coins.push((asset, debit, quantity));
            self.coins.push((asset, credit, quantity.try_neg()?));
        }
        Ok(())
    }

    pub(crate) fn deliver_all(
        &mut self,
        sale: &Sale,
        debit: Account,
        credit: Account,
    ) -> Result<(), NumberError> {
        sale.assets.iter().try_for_each(|(asset, line)| self.deliver(*asset, line.quantity, debit, credit))
    }

    fn execution(&mut self, order: Option<&Order>, trade: &Sale, cash_due: Money) -> Result<(), Refusal> {
        use Account::{Capital, Exchange, Payable, Receivable};
        match side(order)? {
            OrderSide::Creation => {
                self.pay(cash_due, Receivable, Capital)?;
                self.pay(trade.value, Exchange, Payable)?;
                self.deliver_all(trade, Receivable, Exchange)?;
            }
            OrderSide::Redemption => {
                self.pay(trade.value, Receivable, Exchange)?;
                self.pay(cash_due, Capital, Payable)?;
                self.deliver_all(trade, Exchange, Payable)?;
            }
        }
        Ok(())
    }

    fn settlement(&mut self, order: Option<&Order>, in_kind: Option<&Sale>) -> Result<(), Refusal> {
        use Account::{Capital, Cash, Payable, Receivable, Trading};
        let order = order.ok_or(Refusal::BooksMustBalance)?;
        match (order.method, order.side, &order.state, in_kind) {
            (OrderMethod::InKind, side, state, Some(sale)) => {
                match side {
                    OrderSide::Creation => self.deliver_all(sale, Trading, Capital)?,
                    OrderSide::Redemption => self.deliver_all(sale, Capital, Trading)?,
                }
                if let OrderState::Executed { coins, cash_due, .. } = state {
                    let traded = coins.iter().filter(|(asset, _)| !sale.assets.contains_key(asset));
                    self.traded(side, traded, *cash_due)?;
                }
            }
            // Of a fund of derivatives: nobody sold coins to it or bought them from it, so money moves once.
            (OrderMethod::Cash, side, OrderState::Executed { coins, cash_due, .. }, None)
                if coins.values().all(|coins| coins.is_zero()) =>
            {
                match side {
                    OrderSide::Creation => self.pay(*cash_due, Cash, Receivable)?,
                    OrderSide::Redemption => self.pay(*cash_due, Payable, Cash)?,
                }
            }
            (OrderMethod::Cash, side, OrderState::Executed { coins, cash_due, .. }, None) => {
                self.traded(side, coins.iter(), *cash_due)?;
            }
            _ => return Err(Refusal::BooksMustBalance),
        }
        Ok(())
    }

    /// Coins that the fund has bought or sold for an order, and the money for them, change hands.
    fn traded<'a>(
        &mut self,
        side: OrderSide,
        mut coins: impl Iterator<Item = (&'a Symbol, &'a Quantity)>,
        cash_due: Money,
    ) -> Result<(), NumberError> {
        use Account::{Cash, Payable, Receivable, Trading};
        self.pay(cash_due, Cash, Receivable)?;
        self.pay(cash_due, Payable, Cash)?;
        coins.try_for_each(|(asset, quantity)| match side {
            OrderSide::Creation => self.deliver(*asset, *quantity, Trading, Receivable),
            OrderSide::Redemption => self.deliver(*asset, *quantity, Payable, Trading),
        })
    }

    fn payment(&mut self, liability: Liability, sale: &Sale, amount: Money) -> Result<(), NumberError> {
        use Account::{AccruedExpense, AccruedFee, Cash, Exchange, Trading};
        let owed = match liability {
            Liability::SponsorFee { .. } => AccruedFee,
            Liability::Expenses => AccruedExpense,
        };
        if amount.is_zero() {
            return self.deliver_all(sale, owed, Trading);
        }
        self.deliver_all(sale, Exchange, Trading)?;
        self.pay(sale.value, Cash, Exchange)?;
        self.pay(amount, owed, Cash)
    }

    /// Coins and money change hands at once, on the trading balance.
    fn rebalance(&mut self, sold: &Sale, bought: &Sale, cost: Money) -> Result<(), NumberError> {
        use Account::{Cash, Exchange, RebalanceCost, Trading};
        self.deliver_all(sold, Exchange, Trading)?;
        self.pay(sold.value, Cash, Exchange)?;
        self.deliver_all(bought, Trading, Exchange)?;
        self.pay(bought.value, Exchange, Cash)?;
        self.pay(cost, RebalanceCost, Cash)
    }

    pub(crate) fn adjustment(&mut self, restatement: &Restatement) -> Result<(), NumberError> {
        self.pay(restatement.fee_adjustment, Account::FeeExpense, Account::AccruedFee)?;
        for (asset, quantity) in restatement.coin_fees.values().flatten() {
            self.deliver(*asset, *quantity, Account::FeeExpense, Account::AccruedFee)?;
        }
        Ok(())
    }
}

fn side(order: Option<&Order>) -> Result<OrderSide, Refusal> {
    order.map(|order| order.side).ok_or(Refusal::BooksMustBalance)
}
