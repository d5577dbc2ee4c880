//! The strike: NAV in six steps, the Basket Amount, and the day's orders dealt at them.

use super::{exposure, short};
use crate::event::{AssetNav, Event, NavFigures, NavInputs, NavRecord, OrderDealt, Sale};
use crate::ledger::Account;
use crate::order::{Order, OrderSide, OrderState};
use crate::refusal::Refusal;
use crate::state::FundState;
use std::collections::BTreeMap;
use strongroom_fund::FundDefinition;
use strongroom_fund::definition::FundKind;
use strongroom_fund::valuation::{self, AssetPosition, MoneyPosition};
use strongroom_units::time::{Date, Timestamp};
use strongroom_units::{Money, NumberError, PerShare, Price, Quantity, Rounding, Shares, Symbol};

pub(super) fn strike(
    state: &FundState,
    date: Date,
    accept: Option<&str>,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    is_due(state, date, now)?;
    if let Some(reason) = accept {
        short("the reason", reason)?;
    }
    let mut events = super::life::before_strike(state, date)?;
    if events.is_empty() {
        return strike_now(state, date, accept, now);
    }
    let mut after = state.clone();
    for event in &events {
        after.apply(event, now)?;
    }
    events.extend(strike_now(&after, date, accept, now)?);
    Ok(events)
}

fn strike_now(
    state: &FundState,
    date: Date,
    accept: Option<&str>,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    let prices = prices_of(state, date)?;
    let mut inputs = inputs(state, &prices)?;
    inputs.evidence = super::rates::evidence(state, date)?;
    // A decision is on record only where one was needed.
    let accepted = match (look_at_prices(state, &inputs), accept) {
        (Ok(()), _) => None,
        (
            Err(Refusal::PriceMustBeWithinJumpLimit { .. } | Refusal::PriceMustNotBeStale { .. }),
            Some(reason),
        ) => Some(reason.to_owned()),
        (Err(refusal), _) => return Err(refusal),
    };
    let mut events = Vec::new();
    if let Some(settled) = settled(state, date, &prices, &mut inputs)? {
        events.push(Event::Exposure(settled.event.clone()));
        let left = exposure::before_fee(&inputs)?;
        if left <= Money::ZERO {
            let end = exposure::wiped_out(state, &settled, (inputs, left), (date, now))?;
            events.push(Event::Exposure(end));
            // No strike will deal what was not dealt before the last.
            let waiting = state.orders().filter(|order| order.state == OrderState::Accepted);
            events.extend(waiting.map(|order| Event::OrderCancelled { id: order.id.clone() }));
            return Ok(events);
        }
    }
    let figures = figures(state.definition(), &inputs, date)?;
    let dealt = deal(state, &figures, date)?;
    let nav =
        NavRecord { date, struck_at: now, inputs, current: figures.clone(), published: figures, accepted };
    covers_what_it_promises(state, &nav, &dealt)?;
    // There is nothing to buy or sell for an order of a fund without coins: what is due is its value at NAV.
    let due: Vec<Event> = match state.definition().kind {
        FundKind::Derivatives => dealt.iter().map(executed).collect(),
        FundKind::SingleAsset | FundKind::Basket => Vec::new(),
    };
    events.push(Event::NavStruck { nav: Box::new(nav), dealt });
    events.extend(due);
    Ok(events)
}

/// What a fund of derivatives settles before it is valued, put into the inputs.
fn settled(
    state: &FundState,
    date: Date,
    prices: &BTreeMap<Symbol, Price>,
    inputs: &mut NavInputs,
) -> Result<Option<exposure::Settled>, Refusal> {
    let Some((_, index)) = prices.first_key_value().filter(|_| state.position().is_some()) else {
        return Ok(None);
    };
    let settled = exposure::settle(state, date, *index)?;
    inputs.cash = inputs.cash.try_add(settled.money)?;
    inputs.position = Some(settled.position);
    Ok(Some(settled))
}

fn executed(dealt: &OrderDealt) -> Event {
    Event::OrderExecuted {
        id: dealt.id.clone(),
        trade: Sale { assets: BTreeMap::new(), value: Money::ZERO },
        variance: Money::ZERO,
        cash_due: dealt.nav_value,
    }
}

