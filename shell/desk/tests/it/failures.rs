//! A commit that fails for real: nothing of the group is stored, memory is the log again, and the desk goes on.

use strongroom_desk::DeskError;

use crate::home::{Home, on_both};
use crate::judge;
use crate::sample::*;

on_both!(
    a_commit_that_breaks_a_rule_of_the_database_is_forgotten,
    a_table_that_is_gone_for_a_while_is_survived,
    a_failure_concerns_every_fund_of_its_group,
);

/// Makes the database refuse an order of one name.
fn poison(home: &Home) {
    home.by_hand(if home.is_sqlite() {
        "CREATE TRIGGER stop BEFORE INSERT ON orders WHEN NEW.order_id = 'poison'
         BEGIN SELECT RAISE(ABORT, 'not this one'); END"
    } else {
        "ALTER TABLE orders ADD CONSTRAINT stop CHECK (order_id <> 'poison')"
    });
}

fn cure(home: &Home) {
    let on_sqlite = home.is_sqlite();
    home.by_hand(if on_sqlite { "DROP TRIGGER stop" } else { "ALTER TABLE orders DROP CONSTRAINT stop" });
}

fn a_commit_that_breaks_a_rule_of_the_database_is_forgotten(home: &Home) {
    let mut desk = with_fund(home.open());
    assert_eq!(tell(&mut desk, &[submit("before")]), ["done"]);
    let before = state_of(&mut desk);
    poison(home);
    let group = [submit("good"), submit("poison"), cancel("before")];
    let failed = desk.submit(&group).unwrap_err();
    assert_eq!(failed.code(), "store.row_must_satisfy_constraints");
    assert!(desk.last_seen(btcx()).is_none(), "memory is discarded");
    assert_eq!(state_of(&mut desk), before, "and is the log again");
    assert_eq!(judge::check(home).len(), 2);
    assert_eq!(tell(&mut desk, &[submit("good")]), ["done"]);
    cure(home);
    assert_eq!(tell(&mut desk, &group), ["already done", "done", "done"]);
    assert_eq!(judge::check(home).len(), 5);
}

fn a_table_that_is_gone_for_a_while_is_survived(home: &Home) {
    let mut desk = with_fund(home.open());
    home.by_hand("ALTER TABLE orders RENAME TO hidden");
    let failed = desk.submit(&[submit("a")]).unwrap_err();
    assert!(matches!(failed, DeskError::Store(_)), "{failed:?}");
    home.by_hand("ALTER TABLE hidden RENAME TO orders");
    assert_eq!(tell(&mut desk, &[submit("a"), submit("b")]), ["done", "done"]);
    assert_eq!(judge::check(home).len(), 3);
}

fn a_failure_concerns_every_fund_of_its_group(home: &Home) {
    let mut desk = with_fund(home.open());
    let definition = BITCOIN.replace("id = \"BTCX\"", "id = \"BTCY\"");
    let seed_prices = btc("44162.58");
    let other =
        now(strongroom_engine::Command::OpenFund { definition, seed_prices, weights: Default::default() });
    poison(home);
    assert!(desk.submit(&[other.clone(), submit("poison")]).is_err());
    assert!(desk.fund(symbol("BTCY")).unwrap().is_none());
    assert_eq!(desk.fund_names().unwrap(), [btcx()]);
    cure(home);
    assert_eq!(tell(&mut desk, &[other, submit("poison")]), ["done", "done"]);
    assert_eq!(judge::check(home).len(), 2);
}
