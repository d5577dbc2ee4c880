//! A fund whose definition names a methodology: its NAV rests on evidence, or on a decision that is on record.

use crate::scenario::*;
use strongroom_engine::{Command, Event, Outcome, PriceBasis};
use strongroom_market::rate::{Methodology, Pair, RateEvidence, Trade, Window};

const CF: &str = include_str!("../../../../methodologies/cf-brr.toml");
const RATE: &str =
    "[[rate]]\nfrom = 2024-01-05\nasset = \"BTC\"\npair = \"BTC-USD\"\nmethodology = \"cf-brr\"\n\n[fee]";

/// A fund that is priced by `cf-brr`, on the evening of its first Monday.
pub fn rated_on_monday() -> Scenario {
    let text = with(&crate::refusals::definition(), "[fee]", RATE);
    let mut fund = Scenario::open(&text, "50000");
    fund.at("2024-01-08T16:30:00");
    fund
}

/// The rate of two venues that traded at one price through the hour before the strike of a day.
fn evidence(methodology: &str, day: &str, text: &str) -> RateEvidence {
    let methodology = Methodology::parse(&CF.replace("cf-brr", methodology)).unwrap();
    let at: strongroom_units::time::Timestamp = format!("{day}T21:00:00Z").parse().unwrap();
    let pair: Pair = "BTC-USD".parse().unwrap();
    let mut window = Window::try_new(&methodology, &pair, at).unwrap();
    for venue in ["a", "b"] {
        let (price, size) = (price(text), "1".parse().unwrap());
        let at_ms = at.as_millisecond() - 60_000;
        window.add(&Trade { venue, pair: &pair, at_ms, price, size, trades: Some(1) }).unwrap();
    }
    window.rate().unwrap()
}

pub fn record(methodology: &str, day: &str, text: &str) -> Command {
    let evidence = Box::new(evidence(methodology, day, text));
    Command::RecordRate { asset: "BTC".parse().unwrap(), date: date(day), evidence }
}

pub fn fallback(day: &str, text: &str) -> Command {
    let reason = "the venues halted; the committee took the last good rate".to_owned();
    Command::DecideFallback { asset: "BTC".parse().unwrap(), date: date(day), price: price(text), reason }
}

#[test]
fn a_nav_carries_the_evidence_of_its_price() {
    let mut fund = rated_on_monday();
    fund.done(record("cf-brr", "2024-01-08", "50000.125"));
    assert_eq!(fund.give(record("cf-brr", "2024-01-08", "50000.125")), Ok(Outcome::AlreadyDone));
    fund.done(Command::StrikeNav { date: date("2024-01-08"), accept: None });
    let nav = fund.state().last_nav().unwrap();
    let btc = "BTC".parse().unwrap();
    assert_eq!(nav.inputs.assets[&btc].price, price("50000.13")); // half a cent, up
    let made = evidence("cf-brr", "2024-01-08", "50000.125");
    let expected = PriceBasis::Rate {
        methodology: "cf-brr".into(),
        effective: date("2020-02-10"),
        input_hash: made.input_hash.clone(),
    };
    assert_eq!(nav.inputs.evidence[&btc], expected);
    let recorded =
        fund.steps.iter().flat_map(|step| &step.handled.applied).find_map(|applied| match &applied.event {
            Event::RateRecorded { evidence, .. } => Some(evidence.as_ref().clone()),
            _ => None,
        });
    assert_eq!(recorded, Some(made)); // every interval, venue and exclusion is in the log
}

#[test]
fn a_fallback_is_a_decision_of_its_own_and_the_nav_says_so() {
    let mut fund = rated_on_monday();
    let strike = || Command::StrikeNav { date: date("2024-01-08"), accept: None };
    assert_eq!(fund.give(strike()).unwrap_err().code(), "price.must_be_of_the_strike_date");
    fund.done(fallback("2024-01-08", "49900"));
    assert_eq!(fund.give(fallback("2024-01-08", "49900")), Ok(Outcome::AlreadyDone));
    let other = fund.give(fallback("2024-01-08", "49901")).unwrap_err();
    assert_eq!(other.code(), "price.must_not_change_silently");
    fund.done(strike());
    let nav = fund.state().last_nav().unwrap();
    let basis = &nav.inputs.evidence[&"BTC".parse().unwrap()];
    assert!(matches!(basis, PriceBasis::Fallback { reason } if reason.contains("committee")));
}

#[test]
fn a_rate_of_another_time_pair_or_methodology_is_not_the_funds() {
    let mut fund = rated_on_monday();
    let mut late = evidence("cf-brr", "2024-01-08", "50000");
    late.at = "2024-01-08T20:00:00Z".parse().unwrap();
    let mut ether = evidence("cf-brr", "2024-01-08", "50000");
    ether.pair = "ETH-USD".into();
    for evidence in [late, ether] {
        let command = Command::RecordRate {
            asset: "BTC".parse().unwrap(),
            date: date("2024-01-08"),
            evidence: Box::new(evidence),
        };
        assert_eq!(fund.give(command).unwrap_err().code(), "rate.must_follow_the_definition");
    }
}
