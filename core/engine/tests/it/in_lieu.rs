//! Orders in kind of a basket some of whose coins cannot be delivered: cash stands in for those, to the cent and the base unit.

use crate::baskets::{LARGE_CAP, Of, agrees, of, open_as, settle_all};
use crate::scenario::*;
use proptest::prelude::*;
use strongroom_engine::{Account, Command, Event, Fund, OrderState, composition, decode, encode, statement};
use strongroom_fund::FundDefinition;
use strongroom_fund::definition::CustodyKind;
use strongroom_units::time::Calendar;
use strongroom_units::{Money, Price, Quantity, Rounding};

const WINDOW: &str =
    "\n[[order_window]]\nfrom = 2020-01-02\nmethod = \"in-kind\"\ncut_off = 15:00:00\nsessions_before = 0\n";
const WEIGHTS: [(&str, &str); 4] = [("BTC", "0.5"), ("ETH", "0.3"), ("XRP", "0.15"), ("EOS", "0.05")];
const PRICES: [(&str, &str); 4] = [("BTC", "7000"), ("ETH", "130.05"), ("XRP", "0.1923"), ("EOS", "2.58")];

/// The large caps, with orders in kind, cash standing in for some assets from a day on.
fn definition(in_lieu: &str) -> String {
    format!("{LARGE_CAP}{WINDOW}\n[[cash_in_lieu]]\nfrom = 2020-01-02\nassets = {in_lieu}\n")
}

fn basket(in_lieu: &str) -> Scenario {
    open_as(&definition(in_lieu), of(&WEIGHTS), of(&PRICES))
}

impl Scenario {
    fn cash(&self, account: Account) -> Money {
        self.state().ledger().money(account)
    }
}

#[test]
fn a_definition_says_for_what_cash_stands_in_and_until_when() {
    let two = "\n[[cash_in_lieu]]\nfrom = 2020-03-02\nassets = []\n";
    let read = FundDefinition::parse(&(definition("[\"XRP\", \"EOS\"]") + two)).unwrap();
    for (asset, on, delivered) in [
        ("XRP", "2020-01-02", false),
        ("EOS", "2020-02-28", false),
        ("BTC", "2020-02-28", true),
        ("XRP", "2020-03-02", true),
    ] {
        assert_eq!(read.delivers(asset.parse().unwrap(), date(on)), delivered, "{asset} on {on}");
    }
    assert!(FundDefinition::parse(LARGE_CAP).unwrap().delivers("XRP".parse().unwrap(), date("2020-01-02")));
    let twice = definition("[\"XRP\"]") + &two.replace("03-02", "01-02");
    assert_eq!(FundDefinition::parse(&twice).unwrap_err().code(), "definition.dated_list_must_ascend");
}

#[test]
fn a_creation_brings_its_coins_and_the_price_of_those_it_cannot_deliver() {
    let mut fund = basket("[\"XRP\", \"EOS\"]");
    fund.at("2020-01-03T10:00:00").submit("a", CREATION, IN_KIND, 20_000, "2020-01-03");
    let prices: Of<Price> = of(&[("BTC", "7100"), ("ETH", "131"), ("XRP", "0.2"), ("EOS", "2.5")]);
    fund.strike_at("2020-01-03", &prices);
    let (before, order) = (fund.held(), fund.order("a").clone());
    let names = |coins: &Of<Quantity>| coins.keys().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(&fund.state().coins_to_trade(&order)), ["EOS", "XRP"]);
    assert_eq!(names(&fund.state().coins_to_deliver(&order)), ["BTC", "ETH"]);

    let early = fund.give(Command::SettleOrder { id: id("a") }).unwrap_err();
    assert_eq!(early.code(), "order.must_settle_on_its_date");
    // It costs a hundredth more than at the strike's rates.
    let paid: Of<Price> = of(&[("XRP", "0.202"), ("EOS", "2.525")]);
    let entitled = fund.state().reserve().entitled();
    fund.done(Command::ExecuteOrder { id: id("a"), prices: paid.clone() });
    assert_eq!(fund.state().reserve().entitled(), entitled, "the delivered coins are not there yet");
    let Some((Event::OrderExecuted { trade, variance, cash_due, .. }, _)) = fund.events().pop() else {
        panic!("no execution")
    };
    let cents = |of: &Of<Price>| -> Money {
        let value = |(asset, line): (&_, &strongroom_engine::SaleLine)| {
            of[asset].value(line.quantity, Rounding::Ceiling).unwrap().to_cents(Rounding::Ceiling).unwrap()
        };
        trade.assets.iter().map(value).fold(Money::ZERO, |sum, value| sum.try_add(value).unwrap())
    };
    assert_eq!(cash_due, cents(&paid), "the participant pays what the coins cost");
    assert_eq!(variance, cents(&paid).try_sub(cents(&prices)).unwrap());

    fund.at("2020-01-06T10:00:00").done(Command::SettleOrder { id: id("a") });
    let OrderState::Struck { coins, .. } = &order.state else { panic!("{:?}", order.state) };
    for (asset, quantity) in coins {
        let more = fund.held()[asset].try_sub(before[asset]).unwrap();
        assert_eq!(more, *quantity, "{asset}");
        assert_eq!(fund.state().ledger().coins(*asset, Account::Trading), Some(*quantity), "{asset}");
    }
    for account in [Account::Receivable, Account::Payable] {
        assert_eq!(fund.cash(account), Money::ZERO, "{account:?}");
    }
    assert_eq!(fund.state().outstanding().unwrap().count(), 420_000);
    agrees(fund.state());
}

