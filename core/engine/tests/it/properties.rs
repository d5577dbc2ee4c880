//! Random days of random funds: after every event the books balance, the reserve covers what is owed, and the oracle
//! agrees; and whatever was done before, the next session can be struck.

use crate::distributions::STAKING;
use crate::oracle::Oracle;
use crate::scenario::*;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use std::collections::BTreeMap;
use strongroom_engine::{
    Command, Fund, FundState, HaltScope, Liability, Order, OrderSide, OrderState, Outcome, PriceRow, decode,
    encode, statement,
};
use strongroom_fund::definition::{CustodyKind, OrderMethod};
use strongroom_units::time::{Calendar, Date, Timestamp};
use strongroom_units::{Money, Price, Quantity};

const ANNUAL: &str = "0.015";

/// One thing that happens; the numbers choose among what is there.
#[derive(Debug, Clone)]
enum Act {
    Wait { minutes: u32 },
    NextStrike { move_bps: i32, late_hours: u8 },
    Submit { creation: bool, in_kind: bool, baskets: u8, sessions_ahead: u8 },
    Late { creation: bool, in_kind: bool, baskets: u8, back: u8 },
    Cancel { pick: u8 },
    Execute { pick: u8, factor: u8 },
    Settle { pick: u8 },
    Pay { expenses: bool, back: u8, factor: u8 },
    Transfer { to_vault: bool, permille: u16 },
    Expense { back: u8, cents: u32 },
    Correct { back: u8, move_bps: i32 },
    Halt { creations_only: bool },
    Resume,
    Wake,
    Life(crate::properties_life::LifeAct),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let side = || (any::<bool>(), any::<bool>(), 1..6u8);
    let act = prop_oneof![
        1 => (1..3_000u32).prop_map(|minutes| Act::Wait { minutes }),
        8 => (-2_400..2_400i32, 0..40u8).prop_map(|(move_bps, h)| Act::NextStrike { move_bps, late_hours: h / 8 * 9 }),
        6 => (side(), 0..6u8).prop_map(|((creation, in_kind, baskets), sessions_ahead)| {
            Act::Submit { creation, in_kind, baskets, sessions_ahead }
        }),
        2 => (side(), 0..6u8).prop_map(|((creation, in_kind, baskets), back)| {
            Act::Late { creation, in_kind, baskets, back }
        }),
        1 => any::<u8>().prop_map(|pick| Act::Cancel { pick }),
        4 => (any::<u8>(), 0..7u8).prop_map(|(pick, factor)| Act::Execute { pick, factor }),
        4 => any::<u8>().prop_map(|pick| Act::Settle { pick }),
        3 => (any::<bool>(), 0..6u8, 0..7u8).prop_map(|(expenses, back, factor)| Act::Pay { expenses, back, factor }),
        1 => (any::<bool>(), 0..1_200u16).prop_map(|(to_vault, permille)| Act::Transfer { to_vault, permille }),
        1 => (0..12u8, 1..2_000_000u32).prop_map(|(back, cents)| Act::Expense { back, cents }),
        2 => (0..6u8, -3_000..3_000i32).prop_map(|(back, move_bps)| Act::Correct { back, move_bps }),
        1 => any::<bool>().prop_map(|creations_only| Act::Halt { creations_only }),
        1 => Just(Act::Resume),
        1 => Just(Act::Wake),
        12 => crate::properties_life::acts().prop_map(Act::Life),
    ];
    prop::collection::vec(act, 1..60)
}

#[derive(Debug, Clone)]
pub struct Kind {
    ether: bool,
    staking: bool,
    coin_fee: bool,
    method: &'static str,
    first_session: Date,
}

pub fn kinds() -> impl Strategy<Value = Kind> {
    let methods = prop::sample::select(vec!["average", "fifo", "lifo", "hifo"]);
    let which = (any::<bool>(), any::<bool>(), any::<bool>());
    (which, methods, 0..900i32).prop_map(|((ether, staking, coin_fee), method, offset)| {
        let ether = ether || staking;
        let seed = date(if ether { "2024-05-21" } else { "2024-01-05" });
        let first_session = Calendar::Nyse.add_sessions(seed, offset).unwrap();
        Kind { ether, staking, coin_fee, method, first_session }
    })
}

