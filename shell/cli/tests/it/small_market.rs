//! A small market made here, the index over it, and a fund that follows the index: what several tests share.

use crate::harness::{Room, repository};
use std::fmt::Write;

/// Two of three coins, anew each month.
pub const INDEX: &str = r#"
id = "two"
name = "Two of three"
source = "made up"
base_date = "2022-01-03"
base_level = "100"

[[version]]
effective = "2022-01-03"
prices = "daily"
stale_days_max = 0
snapshot_age_days_max = 0
price_history_days = 1
unpriced = "next-rank"
decimals = 2
select = { kind = "top", count = 2 }
weighting = { kind = "market-cap" }
reconstitution = { every = "month", day = 1 }

[[asset]]
id = "BTC"
price = "BTC"
names = ["Bitcoin (BTC)"]

[[asset]]
id = "ETH"
price = "ETH"
names = ["Ethereum (ETH)"]

[[asset]]
id = "XRP"
price = "XRP"
names = ["XRP (XRP)"]
"#;

/// Every day on which this index changes after its first is a session: Tuesday, Tuesday, Friday.
pub const SNAPSHOTS: &str = "\
snapshot_date,rank,name,symbol,market_cap_usd,price_usd,circulating_supply,volume_24h_usd
2022-01-03,1,Bitcoin,BTC,800,40000,0.02,1
2022-01-03,2,Ethereum,ETH,400,3000,0.13,1
2022-01-03,3,XRP,XRP,300,0.8,375,1
2022-02-01,1,Bitcoin,BTC,800,40000,0.02,1
2022-02-01,2,XRP,XRP,450,0.8,562.5,1
2022-02-01,3,Ethereum,ETH,400,3000,0.13,1
2022-03-01,1,Bitcoin,BTC,900,40000,0.0225,1
2022-03-01,2,XRP,XRP,450,0.8,562.5,1
2022-03-01,3,Ethereum,ETH,400,3000,0.13,1
2022-04-01,1,Ethereum,ETH,999,3000,0.333,1
2022-04-01,2,Bitcoin,BTC,900,40000,0.0225,1
2022-04-01,3,XRP,XRP,450,0.8,562.5,1
";

/// Closes that move by up to a tenth a day, each coin in its own rhythm.
pub fn closes() -> String {
    let mut text = "date,symbol,close\n".to_owned();
    let days =
        [(1, 31), (2, 28), (3, 31), (4, 30)].map(|(month, days)| (1..=days).map(move |day| (month, day)));
    for (number, (month, day)) in days.into_iter().flatten().enumerate() {
        let number = number as f64;
        for (symbol, start, speed) in [("BTC", 40_000.0, 0.9), ("ETH", 3_000.0, 1.7), ("XRP", 0.8, 2.6)] {
            let close = start * (1.0 + 0.3 * (number * speed / 9.0).sin() + number / 300.0);
            writeln!(text, "2022-{month:02}-{day:02},{symbol},{close:.6}").unwrap();
        }
    }
    text
}

/// The large-cap fund following that index.
pub fn fund(cost_bps: &str, annual: &str) -> String {
    let text = std::fs::read_to_string(repository().join("funds/large-cap.toml")).unwrap();
    let text = text
        .replace("2020-01-02", "2022-01-03")
        .replace("definition = \"large-cap\"", "definition = \"two\"");
    let text = text.replace("bps = \"10\"", &format!("bps = \"{cost_bps}\""));
    text.replace("annual = \"0.0075\"", &format!("annual = \"{annual}\""))
}

/// A room with all of it.
pub fn room(cost_bps: &str, annual: &str) -> Room {
    let room = Room::new();
    room.write("fund.toml", &fund(cost_bps, annual));
    room.write("two.toml", INDEX);
    room.write("snapshots.csv", SNAPSHOTS);
    room.write("closes.csv", &closes());
    room
}

/// The fund's whole life.
pub const RUN: &str = "backtest fund.toml --index two.toml --market snapshots.csv --market closes.csv --to 2022-04-29 --out out --json";
