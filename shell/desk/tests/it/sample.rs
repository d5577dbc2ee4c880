//! One fund and the commands that are given to it, with the fewest words.

use std::collections::BTreeMap;

use strongroom_desk::{Answer, Cause, Desk, Request};
use strongroom_engine::{Command, NewOrder, OrderId, OrderSide, Outcome, PriceRow, Refusal};
use strongroom_fund::definition::{CustodyKind, OrderMethod};
use strongroom_units::time::{Calendar, Date, Time, Timestamp, Zone};
use strongroom_units::{Price, Shares, Symbol};

pub const BITCOIN: &str = include_str!("../../../../funds/bitcoin.toml");
pub const UNIT: i64 = 40_000;

pub fn btcx() -> Symbol {
    symbol("BTCX")
}

pub fn symbol(text: &str) -> Symbol {
    text.parse().unwrap()
}

pub fn id(text: &str) -> OrderId {
    OrderId::try_new(text).unwrap()
}

pub fn date(text: &str) -> Date {
    text.parse().unwrap()
}

/// An instant on a day on New York's wall clock.
pub fn on(day: Date, hour: i8, minute: i8) -> Timestamp {
    Zone::NewYork.instant(day, Time::constant(hour, minute, 0, 0)).unwrap()
}

/// After the strike of the seed date, before the cut-off for the session after it.
pub fn opening() -> Timestamp {
    on(date("2024-01-05"), 17, 0)
}

pub fn btc(price: &str) -> BTreeMap<Symbol, Price> {
    BTreeMap::from([(symbol("BTC"), price.parse().unwrap())])
}

pub fn request(command: Command, at: Timestamp) -> Request {
    Request { fund: btcx(), command, at, cause: Cause::actor("os:ana") }
}

/// A command to the fund at its opening.
pub fn now(command: Command) -> Request {
    request(command, opening())
}

pub fn open_fund() -> Request {
    now(Command::OpenFund {
        definition: BITCOIN.to_owned(),
        seed_prices: btc("44162.58"),
        weights: Default::default(),
    })
}

pub fn new_order(name: &str, trade_date: Date) -> NewOrder {
    NewOrder {
        id: id(name),
        participant: "First Participant".to_owned(),
        side: OrderSide::Creation,
        method: OrderMethod::Cash,
        shares: Shares::new(UNIT),
        trade_date,
    }
}

/// A cash creation for the first session after the seed.
pub fn submit(name: &str) -> Request {
    now(Command::SubmitOrder(new_order(name, date("2024-01-08"))))
}

pub fn cancel(name: &str) -> Request {
    now(Command::CancelOrder { id: id(name) })
}

pub fn transfer(from: CustodyKind, to: CustodyKind, quantity: &str) -> Command {
    Command::TransferCustody { asset: symbol("BTC"), from, to, quantity: quantity.parse().unwrap() }
}

pub fn import(day: Date, price: Price) -> Command {
    Command::ImportPrices {
        asset: symbol("BTC"),
        source: "a test".to_owned(),
        rows: vec![PriceRow { date: day, price }],
    }
}

/// A price that is another on every day and moves a little.
pub fn price_of(day: Date) -> Price {
    Price::from_units(
        i128::from(44_000 + i32::from(day.day()) * 25 + i32::from(day.month())) * 10_i128.pow(18),
    )
}

pub fn next_session(day: Date) -> Date {
    Calendar::Nyse.next_session(day).unwrap()
}

/// `done`, `already done` or the code of the refusal.
pub fn told(answer: &Result<Answer, Refusal>) -> &'static str {
    match answer {
        Ok(Answer { outcome: Outcome::Done, .. }) => "done",
        Ok(Answer { outcome: Outcome::AlreadyDone, .. }) => "already done",
        Err(refusal) => refusal.code(),
    }
}

pub fn tell(desk: &mut Desk, group: &[Request]) -> Vec<&'static str> {
    desk.submit(group).unwrap().iter().map(told).collect()
}

/// The fund's state as bytes; equal states have equal bytes.
pub fn state_of(desk: &mut Desk) -> String {
    desk.fund(btcx()).unwrap().expect("the fund is open").to_snapshot().unwrap()
}

/// Opens the fund in an empty database.
pub fn with_fund(mut desk: Desk) -> Desk {
    assert_eq!(tell(&mut desk, &[open_fund()]), ["done"]);
    desk
}

/// `count` orders with names of their own.
pub fn orders(prefix: &str, count: usize) -> Vec<Request> {
    (0..count).map(|index| submit(&format!("{prefix}-{index}"))).collect()
}
