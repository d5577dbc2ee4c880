//! From a command to events or a refusal. Reads the state, writes nothing.

mod accrual;
mod assets;
mod corrections;
mod custody;
mod distributions;
mod exposure;
mod halts;
mod life;
mod open;
mod orders;
mod payments;
mod prices;
mod promise;
mod rates;
mod rebalance;
mod registers;
mod staking;
mod strike;
mod weights;

pub(crate) use accrual::accruals;
pub(crate) use exposure::net_assets;
pub use rebalance::Trades;

use crate::command::{Command, HaltScope};
use crate::event::{Event, Sale, SaleLine};
use crate::fund::Outcome;
use crate::order::Order;
use crate::posting::postings;
use crate::refusal::{ExposureRefusal, Refusal};
use crate::state::{FundState, FundStatus};
use std::collections::BTreeMap;
use strongroom_units::time::Timestamp;
use strongroom_units::{Money, Price, Quantity, Rounding, Symbol};

/// Events to apply, or the word that the command had been done before.
pub(crate) type Decision = Result<(Vec<Event>, Outcome), Refusal>;

/// Decides a command against a fund that may not be open yet.
pub(crate) fn decide(state: Option<&FundState>, command: &Command, now: Timestamp) -> Decision {
    let Some(state) = state else {
        return match command {
            Command::OpenFund { definition, seed_prices, weights } => {
                done(open::open(definition, seed_prices, weights, now)?)
            }
            _ => Err(Refusal::FundMustBeOpen),
        };
    };
    if now < state.last_at() {
        return Err(Refusal::ClockMustNotGoBack { now, last: state.last_at() });
    }
    must_not_be_wiped_out(state, command)?;
    match command {
        Command::OpenFund { definition, .. } => open::again(state, definition),
        Command::ImportPrices { asset, source, rows } => prices::import(state, *asset, source, rows, now),
        Command::RecordRate { asset, date, evidence } => rates::record(state, *asset, *date, evidence, now),
        Command::DecideFallback { asset, date, price, reason } => {
            rates::decide_fallback(state, *asset, *date, *price, reason, now)
        }
        Command::CorrectPrice { asset, date, price, reason } => {
            corrections::price(state, *asset, *date, *price, reason)
        }
        Command::SubmitOrder(order) => orders::submit(state, order, now),
        Command::RecordLateOrder { order, reason } => orders::record_late(state, order, reason, now),
        Command::CancelOrder { id } => orders::cancel(state, id, now),
        Command::ExecuteOrder { id, prices } => done(orders::execute(state, id, prices)?),
        Command::SettleOrder { id } => done(orders::settle(state, id, now)?),
        Command::StrikeNav { date, accept } => done(strike::strike(state, *date, accept.as_deref(), now)?),
        Command::Pay { liability, prices } => done(payments::pay(state, *liability, prices)?),
        Command::RecordExpense { id, effective, amount, memo } => {
            corrections::expense(state, id, *effective, *amount, memo, now)
        }
        Command::ChangeAsset(given) => assets::change(state, given, now),
        Command::Rebalance(rebalance) => rebalance::rebalance(state, rebalance),
        Command::Exposure(command) => exposure::decide(state, command, now),
        Command::TransferCustody { asset, from, to, quantity } => {
            done(custody::transfer(state, *asset, *from, *to, *quantity)?)
        }
        Command::Halt { scope, reason } => halt(state, *scope, reason),
        Command::Resume { reason } => resume(state, reason),
        Command::Distribution(command) => distributions::decide(state, command, now),
        Command::Staking(command) => staking::decide(state, command, now),
        Command::Life(command) => life::decide(state, command, now),
        Command::Wake => done(Vec::new()),
    }
}

/// What is left to be done after the end: to give what was dealt before it.
fn must_not_be_wiped_out(state: &FundState, command: &Command) -> Result<(), Refusal> {
    match (state.wiped_out(), command) {
        (None, _) | (Some(_), Command::OpenFund { .. } | Command::SettleOrder { .. } | Command::Wake) => {
            Ok(())
        }
        (Some(date), _) => Err(ExposureRefusal::FundMustNotBeWipedOut(date).into()),
    }
}

fn done(events: Vec<Event>) -> Decision {
    Ok((events, Outcome::Done))
}

fn halt(state: &FundState, scope: HaltScope, reason: &str) -> Decision {
    short("the reason", reason)?;
    let halted = FundStatus::Halted { scope, reason: reason.to_owned() };
    if *state.status() == halted {
        return Ok((Vec::new(), Outcome::AlreadyDone));
    }
    done(vec![Event::FundHalted { scope, reason: reason.to_owned() }])
}

fn resume(state: &FundState, reason: &str) -> Decision {
    short("the reason", reason)?;
    if *state.status() == FundStatus::Running {
        return Err(Refusal::FundMustBeHalted);
    }
    done(vec![Event::FundResumed { reason: reason.to_owned() }])
}

/// Texts that people write for the record: one line, bounded.
fn short(what: &'static str, text: &str) -> Result<(), Refusal> {
    let fits = !text.trim().is_empty() && text.chars().count() <= 200 && !text.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(Refusal::TextMustBeShort(what)) }
}

/// Refuses events whose coins would leave the reserve below what is owed.
fn covered(state: &FundState, event: Event, order: Option<&Order>) -> Result<Vec<Event>, Refusal> {
    let mut reserve = state.reserve().clone();
    reserve.follow(&event, &postings(&event, order)?, order)?;
    reserve.check()?;
    Ok(vec![event])
}

/// Values coins at prices, each asset rounded to cents: up for what is paid, down for what is received.
fn valued(
    coins: &BTreeMap<Symbol, Quantity>,
    prices: &BTreeMap<Symbol, Price>,
    rounding: Rounding,
    cost: impl Fn(Symbol, Quantity, Money) -> Result<Money, Refusal>,
) -> Result<Sale, Refusal> {
    let mut assets = BTreeMap::new();
    let mut total = Money::ZERO;
    for (asset, quantity) in coins {
        let price = positive(*asset, prices)?;
        let value = price.value(*quantity, rounding)?.to_cents(rounding)?;
        total = total.try_add(value)?;
        let cost = cost(*asset, *quantity, value)?;
        assets.insert(*asset, SaleLine { quantity: *quantity, price, value, cost });
    }
    Ok(Sale { assets, value: total })
}

fn positive(asset: Symbol, prices: &BTreeMap<Symbol, Price>) -> Result<Price, Refusal> {
    prices.get(&asset).copied().filter(|price| *price > Price::ZERO).ok_or(Refusal::PriceMustBeGiven(asset))
}

/// The cost that leaves the lots with these coins.
fn relieved(state: &FundState, asset: Symbol, quantity: Quantity) -> Result<Money, Refusal> {
    let lots = state.lots(asset).ok_or(Refusal::AssetMustBeInDefinition(asset))?;
    Ok(lots.relieve(quantity)?.0)
}
