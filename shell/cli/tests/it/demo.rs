//! The first thing a stranger runs: six simulated funds, their report, and the same again from the same seed.

use crate::harness::{Room, steps_aside};
use serde_json::Value;
use std::process::Command;

fn demo(room: &Room, options: &str) -> Value {
    room.run(&format!("demo --json {options}")).json()
}

fn without_paths(mut results: Value) -> Value {
    let object = results.as_object_mut().unwrap();
    assert!(object.remove("database").is_some() && object.remove("report").is_some());
    results
}

#[test]
fn it_runs_says_that_nothing_is_real_and_its_books_hold() {
    let room = Room::new();
    let said = room.run("demo --months 3 --out demo").done();
    assert!(
        said.starts_with("Simulated market, seed 7: no price, fund or participant in it is real."),
        "{said}"
    );
    for line in [
        "books balance                  yes",
        "reserve covers what is owed    yes",
        "log replays to the same bytes  yes",
    ] {
        assert!(said.contains(line), "{said}");
    }
    assert!(said.contains("strongroom fund status --database demo/demo.db --fund SIMBTC"), "{said}");
    room.run("fund status --database demo/demo.db --fund SIMBTC").done();
    let names = room.run("fund status --database demo/demo.db --json").error();
    assert!(
        names.1.contains("SIMBTC") && names.1.contains("SIMETH") && names.2.contains("--fund"),
        "{names:?}"
    );
    room.run("demo --out demo --json").refused(3, "demo.database_must_be_new");
}

#[test]
fn a_seed_is_a_market() {
    let room = Room::new();
    let one = demo(&room, "--months 3 --seed 42 --out one");
    for fund in one["funds"].as_array().unwrap() {
        for flag in ["books_balance", "reserve_covers", "replay_is_identical"] {
            assert_eq!(fund[flag], true, "{flag} of {fund}");
        }
        assert!(fund["orders"].as_u64().unwrap() > 10 && fund["records"].as_u64().unwrap() > 100, "{fund}");
    }
    assert_eq!(one["simulated"], true);
    let again = demo(&room, "--months 3 --seed 42 --out two");
    assert_eq!(room.read("one/report.html"), room.read("two/report.html"));
    assert_eq!(without_paths(one.clone()), without_paths(again));
    let other = demo(&room, "--months 3 --seed 43 --out three");
    assert_ne!(without_paths(one), without_paths(other));
}

#[test]
fn without_a_folder_it_makes_one_among_the_temporary_files() {
    let room = Room::new();
    let results = demo(&room, "--months 1");
    let report = std::path::PathBuf::from(results["report"].as_str().unwrap());
    assert!(report.starts_with(std::env::temp_dir()) && report.exists(), "{results}");
    std::fs::remove_dir_all(report.parent().unwrap()).unwrap();
}

#[test]
fn a_staked_fund_pays_its_holders_and_a_premium_stays_while_creations_are_suspended() {
    let room = Room::new();
    demo(&room, "--months 4 --out demo");
    let rows = rusqlite::Connection::open(room.file("demo/demo.db")).unwrap();
    let of = |query: &str| -> i64 { rows.query_row(query, [], |row| row.get(0)).unwrap() };
    assert_eq!(of("SELECT count(*) FROM distributions WHERE fund = 'SIMSTK' AND stage = 'paid'"), 4);
    assert_eq!(of("SELECT count(*) FROM distributions WHERE fund <> 'SIMSTK'"), 0);
    let tied = "SELECT count(*) FROM distributions JOIN distribution_holders USING (fund, distribution_id)
                WHERE distributions.shares = distribution_holders.shares";
    assert_eq!(of(tied), 4, "one nominee holds every share");
    let report = room.read("demo/report.html");
    let (_, suspended) = report.split_once("SIMSTK: Suspensions").unwrap();
    let (_, row) = suspended
        .split_once("the sponsor&#39;s cap is reached")
        .or(suspended.split_once("cap is reached"))
        .unwrap();
    let percent: String = row.chars().skip_while(|c| !c.is_ascii_digit()).take_while(|c| *c != ' ').collect();
    let percent: f64 = percent.trim_end_matches('%').parse().unwrap();
    assert!((1.0..3.0).contains(&percent), "a premium of {percent} % meanwhile");
}

#[test]
fn a_fee_in_coins_is_shown_in_coins() {
    let room = Room::new();
    demo(&room, "--months 3 --out demo");
    let report = room.read("demo/report.html");
    assert!(report.contains("Ether accrued for the sponsor fee and unpaid"));
    // Each chart's title is there as often as the other's for each fund that has it: five accrue in money, one in coins.
    let count = |title: &str| report.matches(title).count();
    assert_eq!(
        count("Sponsor fee accrued and unpaid"),
        5 * count("Ether accrued for the sponsor fee and unpaid")
    );
    assert_eq!(count("Bitcoin accrued for the sponsor fee"), 0);
    let due = room.run("fee due --database demo/demo.db --fund SIMETH --json").json();
    assert!(due.get("due").is_none() && due["coins"]["ETH"].is_string(), "{due}");
    let said = room.run("fee due --database demo/demo.db --fund SIMETH").done();
    assert!(
        said.starts_with("due  ") && said.trim_end().ends_with("ETH") && said.lines().count() == 1,
        "{said}"
    );
}

