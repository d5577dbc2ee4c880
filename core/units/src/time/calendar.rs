//! On which days an exchange is open, and when it closes early: by rule, with dated exceptions.

use super::{TimeError, Zone};
use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday};
use serde::{Deserialize, Serialize};

/// The sessions of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Calendar {
    /// New York Stock Exchange, Rules 7.1 and 7.2: 9:30 to 16:00 New York, 13:00 on early closes.
    #[serde(rename = "NYSE")]
    Nyse,
    /// The first session of each month of the New York Stock Exchange, for a fund whose prices are monthly.
    #[serde(rename = "NYSE-monthly")]
    NyseMonthly,
}

/// One session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// Its date on the exchange's wall clock.
    pub date: Date,
    /// When trading opens.
    pub open: Timestamp,
    /// When trading closes.
    pub close: Timestamp,
    /// Whether it closes before its usual time.
    pub early_close: bool,
}

/// Years for which the rules below hold. Before 2009 there are more exceptions than are recorded here.
const FIRST_YEAR: i16 = 2009;
const LAST_YEAR: i16 = 2099;

const OPEN: Time = Time::constant(9, 30, 0, 0);
const CLOSE: Time = Time::constant(16, 0, 0, 0);
const EARLY_CLOSE: Time = Time::constant(13, 0, 0, 0);

/// Closures that no rule gives.
const NYSE_EXCEPTIONS: [Date; 4] = [
    Date::constant(2012, 10, 29), // Hurricane Sandy
    Date::constant(2012, 10, 30),
    Date::constant(2018, 12, 5), // mourning of President Bush
    Date::constant(2025, 1, 9),  // mourning of President Carter
];

impl Calendar {
    /// Whether the exchange is open on a date. No date outside the calendar's years is a session.
    pub fn is_session(self, date: Date) -> bool {
        match self {
            Self::Nyse => is_open(date),
            Self::NyseMonthly => {
                let before = core::iter::successors(Some(date.first_of_month()), |day| day.tomorrow().ok());
                is_open(date) && !before.take_while(|day| *day < date).any(is_open)
            }
        }
    }

    /// The session of a date, with its hours.
    pub fn session(self, date: Date) -> Result<Session, TimeError> {
        if !self.is_session(date) {
            return Err(TimeError::NotASession(date));
        }
        let early_close = self.closes_early(date);
        let close = if early_close { EARLY_CLOSE } else { CLOSE };
        let at = |time| self.zone().instant(date, time);
        Ok(Session { date, open: at(OPEN)?, close: at(close)?, early_close })
    }

    /// The exchange's wall clock.
    pub fn zone(self) -> Zone {
        match self {
            Self::Nyse | Self::NyseMonthly => Zone::NewYork,
        }
    }

    /// The first session after a date.
    pub fn next_session(self, date: Date) -> Result<Date, TimeError> {
        self.add_sessions(date, 1)
    }

    /// The last session before a date.
    pub fn previous_session(self, date: Date) -> Result<Date, TimeError> {
        self.add_sessions(date, -1)
    }

    /// The `count`th session after a date, or before it when negative; the date itself for 0.
    pub fn add_sessions(self, date: Date, count: i32) -> Result<Date, TimeError> {
        let outside = |date| TimeError::OutsideCalendar { date, first: FIRST_YEAR, last: LAST_YEAR };
        let mut left = count.unsigned_abs();
        let mut day = date;
        while left > 0 {
            let step = if count > 0 { day.tomorrow() } else { day.yesterday() };
            day = step.map_err(|_| outside(date))?;
            if !knows(day) {
                return Err(outside(day));
            }
            left -= u32::from(self.is_session(day));
        }
        Ok(day)
    }

    /// Every session from `from` through `through`, in order.
    pub fn sessions(self, from: Date, through: Date) -> impl Iterator<Item = Date> {
        let days = core::iter::successors(Some(from), |day| day.tomorrow().ok());
        days.take_while(move |day| *day <= through).filter(move |day| self.is_session(*day))
    }

    /// 3 July and 24 December when they are sessions and the holiday follows, and the day after Thanksgiving.
    fn closes_early(self, date: Date) -> bool {
        match (date.month(), date.day()) {
            (7, 3) | (12, 24) => date.weekday() != Weekday::Friday,
            (11, 23..=29) => date.weekday() == Weekday::Friday,
            _ => false,
        }
    }
}

fn is_open(date: Date) -> bool {
    knows(date) && !is_weekend(date) && !is_nyse_holiday(date)
}

fn knows(date: Date) -> bool {
    (FIRST_YEAR..=LAST_YEAR).contains(&date.year())
}

