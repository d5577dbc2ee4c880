//! Prices by identity, and whether they are recent and complete enough.

use super::asset::AssetId;
use super::calendar::days_before;
use super::definition::{Index, PriceSource, Version};
use super::error::IndexError;
use super::market::Market;
use super::reason::Lack;
use std::borrow::Cow;
use std::collections::BTreeMap;
use strongroom_units::Price;
use strongroom_units::time::Date;

/// The prices that an index can see.
pub(super) struct Prices<'a> {
    series: BTreeMap<AssetId, Cow<'a, BTreeMap<Date, Price>>>,
}

impl<'a> Prices<'a> {
    pub fn try_new(index: &'a Index, market: &'a Market) -> Result<Self, IndexError> {
        let series = match index.prices() {
            PriceSource::Daily => daily(index, market),
            PriceSource::Snapshots => of_snapshots(index, market)?,
        };
        Ok(Self { series })
    }

    /// The last price of at most `stale_days_max` days before, and its day.
    pub fn at(&self, asset: &AssetId, date: Date, version: &Version) -> Result<(Price, Date), IndexError> {
        let days_max = version.stale_days_max;
        let last = self.series.get(asset).and_then(|series| series.range(..=date).next_back());
        match last {
            Some((day, price)) if *day >= days_before(date, days_max) => Ok((*price, *day)),
            _ => {
                let last_price = last.map(|(day, _)| *day);
                Err(IndexError::PriceMissing { asset: asset.clone(), date, days_max, last_price })
            }
        }
    }

    /// What a series of daily closes lacks for an asset to become or stay a member that is determined on a day.
    pub fn lack(&self, asset: &AssetId, on: Date, version: &Version) -> Option<Lack> {
        let of = version.price_history_days;
        let Some(series) = self.series.get(asset) else { return Some(Lack::Series) };
        let missing = |back: &u16| !series.contains_key(&days_before(on, *back));
        let count = (0..of).filter(missing).count() as u16;
        let last = (0..of).find(missing).map(|back| days_before(on, back))?;
        Some(Lack::Days { missing: count, of, last })
    }

    /// Daily closes of the days up to one, oldest first; fewer where some are missing.
    pub fn closes(&self, asset: &AssetId, until: Date, days: u16) -> Vec<Price> {
        let first = days_before(until, days.saturating_sub(1));
        let range = self.series.get(asset).map(|series| series.range(first..=until));
        range.into_iter().flatten().map(|(_, price)| *price).collect()
    }
}

fn daily<'a>(index: &'a Index, market: &'a Market) -> BTreeMap<AssetId, Cow<'a, BTreeMap<Date, Price>>> {
    let found = index.asset.iter().filter_map(|asset| {
        let series = market.series(asset.price.as_deref()?)?;
        Some((asset.id.clone(), Cow::Borrowed(&series.closes)))
    });
    found.collect()
}

fn of_snapshots<'a>(
    index: &Index,
    market: &Market,
) -> Result<BTreeMap<AssetId, Cow<'a, BTreeMap<Date, Price>>>, IndexError> {
    let mut series: BTreeMap<AssetId, BTreeMap<Date, Price>> = BTreeMap::new();
    for (date, snapshot) in market.snapshots() {
        for (name, listing) in snapshot.iter().filter(|(_, listing)| listing.price > Price::ZERO) {
            let asset = index.identify(name, *date);
            if series.entry(asset.clone()).or_default().insert(*date, listing.price).is_some() {
                return Err(IndexError::NamedTwice { asset, snapshot: *date });
            }
        }
    }
    Ok(series.into_iter().map(|(asset, series)| (asset, Cow::Owned(series))).collect())
}
