//! Staking, splits, halts and the end of a fund; and a row for every rule of them.

use crate::distributions::*;
use crate::refusals;
use crate::scenario::*;
use strongroom_engine::{
    Account, Change, Command, DistributionCommand, DistributionSource, End, Fund, HaltCause, HaltScope,
    Holder, LifeCommand, NewDistribution, Outcome, StakingCommand, decode, encode, statement,
};
use strongroom_fund::definition::CustodyKind;
use strongroom_fund::rollforward::MovementKind;
use strongroom_units::{Money, Price};

type Row = (&'static str, Scenario, Command);

fn life(command: LifeCommand) -> Command {
    Command::Life(command)
}

fn split(day: &str, new: u32, old: u32) -> Command {
    let (date, holders, reason) = (date(day), Vec::new(), "price of a share".into());
    life(LifeCommand::Split { date, new, old, holders, reason })
}

fn custodian(name: &str, from: &str) -> Command {
    let (account, custodian, from) = (CustodyKind::Vault, name.into(), date(from));
    life(LifeCommand::ChangeCustodian { account, custodian, from, reason: "tender".into() })
}

fn benchmark(name: &str, from: &str) -> Command {
    let (id, name, from) = (name.to_owned(), format!("{name} rate"), date(from));
    life(LifeCommand::ChangeBenchmark { id, name, from, reason: "license ended".into() })
}

fn halt_of(cause: HaltCause, began: &str) -> Command {
    life(LifeCommand::RecordTradingHalt { cause, began: new_york(began) })
}

fn stake(fund: &Scenario, quantity: &str) -> Command {
    Command::Staking(StakingCommand::Stake { quantity: fund.coins(quantity) })
}

fn unstake(fund: &Scenario, quantity: &str) -> Command {
    Command::Staking(StakingCommand::Unstake { quantity: fund.coins(quantity) })
}

fn slash(fund: &Scenario, name: &str, lost: &str, indemnified: &str) -> Command {
    let (lost, indemnified) = (fund.coins(lost), fund.coins(indemnified));
    let (id, date, reason) = (id(name), date("2023-01-04"), "double signature".into());
    Command::Staking(StakingCommand::RecordSlashing { id, date, lost, indemnified, reason })
}

fn release() -> Command {
    Command::Staking(StakingCommand::Release)
}

/// 8,000 of 10,000 ether are staked.
fn staked() -> Scenario {
    let mut fund = staking_fund();
    fund.strike("2023-01-04", "1000.01");
    let stake = stake(&fund, "8000");
    fund.done(stake);
    fund
}

fn refusing() -> Scenario {
    let mut fund = Scenario::open(&with(STAKING, "\"delay\"", "\"refuse\""), "1000");
    fund.strike("2023-01-04", "1000.01");
    let stake = stake(&fund, "8000");
    fund.done(stake);
    fund
}

fn capped() -> Scenario {
    let text = with(STAKING, "cost_method", "shares_most = 420_000\ncost_method");
    let mut fund = Scenario::open(&text, "1000");
    fund.strike("2023-01-04", "1000.01");
    fund
}

fn held(fund: &Scenario) -> strongroom_units::Quantity {
    fund.state().reserve().positions().unwrap()[0].held
}

#[test]
fn coins_that_are_staked_slashed_and_coming_back_stay_the_funds() {
    let mut fund = staked();
    assert_eq!(held(&fund), fund.coins("10000"));
    let asset = fund.asset;
    let nav = |fund: &Scenario, day| fund.nav(day).current.valuation.holdings;
    fund.strike("2023-01-05", "1000.01");
    assert_eq!(nav(&fund, "2023-01-04"), nav(&fund, "2023-01-05"));
    let slash = slash(&fund, "s", "10", "4");
    fund.done(slash.clone());
    assert_eq!(fund.give(slash), Ok(Outcome::AlreadyDone));
    assert_eq!(held(&fund), fund.coins("9994"), "what the provider made good is not lost");
    fund.strike("2023-01-06", "1000.02");
    let rolled =
        statement::roll_forward_of(fund.state(), asset, date("2023-01-03"), date("2023-01-06")).unwrap();
    let lost = rolled.lines.iter().find(|line| line.kind == MovementKind::Slashed).unwrap();
    assert_eq!((lost.quantity, lost.realised_gain), (fund.coins("-6"), money("-6000")));
    assert!(rolled.foots().unwrap());
    let unstake = unstake(&fund, "1000");
    fund.done(unstake);
    assert_eq!(fund.give(release()).unwrap_err().code(), "staking.release_must_have_something_ready");
    fund.at("2023-01-15T12:00:00").done(release());
    assert_eq!(fund.state().ledger().coins(asset, Account::Unbonding).unwrap(), fund.coins("0"));
    assert_eq!(held(&fund), fund.coins("9994"));
}

#[test]
fn a_redemption_beyond_what_is_liquid_settles_when_unstaked_coins_are_free_or_is_refused() {
    // 2,000 of 10,000 ether are liquid: 80,000 of 400,000 shares.
    let mut fund = staked();
    fund.at("2023-01-04T17:00:00").submit("small", REDEMPTION, CASH, 70_000, "2023-01-05");
    fund.submit("large", REDEMPTION, CASH, 100_000, "2023-01-05");
    assert_eq!(fund.order("small").settlement_date, date("2023-01-06"));
    // Nine days after the strike is Saturday the 14th; Monday the 16th is a holiday.
    assert_eq!(fund.order("large").settlement_date, date("2023-01-17"));
    let due = fund.state().due_to_redemptions(fund.asset).unwrap();
    assert!(due.units() <= fund.state().liquid(fund.asset).unwrap().units());
    let mut fund = refusing();
    fund.at("2023-01-04T17:00:00").submit("small", REDEMPTION, CASH, 60_000, "2023-01-05");
    let refused = fund.give(refusals::submit("large", REDEMPTION, 20_000, "2023-01-05")).unwrap_err();
    assert_eq!(refused.code(), "order.redemption_must_be_covered_by_liquid_coins");
    // Nothing due to the earlier redemption can be staked meanwhile.
    let more = stake(&fund, "1000");
    assert_eq!(fund.give(more).unwrap_err().code(), "staking.must_leave_the_sleeve");
    fund.submit("fits", REDEMPTION, CASH, 10_000, "2023-01-05");
}

#[test]
fn the_target_is_met_as_far_as_the_sleeve_and_redemptions_leave_coins() {
    let fund = staking_fund();
    let (_, more) = fund.state().coins_to_stake().unwrap().unwrap();
    assert_eq!(more, fund.coins("8000"));
    let mut fund = staked();
    fund.at("2023-01-04T17:00:00").submit("r", REDEMPTION, CASH, 100_000, "2023-01-05");
    let (_, less) = fund.state().coins_to_stake().unwrap().unwrap();
    // A quarter of the coins is due when they are free: 80 % of the rest stay staked.
    let due = fund.state().due_to_delayed_redemptions(fund.asset).unwrap();
    assert!(due.units() > fund.coins("2490").units() && due.units() < fund.coins("2501").units(), "{due}");
    assert!(
        less.units() < fund.coins("-1990").units() && less.units() > fund.coins("-2001").units(),
        "{less}"
    );
    let unstake = Command::Staking(StakingCommand::Unstake { quantity: less.try_neg().unwrap() });
    fund.done(unstake);
    assert!(fund.state().coins_to_stake().unwrap().unwrap().1.is_zero(), "enough is on its way");
    assert!(fund.state().safe_harbour(date("2023-01-05")).unwrap().iter().all(|rule| rule.holds));
}

#[test]
fn a_split_leaves_net_assets_and_divides_every_figure_of_a_share() {
    // The 4:1 split of HODL of 14 February 2025: figures of before are divided by 4, coins stay.
    let mut fund = Scenario::open(BITCOIN, "50000");
    fund.strike_through("2024-01-12", "50000");
    let before = fund.nav("2024-01-12").clone();
    fund.at("2024-01-16T09:00:00").done(split("2024-01-16", 4, 1));
    assert_eq!(fund.give(split("2024-01-16", 4, 1)), Ok(Outcome::AlreadyDone));
    assert_eq!(fund.state().issued().count(), 1_600_000);
    fund.state().reserve().check().unwrap();
    fund.strike("2024-01-16", "50000.05");
    let after = fund.nav("2024-01-16").clone();
    let per_coin = |nav: &strongroom_engine::NavRecord| nav.inputs.assets[&fund.asset].owned;
    assert_eq!(per_coin(&before), per_coin(&after));
    let adjusted = fund.state().split_adjusted(before.current.nav_per_share, before.date).unwrap();
    let quarter = before.current.nav_per_share.try_mul_div(1, 4, strongroom_units::Rounding::HalfEven);
    assert_eq!(adjusted, quarter.unwrap());
    assert_eq!(
        fund.state().split_adjusted(after.current.nav_per_share, after.date),
        Ok(after.current.nav_per_share)
    );
    let apart = after.current.nav_per_share.try_sub(adjusted).unwrap().to_decimal().to_f64().abs();
    assert!(apart < 0.001, "{apart}");
    assert_eq!(before.published, fund.nav("2024-01-12").published, "history stays as it was published");
}

#[test]
fn a_reverse_split_pays_fractions_in_cash_holder_by_holder() {
    let text = with(STAKING, "nav_per_share = \"25.00\"", "nav_per_share = \"25.03\"");
    let mut fund = Scenario::open(&text, "1000000000");
    // So dear a coin leaves cash behind at the seed.
    assert!(fund.state().ledger().money(Account::Cash) >= Money::ZERO);
    fund = rewarded();
    fund.move_to_trading(fund.coins("8.2"));
    let sell = sell(&fund, "8.2", "1000");
    fund.done(sell);
    fund.at("2023-01-05T09:00:00");
    let holders: Vec<Holder> =
        [("a", 399_995), ("b", 3), ("c", 2)].map(|(name, shares)| holder(name, shares)).into();
    let (date_, reason) = (date("2023-01-05"), "too cheap".to_owned());
    let command = LifeCommand::Split { date: date_, new: 1, old: 10, holders, reason };
    let nav = fund.nav("2023-01-04").current.nav_per_share;
    fund.done(life(command));
    // 39,999 and a half, 0.3 and 0.2 of a share: one share of ten old ones in all, in cents a holder.
    assert_eq!(fund.state().issued().count(), 39_999);
    let cents = |shares: i128| {
        nav.times(shares, strongroom_units::Rounding::Floor)
            .unwrap()
            .to_cents(strongroom_units::Rounding::Floor)
            .unwrap()
    };
    let owed = [5, 3, 2].iter().fold(Money::ZERO, |sum, shares| sum.try_add(cents(*shares)).unwrap());
    assert_eq!(fund.owed(Account::DistributionPayable), owed);
    fund.strike("2023-01-05", "1000.02");
    fund.done(pay("in-lieu-2023-01-05"));
    assert_eq!(fund.owed(Account::DistributionPayable), Money::ZERO);
    assert!(fund.state().ledger().balances().unwrap());
}

#[test]
fn a_market_wide_halt_suspends_orders_and_dealing_and_ends_by_itself() {
    let mut fund = refusals::struck();
    fund.at("2024-01-16T10:00:00").done(halt_of(HaltCause::MarketLevel1, "2024-01-16T09:58:00"));
    let order = || refusals::submit("a", CREATION, 40_000, "2024-01-17");
    assert_eq!(fund.give(order()).unwrap_err().code(), "order.must_wait_for_the_halt_to_end");
    fund.at("2024-01-16T10:13:00").done(order());
    // Level 3 at 14:00 lasts until 9:30 of the next session: NAV is struck, and nothing deals at it.
    fund.submit("b", CREATION, IN_KIND, 40_000, "2024-01-16");
    fund.at("2024-01-16T14:01:00").done(halt_of(HaltCause::MarketLevel3, "2024-01-16T14:00:00"));
    fund.strike("2024-01-16", "48000");
    let moved = fund.order("b");
    assert_eq!((moved.trade_date, moved.settlement_date), (date("2024-01-17"), date("2024-01-18")));
    assert_eq!(moved.state_name(), "accepted");
    let later = Command::SubmitOrder(strongroom_engine::NewOrder {
        id: id("c"),
        ..crate::scenario::order("c", CREATION, IN_KIND, 40_000, "2024-01-17")
    });
    assert_eq!(fund.give(later.clone()).unwrap_err().code(), "order.must_wait_for_the_halt_to_end");
    fund.at("2024-01-17T09:30:00").done(later);
    fund.strike("2024-01-17", "48010");
    assert_eq!(fund.order("b").state_name(), "struck");
    let reasons: Vec<_> = fund.state().suspensions().iter().map(|one| one.reason.as_str()).collect();
    assert_eq!(reasons, ["market-wide, level 1", "market-wide, level 3"]);
}

#[test]
fn custodian_and_benchmark_change_from_a_day_on_and_the_past_keeps_its_own() {
    let mut fund = refusals::struck();
    fund.done(custodian("Other Custodian", "2024-01-16"));
    fund.done(benchmark("BRR", "2024-01-16"));
    let state = fund.state();
    let of = |day: &str| state.custodian(CustodyKind::Vault, date(day)).unwrap().to_owned();
    assert_eq!(of("2024-01-16"), "Other Custodian");
    assert_ne!(of("2024-01-12"), "Other Custodian");
    assert_eq!(state.benchmark(date("2024-01-16")).unwrap().id, "BRR");
    assert_ne!(state.benchmark(date("2024-01-12")).unwrap().id, "BRR");
    let said = statement::statement(state, date("2024-01-01"), date("2024-01-31")).unwrap();
    assert!(said.life.iter().any(|row| row.what.contains("Other Custodian")), "{:?}", said.life);
}

#[test]
fn a_fork_is_abandoned_or_sold_for_holders_by_policy() {
    let gift = |sold| {
        let (what, value) = ("ETHW".to_owned(), price("5"));
        let change = Change::Gift { what, value, sold };
        let (date, asset, reason) = (date("2023-01-04"), "ETH".parse().unwrap(), "the fork".into());
        Command::ChangeAsset(strongroom_engine::AssetChange { date, asset, change, reason })
    };
    let mut fund = staked();
    let nav = held(&fund);
    fund.done(gift(false));
    assert_eq!((held(&fund), fund.state().ledger().money(Account::Cash)), (nav, Money::ZERO));
    let text = with(STAKING, "forks_and_airdrops = \"abandon\"", "forks_and_airdrops = \"distribute\"");
    let mut fund = Scenario::open(&text, "1000");
    fund.strike("2023-01-04", "1000.01");
    fund.done(gift(true));
    assert_eq!(fund.state().ledger().money(Account::Cash), money("50000"));
    let mut terms = declaration("fork", "0.125", "2023-01-06", "2023-01-10");
    terms.source = DistributionSource::ForkOrAirdrop;
    fund.at("2023-01-05T12:00:00").done(distribution(DistributionCommand::Declare(terms)));
    fund.strike("2023-01-05", "1000.02");
    fund.strike("2023-01-06", "1000.03");
    fund.done(register("fork", 1, true, vec![holder("nominee", 400_000)]));
    fund.at("2023-01-10T12:00:00").done(pay("fork"));
    assert_eq!(fund.state().ledger().money(Account::Cash), Money::ZERO);
}

/// Closed, with everything in the trading balance.
fn closed() -> Scenario {
    let mut fund = refusals::struck();
    fund.done(life(LifeCommand::Close { reason: "too small".into() }));
    fund.move_to_trading(fund.coins("200"));
    fund
}

fn liquidate(fund: &Scenario) -> Command {
    let (prices, pay_date) = (fund.prices("49000"), date("2024-01-19"));
    life(LifeCommand::Liquidate { prices, pay_date })
}

#[test]
fn a_fund_that_is_wound_up_owes_everything_to_its_holders_and_nothing_is_left() {
    let mut fund = closed();
    let order = refusals::submit("a", CREATION, 40_000, "2024-01-16");
    assert_eq!(fund.give(order).unwrap_err().code(), "fund.must_not_be_closing");
    let liquidate = liquidate(&fund);
    fund.done(liquidate.clone());
    assert_eq!(fund.give(liquidate), Ok(Outcome::AlreadyDone));
    assert!(matches!(fund.state().end(), Some(End::Liquidated { .. })));
    assert_eq!((held(&fund), fund.state().issued().count()), (fund.coins("0"), 0));
    assert_eq!(fund.owed(Account::AccruedFee), Money::ZERO);
    assert_eq!(fund.give(strike_command("2024-01-16")).unwrap_err().code(), "fund.must_not_be_closing");
    fund.done(register("liquidation", 1, true, vec![holder("a", 1), holder("nominee", 399_999)]));
    fund.at("2024-01-19T10:00:00").done(pay("liquidation"));
    let left = fund.state().ledger().money(Account::Cash);
    // Less than a published unit of every share: six decimals on 400,000 shares, and a cent a holder.
    assert!(left < money("0.42"), "{left}");
    assert!(fund.state().ledger().balances().unwrap());
}

#[test]
fn every_event_of_a_life_is_read_back_and_replays_to_the_same_bytes() {
    let mut funds = vec![paid(), staked(), closed()];
    let mut last = closed();
    let liquidate = liquidate(&last);
    last.done(liquidate);
    funds.push(last);
    for fund in funds {
        let mut again = Fund::default();
        for (seq, (event, at)) in fund.events().into_iter().enumerate() {
            let (_, body) = encode(&event).unwrap();
            let read = decode(&body).unwrap();
            assert_eq!(read, event);
            again.replay(read, at, seq as u64 + 1).unwrap();
        }
        let bytes = fund.state().to_snapshot().unwrap();
        assert_eq!(again.state().unwrap().to_snapshot().unwrap(), bytes);
        let read = strongroom_engine::FundState::from_snapshot(&bytes).unwrap();
        assert_eq!(read.to_snapshot().unwrap(), bytes);
    }
}

fn other(name: &str) -> Command {
    distribution(DistributionCommand::Declare(NewDistribution {
        memo: "another".into(),
        ..declaration(name, "0.02", "2023-01-06", "2023-01-10")
    }))
}

fn sold_out() -> Scenario {
    let mut fund = funded();
    fund.move_to_trading(fund.coins("100"));
    fund
}

/// A row for every rule.
pub fn rows() -> Vec<Row> {
    let bitcoin = refusals::struck;
    let at = |mut fund: Scenario, text: &str| {
        fund.at(text);
        fund
    };
    let fifth = || at(rewarded(), "2023-01-05T12:00:00");
    let in_kind = distribution(DistributionCommand::Declare(NewDistribution {
        asset: Some("ETH".parse().unwrap()),
        ..declaration("q", "0.02", "2023-01-06", "2023-01-10")
    }));
    let in_kind_ex = || {
        let mut fund = Scenario::open(&with(STAKING, "paid = \"cash\"", "paid = \"in-kind\""), "1000");
        fund.strike("2023-01-04", "1000.01");
        let reward = reward(&fund, "2023-01-04", "10");
        fund.done(reward);
        let asset = Some(fund.asset);
        let terms = NewDistribution { asset, ..declaration("q", "0.00001", "2023-01-06", "2023-01-10") };
        fund.at("2023-01-05T12:00:00").done(distribution(DistributionCommand::Declare(terms)));
        fund.strike("2023-01-05", "1000.02");
        fund.strike("2023-01-06", "1000.03");
        fund
    };
    let many = (0..10_001).map(|index| holder(&format!("h{index:05}"), 1)).collect();
    let gift = |sold| {
        let change = Change::Gift { what: "X".into(), value: Price::from_units(1), sold };
        let (date, asset, reason) = (date("2023-01-04"), "ETH".parse().unwrap(), "fork".into());
        Command::ChangeAsset(strongroom_engine::AssetChange { date, asset, change, reason })
    };
    let order = |fund: &mut Scenario| fund.submit("o", CREATION, IN_KIND, 40_000, "2024-01-16");
    let mut ordered = bitcoin();
    order(&mut ordered);
    let ordered_when_closed = {
        let mut fund = bitcoin();
        order(&mut fund);
        fund.done(life(LifeCommand::Close { reason: "too small".into() }));
        fund
    };
    let split_done = {
        let mut fund = bitcoin();
        fund.at("2024-01-16T09:00:00").done(split("2024-01-16", 4, 1));
        fund.strike("2024-01-16", "50000.05");
        fund
    };
    let halted = {
        let mut fund = at(bitcoin(), "2024-01-16T10:00:00");
        fund.done(halt_of(HaltCause::MarketLevel2, "2024-01-16T10:00:00"));
        fund
    };
    let wrong_sum = vec![holder("a", 400_001)];
    vec![
        ("distribution.must_be_in_definition", bitcoin(), declare("q", "0.02", "2024-01-17", "2024-01-18")),
        ("distribution.id_must_be_unique", declared(), other("q")),
        ("distribution.must_be_declared", fifth(), pay("nothing")),
        (
            "distribution.amount_must_be_publishable",
            fifth(),
            declare("q", "0.0000001", "2023-01-06", "2023-01-10"),
        ),
        ("distribution.amount_must_be_publishable", fifth(), declare("q", "0", "2023-01-06", "2023-01-10")),
        ("distribution.must_be_paid_as_defined", fifth(), in_kind),
        (
            "distribution.dates_must_follow_each_other",
            fifth(),
            declare("q", "0.02", "2023-01-07", "2023-01-10"),
        ),
        ("distribution.must_be_covered", fifth(), declare("q", "0.021", "2023-01-06", "2023-01-10")),
        ("distribution.must_be_covered", declared(), declare("r", "0.001", "2023-01-09", "2023-01-10")),
        ("distribution.must_be_in_stage", at(declared(), "2023-01-10T12:00:00"), pay("q")),
        ("distribution.must_be_paid_on_its_date", funded(), pay("q")),
        ("distribution.must_have_its_register", at(ex(), "2023-01-10T12:00:00"), pay("q")),
        ("distribution.must_be_covered_by_cash", at(registered(), "2023-01-10T12:00:00"), pay("q")),
        ("distribution.paid_must_not_be_lowered", paid(), correct("q", "0.019999")),
        ("distribution.in_kind_must_be_corrected_before_record", in_kind_ex(), correct("q", "0.00002")),
        ("claim.must_have_something_unclaimed", paid(), claim("q", "a")),
        ("register.parts_must_follow_each_other", ex(), register("q", 2, false, vec![holder("a", 1)])),
        ("register.must_not_change", registered(), register("q", 1, false, vec![holder("a", 1)])),
        ("register.part_must_be_bounded", ex(), register("q", 1, false, vec![])),
        ("register.part_must_be_bounded", ex(), register("q", 1, false, many)),
        ("register.holders_must_ascend", ex(), register("q", 1, false, vec![holder("b", 1), holder("a", 1)])),
        ("register.holders_must_ascend", ex(), register("q", 1, false, vec![holder("a", 1), holder("a", 1)])),
        ("register.holder_must_hold_shares", ex(), register("q", 1, false, vec![holder("a", 0)])),
        ("register.holder_must_hold_shares", ex(), register("q", 1, false, vec![holder("a b", 1)])),
        ("register.must_sum_to_shares_outstanding", ex(), register("q", 1, false, wrong_sum)),
        ("register.must_sum_to_shares_outstanding", ex(), register("q", 1, true, vec![holder("a", 399_999)])),
        ("staking.must_be_in_definition", bitcoin(), stake(&bitcoin(), "1")),
        ("staking.must_move_something", staked(), unstake(&staked(), "0")),
        ("staking.must_leave_the_sleeve", staked(), stake(&staked(), "1000.000000000000000001")),
        ("staking.unstaking_must_be_of_what_is_staked", staked(), unstake(&staked(), "8000.1")),
        ("staking.release_must_have_something_ready", staked(), release()),
        ("staking.reward_must_follow_the_last", rewarded(), reward(&rewarded(), "2023-01-04", "1")),
        ("staking.slashing_must_be_of_what_is_staked", staked(), slash(&staked(), "s", "1", "2")),
        ("staking.sale_must_be_of_rewards", sold_out(), sell(&funded(), "0.3", "1000")),
        (
            "order.redemption_must_be_covered_by_liquid_coins",
            refusing(),
            refusals::submit("r", REDEMPTION, 90_000, "2023-01-05"),
        ),
        (
            "order.creation_must_stay_within_the_cap",
            capped(),
            refusals::submit("c", CREATION, 30_000, "2023-01-05"),
        ),
        (
            "split.must_change_the_number_of_shares",
            at(bitcoin(), "2024-01-16T09:00:00"),
            split("2024-01-16", 2, 2),
        ),
        ("split.must_be_on_its_session", bitcoin(), split("2024-01-15", 2, 1)),
        ("split.must_be_on_its_session", bitcoin(), split("2024-01-12", 2, 1)),
        ("split.must_find_no_open_orders", at(ordered, "2024-01-16T09:00:00"), split("2024-01-16", 2, 1)),
        ("split.must_leave_shares", at(bitcoin(), "2024-01-16T09:00:00"), split("2024-01-16", 1, 400_001)),
        (
            "split.fractions_must_be_covered_by_cash",
            at(bitcoin(), "2024-01-16T09:00:00"),
            split("2024-01-16", 1, 7),
        ),
        (
            "order.late_must_not_precede_a_life_event",
            split_done,
            late(crate::scenario::order("l", CREATION, CASH, 40_000, "2024-01-12")),
        ),
        ("life.change_must_follow_the_last", bitcoin(), custodian("Other", "2024-01-12")),
        (
            "halt.must_begin_in_trading_hours",
            at(bitcoin(), "2024-01-16T15:26:00"),
            halt_of(HaltCause::MarketLevel1, "2024-01-16T15:25:00"),
        ),
        (
            "halt.must_begin_in_trading_hours",
            at(bitcoin(), "2024-01-16T09:29:30"),
            halt_of(HaltCause::MarketLevel3, "2024-01-16T09:29:00"),
        ),
        (
            "halt.must_be_now",
            at(bitcoin(), "2024-01-16T11:00:00"),
            halt_of(HaltCause::MarketLevel1, "2024-01-16T10:45:00"),
        ),
        (
            "order.must_wait_for_the_halt_to_end",
            halted,
            refusals::submit("a", CREATION, 40_000, "2024-01-17"),
        ),
        ("fund.must_not_be_closing", closed(), refusals::submit("a", CREATION, 40_000, "2024-01-16")),
        ("fund.must_be_closing", bitcoin(), liquidate(&bitcoin())),
        ("liquidation.must_find_everything_settled", ordered_when_closed, liquidate(&bitcoin())),
        ("gift.must_follow_the_policy", staked(), gift(true)),
    ]
}

#[test]
fn a_halt_by_hand_is_remembered_with_its_end() {
    let mut fund = refusals::struck();
    fund.done(halt(HaltScope::Creations));
    fund.at("2024-01-16T12:00:00").done(Command::Resume { reason: "over".into() });
    let [one] = fund.state().suspensions() else { panic!("one suspension") };
    assert_eq!((one.scope, one.until), (HaltScope::Creations, Some(new_york("2024-01-16T12:00:00"))));
}
