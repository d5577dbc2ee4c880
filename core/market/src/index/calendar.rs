//! On which days an index changes.

use serde::Deserialize;
use strongroom_units::time::Date;

/// A day of every month or quarter, and how long before it the change is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// How often.
    pub every: Period,
    /// A month in which it falls, 1 to 12; it matters for quarters only.
    #[serde(default = "january")]
    pub month: i8,
    /// The effective day of the month, 1 to 28: the change holds from that day's close.
    pub day: i8,
    /// Days before the effective day on which it is determined and announced. With 0 it is determined and takes effect
    /// at the same close.
    #[serde(default)]
    pub announcement_days: u16,
}

/// How often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Period {
    /// Every month.
    Month,
    /// Every third month.
    Quarter,
}

fn january() -> i8 {
    1
}

impl Schedule {
    /// Whether a day is an effective day.
    pub fn is_effective_on(&self, date: Date) -> bool {
        let is_its_month = match self.every {
            Period::Month => true,
            Period::Quarter => (date.month() - self.month).rem_euclid(3) == 0,
        };
        is_its_month && date.day() == self.day
    }

    pub(super) fn is_sound(&self) -> bool {
        (1..=12).contains(&self.month) && (1..=28).contains(&self.day) && self.announcement_days <= 90
    }
}

/// The day some days before; the first day there is, where there are not so many.
pub(super) fn days_before(date: Date, days: u16) -> Date {
    let mut day = date;
    for _ in 0..days {
        day = day.yesterday().unwrap_or(Date::MIN);
    }
    day
}

/// Days from one day to another; negative when it is earlier.
pub(super) fn days_between(from: Date, to: Date) -> i32 {
    from.until(to).map_or(i32::MAX, |span| span.get_days())
}
