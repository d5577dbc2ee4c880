//! What was learned late against the history in which it was known in time.
//!
//! Two funds live the same days; one is told late what the other knew. Where no order was dealt and nothing was
//! paid between the day that was wrong and the correction, every NAV, the ledger, the lots and the reserve have
//! to come out the same. Where something was, it happened at the published figure and is not undone; each of those
//! tests says which figures may differ for that reason, and holds the rest to equality.

use crate::scenario::*;
use proptest::prelude::*;
use strongroom_engine::{Account, Command, Event, NavRecord, OrderState, Restatement, statement};
use strongroom_units::time::{Calendar, Date};
use strongroom_units::{Money, Price};

const FIRST: &str = "2024-01-08";

fn definition(annual: &str, coin_fee: bool) -> String {
    let text = if coin_fee { in_coins(BITCOIN) } else { BITCOIN.to_owned() };
    with(&with_fee_from_seed(&text, annual), "from = 2025-07-30", "from = 2024-01-05")
}

/// Sessions from the first after the seed.
fn sessions(count: usize) -> Vec<Date> {
    Calendar::Nyse.sessions(date(FIRST), date("2024-12-31")).take(count).collect()
}

/// A price in whole cents that moves from session to session.
fn text_of(cents: i64) -> String {
    Price::from_units(i128::from(cents) * 10i128.pow(16)).to_string()
}

/// A walk of prices: each within a tenth of fifty thousand, never the same twice running.
fn walk(count: usize) -> impl Strategy<Value = Vec<i64>> {
    prop::collection::vec(0..1_000_000i64, count)
        .prop_map(|steps| (0i64..).zip(steps).map(|(i, step)| 4_500_000 + step / 2 * 2 + i % 2).collect())
}

fn last_restatement(fund: &Scenario) -> Restatement {
    let applied = &fund.steps.last().unwrap().handled.applied;
    match &applied.last().unwrap().event {
        Event::PriceCorrected { restatement, .. }
        | Event::LateOrderRecorded { restatement, .. }
        | Event::ExpenseRecorded { restatement, .. } => restatement.clone(),
        other => panic!("{other:?}"),
    }
}

/// What a NAV says today, without the record of what was published.
fn known(nav: &NavRecord) -> impl PartialEq + std::fmt::Debug {
    (nav.date, nav.inputs.clone(), nav.current.clone())
}

fn same_navs(told_late: &Scenario, told_in_time: &Scenario, through: Date) {
    let navs = told_late.state().navs().iter().zip(told_in_time.state().navs());
    for (late, right) in navs.take_while(|(late, _)| late.date <= through) {
        assert_eq!(known(late), known(right), "{}", late.date);
    }
}

/// NAVs, books, lots and reserve.
fn same_fund(told_late: &Scenario, told_in_time: &Scenario) {
    same_navs(told_late, told_in_time, Date::MAX);
    let (late, right) = (told_late.state(), told_in_time.state());
    assert_eq!(late.navs().len(), right.navs().len());
    assert_eq!(late.ledger(), right.ledger());
    assert_eq!(late.reserve().positions().unwrap(), right.reserve().positions().unwrap());
    assert_eq!(late.reserve().entitled(), right.reserve().entitled());
    assert_eq!(late.lots(told_late.asset), right.lots(told_late.asset));
    assert_eq!(late.movements(told_late.asset), right.movements(told_late.asset));
    assert_eq!(late.fee_due(None).unwrap(), right.fee_due(None).unwrap());
}

