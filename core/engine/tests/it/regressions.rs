//! Ways in which a fund could get stuck, promise coins that are not there, or say "done" for a "no".

use crate::scenario::*;
use strongroom_engine::{Account, Command, Liability, NewOrder, Outcome};
use strongroom_units::Money;

/// The fee from the first day on, high enough to be seen.
fn definition() -> String {
    with(&with_fee_from_seed(BITCOIN, "0.10"), "from = 2025-07-30", "from = 2024-01-05")
}

fn struck_through(day: &str) -> Scenario {
    let mut fund = Scenario::open(&definition(), "50000");
    fund.strike_through(day, "50000");
    fund
}

fn is_covered(fund: &Scenario) {
    fund.state().reserve().check().unwrap();
}

#[test]
fn a_correction_after_a_payment_does_not_set_the_paid_coins_aside_again() {
    let mut fund = struck_through("2024-01-31");
    fund.pay_fee("50000");
    let correct = fund.correct("2024-01-31", "50100");
    fund.done(correct);
    is_covered(&fund);
    fund.move_to_trading(fund.coins("1"));
}

#[test]
fn a_correction_after_a_redemption_was_executed_promises_what_is_left() {
    let mut fund = struck_through("2024-01-30");
    fund.submit("out", REDEMPTION, CASH, 200_000, "2024-01-31");
    fund.strike("2024-01-31", "50000");
    fund.execute("out", "50000");
    // At a lower price the same fee takes more coins, and the redeemer has already had his.
    let correct = fund.correct("2024-01-31", "40000");
    fund.done(correct);
    is_covered(&fund);
    fund.done(expense("audit", "2024-01-30", "100000"));
    is_covered(&fund);
    fund.at("2024-02-01T10:00:00").settle("out");
    fund.strike("2024-02-01", "40000");
}

#[test]
fn a_correction_before_a_creation_is_executed_leaves_it_executable() {
    let mut fund = struck_through("2024-01-30");
    fund.submit("in", CREATION, CASH, 400_000, "2024-01-31");
    fund.submit("coins", CREATION, IN_KIND, 400_000, "2024-01-31");
    fund.strike("2024-01-31", "50000");
    // At a higher price fewer coins are set aside, and each share has more than the creation was dealt at.
    let correct = fund.correct("2024-01-31", "62000");
    fund.done(correct);
    fund.execute("in", "62000");
    fund.at("2024-02-01T10:00:00").settle("in");
    fund.settle("coins");
}

#[test]
fn a_creation_executed_a_strike_late_is_not_blocked_by_a_higher_price() {
    let mut fund = struck_through("2024-01-30");
    fund.submit("in", CREATION, CASH, 400_000, "2024-01-31");
    fund.strike("2024-01-31", "50000");
    fund.strike("2024-02-01", "62000");
    fund.execute("in", "62000");
    fund.settle("in");
    is_covered(&fund);
    fund.strike("2024-02-02", "62001");
}

#[test]
fn of_two_late_creations_the_one_that_brings_more_coins_goes_first() {
    let mut fund = struck_through("2024-01-30");
    fund.submit("low", CREATION, CASH, 400_000, "2024-01-31");
    fund.submit("high", CREATION, CASH, 400_000, "2024-02-01");
    fund.strike("2024-01-31", "40000");
    fund.strike("2024-02-01", "47500");
    fund.strike("2024-02-02", "52500");
    let low = Command::ExecuteOrder { id: id("low"), prices: fund.prices("52500") };
    assert_eq!(fund.give(low.clone()).unwrap_err().code(), "reserve.must_cover_entitlement");
    fund.execute("high", "52500");
    is_covered(&fund);
    fund.done(low);
    is_covered(&fund);
}

#[test]
fn fee_paid_too_much_is_worth_money_but_no_coins() {
    let mut fund = struck_through("2024-01-31");
    fund.pay_fee("50000");
    // Every price of the month was a fifth too high, so more was paid than is owed.
    for day in fund.state().navs().iter().map(|nav| nav.date.to_string()).skip(1).collect::<Vec<_>>() {
        let correct = fund.correct(&day, "40000");
        fund.done(correct);
    }
    assert!(fund.owed(Account::AccruedFee) < Money::from_units(-100_000_000));
    is_covered(&fund);
    fund.strike("2024-02-01", "40001");
    let (nav, held) = (fund.nav("2024-02-01"), fund.state().reserve().positions().unwrap()[0]);
    assert!(nav.inputs.accrued_fee.is_negative());
    assert!(nav.current.liability_coins[&fund.asset].is_zero());
    assert!(held.entitlement.units() <= held.held.units(), "no more is promised than is held");
    let pay =
        Command::Pay { liability: Liability::SponsorFee { through: None }, prices: fund.prices("40000") };
    assert_eq!(fund.give(pay).unwrap_err().code(), "payment.must_have_something_accrued");
}

