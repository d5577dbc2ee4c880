//! An index over the years: a level at each close, then what happened, then what was decided for that day.
//!
//! ```text
//! close of a day:  level  →  fork, airdrop, delisting, migration  →  reconstitution, rebalance or correction
//!                  old divisor     divisor follows the value              divisor follows the value
//! ```

use super::asset::AssetId;
use super::calendar::{Schedule, days_before};
use super::definition::{Index, PriceSource, Version};
use super::error::IndexError;
use super::event::{DelistedAt, Event};
use super::level::{Divisor, basket_value};
use super::market::Market;
use super::prices::Prices;
use super::reason::{InReason, Logged};
use super::record::{ChangeKind, DivisorChange, IndexRun, Level, Reconstitution};
use super::select::{Choice, Occasion};
use super::weigh::weigh;
use std::collections::BTreeMap;
use strongroom_units::time::Date;
use strongroom_units::{NumberError, PerShare, Price, Quantity, Rounding};

impl Index {
    /// Runs the index from its base date and gives levels from `from` through `to`. Changes before `from` are made but
    /// not given.
    ///
    /// Levels are at the close of each day (or snapshot). A member without a price that is recent enough ends the run with
    /// the member's name.
    pub fn run(&self, market: &Market, from: Date, to: Date) -> Result<IndexRun, IndexError> {
        if from > to || from < self.base_date {
            return Err(IndexError::PeriodEmpty { from, to, base: self.base_date });
        }
        let prices = Prices::try_new(self, market)?;
        let mut running = Running::new(self, market, &prices);
        let dates = self.level_dates(market, to)?;
        for (position, date) in dates.iter().enumerate() {
            running.close(*date, dates.get(position + 1).copied().unwrap_or(Date::MAX))?;
        }
        Ok(running.finish(from, to))
    }

    fn level_dates(&self, market: &Market, to: Date) -> Result<Vec<Date>, IndexError> {
        let base = self.base_date;
        if self.prices() == PriceSource::Daily {
            let days = core::iter::successors(Some(base), |day| day.tomorrow().ok());
            return Ok(days.take_while(|day| *day <= to).collect());
        }
        if !market.snapshots().contains_key(&base) {
            return Err(IndexError::SnapshotMissing { date: base, days_max: 0 });
        }
        Ok(market.snapshots().range(base..=to).map(|(date, _)| *date).collect())
    }
}

/// An index on its way.
struct Running<'a> {
    index: &'a Index,
    market: &'a Market,
    prices: &'a Prices<'a>,
    holdings: BTreeMap<AssetId, Quantity>,
    divisor: Option<Divisor>,
    previous: Option<Date>,
    levels: Vec<Level>,
    reconstitutions: Vec<Reconstitution>,
    divisor_changes: Vec<DivisorChange>,
    log: Vec<(Date, Logged)>,
}

/// A basket's worth at a close, and which prices are of an earlier day.
struct Valued {
    value: Price,
    carried: Vec<(AssetId, Date)>,
}

impl<'a> Running<'a> {
    fn new(index: &'a Index, market: &'a Market, prices: &'a Prices<'a>) -> Self {
        Self {
            index,
            market,
            prices,
            holdings: BTreeMap::new(),
            divisor: None,
            previous: None,
            levels: Vec::new(),
            reconstitutions: Vec::new(),
            divisor_changes: Vec::new(),
            log: Vec::new(),
        }
    }

    fn close(&mut self, date: Date, next: Date) -> Result<(), IndexError> {
        let index = self.index;
        let version = index.version_at(date).ok_or(IndexError::NotYetEffective(date))?;
        let divisor = match self.divisor {
            Some(divisor) => divisor,
            None => self.change(ChangeKind::Base, date, version)?,
        };
        let is_base = self.previous.is_none();
        self.publish(date, version, divisor)?;
        for event in &index.event {
            self.happen(event, (date, next), version)?;
        }
        if !is_base {
            self.decide(date, version)?;
        }
        self.previous = Some(date);
        Ok(())
    }

    fn publish(&mut self, date: Date, version: &Version, divisor: Divisor) -> Result<(), IndexError> {
        let Valued { value, carried } = self.value(date, version)?;
        for (asset, from) in &carried {
            self.log.push((date, Logged::PriceCarried { asset: asset.clone(), from: *from }));
        }
        let level = divisor.level(value)?;
        let published = level.round_to(version.decimals, Rounding::HalfUp)?;
        self.levels.push(Level { date, published, level, value, divisor, carried });
        Ok(())
    }

