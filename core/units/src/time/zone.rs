//! The wall clocks of the markets in which rates are fixed and NAVs are struck.

use super::TimeError;
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;

/// A wall clock, with its daylight saving time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Zone {
    /// UTC−5, in summer UTC−4.
    #[serde(rename = "America/New_York")]
    NewYork,
    /// UTC, in summer UTC+1.
    #[serde(rename = "Europe/London")]
    London,
    /// UTC+8, without daylight saving time since 1979.
    #[serde(rename = "Asia/Hong_Kong")]
    HongKong,
    /// Coordinated universal time.
    #[serde(rename = "UTC")]
    Utc,
}

impl Zone {
    /// The IANA name.
    pub fn name(self) -> &'static str {
        match self {
            Self::NewYork => "America/New_York",
            Self::London => "Europe/London",
            Self::HongKong => "Asia/Hong_Kong",
            Self::Utc => "UTC",
        }
    }

    /// The instant of a wall-clock time. A time that occurs twice, when clocks go back, is the earlier one; a time
    /// that is skipped, when they go forward, is as far after the change as it is after the skipped hour's start.
    pub fn instant(self, date: Date, time: Time) -> Result<Timestamp, TimeError> {
        let instant = self.rules().to_timestamp(date.to_datetime(time));
        instant.map_err(|_| TimeError::OutsideRange { date, time })
    }

    /// The date on this wall clock.
    pub fn date_of(self, instant: Timestamp) -> Date {
        self.rules().to_datetime(instant).date()
    }

    /// The time of day on this wall clock.
    pub fn time_of(self, instant: Timestamp) -> Time {
        self.rules().to_datetime(instant).time()
    }

    fn rules(self) -> &'static TimeZone {
        static RULES: [OnceLock<TimeZone>; 4] = [const { OnceLock::new() }; 4];
        let [new_york, london, hong_kong, utc] = &RULES;
        let slot = match self {
            Self::NewYork => new_york,
            Self::London => london,
            Self::HongKong => hong_kong,
            Self::Utc => utc,
        };
        // INVARIANT: the database is compiled in and has these names; a test reads each of them.
        slot.get_or_init(|| TimeZone::get(self.name()).unwrap_or(TimeZone::UTC))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(zone: Zone, date: &str, time: &str, utc: &str) {
        let instant = zone.instant(date.parse().unwrap(), time.parse().unwrap()).unwrap();
        assert_eq!(instant.to_string(), utc, "{} {date} {time}", zone.name());
        assert_eq!(zone.date_of(instant), date.parse().unwrap());
    }

    #[test]
    fn four_in_the_afternoon_is_another_instant_in_summer() {
        check(Zone::NewYork, "2024-01-11", "16:00", "2024-01-11T21:00:00Z");
        check(Zone::NewYork, "2024-07-01", "16:00", "2024-07-01T20:00:00Z");
        check(Zone::London, "2024-01-11", "16:00", "2024-01-11T16:00:00Z");
        check(Zone::London, "2024-07-01", "16:00", "2024-07-01T15:00:00Z");
        check(Zone::HongKong, "2024-07-01", "16:00", "2024-07-01T08:00:00Z");
        check(Zone::Utc, "2024-07-01", "16:00", "2024-07-01T16:00:00Z");
    }

    #[test]
    fn the_weeks_in_which_only_one_side_of_the_ocean_has_changed_its_clocks_are_known() {
        check(Zone::NewYork, "2024-03-11", "12:00", "2024-03-11T16:00:00Z");
        check(Zone::London, "2024-03-11", "12:00", "2024-03-11T12:00:00Z");
    }

    #[test]
    fn a_time_that_occurs_twice_is_the_earlier_and_a_skipped_one_moves_on() {
        let at = |date: &str, time: &str| {
            Zone::NewYork.instant(date.parse().unwrap(), time.parse().unwrap()).unwrap().to_string()
        };
        assert_eq!(at("2024-11-03", "01:30"), "2024-11-03T05:30:00Z");
        assert_eq!(at("2024-03-10", "02:30"), "2024-03-10T07:30:00Z");
    }
}
