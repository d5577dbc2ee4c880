//! A second opinion: replays the log with the engine alone, works out what every read table must hold, and compares.
//!
//! It shares no code with the desk's projection. PostgreSQL is judged through a backup, which is an SQLite file with
//! the same values in canonical form.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::types::ValueRef;
use strongroom_desk::{Desk, SCHEMA};
use strongroom_engine::{
    Applied, Event, Fund, FundState, FundStatus, HaltScope, Liability, LifeEvent, NavRecord, Order,
    OrderState, Restatement, Sale, decode,
};
use strongroom_fund::definition::{CustodyKind, OrderMethod};
use strongroom_store::{Location, Record, Store};
use strongroom_units::Symbol;
use strongroom_units::time::Timestamp;

use crate::home::Home;
use crate::sample::btcx;

type Row = Vec<String>;
type Tables = BTreeMap<&'static str, BTreeMap<Row, Row>>;

/// Texts of values; a null is `-`.
macro_rules! row {
    ($($value:expr),* $(,)?) => { vec![$($value.to_string()),*] };
}

fn optional(value: Option<impl ToString>) -> String {
    value.map_or("-".to_owned(), |value| value.to_string())
}

/// Checks everything that a database must be, through a desk that is opened on it: a gapless log that replays, books
/// that balance, a state that is the replay, and read tables that are the replay too. Gives the log.
pub fn check(home: &Home) -> Vec<Record> {
    let (records, state) = check_log(&home.location());
    let mut desk = Desk::open_read_only(&home.location()).unwrap();
    let held = desk.fund(btcx()).unwrap().map(|state| state.to_snapshot().unwrap());
    assert_eq!(held, state, "the desk's state is the replay");
    match home.location() {
        Location::Sqlite(path) => check_tables(&path, &records),
        Location::Postgres(_) => {
            let copy = home.file(&format!("judged-{}.db", records.len()));
            desk.back_up(&copy).unwrap();
            check_tables(&copy, &records);
            std::fs::remove_file(copy).unwrap();
        }
    }
    records
}

/// The log without a hole, and the state that it replays to.
pub fn check_log(location: &Location) -> (Vec<Record>, Option<String>) {
    let mut store = Store::open_read_only(location, &SCHEMA).unwrap();
    let records: Vec<Record> = store.records("fund/BTCX", 1).map(Result::unwrap).collect();
    assert!((1..).zip(&records).all(|(seq, record)| record.seq == seq), "the log has no hole");
    let fund = replay(&records, |_, _| ());
    let state = fund.state().map(|state| {
        assert!(state.ledger().balances().unwrap(), "the books balance");
        state.to_snapshot().unwrap()
    });
    (records, state)
}

/// What happened, as recorded.
pub fn events(records: &[Record]) -> Vec<Event> {
    records.iter().map(|record| decode(&record.body).unwrap()).collect()
}

fn replay(records: &[Record], mut visit: impl FnMut(&Applied, &Record)) -> Fund {
    let mut fund = Fund::default();
    for record in records {
        let applied = fund.replay(decode(&record.body).unwrap(), at(record), record.seq).unwrap();
        visit(&applied, record);
    }
    fund
}

fn at(record: &Record) -> Timestamp {
    record.at.parse().unwrap()
}

fn check_tables(path: &Path, records: &[Record]) {
    let expected = expected(records);
    let connection = rusqlite::Connection::open(path).unwrap();
    for table in SCHEMA.tables {
        let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
        let sql = format!("SELECT {} FROM {}", names.join(", "), table.name);
        let mut statement = connection.prepare(&sql).unwrap();
        let read =
            |row: &rusqlite::Row<'_>| Ok((0..names.len()).map(|i| shown(row.get_ref(i).unwrap())).collect());
        let rows = statement.query_map([], read).unwrap().map(Result::unwrap);
        // The first column is the fund.
        let ours = rows.filter(|row: &Row| row[0] == btcx().as_str());
        let found: BTreeMap<Row, Row> = ours.map(|row| (row[..table.key].to_vec(), row)).collect();
        let wanted = expected.get(table.name).cloned().unwrap_or_default();
        assert_eq!(found, wanted, "table {}", table.name);
    }
}

