//! `strongroom statement`: assets and liabilities, roll-forward, NAVs and holdings of a period.

use super::{money, shares};
use crate::context::{Global, date};
use crate::failure::{Exit, Failure};
use crate::print::{self, Align};
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};
use strongroom_engine::statement::{AssetsAndLiabilities, RollForwardStatement, Statement, statement};
use strongroom_units::time::Date;

/// Prints or writes the statements of a period.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  strongroom statement --from 2024-04-01 --to 2024-06-30 --out q2")]
pub(crate) struct StatementArgs {
    /// First day; the fund's first when absent
    #[arg(long, value_name = "DATE", value_parser = date)]
    from: Option<Date>,
    /// Last day; that of the last NAV when absent
    #[arg(long, value_name = "DATE", value_parser = date)]
    to: Option<Date>,
    /// Write statement.json and one CSV file for each part into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl StatementArgs {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        let statement = global.read(|state| {
            let from = self.from.unwrap_or(state.definition().seed.date);
            let last = state.last_nav().map_or(from, |nav| nav.date);
            let to = self.to.unwrap_or(last);
            must_not_be_empty(from, to, state.definition().seed.date)?;
            Ok(statement(state, from, to)?)
        })?;
        if let Some(folder) = &self.out {
            write(folder, &statement)?;
        }
        if global.json {
            return print::json(&statement);
        }
        show(&statement)?;
        if let Some(folder) = &self.out {
            print::line(format!("\nwritten to {}", folder.display()));
        }
        Ok(())
    }
}

fn must_not_be_empty(from: Date, to: Date, first: Date) -> Result<(), Failure> {
    if from <= to && first <= to {
        return Ok(());
    }
    let message = format!("{from} to {to} is no period of the fund, whose first day is {first}");
    Err(Failure::new("statement.period_must_not_be_empty", message, Exit::Refused))
}

/// Writes a statement into a folder: `statement.json`, `nav.csv`, `holdings.csv`, `roll_forward.csv`,
/// `assets_and_liabilities.csv`. The same statement gives the same bytes.
pub(crate) fn write(folder: &Path, statement: &Statement) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|error| Failure::file(folder, &error))?;
    write_text(&folder.join("statement.json"), &(print::to_json(statement)? + "\n"))?;
    write_csv(&folder.join("nav.csv"), &statement.navs)?;
    write_csv(&folder.join("holdings.csv"), &statement.holdings)?;
    let rows: Vec<_> = statement.roll_forwards.iter().flat_map(|rolled| &rolled.rows).collect();
    write_csv(&folder.join("roll_forward.csv"), &rows)?;
    write_csv(
        &folder.join("assets_and_liabilities.csv"),
        &statement.assets_and_liabilities.iter().collect::<Vec<_>>(),
    )
}

/// Writes a whole text file.
pub(crate) fn write_text(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|error| Failure::file(path, &error))
}

/// Writes rows with a heading.
pub(crate) fn write_csv<T: Serialize>(path: &Path, rows: &[T]) -> Result<(), Failure> {
    let mut writer = csv::Writer::from_path(path).map_err(|error| Failure::file(path, &error))?;
    for row in rows {
        writer.serialize(row).map_err(|error| Failure::file(path, &error))?;
    }
    writer.flush().map_err(|error| Failure::file(path, &error))
}

fn show(statement: &Statement) -> Result<(), Failure> {
    print::line(format!(
        "{} {}, {} to {}, in {}",
        statement.fund, statement.name, statement.from, statement.through, statement.currency
    ));
    if let Some(sheet) = &statement.assets_and_liabilities {
        print::line(format!("\nAssets and liabilities at the strike of {}", sheet.as_of));
        print::line(print::pairs(lines_of(sheet)?));
    }
    for row in &statement.life {
        print::line(format!("\n{} {}: {}", row.date, row.kind, row.what));
    }
    for rolled in &statement.roll_forwards {
        print::line(format!("\nRoll-forward of {}", rolled.asset));
        let columns = [
            ("", Align::Left),
            ("coins", Align::Right),
            ("cost", Align::Right),
            ("fair value", Align::Right),
            ("realised gain", Align::Right),
        ];
        print::line(print::table(&columns, rows_of(rolled)?));
    }
    Ok(())
}

/// The lines of a statement of assets and liabilities, for people.
pub(crate) fn lines_of(sheet: &AssetsAndLiabilities) -> Result<Vec<(&'static str, String)>, Failure> {
    let mut lines = vec![
        ("investments", money(sheet.investments)?),
        ("cash", money(sheet.cash)?),
        ("total assets", money(sheet.total_assets)?),
        ("sponsor fee payable", money(sheet.sponsor_fee_payable)?),
        ("expenses payable", money(sheet.expenses_payable)?),
        ("distributions payable", money(sheet.distributions_payable)?),
        ("total liabilities", money(sheet.total_liabilities)?),
        ("net assets", money(sheet.net_assets)?),
        ("shares outstanding", shares(sheet.shares_outstanding)?),
        ("NAV per share", sheet.nav_per_share.to_decimal().to_display(4)?),
    ];
    lines.retain(|(name, _)| *name != "distributions payable" || !sheet.distributions_payable.is_zero());
    Ok(lines)
}

/// The rows of a roll-forward, for people: line, coins, cost, fair value, realised gain.
pub(crate) fn rows_of(rolled: &RollForwardStatement) -> Result<Vec<Vec<String>>, Failure> {
    let amount = |amount: Option<strongroom_units::Money>| amount.map_or(Ok(String::new()), money);
    let rows = rolled.rows.iter().map(|row| {
        let coins = row.quantity.map(|quantity| quantity.to_string()).unwrap_or_default();
        Ok(vec![
            row.line.to_owned(),
            coins,
            amount(row.cost)?,
            money(row.fair_value)?,
            amount(row.realised_gain)?,
        ])
    });
    rows.collect()
}
