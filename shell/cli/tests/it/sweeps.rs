//! One fund under many rules: every run is the very run that the rules alone would give.

use crate::harness::{Room, csv_rows, definition};
use crate::small_market::{RUN, room};
use serde_json::Value;

const SWEEP: &str =
    "backtest fund.toml --index two.toml --market snapshots.csv --market closes.csv --to 2022-04-29 --json";

fn sweep(room: &Room, keys: &str) -> Value {
    room.run(&format!("{SWEEP} {keys}")).json()
}

#[test]
fn every_run_of_a_sweep_is_the_run_of_those_rules_alone() {
    let swept = sweep(&room("25", "0.0075"), "--sweep cost_bps=0,25 --sweep fee_bps=0,75");
    let runs = swept["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 4);
    for run in runs {
        let parameter = |key: &str| run["parameters"][key].as_str().unwrap();
        let annual = if parameter("fee_bps") == "0" { "0" } else { "0.0075" };
        let alone = room(parameter("cost_bps"), annual).run(RUN).json();
        let (performance, basket) = (&alone["performance"], &alone["basket"]);
        for (ours, theirs) in [
            ("total_return", &performance["total_return"]),
            ("tracking_difference", &performance["tracking_difference"]),
            ("tracking_error", &performance["tracking_error"]["value"]),
            ("volatility", &performance["volatility"]["value"]),
            ("max_drawdown", &performance["max_drawdown"]["depth"]),
            ("turnover", &basket["turnover"]),
            ("cost", &basket["cost"]),
        ] {
            assert_eq!(&run[ours], theirs, "{ours} of {}", run["parameters"]);
        }
    }
}

#[test]
fn rules_of_the_index_are_swept_in_every_combination() {
    let swept =
        sweep(&room("0", "0"), "--sweep weighting=cap,equal,sqrt --sweep top=2,3 --sweep cap=none,0.6");
    let runs = swept["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 12);
    let growth: Vec<f64> = runs.iter().map(|run| run["total_return"].as_f64().unwrap()).collect();
    let of = |wanted: [&str; 3]| {
        let found = runs.iter().position(|run| {
            let of = |key: &str| run["parameters"][key].as_str().unwrap();
            [of("weighting"), of("top"), of("cap")] == wanted
        });
        growth[found.unwrap()]
    };
    // Two members of equal weight are below any cap of 0.6; by market capitalisation the first is above it.
    assert_eq!(of(["equal", "2", "none"]), of(["equal", "2", "0.6"]));
    assert_ne!(of(["cap", "2", "none"]), of(["cap", "2", "0.6"]));
    assert_ne!(of(["equal", "2", "none"]), of(["equal", "3", "none"]));
    assert_ne!(of(["cap", "2", "none"]), of(["sqrt", "2", "none"]));
    // Without fee and cost a fund is its index, whatever the rules.
    for run in runs {
        assert!(run["tracking_difference"].as_f64().unwrap().abs() < 1e-6, "{run}");
    }
}

#[test]
fn a_sweep_writes_a_table_and_a_page_with_pictures() {
    let room = room("10", "0.0075");
    let swept = sweep(&room, "--sweep weighting=cap,equal --sweep cost_bps=0..50:10 --out swept");
    let rows = csv_rows(&room.read("swept/sweep.csv"));
    assert_eq!(rows.len(), 12);
    assert_eq!(swept["parameters"][1]["values"], serde_json::json!(["0", "10", "20", "30", "40", "50"]));
    assert_eq!(rows[1]["parameters"], "cost_bps=10 weighting=cap");
    let page = room.read("swept/sweep.html");
    assert_eq!(page.matches("class=\"point\"").count(), 12);
    assert_eq!(
        page.matches("class=\"cell").count(),
        2 * 12 + 2 * 12,
        "two heat tables, each value beside its cell"
    );
    assert!(room.read("swept/sweep.json").contains("\"tracking_error\""));
    let said = room.run(&format!("{} --sweep cost_bps=0,10", SWEEP.replace(" --json", ""))).done();
    assert!(said.contains("cost_bps  total return  annualised"), "{said}");
}

#[test]
fn a_run_that_cannot_be_done_is_a_row_and_no_success() {
    let room = room("10", "0.0075");
    let ran = room.run(&format!("{SWEEP} --sweep top=2,4"));
    let message = ran.refused(1, "sweep.every_run_must_be_done");
    assert!(message.starts_with("1 of 2 runs were not done"), "{message}");
    let swept: Value = serde_json::from_str(&ran.out).unwrap();
    assert!(swept["runs"][0]["total_return"].is_number());
    assert_eq!(swept["runs"][1]["refused"]["code"], "index.must_have_enough_members");
}

#[test]
fn a_fund_of_one_asset_sweeps_what_it_has() {
    let room = room("0", "0");
    let closes: String =
        room.read("closes.csv").lines().filter(|line| !line.contains("ETH")).collect::<Vec<_>>().join("\n");
    room.write("closes.csv", &closes.replace("2022-", "2024-"));
    let fund = definition("bitcoin.toml");
    let line = format!("backtest {fund} --prices closes.csv --to 2024-02-28 --json");
    let swept = room.run(&format!("{line} --sweep fee_bps=0..50:25 --sweep price_at=strike,close")).json();
    let runs = swept["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 6);
    let tracking = |at: usize| runs[at]["tracking_difference"].as_f64().unwrap();
    assert!(tracking(0).abs() < 1e-9 && tracking(2) < -1e-4 && tracking(4) < tracking(2), "{runs:?}");
    room.run(&format!("{line} --sweep weighting=cap")).refused(2, "sweep.key_must_apply_to_the_fund");
}

#[test]
fn wrong_sweeps_are_refused_before_anything_is_read() {
    let room = Room::new();
    let check = |sweep: &str, code: &str| {
        let line = format!("backtest none.toml --prices none.csv --to 2024-04-30 --json {sweep}");
        room.run(&line).refused(2, code);
    };
    check("--sweep colour=red", "sweep.key_must_be_known");
    check("--sweep weighting=wealth", "sweep.value_must_be_known");
    check("--sweep fee_bps=1..0", "sweep.range_must_be_a_range");
    check("--sweep fee_bps=0..900:1 --sweep cost_bps=0..20", "sweep.must_be_bounded");
    check("--sweep fee_bps=1 --sweep fee_bps=2", "sweep.key_must_be_given_once");
    check("--sweep fee_bps=1 --keep kept.db", "command_line.must_be_valid");
}
