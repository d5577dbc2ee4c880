//! Decisions on the position of a fund of derivatives: funding, settlement at the strike, rolls, resets and margin.

use super::{Decision, done, short};
use crate::event::{Event, NavFigures, NavInputs, NavRecord};
use crate::exposure::{ExposureCommand, ExposureEvent, Forced, FundingRow, Position, PositionNav, coins};
use crate::fund::Outcome;
use crate::ledger::Account;
use crate::refusal::{ExposureRefusal, Refusal};
use crate::state::FundState;
use std::collections::BTreeMap;
use strongroom_fund::definition::{Exposure, days_between};
use strongroom_fund::valuation::{self, MoneyPosition};
use strongroom_units::time::{Date, Timestamp};
use strongroom_units::{Money, NumberError, PerShare, Price, Quantity, Rate, Rounding};

const ONE: i128 = 10i128.pow(Rate::SCALE as u32);
/// Days in the year of financing and of what cash earns.
const MONEY_MARKET_YEAR: i128 = 360;
/// Funding rows in one command.
const ROWS_MAX: usize = 1_000;
/// Contracts of one position.
const CONTRACTS_MAX: i128 = 1_000_000_000_000_000;

pub(super) fn decide(state: &FundState, command: &ExposureCommand, now: Timestamp) -> Decision {
    let (exposure, position) = of(state)?;
    match command {
        ExposureCommand::RecordFunding { source, rows } => {
            short("the source", source)?;
            record_funding(position, exposure, source, rows, now)
        }
        ExposureCommand::Reset { date, price, reason } => {
            short("the reason", reason)?;
            if position.last_reset == Some(*date) {
                return Ok((Vec::new(), Outcome::AlreadyDone));
            }
            follows_the_strike(state, *date)?;
            done(vec![Event::Exposure(reset(state, *date, *price, reason)?)])
        }
        ExposureCommand::Roll { date, from_price, to_price } => {
            follows_the_strike(state, *date)?;
            roll(state, *date, (*from_price, *to_price))
        }
        ExposureCommand::MoveMargin { amount } => {
            done(vec![Event::Exposure(move_margin(state, position, exposure, *amount)?)])
        }
    }
}

/// The terms and the position of a fund of derivatives; refuses every other fund.
pub(super) fn of(state: &FundState) -> Result<(&Exposure, &Position), Refusal> {
    let definition = state.definition();
    match (&definition.exposure, state.position()) {
        (Some(exposure), Some(position)) => Ok((exposure, position)),
        _ => Err(ExposureRefusal::ExposureMustBeOfDerivatives(definition.id).into()),
    }
}

fn follows_the_strike(state: &FundState, given: Date) -> Result<(), Refusal> {
    let last = state.last_nav().map_or(state.definition().seed.date, |nav| nav.date);
    if given == last {
        Ok(())
    } else {
        Err(ExposureRefusal::ExposureMustFollowTheLastStrike { last, given }.into())
    }
}

fn record_funding(
    position: &Position,
    exposure: &Exposure,
    source: &str,
    rows: &[FundingRow],
    now: Timestamp,
) -> Decision {
    if exposure.instrument != strongroom_fund::definition::Instrument::Perpetual {
        return Err(ExposureRefusal::FundingMustBeOfAPerpetual.into());
    }
    if rows.len() > ROWS_MAX {
        return Err(Refusal::ImportMustBeBounded(rows.len()));
    }
    let mut fresh: Vec<FundingRow> = Vec::new();
    let mut last = position.last_funding();
    for row in rows {
        if row.at > now {
            return Err(ExposureRefusal::FundingMustNotBeFromTheFuture(row.at).into());
        }
        if row.rate.units().abs() >= ONE {
            return Err(ExposureRefusal::FundingMustBeAFraction { at: row.at, rate: row.rate }.into());
        }
        match position.funding.get(&row.at) {
            Some(recorded) if *recorded == row.rate => continue,
            Some(recorded) => {
                let (at, recorded, given) = (row.at, *recorded, row.rate);
                return Err(ExposureRefusal::FundingMustNotChangeSilently { at, recorded, given }.into());
            }
            None => {}
        }
        if row.at <= position.traded_at {
            return Err(ExposureRefusal::FundingMustPrecedeTheTrade {
                at: row.at,
                traded: position.traded_at,
            }
            .into());
        }
        if last.is_some_and(|last| row.at <= last) {
            return Err(ExposureRefusal::FundingMustBeInOrder(row.at).into());
        }
        last = Some(row.at);
        fresh.push(*row);
    }
    if fresh.is_empty() {
        return Ok((Vec::new(), Outcome::AlreadyDone));
    }
    let notional = position.notional()?;
    let amount = fresh.iter().try_fold(Money::ZERO, |sum, row| sum.try_add(part(notional, row.rate)?))?;
    done(vec![Event::Exposure(ExposureEvent::FundingPaid { source: source.to_owned(), rows: fresh, amount })])
}