/// Values the fund from its inputs: the same function strikes, opens and corrects.
pub(super) fn figures(
    definition: &FundDefinition,
    inputs: &NavInputs,
    date: Date,
) -> Result<NavFigures, Refusal> {
    let assets: Vec<AssetPosition> = inputs.assets.values().map(position).collect();
    let money = MoneyPosition {
        cash: inputs.cash,
        accrued_fee: inputs.accrued_fee,
        accrued_expenses: inputs.accrued_expenses,
        distributions: inputs.distributions,
    };
    let valuation = valuation::value(&assets, &money, &definition.fee, inputs.after, date)?;
    if inputs.shares <= Shares::ZERO {
        return Err(Refusal::NavMustHaveSharesOutstanding);
    }
    if valuation.net_assets <= Money::ZERO {
        return Err(Refusal::NavMustBePositive(valuation.net_assets));
    }
    let nav_per_share = valuation.net_assets.per(i128::from(inputs.shares.count()), Rounding::HalfEven)?;
    let unpaid = inputs.accrued_fee.try_add(valuation.fee)?.try_add(inputs.accrued_expenses)?;
    let unpaid = unpaid.try_add(inputs.uncovered()?)?;
    let liability_coins = set_aside(inputs, unpaid)?;
    let mut basket_amount = BTreeMap::new();
    for (asset, input) in &inputs.assets {
        let liability = liability_coins.get(asset).copied().unwrap_or(Quantity::zero(input.owned.scale()));
        basket_amount.insert(*asset, basket_amount_of(inputs, input, liability)?);
    }
    if basket_amount.values().any(|amount| amount.is_negative()) {
        return Err(Refusal::NavMustBePositive(valuation.net_assets));
    }
    Ok(NavFigures {
        valuation,
        nav_per_share,
        nav_per_share_published: published(nav_per_share)?,
        basket_amount,
        liability_coins,
    })
}

/// The value of an order at NAV in cents: up for a creation and down for a redemption, so that rounding never
/// dilutes those who stay. Coins likewise.
pub(super) fn deal_order(
    order: &Order,
    figures: &NavFigures,
    scales: &Scales,
) -> Result<OrderDealt, Refusal> {
    let rounding = match order.side {
        OrderSide::Creation => Rounding::Ceiling,
        OrderSide::Redemption => Rounding::Floor,
    };
    let nav_value =
        figures.nav_per_share.times(i128::from(order.shares.count()), rounding)?.to_cents(rounding)?;
    let mut coins = BTreeMap::new();
    for (asset, amount) in &figures.basket_amount {
        let scale = scales.get(asset).copied().ok_or(Refusal::AssetMustBeInDefinition(*asset))?;
        coins.insert(*asset, amount.times(order.shares, scale, rounding)?);
    }
    Ok(OrderDealt { id: order.id.clone(), nav_value, coins })
}

/// The scale of each asset of a fund.
pub(super) type Scales = BTreeMap<Symbol, strongroom_units::Scale>;

pub(super) fn scales(definition: &FundDefinition) -> Scales {
    definition.assets.iter().map(|asset| (asset.symbol, asset.scale)).collect()
}

fn is_due(state: &FundState, date: Date, now: Timestamp) -> Result<(), Refusal> {
    super::life::is_not_liquidated(state)?;
    let definition = state.definition();
    let last = state.last_nav().map_or(definition.seed.date, |nav| nav.date);
    if !definition.calendar.is_session(date) {
        return Err(Refusal::NavMustBeOnASession(date));
    }
    if date <= last {
        return Err(Refusal::NavMustNotBeStruckTwice(date));
    }
    let next = definition.calendar.next_session(last)?;
    if date != next {
        return Err(Refusal::NavMustStrikeSessionsInOrder { next, given: date });
    }
    let at = definition.strike.instant(date)?;
    if now < at {
        return Err(Refusal::NavMustNotBeStruckEarly { date, at, now });
    }
    Ok(())
}

