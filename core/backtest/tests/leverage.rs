//! Leveraged and inverse funds over pasts that are worked out by hand, made up, or drawn at random.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use proptest::prelude::*;
use std::collections::BTreeMap;
use strongroom_backtest::{Agenda, CommandSink, Market, MemorySink, Runner, Summary};
use strongroom_engine::FundState;
use strongroom_fund::FundDefinition;
use strongroom_units::time::{Date, Time, Timestamp, Zone};
use strongroom_units::{Money, Price, Rate, Symbol};

const TWICE: &str = include_str!("../../../funds/bitcoin-2x.toml");
const INVERSE: &str = include_str!("../../../funds/bitcoin-inverse.toml");
const PERPETUAL: &str = "instrument = \"perpetual\"      # or \"futures\", or \"swap\"";

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn money(text: &str) -> Money {
    text.parse().unwrap()
}

/// The definition with one text in it replaced; the text has to be there.
fn with(definition: &str, from: &str, to: &str) -> String {
    assert!(definition.contains(from), "{from}");
    definition.replace(from, to)
}

fn with_any_price(definition: &str) -> String {
    with(definition, "price_jump = \"0.25\"", "price_jump = \"9\"")
}

/// No fee, no cost and no yield, in contracts of a satoshi.
fn free_of_charge(definition: &str) -> String {
    let text = with(definition, "bps = \"2\"", "bps = \"0\"");
    let text = with(&text, "annual = \"0.04\"", "annual = \"0\"");
    let text = text
        .replace("annual = \"0.0185\"", "annual = \"0\"")
        .replace("annual = \"0.0101\"", "annual = \"0\"");
    with(&with_any_price(&text), "contract = \"0.001\"", "contract = \"0.00000001\"")
}

fn times(definition: &str, factor: &str) -> String {
    with(definition, "multiple = \"2\"", &format!("multiple = \"{factor}\""))
}

/// Prices of consecutive sessions from the seed on.
fn market(definition: &FundDefinition, prices: &[f64]) -> (Market, Date) {
    let mut day = definition.seed.date;
    let mut series = BTreeMap::new();
    for (place, price) in prices.iter().enumerate() {
        if place > 0 {
            day = definition.calendar.next_session(day).unwrap();
        }
        series.insert(day, format!("{price:.8}").parse::<Price>().unwrap());
    }
    let asset: Symbol = definition.assets[0].symbol;
    let market = Market {
        prices: BTreeMap::from([(asset, series)]),
        source: "made up".to_owned(),
        funding_source: "made up".to_owned(),
        ..Market::default()
    };
    (market, day)
}

fn run(text: &str, market: &Market, through: Date) -> (FundState, Summary) {
    let definition = FundDefinition::parse(text).unwrap();
    let mut sink = MemorySink::default();
    let agenda = Agenda::try_new(&definition, definition.seed.date, through).unwrap();
    let mut runner = Runner::open(&mut sink, market, &definition, text).unwrap();
    for (at, task) in agenda.tasks() {
        runner.carry_out(*task, *at).unwrap_or_else(|error| panic!("{at} {task:?}: {error}"));
        let state = runner.state().unwrap();
        assert!(state.ledger().balances().unwrap(), "{at} {task:?}: the books do not balance");
        assert!(state.reserve().check().is_ok());
    }
    let summary = runner.finish();
    (sink.state().unwrap().clone(), summary)
}

fn lived(text: &str, prices: &[f64]) -> (FundState, Summary) {
    let definition = FundDefinition::parse(text).unwrap();
    let (market, through) = market(&definition, prices);
    run(text, &market, through)
}

fn navs(state: &FundState) -> Vec<f64> {
    state.navs().iter().map(|nav| nav.current.nav_per_share.to_decimal().to_f64()).collect()
}

#[track_caller]
fn near(ours: f64, expected: f64, tolerance: f64) {
    assert!((ours - expected).abs() <= tolerance * expected.abs().max(1.0), "{ours} and not {expected}");
}

fn contracts(summary: &Summary) -> Vec<i64> {
    summary.exposure.iter().map(|row| row.contracts).collect()
}

#[test]
fn two_days_there_and_back_are_the_worked_case() {
    for definition in [TWICE, INVERSE] {
        let (state, summary) = lived(&free_of_charge(definition), &[50_000.0, 55_000.0, 50_000.0]);
        near(navs(&state)[2] / 25.0, 0.981_818_18, 1e-7);
        // The trade at the close goes the index's way.
        for row in &summary.exposure[1..] {
            let rose = row.date == date("2022-11-08");
            assert_eq!(row.exposure > row.drifted, rose, "{row:?}");
        }
    }
}

#[test]
fn the_trade_at_the_close_is_net_assets_times_factor_times_factor_less_one_times_return() {
    for (factor, expected) in [("2", 20.0), ("-1", 20.0), ("-2", 60.0), ("3", 60.0), ("1", 0.0)] {
        let (_, summary) = lived(&free_of_charge(&times(TWICE, factor)), &[50_000.0, 55_000.0]);
        let (before, after) = (&summary.exposure[0], &summary.exposure[1]);
        let traded = after.exposure.try_sub(after.drifted).unwrap().to_decimal().to_f64();
        near(100.0 * traded / before.net_assets.to_decimal().to_f64(), expected, 1e-6);
    }
}

