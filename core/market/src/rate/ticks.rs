//! Trades in columns of integers, counted into a dense grid of prices: the fast way into a [`Window`] for millions of
//! trades that are in memory already.
//!
//! A grid counts volume at each tick of each venue and interval, and grows with the prices that come. Several grids of one
//! shape can be filled side by side, each from a part of the trades, and summed: the order and the split change nothing.

use super::book::Book;
use super::dense::Dense;
use super::window::Window;
use std::collections::BTreeMap;
use strongroom_units::NumberError;

/// Cells of one grid: 32 million, a quarter of a gigabyte.
const CELLS_MAX: usize = 1 << 25;
/// Trades looked at together: few enough to be in the processor's nearest cache when they are counted.
const BLOCK: usize = 2_048;
/// Ticks by which a range is widened beyond what is needed, so that it is not widened often.
const MARGIN: i64 = 512;

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
    /// Number of venues, at most 256.
    pub venues: usize,
}

/// One interval: the cells of its venues follow one another, each from the same lowest price on.
#[derive(Debug, Clone, Default)]
struct Lane {
    low: i64,
    range: usize,
    volume: Vec<u64>,
    trades: Vec<u64>,
}

/// Volume at each price of each venue and interval.
#[derive(Debug, Clone)]
pub struct Grid {
    shape: GridShape,
    lanes: Vec<Lane>,
    /// More than any cell can hold: the largest size of each block times its trades, summed.
    most: u128,
    dropped: u64,
    outside: u64,
}

/// Lowest and highest of a column; neither of an empty one.
fn ends(values: &[i64]) -> (i64, i64) {
    values.iter().fold((i64::MAX, i64::MIN), |(low, high), value| (low.min(*value), high.max(*value)))
}

impl<'a> Ticks<'a> {
    fn blocks(self) -> impl Iterator<Item = Self> {
        let columns = self.at.chunks(BLOCK).zip(self.price.chunks(BLOCK));
        let columns = columns.zip(self.size.chunks(BLOCK)).zip(self.venue.chunks(BLOCK));
        columns.map(|(((at, price), size), venue)| Self { at, price, size, venue })
    }

    /// The same trades, each column as long as the shortest.
    fn even(self) -> Self {
        let count = self.at.len().min(self.price.len()).min(self.size.len()).min(self.venue.len());
        fn first<T>(values: &[T], count: usize) -> &[T] {
            values.get(..count).unwrap_or(values)
        }
        Self {
            at: first(self.at, count),
            price: first(self.price, count),
            size: first(self.size, count),
            venue: first(self.venue, count),
        }
    }

    fn one(&self, index: usize) -> Self {
        let to = index + 1;
        Self {
            at: self.at.get(index..to).unwrap_or(&[]),
            price: self.price.get(index..to).unwrap_or(&[]),
            size: self.size.get(index..to).unwrap_or(&[]),
            venue: self.venue.get(index..to).unwrap_or(&[]),
        }
    }
}

impl Grid {
    /// An empty grid; refuses an interval of no length and more than 256 venues.
    pub fn try_new(shape: GridShape) -> Result<Self, NumberError> {
        if shape.interval <= 0 {
            return Err(NumberError::DivisionByZero);
        }
        if shape.venues > 256 || shape.intervals > CELLS_MAX {
            return Err(NumberError::Overflow);
        }
        let lane = Lane { trades: vec![0; shape.venues], ..Lane::default() };
        Ok(Self { shape, lanes: vec![lane; shape.intervals], most: 0, dropped: 0, outside: 0 })
    }

    /// Counts trades. One outside the grid's time, or of an unknown venue, is counted as outside; one with a price or size of
    /// zero or less as dropped. Refuses prices so far apart that their grid would have more than 2^25 cells, and sizes so
    /// large that their sum might not fit 64 bits.
    pub fn count(&mut self, ticks: &Ticks<'_>) -> Result<(), NumberError> {
        for block in ticks.even().blocks() {
            if !self.count_together(&block)? {
                for index in 0..block.at.len() {
                    self.count_one(&block.one(index))?;
                }
            }
        }
        Ok(())
    }

