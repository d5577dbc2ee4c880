//! Stablecoins that are no dollars: the days of March 2023 as they were, and deeper falls on **perturbed copies** of the same
//! bars, which never happened.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot read its data has failed"
)]

use std::path::PathBuf;
use strongroom_feeds::{read_trades, read_trades_into};
use strongroom_market::rate::{ExclusionReason, Methodology, RateEvidence, Window};
use strongroom_testing::shared;
use strongroom_units::time::Timestamp;

const PLAIN: &str = include_str!("../../../methodologies/cf-brr.toml");
const CONVERTING: &str = include_str!("../../../methodologies/cf-brr-stablecoins.toml");
/// An hour of 13 March 2023 in which a USDC cost 0.9919 dollars.
const AT: &str = "2023-03-13T09:00:00Z";

fn files() -> Option<[PathBuf; 2]> {
    Some([
        shared("data/market/btcusd_1min_4venues_202303.csv")?,
        shared("data/market/stablecoin_1min_svb_20230309_0315.csv")?,
    ])
}

fn window(methodology: &str, pair: &str, at: &str) -> Window {
    Window::try_new(&Methodology::parse(methodology).unwrap(), &pair.parse().unwrap(), at.parse().unwrap())
        .unwrap()
}

fn rate(methodology: &str, pair: &str, files: &[PathBuf]) -> RateEvidence {
    let mut window = window(methodology, pair, AT);
    for file in files {
        read_trades(file, &mut window).unwrap();
    }
    window.rate().unwrap()
}

/// A perturbed copy of the hour: the dollar price of a USDC times `worth`, and, when `books` say so, what a coin costs in USDC
/// over `worth`, as it would have.
fn perturbed(files: &[PathBuf; 2], worth: f64, books: bool) -> (tempfile::TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().unwrap();
    let mut copy = String::new();
    for (number, line) in std::fs::read_to_string(&files[1]).unwrap().lines().enumerate() {
        let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
        if number > 0 && line.starts_with("2023-03-13T08") {
            let factor = match cells[2].as_str() {
                "USDC-USD" => worth,
                "BTC-USDC" if books => 1.0 / worth,
                _ => 1.0,
            };
            cells[6] = format!("{:.6}", cells[6].parse::<f64>().unwrap() * factor);
        }
        copy += &(cells.join(",") + "\n");
    }
    let path = folder.path().join("perturbed_copy.csv");
    std::fs::write(&path, copy).unwrap();
    (folder, vec![files[0].clone(), path])
}

fn off(a: &RateEvidence, b: &RateEvidence) -> f64 {
    let number = |rate: &RateEvidence| rate.rate.to_decimal().to_f64();
    (number(a) / number(b) - 1.0).abs() * 10_000.0
}

#[test]
fn a_deeper_depeg_of_a_perturbed_copy_is_converted_away() {
    let Some(files) = files() else { return };
    let (plain, as_it_was) = (rate(PLAIN, "BTC-USD", &files), rate(CONVERTING, "BTC-USD", &files));
    for worth in [0.97, 0.9, 0.7, 0.5] {
        let (_folder, copy) = perturbed(&files, worth, true);
        assert_eq!(rate(PLAIN, "BTC-USD", &copy), plain, "{worth}: dollar books know nothing of it");
        let converted = rate(CONVERTING, "BTC-USD", &copy);
        assert!(off(&converted, &as_it_was) < 1.0, "{worth}: {} basis points", off(&converted, &as_it_was));
        assert_eq!(converted.venues.len(), as_it_was.venues.len(), "{worth}");
        let usdc = converted.conversions.iter().find(|conversion| conversion.by == "USDC-USD").unwrap();
        let usdc = usdc.value.to_decimal().to_f64();
        assert!((usdc / worth - 0.9919).abs() < 1e-3, "{worth}: {usdc}");
    }
}

#[test]
fn a_stablecoin_that_falls_without_its_books_takes_them_out_of_the_rate() {
    let Some(files) = files() else { return };
    let (_folder, copy) = perturbed(&files, 0.7, false);
    let found = rate(CONVERTING, "BTC-USD", &copy);
    let out: Vec<&str> = found
        .excluded
        .iter()
        .filter(|excluded| excluded.reason == ExclusionReason::DeviatesFromVenueMedian)
        .map(|excluded| excluded.venue.as_str())
        .collect();
    assert!(!out.is_empty() && out.iter().all(|venue| venue.ends_with("BTC-USDC")), "{out:?}");
    assert!(off(&found, &rate(PLAIN, "BTC-USD", &files)) < 10.0);
}

#[test]
fn many_windows_of_one_reading_are_the_windows_of_many_readings() {
    let Some(files) = files() else { return };
    let first: Timestamp = "2023-03-10T18:00:00Z".parse().unwrap();
    let times: Vec<String> = (0..24)
        .map(|step| Timestamp::from_second(first.as_second() + step * 1_200).unwrap().to_string())
        .collect();
    let pairs = ["BTC-USD", "USDC-USD", "BTC-USDC"];
    let mut together: Vec<Window> =
        times.iter().flat_map(|at| pairs.map(|pair| window(CONVERTING, pair, at))).collect();
    let mut shuffled: Vec<Window> = together.iter().rev().cloned().collect();
    for file in &files {
        read_trades_into(file, &mut together).unwrap();
        read_trades_into(file, &mut shuffled).unwrap();
    }
    for (number, (at, pair)) in times.iter().flat_map(|at| pairs.map(|pair| (at, pair))).enumerate() {
        let mut alone = window(CONVERTING, pair, at);
        for file in &files {
            read_trades(file, &mut alone).unwrap();
        }
        let alone = alone.rate();
        assert_eq!(together[number].rate(), alone, "{pair} {at}");
        let from_the_end = shuffled.len() - 1 - number;
        assert_eq!(shuffled[from_the_end].rate(), alone, "{pair} {at}");
    }
}
