//! Why a methodology was refused, and why there is no rate.

use strongroom_units::time::{Date, Timestamp};
use strongroom_units::{NumberError, Rate};
use thiserror::Error;

/// A methodology that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MethodologyError {
    /// The text cannot be read.
    #[error("line {line}: {message}")]
    Unreadable {
        /// Line in the file, from 1; 0 when the file as a whole is meant.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// The numbers contradict each other.
    #[error("version {version}: {rule}")]
    Contradiction {
        /// The version's date.
        version: Date,
        /// The rule that was broken.
        rule: &'static str,
    },
    /// No version holds yet.
    #[error("methodology {id} has no version for {date}")]
    NotYetEffective {
        /// The methodology.
        id: String,
        /// The day asked for.
        date: Date,
    },
}

impl MethodologyError {
    pub(super) fn unreadable(text: &str, error: &toml::de::Error) -> Self {
        let line = error
            .span()
            .and_then(|span| text.get(..span.start))
            .map_or(0, |before| before.matches('\n').count() + 1);
        Self::Unreadable { line, message: error.message().trim().replace('\n', " ") }
    }

    /// The stable code: the rule that was broken.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "methodology.must_be_readable",
            Self::Contradiction { .. } => "methodology.must_not_contradict_itself",
            Self::NotYetEffective { .. } => "methodology.must_be_effective",
        }
    }
}

/// Why there is no rate. Nothing stale is published in its place.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RateError {
    /// No usable trade in the whole window.
    #[error("no usable trade of {pair} between {from} and {until}: there is no rate")]
    NoTrades {
        /// The pair.
        pair: String,
        /// The window's first instant.
        from: Timestamp,
        /// The window's end, not part of it.
        until: Timestamp,
    },
    /// Too few venues.
    #[error("{found} venues of {pair} have usable trades in the window; the methodology needs {needed}")]
    TooFewVenues {
        /// The pair.
        pair: String,
        /// Venues with usable trades.
        found: usize,
        /// Venues needed.
        needed: u16,
    },
    /// An interval without trades, where the methodology allows none.
    #[error("the interval from {start} has no trade; the methodology allows no empty interval")]
    EmptyInterval {
        /// Its first instant.
        start: Timestamp,
    },
    /// Venues disagree by more than can be told apart.
    #[error("every venue deviates from the median of the venues by more than {limit}: there is no rate")]
    AllVenuesExcluded {
        /// The methodology's limit.
        limit: Rate,
    },
    /// A number that does not fit.
    #[error(transparent)]
    Number(#[from] NumberError),
}

impl RateError {
    /// The stable code: the rule that was broken.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoTrades { .. } => "rate.window_must_have_trades",
            Self::TooFewVenues { .. } => "rate.must_have_enough_venues",
            Self::EmptyInterval { .. } => "rate.interval_must_have_trades",
            Self::AllVenuesExcluded { .. } => "rate.venues_must_agree",
            Self::Number(error) => error.code(),
        }
    }
}
