//! `strongroom backtest … --sweep`: one fund under every combination of some of its rules, over one past.

mod page;
mod parallel;
mod run;
mod setting;

use super::Backtest;
use super::inputs::Files;
use crate::commands::money;
use crate::commands::statement::{write_csv, write_text};
use crate::context::Global;
use crate::fact_sheet::percent;
use crate::failure::{Exit, Failure};
use crate::print::{self, Align};
use run::Outcome;
use serde::Serialize;
use setting::{Axis, Setting, combinations, wrong};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use strongroom_units::time::Date;
use strongroom_units::{Money, Symbol};

/// What a sweep gives, as `--json` prints it and `sweep.json` holds it.
#[derive(Serialize)]
struct Results {
    fund: Symbol,
    name: String,
    from: Date,
    to: Date,
    parameters: Vec<Parameter>,
    runs: Vec<Run>,
    #[serde(skip_serializing_if = "Option::is_none")]
    out: Option<PathBuf>,
    #[serde(skip)]
    is_basket: bool,
}

/// One key and its values, in the order in which they turn.
#[derive(Serialize)]
struct Parameter {
    key: &'static str,
    values: Vec<String>,
}

/// One run: its parameters and what came of it, or why it was not done.
#[derive(Serialize)]
struct Run {
    parameters: BTreeMap<&'static str, String>,
    #[serde(flatten)]
    outcome: Option<Outcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<Failure>,
}

impl Run {
    fn value(&self, key: &str) -> String {
        self.parameters.get(key).cloned().unwrap_or_default()
    }
}

pub(super) fn sweep(args: &Backtest, global: &Global) -> Result<(), Failure> {
    let axes = args.sweep.iter().map(|text| Axis::parse(text)).collect::<Result<Vec<_>, Failure>>()?;
    let combinations = combinations(&axes)?;
    let files = Files::read(args)?;
    let is_basket = files.definition.index.is_some();
    if let Some(axis) = axes.iter().find(|axis| axis.key.is_of_a_basket() && !is_basket) {
        let message = format!("{} is a rule of a basket, and this fund holds one asset", axis.key.name());
        let hint = "A fund of one asset has fee_bps and price_at.";
        return Err(wrong("sweep.key_must_apply_to_the_fund", message, hint));
    }
    let bar = super::progress(combinations.len());
    bar.set_message(format!("runs on {} threads", parallel::threads(combinations.len())));
    let outcomes = run::all(&files, &combinations, || bar.inc(1));
    bar.finish_and_clear();
    let runs = combinations.iter().zip(outcomes).map(|(settings, outcome)| run_of(settings, outcome));
    let results = Results {
        fund: files.definition.id,
        name: files.definition.name.clone(),
        from: files.from,
        to: files.to,
        parameters: axes.iter().map(parameter).collect(),
        runs: runs.collect(),
        out: args.out.clone(),
        is_basket,
    };
    if let Some(out) = &args.out {
        write(out, &results)?;
    }
    if global.json {
        print::json(&results)?
    } else {
        say(&results)?
    }
    verdict(&results)
}

fn parameter(axis: &Axis) -> Parameter {
    let values = axis.settings.iter().map(|setting| setting.text.clone()).collect();
    Parameter { key: axis.key.name(), values }
}

fn run_of(settings: &[Setting], outcome: Result<Outcome, Failure>) -> Run {
    let parameters = settings.iter().map(|setting| (setting.key.name(), setting.text.clone())).collect();
    match outcome {
        Ok(outcome) => Run { parameters, outcome: Some(outcome), refused: None },
        Err(failure) => Run { parameters, outcome: None, refused: Some(failure) },
    }
}

/// Everything that was done is shown and written; a run that was not is no success.
fn verdict(results: &Results) -> Result<(), Failure> {
    let refused = results.runs.iter().filter_map(|run| run.refused.as_ref());
    let Some(first) = refused.clone().next() else { return Ok(()) };
    let message = format!(
        "{} of {} runs were not done; the first: [{}] {}",
        refused.count(),
        results.runs.len(),
        first.code,
        first.message
    );
    Err(Failure::new("sweep.every_run_must_be_done", message, Exit::Refused))
}

