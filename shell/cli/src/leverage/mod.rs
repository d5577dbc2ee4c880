//! `strongroom leverage`: what a daily multiple of an index comes to over a period, as issuers publish it.

mod page;

use crate::commands::statement::{write_csv, write_text};
use crate::context::Global;
use crate::failure::{Exit, Failure};
use crate::print::{self, Align};
use clap::{Args, Subcommand};
use serde::Serialize;
use std::path::PathBuf;
use strongroom_fund::leverage::{Estimate, EstimateError, Table};

#[derive(Debug, Subcommand)]
pub(crate) enum LeverageVerb {
    /// Estimate the return of a daily multiple from that of its index and the index's volatility
    #[command(after_help = "\
Example:
  strongroom leverage estimate --factor -2 --index-return 0.10 --volatility 0.25

Before fees, financing and funding: (1 + R)^L x exp(-L (L - 1) x volatility^2 x years / 2) - 1.
The figure that prospectuses of such funds print, to a tenth of a per cent.")]
    Estimate(EstimateArgs),
    /// The table of a prospectus: estimates over index returns and volatilities
    #[command(after_help = "\
Example:
  strongroom leverage table --factor 2 --out decay

With --out also decay/table.csv and decay/report.html, with a picture of the decay.")]
    Table(TableArgs),
}

#[derive(Debug, Args)]
pub(crate) struct EstimateArgs {
    /// The daily multiple: 2 doubles each day's return, -1 turns it round
    #[arg(long, value_name = "FACTOR", allow_negative_numbers = true)]
    factor: f64,
    /// Return of the index over the period, as a fraction
    #[arg(long, value_name = "FRACTION", allow_negative_numbers = true)]
    index_return: f64,
    /// Volatility of the index a year, as a fraction
    #[arg(long, value_name = "FRACTION", allow_negative_numbers = true)]
    volatility: f64,
    /// Length of the period
    #[arg(long, value_name = "DAYS", default_value_t = 365)]
    days: u32,
}

#[derive(Debug, Args)]
pub(crate) struct TableArgs {
    /// The daily multiple
    #[arg(long, value_name = "FACTOR", allow_negative_numbers = true)]
    factor: f64,
    /// Length of the period
    #[arg(long, value_name = "DAYS", default_value_t = 365)]
    days: u32,
    /// Folder for table.csv and report.html; created when absent
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl From<EstimateError> for Failure {
    fn from(error: EstimateError) -> Self {
        Self::new(error.code(), error.to_string(), Exit::CommandLine)
    }
}

/// Fractions: 0.05 is five per cent.
#[derive(Serialize)]
struct Estimated {
    factor: f64,
    index_return: f64,
    volatility: f64,
    days: u32,
    estimated_fund_return: f64,
    /// The multiple of the period's return, which the fund does not give.
    multiple_of_the_period: f64,
    decay: f64,
    break_even_index_return: Option<f64>,
}

/// Fractions, row by row.
#[derive(Serialize)]
struct Tabled<'a> {
    factor: f64,
    days: u32,
    index_returns: &'a [f64],
    volatilities: &'a [f64],
    estimated_fund_returns: &'a [Vec<f64>],
}

/// One cell as a row of `table.csv`.
#[derive(Serialize)]
struct CellRow {
    factor: f64,
    days: u32,
    index_return: f64,
    volatility: f64,
    estimated_fund_return: f64,
}

impl LeverageVerb {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Self::Estimate(args) => args.run(global),
            Self::Table(args) => args.run(global),
        }
    }
}

impl EstimateArgs {
    fn run(self, global: &Global) -> Result<(), Failure> {
        let Self { factor, index_return, volatility, days } = self;
        let estimate = Estimate::try_new(factor, index_return, volatility, days)?;
        let estimated = Estimated {
            factor,
            index_return,
            volatility,
            days,
            estimated_fund_return: estimate.fund_return(),
            multiple_of_the_period: factor * index_return,
            decay: estimate.decay(),
            break_even_index_return: estimate.break_even(),
        };
        if global.json {
            return print::json(&estimated);
        }
        let break_even = estimated.break_even_index_return.map_or_else(|| "none".to_owned(), tenths);
        print::line(print::pairs([
            ("estimated fund return", tenths(estimated.estimated_fund_return)),
            ("factor x index return", tenths(estimated.multiple_of_the_period)),
            ("decay by volatility", tenths(estimated.decay)),
            ("index return to break even", break_even),
        ]));
        print::line("before fees, financing and funding");
        Ok(())
    }
}

impl TableArgs {
    fn run(self, global: &Global) -> Result<(), Failure> {
        let Self { factor, days, out } = self;
        let table = Table::published(factor, days)?;
        if let Some(out) = &out {
            std::fs::create_dir_all(out).map_err(|error| Failure::file(out, &error))?;
            write_csv(&out.join("table.csv"), &rows(&table, factor, days))?;
            write_text(&out.join("report.html"), &page::page(&table, factor, days)?)?;
        }
        if global.json {
            return print::json(&Tabled {
                factor,
                days,
                index_returns: &table.index_returns,
                volatilities: &table.volatilities,
                estimated_fund_returns: &table.cells,
            });
        }
        say(&table, factor, days);
        if let Some(out) = out {
            print::line(format!("\nreport  {}", out.join("report.html").display()));
        }
        Ok(())
    }
}

fn rows(table: &Table, factor: f64, days: u32) -> Vec<CellRow> {
    let cells = table.index_returns.iter().zip(&table.cells).flat_map(|(index_return, cells)| {
        table.volatilities.iter().zip(cells).map(move |(volatility, cell)| (index_return, volatility, cell))
    });
    cells
        .map(|(index_return, volatility, cell)| CellRow {
            factor,
            days,
            index_return: *index_return,
            volatility: *volatility,
            estimated_fund_return: *cell,
        })
        .collect()
}

fn say(table: &Table, factor: f64, days: u32) {
    print::line(format!("Estimated return of {factor} x the index a day, over {days} days, in per cent\n"));
    let headings: Vec<String> = table.volatilities.iter().map(|volatility| whole(*volatility)).collect();
    let columns: Vec<(&str, Align)> = core::iter::once("index \\ volatility")
        .chain(headings.iter().map(String::as_str))
        .map(|heading| (heading, Align::Right))
        .collect();
    let rows = table.index_returns.iter().zip(&table.cells).map(|(index_return, cells)| {
        core::iter::once(whole(*index_return)).chain(cells.iter().map(|cell| plain(*cell))).collect()
    });
    print::line(print::table(&columns, rows));
    print::line("\nbefore fees, financing and funding");
}

/// A fraction as a per cent with one decimal, never `-0.0`.
fn plain(fraction: f64) -> String {
    let rounded = (fraction * 1_000.0).round() / 10.0;
    format!("{:.1}", if rounded == 0.0 { 0.0 } else { rounded })
}

fn tenths(fraction: f64) -> String {
    format!("{} %", plain(fraction))
}

/// A fraction as a whole per cent.
fn whole(fraction: f64) -> String {
    format!("{:.0} %", fraction * 100.0)
}
