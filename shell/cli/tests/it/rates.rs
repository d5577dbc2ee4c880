//! A reference rate from real minute bars, and a fund that is priced by its methodology.

use crate::harness::{Room, definition, shared};

const MINUTES: &str = "data/market/btcusd_1min_4venues_202303.csv";
const TRADES: &str = "data/market/trades_misc.csv";
const AT: &str = "2023-03-10T21:00:00Z";

/// The bitcoin fund, opened in March 2023 and priced by `cf-brr`.
fn rated_fund(room: &Room) {
    let text =
        std::fs::read_to_string(definition("bitcoin.toml")).unwrap().replace("2024-01-05", "2023-03-06");
    let rate =
        "[[rate]]\nfrom = 2023-03-06\nasset = \"BTC\"\npair = \"BTC-USD\"\nmethodology = \"cf-brr\"\n\n[fee]";
    room.write("rated.toml", &text.replacen("[fee]", rate, 1));
    room.run("fund open rated.toml --seed-price BTC=22400 --at 2023-03-06T21:30:00Z").done();
}

#[test]
fn a_rate_shows_what_it_was_made_of() {
    let Some(minutes) = shared(MINUTES) else { return };
    let room = Room::new();
    let line = format!("rate --trades '{}' --methodology cf-brr --pair BTC-USD --at {AT}", minutes.display());
    let rate = room.run(&format!("{line} --json")).json();
    assert_eq!(rate["rate"], "20000.31");
    assert_eq!(rate["methodology"]["effective"], "2020-02-10");
    assert_eq!(rate["methodology"]["statistic"], "cumulative-volume-weighted-median");
    let partitions = rate["partitions"].as_array().unwrap();
    assert_eq!(partitions.len(), 12);
    assert_eq!(partitions[0]["start"], "2023-03-10T20:00:00Z");
    assert!(partitions.iter().all(|part| part["value"].is_string() && part["volume"].is_string()));
    assert!(partitions[0]["trades"].is_null()); // three of the four venues do not say
    // The rate is the mean of the twelve, recomputed here.
    let sum: f64 =
        partitions.iter().map(|part| part["value"].as_str().unwrap().parse::<f64>().unwrap()).sum();
    assert!((sum / 12.0 - 20_000.31).abs() < 0.005 + 1e-9);
    assert_eq!(rate["input_hash"].as_str().unwrap().len(), 64);
    let shown = room.run(&line).done();
    assert!(shown.contains("20000.31 BTC-USD") && shown.contains("crypto.com"), "{shown}");
}

#[test]
fn a_series_leaves_a_gap_where_there_is_no_data() {
    let Some(minutes) = shared(MINUTES) else { return };
    let room = Room::new();
    let rows = room
        .run(&format!(
            "rate --trades '{}' --methodology cf-brr --pair BTC-USD --at {AT} --until 2023-03-13T21:00:00Z --out rates --json",
            minutes.display()
        ))
        .json();
    let refused: Vec<_> = rows.as_array().unwrap().iter().map(|row| row["refused"].as_str()).collect();
    let none = Some("rate.window_must_have_trades");
    assert_eq!(refused, [None, none, none, None]);
    assert_eq!(room.read("rates/rates.csv").lines().count(), 5);
    assert!(room.read("rates/report.html").contains("BTC-USD by cf-brr 2020-02-10"));
}

#[test]
fn pairs_are_drawn_beside_each_other_as_a_picture_of_its_own() {
    let (Some(minutes), Some(stablecoins)) =
        (shared(MINUTES), shared("data/market/stablecoin_1min_svb_20230309_0315.csv"))
    else {
        return;
    };
    let room = Room::new();
    let rows = room
        .run(&format!(
            "rate --trades '{}' --trades '{}' --methodology vwap --pair USDC-USD --beside USDT-USD --at 2023-03-10T20:00:00Z \
             --until 2023-03-10T22:00:00Z --every 30 --out rates --json",
            minutes.display(),
            stablecoins.display()
        ))
        .json();
    let pairs: Vec<_> = rows.as_array().unwrap().iter().map(|row| row["pair"].as_str().unwrap()).collect();
    assert_eq!(pairs, ["USDC-USD", "USDT-USD"].repeat(5));
    let at_nine = &rows[4];
    assert_eq!(
        (&at_nine["at"], &at_nine["refused"]),
        (&"2023-03-10T21:00:00Z".into(), &serde_json::Value::Null)
    );
    let picture = room.read("rates/rates.svg");
    assert!(picture.starts_with("<svg xmlns=") && picture.contains("USDT-USD: lowest "), "{picture}");
    assert!(room.read("rates/report.html").contains("USDC-USD, USDT-USD by vwap"));
}

#[test]
fn a_rated_fund_strikes_on_evidence_or_on_a_decision_and_on_nothing_else() {
    let (Some(minutes), Some(trades)) = (shared(MINUTES), shared(TRADES)) else { return };
    let room = Room::new();
    rated_fund(&room);
    room.write("plain.csv", "date,close\n2023-03-07,22000\n");
    let before = room.status();
    room.run("nav strike --date 2023-03-07 --at 2023-03-07T21:30:00Z --json")
        .refused(1, "price.must_be_of_the_strike_date");
    let nothing = format!("nav strike --trades '{}' --at 2023-03-07T21:30:00Z --json", trades.display());
    let hint = room.run(&nothing).refused(1, "rate.window_must_have_trades");
    assert!(hint.contains("no usable trade"), "{hint}");
    assert_eq!(before, room.status());
    let strike = format!("nav strike --trades '{}' --at 2023-03-07T21:30:00Z", minutes.display());
    let struck = room.run(&strike).done();
    assert!(
        struck.contains("22,077.32 per BTC") && struck.contains("cf-brr, effective 2020-02-10"),
        "{struck}"
    );
    room.run(
        "prices import plain.csv --from 2023-03-07 --through 2023-03-07 --at 2023-03-08T21:30:00Z --json",
    )
    .refused(1, "price.must_not_change_silently");
    room.write("plain.csv", "date,close\n2023-03-08,21800\n");
    room.run("prices import plain.csv --at 2023-03-08T21:30:00Z").done();
    room.run("nav strike --at 2023-03-08T21:31:00Z --json").refused(1, "price.must_carry_evidence");
    room.run(
        "prices correct --date 2023-03-08 --price 21750 --reason 'checked by hand' --at 2023-03-08T21:32:00Z",
    )
    .done();
    assert!(room.run("nav strike --at 2023-03-08T21:33:00Z").done().contains("a correction"));
    let decide = "prices fallback --date 2023-03-09 --price 20400 --reason 'the venues halted' --at 2023-03-09T21:30:00Z";
    room.run(decide).done();
    assert!(
        room.run("nav strike --at 2023-03-09T21:31:00Z").done().contains("a decision: the venues halted")
    );
}
