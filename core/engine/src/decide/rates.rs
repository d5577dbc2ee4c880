//! Rates that the definition's methodology computed, and decisions where it gave none.

use super::prices::{check, flagged};
use super::{Decision, done, short};
use crate::command::PriceRow;
use crate::event::{Event, PriceBasis};
use crate::fund::Outcome;
use crate::refusal::Refusal;
use crate::state::{FundState, PriceRecord};
use std::collections::BTreeMap;
use strongroom_fund::definition::RateSource;
use strongroom_market::rate::RateEvidence;
use strongroom_units::time::{Date, Timestamp};
use strongroom_units::{Price, Symbol};

/// Records a rate with its evidence. It has to be the definition's: its methodology, its pair, at its strike.
pub(super) fn record(
    state: &FundState,
    asset: Symbol,
    date: Date,
    evidence: &RateEvidence,
    now: Timestamp,
) -> Decision {
    let source = source(state, asset, date)?;
    let strike = state.definition().strike.instant(date)?;
    let follows = evidence.methodology.id == source.methodology && evidence.pair == source.pair;
    if !follows || evidence.at != strike {
        return Err(Refusal::RateMustFollowTheDefinition {
            asset,
            date,
            wanted: format!("{} {} at {strike}", source.methodology, source.pair),
            given: format!("{} {} at {}", evidence.methodology.id, evidence.pair, evidence.at),
        });
    }
    check(state, &PriceRow { date, price: evidence.rate }, 1, now)?;
    let basis = PriceBasis::of(evidence);
    if is_repeat(state, asset, date, evidence.rate, |record| record.basis == basis)? {
        return Ok((Vec::new(), Outcome::AlreadyDone));
    }
    let rows = flagged(state, asset, &BTreeMap::from([(date, evidence.rate)]))?;
    let flag = rows.first().and_then(|row| row.flag);
    done(vec![Event::RateRecorded { asset, date, evidence: Box::new(evidence.clone()), flag }])
}

/// Records the decision to strike a session at a price that the methodology did not give.
pub(super) fn decide_fallback(
    state: &FundState,
    asset: Symbol,
    date: Date,
    price: Price,
    reason: &str,
    now: Timestamp,
) -> Decision {
    short("the reason", reason)?;
    source(state, asset, date)?;
    check(state, &PriceRow { date, price }, 1, now)?;
    let is_same = |record: &PriceRecord| matches!(&record.basis, PriceBasis::Fallback { reason: known } if known == reason);
    if is_repeat(state, asset, date, price, is_same)? {
        return Ok((Vec::new(), Outcome::AlreadyDone));
    }
    done(vec![Event::FallbackDecided { asset, date, price, reason: reason.to_owned() }])
}

/// Refuses to strike on a price that carries no evidence where the definition asks for it, and gives what the prices
/// of the strike rest on.
pub(super) fn evidence(state: &FundState, date: Date) -> Result<BTreeMap<Symbol, PriceBasis>, Refusal> {
    let mut evidence = BTreeMap::new();
    for asset in state.definition().assets.iter().map(|asset| asset.symbol) {
        let basis = state.price(asset, date).map(|record| record.basis.clone()).unwrap_or_default();
        if !basis.is_imported() {
            evidence.insert(asset, basis);
        } else if state.definition().rate_source(asset, date).is_some() {
            return Err(Refusal::PriceMustCarryEvidence { asset, date });
        }
    }
    Ok(evidence)
}

fn source(state: &FundState, asset: Symbol, date: Date) -> Result<&RateSource, Refusal> {
    if state.definition().asset(asset).is_none() {
        return Err(Refusal::AssetMustBeInDefinition(asset));
    }
    state.definition().rate_source(asset, date).ok_or(Refusal::RateMustBeInDefinition { asset, date })
}

/// The same again is a repeat; another price for a day that has one is refused.
fn is_repeat(
    state: &FundState,
    asset: Symbol,
    date: Date,
    given: Price,
    is_same: impl Fn(&PriceRecord) -> bool,
) -> Result<bool, Refusal> {
    match state.price(asset, date) {
        None => Ok(false),
        Some(record) if record.price == given && is_same(record) => Ok(true),
        Some(record) => {
            Err(Refusal::PriceMustNotChangeSilently { row: 1, date, recorded: record.price, given })
        }
    }
}
