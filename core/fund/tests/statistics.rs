//! Figures of NAV series against published rows, three peer libraries on real closes, and arithmetic by hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use proptest::prelude::*;
use strongroom_fund::statistics::{
    Aligned, Annualisation, DatedSeries, PremiumTable, Quote, SessionPrice, StatisticsError, median_spread,
    tracking_error,
};
use strongroom_units::time::Date;

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

/// One value a day from 2024-01-01.
fn daily(values: &[f64]) -> DatedSeries {
    DatedSeries::try_new(days_from("2024-01-01").zip(values.iter().copied()).collect()).unwrap()
}

fn days_from(first: &str) -> impl Iterator<Item = Date> {
    core::iter::successors(Some(date(first)), |day| day.tomorrow().ok())
}

#[track_caller]
fn near(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "found {found}, expected {expected}");
}

fn session(day: &str, close: &str, nav: &str) -> SessionPrice {
    SessionPrice { date: date(day), close: close.parse().unwrap(), nav: nav.parse().unwrap() }
}

// ---- by hand

#[test]
fn figures_of_four_days_agree_with_arithmetic_by_hand() {
    // Returns +10 %, −10 %, +10 %: mean 1/30, sum of squares about it 2/75, downside squares 1/100.
    let series = daily(&[100.0, 110.0, 99.0, 108.9]);
    near(series.total_return().unwrap(), 0.089, 1e-14);
    near(series.volatility(Annualisation::Unscaled).unwrap().value, (1.0f64 / 75.0).sqrt(), 1e-14);
    near(series.volatility(Annualisation::Months12).unwrap().value, 0.4, 1e-14);
    near(series.sharpe_ratio(0.0, Annualisation::Unscaled).unwrap().value, 1.0 / 12f64.sqrt(), 1e-14);
    near(series.sortino_ratio(0.0, Annualisation::Unscaled).unwrap().value, 1.0 / 3f64.sqrt(), 1e-14);
    let fall = series.max_drawdown().unwrap();
    near(fall.depth, 0.1, 1e-14);
    assert_eq!((fall.peak, fall.trough, fall.recovered), (date("2024-01-02"), date("2024-01-03"), None));
}

#[test]
fn growth_compounds_over_julian_years_of_calendar_days() {
    // 1,461 days are four years of 365.25 days; 1.1^4 = 1.4641.
    let points = vec![(date("2020-01-01"), 100.0), (date("2024-01-01"), 146.41)];
    near(DatedSeries::try_new(points).unwrap().compound_annual_growth().unwrap(), 0.1, 1e-14);
}

#[test]
fn a_fall_is_over_on_the_first_day_at_or_above_the_high() {
    let check = |values: &[f64], expected: Option<(f64, &str, &str, Option<&str>)>| {
        let found = daily(values).max_drawdown().map(|f| (f.depth, f.peak, f.trough, f.recovered));
        let expected = expected.map(|(depth, p, t, r)| (depth, date(p), date(t), r.map(date)));
        assert_eq!(found, expected, "{values:?}");
    };
    check(&[], None);
    check(&[5.0], None);
    check(&[1.0, 1.0, 2.0], None);
    check(&[4.0, 3.0, 4.0], Some((0.25, "2024-01-01", "2024-01-02", Some("2024-01-03"))));
    check(&[4.0, 3.0, 3.9, 2.0], Some((0.5, "2024-01-01", "2024-01-04", None)));
    // Equal highs and equally deep falls: the first of each.
    check(&[4.0, 4.0, 2.0, 8.0, 4.0], Some((0.5, "2024-01-01", "2024-01-03", Some("2024-01-04"))));
}

#[test]
fn the_annualisation_is_carried_beside_the_figure() {
    let series = daily(&[100.0, 110.0, 99.0, 108.9]);
    for (by, label) in [
        (Annualisation::CalendarDays365, "annualised, 365 days"),
        (Annualisation::Sessions252, "annualised, 252 sessions"),
        (Annualisation::Months12, "annualised, 12 months"),
        (Annualisation::Unscaled, "not annualised"),
    ] {
        assert_eq!(series.volatility(by).unwrap().by, by);
        assert_eq!(by.to_string(), label);
    }
}