    /// A block whose trades are all of one interval, and all of them to be counted; false when it is not.
    fn count_together(&mut self, block: &Ticks<'_>) -> Result<bool, NumberError> {
        let (first, last) = ends(block.at);
        let (low, high) = ends(block.price);
        let (least, largest) = ends(block.size);
        let venue = block.venue.iter().copied().max().unwrap_or(0);
        let Some(interval) =
            self.interval_of(first).filter(|interval| self.interval_of(last) == Some(*interval))
        else {
            return Ok(false);
        };
        if low <= 0 || least <= 0 || usize::from(venue) >= self.shape.venues {
            return Ok(false);
        }
        self.take_on(largest, block.at.len())?;
        self.widen(interval, (low, high))?;
        if let Some(lane) = self.lanes.get_mut(interval) {
            lane.count(block);
        }
        Ok(true)
    }

    fn count_one(&mut self, one: &Ticks<'_>) -> Result<(), NumberError> {
        let ((_, price), (_, size)) = (ends(one.price), ends(one.size));
        let is_known = one.venue.iter().all(|venue| usize::from(*venue) < self.shape.venues);
        if price <= 0 || size <= 0 {
            self.dropped += 1;
        } else if !is_known || self.interval_of(ends(one.at).0).is_none() {
            self.outside += 1;
        } else {
            self.count_together(one)?;
        }
        Ok(())
    }

    fn interval_of(&self, at: i64) -> Option<usize> {
        let index = at.checked_sub(self.shape.start)?.div_euclid(self.shape.interval);
        usize::try_from(index).ok().filter(|index| *index < self.shape.intervals)
    }

    fn take_on(&mut self, largest: i64, count: usize) -> Result<(), NumberError> {
        self.most += u128::from(largest.unsigned_abs()) * count as u128;
        if self.most > u128::from(u64::MAX) { Err(NumberError::Overflow) } else { Ok(()) }
    }

    /// Makes an interval hold a range of prices.
    fn widen(&mut self, interval: usize, (low, high): (i64, i64)) -> Result<(), NumberError> {
        let Some(lane) = self.lanes.get(interval) else { return Err(NumberError::Overflow) };
        if lane.holds(low, high) {
            return Ok(());
        }
        let (mut from, mut to) = (low.saturating_sub(MARGIN), high.saturating_add(MARGIN));
        if lane.range > 0 {
            from = from.min(lane.low);
            to = to.max(lane.low.saturating_add(i64::try_from(lane.range).unwrap_or(i64::MAX)));
        }
        let range = usize::try_from(to.saturating_sub(from)).ok().and_then(|range| range.checked_add(1));
        let cells = range.and_then(|range| range.checked_mul(self.shape.venues));
        let others: usize = self.lanes.iter().map(|lane| lane.volume.len()).sum();
        match (range, cells) {
            (Some(range), Some(cells)) if cells.saturating_add(others) <= CELLS_MAX => {
                if let Some(lane) = self.lanes.get_mut(interval) {
                    lane.move_to(from, range, self.shape.venues);
                }
                Ok(())
            }
            _ => Err(NumberError::Overflow),
        }
    }

    /// Adds another grid of the same shape.
    pub fn merge(&mut self, other: &Self) -> Result<(), NumberError> {
        if self.shape != other.shape {
            return Err(NumberError::Overflow);
        }
        self.most += other.most;
        if self.most > u128::from(u64::MAX) {
            return Err(NumberError::Overflow);
        }
        for (interval, theirs) in other.lanes.iter().enumerate().filter(|(_, lane)| lane.range > 0) {
            let high = theirs.low.saturating_add(i64::try_from(theirs.range).unwrap_or(i64::MAX) - 1);
            self.widen(interval, (theirs.low, high))?;
            if let Some(lane) = self.lanes.get_mut(interval) {
                lane.add(theirs, self.shape.venues);
            }
        }
        self.dropped += other.dropped;
        self.outside += other.outside;
        Ok(())
    }

