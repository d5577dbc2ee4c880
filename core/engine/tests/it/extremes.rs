//! Numbers at the ends of their ranges: refused or done, never a panic; and memory that a sum tore says so.

use crate::properties::{ends, kinds};
use crate::refusals::{definition, execute, submit};
use crate::scenario::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use strongroom_engine::{Account, Command, Fund, Liability, PriceRow};
use strongroom_units::time::{Calendar, Timestamp};
use strongroom_units::{Money, Price, Quantity, Shares};

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn extreme_numbers_are_refused_or_done_and_never_panic(
        kind in kinds(),
        numbers in prop::collection::vec((any::<i128>(), any::<i64>(), 0..9u8, 0..127u32), 1..40),
    ) {
        let mut scenario = kind.open();
        for (index, (wide, shares, what, shift)) in numbers.into_iter().enumerate() {
            extreme(&mut scenario, index, wide >> shift, (shares, what));
            if scenario.fund.is_torn() {
                break; // the memory is thrown away and read again from the log
            }
            let state = scenario.state();
            prop_assert!(state.ledger().balances().unwrap());
            prop_assert!(state.reserve().check().is_ok());
        }
        prop_assert!(scenario.fund.state().is_some());
    }
}

fn extreme(scenario: &mut Scenario, index: usize, wide: i128, (shares, what): (i64, u8)) {
    let (asset, name) = (scenario.asset, format!("x{index}"));
    let last = scenario.state().last_nav().unwrap().date;
    let next = Calendar::Nyse.next_session(last).unwrap();
    let any_price = Price::from_units(wide);
    let prices = BTreeMap::from([(asset, any_price)]);
    let mut new = order(&name, CREATION, CASH, shares, &next.to_string());
    if what % 2 == 0 {
        new.side = REDEMPTION;
    }
    let command = match what {
        0 => Command::SubmitOrder(new),
        1 => {
            new.shares = Shares::new(shares.rem_euclid(250_000) * 40_000);
            Command::SubmitOrder(new)
        }
        2 => {
            new.trade_date = last;
            late(new)
        }
        3 => {
            scenario.now = seconds_after(strike_of(next), 1);
            let rows = vec![PriceRow { date: next, price: any_price }];
            let _ = scenario.give(Command::ImportPrices { asset, source: "far".into(), rows });
            Command::StrikeNav { date: next, accept: Some("looked at".into()) }
        }
        4 => {
            let first = scenario.state().orders().next().map(|order| order.id.clone());
            Command::ExecuteOrder { id: first.unwrap_or_else(|| id("none")), prices }
        }
        5 => Command::CorrectPrice { asset, date: last, price: any_price, reason: "far".into() },
        6 => {
            let amount = Money::from_units(wide / 1_000_000 * 1_000_000);
            Command::RecordExpense { id: id(&name), effective: last, amount, memo: "far".into() }
        }
        7 => Command::Pay { liability: Liability::SponsorFee { through: None }, prices },
        _ => {
            let (from, to) = ends(shares > 0);
            let scale = scenario.state().definition().assets[0].scale;
            Command::TransferCustody { asset, from, to, quantity: Quantity::from_units(wide, scale) }
        }
    };
    let _ = scenario.give(command);
}

#[test]
fn memory_that_a_sum_beyond_128_bits_tore_says_so() {
    let mut fund = Scenario::open(&definition(), "0.0000000001");
    for name in ["a", "b"] {
        fund.done(late(order(name, CREATION, CASH, 9_999_960_000, "2024-01-05")));
    }
    fund.execute("a", "600000000");
    assert!(!fund.fund.is_torn());
    let recorded = fund.events();
    let second = execute("b", fund.prices("600000000"));
    assert_eq!(fund.give(second).unwrap_err().code(), "number.must_fit_128_bits");
    assert!(fund.fund.is_torn());
    let mut again = Fund::default();
    for (event, at) in recorded {
        again.replay(event, at, 1).unwrap();
    }
    assert!(!again.is_torn() && again.state().unwrap().ledger().balances().unwrap());
    let paid: Money = again.state().unwrap().ledger().money(Account::Cash);
    assert_eq!((paid, again.state().unwrap().issued()), (Money::ZERO, Shares::new(400_000)));
}

#[test]
fn the_calendar_ends_with_a_refusal() {
    let text = with(&with(BITCOIN, "2024-01-05", "2099-12-31"), "2024-01-11", "2099-12-31");
    let text = with(&text, "through = 2025-01-10", "through = 2099-12-31");
    let mut fund = Scenario::open(&text, "50000");
    fund.now = Timestamp::MAX;
    assert_eq!(fund.give(strike_command("2099-12-31")).unwrap_err().code(), "nav.must_not_be_struck_twice");
    assert_eq!(fund.give(strike_command("2100-01-04")).unwrap_err().code(), "nav.must_be_on_a_session");
    let last = fund.give(submit("a", CREATION, 40_000, "2099-12-31"));
    assert_eq!(last.unwrap_err().code(), "order.trade_date_must_not_be_struck");
    let late = fund.give(late(order("a", CREATION, CASH, 40_000, "2099-12-31")));
    assert_eq!(late.unwrap_err().code(), "time.date_must_be_in_calendar");
}
