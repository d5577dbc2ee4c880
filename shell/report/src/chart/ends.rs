//! Names and last values beside the ends of lines, moved apart where they would overlap.

use super::Drawn;
use super::frame::{Frame, number};
use crate::label;
use crate::model::{Chart, Mark};
use maud::{Markup, html};

/// With more lines than this the labels would not fit one above the other; the legend names them.
const LINES_MAX: usize = 6;
const CHARACTERS_MAX: usize = 18;
/// A label's two lines of text and a little air.
const LABEL_HEIGHT: f64 = 34.0;

/// The text beside the end of one line.
pub struct EndLabel {
    name: String,
    value: String,
    last: f64,
    class: String,
}

impl EndLabel {
    /// Its lines of text.
    pub fn lines(&self) -> [&str; 2] {
        [&self.name, &self.value]
    }
}

/// One label for each series that has points; none for bars.
pub fn labels(chart: &Chart, series: &[Drawn]) -> Vec<EndLabel> {
    if chart.mark == Mark::Bars || series.len() > LINES_MAX {
        return Vec::new();
    }
    let label = |series: &Drawn| {
        let (_, last) = series.points.last()?;
        let value = label::value(&chart.unit, *last);
        Some(EndLabel { name: shortened(series.name), value, last: *last, class: series.class.clone() })
    };
    series.iter().filter_map(label).collect()
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= CHARACTERS_MAX {
        return name.to_owned();
    }
    let start: String = name.chars().take(CHARACTERS_MAX - 1).collect();
    format!("{}…", start.trim_end())
}

/// All labels, right of the plot.
pub fn draw(frame: &Frame) -> Markup {
    let mut placed: Vec<_> = frame.ends.iter().map(|label| (frame.y(label.last), label)).collect();
    placed.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (top, bottom) = frame.rows();
    let wanted: Vec<f64> = placed.iter().map(|(y, _)| *y).collect();
    let x = number(frame.right() + 12.0);
    html! {
        @for ((_, label), y) in placed.iter().zip(apart(&wanted, top + 4.0, bottom - 8.0)) {
            text.label x=(x) y=(number(y - 2.0)) {
                tspan class=(format!("name {}", label.class)) { (label.name) }
                tspan.value x=(x) dy="1.25em" { (label.value) }
            }
        }
    }
}

/// Ascending places moved as little as it takes to stand `LABEL_HEIGHT` apart within `top..=bottom`.
fn apart(wanted: &[f64], top: f64, bottom: f64) -> Vec<f64> {
    let mut floor = top;
    let mut placed: Vec<f64> = Vec::new();
    for y in wanted {
        placed.push(y.max(floor));
        floor = y.max(floor) + LABEL_HEIGHT;
    }
    let mut ceiling = bottom;
    for y in placed.iter_mut().rev() {
        *y = y.min(ceiling);
        ceiling = *y - LABEL_HEIGHT;
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_do_not_overlap() {
        let check = |wanted: &[f64], expected: &[f64]| assert_eq!(apart(wanted, 0.0, 300.0), expected);
        check(&[], &[]);
        check(&[50.0, 200.0], &[50.0, 200.0]);
        check(&[100.0, 100.0, 110.0], &[100.0, 134.0, 168.0]);
        check(&[290.0, 299.0], &[266.0, 300.0]);
        check(&[-5.0], &[0.0]);
    }

    #[test]
    fn long_names_are_cut_between_characters() {
        assert_eq!(shortened("NAV"), "NAV");
        assert_eq!(shortened("Größte Münzenbestände der Welt"), "Größte Münzenbest…");
    }
}
