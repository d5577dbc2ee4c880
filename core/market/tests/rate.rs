//! Reference rates against worked cases, and what must hold whatever the trades.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot build its case has failed"
)]

use proptest::prelude::*;
use strongroom_market::rate::{
    ExclusionReason, Grid, GridShape, Methodology, Pair, RateError, RateEvidence, Ticks, Trade, Window,
    must_be_restated,
};
use strongroom_units::Price;
use strongroom_units::time::Timestamp;

const CF: &str = include_str!("../../../methodologies/cf-brr.toml");
const COIN_METRICS: &str = include_str!("../../../methodologies/coin-metrics.toml");
const ALL: [&str; 6] = [
    CF,
    include_str!("../../../methodologies/cf-brr-stablecoins.toml"),
    COIN_METRICS,
    include_str!("../../../methodologies/vwap.toml"),
    include_str!("../../../methodologies/twap.toml"),
    include_str!("../../../methodologies/last.toml"),
];

/// The end of the test windows: under CF's 5 % rules of June 2024.
const AT: &str = "2024-08-08T20:00:00Z";

/// Venue, minutes before the end, price, size.
type Row<'a> = (&'a str, i64, String, String);

fn at() -> Timestamp {
    AT.parse().unwrap()
}

fn window<'a>(methodology: &str, at: Timestamp, rows: impl IntoIterator<Item = &'a Row<'a>>) -> Window {
    let methodology = Methodology::parse(methodology).unwrap();
    let pair: Pair = "BTC-USD".parse().unwrap();
    let mut window = Window::try_new(&methodology, &pair, at).unwrap();
    for (venue, minutes_before, price, size) in rows {
        let (venue, pair) =
            venue.split_once(' ').map_or((*venue, pair.clone()), |(v, p)| (v, p.parse().unwrap()));
        let at_ms = at.as_millisecond() - minutes_before * 60_000;
        let (price, size) = (price.parse().unwrap(), size.parse().unwrap());
        window.add(&Trade { venue, pair: &pair, at_ms, price, size, trades: Some(1) }).unwrap();
    }
    window
}

fn row<'a>(venue: &'a str, minutes_before: i64, price: &str, size: &str) -> Row<'a> {
    (venue, minutes_before, price.to_owned(), size.to_owned())
}

fn price(text: &str) -> Price {
    text.parse().unwrap()
}

/// Two venues with one trade each in the middle of every partition of five minutes, at the prices given.
fn partitions(prices: &[&str]) -> Vec<Row<'static>> {
    let both = |(index, price): (i64, &&str)| {
        let minutes = 60 - 5 * index - 2;
        [row("a", minutes, price, "1"), row("b", minutes, price, "1")]
    };
    (0..).zip(prices).filter(|(_, price)| !price.is_empty()).flat_map(both).collect()
}

#[test]
fn every_methodology_file_is_sound() {
    for text in ALL {
        let methodology = Methodology::parse(text).unwrap();
        let version = methodology.version_at(at()).unwrap();
        assert!(version.interval_weights().iter().sum::<u32>() > 0, "{}", methodology.id);
    }
}

#[test]
fn the_mean_of_twelve_partitions_drops_an_empty_one_and_does_not_carry() {
    let all = ["100", "101", "102", "103", "104", "105", "106", "107", "108", "109", "110", "111"];
    assert_eq!(window(CF, at(), &partitions(&all)).rate().unwrap().rate, price("105.5"));
    let mut last_empty = all;
    last_empty[11] = "";
    let rate = window(CF, at(), &partitions(&last_empty)).rate().unwrap();
    assert_eq!(rate.rate, price("105"));
    assert_eq!((rate.partitions.len(), rate.partitions[11].value), (12, None));
    // The wrong rule, to show that it would be seen: carrying 110 forward gives 105.42.
    let carried = CF.replace("empty = \"drop\"", "empty = \"borrow-previous\"");
    assert_eq!(window(&carried, at(), &partitions(&last_empty)).rate().unwrap().rate, price("105.42"));
}

