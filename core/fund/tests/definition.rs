//! A wrong definition is refused with its place, its rule and what to write instead; a right one says what holds when.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use proptest::prelude::*;
use std::collections::BTreeSet;
use strongroom_fund::definition::{Dated, FeeAccrual, OrderMethod, Terms};
use strongroom_fund::{DefinitionError, FundDefinition};
use strongroom_units::time::{Date, Timestamp};
use strongroom_units::{Money, Rate, Shares};

const BITCOIN: &str = include_str!("../../../funds/bitcoin.toml");
const ETHER: &str = include_str!("../../../funds/ether.toml");
const LARGE_CAP: &str = include_str!("../../../funds/large-cap.toml");
const STAKING: &str = include_str!("../../../funds/ether-staking.toml");
const DEFI: &str = include_str!("../../../funds/defi.toml");
const PLATFORMS: &str = include_str!("../../../funds/smart-contract-platforms.toml");

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

/// One line of the bitcoin fund replaced, the code that refuses it, and the text that the refusal points at.
struct Row {
    replace: &'static str,
    with: &'static str,
    code: &'static str,
    points_at: &'static str,
}

const fn row(replace: &'static str, with: &'static str, code: &'static str, points_at: &'static str) -> Row {
    Row { replace, with, code, points_at }
}

const READABLE: &str = "definition.must_be_readable";
const POSITIVE: &str = "definition.number_must_be_positive";
const RATE: &str = "definition.rate_must_be_a_fraction";
const COVER: &str = "definition.dated_list_must_cover_the_seed";
const ASCEND: &str = "definition.dated_list_must_ascend";
const OVERLAP: &str = "definition.waivers_must_not_overlap";
const LOWER: &str = "definition.waiver_must_lower_the_fee";
const PAYMENT: &str = "definition.payment_session_must_be_1_to_20";
const NAME: &str = "definition.name_must_be_1_to_120_characters";
const CUSTODY: &str = "definition.custody_must_have_both_accounts";
const ONE_ASSET: &str = "definition.single_asset_fund_must_list_one_asset";

