//! Lines over instants, as a `<figure>` of a page or as an SVG file of its own.

use crate::chart::{COLOURS, number};
use crate::label::AxisFormat;
use crate::model::{Reading, Trace, Unit};
use crate::scale::{ValueAxis, value_axis};
use maud::{Markup, PreEscaped, html};
use strongroom_units::time::{Timestamp, Zone};

const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 340.0;
const TOP: f64 = 46.0;
const BOTTOM: f64 = HEIGHT - 40.0;
const CHARACTER: f64 = 7.2;
/// Beyond this size a value is taken for a mistake, as on a chart.
const SIZE_MAX: f64 = 1e18;
const TICKS_MAX: i64 = 9;
/// The colours of a page, for a file that has no page around it.
const STYLE: &str = include_str!("svg.css");

/// The trace, with element ids that start with `id`.
pub fn figure(trace: &Trace, id: &str) -> Markup {
    html! {
        figure.chart id=(id) {
            figcaption {
                h3 { (trace.title) }
                @if !trace.description.is_empty() { p { (trace.description) } }
            }
            @match Frame::around(trace) {
                Some(frame) => div.plot { (drawing(trace, &frame, id, false)) },
                None => div.empty { "No data to draw" },
            }
        }
    }
}

/// The trace as an SVG file with its own style, readable in light and in dark. The same trace always gives the same bytes.
pub fn svg(trace: &Trace) -> String {
    let drawn = match Frame::around(trace) {
        Some(frame) => drawing(trace, &frame, "trace", true).into_string(),
        None => String::from("<svg xmlns=\"http://www.w3.org/2000/svg\"></svg>"),
    };
    drawn + "\n"
}

struct Frame<'a> {
    left: f64,
    right: f64,
    first: f64,
    seconds: f64,
    values: ValueAxis,
    unit: &'a Unit,
}

fn drawable(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.abs() <= SIZE_MAX)
}

impl<'a> Frame<'a> {
    fn around(trace: &'a Trace) -> Option<Self> {
        let points = || trace.lines.iter().flat_map(|(_, points)| points);
        let values = points().filter_map(|(_, value)| drawable(*value));
        let (low, high) =
            values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
        if low > high {
            return None;
        }
        let first = points().map(|(at, _)| at.as_second()).min()? as f64;
        let last = points().map(|(at, _)| at.as_second()).max()? as f64;
        let axis = value_axis(low, high, 0.0);
        let longest = labels(&axis, &trace.unit).iter().map(|text| text.chars().count()).max().unwrap_or(0);
        let left = 20.0 + CHARACTER * longest as f64;
        Some(Self {
            left,
            right: WIDTH - 40.0,
            first,
            seconds: (last - first).max(1.0),
            values: axis,
            unit: &trace.unit,
        })
    }

    fn x(&self, at: Timestamp) -> f64 {
        self.left + (at.as_second() as f64 - self.first) / self.seconds * (self.right - self.left)
    }

    fn y(&self, value: f64) -> f64 {
        BOTTOM - (value - self.values.low) / (self.values.high - self.values.low) * (BOTTOM - TOP)
    }

    /// Whole hours of UTC, some hours apart.
    fn ticks(&self) -> Vec<(Timestamp, String)> {
        let (first, last) = (self.first as i64, (self.first + self.seconds) as i64);
        let step = [1, 2, 3, 6, 12, 24, 48, 120, 240, 720, 2_160, 4_320]
            .into_iter()
            .map(|hours| hours * 3_600)
            .find(|step| (last - first) / step < TICKS_MAX)
            .unwrap_or(8_760 * 3_600);
        let from = first.div_euclid(step) * step;
        let instants = (0..=TICKS_MAX + 1).map(|index| from + index * step);
        instants
            .filter(|second| (first..=last).contains(second))
            .filter_map(|second| Timestamp::from_second(second).ok())
            .map(|at| (at, label(at, step)))
            .collect()
    }
}