// ---- published

#[test]
fn tracking_error_is_the_sample_deviation_of_the_published_differences() {
    // Published as 0.76 %; the population deviation would be 0.6765.
    let differences = [-1.3, 0.5, -1.0, 0.15, -0.5];
    near(differences.iter().sum::<f64>() / 5.0, -0.43, 1e-12);
    near(tracking_error(&differences, Annualisation::Unscaled).unwrap().value, 0.7563, 5e-5);
    near(tracking_error(&differences, Annualisation::Months12).unwrap().value, 2.6199, 5e-5);
}

#[test]
fn tracking_difference_is_fund_less_index() {
    // Index 15 %, fund 13.7 %: −1.3. Fund 6.75 %, index 7 %: −0.25.
    for (fund, index, expected) in [(113.7, 115.0, -0.013), (106.75, 107.0, -0.0025)] {
        let pair = Aligned::try_new(&daily(&[100.0, fund]), &daily(&[100.0, index])).unwrap();
        near(pair.tracking_difference().unwrap(), expected, 1e-12);
    }
}

#[test]
fn median_spread_of_four_quotes_is_five_hundredths_of_a_per_cent() {
    let quotes = |rows: &[(&str, &str)]| -> Vec<Quote> {
        rows.iter().map(|(bid, ask)| Quote { bid: bid.parse().unwrap(), ask: ask.parse().unwrap() }).collect()
    };
    let four = quotes(&[("49.99", "50.01"), ("49.98", "50.02"), ("49.99", "50.02"), ("50.00", "50.01")]);
    assert_eq!(median_spread(&four).unwrap().to_string(), "0.0005");
    assert_eq!(median_spread(&four[..3]).unwrap().to_string(), "0.0006");
    assert_eq!(median_spread(&quotes(&[("50", "50")])).unwrap().to_string(), "0");
    for rows in [[("50", "51"), ("50", "49.99")], [("50", "51"), ("0", "1")], [("50", "51"), ("-1", "1")]] {
        assert_eq!(median_spread(&quotes(&rows)), Err(StatisticsError::QuoteMustNotCross { index: 1 }));
    }
    assert_eq!(median_spread(&[]).unwrap_err().code(), "statistics.must_have_enough_points");
}

#[test]
fn premium_and_discount_of_published_days() {
    // NCIQ: 7 Mar 2025 −0.49 %; 2026-01-05 close 23.50 on NAV 23.51 −0.04 %.
    let one = |close: &str, nav: &str| {
        PremiumTable::try_new(&[session("2025-03-07", close, nav)]).unwrap().average.to_string()
    };
    assert_eq!(one("22.34", "22.45"), "-0.0049");
    assert_eq!(one("23.50", "23.51"), "-0.0004");
    assert_eq!(one("27.84", "27.96"), "-0.0043");
}

#[test]
fn the_share_of_days_near_nav_is_the_published_one() {
    // IBIT: 57 of 61 sessions is 93.44 %, 56 of 62 is 90.32 %.
    for (near_nav, all, expected) in [(57, 61, "0.9344"), (56, 62, "0.9032")] {
        let days = days_from("2026-01-02");
        let rows: Vec<_> = days
            .take(all)
            .enumerate()
            .map(|(at, date)| {
                let close = if at < near_nav { "100.5" } else { "100.51" };
                SessionPrice { date, close: close.parse().unwrap(), nav: "100".parse().unwrap() }
            })
            .collect();
        let table = PremiumTable::try_new(&rows).unwrap();
        assert_eq!(table.within_half_percent, near_nav);
        assert_eq!(table.share_within_half_percent().unwrap().to_string(), expected);
    }
}

// ---- premium table

#[test]
fn a_day_is_at_nav_when_its_displayed_premium_is_zero() {
    // 0.005 % is half a basis point and is shown as 0.01 %; anything less is shown as 0.00 %.
    let count = |close: &str| {
        let table = PremiumTable::try_new(&[session("2025-01-02", close, "100")]).unwrap();
        (table.at_premium, table.at_discount, table.at_nav)
    };
    assert_eq!(count("100.005"), (1, 0, 0));
    assert_eq!(count("100.004999999999999999"), (0, 0, 1));
    assert_eq!(count("100"), (0, 0, 1));
    assert_eq!(count("99.995000000000000001"), (0, 0, 1));
    assert_eq!(count("99.995"), (0, 1, 0));
}

