//! A second desk on the same database: refused on an SQLite file, and on PostgreSQL an equal.

use std::collections::BTreeMap;
use std::sync::Barrier;

use strongroom_desk::{Desk, Request};
use strongroom_engine::{Event, Outcome};
use strongroom_fund::definition::CustodyKind;

use crate::home::Home;
use crate::judge;
use crate::sample::*;

const GROUPS: usize = 25;
/// Of each kind in one group.
const GROUP: usize = 8;

#[test]
fn an_sqlite_file_has_one_desk_and_the_second_is_told_whose_it_is() {
    let home = Home::sqlite();
    let first = with_fund(home.open());
    let refused = Desk::open(&home.location()).unwrap_err();
    assert_eq!(refused.code(), "store.must_have_one_writer");
    let said = refused.to_string();
    assert!(said.contains(&format!("process {}", std::process::id())), "{said}");
    assert!(refused.hint().is_some());
    drop(first);
    assert_eq!(tell(&mut home.open(), &[submit("a")]), ["done"]);
}

#[test]
fn a_desk_on_postgres_decides_on_what_the_other_wrote() {
    let Some(home) = Home::postgres() else { return };
    let (mut first, mut second) = (with_fund(home.open()), home.open());
    assert_eq!(tell(&mut first, &[submit("a")]), ["done"]);
    assert_eq!(tell(&mut second, &[submit("a"), cancel("a"), submit("b")]), ["already done", "done", "done"]);
    assert_eq!(tell(&mut first, &[cancel("a"), submit("b")]), ["already done", "already done"]);
    assert_eq!(state_of(&mut first), state_of(&mut second));
    assert_eq!(judge::check(&home).len(), 4);
}

/// Each desk submits orders of its own and, at the same time, orders that the other submits too, and moves coins,
/// whose balances only come out right if every decision was made on the true state.
#[test]
fn two_desks_on_postgres_lose_nothing_and_do_nothing_twice() {
    let Some(home) = Home::postgres() else { return };
    let (first, second) = (with_fund(home.open()), home.open());
    let start = Barrier::new(2);
    let work = |mut desk: Desk, name: &'static str| {
        start.wait();
        let mut done = Vec::new();
        for round in 0..GROUPS {
            let group: Vec<Request> = (0..GROUP).flat_map(|index| requests(name, round, index)).collect();
            let answers = desk.submit(&group).unwrap();
            done.extend(answers.into_iter().map(|answer| answer.unwrap().outcome));
        }
        done
    };
    let (first, second) = std::thread::scope(|scope| {
        let (first, second) = (scope.spawn(|| work(first, "first")), scope.spawn(|| work(second, "second")));
        (first.join().unwrap(), second.join().unwrap())
    });
    let events = judge::events(&judge::check(&home));
    let count = GROUPS * GROUP;
    assert_eq!(
        events.len(),
        1 + 5 * count,
        "each desk its own orders and its coins, and the shared orders once"
    );
    let mut accepted: BTreeMap<&str, usize> = BTreeMap::new();
    for event in &events {
        if let Event::OrderAccepted { order } = event {
            *accepted.entry(order.id.as_str()).or_default() += 1;
        }
    }
    assert_eq!(accepted.len(), 3 * count);
    assert!(accepted.values().all(|times| *times == 1));
    for (one, other) in first.chunks(3).zip(second.chunks(3)) {
        assert_eq!([one[0], one[2], other[0], other[2]], [Outcome::Done; 4]);
        assert_ne!(one[1], other[1], "a shared order is done once, and already done the other time");
    }
}

/// An order of the desk's own, one that both submit, and coins into the trading balance.
fn requests(desk: &str, round: usize, index: usize) -> [Request; 3] {
    let own = submit(&format!("{desk}-{round}-{index}"));
    let shared = submit(&format!("shared-{round}-{index}"));
    [own, shared, now(transfer(CustodyKind::Vault, CustodyKind::Trading, "0.00000001"))]
}
