//! A rate at many times: what it was through a day or a week, as CSV and as a picture.

use super::methodologies;
use crate::commands::statement::{write_csv, write_text};
use crate::failure::{Exit, Failure};
use crate::print::{self, Align};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Duration;
use strongroom_feeds::read_trades_into;
use strongroom_market::rate::{ExclusionReason, Pair, RateEvidence, Window};
use strongroom_report::{Emphasis, Page, Section, Table, Trace, Unit, render, svg};
use strongroom_units::Price;
use strongroom_units::time::Timestamp;

/// Rates in one series.
const RATES_MAX: usize = 2_000;

/// One time of a series. A window that publishes nothing has the code that says why in place of a rate.
#[derive(Serialize)]
pub(super) struct Row {
    at: Timestamp,
    pair: String,
    rate: Option<Price>,
    refused: Option<std::borrow::Cow<'static, str>>,
    venues: usize,
    excluded: String,
    methodology: String,
    input_hash: String,
}

/// Computes the rate of each pair at `from`, and then every so many minutes, through `until`; rows of one time stand together.
/// Files are read once, whatever the number of windows.
pub(super) fn series(
    files: &[PathBuf],
    methodology: &str,
    pairs: &[&Pair],
    (from, until): (Timestamp, Timestamp),
    every_minutes: u32,
) -> Result<Vec<Row>, Failure> {
    let step = Duration::from_secs(60 * u64::from(every_minutes.max(1)));
    let times =
        core::iter::successors(Some(from), |at| at.checked_add(step).ok()).take_while(|at| *at <= until);
    let times: Vec<Timestamp> = times.take(RATES_MAX + 1).collect();
    if times.is_empty() || times.len() * pairs.len() > RATES_MAX {
        let message = format!("a series has 1 to {RATES_MAX} rates");
        let failure = Failure::new("rate.series_must_be_bounded", message, Exit::Refused);
        return Err(failure.hint("Choose --until after --at, and --every larger."));
    }
    let methodology = methodologies::find(methodology)?;
    let mut windows = Vec::new();
    for at in &times {
        for pair in pairs {
            windows.push(Window::try_new(&methodology, pair, *at)?);
        }
    }
    let bar = crate::backtest::progress(files.len() + windows.len());
    for file in files {
        read_trades_into(file, &mut windows)?;
        bar.inc(1);
    }
    let mut rows = Vec::new();
    let named = times.iter().flat_map(|at| pairs.iter().map(move |pair| (*at, *pair)));
    for ((at, pair), window) in named.zip(&mut windows) {
        bar.inc(1);
        rows.push(match window.rate() {
            Ok(found) => row(at, &found),
            Err(error) => Row {
                at,
                pair: pair.to_string(),
                rate: None,
                refused: Some(error.code().into()),
                venues: 0,
                excluded: String::new(),
                methodology: methodology.id.clone(),
                input_hash: String::new(),
            },
        });
    }
    bar.finish_and_clear();
    Ok(rows)
}

fn row(at: Timestamp, found: &RateEvidence) -> Row {
    let deviating = found.excluded.iter().filter(|x| x.reason == ExclusionReason::DeviatesFromVenueMedian);
    Row {
        at,
        pair: found.pair.clone(),
        rate: Some(found.rate),
        refused: None,
        venues: found.venues.len(),
        excluded: deviating.map(|x| x.venue.as_str()).collect::<Vec<_>>().join(" "),
        methodology: format!("{} {}", found.methodology.id, found.methodology.effective),
        input_hash: found.input_hash.clone(),
    }
}

/// Prints a series for people.
pub(super) fn say(rows: &[Row]) -> Result<(), Failure> {
    let columns = [
        ("at", Align::Left),
        ("pair", Align::Left),
        ("rate", Align::Right),
        ("venues", Align::Right),
        ("excluded, or why there is none", Align::Left),
    ];
    let cells = rows.iter().map(|row| {
        let rate = shown(row)?;
        let note = row.refused.as_deref().map_or_else(|| row.excluded.clone(), str::to_owned);
        Ok(vec![row.at.to_string(), row.pair.clone(), rate, row.venues.to_string(), note])
    });
    print::line(print::table(&columns, cells.collect::<Result<Vec<_>, Failure>>()?));
    Ok(())
}

/// Writes `rates.csv`, `report.html` and `rates.svg`.
pub(super) fn write(folder: &Path, pairs: &[&Pair], rows: &[Row]) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|error| Failure::file(folder, &error))?;
    write_csv(&folder.join("rates.csv"), rows)?;
    let name = rows.first().map(|row| row.methodology.clone()).unwrap_or_default();
    let period = match (rows.first(), rows.last()) {
        (Some(first), Some(last)) => format!("{} to {}", first.at, last.at),
        _ => String::new(),
    };
    let mut table = Table::new("Rates")
        .left("at")
        .left("pair")
        .right("rate")
        .right("venues")
        .left("excluded, or why there is none");
    for row in rows {
        let rate = shown(row)?;
        let note = row.refused.as_deref().map_or_else(|| row.excluded.clone(), str::to_owned);
        let emphasis =
            if row.refused.is_some() || !row.excluded.is_empty() { Emphasis::Bad } else { Emphasis::None };
        table.push(emphasis, [row.at.to_string(), row.pair.clone(), rate, row.venues.to_string(), note]);
    }
    let mut section = Section::new("Rates")
        .lead("A window that publishes nothing leaves a gap: nothing stale stands in its place.");
    let names = pairs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let drawn = trace(&names, pairs, rows);
    write_text(&folder.join("rates.svg"), &svg(&drawn))?;
    section = section.trace(drawn).table(table);
    let page = Page::new(format!("{names} by {name}"), period).section(section);
    write_text(&folder.join("report.html"), &render(&page))
}

/// Cents, and more digits where a rate is about a dollar.
fn shown(row: &Row) -> Result<String, Failure> {
    let Some(rate) = row.rate else { return Ok("–".to_owned()) };
    let decimals = if rate < Price::from_units(100 * 10i128.pow(u32::from(Price::SCALE))) { 5 } else { 2 };
    Ok(rate.to_decimal().to_display(decimals)?)
}

fn trace(names: &str, pairs: &[&Pair], rows: &[Row]) -> Trace {
    let trace = Trace::new(names, Unit::Number { decimals: 4 })
        .description("The rate of each window, at its end, UTC. A window that publishes nothing is a gap.");
    pairs.iter().fold(trace, |trace, pair| {
        let name = pair.to_string();
        let of_pair = rows.iter().filter(|row| row.pair == name);
        let points = of_pair.map(|row| (row.at, row.rate.map(|rate| rate.to_decimal().to_f64())));
        trace.line(name.clone(), points.collect::<Vec<_>>())
    })
}