fn is_weekend(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

fn is_nyse_holiday(date: Date) -> bool {
    let nth = |weekday, nth| date.nth_weekday_of_month(nth, weekday).is_ok_and(|holiday| holiday == date);
    let by_rule = match date.month() {
        // A New Year's Day on a Saturday is not moved: 31 December belongs to the closing of the books.
        1 => is_observed(date, 1, 1, SaturdayRule::NotObserved) || nth(Weekday::Monday, 3),
        2 => nth(Weekday::Monday, 3),
        5 => nth(Weekday::Monday, -1),
        6 => date.year() >= 2022 && is_observed(date, 6, 19, SaturdayRule::FridayBefore),
        7 => is_observed(date, 7, 4, SaturdayRule::FridayBefore),
        9 => nth(Weekday::Monday, 1),
        11 => nth(Weekday::Thursday, 4),
        12 => is_observed(date, 12, 25, SaturdayRule::FridayBefore),
        _ => false,
    };
    by_rule || is_good_friday(date) || NYSE_EXCEPTIONS.contains(&date)
}

/// What happens to a holiday on a Saturday; one on a Sunday is observed on the Monday.
#[derive(PartialEq)]
enum SaturdayRule {
    FridayBefore,
    NotObserved,
}

fn is_observed(date: Date, month: i8, day: i8, on_saturday: SaturdayRule) -> bool {
    let observed = Date::new(date.year(), month, day).and_then(|holiday| match holiday.weekday() {
        Weekday::Sunday => holiday.tomorrow(),
        Weekday::Saturday if on_saturday == SaturdayRule::FridayBefore => holiday.yesterday(),
        _ => Ok(holiday),
    });
    observed.is_ok_and(|observed| observed == date)
}

/// Good Friday is two days before Easter Sunday.
fn is_good_friday(date: Date) -> bool {
    if date.weekday() != Weekday::Friday || !matches!(date.month(), 3 | 4) {
        return false;
    }
    let sunday = date.tomorrow().and_then(|day| day.tomorrow());
    sunday.is_ok_and(|sunday| (i32::from(sunday.month()), i32::from(sunday.day())) == easter(date.year()))
}

/// Month and day of Easter Sunday in the Gregorian calendar (the anonymous algorithm of 1876, in Meeus,
/// Astronomical Algorithms, chapter 8).
fn easter(year: i16) -> (i32, i32) {
    let year = i32::from(year);
    let golden = year % 19;
    let (century, of_century) = (year / 100, year % 100);
    let correction = (8 * century + 13) / 25;
    let epact = (19 * golden + century - century / 4 - correction + 15) % 30;
    let weekday = (32 + 2 * (century % 4) + 2 * (of_century / 4) - epact - of_century % 4) % 7;
    let shift = (golden + 11 * epact + 22 * weekday) / 451;
    let days = epact + weekday - 7 * shift + 114;
    (days / 31, days % 31 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn holidays_move_as_the_rule_says() {
        for closed in ["2021-12-24", "2020-07-03", "2022-06-20", "2012-10-30", "2024-03-29", "2027-03-26"] {
            assert!(!Calendar::Nyse.is_session(date(closed)), "{closed}");
        }
        for open in ["2021-12-31", "2021-06-18", "2010-12-31", "2024-07-03"] {
            assert!(Calendar::Nyse.is_session(date(open)), "{open}");
        }
    }

    #[test]
    fn the_monthly_calendar_has_the_first_session_of_each_month() {
        let monthly = Calendar::NyseMonthly;
        let firsts: Vec<Date> = monthly.sessions(date("2021-01-01"), date("2021-05-31")).collect();
        let expected = ["2021-01-04", "2021-02-01", "2021-03-01", "2021-04-01", "2021-05-03"];
        assert_eq!(firsts, expected.map(date));
        for month in firsts {
            assert!(Calendar::Nyse.is_session(month));
            let before = Calendar::Nyse.previous_session(month).unwrap();
            assert_ne!(before.month(), month.month());
            assert_eq!(monthly.next_session(before), Ok(month));
        }
        assert_eq!(monthly.add_sessions(date("2021-01-04"), 12), Ok(date("2022-01-03")));
    }

    #[test]
    fn sessions_are_counted_both_ways() {
        let nyse = Calendar::Nyse;
        assert_eq!(nyse.next_session(date("2024-03-28")), Ok(date("2024-04-01")));
        assert_eq!(nyse.previous_session(date("2024-04-01")), Ok(date("2024-03-28")));
        assert_eq!(nyse.add_sessions(date("2024-03-30"), -2), Ok(date("2024-03-27")));
        assert_eq!(nyse.add_sessions(date("2024-03-30"), 0), Ok(date("2024-03-30")));
        assert_eq!(nyse.sessions(date("2024-03-28"), date("2024-04-02")).count(), 3);
    }

    #[test]
    fn dates_outside_the_known_years_are_refused() {
        let outside = Calendar::Nyse.previous_session(date("2009-01-02")).unwrap_err();
        assert_eq!(outside.code(), "time.date_must_be_in_calendar");
        assert!(!Calendar::Nyse.is_session(date("2008-12-31")));
        let weekend = Calendar::Nyse.session(date("2024-03-30")).unwrap_err();
        assert_eq!(weekend.code(), "time.date_must_be_a_session");
    }
}