fn shown(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "-".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        text => text.as_str().unwrap().to_owned(),
    }
}

struct Expected {
    tables: Tables,
    orders: BTreeMap<String, Order>,
}

impl Expected {
    fn put(&mut self, table: &'static str, row: Row) {
        let key = SCHEMA.tables.iter().find(|known| known.name == table).unwrap().key;
        self.tables.entry(table).or_default().insert(row[..key].to_vec(), row);
    }
}

fn expected(records: &[Record]) -> Tables {
    let mut expected = Expected { tables: Tables::new(), orders: BTreeMap::new() };
    let fund = replay(records, |applied, record| expected.follow(applied, record));
    fund.state().into_iter().for_each(|state| expected.standing(state));
    expected.tables
}

impl Expected {
    /// What the state alone says: the fund itself and its balances.
    fn standing(&mut self, state: &FundState) {
        let definition = state.definition();
        let (status, reason) = match state.status() {
            FundStatus::Running => ("running", None),
            FundStatus::Halted { scope: HaltScope::Creations, reason } => ("creations halted", Some(reason)),
            FundStatus::Halted { scope: HaltScope::Orders, reason } => ("halted", Some(reason)),
        };
        let (reason, opened) = (optional(reason), state.navs()[0].struck_at);
        let (name, currency) = (&definition.name, definition.currency);
        self.put(
            "funds",
            row![definition.id, name, currency, status, reason, opened, state.definition_text()],
        );
        for (asset, account, quantity) in state.ledger().coin_balances() {
            self.put("balances", row![definition.id, account.as_str(), asset, quantity]);
        }
        for (account, amount) in state.ledger().money_balances() {
            self.put("balances", row![definition.id, account.as_str(), currency, amount]);
        }
    }

