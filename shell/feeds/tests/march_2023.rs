//! A partitioned median over real minute bars of four venues in March 2023, when a bank failed and stablecoins fell:
//! every window that ends at 16:00 London and at 16:00 New York, as it was and with one venue pushed out of line.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a test that cannot read its data has failed"
)]

use std::collections::BTreeSet;
use std::path::PathBuf;
use strongroom_feeds::read_trades;
use strongroom_market::rate::{ExclusionReason, Methodology, Pair, RateError, RateEvidence, Trade, Window};
use strongroom_testing::shared;
use strongroom_units::time::{Date, Time, Timestamp, Zone};
use strongroom_units::{Decimal, Price, Rounding};

const CF: &str = include_str!("../../../methodologies/cf-brr.toml");

/// One bar: milliseconds, venue, close, volume.
type Bar = (i64, String, Price, Decimal);

/// The rules of June 2024, five per cent, as if they had held in 2023.
fn five_per_cent() -> Methodology {
    let strict = CF.replace("deviation_max = \"0.10\"", "deviation_max = \"0.05\"");
    Methodology::parse(&strict).unwrap()
}

fn pair() -> Pair {
    "BTC-USD".parse().unwrap()
}

fn bars() -> Option<Vec<Bar>> {
    let path = shared("data/market/btcusd_1min_4venues_202303.csv")?;
    let mut bars = Vec::new();
    for row in csv::Reader::from_path(path).unwrap().records() {
        let row = row.unwrap();
        let at: Timestamp = row[0].parse().unwrap();
        bars.push((at.as_millisecond(), row[1].to_owned(), row[6].parse().unwrap(), row[7].parse().unwrap()));
    }
    Some(bars)
}

/// Days of the file; 11 and 12 March are not part of it.
fn days() -> impl Iterator<Item = Date> {
    let (first, last): (Date, Date) = ("2023-03-02".parse().unwrap(), "2023-03-21".parse().unwrap());
    let missing: [Date; 2] = ["2023-03-11".parse().unwrap(), "2023-03-12".parse().unwrap()];
    std::iter::successors(Some(first), |day| day.tomorrow().ok())
        .take_while(move |day| *day <= last)
        .filter(move |day| !missing.contains(day))
}

fn ends() -> impl Iterator<Item = Timestamp> {
    let at_four = Time::constant(16, 0, 0, 0);
    days().flat_map(move |day| [Zone::London, Zone::NewYork].map(|zone| zone.instant(day, at_four).unwrap()))
}

/// The rate of a window, with one venue's closes moved by some per cent.
fn rate(bars: &[Bar], end: Timestamp, moved: Option<(&str, i128)>) -> Result<RateEvidence, RateError> {
    let mut window = Window::try_new(&five_per_cent(), &pair(), end).unwrap();
    let (from, until) = window.span_ms();
    for (at_ms, venue, close, volume) in bars.iter().filter(|bar| from <= bar.0 && bar.0 < until) {
        let percent = moved.filter(|(name, _)| name == venue).map_or(0, |(_, percent)| percent);
        let price = close.try_mul_div(100 + percent, 100, Rounding::HalfEven).unwrap();
        let pair = pair();
        window.add(&Trade { venue, pair: &pair, at_ms: *at_ms, price, size: *volume, trades: None }).unwrap();
    }
    window.rate()
}

fn deviating(rate: &RateEvidence) -> Vec<&str> {
    let rows = rate.excluded.iter().filter(|x| x.reason == ExclusionReason::DeviatesFromVenueMedian);
    rows.map(|x| x.venue.as_str()).collect()
}

fn basis_points(a: Price, b: Price) -> f64 {
    (a.to_decimal().to_f64() / b.to_decimal().to_f64() - 1.0).abs() * 10_000.0
}

#[test]
fn no_venue_is_excluded_in_any_window_as_it_was() {
    let Some(bars) = bars() else { return };
    let mut windows = 0;
    for end in ends() {
        let rate = rate(&bars, end, None).unwrap();
        assert_eq!(deviating(&rate), Vec::<&str>::new(), "{end}");
        windows += 1;
    }
    assert_eq!(windows, 36);
}

