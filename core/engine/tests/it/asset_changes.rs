//! What happens to an asset without a trade: nothing is lost but what was lost, and nothing is promised that is not there.

use crate::baskets::{LARGE_CAP, Of, agrees, of, open_as, settle_all};
use crate::scenario::*;
use proptest::prelude::*;
use strongroom_engine::{
    Account, AssetChange, Change, Command, Fund, FundState, Rebalance, composition, decode, encode, statement,
};
use strongroom_fund::definition::CustodyKind;
use strongroom_fund::rollforward::MovementKind;
use strongroom_units::time::Calendar;
use strongroom_units::{Money, Price, Rounding};

const WEIGHTS: [(&str, &str); 4] = [("BTC", "0.5"), ("ETH", "0.3"), ("XRP", "0.15"), ("EOS", "0.05")];
const PRICES: [(&str, &str); 4] = [("BTC", "7000"), ("ETH", "130.05"), ("XRP", "0.1923"), ("EOS", "2.58")];

fn basket() -> Scenario {
    let mut fund = open_as(LARGE_CAP, of(&WEIGHTS), of(&PRICES));
    fund.at("2020-01-03T11:00:00");
    fund
}

fn change(day: &str, asset: &str, change: Change) -> Command {
    let asset = asset.parse().unwrap();
    Command::ChangeAsset(AssetChange { date: date(day), asset, change, reason: "announced".into() })
}

fn into(symbol: &str, units: &str) -> Change {
    Change::Migration { into: symbol.parse().unwrap(), units: units.parse().unwrap() }
}

fn gift(sold: bool) -> Change {
    Change::Gift { what: "XEC".into(), value: price("0.5"), sold }
}

/// The rows of the refusal table about assets.
pub fn rows() -> Vec<(&'static str, Scenario, Command)> {
    let day = "2020-01-03";
    let dealt = || {
        let mut fund = open_as(LARGE_CAP, of(&WEIGHTS), of(&PRICES));
        fund.at("2020-01-02T17:00:00").submit("a", CREATION, CASH, 10_000, "2020-01-03");
        fund.strike_at(day, &of(&PRICES));
        fund.now = fund.now.max(new_york("2020-01-06T11:00:00"));
        fund
    };
    let only_bitcoin = || {
        let mut fund = open_as(LARGE_CAP, of(&[("BTC", "1")]), of(&[("BTC", "7000")]));
        fund.at("2020-01-03T11:00:00");
        fund
    };
    let one_asset = || {
        let mut fund = Scenario::bitcoin();
        fund.at("2024-01-08T11:00:00");
        fund
    };
    vec![
        ("asset_change.must_be_of_a_basket", one_asset(), change("2024-01-08", "BTC", Change::WriteOff)),
        ("asset_change.must_follow_settlements", dealt(), change(day, "EOS", Change::WriteOff)),
        ("asset_change.must_be_of_what_is_held", basket(), change(day, "DOGE", Change::WriteOff)),
        ("asset_change.must_be_of_what_is_held", basket(), change(day, "SHIB", gift(true))),
        ("migration.must_be_into_another", basket(), change(day, "EOS", into("EOS", "1"))),
        ("migration.must_be_into_another", basket(), change(day, "EOS", into("DOGE", "0"))),
        ("asset.must_be_in_definition", basket(), change(day, "EOS", into("SHIB", "1"))),
        ("write_off.must_leave_something", only_bitcoin(), change(day, "BTC", Change::WriteOff)),
        ("date.must_not_be_in_the_future", basket(), change("2020-01-06", "EOS", Change::WriteOff)),
        ("date.must_not_precede_the_fund", basket(), change("2019-12-31", "EOS", Change::WriteOff)),
        ("price.must_be_given_for_each_asset", basket(), {
            let Change::Gift { what, sold, .. } = gift(true) else { unreachable!() };
            change(day, "EOS", Change::Gift { what, value: Price::ZERO, sold })
        }),
    ]
}

