//! A chart in words, for those who cannot see it.

use super::Drawn;
use crate::label::{full_date, value};
use crate::model::{Chart, Unit};

/// Nobody listens to more than this.
const SERIES_MAX: usize = 8;

/// The author's description, then the range of each series.
pub fn text(chart: &Chart, series: &[Drawn]) -> String {
    let mut sentences: Vec<String> = vec![chart.description.clone()];
    sentences.extend(series.iter().take(SERIES_MAX).map(|series| sentence(&chart.unit, series)));
    if series.len() > SERIES_MAX {
        sentences.push(format!("And {} more series.", series.len() - SERIES_MAX));
    }
    sentences.retain(|sentence| !sentence.is_empty());
    sentences.join(" ")
}

fn sentence(unit: &Unit, series: &Drawn) -> String {
    let by_value = |a: &&(_, f64), b: &&(_, f64)| a.1.total_cmp(&b.1);
    let (first, last) = (series.points.first(), series.points.last());
    let (low, high) = (series.points.iter().min_by(by_value), series.points.iter().max_by(by_value));
    let (Some(first), Some(last), Some(low), Some(high)) = (first, last, low, high) else {
        return format!("{}: no values.", series.name);
    };
    let at = |point: &(_, f64)| format!("{} on {}", value(unit, point.1), full_date(point.0));
    if series.count == 1 {
        return format!("{}: {}.", series.name, at(first));
    }
    format!(
        "{}: {} values, from {} to {}; lowest {}, highest {}.",
        series.name,
        series.count,
        at(first),
        at(last),
        at(low),
        at(high)
    )
}
