//! Compositions: the two published lines byte for byte, three forms that lose nothing, and a refusal for each rule.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use proptest::prelude::*;
use std::collections::BTreeSet;
use strongroom_fund::composition::fixed_width::{Parent, Record};
use strongroom_fund::composition::{
    Component, Composition, CompositionError, CompositionRule as Rule, Exchange, Header, Listing,
};
use strongroom_units::{Money, Quantity, Rounding, Scale, Shares};

/// Two lines of a composition file of 24 June 2011, as published; the header announces 95 components.
const HEADER: &str = "01WREI           18383M47200220110624000000950005000000000000000291+0000000000000+0000162471058+0000000003249+0000000004503+0000005000000000000000000+";
const COMPONENT: &str = "02AKR            0042391090002011062400000193WREI           18383M472002";

fn money(text: &str) -> Money {
    text.parse().unwrap()
}

fn header_of(line: &str) -> (Header, usize) {
    match Record::parse(line.as_bytes()).unwrap() {
        Record::Header(record) => (record.header, record.component_count),
        other => panic!("{other:?}"),
    }
}

/// A bitcoin fund: 22.66 BTC in a creation unit of 40,000 shares.
fn bitcoin() -> Composition {
    let header = Header {
        fund: "BTCX".parse().unwrap(),
        name: Some("Strongroom Bitcoin Trust".parse().unwrap()),
        cusip: None,
        listing: Listing::default(),
        trade_date: "2024-01-11".parse().unwrap(),
        creation_unit: Shares::new(40_000),
        estimated_cash: money("-2.91"),
        estimated_cash_per_share: Money::ZERO,
        nav_per_creation_unit: money("1046000"),
        nav_per_share: money("26.15"),
        total_cash: money("0"),
        shares_outstanding: Shares::new(400_000),
        dividend: Money::ZERO,
        cash_indicator: None,
    };
    let component = Component {
        symbol: "BTC".parse().unwrap(),
        cusip: None,
        listing: Listing::default(),
        quantity: "22.66000000".parse().unwrap(),
    };
    Composition::try_new(header, vec![component]).unwrap()
}

// ---- the published lines

#[test]
fn the_published_header_has_the_published_values_and_is_written_back_byte_for_byte() {
    assert_eq!(HEADER.len(), 150);
    let (header, count) = header_of(HEADER);
    assert_eq!((header.fund.as_str(), header.cusip.unwrap().as_str()), ("WREI", "18383M472"));
    assert_eq!(header.trade_date, "2011-06-24".parse().unwrap());
    assert_eq!(header.listing, Listing { when_issued: false, foreign: false, exchange: Exchange::Other });
    assert_eq!((count, header.creation_unit), (95, Shares::new(50_000)));
    assert_eq!((header.estimated_cash, header.estimated_cash_per_share), (money("2.91"), Money::ZERO));
    assert_eq!(header.nav_per_creation_unit, money("1624710.58"));
    assert_eq!((header.nav_per_share, header.total_cash), (money("32.49"), money("45.03")));
    assert_eq!((header.shares_outstanding, header.dividend), (Shares::new(500_000), Money::ZERO));
    assert_eq!((header.cash_indicator, &header.name), (None, &None));
    assert_eq!(Record::parse(HEADER.as_bytes()).unwrap().to_line().unwrap(), HEADER);
}

#[test]
fn the_published_component_has_the_published_values_and_is_written_back_byte_for_byte() {
    let record = Record::parse(COMPONENT.as_bytes()).unwrap();
    assert_eq!(record.to_line().unwrap(), COMPONENT);
    let Record::Component(record) = record else { panic!("{record:?}") };
    let component = record.component;
    assert_eq!((component.symbol.as_str(), component.cusip.unwrap().as_str()), ("AKR", "004239109"));
    assert_eq!(component.listing.exchange, Exchange::Nyse);
    assert_eq!((component.quantity.units(), component.quantity.scale().decimals()), (193, 0));
    assert_eq!(record.trade_date, "2011-06-24".parse().unwrap());
    assert_eq!(record.parent, Parent::from(&header_of(HEADER).0));
}