    /// Trades counted, dropped for a price or size of zero or less, and outside: together all that were given.
    pub fn tally(&self) -> (u64, u64, u64) {
        (self.lanes.iter().flat_map(|lane| &lane.trades).sum(), self.dropped, self.outside)
    }
}

impl Lane {
    fn holds(&self, low: i64, high: i64) -> bool {
        let end = self.low.saturating_add(i64::try_from(self.range).unwrap_or(i64::MAX));
        self.range > 0 && self.low <= low && high < end
    }

    /// INVARIANT: every price of the block is within the range and every venue known, so that no trade is passed over; the
    /// sums fit by [`Grid::take_on`].
    fn count(&mut self, block: &Ticks<'_>) {
        // Counted in four places in turn: one place would wait for itself, as most trades are of one venue.
        let mut trades = [[0u64; 256]; 4];
        let (low, range) = (self.low, self.range);
        for (index, ((price, size), venue)) in block.price.iter().zip(block.size).zip(block.venue).enumerate()
        {
            let cell = usize::from(*venue) * range + price.wrapping_sub(low).cast_unsigned() as usize;
            if let Some(cell) = self.volume.get_mut(cell) {
                *cell = cell.wrapping_add(size.cast_unsigned());
            }
            if let Some(count) =
                trades.get_mut(index & 3).and_then(|counts| counts.get_mut(usize::from(*venue)))
            {
                *count += 1;
            }
        }
        for counts in &trades {
            for (sum, count) in self.trades.iter_mut().zip(counts) {
                *sum += count;
            }
        }
    }

    fn move_to(&mut self, low: i64, range: usize, venues: usize) {
        let mut volume = vec![0; range * venues];
        let shift = usize::try_from(self.low.saturating_sub(low)).unwrap_or(0);
        if self.range > 0 {
            for (venue, cells) in self.volume.chunks(self.range).enumerate() {
                let from = venue * range + shift;
                if let Some(place) = volume.get_mut(from..from + cells.len()) {
                    place.copy_from_slice(cells);
                }
            }
        }
        *self = Self { low, range, volume, trades: core::mem::take(&mut self.trades) };
    }

    /// Adds an interval whose range this one holds.
    fn add(&mut self, other: &Self, venues: usize) {
        let shift = usize::try_from(other.low.saturating_sub(self.low)).unwrap_or(0);
        for venue in 0..venues {
            let from = venue * self.range + shift;
            let theirs = other.volume.get(venue * other.range..(venue + 1) * other.range).unwrap_or(&[]);
            for (sum, more) in self.volume.iter_mut().skip(from).zip(theirs) {
                *sum = sum.wrapping_add(*more);
            }
        }
        for (sum, more) in self.trades.iter_mut().zip(&other.trades) {
            *sum += more;
        }
    }

    /// The cells of a venue.
    fn of(&self, venue: usize) -> &[u64] {
        self.volume.get(venue * self.range..(venue + 1) * self.range).unwrap_or(&[])
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
        let intervals = usize::from(self.version.intervals);
        if is_last || grid.shape.intervals != intervals || venues.len() != grid.shape.venues {
            return Err(NumberError::Overflow);
        }
        let ten = |decimals: u8| 18u8.checked_sub(decimals).map(|zeros| 10i128.pow(u32::from(zeros)));
        let tick = ten(price_decimals).ok_or(NumberError::ScaleOutOfRange(price_decimals))?;
        let unit = ten(size_decimals).ok_or(NumberError::ScaleOutOfRange(size_decimals))?.unsigned_abs();
        let mut read: BTreeMap<&str, Vec<Book>> = BTreeMap::new();
        for lane in &grid.lanes {
            for ((venue, name), trades) in venues.iter().enumerate().zip(&lane.trades) {
                let dense = Dense::new(lane.low, lane.of(venue), (tick, unit));
                read.entry(name).or_default().push(Book::from_dense(dense, *trades));
            }
        }
        let own = self.books.entry(self.pair.clone()).or_default();
        for (venue, books) in read.into_iter().filter(|(_, books)| books.iter().any(|book| !book.is_empty()))
        {
            match own.get_mut(venue) {
                None => drop(own.insert(venue.to_owned(), books)),
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
