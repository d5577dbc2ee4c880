//! Trades, or minute bars, of any number of files, read through a window: memory is bounded by the window's distinct
//! prices, not by the files.
//!
//! A row that is no trade (a price that is no number, no time) is not an error of the file: methodologies say that
//! erroneous trades are discarded, so it is counted in the window's evidence and passed over.

use crate::error::FeedError;
use csv::ByteRecord;
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use strongroom_market::rate::{Pair, Trade, Window};
use strongroom_units::time::Timestamp;
use strongroom_units::{Decimal, Price};

/// What was read of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TradesRead {
    /// Rows, of any pair and time.
    pub rows: u64,
    /// Rows that were no trades.
    pub unreadable: u64,
}

/// Reads a file into a window: CSV, plain or gzip, or Parquet, told apart by their first bytes. Columns by name:
/// `venue`, `pair`, and either `trade_ts_ms`, `price`, `size`, or `minute_utc`, `close`, `volume` and optionally
/// `trades`: each bar is one observation of its close and volume at the start of its minute.
pub fn read_trades(path: &Path, window: &mut Window) -> Result<TradesRead, FeedError> {
    read_trades_into(path, core::slice::from_mut(window))
}

/// Reads a file once into several windows, as [`read_trades`] does into one. They may overlap.
pub fn read_trades_into(path: &Path, windows: &mut [Window]) -> Result<TradesRead, FeedError> {
    let unreadable = |source| FeedError::Unreadable { path: path.to_owned(), source };
    let start = first_bytes(path).map_err(unreadable)?;
    if start == *b"PAR1" {
        return read_parquet(path, windows);
    }
    let is_gzip = start.starts_with(&[0x1f, 0x8b]);
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).from_reader(open(path, is_gzip).map_err(unreadable)?);
    let heading = reader.byte_headers().map_err(|error| unreadable(std::io::Error::other(error)))?.clone();
    let names: Vec<String> = heading.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut rows = Rows::new(find_columns(path, &names)?, windows);
    let mut read = TradesRead::default();
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(|error| unreadable(std::io::Error::other(error)))? {
        read.rows += 1;
        if !rows.take(&record, windows) {
            read.unreadable += 1;
        }
    }
    Ok(read)
}

#[cfg(feature = "parquet")]
fn read_parquet(path: &Path, windows: &mut [Window]) -> Result<TradesRead, FeedError> {
    crate::parquet::read(path, windows)
}

#[cfg(not(feature = "parquet"))]
fn read_parquet(path: &Path, _: &mut [Window]) -> Result<TradesRead, FeedError> {
    let source = std::io::Error::other("this build reads no Parquet; build it with the feature `parquet`");
    Err(FeedError::Unreadable { path: path.to_owned(), source })
}

fn first_bytes(path: &Path) -> std::io::Result<[u8; 4]> {
    let mut start = Vec::new();
    File::open(path)?.take(4).read_to_end(&mut start)?;
    start.resize(4, 0);
    Ok(start.try_into().unwrap_or_default())
}

fn open(path: &Path, is_gzip: bool) -> std::io::Result<Box<dyn Read>> {
    let file = BufReader::with_capacity(1 << 17, File::open(path)?);
    if is_gzip { Ok(Box::new(MultiGzDecoder::new(file))) } else { Ok(Box::new(file)) }
}

/// A row of any format.
pub(crate) trait Cells {
    /// A cell as text, without spaces around it.
    fn text(&self, index: usize) -> Option<&str>;
    /// A cell as an exact number.
    fn number(&self, index: usize) -> Option<Decimal>;
}

impl Cells for ByteRecord {
    fn text(&self, index: usize) -> Option<&str> {
        core::str::from_utf8(self.get(index)?.trim_ascii()).ok()
    }

    fn number(&self, index: usize) -> Option<Decimal> {
        self.text(index)?.parse().ok()
    }
}

/// Where each column is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Columns {
    venue: usize,
    pair: usize,
    price: usize,
    size: usize,
    time: Time,
    trades: Option<usize>,
}

/// Which column has the time, and in what form.
#[derive(Debug, Clone, Copy)]
enum Time {
    Milliseconds(usize),
    Minute(usize),
}

/// Finds the columns by name, in any case and with or without a byte order mark before the first.
pub(crate) fn find_columns(path: &Path, names: &[&str]) -> Result<Columns, FeedError> {
    let optional = |name: &str| {
        names.iter().position(|cell| cell.trim_start_matches('\u{feff}').trim().eq_ignore_ascii_case(name))
    };
    let required = |wanted: &[&str]| {
        wanted.iter().find_map(|name| optional(name)).ok_or_else(|| FeedError::ColumnMissing {
            path: path.to_owned(),
            wanted: wanted.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or "),
            found: names.iter().map(|name| format!("`{name}`")).collect(),
        })
    };
    let time = match optional("trade_ts_ms") {
        Some(index) => Time::Milliseconds(index),
        None => Time::Minute(required(&["minute_utc", "trade_ts_ms"])?),
    };
    let is_bars = matches!(time, Time::Minute(_));
    Ok(Columns {
        venue: required(&["venue"])?,
        pair: required(&["pair"])?,
        price: required(if is_bars { &["close"] } else { &["price"] })?,
        size: required(if is_bars { &["volume"] } else { &["size"] })?,
        trades: if is_bars { optional("trades") } else { None },
        time,
    })
}

