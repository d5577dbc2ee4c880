//! A fund of derivatives by hand: orders in money, margin that is called, late corrections, and its end.

use crate::scenario::*;
use strongroom_engine::{Account, Command, Event, ExposureCommand, ExposureEvent, FundingRow, Outcome};
use strongroom_units::{Money, Price, Rate};

const TWICE: &str = include_str!("../../../../funds/bitcoin-2x.toml");

fn without_fee_or_yield() -> String {
    let text = with(TWICE, "annual = \"0.04\"", "annual = \"0\"");
    with(&with(&text, "annual = \"0.0185\"", "annual = \"0\""), "price_jump = \"0.25\"", "price_jump = \"9\"")
}

fn futures() -> String {
    let text = with(TWICE, "instrument = \"perpetual\"      #", "instrument = \"futures\" #");
    let terms = "[exposure.roll]\nexpiry = \"last-friday\"\nsessions_before = 5\n\n[[exposure.basis]]\nfrom = 2022-11-07\n\
                 annual = \"0.08\"\n\n[exposure.margin]";
    with(&text, "[exposure.margin]", terms)
}

fn ask(command: ExposureCommand) -> Command {
    Command::Exposure(command)
}

fn reset(day: &str) -> Command {
    reset_at(day, None)
}

fn reset_at(day: &str, price: Option<Price>) -> Command {
    ask(ExposureCommand::Reset { date: date(day), price, reason: "daily reset".into() })
}

fn roll(day: &str) -> Command {
    ask(ExposureCommand::Roll { date: date(day), from_price: None, to_price: None })
}

fn margin(amount: &str) -> Command {
    ask(ExposureCommand::MoveMargin { amount: money(amount) })
}

fn funding(rows: &[(&str, &str)]) -> Command {
    let rate = |text: &str| text.parse::<Rate>().unwrap();
    let rows =
        rows.iter().map(|(at, text)| FundingRow { at: at.parse().unwrap(), rate: rate(text) }).collect();
    ask(ExposureCommand::RecordFunding { source: "an exchange".into(), rows })
}

/// Opened on Monday 7 November 2022 at 20,000 and brought to 2x: 1,000 coins of exposure on $10m.
fn exposed_by(definition: &str) -> Scenario {
    let mut fund = Scenario::open(definition, "20000");
    fund.done(reset("2022-11-07"));
    fund
}

fn exposed() -> Scenario {
    exposed_by(&without_fee_or_yield())
}

fn struck(text: &str) -> Scenario {
    let mut fund = exposed();
    fund.strike("2022-11-08", text);
    fund
}

fn wiped_out() -> Scenario {
    struck("9000")
}

pub fn rows() -> Vec<(&'static str, Scenario, Command)> {
    let at = "2022-11-08T08:00:00Z";
    let paid = || {
        let mut fund = struck("20100");
        fund.done(funding(&[(at, "0.0001"), ("2022-11-08T16:00:00Z", "0.0001")]));
        fund
    };
    let expired = || {
        let mut fund = exposed_by(&futures());
        fund.strike_through("2022-11-25", "20000");
        let import = {
            fund.at("2022-11-28T16:01:00");
            fund.import(&[("2022-11-28", "20000")])
        };
        fund.done(import);
        fund
    };
    let redeemed = || {
        let mut fund = exposed();
        fund.at("2022-11-08T10:00:00");
        fund.submit("r", REDEMPTION, CASH, 390_000, "2022-11-08");
        fund.strike("2022-11-08", "20100");
        fund.at("2022-11-09T10:00:00");
        fund
    };
    let late_order = late(order("late", CREATION, CASH, 10_000, "2022-11-08"));
    vec![
        ("exposure.must_be_of_derivatives", Scenario::bitcoin(), reset("2024-01-05")),
        ("exposure.must_follow_the_last_strike", struck("20100"), reset("2022-11-09")),
        ("exposure.must_follow_the_last_strike", exposed_by(&futures()), roll("2022-11-08")),
        ("exposure.price_must_be_positive", struck("20100"), reset_at("2022-11-08", Some(Price::ZERO))),
        ("funding.must_be_of_a_perpetual", exposed_by(&futures()), funding(&[(at, "0.0001")])),
        (
            "funding.must_not_be_from_the_future",
            struck("20100"),
            funding(&[("2022-11-09T08:00:00Z", "0.0001")]),
        ),
        ("funding.must_be_a_fraction", struck("20100"), funding(&[(at, "1")])),
        ("funding.must_not_change_silently", paid(), funding(&[(at, "0.0002")])),
        ("funding.must_precede_the_trade", struck("20100"), funding(&[("2022-11-07T16:00:00Z", "0.0001")])),
        ("funding.must_be_in_order", paid(), funding(&[("2022-11-08T12:00:00Z", "0.0001")])),
        ("futures.must_be_rolled_before_expiry", expired(), strike_command("2022-11-28")),
        ("futures.must_be_held_to_be_rolled", exposed(), roll("2022-11-07")),
        ("margin.must_cover_the_position", exposed(), margin("-1100000")),
        ("cash.must_cover_the_payment", exposed(), margin("5000000")),
        ("cash.must_cover_the_payment", redeemed(), Command::SettleOrder { id: id("r") }),
        ("amount.must_be_positive", exposed(), margin("0")),
        ("amount.must_be_in_cents", exposed(), margin("0.001")),
        ("order.late_must_be_of_a_fund_with_coins", struck("20100"), late_order),
        ("fund.must_not_be_wiped_out", wiped_out(), reset("2022-11-08")),
        ("fund.must_not_be_wiped_out", wiped_out(), strike_command("2022-11-09")),
        (
            "fund.must_not_be_wiped_out",
            wiped_out(),
            Command::SubmitOrder(order("a", CREATION, CASH, 10_000, "2022-11-09")),
        ),
    ]
}