/// The hour, and the day at midnight.
fn label(at: Timestamp, step: i64) -> String {
    let day = crate::label::full_date(Zone::Utc.date_of(at));
    let hour = at.as_second().rem_euclid(86_400) / 3_600;
    if step % 86_400 == 0 || hour == 0 { day } else { format!("{hour:02}:00") }
}

fn labels(axis: &ValueAxis, unit: &Unit) -> Vec<String> {
    let format = AxisFormat::new(unit, axis.low.abs().max(axis.high.abs()), axis.step);
    axis.ticks.iter().map(|tick| format.tick(*tick)).collect()
}

fn class(index: usize) -> String {
    if index < COLOURS { format!("s{index}") } else { format!("s{} broken", index % COLOURS) }
}

fn drawing(trace: &Trace, frame: &Frame, id: &str, alone: bool) -> Markup {
    let (title, description) = (format!("{id}-title"), format!("{id}-description"));
    html! {
        svg xmlns=[alone.then_some("http://www.w3.org/2000/svg")] viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img"
            aria-labelledby=(title) aria-describedby=(description) {
            title id=(title) { (trace.title) }
            desc id=(description) { (trace.description) " " (in_words(trace)) }
            @if alone {
                style { (PreEscaped(STYLE)) }
                rect.sheet x="0" y="0" width=(WIDTH) height=(HEIGHT) {}
            }
            (legend(trace))
            (grid(frame))
            @for (index, (_, points)) in trace.lines.iter().enumerate() {
                g class=(class(index)) { path.line d=(path(points, frame)) {} }
            }
        }
    }
}

fn legend(trace: &Trace) -> Markup {
    let mut left = 0.0;
    let places: Vec<f64> = trace
        .lines
        .iter()
        .map(|(name, _)| {
            let place = left;
            left += 46.0 + 7.8 * name.chars().count() as f64;
            place
        })
        .collect();
    html! {
        @for ((index, (name, _)), x) in trace.lines.iter().enumerate().zip(places) {
            g class=(class(index)) {
                path.line d=(format!("M{} 12h22", number(x + 2.0))) {}
                text.label x=(number(x + 30.0)) y="12" dy="0.34em" { tspan.value { (name) } }
            }
        }
    }
}

fn grid(frame: &Frame) -> Markup {
    html! {
        @for (tick, label) in frame.values.ticks.iter().zip(labels(&frame.values, frame.unit)) {
            @let y = number(frame.y(*tick));
            line.grid x1=(number(frame.left)) x2=(number(frame.right)) y1=(y) y2=(y) {}
            text.tick.end x=(number(frame.left - 8.0)) y=(y) dy="0.34em" { (label) }
        }
        @for (at, label) in frame.ticks() {
            @let x = number(frame.x(at));
            line.grid x1=(x) x2=(x) y1=(number(BOTTOM)) y2=(number(BOTTOM + 5.0)) {}
            text.tick.middle x=(x) y=(number(BOTTOM + 22.0)) { (label) }
        }
    }
}

/// A gap ends a piece and the next value begins one.
fn path(points: &[Reading], frame: &Frame) -> String {
    let mut text = String::new();
    let mut begins = true;
    for (at, value) in points {
        let Some(value) = drawable(*value) else {
            begins = true;
            continue;
        };
        let mark = if begins { "M" } else { "L" };
        text += &format!("{mark}{} {}", number(frame.x(*at)), number(frame.y(value)));
        begins = false;
    }
    text
}

fn in_words(trace: &Trace) -> String {
    let said = trace.lines.iter().map(|(name, points)| {
        let values = points.iter().filter_map(|(_, value)| drawable(*value));
        let (low, high) =
            values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
        if low > high {
            return format!("{name}: no values.");
        }
        let of = |value| crate::label::value(&trace.unit, value);
        format!("{name}: lowest {}, highest {}.", of(low), of(high))
    });
    said.collect::<Vec<_>>().join(" ")
}
