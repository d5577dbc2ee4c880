//! Writes an event into the state. It never refuses: what was decided has happened.
//!
//! An error here means that the log does not belong to this state (it was edited, or events are missing), and
//! ends the replay.

use crate::command::{Change, Liability};
use crate::event::{Event, NavRecord, OrderDealt, PriceBasis, Restatement, Sale, SaleLine};
use crate::exposure::{ExposureEvent, Position};
use crate::ledger::{Journal, Ledger};
use crate::life::LifeState;
use crate::order::{Order, OrderId, OrderSide, OrderState};
use crate::posting::postings;
use crate::refusal::Refusal;
use crate::reserve::{ReserveSheet, entitled_shares};
use crate::state::{ClosedOrder, FundState, FundStatus, KnownChange, LastRebalance, Parts, PriceRecord};
use core::ops::Bound;
use std::collections::BTreeMap;
use std::sync::Arc;
use strongroom_fund::FundDefinition;
use strongroom_fund::lots::{Lot, Lots};
use strongroom_fund::rollforward::{Movement, MovementKind};
use strongroom_units::time::{Date, Timestamp};
use strongroom_units::{Money, NumberError, Price, Quantity, Shares, Symbol};

/// The state after the first event of a stream.
pub(crate) fn open(event: &Event, at: Timestamp) -> Result<(FundState, Journal), Refusal> {
    let Event::FundOpened { definition, purchase, nav, .. } = event else {
        return Err(Refusal::FundMustBeOpen);
    };
    let parsed = Arc::new(FundDefinition::parse(definition)?);
    let lots = parsed.assets.iter().map(|asset| (asset.symbol, Lots::new(parsed.cost_method, asset.scale)));
    let mut state = FundState {
        parts: Parts {
            definition_text: definition.clone(),
            last_at: at,
            status: FundStatus::Running,
            issued: nav.inputs.shares,
            ledger: Ledger::default(),
            reserve: ReserveSheet::default(),
            lots: lots.collect(),
            movements: BTreeMap::new(),
            prices: BTreeMap::new(),
            navs: Vec::new(),
            orders: BTreeMap::new(),
            closed: BTreeMap::new(),
            expenses: BTreeMap::new(),
            coins_accrued_through: nav.date,
            coin_fees: BTreeMap::new(),
            coin_holdings: BTreeMap::new(),
            fee_paid: Money::ZERO,
            last_rebalance: None,
            asset_changes: Vec::new(),
            position: position_of(&parsed, nav, at),
            life: LifeState::default(),
        },
        definition: parsed,
    };
    for (asset, input) in &nav.inputs.assets {
        state.record_price(
            *asset,
            nav.date,
            PriceRecord { price: input.price, source: "seed purchase".into(), basis: PriceBasis::Imported },
        );
    }
    state.come_in(nav.date, MovementKind::Purchased, purchase)?;
    state.parts.navs.push((**nav).clone());
    let journal = state.books(event, None)?;
    Ok((state, journal))
}