#[test]
fn the_table_counts_averages_and_extremes() {
    let table = PremiumTable::try_new(&[
        session("2025-01-02", "101", "100"),
        session("2025-01-03", "99", "100"),
        session("2025-01-06", "103", "100"),
        session("2025-01-07", "100", "100"),
        session("2025-01-08", "99", "100"),
    ])
    .unwrap();
    assert_eq!((table.sessions, table.at_premium, table.at_discount, table.at_nav), (5, 2, 2, 1));
    let extreme = |found: Option<strongroom_fund::statistics::Extreme>| {
        found.map(|e| (e.date, e.value.to_string())).unwrap()
    };
    assert_eq!(extreme(table.largest_premium), (date("2025-01-06"), "0.03".to_owned()));
    assert_eq!(extreme(table.largest_discount), (date("2025-01-03"), "-0.01".to_owned()));
    assert_eq!(table.average.to_string(), "0.004");
    assert_eq!(table.average_premium.unwrap().to_string(), "0.02");
    assert_eq!(table.average_discount.unwrap().to_string(), "-0.01");
    assert_eq!(table.within_half_percent, 1);
}

#[test]
fn eight_sessions_beyond_two_per_cent_must_be_explained_and_seven_need_not() {
    let run = |closes: &[&str]| {
        let days = days_from("2025-01-01");
        let rows: Vec<_> = days
            .zip(closes)
            .map(|(date, close)| SessionPrice {
                date,
                close: close.parse().unwrap(),
                nav: "100".parse().unwrap(),
            })
            .collect();
        PremiumTable::try_new(&rows).unwrap().longest_run_beyond_two_percent
    };
    assert_eq!(run(&["102", "98"]), None); // exactly 2 % is not beyond
    let seven = run(&["102.004"; 7]).unwrap(); // shown as 2.00 %, beyond it all the same
    assert_eq!((seven.sessions, seven.must_be_explained()), (7, false));
    let eight = run(&["103", "100", "103", "97", "103", "97", "103", "97", "103", "97"]).unwrap();
    assert_eq!((eight.sessions, eight.must_be_explained()), (8, true));
    assert_eq!((eight.first, eight.last), (date("2025-01-03"), date("2025-01-10")));
}

#[test]
fn a_premium_table_refuses_what_it_cannot_count() {
    let refused = |rows: &[SessionPrice]| PremiumTable::try_new(rows).unwrap_err().code();
    assert_eq!(refused(&[]), "statistics.must_have_enough_points");
    let good = session("2025-01-03", "1", "1");
    assert_eq!(refused(&[good, good]), "statistics.dates_must_increase");
    assert_eq!(refused(&[good, session("2025-01-02", "1", "1")]), "statistics.dates_must_increase");
    assert_eq!(refused(&[session("2025-01-03", "0", "1")]), "statistics.values_must_be_positive");
    assert_eq!(refused(&[session("2025-01-03", "1", "-1")]), "statistics.values_must_be_positive");
    let absurd = session("2025-01-03", "100000000000000000000", "0.000000000000000001");
    assert_eq!(refused(&[absurd]), "number.must_fit_128_bits");
}

// ---- refusals

#[test]
fn a_series_refuses_unsorted_dates_and_values_that_are_not_positive() {
    let code = |rows: &[(&str, f64)]| {
        let rows = rows.iter().map(|(day, value)| (date(day), *value)).collect();
        DatedSeries::try_new(rows).unwrap_err().code()
    };
    assert_eq!(code(&[("2024-01-02", 1.0), ("2024-01-01", 1.0)]), "statistics.dates_must_increase");
    assert_eq!(code(&[("2024-01-02", 1.0), ("2024-01-02", 1.0)]), "statistics.dates_must_increase");
    for value in [0.0, -0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(code(&[("2024-01-02", value)]), "statistics.values_must_be_positive", "{value}");
    }
}

