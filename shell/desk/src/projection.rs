//! From an event to rows of the read tables. Reads the event and the state after it; decides nothing.
//!
//! A balance changes with almost every event of a group and is written once, as it is at the end of it: the events
//! name the accounts that they touch, and [`Changes::into_rows`] reads their balances.

mod exposure;

use crate::tables::{
    BALANCES, CORRECTIONS, CUSTODY_TRANSFERS, FEE_ACCRUALS, FUNDS, LEDGER_ENTRIES, NAV, NAV_ASSETS,
    NAV_CORRECTIONS, ORDER_ASSETS, ORDERS, PAYMENTS, PRICES, REBALANCES,
};
use std::collections::{BTreeMap, BTreeSet};
use strongroom_engine::{
    Account, Applied, Event, FundState, FundStatus, HaltScope, Journal, Liability, NavRecord, Order,
    OrderState, RecordedPrice, Refusal, Restatement, Sale,
};
use strongroom_fund::definition::{CustodyKind, OrderMethod};
use strongroom_store::{RowChange, Table, Value};
use strongroom_units::Symbol;
use strongroom_units::time::{Date, Timestamp};

/// An applied event in its place in the log.
pub(crate) struct Recorded<'a> {
    /// The event, the order it is about, and its entries.
    pub applied: &'a Applied,
    /// Its kind, as in the log.
    pub kind: &'static str,
    /// Its place in the stream.
    pub seq: u64,
    /// When it became known.
    pub at: Timestamp,
    /// The same as text.
    pub at_text: &'a str,
}

/// The rows of a whole group of events, each row whole.
#[derive(Default)]
pub(crate) struct Changes {
    rows: Vec<RowChange>,
    touched: BTreeMap<Symbol, Touched>,
}

/// Accounts of one fund, of an asset or, without one, in money.
type Touched = BTreeSet<(Account, Option<Symbol>)>;

impl Changes {
    /// Adds the rows that follow from an event. `state` is the state after it, or after later events of the same
    /// command.
    pub(crate) fn project(&mut self, recorded: &Recorded<'_>, state: &FundState) -> Result<(), Refusal> {
        let fund = state.definition().id;
        let mut rows = Rows { fund, state, recorded, changes: &mut self.rows };
        rows.event()?;
        let touched = rows.entries(&recorded.applied.journal);
        self.touched.entry(fund).or_default().extend(touched);
        Ok(())
    }

    /// All rows, with the balances of the accounts touched. `state` gives a fund's state at the end of the group.
    pub(crate) fn into_rows<'a>(mut self, state: impl Fn(Symbol) -> Option<&'a FundState>) -> Vec<RowChange> {
        for (fund, touched) in &self.touched {
            let Some(state) = state(*fund) else { continue };
            let balances = touched.iter().map(|(account, asset)| balance(*fund, state, *account, *asset));
            self.rows.extend(balances);
        }
        self.rows
    }
}

fn balance(fund: Symbol, state: &FundState, account: Account, asset: Option<Symbol>) -> RowChange {
    let (ledger, currency) = (state.ledger(), state.definition().currency);
    let amount = match asset {
        Some(asset) => optional(ledger.coins(asset, account)),
        None => text(ledger.money(account)),
    };
    let values = vec![symbol(fund), text(account.as_str()), symbol(asset.unwrap_or(currency)), amount];
    RowChange::Upsert { table: &BALANCES, values }
}

pub(crate) struct Rows<'a> {
    fund: Symbol,
    pub(crate) state: &'a FundState,
    pub(crate) recorded: &'a Recorded<'a>,
    changes: &'a mut Vec<RowChange>,
}

/// The text of anything that is written as text.
pub(crate) fn text(value: impl ToString) -> Value {
    Value::Text(value.to_string())
}

/// The same for a symbol, whose text is at hand.
pub(crate) fn symbol(value: Symbol) -> Value {
    Value::Text(value.as_str().to_owned())
}

pub(crate) fn optional(value: Option<impl ToString>) -> Value {
    value.map_or(Value::Null, text)
}

pub(crate) fn integer(value: u64) -> Value {
    Value::Integer(i64::try_from(value).unwrap_or(i64::MAX))
}