#[test]
fn six_per_cent_excludes_exactly_the_venue_that_is_off_and_four_none() {
    let Some(bars) = bars() else { return };
    let (mut worst, mut pushed) = (0f64, 0);
    for end in ends() {
        let honest = rate(&bars, end, None).unwrap();
        for venue in honest.venues.iter().map(|venue| venue.venue.as_str()) {
            for percent in [6, -6] {
                let attacked = rate(&bars, end, Some((venue, percent))).unwrap();
                assert_eq!(deviating(&attacked), [venue], "{end} {percent} %");
                worst = worst.max(basis_points(attacked.rate, honest.rate));
                pushed += 1;
            }
            for percent in [4, -4] {
                let attacked = rate(&bars, end, Some((venue, percent))).unwrap();
                assert_eq!(deviating(&attacked), Vec::<&str>::new(), "{end} {venue} {percent} %");
            }
        }
    }
    assert!(worst <= 10.0, "{worst} basis points");
    assert!(pushed > 250, "{pushed}");
}

#[test]
fn a_venue_without_trades_is_missing_and_the_others_publish() {
    let Some(bars) = bars() else { return };
    let rate = rate(&bars, "2023-03-04T21:00:00Z".parse().unwrap(), None).unwrap();
    let venues: BTreeSet<&str> = rate.venues.iter().map(|venue| venue.venue.as_str()).collect();
    let known: BTreeSet<&str> = bars.iter().map(|bar| bar.1.as_str()).collect();
    assert_eq!((venues.len(), known.len()), (3, 4));
}

#[test]
fn a_window_without_data_publishes_nothing() {
    let Some(bars) = bars() else { return };
    let refused = rate(&bars, "2023-03-12T20:00:00Z".parse().unwrap(), None).unwrap_err();
    assert_eq!(refused.code(), "rate.window_must_have_trades");
}

#[test]
fn two_of_four_venues_that_are_wrong_together_are_not_detected() {
    // Known and stated: the median of four is then between the two camps, and nobody deviates from it by five per cent.
    let Some(bars) = bars() else { return };
    let end = "2023-03-10T21:00:00Z".parse().unwrap();
    let two = ["coinbase", "kraken"];
    let together: Vec<Bar> = bars
        .iter()
        .map(|(at, venue, close, volume)| {
            let percent = if two.contains(&venue.as_str()) { 6 } else { 0 };
            (*at, venue.clone(), close.try_mul_div(100 + percent, 100, Rounding::HalfEven).unwrap(), *volume)
        })
        .collect();
    assert_eq!(deviating(&rate(&together, end, None).unwrap()), Vec::<&str>::new());
}

#[test]
fn files_in_any_order_plain_or_compressed_give_the_same_rate_and_the_same_hash() {
    let Some(path) = shared("data/market/btcusd_1min_4venues_202303.csv") else { return };
    let text = std::fs::read_to_string(&path).unwrap();
    let (heading, rows) = text.split_once('\n').unwrap();
    let rows: Vec<&str> = rows.lines().filter(|row| row.starts_with("2023-03-10T20")).collect();
    let folder = std::env::temp_dir().join(format!("strongroom-feeds-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (odd, even) = (folder.join("odd.csv"), folder.join("even.csv.gz"));
    let part = |wanted: usize| {
        let rows =
            rows.iter().enumerate().filter(|(index, _)| index % 2 == wanted).map(|(_, row)| *row).rev();
        std::iter::once(heading).chain(rows).collect::<Vec<_>>().join("\r\n")
    };
    std::fs::write(&odd, part(1)).unwrap();
    let mut gzip =
        flate2::write::GzEncoder::new(std::fs::File::create(&even).unwrap(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, part(0).as_bytes()).unwrap();
    gzip.finish().unwrap();
    let of = |files: &[&PathBuf]| {
        let mut window =
            Window::try_new(&five_per_cent(), &pair(), "2023-03-10T21:00:00Z".parse().unwrap()).unwrap();
        for file in files {
            assert_eq!(read_trades(file, &mut window).unwrap().unreadable, 0);
        }
        window.rate().unwrap()
    };
    let whole = of(&[&path]);
    assert_eq!(whole, of(&[&even, &odd]));
    assert_eq!(whole, of(&[&odd, &even]));
    std::fs::remove_dir_all(&folder).unwrap();
}
