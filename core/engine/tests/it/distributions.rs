//! Distributions from declaration to the last unclaimed cent: NAV falls by exactly what is owed, and what is owed is the register.

use crate::scenario::*;
use proptest::prelude::*;
use strongroom_engine::{
    Account, Command, DistributionCommand, DistributionSource, Holder, NewDistribution, Outcome,
    RegisterPart, RewardSource, Stage, StakingCommand, statement,
};
use strongroom_units::{Money, Quantity, Shares};

pub const STAKING: &str = include_str!("../../../../funds/ether-staking.toml");

/// The staking fund at its seed of 2023-01-03, 10,000 ether at 1,000 dollars.
pub fn staking_fund() -> Scenario {
    Scenario::open(STAKING, "1000")
}

pub fn declaration(name: &str, per_share: &str, record: &str, pay: &str) -> NewDistribution {
    NewDistribution {
        id: id(name),
        source: DistributionSource::StakingRewards,
        asset: None,
        per_share: per_share.parse().unwrap(),
        record_date: date(record),
        pay_date: date(pay),
        memo: "rewards of the quarter".into(),
    }
}

pub fn distribution(command: DistributionCommand) -> Command {
    Command::Distribution(command)
}

pub fn declare(name: &str, per_share: &str, record: &str, pay: &str) -> Command {
    distribution(DistributionCommand::Declare(declaration(name, per_share, record, pay)))
}

pub fn holder(name: &str, shares: i64) -> Holder {
    Holder { holder: name.into(), shares: Shares::new(shares), is_unreachable: false }
}

pub fn register(name: &str, part: u32, is_last: bool, holders: Vec<Holder>) -> Command {
    distribution(DistributionCommand::ImportRegister(RegisterPart { id: id(name), part, is_last, holders }))
}

pub fn pay(name: &str) -> Command {
    distribution(DistributionCommand::Pay { id: id(name) })
}

pub fn correct(name: &str, per_share: &str) -> Command {
    let per_share = per_share.parse().unwrap();
    distribution(DistributionCommand::Correct { id: id(name), per_share, reason: "misprinted".into() })
}

pub fn claim(name: &str, holder: &str) -> Command {
    distribution(DistributionCommand::Claim { id: id(name), holder: holder.into() })
}

pub fn reward(fund: &Scenario, through: &str, gross: &str) -> Command {
    let (through, gross, source) = (date(through), fund.coins(gross), RewardSource::Staking);
    Command::Staking(StakingCommand::RecordReward { through, gross, source })
}

pub fn sell(fund: &Scenario, quantity: &str, at: &str) -> Command {
    let (quantity, price) = (fund.coins(quantity), price(at));
    Command::Staking(StakingCommand::SellRewards { quantity, price })
}

/// With 10 ether of gross rewards, 8.2 of them the fund's, worth 8,200 dollars.
pub fn rewarded() -> Scenario {
    let mut fund = staking_fund();
    fund.at("2023-01-03T17:00:00");
    let reward = reward(&fund, "2023-01-03", "10");
    assert_eq!(fund.give(reward).unwrap_err().code(), "staking.reward_must_follow_the_last");
    fund.strike("2023-01-04", "1000.01");
    let reward = self::reward(&fund, "2023-01-04", "10");
    fund.done(reward);
    fund
}

/// Declared on the 5th at two cents a share, with its record date on the 6th.
pub fn declared() -> Scenario {
    let mut fund = rewarded();
    fund.at("2023-01-05T12:00:00").done(declare("q", "0.02", "2023-01-06", "2023-01-10"));
    fund.strike("2023-01-05", "1000.02");
    fund
}

pub fn ex() -> Scenario {
    let mut fund = declared();
    fund.strike("2023-01-06", "1000.03");
    fund
}

/// The register is whole: a part of two holders and a part of one who cannot be reached.
pub fn registered() -> Scenario {
    let mut fund = ex();
    fund.done(register("q", 1, false, vec![holder("a", 100_000), holder("b", 299_999)]));
    fund.done(register("q", 2, true, vec![Holder { is_unreachable: true, ..holder("c", 1) }]));
    fund
}