#[test]
fn a_swap_with_fee_and_financing_is_the_worked_day() {
    let text = with(TWICE, PERPETUAL, "instrument = \"swap\"");
    let text = with(&text, "bps = \"2\"", "bps = \"0\"");
    // The cash earns what the swap costs, so that factor − 1 is paid for.
    let text = with(&text, "annual = \"0.04\"", "annual = \"0.05\"");
    let text = with(&text, "contract = \"0.001\"", "contract = \"0.00000001\"");
    let financing = "[[exposure.financing]]\nfrom = 2022-11-07\nannual = \"0.05\"\n\n[exposure.margin]";
    let (state, _) = lived(&with(&text, "[exposure.margin]", financing), &[50_000.0, 51_500.0]);
    // The engine's fee is on the day's own basis: (106 − 5/360) · (1 − 0.0185/365), and not on 100 as in 105.98104….
    near(navs(&state)[1] * 4.0, (106.0 - 5.0 / 360.0) * (1.0 - 0.0185 / 365.0), 1e-9);
    near(navs(&state)[1] * 4.0, 105.981_04, 5e-6);
}

#[test]
fn funding_is_paid_by_the_long_and_received_by_the_short() {
    for (definition, exposure) in [(TWICE, 20_000_000.0), (INVERSE, -10_000_000.0)] {
        let text = free_of_charge(definition);
        let (mut market, through) = market(&FundDefinition::parse(&text).unwrap(), &[50_000.0, 50_000.000_1]);
        // One of before the first trade, which nobody pays, and one in between.
        market.funding = BTreeMap::from([
            ("2022-11-07T16:00:00Z".parse().unwrap(), "0.5".parse().unwrap()),
            ("2022-11-08T08:00:00Z".parse().unwrap(), "0.0001".parse().unwrap()),
        ]);
        let (_, summary) = run(&text, &market, through);
        let row = summary.exposure.last().unwrap();
        near(row.funding.to_decimal().to_f64(), exposure * 0.0001, 1e-6);
    }
}

#[test]
fn a_fund_of_which_nothing_is_left_says_so_and_stops() {
    let (state, summary) = lived(&free_of_charge(TWICE), &[50_000.0, 52_000.0, 24_000.0, 26_000.0, 27_000.0]);
    assert_eq!(state.wiped_out(), Some(date("2022-11-09")));
    let last = state.last_nav().unwrap();
    assert_eq!((last.date, last.current.nav_per_share), (date("2022-11-09"), Price::ZERO));
    assert_eq!(last.current.valuation.net_assets, Money::ZERO);
    assert_eq!(state.net_assets_in_money().unwrap(), Money::ZERO);
    assert_eq!(state.position().unwrap().contracts, 0);
    assert_eq!(summary.exposure.len(), 2, "nothing is traded after it");
    // A short fund ends when the index doubles.
    let (state, _) = lived(&free_of_charge(INVERSE), &[50_000.0, 101_000.0, 50_000.0]);
    assert_eq!(state.wiped_out(), Some(date("2022-11-08")));
}

#[test]
fn a_monthly_fund_meets_its_calls_of_margin_in_between() {
    let daily = "reset = \"daily\"               # or \"monthly\"";
    let text = with(&free_of_charge(TWICE), daily, "reset = \"monthly\"");
    let (state, summary) = lived(&text, &[50_000.0, 42_000.0, 40_000.0, 41_000.0]);
    let called: Vec<bool> = summary.exposure.iter().map(|row| row.called.is_some()).collect();
    assert_eq!(called, [false, true, false, false], "{:?}", summary.exposure);
    assert!(contracts(&summary).windows(2).all(|pair| pair[0] == pair[1]));
    near(navs(&state)[3], 25.0 * (1.0 + 2.0 * (41_000.0 / 50_000.0 - 1.0)), 1e-6);
}

#[test]
fn futures_are_rolled_before_they_expire_and_pay_the_basis() {
    let text = with(&free_of_charge(TWICE), PERPETUAL, "instrument = \"futures\"");
    let terms = "[exposure.roll]\nexpiry = \"last-friday\"\nsessions_before = 5\n\n[[exposure.basis]]\nfrom = 2022-11-07\n\
                 annual = \"0.0847\"\n\n[exposure.margin]";
    let text = with(&text, "[exposure.margin]", terms);
    let prices: Vec<f64> = (0..60).map(|day| 50_000.0 + f64::from(day) * 0.01).collect();
    let (state, summary) = lived(&text, &prices);
    let mut expiries: Vec<Date> = summary.exposure.iter().filter_map(|row| row.expiry).collect();
    expiries.dedup();
    let expected = ["2022-11-25", "2022-12-30", "2023-01-27", "2023-02-24"].map(date);
    assert_eq!(expiries, expected);
    // Two times what the futures lose towards the index, day by day, while it stands still.
    let carried = |date: Date, expiry: Date| {
        1.0 + 0.0847 * strongroom_fund::definition::days_between(date, expiry) as f64 / 365.0
    };
    let left: f64 = summary
        .exposure
        .windows(2)
        .map(|pair| {
            let expiry = pair[0].expiry.unwrap();
            1.0 + 2.0 * (carried(pair[1].date, expiry) / carried(pair[0].date, expiry) - 1.0)
        })
        .product();
    near(navs(&state).last().unwrap() / 25.0, left, 1e-4);
}

