//! Points by two numbers as a `<figure>`.

use crate::chart::{COLOURS, number};
use crate::label::{self, AxisFormat};
use crate::model::{Points, Scatter, Unit};
use crate::scale::{ValueAxis, value_axis};
use maud::{Markup, html};

const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 420.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = HEIGHT - 52.0;
const RIGHT: f64 = WIDTH - 24.0;
const CHARACTER: f64 = 7.2;
/// Beyond this size a value is taken for a mistake, as on a chart.
const SIZE_MAX: f64 = 1e18;
/// More points than this are not drawn one by one.
const POINTS_MAX: usize = 5_000;

/// The scatter, with element ids that start with `id`.
pub fn figure(scatter: &Scatter, id: &str) -> Markup {
    let left_out = scatter.groups.iter().flat_map(|group| &group.points).filter(|p| !is_drawable(p)).count();
    html! {
        figure.chart id=(id) {
            figcaption {
                h3 { (scatter.title) }
                @if !scatter.description.is_empty() { p { (scatter.description) } }
            }
            @if scatter.groups.len() > 1 {
                ul.legend {
                    @for (index, group) in scatter.groups.iter().enumerate() { li class=(class(index)) { (group.name) } }
                }
            }
            @match Frame::around(scatter) {
                Some(frame) => div.plot { (drawing(scatter, &frame, id)) },
                None => div.empty { "No data to draw" },
            }
            @if left_out > 0 { p.note { "Points left out, as their values cannot be drawn: " (left_out) "." } }
        }
    }
}

fn is_drawable((_, x, y): &(String, f64, f64)) -> bool {
    x.abs() <= SIZE_MAX && y.abs() <= SIZE_MAX
}

fn class(index: usize) -> String {
    if index < COLOURS { format!("s{index}") } else { format!("s{} broken", index % COLOURS) }
}

struct Frame<'a> {
    left: f64,
    across: (ValueAxis, &'a Unit),
    up: (ValueAxis, &'a Unit),
}

impl<'a> Frame<'a> {
    fn around(scatter: &'a Scatter) -> Option<Self> {
        let points = || scatter.groups.iter().flat_map(|group| &group.points).filter(|p| is_drawable(p));
        points().next()?;
        let axis = |values: &mut dyn Iterator<Item = f64>| {
            let (low, high) =
                values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
            value_axis(low, high, 0.0)
        };
        let across = axis(&mut points().map(|(_, x, _)| *x));
        let up = axis(&mut points().map(|(_, _, y)| *y));
        let longest = labels(&up, &scatter.up.1).iter().map(|text| text.chars().count()).max().unwrap_or(0);
        Some(Self {
            left: 20.0 + CHARACTER * longest as f64,
            across: (across, &scatter.across.1),
            up: (up, &scatter.up.1),
        })
    }

    fn x(&self, value: f64) -> f64 {
        let axis = &self.across.0;
        self.left + (value - axis.low) / (axis.high - axis.low) * (RIGHT - self.left)
    }

    fn y(&self, value: f64) -> f64 {
        let axis = &self.up.0;
        BOTTOM - (value - axis.low) / (axis.high - axis.low) * (BOTTOM - TOP)
    }
}

fn labels(axis: &ValueAxis, unit: &Unit) -> Vec<String> {
    let format = AxisFormat::new(unit, axis.low.abs().max(axis.high.abs()), axis.step);
    axis.ticks.iter().map(|tick| format.tick(*tick)).collect()
}

fn drawing(scatter: &Scatter, frame: &Frame, id: &str) -> Markup {
    let (title, description) = (format!("{id}-title"), format!("{id}-description"));
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img"
            aria-labelledby=(title) aria-describedby=(description) {
            title id=(title) { (scatter.title) }
            desc id=(description) { (scatter.description) " " (in_words(scatter)) }
            (grid(scatter, frame))
            @for (index, group) in scatter.groups.iter().enumerate() {
                g class=(class(index)) { (points(scatter, group, frame)) }
            }
        }
    }
}

fn grid(scatter: &Scatter, frame: &Frame) -> Markup {
    let (across, up) = (&frame.across.0, &frame.up.0);
    html! {
        text.tick x="0" y="12" { (scatter.up.0) }
        text.tick.end x=(number(RIGHT)) y=(number(HEIGHT - 8.0)) { (scatter.across.0) }
        @for (tick, label) in up.ticks.iter().zip(labels(up, frame.up.1)) {
            @let y = number(frame.y(*tick));
            line.grid.zero[*tick == 0.0] x1=(number(frame.left)) x2=(number(RIGHT)) y1=(y) y2=(y) {}
            text.tick.end x=(number(frame.left - 8.0)) y=(y) dy="0.34em" { (label) }
        }
        @for (tick, label) in across.ticks.iter().zip(labels(across, frame.across.1)) {
            @let x = number(frame.x(*tick));
            line.grid.zero[*tick == 0.0] x1=(x) x2=(x) y1=(number(TOP)) y2=(number(BOTTOM)) {}
            text.tick.middle x=(x) y=(number(BOTTOM + 20.0)) { (label) }
        }
    }
}

fn points(scatter: &Scatter, group: &Points, frame: &Frame) -> Markup {
    html! {
        @for (name, x, y) in group.points.iter().filter(|point| is_drawable(point)).take(POINTS_MAX) {
            circle.point cx=(number(frame.x(*x))) cy=(number(frame.y(*y))) r="5" {
                title {
                    (name) ": " (scatter.across.0) " " (label::value(&scatter.across.1, *x)) ", " (scatter.up.0) " "
                    (label::value(&scatter.up.1, *y))
                }
            }
        }
    }
}

fn in_words(scatter: &Scatter) -> String {
    let count: usize = scatter.groups.iter().map(|group| group.points.len()).sum();
    let best = scatter.groups.iter().flat_map(|group| &group.points).filter(|point| is_drawable(point));
    match best.max_by(|a, b| a.2.total_cmp(&b.2)) {
        None => "No points.".to_owned(),
        Some((name, _, y)) => {
            format!("{count} points; the highest is {name} with {}.", label::value(&scatter.up.1, *y))
        }
    }
}
