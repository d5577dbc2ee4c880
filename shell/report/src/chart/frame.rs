//! What stands around the marks: margins, scales, gridlines and axis labels.

use super::Drawn;
use super::ends::{self, EndLabel};
use crate::label::AxisFormat;
use crate::model::{Chart, Mark, Unit};
use crate::scale::{DateTick, ValueAxis, bar_ticks, date_ticks, day, value_axis};
use maud::{Markup, html};
use strongroom_units::time::Date;

/// The drawing's width; its units are about a pixel each on a full-width page.
pub const WIDTH: f64 = 1000.0;
/// The drawing's height.
pub const HEIGHT: f64 = 320.0;
const TOP: f64 = 28.0;
const BOTTOM: f64 = HEIGHT - 34.0;
/// A generous width of one character of an axis label.
const CHARACTER: f64 = 7.2;
/// The same for the bold names at the ends of lines.
const CHARACTER_BOLD: f64 = 8.0;

/// Half the label of a date, which may stand at either end of its axis.
const HALF_DATE: f64 = 40.0;

/// The two scales of one chart and the labels along them.
pub struct Frame {
    left: f64,
    right: f64,
    dates: DateAxis,
    date_ticks: Vec<DateTick>,
    values: ValueAxis,
    value_labels: Vec<String>,
    /// Written above the value axis when the unit is not part of its labels.
    axis_unit: Option<String>,
    /// What is written at the ends of lines.
    pub ends: Vec<EndLabel>,
}

/// How dates spread over the width.
enum DateAxis {
    /// In proportion to time, between two days.
    Time { first: f64, days: f64 },
    /// One slot of equal width for each date that has a bar: months are not equally long, and a last month
    /// that is not over yet would otherwise stand on the one before.
    Slots(Vec<Date>),
}

impl Frame {
    /// The frame that holds all points; none if there are no points.
    pub fn around(chart: &Chart, series: &[Drawn]) -> Option<Self> {
        let mut dates: Vec<Date> =
            series.iter().flat_map(|series| &series.points).map(|(date, _)| *date).collect();
        dates.sort();
        dates.dedup();
        let (&first, &last) = (dates.first()?, dates.last()?);
        let values = axis_of(chart, series);
        let format = AxisFormat::new(&chart.unit, values.low.abs().max(values.high.abs()), values.step);
        let value_labels: Vec<_> = values.ticks.iter().map(|tick| format.tick(*tick)).collect();
        let ends = ends::labels(chart, series);
        let bars = chart.mark == Mark::Bars;
        Some(Self {
            left: (12.0 + CHARACTER * longest(value_labels.iter().map(String::as_str))).max(HALF_DATE),
            right: WIDTH
                - (20.0 + CHARACTER_BOLD * longest(ends.iter().flat_map(EndLabel::lines))).max(HALF_DATE),
            date_ticks: if bars { bar_ticks(&dates) } else { date_ticks(first, last) },
            dates: if bars { DateAxis::Slots(dates) } else { DateAxis::between(first, last) },
            values,
            value_labels,
            axis_unit: if let Unit::Coins { symbol } = &chart.unit { Some(symbol.clone()) } else { None },
            ends,
        })
    }

    /// Where a date stands, from the left.
    pub fn x(&self, date: Date) -> f64 {
        self.left + self.dates.share(date) * (self.right - self.left)
    }

    /// The width there is for the bars of one date.
    pub fn slot(&self) -> f64 {
        match &self.dates {
            DateAxis::Time { days, .. } => (self.right - self.left) / days,
            DateAxis::Slots(dates) => (self.right - self.left) / dates.len() as f64,
        }
    }

    /// Where the plot ends on the right.
    pub fn right(&self) -> f64 {
        self.right
    }

    /// The lowest and highest place in the plot, from the top.
    pub fn rows(&self) -> (f64, f64) {
        (TOP, BOTTOM)
    }

    /// Where a value stands, from the top.
    pub fn y(&self, value: f64) -> f64 {
        BOTTOM - (value - self.values.low) / (self.values.high - self.values.low) * (BOTTOM - TOP)
    }

    /// Where zero stands; charts that fill down to it always contain it.
    pub fn baseline(&self) -> f64 {
        self.y(0.0)
    }

    /// Gridlines and labels; drawn first, so that marks lie over them.
    pub fn grid(&self) -> Markup {
        html! {
            @if let Some(unit) = &self.axis_unit { text.tick x="0" y="11" { (unit) } }
            @for (tick, label) in self.values.ticks.iter().zip(&self.value_labels) {
                @let y = number(self.y(*tick));
                line.grid.zero[*tick == 0.0] x1=(number(self.left)) x2=(number(self.right)) y1=(y) y2=(y) {}
                text.tick.end x=(number(self.left - 8.0)) y=(y) dy="0.34em" { (label) }
            }
            @for tick in &self.date_ticks {
                @let x = number(self.x(tick.date));
                line.grid x1=(x) x2=(x) y1=(number(BOTTOM)) y2=(number(BOTTOM + 5.0)) {}
                text.tick.middle x=(x) y=(number(BOTTOM + 22.0)) { (tick.label) }
            }
        }
    }
}

impl DateAxis {
    /// One date alone stands in the middle of two days.
    fn between(first: Date, last: Date) -> Self {
        match day(last) - day(first) {
            0.0 => Self::Time { first: day(first) - 1.0, days: 2.0 },
            days => Self::Time { first: day(first), days },
        }
    }

    /// How far along the axis a date stands, from 0 to 1.
    fn share(&self, date: Date) -> f64 {
        match self {
            Self::Time { first, days } => (day(date) - first) / days,
            Self::Slots(dates) => {
                let index = dates.partition_point(|other| *other < date);
                (index as f64 + 0.5) / dates.len() as f64
            }
        }
    }
}

fn axis_of(chart: &Chart, series: &[Drawn]) -> ValueAxis {
    let zero = matches!(chart.mark, Mark::Area | Mark::Bars).then_some(0.0);
    let values = series.iter().flat_map(|series| &series.points).map(|(_, value)| *value).chain(zero);
    let (low, high) =
        values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
    let step_min = if chart.unit == (Unit::Number { decimals: 0 }) { 1.0 } else { 0.0 };
    value_axis(low, high, step_min)
}

fn longest<'a>(texts: impl Iterator<Item = &'a str>) -> f64 {
    texts.map(|text| text.chars().count()).max().unwrap_or(0) as f64
}

/// A coordinate, to a tenth.
pub fn number(coordinate: f64) -> String {
    let text = format!("{coordinate:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}