#[test]
fn a_venue_beyond_the_limit_is_left_out_whole() {
    let rows = [row("a", 30, "100.0", "1"), row("b", 30, "100.2", "1"), row("c", 30, "106.0", "50")];
    let rate = window(CF, at(), &rows).rate().unwrap();
    let excluded: Vec<_> = rate.excluded.iter().map(|x| (x.venue.as_str(), x.reason)).collect();
    assert_eq!(excluded, [("c", ExclusionReason::DeviatesFromVenueMedian)]);
    assert_eq!(
        rate.excluded[0].deviation.unwrap().round_to(6, strongroom_units::Rounding::HalfUp),
        "0.057884".parse()
    );
    assert_eq!(rate.venues[0].deviation.round_to(6, strongroom_units::Rounding::HalfUp), "-0.001996".parse());
    assert_eq!(rate.rate, price("100"));
    // The same window under the rules of 2020: 10 %.
    let earlier: Timestamp = "2024-06-10T20:00:00Z".parse().unwrap();
    let rate = window(CF, earlier, &rows).rate().unwrap();
    assert_eq!((rate.methodology.effective.to_string(), rate.excluded.len()), ("2020-02-10".to_owned(), 0));
    assert_eq!(rate.rate, price("106"));
}

#[test]
fn a_version_takes_effect_on_its_day_in_its_zone() {
    let cf = Methodology::parse(CF).unwrap();
    let effective =
        |at: &str| cf.version_at(at.parse().unwrap()).map(|version| version.effective.to_string());
    assert_eq!(effective("2024-06-11T03:59:59Z").unwrap(), "2020-02-10"); // still 10 June in New York
    assert_eq!(effective("2024-06-11T04:00:00Z").unwrap(), "2024-06-11");
    assert_eq!(effective("2016-11-13T20:00:00Z").unwrap_err().code(), "methodology.must_be_effective");
}

#[test]
fn the_sixty_one_weights_are_exact_and_sum_to_one() {
    let version = Methodology::parse(COIN_METRICS).unwrap().version_at(at()).unwrap().clone();
    let weights = version.interval_weights();
    assert_eq!((weights.len(), weights[0], weights[58], weights[60]), (61, 0, 18 * 58, 1711));
    let sum: u32 = weights.iter().sum();
    // The tail is a twentieth each and the slope 0.9 ÷ 1711, exactly.
    assert_eq!((1711 * 20, 18 * 1711 * 20), (sum, 18 * sum));
    // The published slope, rounded to six decimals, would make the weights sum to 0.999986.
    let published: u64 = (0..59).map(|i| 526 * i).sum::<u64>() + 2 * 50_000;
    assert_eq!(published, 999_986);
}

#[test]
fn an_empty_minute_borrows_the_next_one_and_the_last_the_one_before() {
    // 61 minutes end one minute after the time of the rate: minute 0 begins 60 minutes before it.
    let rows = [row("a", 60, "100", "1"), row("a", 1, "200", "1")];
    let rate = window(COIN_METRICS, at(), &rows).rate().unwrap();
    let (first, second, last) = (&rate.partitions[0], &rate.partitions[1], &rate.partitions[60]);
    assert_eq!((first.value, first.borrowed), (Some(price("100")), false));
    assert_eq!((second.value, second.borrowed), (Some(price("200")), true));
    assert_eq!((last.value, last.borrowed), (Some(price("200")), true));
    assert_eq!(rate.rate, price("200")); // the first minute has no weight
}

#[test]
fn a_half_cent_is_rounded_as_the_methodology_says() {
    let rows = [row("a", 30, "100.005", "1"), row("b", 30, "100.005", "1")];
    assert_eq!(window(CF, at(), &rows).rate().unwrap().rate, price("100.01"));
    let even = CF.replace("rounding = \"half-up\"", "rounding = \"half-even\"");
    assert_eq!(window(&even, at(), &rows).rate().unwrap().rate, price("100"));
}

#[test]
fn the_first_instant_belongs_to_a_window_and_the_last_does_not() {
    let rows = [
        row("a", 60, "100", "1"),
        row("b", 60, "100", "1"),
        row("a", 0, "900", "9"),
        row("a", 61, "900", "9"),
    ];
    let rate = window(CF, at(), &rows).rate().unwrap();
    assert_eq!((rate.rate, rate.partitions[0].trades), (price("100"), Some(2)));
}

#[test]
fn a_window_without_trades_publishes_nothing() {
    let refused = window(CF, at(), &[]).rate().unwrap_err();
    assert_eq!(refused.code(), "rate.window_must_have_trades");
    let one = window(CF, at(), &[row("a", 30, "100", "1")]).rate().unwrap_err();
    assert!(matches!(one, RateError::TooFewVenues { found: 1, needed: 2, .. }));
}

