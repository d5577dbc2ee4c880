//! A backtest and live days are the same code: in memory, through the desk on either database, and typed command by
//! command, the same days give the same statements, byte for byte.

use crate::harness::{Database, Room, csv_rows, definition};
use std::collections::BTreeMap;

/// Sessions from the one after the seed through the end: a holiday on 15 January, and weekends.
const SESSIONS: [&str; 19] = [
    "2024-01-08",
    "2024-01-09",
    "2024-01-10",
    "2024-01-11",
    "2024-01-12",
    "2024-01-16",
    "2024-01-17",
    "2024-01-18",
    "2024-01-19",
    "2024-01-22",
    "2024-01-23",
    "2024-01-24",
    "2024-01-25",
    "2024-01-26",
    "2024-01-29",
    "2024-01-30",
    "2024-01-31",
    "2024-02-01",
    "2024-02-02",
];
/// Millions, per session: creations, a redemption, less than a basket, and a day without a figure.
const FLOWS: [(&str, &str); 8] = [
    ("2024-01-09", "12.5"),
    ("2024-01-10", "-2.4"),
    ("2024-01-11", "0.3"),
    ("2024-01-12", ""),
    ("2024-01-16", "33.1"),
    ("2024-01-19", "-9.9"),
    ("2024-01-30", "0.0"),
    ("2024-02-01", "7.75"),
];
const SEED: &str = "2024-01-05";
const FLOW_NAME: &str = "FUND";

/// A room with a definition whose fee is paid on the second session of the month, prices for every day, and flows.
fn room(database: &str) -> Room {
    let room = Room::on(database);
    let text = std::fs::read_to_string(definition("bitcoin.toml")).unwrap();
    room.write("fund.toml", &text.replace("session = 10 ", "session = 2  "));
    let mut prices = "date,close\n".to_owned();
    for (date, price) in prices_of_every_day() {
        prices.push_str(&format!("{date},{price}\n"));
    }
    room.write("rates.csv", &prices);
    let mut flows = format!("date,{FLOW_NAME}\n");
    for (date, flow) in FLOWS {
        flows.push_str(&format!("{date},{flow}\n"));
    }
    room.write("flows.csv", &flows);
    room
}

/// Prices that wander, with odd cents, from the seed date through the last session.
fn prices_of_every_day() -> BTreeMap<String, String> {
    let days =
        (5..=31).map(|day| format!("2024-01-{day:02}")).chain([1, 2].map(|day| format!("2024-02-{day:02}")));
    let price = |place: u32| 4_400_000 + (place * 7_919) % 26_003 * 10 + place % 7;
    days.zip(0..)
        .map(|(day, place)| (day, format!("{}.{:02}", price(place) / 100, price(place) % 100)))
        .collect()
}

const BACKTEST: &str = "backtest fund.toml --prices rates.csv --price-at close --flows flows.csv:FUND --from 2024-01-08 --to 2024-02-02";

fn backtest(room: &Room, out: &str, keep: Option<&str>) -> String {
    let keep = keep.map_or_else(String::new, |database| format!("--keep '{database}'"));
    room.run(&format!("{BACKTEST} --out {out} {keep}")).done();
    room.read(&format!("{out}/statement.json"))
}

const FILES: [&str; 6] = [
    "statement.json",
    "nav.csv",
    "holdings.csv",
    "roll_forward.csv",
    "flows.csv",
    "assets_and_liabilities.csv",
];

#[test]
fn kept_in_sqlite_it_is_the_run_in_memory() {
    let room = room("kept.db");
    backtest(&room, "memory", None);
    backtest(&room, "kept", Some("kept.db"));
    for file in FILES {
        assert_eq!(room.read(&format!("memory/{file}")), room.read(&format!("kept/{file}")), "{file}");
    }
    let again = room.run("statement --from 2024-01-08 --to 2024-02-02 --json").done();
    assert_eq!(again, room.read("memory/statement.json"));
    let files = room.run("statement --from 2024-01-08 --to 2024-02-02 --out again").done();
    assert!(files.contains("written to again"), "{files}");
    assert_eq!(room.read("again/nav.csv"), room.read("memory/nav.csv"));
}

#[test]
fn kept_in_postgresql_it_is_the_run_in_memory() {
    let Some(database) = Database::fresh() else { return };
    let room = room(&database.url());
    backtest(&room, "memory", None);
    backtest(&room, "kept", Some(&database.url()));
    for file in FILES {
        assert_eq!(room.read(&format!("memory/{file}")), room.read(&format!("kept/{file}")), "{file}");
    }
    let again = room.run("statement --from 2024-01-08 --to 2024-02-02 --json").done();
    assert_eq!(again, room.read("memory/statement.json"));
}

