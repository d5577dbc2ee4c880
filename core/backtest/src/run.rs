//! Carries an agenda out against a market of the past.

mod exposure;

pub use exposure::ExposureRow;

use crate::agenda::{Agenda, Task};
use crate::market::Market;
use crate::sink::CommandSink;
use core::ops::Bound;
use std::collections::BTreeMap;
use strongroom_engine::{
    Account, Command, FundState, Liability, NewOrder, Order, OrderId, OrderSide, OrderState, PriceRow,
    Rebalance, Refusal,
};
use strongroom_fund::FundDefinition;
use strongroom_fund::definition::{CustodyKind, OrderMethod};
use strongroom_fund::rollforward::MovementKind;
use strongroom_units::time::{Date, TimeError, Timestamp};
use strongroom_units::{Money, NumberError, Price, Quantity, Rate, Rounding, Shares, Symbol};
use thiserror::Error;

/// Why a run stopped.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError<E: std::error::Error> {
    /// A command was not done.
    #[error("{at}: {source}")]
    Command {
        /// Business time.
        at: Timestamp,
        /// Why.
        #[source]
        source: E,
    },
    /// No reference rate for a day that needs one.
    #[error("no price of {asset} for {date}")]
    PriceMissing {
        /// The asset.
        asset: Symbol,
        /// The day.
        date: Date,
    },
    /// A flow on a day without a session.
    #[error("a flow of {flow} is dated {date}, which is no session: nobody could have dealt")]
    FlowOnNoSession {
        /// The day.
        date: Date,
        /// The flow.
        flow: Money,
    },
    /// The fund was to be open and is not.
    #[error("the fund is not open")]
    NotOpen,
    /// A date outside the calendar.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// A sum that does not fit.
    #[error(transparent)]
    Number(#[from] NumberError),
    /// A rule of the engine.
    #[error(transparent)]
    Rule(#[from] Refusal),
}

impl<E: std::error::Error> RunError<E> {
    /// The stable code; `of` gives that of a command's error.
    pub fn code(&self, of: impl Fn(&E) -> &'static str) -> &'static str {
        match self {
            Self::Command { source, .. } => of(source),
            Self::PriceMissing { .. } => "backtest.price_must_be_given",
            Self::FlowOnNoSession { .. } => "backtest.flow_must_be_on_a_session",
            Self::NotOpen => "fund.must_be_open",
            Self::Time(error) => error.code(),
            Self::Number(error) => error.code(),
            Self::Rule(refusal) => refusal.code(),
        }
    }
}

/// One session's flow and the order it became.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowRow {
    /// The session at whose strike the order dealt.
    pub date: Date,
    /// Published net creations, in money.
    pub flow: Money,
    /// Shares ordered, in whole creation units; negative are redemptions.
    pub shares: Shares,
    /// What was left over and carried to the next session.
    pub carried: Money,
}

/// One rebalance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RebalanceRow {
    /// The session.
    pub date: Date,
    /// The day on which the index changed.
    pub effective: Date,
    /// Net assets at the strike before it.
    pub net_assets: Money,
    /// What was sold fetched.
    pub sold: Money,
    /// What was bought cost.
    pub bought: Money,
    /// What trading cost beyond that.
    pub cost: Money,
    /// Why.
    pub reason: String,
}

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Sessions with a flow, oldest first.
    pub flows: Vec<FlowRow>,
    /// Rebalances, oldest first.
    pub rebalances: Vec<RebalanceRow>,
    /// Positions of a fund of derivatives, oldest first.
    pub exposure: Vec<ExposureRow>,
    /// NAVs struck.
    pub strikes: usize,
    /// Commands given.
    pub commands: usize,
}

/// A run in progress.
#[derive(Debug)]
pub struct Runner<'a, S> {
    sink: &'a mut S,
    pub(crate) market: &'a Market,
    carried: Money,
    recorded_through: Date,
    summary: Summary,
}

type Step<S> = Result<(), RunError<<S as CommandSink>::Error>>;