    /// What one event adds to the history.
    fn follow(&mut self, applied: &Applied, record: &Record) {
        let fund = btcx();
        match &applied.event {
            Event::FundOpened { nav, .. } => {
                self.nav(nav);
                for (asset, input) in &nav.inputs.assets {
                    self.put(
                        "prices",
                        row![fund, asset, nav.date, input.price, "seed purchase", "-", record.at],
                    );
                }
            }
            Event::PricesRecorded { asset, source, rows } => {
                for row in rows {
                    let flag = optional(row.flag.map(|flag| flag.as_str()));
                    self.put("prices", row![fund, asset, row.date, row.price, source, flag, record.at]);
                }
            }
            Event::RateRecorded { asset, date, evidence, flag } => {
                let flag = optional(flag.map(|flag| flag.as_str()));
                let (rate, source) = (evidence.rate, &evidence.methodology.id);
                self.put("prices", row![fund, asset, date, rate, source, flag, record.at]);
            }
            Event::FallbackDecided { asset, date, price, reason } => {
                let source = format!("fallback: {reason}");
                self.put("prices", row![fund, asset, date, price, source, "-", record.at]);
            }
            Event::PriceCorrected { asset, date, old, new, reason, restatement } => {
                self.put("prices", row![fund, asset, date, new, "correction", "-", record.at]);
                let what = row![date, "price", asset, old, new, reason];
                self.correction(record, what, restatement);
            }
            Event::OrderAccepted { order } => self.order(order.clone(), order.state_name(), None),
            Event::LateOrderRecorded { order, reason, restatement } => {
                self.order(order.clone(), order.state_name(), None);
                self.order_assets(order, None);
                let what = row![order.trade_date, "late order", order.id, "-", order.shares, reason];
                self.correction(record, what, restatement);
            }
            Event::OrderCancelled { id } => self.close(id.as_str(), "cancelled", record, None),
            Event::NavStruck { nav, dealt } => {
                self.nav(nav);
                for deal in dealt {
                    let mut order = self.orders[deal.id.as_str()].clone();
                    order.state = OrderState::Struck { nav_value: deal.nav_value, coins: deal.coins.clone() };
                    self.order_assets(&order, None);
                    self.order(order, "struck", None);
                }
            }
            Event::OrderExecuted { id, trade, variance, cash_due } => {
                let mut order = self.orders[id.as_str()].clone();
                let OrderState::Struck { nav_value, coins } = order.state.clone() else {
                    panic!("{id} is executed before it is struck");
                };
                let (variance, cash_due) = (*variance, *cash_due);
                order.state = OrderState::Executed { nav_value, coins, variance, cash_due };
                self.order_assets(&order, Some(trade));
                self.order(order, "executed", None);
            }
            Event::OrderSettled { id, in_kind } => {
                self.close(id.as_str(), "settled", record, in_kind.as_ref())
            }
            Event::FeeAccrued { day, coins } => {
                for (asset, quantity) in coins {
                    self.put("fee_accruals", row![fund, day, asset, quantity]);
                }
            }
            Event::Paid { liability, sale, amount } => {
                let (name, through) = match liability {
                    Liability::SponsorFee { through } => ("sponsor fee", *through),
                    Liability::Expenses => ("expenses", None),
                };
                for (asset, line) in &sale.assets {
                    let who = row![fund, record.seq, asset, record.at, name, optional(through)];
                    let what = row![line.quantity, line.price, line.value, line.cost, amount];
                    self.put("payments", [who, what].concat());
                }
            }
            Event::ExpenseRecorded { id, effective, amount, memo, restatement } => {
                self.correction(record, row![effective, "expense", id, "-", amount, memo], restatement);
            }
            Event::CustodyTransferred { asset, from, to, quantity } => {
                let (from, to) = (custody(*from), custody(*to));
                self.put("custody_transfers", row![fund, record.seq, record.at, asset, from, to, quantity]);
            }
            Event::Rebalanced { date, targets, sold, bought, cost, reason, .. } => {
                let lines = sold.assets.iter().map(|line| ("sold", line));
                for (side, (asset, line)) in lines.chain(bought.assets.iter().map(|line| ("bought", line))) {
                    let weight = targets.get(asset).copied().unwrap_or_default();
                    let who = row![fund, record.seq, asset, date, record.at, side, weight];
                    let what = row![line.quantity, line.price, line.value, line.cost, cost, reason];
                    self.put("rebalances", [who, what].concat());
                }
            }
            Event::Exposure(_) => panic!("these funds hold their coins"),
            Event::GiftRecorded { date, asset, what, sold, received, reason, .. } => {
                let words = format!("{what}: {}; {reason}", if *sold { "sold" } else { "left" });
                let who = row![fund, record.seq, date, record.at, record.kind, asset];
                self.put("life_events", [who, row!["-", received, words]].concat());
            }
            Event::Life(LifeEvent::CustodianChanged { account, old, new, from, reason }) => {
                let words = format!("{}: {new} in place of {old}; {reason}", custody(*account));
                let who = row![fund, record.seq, from, record.at, record.kind, "-"];
                self.put("life_events", [who, row!["-", "-", words]].concat());
            }
            Event::Distribution(_) | Event::Staking(_) | Event::Life(_) => {
                panic!("the fund of these histories neither stakes nor distributes")
            }
            Event::AssetMigrated { .. }
            | Event::AssetWrittenOff { .. }
            | Event::FundHalted { .. }
            | Event::FundResumed { .. } => {}
        }
        self.entries(applied, record);
    }

