//! Estimates of a daily multiple on the command line.

use crate::harness::{Room, csv_rows};

#[test]
fn an_estimate_is_the_published_figure() {
    let room = Room::new();
    for (index_return, volatility, published) in
        [("0.10", "0.25", 13.7), ("-0.9", "1", -99.6), ("0", "0.75", -43.0), ("1.0", "0.10", 296.0)]
    {
        let line = format!(
            "leverage estimate --factor 2 --index-return {index_return} --volatility {volatility} --json"
        );
        let estimate = room.run(&line).json();
        let percent = estimate["estimated_fund_return"].as_f64().unwrap() * 100.0;
        assert!((percent - published).abs() <= 0.05 + 1e-9, "{line}: {percent}");
        assert_eq!(estimate["days"], 365);
    }
    let inverse = room.run("leverage estimate --factor -2 --index-return 0.10 --volatility 0.25").done();
    assert!(inverse.starts_with("estimated fund return       -31.5 %\n"), "{inverse}");
    let short =
        room.run("leverage estimate --factor 2 --index-return 0 --volatility 1 --days 182 --json").json();
    let lost = short["estimated_fund_return"].as_f64().unwrap();
    assert!((lost - ((-182.0_f64 / 365.0).exp() - 1.0)).abs() < 1e-12, "{lost}");
}

#[test]
fn a_table_has_every_cell_in_all_its_forms() {
    let room = Room::new();
    let shown = room.run("leverage table --factor 2 --out decay").done();
    assert!(shown.contains("  73.6") || shown.contains(" 211.5"), "{shown}");
    let json = room.run("leverage table --factor 2 --json").json();
    let cells = json["estimated_fund_returns"].as_array().unwrap();
    assert_eq!(cells.len(), 20);
    assert!(cells.iter().all(|row| row.as_array().unwrap().len() == 5));
    let rows = csv_rows(&room.read("decay/table.csv"));
    assert_eq!(rows.len(), 100);
    let last = rows.last().unwrap()["estimated_fund_return"].parse::<f64>().unwrap();
    assert_eq!(Some(last), cells[19][4].as_f64());
    let page = room.read("decay/report.html");
    assert!(page.contains("Decay by volatility and time") && page.matches("<svg").count() >= 3, "{page}");
}

#[test]
fn terms_that_no_fund_has_are_refused() {
    let room = Room::new();
    let refused = |line: &str, code: &str| room.run(&format!("leverage {line} --json")).refused(2, code);
    refused("estimate --factor 0 --index-return 0.1 --volatility 0.2", "leverage.factor_must_be_within_10");
    refused("table --factor 11", "leverage.factor_must_be_within_10");
    let code = "leverage.index_return_must_be_above_minus_one";
    refused("estimate --factor 2 --index-return -1 --volatility 0.2", code);
    refused(
        "estimate --factor 2 --index-return 0.1 --volatility -0.2",
        "leverage.volatility_must_be_0_to_10",
    );
    refused("table --factor 2 --days 0", "leverage.days_must_be_1_to_3650");
}
