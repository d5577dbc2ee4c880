//! Values within days: lines over instants, with gaps.

use super::Unit;
use strongroom_units::time::Timestamp;

/// A value at an instant, or a gap.
pub type Reading = (Timestamp, Option<f64>);

/// Lines over instants.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// What is drawn.
    pub title: String,
    /// What a reader should see in it; shown under the title and read out in place of the drawing.
    pub description: String,
    /// What the values are.
    pub unit: Unit,
    /// A name and values in order of time; a value that is missing or not finite is a gap.
    pub lines: Vec<(String, Vec<Reading>)>,
}

impl Trace {
    /// A trace without lines.
    pub fn new(title: impl Into<String>, unit: Unit) -> Self {
        Self { title: title.into(), description: String::new(), unit, lines: Vec::new() }
    }

    /// Sets what a reader should see in it.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = text.into();
        self
    }

    /// Adds a line.
    pub fn line(mut self, name: impl Into<String>, points: impl IntoIterator<Item = Reading>) -> Self {
        self.lines.push((name.into(), points.into_iter().collect()));
        self
    }
}