    fn value(&self, date: Date, version: &Version) -> Result<Valued, IndexError> {
        let mut carried = Vec::new();
        let mut held = Vec::new();
        for (asset, quantity) in &self.holdings {
            if self.is_worthless(asset, date) {
                continue;
            }
            let (price, of) = self.prices.at(asset, date, version)?;
            if of != date {
                carried.push((asset.clone(), of));
            }
            held.push((*quantity, price));
        }
        Ok(Valued { value: basket_value(held)?, carried })
    }

    /// Whether a member is delisted at zero since the last level.
    fn is_worthless(&self, asset: &AssetId, date: Date) -> bool {
        let delisted = |event: &&Event| {
            matches!(event, Event::Delisting { at: DelistedAt::Zero, .. })
                && event.asset() == asset
                && self.is_since_last(event.date(), date)
        };
        self.index.event.iter().any(|event| delisted(&event))
    }

    /// After the last level and not after this one; on the first day, that day.
    fn is_since_last(&self, day: Date, date: Date) -> bool {
        day <= date && self.previous.map_or(day == date, |previous| previous < day)
    }

    /// An event that falls at this close or, where levels are far apart, before the next. What it is worth is taken from
    /// this close's prices, as it will be missing from the next one's.
    fn happen(
        &mut self,
        event: &Event,
        (date, next): (Date, Date),
        version: &Version,
    ) -> Result<(), IndexError> {
        let until_next = date <= event.date() && event.date() < next;
        let Some(quantity) = self.holdings.get(event.asset()).copied() else { return Ok(()) };
        let asset = event.asset();
        match event {
            Event::Fork { value, what, .. } | Event::Airdrop { value, what, .. } if until_next => {
                let given = basket_value([(quantity, *value)])?;
                let before = self.value(date, version)?.value;
                self.chain((date, event), before, before.try_sub(given)?)?;
                self.happened(
                    date,
                    event,
                    format!("{what}, {value} a unit, is not held; the divisor gives way"),
                );
            }
            Event::Delisting { at: DelistedAt::LastPrice, .. } if until_next => {
                let before = self.value(date, version)?.value;
                self.holdings.remove(asset);
                let after = self.value(date, version)?.value;
                self.chain((date, event), before, after)?;
                self.happened(date, event, "it leaves at its last price".to_owned());
            }
            Event::Delisting { at: DelistedAt::Zero, .. } if self.is_since_last(event.date(), date) => {
                self.holdings.remove(asset);
                if self.holdings.is_empty() {
                    return Err(nothing_left(event));
                }
                self.happened(date, event, "it leaves at zero; the level bears the loss".to_owned());
            }
            Event::Migration { into, units, .. } if until_next => {
                let one = super::ONE.units();
                let mut converted = quantity.try_mul_div(units.units(), one, Rounding::HalfEven)?;
                self.holdings.remove(asset);
                if let Some(held) = self.holdings.get(into) {
                    converted = converted.try_add(*held)?;
                }
                self.holdings.insert(into.clone(), converted);
                self.happened(date, event, format!("{units} {into} for each unit"));
            }
            _ => {}
        }
        Ok(())
    }

    fn happened(&mut self, date: Date, event: &Event, so: String) {
        let asset = event.asset().clone();
        self.log.push((date, Logged::Happened { event: event.name(), asset, so }));
    }

    fn chain(
        &mut self,
        (date, event): (Date, &Event),
        before: Price,
        after: Price,
    ) -> Result<(), IndexError> {
        if after <= Price::ZERO {
            return Err(nothing_left(event));
        }
        self.follow(date, format!("{} of {}", event.name(), event.asset()), before, after)?;
        Ok(())
    }

    /// The divisor after a change of the basket's value at one set of prices.
    fn follow(
        &mut self,
        date: Date,
        cause: String,
        before: Price,
        after: Price,
    ) -> Result<Divisor, IndexError> {
        let divisor_before = self.divisor.ok_or(IndexError::NotYetEffective(date))?;
        let divisor_after = divisor_before.chained(before, after)?;
        self.divisor_changes.push(DivisorChange {
            date,
            cause,
            value_before: before,
            value_after: after,
            divisor_before,
            divisor_after,
            level_before: divisor_before.level(before)?,
            level_after: divisor_after.level(after)?,
        });
        self.divisor = Some(divisor_after);
        Ok(divisor_after)
    }

    /// What the calendar, or a corrected supply, asks for at this close.
    fn decide(&mut self, date: Date, version: &Version) -> Result<(), IndexError> {
        let is_due = |schedule: &Schedule| {
            let days = core::iter::successors(Some(date), |day| day.yesterday().ok());
            let mut new = days.take_while(|day| self.is_since_last(*day, date));
            new.any(|day| schedule.is_effective_on(day))
        };
        let kind = if is_due(&version.reconstitution) {
            ChangeKind::Reconstitution
        } else if version.rebalance.as_ref().is_some_and(is_due) {
            ChangeKind::Rebalance
        } else if self.has_correction(date) {
            ChangeKind::Correction
        } else {
            return Ok(());
        };
        self.change(kind, date, version).map(|_| ())
    }