/// The correction names exactly the NAVs that changed, oldest first, and what was published stays.
fn names_what_changed(fund: &Scenario, before: &[NavRecord]) {
    let restatement = last_restatement(fund);
    let after = fund.state().navs();
    let changed: Vec<&NavRecord> =
        after.iter().zip(before).filter(|(after, before)| after != before).map(|(after, _)| after).collect();
    assert_eq!(changed, restatement.navs.iter().collect::<Vec<_>>());
    for (after, before) in after.iter().zip(before) {
        assert_eq!(after.published, before.published);
        assert_eq!((after.struck_at, &after.accepted), (before.struck_at, &before.accepted));
    }
    let fees = |navs: &[NavRecord]| {
        navs.iter().fold(Money::ZERO, |sum, nav| sum.try_add(nav.current.valuation.fee).unwrap())
    };
    assert_eq!(restatement.fee_adjustment, fees(after).try_sub(fees(before)).unwrap());
}

fn strike_all(fund: &mut Scenario, days: &[Date], cents: &[i64]) {
    for (day, cents) in days.iter().zip(cents) {
        fund.strike(&day.to_string(), &text_of(*cents));
    }
}

/// A creation in cash and a redemption in kind, done with before the third session's strike.
fn with_early_orders(definition: &str, days: &[Date], cents: &[i64]) -> Scenario {
    let mut fund = Scenario::open(definition, "50000");
    fund.submit("in", CREATION, CASH, 120_000, &days[0].to_string());
    fund.submit("out", REDEMPTION, IN_KIND, 80_000, &days[0].to_string());
    strike_all(&mut fund, &days[..1], &cents[..1]);
    fund.execute("in", &text_of(cents[0] + 7_700));
    fund.at(&format!("{}T10:00:00", days[1])).settle("in");
    fund.settle("out");
    strike_all(&mut fund, &days[1..2], &cents[1..2]);
    fund
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_corrected_price_gives_the_fund_that_had_the_right_price(
        coin_fee in any::<bool>(),
        cents in walk(14),
        wrong_at in 2..10usize,
        wrong in 4_500_000..5_500_000i64,
        corrected_after in 0..4usize,
        detour in prop::option::of(4_500_000..5_500_000i64),
    ) {
        let (days, text) = (sessions(14), definition("0.015", coin_fee));
        let known_at = wrong_at + corrected_after;
        let mut right = with_early_orders(&text, &days, &cents);
        strike_all(&mut right, &days[2..], &cents[2..]);
        let mut fund = with_early_orders(&text, &days, &cents);
        let mut imported = cents.clone();
        imported[wrong_at] = if wrong == cents[wrong_at - 1] { wrong + 1 } else { wrong };
        strike_all(&mut fund, &days[2..=known_at], &imported[2..=known_at]);
        // Corrected at once, or to another wrong price first.
        for price in detour.into_iter().chain([cents[wrong_at]]) {
            let before = fund.state().navs().to_vec();
            let correct = fund.correct(&days[wrong_at].to_string(), &text_of(price));
            if fund.give(correct) == Ok(strongroom_engine::Outcome::Done) {
                names_what_changed(&fund, &before);
                let first = last_restatement(&fund).navs.first().map(|nav| nav.date);
                prop_assert_eq!(first, Some(days[wrong_at]));
            }
        }
        strike_all(&mut fund, &days[known_at + 1..], &cents[known_at + 1..]);
        same_fund(&fund, &right);
    }

    #[test]
    fn an_expense_recorded_late_gives_the_fund_that_knew_it(
        coin_fee in any::<bool>(),
        cents in walk(14),
        effective_at in 2..10usize,
        recorded_after in 0..4usize,
        expense_cents in 1..5_000_000i128,
    ) {
        let (days, text) = (sessions(14), definition("0.015", coin_fee));
        let amount = Money::from_units(expense_cents * 1_000_000).to_string();
        let (effective, known_at) = (days[effective_at].to_string(), effective_at + recorded_after);
        let mut right = with_early_orders(&text, &days, &cents);
        strike_all(&mut right, &days[2..effective_at], &cents[2..effective_at]);
        right.at(&format!("{effective}T09:00:00")).done(expense("audit", &effective, &amount));
        strike_all(&mut right, &days[effective_at..], &cents[effective_at..]);
        let mut fund = with_early_orders(&text, &days, &cents);
        strike_all(&mut fund, &days[2..=known_at], &cents[2..=known_at]);
        let before = fund.state().navs().to_vec();
        fund.done(expense("audit", &effective, &amount));
        names_what_changed(&fund, &before);
        prop_assert_eq!(last_restatement(&fund).navs.len(), recorded_after + 1);
        strike_all(&mut fund, &days[known_at + 1..], &cents[known_at + 1..]);
        same_fund(&fund, &right);
    }

    #[test]
    fn an_order_entered_late_gives_the_fund_that_took_it_in_time(
        coin_fee in any::<bool>(),
        creation in any::<bool>(),
        in_kind in any::<bool>(),
        baskets in 1..9i64,
        cents in walk(14),
        dealt_at in 2..9usize,
        entered_after in 0..4usize,
    ) {
        let (days, text) = (sessions(14), definition("0.015", coin_fee));
        let known_at = dealt_at + entered_after;
        let side = if creation { CREATION } else { REDEMPTION };
        let method = if in_kind { IN_KIND } else { CASH };
        let new = order("late", side, method, 40_000 * baskets, &days[dealt_at].to_string());
        let mut right = with_early_orders(&text, &days, &cents);
        strike_all(&mut right, &days[2..dealt_at], &cents[2..dealt_at]);
        right.done(Command::SubmitOrder(new.clone()));
        strike_all(&mut right, &days[dealt_at..=known_at], &cents[dealt_at..=known_at]);
        let mut fund = with_early_orders(&text, &days, &cents);
        strike_all(&mut fund, &days[2..=known_at], &cents[2..=known_at]);
        let before = fund.state().navs().to_vec();
        fund.done(late(new));
        names_what_changed(&fund, &before);
        prop_assert_eq!(last_restatement(&fund).navs.len(), entered_after);
        for fund in [&mut fund, &mut right] {
            // Executed when it was known in both, so that owned and pending coins are the same too.
            if !in_kind {
                fund.execute("late", &text_of(cents[known_at] + 100));
            }
            strike_all(fund, &days[known_at + 1..=known_at + 1], &cents[known_at + 1..=known_at + 1]);
            fund.settle("late");
            strike_all(fund, &days[known_at + 2..], &cents[known_at + 2..]);
        }
        same_fund(&fund, &right);
    }

    #[test]
    fn an_order_dealt_on_a_wrong_price_keeps_its_terms_and_without_fee_nothing_else_differs(
        cents in walk(10),
        wrong_at in 2..8usize,
        wrong in 4_500_000..5_500_000i64,
        baskets in 1..5i64,
    ) {
        // Legitimately different: what the orders of that day were worth at NAV, and so their variance. Without a
        // liability the Basket Amount does not depend on the price, so their coins, and every NAV, are the same.
        let (days, text) = (sessions(10), definition("0.000000000000000001", false));
        let run = |imported: &[i64]| {
            let mut fund = with_early_orders(&text, &days, &cents);
            strike_all(&mut fund, &days[2..wrong_at], &imported[2..wrong_at]);
            fund.submit("new", CREATION, CASH, 40_000 * baskets, &days[wrong_at].to_string());
            fund.submit("gone", REDEMPTION, CASH, 40_000, &days[wrong_at].to_string());
            strike_all(&mut fund, &days[wrong_at..=wrong_at], &imported[wrong_at..=wrong_at]);
            fund.execute("new", &text_of(cents[wrong_at]));
            fund
        };
        let mut imported = cents.clone();
        imported[wrong_at] = if wrong == cents[wrong_at - 1] { wrong + 1 } else { wrong };
        let (mut fund, mut right) = (run(&imported), run(&cents));
        let (dealt, before) = (fund.order("new").clone(), fund.state().navs().to_vec());
        let correct = fund.correct(&days[wrong_at].to_string(), &text_of(cents[wrong_at]));
        fund.give(correct).unwrap();
        if imported != cents {
            prop_assert_eq!(last_restatement(&fund).navs.len(), 1, "only that day's");
            names_what_changed(&fund, &before);
            prop_assert_ne!(worth(&fund), worth(&right));
        }
        prop_assert_eq!(fund.order("new"), &dealt);
        for fund in [&mut fund, &mut right] {
            fund.execute("gone", &text_of(cents[wrong_at]));
            strike_all(fund, &days[wrong_at + 1..=wrong_at + 1], &cents[wrong_at + 1..=wrong_at + 1]);
            fund.settle("new");
            fund.settle("gone");
            strike_all(fund, &days[wrong_at + 2..], &cents[wrong_at + 2..]);
        }
        same_fund(&fund, &right);
    }

    #[test]
    fn orders_dealt_and_fee_paid_on_wrong_figures_leave_those_before_exact_and_those_after_near(
        cents in walk(14),
        wrong in 4_500_000..5_500_000i64,
        wrong_at in 2..6usize,
        later in 1..4usize,
        pays in any::<bool>(),
    ) {
        // Legitimately different, from the first strike after the dealing or the payment on: the coins of the order,
        // which a Basket Amount with other coins set aside would have made slightly more or less; or the coins sold
        // and the money paid, which another accrued fee would have. NAVs through that day are exact.
        let (days, text) = (sessions(14), definition("0.10", false));
        let event_at = wrong_at + later;
        let run = |imported: &[i64]| {
            let mut fund = with_early_orders(&text, &days, &cents);
            strike_all(&mut fund, &days[2..event_at], &imported[2..event_at]);
            if !pays {
                fund.submit("new", CREATION, IN_KIND, 400_000, &days[event_at].to_string());
            }
            strike_all(&mut fund, &days[event_at..=event_at], &imported[event_at..=event_at]);
            if pays {
                fund.pay_fee(&text_of(cents[event_at]));
            }
            strike_all(&mut fund, &days[event_at + 1..event_at + 3], &imported[event_at + 1..event_at + 3]);
            fund
        };
        let mut imported = cents.clone();
        imported[wrong_at] = if wrong == cents[wrong_at - 1] { wrong + 1 } else { wrong };
        let (mut fund, mut right) = (run(&imported), run(&cents));
        let before = fund.state().navs().to_vec();
        let correct = fund.correct(&days[wrong_at].to_string(), &text_of(cents[wrong_at]));
        if fund.give(correct) == Ok(strongroom_engine::Outcome::Done) {
            names_what_changed(&fund, &before);
        }
        fund.state().reserve().check().unwrap();
        for fund in [&mut fund, &mut right] {
            strike_all(fund, &days[event_at + 3..], &cents[event_at + 3..]);
        }
        same_navs(&fund, &right, days[event_at]);
        for (late, right) in fund.state().navs().iter().zip(right.state().navs()) {
            let (late, right) = (late.current.nav_per_share.units(), right.current.nav_per_share.units());
            prop_assert!((late - right).abs() < right / 10_000, "{} against {}", late, right);
        }
        books_agree(&fund);
    }
}