fn last(fund: &Scenario) -> Vec<Event> {
    fund.steps.last().unwrap().handled.applied.iter().map(|applied| applied.event.clone()).collect()
}

fn cash(fund: &Scenario, account: Account) -> Money {
    fund.state().ledger().money(account)
}

#[test]
fn the_first_reset_takes_the_multiple_and_its_margin() {
    let fund = exposed();
    let position = fund.state().position().unwrap();
    assert_eq!((position.contracts, position.notional().unwrap()), (1_000_000, money("20000000")));
    // A quarter of 20m on the margin account; 2 bp of 20m is what the trade cost.
    assert_eq!(cash(&fund, Account::Margin), money("5000000"));
    assert_eq!(cash(&fund, Account::RebalanceCost), money("4000"));
    assert_eq!(cash(&fund, Account::Cash), money("4996000"));
}

#[test]
fn a_repeat_changes_nothing() {
    let mut fund = struck("20100");
    let rows = [("2022-11-08T08:00:00Z", "0.0001")];
    fund.done(funding(&rows));
    assert_eq!(fund.give(funding(&rows)), Ok(Outcome::AlreadyDone));
    fund.done(reset("2022-11-08"));
    assert_eq!(fund.give(reset("2022-11-08")), Ok(Outcome::AlreadyDone));
    let mut fund = exposed_by(&futures());
    fund.strike_through("2022-11-18", "20000");
    fund.done(roll("2022-11-18"));
    assert_eq!(fund.give(roll("2022-11-18")), Ok(Outcome::AlreadyDone));
}

#[test]
fn orders_deal_in_money_at_once_and_the_reset_takes_them_in() {
    let mut fund = exposed();
    fund.at("2022-11-08T10:00:00");
    fund.submit("in", CREATION, CASH, 100_000, "2022-11-08");
    fund.submit("out", REDEMPTION, CASH, 20_000, "2022-11-08");
    fund.strike("2022-11-08", "20200");
    // 1 % of the index is 2 % of the fund, less the 4,000 that the first trade cost.
    assert_eq!(fund.nav("2022-11-08").current.valuation.net_assets, money("10196000"));
    let due = |fund: &Scenario, account| cash(fund, account);
    assert_eq!(due(&fund, Account::Receivable), money("2549000"));
    assert_eq!(due(&fund, Account::Payable), money("-509800"));
    fund.done(reset("2022-11-08"));
    let position = fund.state().position().unwrap();
    let wanted = money("10196000").try_add(money("2549000")).unwrap().try_sub(money("509800")).unwrap();
    let off = position.notional().unwrap().units() - 2 * wanted.units();
    assert!(off.abs() <= money("10.1").units(), "within half a contract: {off}");
    fund.at("2022-11-09T10:00:00");
    for name in ["in", "out"] {
        fund.done(Command::SettleOrder { id: id(name) });
    }
    assert_eq!(fund.state().issued().count(), 480_000);
    assert_eq!((due(&fund, Account::Receivable), due(&fund, Account::Payable)), (Money::ZERO, Money::ZERO));
    assert!(fund.state().ledger().balances().unwrap());
}