pub(super) fn prices_of(state: &FundState, date: Date) -> Result<BTreeMap<Symbol, Price>, Refusal> {
    let recorded = |asset| state.price(asset, date).map(|record| (asset, record.price));
    let assets = state.assets_to_price()?.into_iter();
    assets.map(|asset| recorded(asset).ok_or(Refusal::PriceMustBeOfTheStrikeDate { asset, date })).collect()
}

/// What a NAV struck now, at these prices, would be computed from.
pub(super) fn inputs(state: &FundState, prices: &BTreeMap<Symbol, Price>) -> Result<NavInputs, Refusal> {
    let ledger = state.ledger();
    let mut assets = BTreeMap::new();
    let to_price = state.assets_to_price()?;
    for position in state.reserve().positions()?.into_iter().filter(|p| to_price.contains(&p.asset)) {
        let asset = position.asset;
        let price = *prices.get(&asset).ok_or(Refusal::PriceMustBeGiven(asset))?;
        let zero = Quantity::zero(position.held.scale());
        let (pending_creations, pending_redemptions) = state.pending(asset, zero)?;
        let accrued_fee = ledger.coins(asset, Account::AccruedFee).unwrap_or(zero).try_neg()?;
        let owned = position.held;
        let input = AssetNav { price, owned, accrued_fee, pending_creations, pending_redemptions };
        assets.insert(asset, input);
    }
    if state.position().is_some() {
        for asset in &state.definition().assets {
            let price = *prices.get(&asset.symbol).ok_or(Refusal::PriceMustBeGiven(asset.symbol))?;
            assets.insert(asset.symbol, AssetNav::none_owned(price, asset.scale));
        }
    }
    let cash = ledger.money(Account::Cash).try_add(ledger.money(Account::Receivable))?;
    let cash = cash.try_add(ledger.money(Account::Margin))?;
    Ok(NavInputs {
        assets,
        shares: state.outstanding()?,
        entitled: state.reserve().entitled(),
        cash: cash.try_add(ledger.money(Account::Payable))?,
        accrued_fee: ledger.money(Account::AccruedFee).try_neg()?,
        accrued_expenses: ledger.money(Account::AccruedExpense).try_neg()?,
        distributions: ledger.money(Account::DistributionPayable).try_neg()?,
        after: state.last_nav().map_or(state.definition().seed.date, |nav| nav.date),
        evidence: BTreeMap::new(),
        position: None,
    })
}

/// Refuses a price that jumped or has not moved: a person decides, and the decision is on record.
fn look_at_prices(state: &FundState, inputs: &NavInputs) -> Result<(), Refusal> {
    let tolerance = state.definition().tolerance;
    for (asset, input) in &inputs.assets {
        let price = input.price;
        // Of the strikes in a row at which it was held: a coin that comes back has no price before.
        let history =
            || state.navs().iter().rev().map_while(|nav| nav.inputs.assets.get(asset)).map(|a| a.price);
        if let Some(before) = history().next()
            && jumped(before, price, tolerance.price_jump)?
        {
            let (asset, limit) = (*asset, tolerance.price_jump);
            return Err(Refusal::PriceMustBeWithinJumpLimit { asset, before, price, limit });
        }
        let sessions = 1 + history().take_while(|before| *before == price).count();
        if sessions > usize::from(tolerance.unchanged_sessions) {
            return Err(Refusal::PriceMustNotBeStale { asset: *asset, price, sessions });
        }
    }
    Ok(())
}

/// Whether |price ÷ before − 1| exceeds the limit.
pub(super) fn jumped(
    before: Price,
    price: Price,
    limit: strongroom_units::Rate,
) -> Result<bool, NumberError> {
    let move_abs = Price::from_units(price.try_sub(before)?.units().abs());
    let most = before.try_mul_div(
        limit.units(),
        10i128.pow(u32::from(strongroom_units::Rate::SCALE)),
        Rounding::Floor,
    )?;
    Ok(move_abs > most)
}