/// What a strike settles first.
pub(super) struct Settled {
    pub event: ExposureEvent,
    /// What it adds to the fund's money.
    pub money: Money,
    /// The position in the NAV.
    pub position: PositionNav,
}

/// Settles the days since the last strike at the index of this one.
///
/// The gain is on the difference of marks, half even at eight decimals; financing is on the worth at the last mark and income on
/// cash and margin as they were, both for each calendar day on 360.
pub(super) fn settle(state: &FundState, date: Date, index: Price) -> Result<Settled, Refusal> {
    let (exposure, position) = of(state)?;
    if let Some(expiry) = position.expiry.filter(|expiry| date > *expiry && position.contracts != 0) {
        return Err(ExposureRefusal::FuturesMustBeRolledBeforeExpiry { expiry, date }.into());
    }
    let mark = exposure.mark(index, date, position.expiry)?;
    let held = position.coins()?;
    let gain = mark.try_sub(position.mark)?.value(held, Rounding::HalfEven)?;
    let days = i128::from(days_between(position.settled, date));
    let rate_on = |dated: &Option<strongroom_fund::definition::Dated<Rate>>| {
        dated.as_ref().and_then(|dated| dated.at(date)).copied().unwrap_or(Rate::ZERO)
    };
    let financing = of_days(position.notional()?, rate_on(&exposure.financing), days)?;
    let ledger = state.ledger();
    let margin = ledger.money(Account::Margin);
    let earning = ledger.money(Account::Cash).try_add(margin)?.max(Money::ZERO);
    let income = of_days(earning, rate_on(&exposure.collateral_yield), days)?;
    let mut margin = margin.try_add(gain)?.try_sub(financing)?;
    let notional = mark.value(held, Rounding::HalfEven)?;
    let is_short = margin < part(size(notional), exposure.margin.maintenance)?;
    let was_called = position.call.is_some();
    let forced = match is_short && was_called {
        true => Some(forced(exposure, position, (mark, margin), date)?),
        false => None,
    };
    if let Some(forced) = forced {
        margin = margin.try_sub(forced.cost)?;
    }
    let call = match is_short && !was_called {
        true => Some(
            part(size(notional), exposure.margin.initial)?.to_cents(Rounding::Ceiling)?.try_sub(margin)?,
        ),
        false => None,
    };
    let cost = forced.map_or(Money::ZERO, |forced| forced.cost);
    let contracts = position.contracts;
    Ok(Settled {
        event: ExposureEvent::Settled { date, contracts, mark, gain, financing, income, call, forced },
        money: gain.try_sub(financing)?.try_add(income)?.try_sub(cost)?,
        position: PositionNav { contracts, coins: held, mark, expiry: position.expiry, margin },
    })
}

/// What the margin supports at the initial requirement; nothing when there is none.
fn forced(
    exposure: &Exposure,
    position: &Position,
    (mark, margin): (Price, Money),
    date: Date,
) -> Result<Forced, Refusal> {
    let each = part(mark.value(position.contract, Rounding::Ceiling)?, exposure.margin.initial)?;
    let most = match each.units() {
        each if each > 0 => margin.units().max(0) / each,
        _ => 0,
    };
    let left = most.min(i128::from(position.contracts).abs()) * i128::from(position.contracts.signum());
    let to = i64::try_from(left).map_err(|_| NumberError::Overflow)?;
    let cost = cost(exposure, date, traded(position.contract, (position.contracts, to), mark)?)?;
    Ok(Forced { from: position.contracts, to, cost })
}

/// The end of a fund of which nothing is left: what it could not pay is the broker's loss, and the last NAV is zero.
pub(super) fn wiped_out(
    state: &FundState,
    settled: &Settled,
    (inputs, net_assets): (NavInputs, Money),
    (date, now): (Date, Timestamp),
) -> Result<ExposureEvent, Refusal> {
    let shortfall = net_assets.try_neg()?;
    let mut inputs = inputs;
    inputs.cash = inputs.cash.try_add(shortfall)?;
    let figures = nothing_left(state, &inputs, date)?;
    let nav = NavRecord {
        date,
        struck_at: now,
        inputs,
        current: figures.clone(),
        published: figures,
        accepted: None,
    };
    let contracts = match &settled.event {
        ExposureEvent::Settled { forced: Some(forced), .. } => forced.to,
        _ => settled.position.contracts,
    };
    let margin = settled.position.margin.try_add(shortfall)?;
    Ok(ExposureEvent::WipedOut { date, contracts, shortfall, margin, nav: Box::new(nav) })
}

