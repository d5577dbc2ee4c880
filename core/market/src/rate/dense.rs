//! Volume at every tick of a range: what a book is when its trades were counted into a grid. It is never expanded into
//! levels on the way to a median or a hash.

use super::book::Level;
use strongroom_units::Price;

/// Volume at each price from the lowest on, a tick apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dense {
    /// The first cell's price in ticks; above zero.
    pub low: i64,
    /// A tick in 10^-18 of the quote.
    pub tick: i128,
    /// A unit of volume in 10^-18 of the base asset.
    pub unit: u128,
    /// Volume in units.
    pub cells: Vec<u64>,
    /// Cells that are not empty.
    pub levels: usize,
}

impl Dense {
    /// Cells without the empty ones at both ends.
    pub fn new(low: i64, cells: &[u64], (tick, unit): (i128, u128)) -> Self {
        let first = cells.iter().position(|volume| *volume > 0).unwrap_or(cells.len());
        let end = cells.iter().rposition(|volume| *volume > 0).map_or(first, |last| last + 1);
        let kept = cells.get(first..end).unwrap_or(&[]).to_vec();
        let levels = kept.iter().filter(|volume| **volume > 0).count();
        let low = low.saturating_add(i64::try_from(first).unwrap_or(i64::MAX));
        Self { low, tick, unit, cells: kept, levels }
    }

    /// The sum of several of one tick and unit; none when they are of different ones, or do not fit.
    pub fn merged<'a>(all: impl Iterator<Item = &'a Self> + Clone) -> Option<Self> {
        let first = all.clone().next()?;
        let (mut low, mut end) = (i64::MAX, i64::MIN);
        for dense in all.clone() {
            if (dense.tick, dense.unit) != (first.tick, first.unit) {
                return None;
            }
            low = low.min(dense.low);
            end = end.max(dense.low.checked_add(i64::try_from(dense.cells.len()).ok()?)?);
        }
        let mut cells = vec![0u64; usize::try_from(end.checked_sub(low)?).ok()?];
        let mut overflows = false;
        for dense in all {
            let from = usize::try_from(dense.low - low).ok()?;
            for (sum, more) in cells.get_mut(from..)?.iter_mut().zip(&dense.cells) {
                let (total, overflow) = sum.overflowing_add(*more);
                *sum = total;
                overflows |= overflow;
            }
        }
        if overflows {
            return None;
        }
        let levels = cells.iter().filter(|volume| **volume > 0).count();
        Some(Self { low, tick: first.tick, unit: first.unit, cells, levels })
    }

    /// Volume in units: at most 2^64 of 2^25 cells.
    pub fn total(&self) -> u128 {
        self.cells.iter().map(|volume| u128::from(*volume)).sum()
    }

    /// Cells that are not empty: price in ticks and volume in units, ascending.
    pub fn counted(&self) -> impl Iterator<Item = (i64, u64)> + '_ {
        (self.low..).zip(&self.cells).filter(|(_, volume)| **volume > 0).map(|(at, volume)| (at, *volume))
    }

    /// The price of a cell.
    pub fn price(&self, at: i64) -> Price {
        Price::from_units(i128::from(at) * self.tick)
    }

    /// The same as levels.
    pub fn to_levels(&self) -> Vec<Level> {
        self.counted().map(|(at, volume)| (self.price(at), u128::from(volume) * self.unit)).collect()
    }
}
