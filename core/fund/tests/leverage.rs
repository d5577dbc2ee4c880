//! What a daily multiple comes to, set beside what issuers publish and the literature works out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use proptest::prelude::*;
use strongroom_fund::leverage::{DayTerms, Estimate, Table, net_assets_after, rebalance_trade};
use strongroom_units::{Money, Rate};

/// "Estimated fund returns" of a 2x ether fund before fees and expenses, in per cent: an index return over a year in each row,
/// at a volatility of 10, 25, 50, 75 and 100 % (ProShares Trust, prospectus of ProShares Ultra Ether, file 1174610,
/// accession 0001683863-24-004171).
const PUBLISHED: [(f64, [f64; 5]); 20] = [
    (-90.0, [-99.0, -99.1, -99.2, -99.4, -99.6]),
    (-80.0, [-96.0, -96.2, -96.9, -97.7, -98.5]),
    (-70.0, [-91.1, -91.5, -93.0, -94.9, -96.7]),
    (-60.0, [-84.2, -85.0, -87.5, -90.9, -94.1]),
    (-50.0, [-75.2, -76.5, -80.5, -85.8, -90.8]),
    (-40.0, [-64.4, -66.2, -72.0, -79.5, -86.8]),
    (-30.0, [-51.5, -54.0, -61.8, -72.1, -82.0]),
    (-20.0, [-36.6, -39.9, -50.2, -63.5, -76.5]),
    (-10.0, [-19.8, -23.9, -36.9, -53.8, -70.2]),
    (0.0, [-1.0, -6.1, -22.1, -43.0, -63.2]),
    (10.0, [19.8, 13.7, -5.8, -31.1, -55.5]),
    (20.0, [42.6, 35.3, 12.1, -18.0, -47.0]),
    (30.0, [67.3, 58.8, 31.6, -3.7, -37.8]),
    (40.0, [94.0, 84.1, 52.6, 11.7, -27.9]),
    (50.0, [122.8, 111.4, 75.2, 28.2, -17.2]),
    (60.0, [153.5, 140.5, 99.4, 45.9, -5.8]),
    (70.0, [186.1, 171.5, 125.1, 64.7, 6.3]),
    (80.0, [220.8, 204.4, 152.3, 84.6, 19.2]),
    (90.0, [257.4, 239.1, 181.1, 105.7, 32.8]),
    (100.0, [296.0, 275.8, 211.5, 127.9, 47.2]),
];

#[test]
fn every_published_estimate_is_met_to_a_tenth_of_a_per_cent() {
    let table = Table::published(2.0, 365).unwrap();
    assert_eq!(table.index_returns.len(), PUBLISHED.len());
    for (place, (index_return, published)) in PUBLISHED.iter().enumerate() {
        assert!((table.index_returns[place] * 100.0 - index_return).abs() < 1e-9);
        for (column, expected) in published.iter().enumerate() {
            let ours = (table.cells[place][column] * 1_000.0).round() / 10.0;
            assert!(
                (ours - expected).abs() < 1e-9,
                "index {index_return} %, volatility {}: {ours} and not {expected}",
                table.volatilities[column]
            );
        }
    }
}

#[test]
fn an_estimate_is_the_index_itself_at_factor_one_and_worse_than_the_multiple_elsewhere() {
    let of = |factor, index_return, volatility| {
        Estimate::try_new(factor, index_return, volatility, 365).unwrap().fund_return()
    };
    assert!((of(1.0, 0.37, 0.8) - 0.37).abs() < 1e-12);
    // exp(−½ · −2 · −3 · 0.25²) ÷ 1.1² − 1
    assert!((of(-2.0, 0.10, 0.25) - -0.314_851_97).abs() < 1e-7);
    assert!(of(2.0, 0.0, 0.5) < 0.0 && of(-1.0, 0.0, 0.5) < 0.0);
    // Between 0 and 1 a fund buys falls and sells rises: movement brings something in.
    assert!(of(0.5, 0.0, 0.5) > 0.0);
}

