//! A log that somebody edited behind the desk's back is refused with the fund and the record named, and not served.

use crate::home::{Home, on_both};
use crate::sample::*;

on_both!(
    a_body_that_is_no_event_is_refused,
    an_instant_that_is_none_is_refused,
    a_deleted_record_is_refused,
    a_first_record_that_opens_nothing_is_refused,
    an_event_that_does_not_fit_is_refused,
    another_fund_is_served_beside_an_edited_one,
);

fn check(home: &Home, edit: &str, code: &str, said: &str) {
    let mut desk = with_fund(home.open());
    assert_eq!(tell(&mut desk, &[submit("a"), submit("b"), cancel("a"), submit("c")]), ["done"; 4]);
    drop(desk);
    home.unlock_history();
    home.by_hand(edit);
    let mut desk = home.open();
    let refused = desk.fund(btcx()).unwrap_err();
    assert_eq!((refused.code(), refused.to_string().split(": ").next().unwrap()), (code, said), "{refused}");
    assert!(refused.hint().is_some_and(|hint| hint.contains("backup")));
    assert!(desk.last_seen(btcx()).is_none());
    assert_eq!(desk.submit(&[submit("d")]).unwrap_err().code(), code);
    assert_eq!(desk.submit(&[open_fund()]).unwrap_err().code(), code);
}

fn a_body_that_is_no_event_is_refused(home: &Home) {
    let edit = "UPDATE events SET body = '{}' WHERE seq = 3";
    check(home, edit, "log.record_must_be_readable", "record 3 of BTCX cannot be read");
}

fn an_instant_that_is_none_is_refused(home: &Home) {
    let edit = "UPDATE events SET at = 'yesterday' WHERE seq = 2";
    check(home, edit, "log.record_must_be_readable", "record 2 of BTCX cannot be read");
}

fn a_deleted_record_is_refused(home: &Home) {
    let edit = "DELETE FROM events WHERE seq = 3";
    check(home, edit, "store.log_must_be_gapless", "stream \"fund/BTCX\" lacks record 3");
}

fn a_first_record_that_opens_nothing_is_refused(home: &Home) {
    let edit = "UPDATE events SET body = (SELECT e.body FROM events e WHERE e.seq = 2) WHERE seq = 1";
    check(home, edit, "log.must_replay", "the log of BTCX does not replay");
}

/// The cancellation names an order that was never taken.
fn an_event_that_does_not_fit_is_refused(home: &Home) {
    let edit = "UPDATE events SET body = '{\"event\":\"order-cancelled\",\"id\":\"x\"}' WHERE seq = 4";
    check(home, edit, "log.must_replay", "the log of BTCX does not replay");
    let said = home.open().fund(btcx()).unwrap_err().to_string();
    assert!(said.contains("event 4 does not fit"), "{said}");
}

fn another_fund_is_served_beside_an_edited_one(home: &Home) {
    let mut desk = with_fund(home.open());
    let definition = BITCOIN.replace("id = \"BTCX\"", "id = \"BTCY\"");
    let seed_prices = btc("44162.58");
    let other =
        now(strongroom_engine::Command::OpenFund { definition, seed_prices, weights: Default::default() });
    assert_eq!(tell(&mut desk, &[other]), ["done"]);
    drop(desk);
    home.unlock_history();
    home.by_hand("UPDATE events SET body = '{}' WHERE stream = 'fund/BTCX'");
    let mut desk = home.open();
    assert!(desk.fund(btcx()).is_err());
    let order = strongroom_desk::Request { fund: symbol("BTCY"), ..submit("a") };
    assert_eq!(tell(&mut desk, &[order]), ["done"]);
}