#[test]
fn a_header_may_have_a_cash_indicator() {
    let long = format!("{HEADER}1");
    assert_eq!(header_of(&long).0.cash_indicator.unwrap().character(), '1');
    assert_eq!(Record::parse(long.as_bytes()).unwrap().to_line().unwrap(), long);
}

#[test]
fn a_whole_file_of_the_published_lines_is_written_back_byte_for_byte() {
    let file = format!("{}\n{COMPONENT}\n", HEADER.replace("00000095", "00000001"));
    let read = Composition::from_fixed_width(file.as_bytes()).unwrap();
    assert_eq!(read.to_fixed_width().unwrap(), file);
    let with_carriage_returns = file.replace('\n', "\r\n");
    assert_eq!(Composition::from_fixed_width(with_carriage_returns.as_bytes()).unwrap(), read);
}

// ---- coins

#[test]
fn coins_are_carried_by_their_own_record_and_an_old_reader_sees_the_whole_part() {
    let blanks = |count| " ".repeat(count);
    let text = bitcoin().to_fixed_width().unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[1], format!("04BTCX{}{:<120}", blanks(11), "Strongroom Bitcoin Trust"));
    assert_eq!(&lines[2][37..45], "00000022");
    assert_eq!(lines[3], format!("03BTC{}0800000022660000000000000000", blanks(21)));
    assert_eq!(Composition::from_fixed_width(text.as_bytes()).unwrap(), bitcoin());
}

#[test]
fn a_wei_survives_each_form() {
    let mut component = bitcoin().components()[0];
    component.quantity = "99999999.000000000000000001".parse().unwrap();
    let ether = Composition::try_new(bitcoin().header().clone(), vec![component]).unwrap();
    assert_same_in_each_form(&ether);
}

#[test]
fn the_two_open_forms_are_as_documented() {
    let json = r#"{
      "header": {
        "fund_symbol": "BTCX", "fund_name": "Strongroom Bitcoin Trust", "fund_cusip": null,
        "when_issued": false, "foreign": false, "exchange": "other",
        "trade_date": "2024-01-11", "creation_unit_shares": 40000,
        "estimated_cash_per_creation_unit": "-2.91", "estimated_cash_per_share": "0",
        "nav_per_creation_unit": "1046000", "nav_per_share": "26.15",
        "total_cash_per_creation_unit": "0", "shares_outstanding": 400000,
        "dividend": "0"
      },
      "components": [
        { "symbol": "BTC", "when_issued": false, "foreign": false, "exchange": "other", "quantity": "22.66000000" }
      ]
    }"#;
    assert_eq!(Composition::from_json(json.as_bytes()).unwrap(), bitcoin());
    let csv = "fund_symbol,fund_name,fund_cusip,when_issued,foreign,exchange,trade_date,creation_unit_shares,\
        estimated_cash_per_creation_unit,estimated_cash_per_share,nav_per_creation_unit,nav_per_share,\
        total_cash_per_creation_unit,shares_outstanding,dividend,cash_indicator,component_count\n\
        BTCX,Strongroom Bitcoin Trust,,false,false,other,2024-01-11,40000,-2.91,0,1046000,26.15,0,400000,0,,1\n\
        symbol,cusip,when_issued,foreign,exchange,quantity\n\
        BTC,,false,false,other,22.66000000\n";
    assert_eq!(bitcoin().to_csv().unwrap(), csv);
    assert_eq!(Composition::from_csv(csv.as_bytes()).unwrap(), bitcoin());
}

#[test]
fn cents_are_rounded_by_name_before_fixed_width() {
    let mut header = bitcoin().header().clone();
    header.estimated_cash = money("-2.915");
    let exact = Composition::try_new(header, bitcoin().components().to_vec()).unwrap();
    assert_eq!(exact.to_fixed_width().unwrap_err().rule, Rule::AmountIsInCents);
    for (rounding, expected) in
        [(Rounding::Floor, "-2.92"), (Rounding::Down, "-2.91"), (Rounding::HalfEven, "-2.92")]
    {
        let rounded = exact.to_cents(rounding).unwrap();
        assert_eq!(rounded.header().estimated_cash, money(expected), "{rounding:?}");
        assert_same_in_each_form(&rounded);
    }
}

