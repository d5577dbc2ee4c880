//! The guarantees that hold on both databases. Each is one function; the macro at the end runs it twice.

use strongroom_store::{RowChange, Store, StoreError, Table, Value};

use crate::home::Home;
use crate::sample::*;

const HOLDINGS_SQL: &str = r#"SELECT day, amount, known_at, count, "order" FROM holdings ORDER BY day"#;

pub fn code<T: std::fmt::Debug>(result: Result<T, StoreError>) -> &'static str {
    result.unwrap_err().code()
}

fn records_come_back_byte_for_byte_and_in_order(home: &Home) {
    let mut store = home.open(&SCHEMA);
    assert_eq!(store.head("a").unwrap(), 0);
    assert_eq!(store.streams().unwrap(), [""; 0]);
    store.append(&[run("b", 1..=2), run("a", 1..=3)].concat(), &[]).unwrap();
    store.append(&[run("a", 4..=4), run("B", 1..=1)].concat(), &[]).unwrap();
    assert_eq!(store.read("a", 1, 100).unwrap(), run("a", 1..=4));
    assert_eq!(store.read("a", 0, 2).unwrap(), run("a", 1..=2));
    assert_eq!(store.read("a", 3, 100).unwrap(), run("a", 3..=4));
    assert_eq!(store.read("a", 5, 100).unwrap(), []);
    assert_eq!(store.read("a", u64::MAX, 100).unwrap(), []);
    assert_eq!(store.head("a").unwrap(), 4);
    assert_eq!(store.streams().unwrap(), ["B", "a", "b"]);
    drop(store);
    let mut store = home.open(&SCHEMA);
    assert_eq!(store.read("b", 1, 100).unwrap(), run("b", 1..=2));
    assert_eq!(*store.location(), home.location());
}

fn a_long_stream_is_read_page_by_page(home: &Home) {
    let mut store = home.open(&SCHEMA);
    store.append(&run("a", 1..=2_500), &[]).unwrap();
    let read: Vec<_> = store.records("a", 3).map(Result::unwrap).collect();
    assert_eq!(read, run("a", 3..=2_500));
    assert_eq!(store.records("nothing", 1).count(), 0);
}

fn a_sequence_that_is_taken_or_leaves_a_hole_is_refused(home: &Home) {
    let mut store = home.open(&SCHEMA);
    store.append(&run("a", 1..=2), &[]).unwrap();
    let mut check = |records: Vec<_>, expected| assert_eq!(code(store.append(&records, &[])), expected);
    check(run("a", 2..=3), "store.sequence_must_be_free");
    check(run("a", 4..=4), "store.sequence_must_follow_head");
    check(run("new", 2..=2), "store.sequence_must_follow_head");
    check(vec![record("a", 3), record("a", 5)], "store.sequence_must_follow_head");
    check(vec![record("a", 3), record("a", 3)], "store.sequence_must_be_free");
    check(vec![record("a", 3), record("b", 2)], "store.sequence_must_follow_head");
    check(vec![record("a", 0)], "store.record_must_be_storable");
    check(vec![record("", 1)], "store.record_must_be_storable");
    check(vec![record("nul\0", 1)], "store.record_must_be_storable");
    assert_eq!(store.head("a").unwrap(), 2);
    store.append(&run("a", 3..=3), &[]).unwrap();
}

fn a_batch_is_stored_whole_or_not_at_all(home: &Home) {
    let mut store = home.open(&SCHEMA);
    let orphan = holding("2026-01-02", "1");
    for bad in [fund("x", "forbidden"), orphan] {
        let refused = store.append(&run("a", 1..=2), &[fund("f", "Fund"), bad]);
        assert_eq!(code(refused), "store.row_must_satisfy_constraints");
        assert_eq!(store.head("a").unwrap(), 0);
        assert_eq!(home.rows("SELECT fund FROM funds"), [""; 0]);
    }
    store.append(&run("a", 1..=2), &[fund("f", "Fund")]).unwrap();
    assert_eq!(home.rows("SELECT fund FROM funds"), ["f"]);
}

