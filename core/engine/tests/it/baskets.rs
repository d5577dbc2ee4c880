//! Funds of several coins: opened with weights, rebalanced net of cost, and everything that goes on around it.

use crate::scenario::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use strongroom_engine::{
    Account, Command, Event, Fund, FundState, Liability, OrderState, Outcome, PriceRow, Rebalance,
    composition, decode, encode, statement,
};
use strongroom_fund::definition::CustodyKind;
use strongroom_units::time::{Calendar, Date};
use strongroom_units::{Price, Quantity, Rate, Rounding, Symbol};

pub const LARGE_CAP: &str = include_str!("../../../../funds/large-cap.toml");
const COINS: [&str; 5] = ["BTC", "ETH", "XRP", "EOS", "DOGE"];

pub type Of<T> = BTreeMap<Symbol, T>;

pub fn of<T>(pairs: &[(&str, &str)]) -> Of<T>
where
    T: std::str::FromStr<Err: std::fmt::Debug>,
{
    pairs.iter().map(|(asset, text)| (asset.parse().unwrap(), text.parse().unwrap())).collect()
}

fn to(day: &str, weights: &[(&str, &str)], prices: &[(&str, &str)], cost: &str) -> Rebalance {
    Rebalance {
        date: date(day),
        targets: of(weights),
        prices: of(prices),
        cost: cost.parse().unwrap(),
        reason: "reconstitution of the index".into(),
    }
}

fn open(weights: Of<Rate>, seed_prices: Of<Price>) -> Scenario {
    open_as(LARGE_CAP, weights, seed_prices)
}

/// Opens a basket of a definition with the large caps' seed date.
pub fn open_as(definition: &str, weights: Of<Rate>, seed_prices: Of<Price>) -> Scenario {
    let mut fund = Scenario {
        fund: Fund::default(),
        now: strike_of(date("2020-01-02")),
        steps: Vec::new(),
        asset: "BTC".parse().unwrap(),
    };
    fund.done(Command::OpenFund { definition: definition.to_owned(), seed_prices, weights });
    fund
}

/// Seven parts bitcoin and three parts ether, ten million dollars.
fn basket() -> Scenario {
    open(of(&[("BTC", "0.7"), ("ETH", "0.3")]), of(&[("BTC", "7000"), ("ETH", "130")]))
}

impl Scenario {
    /// Records prices of a session and strikes it.
    pub fn strike_at(&mut self, day: &str, prices: &Of<Price>) {
        self.now = self.now.max(seconds_after(strike_of(date(day)), 60));
        for (asset, price) in prices {
            let rows = vec![PriceRow { date: date(day), price: *price }];
            self.done(Command::ImportPrices { asset: *asset, source: "test".into(), rows });
        }
        self.done(accepting(day));
    }

    /// Brings what is sold to the trading balance, rebalances, and stores what was bought.
    fn rebalance(&mut self, rebalance: &Rebalance) {
        let trades = self.state().trades_to(rebalance).unwrap();
        self.transfer(trades.sold, (CustodyKind::Vault, CustodyKind::Trading));
        self.done(Command::Rebalance(rebalance.clone()));
        self.transfer(trades.bought, (CustodyKind::Trading, CustodyKind::Vault));
    }

    pub fn transfer(&mut self, coins: Of<Quantity>, (from, to): (CustodyKind, CustodyKind)) {
        for (asset, quantity) in coins {
            self.done(Command::TransferCustody { asset, from, to, quantity });
        }
    }

    pub fn held(&self) -> Of<Quantity> {
        let positions = self.state().reserve().positions().unwrap();
        positions.iter().map(|position| (position.asset, position.held)).collect()
    }
}

/// A rebalance of the seed's basket into bitcoin and XRP, at the seed's own prices.
fn into_xrp() -> Rebalance {
    to(
        "2020-01-02",
        &[("BTC", "0.6"), ("XRP", "0.4")],
        &[("BTC", "7000"), ("ETH", "130"), ("XRP", "0.19")],
        "0.001",
    )
}