impl Rows<'_> {
    pub(crate) fn upsert(&mut self, table: &'static Table, values: Vec<Value>) {
        self.changes.push(RowChange::Upsert { table, values });
    }

    pub(crate) fn fund(&self) -> Value {
        symbol(self.fund)
    }

    pub(crate) fn at(&self) -> Value {
        text(self.recorded.at_text)
    }

    /// The text of an instant, which often is that of the event itself.
    fn instant(&self, instant: Timestamp) -> Value {
        if instant == self.recorded.at { self.at() } else { text(instant) }
    }

    fn event(&mut self) -> Result<(), Refusal> {
        match &self.recorded.applied.event {
            Event::FundOpened { nav, .. } => {
                self.fund_row();
                self.nav(nav);
                for (asset, input) in &nav.inputs.assets {
                    let row = RecordedPrice { date: nav.date, price: input.price, flag: None };
                    self.price(*asset, "seed purchase", &row);
                }
            }
            Event::PricesRecorded { asset, source, rows } => {
                rows.iter().for_each(|row| self.price(*asset, source, row));
            }
            Event::RateRecorded { asset, date, evidence, flag } => {
                let row = RecordedPrice { date: *date, price: evidence.rate, flag: *flag };
                self.price(*asset, &evidence.methodology.id, &row);
            }
            Event::FallbackDecided { asset, date, price, reason } => {
                let row = RecordedPrice { date: *date, price: *price, flag: None };
                self.price(*asset, &format!("fallback: {reason}"), &row);
            }
            Event::PriceCorrected { asset, date, old, new, reason, restatement } => {
                let row = RecordedPrice { date: *date, price: *new, flag: None };
                self.price(*asset, "correction", &row);
                let values = (text(old), text(new));
                self.correction(*date, "price", asset, values, reason, restatement)?;
            }
            Event::OrderAccepted { order } => self.order(order, order.state_name(), None),
            Event::LateOrderRecorded { order, reason, restatement } => {
                self.order(order, order.state_name(), None);
                self.order_assets(order, None);
                let values = (Value::Null, text(order.shares));
                self.correction(order.trade_date, "late order", &order.id, values, reason, restatement)?;
            }
            Event::OrderCancelled { .. } => self.closed("cancelled", None),
            Event::NavStruck { nav, dealt } => {
                self.nav(nav);
                for order in dealt.iter().filter_map(|deal| self.state.order(&deal.id)) {
                    self.order(order, order.state_name(), None);
                    self.order_assets(order, None);
                }
            }
            Event::OrderExecuted { id, trade, .. } => {
                if let Some(order) = self.state.order(id) {
                    self.order(order, order.state_name(), None);
                    self.order_assets(order, Some(trade));
                }
            }
            Event::OrderSettled { in_kind, .. } => self.closed("settled", in_kind.as_ref()),
            Event::FeeAccrued { day, coins } => {
                for (asset, quantity) in coins {
                    let values = vec![self.fund(), text(day), symbol(*asset), text(quantity)];
                    self.upsert(&FEE_ACCRUALS, values);
                }
            }
            Event::Paid { liability, sale, amount } => self.payment(*liability, sale, *amount),
            Event::ExpenseRecorded { id, effective, amount, memo, restatement } => {
                let values = (Value::Null, text(amount));
                self.correction(*effective, "expense", id, values, memo, restatement)?;
            }
            event @ (Event::AssetMigrated { .. }
            | Event::AssetWrittenOff { .. }
            | Event::GiftRecorded { .. }) => {
                self.asset_changed(event);
            }
            Event::Distribution(event) => self.distribution(event),
            Event::Staking(event) => self.staking(event),
            Event::Life(event) => self.life(event),
            Event::Exposure(event) => self.exposure(event)?,
            Event::CustodyTransferred { asset, from, to, quantity } => {
                let values = vec![
                    self.fund(),
                    integer(self.recorded.seq),
                    self.at(),
                    symbol(*asset),
                    text(custody(*from)),
                    text(custody(*to)),
                    text(quantity),
                ];
                self.upsert(&CUSTODY_TRANSFERS, values);
            }
            event @ Event::Rebalanced { .. } => self.rebalance(event),
            Event::FundHalted { .. } | Event::FundResumed { .. } => self.fund_row(),
        }
        Ok(())
    }

    pub(crate) fn fund_row(&mut self) {
        let definition = self.state.definition();
        let ended = crate::projection_life::ended(self.state);
        let (status, reason) = match self.state.status() {
            _ if self.state.wiped_out().is_some() => ("wiped out", Value::Null),
            _ if ended.is_some() => ended.unwrap_or(("", Value::Null)),
            FundStatus::Running => ("running", Value::Null),
            FundStatus::Halted { scope: HaltScope::Creations, reason } => ("creations halted", text(reason)),
            FundStatus::Halted { scope: HaltScope::Orders, reason } => ("halted", text(reason)),
        };
        let opened = self.state.navs().first().map(|nav| nav.struck_at);
        let values = vec![
            self.fund(),
            text(&definition.name),
            text(definition.currency),
            text(status),
            reason,
            optional(opened),
            text(self.state.definition_text()),
        ];
        self.upsert(&FUNDS, values);
    }

    fn price(&mut self, asset: Symbol, source: &str, row: &RecordedPrice) {
        let flag = row.flag.map(|flag| flag.as_str());
        let values = vec![
            self.fund(),
            symbol(asset),
            text(row.date),
            text(row.price),
            text(source),
            optional(flag),
            self.at(),
        ];
        self.upsert(&PRICES, values);
    }

    fn nav(&mut self, nav: &NavRecord) {
        let (inputs, figures, valuation) = (&nav.inputs, &nav.published, nav.published.valuation);
        // Overflow cannot happen here: the strike has added the same two figures.
        let accrued = inputs.accrued_fee.try_add(valuation.fee).unwrap_or(inputs.accrued_fee);
        let values = vec![
            self.fund(),
            text(nav.date),
            text(nav.struck_at),
            Value::Integer(inputs.shares.count()),
            text(valuation.holdings),
            text(inputs.cash),
            text(valuation.fee_basis),
            text(valuation.fee),
            text(accrued),
            text(inputs.accrued_expenses),
            text(valuation.net_assets),
            text(figures.nav_per_share),
            text(figures.nav_per_share_published),
            optional(nav.accepted.as_ref()),
        ];
        self.upsert(&NAV, values);
        for (asset, input) in &inputs.assets {
            let values = vec![
                self.fund(),
                text(nav.date),
                symbol(*asset),
                text(input.price),
                text(input.owned),
                text(input.accrued_fee),
                text(input.pending_creations),
                text(input.pending_redemptions),
                optional(figures.basket_amount.get(asset)),
            ];
            self.upsert(&NAV_ASSETS, values);
        }
    }

    fn correction(
        &mut self,
        effective: Date,
        kind: &str,
        subject: impl ToString,
        (old, new): (Value, Value),
        reason: &str,
        restatement: &Restatement,
    ) -> Result<(), Refusal> {
        let values = vec![
            self.fund(),
            integer(self.recorded.seq),
            self.at(),
            text(effective),
            text(kind),
            text(subject),
            old,
            new,
            text(reason),
            text(restatement.fee_adjustment),
        ];
        self.upsert(&CORRECTIONS, values);
        for nav in &restatement.navs {
            let (published, corrected) = (&nav.published, &nav.current);
            let values = vec![
                self.fund(),
                integer(self.recorded.seq),
                text(nav.date),
                self.at(),
                text(published.nav_per_share),
                text(corrected.nav_per_share),
                text(corrected.nav_per_share.try_sub(published.nav_per_share)?),
                text(published.valuation.net_assets),
                text(corrected.valuation.net_assets),
            ];
            self.upsert(&NAV_CORRECTIONS, values);
        }
        Ok(())
    }

    /// The order as it stands; `closed` is the instant at which it was over.
    pub(crate) fn order(&mut self, order: &Order, status: &str, closed: Option<Timestamp>) {
        let method = match order.method {
            OrderMethod::Cash => "cash",
            OrderMethod::InKind => "in-kind",
        };
        let (nav_value, variance, cash_due) = match &order.state {
            OrderState::Accepted => (None, None, None),
            OrderState::Struck { nav_value, .. } => (Some(nav_value), None, None),
            OrderState::Executed { nav_value, variance, cash_due, .. } => {
                (Some(nav_value), Some(variance), Some(cash_due))
            }
        };
        let values = vec![
            self.fund(),
            text(&order.id),
            text(&order.participant),
            text(order.side.as_str()),
            text(method),
            Value::Integer(order.shares.count()),
            text(order.trade_date),
            text(order.settlement_date),
            self.instant(order.submitted_at),
            text(status),
            optional(nav_value),
            optional(variance),
            optional(cash_due),
            closed.map_or(Value::Null, |closed| self.instant(closed)),
        ];
        self.upsert(&ORDERS, values);
    }

    /// The coins due of an order, with the prices and values at which they were traded or delivered once they have been. Of an
    /// order in kind with cash in lieu each coin is one of the two: a row that has its price keeps it.
    fn order_assets(&mut self, order: &Order, trade: Option<&Sale>) {
        let is_over = matches!(order.state, OrderState::Executed { .. });
        for (asset, coins) in order.coins().into_iter().flatten() {
            if is_over && trade.is_some_and(|trade| !trade.assets.contains_key(asset)) {
                continue;
            }
            let line = trade.and_then(|trade| trade.assets.get(asset));
            let values = vec![
                self.fund(),
                text(&order.id),
                symbol(*asset),
                text(coins),
                optional(line.map(|line| line.price)),
                optional(line.map(|line| line.value)),
            ];
            self.upsert(&ORDER_ASSETS, values);
        }
    }

    fn closed(&mut self, status: &str, in_kind: Option<&Sale>) {
        let Some(order) = &self.recorded.applied.order else { return };
        self.order(order, status, Some(self.recorded.at));
        if in_kind.is_some() {
            self.order_assets(order, in_kind);
        }
    }

    fn payment(&mut self, liability: Liability, sale: &Sale, amount: strongroom_units::Money) {
        let (name, through) = match liability {
            Liability::SponsorFee { through } => ("sponsor fee", through),
            Liability::Expenses => ("expenses", None),
        };
        if sale.assets.is_empty() {
            let nothing = || text(strongroom_units::Money::ZERO);
            let values = vec![
                self.fund(),
                integer(self.recorded.seq),
                symbol(self.state.definition().currency),
                self.at(),
                text(name),
                optional(through),
                nothing(),
                nothing(),
                nothing(),
                nothing(),
                text(amount),
            ];
            self.upsert(&PAYMENTS, values);
        }
        for (asset, line) in &sale.assets {
            let values = vec![
                self.fund(),
                integer(self.recorded.seq),
                symbol(*asset),
                self.at(),
                text(name),
                optional(through),
                text(line.quantity),
                text(line.price),
                text(line.value),
                text(line.cost),
                text(amount),
            ];
            self.upsert(&PAYMENTS, values);
        }
    }

    /// A row for each asset that was traded.
    fn rebalance(&mut self, event: &Event) {
        let Event::Rebalanced { date, targets, sold, bought, cost, reason, .. } = event else { return };
        for (side, sale) in [("sold", sold), ("bought", bought)] {
            for (asset, line) in &sale.assets {
                let values = vec![
                    self.fund(),
                    integer(self.recorded.seq),
                    symbol(*asset),
                    text(date),
                    self.at(),
                    text(side),
                    text(targets.get(asset).copied().unwrap_or_default()),
                    text(line.quantity),
                    text(line.price),
                    text(line.value),
                    text(line.cost),
                    text(cost),
                    text(reason),
                ];
                self.upsert(&REBALANCES, values);
            }
        }
    }

    /// The entries of the event; gives the accounts that they touch.
    fn entries(&mut self, journal: &Journal) -> impl Iterator<Item = (Account, Option<Symbol>)> {
        if !journal.coins().is_empty() || !journal.money().is_empty() {
            self.ledger_entries(journal);
        }
        let coins = journal.coins().iter().map(|(asset, account, _)| (*account, Some(*asset)));
        coins.chain(journal.money().iter().map(|(account, _)| (*account, None)))
    }

    fn ledger_entries(&mut self, journal: &Journal) {
        let date = self.state.definition().strike.zone.date_of(self.recorded.at);
        let currency = self.state.definition().currency;
        let coins =
            journal.coins().iter().map(|(asset, account, quantity)| (*account, *asset, text(quantity)));
        let money = journal.money().iter().map(|(account, amount)| (*account, currency, text(amount)));
        for (line, (account, asset, amount)) in (1..).zip(coins.chain(money)) {
            let values = vec![
                self.fund(),
                integer(self.recorded.seq),
                integer(line),
                text(date),
                text(self.recorded.kind),
                text(account.as_str()),
                symbol(asset),
                amount,
            ];
            self.upsert(&LEDGER_ENTRIES, values);
        }
    }
}

pub(crate) fn custody(kind: CustodyKind) -> &'static str {
    match kind {
        CustodyKind::Vault => "vault",
        CustodyKind::Trading => "trading",
    }
}