/// The value at NAV of an executed order.
fn worth(fund: &Scenario) -> Money {
    match &fund.order("new").state {
        OrderState::Executed { nav_value, .. } => *nav_value,
        other => panic!("{other:?}"),
    }
}

/// Fee in the books is fee of all NAVs as known today, less what was paid.
fn books_agree(fund: &Scenario) {
    let fees = fund.state().navs().iter().map(|nav| nav.current.valuation.fee.units()).sum::<i128>();
    assert_eq!(fund.state().ledger().money(Account::FeeExpense).units(), fees);
    let paid = fund.events().into_iter().map(|(event, _)| match event {
        Event::Paid { amount, .. } => amount.units(),
        _ => 0,
    });
    assert_eq!(fund.owed(Account::AccruedFee).units(), fees - paid.sum::<i128>());
}

#[test]
fn before_the_fee_begins_only_the_day_itself_is_named_with_its_difference() {
    let mut fund = Scenario::bitcoin();
    fund.strike("2024-01-08", "46000");
    fund.strike("2024-01-09", "47000");
    let correct = fund.correct("2024-01-08", "46500");
    fund.done(correct);
    let restatement = last_restatement(&fund);
    let [nav] = restatement.navs.as_slice() else { panic!("one") };
    // 200 coins ÷ 400,000 shares: 23.00 was published, 23.25 is right.
    assert_eq!((nav.date, nav.published.nav_per_share_published), (date("2024-01-08"), money("23")));
    assert_eq!(nav.current.nav_per_share_published, money("23.25"));
    assert_eq!(restatement.fee_adjustment, Money::ZERO);
    assert!(restatement.promises.is_empty(), "the last strike's promise stands");
    let stated = statement::statement(fund.state(), date("2024-01-08"), date("2024-01-09")).unwrap();
    let differences: Vec<Money> = stated.navs.iter().map(|row| row.correction).collect();
    assert_eq!(differences, [money("-0.25"), Money::ZERO]);
}