impl Kind {
    /// The published definition, begun on a random session, with both order windows from the first day on.
    fn definition(&self) -> String {
        if self.staking {
            let text = if self.coin_fee { in_coins(STAKING) } else { STAKING.to_owned() };
            let text = with_fee_from_seed(&text, ANNUAL);
            let text = with(&text, "2023-01-03", &self.first_session.to_string());
            return with(&text, "cost_method = \"average\"", &format!("cost_method = \"{}\"", self.method));
        }
        let (text, seed) = if self.ether { (ETHER, "2024-05-21") } else { (BITCOIN, "2024-01-05") };
        let text = if self.coin_fee { in_coins(text) } else { text.to_owned() };
        let text = with_fee_from_seed(&text, ANNUAL);
        let text = with(&text, "from = 2025-07-30", &format!("from = {seed}"));
        let text = with(&text, seed, &self.first_session.to_string());
        with(&text, "cost_method = \"average\"", &format!("cost_method = \"{}\"", self.method))
    }

    pub fn open(&self) -> Scenario {
        Scenario::open(&self.definition(), if self.ether { "3600.55" } else { "44179.50" })
    }
}

/// Prices from a thousandth to a thousand times the last one, and the last one itself.
pub(crate) fn far(price: Price, factor: u8) -> Price {
    let cents = price.units() / 10i128.pow(16);
    let moved = match factor {
        0 => cents / 1_000,
        1 => cents / 2,
        2 => cents * 99 / 100,
        4 => cents * 101 / 100,
        5 => cents * 2,
        6 => cents * 1_000,
        _ => cents,
    };
    Price::from_units(moved.max(1) * 10i128.pow(16))
}

fn moved(price: Price, bps: i32) -> Price {
    let cents = price.units() / 10i128.pow(16);
    Price::from_units((cents + cents * i128::from(bps) / 10_000).max(1) * 10i128.pow(16))
}

/// A scenario whose every event is followed by the oracle.
pub(crate) struct Watched {
    pub(crate) scenario: Scenario,
    oracle: Oracle,
    pub(crate) orders: usize,
    done: usize,
}

impl Watched {
    fn open(kind: &Kind) -> Self {
        let scenario = kind.open();
        let mut oracle = Oracle::new(ANNUAL, kind.coin_fee);
        for applied in &scenario.steps[0].handled.applied {
            oracle.follow(&applied.event);
        }
        oracle.agrees(scenario.state());
        Self { scenario, oracle, orders: 0, done: 0 }
    }

    pub(crate) fn state(&self) -> &FundState {
        self.scenario.state()
    }

    /// Gives a command; replays its events one by one on a copy, so that the oracle sees the state after each.
    pub(crate) fn give(&mut self, command: Command) {
        let before = self.scenario.fund.clone();
        let bytes = self.state().to_snapshot().unwrap();
        let outcome = self.scenario.give(command);
        let step = self.scenario.steps.last().unwrap();
        let shown = || format!("{:?} at {}: {:?}", step.command, step.at, step.handled.outcome);
        let mut copy = before;
        for applied in &step.handled.applied {
            self.oracle.follow(&applied.event);
            let again = copy.replay(applied.event.clone(), step.at, 0).unwrap();
            assert_eq!(&again, applied, "{}", shown());
            let state = copy.state().unwrap();
            assert!(state.ledger().balances().unwrap(), "{}", shown());
            state.reserve().check().unwrap_or_else(|breach| panic!("{}: {breach}", shown()));
            self.oracle.agrees(state);
        }
        assert!(!self.scenario.fund.is_torn());
        assert_eq!(copy, self.scenario.fund);
        match outcome {
            Ok(Outcome::Done) => self.done += 1,
            Ok(Outcome::AlreadyDone) | Err(_) if step.handled.applied.is_empty() => {
                assert_eq!(self.state().to_snapshot().unwrap(), bytes, "{}", shown());
            }
            _ => {}
        }
    }

    pub(crate) fn last_price(&self) -> Price {
        self.state().last_nav().unwrap().inputs.assets[&self.scenario.asset].price
    }

    fn back(&self, sessions: u8) -> Date {
        let navs = self.state().navs();
        navs[navs.len().saturating_sub(1 + usize::from(sessions))].date
    }

    fn pick(&self, pick: u8, wanted: impl Fn(&Order) -> bool) -> Option<Order> {
        let orders: Vec<&Order> = self.state().orders().filter(|order| wanted(order)).collect();
        (!orders.is_empty()).then(|| orders[usize::from(pick) % orders.len()].clone())
    }

