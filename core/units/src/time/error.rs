//! Why a date or a wall-clock time was refused.

use jiff::civil::{Date, Time};
use thiserror::Error;

/// A date outside a calendar, or a wall-clock time that no instant has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TimeError {
    /// The calendar's rules are not known for the date.
    #[error("{date} is outside the calendar, which is known from {first} to {last}")]
    OutsideCalendar {
        /// The date.
        date: Date,
        /// First year of the calendar.
        first: i16,
        /// Last year of the calendar.
        last: i16,
    },
    /// The date is no session.
    #[error("{0} is no session of the calendar")]
    NotASession(Date),
    /// No instant: at the end of the range of dates.
    #[error("{date} {time} is outside the range of instants")]
    OutsideRange {
        /// The date.
        date: Date,
        /// The time of day.
        time: Time,
    },
}

impl TimeError {
    /// The stable code: the rule that was broken.
    pub fn code(&self) -> &'static str {
        match self {
            Self::OutsideCalendar { .. } => "time.date_must_be_in_calendar",
            Self::NotASession(_) => "time.date_must_be_a_session",
            Self::OutsideRange { .. } => "time.instant_must_be_in_range",
        }
    }
}