#[test]
fn the_basket_follows_its_index_and_takes_orders_with_cash_in_lieu() {
    let room = Room::new();
    let results = demo(&room, "--months 6 --out demo");
    let funds = results["funds"].as_array().unwrap();
    assert_eq!(funds.len(), 6);
    let basket = &funds[2];
    assert_eq!((&basket["fund"], &basket["rebalances"]), (&Value::from("SIMTOP"), &Value::from(5)));
    assert_eq!(basket["coins"].as_object().unwrap().len(), 4, "{basket}");
    let rows = rusqlite::Connection::open(room.file("demo/demo.db")).unwrap();
    let of = |query: &str| -> i64 { rows.query_row(query, [], |row| row.get(0)).unwrap() };
    let traded =
        "SELECT count(*) FROM orders WHERE fund = 'SIMTOP' AND method = 'in-kind' AND status = 'settled'";
    assert!(of(traded) > 3);
    assert_eq!(of(&format!("{traded} AND cash_due IS NULL")), 0, "cash stands in for one coin of each order");
    let unpriced = "SELECT count(*) FROM order_assets JOIN orders USING (fund, order_id) WHERE status = 'settled' AND execution_price IS NULL";
    assert_eq!(of(unpriced), 0, "every coin was traded or delivered at a price");
    let report = room.read("demo/report.html");
    for heading in ["SIMTOP: Following the index", "SIMTOP: Weights", "SIMTOP: Rebalances"] {
        assert!(report.contains(heading), "{heading}");
    }
}

#[test]
fn a_leveraged_and_an_inverse_fund_live_beside_the_fund_that_holds_the_coin() {
    let room = Room::new();
    let results = demo(&room, "--months 6 --out demo");
    let fund = |name: &str| {
        let funds = results["funds"].as_array().unwrap();
        funds.iter().find(|fund| fund["fund"] == name).unwrap_or_else(|| panic!("no {name}")).clone()
    };
    let number = |value: &Value| value.as_str().unwrap().parse::<f64>().unwrap();
    for (name, factor) in [("SIM2X", 2.0), ("SIMINV", -1.0)] {
        let fund = fund(name);
        for flag in ["books_balance", "reserve_covers", "replay_is_identical"] {
            assert_eq!(fund[flag], true, "{flag} of {fund}");
        }
        // Orders dealt at the last strike are in the exposure and not in its net assets.
        let ratio = number(&fund["exposure"]) / number(&fund["net_assets"]);
        assert!((ratio / factor - 1.0).abs() < 0.35, "{fund}");
        assert!(fund["orders"].as_u64().unwrap() > 10);
    }
    // One market: what doubles and what mirrors it cannot both have risen against its direction.
    let returned = |name: &str| fund(name)["total_return"].as_f64().unwrap();
    assert!((returned("SIM2X") - returned("SIMINV")) * returned("SIMBTC") > 0.0, "{results}");
    let report = room.read("demo/report.html");
    for heading in ["SIM2X: The multiple over the period", "SIMINV: Cost of each source"] {
        assert!(report.contains(heading), "{heading}");
    }
}

#[test]
fn the_report_reads_offline_and_a_browser_draws_it() {
    let room = Room::new();
    demo(&room, "--months 3 --out demo");
    let report = room.read("demo/report.html");
    let lower = report.to_ascii_lowercase();
    for outside in ["http://", "https://", "<script", "<link", "@import", "url(", "javascript:"] {
        let found = lower.match_indices(outside).map(|(at, _)| &report[at..(at + 80).min(report.len())]);
        // The name of the SVG language is no link.
        let found: Vec<_> = found.filter(|text| !text.starts_with("http://www.w3.org/2000/svg")).collect();
        assert!(found.is_empty(), "{outside}: {found:?}");
    }
    assert!(report.contains("Simulated market, seed 7"), "the page does not say that it is simulated");
    draw(&room);
}

fn draw(room: &Room) {
    let flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
                 --disable-component-update --disable-sync --window-size=1000,3000";
    let run = |last: &str| {
        Command::new("chromium")
            .args(flags.split_whitespace())
            .arg(format!("--user-data-dir={}", room.file("profile").display()))
            .args(last.split_whitespace())
            .arg(format!("file://{}", room.file("demo/report.html").display()))
            .output()
    };
    let picture = room.file("report.png");
    let Ok(output) = run(&format!("--screenshot={}", picture.display())) else {
        steps_aside("chromium is not installed");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let bytes = std::fs::read(&picture).unwrap();
    assert!(bytes.starts_with(b"\x89PNG") && bytes.len() > 40_000, "{} bytes", bytes.len());
}