/// The rows of the refusal table about baskets.
pub fn rows() -> Vec<(&'static str, Scenario, Command)> {
    let given = |change: fn(&mut Rebalance)| {
        let mut rebalance = into_xrp();
        change(&mut rebalance);
        Command::Rebalance(rebalance)
    };
    let weights = |pairs: &[(&str, &str)]| {
        let mut rebalance = into_xrp();
        rebalance.targets = of(pairs);
        Command::Rebalance(rebalance)
    };
    let done = || {
        let mut fund = basket();
        fund.rebalance(&into_xrp());
        fund
    };
    let struck = || {
        let mut fund = basket();
        fund.submit("a", CREATION, CASH, 10_000, "2020-01-03");
        fund.strike_at("2020-01-03", &of(&[("BTC", "7100"), ("ETH", "131")]));
        fund
    };
    vec![
        ("weights.must_sum_to_one", basket(), weights(&[("BTC", "0.6"), ("XRP", "0.399999999999999999")])),
        ("weights.must_sum_to_one", basket(), weights(&[])),
        ("weights.must_be_positive", basket(), weights(&[("BTC", "1"), ("XRP", "0")])),
        ("asset.must_be_in_definition", basket(), weights(&[("BTC", "0.6"), ("SHIB", "0.4")])),
        ("price.must_be_given_for_each_asset", basket(), given(|r| r.prices = of(&[("BTC", "7000")]))),
        ("rebalance.cost_must_be_a_fraction", basket(), given(|r| r.cost = "0.11".parse().unwrap())),
        ("rebalance.cost_must_be_a_fraction", basket(), given(|r| r.cost = "-0.001".parse().unwrap())),
        ("rebalance.must_follow_the_last_strike", basket(), given(|r| r.date = date("2020-01-03"))),
        ("rebalance.must_follow_executions", struck(), given(|r| r.date = date("2020-01-03"))),
        ("rebalance.must_not_be_done_twice", done(), weights(&[("BTC", "1")])),
        ("rebalance.must_be_of_a_basket", Scenario::bitcoin(), given(|r| r.date = date("2024-01-05"))),
        ("text.must_be_1_to_200_characters", basket(), given(|r| r.reason.clear())),
        ("custody.must_cover_the_movement", basket(), given(|_| ())),
        (
            "order.late_must_not_precede_a_rebalance",
            done(),
            late(order("late", CREATION, CASH, 10_000, "2020-01-02")),
        ),
    ]
}

#[test]
fn a_fund_opens_with_the_weights_given_or_with_equal_parts_and_refuses_others() {
    let held = basket().held();
    assert_eq!(held, of(&[("BTC", "1000.00000000"), ("ETH", "23076.923076923076923076")]));
    let mut fund = Fund::default();
    let open = |weights| Command::OpenFund {
        definition: LARGE_CAP.to_owned(),
        seed_prices: of(&[("BTC", "7000")]),
        weights: of(weights),
    };
    let mut refused =
        |weights| fund.handle(&open(weights), strike_of(date("2020-01-02"))).outcome.unwrap_err().code();
    assert_eq!(refused(&[("BTC", "0.5")]), "weights.must_sum_to_one");
    assert_eq!(refused(&[("BTC", "0.5"), ("ETH", "0.5")]), "price.must_be_given_for_each_asset");
    assert_eq!(refused(&[]), "price.must_be_given_for_each_asset");
    assert_eq!(fund.handle(&open(&[("BTC", "1")]), strike_of(date("2020-01-02"))).outcome, Ok(Outcome::Done));
}