impl<'a, S: CommandSink> Runner<'a, S> {
    /// Opens the fund with its seed at the price of the seed date.
    pub fn open(
        sink: &'a mut S,
        market: &'a Market,
        definition: &FundDefinition,
        text: &str,
    ) -> Result<Self, RunError<S::Error>> {
        let date = definition.seed.date;
        let stray = market.flows.iter().find(|(date, _)| !definition.calendar.is_session(**date));
        if let Some((date, flow)) = stray {
            return Err(RunError::FlowOnNoSession { date: *date, flow: *flow });
        }
        let at = definition.strike.instant(date)?;
        let weights = market.targets.get(&date).map(|target| target.weights.clone()).unwrap_or_default();
        let mut seed_prices = BTreeMap::new();
        for asset in definition.assets.iter().map(|asset| asset.symbol) {
            if weights.is_empty() || weights.contains_key(&asset) {
                seed_prices.insert(asset, price(market, asset, date)?);
            }
        }
        let summary = Summary::default();
        let mut run = Self { sink, market, carried: Money::ZERO, recorded_through: date, summary };
        run.command(Command::OpenFund { definition: text.to_owned(), seed_prices, weights }, at)?;
        run.expose(date, at)?;
        Ok(run)
    }

    /// Carries out every task of an agenda; `progress` hears of each before it is done.
    pub fn run(&mut self, agenda: &Agenda, mut progress: impl FnMut(Task)) -> Step<S> {
        for (at, task) in agenda.tasks() {
            progress(*task);
            self.carry_out(*task, *at)?;
        }
        Ok(())
    }

    /// Carries out one task.
    pub fn carry_out(&mut self, task: Task, at: Timestamp) -> Step<S> {
        // What is left after a wipe-out: to give what was dealt before it.
        if self.state()?.wiped_out().is_some() && !matches!(task, Task::Settle(_)) {
            return Ok(());
        }
        match task {
            Task::TakeOrders(session) => self.take_orders(session, at),
            Task::Settle(session) => self.settle(session, at),
            Task::ChangeAssets(session) => self.change_assets(session, at),
            Task::RecordPrices(through) => self.record_prices(through, at),
            Task::Strike(session) => {
                self.summary.strikes += 1;
                self.command(Command::StrikeNav { date: session, accept: self.market.accept.clone() }, at)
            }
            Task::Execute(session) => self.execute(session, at),
            Task::RecordFunding(_) => self.record_funding(at),
            Task::Rebalance(session) => self.rebalance(session, at),
            Task::Expose(session) => self.expose(session, at),
            Task::PayFee { through, on } => self.pay_fee(through, on, at),
            Task::Stake(session) => self.stake(session, at),
            Task::Distribute(session) => self.distribute(session, at),
        }
    }

    /// Gives a command of the caller's own.
    pub fn command(&mut self, command: Command, at: Timestamp) -> Step<S> {
        self.summary.commands += 1;
        self.sink.command(command, at).map(|_| ()).map_err(|source| RunError::Command { at, source })
    }

    /// The fund as it stands.
    pub fn state(&self) -> Result<&FundState, RunError<S::Error>> {
        self.sink.state().ok_or(RunError::NotOpen)
    }

    /// What was done.
    pub fn finish(self) -> Summary {
        self.summary
    }

    /// A flow dated T is net creations valued at T's NAV: it is converted at T's price, and becomes an order of whole
    /// creation units; the remainder is carried. Never more shares are redeemed than there are. On a session after which a
    /// basket changes nothing is ordered, and the flow is carried whole: its coins could be of a kind that is sold that day.
    fn take_orders(&mut self, session: Date, at: Timestamp) -> Step<S> {
        let Some(flow) = self.market.flows.get(&session).copied() else { return Ok(()) };
        let wanted = self.carried.try_add(flow)?;
        let unit = self.unit(session)?;
        let value = self.unit_value(unit, session)?;
        let baskets = i64::try_from(wanted.units() / value.units()).map_err(|_| NumberError::Overflow)?;
        let most = self.state()?.outstanding()?.count() / unit.count() - 1;
        let baskets = if self.market.targets.contains_key(&session) { 0 } else { baskets.max(-most.max(0)) };
        self.carried = wanted.try_sub(value.try_mul_div(i128::from(baskets), 1, Rounding::Down)?)?;
        let shares = unit.try_mul(baskets)?;
        self.summary.flows.push(FlowRow { date: session, flow, shares, carried: self.carried });
        if baskets == 0 {
            return Ok(());
        }
        let order = NewOrder {
            id: OrderId::try_new(&format!("flow-{session}"))?,
            participant: self.market.participant.clone(),
            side: if baskets > 0 { OrderSide::Creation } else { OrderSide::Redemption },
            method: OrderMethod::Cash,
            shares: Shares::new(shares.count().abs()),
            trade_date: session,
        };
        self.command(Command::SubmitOrder(order), at)
    }

