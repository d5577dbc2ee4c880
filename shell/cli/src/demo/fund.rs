//! One fund of the demo: its days, its participants, and the check that its log replays to the same state.

use super::market::{Dice, nudged};
use super::world::{Kind, World};
use crate::backtest::{Ended, Followed, progress};
use crate::failure::Failure;
use crate::performance::Performance;
use crate::sink::DeskSink;
use std::collections::BTreeMap;
use strongroom_backtest::{Agenda, CommandSink, Market, RunError, Runner, Task};
use strongroom_desk::{Desk, DeskError};
use strongroom_engine::{
    Command, FundState, FundStatus, HaltScope, NewOrder, OrderId, OrderSide, OrderState, Refusal,
};
use strongroom_fund::FundDefinition;
use strongroom_fund::definition::{OrderMethod, OrderWindow};
use strongroom_store::Location;
use strongroom_units::time::{Date, Timestamp};
use strongroom_units::{NumberError, Price, Rounding, Shares, Symbol};

/// A fund at the end of its days.
pub(super) struct Ran {
    pub ended: Ended,
    pub followed: Option<Followed>,
    pub performance: Performance,
    pub market: BTreeMap<Date, Price>,
    pub period: (Date, Date),
    pub orders: usize,
    pub records: u64,
    pub replay_is_identical: bool,
}

const PARTICIPANTS: [&str; 3] =
    ["Simulated Participant 1", "Simulated Participant 2", "Simulated Participant 3"];

/// The people around the fund, and what they did.
struct Desks<'a> {
    dice: Dice,
    market: &'a Market,
    decimals: u8,
    /// Whether creations are suspended for a while, so that a premium can be seen.
    suspends: bool,
    closes: BTreeMap<Date, Price>,
    orders: usize,
    to_correct: Option<Date>,
}

type Run<'a> = Runner<'a, DeskSink>;
type Step = Result<(), RunError<DeskError>>;