#[test]
fn erroneous_trades_and_strangers_are_counted_and_left_out() {
    let named = CF.replace("venues_min = 2", "venues_min = 2\nvenues = [\"a\", \"b\"]");
    let rows = [
        row("a", 30, "100", "1"),
        row("b", 30, "101", "1"),
        row("a", 30, "0", "1"),
        row("b", 30, "100", "0"),
        row("x", 30, "500", "99"),
        row("a BTC-USDT", 30, "700", "99"),
    ];
    let rate = window(&named, at(), &rows).rate().unwrap();
    let excluded: Vec<_> =
        rate.excluded.iter().map(|x| (x.venue.as_str(), x.reason, x.observations)).collect();
    let expected = [
        ("a", ExclusionReason::Erroneous, 1),
        ("a", ExclusionReason::QuoteNotConverted, 1),
        ("b", ExclusionReason::Erroneous, 1),
        ("x", ExclusionReason::NotAConstituent, 1),
    ];
    let mut excluded = excluded;
    excluded.sort_unstable();
    assert_eq!(excluded, expected);
    assert_eq!(rate.rate, price("100"));
}

#[test]
fn a_book_in_a_stablecoin_is_valued_at_the_stablecoins_own_rate() {
    let converting = CF.replace("venues_min = 2", "venues_min = 2\nconversions = { USDT = \"USDT-USD\" }");
    let rows = [
        row("a", 30, "100", "1"),
        row("b BTC-USDT", 30, "125", "3"), // × 0.80 = 100 dollars, though 125 tether
        row("c USDT-USD", 30, "0.80", "1000"),
    ];
    let rate = window(&converting, at(), &rows).rate().unwrap();
    assert_eq!(rate.rate, price("100"));
    let conversion = &rate.conversions[0];
    assert_eq!(
        (conversion.books.as_str(), conversion.by.as_str(), conversion.value),
        ("BTC-USDT", "USDT-USD", price("0.8"))
    );
    assert!(rate.venues.iter().any(|venue| venue.venue == "b BTC-USDT"));
    // Without the stablecoin's own rate the book is left out and says so; a tether is not taken for a dollar.
    let refused = window(&converting, at(), &rows[..2]).rate().unwrap_err();
    assert_eq!(refused.code(), "rate.must_have_enough_venues");
}

#[test]
fn a_rate_is_restated_on_its_own_day_and_beyond_a_tenth_of_a_per_cent() {
    let cf = Methodology::parse(CF).unwrap();
    let version = cf.version_at(at()).unwrap();
    let ends: Timestamp = "2024-08-09T03:59:59Z".parse().unwrap();
    let restated = |corrected: &str, now: Timestamp| {
        must_be_restated(version, (price("1234.56"), price(corrected)), (now, ends)).unwrap()
    };
    for (corrected, expected) in
        [("1235.79", false), ("1235.80", true), ("1233.33", false), ("1233.32", true)]
    {
        assert_eq!(restated(corrected, at()), expected, "{corrected}");
    }
    assert!(!restated("2000", "2024-08-09T04:00:00Z".parse().unwrap()));
}

#[test]
fn a_methodology_that_contradicts_itself_is_refused() {
    for (replace, with, code) in [
        ("intervals = 12", "intervals = 0", "methodology.must_not_contradict_itself"),
        (
            "effective = \"2020-02-10\"",
            "effective = \"2010-02-10\"",
            "methodology.must_not_contradict_itself",
        ),
        ("tie = \"lower\"", "tie = \"middle\"", "methodology.must_be_readable"),
        ("deviation_max = \"0.05\"", "deviation_max = 0.05", "methodology.must_be_readable"),
        ("decimals = 2", "decimals = 2\nsurprise = 1", "methodology.must_be_readable"),
    ] {
        assert_eq!(Methodology::parse(&CF.replace(replace, with)).unwrap_err().code(), code, "{with}");
    }
}

#[test]
fn evidence_is_written_and_read_without_loss() {
    let rows = [row("a", 30, "100.123456789", "0.000000000000000001"), row("b", 31, "1.001e2", "3.5E-7")];
    let rate = window(CF, at(), &rows).rate().unwrap();
    assert_eq!(rate.methodology.statistic, "cumulative-volume-weighted-median");
    let toml = toml::Value::try_from(&rate).unwrap();
    assert_eq!(toml.try_into::<RateEvidence>().unwrap(), rate);
}

