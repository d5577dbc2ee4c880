//! The desk in its thread: many callers, one queue.

use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use rusqlite::Connection;
use strongroom_desk::{DeskService, Request};
use strongroom_engine::{Command, Outcome, PriceRow};

use crate::home::{Home, on_both};
use crate::judge;
use crate::sample::*;

on_both!(
    what_is_answered_is_in_the_database_already,
    callers_at_once_are_all_answered,
    a_closed_desk_answers_what_was_queued_and_refuses_the_rest,
);

/// Another connection looks the moment the answer is there.
fn what_is_answered_is_in_the_database_already(home: &Home) {
    let service = DeskService::start(with_fund(home.open()));
    let handle = service.handle();
    let mut store = home.store();
    for index in 0..50 {
        let answer = handle.command(submit(&format!("a-{index}"))).unwrap();
        assert!(store.head("fund/BTCX").unwrap() >= answer.seq);
        assert_eq!(judge::events(&store.read("fund/BTCX", answer.seq, 1).unwrap()), answer.events);
    }
}

/// A commit that has to wait keeps its answers waiting with it.
#[test]
fn nothing_is_answered_before_its_commit() {
    let home = Home::sqlite();
    let service = DeskService::start(with_fund(home.open()));
    let blocker = hold_the_write_lock(&home);
    let waiting: Vec<_> =
        orders("a", 3).into_iter().map(|order| service.handle().send(order).unwrap()).collect();
    let early = waiting[0].recv_timeout(Duration::from_millis(50));
    assert_eq!(early.unwrap_err(), RecvTimeoutError::Timeout);
    assert_eq!(home.number("SELECT count(*) FROM events"), 1);
    blocker.execute_batch("COMMIT").unwrap();
    for answer in waiting {
        assert_eq!(answer.recv().unwrap().unwrap().outcome, Outcome::Done);
    }
    assert_eq!(judge::check(&home).len(), 4);
}

fn callers_at_once_are_all_answered(home: &Home) {
    let service = DeskService::start(with_fund(home.open()));
    std::thread::scope(|scope| {
        for caller in 0..6 {
            let handle = service.handle();
            scope.spawn(move || {
                let name = |index: usize| format!("{caller}-{index}");
                let sent = (0..40).map(|index| handle.send(submit(&name(index))).unwrap());
                let waiting: Vec<_> = sent.collect();
                waiting.into_iter().for_each(|answer| drop(answer.recv().unwrap().unwrap()));
                let refused = handle.command(cancel(&format!("{caller}-none"))).unwrap_err();
                assert_eq!(refused.code(), "order.must_be_open");
            });
        }
    });
    drop(service);
    assert_eq!(judge::check(home).len(), 1 + 6 * 40);
}

/// A caller that keeps its handle does not keep the desk open.
fn a_closed_desk_answers_what_was_queued_and_refuses_the_rest(home: &Home) {
    let service = DeskService::start(with_fund(home.open()));
    let handle = service.handle();
    let waiting: Vec<_> = orders("a", 10).into_iter().map(|order| handle.send(order).unwrap()).collect();
    drop(service);
    assert!(waiting.into_iter().all(|answer| answer.recv().unwrap().is_ok()));
    assert_eq!(handle.command(submit("late")).unwrap_err().code(), "desk.must_be_open");
    assert_eq!(tell(&mut home.open(), &[submit("a-3"), submit("late")]), ["already done", "done"]);
}

/// Six imports of 17,000 prices each are more rows than one transaction takes; each of them alone is not.
#[test]
fn callers_whose_rows_do_not_fit_one_transaction_get_several() {
    let home = Home::sqlite();
    let mut desk = home.open();
    let funds = ["BTCA", "BTCB", "BTCC", "BTCD", "BTCE", "BTCF"];
    let opened: Vec<Request> = funds.iter().map(|name| open_named(name)).collect();
    assert_eq!(tell(&mut desk, &opened), ["done"; 6]);
    let service = DeskService::start(desk);
    let blocker = hold_the_write_lock(&home);
    let first = service.handle().send(open_fund()).unwrap();
    let imports: Vec<_> =
        funds.iter().map(|name| service.handle().send(long_import(name)).unwrap()).collect();
    blocker.execute_batch("COMMIT").unwrap();
    assert!(first.recv().unwrap().is_ok());
    for answer in imports {
        assert_eq!(answer.recv().unwrap().unwrap().outcome, Outcome::Done);
    }
    drop(service);
    assert_eq!(home.number("SELECT count(*) FROM prices"), 7 + 6 * 17_000);
}

fn hold_the_write_lock(home: &Home) -> Connection {
    let connection = Connection::open(home.file("fund.db")).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    connection
}

fn open_named(name: &str) -> Request {
    let definition = BITCOIN.replace("id = \"BTCX\"", &format!("id = {name:?}"));
    now(Command::OpenFund { definition, seed_prices: btc("44162.58"), weights: Default::default() })
}

/// Daily prices of the 17,000 days before the fund was opened.
fn long_import(name: &str) -> Request {
    let day = std::iter::successors(date("2024-01-04").into(), |day| day.yesterday().ok());
    let rows = day.take(17_000).map(|date| PriceRow { date, price: price_of(date) }).collect();
    let command = Command::ImportPrices { asset: symbol("BTC"), source: "a test".to_owned(), rows };
    Request { fund: symbol(name), ..now(command) }
}