    /// Coins of a redemption go from the vault to the trading balance first, those of a creation come back after.
    fn settle(&mut self, session: Date, at: Timestamp) -> Step<S> {
        self.release(session, at)?;
        for order in self.orders(|order| order.settlement_date <= session && order.coins().is_some())? {
            let coins = order.coins().cloned().unwrap_or_default();
            if order.side == OrderSide::Redemption {
                let missing = self.missing_in_trading(&coins)?;
                self.transfer(&missing, (CustodyKind::Vault, CustodyKind::Trading), at)?;
            }
            if let (OrderSide::Redemption, OrderState::Executed { cash_due, .. }) = (order.side, &order.state)
            {
                self.have_cash(*cash_due, at)?;
            }
            self.command(Command::SettleOrder { id: order.id }, at)?;
            if order.side == OrderSide::Creation {
                self.transfer(&coins, (CustodyKind::Trading, CustodyKind::Vault), at)?;
            }
        }
        Ok(())
    }

    /// What has happened to assets that the fund holds; of others it is nobody's business.
    fn change_assets(&mut self, session: Date, at: Timestamp) -> Step<S> {
        let market = self.market;
        for change in market.changes.get(&session).into_iter().flatten() {
            let lots = self.state()?.lots(change.asset);
            if lots.is_some_and(|lots| lots.lots().iter().any(|lot| !lot.quantity.is_zero())) {
                self.command(Command::ChangeAsset(change.clone()), at)?;
            }
        }
        Ok(())
    }

    /// Every rate since the last session of what the fund holds.
    fn record_prices(&mut self, through: Date, at: Timestamp) -> Step<S> {
        let market = self.market;
        for asset in self.state()?.assets_to_price()? {
            price(market, asset, through)?;
            // Empty when this was done for the day already: a range must not end before it begins.
            let since = (Bound::Excluded(self.recorded_through), Bound::Included(through));
            let known = market.prices.get(&asset).filter(|_| self.recorded_through < through);
            let fresh = known.into_iter().flat_map(|prices| prices.range(since));
            let rows = fresh.map(|(date, price)| PriceRow { date: *date, price: *price }).collect();
            self.command(Command::ImportPrices { asset, source: market.source.clone(), rows }, at)?;
        }
        self.recorded_through = through;
        Ok(())
    }

    /// At the reference rate itself: what execution really cost is not part of the market given.
    fn execute(&mut self, session: Date, at: Timestamp) -> Step<S> {
        let state = self.state()?;
        let is_dealt = |order: &&Order| order.trade_date == session && is_to_execute(state, order);
        let dealt: Vec<Order> = state.orders().filter(is_dealt).cloned().collect();
        for order in dealt {
            let prices = self.prices_on(session)?;
            self.command(Command::ExecuteOrder { id: order.id, prices }, at)?;
        }
        Ok(())
    }

    /// At the session's own rates, at the cost that the definition assumes. What is sold goes to the trading balance first,
    /// what is bought comes to the vault.
    fn rebalance(&mut self, session: Date, at: Timestamp) -> Step<S> {
        let Some(target) = self.market.targets.get(&session) else { return Ok(()) };
        let held = self.state()?.assets_to_price()?;
        for asset in target.weights.keys().filter(|asset| !held.contains(asset)) {
            let rows = vec![PriceRow { date: session, price: price(self.market, *asset, session)? }];
            let source = self.market.source.clone();
            self.command(Command::ImportPrices { asset: *asset, source, rows }, at)?;
        }
        let mut prices = BTreeMap::new();
        for asset in held.iter().chain(target.weights.keys()) {
            prices.insert(*asset, price(self.market, *asset, session)?);
        }
        let index = self.state()?.definition().index.as_ref();
        let cost = index.and_then(|index| index.cost.at(session)).copied().unwrap_or(Rate::ZERO);
        let (targets, reason) = (target.weights.clone(), target.reason.clone());
        let rebalance = Rebalance { date: session, targets, prices, cost, reason };
        let trades = self.state()?.trades_to(&rebalance)?;
        self.transfer(&trades.sold, (CustodyKind::Vault, CustodyKind::Trading), at)?;
        let cost_before = self.state()?.ledger().money(Account::RebalanceCost);
        self.command(Command::Rebalance(rebalance), at)?;
        let state = self.state()?;
        let cost = state.ledger().money(Account::RebalanceCost).try_sub(cost_before)?;
        let row = RebalanceRow {
            date: session,
            effective: target.effective,
            net_assets: state.last_nav().map_or(Money::ZERO, |nav| nav.current.valuation.net_assets),
            sold: traded(state, session, MovementKind::SoldInRebalance)?.try_neg()?,
            bought: traded(state, session, MovementKind::BoughtInRebalance)?,
            cost,
            reason: target.reason.clone(),
        };
        self.summary.rebalances.push(row);
        self.transfer(&trades.bought, (CustodyKind::Trading, CustodyKind::Vault), at)
    }