#[cfg(feature = "parquet")]
impl Columns {
    /// The columns to be read, in the order that [`Columns::positions`] counts in.
    pub(crate) fn indices(&self) -> Vec<usize> {
        let (Time::Milliseconds(time) | Time::Minute(time)) = self.time;
        [self.venue, self.pair, self.price, self.size, time].into_iter().chain(self.trades).collect()
    }

    /// The same columns by their places among those read.
    pub(crate) fn positions(&self) -> Self {
        let time = match self.time {
            Time::Milliseconds(_) => Time::Milliseconds(4),
            Time::Minute(_) => Time::Minute(4),
        };
        Self { venue: 0, pair: 1, price: 2, size: 3, time, trades: self.trades.map(|_| 5) }
    }
}

/// A file's rows, with what the last one was: most rows repeat its pair and minute.
pub(crate) struct Rows {
    columns: Columns,
    pair: Option<(String, Pair)>,
    minute: Option<(String, i64)>,
    /// Whether windows begin and end one after the other.
    in_order: bool,
}

impl Rows {
    pub(crate) fn new(columns: Columns, windows: &[Window]) -> Self {
        let in_order = windows.is_sorted_by_key(|window| window.span_ms().0)
            && windows.is_sorted_by_key(|window| window.span_ms().1);
        Self { columns, pair: None, minute: None, in_order }
    }

    /// Gives a row to every window that it falls into; false when it is no trade.
    pub(crate) fn take(&mut self, row: &impl Cells, windows: &mut [Window]) -> bool {
        let Some(venue) = row.text(self.columns.venue).filter(|venue| !venue.is_empty()) else {
            return false;
        };
        if self.read_pair(row).is_none() {
            return false;
        }
        let Some((_, pair)) = &self.pair else { return false };
        // With one window the time of another pair need not be read.
        if let [one] = windows
            && !one.wants(pair)
        {
            return true;
        }
        let at = match self.columns.time {
            Time::Milliseconds(index) => row.number(index).and_then(whole),
            Time::Minute(index) => row.text(index).and_then(|text| minute(&mut self.minute, text)),
        };
        let mut taken = Taken::Elsewhere;
        let mut trade = None;
        for window in overlapping(windows, at, self.in_order) {
            let (from, until) = window.span_ms();
            if at.is_some_and(|at: i64| !(from..until).contains(&at)) || !window.wants(pair) {
                continue;
            }
            let read = trade.get_or_insert_with(|| self.columns.trade(row, (venue, pair, at)));
            let is_taken = read.as_ref().is_some_and(|trade| window.add(trade).is_ok());
            if !is_taken {
                window.drop_unreadable(venue);
            }
            taken = if is_taken && taken != Taken::Dropped { Taken::In } else { Taken::Dropped };
        }
        taken != Taken::Dropped
    }

    fn read_pair(&mut self, row: &impl Cells) -> Option<()> {
        let text = row.text(self.columns.pair)?;
        if self.pair.as_ref().is_none_or(|(last, _)| last != text) {
            self.pair = Some((text.to_owned(), text.parse().ok()?));
        }
        Some(())
    }
}

/// What became of a row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// No window wanted it.
    Elsewhere,
    In,
    Dropped,
}

/// The windows that an instant may fall into; every one for a row without a time.
fn overlapping(windows: &mut [Window], at: Option<i64>, in_order: bool) -> &mut [Window] {
    let Some(at) = at.filter(|_| in_order) else { return windows };
    let first = windows.partition_point(|window| window.span_ms().1 <= at);
    let end = windows.partition_point(|window| window.span_ms().0 <= at);
    windows.get_mut(first..end.max(first)).unwrap_or_default()
}

impl Columns {
    /// The trade of a row; none when a number in it is none.
    fn trade<'a>(
        &self,
        row: &impl Cells,
        (venue, pair, at): (&'a str, &'a Pair, Option<i64>),
    ) -> Option<Trade<'a>> {
        let price = row.number(self.price).and_then(|price| Price::try_from_decimal(price).ok())?;
        let size = row.number(self.size)?;
        let trades = match (self.time, self.trades) {
            (Time::Milliseconds(_), _) => Some(1),
            (Time::Minute(_), column) => column.and_then(|index| row.number(index)).and_then(whole),
        };
        let trades = trades.and_then(|trades| u64::try_from(trades).ok());
        Some(Trade { venue, pair, at_ms: at?, price, size, trades })
    }
}

/// A number without a fraction.
fn whole(number: Decimal) -> Option<i64> {
    i64::try_from(number.units_at(0).ok()?).ok()
}

/// The first millisecond of a minute `2023-03-10T20:59Z`, with or without seconds.
fn minute(last: &mut Option<(String, i64)>, text: &str) -> Option<i64> {
    if let Some((_, ms)) = last.as_ref().filter(|(known, _)| known == text) {
        return Some(*ms);
    }
    let instant: Timestamp = text.parse().ok()?;
    *last = Some((text.to_owned(), instant.as_millisecond()));
    Some(instant.as_millisecond())
}
