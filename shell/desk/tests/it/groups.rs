//! What commands of one group are to each other.

use strongroom_desk::GROUP_MAX;
use strongroom_engine::Command;

use crate::home::{Home, on_both};
use crate::judge;
use crate::sample::*;

on_both!(
    a_decision_sees_what_its_group_did_before_it,
    a_refused_command_stops_no_other,
    a_group_of_refusals_writes_nothing,
    an_answer_names_the_record_that_holds_it,
    a_command_that_tears_the_books_takes_no_other_with_it,
    a_group_is_bounded,
    an_unknown_fund_leaves_no_memory_behind,
    several_funds_share_a_group,
);

fn a_decision_sees_what_its_group_did_before_it(home: &Home) {
    let mut desk = home.open();
    let group = [open_fund(), submit("a"), submit("a"), cancel("a"), cancel("a"), submit("b"), open_fund()];
    let told = tell(&mut desk, &group);
    assert_eq!(told, ["done", "done", "already done", "done", "already done", "done", "already done"]);
    assert_eq!(judge::check(home).len(), 4);
}

fn a_refused_command_stops_no_other(home: &Home) {
    let mut desk = with_fund(home.open());
    let mut short = new_order("short", date("2024-01-08"));
    short.shares = strongroom_units::Shares::new(1);
    let group = [submit("a"), now(Command::SubmitOrder(short)), cancel("nobody"), submit("b")];
    let told = tell(&mut desk, &group);
    assert_eq!(told, ["done", "order.must_be_whole_baskets", "order.must_be_open", "done"]);
    assert_eq!(judge::check(home).len(), 3);
}

fn a_group_of_refusals_writes_nothing(home: &Home) {
    let mut desk = with_fund(home.open());
    assert_eq!(tell(&mut desk, &[cancel("a"), cancel("b")]), ["order.must_be_open"; 2]);
    assert_eq!(tell(&mut desk, &[]), [""; 0]);
    assert_eq!(judge::check(home).len(), 1);
}

fn an_answer_names_the_record_that_holds_it(home: &Home) {
    let mut desk = with_fund(home.open());
    let answers = desk.submit(&[submit("a"), submit("b"), submit("a")]).unwrap();
    let seqs: Vec<u64> = answers.iter().map(|answer| answer.as_ref().unwrap().seq).collect();
    assert_eq!(seqs, [2, 3, 3]);
    let records = judge::check(home);
    let events = judge::events(&records);
    assert_eq!(answers[1].as_ref().unwrap().events, events[2..3]);
    assert!(answers[2].as_ref().unwrap().events.is_empty());
}

/// Sums leave 128 bits: the fund's capital and the price of the order bought for it do not fit into one account.
fn a_command_that_tears_the_books_takes_no_other_with_it(home: &Home) {
    let mut desk = home.open();
    let definition = BITCOIN
        .replace("nav_per_share = \"25.00\"", "nav_per_share = \"100000000000000000000\"")
        .replace("shares = 400_000", "shares = 10_000_000_000");
    let seed_prices = btc("100000000000000000000");
    let day = date("2024-01-08");
    let mut large = new_order("large", day);
    large.shares = strongroom_units::Shares::new(8_000_000_000);
    let opened = [
        now(Command::OpenFund { definition, seed_prices, weights: Default::default() }),
        now(Command::SubmitOrder(large)),
    ];
    assert_eq!(tell(&mut desk, &opened), ["done"; 2]);
    let at = on(day, 17, 0);
    let order = |name| request(Command::SubmitOrder(new_order(name, date("2024-01-09"))), at);
    let group = [
        request(import(day, "100000000000000000001".parse().unwrap()), at),
        request(Command::StrikeNav { date: day, accept: None }, at),
        order("before"),
        request(Command::ExecuteOrder { id: id("large"), prices: btc("100000000000000000001") }, at),
        order("after"),
    ];
    let told = tell(&mut desk, &group);
    assert_eq!(told, ["done", "done", "done", "number.must_fit_128_bits", "done"]);
    assert_eq!(judge::check(home).len(), 6);
    assert_eq!(desk.command(group[3].clone()).unwrap_err().code(), "number.must_fit_128_bits");
    assert_eq!(tell(&mut desk, &[cancel("after")]), ["clock.must_not_go_back"]);
}

fn a_group_is_bounded(home: &Home) {
    let mut desk = with_fund(home.open());
    let group = orders("a", GROUP_MAX + 1);
    assert_eq!(desk.submit(&group).unwrap_err().code(), "desk.group_must_be_bounded");
    assert_eq!(desk.records(btcx()), 1);
    assert!(tell(&mut desk, &group[..GROUP_MAX]).iter().all(|told| *told == "done"));
    assert_eq!(judge::check(home).len(), 1 + GROUP_MAX);
}

fn an_unknown_fund_leaves_no_memory_behind(home: &Home) {
    let mut desk = with_fund(home.open());
    let mut stray = submit("a");
    stray.fund = symbol("NOBODY");
    assert_eq!(tell(&mut desk, &[stray.clone(), submit("a"), stray.clone()])[0], "fund.must_be_open");
    assert_eq!(desk.command(stray.clone()).unwrap_err().code(), "fund.must_be_open");
    assert!(desk.fund(stray.fund).unwrap().is_none());
    assert_eq!((desk.records(stray.fund), desk.last_seen(stray.fund)), (0, None));
    assert!(!format!("{desk:?}").contains("NOBODY"));
    assert_eq!(desk.fund_names().unwrap(), [btcx()]);
}

fn several_funds_share_a_group(home: &Home) {
    let mut desk = home.open();
    let other = |name: &str| {
        let definition = BITCOIN.replace("id = \"BTCX\"", &format!("id = {name:?}"));
        now(Command::OpenFund { definition, seed_prices: btc("44162.58"), weights: Default::default() })
    };
    let order_of = |fund: &str| strongroom_desk::Request { fund: symbol(fund), ..submit("a") };
    let group = [open_fund(), other("BTCY"), order_of("BTCY"), submit("a"), order_of("BTCZ"), other("BTCZ")];
    let told = tell(&mut desk, &group);
    assert_eq!(told, ["done", "done", "done", "done", "fund.must_be_open", "done"]);
    let heads: Vec<u64> = ["BTCX", "BTCY", "BTCZ"].map(|fund| desk.records(symbol(fund))).into();
    assert_eq!(heads, [2, 2, 1]);
    assert_eq!(home.number("SELECT count(*) FROM orders"), 2);
    assert_eq!(judge::check_log(&home.location()).0.len(), 2);
}
