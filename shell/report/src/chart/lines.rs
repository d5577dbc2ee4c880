//! Lines, with or without the area down to zero.

use super::frame::{Frame, number};
use super::{Drawn, ends};
use crate::model::{Chart, Mark};
use maud::{Markup, html};
use strongroom_units::time::Date;

/// All series of the chart and the labels at their ends.
pub fn draw(chart: &Chart, series: &[Drawn], frame: &Frame) -> Markup {
    let filled = chart.mark == Mark::Area;
    html! {
        @for series in series {
            @if let (Some(first), Some(last)) = (series.points.first(), series.points.last()) {
                @let path = path(series, frame);
                g class=(series.class) {
                    @if filled {
                        @let base = number(frame.baseline());
                        @let (start, end) = (number(frame.x(first.0)), number(frame.x(last.0)));
                        path.area d=(format!("{path} {end} {base} {start} {base}Z")) {}
                    }
                    path.line d=(path) {}
                    circle.last cx=(number(frame.x(last.0))) cy=(number(frame.y(last.1))) r="3.5" {}
                }
            }
        }
        (ends::draw(frame))
    }
}

/// "M1 2 3 4": after the first pair every pair is a line to it.
fn path(series: &Drawn, frame: &Frame) -> String {
    let pair =
        |(date, value): &(Date, f64)| format!("{} {}", number(frame.x(*date)), number(frame.y(*value)));
    format!("M{}", series.points.iter().map(pair).collect::<Vec<_>>().join(" "))
}
