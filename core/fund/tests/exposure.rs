//! The terms of a fund of derivatives: what is refused and where, and the calendar of its futures.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use strongroom_fund::FundDefinition;
use strongroom_fund::definition::{Exposure, Instrument, Reset};
use strongroom_units::time::{Calendar, Date};

const TWICE: &str = include_str!("../../../funds/bitcoin-2x.toml");
const FUTURES: &str = include_str!("../../../funds/bitcoin-2x-futures.toml");
const BITCOIN: &str = include_str!("../../../funds/bitcoin.toml");

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

/// Refused with this code, in the line of this text.
#[track_caller]
fn check(definition: &str, (from, to): (&str, &str), code: &str) {
    assert!(definition.contains(from), "{from}");
    let text = definition.replacen(from, to, 1);
    let error = FundDefinition::parse(&text).unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    assert!(error.line > 0 && !error.fix.is_empty(), "{error}");
}

#[track_caller]
fn twice(change: (&str, &str), code: &str) {
    check(TWICE, change, code);
}

#[test]
fn terms_that_no_fund_of_derivatives_can_have_are_refused() {
    let custody = "[[custody]]\naccount = \"vault\"\ncustodian = \"X\"\nfrom = 2022-11-07\n\n[tolerance]";
    let terms = TWICE.split_once("[exposure]").unwrap().1.split_once("[seed]").unwrap().0;
    twice((terms, "\n"), "definition.must_be_readable");
    twice((&format!("[exposure]{terms}"), ""), "definition.derivatives_fund_must_have_exposure");
    twice(("accrual = \"money\"", "accrual = \"coins\""), "definition.derivatives_fee_must_accrue_in_money");
    twice(("[tolerance]", custody), "definition.custody_must_go_with_coins");
    twice(("method = \"cash\"", "method = \"in-kind\""), "definition.derivatives_orders_must_be_in_cash");
    twice(("contract = \"0.001\"", "contract = \"0\""), "definition.contract_must_be_whole_base_units");
    twice(
        ("contract = \"0.001\"", "contract = \"0.000000001\""),
        "definition.contract_must_be_whole_base_units",
    );
    for factor in ["0", "10.5", "-11"] {
        let multiple = format!("multiple = \"{factor}\"");
        twice(("multiple = \"2\"", &multiple), "definition.factor_must_be_within_10");
    }
    twice(("multiple = \"2\"", "multiple = \"5\""), "definition.margin_must_leave_room_for_the_factor");
    twice(("bps = \"2\"", "bps = \"1001\""), "definition.cost_must_be_0_to_1000_bps");
    twice(("annual = \"0.04\"", "annual = \"4\""), "definition.exposure_rate_must_be_a_fraction");
    twice(
        ("maintenance = \"0.2\"", "maintenance = \"0.3\""),
        "definition.margin_must_be_maintenance_to_initial",
    );
    twice(
        ("maintenance = \"0.2\"", "maintenance = \"0\""),
        "definition.margin_must_be_maintenance_to_initial",
    );
    for instrument in ["futures", "swap"] {
        let to = format!("instrument = \"{instrument}\"");
        twice(("instrument = \"perpetual\"", &to), "definition.exposure_terms_must_fit_the_instrument");
    }
    let first = "from = 2022-11-07\nmultiple";
    twice((first, "from = 2022-11-08\nmultiple"), "definition.dated_list_must_cover_the_seed");
    for sessions in ["0", "21"] {
        let to = format!("sessions_before = {sessions}");
        let code = "definition.roll_must_be_1_to_20_sessions_before";
        check(FUTURES, ("sessions_before = 5", &to), code);
    }
    let exposure = format!("[exposure]{terms}[seed]");
    check(BITCOIN, ("[seed]", &exposure), "definition.exposure_must_go_with_derivatives");
}

#[test]
fn every_shipped_fund_of_derivatives_is_read() {
    for (text, instrument, reset) in [
        (TWICE, Instrument::Perpetual, Reset::Daily),
        (FUTURES, Instrument::Futures, Reset::Daily),
        (include_str!("../../../funds/bitcoin-inverse.toml"), Instrument::Perpetual, Reset::Daily),
        (include_str!("../../../funds/bitcoin-inverse-2x.toml"), Instrument::Perpetual, Reset::Daily),
        (include_str!("../../../funds/bitcoin-2x-monthly.toml"), Instrument::Perpetual, Reset::Monthly),
    ] {
        let exposure = FundDefinition::parse(text).unwrap().exposure.unwrap();
        assert_eq!((exposure.instrument, exposure.reset), (instrument, reset));
    }
}

fn futures() -> Exposure {
    FundDefinition::parse(FUTURES).unwrap().exposure.unwrap()
}

#[test]
fn futures_expire_on_the_last_friday_and_are_rolled_five_sessions_before() {
    let expiry = |day: &str| futures().expiry_after(Calendar::Nyse, date(day)).unwrap().unwrap().to_string();
    // Thanksgiving is no session and one more day to count; 29 March 2024 is Good Friday and none either.
    for (day, expected) in [
        ("2022-11-16", "2022-11-25"),
        ("2022-11-17", "2022-12-30"),
        ("2023-11-15", "2023-11-24"),
        ("2023-11-16", "2023-12-29"),
        ("2024-03-20", "2024-03-28"),
        ("2024-03-21", "2024-04-26"),
    ] {
        assert_eq!(expiry(day), expected, "{day}");
    }
}

#[test]
fn a_mark_carries_the_assumed_basis_for_its_days() {
    // A reference of 60,000 for 91 days at 6 % a year: 60,000 · (1 + 91/365 · 0.06) = 60,897.53.
    let text = FUTURES.replace("annual = \"0.08\"", "annual = \"0.06\"");
    let exposure = FundDefinition::parse(&text).unwrap().exposure.unwrap();
    let mark = exposure.mark("60000".parse().unwrap(), date("2024-01-25"), Some(date("2024-04-25"))).unwrap();
    assert_eq!(mark.to_decimal().to_display(2).unwrap(), "60,897.53");
    let none = exposure.mark("60000".parse().unwrap(), date("2024-01-25"), None).unwrap();
    assert_eq!(none, "60000".parse().unwrap());
}
