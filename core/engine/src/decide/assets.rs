//! What happens to an asset that a basket holds, and that nobody trades: a migration, a write-off, a gift to its holders.
//!
//! It is recorded between sessions, when no order's coins are on their way. Coins per share are others after it, so what is
//! promised is promised anew, at the prices of the last strike: a migrated coin is worth its predecessor over the ratio until it
//! has a price of its own.

use super::rebalance::promises_of;
use super::{Decision, covered, done, relieved, short};
use crate::command::{AssetChange, Change};
use crate::event::{Converted, Event};
use crate::fund::Outcome;
use crate::ledger::Account;
use crate::refusal::Refusal;
use crate::state::FundState;
use std::collections::BTreeMap;
use strongroom_fund::definition::FundKind;
use strongroom_fund::lots::Lot;
use strongroom_units::time::Timestamp;
use strongroom_units::{Money, NumberError, Price, Quantity, Rate, Rounding, Scale, Symbol};

const ONE: i128 = 10i128.pow(Rate::SCALE as u32);

pub(super) fn change(state: &FundState, given: &AssetChange, now: Timestamp) -> Decision {
    short("the reason", &given.reason)?;
    if state.parts.asset_changes.iter().any(|known| known.is_of(given)) {
        return Ok((Vec::new(), Outcome::AlreadyDone));
    }
    is_due(state, given, now)?;
    let event = match &given.change {
        Change::Migration { into, units } => migration(state, given, *into, *units)?,
        Change::WriteOff => write_off(state, given)?,
        Change::Gift { what, value, sold } => {
            short("what was given", what)?;
            return done(vec![gift(state, given, (what, *value), *sold)?]);
        }
    };
    done(covered(state, event, None)?)
}

fn is_due(state: &FundState, given: &AssetChange, now: Timestamp) -> Result<(), Refusal> {
    let definition = state.definition();
    match (&given.change, definition.kind) {
        (_, FundKind::Basket) => {}
        (Change::Gift { sold, .. }, _) => super::life::follows_gift_policy(definition, *sold)?,
        _ => return Err(Refusal::AssetChangeMustBeOfABasket(definition.id)),
    }
    if given.date > definition.strike.zone.date_of(now) {
        return Err(Refusal::DateMustNotBeInTheFuture(given.date));
    }
    if given.date < definition.seed.date {
        return Err(Refusal::DateMustNotPrecedeTheFund(given.date));
    }
    if let Some(order) = state.orders().find(|order| order.coins().is_some()) {
        return Err(Refusal::AssetChangeMustFollowSettlements(order.id.clone()));
    }
    match held(state, given.asset) {
        Some(quantity) if !quantity.is_zero() => Ok(()),
        _ => Err(Refusal::AssetChangeMustBeOfWhatIsHeld(given.asset)),
    }
}

fn held(state: &FundState, asset: Symbol) -> Option<Quantity> {
    state.lots(asset)?.quantity().ok()
}

fn balance(state: &FundState, asset: Symbol, account: Account) -> Result<Quantity, Refusal> {
    let scale = scale_of(state, asset)?;
    Ok(state.ledger().coins(asset, account).unwrap_or(Quantity::zero(scale)))
}

fn scale_of(state: &FundState, asset: Symbol) -> Result<Scale, Refusal> {
    Ok(state.definition().asset(asset).ok_or(Refusal::AssetMustBeInDefinition(asset))?.scale)
}

/// Old units become new ones in each balance, rounded down to the new base unit; cost and days of acquisition stay.
fn migration(state: &FundState, given: &AssetChange, into: Symbol, units: Rate) -> Result<Event, Refusal> {
    let asset = given.asset;
    let scale = scale_of(state, into)?;
    if into == asset || units <= Rate::ZERO {
        return Err(Refusal::MigrationMustBeIntoAnother { asset, into, units });
    }
    let convert = |account| -> Result<Converted, Refusal> {
        let out = balance(state, asset, account)?;
        Ok(Converted { out, into: converted(out, units, scale)? })
    };
    let (vault, trading) = (convert(Account::Vault)?, convert(Account::Trading)?);
    let left = vault.out.try_add(trading.out)?;
    let came = vault.into.try_add(trading.into)?;
    let lots = carried_over(state, asset, (left, came))?;
    let mut prices = state.last_prices();
    let price = prices.get(&asset).copied().ok_or(Refusal::PriceMustBeGiven(asset))?;
    prices.entry(into).or_insert(price.try_mul_div(ONE, units.units(), Rounding::HalfEven)?);
    let mut coins = coins_held(state)?;
    coins.insert(asset, Quantity::zero(left.scale()));
    let both = coins.get(&into).copied().unwrap_or(Quantity::zero(scale)).try_add(came)?;
    coins.insert(into, both);
    let promises = promises_of(state, coins, &prices)?;
    let (price, reason) = (prices.get(&into).copied().unwrap_or_default(), given.reason.clone());
    Ok(Event::AssetMigrated {
        date: given.date,
        asset,
        into,
        units,
        vault,
        trading,
        lots,
        price,
        reason,
        promises,
    })
}