impl FundState {
    /// Applies an event that became known at `at`. Gives the order it is about, as it was before, and its entries.
    pub(crate) fn apply(
        &mut self,
        event: &Event,
        at: Timestamp,
    ) -> Result<(Option<Order>, Journal), Refusal> {
        let order = subject(event).and_then(|id| self.parts.orders.get(id)).cloned();
        let journal = self.books(event, order.as_ref())?;
        self.parts.last_at = at;
        match event {
            Event::FundOpened { .. } => return Err(Refusal::FundMustNotBeOpen(self.definition.id)),
            Event::PricesRecorded { asset, source, rows } => {
                let source: Arc<str> = source.as_str().into();
                for row in rows {
                    self.record_price(
                        *asset,
                        row.date,
                        PriceRecord { price: row.price, source: source.clone(), basis: PriceBasis::Imported },
                    );
                }
            }
            Event::RateRecorded { asset, date, evidence, .. } => {
                let basis = PriceBasis::of(evidence);
                let source = evidence.methodology.id.as_str().into();
                self.record_price(*asset, *date, PriceRecord { price: evidence.rate, source, basis });
            }
            Event::FallbackDecided { asset, date, price, reason } => {
                let basis = PriceBasis::Fallback { reason: reason.clone() };
                self.record_price(
                    *asset,
                    *date,
                    PriceRecord { price: *price, source: "fallback".into(), basis },
                );
            }
            Event::PriceCorrected { asset, date, new, restatement, .. } => {
                let basis = PriceBasis::Corrected;
                self.record_price(
                    *asset,
                    *date,
                    PriceRecord { price: *new, source: "correction".into(), basis },
                );
                self.restate(restatement)?;
            }
            Event::OrderAccepted { order } => self.keep(order.clone()),
            Event::LateOrderRecorded { order, restatement, .. } => {
                self.keep(order.clone());
                self.join_fee_holdings(order)?;
                self.restate(restatement)?;
            }
            Event::OrderCancelled { id } => {
                self.close(id, true)?;
            }
            Event::NavStruck { nav, dealt } => self.strike(nav, dealt)?,
            Event::OrderExecuted { id, trade, variance, cash_due } => {
                self.execute(id, trade, *variance, *cash_due)?
            }
            Event::OrderSettled { id, in_kind } => self.settle(id, in_kind.as_ref())?,
            Event::FeeAccrued { day, coins } => {
                self.parts.coins_accrued_through = *day;
                let holdings = self.fee_holdings()?;
                self.parts.coin_holdings.insert(*day, holdings);
                self.parts.coin_fees.insert(*day, coins.clone());
            }
            Event::Paid { liability, sale, amount } => self.pay(*liability, sale, *amount, at)?,
            Event::ExpenseRecorded { id, effective, amount, restatement, .. } => {
                self.parts.expenses.insert(id.clone(), (*effective, *amount));
                self.restate(restatement)?;
            }
            Event::Rebalanced { date, targets, sold, bought, .. } => {
                self.go_out(*date, MovementKind::SoldInRebalance, sold)?;
                self.come_in(*date, MovementKind::BoughtInRebalance, bought)?;
                let traded = sold.assets.iter().chain(&bought.assets);
                let prices = traded.map(|(asset, line)| (*asset, line.price)).collect();
                let targets = targets.clone();
                self.parts.last_rebalance = Some(LastRebalance { date: *date, targets, prices });
            }
            Event::AssetMigrated { date, asset, into, units, lots, price, .. } => {
                self.migrate(*date, (*asset, *into), lots)?;
                let change = Change::Migration { into: *into, units: *units };
                self.remember(*date, *asset, change, Some((*into, *price)));
            }
            Event::AssetWrittenOff { date, asset, vault, trading, cost, .. } => {
                let quantity = vault.try_add(*trading)?;
                let (price, value) = (Price::ZERO, Money::ZERO);
                let line = SaleLine { quantity, price, value, cost: *cost };
                let sale = Sale { assets: BTreeMap::from([(*asset, line)]), value };
                self.go_out(*date, MovementKind::WrittenOff, &sale)?;
                self.remember(*date, *asset, Change::WriteOff, None);
            }
            Event::GiftRecorded { date, asset, what, value, sold, .. } => {
                let change = Change::Gift { what: what.clone(), value: *value, sold: *sold };
                self.remember(*date, *asset, change, None);
            }
            Event::Exposure(event) => {
                if let Some(position) = &mut self.parts.position {
                    position.follow(event, at);
                }
                if let ExposureEvent::WipedOut { nav, .. } = event {
                    self.parts.navs.push((**nav).clone());
                }
            }
            Event::CustodyTransferred { .. } => {}
            Event::FundHalted { scope, reason } => {
                self.suspend((at, None), *scope, reason);
                self.parts.status = FundStatus::Halted { scope: *scope, reason: reason.clone() };
            }
            Event::FundResumed { .. } => {
                self.end_suspension(at);
                self.parts.status = FundStatus::Running;
            }
            Event::Distribution(event) => self.follow_distribution(event)?,
            Event::Staking(event) => self.follow_staking(event)?,
            Event::Life(event) => self.follow_life(event)?,
        }
        Ok((order, journal))
    }

    /// All coins of an asset become those of another, lot by lot: days and cost stay, so nothing is gained or lost.
    fn migrate(&mut self, date: Date, (asset, into): (Symbol, Symbol), lots: &[Lot]) -> Result<(), Refusal> {
        let old = self.parts.lots.get_mut(&asset).ok_or(Refusal::AssetMustBeInDefinition(asset))?;
        let quantity = old.quantity()?;
        let (cost, left) = old.relieve(quantity)?;
        *old = left;
        let line = SaleLine { quantity, price: Price::ZERO, value: cost, cost };
        self.move_coins(asset, leaving(date, MovementKind::GivenUpInMigration, &line)?);
        let new = self.parts.lots.get_mut(&into).ok_or(Refusal::AssetMustBeInDefinition(into))?;
        let scale = self.definition.asset(into).ok_or(Refusal::AssetMustBeInDefinition(into))?.scale;
        let mut quantity = Quantity::zero(scale);
        for lot in lots {
            new.acquire(*lot)?;
            quantity = quantity.try_add(lot.quantity)?;
        }
        let kind = MovementKind::ReceivedInMigration;
        self.move_coins(into, Movement { date, kind, quantity, value: cost, cost });
        Ok(())
    }

