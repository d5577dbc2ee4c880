//! Where an axis starts and ends, and where its ticks stand.

use crate::label;
use strongroom_units::time::Date;

/// More than this and the labels of dates touch each other.
const DATE_TICKS_MAX: usize = 8;

/// A value axis: it starts and ends on a tick.
#[derive(Debug, PartialEq)]
pub struct ValueAxis {
    /// The lowest tick.
    pub low: f64,
    /// The highest tick.
    pub high: f64,
    /// The distance between ticks.
    pub step: f64,
    /// The ticks, ascending: two at least, nine at most.
    pub ticks: Vec<f64>,
}

/// The axis that contains `low..=high` with steps of 1, 2, 2.5 or 5 times a power of ten, none below `step_min`.
pub fn value_axis(low: f64, high: f64, step_min: f64) -> ValueAxis {
    let (low, high) = widened(low, high);
    let step = nice_step((high - low) / 5.0).max(step_min);
    let first = (low / step + 1e-6).floor();
    let last = (high / step - 1e-6).ceil().max(first + 1.0);
    let count = (last - first).min(8.0) as usize;
    let ticks: Vec<f64> = (0..=count).map(|index| (first + index as f64) * step).collect();
    ValueAxis { low: first * step, high: last * step, step, ticks }
}

/// A range with some height, also around values that are all the same.
fn widened(low: f64, high: f64) -> (f64, f64) {
    let size = low.abs().max(high.abs());
    if high - low > size * 1e-9 {
        return (low, high);
    }
    let margin = if size == 0.0 { 1.0 } else { size * 0.02 };
    (low - margin, high + margin)
}

fn nice_step(rough: f64) -> f64 {
    let power = 10f64.powf(rough.log10().floor());
    let nice = [1.0, 2.0, 2.5, 5.0].into_iter().find(|nice| rough <= nice * power * 1.000_001);
    nice.unwrap_or(10.0) * power
}

/// Days since 1 January 1970: where a date stands on its axis.
pub fn day(date: Date) -> f64 {
    (date.duration_since(Date::constant(1970, 1, 1)).as_hours() / 24) as f64
}

/// A date and how it is written under the axis.
#[derive(Debug, PartialEq)]
pub struct DateTick {
    /// Where it stands.
    pub date: Date,
    /// "12 Jan 2024", "Jan 2024" or "2024".
    pub label: String,
}

/// Ticks on whole days, months or years between two dates: the finest that fit, and one at least.
pub fn date_ticks(first: Date, last: Date) -> Vec<DateTick> {
    let days = day(last) - day(first);
    let candidates = [1usize, 2, 7, 14]
        .map(|step| if days > 7.0 * step as f64 { Vec::new() } else { day_ticks(first, last, step) })
        .into_iter()
        .chain(
            [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 6000, 36_000]
                .map(|step| month_ticks(first, last, step)),
        );
    let fits = |ticks: &Vec<DateTick>| (2..=DATE_TICKS_MAX).contains(&ticks.len());
    candidates.into_iter().find(fits).unwrap_or_else(|| day_ticks(first, first, 1))
}

fn day_ticks(first: Date, last: Date, step: usize) -> Vec<DateTick> {
    std::iter::successors(Some(first), |date| date.tomorrow().ok())
        .take_while(|date| *date <= last)
        .step_by(step)
        .map(|date| DateTick { date, label: label::full_date(date) })
        .collect()
}

/// The first of every `step`-th month, counted from January of the year zero.
fn month_ticks(first: Date, last: Date, step: i32) -> Vec<DateTick> {
    let month_of = |date: Date| i32::from(date.year()) * 12 + i32::from(date.month()) - 1;
    let write = if step < 12 { label::month } else { label::year };
    let start = month_of(first).div_euclid(step) * step;
    (0..)
        .map_while(|index| start.checked_add(step.checked_mul(index)?))
        .take_while(|month| *month <= month_of(last))
        .take(DATE_TICKS_MAX + 3)
        .filter_map(first_of)
        .filter(|date| *date >= first)
        .map(|date| DateTick { date, label: write(date) })
        .collect()
}

fn first_of(month: i32) -> Option<Date> {
    let year = i16::try_from(month.div_euclid(12)).ok()?;
    let month = i8::try_from(month.rem_euclid(12)).ok()? + 1;
    Date::new(year, month, 1).ok()
}

