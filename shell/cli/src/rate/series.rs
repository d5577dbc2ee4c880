//! A rate at many times: what it was through a day or a week, as CSV and as a picture.

use super::evidence;
use crate::commands::statement::{write_csv, write_text};
use crate::failure::{Exit, Failure};
use crate::print::{self, Align};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use strongroom_market::rate::{ExclusionReason, Pair, RateEvidence};
use strongroom_report::{Chart, Emphasis, Mark, Page, Section, Table, Unit, render};
use strongroom_units::Price;
use strongroom_units::time::{Date, Timestamp, Zone};

/// Rates in one series.
const RATES_MAX: usize = 2_000;

/// One time of a series. A window that publishes nothing has the code that says why in place of a rate.
#[derive(Serialize)]
pub(super) struct Row {
    at: Timestamp,
    rate: Option<Price>,
    refused: Option<std::borrow::Cow<'static, str>>,
    venues: usize,
    excluded: String,
    methodology: String,
    input_hash: String,
}

/// Computes the rate at `from`, and then every so many minutes, through `until`.
pub(super) fn series(
    files: &[PathBuf],
    methodology: &str,
    pair: &Pair,
    (from, until): (Timestamp, Timestamp),
    every_minutes: u32,
) -> Result<Vec<Row>, Failure> {
    let step = Duration::from_secs(60 * u64::from(every_minutes.max(1)));
    let times =
        core::iter::successors(Some(from), |at| at.checked_add(step).ok()).take_while(|at| *at <= until);
    let times: Vec<Timestamp> = times.take(RATES_MAX + 1).collect();
    if times.is_empty() || times.len() > RATES_MAX {
        let message = format!("a series has 1 to {RATES_MAX} rates");
        let failure = Failure::new("rate.series_must_be_bounded", message, Exit::Refused);
        return Err(failure.hint("Choose --until after --at, and --every larger."));
    }
    let bar = crate::backtest::progress(times.len());
    let mut rows = Vec::new();
    for at in times {
        bar.inc(1);
        match evidence(files, methodology, pair, at) {
            Ok(found) => rows.push(row(at, &found)),
            Err(failure) if failure.exit == Exit::Refused => rows.push(Row {
                at,
                rate: None,
                refused: Some(failure.code),
                venues: 0,
                excluded: String::new(),
                methodology: methodology.to_owned(),
                input_hash: String::new(),
            }),
            Err(failure) => return Err(failure),
        }
    }
    bar.finish_and_clear();
    Ok(rows)
}

fn row(at: Timestamp, found: &RateEvidence) -> Row {
    let deviating = found.excluded.iter().filter(|x| x.reason == ExclusionReason::DeviatesFromVenueMedian);
    Row {
        at,
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
        ("rate", Align::Right),
        ("venues", Align::Right),
        ("excluded, or why there is none", Align::Left),
    ];
    let cells = rows.iter().map(|row| {
        let rate = row.rate.map_or_else(|| Ok("–".to_owned()), |rate| rate.to_decimal().to_display(2))?;
        let note = row.refused.as_deref().map_or_else(|| row.excluded.clone(), str::to_owned);
        Ok(vec![row.at.to_string(), rate, row.venues.to_string(), note])
    });
    print::line(print::table(&columns, cells.collect::<Result<Vec<_>, Failure>>()?));
    Ok(())
}

/// Writes `rates.csv` and `report.html`.
pub(super) fn write(folder: &Path, pair: &Pair, rows: &[Row]) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|error| Failure::file(folder, &error))?;
    write_csv(&folder.join("rates.csv"), rows)?;
    let name = rows.first().map(|row| row.methodology.clone()).unwrap_or_default();
    let period = match (rows.first(), rows.last()) {
        (Some(first), Some(last)) => format!("{} to {}", first.at, last.at),
        _ => String::new(),
    };
    let mut table =
        Table::new("Rates").left("at").right("rate").right("venues").left("excluded, or why there is none");
    for row in rows {
        let rate = row.rate.map_or_else(|| Ok("–".to_owned()), |rate| rate.to_decimal().to_display(2))?;
        let note = row.refused.as_deref().map_or_else(|| row.excluded.clone(), str::to_owned);
        let emphasis =
            if row.refused.is_some() || !row.excluded.is_empty() { Emphasis::Bad } else { Emphasis::None };
        table.push(emphasis, [row.at.to_string(), rate, row.venues.to_string(), note]);
    }
    let mut section = Section::new("Rates")
        .lead("A window that publishes nothing leaves a gap: nothing stale stands in its place.");
    section = section.chart(chart(pair, rows)).table(table);
    let page = Page::new(format!("{pair} by {name}"), period).section(section);
    write_text(&folder.join("report.html"), &render(&page))
}

/// The last rate of each day.
fn chart(pair: &Pair, rows: &[Row]) -> Chart {
    let by_day: BTreeMap<Date, f64> = rows
        .iter()
        .filter_map(|row| Some((Zone::Utc.date_of(row.at), row.rate?.to_decimal().to_f64())))
        .collect();
    Chart::new(format!("{pair}, the last rate of each day"), Mark::Line, Unit::Number { decimals: 2 })
        .series(pair.to_string(), by_day)
        .description("A day without a rate is a gap in the table below.")
}