#[test]
fn too_few_points_are_refused_with_the_number_needed() {
    let by = Annualisation::CalendarDays365;
    for (values, needed) in [(&[][..], 1), (&[1.0], 1), (&[1.0, 2.0], 2)] {
        let found = values.len().saturating_sub(1);
        let sharpe = daily(values).sharpe_ratio(0.0, by);
        assert_eq!(sharpe, Err(StatisticsError::TooFewPoints { needed, found }), "{values:?}");
        assert_eq!(daily(values).volatility(by).unwrap_err().code(), "statistics.must_have_enough_points");
    }
    for values in [&[][..], &[1.0]] {
        let series = daily(values);
        assert_eq!(series.total_return().unwrap_err().code(), "statistics.must_have_enough_points");
        assert_eq!(series.compound_annual_growth().unwrap_err().code(), "statistics.must_have_enough_points");
        assert_eq!(series.sortino_ratio(0.0, by).unwrap_err().code(), "statistics.must_have_enough_points");
        assert!(series.returns().is_empty());
    }
    assert_eq!(tracking_error(&[0.1], by).unwrap_err().code(), "statistics.must_have_enough_points");
    let apart = DatedSeries::try_new(vec![(date("2023-01-01"), 1.0), (date("2024-01-01"), 1.0)]).unwrap();
    assert_eq!(
        Aligned::try_new(&apart, &daily(&[1.0, 2.0])),
        Err(StatisticsError::TooFewPoints { needed: 2, found: 1 })
    );
}

#[test]
fn a_steady_series_has_no_volatility_and_no_ratios() {
    let by = Annualisation::Sessions252;
    let steady = daily(&[7.0; 5]);
    assert_eq!(steady.volatility(by).unwrap().value, 0.0);
    let growing = daily(&[1.0, 1.01, 1.0201, 1.030301]);
    let moving = daily(&[1.0, 2.0, 1.0, 2.0]);
    for refused in [
        steady.sharpe_ratio(0.0, by).map(|f| f.value),
        growing.sharpe_ratio(0.0, by).map(|f| f.value),
        growing.sortino_ratio(0.0, by).map(|f| f.value),
        Aligned::try_new(&moving, &growing).unwrap().beta(),
        Aligned::try_new(&growing, &moving).unwrap().correlation(),
    ] {
        assert_eq!(refused.unwrap_err().code(), "statistics.returns_must_vary");
    }
}

#[test]
fn an_annual_rate_of_less_than_a_year_is_refused() {
    let over = |through: &str| {
        let points = vec![(date("2023-01-01"), 100.0), (date(through), 110.0)];
        DatedSeries::try_new(points).unwrap().compound_annual_growth()
    };
    assert_eq!(over("2023-12-31"), Err(StatisticsError::ShorterThanAYear { days: 364 }));
    near(over("2024-01-01").unwrap(), 1.1f64.powf(365.25 / 365.0) - 1.0, 1e-15);
}

#[test]
fn what_leaves_the_range_of_a_float_is_refused() {
    let by = Annualisation::CalendarDays365;
    let wild = daily(&[1e-300, 1e300, 1e-300]);
    assert_eq!(wild.volatility(by).unwrap_err().code(), "statistics.must_be_finite");
    assert_eq!(daily(&[1e-300, 1e300]).total_return().unwrap_err().code(), "statistics.must_be_finite");
    let calm = daily(&[1.0, 2.0, 1.0]);
    for rate in [f64::NAN, f64::INFINITY, -2.0] {
        assert_eq!(calm.sharpe_ratio(rate, by).unwrap_err().code(), "statistics.must_be_finite");
        assert_eq!(calm.sortino_ratio(rate, by).unwrap_err().code(), "statistics.must_be_finite");
    }
    assert_eq!(tracking_error(&[f64::NAN, 0.0], by).unwrap_err().code(), "statistics.must_be_finite");
}

// ---- peers, on real closes

