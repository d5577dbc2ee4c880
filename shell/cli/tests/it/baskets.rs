//! Funds that follow an index: on a small market made here, where fund and index have to agree to the last digits, and on
//! the real one where its files are at hand.

use crate::exact::exact;
use crate::harness::{Database, Ran, Room, csv_rows, repository, shared};
use crate::small_market::{INDEX, RUN, fund, room};
use serde_json::Value;
use std::fmt::Write;

fn number(value: &Value) -> f64 {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn without_fee_and_cost_the_fund_is_the_index() {
    let room = room("0", "0");
    let summary = room.run(RUN).json();
    let levels = room.run(
        "index --definition two.toml --market snapshots.csv --market closes.csv --to 2022-04-29 --out index --json",
    );
    levels.json();
    let navs = csv_rows(&room.read("out/nav.csv"));
    let levels = csv_rows(&room.read("index/levels.csv"));
    let level = |date: &str| -> f64 {
        levels.iter().find(|row| row["date"] == date).unwrap()["level"].parse().unwrap()
    };
    let nav = |row: &std::collections::BTreeMap<String, String>| row["nav_per_share"].parse::<f64>().unwrap();
    assert_eq!(navs.len(), 82);
    for row in &navs {
        let (fund, index) = (nav(row) / nav(&navs[0]), level(&row["date"]) / level("2022-01-03"));
        // Ten million dollars: a cent a trade is 10^-9 of it.
        assert!((fund / index - 1.0).abs() < 2e-8, "{}: {fund} and {index}", row["date"]);
    }
    assert_eq!(summary["basket"]["rebalances"], 3);
    assert_eq!(csv_rows(&room.read("out/rebalances.csv")).len(), 3);
    assert!(room.read("out/report.html").contains("Every rebalance"));
}

#[test]
fn with_fee_and_cost_the_difference_is_theirs() {
    let room = room("25", "0.0075");
    let basket = room.run(RUN).json()["basket"].clone();
    let tracking = &basket["tracking"];
    let part = |name: &str| 1.0 + number(&tracking[name]);
    assert!((part("fee") - 0.9977).abs() < 2e-4, "{}", part("fee"));
    // The cost that the log has, over what the fund was worth.
    let rows = csv_rows(&room.read("out/rebalances.csv"));
    let cell =
        |row: &std::collections::BTreeMap<String, String>, name: &str| row[name].parse::<f64>().unwrap();
    let kept: f64 = rows.iter().map(|row| 1.0 - cell(row, "cost") / cell(row, "net_assets")).product();
    assert!((part("cost") - kept).abs() < 1e-12);
    for row in &rows {
        let traded = cell(row, "sold") + cell(row, "bought");
        assert!((cell(row, "cost") - 0.0025 * traded).abs() <= 0.011, "{row:?}");
    }
    assert!((part("later_sessions") - 1.0).abs() < 1e-9);
    assert!((part("rest") - 1.0).abs() < 5e-4, "{}", part("rest"));
    let product = part("index") * part("fee") * part("cost") * part("later_sessions") * part("rest");
    assert!((product - part("fund")).abs() < 1e-12);
}

#[test]
fn what_each_asset_brought_less_fee_and_cost_is_the_change_in_net_assets() {
    let room = room("25", "0.0075");
    let summary = room.run(RUN).json();
    let gains: f64 =
        summary["basket"]["contributions"].as_array().unwrap().iter().map(|row| number(&row["gain"])).sum();
    let navs = csv_rows(&room.read("out/nav.csv"));
    let fees: f64 = navs.iter().map(|row| row["fee"].parse::<f64>().unwrap()).sum();
    let end: f64 = navs.last().unwrap()["net_assets"].parse().unwrap();
    let change = gains - fees - number(&summary["basket"]["cost"]);
    assert!((change - (end - 10_000_000.0)).abs() < 0.05, "{change} and {end}");
}

#[test]
fn the_same_run_in_a_database_has_its_rebalances_in_a_table() {
    let room = room("25", "0.0075");
    room.run(&format!("{RUN} --keep kept.db")).json();
    let rows = rusqlite::Connection::open(room.file("kept.db")).unwrap();
    let count: (i64, i64) = rows
        .query_row("SELECT count(DISTINCT seq), count(*) FROM rebalances", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(count.0, 3);
    assert!(count.1 >= 6, "{count:?}");
    let cost: String = rows
        .query_row("SELECT balance FROM balances WHERE account = 'rebalance-cost'", [], |row| row.get(0))
        .unwrap();
    let summary: Value = serde_json::from_str(&room.read("out/summary.json")).unwrap();
    assert_eq!(number(&summary["basket"]["cost"]), cost.parse::<f64>().unwrap());
}

#[test]
fn postgres_keeps_the_same_rebalances() {
    let Some(database) = Database::fresh() else { return };
    let room = room("25", "0.0075");
    room.run(&format!("{RUN} --keep {}", database.url())).json();
    let mut client = postgres::Client::connect(&database.url(), postgres::NoTls).unwrap();
    let row = client
        .query_one(
            "SELECT count(DISTINCT seq), sum(CASE side WHEN 'sold' THEN value END)::text,
             sum(CASE side WHEN 'bought' THEN value END)::text FROM rebalances",
            &[],
        )
        .unwrap();
    let rows = csv_rows(&room.read("out/rebalances.csv"));
    let sum =
        |name: &str| rows.iter().map(|row| exact(&row[name])).fold(exact("0"), |sum, value| sum + value);
    let count: i64 = row.get(0);
    assert_eq!(count, 3);
    assert_eq!((exact(row.get(1)), exact(row.get(2))), (sum("sold"), sum("bought")));
}

#[test]
fn a_basket_and_its_files_have_to_agree() {
    let room = room("0", "0");
    let rest = "--to 2022-04-29 --out out --json";
    let files = "--market snapshots.csv --market closes.csv";
    let check = |line: String, code: &str| {
        room.run(&line).refused(3, code);
    };
    check(format!("backtest fund.toml --prices closes.csv {rest}"), "backtest.basket_must_be_given_a_market");
    check(format!("backtest fund.toml {files} {rest}"), "index.must_exist");
    room.write("three.toml", &INDEX.replace("\"two\"", "\"three\""));
    check(
        format!("backtest fund.toml --index three.toml {files} {rest}"),
        "backtest.index_must_be_the_one_followed",
    );
    let bitcoin = repository().join("funds/bitcoin.toml");
    let late = "--to 2024-04-29 --out out --json";
    check(
        format!("backtest '{}' {files} {late}", bitcoin.display()),
        "backtest.market_must_go_with_a_basket",
    );
    let xrp = "[[asset]]\nsymbol = \"XRP\"\nname = \"XRP\"\nscale = 6\n\n";
    assert!(fund("0", "0").contains(xrp));
    room.write("fund.toml", &fund("0", "0").replace(xrp, ""));
    check(
        format!("backtest fund.toml --index two.toml {files} {rest}"),
        "backtest.member_must_be_in_definition",
    );
    room.write("fund.toml", &fund("0", "0").replace("2022-01-03", "2021-12-31"));
    check(
        format!("backtest fund.toml --index two.toml {files} {rest}"),
        "backtest.index_must_cover_the_seed",
    );
}

#[test]
fn a_basket_is_opened_and_rebalanced_by_hand() {
    let room = room("10", "0.0075");
    let at = |time: &str| format!("--at 2022-01-03T{time}Z");
    room.run(&format!(
        "fund open fund.toml --seed-price BTC=40000 --seed-price ETH=3000 --seed-weight BTC=0.75 --seed-weight ETH=0.25 {}",
        at("21:01:00")
    ))
    .done();
    let terms = "--weight BTC=0.5 --weight XRP=0.5 --price BTC=40000 --price ETH=3000 --price XRP=0.8";
    let shown = room.run(&format!("rebalance show {terms} --json")).json();
    let trade = format!("rebalance trade {terms} --reason 'index of January' {} --json", at("21:02:00"));
    room.run(&trade).refused(1, "custody.must_cover_the_movement");
    for (asset, quantity) in shown["sold"].as_object().unwrap() {
        let quantity = quantity.as_str().unwrap();
        let moved = format!("--from vault --to trading --asset {asset} --quantity {quantity}");
        room.run(&format!("custody transfer {moved} {}", at("21:02:00"))).done();
    }
    room.run(&trade).json();
    let said =
        room.run(&format!("rebalance trade {terms} --reason 'index of January' {}", at("21:03:00"))).done();
    assert!(said.contains("already done"), "{said}");
    let basket = room.run("basket --json").json().to_string();
    assert!(basket.contains("XRP") && !basket.contains("ETH"), "{basket}");
    let other = trade.replace("BTC=0.5", "BTC=0.4").replace("XRP=0.5", "XRP=0.6");
    room.run(&other).refused(1, "rebalance.must_not_be_done_twice");
}

fn real(fund: &str, files: &[&str], change: impl Fn(String) -> String) -> Option<(Room, Ran)> {
    real_to("2023-12-31", fund, files, change)
}

fn real_to(day: &str, fund: &str, files: &[&str], change: impl Fn(String) -> String) -> Option<(Room, Ran)> {
    let room = Room::new();
    let text = std::fs::read_to_string(repository().join("funds").join(fund)).unwrap();
    room.write("fund.toml", &change(text));
    let mut line = format!("backtest fund.toml --to {day} --out out --json");
    for file in files {
        write!(line, " --market '{}'", shared(&format!("data/market/{file}"))?.display()).unwrap();
    }
    let ran = room.run(&line);
    Some((room, ran))
}

const CAPS: &str = "cmc_monthly_top200.csv";
const DAILY: &str = "yahoo_24coins_daily_2014_2024.csv";
const MORE: &str = "coinbase_usd_daily_ohlcv.csv";

#[test]
fn the_five_largest_are_followed_for_four_years_in_48_of_48_months() {
    let Some((room, ran)) = real("large-cap.toml", &[CAPS, DAILY], |text| text) else { return };
    let summary = ran.json();
    let basket = &summary["basket"];
    assert_eq!(
        (&summary["strikes"], &basket["formed"], &basket["rebalances"]),
        (&1005.into(), &48.into(), &47.into())
    );
    let page = room.read("out/report.html");
    for passed_over in ["BSV", "LUNA"] {
        assert!(page.contains(passed_over), "{passed_over} was passed over, and the page says so");
    }
    let statement: Value = serde_json::from_str(&room.read("out/statement.json")).unwrap();
    let rolled = statement["roll_forwards"].as_array().unwrap();
    assert_eq!(rolled.len(), 11);
    assert!(rolled.iter().all(|asset| asset["foots"] == true));
    let weights = csv_rows(&room.read("out/weights.csv"));
    let held = weights.iter().filter(|row| row["date"] == "2023-12-29").count();
    assert_eq!(held, 5);
}

#[test]
fn without_fee_and_cost_four_years_differ_from_the_index_by_weekends_only() {
    let free = |text: String| {
        text.replace("annual = \"0.0075\"", "annual = \"0\"").replace("bps = \"10\"", "bps = \"0\"")
    };
    let Some((_room, ran)) = real("large-cap.toml", &[CAPS, DAILY], free) else { return };
    let tracking = ran.json()["basket"]["tracking"].clone();
    assert!(number(&tracking["rest"]).abs() < 1e-7, "{tracking}");
    assert!(number(&tracking["later_sessions"]).abs() < 1e-3, "{tracking}");
}

#[test]
fn a_theme_with_a_cap_is_followed_too() {
    let Some((_room, ran)) = real("smart-contract-platforms.toml", &[CAPS, DAILY, MORE], |text| text) else {
        return;
    };
    let summary = ran.json();
    assert_eq!((&summary["strikes"], &summary["basket"]["rebalances"]), (&794.into(), &37.into()));
    assert!(number(&summary["basket"]["tracking"]["rest"]).abs() < 1e-3);
}

#[test]
fn a_fund_of_monthly_prices_is_struck_monthly_and_the_report_says_so() {
    let free = |text: String| {
        text.replace("annual = \"0.0075\"", "annual = \"0\"").replace("bps = \"10\"", "bps = \"0\"")
    };
    let Some((room, ran)) = real_to("2023-12-01", "defi.toml", &[CAPS], free) else { return };
    let summary = ran.json();
    let basket = &summary["basket"];
    assert_eq!((&summary["strikes"], &basket["struck"]), (&37.into(), &"monthly".into()));
    assert_eq!((&basket["formed"], &basket["rebalances"]), (&13.into(), &37.into()));
    for part in ["later_sessions", "rest"] {
        assert!(number(&basket["tracking"][part]).abs() < 1e-7, "{basket}");
    }
    assert!(room.read("out/report.html").contains("struck monthly"));
}

#[test]
fn flows_of_a_rebalance_day_are_carried_and_the_fund_still_follows() {
    let room = room("0", "0");
    room.write(
        "flows.csv",
        "date,X\n2022-01-20,3.5\n2022-01-31,2.0\n2022-02-01,1.0\n2022-02-02,-1.5\n2022-03-01,-2.0\n2022-03-02,0.4\n",
    );
    let summary = room.run(&format!("{RUN} --flows flows.csv:X")).json();
    let flows = csv_rows(&room.read("out/flows.csv"));
    let shares = |date: &str| flows.iter().find(|row| row["date"] == date).unwrap()["shares"].clone();
    assert_eq!((shares("2022-02-01").as_str(), shares("2022-03-01").as_str()), ("0", "0"));
    assert_ne!(shares("2022-01-31"), "0");
    // Creations pay rounding in the fund's favour: cents and base units, nothing more.
    let rest = number(&summary["basket"]["tracking"]["rest"]);
    assert!(rest.abs() < 1e-6, "{rest}");
}

#[test]
fn correlations_and_falls_are_those_of_the_prices() {
    let room = room("0", "0");
    room.run(RUN).json();
    let navs = csv_rows(&room.read("out/nav.csv"));
    let sessions: Vec<&str> = navs.iter().map(|row| row["date"].as_str()).collect();
    let closes = csv_rows(&room.read("closes.csv"));
    let prices = |symbol: &str| -> Vec<f64> {
        let of = |date: &&str| {
            let row = closes.iter().find(|row| row["symbol"] == symbol && row["date"] == **date);
            row.unwrap()["close"].parse::<f64>().unwrap()
        };
        sessions.iter().map(of).collect()
    };
    let returns = |symbol| prices(symbol).windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect::<Vec<_>>();
    let rows = csv_rows(&room.read("out/correlations.csv"));
    assert_eq!(rows.len(), 3);
    for row in &rows {
        let (a, b) = (returns(&row["asset"]), returns(&row["with"]));
        let count = a.len() as f64;
        let sum = |values: &[f64]| values.iter().sum::<f64>();
        let products: f64 = a.iter().zip(&b).map(|(a, b)| a * b).sum();
        let squares = |values: &[f64]| values.iter().map(|value| value * value).sum::<f64>();
        let spread = |values: &[f64]| (count * squares(values) - sum(values).powi(2)).sqrt();
        let expected = (count * products - sum(&a) * sum(&b)) / (spread(&a) * spread(&b));
        assert!((row["correlation"].parse::<f64>().unwrap() - expected).abs() < 1e-9, "{row:?}: {expected}");
        assert_eq!(row["returns"], "81");
    }
    // Bitcoin is held throughout: its fall is that of its whole series.
    let falls = csv_rows(&room.read("out/falls.csv"));
    let bitcoin = falls.iter().find(|row| row["asset"] == "BTC").unwrap();
    let mut high = 0.0f64;
    let deepest = prices("BTC").into_iter().fold(0.0f64, |deepest, price| {
        high = high.max(price);
        deepest.max(1.0 - price / high)
    });
    assert!((bitcoin["depth"].parse::<f64>().unwrap() - deepest).abs() < 1e-12, "{bitcoin:?}: {deepest}");
    let report = room.read("out/report.html");
    assert!(report.contains("Correlation of returns") && report.contains("Below the last high"));
}