    fn has_correction(&self, date: Date) -> bool {
        self.index.event.iter().any(|event| {
            matches!(event, Event::SupplyCorrection { restate: false, .. })
                && self.holdings.contains_key(event.asset())
                && self.is_since_last(event.date(), date)
        })
    }

    /// Forms or reweighs the basket at this close, and gives the divisor that holds from now on.
    fn change(&mut self, kind: ChangeKind, date: Date, version: &Version) -> Result<Divisor, IndexError> {
        let announced = match kind {
            ChangeKind::Base | ChangeKind::Reconstitution => {
                days_before(date, version.reconstitution.announcement_days)
            }
            ChangeKind::Rebalance => {
                days_before(date, version.rebalance.map_or(0, |schedule| schedule.announcement_days))
            }
            ChangeKind::Correction => date,
        };
        // A correction weighs anew by the supplies in use, all but the one that was wrong.
        let in_use = self.reconstitutions.last().filter(|_| kind == ChangeKind::Correction);
        let occasion = Occasion {
            index: self.index,
            version,
            market: self.market,
            prices: self.prices,
            announced,
            effective: date,
            snapshot: in_use.map_or(announced, |last| last.snapshot),
            held: &self.holdings,
        };
        let (snapshot, all) = occasion.candidates()?;
        let mut choice =
            if kind.chooses() { occasion.choose(snapshot, all)? } else { same(&occasion, snapshot, all)? };
        if kind != ChangeKind::Correction {
            choice.log.extend(occasion.supply_jumps(snapshot, &choice.members)?);
        }
        let mut members = weigh(&occasion, choice.members)?;
        let before = self.value(date, version)?.value;
        self.holdings = members.iter().map(|member| (member.asset.clone(), member.quantity)).collect();
        let after = self.value(date, version)?.value;
        let divisor = match kind {
            ChangeKind::Base => Divisor::at_level(after, self.index.base_level)?,
            _ => self.follow(date, kind.to_string(), before, after)?,
        };
        self.divisor = Some(divisor);
        for member in &mut members {
            member.per_index_point = per_index_point(member.quantity, divisor)?;
        }
        self.log.extend(choice.log.iter().map(|logged| (date, logged.clone())));
        let (out, log) = (choice.out, choice.log);
        self.reconstitutions.push(Reconstitution { date, announced, snapshot, kind, members, out, log });
        Ok(divisor)
    }

    fn finish(self, from: Date, to: Date) -> IndexRun {
        let within = |date: Date| from <= date && date <= to;
        IndexRun {
            id: self.index.id.clone(),
            name: self.index.name.clone(),
            from,
            to,
            levels_are: self.index.prices().into(),
            levels: self.levels.into_iter().filter(|level| within(level.date)).collect(),
            reconstitutions: self.reconstitutions.into_iter().filter(|change| within(change.date)).collect(),
            divisor_changes: self.divisor_changes.into_iter().filter(|change| within(change.date)).collect(),
            log: self.log.into_iter().filter(|(date, _)| within(*date)).collect(),
        }
    }
}

/// The members of today, as the snapshot lists them.
fn same(
    occasion: &Occasion,
    snapshot: Date,
    all: Vec<super::select::Candidate>,
) -> Result<Choice, IndexError> {
    let mut listed: BTreeMap<_, _> =
        all.into_iter().map(|candidate| (candidate.asset.clone(), candidate)).collect();
    let mut choice = Choice::default();
    for asset in occasion.held.keys() {
        let candidate = listed.remove(asset);
        let candidate =
            candidate.ok_or_else(|| IndexError::NotInSnapshot { asset: asset.clone(), snapshot })?;
        choice.members.push((candidate, InReason::Stays));
    }
    Ok(choice)
}

fn nothing_left(event: &Event) -> IndexError {
    IndexError::NothingLeft { event: event.name(), asset: event.asset().clone(), date: event.date() }
}

/// `quantity ÷ divisor`.
fn per_index_point(quantity: Quantity, divisor: Divisor) -> Result<PerShare, NumberError> {
    // quantity·10^-18 ÷ divisor·10^-18 at twenty-four decimals
    let unit = 10i128.pow(u32::from(PerShare::SCALE));
    PerShare::from_units(quantity.units()).try_mul_div(unit, divisor.value().units(), Rounding::HalfEven)
}
