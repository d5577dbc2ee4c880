//! Why a figure cannot be given.

use strongroom_units::NumberError;
use strongroom_units::time::Date;
use thiserror::Error;

/// A series from which a figure cannot be computed. Nothing is estimated in its place.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum StatisticsError {
    /// Two rows have the same date, or a later row an earlier date.
    #[error("the row of {date} must be later than the row before it")]
    DatesMustIncrease {
        /// Date of the offending row.
        date: Date,
    },
    /// A value is zero, negative, infinite or not a number.
    #[error("the value of {date} must be positive and finite")]
    ValueMustBePositive {
        /// Date of the offending row.
        date: Date,
    },
    /// There are fewer points than the figure needs.
    #[error("this figure needs at least {needed} points and there are {found}")]
    TooFewPoints {
        /// Points that the figure needs.
        needed: usize,
        /// Points that there are.
        found: usize,
    },
    /// The divisor of a ratio, a deviation, is zero.
    #[error("a ratio to a deviation needs returns that deviate")]
    NoVariation,
    /// A compound annual rate of less than a year.
    #[error("{days} days are less than a year: give the total return instead of an annual rate")]
    ShorterThanAYear {
        /// Calendar days in the period.
        days: i32,
    },
    /// A result, or an argument, is not a finite number.
    #[error("the figure is outside the range of a 64-bit float")]
    NotFinite,
    /// A bid is not positive, or the ask is below it.
    #[error("quote {index} must have a positive bid and an ask at or above it")]
    QuoteMustNotCross {
        /// Position of the quote, from 0.
        index: usize,
    },
    /// Exact arithmetic refused.
    #[error(transparent)]
    Number(#[from] NumberError),
}

impl StatisticsError {
    /// The stable code: the rule that was broken.
    pub fn code(&self) -> &'static str {
        match self {
            Self::DatesMustIncrease { .. } => "statistics.dates_must_increase",
            Self::ValueMustBePositive { .. } => "statistics.values_must_be_positive",
            Self::TooFewPoints { .. } => "statistics.must_have_enough_points",
            Self::NoVariation => "statistics.returns_must_vary",
            Self::ShorterThanAYear { .. } => "statistics.annual_rate_needs_a_year",
            Self::NotFinite => "statistics.must_be_finite",
            Self::QuoteMustNotCross { .. } => "statistics.quotes_must_not_cross",
            Self::Number(error) => error.code(),
        }
    }
}