const ROWS: &[Row] = &[
    // what cannot be read
    row("currency = \"USD\"", "currency = \"USD\"\ncurrancy = 1", READABLE, "currancy"),
    row("session = 10 ", "session = 10\nsessions = 1 #", READABLE, "sessions"),
    row("price_jump = \"0.25\"", "price_jump = 0.25", READABLE, "0.25"),
    row("annual = \"0.0025\"", "annual = 0.0025", READABLE, "0.0025"),
    row("annual = \"0.0025\"", "annual = \"a quarter\"", READABLE, "\"a quarter\""),
    row("price_jump = \"0.25\"", "price_jump = 1", READABLE, "1"),
    row("nav_per_share = \"25.00\"", "nav_per_share = \"25.000000001\"", READABLE, "\"25.000000001\""),
    row("nav_per_share = \"25.00\"", "", READABLE, "[seed]"),
    row("id = \"BTCX\"", "", READABLE, "# A spot bitcoin trust"),
    row("scale = 8 ", "scale = 19 #", READABLE, "19"),
    row("type = \"single-asset\"", "type = \"index\"", READABLE, "\"index\""),
    row("calendar = \"NYSE\"", "calendar = \"nyse\"", READABLE, "\"nyse\""),
    row("zone = \"America/New_York\"", "zone = \"EST\"", READABLE, "\"EST\""),
    row("cost_method = \"average\"", "cost_method = \"best\"", READABLE, "\"best\""),
    row("id = \"BTCX\"", "id = \"btcx\"", READABLE, "\"btcx\""),
    row("shares = 40_000", "shares = 40_000.5", READABLE, "40_000.5"),
    row("shares = 40_000", "shares = \"40_000\"", READABLE, "\"40_000\""),
    row("date = 2024-01-05", "date = 2024-02-30", READABLE, "2024-02-30"),
    row("date = 2024-01-05", "date = \"2024-01-05\"", READABLE, "\"2024-01-05\""),
    row("date = 2024-01-05", "date = 2024-01-05T16:00:00", READABLE, "2024-01-05T16:00:00"),
    row("time = 16:00:00", "time = 2024-01-05", READABLE, "2024-01-05"),
    row("[seed]", "[seed", READABLE, "\ndate"),
    row("name = \"Bitcoin\"", "name = \"Bitcoin", READABLE, "\nscale"),
    row("shares = 400_000", "shares = 1\nshares = 400_000", READABLE, "shares = 400_000"),
    // rates
    row(
        "[fee]",
        "[[rate]]\nfrom = 2024-01-05\nasset = \"ETH\"\npair = \"ETH-USD\"\nmethodology = \"cf-brr\"\n\n[fee]",
        "definition.rate_asset_must_be_held",
        "\"ETH\"",
    ),
    row(
        "[fee]",
        "[[rate]]\nfrom = 2024-01-05\nasset = \"BTC\"\npair = \"BTCUSD\"\nmethodology = \"cf-brr\"\n\n[fee]",
        "definition.rate_pair_must_be_a_pair",
        "\"BTCUSD\"",
    ),
    row(
        "[fee]",
        "[[rate]]\nfrom = 2024-01-05\nasset = \"BTC\"\npair = \"BTC-USD\"\nmethodology = \" \"\n\n[fee]",
        "definition.rate_methodology_must_be_named",
        "\" \"",
    ),
    row(
        "[fee]",
        "[[rate]]\nfrom = 2024-01-05\nasset = \"BTC\"\npair = \"BTC-USD\"\nmethodology = \"a\"\n\n[[rate]]\nfrom = 2024-01-05\nasset = \"BTC\"\npair = \"BTC-USD\"\nmethodology = \"b\"\n\n[fee]",
        "definition.rates_must_differ",
        "[[rate]]\nfrom = 2024-01-05\nasset = \"BTC\"\npair = \"BTC-USD\"\nmethodology = \"b\"",
    ),
    // numbers
    row("shares = 400_000", "shares = 0", POSITIVE, "0"),
    row("shares = 400_000", "shares = -400_000", POSITIVE, "-400_000"),
    row("nav_per_share = \"25.00\"", "nav_per_share = \"-25\"", POSITIVE, "\"-25\""),
    row("shares = 40_000", "shares = 0", POSITIVE, "0"),
    row("price_jump = \"0.25\"", "price_jump = \"0\"", POSITIVE, "\"0\""),
    row("unchanged_sessions = 2", "unchanged_sessions = 0", POSITIVE, "0"),
    row("annual = \"0.0025\"", "annual = \"0.25\"", RATE, "\"0.25\""),
    row("annual = \"0.0025\"", "annual = \"-0.0025\"", RATE, "\"-0.0025\""),
    row("annual = \"0.0012\"", "annual = \"0.12\"", RATE, "\"0.12\""),
    row("session = 10 ", "session = 0 ", PAYMENT, "0"),
    row("session = 10 ", "session = 21 ", PAYMENT, "21"),
    // names
    row("name = \"Strongroom Bitcoin Trust\"", "name = \" \"", NAME, "\" \""),
    row("name = \"Strongroom Bitcoin Trust\"", "name = \"A\\u0000\"", NAME, "\"A\\u0000\""),
    row("currency = \"USD\"", "currency = \"EUR\"", "definition.currency_must_be_usd", "\"EUR\""),
    row("symbol = \"BTC\"", "symbol = \"USD\"", "definition.asset_symbols_must_differ", "\"USD\""),
    row(
        "[seed]",
        "[[asset]]\nsymbol = \"ETH\"\nname = \"Ether\"\nscale = 18\n[seed]",
        ONE_ASSET,
        "[[asset]]",
    ),
    // dates
    row("date = 2024-01-05", "date = 2024-01-06", "definition.seed_date_must_be_a_session", "2024-01-06"),
    row("from = 2024-01-05\nshares", "from = 2024-01-06\nshares", COVER, "2024-01-06"),
    row("from = 2024-01-05\nid", "from = 2024-01-08\nid", COVER, "2024-01-08"),
    row(
        "[fee]\n",
        "[[creation_unit]]\nfrom = 2024-01-05 # again\nshares = 1\n[fee]\n",
        ASCEND,
        "2024-01-05 # again",
    ),
    row(
        "[[fee.waiver]]",
        "[[fee.rate]]\nfrom = 2023-01-11\nannual = \"0.002\"\n[[fee.waiver]]",
        ASCEND,
        "2023-01-11",
    ),
    // the fee
    row("day_count", "coin_decimals = 8\nday_count", "definition.coin_decimals_must_go_with_coins", "8"),
    row(
        "through = 2025-01-10",
        "through = 2024-01-10",
        "definition.waiver_must_end_after_it_begins",
        "2024-01-10",
    ),
    row("annual = \"0.0012\"", "annual = \"0.0025\"", LOWER, "\"0.0025\""),
    row("from = 2024-01-11\nthrough", "from = 2024-01-10\nthrough", LOWER, "\"0.0012\""),
    row(
        "[[fee.waiver]]",
        "[[fee.rate]]\nfrom = 2025-01-10\nannual = \"0.001\"\n[[fee.waiver]]",
        LOWER,
        "\"0.0012\"",
    ),
    row("first = \"5_000_000_000\"", "first = \"0\"", "definition.waiver_tranche_must_be_positive", "\"0\""),
    row(
        "accrual = \"money\" ",
        "accrual = \"coins\" ",
        "definition.waiver_tranche_must_go_with_money",
        "\"5_000_000_000\"",
    ),
    row(
        "[fee.payment]",
        "[[fee.waiver]]\nfrom = 2025-01-10\nthrough = 2025-02-01\nannual = \"0\"\n[fee.payment]",
        OVERLAP,
        "2025-01-10\nthrough = 2025-02-01",
    ),
    // custody and orders
    row("account = \"trading\"", "account = \"vault\"", CUSTODY, "[[custody]]"),
    row(
        "from = 2025-07-30\nmethod = \"in-kind\"",
        "from = 2024-01-05 # again\nmethod = \"cash\"",
        "definition.order_windows_must_differ",
        "2024-01-05 # again",
    ),
    row("cut_off = 15:59:00", "cut_off = 16:00:01", "definition.cut_off_must_be_before_strike", "16:00:01"),
    row(
        "cut_off = 15:59:00",
        "cut_off = 16:00:00",
        "definition.cut_off_must_be_before_strike",
        "16:00:00\nsessions",
    ),
    row(
        "sessions_before = 1 ",
        "sessions_before = 6 ",
        "definition.cut_off_must_be_within_five_sessions",
        "6",
    ),
];

