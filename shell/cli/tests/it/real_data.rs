//! The largest US bitcoin trust's 2024, run from public prices and flows, judged by what the trust has filed.
//!
//! The filed figures are written here; the program's own verdict is not relied on. The data folder is not part of the
//! repository.

use crate::exact::{Exact, exact, scaled, times};
use crate::harness::{Ran, Room, csv_rows, definition, shared};
use serde_json::Value;
use std::path::PathBuf;

/// Coins that the trust held at the ends of the quarters of 2024; 30 September is the sum of its filed lines.
const FILED_COINS: [(&str, &str, bool); 4] = [
    ("2024-03-31", "252011", false),
    ("2024-06-30", "306979", false),
    ("2024-09-30", "366448", true),
    ("2024-12-31", "551918", false),
];
const FILED_FEE: &str = "10574324";
const FILED_NAV_PER_SHARE: &str = "53.09";
const FILED_SHARES: f64 = 970_440_000.0;

struct Files {
    prices: PathBuf,
    btc_flows: PathBuf,
    eth_flows: PathBuf,
    filings: PathBuf,
}

fn files() -> Option<Files> {
    Some(Files {
        prices: shared("data/market/yahoo_24coins_daily_2014_2024.csv")?,
        btc_flows: shared("data/etf/flows_btc_usd_m.csv")?,
        eth_flows: shared("data/etf/flows_eth_usd_m.csv")?,
        filings: shared("data/etf/sec_rollforward.csv")?,
    })
}

fn bitcoin_2024(room: &Room, files: &Files, options: &str) -> Ran {
    room.run(&format!(
        "backtest '{}' --prices '{}' --flows '{}:IBIT' --from 2024-01-11 --to 2024-12-31 --out out \
         --filings '{}:IBIT' --filed-fee {FILED_FEE} --check --json {options}",
        definition("bitcoin.toml"),
        files.prices.display(),
        files.btc_flows.display(),
        files.filings.display(),
    ))
}

