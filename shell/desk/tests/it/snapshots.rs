//! A snapshot only saves time: with it, without it or with a spoiled one, a fund is the replay of its log.

use strongroom_desk::Desk;

use crate::home::{Home, on_both};
use crate::judge;
use crate::sample::*;

on_both!(
    a_fund_reopened_from_a_snapshot_is_the_replay_of_its_log,
    a_snapshot_that_cannot_be_written_fails_no_command,
    a_snapshot_ahead_of_its_log_is_refused,
);

const SNAPSHOTS: &str = "SELECT count(*) FROM snapshots";

/// More than 5,000 records.
fn with_history(home: &Home) -> Desk {
    let mut desk = with_fund(home.open());
    for part in orders("history", 5_200).chunks(640) {
        assert!(tell(&mut desk, part).iter().all(|told| *told == "done"));
    }
    desk
}

fn a_fund_reopened_from_a_snapshot_is_the_replay_of_its_log(home: &Home) {
    drop(with_history(home));
    assert_eq!(home.number(SNAPSHOTS), 1);
    let after_snapshot = "SELECT max(events.seq) - max(snapshots.seq) FROM events, snapshots";
    assert!(home.number(after_snapshot) > 0, "some records are replayed on top of it");
    assert_eq!(judge::check(home).len(), 5_201);
    let mut desk = home.open();
    assert_eq!(
        tell(&mut desk, &[submit("history-7"), cancel("history-8"), submit("new")])[0],
        "already done"
    );
    let with_snapshot = state_of(&mut desk);
    drop(desk);
    home.by_hand("UPDATE snapshots SET body = '{\"of\": \"another release\"}'");
    assert_eq!(state_of(&mut home.open()), with_snapshot);
    home.by_hand("DELETE FROM snapshots");
    assert_eq!(state_of(&mut home.open()), with_snapshot);
    assert_eq!(judge::check(home).len(), 5_203);
}

fn a_snapshot_that_cannot_be_written_fails_no_command(home: &Home) {
    drop(home.open());
    home.by_hand(if home.is_sqlite() {
        "CREATE TRIGGER stop BEFORE INSERT ON snapshots BEGIN SELECT RAISE(ABORT, 'no room'); END"
    } else {
        "ALTER TABLE snapshots ADD CONSTRAINT stop CHECK (seq < 0)"
    });
    let mut desk = with_history(home);
    assert_eq!(home.number(SNAPSHOTS), 0);
    assert_eq!(tell(&mut desk, &[submit("history-7"), submit("new")]), ["already done", "done"]);
    assert_eq!(judge::check(home).len(), 5_202);
}

/// Somebody cut the end off the log: what the snapshot still knows is not served.
fn a_snapshot_ahead_of_its_log_is_refused(home: &Home) {
    drop(with_history(home));
    home.unlock_history();
    home.by_hand("DELETE FROM events WHERE seq > 4000");
    let mut desk = home.open();
    let refused = desk.fund(btcx()).unwrap_err();
    assert_eq!(refused.code(), "store.log_must_be_gapless");
    assert_eq!(refused.to_string(), "stream \"fund/BTCX\" lacks record 4001");
    assert_eq!(desk.submit(&[submit("new")]).unwrap_err().code(), "store.log_must_be_gapless");
}