fn deal(state: &FundState, figures: &NavFigures, date: Date) -> Result<Vec<OrderDealt>, Refusal> {
    let scales = scales(state.definition());
    state
        .orders()
        .filter(|order| order.trade_date == date && order.state == OrderState::Accepted)
        .map(|order| {
            let dealt = deal_order(order, figures, &scales)?;
            // A fund of derivatives has no coins to give or take, not even none of them.
            let coins = if state.position().is_some() { BTreeMap::new() } else { dealt.coins };
            Ok(OrderDealt { coins, ..dealt })
        })
        .collect()
}

fn covers_what_it_promises(state: &FundState, nav: &NavRecord, dealt: &[OrderDealt]) -> Result<(), Refusal> {
    let mut entitled = state.reserve().entitled();
    for order in dealt.iter().filter_map(|deal| state.order(&deal.id)) {
        if order.side == OrderSide::Redemption {
            entitled = entitled.try_sub(order.shares)?;
        }
    }
    let mut reserve = state.reserve().clone();
    reserve.restate(&nav.current, entitled);
    reserve.check()
}

/// Coins set aside for what is owed in money, shared over the assets by value and rounded up, and for fee in coins.
///
/// Fee that a correction shows to have been paid too much is a claim on the sponsor: it is worth money in the NAV,
/// but no coins are there for it, so it is set against nothing here.
pub(super) fn set_aside(inputs: &NavInputs, unpaid: Money) -> Result<BTreeMap<Symbol, Quantity>, Refusal> {
    let value = |input: &AssetNav| input.price.value(input.owned, Rounding::HalfEven);
    let total = inputs.assets.values().try_fold(Money::ZERO, |sum, input| sum.try_add(value(input)?))?;
    let mut coins = BTreeMap::new();
    let unpaid = unpaid.max(Money::ZERO);
    for (asset, input) in &inputs.assets {
        if total.is_zero() {
            coins.insert(*asset, Quantity::zero(input.owned.scale())); // without coins, none are set aside
            continue;
        }
        let share = unpaid.try_mul_div(value(input)?.units(), total.units(), Rounding::Ceiling)?;
        let owed = share.buys(input.price, input.owned.scale(), Rounding::Ceiling)?;
        let fee = input.accrued_fee;
        coins.insert(*asset, if fee.is_negative() { owed } else { owed.try_add(fee)? });
    }
    Ok(coins)
}

fn basket_amount_of(
    inputs: &NavInputs,
    input: &AssetNav,
    liability: Quantity,
) -> Result<PerShare, NumberError> {
    let free = input.owned.try_sub(input.pending_redemptions)?.try_sub(liability)?;
    let coming = Coming { coins: input.pending_creations, shares: inputs.shares.try_sub(inputs.entitled)? };
    per_share(free, inputs.entitled, &coming)
}

/// Creations that are struck and not funded.
pub(super) struct Coming {
    pub(super) coins: Quantity,
    pub(super) shares: Shares,
}

/// `(owned − pending redemptions − set aside) ÷ entitled shares`, rounded down; or the same with the creations still
/// to be funded counted in on both sides, when that is less.
///
/// So the amount promised per share is covered by coins that are the fund's, and stays covered when a creation is
/// funded that was dealt at a lower amount: with the price up since, fewer coins pay what is owed in money.
pub(super) fn per_share(free: Quantity, entitled: Shares, coming: &Coming) -> Result<PerShare, NumberError> {
    let with_all =
        PerShare::of(free.try_add(coming.coins)?, entitled.try_add(coming.shares)?, Rounding::Floor)?;
    if entitled <= Shares::ZERO {
        return Ok(with_all);
    }
    Ok(with_all.min(PerShare::of(free, entitled, Rounding::Floor)?))
}

fn position(input: &AssetNav) -> AssetPosition {
    let AssetNav { price, owned, accrued_fee, pending_creations, pending_redemptions } = *input;
    AssetPosition { price, owned, accrued_fee, pending_creations, pending_redemptions }
}

/// NAV per share as published: two decimals, half up.
fn published(nav_per_share: Price) -> Result<Money, NumberError> {
    let cents = nav_per_share.round_to(2, Rounding::HalfUp)?;
    Money::try_from_decimal(cents.to_decimal())
}