/// Net assets before the day's fee: with nothing there, no fee is due.
pub(super) fn before_fee(inputs: &NavInputs) -> Result<Money, NumberError> {
    let owed = inputs.accrued_fee.try_add(inputs.accrued_expenses)?.try_add(inputs.distributions)?;
    inputs.cash.try_sub(owed)
}

fn nothing_left(state: &FundState, inputs: &NavInputs, date: Date) -> Result<NavFigures, Refusal> {
    let money = MoneyPosition {
        distributions: inputs.distributions,
        cash: inputs.cash,
        accrued_fee: inputs.accrued_fee,
        accrued_expenses: inputs.accrued_expenses,
    };
    let valuation = valuation::value(&[], &money, &state.definition().fee, date, date)?;
    let zeros = inputs.assets.iter().map(|(asset, input)| (*asset, Quantity::zero(input.owned.scale())));
    Ok(NavFigures {
        valuation,
        nav_per_share: Price::ZERO,
        nav_per_share_published: Money::ZERO,
        basket_amount: inputs.assets.keys().map(|asset| (*asset, PerShare::ZERO)).collect(),
        liability_coins: zeros.collect::<BTreeMap<_, _>>(),
    })
}

/// Net assets by the books, with the orders of the last strike dealt.
pub(crate) fn net_assets(state: &FundState) -> Result<Money, NumberError> {
    use Account::{AccruedExpense, AccruedFee, Cash, Margin, Payable, Receivable};
    let accounts = [Cash, Margin, Receivable, Payable, AccruedFee, AccruedExpense];
    accounts.iter().try_fold(Money::ZERO, |sum, account| sum.try_add(state.ledger().money(*account)))
}

/// Contracts at which exposure is factor × net assets at a mark: to the nearest contract.
fn target(exposure: &Exposure, date: Date, net_assets: Money, mark: Price) -> Result<i64, Refusal> {
    let factor = exposure.factor.at(date).copied().unwrap_or(Rate::ZERO);
    let scale = exposure.contract.scale();
    let wanted = part(net_assets, factor)?.buys(mark, scale, Rounding::HalfEven)?;
    let whole =
        Rate::from_units(wanted.units()).try_mul_div(1, exposure.contract.units(), Rounding::HalfEven)?;
    if whole.units().abs() > CONTRACTS_MAX {
        return Err(NumberError::Overflow.into());
    }
    Ok(i64::try_from(whole.units()).map_err(|_| NumberError::Overflow)?)
}

fn reset(
    state: &FundState,
    date: Date,
    price: Option<Price>,
    reason: &str,
) -> Result<ExposureEvent, Refusal> {
    let (exposure, position) = of(state)?;
    let calendar = state.definition().calendar;
    let expiry = match position.contracts {
        0 => exposure.expiry_after(calendar, date)?,
        _ => position.expiry,
    };
    let mark = match position.contracts {
        0 => exposure.mark(index_on(state, date)?, date, expiry)?,
        _ => position.mark,
    };
    let price = traded_at(price, mark)?;
    let net_assets = net_assets(state)?;
    let to = target(exposure, date, net_assets, mark)?;
    let from = position.contracts;
    let bought = coins(exposure.contract, to.checked_sub(from).ok_or(NumberError::Overflow)?)?;
    let gain = mark.try_sub(price)?.value(bought, Rounding::HalfEven)?;
    let cost = cost(exposure, date, traded(exposure.contract, (from, to), price)?)?;
    let notional = mark.value(coins(exposure.contract, to)?, Rounding::HalfEven)?;
    let there = state.ledger().money(Account::Margin).try_add(gain)?.try_sub(cost)?;
    let wanted = part(size(notional), exposure.margin.initial)?.to_cents(Rounding::Ceiling)?;
    // Whole cents either way, so that what is left on the account keeps its fraction of a cent.
    let wanted = wanted.try_sub(there)?.to_cents(Rounding::Ceiling)?;
    let cash = state.ledger().money(Account::Cash).to_cents(Rounding::Floor)?;
    let margin = wanted.min(cash.max(Money::ZERO));
    let needed = part(size(notional), exposure.margin.maintenance)?;
    if there.try_add(margin)? < needed {
        return Err(
            ExposureRefusal::MarginMustCoverThePosition { needed, there: there.try_add(margin)? }.into()
        );
    }
    let reason = reason.to_owned();
    Ok(ExposureEvent::Reset { date, from, to, net_assets, price, mark, expiry, gain, cost, margin, reason })
}