#[test]
fn a_migrated_coin_keeps_its_cost_and_its_days_and_becomes_the_next_basket() {
    let mut fund = basket();
    let (eos, doge) = ("EOS".parse().unwrap(), "DOGE".parse().unwrap());
    let before = fund.state().lots(eos).unwrap().clone();
    let sent = strongroom_units::Quantity::from_units(
        before.quantity().unwrap().units() / 3,
        before.quantity().unwrap().scale(),
    );
    fund.transfer([(eos, sent)].into(), (CustodyKind::Vault, CustodyKind::Trading));
    fund.done(change("2020-01-02", "EOS", into("DOGE", "12.345")));
    let after = fund.state().lots(doge).unwrap();
    assert_eq!(after.cost().unwrap(), before.cost().unwrap());
    assert_eq!(after.lots()[0].acquired, date("2020-01-02"));
    assert!(fund.state().lots(eos).unwrap().lots().iter().all(|lot| lot.quantity.is_zero()));
    // Four decimals become eight: each balance is exact to a base unit of the new coin.
    for account in [Account::Vault, Account::Trading] {
        let coins = fund.state().ledger().coins(doge, account).unwrap().units();
        let old = match account {
            Account::Trading => sent.units(),
            _ => before.quantity().unwrap().units() - sent.units(),
        };
        assert_eq!(coins, old * 12_345 * 10, "{account:?}");
    }
    let file = composition(fund.state()).unwrap();
    let named = |name: &str| file.components().iter().any(|component| component.symbol.as_str() == name);
    assert!(named("DOGE") && !named("EOS"));
    let again = fund.give(change("2020-01-02", "EOS", into("DOGE", "12.345")));
    assert_eq!(again, Ok(strongroom_engine::Outcome::AlreadyDone));
    let late = late(order("late", CREATION, CASH, 10_000, "2020-01-02"));
    assert_eq!(fund.give(late).unwrap_err().code(), "order.late_must_not_precede_a_rebalance");
    agrees(fund.state());
    fund.strike_at(
        "2020-01-03",
        &of(&[("BTC", "7000"), ("ETH", "130.05"), ("XRP", "0.1923"), ("DOGE", "0.21")]),
    );
    agrees(fund.state());
}

#[test]
fn a_write_off_loses_what_the_coins_had_cost() {
    let mut fund = basket();
    let eos = "EOS".parse().unwrap();
    let cost = fund.state().lots(eos).unwrap().cost().unwrap();
    fund.done(change("2020-01-03", "EOS", Change::WriteOff));
    agrees(fund.state());
    let prices: Of<Price> = of(&PRICES[..3]);
    fund.strike_at("2020-01-03", &prices);
    let rolled =
        statement::roll_forward_of(fund.state(), eos, date("2020-01-02"), date("2020-01-03")).unwrap();
    let line = rolled.lines.iter().find(|line| line.kind == MovementKind::WrittenOff).unwrap();
    assert_eq!((line.value, line.realised_gain), (Money::ZERO, cost.try_neg().unwrap()));
    let [seed, after] = fund.state().navs() else { panic!("two strikes") };
    let lost = seed.current.valuation.net_assets.try_sub(after.current.valuation.net_assets).unwrap();
    // One day's fee besides.
    assert!((lost.try_sub(cost).unwrap().units()) <= 250 * 10i128.pow(8), "{lost} lost, {cost} of it EOS");
}

#[test]
fn a_gift_is_left_or_sold_at_its_worth_and_reinvested() {
    for (sold, cents) in [(false, 0), (true, 1)] {
        let mut fund = basket();
        let held = fund.held()[&"EOS".parse().unwrap()];
        fund.done(change("2020-01-02", "EOS", gift(sold)));
        let worth = price("0.5").value(held, Rounding::Floor).unwrap().to_cents(Rounding::Floor).unwrap();
        let cash = fund.state().ledger().money(Account::Cash);
        assert!((cash.units() - cents * worth.units()).abs() <= 10 * 1_000_000, "{cash} of {worth}");
        agrees(fund.state());
        let prices: Of<Price> = of(&PRICES);
        fund.strike_at("2020-01-03", &prices);
        let (date, targets) = (date("2020-01-03"), of(&WEIGHTS));
        let (cost, reason) = ("0".parse().unwrap(), "reinvested".into());
        let given = Rebalance { date, targets, prices, cost, reason };
        let trades = fund.state().trades_to(&given).unwrap();
        fund.transfer(trades.sold, (CustodyKind::Vault, CustodyKind::Trading));
        fund.done(Command::Rebalance(given));
        assert!(fund.state().ledger().money(Account::Cash).units() <= 20 * 1_000_000);
        agrees(fund.state());
    }
}