    fn remember(&mut self, date: Date, asset: Symbol, change: Change, price: Option<(Symbol, Price)>) {
        let struck = self.last_nav().map_or(self.definition.seed.date, |nav| nav.date);
        self.parts.asset_changes.push(KnownChange { date, asset, change, struck, price });
    }

    fn books(&mut self, event: &Event, order: Option<&Order>) -> Result<Journal, Refusal> {
        let journal = postings(event, order)?;
        self.parts.ledger.post(&journal)?;
        self.parts.reserve.follow(event, &journal, order)?;
        Ok(journal)
    }

    fn record_price(&mut self, asset: Symbol, date: Date, record: PriceRecord) {
        self.parts.prices.entry(asset).or_default().insert(date, record);
    }

    fn keep(&mut self, order: Order) {
        self.parts.orders.insert(order.id.clone(), order);
    }

    fn close(&mut self, id: &OrderId, cancelled: bool) -> Result<Order, Refusal> {
        let order = self.parts.orders.remove(id).ok_or_else(|| Refusal::OrderMustBeOpen(id.clone()))?;
        self.parts.closed.insert(id.clone(), closed_order(&order, cancelled));
        Ok(order)
    }

    fn strike(&mut self, nav: &NavRecord, dealt: &[OrderDealt]) -> Result<(), Refusal> {
        self.parts.navs.push(nav.clone());
        for deal in dealt {
            let order = self.open_order(&deal.id)?;
            order.state = OrderState::Struck { nav_value: deal.nav_value, coins: deal.coins.clone() };
        }
        let entitled = self.entitled_shares()?;
        self.parts.reserve.restate(&nav.current, entitled);
        Ok(())
    }

    fn execute(
        &mut self,
        id: &OrderId,
        trade: &Sale,
        variance: Money,
        cash_due: Money,
    ) -> Result<(), Refusal> {
        let order = self.open_order(id)?;
        let OrderState::Struck { nav_value, coins } = order.state.clone() else {
            return Err(Refusal::OrderMustBeOpen(id.clone()));
        };
        order.state = OrderState::Executed { nav_value, coins, variance, cash_due };
        let (side, date) = (order.side, order.trade_date);
        match side {
            OrderSide::Creation => self.come_in(date, MovementKind::Purchased, trade),
            OrderSide::Redemption => self.go_out(date, MovementKind::SoldForRedemption, trade),
        }
    }

    fn settle(&mut self, id: &OrderId, in_kind: Option<&Sale>) -> Result<(), Refusal> {
        let order = self.close(id, false)?;
        let issued = self.parts.issued;
        self.parts.issued = match order.side {
            OrderSide::Creation => issued.try_add(order.shares)?,
            OrderSide::Redemption => issued.try_sub(order.shares)?,
        };
        match (in_kind, order.side) {
            (None, _) => Ok(()),
            (Some(sale), OrderSide::Creation) => {
                self.come_in(order.trade_date, MovementKind::ContributedInKind, sale)
            }
            (Some(sale), OrderSide::Redemption) => {
                self.go_out(order.trade_date, MovementKind::DistributedInKind, sale)
            }
        }
    }

    fn pay(
        &mut self,
        liability: Liability,
        sale: &Sale,
        amount: Money,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        if let Liability::SponsorFee { through } = liability {
            self.parts.fee_paid = self.parts.fee_paid.try_add(amount)?;
            self.parts.coin_fees.retain(|day, _| through.is_some_and(|through| *day > through));
        }
        let kind = if amount.is_zero() {
            MovementKind::DistributedForSponsorFee
        } else {
            MovementKind::SoldForExpenses
        };
        self.go_out(self.definition.strike.zone.date_of(at), kind, sale)
    }

