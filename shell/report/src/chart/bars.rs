//! Bars from zero, side by side where several series share a date.

use super::Drawn;
use super::frame::{Frame, number};
use crate::label;
use crate::model::Chart;
use maud::{Markup, html};
use strongroom_units::time::Date;

/// The widest a bar gets when there are few.
const WIDTH_MAX: f64 = 44.0;
/// Up to this many, each bar is an element that says its date and value when pointed at; beyond, bars of one
/// colour are a single path, which keeps the page small.
const NAMED_MAX: usize = 130;

/// All series of the chart.
pub fn draw(chart: &Chart, series: &[Drawn], frame: &Frame) -> Markup {
    let count = series.len().max(1) as f64;
    let width = (frame.slot() * 0.72 / count).clamp(0.8, WIDTH_MAX);
    let named = series.iter().map(|series| series.points.len()).sum::<usize>() <= NAMED_MAX;
    html! {
        @for (index, series) in series.iter().enumerate() {
            @let bars = Bars { frame, width, shift: (index as f64 - count / 2.0) * width };
            g class=(format!("bars {}", series.class)) {
                @if named { (bars.each(chart, series)) } @else { (bars.merged(series)) }
            }
        }
    }
}

struct Bars<'a> {
    frame: &'a Frame,
    width: f64,
    /// From a date's place to the left edge of its bar.
    shift: f64,
}

impl Bars<'_> {
    fn each(&self, chart: &Chart, series: &Drawn) -> Markup {
        html! {
            @for point in &series.points {
                path class=[(point.1 < 0.0).then_some("loss")] d=(self.outline(point)) {
                    title { (series.name) ", " (label::full_date(point.0)) ": " (label::value(&chart.unit, point.1)) }
                }
            }
        }
    }

    fn merged(&self, series: &Drawn) -> Markup {
        let (losses, gains): (Vec<_>, Vec<_>) = series.points.iter().partition(|(_, value)| *value < 0.0);
        let path = |points: Vec<&_>| points.into_iter().map(|point| self.outline(point)).collect::<String>();
        html! {
            path d=(path(gains)) {}
            path.loss d=(path(losses)) {}
        }
    }

    fn outline(&self, (date, value): &(Date, f64)) -> String {
        let left = self.frame.x(*date) + self.shift;
        let (base, end) = (number(self.frame.baseline()), number(self.frame.y(*value)));
        format!("M{} {base}V{end}h{}V{base}Z", number(left), number(self.width))
    }
}