fn converted(quantity: Quantity, units: Rate, scale: Scale) -> Result<Quantity, Refusal> {
    // quantity·10^-from × units·10^-18 = new·10^-to, with one rounding
    let power = |decimals: u8| 10i128.checked_pow(u32::from(decimals)).ok_or(NumberError::Overflow);
    let (from, to) = (quantity.scale().decimals(), scale.decimals());
    let factor = units.units().checked_mul(power(to.saturating_sub(from))?).ok_or(NumberError::Overflow)?;
    let divisor = ONE.checked_mul(power(from.saturating_sub(to))?).ok_or(NumberError::Overflow)?;
    let moved = Rate::from_units(quantity.units()).try_mul_div(factor, divisor, Rounding::Floor)?;
    Ok(Quantity::from_units(moved.units(), scale))
}

/// The lots in new units: parts by the coins before, rounded down cumulatively so that they come to the whole.
fn carried_over(
    state: &FundState,
    asset: Symbol,
    (left, came): (Quantity, Quantity),
) -> Result<Vec<Lot>, Refusal> {
    let old = state.lots(asset).ok_or(Refusal::AssetMustBeInDefinition(asset))?;
    let (mut before, mut after) = (Quantity::zero(left.scale()), Quantity::zero(came.scale()));
    let mut lots = Vec::new();
    for lot in old.lots() {
        before = before.try_add(lot.quantity)?;
        let whole = Rate::from_units(came.units());
        let units = whole.try_mul_div(before.units(), left.units(), Rounding::Floor)?.units();
        let next = Quantity::from_units(units, came.scale());
        lots.push(Lot { quantity: next.try_sub(after)?, ..*lot });
        after = next;
    }
    Ok(lots)
}

fn coins_held(state: &FundState) -> Result<BTreeMap<Symbol, Quantity>, Refusal> {
    Ok(state.reserve().positions()?.iter().map(|position| (position.asset, position.held)).collect())
}

/// The asset is worth nothing and leaves; its cost is a loss.
fn write_off(state: &FundState, given: &AssetChange) -> Result<Event, Refusal> {
    let asset = given.asset;
    let (vault, trading) = (balance(state, asset, Account::Vault)?, balance(state, asset, Account::Trading)?);
    let mut coins = coins_held(state)?;
    coins.insert(asset, Quantity::zero(vault.scale()));
    if coins.values().all(|quantity| quantity.is_zero()) {
        return Err(Refusal::WriteOffMustLeaveSomething(asset));
    }
    let cost = relieved(state, asset, vault.try_add(trading)?)?;
    let promises = promises_of(state, coins, &state.last_prices())?;
    let reason = given.reason.clone();
    Ok(Event::AssetWrittenOff { date: given.date, asset, vault, trading, cost, reason, promises })
}

/// What holders are given is sold at its worth, in cents rounded down, or left.
fn gift(
    state: &FundState,
    given: &AssetChange,
    (what, value): (&str, Price),
    sold: bool,
) -> Result<Event, Refusal> {
    if value <= Price::ZERO {
        return Err(Refusal::PriceMustBeGiven(given.asset));
    }
    let quantity = held(state, given.asset).unwrap_or(Quantity::zero(scale_of(state, given.asset)?));
    let received = match sold {
        true => value.value(quantity, Rounding::Floor)?.to_cents(Rounding::Floor)?,
        false => Money::ZERO,
    };
    let (what, reason) = (what.to_owned(), given.reason.clone());
    Ok(Event::GiftRecorded { date: given.date, asset: given.asset, what, value, sold, received, reason })
}