    pub(crate) fn restate(&mut self, restatement: &Restatement) -> Result<(), Refusal> {
        for nav in &restatement.navs {
            let index = self.parts.navs.binary_search_by_key(&nav.date, |nav| nav.date);
            let slot = index.ok().and_then(|index| self.parts.navs.get_mut(index));
            *slot.ok_or(Refusal::NavMustBeOnASession(nav.date))? = nav.clone();
        }
        for (day, coins) in &restatement.coin_fees {
            add_to(self.parts.coin_fees.entry(*day).or_default(), coins)?;
        }
        let entitled = self.entitled_shares()?;
        self.parts.reserve.promise(&restatement.promises, entitled);
        Ok(())
    }

    /// The coins of a late order belong to the holdings of every day after its strike.
    fn join_fee_holdings(&mut self, order: &Order) -> Result<(), Refusal> {
        let Some(coins) = order.coins_signed()? else { return Ok(()) };
        for (_, holdings) in self.parts.coin_holdings.range_mut(after(order.trade_date)) {
            add_to(holdings, &coins)?;
        }
        Ok(())
    }

    pub(crate) fn entitled_shares(&self) -> Result<Shares, NumberError> {
        entitled_shares(self.parts.issued, self.parts.orders.values())
    }

    pub(crate) fn open_order(&mut self, id: &OrderId) -> Result<&mut Order, Refusal> {
        self.parts.orders.get_mut(id).ok_or_else(|| Refusal::OrderMustBeOpen(id.clone()))
    }

    pub(crate) fn come_in(&mut self, date: Date, kind: MovementKind, sale: &Sale) -> Result<(), Refusal> {
        for (asset, line) in &sale.assets {
            let lots = self.parts.lots.get_mut(asset).ok_or(Refusal::AssetMustBeInDefinition(*asset))?;
            lots.acquire(Lot { acquired: date, quantity: line.quantity, cost: line.cost })?;
            let SaleLine { quantity, value, cost, .. } = *line;
            self.move_coins(*asset, Movement { date, kind, quantity, value, cost });
        }
        Ok(())
    }

    pub(crate) fn go_out(&mut self, date: Date, kind: MovementKind, sale: &Sale) -> Result<(), Refusal> {
        for (asset, line) in &sale.assets {
            let lots = self.parts.lots.get_mut(asset).ok_or(Refusal::AssetMustBeInDefinition(*asset))?;
            *lots = lots.relieve(line.quantity)?.1;
            self.move_coins(*asset, leaving(date, kind, line)?);
        }
        Ok(())
    }

    fn move_coins(&mut self, asset: Symbol, movement: Movement) {
        let movements = self.parts.movements.entry(asset).or_default();
        // An execution entered late belongs to its trade date: keep the list in order of what was true when.
        let place = movements.partition_point(|earlier| earlier.date <= movement.date);
        movements.insert(place, movement);
    }
}

/// What is remembered of an order that is over.
fn closed_order(order: &Order, cancelled: bool) -> ClosedOrder {
    ClosedOrder {
        participant: order.participant.clone(),
        method: order.method,
        side: order.side,
        shares: order.shares,
        trade_date: order.trade_date,
        cancelled,
    }
}

/// A fund of derivatives begins without a position.
fn position_of(definition: &FundDefinition, nav: &NavRecord, at: Timestamp) -> Option<Position> {
    let exposure = definition.exposure.as_ref()?;
    let index = nav.inputs.assets.values().next().map(|input| input.price).unwrap_or_default();
    Some(Position::none_yet(exposure.contract, index, nav.date, at))
}

fn add_to(
    sums: &mut BTreeMap<Symbol, Quantity>,
    coins: &BTreeMap<Symbol, Quantity>,
) -> Result<(), NumberError> {
    for (asset, quantity) in coins {
        let sum = sums.entry(*asset).or_insert(Quantity::zero(quantity.scale()));
        *sum = sum.try_add(*quantity)?;
    }
    Ok(())
}

/// Every day after this one.
pub(crate) fn after(day: Date) -> (Bound<Date>, Bound<Date>) {
    (Bound::Excluded(day), Bound::Unbounded)
}

/// The order that an event is about, when it has to be open already.
pub(crate) fn subject(event: &Event) -> Option<&OrderId> {
    match event {
        Event::OrderCancelled { id } | Event::OrderExecuted { id, .. } | Event::OrderSettled { id, .. } => {
            Some(id)
        }
        _ => None,
    }
}

fn leaving(date: Date, kind: MovementKind, line: &SaleLine) -> Result<Movement, NumberError> {
    Ok(Movement {
        date,
        kind,
        quantity: line.quantity.try_neg()?,
        value: line.value.try_neg()?,
        cost: line.cost.try_neg()?,
    })
}