/// The same worth of the next futures: to the nearest contract.
fn roll(state: &FundState, date: Date, given: (Option<Price>, Option<Price>)) -> Decision {
    let (exposure, position) = of(state)?;
    let next = exposure.expiry_after(state.definition().calendar, date)?;
    let (Some(from_expiry), Some(to_expiry)) = (position.expiry, next) else {
        return Err(ExposureRefusal::FuturesMustBeHeldToBeRolled.into());
    };
    if from_expiry == to_expiry {
        return Ok((Vec::new(), Outcome::AlreadyDone));
    }
    let mark = exposure.mark(index_on(state, date)?, date, Some(to_expiry))?;
    let (from_price, to_price) = (traded_at(given.0, position.mark)?, traded_at(given.1, mark)?);
    let from = position.contracts;
    let worth = Rate::from_units(i128::from(from));
    let to = worth.try_mul_div(from_price.units(), to_price.units(), Rounding::HalfEven)?.units();
    let to = i64::try_from(to).map_err(|_| NumberError::Overflow)?;
    let sold = from_price.try_sub(position.mark)?.value(position.coins()?, Rounding::HalfEven)?;
    let bought = mark.try_sub(to_price)?.value(coins(exposure.contract, to)?, Rounding::HalfEven)?;
    let both = traded(exposure.contract, (from, 0), from_price)?.try_add(traded(
        exposure.contract,
        (0, to),
        to_price,
    )?)?;
    let (gain, cost) = (sold.try_add(bought)?, cost(exposure, date, both)?);
    done(vec![Event::Exposure(ExposureEvent::Rolled {
        date,
        from_expiry,
        to_expiry,
        from,
        to,
        from_price,
        to_price,
        mark,
        gain,
        cost,
    })])
}

fn move_margin(
    state: &FundState,
    position: &Position,
    exposure: &Exposure,
    amount: Money,
) -> Result<ExposureEvent, Refusal> {
    if amount.is_zero() {
        return Err(Refusal::AmountMustBePositive(amount));
    }
    if amount.to_cents(Rounding::Floor)? != amount {
        return Err(Refusal::AmountMustBeInCents(amount));
    }
    has_cash(state, amount)?;
    let there = state.ledger().money(Account::Margin).try_add(amount)?;
    let needed = part(size(position.notional()?), exposure.margin.maintenance)?;
    if amount.is_negative() && there < needed {
        return Err(ExposureRefusal::MarginMustCoverThePosition { needed, there }.into());
    }
    Ok(ExposureEvent::MarginMoved { amount })
}

/// Refuses to pay more than is in the bank: the rest is on the margin account, or not there.
pub(super) fn has_cash(state: &FundState, needed: Money) -> Result<(), Refusal> {
    let held = state.ledger().money(Account::Cash);
    if needed > held { Err(ExposureRefusal::CashMustCoverThePayment { needed, held }.into()) } else { Ok(()) }
}

fn index_on(state: &FundState, date: Date) -> Result<Price, Refusal> {
    let asset = state.definition().assets.first().map(|asset| asset.symbol);
    let asset = asset.ok_or(Refusal::FundMustBeOpen)?;
    let record = state.price(asset, date).ok_or(Refusal::PriceMustBeOfTheStrikeDate { asset, date })?;
    Ok(record.price)
}

fn traded_at(given: Option<Price>, mark: Price) -> Result<Price, Refusal> {
    match given {
        Some(price) if price <= Price::ZERO => {
            Err(ExposureRefusal::ContractPriceMustBePositive(price).into())
        }
        Some(price) => Ok(price),
        None => Ok(mark),
    }
}

/// What contracts that change hands are worth, either way.
fn traded(contract: Quantity, (from, to): (i64, i64), price: Price) -> Result<Money, NumberError> {
    let count = to.checked_sub(from).and_then(i64::checked_abs).ok_or(NumberError::Overflow)?;
    price.value(coins(contract, count)?, Rounding::HalfEven)
}

/// The definition's cost of a trade, in cents rounded up.
fn cost(exposure: &Exposure, date: Date, traded: Money) -> Result<Money, NumberError> {
    let rate = exposure.cost.at(date).copied().unwrap_or(Rate::ZERO);
    traded.try_mul_div(rate.units(), ONE, Rounding::Ceiling)?.to_cents(Rounding::Ceiling)
}

fn part(amount: Money, rate: Rate) -> Result<Money, NumberError> {
    amount.try_mul_div(rate.units(), ONE, Rounding::HalfEven)
}

fn of_days(amount: Money, annual: Rate, days: i128) -> Result<Money, NumberError> {
    let numerator = annual.units().checked_mul(days).ok_or(NumberError::Overflow)?;
    amount.try_mul_div(numerator, MONEY_MARKET_YEAR * ONE, Rounding::HalfEven)
}

fn size(amount: Money) -> Money {
    Money::from_units(amount.units().abs())
}