fn write(out: &Path, results: &Results) -> Result<(), Failure> {
    std::fs::create_dir_all(out).map_err(|error| Failure::file(out, &error))?;
    let rows: Vec<Row> = results.runs.iter().map(Row::of).collect();
    write_csv(&out.join("sweep.csv"), &rows)?;
    write_text(&out.join("sweep.json"), &(print::to_json(results)? + "\n"))?;
    write_text(&out.join("sweep.html"), &page::page(results)?)
}

/// One row of `sweep.csv`; figures that were not reached are empty.
#[derive(Serialize)]
struct Row {
    parameters: String,
    total_return: Option<f64>,
    annualised: Option<f64>,
    volatility: Option<f64>,
    max_drawdown: Option<f64>,
    turnover: Option<f64>,
    cost: Option<Money>,
    tracking_difference: Option<f64>,
    tracking_error: Option<f64>,
    refused: Option<std::borrow::Cow<'static, str>>,
}

impl Row {
    fn of(run: &Run) -> Self {
        let outcome = run.outcome.as_ref();
        let parameters = run.parameters.iter().map(|(key, value)| format!("{key}={value}"));
        Self {
            parameters: parameters.collect::<Vec<_>>().join(" "),
            total_return: outcome.and_then(|outcome| outcome.total_return),
            annualised: outcome.and_then(|outcome| outcome.annualised),
            volatility: outcome.and_then(|outcome| outcome.volatility),
            max_drawdown: outcome.and_then(|outcome| outcome.max_drawdown),
            turnover: outcome.map(|outcome| outcome.turnover),
            cost: outcome.map(|outcome| outcome.cost),
            tracking_difference: outcome.and_then(|outcome| outcome.tracking_difference),
            tracking_error: outcome.and_then(|outcome| outcome.tracking_error),
            refused: run.refused.as_ref().map(|failure| failure.code.clone()),
        }
    }
}

/// The headings of the figures; those about trading only where a basket trades.
fn headings(is_basket: bool) -> Vec<&'static str> {
    let all = ["total return", "annualised", "volatility", "max drawdown"];
    let trading = ["turnover", "cost USD"].into_iter().filter(|_| is_basket);
    all.into_iter().chain(trading).chain(["tracking", "tracking error"]).collect()
}

/// The figures of one run, under their headings.
fn figures(run: &Run, is_basket: bool) -> Result<Vec<String>, Failure> {
    let Some(outcome) = &run.outcome else {
        let code = run.refused.as_ref().map_or("", |failure| failure.code.as_ref());
        return Ok(vec![code.to_owned()]);
    };
    let mut cells = [outcome.total_return, outcome.annualised, outcome.volatility, outcome.max_drawdown]
        .map(percent)
        .to_vec();
    if is_basket {
        cells.extend([percent(Some(outcome.turnover)), money(outcome.cost)?]);
    }
    cells.extend([percent(outcome.tracking_difference), percent(outcome.tracking_error)]);
    Ok(cells)
}

fn say(results: &Results) -> Result<(), Failure> {
    print::line(format!(
        "{} {}, {} to {}, {} runs\n",
        results.fund,
        results.name,
        results.from,
        results.to,
        results.runs.len()
    ));
    let keys = results.parameters.iter().map(|parameter| (parameter.key, Align::Left));
    let columns: Vec<_> =
        keys.chain(headings(results.is_basket).into_iter().map(|heading| (heading, Align::Right))).collect();
    let mut rows = Vec::new();
    for run in &results.runs {
        let keys = results.parameters.iter().map(|parameter| run.value(parameter.key));
        let mut cells: Vec<String> = keys.chain(figures(run, results.is_basket)?).collect();
        cells.resize(columns.len(), String::new());
        rows.push(cells);
    }
    print::line(print::table(&columns, rows));
    match &results.out {
        Some(out) => print::line(format!("\nreport {}", out.join("sweep.html").display())),
        None => print::line("\n--out FOLDER writes the table as CSV and JSON, and a page with pictures."),
    }
    Ok(())
}
