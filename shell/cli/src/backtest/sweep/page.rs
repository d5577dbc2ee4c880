//! The page of a sweep: every outcome as a point, as a coloured cell, and as a row.

use super::run::Outcome;
use super::{Results, Run, figures, headings};
use crate::failure::Failure;
use std::collections::BTreeMap;
use strongroom_report::{Emphasis, Heat, HeatScale, Page, Scatter, Section, Table, Unit, render};

pub(super) fn page(results: &Results) -> Result<String, Failure> {
    let title = format!("{} {}: {} runs", results.fund, results.name, results.runs.len());
    let swept: Vec<_> = results.parameters.iter().map(|parameter| parameter.key).collect();
    let subtitle = format!("{} to {}, over {}", results.from, results.to, swept.join(", "));
    let page = Page::new(title, subtitle).info(
        "One past, many rules. The rule that did best over it was not known at the time: choosing by this page is hindsight.",
    );
    let pictures = Section::new("Outcomes")
        .scatter(risk_and_return(results))
        .heat(heat(results, "Total return", HeatScale::LowToHigh, 1, |outcome| outcome.total_return))
        .heat(heat(results, "Tracking difference", HeatScale::AroundZero, 2, |outcome| {
            outcome.tracking_difference
        }));
    let page = page.section(pictures).section(Section::new("Every run").table(table(results)?));
    Ok(render(&page))
}

/// Colour is the first key.
fn risk_and_return(results: &Results) -> Scatter {
    let percent = Unit::Percent { decimals: 2 };
    let first = results.parameters.first().map_or("", |parameter| parameter.key);
    let mut groups: BTreeMap<String, Vec<(String, f64, f64)>> = BTreeMap::new();
    for run in &results.runs {
        let figures = run.outcome.as_ref().and_then(|outcome| outcome.volatility.zip(outcome.total_return));
        if let Some((volatility, total_return)) = figures {
            groups.entry(run.value(first)).or_default().push((
                name(run, results, &[]),
                volatility,
                total_return,
            ));
        }
    }
    let scatter =
        Scatter::new("Risk and return", ("volatility a year", percent.clone()), ("total return", percent))
            .description(format!(
                "Each point is a run; its colour is {first}. Point at one to read its rules."
            ));
    let values = results.parameters.first().map_or(&[][..], |parameter| parameter.values.as_slice());
    let named = |value: &String| Some((format!("{first} {value}"), groups.remove(value)?));
    let groups: Vec<_> = values.iter().filter_map(named).collect();
    groups.into_iter().fold(scatter, |scatter, (name, points)| scatter.group(name, points))
}

/// Rows are every combination of all keys but the widest one, which gives the columns.
fn heat(
    results: &Results,
    title: &str,
    scale: HeatScale,
    decimals: u8,
    figure: impl Fn(&Outcome) -> Option<f64>,
) -> Heat {
    let widest = results.parameters.iter().rev().max_by_key(|parameter| parameter.values.len());
    let (key, columns) =
        widest.map_or(("", &[][..]), |parameter| (parameter.key, parameter.values.as_slice()));
    let mut order: Vec<String> = Vec::new();
    let mut rows: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
    for run in &results.runs {
        let row = name(run, results, &[key]);
        if !order.contains(&row) {
            order.push(row.clone());
        }
        let cells = rows.entry(row).or_default();
        if let Some(value) = run.outcome.as_ref().and_then(&figure) {
            cells.insert(run.value(key), value);
        }
    }
    let heat = Heat::new(title, Unit::Percent { decimals }, scale)
        .columns(key, columns.iter().cloned())
        .description(format!("Columns are {key}; a blank cell is a run that was not done."));
    order.into_iter().fold(heat, |heat, row| {
        let cells = rows.remove(&row).unwrap_or_default();
        heat.row(row, columns.iter().map(|column| cells.get(column).copied()))
    })
}

fn name(run: &Run, results: &Results, without: &[&str]) -> String {
    let kept = results.parameters.iter().filter(|parameter| !without.contains(&parameter.key));
    let named: Vec<_> =
        kept.map(|parameter| format!("{} {}", parameter.key, run.value(parameter.key))).collect();
    named.join(", ")
}

fn table(results: &Results) -> Result<Table, Failure> {
    let mut table = Table::new("Every run, in the order of its rules");
    for parameter in &results.parameters {
        table = table.left(parameter.key);
    }
    for heading in headings(results.is_basket) {
        table = table.right(heading);
    }
    for run in &results.runs {
        let keys = results.parameters.iter().map(|parameter| run.value(parameter.key));
        let emphasis = if run.refused.is_some() { Emphasis::Bad } else { Emphasis::None };
        table.push(emphasis, keys.chain(figures(run, results.is_basket)?).collect::<Vec<_>>());
    }
    Ok(table)
}