    fn new_order(
        &mut self,
        (creation, in_kind, baskets): (bool, bool, u8),
        day: Date,
    ) -> strongroom_engine::NewOrder {
        self.orders += 1;
        let side = if creation { CREATION } else { REDEMPTION };
        let method = if in_kind { IN_KIND } else { CASH };
        order(&format!("o{}", self.orders), side, method, 40_000 * i64::from(baskets), &day.to_string())
    }

    fn next_strike(&mut self, move_bps: i32, late_hours: u8) {
        let last = self.state().last_nav().unwrap().date;
        let next = Calendar::Nyse.next_session(last).unwrap();
        let due = seconds_after(strike_of(next), 60 + 3_600 * i64::from(late_hours));
        self.scenario.now = self.scenario.now.max(due);
        // Rates come for weekends too.
        let day_after = last.tomorrow().unwrap();
        let days: Vec<Date> = days_between(day_after, next);
        let target = moved(self.last_price(), move_bps);
        let rows = days.iter().map(|day| PriceRow { date: *day, price: target }).collect();
        self.give(Command::ImportPrices { asset: self.scenario.asset, source: "walk".into(), rows });
        self.give(Command::StrikeNav { date: next, accept: Some("looked at".into()) });
        let struck = self.state().last_nav().unwrap().date == next;
        assert!(
            struck,
            "the next session could not be struck: {:?}",
            self.scenario.steps.last().unwrap().handled
        );
    }

    fn act(&mut self, act: &Act) {
        let asset = self.scenario.asset;
        match act {
            Act::Wait { minutes } => {
                self.scenario.now = seconds_after(self.scenario.now, 60 * i64::from(*minutes));
            }
            Act::NextStrike { move_bps, late_hours } => self.next_strike(*move_bps, *late_hours),
            Act::Submit { creation, in_kind, baskets, sessions_ahead } => {
                let last = self.state().last_nav().unwrap().date;
                let day = Calendar::Nyse.add_sessions(last, i32::from(*sessions_ahead)).unwrap();
                let new = self.new_order((*creation, *in_kind, *baskets), day);
                self.give(Command::SubmitOrder(new));
            }
            Act::Late { creation, in_kind, baskets, back } => {
                let new = self.new_order((*creation, *in_kind, *baskets), self.back(*back));
                self.give(late(new));
            }
            Act::Cancel { pick } => {
                if let Some(order) = self.pick(*pick, |_| true) {
                    self.give(Command::CancelOrder { id: order.id });
                }
            }
            Act::Execute { pick, factor } => {
                let struck = |order: &Order| {
                    order.method == OrderMethod::Cash && matches!(order.state, OrderState::Struck { .. })
                };
                if let Some(order) = self.pick(*pick, struck) {
                    let prices = BTreeMap::from([(asset, far(self.last_price(), *factor))]);
                    self.give(Command::ExecuteOrder { id: order.id, prices });
                }
            }
            Act::Settle { pick } => self.settle(*pick),
            Act::Pay { expenses, back, factor } => self.pay(*expenses, *back, *factor),
            Act::Transfer { to_vault, permille } => {
                let (from, to) = ends(*to_vault);
                let account = if *to_vault {
                    strongroom_engine::Account::Trading
                } else {
                    strongroom_engine::Account::Vault
                };
                let Some(held) = self.state().ledger().coins(asset, account) else { return };
                let units = held.units() * i128::from(*permille) / 1_000;
                let quantity = Quantity::from_units(units, held.scale());
                self.give(Command::TransferCustody { asset, from, to, quantity });
            }
            Act::Expense { back, cents } => {
                let amount = Money::from_units(i128::from(*cents) * 1_000_000);
                let now = strongroom_units::time::Zone::NewYork.date_of(self.scenario.now);
                let effective = (0..*back).fold(now, |day, _| day.yesterday().unwrap());
                self.orders += 1;
                self.give(Command::RecordExpense {
                    id: id(&format!("e{}", self.orders)),
                    effective,
                    amount,
                    memo: "audit".into(),
                });
            }
            Act::Correct { back, move_bps } => {
                let date = self.back(*back);
                let Some(known) = self.state().price(asset, date).map(|record| record.price) else { return };
                let price = moved(known, *move_bps);
                self.give(Command::CorrectPrice { asset, date, price, reason: "wrong source".into() });
            }
            Act::Halt { creations_only } => {
                let scope = if *creations_only { HaltScope::Creations } else { HaltScope::Orders };
                self.give(halt(scope));
            }
            Act::Resume => self.give(Command::Resume { reason: "open again".into() }),
            Act::Wake => self.give(Command::Wake),
            Act::Life(act) => self.live(act),
        }
    }