    fn entries(&mut self, applied: &Applied, record: &Record) {
        let date = strongroom_units::time::Zone::NewYork.date_of(at(record));
        let coins =
            applied.journal.coins().iter().map(|(asset, account, n)| row![account.as_str(), asset, n]);
        let money = applied.journal.money().iter().map(|(account, n)| row![account.as_str(), Symbol::USD, n]);
        let lines: Vec<Row> = coins.chain(money).collect();
        for (line, what) in (1..).zip(lines) {
            self.put("ledger_entries", [row![btcx(), record.seq, line, date, record.kind], what].concat());
        }
    }

    fn nav(&mut self, nav: &NavRecord) {
        let (inputs, figures, value) = (&nav.inputs, &nav.published, nav.published.valuation);
        let accrued = inputs.accrued_fee.try_add(value.fee).unwrap();
        let head = row![btcx(), nav.date, nav.struck_at, inputs.shares, value.holdings, inputs.cash];
        let fees = row![value.fee_basis, value.fee, accrued, inputs.accrued_expenses, value.net_assets];
        let per_share =
            row![figures.nav_per_share, figures.nav_per_share_published, optional(nav.accepted.as_ref())];
        self.put("nav", [head, fees, per_share].concat());
        for (asset, input) in &inputs.assets {
            let key = row![btcx(), nav.date, asset, input.price, input.owned, input.accrued_fee];
            let amount = figures.basket_amount[asset];
            let pending = row![input.pending_creations, input.pending_redemptions, amount];
            self.put("nav_assets", [key, pending].concat());
        }
    }

    fn correction(&mut self, record: &Record, what: Row, restatement: &Restatement) {
        let [date, kind, subject, old, new, reason] = what.try_into().unwrap();
        let who = row![btcx(), record.seq, record.at, date, kind, subject];
        self.put("corrections", [who, row![old, new, reason, restatement.fee_adjustment]].concat());
        for nav in &restatement.navs {
            let (published, current) = (&nav.published, &nav.current);
            let more = current.nav_per_share.try_sub(published.nav_per_share).unwrap();
            let who = row![btcx(), record.seq, nav.date, record.at];
            let per_share = row![published.nav_per_share, current.nav_per_share, more];
            let net = row![published.valuation.net_assets, current.valuation.net_assets];
            self.put("nav_corrections", [who, per_share, net].concat());
        }
    }

    fn order(&mut self, order: Order, status: &str, closed: Option<&str>) {
        let method = if order.method == OrderMethod::Cash { "cash" } else { "in-kind" };
        let (nav_value, variance, cash_due) = match &order.state {
            OrderState::Accepted => (None, None, None),
            OrderState::Struck { nav_value, .. } => (Some(*nav_value), None, None),
            OrderState::Executed { nav_value, variance, cash_due, .. } => {
                (Some(*nav_value), Some(*variance), Some(*cash_due))
            }
        };
        let who = row![btcx(), order.id, order.participant, order.side.as_str(), method, order.shares];
        let when = row![order.trade_date, order.settlement_date, order.submitted_at, status];
        let money = row![optional(nav_value), optional(variance), optional(cash_due), optional(closed)];
        self.put("orders", [who, when, money].concat());
        self.orders.insert(order.id.to_string(), order);
    }

    fn order_assets(&mut self, order: &Order, trade: Option<&Sale>) {
        for (asset, coins) in order.coins().into_iter().flatten() {
            let line = trade.and_then(|trade| trade.assets.get(asset));
            let (price, value) =
                (optional(line.map(|line| line.price)), optional(line.map(|line| line.value)));
            self.put("order_assets", row![btcx(), order.id, asset, coins, price, value]);
        }
    }

    fn close(&mut self, id: &str, status: &str, record: &Record, in_kind: Option<&Sale>) {
        let order = self.orders[id].clone();
        if in_kind.is_some() {
            self.order_assets(&order, in_kind);
        }
        self.order(order, status, Some(&record.at));
    }
}

fn custody(kind: CustodyKind) -> &'static str {
    if kind == CustodyKind::Vault { "vault" } else { "trading" }
}