const COST: &str = "definition.cost_must_be_0_to_1000_bps";
const INDEX: &str =
    "[index]\ndefinition = \"large-cap\"\ncost = [{ from = 2024-01-05, bps = \"10\" }]\n\n[seed]";

/// One text of the large-cap fund replaced.
const BASKET_ROWS: &[Row] = &[
    row("bps = \"10\"", "bps = \"-1\"", COST, "\"-1\""),
    row("bps = \"10\"", "bps = \"1000.1\"", COST, "\"1000.1\""),
    row("bps = \"10\"", "bps = 10", READABLE, "10"),
    row("definition = \"large-cap\"", "definition = \" \"", "definition.index_must_be_named", "\" \""),
    row("[[index.cost]]\nfrom = 2020-01-02", "[[index.cost]]\nfrom = 2020-01-03", COVER, "2020-01-03"),
    row(
        "accrual = \"money\"",
        "accrual = \"coins\"",
        "definition.basket_fee_must_accrue_in_money",
        "\"basket\"",
    ),
    row("symbol = \"ETH\"", "symbol = \"BTC\"", "definition.asset_symbols_must_differ", "\"BTC\""),
    row("type = \"basket\"", "type = \"single-asset\"", ONE_ASSET, "[[asset]]"),
];

/// A list of the definition written as empty: its lines are removed and `name = []` is put before another line.
const EMPTY_LISTS: &[(&str, &str, &str)] = &[
    ("asset", "cost_method", ONE_ASSET),
    ("creation_unit", "cost_method", ASCEND),
    ("benchmark", "cost_method", ASCEND),
    ("custody", "cost_method", CUSTODY),
    ("order_window", "cost_method", "definition.order_window_must_exist"),
    ("fee.rate", "day_count", ASCEND),
];

fn check(definition: &str, row: &Row) -> Result<(), String> {
    assert!(definition.contains(row.replace), "`{}` is not in the definition", row.replace);
    refused(&definition.replacen(row.replace, row.with, 1), row.code, row.points_at)
        .map_err(|error| format!("`{}` {error}", row.with))
}

fn refused(text: &str, code: &str, points_at: &str) -> Result<(), String> {
    let error = match FundDefinition::parse(text) {
        Ok(_) => return Err("was not refused".to_owned()),
        Err(error) => error,
    };
    let found = pointed_at(text, &error);
    let right = error.code() == code && found.is_some_and(|found| found.starts_with(points_at));
    if right && !error.fix.is_empty() && !error.message.is_empty() {
        return Ok(());
    }
    let found: String = found.unwrap_or("nothing").chars().take(40).collect();
    Err(format!("{} {error}; points at `{found}`", error.code()))
}