fn row<'a>(against: &'a Value, what: &str) -> &'a Value {
    let rows = against["rows"].as_array().unwrap();
    rows.iter().find(|row| row["what"] == what).unwrap_or_else(|| panic!("no row {what}"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text: exact figures are texts"))
}

/// The computed figure of a row, whose filed figure is the one written in this test.
fn computed(against: &Value, what: &str, filed: Exact) -> Exact {
    let row = row(against, what);
    assert_eq!(exact(text(&row["filed"])), filed, "{what}");
    let computed = exact(text(&row["computed"]));
    let said: f64 = text(&row["difference_percent"]).parse().unwrap();
    assert!((computed.percent_from(filed) - said).abs() < 0.0001, "{what}: the program says {said} %");
    computed
}

#[track_caller]
fn near(what: &str, ours: Exact, filed: Exact, percent: f64) {
    let off = ours.percent_from(filed);
    assert!(off.abs() <= percent, "{what}: {off:.4} % off, more than {percent} %");
}

fn agrees_with_the_filings(summary: &Value) {
    let against = &summary["against_filings"];
    assert_eq!(against["holds"], true);
    let mut before: Option<(&str, Exact, Exact)> = None;
    for (date, filed, derived) in FILED_COINS {
        let what = format!("coins at {date}");
        let filed = exact(filed);
        let ours = computed(against, &what, filed);
        assert_eq!(row(against, &what)["derived"], derived, "{date}");
        near(&what, ours, filed, 0.25);
        if let Some((earlier, filed_before, ours_before)) = before {
            let what = format!("change from {earlier} to {date}");
            let change = computed(against, &what, filed - filed_before);
            assert_eq!(change, ours - ours_before, "{what}");
            near(&what, change, filed - filed_before, 0.5);
        }
        before = Some((date, filed, ours));
    }
    assert_eq!(against["rows"].as_array().unwrap().len(), 8);
    let sheet = &summary["assets_and_liabilities"];
    assert_eq!(sheet["as_of"], "2024-12-31");
    let fee = exact(text(&sheet["sponsor_fee_payable"]));
    assert_eq!(computed(against, "sponsor fee payable at 2024-12-31", exact(FILED_FEE)), fee);
    near("fee", fee, exact(FILED_FEE), 3.0);
    near("NAV per share", exact(text(&sheet["nav_per_share"])), exact(FILED_NAV_PER_SHARE), 1.0);
    let shares = sheet["shares_outstanding"].as_f64().unwrap();
    assert!((shares / FILED_SHARES - 1.0).abs() <= 0.01, "{shares} shares");
}

/// Begin plus the rows is end, in coins and in money, to the last digit.
fn foots(rows: &str, asset: &str) {
    let rows = csv_rows(rows);
    let cell = |line: &str, column: &str| {
        let row = rows.iter().find(|row| row["line"] == line).unwrap_or_else(|| panic!("no line {line}"));
        exact(&row[column])
    };
    assert!(rows.iter().all(|row| row["asset"] == asset));
    for column in ["quantity", "cost", "fair_value"] {
        let moved = rows.iter().filter(|row| !["begin", "end"].contains(&row["line"].as_str()));
        let moved: Exact =
            moved.map(|row| &row[column]).filter(|cell| !cell.is_empty()).map(|cell| exact(cell)).sum();
        assert_eq!(cell("begin", column) + moved, cell("end", column), "{asset} {column}");
    }
    let realised = rows.iter().filter(|row| row["line"] != "realised gain");
    let realised: Exact = realised
        .map(|row| &row["realised_gain"])
        .filter(|cell| !cell.is_empty())
        .map(|cell| exact(cell))
        .sum();
    assert_eq!(realised, cell("realised gain", "fair_value"), "{asset} realised gain");
}

/// What is carried is what flowed less what was ordered at the Basket Amount of the last strike and today's price.
fn flows_tie(room: &Room) {
    let unit = 40_000;
    let holdings = csv_rows(&room.read("out/holdings.csv"));
    let mut carried: Option<i128> = None;
    for row in csv_rows(&room.read("out/flows.csv")) {
        let shares: i128 = row["shares"].parse().unwrap();
        assert_eq!(shares % unit, 0, "{}: {shares} shares are no whole baskets", row["date"]);
        let today = holdings.iter().position(|holding| holding["date"] == row["date"]).unwrap();
        if let (Some(before), Some(last)) = (carried, today.checked_sub(1)) {
            let amount = scaled(&holdings[last]["basket_amount_per_share"], 24);
            let coins = times(amount * unit, 1, 16);
            let value = times(coins, scaled(&holdings[today]["price"], 18), 18);
            let left = before + scaled(&row["flow"], 8) - shares / unit * value;
            assert_eq!(scaled(&row["carried"], 8), left, "{}", row["date"]);
            assert!(left.abs() < value, "{}: more than a basket is carried", row["date"]);
        }
        carried = Some(scaled(&row["carried"], 8));
    }
    assert!(carried.is_some());
}

fn files_agree(room: &Room, summary: &Value) {
    let statement: Value = serde_json::from_str(&room.read("out/statement.json")).unwrap();
    let on_disk: Value = serde_json::from_str(&room.read("out/summary.json")).unwrap();
    assert_eq!(&on_disk, summary);
    assert_eq!(statement["assets_and_liabilities"], summary["assets_and_liabilities"]);
    assert_eq!(statement["roll_forwards"][0]["foots"], true);
    let navs = csv_rows(&room.read("out/nav.csv"));
    let listed = statement["navs"].as_array().unwrap();
    assert_eq!(navs.len(), listed.len());
    for (row, nav) in navs.iter().zip(listed) {
        assert_eq!(
            (row["date"].as_str(), row["nav_per_share"].as_str()),
            (text(&nav["date"]), text(&nav["nav_per_share"]))
        );
    }
    assert_eq!(csv_rows(&room.read("out/holdings.csv")).len(), navs.len());
    assert_eq!(
        csv_rows(&room.read("out/assets_and_liabilities.csv"))[0]["net_assets"],
        navs.last().unwrap()["net_assets"]
    );
    let end = csv_rows(&room.read("out/roll_forward.csv"));
    assert_eq!(end.last().unwrap()["line"], "end");
    assert!(room.read("out/report.html").len() > 20_000);
}

#[test]
fn the_trust_of_2024_comes_out_within_the_filings_at_either_price() {
    let Some(files) = files() else { return };
    for price_at in ["strike", "close"] {
        let room = Room::new();
        let summary = bitcoin_2024(&room, &files, &format!("--price-at {price_at}")).json();
        agrees_with_the_filings(&summary);
        files_agree(&room, &summary);
        foots(&room.read("out/roll_forward.csv"), "BTC");
        flows_tie(&room);
        // 2024 has 252 sessions; the first seven, through 10 January, are before the statement.
        assert_eq!(csv_rows(&room.read("out/nav.csv")).len(), 252 - 7);
        let filed = csv_rows(&room.read("out/against_filings.csv"));
        assert_eq!(filed.len(), 8);
        assert!(filed.iter().all(|row| row["within"] == "true"));
        let last = csv_rows(&room.read("out/roll_forward.csv"));
        let end = last.iter().find(|row| row["line"] == "end").unwrap();
        assert_eq!(
            filed.iter().find(|row| row["what"] == "coins at 2024-12-31").unwrap()["computed"],
            end["quantity"]
        );
    }
}

#[test]
fn prices_or_flows_that_are_a_day_late_are_found_out() {
    let Some(files) = files() else { return };
    // Either mistake alone puts all four period ends outside; together they partly make up for each other.
    for (wrong, least) in [("--price-lag 1", 4), ("--flow-lag 1", 4), ("--price-lag 1 --flow-lag 1", 1)] {
        let room = Room::new();
        let ran = bitcoin_2024(&room, &files, wrong);
        let message = ran.refused(1, "backtest.must_agree_with_filings");
        assert!(message.contains("coins at 2024-"), "{message}");
        let summary: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(summary["against_filings"]["holds"], false);
        let outside = FILED_COINS.iter().filter(|(date, filed, _)| {
            let ours = computed(&summary["against_filings"], &format!("coins at {date}"), exact(filed));
            ours.percent_from(exact(filed)).abs() > 0.25
        });
        let outside = outside.count();
        assert!(outside >= least, "{wrong}: {outside} outside");
    }
}

#[test]
fn without_check_figures_outside_the_tolerance_are_shown_and_no_failure() {
    let Some(files) = files() else { return };
    let room = Room::new();
    let line = format!(
        "backtest '{}' --prices '{}' --flows '{}:IBIT' --from 2024-01-11 --to 2024-06-30 --out out \
         --filings '{}:IBIT' --flow-lag 1",
        definition("bitcoin.toml"),
        files.prices.display(),
        files.btc_flows.display(),
        files.filings.display()
    );
    let out = room.run(&line).done();
    assert!(out.contains("OUTSIDE"), "{out}");
    assert!(room.read("out/report.html").contains("OUTSIDE"));
}

#[test]
fn the_ether_trust_of_2024_runs_and_foots() {
    let Some(files) = files() else { return };
    let room = Room::new();
    let summary = room
        .run(&format!(
            "backtest '{}' --prices '{}' --flows '{}:ETHA' --from 2024-07-23 --to 2024-12-31 --out out --json",
            definition("ether.toml"),
            files.prices.display(),
            files.eth_flows.display(),
        ))
        .json();
    assert_eq!(summary["fund"], "ETHX");
    files_agree(&room, &summary);
    foots(&room.read("out/roll_forward.csv"), "ETH");
    // 23 July is the first of the 113 sessions through the end of the year.
    assert_eq!(csv_rows(&room.read("out/nav.csv")).len(), 113);
    assert!(
        csv_rows(&room.read("out/flows.csv"))
            .iter()
            .all(|row| row["shares"].parse::<i64>().unwrap() % 40_000 == 0)
    );
}
