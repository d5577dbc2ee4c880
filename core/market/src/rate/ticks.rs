//! Trades in columns of integers, counted into a dense grid of prices: the fast way into a [`Window`] for millions of
//! trades that are in memory already.
//!
//! A grid counts volume at each tick of each venue and interval. Several grids of one shape can be filled side by side,
//! each from a part of the trades, and summed: the order and the split change nothing.

use super::book::{Book, Level};
use super::window::Window;
use std::collections::BTreeMap;
use strongroom_units::{NumberError, Price};

/// Cells of one grid: 32 million, a quarter of a gigabyte.
const CELLS_MAX: usize = 1 << 25;

/// Trades in columns; the shortest column says how many there are.
#[derive(Debug, Clone, Copy)]
pub struct Ticks<'a> {
    /// When, in any unit, on the clock of [`GridShape::start`].
    pub at: &'a [i64],
    /// Prices in ticks.
    pub price: &'a [i64],
    /// Sizes in units.
    pub size: &'a [i64],
    /// Index of the venue.
    pub venue: &'a [u8],
}

/// What a grid spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GridShape {
    /// First instant.
    pub start: i64,
    /// Length of an interval, in the unit of `start`; above zero.
    pub interval: i64,
    /// Number of intervals.
    pub intervals: usize,
    /// Number of venues.
    pub venues: usize,
    /// Lowest price in ticks.
    pub low: i64,
    /// Highest price in ticks.
    pub high: i64,
}

/// Volume at each price of each venue and interval.
#[derive(Debug, Clone)]
pub struct Grid {
    shape: GridShape,
    range: usize,
    volume: Vec<u64>,
    trades: Vec<u64>,
    dropped: u64,
    outside: u64,
}

impl Grid {
    /// An empty grid; refuses one of more than 2^25 cells.
    pub fn try_new(shape: GridShape) -> Result<Self, NumberError> {
        let range =
            usize::try_from(shape.high.saturating_sub(shape.low)).map_err(|_| NumberError::Overflow)? + 1;
        let rows = shape.intervals.checked_mul(shape.venues).ok_or(NumberError::Overflow)?;
        let cells =
            rows.checked_mul(range).filter(|cells| *cells <= CELLS_MAX).ok_or(NumberError::Overflow)?;
        if shape.interval <= 0 {
            return Err(NumberError::DivisionByZero);
        }
        Ok(Self { shape, range, volume: vec![0; cells], trades: vec![0; rows], dropped: 0, outside: 0 })
    }

    /// Counts trades. One outside the grid's time or prices, or of an unknown venue, is counted as outside; one with a
    /// price or size of zero or less as dropped. Refuses sizes so large that their sum might not fit 64 bits.
    pub fn count(&mut self, ticks: &Ticks<'_>) -> Result<(), NumberError> {
        let largest = ticks.size.iter().copied().max().unwrap_or(0).max(0).unsigned_abs();
        let most = u128::from(largest) * ticks.size.len() as u128;
        let held = self.volume.iter().copied().max().unwrap_or(0);
        if most + u128::from(held) > u128::from(u64::MAX) {
            return Err(NumberError::Overflow);
        }
        let GridShape { start, interval, intervals, venues, low, .. } = self.shape;
        // Trades come mostly in order of time: the interval of the last one is tried before a division.
        let (mut from, mut until, mut row) = (0i64, 0i64, usize::MAX);
        for (((at, price), size), venue) in ticks.at.iter().zip(ticks.price).zip(ticks.size).zip(ticks.venue)
        {
            if !(from..until).contains(at) {
                let index = at.wrapping_sub(start).div_euclid(interval);
                from = start.wrapping_add(index.wrapping_mul(interval));
                until = from.wrapping_add(interval);
                row = usize::try_from(index)
                    .ok()
                    .filter(|index| *index < intervals)
                    .map_or(usize::MAX, |i| i * venues);
            }
            if *price <= 0 || *size <= 0 {
                self.dropped += 1;
                continue;
            }
            let place = row.saturating_add(usize::from(*venue));
            let tick = usize::try_from(price.wrapping_sub(low)).unwrap_or(usize::MAX);
            let cell = if usize::from(*venue) < venues && tick < self.range {
                place.checked_mul(self.range).and_then(|first| self.volume.get_mut(first + tick))
            } else {
                None
            };
            match (cell, self.trades.get_mut(place)) {
                (Some(cell), Some(trades)) => {
                    *cell += size.unsigned_abs();
                    *trades += 1;
                }
                _ => self.outside += 1,
            }
        }
        Ok(())
    }

    /// Adds another grid of the same shape.
    pub fn merge(&mut self, other: &Self) -> Result<(), NumberError> {
        if self.shape != other.shape {
            return Err(NumberError::Overflow);
        }
        let mut fits = true;
        for (sum, more) in self.volume.iter_mut().zip(&other.volume) {
            let (total, overflows) = sum.overflowing_add(*more);
            fits &= !overflows;
            *sum = total;
        }
        for (sum, more) in self.trades.iter_mut().zip(&other.trades) {
            *sum += more;
        }
        self.dropped += other.dropped;
        self.outside += other.outside;
        if fits { Ok(()) } else { Err(NumberError::Overflow) }
    }

    /// Trades counted, dropped for a price or size of zero or less, and outside: together all that were given.
    pub fn tally(&self) -> (u64, u64, u64) {
        (self.trades.iter().sum(), self.dropped, self.outside)
    }
}

impl Window {
    /// Takes a grid's trades in as those of the window's own pair. `venues` names them in order; `price_decimals` and
    /// `size_decimals` say what a tick and a unit are. The grid's intervals have to be the window's; a methodology that
    /// asks for the last trade cannot be fed so, because a grid has forgotten which it was.
    pub fn add_grid(
        &mut self,
        grid: &Grid,
        venues: &[&str],
        (price_decimals, size_decimals): (u8, u8),
    ) -> Result<(), NumberError> {
        let is_last = self.version.statistic == super::methodology::Statistic::Last;
        if is_last
            || grid.shape.intervals != usize::from(self.version.intervals)
            || venues.len() != grid.shape.venues
        {
            return Err(NumberError::Overflow);
        }
        let ten = |decimals: u8| 18u8.checked_sub(decimals).map(|zeros| 10i128.pow(u32::from(zeros)));
        let tick = ten(price_decimals).ok_or(NumberError::ScaleOutOfRange(price_decimals))?;
        let unit = ten(size_decimals).ok_or(NumberError::ScaleOutOfRange(size_decimals))?.unsigned_abs();
        let mut read: BTreeMap<String, Vec<Book>> = BTreeMap::new();
        let rows = grid.volume.chunks(grid.range).zip(&grid.trades);
        for ((cells, trades), venue) in rows.zip(venues.iter().cycle()) {
            let mut levels: Vec<Level> = Vec::new();
            for (tick_of, volume) in (grid.shape.low..).zip(cells).filter(|(_, volume)| **volume > 0) {
                levels.push((Price::from_units(i128::from(tick_of) * tick), u128::from(*volume) * unit));
            }
            read.entry((*venue).to_owned()).or_default().push(Book::from_levels(levels, *trades));
        }
        let own = self.books.entry(self.pair.clone()).or_default();
        for (venue, books) in read.into_iter().filter(|(_, books)| books.iter().any(|book| !book.is_empty()))
        {
            match own.get_mut(&venue) {
                None => drop(own.insert(venue, books)),
                Some(known) => {
                    for (known, book) in known.iter_mut().zip(&books) {
                        *known = Book::merged([&*known, book].into_iter())?;
                    }
                }
            }
        }
        Ok(())
    }
}