/// Money for it is there: 8 ether were sold.
pub fn funded() -> Scenario {
    let mut fund = registered();
    fund.move_to_trading(fund.coins("9"));
    fund.strike("2023-01-09", "1000.04");
    let sell = sell(&fund, "8", "1000.04");
    fund.done(sell);
    fund
}

pub fn paid() -> Scenario {
    let mut fund = funded();
    fund.at("2023-01-10T12:00:00").done(pay("q"));
    fund
}

fn known<'a>(fund: &'a Scenario, name: &str) -> &'a strongroom_engine::Distribution {
    fund.state().distribution(&id(name)).unwrap()
}

#[test]
fn net_assets_fall_by_exactly_the_distribution_on_the_ex_date() {
    let fund = ex();
    let mut without = rewarded();
    for (day, price) in [("2023-01-05", "1000.02"), ("2023-01-06", "1000.03")] {
        without.strike(day, price);
    }
    let (with, without) = (fund.nav("2023-01-06"), without.nav("2023-01-06"));
    let fell = without.current.valuation.fee_basis.try_sub(with.current.valuation.fee_basis).unwrap();
    assert_eq!(fell, money("8000"), "0.02 a share on 400,000 shares");
    assert_eq!(with.inputs.distributions, money("8000"));
    assert_eq!((known(&fund, "q").stage, known(&fund, "q").shares), (Stage::Ex, Shares::new(400_000)));
    let sheet = statement::assets_and_liabilities(with).unwrap();
    assert_eq!(sheet.distributions_payable, money("8000"));
    assert_eq!(sheet.total_assets.try_sub(sheet.total_liabilities).unwrap(), sheet.net_assets);
    // Coins for what is owed are set aside, so an order at this strike is due fewer.
    let (before, after) = (fund.nav("2023-01-05"), with);
    let asset = fund.asset;
    assert!(after.current.basket_amount[&asset] < before.current.basket_amount[&asset]);
    fund.state().reserve().check().unwrap();
}

#[test]
fn holders_are_paid_to_the_cent_and_the_register_is_the_total() {
    let fund = paid();
    let q = known(&fund, "q");
    let text = |amount: Option<Quantity>| amount.unwrap().to_string();
    assert_eq!((q.stage, q.register.holders), (Stage::Paid, 3));
    assert_eq!(text(q.total), "8000.00000000");
    assert_eq!(text(q.register.amount), "8000.00", "2,000.00 and 5,999.98 and 0.02");
    assert_eq!(text(q.paid), "7999.98000000");
    assert_eq!(q.unclaimed["c"].to_string(), "0.02");
    assert_eq!(fund.owed(Account::DistributionPayable), money("0.02"));
    assert!(fund.state().ledger().balances().unwrap());
}

#[test]
fn what_nobody_claimed_waits_and_is_paid_once() {
    let mut fund = paid();
    let cash = fund.state().ledger().money(Account::Cash);
    fund.done(claim("q", "c"));
    assert_eq!(cash.try_sub(fund.state().ledger().money(Account::Cash)).unwrap(), money("0.02"));
    assert_eq!(fund.owed(Account::DistributionPayable), Money::ZERO);
    assert_eq!(fund.give(claim("q", "c")).unwrap_err().code(), "claim.must_have_something_unclaimed");
    assert_eq!(fund.give(pay("q")), Ok(Outcome::AlreadyDone));
}

#[test]
fn a_part_given_again_is_a_repeat_and_another_in_its_place_is_refused() {
    let mut fund = ex();
    let first = register("q", 1, false, vec![holder("a", 100_000), holder("b", 299_999)]);
    fund.done(first.clone());
    assert_eq!(fund.give(first), Ok(Outcome::AlreadyDone));
    let other = register("q", 1, false, vec![holder("a", 100_001), holder("b", 299_998)]);
    assert_eq!(fund.give(other).unwrap_err().code(), "register.must_not_change");
    fund.done(register("q", 2, true, vec![holder("c", 1)]));
    let third = register("q", 3, true, vec![holder("d", 1)]);
    assert_eq!(fund.give(third).unwrap_err().code(), "register.parts_must_follow_each_other");
}

