//! Worked cases with their figures, through the engine's own commands.

use crate::scenario::*;
use strongroom_engine::{Account, Event, Liability, OrderState};
use strongroom_fund::fees::money_fee;
use strongroom_units::time::Timestamp;
use strongroom_units::{Money, Rounding};

/// A fund whose seed bought round numbers of coins: shares, per share, unit.
fn seeded(shares: &str, per_share: &str, unit: &str) -> String {
    let text = with(BITCOIN, "shares = 400_000", &format!("shares = {shares}"));
    let text = with(&text, "nav_per_share = \"25.00\"", &format!("nav_per_share = \"{per_share}\""));
    with(&text, "shares = 40_000", &format!("shares = {unit}"))
}

#[test]
fn the_six_steps_of_a_trust_with_fee_in_coins_and_pending_orders() {
    // fund.md T21: 1,000 coins owned, 0.05 payable for fee, 2 baskets of 8.76 coming and 1 going, 1,234.56 owed.
    // One share is 0.001 coins, a unit of 8,760 shares is 8.76; one day's fee on the 1,008.76 coins there after
    // Monday's deals, at 1.80915 % and kept to two decimals, is 0.05.
    let text = in_coins(&seeded("1_000_000", "67.80529", "8_760"));
    let text = with_fee_from_seed(&text, "0.0180915");
    let text = with(&text, "[[fee.rate]]\nfrom = 2024-01-05", "[[fee.rate]]\nfrom = 2024-01-09");
    let text = with(&text, "day_count =", "coin_decimals = 2\nday_count =");
    let mut fund = Scenario::open(&text, "67805.29");
    fund.submit("in", CREATION, CASH, 2 * 8_760, "2024-01-08");
    fund.submit("out", REDEMPTION, CASH, 8_760, "2024-01-08");
    fund.strike("2024-01-08", "67800");
    fund.done(expense("other", "2024-01-08", "1234.56"));
    fund.strike("2024-01-09", "67805.29");
    let nav = fund.nav("2024-01-09");
    let input = nav.inputs.assets[&fund.asset];
    assert_eq!(input.owned.to_string(), "1000.00000000");
    assert_eq!(input.accrued_fee.to_string(), "0.05000000");
    assert_eq!(input.pending_creations.to_string(), "17.52000000");
    assert_eq!(input.pending_redemptions.to_string(), "8.76000000");
    let steps = nav.current.valuation;
    assert_eq!(steps.holdings, money("67801899.7355"));
    assert_eq!(steps.with_pending_creations, money("68989848.4163"));
    assert_eq!(steps.after_expenses, money("68988613.8563"));
    assert_eq!(steps.fee_basis, money("68394639.5159"));
    // Its fee is in coins; the same basis at 1.5 % a year in money gives the last step of the example.
    assert_eq!((steps.fee, steps.net_assets), (Money::ZERO, steps.fee_basis));
    let definition = strongroom_fund::FundDefinition::parse(&with_fee_from_seed(BITCOIN, "0.015")).unwrap();
    let fee = money_fee(&definition.fee, steps.fee_basis, date("2024-01-08"), date("2024-01-09")).unwrap();
    assert_eq!(fee, money("2810.73861024"));
    assert_eq!(steps.fee_basis.try_sub(fee).unwrap(), money("68391828.77728976"));
}