#[derive(Debug, Clone)]
enum Happening {
    Migration(usize, usize, u64),
    WriteOff(usize),
    Gift(usize, u32, bool),
    Nothing,
}

const COINS: [&str; 6] = ["BTC", "ETH", "XRP", "EOS", "DOGE", "ADA"];

fn happening() -> impl Strategy<Value = Happening> {
    let ratio = 1..5_000_000_000_000_000_000_000u128;
    prop_oneof![
        3 => (0..6usize, 0..6usize, ratio).prop_map(|(a, b, units)| Happening::Migration(a, b, (units / 1_000) as u64)),
        1 => (1..6usize).prop_map(Happening::WriteOff),
        2 => (0..6usize, 1..1_000_000u32, any::<bool>()).prop_map(|(a, value, sold)| Happening::Gift(a, value, sold)),
        3 => Just(Happening::Nothing),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn whatever_happens_the_books_balance_the_reserve_covers_and_the_log_replays(
        lives in prop::collection::vec((happening(), -2..4i64, prop::array::uniform6(-1_500..2_000i32)), 1..10),
    ) {
        let mut prices: Of<Price> = of(&PRICES);
        prices.extend(of(&[("DOGE", "0.002"), ("ADA", "0.04")]));
        let mut fund = open_as(LARGE_CAP, of(&WEIGHTS), of(&PRICES));
        let mut session = date("2020-01-02");
        for (happening, baskets, moves) in lives {
            session = Calendar::Nyse.next_session(session).unwrap();
            let on = session.to_string();
            settle_all(&mut fund, session);
            fund.at(&format!("{on}T11:00:00"));
            let command = match happening {
                Happening::Migration(a, b, units) => {
                    let units = strongroom_units::Rate::from_units(i128::from(units) * 1_000);
                    Some(change(&on, COINS[a], Change::Migration { into: COINS[b].parse().unwrap(), units }))
                }
                Happening::WriteOff(a) => Some(change(&on, COINS[a], Change::WriteOff)),
                Happening::Gift(a, value, sold) => {
                    let value = Price::from_units(i128::from(value) * 10i128.pow(12));
                    Some(change(&on, COINS[a], Change::Gift { what: "gift".into(), value, sold }))
                }
                Happening::Nothing => None,
            };
            let before = fund.state().to_snapshot().unwrap();
            if let Some(command) = command
                && fund.give(command).is_err()
            {
                prop_assert_eq!(fund.state().to_snapshot().unwrap(), before);
            }
            agrees(fund.state());
            for (price, bps) in prices.values_mut().zip(moves) {
                let moved = price.try_mul_div(10_000 + i128::from(bps), 10_000, Rounding::Ceiling).unwrap();
                *price = moved.round_to(8, Rounding::Ceiling).unwrap();
            }
            if baskets != 0 {
                let side = if baskets < 0 { REDEMPTION } else { CREATION };
                let _ = fund.give(Command::SubmitOrder(order(&on, side, CASH, baskets.abs() * 10_000, &on)));
            }
            let needed = fund.state().assets_to_price().unwrap();
            fund.now = fund.now.max(seconds_after(strike_of(session), 60));
            for asset in needed {
                let rows = vec![strongroom_engine::PriceRow { date: session, price: prices[&asset] }];
                fund.done(Command::ImportPrices { asset, source: "test".into(), rows });
            }
            fund.done(accepting(&on));
            agrees(fund.state());
            let dealt: Vec<_> = fund.state().orders().map(|order| order.id.clone()).collect();
            for id in dealt {
                fund.done(Command::ExecuteOrder { id, prices: prices.clone() });
            }
            agrees(fund.state());
        }
        let rolled = statement::statement(fund.state(), date("2020-01-02"), session).unwrap();
        prop_assert!(rolled.roll_forwards.iter().all(|asset| asset.foots));
        let mut replayed = Fund::default();
        for (seq, (event, at)) in (1..).zip(fund.events()) {
            replayed.replay(decode(&encode(&event).unwrap().1).unwrap(), at, seq).unwrap();
        }
        prop_assert_eq!(replayed.state(), fund.fund.state());
        let snapshot = fund.state().to_snapshot().unwrap();
        prop_assert_eq!(&FundState::from_snapshot(&snapshot).unwrap(), fund.state());
    }
}