fn trades() -> impl Strategy<Value = Vec<Row<'static>>> {
    let venues = prop_oneof![Just("a"), Just("b"), Just("c"), Just("d")];
    let one =
        (venues, 1i64..=60, 9_000u32..11_000, 1u32..1_000_000).prop_map(|(venue, minute, cents, size)| {
            row(venue, minute, &format!("{}.{:02}", cents / 100, cents % 100), &format!("{size}e-5"))
        });
    prop::collection::vec(one, 1..120)
}

proptest! {
    #[test]
    fn the_order_of_the_trades_changes_nothing(rows in trades(), seed in any::<u64>()) {
        let mut shuffled = rows.clone();
        let mut state = seed | 1;
        for index in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.swap(index, (state >> 33) as usize % (index + 1));
        }
        for methodology in ALL {
            prop_assert_eq!(window(methodology, at(), &rows).rate(), window(methodology, at(), &shuffled).rate());
        }
    }

    #[test]
    fn a_rate_lies_within_the_prices_it_was_made_of(rows in trades()) {
        for methodology in ALL {
            let Ok(rate) = window(methodology, at(), &rows).rate() else { continue };
            let prices = rows.iter().map(|row| price(&row.2));
            let (low, high) = (prices.clone().min().unwrap(), prices.max().unwrap());
            prop_assert!(low <= rate.rate && rate.rate <= high, "{} {}", rate.methodology.id, rate.rate);
        }
    }

    #[test]
    fn one_outlying_venue_cannot_move_the_rate_beyond_the_range_of_the_others(rows in trades(), factor in 2u32..50) {
        let outlier = |row: &Row<'static>| {
            let cents: u32 = row.2.replace('.', "").parse().unwrap();
            ("z", row.1, format!("{}", cents * factor), row.3.clone())
        };
        let mut honest = window(CF, at(), &rows);
        prop_assume!(honest.rate().is_ok_and(|rate| rate.excluded.is_empty() && rate.venues.len() >= 3));
        let attacked: Vec<Row<'_>> = rows.iter().cloned().chain(rows.iter().map(outlier)).collect();
        let Ok(rate) = window(CF, at(), &attacked).rate() else { return Ok(()) };
        let prices = rows.iter().map(|row| price(&row.2));
        prop_assert!(prices.clone().min().unwrap() <= rate.rate && rate.rate <= prices.max().unwrap());
    }

    #[test]
    fn a_grid_filled_in_two_parts_gives_the_rate_and_the_hash_of_the_trades_one_by_one(rows in trades(), cut in 0usize..120) {
        let end = at().as_millisecond();
        let (mut times, mut prices, mut sizes, mut venues) = (vec![], vec![], vec![], vec![]);
        for (venue, minute, cents, size) in &rows {
            times.push(end - minute * 60_000);
            prices.push(cents.replace('.', "").parse::<i64>().unwrap());
            sizes.push(size.trim_end_matches("e-5").parse::<i64>().unwrap());
            venues.push(venue.as_bytes()[0] - b'a');
        }
        let cut = cut.min(rows.len());
        let start = end - 3_600_000;
        let part = |from: usize, to: usize| {
            let shape = GridShape { start, interval: 300_000, intervals: 12, venues: 4 };
            let mut grid = Grid::try_new(shape).unwrap();
            let ticks = Ticks { at: &times[from..to], price: &prices[from..to], size: &sizes[from..to], venue: &venues[from..to] };
            grid.count(&ticks).unwrap();
            grid
        };
        let mut grid = part(0, cut);
        grid.merge(&part(cut, rows.len())).unwrap();
        prop_assert_eq!(grid.tally(), (rows.len() as u64, 0, 0));
        let mut dense = window(CF, at(), []);
        dense.add_grid(&grid, &["a", "b", "c", "d"], (2, 5)).unwrap();
        prop_assert_eq!(dense.rate(), window(CF, at(), &rows).rate());
    }

    #[test]
    fn text_that_is_no_methodology_is_refused_and_never_panics(text in ".{0,300}") {
        prop_assert!(Methodology::parse(&text).is_err());
    }
}

#[test]
fn an_interval_that_must_not_be_empty_stops_the_rate() {
    let strict = CF.replace("empty = \"drop\"", "empty = \"fail\"");
    let refused = window(&strict, at(), &partitions(&["100", "101"])).rate().unwrap_err();
    assert_eq!(refused.code(), "rate.interval_must_have_trades");
}