/// The text from the place of a refusal on.
fn pointed_at<'a>(text: &'a str, error: &DefinitionError) -> Option<&'a str> {
    let before: usize = text.split_inclusive('\n').take(error.line.checked_sub(1)?).map(str::len).sum();
    let rest = text.get(before..)?;
    let (offset, _) = rest.char_indices().nth(error.column.checked_sub(1)?)?;
    rest.get(offset..)
}

#[test]
fn each_refusal_points_at_the_place_and_says_what_to_write() {
    let single = ROWS.iter().filter_map(|row| check(BITCOIN, row).err());
    let staking = STAKING_ROWS.iter().filter_map(|row| check(STAKING, row).err());
    let single = single.chain(staking);
    let wrong: Vec<String> =
        single.chain(BASKET_ROWS.iter().filter_map(|row| check(LARGE_CAP, row).err())).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Lines of the staking fund replaced.
const STAKING_ROWS: &[Row] = &[
    row("session = 5 ", "session = 21 #", "definition.distribution_sessions_must_be_in_range", "21"),
    row("record_after = 1", "record_after = 0", "definition.distribution_sessions_must_be_in_range", "0"),
    row("pay_after = 2", "pay_after = 61", "definition.distribution_sessions_must_be_in_range", "61"),
    row("decimals = 6", "decimals = 9", "definition.distribution_decimals_must_fit_the_base_unit", "9"),
    row("every = \"quarter\"", "every = \"year\"", READABLE, "\"year\""),
    row(
        "provider = \"Staking Provider, unrelated to the sponsor\"",
        "provider = \" \"",
        "definition.staking_provider_must_be_named",
        "\" \"",
    ),
    row(
        "target = \"0.80\"",
        "target = \"0.91\"",
        "definition.staking_target_must_leave_the_sleeve",
        "\"0.91\"",
    ),
    row("target = \"0.80\"", "target = \"80\"", "definition.staking_part_must_be_a_fraction", "\"80\""),
    row(
        "liquid_least = \"0.10\"",
        "liquid_least = \"-0.1\"",
        "definition.staking_part_must_be_a_fraction",
        "\"-0.1\"",
    ),
    row("unbonding_days = 9", "unbonding_days = 366", "definition.unbonding_must_be_within_a_year", "366"),
    row(
        "custodian = \"0.08\"",
        "custodian = \"0.91\"",
        "definition.staking_cut_must_leave_something",
        "\"0.10\"",
    ),
    row("no_arbitrage = true\n", "", READABLE, "[staking.safe_harbour]"),
    row(
        "cost_method",
        "shares_most = 399_999\ncost_method",
        "definition.shares_most_must_hold_the_seed",
        "399_999",
    ),
];

#[test]
fn only_a_fund_of_one_asset_stakes_and_has_a_policy_for_gifts_of_its_own() {
    let section =
        &STAKING[STAKING.find("[staking]").unwrap()..STAKING.find("[staking.safe_harbour]").unwrap()];
    let staking = format!("{LARGE_CAP}\n{}", section.replace("2023-01-03", "2020-01-02"));
    let of_one = refused(&staking, "definition.staking_must_be_of_one_asset", "\"Staking Provider");
    assert_eq!(of_one, Ok(()));
    let gifts = LARGE_CAP.replacen("cost_method", "forks_and_airdrops = \"abandon\"\ncost_method", 1);
    let by_index = refused(&gifts, "definition.gift_policy_of_a_basket_must_be_its_index", "\"abandon\"");
    assert_eq!(by_index, Ok(()));
}

/// Codes about the kind of fund as a whole, each with its own text below.
const OF_KINDS: [&str; 3] = [
    "definition.basket_fund_must_list_2_to_100_assets",
    "definition.basket_fund_must_follow_an_index",
    "definition.index_must_go_with_a_basket",
];

const IN_LIEU: [&str; 3] = [
    "definition.cash_in_lieu_must_go_with_a_basket",
    "definition.cash_in_lieu_must_be_of_its_assets",
    "definition.cash_in_lieu_must_leave_assets",
];

#[test]
fn cash_stands_in_for_some_assets_of_a_basket() {
    let refused = |fund: &str, from: &str, assets: &str| {
        let text = format!("{fund}\n[[cash_in_lieu]]\nfrom = {from}\nassets = [{assets}]\n");
        FundDefinition::parse(&text).unwrap_err().code()
    };
    let assets = FundDefinition::parse(LARGE_CAP).unwrap().assets;
    let all: Vec<_> = assets.iter().map(|asset| format!("\"{}\"", asset.symbol)).collect();
    let codes = [(BITCOIN, "\"BTC\""), (LARGE_CAP, "\"SHIB\""), (LARGE_CAP, &all.join(", "))];
    assert_eq!(codes.map(|(fund, assets)| refused(fund, "2024-01-05", assets)), IN_LIEU);
}

#[test]
fn a_basket_has_several_assets_and_an_index_and_a_single_asset_fund_neither() {
    let basket = BITCOIN.replace("\"single-asset\"", "\"basket\"");
    let [few, no_index, index_without_basket] = OF_KINDS;
    assert_eq!(refused(&basket, few, "[[asset]]"), Ok(()));
    let assets = LARGE_CAP.find("[index]").unwrap()..LARGE_CAP.find("[seed]").unwrap();
    let indexless = [&LARGE_CAP[..assets.start], &LARGE_CAP[assets.end..]].concat();
    assert_eq!(refused(&indexless, no_index, "\"basket\""), Ok(()));
    let indexed = BITCOIN.replace("[seed]", INDEX);
    assert_eq!(refused(&indexed, index_without_basket, "[index]"), Ok(()));
    for (text, id, assets) in
        [(LARGE_CAP, "large-cap", 18), (PLATFORMS, "smart-contract-platforms", 8), (DEFI, "defi", 8)]
    {
        let fund = FundDefinition::parse(text).unwrap();
        let index = fund.index.unwrap();
        assert_eq!((index.definition.as_str(), fund.assets.len()), (id, assets));
        assert_eq!(index.cost.at(fund.seed.date), Some(&"0.001".parse::<Rate>().unwrap()));
    }
}

#[test]
fn an_empty_list_is_refused_where_it_stands() {
    for (list, before, code) in EMPTY_LISTS {
        let blocks = BITCOIN.split_inclusive("\n\n");
        let kept: String = blocks.filter(|block| !block.starts_with(&format!("[[{list}]]"))).collect();
        let name = list.rsplit('.').next().unwrap();
        let text = kept.replacen(&format!("\n{before}"), &format!("\n{name} = []\n{before}"), 1);
        assert_eq!(refused(&text, code, "[]"), Ok(()), "{list}");
    }
}

#[test]
fn deep_nesting_is_refused() {
    for open in ["[", "{a=", "a."] {
        let text = format!("id = {}", open.repeat(100_000));
        assert_eq!(FundDefinition::parse(&text).unwrap_err().code(), READABLE);
        let text = format!("{}a = 1", open.repeat(100_000));
        assert_eq!(FundDefinition::parse(&text).unwrap_err().code(), READABLE);
    }
}

#[test]
fn each_code_of_the_definition_is_tested() {
    let sources = [
        include_str!("../src/definition/parse.rs"),
        include_str!("../src/definition/basket.rs"),
        include_str!("../src/definition/distribution.rs"),
    ];
    let written = sources.iter().flat_map(|source| source.split('"'));
    let codes = written.filter(|text| text.starts_with("definition."));
    let elsewhere =
        ["definition.staking_must_be_of_one_asset", "definition.gift_policy_of_a_basket_must_be_its_index"];
    let rows = ROWS.iter().chain(BASKET_ROWS).chain(STAKING_ROWS).map(|row| row.code).chain(elsewhere);
    let tested: BTreeSet<&str> =
        rows.chain(EMPTY_LISTS.iter().map(|(_, _, code)| *code)).chain(OF_KINDS).chain(IN_LIEU).collect();
    let uncovered: Vec<&str> = codes.filter(|code| !tested.contains(code)).collect();
    assert!(uncovered.is_empty(), "{uncovered:?}");
}

#[test]
fn the_fix_says_what_to_write_for_the_kind_of_mistake() {
    for (replace, with, fix) in [
        ("annual = \"0.0025\"", "annual = 0.0025", "in quotes"),
        ("price_jump = \"0.25\"", "price_jump = 1", "in quotes"),
        ("shares = 40_000", "shares = 40_000.5", "a whole number without quotes"),
        ("session = 10 ", "session = \"10\" ", "a whole number without quotes"),
        ("date = 2024-01-05", "date = \"2024-01-05\"", "like 2024-01-11"),
        ("id = \"BTCX\"", "", "Add the missing field"),
        ("currency = \"USD\"", "currency = \"EUR\"", "Write \"USD\""),
    ] {
        let error = FundDefinition::parse(&BITCOIN.replacen(replace, with, 1)).unwrap_err();
        assert!(error.fix.contains(fix), "{with}: {error}");
        assert_eq!(
            error.to_string(),
            format!("line {}, column {}: {}. {}", error.line, error.column, error.message, error.fix)
        );
    }
}

// ---- what is right

#[test]
fn both_funds_are_read_with_their_own_terms() {
    for (text, id, decimals, seed, tranche) in
        [(BITCOIN, "BTCX", 8, "2024-01-05", "5000000000"), (ETHER, "ETHX", 18, "2024-05-21", "2500000000")]
    {
        let fund = FundDefinition::parse(text).unwrap();
        assert_eq!((fund.id.as_str(), fund.assets[0].scale.decimals()), (id, decimals));
        assert_eq!(fund.seed.date, date(seed));
        assert_eq!(fund.seed.nav_per_share, "25".parse::<Money>().unwrap());
        assert_eq!(fund.creation_unit.at(date(seed)), Some(&Shares::new(40_000)));
        assert_eq!(fund.fee.waivers[0].first, Some(tranche.parse().unwrap()));
        assert_eq!(fund.asset(fund.assets[0].symbol), Some(&fund.assets[0]));
        assert_eq!(fund.asset(fund.currency), None);
    }
}

#[test]
fn a_fee_in_coins_is_filed_at_eight_decimals_unless_it_says_otherwise() {
    let in_coins = BITCOIN.replacen("\"money\"", "\"coins\"", 1).replacen("first = ", "# first = ", 1);
    let accrual = |text: &str| FundDefinition::parse(text).unwrap().fee.accrual;
    assert_eq!(accrual(&in_coins), FeeAccrual::Coins { decimals: 8 });
    let at_ten = in_coins.replacen("day_count", "coin_decimals = 10\nday_count", 1);
    assert_eq!(accrual(&at_ten), FeeAccrual::Coins { decimals: 10 });
}

#[test]
fn a_dated_value_holds_from_its_day_to_the_day_before_the_next() {
    let (first, second) = ("0.0025".parse::<Rate>().unwrap(), "0.002".parse::<Rate>().unwrap());
    let dated = Dated::try_new(vec![(date("2024-01-11"), first), (date("2025-03-01"), second)]).unwrap();
    for (day, expected) in [
        ("2024-01-10", None),
        ("2024-01-11", Some(&first)),
        ("2025-02-28", Some(&first)),
        ("2025-03-01", Some(&second)),
        ("2099-12-31", Some(&second)),
    ] {
        assert_eq!(dated.at(date(day)), expected, "{day}");
    }
    assert_eq!(dated.entries().len(), 2);
}

#[test]
fn a_dated_list_is_refused_at_its_first_entry_out_of_order() {
    let list = |days: &[&str]| Dated::try_new(days.iter().map(|day| (date(day), ())).collect()).err();
    assert_eq!(list(&[]), Some(0));
    assert_eq!(list(&["2024-01-01"]), None);
    assert_eq!(list(&["2024-01-01", "2024-01-01"]), Some(1));
    assert_eq!(list(&["2024-01-01", "2024-02-01", "2024-01-15", "2024-01-01"]), Some(2));
}

#[test]
fn orders_are_taken_until_the_wall_clock_of_new_york_says_so() {
    let fund = FundDefinition::parse(BITCOIN).unwrap();
    let (cash, in_kind) = (OrderMethod::Cash, OrderMethod::InKind);
    for (method, trade_date, expected) in [
        (cash, "2024-01-04", None),
        (cash, "2024-01-12", Some("2024-01-11T23:00:00Z")),
        // Over a weekend and a Monday without a session: the Friday before.
        (cash, "2024-01-16", Some("2024-01-12T23:00:00Z")),
        // Clocks go forward on Sunday 10 March and back on Sunday 3 November.
        (cash, "2024-03-11", Some("2024-03-08T23:00:00Z")),
        (cash, "2024-03-12", Some("2024-03-11T22:00:00Z")),
        (cash, "2024-11-04", Some("2024-11-01T22:00:00Z")),
        (cash, "2024-11-05", Some("2024-11-04T23:00:00Z")),
        (in_kind, "2025-07-29", None),
        (in_kind, "2025-07-30", Some("2025-07-30T19:59:00Z")),
        (in_kind, "2025-12-01", Some("2025-12-01T20:59:00Z")),
    ] {
        let expected: Option<Timestamp> = expected.map(|text| text.parse().unwrap());
        assert_eq!(fund.cut_off(method, date(trade_date)), Ok(expected), "{method} {trade_date}");
    }
}

#[test]
fn a_new_window_holds_from_its_first_trade_date_wherever_it_is_written() {
    let earlier =
        "[[order_window]]\nfrom = 2025-01-02\nmethod = \"cash\"\ncut_off = 12:00:00\nsessions_before = 2\n\n";
    let text = BITCOIN.replacen("[[order_window]]", &format!("{earlier}[[order_window]]"), 1);
    let fund = FundDefinition::parse(&text).unwrap();
    let cut_off = |day| fund.cut_off(OrderMethod::Cash, date(day)).unwrap().unwrap().to_string();
    assert_eq!(cut_off("2024-12-31"), "2024-12-30T23:00:00Z");
    assert_eq!(cut_off("2025-01-02"), "2024-12-30T17:00:00Z");
}

// ---- properties

/// The bitcoin fund with some characters replaced.
fn damaged() -> impl Strategy<Value = String> {
    let characters: Vec<char> = BITCOIN.chars().collect();
    proptest::collection::vec((0..characters.len(), any::<char>()), 1..5).prop_map(move |damages| {
        let mut damaged = characters.clone();
        damages.into_iter().for_each(|(at, character)| damaged[at] = character);
        damaged.into_iter().collect()
    })
}

fn read_or_refused_in_the_text(text: &str) {
    if let Err(error) = FundDefinition::parse(text) {
        assert!(error.line <= text.matches('\n').count() + 1, "{error}");
        assert!(!error.code().is_empty() && !error.fix.is_empty(), "{error}");
    }
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        read_or_refused_in_the_text(&text);
    }

    #[test]
    fn a_damaged_definition_is_read_or_refused_in_its_text(text in damaged()) {
        read_or_refused_in_the_text(&text);
    }
}

