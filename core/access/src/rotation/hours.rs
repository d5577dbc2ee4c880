//! Times of day at which a rotation keeps still: a market's hours, the order window of a fund.

use crate::refusal::AccessRefusal;
use serde::{Deserialize, Serialize};
use strongroom_units::time::{Calendar, Timestamp};

const MINUTES_OF_A_DAY: u16 = 24 * 60;

/// From one time of day to a later one, New York's clock, on the sessions of the New York Stock Exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hours {
    from_minute: u16,
    to_minute: u16,
}

impl Hours {
    /// Minutes since midnight; the end is not in it.
    pub fn try_new(from_minute: u16, to_minute: u16) -> Result<Self, AccessRefusal> {
        let hours = Self { from_minute, to_minute };
        hours.check().map(|()| hours)
    }

    pub(crate) fn check(&self) -> Result<(), AccessRefusal> {
        if self.from_minute < self.to_minute && self.to_minute <= MINUTES_OF_A_DAY {
            Ok(())
        } else {
            Err(AccessRefusal::name(&self.to_string()))
        }
    }

    /// The end of these hours, if `at` is within them.
    pub(crate) fn end(&self, at: Timestamp) -> Option<Timestamp> {
        let zone = Calendar::Nyse.zone();
        let (date, time) = (zone.date_of(at), zone.time_of(at));
        let minute = u16::try_from(time.hour()).ok()? * 60 + u16::try_from(time.minute()).ok()?;
        let is_within = (self.from_minute..self.to_minute).contains(&minute);
        if !is_within || !Calendar::Nyse.is_session(date) {
            return None;
        }
        let into_seconds = i64::from(minute - self.from_minute) * 60 + i64::from(time.second());
        let length_seconds = i64::from(self.to_minute - self.from_minute) * 60;
        Timestamp::from_second(at.as_second() + length_seconds - into_seconds).ok()
    }
}

/// The first instant from `at` on that lies in none of them.
pub(crate) fn free_from(hours: &[Hours], at: Timestamp) -> Timestamp {
    let mut free = at;
    // Each of them can push the instant on at most once a day; they are few.
    for _ in 0..=hours.len() {
        match hours.iter().find_map(|one| one.end(free)) {
            Some(end) => free = end,
            None => break,
        }
    }
    free
}

impl core::fmt::Display for Hours {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (from, to) = (self.from_minute, self.to_minute);
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

impl core::str::FromStr for Hours {
    type Err = AccessRefusal;

    /// Reads `09:30-16:00`.
    fn from_str(text: &str) -> Result<Self, AccessRefusal> {
        let minute = |part: &str| {
            let (hour, minute) = part.split_once(':')?;
            let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
            (hour <= 24 && minute < 60).then_some(hour * 60 + minute)
        };
        let read = text.split_once('-').and_then(|(from, to)| Some((minute(from)?, minute(to)?)));
        let (from, to) = read.ok_or_else(|| AccessRefusal::name(text))?;
        Self::try_new(from, to)
    }
}

impl TryFrom<String> for Hours {
    type Error = AccessRefusal;

    fn try_from(text: String) -> Result<Self, AccessRefusal> {
        text.parse()
    }
}

impl From<Hours> for String {
    fn from(hours: Hours) -> Self {
        hours.to_string()
    }
}