#[test]
fn a_wrong_amount_is_corrected_before_ex_after_ex_and_after_payment() {
    let mut fund = declared();
    fund.done(correct("q", "0.0205"));
    fund.strike("2023-01-06", "1000.03");
    assert_eq!(fund.nav("2023-01-06").inputs.distributions, money("8200"));
    // After ex the published NAV stays, and what is known today differs by exactly the difference.
    fund.done(correct("q", "0.02"));
    let nav = fund.nav("2023-01-06");
    let more = nav.current.valuation.fee_basis.try_sub(nav.published.valuation.fee_basis).unwrap();
    assert_eq!(more, money("200"));
    assert_eq!(fund.owed(Account::DistributionPayable), money("8000"));
    // After payment holders are owed the rest, by a register read again.
    let mut fund = paid();
    assert_eq!(fund.give(correct("q", "0.01")).unwrap_err().code(), "distribution.paid_must_not_be_lowered");
    fund.done(correct("q", "0.0201"));
    assert_eq!(known(&fund, "q").stage, Stage::Ex);
    assert_eq!(fund.owed(Account::DistributionPayable), money("40.02"));
    fund.done(register("q", 1, true, vec![holder("a", 100_000), holder("b", 300_000)]));
    assert_eq!(known(&fund, "q").register.amount.unwrap().to_string(), "40.00");
    let cash = fund.state().ledger().money(Account::Cash);
    let sell = sell(&fund, "0.04", "1000");
    fund.done(sell);
    fund.done(pay("q"));
    assert_eq!(fund.owed(Account::DistributionPayable), money("0.02"), "what c has not claimed");
    assert_eq!(fund.state().ledger().money(Account::Cash), cash);
}

#[test]
fn in_kind_coins_leave_the_net_assets_at_the_strikes_value() {
    let text = with(STAKING, "paid = \"cash\"", "paid = \"in-kind\"");
    let mut fund = Scenario::open(&text, "1000");
    fund.strike("2023-01-04", "1000.01");
    let reward = reward(&fund, "2023-01-04", "10");
    fund.done(reward);
    let asset = fund.asset;
    let terms =
        NewDistribution { asset: Some(asset), ..declaration("q", "0.00002", "2023-01-06", "2023-01-10") };
    fund.at("2023-01-05T12:00:00").done(distribution(DistributionCommand::Declare(terms)));
    fund.strike("2023-01-05", "1000.02");
    let held = |fund: &Scenario| fund.state().reserve().positions().unwrap()[0].held;
    let before = held(&fund);
    fund.strike("2023-01-06", "1000.03");
    assert_eq!(before.try_sub(held(&fund)).unwrap(), fund.coins("8"));
    fund.done(register("q", 1, true, vec![holder("a", 399_999), holder("b", 1)]));
    fund.move_to_trading(fund.coins("8"));
    fund.at("2023-01-10T12:00:00").strike("2023-01-09", "1000.04");
    fund.done(pay("q"));
    assert_eq!(known(&fund, "q").paid.unwrap(), fund.coins("8"), "in kind nothing is rounded away");
    assert_eq!(fund.state().ledger().coins(asset, Account::DistributionPayable).unwrap(), fund.coins("0"));
    assert!(fund.state().ledger().balances().unwrap());
    let (from, through) = (date("2023-01-03"), date("2023-01-31"));
    assert!(statement::roll_forward_of(fund.state(), asset, from, through).unwrap().foots().unwrap());
}