#[test]
fn a_fund_may_have_no_component_but_cash_and_ten_thousand_at_most() {
    let header = bitcoin().header().clone();
    assert_same_in_each_form(&Composition::try_new(header.clone(), vec![]).unwrap());
    let component = |index: usize| Component {
        symbol: format!("C{index}").parse().unwrap(),
        ..bitcoin().components()[0]
    };
    let most: Vec<Component> = (0..Composition::COMPONENTS_MAX).map(component).collect();
    assert_same_in_each_form(&Composition::try_new(header, most).unwrap());
}

// ---- refusals

fn fixed(replace: &str, with: &str) -> Result<Composition, CompositionError> {
    let file = format!("{}\n{COMPONENT}\n", HEADER.replace("00000095", "00000001"));
    Composition::from_fixed_width(replaced(&file, replace, with).as_bytes())
}

fn coins(replace: &str, with: &str) -> Result<Composition, CompositionError> {
    Composition::from_fixed_width(replaced(&bitcoin().to_fixed_width().unwrap(), replace, with).as_bytes())
}

fn json(replace: &str, with: &str) -> Result<Composition, CompositionError> {
    Composition::from_json(replaced(&bitcoin().to_json().unwrap(), replace, with).as_bytes())
}

fn csv(replace: &str, with: &str) -> Result<Composition, CompositionError> {
    Composition::from_csv(replaced(&bitcoin().to_csv().unwrap(), replace, with).as_bytes())
}

#[track_caller]
fn replaced(text: &str, replace: &str, with: &str) -> String {
    assert!(text.contains(replace), "`{replace}` is not in the text");
    text.replacen(replace, with, 1)
}

fn value(change: impl FnOnce(&mut Header, &mut Vec<Component>)) -> Result<Composition, CompositionError> {
    let (mut header, mut components) = (bitcoin().header().clone(), bitcoin().components().to_vec());
    change(&mut header, &mut components);
    Composition::try_new(header, components)
}

fn written(change: impl FnOnce(&mut Header, &mut Vec<Component>)) -> Result<Composition, CompositionError> {
    let composition = value(change)?;
    composition.to_fixed_width().map(|_| composition)
}