#[test]
fn cash_in_lieu_is_executed_before_it_settles_and_nothing_else_is() {
    let mut fund = basket("[\"XRP\"]");
    fund.at("2020-01-03T10:00:00").submit("a", CREATION, IN_KIND, 10_000, "2020-01-03");
    fund.submit("b", REDEMPTION, IN_KIND, 10_000, "2020-01-03");
    fund.strike_at("2020-01-03", &of(&PRICES));
    let rebalance = strongroom_engine::Rebalance {
        date: date("2020-01-03"),
        targets: of(&[("BTC", "1")]),
        prices: of(&PRICES),
        cost: "0".parse().unwrap(),
        reason: "reconstitution".into(),
    };
    fund.at("2020-01-06T10:00:00");
    let settle = |name: &str| Command::SettleOrder { id: id(name) };
    assert_eq!(fund.give(settle("a")).unwrap_err().code(), "order.must_be_in_state");
    fund.done(Command::ExecuteOrder { id: id("a"), prices: of(&PRICES) });
    fund.done(Command::ExecuteOrder { id: id("b"), prices: of(&PRICES) });
    let refused = fund.give(Command::Rebalance(rebalance)).unwrap_err().code();
    assert_eq!(refused, "rebalance.must_follow_executions", "coins to be delivered are still to come");
    fund.done(settle("a"));
    assert_eq!(fund.give(settle("b")), Ok(strongroom_engine::Outcome::Done), "a's coins cover b");

    let mut all_delivered = basket("[]");
    all_delivered.at("2020-01-03T10:00:00").submit("a", CREATION, IN_KIND, 10_000, "2020-01-03");
    all_delivered.strike_at("2020-01-03", &of(&PRICES));
    let execute = Command::ExecuteOrder { id: id("a"), prices: of(&PRICES) };
    assert_eq!(all_delivered.give(execute).unwrap_err().code(), "order.must_be_in_state");
    all_delivered.at("2020-01-06T10:00:00").done(settle("a"));
}

/// What the file of the next session says, judged from the NAV and nothing else.
fn file_agrees(fund: &Scenario, in_lieu: &[&str]) {
    let state = fund.state();
    let file = composition(state).unwrap();
    let header = file.header();
    let nav = state.last_nav().unwrap();
    let price = |asset| nav.inputs.assets[asset].price;
    let mut delivered = Money::ZERO;
    for component in file.components() {
        assert!(!in_lieu.contains(&component.symbol.as_str()), "{} is not delivered", component.symbol);
        let value = price(&component.symbol).value(component.quantity, Rounding::HalfEven).unwrap();
        delivered = delivered.try_add(value).unwrap();
    }
    assert_eq!(delivered.try_add(header.total_cash).unwrap(), header.nav_per_creation_unit);
    let mut stands_in = Money::ZERO;
    for (asset, amount) in
        nav.current.basket_amount.iter().filter(|(asset, _)| in_lieu.contains(&asset.as_str()))
    {
        let scale = state.definition().asset(*asset).unwrap().scale;
        let coins = amount.times(header.creation_unit, scale, Rounding::Floor).unwrap();
        stands_in = stands_in.try_add(price(asset).value(coins, Rounding::HalfEven).unwrap()).unwrap();
    }
    assert_eq!(header.total_cash.try_sub(header.estimated_cash).unwrap(), stands_in);
    let fixed_width = file.to_cents(Rounding::HalfUp).unwrap().to_fixed_width().unwrap();
    assert!(in_lieu.iter().all(|asset| !fixed_width.contains(asset)), "{fixed_width}");
}

#[derive(Debug, Clone)]
struct Day {
    moves_bps: [i32; 4],
    orders: Vec<(i64, bool)>,
    /// How far from the strike's rates the fund trades.
    slippage_bps: i32,
    pays: bool,
}

fn days() -> impl Strategy<Value = Vec<Day>> {
    let orders = prop::collection::vec(((-3..6i64).prop_filter("none", |n| *n != 0), any::<bool>()), 0..4);
    let moves = prop::array::uniform4(-2_000..3_000i32);
    let day = (moves, orders, -200..200i32, any::<bool>())
        .prop_map(|(moves_bps, orders, slippage_bps, pays)| Day { moves_bps, orders, slippage_bps, pays });
    prop::collection::vec(day, 1..10)
}