/// Ticks under bars: each names the very bar it stands under, as bars of months often carry the month's last
/// day. `dates` ascend and are distinct.
pub fn bar_ticks(dates: &[Date]) -> Vec<DateTick> {
    let write = match usual_gap(dates) {
        gap if gap >= 300.0 => label::year,
        gap if gap >= 27.0 => label::month,
        _ => label::full_date,
    };
    let step = dates.len().div_ceil(DATE_TICKS_MAX).max(1);
    dates.iter().step_by(step).map(|date| DateTick { date: *date, label: write(*date) }).collect()
}

/// The days between two neighbours, at the median; one when there are no two.
fn usual_gap(dates: &[Date]) -> f64 {
    let mut gaps: Vec<_> = dates.iter().zip(dates.iter().skip(1)).map(|(a, b)| day(*b) - day(*a)).collect();
    gaps.sort_by(f64::total_cmp);
    gaps.get(gaps.len() / 2).copied().unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_axis_contains_its_values_in_round_steps() {
        let check = |low: f64, high: f64, expected: &[f64]| {
            let axis = value_axis(low, high, 0.0);
            assert_eq!(axis.ticks, expected, "{low} to {high}");
            assert!(axis.low <= low && high <= axis.high);
        };
        check(0.0, 10.0, &[0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        check(24.3, 61.0, &[20.0, 30.0, 40.0, 50.0, 60.0, 70.0]);
        check(-0.5, 0.0, &[-0.5, -0.4, -0.30000000000000004, -0.2, -0.1, 0.0]);
        check(0.0, 0.0, &[-1.0, -0.5, 0.0, 0.5, 1.0]);
        check(1e12, 1e12, &[9.8e11, 9.9e11, 1e12, 1.01e12, 1.02e12]);
    }

    #[test]
    fn every_value_axis_has_a_few_ticks() {
        for low in [-1e18, -1e12, -3.7, -1e-9, 0.0, 1e-9, 99.9, 1e12] {
            for height in [0.0, 1e-12, 1e-3, 1.0, 12.34, 1e6, 1e18] {
                let axis = value_axis(low, low + height, 0.0);
                assert!((2..=9).contains(&axis.ticks.len()), "{low} + {height}: {axis:?}");
                assert_eq!(axis.ticks.last(), Some(&axis.high), "{low} + {height}");
            }
        }
    }

    #[test]
    fn whole_numbers_get_whole_ticks() {
        assert_eq!(value_axis(0.0, 2.0, 1.0).ticks, [0.0, 1.0, 2.0]);
    }

    #[test]
    fn date_ticks_are_few_and_round() {
        let check = |first: (i16, i8, i8), last: (i16, i8, i8), expected: &str| {
            let date = |(year, month, day)| Date::constant(year, month, day);
            let labels: Vec<_> =
                date_ticks(date(first), date(last)).into_iter().map(|tick| tick.label).collect();
            assert_eq!(labels.join("|"), expected, "{first:?} to {last:?}");
        };
        check((2024, 1, 2), (2024, 1, 2), "2 Jan 2024");
        check((2024, 1, 30), (2024, 2, 2), "30 Jan 2024|31 Jan 2024|1 Feb 2024|2 Feb 2024");
        check(
            (2024, 1, 2),
            (2024, 2, 10),
            "2 Jan 2024|9 Jan 2024|16 Jan 2024|23 Jan 2024|30 Jan 2024|6 Feb 2024",
        );
        check((2024, 1, 2), (2024, 3, 10), "2 Jan 2024|16 Jan 2024|30 Jan 2024|13 Feb 2024|27 Feb 2024");
        check((2024, 1, 2), (2024, 4, 30), "Feb 2024|Mar 2024|Apr 2024");
        check(
            (2024, 1, 11),
            (2025, 12, 31),
            "Apr 2024|Jul 2024|Oct 2024|Jan 2025|Apr 2025|Jul 2025|Oct 2025",
        );
        check((2019, 6, 1), (2026, 1, 31), "2020|2021|2022|2023|2024|2025|2026");
        check((-9999, 1, 1), (9999, 12, 31), "-9000|-6000|-3000|0|3000|6000|9000");
    }

    #[test]
    fn a_bar_is_labelled_with_its_own_date() {
        let months: Vec<_> = (1..=12).map(|month| Date::constant(2024, month, 28)).collect();
        let labels: Vec<_> = bar_ticks(&months).into_iter().map(|tick| tick.label).collect();
        assert_eq!(labels, ["Jan 2024", "Mar 2024", "May 2024", "Jul 2024", "Sep 2024", "Nov 2024"]);
    }
}