#[test]
fn published_dates_are_taken_and_no_others() {
    // 21Shares TSOL and Bitwise SOLZ of 2026: declared, ex and record, paid. 16 February is a holiday.
    for (declared, record, paid, amount) in [
        ("2026-02-12", "2026-02-13", "2026-02-17", "0.316871"),
        ("2026-01-20", "2026-01-21", "2026-01-22", "0.0296"),
    ] {
        let text = STAKING.replace("2023-01-03", "2026-01-02");
        let mut fund = Scenario::open(&text, "1000");
        fund.strike_through(&previous(declared), "1000");
        fund.at(&format!("{declared}T12:00:00"));
        let reward = reward(&fund, &previous(declared), "1000");
        fund.done(reward);
        for wrong in [
            declare("q", amount, declared, paid),
            declare("q", amount, record, record),
            declare("q", amount, "2026-02-16", "2026-02-17"),
            declare("q", amount, "2026-02-14", "2026-02-17"),
        ] {
            assert_eq!(fund.give(wrong).unwrap_err().code(), "distribution.dates_must_follow_each_other");
        }
        fund.done(declare("q", amount, record, paid));
        fund.strike_through(record, "1000");
        let payable = fund.nav(record).inputs.distributions.to_decimal();
        let exact: strongroom_units::Decimal = amount.parse().unwrap();
        assert_eq!(payable.units_at(8).unwrap(), exact.units_at(8).unwrap() * 400_000);
    }
}

fn previous(day: &str) -> String {
    strongroom_units::time::Calendar::Nyse.previous_session(date(day)).unwrap().to_string()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However shares are spread, parts and fractions are the total, and what leaves the books is what was owed.
    #[test]
    fn totals_tie_to_the_register_to_the_base_unit(
        cuts in prop::collection::btree_set(1..400_000i64, 1..40),
        micros in 1..20_000i64,
        unreachable in any::<u64>(),
    ) {
        let mut fund = rewarded();
        let amount = format!("0.{micros:06}");
        fund.at("2023-01-05T12:00:00").done(declare("q", &amount, "2023-01-06", "2023-01-10"));
        fund.strike("2023-01-05", "1000.02");
        fund.strike("2023-01-06", "1000.03");
        let bounds: Vec<i64> = std::iter::once(0).chain(cuts).chain([400_000]).collect();
        let holders: Vec<Holder> = bounds
            .windows(2)
            .enumerate()
            .map(|(index, pair)| Holder {
                is_unreachable: unreachable >> (index % 64) & 1 == 1,
                ..holder(&format!("h{index:03}"), pair[1] - pair[0])
            })
            .collect();
        let expected: i128 = holders.iter().map(|line| i128::from(line.shares.count()) * i128::from(micros) / 10_000).sum();
        for (index, part) in holders.chunks(7).enumerate() {
            let is_last = (index + 1) * 7 >= holders.len();
            fund.done(register("q", u32::try_from(index).unwrap() + 1, is_last, part.to_vec()));
        }
        let q = known(&fund, "q").clone();
        prop_assert_eq!(q.register.amount.unwrap().units(), expected, "cents");
        fund.move_to_trading(fund.coins("9"));
        let sell = sell(&fund, "8.2", "1000");
        fund.done(sell);
        fund.at("2023-01-10T12:00:00").done(pay("q"));
        let q = known(&fund, "q").clone();
        let waiting: i128 = q.unclaimed.values().map(|cents| cents.units()).sum();
        let total = q.total.unwrap().units();
        let left = fund.state().ledger().money(Account::Distributions).units();
        prop_assert_eq!(q.paid.unwrap().units() + waiting * 1_000_000, expected * 1_000_000);
        prop_assert_eq!(left, expected * 1_000_000, "fractions went back to the fund");
        prop_assert!((0..400_000_000_000).contains(&(total - left)));
        for holder in q.unclaimed.keys() {
            fund.done(claim("q", holder));
        }
        prop_assert_eq!(fund.owed(Account::DistributionPayable), Money::ZERO);
        prop_assert!(fund.state().ledger().balances().unwrap());
    }
}