    fn settle(&mut self, pick: u8) {
        let due = |order: &Order| {
            matches!(
                (&order.state, order.method),
                (OrderState::Executed { .. }, _) | (OrderState::Struck { .. }, OrderMethod::InKind)
            )
        };
        let Some(order) = self.pick(pick, due) else { return };
        if order.side == OrderSide::Redemption {
            self.bring_to_trading(order.coins().unwrap()[&self.scenario.asset]);
        }
        self.give(Command::SettleOrder { id: order.id });
    }

    fn pay(&mut self, expenses: bool, back: u8, factor: u8) {
        let prices = BTreeMap::from([(self.scenario.asset, far(self.last_price(), factor))]);
        let through = (back > 1).then(|| self.back(back - 2));
        let liability = if expenses { Liability::Expenses } else { Liability::SponsorFee { through } };
        // A hundredth of the vault is always enough, except for far prices, which have to be refused.
        let vault =
            self.state().ledger().coins(self.scenario.asset, strongroom_engine::Account::Vault).unwrap();
        self.bring_to_trading(Quantity::from_units(vault.units() / 100, vault.scale()));
        self.give(Command::Pay { liability, prices });
    }

    pub(crate) fn bring_to_trading(&mut self, quantity: Quantity) {
        let (from, to) = ends(false);
        self.give(Command::TransferCustody { asset: self.scenario.asset, from, to, quantity });
    }
}

pub fn ends(to_vault: bool) -> (CustodyKind, CustodyKind) {
    if to_vault {
        (CustodyKind::Trading, CustodyKind::Vault)
    } else {
        (CustodyKind::Vault, CustodyKind::Trading)
    }
}

fn days_between(from: Date, through: Date) -> Vec<Date> {
    let mut days = Vec::new();
    let mut day = from;
    while day <= through {
        days.push(day);
        day = day.tomorrow().unwrap();
    }
    days
}

/// The statements of consecutive periods foot and chain.
fn check_periods(state: &FundState, cuts: &[u8]) {
    let asset = state.definition().assets[0].symbol;
    let seed = state.definition().seed.date;
    let mut from = seed;
    let mut before: Option<strongroom_fund::rollforward::Position> = None;
    for cut in cuts {
        let through = days_between(from, from.saturating_add_days(i64::from(*cut))).pop().unwrap();
        let rolled = statement::roll_forward_of(state, asset, from, through).unwrap();
        assert!(rolled.foots().unwrap(), "{from} to {through}");
        assert!(
            before.is_none_or(|before| before == rolled.begin),
            "{from} begins where the last period ended"
        );
        let stated = statement::statement(state, from, through).unwrap();
        assert!(stated.roll_forwards.iter().all(|asset| asset.foots));
        if let Some(sheet) = stated.assets_and_liabilities {
            let assets = sheet.investments.try_add(sheet.cash).unwrap();
            assert_eq!(assets.try_sub(sheet.total_liabilities).unwrap(), sheet.net_assets);
        }
        before = Some(rolled.end);
        from = through.tomorrow().unwrap();
    }
}

trait AddDays {
    fn saturating_add_days(self, days: i64) -> Self;
}

impl AddDays for Date {
    fn saturating_add_days(self, days: i64) -> Self {
        (0..days).fold(self, |day, _| day.tomorrow().unwrap_or(day))
    }
}

/// Replays recorded bytes and gives the snapshot.
fn replayed(scenario: &Scenario) -> String {
    let mut fund = Fund::default();
    for (index, (event, at)) in scenario.events().into_iter().enumerate() {
        let (_, body) = encode(&event).unwrap();
        let decoded = decode(&body).unwrap();
        assert_eq!(decoded, event);
        assert_eq!(encode(&decoded).unwrap().1, body);
        fund.replay(decoded, at, index as u64 + 1).unwrap();
    }
    fund.state().unwrap().to_snapshot().unwrap()
}

/// Gives the commands again from a snapshot taken after `taken` steps; every answer has to be the same.
fn continued_from_snapshot(scenario: &Scenario, taken: usize) -> String {
    let mut fund = Fund::default();
    for (index, step) in scenario.steps.iter().enumerate() {
        if index == taken {
            let text = fund.state().unwrap().to_snapshot().unwrap();
            fund = Fund::from_state(FundState::from_snapshot(&text).unwrap());
            assert_eq!(fund.state().unwrap().to_snapshot().unwrap(), text);
        }
        assert_eq!(fund.handle(&step.command, step.at), step.handled);
    }
    fund.state().unwrap().to_snapshot().unwrap()
}