#[test]
fn a_rebalance_is_solved_net_of_its_cost() {
    let mut fund = basket();
    let rebalance = into_xrp();
    fund.rebalance(&rebalance);
    // 9,999,999.99 before: BTC 7,000,000 falls to 0.6 W, ETH 3,000,000 is sold, XRP 0.4 W is bought, and
    // W = 10,000,000 − 0.001 (7,000,000 − 0.6 W + 3,000,000 + 0.4 W), so W = 9,990,000 ÷ 0.9998 = 9,991,998.3997.
    let held = fund.held();
    let near = |asset: &str, at: &str, exact: &str| {
        let worth = value(price(at), held[&asset.parse().unwrap()]);
        let off = money(exact).units() - worth;
        assert!((0..=3_000_000).contains(&off), "{asset} is worth {worth}, not {exact}");
    };
    near("BTC", "7000", "5995199.0398");
    near("XRP", "0.19", "3996799.3599");
    assert!(held[&"ETH".parse().unwrap()].is_zero());
    let ledger = fund.state().ledger();
    assert_eq!(ledger.money(Account::RebalanceCost), money("8001.61"));
    let cash = ledger.money(Account::Cash);
    assert!(!cash.is_negative() && cash < money("0.05"), "{cash}");
    assert_eq!(fund.give(Command::Rebalance(rebalance)), Ok(Outcome::AlreadyDone));
    // The next strike asks for the prices of what is held, and values at them.
    fund.strike_at("2020-01-03", &of(&[("BTC", "7000"), ("XRP", "0.19")]));
    let nav = fund.nav("2020-01-03");
    assert_eq!(nav.inputs.assets.len(), 2);
    let rolled = statement::statement(fund.state(), date("2020-01-02"), date("2020-01-03")).unwrap();
    assert_eq!(rolled.roll_forwards.len(), 3);
    assert!(rolled.roll_forwards.iter().all(|asset| asset.foots));
}

#[test]
fn the_basket_of_the_next_session_is_that_of_the_rebalance() {
    let mut fund = basket();
    fund.rebalance(&into_xrp());
    let file = composition(fund.state()).unwrap();
    let names: Vec<String> = file.components().iter().map(|component| component.symbol.to_string()).collect();
    assert_eq!(names, ["BTC", "XRP"]);
    fund.submit("a", CREATION, CASH, 10_000, "2020-01-03");
    let prices = of(&[("BTC", "7100"), ("XRP", "0.2")]);
    fund.strike_at("2020-01-03", &prices);
    fund.done(Command::ExecuteOrder { id: id("a"), prices });
    let coins = fund.order("a").coins().unwrap().clone();
    assert_eq!(coins.keys().map(ToString::to_string).collect::<Vec<_>>(), ["BTC", "XRP"]);
    // Executed and not settled: its coins are the fund's and are rebalanced with the others.
    let back = to("2020-01-03", &[("BTC", "0.9"), ("XRP", "0.1")], &[("BTC", "7100"), ("XRP", "0.2")], "0");
    fund.rebalance(&back);
    assert!(matches!(fund.order("a").state, OrderState::Executed { .. }));
    fund.at("2020-01-06T10:00:00").done(Command::SettleOrder { id: id("a") });
    fund.strike_at("2020-01-06", &of(&[("BTC", "7100"), ("XRP", "0.2")]));
}

#[test]
fn what_is_learned_late_leaves_the_promises_of_a_rebalance_standing() {
    let mut fund = basket();
    fund.strike_at("2020-01-03", &of(&[("BTC", "7100"), ("ETH", "131")]));
    let prices = [("BTC", "7100"), ("ETH", "131"), ("XRP", "0.19")];
    fund.rebalance(&to("2020-01-03", &[("BTC", "0.6"), ("XRP", "0.4")], &prices, "0.001"));
    fund.done(Command::CorrectPrice {
        asset: "ETH".parse().unwrap(),
        date: date("2020-01-03"),
        price: price("132"),
        reason: "wrong source".into(),
    });
    fund.done(expense("audit", "2020-01-03", "25000"));
    fund.state().reserve().check().unwrap();
    let prices = of(&[("BTC", "7100"), ("XRP", "0.19")]);
    let xrp = &"XRP".parse().unwrap();
    let aside = fund.state().reserve().positions().unwrap().into_iter().find(|p| p.asset == *xrp).unwrap();
    assert!(!aside.set_aside.is_zero());
    fund.strike_at("2020-01-06", &prices);
    let coins = fund.state().coins_for_fee(None, &prices).unwrap();
    assert_eq!(coins.len(), 2);
    fund.transfer(coins, (CustodyKind::Vault, CustodyKind::Trading));
    fund.done(Command::Pay { liability: Liability::SponsorFee { through: None }, prices });
}

