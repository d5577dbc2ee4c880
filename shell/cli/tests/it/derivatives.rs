//! Leveraged and inverse funds: by hand, over a past of our own, and beside real funds on real prices and funding.

use crate::harness::{Room, csv_rows, definition, shared};
use serde_json::Value;

const PRICES: &str = "date,close\n2022-11-04,20000\n2022-11-05,20000\n2022-11-06,20000\n2022-11-07,20000\n2022-11-08,20600\n\
2022-11-09,8500\n2022-11-10,8600\n2022-11-11,8700\n2022-11-14,8800\n2022-11-15,8900\n";
const FUNDING: &str = "time_utc,funding_rate\n2022-11-07T16:00:00Z,0.01\n2022-11-08T00:00:00Z,0.0001\n\
2022-11-08T08:00:00Z,0.0001\n2022-11-08T16:00:00Z,-0.00005\n2022-11-09T00:00:00Z,0.0001\n";

fn opened() -> Room {
    let room = Room::new();
    room.write("rates.csv", PRICES);
    room.write("funding.csv", FUNDING);
    let open = format!(
        "fund open '{}' --seed-price BTC=20000 --at 2022-11-07T21:30:00Z",
        definition("bitcoin-2x.toml")
    );
    room.run(&open).done();
    room
}

fn exposed() -> Room {
    let room = opened();
    room.run("exposure reset --reason first --at 2022-11-07T21:45:00Z").done();
    room
}

fn struck() -> Room {
    let room = exposed();
    room.run("prices import rates.csv --at 2022-11-08T21:30:00Z").done();
    room.run("funding record --file funding.csv --at 2022-11-08T21:32:00Z").done();
    room.run("nav strike --at 2022-11-08T21:35:00Z").done();
    room
}

#[test]
fn a_desk_runs_a_leveraged_fund_by_hand() {
    let room = opened();
    let first = room.run("exposure reset --reason first --at 2022-11-07T21:45:00Z").done();
    assert_eq!(
        first.trim(),
        "0 contracts before, 1000000 after: 20,000,000.00 USD of exposure, at a cost of 4,000.00 USD; 5,004,000.00 USD moved to \
         margin"
    );
    room.run("prices import rates.csv --at 2022-11-08T21:30:00Z").done();
    // Of the file what fell due since the trade, on 20m: 1 + 1 − 0.5 basis points.
    let funding = room.run("funding record --file funding.csv --at 2022-11-08T21:32:00Z").done();
    assert_eq!(funding.trim(), "3 rates recorded, 3,000.00 USD paid");
    let again = "funding record --rate 2022-11-08T08:00:00Z=0.0001 --at 2022-11-08T21:33:00Z";
    assert_eq!(room.run(again).done().trim(), "already done: nothing changed");
    room.run("nav strike --at 2022-11-08T21:35:00Z").done();
    let shown = room.run("exposure show --json").json();
    assert_eq!((&shown["contracts"], &shown["exposure"]), (&1_000_000.into(), &"20600000".into()));
    room.run("exposure reset --price 20605 --reason daily --at 2022-11-08T21:45:00Z").done();
    room.run("margin post --amount 1000.00 --at 2022-11-08T21:50:00Z").done();
    room.run("margin withdraw --amount 1000.00 --at 2022-11-08T21:51:00Z").done();
    let shown = room.run("exposure show --json").json();
    let number = |name: &str| shown[name].as_str().unwrap().parse::<f64>().unwrap();
    assert!((number("exposure") / number("net_assets") - 2.0).abs() < 1e-3, "{shown}");
    for line in ["fund status", "exposure show", "basket", "statement", "nav list", "fund list"] {
        room.run(line).done();
    }
    let rows = rusqlite::Connection::open(room.file(&room.database)).unwrap();
    let of = |query: &str| -> i64 { rows.query_row(query, [], |row| row.get(0)).unwrap() };
    assert_eq!(of("SELECT count(*) FROM funding_rates"), 3);
    assert_eq!(of("SELECT contracts FROM positions"), shown["contracts"].as_i64().unwrap());
    assert_eq!(of("SELECT count(*) FROM position_events WHERE event = 'exposure-reset'"), 2);
    assert_eq!(of("SELECT count(*) FROM position_events_view WHERE funding = 3000"), 1);
}