#[test]
fn a_price_put_back_leaves_the_fund_as_if_nothing_had_been_said() {
    for coin_fee in [false, true] {
        let mut fund = Scenario::open(&definition("0.015", coin_fee), "50000");
        fund.strike_through("2024-01-31", "50000");
        let before = (fund.state().navs().to_vec(), fund.state().ledger().clone());
        let positions = fund.state().reserve().positions().unwrap();
        for text in ["40000", "60000", "50000.02"] {
            let correct = fund.correct("2024-01-10", text);
            fund.done(correct);
        }
        assert_eq!((fund.state().navs().to_vec(), fund.state().ledger().clone()), before);
        assert_eq!(fund.state().reserve().positions().unwrap(), positions);
    }
}

#[test]
fn a_weekends_price_is_corrected_without_touching_a_nav() {
    let mut fund = Scenario::bitcoin();
    fund.strike("2024-01-08", "46000");
    let import = fund.import(&[("2024-01-07", "45000")]);
    fund.done(import);
    let correct = fund.correct("2024-01-07", "45500");
    fund.done(correct);
    assert_eq!(last_restatement(&fund), Restatement::default());
    let rolled = statement::roll_forward_of(fund.state(), fund.asset, date("2024-01-06"), date("2024-01-07"));
    assert_eq!(rolled.unwrap().end.fair_value, money("9100000"), "it values a period that ends on it");
}

