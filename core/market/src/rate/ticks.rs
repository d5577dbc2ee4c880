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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GridShape {
    /// First instant.
    pub start: i64,
    /// Length of an interval, in the unit of `start`; above zero.
    pub interval: i64,
    /// Number of venues.
    pub venues: usize,
    /// Lowest and highest price of each interval in ticks, as [`GridShape::spans_of`] finds them; none for an interval
    /// without trades.
    pub spans: Vec<Span>,
}

impl GridShape {
    /// The price range of each of `intervals` intervals: a grid as narrow as its trades stays in the processor's cache.
    pub fn spans_of(ticks: &Ticks<'_>, start: i64, interval: i64, intervals: usize) -> Vec<Span> {
        let mut spans = vec![None; intervals];
        let mut clock = Clock::new(start, interval);
        let mut span = None;
        for (at, price) in ticks.at.iter().zip(ticks.price) {
            if !clock.holds(*at) {
                widen(&mut spans, clock.index, span);
                clock.move_to(*at);
                span = None;
            }
            let (low, high) = span.unwrap_or((i64::MAX, i64::MIN));
            span = Some((low.min(*price), high.max(*price)));
        }
        widen(&mut spans, clock.index, span);
        spans
    }

    /// The ranges that hold both.
    pub fn spans_of_both(a: &[Span], b: &[Span]) -> Vec<Span> {
        a.iter().zip(b).map(|(a, b)| both(*a, *b)).collect()
    }
}

/// Lowest and highest price of an interval in ticks; none without trades.
pub type Span = Option<(i64, i64)>;

fn both(a: Span, b: Span) -> Span {
    match (a, b) {
        (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
        (one, other) => one.or(other),
    }
}

fn widen(spans: &mut [Span], interval: Option<usize>, by: Span) {
    if let Some(span) = interval.and_then(|interval| spans.get_mut(interval)) {
        *span = both(*span, by);
    }
}

/// Which interval an instant is in. Trades come mostly in order of time: the last answer is tried before a division.
struct Clock {
    start: i64,
    interval: i64,
    from: i64,
    until: i64,
    index: Option<usize>,
}

impl Clock {
    fn new(start: i64, interval: i64) -> Self {
        Self { start, interval: interval.max(1), from: 0, until: 0, index: None }
    }

    fn holds(&self, at: i64) -> bool {
        (self.from..self.until).contains(&at)
    }

    fn move_to(&mut self, at: i64) {
        let index = at.wrapping_sub(self.start).div_euclid(self.interval);
        self.from = self.start.wrapping_add(index.wrapping_mul(self.interval));
        self.until = self.from.wrapping_add(self.interval);
        self.index = usize::try_from(index).ok();
    }
}

/// Where the trades of one interval are counted.
#[derive(Clone, Copy, Default)]
struct Row {
    first: usize,
    range: usize,
    low: i64,
    row: usize,
}

/// Volume at each price of each venue and interval.
#[derive(Debug, Clone)]
pub struct Grid {
    shape: GridShape,
    /// Of each interval: its first cell and its range; the cells of its venues follow one another.
    rows: Vec<(usize, usize)>,
    volume: Vec<u64>,
    trades: Vec<u64>,
    dropped: u64,
    outside: u64,
}

impl Grid {
    /// An empty grid; refuses one of more than 2^25 cells.
    pub fn try_new(shape: GridShape) -> Result<Self, NumberError> {
        if shape.interval <= 0 {
            return Err(NumberError::DivisionByZero);
        }
        let (mut rows, mut cells) = (Vec::with_capacity(shape.spans.len()), 0usize);
        for span in &shape.spans {
            let range = span.map_or(Ok(0), |(low, high)| {
                usize::try_from(high.saturating_sub(low)).map(|range| range.saturating_add(1))
            });
            let range = range.map_err(|_| NumberError::Overflow)?;
            rows.push((cells, range));
            let more = range.checked_mul(shape.venues).and_then(|more| cells.checked_add(more));
            cells = more.filter(|cells| *cells <= CELLS_MAX).ok_or(NumberError::Overflow)?;
        }
        let trades = vec![0; shape.spans.len().saturating_mul(shape.venues)];
        Ok(Self { shape, rows, volume: vec![0; cells], trades, dropped: 0, outside: 0 })
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
        let mut clock = Clock::new(self.shape.start, self.shape.interval);
        let venues = self.shape.venues;
        let (mut dropped, mut outside) = (0, 0);
        let mut interval = Row::default();
        for (((at, price), size), venue) in ticks.at.iter().zip(ticks.price).zip(ticks.size).zip(ticks.venue)
        {
            if !clock.holds(*at) {
                clock.move_to(*at);
                interval = clock.index.map_or_else(Row::default, |index| self.row(index));
            }
            if *price <= 0 || *size <= 0 {
                dropped += 1;
                continue;
            }
            let (venue, tick) = (usize::from(*venue), price.wrapping_sub(interval.low).cast_unsigned());
            if venue >= venues || tick >= interval.range as u64 {
                outside += 1;
                continue;
            }
            let cell = interval.first + venue * interval.range + tick as usize;
            if let (Some(cell), Some(trades)) =
                (self.volume.get_mut(cell), self.trades.get_mut(interval.row + venue))
            {
                *cell += size.unsigned_abs();
                *trades += 1;
            }
        }
        self.dropped += dropped;
        self.outside += outside;
        Ok(())
    }

    /// Where the trades of an interval are counted; nowhere when the grid has no such interval.
    fn row(&self, interval: usize) -> Row {
        let found = self.rows.get(interval).zip(self.shape.spans.get(interval).copied().flatten());
        found.map_or_else(Row::default, |((first, range), (low, _))| Row {
            first: *first,
            range: *range,
            low,
            row: interval * self.shape.venues,
        })
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
        let intervals = grid.shape.spans.len();
        if is_last || intervals != usize::from(self.version.intervals) || venues.len() != grid.shape.venues {
            return Err(NumberError::Overflow);
        }
        let ten = |decimals: u8| 18u8.checked_sub(decimals).map(|zeros| 10i128.pow(u32::from(zeros)));
        let tick = ten(price_decimals).ok_or(NumberError::ScaleOutOfRange(price_decimals))?;
        let unit = ten(size_decimals).ok_or(NumberError::ScaleOutOfRange(size_decimals))?.unsigned_abs();
        let mut read: BTreeMap<String, Vec<Book>> = BTreeMap::new();
        let mut trades = grid.trades.iter();
        for ((first, range), span) in grid.rows.iter().zip(&grid.shape.spans) {
            let low = span.map_or(0, |(low, _)| low);
            for (venue, trades) in (0..).zip(venues).zip(trades.by_ref()) {
                let (index, name) = venue;
                let from = first + index * range;
                let cells = grid.volume.get(from..from + range).unwrap_or(&[]);
                let counted = (low..).zip(cells).filter(|(_, volume)| **volume > 0);
                let level = |(of, volume): (i64, &u64)| {
                    (Price::from_units(i128::from(of) * tick), u128::from(*volume) * unit)
                };
                let levels: Vec<Level> = counted.map(level).collect();
                read.entry((*name).to_owned()).or_default().push(Book::from_levels(levels, *trades));
            }
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