#[test]
fn margin_is_called_and_a_call_that_is_not_met_reduces_the_position() {
    let mut fund = struck("18900");
    // Lost 1.1m of 5m margin; a fifth of 18.9m is 3.78m and is there. A day later it is not.
    assert_eq!(fund.state().position().unwrap().call, None);
    fund.strike("2022-11-09", "18600");
    let call = fund.state().position().unwrap().call.unwrap();
    assert_eq!(call, money("1050000")); // a quarter of 18.6m is 4.65m, and 3.6m are there
    let met = {
        let mut fund = Scenario { fund: fund.fund.clone(), steps: Vec::new(), ..fund };
        fund.done(margin("1050000"));
        assert_eq!(fund.state().position().unwrap().call, None);
        fund.strike("2022-11-10", "18500");
        fund.state().position().unwrap().contracts
    };
    assert_eq!(met, 1_000_000);
}

#[test]
fn the_broker_closes_what_the_margin_does_not_support() {
    let mut fund = struck("18600");
    assert!(fund.state().position().unwrap().call.is_some());
    fund.strike("2022-11-09", "18500");
    // 3.5m of margin at a quarter supports 14m: 756,756 contracts of 18.50.
    let settled = last(&fund).into_iter().find_map(|event| match event {
        Event::Exposure(ExposureEvent::Settled { forced, .. }) => forced,
        _ => None,
    });
    assert_eq!(settled.unwrap().to, 756_756);
    assert_eq!(fund.state().position().unwrap().contracts, 756_756);
    let after = fund.state().ledger().money(Account::Margin);
    assert!(after >= money("2800000"), "{after}");
}

#[test]
fn a_price_learned_late_changes_its_own_nav_and_the_next_mark_makes_up_for_it() {
    let mut fund = struck("20200");
    fund.strike("2022-11-09", "20300");
    let books = fund.state().ledger().clone();
    let later = fund.nav("2022-11-09").current.valuation.net_assets;
    let correct = fund.correct("2022-11-08", "20250");
    fund.done(correct);
    let nav = fund.nav("2022-11-08");
    let more = nav.current.valuation.net_assets.try_sub(nav.published.valuation.net_assets).unwrap();
    assert_eq!(more, money("50000"), "1,000 coins at 50 more");
    assert_eq!(fund.nav("2022-11-09").current.valuation.net_assets, later);
    assert_eq!(*fund.state().ledger(), books);
}

#[test]
fn at_its_end_a_fund_gives_what_was_dealt_and_owes_nobody() {
    let mut fund = exposed();
    fund.at("2022-11-08T10:00:00");
    fund.submit("in", CREATION, CASH, 100_000, "2022-11-08");
    fund.strike("2022-11-08", "20000");
    fund.done(reset("2022-11-08"));
    fund.at("2022-11-09T10:00:00");
    fund.submit("waiting", CREATION, CASH, 10_000, "2022-11-09");
    fund.strike("2022-11-09", "9900");
    let events = last(&fund);
    let is_end = |event: &Event| matches!(event, Event::Exposure(ExposureEvent::WipedOut { .. }));
    assert!(events.iter().any(is_end) && events.contains(&Event::OrderCancelled { id: id("waiting") }));
    assert_eq!(fund.state().net_assets_in_money().unwrap(), Money::ZERO);
    assert_eq!(cash(&fund, Account::Margin), Money::ZERO);
    fund.done(Command::SettleOrder { id: id("in") });
    assert_eq!(fund.state().issued().count(), 500_000);
    assert_eq!(fund.state().orders().count(), 0);
    assert!(fund.state().ledger().balances().unwrap());
}

#[test]
fn a_roll_keeps_the_worth_in_whole_contracts() {
    // 780 contracts of five coins at 61,500, rolled at 61,900: 774.96 and so 775 of the next.
    let text = with(&futures(), "contract = \"0.001\"", "contract = \"5\"");
    let text = with(&text, "shares = 400_000", "shares = 4_797_000");
    let mut fund = exposed_by(&with(&text, "price_jump = \"0.25\"", "price_jump = \"9\""));
    fund.strike_through("2022-11-17", "20000");
    fund.strike("2022-11-18", "20000");
    let before = fund.state().position().unwrap().contracts;
    let command = ExposureCommand::Roll {
        date: date("2022-11-18"),
        from_price: Some(price("61500")),
        to_price: Some(price("61900")),
    };
    fund.done(ask(command));
    let after = fund.state().position().unwrap();
    let expected = (before as f64 * 61_500.0 / 61_900.0).round();
    assert_eq!(after.contracts, expected as i64);
    assert_eq!(after.expiry, Some(date("2022-12-30")));
    assert!(fund.state().ledger().balances().unwrap());
}
