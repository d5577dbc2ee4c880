//! A chart's points made fit to draw: in order of date, finite, and no more of them than can be seen.

use crate::model::Series;
use crate::scale::day;
use strongroom_units::time::Date;

/// Beyond this size a value is taken for a mistake: no axis label would be readable.
const SIZE_MAX: f64 = 1e18;
/// Columns of a thinned series: about two pixels each. At most two points stay in each, so 802 in all.
const COLUMNS: usize = 400;

/// The points of `series` that can be drawn, by date. Points of one date keep their order.
pub fn drawable(series: &Series) -> Vec<(Date, f64)> {
    let mut points: Vec<_> =
        series.points.iter().copied().filter(|(_, value)| value.abs() <= SIZE_MAX).collect();
    points.sort_by_key(|(date, _)| *date);
    points
}

/// At most 802 of the points, in order: the first and last, and the lowest and highest of each column, so that
/// no peak or trough is lost.
pub fn thinned(points: Vec<(Date, f64)>) -> Vec<(Date, f64)> {
    let (Some(&first), Some(&last)) = (points.first(), points.last()) else { return points };
    if points.len() <= 2 * COLUMNS {
        return points;
    }
    let width = (day(last.0) - day(first.0)) / COLUMNS as f64;
    let column =
        |point: &(Date, f64)| ((day(point.0) - day(first.0)) / width).min(COLUMNS as f64 - 1.0) as usize;
    let mut kept = vec![first];
    for chunk in points.chunk_by(|a, b| column(a) == column(b)) {
        kept.extend(extremes(chunk));
    }
    kept.push(last);
    kept.dedup();
    kept
}

/// The lowest and the highest point in order of appearance; one point if they are the same.
fn extremes(points: &[(Date, f64)]) -> impl Iterator<Item = (Date, f64)> {
    let by_value = |a: &(usize, &(Date, f64)), b: &(usize, &(Date, f64))| a.1.1.total_cmp(&b.1.1);
    let lowest = points.iter().enumerate().min_by(by_value);
    let highest = points.iter().enumerate().max_by(by_value);
    let mut pair: Vec<_> = lowest.into_iter().chain(highest).collect();
    pair.sort_by_key(|(index, _)| *index);
    pair.dedup_by_key(|(index, _)| *index);
    pair.into_iter().map(|(_, point)| *point)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(count: usize) -> impl Iterator<Item = Date> {
        std::iter::successors(Some(Date::constant(2000, 1, 1)), |date| date.tomorrow().ok()).take(count)
    }

    #[test]
    fn points_are_sorted_and_those_without_a_place_left_out() {
        let dates: Vec<_> = days(6).collect();
        let values = [f64::NAN, 2.0, f64::INFINITY, 4.0, f64::MAX, f64::NEG_INFINITY];
        let points = dates.iter().copied().zip(values).rev().collect();
        let series = Series { name: String::new(), points };
        assert_eq!(drawable(&series), [(dates[1], 2.0), (dates[3], 4.0)]);
    }

    #[test]
    fn thinning_is_bounded_and_keeps_ends_and_extremes() {
        let value = |index: usize| if index == 1234 { 9.0 } else { (index as f64 / 40.0).sin() };
        let points: Vec<_> = days(5000).enumerate().map(|(index, date)| (date, value(index))).collect();
        let thin = thinned(points.clone());
        assert!((400..=802).contains(&thin.len()), "{}", thin.len());
        assert!(thin.is_sorted_by_key(|(date, _)| *date));
        assert_eq!((thin.first(), thin.last()), (points.first(), points.last()));
        assert!(thin.contains(&points[1234]));
        let low = |points: &[(Date, f64)]| points.iter().map(|(_, value)| *value).fold(f64::MAX, f64::min);
        assert_eq!(low(&thin), low(&points));
    }

    #[test]
    fn thinning_leaves_short_series_and_many_points_of_one_day_bounded() {
        let points: Vec<_> = days(300).map(|date| (date, 1.0)).collect();
        assert_eq!(thinned(points.clone()), points);
        let one_day: Vec<_> = (0..5000).map(|value| (Date::constant(2024, 1, 1), f64::from(value))).collect();
        assert!(thinned(one_day).len() <= 4);
    }
}