/// Gives the commands again with wakes at random instants between them.
fn woken(scenario: &Scenario, wakes: &[u16]) -> String {
    let mut fund = Fund::default();
    for (index, step) in scenario.steps.iter().enumerate() {
        let before = index.checked_sub(1).map_or(step.at, |earlier| scenario.steps[earlier].at);
        let gap = step.at.as_microsecond() - before.as_microsecond();
        for permille in wakes.iter().skip(index % 3).step_by(3) {
            let at = before.as_microsecond() + gap / 1_000 * i64::from(*permille);
            let woken = fund.handle(&Command::Wake, Timestamp::from_microsecond(at).unwrap());
            assert!(index == 0 || woken.outcome == Ok(Outcome::Done));
        }
        assert_eq!(fund.handle(&step.command, step.at).outcome, step.handled.outcome);
    }
    fund.state().unwrap().to_snapshot().unwrap()
}

fn check(kind: &Kind, acts: &[Act], wakes: &[u16], cuts: &[u8]) -> Result<(), TestCaseError> {
    let mut watched = Watched::open(kind);
    for act in acts {
        watched.act(act);
    }
    // Nothing that was done may keep the next sessions from being struck, nor an open order from being completed.
    watched.next_strike(150, 0);
    complete_orders(&mut watched);
    watched.next_strike(-150, 0);
    // An event at the end, so that the instant of the last event is the same however often the fund was woken.
    watched.give(Command::Halt { scope: HaltScope::Creations, reason: "the end".into() });
    let scenario = &watched.scenario;
    let bytes = scenario.state().to_snapshot().unwrap();
    prop_assert_eq!(&replayed(scenario), &bytes);
    let taken = 1 + wakes.len() * scenario.steps.len() / 40;
    prop_assert_eq!(&continued_from_snapshot(scenario, taken.min(scenario.steps.len() - 1)), &bytes);
    prop_assert_eq!(&woken(scenario, wakes), &bytes);
    check_periods(scenario.state(), cuts);
    let mut early = scenario.fund.clone();
    let before = Timestamp::from_microsecond(scenario.state().last_at().as_microsecond() - 1).unwrap();
    let refused = early.handle(&Command::Wake, before);
    prop_assert_eq!(refused.outcome.unwrap_err().code(), "clock.must_not_go_back");
    prop_assert!(refused.applied.is_empty());
    Ok(())
}

/// Executes and settles everything that is struck, creations first; nothing may be left.
fn complete_orders(watched: &mut Watched) {
    watched.unstake_all();
    watched.scenario.now = seconds_after(watched.scenario.now, 13 * 86_400);
    watched.release();
    // A creation may have to wait for another that brings more coins per share.
    for _ in 0..watched.state().orders().count() * 2 {
        for order in watched.state().orders().cloned().collect::<Vec<_>>() {
            if order.side == OrderSide::Redemption && order.coins().is_some() {
                let trading = watched
                    .state()
                    .ledger()
                    .coins(watched.scenario.asset, strongroom_engine::Account::Trading)
                    .unwrap_or(Quantity::zero(order.coins().unwrap()[&watched.scenario.asset].scale()));
                let missing = order.coins().unwrap()[&watched.scenario.asset].try_sub(trading).unwrap();
                if missing.units() > 0 {
                    watched.bring_to_trading(missing);
                }
            }
            if order.method == OrderMethod::Cash && matches!(order.state, OrderState::Struck { .. }) {
                let prices = BTreeMap::from([(watched.scenario.asset, watched.last_price())]);
                watched.give(Command::ExecuteOrder { id: order.id.clone(), prices });
            }
            if order.coins().is_some() {
                watched.give(Command::SettleOrder { id: order.id });
            }
        }
    }
    let stuck: Vec<&Order> = watched.state().orders().filter(|order| order.coins().is_some()).collect();
    assert!(stuck.is_empty(), "{stuck:?}: {:?}", watched.scenario.steps.last().unwrap().handled.outcome);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_books_balance_and_the_next_session_can_be_struck(
        kind in kinds(),
        acts in acts(),
        wakes in prop::collection::btree_set(0..1_000u16, 0..24),
        cuts in prop::collection::vec(0..40u8, 1..6),
    ) {
        check(&kind, &acts, &Vec::from_iter(wakes), &cuts)?;
    }
}