/// A session of a random life: prices move, then perhaps the basket changes.
#[derive(Debug, Clone)]
struct Day {
    moves_bps: [i32; 5],
    parts: [u32; 5],
    cost_bps: i128,
    rebalances: bool,
    pays: bool,
    baskets: i64,
    learned: Option<Learned>,
}

/// What turns out to have been different, after the day's rebalance.
#[derive(Debug, Clone)]
enum Learned {
    Price { pick: usize, back: usize, move_bps: i32 },
    Expense { back: usize, cents: u32 },
}

fn days() -> impl Strategy<Value = Vec<Day>> {
    let part = || prop_oneof![1 => Just(0u32), 3 => 1..1_000u32];
    let parts = [part(), part(), part(), part(), part()];
    let moves = prop::array::uniform5(-4_000..6_000i32);
    let price = (0..5usize, 0..4usize, -2_000..2_000i32).prop_map(|(pick, back, move_bps)| Learned::Price {
        pick,
        back,
        move_bps,
    });
    let expense = (0..4usize, 1..500_000u32).prop_map(|(back, cents)| Learned::Expense { back, cents });
    let learned = prop::option::weighted(0.3, prop_oneof![price, expense]);
    let day = (moves, parts, 0..300i128, any::<bool>(), any::<bool>(), -2..4i64, learned).prop_map(
        |(moves_bps, parts, cost_bps, rebalances, pays, baskets, learned)| Day {
            moves_bps,
            parts,
            cost_bps,
            rebalances,
            pays,
            baskets,
            learned,
        },
    );
    prop::collection::vec(day, 1..14)
}

fn weights(parts: &[u32; 5]) -> Of<Rate> {
    let one = 10i128.pow(18);
    let sum: i128 = parts.iter().map(|part| i128::from(*part)).sum();
    if sum == 0 {
        return of(&[("BTC", "1")]);
    }
    let mut weights: Of<Rate> = BTreeMap::new();
    for (coin, part) in COINS.iter().zip(parts).filter(|(_, part)| **part > 0) {
        weights.insert(coin.parse().unwrap(), Rate::from_units(one * i128::from(*part) / sum));
    }
    let rest: i128 = one - weights.values().map(|weight| weight.units()).sum::<i128>();
    let mut first = weights.first_entry().unwrap();
    *first.get_mut() = Rate::from_units(first.get().units() + rest);
    weights
}

/// Value in 10^-8 of the currency, rounded down.
fn value(price: Price, quantity: Quantity) -> i128 {
    price.value(quantity, Rounding::Floor).unwrap().units()
}