/// BTC and ETH closes 2020-2024, or `None` when the shared data are not on this machine (never so under CI).
fn closes() -> Option<(DatedSeries, DatedSeries)> {
    let path = strongroom_testing::shared("data/market/yahoo_24coins_daily_2014_2024.csv")?;
    let text = std::fs::read_to_string(path).unwrap();
    let of = |symbol: &str| {
        let rows = text.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
        let wanted = rows.filter(|row| row[1] == symbol && (date("2020-01-01")..).contains(&date(row[0])));
        DatedSeries::try_new(wanted.map(|row| (date(row[0]), row[5].parse().unwrap())).collect()).unwrap()
    };
    Some((of("BTC"), of("ETH")))
}

#[test]
fn figures_of_real_closes_agree_with_peer_libraries() {
    let Some((btc, eth)) = closes() else { return };
    assert_eq!((btc.points().len(), eth.points().len()), (1827, 1827));
    let (by_365, by_252) = (Annualisation::CalendarDays365, Annualisation::Sessions252);
    let pair = Aligned::try_new(&eth, &btc).unwrap();
    let row = |found: f64, peer: f64| near(found, peer, 1e-9);
    // ffn 1.4.1: calc_total_return, calc_cagr
    row(btc.total_return().unwrap(), 11.975964191976471);
    row(btc.compound_annual_growth().unwrap(), 0.6697767435399824);
    row(pair.tracking_difference().unwrap(), 12.501719635487943);
    // empyrical-reloaded 0.7.1: annual_volatility
    row(btc.volatility(by_365).unwrap().value, 0.6408896040106485);
    row(btc.volatility(by_252).unwrap().value, 0.5325213999205999);
    // quantstats 0.0.86: sharpe(rf=0.03, periods=365), sortino(rf=0.03, periods=365)
    row(btc.sharpe_ratio(0.03, by_365).unwrap().value, 1.080283226414938);
    row(btc.sortino_ratio(0.03, by_365).unwrap().value, 1.583458392164453);
    // empyrical-reloaded 0.7.1: sharpe_ratio, sortino_ratio at 0; beta
    row(btc.sharpe_ratio(0.0, by_365).unwrap().value, 1.1264066132968993);
    row(btc.sortino_ratio(0.0, by_365).unwrap().value, 1.653695469380208);
    row(pair.beta().unwrap(), 1.0568831328975676);
    // numpy 2.4.6: corrcoef; pandas 3.1.1: (eth - btc).std(ddof=1) × √365
    row(pair.correlation().unwrap(), 0.8173174662186431);
    row(pair.tracking_error(by_365).unwrap().value, 0.4789005380724277);
}

#[test]
fn the_deepest_fall_of_real_closes_agrees_with_peer_libraries() {
    let Some((btc, _)) = closes() else { return };
    // ffn 1.4.1, drawdown_details: under water from 2021-11-09, end 2024-03-04, −0.766346. It starts the day
    // after the high; quantstats 0.0.86 agrees on the valley, 2022-11-21.
    let fall = btc.max_drawdown().unwrap();
    near(fall.depth, 0.7663457054297205, 1e-12);
    assert_eq!((fall.peak, fall.trough), (date("2021-11-08"), date("2022-11-21")));
    assert_eq!(fall.recovered, Some(date("2024-03-04")));
}

#[test]
fn a_session_series_meets_a_daily_one_on_common_dates_only() {
    let Some((btc, eth)) = closes() else { return };
    let every = |series: &DatedSeries, step| {
        DatedSeries::try_new(series.points().iter().copied().step_by(step).collect()).unwrap()
    };
    let pair = Aligned::try_new(&every(&eth, 3), &every(&btc, 2)).unwrap();
    assert_eq!(pair.dates(), 305);
    // empyrical-reloaded 0.7.1 and pandas 3.1.1 on the inner join of the same two thinned series
    near(pair.beta().unwrap(), 1.0642169072636827, 1e-9);
    near(pair.correlation().unwrap(), 0.8084724418272622, 1e-9);
}

// ---- properties

fn values(points: core::ops::Range<usize>) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(1f64..100.0, points)
}