/// What is wrong, what came of it, and the rule and the line and column it must name.
type Refusal = (&'static str, Result<Composition, CompositionError>, Rule, (usize, usize));

/// Each refusal with the rule and the place it must name.
fn refusals() -> Vec<Refusal> {
    let long = "A".repeat(1025);
    let many = |count: usize| {
        let row = |index: usize| format!("C{index},,false,false,other,1\n");
        let rows: String = (0..count).map(row).collect();
        csv("BTC,,false,false,other,22.66000000\n", &rows)
    };
    vec![
        ("bytes", Composition::from_json(b"{\n \xff"), Rule::TextIsUtf8, (2, 2)),
        ("bytes", Composition::from_csv(&vec![b'a'; 8 * 1024 * 1024 + 1]), Rule::FileIsBounded, (0, 0)),
        ("long line", csv("BTC,", &long), Rule::LineIsBounded, (4, 1025)),
        ("long line", coins("02BTC", &long), Rule::LineIsBounded, (3, 1025)),
        ("too many", many(10_001), Rule::ComponentsAreBounded, (10_004, 1)),
        // JSON
        ("cut", Composition::from_json(b"{"), Rule::JsonIsReadable, (1, 1)),
        ("unknown name", json("\"fund_name\"", "\"name\""), Rule::JsonIsReadable, (4, 10)),
        ("repeated name", json("\"foreign\"", "\"when_issued\""), Rule::JsonIsReadable, (7, 17)),
        ("half a surrogate", json("\"other\"", "\"\\ud800\""), Rule::JsonIsReadable, (8, 17)),
        ("bare amount", json("\"26.15\"", "26.15"), Rule::JsonValueIsText, (14, 22)),
        ("quoted count", json("40000", "\"40000\""), Rule::JsonValueIsBare, (10, 29)),
        ("quoted flag", json("false", "\"false\""), Rule::JsonValueIsBare, (6, 20)),
        ("flag", json("false", "0"), Rule::FlagIsValid, (6, 20)),
        ("fraction of a share", json("40000", "4e4"), Rule::CountIsWhole, (10, 29)),
        ("listed twice", json("\"components\": [", JSON_TWICE), Rule::ComponentsDiffer, (23, 17)),
        ("no exponent", json("22.66000000", "2266e-2"), Rule::QuantityIsPlain, (27, 19)),
        ("nineteen decimals", json("22.66000000", "0.0000000000000000001"), Rule::QuantityIsPlain, (27, 19)),
        ("name", json("Strongroom B", "=cmd|"), Rule::NameIsValid, (4, 18)),
        ("name", json("Strongroom B", "\\u0000"), Rule::NameIsValid, (4, 18)),
        ("date", json("2024-01-11", "2024-01-11T10:00"), Rule::DateIsValid, (9, 19)),
        ("nine decimals", json("26.15", "26.000000001"), Rule::AmountIsDecimal, (14, 22)),
        // CSV
        ("empty", Composition::from_csv(b""), Rule::CsvTitlesMatch, (0, 0)),
        ("title", csv("fund_cusip", "cusip"), Rule::CsvTitlesMatch, (1, 3)),
        ("title", csv(",quantity", ""), Rule::CsvTitlesMatch, (3, 6)),
        ("one too few", csv("other,22.66", "22.66"), Rule::CsvRecordHasItsFields, (4, 6)),
        ("one too many", csv(",0,,1\n", ",0,,,1\n"), Rule::CsvRecordHasItsFields, (2, 18)),
        ("cut short", csv("BTC,,false,false,other,22.66000000\n", ""), Rule::ComponentCountMatches, (2, 17)),
        ("exchange", csv("other", "OTHER"), Rule::ExchangeIsKnown, (2, 6)),
        ("cash indicator", csv(",0,,1\n", ",0,10,1\n"), Rule::CashIndicatorIsValid, (2, 16)),
        ("CUSIP", csv("BTC,,", "BTC,18383m472,"), Rule::CusipIsValid, (4, 2)),
        ("symbol", csv("BTC,,", "btc,,"), Rule::SymbolIsValid, (4, 1)),
        ("plus", csv("40000", "+40000"), Rule::CountIsWhole, (2, 8)),
        // fixed width
        ("empty", Composition::from_fixed_width(b""), Rule::RecordTypeIsKnown, (1, 1)),
        ("record type", fixed("02AKR", "05AKR"), Rule::RecordTypeIsKnown, (2, 1)),
        ("blank line", fixed("02AKR", "\n02AKR"), Rule::RecordTypeIsKnown, (2, 1)),
        ("short", fixed("+\n", "\n"), Rule::RecordHasItsLength, (1, 150)),
        ("long", fixed("+\n", "+12\n"), Rule::RecordHasItsLength, (1, 152)),
        ("without flags", fixed("18383M472002\n", "18383M472\n"), Rule::RecordHasItsLength, (2, 70)),
        ("control", fixed("WREI  ", "WREI\t "), Rule::RecordIsAscii, (1, 7)),
        ("two headers", fixed("02AKR", &format!("{HEADER}\n02AKR")), Rule::RecordsAreInOrder, (2, 1)),
        ("no header", Composition::from_fixed_width(COMPONENT.as_bytes()), Rule::RecordsAreInOrder, (1, 1)),
        ("late name", coins("04BTCX", LATE_NAME), Rule::RecordsAreInOrder, (3, 1)),
        ("other count", fixed("00000001", "00000095"), Rule::ComponentCountMatches, (1, 38)),
        ("other count", fixed("00000001", "00000000"), Rule::ComponentCountMatches, (1, 38)),
        ("other day", fixed("00020110624", "00020110623"), Rule::TradeDateMatches, (2, 30)),
        ("other fund", fixed("193WREI ", "193WREIX"), Rule::ParentMatches, (2, 46)),
        ("other fund", coins("04BTCX", "04BTCY"), Rule::ParentMatches, (2, 3)),
        ("other coin", coins("03BTC", "03ETH"), Rule::QuantityFollowsItsComponent, (4, 3)),
        ("other part", coins("22660000", "23660000"), Rule::WholePartMatches, (4, 29)),
        ("no decimals", coins("0800000022", "0000000022"), Rule::QuantityIsPlain, (4, 27)),
        ("19 decimals", coins("0800000022", "1900000022"), Rule::QuantityIsPlain, (4, 27)),
        ("lost digits", coins("660000000000000000", "660000001000000000"), Rule::QuantityIsPlain, (4, 37)),
        ("symbol", fixed("WREI ", "wrei "), Rule::SymbolIsValid, (1, 3)),
        ("symbol", fixed("WREI ", " WREI"), Rule::SymbolIsValid, (1, 3)),
        ("CUSIP", fixed("004239109", "00423910 "), Rule::CusipIsValid, (2, 18)),
        ("flag", fixed("M47200220110624", "M47220220110624"), Rule::FlagIsValid, (1, 27)),
        ("exchange", fixed("M47200220110624", "M47200320110624"), Rule::ExchangeIsKnown, (1, 29)),
        ("day", fixed("20110624", "20110631"), Rule::DateIsValid, (1, 30)),
        ("count", fixed("00050000", " 0050000"), Rule::CountIsWhole, (1, 46)),
        ("amount", fixed("0291+", "02-1+"), Rule::CountIsWhole, (1, 54)),
        ("sign", fixed("0291+", "0291 "), Rule::AmountHasItsSign, (1, 68)),
        ("cash indicator", fixed("+\n", "+ \n"), Rule::CashIndicatorIsValid, (1, 151)),
        ("empty name", coins("Strongroom Bitcoin Trust", &" ".repeat(24)), Rule::NameIsValid, (2, 18)),
        ("unit", fixed("00050000", "00000000"), Rule::CreationUnitIsPositive, (1, 1)),
        ("nothing", fixed("00000193", "00000000"), Rule::QuantityIsPositive, (2, 1)),
        ("NAV", fixed("0162471058", "0162551058"), Rule::NavPerShareAgrees, (1, 1)),
        // values
        ("year", value(|h, _| h.trade_date = "-000001-01-01".parse().unwrap()), Rule::DateIsValid, (0, 0)),
        ("unit", value(|h, _| h.creation_unit = Shares::ZERO), Rule::CreationUnitIsPositive, (0, 0)),
        ("shares", value(|h, _| h.shares_outstanding = Shares::new(-1)), Rule::SharesAreNotNegative, (0, 0)),
        ("negative", value(|_, c| c[0].quantity = "-1".parse().unwrap()), Rule::QuantityIsPositive, (0, 0)),
        ("twice", value(|_, c| c.push(c[0])), Rule::ComponentsDiffer, (0, 0)),
        ("NAV", value(|h, _| h.nav_per_share = money("26.16000001")), Rule::NavPerShareAgrees, (0, 0)),
        (
            "NAV",
            value(|h, _| h.nav_per_share = Money::from_units(i128::MAX)),
            Rule::NavPerShareAgrees,
            (0, 0),
        ),
        ("too many", value(|_, c| *c = vec![c[0]; 10_001]), Rule::ComponentsAreBounded, (0, 0)),
        // what fixed width cannot carry
        ("cents", written(|h, _| h.dividend = money("0.001")), Rule::AmountIsInCents, (1, 137)),
        ("amount", written(|h, _| h.dividend = money("100000000000")), Rule::ValueFitsItsField, (1, 137)),
        ("coins", written(|_, c| c[0].quantity = "1e8".parse().unwrap()), Rule::ValueFitsItsField, (3, 38)),
        (
            "shares",
            written(|h, _| h.shares_outstanding = Shares::new(10i64.pow(12))),
            Rule::ValueFitsItsField,
            (1, 125),
        ),
        ("name", written(|h, _| h.name = Some("Trésor".parse().unwrap())), Rule::ValueFitsItsField, (2, 18)),
    ]
}

const JSON_TWICE: &str = "\"components\": [\n{\"symbol\":\"BTC\",\"when_issued\":false,\"foreign\":false,\"exchange\":\"nyse\",\"quantity\":\"1\"},";
const LATE_NAME: &str = "04BTCX           A                                                                                                                       \n04BTCX";

#[test]
fn each_refusal_names_its_rule_and_place() {
    let mut wrong = Vec::new();
    for (case, result, rule, place) in refusals() {
        let Err(error) = result else {
            wrong.push(format!("{case}: {rule:?} was not refused"));
            continue;
        };
        if (error.rule, (error.line, error.column)) != (rule, place) {
            wrong.push(format!("{case}: {rule:?} {place:?} expected, {:?} {error}", error.rule));
        }
        assert!(!error.message.is_empty() && error.message.len() < 400, "{case}: {error}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn each_rule_has_a_refusal_a_code_of_its_own_and_says_what_to_write() {
    let tested: BTreeSet<Rule> = refusals().into_iter().map(|(_, _, rule, _)| rule).collect();
    // No value is known that JSON or CSV cannot carry.
    let uncovered: Vec<_> =
        Rule::ALL.iter().filter(|rule| !tested.contains(rule) && **rule != Rule::FileIsWritable).collect();
    assert!(uncovered.is_empty(), "{uncovered:?}");
    let codes: BTreeSet<&str> = Rule::ALL.iter().map(|rule| rule.code()).collect();
    assert_eq!(codes.len(), Rule::ALL.len());
    assert!(codes.iter().all(|code| code.starts_with("composition.")));
    assert!(Rule::ALL.iter().all(|rule| !rule.fix().is_empty()));
    assert!(codes.contains("composition.record_must_have_its_length"));
}

#[test]
fn deep_nesting_is_refused() {
    for open in ["[", "{\"header\":", "\""] {
        assert_eq!(
            Composition::from_json(open.repeat(100_000).as_bytes()).unwrap_err().rule,
            Rule::JsonIsReadable
        );
    }
    let nested = format!("{{\"header\":{{\"fund_symbol\":{}", "[".repeat(1_000_000));
    assert_eq!(Composition::from_json(nested.as_bytes()).unwrap_err().rule, Rule::JsonIsReadable);
}

#[test]
fn a_title_row_of_excel_may_begin_with_a_byte_order_mark_and_end_lines_its_way() {
    let csv = format!("\u{feff}{}", bitcoin().to_csv().unwrap().replace('\n', "\r\n"));
    assert_eq!(Composition::from_csv(csv.as_bytes()).unwrap(), bitcoin());
}

// ---- properties

#[track_caller]
fn assert_same_in_each_form(composition: &Composition) {
    let fixed = composition.to_fixed_width().unwrap();
    assert_eq!(&Composition::from_fixed_width(fixed.as_bytes()).unwrap(), composition);
    assert_same_in_the_open_forms(composition);
}

#[track_caller]
fn assert_same_in_the_open_forms(composition: &Composition) {
    let (json, csv) = (composition.to_json().unwrap(), composition.to_csv().unwrap());
    assert_eq!(&Composition::from_json(json.as_bytes()).unwrap(), composition);
    assert_eq!(&Composition::from_csv(csv.as_bytes()).unwrap(), composition);
}

prop_compose! {
    fn listing()(when_issued: bool, foreign: bool, exchange in 0usize..3) -> Listing {
        Listing { when_issued, foreign, exchange: [Exchange::Nyse, Exchange::Amex, Exchange::Other][exchange] }
    }
}

prop_compose! {
    fn component(index: usize)(
        cusip in proptest::option::of("[A-Z0-9*@#]{9}"),
        listing in listing(),
        decimals in 0u8..=18,
        units in 1i128..10i128.pow(26),
    ) -> Component {
        let units = (units % 10i128.pow(8 + u32::from(decimals))).max(1);
        Component {
            symbol: format!("C-{index}").parse().unwrap(),
            cusip: cusip.map(|text| text.parse().unwrap()),
            listing,
            quantity: Quantity::from_units(units, Scale::try_new(decimals).unwrap()),
        }
    }
}

prop_compose! {
    /// Amounts in units of `unit` × 10^-8: cents for fixed width.
    fn composition(unit: i128)(
        name in proptest::option::of("[A-Za-z0-9]([ -~]{0,118}[!-~])?"),
        cusip in proptest::option::of("[A-Z0-9*@#]{9}"),
        listing in listing(),
        day in 0i32..200_000,
        shares in 1i64..100_000_000,
        nav_per_share in -90_000i128..90_000,
        amounts in proptest::array::uniform4(-999_999_999i128..=999_999_999),
        outstanding in 0i64..1_000_000_000_000,
        indicator in proptest::option::of("[A-Z0-9]"),
        components in (0usize..5).prop_flat_map(|count| (0..count).map(component).collect::<Vec<_>>()),
    ) -> Composition {
        let amount = |index: usize| Money::from_units(amounts[index] * unit);
        let first: strongroom_units::time::Date = "1900-01-01".parse().unwrap();
        let nav_per_share = Money::from_units(nav_per_share * unit);
        let header = Header {
            fund: "F.1".parse().unwrap(),
            name: name.map(|text| text.parse().unwrap()),
            cusip: cusip.map(|text| text.parse().unwrap()),
            listing,
            trade_date: (0..day / 365).fold(first, |date, _| date.tomorrow().unwrap()),
            creation_unit: Shares::new(shares),
            estimated_cash: amount(0),
            estimated_cash_per_share: amount(1),
            nav_per_creation_unit: nav_per_share
                .try_mul_div(i128::from(shares), 1, Rounding::Down).unwrap(),
            nav_per_share,
            total_cash: amount(2),
            shares_outstanding: Shares::new(outstanding),
            dividend: amount(3),
            cash_indicator: indicator.map(|text| text.parse().unwrap()),
        };
        Composition::try_new(header, components).unwrap()
    }
}

/// A file with some bytes changed, put in or taken out.
fn damaged(file: String) -> impl Strategy<Value = Vec<u8>> {
    let length = file.len();
    let damage = (0..length, 0u8..3, prop_oneof![any::<u8>(), b' '..=b'~']);
    proptest::collection::vec(damage, 1..4).prop_map(move |damages| {
        let mut bytes = file.clone().into_bytes();
        for (at, kind, byte) in damages {
            let at = at.min(bytes.len() - 1);
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        bytes
    })
}

/// What is read is a composition that is written and read again as the same.
fn read_each(bytes: &[u8]) {
    let read =
        [Composition::from_json(bytes), Composition::from_csv(bytes), Composition::from_fixed_width(bytes)];
    read.iter().flatten().for_each(assert_same_in_the_open_forms);
    if let [_, _, Ok(fixed)] = &read {
        assert_same_in_each_form(fixed);
    }
    if let Ok(record) = Record::parse(bytes) {
        let line = record.to_line().unwrap();
        assert_eq!(Record::parse(line.as_bytes()).unwrap(), record);
    }
}

proptest! {
    #[test]
    fn compositions_in_cents_survive_each_form(composition in composition(1_000_000)) {
        assert_same_in_each_form(&composition);
        let fixed = composition.to_fixed_width().unwrap();
        let again = Composition::from_fixed_width(fixed.as_bytes()).unwrap().to_fixed_width().unwrap();
        prop_assert_eq!(again, fixed);
    }

    #[test]
    fn compositions_of_eight_decimals_survive_the_open_forms(composition in composition(1)) {
        assert_same_in_the_open_forms(&composition);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        read_each(&bytes);
    }

    #[test]
    fn a_damaged_file_is_refused_or_read_as_what_it_says(
        bytes in prop_oneof![
            damaged(bitcoin().to_json().unwrap()),
            damaged(bitcoin().to_csv().unwrap()),
            damaged(bitcoin().to_fixed_width().unwrap()),
            damaged(HEADER.to_owned()),
            damaged(COMPONENT.to_owned()),
        ],
    ) {
        read_each(&bytes);
    }
}