/// What a rebalance has to leave, judged from the books before and after and nothing of the solver.
fn judge(before: (&Of<Quantity>, i128), fund: &Scenario, given: &Rebalance) {
    let (state, held) = (fund.state(), fund.held());
    let count = i128::try_from(given.prices.len()).unwrap();
    let cents = 1_000_000;
    let total = |coins: &Of<Quantity>| -> i128 {
        coins.iter().filter(|(_, q)| !q.is_zero()).map(|(asset, q)| value(given.prices[asset], *q)).sum()
    };
    let (cash, worth) = (state.ledger().money(Account::Cash).units(), total(&held));
    let unit = |asset: &Symbol| value(given.prices[asset], Quantity::from_units(1, held[asset].scale())) + 1;
    let dust: i128 = held.keys().filter(|asset| given.prices.contains_key(asset)).map(unit).sum();
    assert!(cash >= 0 && cash <= 2 * dust + (2 * count + 2) * cents, "cash {cash}, dust {dust}");
    for (asset, quantity) in &held {
        let part = |weight: &Rate| weight.units().checked_mul(worth).unwrap() / 10i128.pow(18);
        let target = given.targets.get(asset).map_or(0, part);
        let is = if quantity.is_zero() { 0 } else { value(given.prices[asset], *quantity) };
        // A base unit of its own, and its part of everybody else's.
        let near = dust + 2;
        assert!((is - target).abs() <= near, "{asset} is {is}, not {target}");
    }
    let Some(Event::Rebalanced { sold, bought, cost, .. }) = fund
        .events()
        .into_iter()
        .map(|(event, _)| event)
        .rfind(|event| matches!(event, Event::Rebalanced { .. }))
    else {
        panic!("no rebalance")
    };
    let lost = total(before.0) + before.1 - (worth + cash) - cost.units();
    assert!(lost >= -count && lost <= 2 * count * cents, "{lost} lost beside the cost {cost}");
    let traded = sold.value.try_add(bought.value).unwrap().units();
    let most = traded / 10_000 * (given.cost.units() / 10i128.pow(14)) + 2 * cents;
    assert!(cost.units() <= most, "cost {cost} of {traded}");
    assert!(sold.assets.keys().all(|asset| !bought.assets.contains_key(asset)));
}

/// The books, the reserve, the lots and the movements of every asset agree.
pub fn agrees(state: &FundState) {
    assert!(state.ledger().balances().unwrap());
    state.reserve().check().unwrap();
    for position in state.reserve().positions().unwrap() {
        let asset = position.asset;
        assert_eq!(state.lots(asset).unwrap().quantity().unwrap(), position.held);
        let moved: i128 = state.movements(asset).iter().map(|movement| movement.quantity.units()).sum();
        assert_eq!(moved, position.held.units());
        for account in [Account::Vault, Account::Trading] {
            assert!(state.ledger().coins(asset, account).is_none_or(|quantity| !quantity.is_negative()));
        }
    }
}

/// A correction or an expense of one of the last days; what the engine refuses has changed nothing.
fn learn(fund: &mut Scenario, learned: &Learned) {
    let command = match learned {
        Learned::Price { pick, back, move_bps } => {
            let nav = fund.state().navs().iter().rev().nth(*back).or(fund.state().navs().first()).unwrap();
            let (asset, input) = nav.inputs.assets.iter().nth(pick % nav.inputs.assets.len()).unwrap();
            let price =
                input.price.try_mul_div(10_000 + i128::from(*move_bps), 10_000, Rounding::Ceiling).unwrap();
            let price = price.round_to(8, Rounding::Ceiling).unwrap();
            Command::CorrectPrice { asset: *asset, date: nav.date, price, reason: "wrong source".into() }
        }
        Learned::Expense { back, cents } => {
            let nav = fund.state().navs().iter().rev().nth(*back).or(fund.state().navs().first()).unwrap();
            let name = format!("e{}-{cents}", fund.steps.len());
            expense(&name, &nav.date.to_string(), &format!("{}.{:02}", cents / 100, cents % 100))
        }
    };
    let before = fund.state().to_snapshot().unwrap();
    if fund.give(command.clone()).is_err() {
        assert_eq!(fund.state().to_snapshot().unwrap(), before);
        panic!("{command:?} was refused: {:?}", fund.steps.last().unwrap().handled.outcome);
    }
}