#[test]
fn other_terms_make_another_definition_and_leave_the_rest() {
    let rate = |text: &str| Some(text.parse().unwrap());
    let check = |text: &str, terms: Terms, cost: Option<&str>, fee: &str| {
        let varied = FundDefinition::parse(&FundDefinition::with_terms(text, terms).unwrap()).unwrap();
        let mut expected = FundDefinition::parse(text).unwrap();
        let date = date("2024-06-03");
        let cost_at = |fund: &FundDefinition| fund.index.as_ref().map(|index| *index.cost.at(date).unwrap());
        assert_eq!(cost_at(&varied), cost.map(|cost| cost.parse().unwrap()), "{terms:?}");
        assert_eq!(*varied.fee.rate.at(date).unwrap(), fee.parse().unwrap(), "{terms:?}");
        assert!(terms.fee_bps.is_none() || varied.fee.waivers.is_empty());
        expected.index.clone_from(&varied.index);
        expected.fee = varied.fee.clone();
        assert_eq!(varied, expected, "{terms:?}");
    };
    let none = Terms::default();
    check(LARGE_CAP, none, Some("0.001"), "0.0075");
    check(LARGE_CAP, Terms { cost_bps: rate("12.5"), ..none }, Some("0.00125"), "0.0075");
    check(LARGE_CAP, Terms { cost_bps: rate("0"), fee_bps: rate("20") }, Some("0"), "0.002");
    check(BITCOIN, Terms { cost_bps: rate("5"), fee_bps: rate("12") }, None, "0.0012");

    let refused = |terms| FundDefinition::with_terms(LARGE_CAP, terms).unwrap_err().code();
    assert_eq!(refused(Terms { cost_bps: rate("1001"), ..none }), "definition.cost_must_be_0_to_1000_bps");
    assert_eq!(refused(Terms { cost_bps: rate("-1"), ..none }), "definition.cost_must_be_0_to_1000_bps");
}
