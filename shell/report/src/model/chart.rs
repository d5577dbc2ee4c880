//! Charts: the only place where numbers come in as numbers.

use strongroom_units::time::Date;

/// Values over dates.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// What is drawn.
    pub title: String,
    /// What the values are; decides how the axis is labelled.
    pub unit: Unit,
    /// How the values are drawn.
    pub mark: Mark,
    /// What is drawn together. Two series can share a chart only when they share its unit.
    pub series: Vec<Series>,
    /// What a reader should see in it; shown under the title and read out in place of the drawing.
    pub description: String,
}

impl Chart {
    /// A chart without series.
    pub fn new(title: impl Into<String>, mark: Mark, unit: Unit) -> Self {
        Self { title: title.into(), unit, mark, series: Vec::new(), description: String::new() }
    }

    /// Adds a series.
    pub fn series(mut self, name: impl Into<String>, points: impl IntoIterator<Item = (Date, f64)>) -> Self {
        self.series.push(Series { name: name.into(), points: points.into_iter().collect() });
        self
    }

    /// Sets what a reader should see in it.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = text.into();
        self
    }
}

/// How values are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mark {
    /// A line; the axis spans the values only.
    #[default]
    Line,
    /// A line filled down to zero, which the axis always contains.
    Area,
    /// A bar from zero for each date; gains and losses are coloured differently.
    Bars,
}

/// What a chart's values are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A bare number; `decimals` are those of a single value, the axis shows as many as its steps need.
    Number {
        /// Digits after the point.
        decimals: u8,
    },
    /// An amount of money in whole units, not cents.
    Money {
        /// Written before the amount: "$", or a code such as "CHF".
        symbol: &'static str,
    },
    /// A fraction: 0.05 is drawn as 5%.
    Percent {
        /// Digits after the point of a single value.
        decimals: u8,
    },
    /// An amount of a coin in whole coins.
    Coins {
        /// Written after the amount: "BTC".
        symbol: String,
    },
}

/// One line, area or set of bars.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// The name in the legend and beside the line.
    pub name: String,
    /// The values in any order. Those that are not finite, or beyond 1e18 in size, are left out and counted
    /// under the chart.
    pub points: Vec<(Date, f64)>,
}