#[test]
fn the_participant_pays_or_is_credited_the_execution_variance() {
    // fund.md T22: 5 baskets of 22.66 coins; NAV value 6,970,752.48.
    for (execution, paid, variance) in
        [("61700.00", "6990610.00", "19857.52"), ("61300.00", "6945290.00", "-25462.48")]
    {
        let mut fund = Scenario::open(&seeded("400_000", "24.926", "40_000"), "44000");
        fund.submit("five", CREATION, CASH, 5 * 40_000, "2024-01-08");
        fund.submit("back", REDEMPTION, CASH, 40_000, "2024-01-08");
        fund.at("2024-01-08T16:30:00");
        let import = fund.import(&[("2024-01-08", "61524.735")]);
        fund.done(import);
        fund.done(accepting("2024-01-08"));
        assert_eq!(fund.order("five").coins().unwrap()[&fund.asset].to_string(), "113.30000000");
        fund.execute("five", execution);
        let OrderState::Executed { nav_value, variance: borne, cash_due, .. } = &fund.order("five").state
        else {
            panic!("executed")
        };
        assert_eq!((*nav_value, *borne, *cash_due), (money("6970752.48"), money(variance), money(paid)));
        let cash = fund.state().ledger().money(Account::Cash);
        fund.execute("back", execution);
        let OrderState::Executed { nav_value, variance, cash_due, .. } = &fund.order("back").state else {
            panic!("executed")
        };
        // What 22.66 coins fetch is what is paid out: the redeemer bears the difference, the other way round.
        let fetched = price(execution).value(fund.coins("22.66"), Rounding::Floor).unwrap();
        assert_eq!((*nav_value, *cash_due), (money("1394150.49"), fetched));
        assert_eq!(variance.try_add(fetched).unwrap(), *nav_value);
        fund.at("2024-01-09T10:00:00").settle("five");
        fund.settle("back");
        assert_eq!(fund.state().ledger().money(Account::Cash), cash, "those who stay neither gain nor lose");
    }
}

#[test]
fn a_waived_first_tranche_blends_into_the_daily_fee() {
    // $10bn in the waiver year: (0.12 % × 5bn + 0.25 % × 5bn) ÷ 365, the 0.185 % of fund.md 3.1.
    let mut fund = Scenario::open(&seeded("400_000_000", "25.00", "40_000"), "50000");
    fund.strike("2024-01-08", "50000");
    fund.strike("2024-01-09", "50000.01");
    fund.strike("2024-01-10", "50000");
    fund.strike("2024-01-11", "50000.01");
    fund.strike("2024-01-12", "50000");
    let fee = |day: &str| fund.nav(day).current.valuation.fee;
    assert_eq!(fee("2024-01-10"), Money::ZERO, "the fee begins on the 11th");
    // 200,000 coins at 50,000.01 are 10,000,002,000; the 2,000 above ten billion pay the full rate.
    assert_eq!(fee("2024-01-11"), money("50684.94520548"));
    let basis = fund.nav("2024-01-12").current.valuation.fee_basis;
    assert_eq!(basis, money("9999949315.05479452"));
    assert_eq!(fee("2024-01-12"), money("50684.58434969"));
}

#[test]
fn mondays_fee_covers_the_weekend_and_a_holiday_too() {
    let mut fund = Scenario::open(&with_fee_from_seed(BITCOIN, "0.0365"), "50000");
    // 10,000,000 at 3.65 % is exactly 1,000 a day; Monday the 8th covers three days.
    fund.strike("2024-01-08", "50000");
    assert_eq!(fund.nav("2024-01-08").current.valuation.fee, money("3000"));
    fund.strike_through("2024-01-12", "50000.01");
    fund.strike("2024-01-16", "50000");
    let nav = fund.nav("2024-01-16");
    assert_eq!(nav.inputs.after, date("2024-01-12"));
    let daily = nav.current.valuation.fee_basis.try_mul_div(365, 365 * 10_000, Rounding::HalfEven).unwrap();
    assert_eq!(nav.current.valuation.fee, daily.try_mul_div(4, 1, Rounding::Down).unwrap());
}