fn a_row_is_replaced_whole_and_removed_by_its_key(home: &Home) {
    let mut store = home.open(&SCHEMA);
    store.append(&[], &[fund("a", "Ant"), fund("b", "Bee"), group(1, "x"), group(1, "x")]).unwrap();
    store
        .append(&[], &[fund("b", "Wasp"), without_fund("a"), without_fund("missing"), group(1, "x")])
        .unwrap();
    assert_eq!(home.rows("SELECT fund, name FROM funds ORDER BY fund"), ["b Wasp"]);
    assert_eq!(home.rows("SELECT * FROM \"group\""), ["1 x"]);
    store.append(&[], &[without_fund("b"), fund("b", "Fly"), fund("c", "Cat"), without_fund("c")]).unwrap();
    let gone = RowChange::Delete { table: &GROUP, key: vec![Value::Integer(1), text("x")] };
    store.append(&[], &[gone]).unwrap();
    assert_eq!(home.rows("SELECT fund, name FROM funds ORDER BY fund"), ["b Fly"]);
    assert_eq!(home.rows("SELECT * FROM \"group\""), [""; 0]);
}

fn a_child_row_may_come_before_its_parent(home: &Home) {
    let mut store = home.open(&SCHEMA);
    store.append(&[], &[holding("2026-01-02", "1"), fund("a", "Ant")]).unwrap();
    let gone = RowChange::Delete { table: &HOLDINGS, key: vec![text("a"), text("2026-01-02")] };
    store.append(&[], &[without_fund("a"), gone]).unwrap();
    assert_eq!(home.rows("SELECT fund FROM funds"), [""; 0]);
}

fn values_are_exact(home: &Home) {
    let mut store = home.open(&SCHEMA);
    let amounts = [
        "0",
        "0.00",
        "-1.50",
        "0.000000000000000001",
        "123456789012345678901234567890",
        "-99999999999999999999.999999999999999999",
        "1000",
    ];
    let days =
        ["0001-01-01", "1969-12-31", "2024-02-29", "2026-01-02", "2026-01-03", "2026-01-04", "9999-12-31"];
    let rows: Vec<_> = days.iter().zip(amounts).map(|(day, amount)| holding(day, amount)).collect();
    store.append(&[], &[vec![fund("a", "Ant")], rows].concat()).unwrap();
    let line = |(day, amount)| format!("{day} {amount} 2026-01-02T16:00:00.25Z {} é'\"\\", i64::MIN);
    let expected: Vec<String> = days.iter().zip(amounts).map(line).collect();
    assert_eq!(home.rows(HOLDINGS_SQL), expected);
}

fn a_null_stays_a_null(home: &Home) {
    let mut store = home.open(&SCHEMA);
    let nulls = |day: &str| RowChange::Upsert {
        table: &HOLDINGS,
        values: vec![text("a"), text(day), Value::Null, Value::Null, Value::Null, Value::Null],
    };
    store.append(&[], &[fund("a", "Ant"), holding("2026-01-02", "1"), nulls("2026-01-03")]).unwrap();
    store.append(&[], &[nulls("2026-01-02")]).unwrap();
    assert_eq!(home.rows(HOLDINGS_SQL), ["2026-01-02 - - - -", "2026-01-03 - - - -"]);
}

