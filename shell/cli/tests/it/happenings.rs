//! What happens to members of an index between its changes, as the fund that follows it lives it.

use crate::harness::{Room, csv_rows};
use crate::small_market::{INDEX, RUN, fund, room};
use serde_json::Value;

/// The small market with events in its index, a fourth coin into which one of the three can change, and no cost or fee.
fn room_with(events: &str, gifts: &str) -> Room {
    let room = room("0", "0");
    let doge = "\n[[asset]]\nid = \"DOGE\"\nprice = \"DOGE\"\nnames = [\"Dogecoin (DOGE)\"]\n";
    room.write("two.toml", &format!("{INDEX}{doge}{events}"));
    let mut closes = room.read("closes.csv");
    let rows: Vec<String> = closes
        .lines()
        .filter(|line| line.contains(",XRP,"))
        .map(|line| {
            let (date, close) = line.split_once(",XRP,").unwrap();
            format!("{date},DOGE,{:.6}", close.parse::<f64>().unwrap() / 4.0)
        })
        .collect();
    closes += &(rows.join("\n") + "\n");
    room.write("closes.csv", &closes);
    let named = format!("[index]\ngifts = \"{gifts}\"");
    room.write("fund.toml", &fund("0", "0").replace("[index]", &named));
    room
}

fn run(room: &Room) -> Value {
    room.run(RUN).json()
}

/// Growth of NAV over growth of the index, each session.
fn ratios(room: &Room) -> Vec<(String, f64)> {
    let line = "index --definition two.toml --market snapshots.csv --market closes.csv --to 2022-04-29 --out index --json";
    room.run(line).json();
    let navs = csv_rows(&room.read("out/nav.csv"));
    let levels = csv_rows(&room.read("index/levels.csv"));
    let level = |date: &str| -> f64 {
        levels.iter().find(|row| row["date"] == date).unwrap()["level"].parse().unwrap()
    };
    let nav = |row: &std::collections::BTreeMap<String, String>| row["nav_per_share"].parse::<f64>().unwrap();
    let first = nav(&navs[0]) / level("2022-01-03");
    navs.iter().map(|row| (row["date"].clone(), nav(row) / level(&row["date"]) / first)).collect()
}

#[test]
fn through_whatever_happens_the_fund_is_the_index() {
    let check = |name: &str, event: &str, gifts: &str, told: &str, near: f64| {
        let room = room_with(&format!("\n[[event]]\n{event}\n"), gifts);
        let summary = run(&room);
        for (date, ratio) in ratios(&room) {
            assert!((ratio - 1.0).abs() < near, "{name} on {date}: {ratio}");
        }
        let report = room.read("out/report.html");
        assert!(report.contains(told), "{name}: {told}");
        assert!(summary["basket"]["tracking"]["rest"].is_number(), "{name}: {summary}");
        let statement: Value = serde_json::from_str(&room.read("out/statement.json")).unwrap();
        for rolled in statement["roll_forwards"].as_array().unwrap() {
            assert_eq!(rolled["foots"], true, "{name}: {rolled}");
        }
    };
    // XRP is a member from 1 February through March. Ten million dollars: a cent a trade is 10^-9 of it.
    let migration =
        "kind = \"migration\"\ndate = \"2022-02-16\"\nasset = \"XRP\"\ninto = \"DOGE\"\nunits = \"4\"";
    // On a Wednesday, and on a Saturday.
    check("migration", migration, "leave", "became DOGE, 4 for each", 2e-8);
    check("on a weekend", &migration.replace("02-16", "02-19"), "leave", "became DOGE, 4 for each", 2e-8);
    let delisting =
        |at: &str| format!("kind = \"delisting\"\ndate = \"2022-02-16\"\nasset = \"XRP\"\nat = \"{at}\"");
    check("delisting", &delisting("last-price"), "leave", "it leaves at its last price", 3e-8);
    check("write-off", &delisting("zero"), "leave", "written off: worth nothing", 2e-8);
    let fork =
        "kind = \"fork\"\ndate = \"2022-02-16\"\nasset = \"BTC\"\nwhat = \"Bitcoin Gift\"\nvalue = \"400\"";
    check("gift sold", fork, "sell", "sold and reinvested", 1e-3);
}

#[test]
fn a_gift_that_is_left_is_lost_against_the_index() {
    let fork = "\n[[event]]\nkind = \"airdrop\"\ndate = \"2022-02-16\"\nasset = \"BTC\"\nwhat = \"Gift\"\nvalue = \"400\"\n";
    let kept = |gifts: &str| {
        let room = room_with(fork, gifts);
        run(&room);
        ratios(&room).last().unwrap().1
    };
    let (left, sold) = (kept("leave"), kept("sell"));
    // About a hundredth of the price of two thirds of the basket.
    assert!((-0.02..-0.004).contains(&(left - 1.0)), "{left}");
    assert!(sold > left + 0.004, "{sold} and {left}");
}

#[test]
fn what_happened_is_in_the_log_of_a_fund_that_is_kept() {
    let events = "\n[[event]]\nkind = \"migration\"\ndate = \"2022-02-16\"\nasset = \"XRP\"\ninto = \"DOGE\"\nunits = \"4\"\n";
    let room = room_with(events, "leave");
    room.run(&format!("{RUN} --keep kept.db")).json();
    let rows = rusqlite::Connection::open(room.file("kept.db")).unwrap();
    let moved: Vec<(String, String)> = rows
        .prepare(
            "SELECT asset, amount FROM ledger_entries WHERE event = 'asset-migrated' AND account = 'vault' ORDER BY asset",
        )
        .and_then(|mut query| query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
        .unwrap();
    assert_eq!(moved.len(), 2, "{moved:?}");
    let amount = |text: &str| text.parse::<f64>().unwrap();
    assert!((amount(&moved[0].1) + 4.0 * amount(&moved[1].1)).abs() < 1e-4, "{moved:?}");
}
