//! `strongroom prices`: import, correct, list.

use super::price;
use crate::context::Global;
use crate::failure::{Exit, Failure};
use crate::print::{self, Align};
use clap::Subcommand;
use serde::Serialize;
use std::path::PathBuf;
use strongroom_engine::{Command, Event, FundState, PriceRow, Restatement};
use strongroom_units::time::Date;
use strongroom_units::{Price, Symbol};

#[derive(Debug, Subcommand)]
pub(crate) enum PricesVerb {
    /// Record reference rates from a CSV file with columns date and close (or price); all rows or none
    #[command(after_help = "Example:\n  strongroom prices import rates.csv --asset BTC --from 2024-01-08 --through 2024-01-12")]
    Import {
        /// The CSV file; a column symbol, base or asset filters rows
        file: PathBuf,
        /// Which asset; the fund's only one when absent
        #[arg(long)]
        asset: Option<Symbol>,
        /// First day to take; the day after the last one recorded when absent
        #[arg(long)]
        from: Option<Date>,
        /// Last day to take; the last whose strike has passed when absent
        #[arg(long)]
        through: Option<Date>,
        /// Where the prices come from, for the record; the file's name when absent
        #[arg(long)]
        source: Option<String>,
    },
    /// Replace a recorded rate; names every published NAV that it changes, and changes none
    Correct {
        /// Which asset; the fund's only one when absent
        #[arg(long)]
        asset: Option<Symbol>,
        /// The day it was true
        #[arg(long)]
        date: Date,
        /// The right price
        #[arg(long)]
        price: Price,
        /// Why, for the record
        #[arg(long)]
        reason: String,
    },
    /// List recorded rates
    List {
        /// Which asset; the fund's only one when absent
        #[arg(long)]
        asset: Option<Symbol>,
    },
}

impl PricesVerb {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Self::Import { file, asset, from, through, source } => {
                let import = Import { file, asset, from, through, source };
                let command = global.read(|state| import.command(global, state))?;
                global.give_and_say(command, |_, events| Ok(imported(events)))
            }
            Self::Correct { asset, date, price, reason } => {
                let asset = global.read(|state| only_asset(state, asset))?;
                global.give_and_say(Command::CorrectPrice { asset, date, price, reason }, |_, events| {
                    events.iter().find_map(restatement).map_or(Ok("recorded".into()), restated)
                })
            }
            Self::List { asset } => global.read(|state| list(global, state, asset)),
        }
    }
}

struct Import {
    file: PathBuf,
    asset: Option<Symbol>,
    from: Option<Date>,
    through: Option<Date>,
    source: Option<String>,
}

impl Import {
    fn command(&self, global: &Global, state: &FundState) -> Result<Command, Failure> {
        let asset = only_asset(state, self.asset)?;
        let prices = strongroom_feeds::read_prices(&self.file, asset)?;
        let recorded = state.prices(asset).next_back().map(|(date, _)| date);
        let from = self.from.or_else(|| recorded.and_then(|date| date.tomorrow().ok()));
        let has_come = |date: Date| state.definition().strike.instant(date).is_ok_and(|at| at <= global.now());
        let wanted = |date: Date| {
            from.is_none_or(|from| from <= date)
                && self.through.map_or_else(|| has_come(date), |through| date <= through)
        };
        let rows: Vec<PriceRow> = prices
            .into_iter()
            .filter(|(date, _)| wanted(*date))
            .map(|(date, price)| PriceRow { date, price })
            .collect();
        if rows.is_empty() {
            let message = format!("{} has no price of {asset} in the days asked for", self.file.display());
            let failure = Failure::new("import.must_have_rows", message, Exit::Input);
            return Err(failure.hint("Name the days with --from and --through; by default only days after the last one recorded are taken."));
        }
        let name = self.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Command::ImportPrices { asset, source: self.source.clone().unwrap_or(name), rows })
    }
}

/// The asset named, or the only one of the fund.
pub(crate) fn only_asset(state: &FundState, asset: Option<Symbol>) -> Result<Symbol, Failure> {
    match (asset, state.definition().assets.as_slice()) {
        (Some(asset), _) => Ok(asset),
        (None, [only]) => Ok(only.symbol),
        (None, _) => {
            Err(Failure::new("asset.must_be_named", "the fund holds several assets; name one with --asset", Exit::Refused))
        }
    }
}

fn imported(events: &[Event]) -> String {
    let mut text = String::new();
    for event in events {
        let Event::PricesRecorded { asset, rows, .. } = event else { continue };
        text = format!("{} prices of {asset} recorded", rows.len());
        for (row, flag) in rows.iter().filter_map(|row| Some((row, row.flag?))) {
            text.push_str(&format!("\n  flagged {}: {} at {}", flag.as_str(), row.date, row.price));
        }
    }
    text
}

/// What an event says about NAVs published before it.
pub(crate) fn restatement(event: &Event) -> Option<&Restatement> {
    match event {
        Event::PriceCorrected { restatement, .. }
        | Event::LateOrderRecorded { restatement, .. }
        | Event::ExpenseRecorded { restatement, .. } => Some(restatement),
        _ => None,
    }
}

/// Every published NAV that a correction changes, and by how much.
pub(crate) fn restated(restatement: &Restatement) -> Result<String, Failure> {
    if restatement.navs.is_empty() {
        return Ok("recorded; no published NAV changes".into());
    }
    let columns =
        [("NAV of", Align::Left), ("published", Align::Right), ("now known as", Align::Right), ("difference", Align::Right)];
    let rows = restatement.navs.iter().map(|nav| {
        let (published, current) = (nav.published.nav_per_share, nav.current.nav_per_share);
        let six = |price: Price| price.to_decimal().to_display(6);
        Ok(vec![nav.date.to_string(), six(published)?, six(current)?, six(current.try_sub(published)?)?])
    });
    let table = print::table(&columns, rows.collect::<Result<Vec<_>, Failure>>()?);
    Ok(format!("recorded; {} published NAVs differ (none was changed):\n{table}", restatement.navs.len()))
}

#[derive(Serialize)]
struct Listed {
    date: Date,
    price: Price,
    source: String,
}

fn list(global: &Global, state: &FundState, asset: Option<Symbol>) -> Result<(), Failure> {
    let asset = only_asset(state, asset)?;
    let rows: Vec<Listed> = state
        .prices(asset)
        .map(|(date, record)| Listed { date, price: record.price, source: record.source.to_string() })
        .collect();
    if global.json {
        return print::json(&rows);
    }
    let columns = [("date", Align::Left), ("price", Align::Right), ("source", Align::Left)];
    let cells = rows.into_iter().map(|row| Ok(vec![row.date.to_string(), price(row.price)?, row.source]));
    print::line(print::table(&columns, cells.collect::<Result<Vec<_>, Failure>>()?));
    Ok(())
}