#[test]
fn the_break_even_return_leaves_the_fund_where_it_began() {
    for (factor, volatility) in [(2.0, 0.5), (-1.0, 0.5), (3.0, 0.8), (-2.0, 0.25)] {
        let needed = Estimate::try_new(factor, 0.0, volatility, 180).unwrap().break_even().unwrap();
        let fund = Estimate::try_new(factor, needed, volatility, 180).unwrap().fund_return();
        assert!(fund.abs() < 1e-12, "{factor}: {needed} gives {fund}");
    }
}

#[test]
fn terms_that_no_fund_has_are_refused() {
    let code = |factor, index_return, volatility, days| {
        Estimate::try_new(factor, index_return, volatility, days).unwrap_err().code()
    };
    for factor in [0.0, 10.5, f64::NAN, f64::INFINITY] {
        assert_eq!(code(factor, 0.1, 0.2, 365), "leverage.factor_must_be_within_10");
    }
    for index_return in [-1.0, -2.0, 10.5, f64::NAN] {
        assert_eq!(code(2.0, index_return, 0.2, 365), "leverage.index_return_must_be_above_minus_one");
    }
    for volatility in [-0.1, 10.5, f64::NAN] {
        assert_eq!(code(2.0, 0.1, volatility, 365), "leverage.volatility_must_be_0_to_10");
    }
    for days in [0, 3_651] {
        assert_eq!(code(2.0, 0.1, 0.2, days), "leverage.days_must_be_1_to_3650");
    }
}

fn money(text: &str) -> Money {
    text.parse().unwrap()
}

fn rate(text: &str) -> Rate {
    text.parse().unwrap()
}

#[test]
fn the_trade_at_the_close_is_that_of_the_worked_cases() {
    for (factor, index_return, trade) in [
        ("2", "0.10", "20"),
        ("2", "-0.10", "-20"),
        ("-1", "0.10", "20"),
        ("-2", "0.10", "60"),
        ("3", "0.05", "30"),
        ("1", "0.10", "0"),
        ("0.5", "0.10", "-2.5"),
    ] {
        let ours = rebalance_trade(money("100"), rate(factor), rate(index_return)).unwrap();
        assert_eq!(ours, money(trade), "factor {factor}, index {index_return}");
    }
}

#[test]
fn a_day_of_index_fee_and_financing_is_the_worked_case() {
    let terms = DayTerms { fee: rate("0.0185"), financing: rate("0.05") };
    let after = net_assets_after(money("100"), rate("2"), rate("0.03"), &terms).unwrap();
    // 100 · (1 + 0.06 − 0.0185/365 − 0.05/360) = 105.98104262…
    assert_eq!(after, money("105.98104262"));
}

#[test]
fn two_days_that_bring_the_index_back_lose_for_every_multiple() {
    let there = rate("0.10");
    let back = rate("-0.090909090909090909");
    for factor in ["2", "-1"] {
        let first = net_assets_after(money("1"), rate(factor), there, &DayTerms::default()).unwrap();
        let second = net_assets_after(first, rate(factor), back, &DayTerms::default()).unwrap();
        assert_eq!(second, money("0.98181818"), "factor {factor}");
    }
}

proptest! {
    /// The trade brings exposure to factor × net assets, and goes the index's way for factors above 1 and below 0.
    #[test]
    fn the_trade_restores_the_multiple_and_follows_the_index(
        cents in 1i128..1_000_000_000_000,
        tenths in prop::sample::select(vec![-30i128, -20, -15, -10, 5, 10, 15, 20, 30]),
        bps in -2_500i128..2_500,
    ) {
        let before = Money::from_units(cents * 1_000_000);
        let factor = Rate::from_units(tenths * 10i128.pow(17));
        let index_return = Rate::from_units(bps * 10i128.pow(14));
        let after = net_assets_after(before, factor, index_return, &DayTerms::default()).unwrap();
        let trade = rebalance_trade(before, factor, index_return).unwrap();
        // Exposure drifted with the index: factor · before · (1 + r), to a unit or two of rounding.
        let drifted = before.units() * tenths * (10_000 + bps) / 100_000;
        let wanted = after.units() * tenths / 10;
        prop_assert!((drifted + trade.units() - wanted).abs() <= 8, "{drifted} {} {wanted}", trade.units());
        if !(0..=10).contains(&tenths) {
            prop_assert!(trade.units().signum() * bps.signum() >= 0);
        }
    }
}
