//! The database is plain tables: `select` answers, decimals are exact texts, and the ledger sums to zero.

use crate::exact::{Exact, exact};
use crate::harness::Room;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use std::collections::BTreeMap;

const TABLES: [&str; 13] = [
    "balances",
    "corrections",
    "custody_transfers",
    "fee_accruals",
    "funds",
    "ledger_entries",
    "nav",
    "nav_assets",
    "nav_corrections",
    "order_assets",
    "orders",
    "payments",
    "prices",
];
const VIEWS: [&str; 5] = ["holdings", "ledger_entries_view", "nav_view", "orders_view", "payments_view"];

/// A simulated bitcoin and ether fund: money and coin fees, cash and in-kind orders, corrections.
fn books() -> (Room, Connection) {
    let room = Room::new();
    room.run("demo --months 4 --out demo --json").done();
    let connection = Connection::open(room.file("demo/demo.db")).unwrap();
    (room, connection)
}

fn names(books: &Connection, sql: &str) -> Vec<String> {
    let mut statement = books.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn every_table_is_strict_and_answers() {
    let (_room, books) = books();
    let strict = names(
        &books,
        "select name from pragma_table_list where type = 'table' and strict and schema = 'main'",
    );
    for table in TABLES {
        assert!(strict.iter().any(|name| name == table), "{table} is not STRICT");
        let count: i64 =
            books.query_row(&format!("select count(*) from {table}"), [], |row| row.get(0)).unwrap();
        assert!(count > 0, "{table} is empty");
    }
    for view in VIEWS {
        let count: i64 =
            books.query_row(&format!("select count(*) from {view}"), [], |row| row.get(0)).unwrap();
        assert!(count > 0, "{view} is empty");
    }
}

#[test]
fn a_nav_reads_like_a_nav() {
    let (room, books) = books();
    let mut statement = books.prepare("select * from nav where fund = 'SIMBTC' order by nav_date").unwrap();
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    assert_eq!(columns[..4], ["fund", "nav_date", "struck_at", "shares"]);
    let text = |row: &rusqlite::Row<'_>, name: &str| row.get_ref(name).unwrap().as_str().unwrap().to_owned();
    let rows: Vec<(String, String, i64)> = statement
        .query_map([], |row| {
            Ok((text(row, "nav_date"), text(row, "nav_per_share"), row.get("shares").unwrap()))
        })
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let listed = room.run("nav list --database demo/demo.db --fund SIMBTC --json").json();
    let listed = listed.as_array().unwrap();
    assert_eq!(rows.len(), listed.len());
    for ((date, per_share, shares), nav) in rows.iter().zip(listed) {
        assert_eq!(
            (date.as_str(), *shares),
            (nav["date"].as_str().unwrap(), nav["shares"].as_i64().unwrap())
        );
        if nav["correction"] == "0" {
            // A correction below half a cent leaves the published cents as they are.
            let published = nav["nav_per_share"].as_str().unwrap();
            assert!((exact(per_share) - exact(published)).0.abs() < 10i128.pow(16), "{date}");
        }
    }
}

#[test]
fn decimals_are_texts_in_canonical_form() {
    let (_room, books) = books();
    for (table, columns) in [
        ("nav", "holdings,cash,fee_basis,fee,accrued_fee,accrued_expenses,net_assets,nav_per_share"),
        ("nav_assets", "price,owned,accrued_fee,pending_creations,pending_redemptions"),
        ("ledger_entries", "amount"),
        ("balances", "balance"),
        ("orders", "nav_value,variance,cash_due"),
        ("payments", "coins,price,value,cost,paid"),
        ("prices", "price"),
        ("custody_transfers", "coins"),
        ("fee_accruals", "coins"),
    ] {
        let mut statement = books.prepare(&format!("select {columns} from {table}")).unwrap();
        let count = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..count {
                match row.get_ref(column).unwrap() {
                    ValueRef::Null => {}
                    ValueRef::Text(text) => {
                        let text = std::str::from_utf8(text).unwrap();
                        exact(text);
                        assert!(
                            !text.starts_with('+') && !text.contains('e') && text != "-0",
                            "{table}: {text}"
                        );
                        let digits = text.trim_start_matches('-');
                        assert!(!digits.starts_with("00"), "{table}: {text}");
                    }
                    other => panic!("{table} {columns}: {other:?} is no text"),
                }
            }
        }
    }
}

#[test]
fn every_event_sums_to_zero_in_every_asset_and_the_balances_are_the_sums() {
    let (_room, books) = books();
    let mut statement =
        books.prepare("select fund, seq, account, asset, amount from ledger_entries").unwrap();
    let mut events: BTreeMap<(String, i64, String), Exact> = BTreeMap::new();
    let mut accounts: BTreeMap<(String, String, String), Exact> = BTreeMap::new();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let text = |place: usize| row.get_ref(place).unwrap().as_str().unwrap().to_owned();
        let (fund, seq, account, asset) = (text(0), row.get(1).unwrap(), text(2), text(3));
        let amount = exact(&text(4));
        let event = events.entry((fund.clone(), seq, asset.clone())).or_default();
        *event = *event + amount;
        let balance = accounts.entry((fund, account, asset)).or_default();
        *balance = *balance + amount;
    }
    assert!(events.len() > 500, "{}", events.len());
    for (event, sum) in &events {
        assert_eq!(*sum, Exact::default(), "{event:?}");
    }
    let mut statement = books.prepare("select fund, account, asset, balance from balances").unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let text = |place: usize| row.get_ref(place).unwrap().as_str().unwrap().to_owned();
        let key = (text(0), text(1), text(2));
        assert_eq!(accounts.remove(&key).unwrap_or_default(), exact(&text(3)), "{key:?}");
    }
    assert!(accounts.values().all(|sum| *sum == Exact::default()), "{accounts:?}");
}

#[test]
fn views_are_numbers_that_can_be_summed() {
    let (_room, books) = books();
    for (view, table, column) in [
        ("nav_view", "nav", "net_assets"),
        ("orders_view", "orders", "nav_value"),
        ("payments_view", "payments", "coins"),
    ] {
        let sum: f64 =
            books.query_row(&format!("select sum({column}) from {view}"), [], |row| row.get(0)).unwrap();
        let texts = names(&books, &format!("select {column} from {table} where {column} is not null"));
        let exactly: f64 = texts.iter().map(|text| text.parse::<f64>().unwrap()).sum();
        assert!((sum / exactly - 1.0).abs() < 1e-9, "{view}: {sum} and {exactly}");
        let kinds = names(
            &books,
            &format!("select distinct typeof({column}) from {view} where {column} is not null"),
        );
        assert_eq!(kinds, ["real"], "{view}");
    }
}

#[test]
fn history_cannot_be_edited_by_a_slip_of_the_hand() {
    let (room, books) = books();
    let before = room.run("fund status --database demo/demo.db --fund SIMBTC --json").done();
    for sql in ["update events set body = ''", "delete from events"] {
        let refused = books.execute(sql, []).unwrap_err().to_string();
        assert!(!refused.is_empty(), "{sql}");
    }
    assert_eq!(before, room.run("fund status --database demo/demo.db --fund SIMBTC --json").done());
}
