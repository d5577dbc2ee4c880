//! A heat table as a `<figure>`: each cell a rectangle as strong as its value, with the value written in it.

use crate::chart::number;
use crate::label;
use crate::model::{Heat, HeatScale};
use maud::{Markup, html};

const WIDTH: f64 = 1000.0;
const CHARACTER: f64 = 7.2;
const ROW: f64 = 26.0;
const HEAD: f64 = 30.0;
/// More rows or columns than this could not be read.
const ROWS_MAX: usize = 120;
const COLUMNS_MAX: usize = 30;
/// A cell is at most this wide: a table of two columns is no poster.
const CELL_MAX: f64 = 110.0;
/// The strongest colour still lets the ink of its value be read, in light and in dark.
const STRONGEST: f64 = 0.62;
const FAINTEST: f64 = 0.06;

/// The heat table, with element ids that start with `id`.
pub fn figure(heat: &Heat, id: &str) -> Markup {
    let fits = heat.rows.len() <= ROWS_MAX && heat.columns.len() <= COLUMNS_MAX;
    html! {
        figure.chart id=(id) {
            figcaption {
                h3 { (heat.title) }
                @if !heat.description.is_empty() { p { (heat.description) } }
            }
            @if heat.rows.is_empty() || heat.columns.is_empty() {
                div.empty { "No data to draw" }
            } @else if !fits {
                div.empty { (heat.rows.len()) " by " (heat.columns.len()) " cells are too many to draw" }
            } @else {
                div.plot { (drawing(heat, id)) }
            }
        }
    }
}

/// Where cells stand, and how strong they are.
struct Frame {
    left: f64,
    cell: f64,
    low: f64,
    high: f64,
    scale: HeatScale,
}

impl Frame {
    fn around(heat: &Heat) -> Self {
        let names = heat.rows.iter().map(|(name, _)| name).chain([&heat.corner]);
        let longest = names.map(|name| name.chars().count()).max().unwrap_or(0) as f64;
        let left = (16.0 + CHARACTER * longest).min(WIDTH / 2.0);
        let cell = ((WIDTH - left) / heat.columns.len().max(1) as f64).min(CELL_MAX);
        let values = heat.rows.iter().flat_map(|(_, values)| values).filter_map(|value| finite(*value));
        let (low, high) =
            values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
        Self { left, cell, low, high, scale: heat.scale }
    }

    /// From the faintest to the strongest.
    fn strength(&self, value: f64) -> f64 {
        let (part, whole) = match self.scale {
            HeatScale::AroundZero => (value.abs(), self.low.abs().max(self.high.abs())),
            HeatScale::LowToHigh => (value - self.low, self.high - self.low),
        };
        let share = if whole > 0.0 { part / whole } else { 0.5 };
        FAINTEST + share * (STRONGEST - FAINTEST)
    }

    fn is_loss(&self, value: f64) -> bool {
        self.scale == HeatScale::AroundZero && value < 0.0
    }

    fn x(&self, column: usize) -> f64 {
        self.left + column as f64 * self.cell
    }
}

fn finite(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite())
}

fn drawing(heat: &Heat, id: &str) -> Markup {
    let frame = Frame::around(heat);
    let (title, description) = (format!("{id}-title"), format!("{id}-description"));
    let height = HEAD + ROW * heat.rows.len() as f64 + 4.0;
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {height}")) role="img"
            aria-labelledby=(title) aria-describedby=(description) {
            title id=(title) { (heat.title) }
            desc id=(description) { (heat.description) " " (range(heat, &frame)) }
            text.tick.end x=(number(frame.left - 10.0)) y=(number(HEAD - 10.0)) { (heat.corner) }
            @for (column, heading) in heat.columns.iter().enumerate() {
                text.tick.middle x=(number(frame.x(column) + frame.cell / 2.0)) y=(number(HEAD - 10.0)) { (heading) }
            }
            @for (row, (name, values)) in heat.rows.iter().enumerate() {
                @let top = HEAD + ROW * row as f64;
                text.tick.end x=(number(frame.left - 10.0)) y=(number(top + ROW / 2.0)) dy="0.34em" { (name) }
                @for (column, value) in values.iter().take(heat.columns.len()).enumerate() {
                    @if let Some(value) = finite(*value) { (cell(heat, &frame, (column, top), (name, value))) }
                }
            }
        }
    }
}

fn cell(heat: &Heat, frame: &Frame, (column, top): (usize, f64), (name, value): (&str, f64)) -> Markup {
    let text = label::value(&heat.unit, value);
    let heading = heat.columns.get(column).map_or("", String::as_str);
    html! {
        rect.cell.loss[frame.is_loss(value)] x=(number(frame.x(column) + 1.0)) y=(number(top + 1.0))
            width=(number(frame.cell - 2.0)) height=(number(ROW - 2.0))
            fill-opacity=(format!("{:.2}", frame.strength(value))) {
            title { (name) ", " (heading) ": " (text) }
        }
        @if text.chars().count() as f64 * CHARACTER <= frame.cell {
            text.cell-value x=(number(frame.x(column) + frame.cell / 2.0)) y=(number(top + ROW / 2.0)) dy="0.34em" { (text) }
        }
    }
}

fn range(heat: &Heat, frame: &Frame) -> String {
    if frame.low > frame.high {
        return "No values.".to_owned();
    }
    let of = |value| label::value(&heat.unit, value);
    format!(
        "{} rows and {} columns, lowest {}, highest {}.",
        heat.rows.len(),
        heat.columns.len(),
        of(frame.low),
        of(frame.high)
    )
}
