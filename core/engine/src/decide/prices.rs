//! Reference rates come in: all rows of an import or none, repeats change nothing, oddities are flagged by rule.

use super::{Decision, done, short};
use crate::command::PriceRow;
use crate::event::{Event, PriceFlag, RecordedPrice};
use crate::fund::Outcome;
use crate::refusal::Refusal;
use crate::state::FundState;
use std::collections::BTreeMap;
use strongroom_fund::definition::NonSessionPrice;
use strongroom_units::time::{Date, Timestamp};
use strongroom_units::{Price, Symbol};

/// Rows in one import.
const ROWS_MAX: usize = 20_000;

pub(super) fn import(
    state: &FundState,
    asset: Symbol,
    source: &str,
    rows: &[PriceRow],
    now: Timestamp,
) -> Decision {
    short("the source", source)?;
    if state.definition().asset(asset).is_none() {
        return Err(Refusal::AssetMustBeInDefinition(asset));
    }
    if rows.len() > ROWS_MAX {
        return Err(Refusal::ImportMustBeBounded(rows.len()));
    }
    let mut fresh: BTreeMap<Date, Price> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        let number = index + 1;
        check(state, row, number, now)?;
        let recorded = state.price(asset, row.date).map(|record| record.price);
        match recorded.or_else(|| fresh.get(&row.date).copied()) {
            None => {
                fresh.insert(row.date, row.price);
            }
            Some(price) if price == row.price => {}
            Some(_) if recorded.is_none() => {
                return Err(Refusal::PriceDatesMustDiffer { row: number, date: row.date });
            }
            Some(recorded) => {
                let (date, given) = (row.date, row.price);
                return Err(Refusal::PriceMustNotChangeSilently { row: number, date, recorded, given });
            }
        }
    }
    if fresh.is_empty() {
        return Ok((Vec::new(), Outcome::AlreadyDone));
    }
    let rows = flagged(state, asset, &fresh)?;
    done(vec![Event::PricesRecorded { asset, source: source.to_owned(), rows }])
}

pub(super) fn check(state: &FundState, row: &PriceRow, number: usize, now: Timestamp) -> Result<(), Refusal> {
    let definition = state.definition();
    if row.price <= Price::ZERO {
        return Err(Refusal::PriceMustBePositive { row: number, date: row.date, price: row.price });
    }
    if definition.strike.instant(row.date)? > now {
        return Err(Refusal::PriceMustNotBeFromTheFuture { row: number, date: row.date });
    }
    let refuses = definition.tolerance.non_session_price == NonSessionPrice::Refuse;
    if refuses && !definition.calendar.is_session(row.date) {
        return Err(Refusal::PriceMustBeOnASession { row: number, date: row.date });
    }
    Ok(())
}

pub(super) fn flagged(
    state: &FundState,
    asset: Symbol,
    fresh: &BTreeMap<Date, Price>,
) -> Result<Vec<RecordedPrice>, Refusal> {
    let limit = state.definition().tolerance.price_jump;
    let struck = state.last_nav().map(|nav| nav.date);
    let first = fresh.keys().next().copied();
    let mut before = first.and_then(|first| {
        state.prices(asset).rev().find(|(date, _)| *date < first).map(|(_, record)| record.price)
    });
    let mut rows = Vec::with_capacity(fresh.len());
    for (date, price) in fresh {
        let jump = before.map_or(Ok(false), |before| super::strike::jumped(before, *price, limit))?;
        let flag = if !state.definition().calendar.is_session(*date) {
            Some(PriceFlag::NonSession)
        } else if jump {
            Some(PriceFlag::Jump)
        } else if struck.is_some_and(|struck| *date <= struck) {
            Some(PriceFlag::Late)
        } else {
            None
        };
        rows.push(RecordedPrice { date: *date, price: *price, flag });
        before = Some(*price);
    }
    Ok(rows)
}
