//! A chart as a `<figure>`: caption, legend and drawing.

mod bars;
mod ends;
mod frame;
mod lines;
mod summary;

use crate::model::{Chart, Mark, Series};
use crate::series::{drawable, thinned};
pub use frame::number;
use frame::{Frame, HEIGHT, WIDTH};
use maud::{Markup, html};
use strongroom_units::time::Date;

/// The style sheet has this many colours; further series reuse them with a broken line.
pub const COLOURS: usize = 6;

/// A series ready to draw.
struct Drawn<'a> {
    name: &'a str,
    /// The style classes that give it its colour.
    class: String,
    /// In order of date, thinned.
    points: Vec<(Date, f64)>,
    /// How many points could be drawn before thinning.
    count: usize,
    /// How many points have a value that has no place on an axis.
    left_out: usize,
}

impl<'a> Drawn<'a> {
    fn new(index: usize, chart: &Chart, series: &'a Series) -> Self {
        let points = drawable(series);
        let count = points.len();
        Self {
            name: &series.name,
            class: class(index, chart),
            points: thinned(points),
            count,
            left_out: series.points.len() - count,
        }
    }
}

/// Bars of a single series show their sign by colour; otherwise colour is the series.
fn class(index: usize, chart: &Chart) -> String {
    match (chart.mark, chart.series.len()) {
        (Mark::Bars, 1) => "signed".to_owned(),
        _ if index < COLOURS => format!("s{index}"),
        _ => format!("s{} broken", index % COLOURS),
    }
}

/// The chart, with element ids that start with `id`.
pub fn figure(chart: &Chart, id: &str) -> Markup {
    let series: Vec<_> =
        chart.series.iter().enumerate().map(|(index, series)| Drawn::new(index, chart, series)).collect();
    let left_out: usize = series.iter().map(|series| series.left_out).sum();
    html! {
        figure.chart id=(id) {
            figcaption {
                h3 { (chart.title) }
                @if !chart.description.is_empty() { p { (chart.description) } }
                (legend(chart.mark, &series))
            }
            @match Frame::around(chart, &series) {
                Some(frame) => div.plot { (drawing(chart, &series, &frame, id)) },
                None => div.empty { "No data to draw" },
            }
            @if left_out > 0 { p.note { (left_out_note(left_out)) } }
            @if chart.mark == Mark::Bars && series.iter().any(|series| series.points.len() < series.count) {
                p.note { "Too many bars to draw: of each short stretch, only the lowest and the highest are shown." }
            }
        }
    }
}

fn left_out_note(count: usize) -> String {
    match count {
        1 => "One point is left out: its value is not a number that can be drawn.".to_owned(),
        _ => format!("{count} points are left out: their values are not numbers that can be drawn."),
    }
}

/// A single line is named at its end, so it needs no legend; bars are named nowhere else.
fn legend(mark: Mark, series: &[Drawn]) -> Markup {
    let needed = series.len() > 1 || mark == Mark::Bars;
    html! {
        @if needed {
            ul.legend { @for series in series { li class=(series.class) { (series.name) } } }
        }
    }
}

fn drawing(chart: &Chart, series: &[Drawn], frame: &Frame, id: &str) -> Markup {
    let (title, description) = (format!("{id}-title"), format!("{id}-description"));
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img"
            aria-labelledby=(title) aria-describedby=(description) {
            title id=(title) { (chart.title) }
            desc id=(description) { (summary::text(chart, series)) }
            (frame.grid())
            @match chart.mark {
                Mark::Bars => (bars::draw(chart, series, frame)),
                Mark::Line | Mark::Area => (lines::draw(chart, series, frame)),
            }
        }
    }
}