fn live(fund: &mut Scenario, day: &Day, session: Date, prices: &Of<Price>) {
    let shares = day.baskets * 10_000;
    let side = if shares < 0 { REDEMPTION } else { CREATION };
    let (name, on) = (format!("o{session}"), session.to_string());
    if shares != 0 {
        let _ = fund.give(Command::SubmitOrder(order(&name, side, CASH, shares.abs(), &on)));
    }
    let needed = fund.state().assets_to_price().unwrap();
    let recorded: Of<Price> = needed.iter().map(|asset| (*asset, prices[asset])).collect();
    fund.strike_at(&on, &recorded);
    let struck: Vec<_> = fund.state().orders().map(|order| order.id.clone()).collect();
    for id in struck {
        fund.done(Command::ExecuteOrder { id, prices: prices.clone() });
    }
    if day.rebalances {
        let given = Rebalance {
            date: session,
            targets: weights(&day.parts),
            prices: prices.clone(),
            cost: Rate::from_units(day.cost_bps * 10i128.pow(14)),
            reason: "reconstitution".into(),
        };
        let before = (fund.held(), fund.state().ledger().money(Account::Cash).units());
        // Coins of a creation that come tomorrow cannot be sold today.
        let trades = fund.state().trades_to(&given).unwrap();
        let custody = |asset: &Symbol| {
            let coins = |account| fund.state().ledger().coins(*asset, account).map_or(0, |q| q.units());
            coins(Account::Vault) + coins(Account::Trading)
        };
        if trades.sold.iter().all(|(asset, quantity)| quantity.units() <= custody(asset)) {
            fund.rebalance(&given);
            judge((&before.0, before.1), fund, &given);
        }
    }
    if let Some(learned) = &day.learned {
        learn(fund, learned);
        agrees(fund.state());
    }
    if day.pays {
        let due = fund.state().coins_for_fee(None, prices).unwrap();
        let in_vault = |asset: &Symbol, q: &Quantity| {
            fund.state()
                .ledger()
                .coins(*asset, Account::Vault)
                .is_some_and(|vault| vault.units() >= q.units())
        };
        if !due.is_empty() && due.iter().all(|(asset, q)| in_vault(asset, q)) {
            fund.transfer(due, (CustodyKind::Vault, CustodyKind::Trading));
            let liability = Liability::SponsorFee { through: None };
            let _ = fund.give(Command::Pay { liability, prices: prices.clone() });
        }
    }
    agrees(fund.state());
}

pub fn settle_all(fund: &mut Scenario, session: Date) {
    fund.now = fund.now.max(new_york(&format!("{session}T10:00:00")));
    let executed: Vec<_> = fund.state().orders().cloned().collect();
    for order in executed {
        let coins = order.coins().cloned().unwrap_or_default();
        if order.side == REDEMPTION {
            let short = |asset: &Symbol, quantity: &Quantity| {
                let trading = fund.state().ledger().coins(*asset, Account::Trading);
                let more = quantity.try_sub(trading.unwrap_or(Quantity::zero(quantity.scale()))).unwrap();
                (more.units() > 0).then_some((*asset, more))
            };
            let needed = coins.iter().filter_map(|(asset, quantity)| short(asset, quantity)).collect();
            fund.transfer(needed, (CustodyKind::Vault, CustodyKind::Trading));
        }
        fund.done(Command::SettleOrder { id: order.id });
        agrees(fund.state());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_rebalance_lands_on_target_without_debt_and_replays(lives in days()) {
        let mut prices: Of<Price> =
            of(&[("BTC", "7000"), ("ETH", "130.05"), ("XRP", "0.1923"), ("EOS", "2.58"), ("DOGE", "0.002")]);
        let mut fund = open(of(&[("BTC", "0.7"), ("ETH", "0.3")]), prices.clone());
        let mut session = date("2020-01-02");
        for day in &lives {
            session = Calendar::Nyse.next_session(session).unwrap();
            for (coin, bps) in COINS.iter().zip(day.moves_bps) {
                let price = prices.get_mut(&coin.parse().unwrap()).unwrap();
                let moved = price.try_mul_div(10_000 + i128::from(bps), 10_000, Rounding::Ceiling).unwrap();
                *price = moved.round_to(8, Rounding::Ceiling).unwrap();
            }
            settle_all(&mut fund, session);
            live(&mut fund, day, session, &prices);
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
