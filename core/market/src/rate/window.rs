//! One window of one pair: trades go in, one by one and in any order; the books they make are what a rate is made of.
//!
//! Memory is bounded by distinct prices, not by trades: a file of any size can be read through it.

use super::book::Book;
use super::error::MethodologyError;
use super::evidence::ExclusionReason;
use super::methodology::{Methodology, Version};
use core::fmt;
use core::str::FromStr;
use std::collections::BTreeMap;
use strongroom_units::time::Timestamp;
use strongroom_units::{Decimal, NumberError, Price};

/// A base asset and the quote it is priced in: `BTC-USD`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair {
    /// What is priced.
    pub base: String,
    /// In what.
    pub quote: String,
}

impl FromStr for Pair {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = |part: &str| {
            !part.is_empty() && part.len() <= 20 && part.bytes().all(|b| b.is_ascii_alphanumeric())
        };
        match text.split_once('-') {
            Some((base, quote)) if named(base) && named(quote) => {
                Ok(Self { base: base.to_ascii_uppercase(), quote: quote.to_ascii_uppercase() })
            }
            _ => Err(format!("`{text}` is not a pair; write it like BTC-USD")),
        }
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.base, self.quote)
    }
}

/// One trade, or one bar as one observation of its close and volume.
#[derive(Debug, Clone, Copy)]
pub struct Trade<'a> {
    /// Where.
    pub venue: &'a str,
    /// What, as the source writes it.
    pub pair: &'a Pair,
    /// When, in milliseconds of the Unix epoch.
    pub at_ms: i64,
    /// In the quote per whole base unit.
    pub price: Price,
    /// In the base asset; up to eighteen decimals.
    pub size: Decimal,
    /// How many trades it stands for: one, or none when a bar does not say.
    pub trades: Option<u64>,
}

/// Books of one venue in one pair, an interval each.
pub(super) type VenueBooks = Vec<Book>;

/// A window that takes trades in.
#[derive(Debug, Clone)]
pub struct Window {
    pub(super) methodology: String,
    pub(super) version: Version,
    pub(super) pair: Pair,
    pub(super) at: Timestamp,
    pub(super) from_ms: i64,
    pub(super) until_ms: i64,
    /// By pair, then venue.
    pub(super) books: BTreeMap<Pair, BTreeMap<String, VenueBooks>>,
    pub(super) dropped: BTreeMap<(String, ExclusionReason), u64>,
}

impl Window {
    /// The window of a methodology for a pair that ends at an instant (or so many seconds after it, as the
    /// methodology says). The first instant belongs to it, the last does not.
    pub fn try_new(methodology: &Methodology, pair: &Pair, at: Timestamp) -> Result<Self, MethodologyError> {
        let version = methodology.version_at(at)?.clone();
        let until_ms = at.as_millisecond() + 1_000 * i64::from(version.seconds_after);
        let span_ms = 1_000 * i64::from(version.intervals) * i64::from(version.interval_seconds);
        Ok(Self {
            methodology: methodology.id.clone(),
            pair: pair.clone(),
            at,
            from_ms: until_ms - span_ms,
            until_ms,
            books: BTreeMap::new(),
            dropped: BTreeMap::new(),
            version,
        })
    }

    /// The window's first millisecond, and the one after its last.
    pub fn span_ms(&self) -> (i64, i64) {
        (self.from_ms, self.until_ms)
    }

    /// Whether a pair's trades matter: the pair itself, its base in another quote, and what converts that quote.
    pub fn wants(&self, pair: &Pair) -> bool {
        let converts = |pair: &Pair| self.version.conversions.0.values().any(|by| *by == pair.to_string());
        pair.base == self.pair.base || converts(pair)
    }

    /// Takes a trade in, or counts why it is left out. A trade of another pair or outside the window is neither.
    pub fn add(&mut self, trade: &Trade<'_>) -> Result<(), NumberError> {
        if !(self.from_ms..self.until_ms).contains(&trade.at_ms) || !self.wants(trade.pair) {
            return Ok(());
        }
        if let Some(reason) = self.reason_to_drop(trade) {
            self.drop_trade(trade.venue, reason);
            return Ok(());
        }
        let size = u128::try_from(trade.size.units_at(18)?).map_err(|_| NumberError::Overflow)?;
        let offset = trade.at_ms - self.from_ms;
        let interval =
            usize::try_from(offset / (1_000 * i64::from(self.version.interval_seconds))).unwrap_or(0);
        let intervals = usize::from(self.version.intervals);
        if !self.books.contains_key(trade.pair) {
            self.books.insert(trade.pair.clone(), BTreeMap::new());
        }
        let venues = self.books.get_mut(trade.pair).ok_or(NumberError::Overflow)?;
        if !venues.contains_key(trade.venue) {
            venues.insert(trade.venue.to_owned(), vec![Book::default(); intervals]);
        }
        let book = venues.get_mut(trade.venue).and_then(|books| books.get_mut(interval));
        book.ok_or(NumberError::Overflow)?.add(trade.price, size, trade.at_ms, trade.trades)
    }

    /// Counts a row of a venue that could not even be read as a trade.
    pub fn drop_unreadable(&mut self, venue: &str) {
        self.drop_trade(venue, ExclusionReason::Erroneous);
    }

    fn reason_to_drop(&self, trade: &Trade<'_>) -> Option<ExclusionReason> {
        let named = |venues: &Vec<String>| venues.iter().any(|venue| venue == trade.venue);
        let converted =
            trade.pair.quote == self.pair.quote || self.version.conversions.0.contains_key(&trade.pair.quote);
        if self.version.venues.as_ref().is_some_and(|venues| !named(venues)) {
            Some(ExclusionReason::NotAConstituent)
        } else if !converted {
            Some(ExclusionReason::QuoteNotConverted)
        } else if trade.price <= Price::ZERO || trade.size.units() <= 0 {
            Some(ExclusionReason::Erroneous)
        } else {
            None
        }
    }

    fn drop_trade(&mut self, venue: &str, reason: ExclusionReason) {
        *self.dropped.entry((venue.to_owned(), reason)).or_default() += 1;
    }
}