    /// The coins to be sold go to the trading balance first; what is not sold comes back.
    fn pay_fee(&mut self, through: Date, on: Date, at: Timestamp) -> Step<S> {
        let state = self.state()?;
        if through < state.definition().seed.date {
            return Ok(());
        }
        let liability = Liability::SponsorFee { through: Some(through) };
        if state.position().is_some() {
            let due = state.fee_due(Some(through))?.to_cents(Rounding::Floor)?;
            if due <= Money::ZERO {
                return Ok(());
            }
            self.have_cash(due, at)?;
            return self.command(Command::Pay { liability, prices: BTreeMap::new() }, at);
        }
        let prices = self.prices_on(on)?;
        let coins = state.coins_for_fee(Some(through), &prices)?;
        if coins.values().all(|quantity| quantity.is_zero()) {
            return Ok(());
        }
        self.transfer(&coins, (CustodyKind::Vault, CustodyKind::Trading), at)?;
        self.command(Command::Pay { liability, prices }, at)
    }

    pub(crate) fn transfer(
        &mut self,
        coins: &BTreeMap<Symbol, Quantity>,
        (from, to): (CustodyKind, CustodyKind),
        at: Timestamp,
    ) -> Step<S> {
        for (asset, quantity) in coins.iter().filter(|(_, quantity)| !quantity.is_zero()) {
            self.command(Command::TransferCustody { asset: *asset, from, to, quantity: *quantity }, at)?;
        }
        Ok(())
    }

    fn orders(&self, wanted: impl Fn(&Order) -> bool) -> Result<Vec<Order>, RunError<S::Error>> {
        Ok(self.state()?.orders().filter(|order| wanted(order)).cloned().collect())
    }

    fn prices_on(&self, date: Date) -> Result<BTreeMap<Symbol, Price>, RunError<S::Error>> {
        self.state()?
            .assets_to_price()?
            .into_iter()
            .map(|asset| Ok((asset, price(self.market, asset, date)?)))
            .collect()
    }

    fn unit(&self, date: Date) -> Result<Shares, RunError<S::Error>> {
        Ok(self.state()?.definition().creation_unit.at(date).copied().unwrap_or(Shares::new(1)))
    }

    /// The Basket Amount as it is promised now, at the session's price.
    fn unit_value(&self, unit: Shares, session: Date) -> Result<Money, RunError<S::Error>> {
        let state = self.state()?;
        let mut value = Money::ZERO;
        if let (Some(_), Some(nav)) = (state.position(), state.last_nav()) {
            return Ok(nav.current.nav_per_share.times(i128::from(unit.count()), Rounding::HalfEven)?);
        }
        for (asset, amount) in state.reserve().basket_amounts().filter(|(_, amount)| !amount.is_zero()) {
            let scale = state.definition().asset(asset).ok_or(Refusal::AssetMustBeInDefinition(asset))?.scale;
            let coins = amount.times(unit, scale, Rounding::HalfEven)?;
            value = value.try_add(price(self.market, asset, session)?.value(coins, Rounding::HalfEven)?)?;
        }
        if value <= Money::ZERO { Err(NumberError::DivisionByZero.into()) } else { Ok(value) }
    }
}

/// Value of a day's movements of one kind, over all assets.
fn traded(state: &FundState, date: Date, kind: MovementKind) -> Result<Money, NumberError> {
    let assets = state.definition().assets.iter();
    let movements = assets.flat_map(|asset| state.movements(asset.symbol));
    let wanted = movements.filter(|movement| movement.date == date && movement.kind == kind);
    wanted.into_iter().try_fold(Money::ZERO, |sum, movement| sum.try_add(movement.value))
}

fn is_to_execute(state: &FundState, order: &Order) -> bool {
    matches!(order.state, OrderState::Struck { .. }) && !state.coins_to_trade(order).is_empty()
}

pub(crate) fn price<E: std::error::Error>(
    market: &Market,
    asset: Symbol,
    date: Date,
) -> Result<Price, RunError<E>> {
    let price = market.prices.get(&asset).and_then(|prices| prices.get(&date));
    price.copied().ok_or(RunError::PriceMissing { asset, date })
}