/// Runs one fund for some months in a database.
pub(super) fn run(kind: Kind, location: &Location, months: u32, seed: u64) -> Result<Ran, Failure> {
    let definition = FundDefinition::parse(kind.definition()).map_err(Refusal::from)?;
    let from = definition.seed.date;
    let to = after_months(from, months);
    let mut dice = Dice::new(seed, kind.stream());
    let World { market, followed } = World::try_new(kind, &definition, &mut dice, to, seed)?;
    let (closes, decimals) = (BTreeMap::new(), kind.decimals());
    let suspends = kind == Kind::Staking;
    let mut desks = Desks { dice, market: &market, decimals, suspends, closes, orders: 0, to_correct: None };
    let agenda = Agenda::try_new(&definition, from, to).map_err(Refusal::from)?;
    let mut sink = DeskSink::open(location, definition.id)?;
    let bar = progress(agenda.tasks().len());
    bar.set_message(definition.id.to_string());
    let mut runner = Runner::open(&mut sink, &market, &definition, kind.definition())?;
    for (at, task) in agenda.tasks() {
        desks.carry_out(&mut runner, *task, *at)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    let summary = runner.finish();
    let state = sink.state().ok_or(Refusal::FundMustBeOpen)?.clone();
    drop(sink);
    let (records, replay_is_identical) = replayed(location, &state)?;
    let Desks { closes, orders, .. } = desks;
    let none = BTreeMap::new();
    let levels = followed.as_ref().map_or(&none, |followed| &followed.levels);
    let performance = Performance::of(&state, (from, to), &closes, levels)?;
    Ok(Ran {
        ended: Ended { state, summary },
        followed,
        performance,
        market: closes,
        period: (from, to),
        orders,
        records,
        replay_is_identical,
    })
}

/// Opens the database again and compares what the log gives with what was in memory.
fn replayed(location: &Location, state: &FundState) -> Result<(u64, bool), Failure> {
    let mut desk = Desk::open_read_only(location)?;
    let fund = state.definition().id;
    let again = desk.fund(fund)?.ok_or(Refusal::FundMustBeOpen)?;
    let identical = matches!((again.to_snapshot(), state.to_snapshot()), (Ok(a), Ok(b)) if a == b);
    Ok((desk.records(fund), identical))
}

impl Desks<'_> {
    fn carry_out(&mut self, run: &mut Run<'_>, task: Task, at: Timestamp) -> Step {
        match task {
            Task::TakeOrders(session) => self.cash_orders(run, session, at),
            Task::Execute(session) => self.execute(run, session, at),
            Task::Settle(session) => {
                run.carry_out(task, at)?;
                self.learn_of_a_wrong_price(run, at)?;
                self.suspend_for_a_while(run, at)?;
                self.in_kind_order(run, session, at)
            }
            Task::Strike(session) => {
                run.carry_out(task, at)?;
                self.close(run, session)
            }
            other => run.carry_out(other, at),
        }
    }

    /// Creations are suspended for three weeks: nobody can make shares and sell them, and a premium stays meanwhile.
    fn suspend_for_a_while(&mut self, run: &mut Run<'_>, at: Timestamp) -> Step {
        match run.state()?.navs().len() {
            40 if self.suspends => {
                let reason = "the sponsor's cap is reached".to_owned();
                run.command(Command::Halt { scope: HaltScope::Creations, reason }, at)
            }
            55 if self.suspends => {
                run.command(Command::Resume { reason: "the cap was raised".to_owned() }, at)
            }
            _ => Ok(()),
        }
    }

    /// Creations are likelier than redemptions, as in a young fund.
    fn cash_orders(&mut self, run: &mut Run<'_>, session: Date, at: Timestamp) -> Step {
        while self.dice.happens(40) {
            let side = if self.dice.happens(65) { OrderSide::Creation } else { OrderSide::Redemption };
            self.order(run, session, (side, OrderMethod::Cash), at)?;
        }
        Ok(())
    }

    fn in_kind_order(&mut self, run: &mut Run<'_>, session: Date, at: Timestamp) -> Step {
        let offers = |window: &OrderWindow| window.method == OrderMethod::InKind;
        if !run.state()?.definition().order_windows.iter().any(offers) {
            return Ok(());
        }
        if self.dice.happens(15) {
            let side = if self.dice.happens(60) { OrderSide::Creation } else { OrderSide::Redemption };
            self.order(run, session, (side, OrderMethod::InKind), at)?;
        }
        Ok(())
    }

    fn order(
        &mut self,
        run: &mut Run<'_>,
        trade_date: Date,
        (side, method): (OrderSide, OrderMethod),
        at: Timestamp,
    ) -> Step {
        // Coins of an order would be on their way while the basket changes.
        if self.market.targets.contains_key(&trade_date) {
            return Ok(());
        }
        let state = run.state()?;
        if side == OrderSide::Creation && *state.status() != FundStatus::Running {
            return Ok(());
        }
        let unit = state.definition().creation_unit.at(trade_date).copied().unwrap_or(Shares::new(1));
        let baskets = 1 + self.dice.below(8).cast_signed();
        let shares = unit.try_mul(baskets)?;
        // A young fund keeps some baskets: participants do not redeem it away.
        let waiting = state.orders().filter(|order| order.side == OrderSide::Redemption).count();
        let floor = unit.try_mul(8 * (2 + i64::try_from(waiting).unwrap_or(0)))?;
        if side == OrderSide::Redemption && state.outstanding()?.try_sub(shares)? < floor {
            return Ok(());
        }
        self.orders += 1;
        let id = OrderId::try_new(&format!("{}-{:04}", state.definition().id, self.orders))?;
        let count = PARTICIPANTS.len() as u64;
        let who = usize::try_from(self.dice.below(count)).unwrap_or(0);
        let participant = PARTICIPANTS.get(who).copied().unwrap_or("Simulated Participant").to_owned();
        run.command(Command::SubmitOrder(NewOrder { id, participant, side, method, shares, trade_date }), at)
    }

    /// The fund never trades at exactly the reference rate; the participant bears the difference.
    fn execute(&mut self, run: &mut Run<'_>, session: Date, at: Timestamp) -> Step {
        let state = run.state()?;
        let dealt = state
            .orders()
            .filter(|order| order.trade_date == session && matches!(order.state, OrderState::Struck { .. }));
        let to_trade: Vec<(OrderId, Vec<Symbol>)> = dealt
            .map(|order| (order.id.clone(), state.coins_to_trade(order).into_keys().collect()))
            .filter(|(_, assets): &(_, Vec<Symbol>)| !assets.is_empty())
            .collect();
        for (id, assets) in to_trade {
            let mut prices = BTreeMap::new();
            for asset in assets {
                prices.insert(asset, self.nudged_price(asset, session, 600)?);
            }
            run.command(Command::ExecuteOrder { id, prices }, at)?;
        }
        Ok(())
    }

    /// Once in a while a source restates: yesterday's rate was a little wrong.
    fn learn_of_a_wrong_price(&mut self, run: &mut Run<'_>, at: Timestamp) -> Step {
        let Some(date) = self.to_correct.take() else { return Ok(()) };
        let assets = &run.state()?.definition().assets;
        let Some(asset) = assets.first().map(|asset| asset.symbol) else { return Ok(()) };
        let price = self.nudged_price(asset, date, 1_500)?;
        let reason = "the source restated its rate".to_owned();
        run.command(Command::CorrectPrice { asset, date, price, reason }, at)
    }

    fn close(&mut self, run: &Run<'_>, session: Date) -> Step {
        let Some(nav) = run.state()?.nav(session) else { return Ok(()) };
        let mut per_share = nav.published.nav_per_share;
        if *run.state()?.status() != FundStatus::Running {
            per_share = per_share.try_mul_div(102, 100, Rounding::HalfEven)?; // buyers who cannot be served by creations
        }
        self.closes.insert(session, nudged(&mut self.dice, (per_share, 2), 2_500)?);
        if self.dice.happens(2) {
            self.to_correct = Some(session);
        }
        Ok(())
    }

    fn nudged_price(&mut self, asset: Symbol, date: Date, spread_ppm: i64) -> Result<Price, NumberError> {
        let price = self.market.prices.get(&asset).and_then(|prices| prices.get(&date));
        nudged(&mut self.dice, (price.copied().unwrap_or_default(), self.decimals), spread_ppm)
    }
}

fn after_months(from: Date, months: u32) -> Date {
    let mut date = from;
    for _ in 0..months {
        date = date.last_of_month().tomorrow().unwrap_or(date);
    }
    date.yesterday().unwrap_or(date)
}