#[test]
fn what_a_desk_must_not_do_is_refused_by_name_and_changes_nothing() {
    let room = struck();
    let before = room.status();
    for (line, code) in [
        ("funding record --rate 2022-11-09T08:00:00Z=0.0001", "funding.must_not_be_from_the_future"),
        ("funding record --rate 2022-11-08T08:00:00Z=0.0002", "funding.must_not_change_silently"),
        ("funding record --rate 2022-11-08T20:00:00Z=1.5", "funding.must_be_a_fraction"),
        ("funding record --rate 2022-11-07T16:00:00Z=0.0001", "funding.must_precede_the_trade"),
        ("funding record --rate 2022-11-08T12:00:00Z=0.0001", "funding.must_be_in_order"),
        ("exposure reset --date 2022-11-07T --reason x", "command_line.must_be_valid"),
        ("exposure reset --date 2022-11-09 --reason x", "exposure.must_follow_the_last_strike"),
        ("exposure reset --price 0 --reason x", "exposure.price_must_be_positive"),
        ("exposure roll", "futures.must_be_held_to_be_rolled"),
        ("margin post --amount 99000000", "cash.must_cover_the_payment"),
        ("margin post --amount 0", "amount.must_be_positive"),
        ("margin withdraw --amount 4000000", "margin.must_cover_the_position"),
    ] {
        let ran = room.run(&format!("{line} --json --at 2022-11-08T21:40:00Z"));
        let exit = if code.starts_with("command_line") { 2 } else { 1 };
        ran.refused(exit, code);
        assert_eq!(before, room.status(), "{line}: something changed");
    }
    let room = Room::new();
    let open = format!(
        "fund open '{}' --seed-price BTC=44162.69 --at 2024-01-05T21:30:00Z",
        definition("bitcoin.toml")
    );
    room.run(&open).done();
    room.run("exposure show --json").refused(1, "exposure.must_be_of_derivatives");
    room.run("margin post --amount 1 --json --at 2024-01-05T22:00:00Z")
        .refused(1, "exposure.must_be_of_derivatives");
}

#[test]
fn a_fund_that_is_wiped_out_says_so_everywhere_and_stops() {
    let room = exposed();
    room.run("prices import rates.csv --at 2022-11-08T21:30:00Z").done();
    room.run("nav strike --at 2022-11-08T21:35:00Z").done();
    room.run("prices import rates.csv --at 2022-11-09T21:30:00Z").done();
    room.run("nav strike --accept-price checked --at 2022-11-09T21:35:00Z").done();
    let shown = room.run("exposure show").done();
    assert!(shown.contains("WIPED OUT   2022-11-09"), "{shown}");
    assert!(room.run("fund list").done().contains("wiped out"));
    room.run("nav strike --json --at 2022-11-10T21:35:00Z").refused(1, "fund.must_not_be_wiped_out");
    let order =
        "order submit --id A --participant P --side creation --baskets 1 --trade-date 2022-11-10 --json";
    room.run(&format!("{order} --at 2022-11-10T15:00:00Z")).refused(1, "fund.must_not_be_wiped_out");
    let rows = rusqlite::Connection::open(room.file(&room.database)).unwrap();
    let status: String = rows.query_row("SELECT status FROM funds", [], |row| row.get(0)).unwrap();
    assert_eq!(status, "wiped out");
    // In a backtest too, which ends as it should.
    let run = room.run(&format!(
        "backtest '{}' --prices rates.csv --price-at close --funding funding.csv --accept-price checked --to 2022-11-15 --out out",
        definition("bitcoin-2x.toml")
    ));
    let said = run.done();
    assert!(said.contains("WIPED OUT") && said.contains("on 2022-11-09"), "{said}");
    assert!(room.read("out/report.html").contains("Wiped out on 2022-11-09"));
}

#[test]
fn what_a_backtest_of_derivatives_needs_is_asked_for() {
    let room = opened();
    let run = |fund: &str, options: &str| {
        room.run(&format!(
            "backtest '{}' --prices rates.csv --price-at close --to 2022-11-10 --out out --json {options}",
            definition(fund)
        ))
    };
    run("bitcoin-2x.toml", "").refused(3, "backtest.perpetual_must_be_given_funding");
    run("bitcoin-2x-futures.toml", "--funding funding.csv")
        .refused(3, "backtest.funding_must_go_with_a_perpetual");
    run("bitcoin.toml", "--beside rates.csv:BITX").refused(3, "backtest.beside_must_go_with_derivatives");
}

struct Files {
    closes: String,
    coins: String,
    funding: String,
}

fn files() -> Option<Files> {
    let text = |path: &str| shared(path).map(|path| path.display().to_string());
    Some(Files {
        closes: text("data/etf/etf_close_adj_daily.csv")?,
        coins: text("data/market/daily_close_btc_eth_sol_2024_2026.csv")?,
        funding: text("data/derivatives/binance_btcusdt_funding_8h.csv")?,
    })
}

/// A fund on closes of a spot or futures fund, beside a real fund of the same multiple.
fn beside(
    room: &Room,
    files: &Files,
    fund: &str,
    closes: &str,
    (from, to): (&str, &str),
    real: &str,
) -> (i32, Value) {
    let line = format!(
        "backtest '{}' --closes '{1}:{closes}' --seed-date {from} --to {to} --beside '{1}:{real}' --funding '{2}' --check --json \
         --out {real}-{closes}",
        definition(fund),
        files.closes,
        files.funding
    );
    let ran = room.run(&line);
    let json = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err));
    (ran.exit, json)
}

