//! `strongroom prices`: import, correct, list.

use super::{counted, price};
use crate::context::{Global, date};
use crate::failure::{Exit, Failure};
use crate::print::{self, Align};
use clap::Subcommand;
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::PathBuf;
use strongroom_engine::{Command, Event, FundState, PriceRow, Refusal, Restatement};
use strongroom_units::time::Date;
use strongroom_units::{Price, Rounding, Symbol};

#[derive(Debug, Subcommand)]
pub(crate) enum PricesVerb {
    /// Record reference rates from a CSV file with columns date and close (or price); all rows or none
    #[command(
        after_help = "Example:\n  strongroom prices import rates.csv --asset BTC --from 2024-01-08 --through 2024-01-12"
    )]
    Import {
        /// The CSV file; a column symbol, base or asset filters rows
        file: PathBuf,
        /// Which asset; the fund's only one when absent
        #[arg(long)]
        asset: Option<Symbol>,
        /// First day to take; the day after the last one recorded when absent
        #[arg(long, value_name = "DATE", value_parser = date)]
        from: Option<Date>,
        /// Last day to take; the last whose strike has passed when absent
        #[arg(long, value_name = "DATE", value_parser = date)]
        through: Option<Date>,
        /// Where the prices come from, for the record; the file's name when absent
        #[arg(long)]
        source: Option<String>,
    },
    /// Compute a rate from trades by the definition's methodology, and record it with its evidence
    #[command(
        after_help = "Example:\n  strongroom prices rate --trades minutes.csv --date 2024-01-11\n\nThe definition's [[rate]] names the methodology and the pair; see `strongroom rate` for the files."
    )]
    Rate {
        /// A file of trades or minute bars; may be given more than once
        #[arg(long = "trades", required = true, value_name = "FILE")]
        trades: Vec<PathBuf>,
        /// Which asset; the fund's only one when absent
        #[arg(long)]
        asset: Option<Symbol>,
        /// The day whose strike it prices
        #[arg(long, value_name = "DATE", value_parser = date)]
        date: Date,
    },
    /// Record the decision to strike at a price that the methodology did not give
    #[command(
        after_help = "Example:\n  strongroom prices fallback --date 2024-01-11 --price 46000 --reason \"venues halted; committee took the 15:00 rate\""
    )]
    Fallback {
        /// Which asset; the fund's only one when absent
        #[arg(long)]
        asset: Option<Symbol>,
        /// The session
        #[arg(long, value_name = "DATE", value_parser = date)]
        date: Date,
        /// The price decided on
        #[arg(long)]
        price: Price,
        /// Why, for the record
        #[arg(long)]
        reason: String,
    },
    /// Replace a recorded rate; names every published NAV that it changes, and changes none
    #[command(
        after_help = "Example:\n  strongroom prices correct --date 2024-01-10 --price 46630.12 --reason \"the source restated\""
    )]
    Correct {
        /// Which asset; the fund's only one when absent
        #[arg(long)]
        asset: Option<Symbol>,
        /// The day it was true
        #[arg(long, value_name = "DATE", value_parser = date)]
        date: Date,
        /// The right price
        #[arg(long)]
        price: Price,
        /// Why, for the record
        #[arg(long)]
        reason: String,
    },
    /// List recorded rates
    #[command(after_help = "Example:\n  strongroom prices list --asset BTC")]
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
            Self::Rate { trades, asset, date } => {
                let command = global.read(|state| super::rates::record(state, asset, date, &trades))?;
                global.give_and_say(command, |_, events| Ok(rated(events)))
            }
            Self::Fallback { asset, date, price, reason } => {
                let asset = global.read(|state| only_asset(state, asset))?;
                let command = Command::DecideFallback { asset, date, price, reason };
                global.give_and_say(command, |_, _| {
                    Ok(format!("{asset} is priced at {price} on {date}, by decision"))
                })
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
        let has_come =
            |date: Date| state.definition().strike.instant(date).is_ok_and(|at| at <= global.now());
        let wanted = |date: Date| {
            from.is_none_or(|from| from <= date)
                && self.through.map_or_else(|| has_come(date), |through| date <= through)
        };
        let rows = |wanted: &dyn Fn(Date) -> bool| -> Vec<PriceRow> {
            let rows = prices.iter().filter(|(date, _)| wanted(**date));
            rows.map(|(date, price)| PriceRow { date: *date, price: *price }).collect()
        };
        // A file whose days are all recorded is compared with them: the same again is done already, another price is refused.
        let known: BTreeSet<Date> = state.prices(asset).map(|(date, _)| date).collect();
        let again = rows(&|date| known.contains(&date) && self.through.is_none_or(|through| date <= through));
        let rows = rows(&wanted);
        let rows = if rows.is_empty() && self.from.is_none() { again } else { rows };
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
        (Some(asset), assets) if assets.iter().any(|known| known.symbol == asset) => Ok(asset),
        (Some(asset), _) => Err(Refusal::AssetMustBeInDefinition(asset).into()),
        (None, [only]) => Ok(only.symbol),
        (None, _) => Err(Failure::new(
            "asset.must_be_named",
            "the fund holds several assets; name one with --asset",
            Exit::Refused,
        )),
    }
}

fn imported(events: &[Event]) -> String {
    let mut text = String::new();
    for event in events {
        let Event::PricesRecorded { asset, rows, .. } = event else { continue };
        text = format!("{} of {asset} recorded", counted(rows.len() as u64, "price"));
        for (row, flag) in rows.iter().filter_map(|row| Some((row, row.flag?))) {
            text.push_str(&format!("\n  flagged {}: {} at {}", flag.as_str(), row.date, row.price));
        }
    }
    text
}

fn rated(events: &[Event]) -> String {
    let found = events.iter().find_map(|event| match event {
        Event::RateRecorded { asset, date, evidence, .. } => Some(format!(
            "{asset} is priced at {} on {date}: {} from {} venues, input {}",
            evidence.rate,
            evidence.methodology.id,
            evidence.venues.len(),
            evidence.input_hash
        )),
        _ => None,
    });
    found.unwrap_or_default()
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
    let columns = [
        ("NAV of", Align::Left),
        ("published", Align::Right),
        ("now known as", Align::Right),
        ("difference", Align::Right),
    ];
    let rows = restatement.navs.iter().map(|nav| {
        let (published, current) = (nav.published.nav_per_share, nav.current.nav_per_share);
        let six = |price: Price| price.to_decimal().to_display(6);
        let difference = current.try_sub(published)?;
        let is_small = difference.round_to(6, Rounding::HalfEven)? == Price::ZERO;
        let difference = if is_small { "below 0.000001".to_owned() } else { six(difference)? };
        Ok(vec![nav.date.to_string(), six(published)?, six(current)?, difference])
    });
    let table = print::table(&columns, rows.collect::<Result<Vec<_>, Failure>>()?);
    let navs = counted(restatement.navs.len() as u64, "published NAV");
    Ok(format!("recorded; {navs} would have been different (none was changed), USD per share:\n{table}"))
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