fn a_row_that_does_not_fit_its_table_is_refused(home: &Home) {
    static STRANGER: Table = Table { name: "stranger", columns: FUNDS.columns, key: 1 };
    let mut store = home.open(&SCHEMA);
    let mut check = |row, expected| assert_eq!(code(store.append(&run("a", 1..=1), &[row])), expected);
    let stranger = RowChange::Upsert { table: &STRANGER, values: vec![text("a"), text("b")] };
    check(stranger, "store.row_must_match_table");
    check(RowChange::Upsert { table: &FUNDS, values: vec![text("a")] }, "store.row_must_match_table");
    check(RowChange::Delete { table: &FUNDS, key: vec![Value::Null] }, "store.row_must_match_table");
    for amount in ["1e5", "01", "-0", "NaN", ".5"] {
        check(holding("2026-01-02", amount), "store.value_must_fit_column");
    }
    check(holding("2026-02-30", "1"), "store.value_must_fit_column");
    check(fund("a", "nul\0"), "store.value_must_fit_column");
    assert_eq!(store.head("a").unwrap(), 0);
}

fn a_batch_has_a_bound(home: &Home) {
    let mut store = home.open(&SCHEMA);
    let most = run("a", 1..=Store::BATCH_MAX as u64);
    let refused = store.append(&most, &[fund("a", "Ant")]);
    assert_eq!(code(refused), "store.batch_must_be_bounded");
    store.append(&most, &[]).unwrap();
    assert_eq!(store.read("a", 1, usize::MAX).unwrap().len(), Store::PAGE_MAX);
}

fn the_newest_two_snapshots_are_kept(home: &Home) {
    let mut store = home.open(&SCHEMA);
    assert_eq!(store.latest_snapshot("a").unwrap(), None);
    store.append(&[run("a", 1..=5), run("b", 1..=1)].concat(), &[]).unwrap();
    for seq in [1, 3, 2, 5, 5] {
        store.put_snapshot(&snapshot("a", seq)).unwrap();
    }
    store.put_snapshot(&snapshot("b", 1)).unwrap();
    assert_eq!(store.latest_snapshot("a").unwrap(), Some(snapshot("a", 5)));
    assert_eq!(home.rows("SELECT stream, seq FROM snapshots ORDER BY stream, seq"), ["a 3", "a 5", "b 1"]);
    assert_eq!(code(store.put_snapshot(&snapshot("a", 6))), "store.snapshot_must_not_be_ahead_of_log");
    assert_eq!(code(store.put_snapshot(&snapshot("a", 0))), "store.record_must_be_storable");
}

fn a_reader_sees_every_commit_and_writes_nothing(home: &Home) {
    let mut writer = home.open(&SCHEMA);
    let mut reader = Store::open_read_only(&home.location(), &SCHEMA).unwrap();
    writer.append(&run("a", 1..=2), &[]).unwrap();
    assert_eq!(reader.head("a").unwrap(), 2);
    assert_eq!(code(reader.append(&run("a", 3..=3), &[])), "store.must_be_open_for_writing");
    assert_eq!(code(reader.put_snapshot(&snapshot("a", 1))), "store.must_be_open_for_writing");
    writer.append(&run("a", 3..=3), &[]).unwrap();
    assert_eq!(reader.read("a", 1, 10).unwrap(), run("a", 1..=3));
}

fn history_cannot_be_edited_by_hand(home: &Home) {
    let mut store = home.open(&SCHEMA);
    store.append(&run("a", 1..=2), &[]).unwrap();
    for sql in [
        "UPDATE events SET body = '' WHERE seq = 1",
        "UPDATE events SET seq = 9 WHERE seq = 2",
        "DELETE FROM events WHERE seq = 2",
        "DELETE FROM events",
    ] {
        assert_eq!(home.by_hand(sql).unwrap_err().split(" in ").next().unwrap(), "history is never edited");
    }
    assert_eq!(store.read("a", 1, 10).unwrap(), run("a", 1..=2));
}

fn a_hole_in_the_log_is_found(home: &Home) {
    let mut store = home.open(&SCHEMA);
    store.append(&run("a", 1..=2), &[]).unwrap();
    home.by_hand(
        "INSERT INTO events (stream, seq, at, recorded_at, actor, kind, body, leaf, salt, leaf_hash)
            SELECT stream, 4, at, recorded_at, actor, kind, body, 2, salt, leaf_hash FROM events WHERE seq = 1",
    )
    .unwrap();
    assert_eq!(code(store.read("a", 1, 10)), "store.log_must_be_gapless");
    let mut records = store.records("a", 2);
    assert!(matches!(records.next(), Some(Err(StoreError::LogGap { seq: 3, .. }))));
    assert!(records.next().is_none());
    assert_eq!(code(store.back_up(&home.file("backup.db"))), "store.log_must_be_gapless");
}