/// The rule of the judgement, from the figures and not from the program's verdict.
fn holds(json: &Value, factor: f64) -> (bool, bool, bool) {
    let exposure = &json["exposure"];
    let figure = |value: &Value| value.as_f64().unwrap();
    let fund = &exposure["beside"][0];
    let (slope, correlation) = (figure(&fund["slope"]), figure(&fund["correlation"]));
    let own = (figure(&exposure["own_beta"]) - factor).abs() <= 0.005;
    (own, (0.98..=1.02).contains(&slope), correlation >= 0.998)
}

#[test]
fn on_the_same_closes_real_leveraged_and_inverse_funds_move_as_ours_do() {
    let Some(files) = files() else { return };
    let room = Room::new();
    let since_ibit = ("2024-01-11", "2025-12-31");
    for (fund, factor, closes, period, real) in [
        ("bitcoin-2x.toml", 2.0, "IBIT", since_ibit, "BITX"),
        ("bitcoin-inverse.toml", -1.0, "IBIT", since_ibit, "BITI"),
        ("bitcoin-inverse-2x.toml", -2.0, "IBIT", ("2024-04-02", "2025-12-31"), "SBIT"),
        ("bitcoin-2x.toml", 2.0, "BITO", ("2023-06-27", "2023-12-29"), "BITX"),
        ("bitcoin-inverse.toml", -1.0, "BITO", ("2022-11-07", "2023-12-29"), "BITI"),
    ] {
        let (exit, json) = beside(&room, &files, fund, closes, period, real);
        assert_eq!(
            (exit, holds(&json, factor)),
            (0, (true, true, true)),
            "{real} on {closes}: {}",
            json["exposure"]["beside"]
        );
        assert!(json["exposure"]["beside"][0]["returns"].as_u64().unwrap() > 120);
        assert!(json["exposure"]["beside"][0]["funding_that_explains_it"].is_f64());
    }
}

#[test]
fn a_fund_that_is_reset_once_a_month_does_not() {
    let Some(files) = files() else { return };
    let room = Room::new();
    let period = ("2024-01-11", "2025-12-31");
    let (exit, json) = beside(&room, &files, "bitcoin-2x-monthly.toml", "IBIT", period, "BITX");
    let (_, _, correlates) = holds(&json, 2.0);
    assert_eq!((exit, correlates), (1, false), "{}", json["exposure"]["beside"]);
}

#[test]
fn on_coin_prices_of_another_hour_only_weeks_are_alike() {
    let Some(files) = files() else { return };
    let room = Room::new();
    for (fund, real) in [("bitcoin-2x.toml", "BITX"), ("bitcoin-inverse.toml", "BITI")] {
        let line = format!(
            "backtest '{}' --prices '{}' --price-at close --seed-date 2024-01-11 --to 2025-12-31 --beside '{}:{real}' --funding '{}' \
             --check --json --out {real}",
            definition(fund),
            files.coins,
            files.closes,
            files.funding
        );
        let json = room.run(&line).json();
        let fund = &json["exposure"]["beside"][0];
        let figure = |name: &str| fund[name].as_f64().unwrap();
        assert!(
            (0.95..=1.05).contains(&figure("weekly_slope")) && figure("weekly_correlation") >= 0.97,
            "{fund}"
        );
        assert!(figure("correlation") < 0.95, "of days they are not, as closes do not coincide: {fund}");
    }
}

#[test]
fn a_backtest_shows_exposure_drift_decay_and_the_cost_of_each_source() {
    let Some(files) = files() else { return };
    let room = Room::new();
    let period = ("2024-01-11", "2025-11-11");
    let (_, json) = beside(&room, &files, "bitcoin-2x.toml", "IBIT", period, "BITX");
    let exposure = &json["exposure"];
    let figure = |name: &str| exposure[name].as_f64().unwrap();
    // Before costs the days come to the period formula, to a per cent of what was there.
    let off = (1.0 + figure("return_before_costs")) / (1.0 + figure("estimated_fund_return")) - 1.0;
    assert!(off.abs() < 0.01, "{off}");
    assert!(figure("fund_return") < figure("return_before_costs"));
    let rows = csv_rows(&room.read("BITX-IBIT/exposure.csv"));
    assert_eq!(rows.len() as u64, json["strikes"].as_u64().unwrap() + 1);
    for row in &rows {
        let number = |name: &str| row[name].parse::<f64>().unwrap();
        let ratio = number("exposure_after") / number("net_assets");
        assert!((ratio - 2.0).abs() < 1e-3, "{row:?}");
    }
    let amounts = exposure["sources"].as_array().unwrap().iter();
    let amounts: Vec<&str> = amounts.map(|source| source["source"].as_str().unwrap()).collect();
    assert_eq!(
        amounts,
        [
            "derivatives",
            "collateral income",
            "funding",
            "financing",
            "trading at resets",
            "rolling",
            "sponsor fee"
        ]
    );
    let report = room.read("BITX-IBIT/report.html");
    for heading in [
        "The multiple over the period",
        "Exposure over net assets",
        "Cost of each source",
        "Beside real funds",
    ] {
        assert!(report.contains(heading), "{heading}");
    }
    assert!(room.read("BITX-IBIT/decay.svg").starts_with("<svg"));
}