proptest! {
    #[test]
    fn total_return_does_not_depend_on_scale(values in values(2..40), factor in 0.001f64..1000.0) {
        let scaled: Vec<f64> = values.iter().map(|value| value * factor).collect();
        let (plain, scaled) = (daily(&values).total_return().unwrap(), daily(&scaled).total_return().unwrap());
        prop_assert!((plain - scaled).abs() <= 1e-9 * (1.0 + plain.abs()));
    }

    #[test]
    fn a_series_has_beta_and_correlation_one_to_itself(values in values(4..40)) {
        let series = daily(&values);
        let pair = Aligned::try_new(&series, &series).unwrap();
        prop_assert!((pair.beta().unwrap() - 1.0).abs() <= 1e-9);
        prop_assert!((pair.correlation().unwrap() - 1.0).abs() <= 1e-9);
        prop_assert_eq!(pair.tracking_difference().unwrap(), 0.0);
    }

    #[test]
    fn a_constant_lag_is_no_tracking_error(values in values(3..40), lag in -0.001f64..0.01) {
        let mut lagging = vec![values[0]];
        for pair in values.windows(2) {
            lagging.push(lagging[lagging.len() - 1] * (pair[1] / pair[0] + lag));
        }
        let pair = Aligned::try_new(&daily(&lagging), &daily(&values)).unwrap();
        let found = pair.tracking_error(Annualisation::Sessions252).unwrap().value;
        prop_assert!(found <= 1e-9, "{}", found);
    }

    #[test]
    fn a_drawdown_is_a_fraction_between_its_dates(values in values(0..40)) {
        let series = daily(&values);
        let falls = values.windows(2).any(|pair| pair[1] < pair[0]);
        let found = series.max_drawdown();
        prop_assert_eq!(found.is_some(), falls);
        if let Some(fall) = found {
            prop_assert!(fall.depth > 0.0 && fall.depth <= 1.0);
            prop_assert!(fall.peak < fall.trough);
            prop_assert!(fall.recovered.is_none_or(|recovered| recovered > fall.trough));
        }
    }

    #[test]
    fn every_figure_is_finite_or_refused(
        values in prop::collection::vec(prop::num::f64::POSITIVE | prop::num::f64::SUBNORMAL, 0..12),
        rate in prop::num::f64::ANY,
    ) {
        let days = days_from("2024-01-01");
        let kept: Vec<_> = days.zip(values).filter(|(_, v)| v.is_finite() && *v > 0.0).collect();
        let series = DatedSeries::try_new(kept).unwrap();
        let by = Annualisation::CalendarDays365;
        let mut figures = vec![
            series.total_return().ok(),
            series.compound_annual_growth().ok(),
            series.volatility(by).ok().map(|f| f.value),
            series.sharpe_ratio(rate, by).ok().map(|f| f.value),
            series.sortino_ratio(rate, by).ok().map(|f| f.value),
            series.max_drawdown().map(|f| f.depth),
        ];
        if let Ok(pair) = Aligned::try_new(&series, &series) {
            figures.extend([pair.beta().ok(), pair.correlation().ok(), pair.tracking_difference().ok()]);
            figures.push(pair.tracking_error(by).ok().map(|f| f.value));
        }
        prop_assert!(figures.into_iter().flatten().all(f64::is_finite));
    }

    #[test]
    fn the_three_columns_add_up_to_the_sessions(
        closes in prop::collection::vec(9_900_000_000i128..10_100_000_000, 1..60),
    ) {
        let days = days_from("2024-01-01");
        let nav = "1".parse().unwrap();
        let price = |units: i128| strongroom_units::Price::from_units(units * 100_000_000);
        let rows: Vec<_> =
            days.zip(closes).map(|(date, units)| SessionPrice { date, close: price(units), nav }).collect();
        let table = PremiumTable::try_new(&rows).unwrap();
        prop_assert_eq!(table.at_premium + table.at_discount + table.at_nav, table.sessions);
        prop_assert_eq!(table.longest_run_beyond_two_percent, None);
        let (least, most) = (table.largest_discount, table.largest_premium);
        prop_assert!(least.is_none_or(|e| e.value <= table.average));
        prop_assert!(most.is_none_or(|e| e.value >= table.average));
    }
}