#[test]
fn a_late_order_in_a_fund_with_fee_in_coins_owes_the_fee_of_its_days() {
    let mut fund = Scenario::open(&definition("0.0365", true), "50000");
    fund.strike("2024-01-08", "50000");
    fund.strike("2024-01-09", "50001");
    fund.strike("2024-01-10", "50002");
    let owed =
        |fund: &Scenario| fund.state().ledger().coins(fund.asset, Account::AccruedFee).unwrap().to_string();
    // Five days of 200 coins at a ten-thousandth a day.
    assert_eq!(owed(&fund), "-0.10000000");
    fund.done(late(order("twice", CREATION, CASH, 400_000, "2024-01-08")));
    // 199.94 coins came on the 8th: two days more of 0.019994.
    assert_eq!(fund.order("twice").coins().unwrap()[&fund.asset].to_string(), "199.94000000");
    assert_eq!(owed(&fund), "-0.13998800");
    assert_eq!(last_restatement(&fund).coin_fees.len(), 2);
    fund.strike("2024-01-11", "50003");
    fund.move_to_trading(fund.coins("1"));
    let liability = strongroom_engine::Liability::SponsorFee { through: None };
    fund.done(Command::Pay { liability, prices: Default::default() });
    assert_eq!(owed(&fund), "0.00000000");
}