/// Daily returns in basis points; now and then a crash or a rise by four tenths.
fn days(crash: i64) -> impl Strategy<Value = i64> {
    prop_oneof![60 => -600i64..700, 1 => Just(crash), 1 => Just(4_000i64)]
}

fn path(returns: &[i64]) -> Vec<f64> {
    let mut prices = vec![40_000.0];
    for bps in returns {
        let last: f64 = prices[prices.len() - 1];
        prices.push((last * (1.0 + *bps as f64 / 10_000.0)).clamp(100.0, 10_000_000.0));
    }
    prices
}

/// Every eight hours from the seed on, a few basis points either way.
fn funding(days: usize) -> BTreeMap<Timestamp, Rate> {
    let start = Zone::Utc.instant(date("2022-11-08"), Time::midnight()).unwrap().as_second();
    let rate = |place: i64| Rate::from_units(i128::from((place * 7_919) % 41 - 12) * 10i128.pow(13));
    let row = |place: i64| (Timestamp::from_second(start + place * 28_800).unwrap(), rate(place));
    (0..i64::try_from(days).unwrap() * 3).map(row).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn factor_one_without_costs_is_its_index(returns in prop::collection::vec(days(-5_000), 1..120)) {
        let prices = path(&returns);
        let (state, _) = lived(&free_of_charge(&times(TWICE, "1")), &prices);
        for (nav, price) in navs(&state).iter().zip(&prices) {
            near(*nav / 25.0, *price / 40_000.0, 1e-8);
        }
    }

    #[test]
    fn exposure_after_each_reset_is_factor_times_net_assets(
        returns in prop::collection::vec(days(-4_000), 1..120),
        factor in prop::sample::select(vec!["2", "-1", "1.5", "-2", "3"]),
    ) {
        let text = with_any_price(&times(TWICE, factor));
        let (mut market, through) = market(&FundDefinition::parse(&text).unwrap(), &path(&returns));
        market.funding = funding(200);
        let (state, summary) = run(&text, &market, through);
        let multiple: f64 = factor.parse().unwrap();
        for row in &summary.exposure {
            let (exposure, base) = (row.exposure.to_decimal().to_f64(), row.base.to_decimal().to_f64());
            let contract = row.mark.to_decimal().to_f64() * 0.001;
            prop_assert!((exposure - multiple * base).abs() <= contract * 0.51, "{}: {exposure} of {base}", row.date);
        }
        prop_assert!(state.navs().iter().all(|nav| nav.current.nav_per_share >= Price::ZERO));
    }
}

/// What the last reset cost: `base` is before it.
fn last_trade(summary: &Summary) -> Money {
    let rows = &summary.exposure;
    let before = rows.iter().rev().nth(1).map_or(Money::ZERO, |row| row.trading);
    rows[rows.len() - 1].trading.try_sub(before).unwrap()
}

#[test]
fn ten_years_with_funding_and_crashes_keep_every_invariant_and_tie_to_their_sources() {
    // Crashes by half every two years or so, by a rule rather than by chance.
    let returns: Vec<i64> = (0..2_515i64)
        .map(|day| if day % 701 == 350 { -5_000 } else { (day * 7_877 % 1_201) - 590 })
        .collect();
    for (definition, is_wiped_out) in [(TWICE, true), (INVERSE, false)] {
        let text = with_any_price(definition);
        let (mut market, through) = market(&FundDefinition::parse(&text).unwrap(), &path(&returns));
        market.funding = funding(3_700);
        let (state, summary) = run(&text, &market, through);
        assert_eq!(state.wiped_out().is_some(), is_wiped_out);
        if !is_wiped_out {
            assert_eq!(state.navs().len(), 2_516);
        }
        // Net assets are the seed's money and everything gained, earned and paid since, to the last unit.
        let row = summary.exposure.last().unwrap();
        let gained = money("10000000").try_add(row.gain).unwrap().try_add(row.income).unwrap();
        let costs = [row.funding, row.financing, row.trading, row.rolling, row.fee];
        let net = costs.iter().fold(gained, |sum, cost| sum.try_sub(*cost).unwrap());
        assert_eq!(net, row.base.try_sub(last_trade(&summary)).unwrap());
        let again = FundState::from_snapshot(&state.to_snapshot().unwrap()).unwrap();
        assert_eq!(again, state);
    }
}