fn a_row_that_must_be_new_is_added_once(home: &Home) {
    let mut store = home.open(&SCHEMA);
    let added = |select: i64, from: &str| RowChange::Insert {
        table: &GROUP,
        values: vec![Value::Integer(select), text(from)],
    };
    store.append(&run("a", 1..=1), &[added(1, "x"), added(2, "y")]).unwrap();
    let mut check = |rows: Vec<RowChange>| {
        assert_eq!(code(store.append(&run("a", 2..=2), &rows)), "store.row_must_be_new");
    };
    check(vec![added(3, "z"), added(2, "y")]);
    check(vec![added(3, "z"), added(3, "z")]);
    check(vec![group(3, "z"), added(3, "z")]);
    assert_eq!(store.head("a").unwrap(), 1);
    store.append(&run("a", 2..=2), &[added(3, "z")]).unwrap();
    assert_eq!(home.rows(r#"SELECT "select", "from" FROM "group" ORDER BY 1"#), ["1 x", "2 y", "3 z"]);
}

fn rows_are_pruned_by_an_instant(home: &Home) {
    let mut store = home.open(&SCHEMA);
    let known = |day: &str, at: &str| {
        let values = vec![text("a"), text(day), text("1"), text(at), Value::Integer(1), text("o")];
        RowChange::Upsert { table: &HOLDINGS, values }
    };
    let rows = [known("2026-01-01", "2026-01-01T10:00:00Z"), known("2026-01-02", "2026-01-01T11:00:00Z")];
    store.append(&run("a", 1..=1), &[&[fund("a", "A")], rows.as_slice()].concat()).unwrap();
    let mut prune = |column, bound| store.prune(&HOLDINGS, column, bound);
    assert_eq!(code(prune("amount", "2026-01-01T11:00:00Z")), "store.row_must_match_table");
    assert_eq!(code(prune("known_at", "yesterday")), "store.row_must_match_table");
    assert_eq!(prune("known_at", "2026-01-01T11:00:00Z").unwrap(), 1);
    assert_eq!(prune("known_at", "2026-01-01T11:00:00Z").unwrap(), 0);
    assert_eq!(home.rows("SELECT day FROM holdings"), ["2026-01-02"]);
}

macro_rules! conformance {
    ($($guarantee:ident,)*) => {
        mod on_sqlite {
            $(#[test]
            fn $guarantee() {
                super::$guarantee(&crate::home::Home::sqlite());
            })*
        }
        mod on_postgres {
            $(#[test]
            fn $guarantee() {
                if let Some(home) = crate::home::Home::postgres() {
                    super::$guarantee(&home);
                }
            })*
        }
    };
}
pub(crate) use conformance;

conformance! {
    records_come_back_byte_for_byte_and_in_order,
    a_long_stream_is_read_page_by_page,
    a_sequence_that_is_taken_or_leaves_a_hole_is_refused,
    a_batch_is_stored_whole_or_not_at_all,
    a_row_is_replaced_whole_and_removed_by_its_key,
    a_child_row_may_come_before_its_parent,
    values_are_exact,
    a_null_stays_a_null,
    a_row_that_does_not_fit_its_table_is_refused,
    a_batch_has_a_bound,
    the_newest_two_snapshots_are_kept,
    a_reader_sees_every_commit_and_writes_nothing,
    history_cannot_be_edited_by_hand,
    a_hole_in_the_log_is_found,
    a_row_that_must_be_new_is_added_once,
    rows_are_pruned_by_an_instant,
}
