//! What happens to the members of an index between its changes, as the fund that follows it lives it.
//!
//! ```text
//! event of the index (after the close of day D)     the fund
//! migration                                         old coins become new ones before the first session after D
//! delisting at the last price                       it trades to what is left, after the strike of the last session to D
//! delisting at zero                                 written off before the first session from D on
//! fork, airdrop                                     left, or sold and reinvested at the first session after D
//! supply correction                                 a change of the index like any other
//! ```

use crate::basket::{BasketError, Held, Target, session_for, symbol_of, target};
use std::collections::BTreeMap;
use strongroom_engine::{AssetChange, Change};
use strongroom_fund::FundDefinition;
use strongroom_market::index::{AssetId, DelistedAt, Event, Index, IndexRun, Logged};
use strongroom_units::time::Date;
use strongroom_units::{NumberError, PerShare, Price, Rounding, Symbol};

const ONE: i128 = 10i128.pow(18);

type Prices = BTreeMap<Symbol, BTreeMap<Date, Price>>;
type Targets = BTreeMap<Date, Target>;
/// What happened to assets, by the session before which it is recorded.
pub type Changes = BTreeMap<Date, Vec<AssetChange>>;

/// What happened to members while the fund could hold them; the targets of sessions on which it makes the fund trade are added
/// to those of the index's own changes, which have precedence on their session.
pub fn happenings(
    definition: &FundDefinition,
    (index, run): (&Index, &IndexRun),
    prices: &Prices,
    targets: &mut Targets,
    through: Date,
) -> Result<Changes, BasketError> {
    let mut changes = Changes::new();
    let sells = definition.index.as_ref().is_some_and(|index| index.sells_gifts);
    for event in index.event.iter().filter(|event| has_happened(run, event)) {
        let date = event.date();
        let after = definition.calendar.next_session(date)?;
        let reason = format!("{} of {}: {}", event.name(), index.id, event.asset());
        let asset = symbol_of(index, event.asset());
        let asset = asset.ok_or_else(|| BasketError::MemberMustHaveSymbol(event.asset().to_string()))?;
        let (session, change) = match event {
            Event::Migration { into, units, .. } => {
                let into = symbol_of(index, into)
                    .ok_or_else(|| BasketError::MemberMustHaveSymbol(into.to_string()))?;
                (after, Change::Migration { into, units: *units })
            }
            Event::Delisting { at: DelistedAt::Zero, .. } => {
                (session_for(definition, date)?, Change::WriteOff)
            }
            Event::Delisting { at: DelistedAt::LastPrice, .. } => {
                let session = session_to(definition, date)?;
                add_target(definition, (index, run), (event, session), prices, targets, &reason)?;
                continue;
            }
            Event::Fork { what, value, .. } | Event::Airdrop { what, value, .. } => {
                if sells {
                    add_target(definition, (index, run), (event, after), prices, targets, &reason)?;
                }
                (after, Change::Gift { what: what.clone(), value: *value, sold: sells })
            }
            Event::SupplyCorrection { .. } => continue,
        };
        if definition.seed.date < session && session <= through {
            changes.entry(session).or_default().push(AssetChange { date, asset, change, reason });
        }
    }
    targets.retain(|session, _| *session <= through);
    Ok(changes)
}

/// An event of an asset that the index did not hold is none.
fn has_happened(run: &IndexRun, given: &Event) -> bool {
    run.log.iter().any(|(_, logged)| match logged {
        Logged::Happened { event, asset, .. } => *event == given.name() && asset == given.asset(),
        _ => false,
    })
}

/// The last session up to a day.
fn session_to(definition: &FundDefinition, date: Date) -> Result<Date, BasketError> {
    let mut day = date;
    while !definition.calendar.is_session(day) && day > definition.seed.date {
        let Ok(before) = day.yesterday() else { break };
        day = before;
    }
    Ok(day)
}

fn add_target(
    definition: &FundDefinition,
    (index, run): (&Index, &IndexRun),
    (event, session): (&Event, Date),
    prices: &Prices,
    targets: &mut Targets,
    reason: &str,
) -> Result<(), BasketError> {
    if session <= definition.seed.date || targets.contains_key(&session) {
        return Ok(());
    }
    let held = held_after(index, run, event)?;
    if held.is_empty() || !prices.values().any(|prices| prices.contains_key(&session)) {
        return Ok(());
    }
    let made =
        target(definition, index, Held { date: event.date(), per_index_point: &held }, session, prices)?;
    targets.insert(session, Target { reason: reason.to_owned(), ..made });
    Ok(())
}

/// What the index holds for each point after an event: what its last change before it gave, and everything that has happened
/// since.
fn held_after(
    index: &Index,
    run: &IndexRun,
    last: &Event,
) -> Result<BTreeMap<AssetId, PerShare>, NumberError> {
    let before = run.reconstitutions.iter().rev().find(|change| change.date < last.date());
    let Some(before) = before else { return Ok(BTreeMap::new()) };
    let members = before.members.iter();
    let mut held: BTreeMap<AssetId, PerShare> =
        members.map(|member| (member.asset.clone(), member.per_index_point)).collect();
    for event in &index.event {
        if event.date() < before.date || event.date() > last.date() {
            continue;
        }
        match event {
            Event::Delisting { asset, .. } => {
                held.remove(asset);
            }
            Event::Migration { asset, into, units, .. } => {
                if let Some(quantity) = held.remove(asset) {
                    let converted = quantity.try_mul_div(units.units(), ONE, Rounding::HalfEven)?;
                    let held_already = held.get(into).copied().unwrap_or(PerShare::ZERO);
                    held.insert(into.clone(), held_already.try_add(converted)?);
                }
            }
            Event::Fork { .. } | Event::Airdrop { .. } | Event::SupplyCorrection { .. } => {}
        }
    }
    Ok(held)
}