#[test]
fn a_fee_in_coins_is_the_holdings_by_the_rate_by_the_day_rounded_as_filed() {
    let text = with_fee_from_seed(&in_coins(&seeded("400_000", "25.00", "40_000")), "0.015");
    let mut fund = Scenario::open(&text, "48687.34");
    // 10,000,000 ÷ 48,687.34 = 205.39220256…; × 0.015 ÷ 365 = 0.00844077545… a day.
    assert_eq!(fund.state().ledger().coins(fund.asset, Account::Vault).unwrap().to_string(), "205.39220257");
    fund.strike("2024-01-08", "50000");
    let days: Vec<(String, String)> = fund
        .events()
        .iter()
        .filter_map(|(event, _)| match event {
            Event::FeeAccrued { day, coins } => Some((day.to_string(), coins[&fund.asset].to_string())),
            _ => None,
        })
        .collect();
    let daily = |day: &str| (day.to_owned(), "0.00844078".to_owned());
    assert_eq!(days, [daily("2024-01-06"), daily("2024-01-07"), daily("2024-01-08")]);
    // Paid in coins through the Sunday: two of the three days.
    fund.move_to_trading(fund.coins("1"));
    let liability = Liability::SponsorFee { through: Some(date("2024-01-07")) };
    fund.done(strongroom_engine::Command::Pay { liability, prices: Default::default() });
    let owed = fund.state().ledger().coins(fund.asset, Account::AccruedFee).unwrap();
    assert_eq!(owed.to_string(), "-0.00844078");
    fund.strike("2024-01-09", "50001");
    assert_eq!(fund.nav("2024-01-09").inputs.assets[&fund.asset].owned.to_string(), "205.37532101");
}

#[test]
fn the_strike_follows_the_wall_clock_through_daylight_saving() {
    // Clocks go forward on Sunday 10 March 2024 and back on Sunday 3 November.
    let march = ("2024-03-08", "2024-03-08T21:00:00Z", "2024-03-11", "2024-03-11T20:00:00Z");
    let november = ("2024-11-01", "2024-11-01T20:00:00Z", "2024-11-04", "2024-11-04T21:00:00Z");
    for (friday, friday_at, monday, monday_at) in [march, november] {
        let text = with(&with_fee_from_seed(BITCOIN, "0.0365"), "2024-01-05", friday);
        let mut fund = Scenario::open(&text, "50000");
        assert_eq!(fund.now, friday_at.parse::<Timestamp>().unwrap());
        let at: Timestamp = monday_at.parse().unwrap();
        fund.now = Timestamp::from_microsecond(at.as_microsecond() - 1).unwrap();
        let rows = fund.import(&[(monday, "50000")]);
        assert_eq!(fund.give(rows.clone()).unwrap_err().code(), "price.must_not_be_from_the_future");
        let early = fund.give(strike_command(monday)).unwrap_err().code();
        assert_eq!(early, "nav.must_not_be_struck_early");
        fund.now = at;
        fund.done(rows);
        fund.done(strike_command(monday));
        // Three calendar days, of 23 or 25 hours though one of them is.
        assert_eq!(fund.nav(monday).current.valuation.fee, money("3000"));
    }
}

#[test]
fn coins_accrue_for_every_day_when_strikes_are_days_late_and_none_is_lost() {
    let text = with_fee_from_seed(&in_coins(BITCOIN), "0.015");
    let mut on_time = Scenario::open(&text, "50000");
    let mut late = Scenario::open(&text, "50000");
    for (day, rate) in [("2024-01-08", "50000"), ("2024-01-09", "50001"), ("2024-01-10", "50002")] {
        on_time.strike(day, rate);
    }
    late.at("2024-01-11T12:00:00");
    for (day, rate) in [("2024-01-08", "50000"), ("2024-01-09", "50001"), ("2024-01-10", "50002")] {
        late.strike(day, rate);
    }
    for day in ["2024-01-08", "2024-01-09", "2024-01-10"] {
        assert_eq!(on_time.nav(day).current, late.nav(day).current, "{day}");
    }
    // Asleep for two years: nothing accrues past the session that was not struck, and then all of it does.
    late.at("2026-01-12T12:00:00");
    late.done(strongroom_engine::Command::Wake);
    late.strike("2024-01-11", "50003");
    let days = late.events().iter().filter(|(event, _)| matches!(event, Event::FeeAccrued { .. })).count();
    assert_eq!(days, 6, "6 to 11 January");
}
