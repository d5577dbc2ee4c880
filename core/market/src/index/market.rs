//! What an index sees of the market: snapshots of everything that is listed, and daily closes of some.

use super::asset::AssetName;
use super::error::MarketError;
use std::collections::BTreeMap;
use strongroom_units::time::Date;
use strongroom_units::{Money, Price, Quantity};

/// One coin in one snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listing {
    /// Market capitalisation as the source gives it.
    pub market_cap: Money,
    /// Price; zero where the source has rounded it away.
    pub price: Price,
    /// Circulating supply, at eighteen decimals.
    pub supply: Quantity,
    /// Turnover of the last 24 hours.
    pub volume_24h: Money,
}

/// Every coin of one snapshot, taken at the end of its day.
pub type Snapshot = BTreeMap<AssetName, Listing>;

/// The daily closes of one symbol, and where they are from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// The source.
    pub source: String,
    /// Price at the end of each day, above zero.
    pub closes: BTreeMap<Date, Price>,
}

/// Snapshots and closes. Rows may come in any order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Market {
    snapshots: BTreeMap<Date, Snapshot>,
    series: BTreeMap<String, Series>,
}

impl Market {
    /// Adds a row of a snapshot. The same row again changes nothing; another one for the same coin is refused.
    pub fn add_listing(&mut self, date: Date, name: AssetName, listing: Listing) -> Result<(), MarketError> {
        let snapshot = self.snapshots.entry(date).or_default();
        if snapshot.get(&name).is_some_and(|before| *before != listing) {
            return Err(MarketError::ListedTwice { date, name: name.to_string() });
        }
        snapshot.insert(name, listing);
        Ok(())
    }

    /// Adds a whole series. The first source of a symbol is the only one: two sources are never mixed in one series, as
    /// their difference would look like a return. Whether it was taken.
    pub fn add_series(&mut self, symbol: impl Into<String>, series: Series) -> bool {
        match self.series.entry(symbol.into()) {
            std::collections::btree_map::Entry::Occupied(_) => false,
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(series);
                true
            }
        }
    }

    /// Every snapshot, oldest first.
    pub fn snapshots(&self) -> &BTreeMap<Date, Snapshot> {
        &self.snapshots
    }

    /// The closes of a symbol.
    pub fn series(&self, symbol: &str) -> Option<&Series> {
        self.series.get(symbol)
    }

    /// The last snapshot on a day or before it.
    pub fn snapshot_at(&self, date: Date) -> Option<(Date, &Snapshot)> {
        self.snapshots.range(..=date).next_back().map(|(date, snapshot)| (*date, snapshot))
    }
}