fn moved(price: Price, bps: i32) -> Price {
    let moved = price.try_mul_div(10_000 + i128::from(bps), 10_000, Rounding::Ceiling).unwrap();
    moved.round_to(8, Rounding::Ceiling).unwrap()
}

/// Only shares, coins and cash of the order itself move the fund: whoever stays has as many coins per share as before, and no
/// money is left over from any order.
fn live(fund: &mut Scenario, day: &Day, session: strongroom_units::time::Date, prices: &Of<Price>) {
    let on = session.to_string();
    for (number, (baskets, in_kind)) in day.orders.iter().enumerate() {
        let side = if *baskets < 0 { REDEMPTION } else { CREATION };
        let method = if *in_kind { IN_KIND } else { CASH };
        let new = order(&format!("{on}-{number}"), side, method, baskets.abs() * 10_000, &on);
        let _ = fund.give(Command::SubmitOrder(new));
    }
    fund.strike_at(&on, prices);
    agrees(fund.state());
    let dealt: Vec<_> = fund.state().orders().cloned().collect();
    for order in dealt {
        if fund.state().coins_to_trade(&order).is_empty() {
            continue;
        }
        let prices = prices.iter().map(|(asset, price)| (*asset, moved(*price, day.slippage_bps))).collect();
        fund.done(Command::ExecuteOrder { id: order.id, prices });
        agrees(fund.state());
    }
    file_agrees(fund, &["XRP", "EOS"]);
    if day.pays {
        let due = fund.state().coins_for_fee(None, prices).unwrap();
        let in_vault = |(asset, quantity): (&_, &Quantity)| {
            let vault = fund.state().ledger().coins(*asset, Account::Vault);
            vault.is_some_and(|vault| vault.units() >= quantity.units())
        };
        if !due.is_empty() && due.iter().all(in_vault) {
            fund.transfer(due, (CustodyKind::Vault, CustodyKind::Trading));
            let liability = strongroom_engine::Liability::SponsorFee { through: None };
            let _ = fund.give(Command::Pay { liability, prices: prices.clone() });
        }
        agrees(fund.state());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn orders_with_cash_in_lieu_leave_nothing_behind_and_replay(lives in days()) {
        let mut prices: Of<Price> = of(&PRICES);
        let mut fund = basket("[\"XRP\", \"EOS\"]");
        let mut session = date("2020-01-02");
        for day in &lives {
            session = Calendar::Nyse.next_session(session).unwrap();
            for (price, bps) in prices.values_mut().zip(day.moves_bps) {
                *price = moved(*price, bps);
            }
            settle_all(&mut fund, session);
            // What the participants paid is what the coins cost, so that no money stays with the fund.
            let idle = |account| fund.cash(account) == Money::ZERO;
            prop_assert!(idle(Account::Receivable) && idle(Account::Payable));
            live(&mut fund, day, session, &prices);
        }
        session = Calendar::Nyse.next_session(session).unwrap();
        settle_all(&mut fund, session);
        let rolled = statement::statement(fund.state(), date("2020-01-02"), session).unwrap();
        prop_assert!(rolled.roll_forwards.iter().all(|asset| asset.foots));
        let mut replayed = Fund::default();
        for (seq, (event, at)) in (1..).zip(fund.events()) {
            replayed.replay(decode(&encode(&event).unwrap().1).unwrap(), at, seq).unwrap();
        }
        prop_assert_eq!(replayed.state(), fund.fund.state());
    }

    /// At the strike's own rates and prices that stand still, an order changes nobody's NAV per share by more than its rounding.
    #[test]
    fn nobody_who_stays_pays_for_an_order(baskets in (-30..60i64).prop_filter("none", |n| *n != 0), in_kind: bool) {
        let mut fund = open_as(
            &with(&definition("[\"XRP\", \"EOS\"]"), "annual = \"0.0075\"", "annual = \"0\""),
            of(&WEIGHTS),
            of(&PRICES),
        );
        let side = if baskets < 0 { REDEMPTION } else { CREATION };
        let method = if in_kind { IN_KIND } else { CASH };
        fund.at("2020-01-02T17:00:00");
        fund.submit("a", side, method, baskets.abs() * 10_000, "2020-01-03");
        let day = Day { moves_bps: [0; 4], orders: Vec::new(), slippage_bps: 0, pays: false };
        live(&mut fund, &day, date("2020-01-03"), &of(&PRICES));
        settle_all(&mut fund, date("2020-01-06"));
        live(&mut fund, &day, date("2020-01-06"), &of(&PRICES));
        let [.., before, after] = fund.state().navs() else { panic!("two sessions") };
        let (before, after) = (before.current.nav_per_share.units(), after.current.nav_per_share.units());
        // A base unit of each coin and a cent in ten million dollars, never to the loss of those who stay.
        prop_assert!((0..10i128.pow(12)).contains(&(after - before)), "{before} and {after}");
    }
}
