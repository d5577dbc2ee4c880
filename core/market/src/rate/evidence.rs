//! A rate with everything needed to see how it came about, and to compute it again.

use super::methodology::Tie;
use serde::{Deserialize, Serialize};
use strongroom_units::time::{Date, Timestamp};
use strongroom_units::{Decimal, Price, Rate};

/// A reference rate and its evidence. Prices are in the pair's quote per whole base unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateEvidence {
    /// The rate, rounded as the methodology says.
    pub rate: Price,
    /// What was priced.
    pub pair: String,
    /// The rules.
    pub methodology: MethodologyUsed,
    /// The time of the rate.
    pub at: Timestamp,
    /// The window's first instant.
    pub from: Timestamp,
    /// The window's end, not part of it.
    pub until: Timestamp,
    /// Every interval, in order.
    pub partitions: Vec<Partition>,
    /// Every venue whose trades count, with its own price over the window.
    pub venues: Vec<Venue>,
    /// What was left out, and why.
    pub excluded: Vec<Exclusion>,
    /// Books in another quote, and what valued them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub conversions: Vec<Conversion>,
    /// SHA-256 of the trades taken in, reduced to volume at each price of each venue and interval: the same for the
    /// same trades in any order and in any number of files.
    pub input_hash: String,
}

/// Which rules made a rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodologyUsed {
    /// The methodology.
    pub id: String,
    /// From which day these rules hold.
    pub effective: Date,
    /// The price of an interval, by its full name.
    pub statistic: String,
    /// What an exact half of the volume means.
    pub tie: Tie,
}

/// One interval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    /// Its first instant.
    pub start: Timestamp,
    /// Its price; none when it was empty and dropped.
    pub value: Option<Price>,
    /// Whether the price is that of another interval, because this one was empty.
    #[serde(skip_serializing_if = "core::ops::Not::not", default)]
    pub borrowed: bool,
    /// Its weight, of the sum of all weights.
    pub weight: u32,
    /// Trades; none when the source does not say.
    pub trades: Option<u64>,
    /// Volume in the base asset.
    pub volume: Volume,
}

/// One venue, or one venue's book in another quote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Venue {
    /// Its name; with the pair, when the book is converted.
    pub venue: String,
    /// Its cumulative-volume-weighted median over the window.
    pub value: Price,
    /// `value ÷ median of the venues − 1`, half even at eighteen decimals.
    pub deviation: Rate,
    /// Trades; none when the source does not say.
    pub trades: Option<u64>,
    /// Volume in the base asset.
    pub volume: Volume,
}

/// Something that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exclusion {
    /// The venue.
    pub venue: String,
    /// Why.
    pub reason: ExclusionReason,
    /// Its price over the window, where it had one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub value: Option<Price>,
    /// How far it was from the median of the venues.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub deviation: Option<Rate>,
    /// How many trades, or bars, this concerns.
    pub observations: u64,
}

/// Why something was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExclusionReason {
    /// The venue deviated from the median of the venues by more than the limit: all its trades are left out.
    DeviatesFromVenueMedian,
    /// The methodology does not name the venue.
    NotAConstituent,
    /// A price or a size of zero or less.
    Erroneous,
    /// A time later than the data could have been gathered.
    FromTheFuture,
    /// A book in another quote, which the methodology does not convert, or whose conversion had no trades.
    QuoteNotConverted,
}

/// How books in another quote were valued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversion {
    /// The books.
    pub books: String,
    /// What valued them.
    pub by: String,
    /// Its price over the window; each interval was valued at its own.
    pub value: Price,
}

/// A volume in the base asset, exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Volume(pub Decimal);

impl Serialize for Volume {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Volume {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}