#[test]
fn the_last_shares_cannot_be_redeemed_by_an_order_so_the_next_session_can_be_struck() {
    let mut fund = struck_through("2024-01-30");
    fund.submit("in", CREATION, CASH, 40_000, "2024-01-31");
    let all = order("all", REDEMPTION, CASH, 400_000, "2024-01-31");
    assert_eq!(
        fund.give(Command::SubmitOrder(all)).unwrap_err().code(),
        "order.redemption_must_leave_shares"
    );
    fund.submit("most", REDEMPTION, CASH, 360_000, "2024-01-31");
    let rest = order("rest", REDEMPTION, CASH, 40_000, "2024-01-31");
    assert_eq!(
        fund.give(Command::SubmitOrder(rest)).unwrap_err().code(),
        "order.redemption_must_leave_shares"
    );
    fund.strike("2024-01-31", "50000");
    fund.strike("2024-02-01", "50001");
    assert_eq!(fund.nav("2024-02-01").inputs.entitled.count(), 40_000);
}

#[test]
fn a_redemption_waits_for_the_creation_whose_shares_it_needs() {
    let mut fund = struck_through("2024-01-30");
    fund.submit("in", CREATION, CASH, 400_000, "2024-01-31");
    fund.strike("2024-01-31", "50000");
    fund.execute("in", "50000");
    fund.submit("out", REDEMPTION, CASH, 600_000, "2024-02-01");
    fund.strike("2024-02-01", "50001");
    fund.execute("out", "50001");
    fund.at("2024-02-02T10:00:00");
    let (coins, vault) = (fund.order("out").coins().unwrap()[&fund.asset], fund.coins("199"));
    assert!(coins.units() > vault.units());
    let settle = Command::SettleOrder { id: id("out") };
    // Shares issued never go below zero, whatever coins are there.
    assert_eq!(fund.give(settle.clone()).unwrap_err().code(), "order.redemption_must_be_covered_by_shares");
    fund.settle("in");
    fund.move_to_trading(vault);
    fund.done(settle);
    assert_eq!(fund.state().issued().count(), 200_000);
}

#[test]
fn another_participants_order_is_not_done_because_a_settled_one_has_its_id() {
    let mut fund = struck_through("2024-01-30");
    let first = order("1", CREATION, IN_KIND, 40_000, "2024-01-31");
    fund.done(Command::SubmitOrder(first.clone()));
    fund.strike("2024-01-31", "50000");
    fund.at("2024-02-01T10:00:00").settle("1");
    assert_eq!(fund.give(Command::SubmitOrder(first.clone())), Ok(Outcome::AlreadyDone));
    for other in [
        NewOrder { participant: "Quay Capital".into(), ..first.clone() },
        NewOrder { method: CASH, ..first.clone() },
    ] {
        let refused = fund.give(Command::SubmitOrder(other)).unwrap_err();
        assert_eq!(refused.code(), "order.id_must_be_unique");
    }
}

#[test]
fn an_expense_that_no_strike_could_bear_is_refused_before_any_strike_is() {
    let mut fund = struck_through("2024-01-31");
    fund.at("2024-02-01T10:00:00");
    let refused = fund.give(expense("typing-error", "2024-02-01", "10000000")).unwrap_err();
    assert_eq!(refused.code(), "nav.must_be_positive");
    let refused = fund.give(expense("wild", "2024-02-01", "1000000000000000000000000000000")).unwrap_err();
    assert_eq!(refused.code(), "nav.must_be_positive");
    fund.done(expense("audit", "2024-02-01", "100000"));
    fund.strike("2024-02-01", "50001");
}

#[test]
fn selling_coins_for_expenses_leaves_the_coins_of_the_fee() {
    let text = in_coins(&definition());
    let mut fund = Scenario::open(&text, "50000");
    fund.strike_through("2024-01-30", "50000");
    fund.done(expense("audit", "2024-01-30", "10000"));
    fund.strike("2024-01-31", "50000");
    fund.move_to_trading(fund.coins("100"));
    // At a tenth of the price the expense would take more coins than were set aside for it.
    fund.done(Command::Pay { liability: Liability::Expenses, prices: fund.prices("5000") });
    assert_eq!(fund.owed(Account::AccruedExpense), money("9000"));
    fund.done(Command::Pay {
        liability: Liability::SponsorFee { through: None },
        prices: Default::default(),
    });
    is_covered(&fund);
}

#[test]
fn what_a_sale_brings_beyond_what_is_owed_stays_in_cash() {
    let mut fund = struck_through("2024-01-31");
    let (owed, cash) = (fund.owed(Account::AccruedFee), fund.state().ledger().money(Account::Cash));
    // One satoshi at this price is ten million: far more than the fee.
    fund.move_to_trading(fund.coins("1"));
    let liability = Liability::SponsorFee { through: None };
    fund.done(Command::Pay { liability, prices: fund.prices("1000000000000000") });
    let left = fund.state().ledger().money(Account::Cash).try_sub(cash).unwrap();
    let paid = owed.try_sub(fund.owed(Account::AccruedFee)).unwrap();
    assert_eq!(left.try_add(paid).unwrap(), money("10000000"));
    assert!(fund.owed(Account::AccruedFee) < money("0.01"));
    is_covered(&fund);
    fund.strike("2024-02-01", "50000");
}