#[test]
fn a_kept_backtest_begins_with_a_new_fund() {
    let room = room("kept.db");
    backtest(&room, "first", Some("kept.db"));
    let before = room.status();
    let message = room.run(&format!("{BACKTEST} --out second --keep kept.db --json")).error();
    assert_eq!(message.0, "database.must_not_hold_the_fund");
    assert_eq!(before, room.status());
}

/// The days of the backtest as a desk would type them. Its sizes of orders are taken from the backtest's flows.csv,
/// everything else is written here: who does what when, and at what price.
fn typed(room: &Room) {
    let prices = prices_of_every_day();
    let ordered: BTreeMap<String, i64> = csv_rows(&room.read("memory/flows.csv"))
        .into_iter()
        .map(|row| (row["date"].clone(), row["shares"].parse().unwrap()))
        .collect();
    let give = |line: &str, at: &str| room.run(&format!("{line} --at {at}")).done();
    give(&format!("fund open fund.toml --seed-price BTC={}", prices[SEED]), &format!("{SEED}T21:00:00Z"));
    let mut before = SEED;
    for session in SESSIONS {
        let shares = ordered.get(session).copied().unwrap_or(0);
        if shares != 0 {
            let side = if shares > 0 { "creation" } else { "redemption" };
            let order = format!(
                "order submit --id flow-{session} --participant 'net flows of {FLOW_NAME}' --side {side} --shares {} \
                 --trade-date {session}",
                shares.abs()
            );
            give(&order, &format!("{before}T22:00:00Z"));
        }
        settle(room, &give, &format!("{session}T15:00:00Z"));
        give("prices import rates.csv", &format!("{session}T21:30:00Z"));
        give(&format!("nav strike --date {session}"), &format!("{session}T21:35:00Z"));
        if shares != 0 {
            let price = &prices[session];
            give(
                &format!("order execute flow-{session} --price BTC={price}"),
                &format!("{session}T21:40:00Z"),
            );
        }
        if session == "2024-02-02" {
            pay_the_fee(room, &give, &prices[session], &format!("{session}T21:45:00Z"));
        }
        before = session;
    }
}

fn settle(room: &Room, give: &impl Fn(&str, &str) -> String, at: &str) {
    let orders = room.run("order list --json").json();
    for order in orders.as_array().unwrap().iter().filter(|order| order["state"]["state"] != "accepted") {
        let (id, coins) = (order["id"].as_str().unwrap(), coins_of(order));
        let is_redemption = order["side"] == "redemption";
        if is_redemption {
            give(&format!("custody transfer --from vault --to trading --quantity {coins}"), at);
        }
        give(&format!("order settle {id}"), at);
        if !is_redemption {
            give(&format!("custody transfer --from trading --to vault --quantity {coins}"), at);
        }
    }
}

fn coins_of(order: &serde_json::Value) -> String {
    let found = find(order, "coins").unwrap_or_else(|| panic!("no coins in {order}"));
    found["BTC"].as_str().unwrap_or_else(|| panic!("{found}")).to_owned()
}

fn find<'a>(value: &'a serde_json::Value, name: &str) -> Option<&'a serde_json::Value> {
    let object = value.as_object()?;
    object.get(name).or_else(|| object.values().find_map(|value| find(value, name)))
}

fn pay_the_fee(room: &Room, give: &impl Fn(&str, &str) -> String, price: &str, at: &str) {
    let due = room.run(&format!("fee due --through 2024-01-31 --price BTC={price} --json")).json();
    let coins = due["coins"]["BTC"].as_str().unwrap();
    give(&format!("custody transfer --from vault --to trading --quantity {coins}"), at);
    let said = give(&format!("fee pay --through 2024-01-31 --price BTC={price}"), at);
    assert!(said.contains(&format!("USD paid by selling {coins} BTC")), "{said}");
}

#[test]
fn typed_day_by_day_it_is_the_backtest() {
    let room = room("live.db");
    let tested = backtest(&room, "memory", None);
    typed(&room);
    let live = room.run("statement --from 2024-01-08 --to 2024-02-02 --json").done();
    assert_eq!(live, tested);
    assert!(live.contains("sold for expenses") && live.contains("sold for redemptions"), "{live}");
    assert_eq!(csv_rows(&room.read("memory/nav.csv")).len(), SESSIONS.len());
}
