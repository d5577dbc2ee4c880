//! Done, already done, and what an import or a strike notes beside it.

use crate::refusals::{opened, struck};
use crate::scenario::*;
use strongroom_engine::{Command, HaltScope, Outcome};
use strongroom_units::{Quantity, Scale};

#[test]
fn a_repeat_is_already_done_wherever_the_order_has_got_to() {
    let mut fund = opened();
    fund.strike_through("2024-01-11", "50000");
    let creation = order("creation", CREATION, CASH, 80_000, "2024-01-12");
    fund.done(Command::SubmitOrder(creation.clone()));
    let again = |fund: &mut Scenario| {
        let before = fund.state().to_snapshot().unwrap();
        assert_eq!(fund.give(Command::SubmitOrder(creation.clone())), Ok(Outcome::AlreadyDone));
        assert_eq!(fund.give(late(creation.clone())), Ok(Outcome::AlreadyDone));
        assert_eq!(fund.state().to_snapshot().unwrap(), before);
    };
    again(&mut fund);
    fund.done(halt(HaltScope::Orders));
    assert_eq!(fund.give(halt(HaltScope::Orders)), Ok(Outcome::AlreadyDone));
    again(&mut fund);
    fund.done(Command::Resume { reason: "open".into() });
    fund.strike("2024-01-12", "50001");
    again(&mut fund);
    fund.execute("creation", "50001");
    again(&mut fund);
    fund.at("2024-01-16T10:00:00").settle("creation");
    again(&mut fund);
}

#[test]
fn imports_expenses_and_corrections_can_be_repeated() {
    let mut fund = struck();
    let rows = fund.import(&[("2024-01-11", "50000.03"), ("2024-01-12", "50000.04")]);
    let before = fund.state().to_snapshot().unwrap();
    assert_eq!(fund.give(rows), Ok(Outcome::AlreadyDone));
    let nothing = fund.import(&[]);
    assert_eq!(fund.give(nothing), Ok(Outcome::AlreadyDone));
    assert_eq!(fund.state().to_snapshot().unwrap(), before);
    fund.done(expense("audit", "2024-01-11", "100"));
    assert_eq!(fund.give(expense("audit", "2024-01-11", "100")), Ok(Outcome::AlreadyDone));
    let other = fund.give(expense("audit", "2024-01-11", "100.01"));
    assert_eq!(other.unwrap_err().code(), "order.id_must_be_unique");
    let correct = fund.correct("2024-01-11", "49999");
    fund.done(correct.clone());
    let before = fund.state().to_snapshot().unwrap();
    assert_eq!(fund.give(correct), Ok(Outcome::AlreadyDone));
    assert_eq!(fund.state().to_snapshot().unwrap(), before);
}

#[test]
fn a_weekend_price_is_kept_and_flagged_and_a_price_before_the_last_strike_is_late() {
    let mut fund = struck();
    fund.at("2024-01-16T17:00:00");
    let import = fund.import(&[("2024-01-06", "50000"), ("2024-01-14", "70000"), ("2024-01-16", "60000")]);
    fund.done(import);
    let applied = &fund.steps.last().unwrap().handled.applied;
    let strongroom_engine::Event::PricesRecorded { rows, .. } = &applied[0].event else { panic!() };
    let flags: Vec<_> = rows.iter().map(|row| row.flag.map(|flag| flag.as_str())).collect();
    assert_eq!(flags, [Some("non-session"), Some("non-session"), None]);
    // The strike looks at the strike before, not at the weekend.
    fund.done(strike_command("2024-01-16"));
    assert_eq!(fund.state().last_nav().unwrap().accepted, None);
}

#[test]
fn a_recorded_decision_is_kept_only_where_one_was_needed() {
    for (text, accepted) in [("62500", None), ("62500.01", Some("checked at two venues"))] {
        let mut fund = opened();
        fund.at("2024-01-08T16:30:00");
        let import = fund.import(&[("2024-01-08", text)]);
        fund.done(import);
        fund.done(accepting("2024-01-08"));
        assert_eq!(fund.nav("2024-01-08").accepted.as_deref(), accepted);
    }
}

#[test]
fn quantities_of_another_scale_are_read_exactly_or_refused() {
    let mut fund = struck();
    let one = Quantity::from_units(10, Scale::try_new(1).unwrap());
    fund.move_to_trading(one);
    let trading = fund.state().ledger().coins(fund.asset, strongroom_engine::Account::Trading).unwrap();
    assert_eq!(trading.to_string(), "1.00000000");
}

#[test]
fn a_withdrawn_order_is_not_done_again_under_its_name() {
    let mut fund = opened();
    fund.strike_through("2024-01-11", "50000");
    let creation = order("withdrawn", CREATION, CASH, 80_000, "2024-01-12");
    fund.done(Command::SubmitOrder(creation.clone()));
    fund.done(Command::CancelOrder { id: id("withdrawn") });
    let refused = fund.give(Command::SubmitOrder(creation)).unwrap_err();
    assert_eq!(refused.code(), "order.id_must_be_unique");
}
