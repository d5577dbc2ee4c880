//! `strongroom rate`: a reference rate from trades, with its evidence.

pub(crate) mod methodologies;
mod series;

use crate::context::Global;
use crate::failure::{Exit, Failure};
use crate::print::{self, Align};
use clap::Args;
use std::path::PathBuf;
use strongroom_feeds::read_trades;
use strongroom_market::rate::{
    Exclusion, ExclusionReason, MethodologyError, Pair, RateError, RateEvidence, Window,
};
use strongroom_units::time::Timestamp;
use strongroom_units::{Decimal, Price};

/// Computes a reference rate and prints what it was made of.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  strongroom rate --trades minutes.csv --methodology cf-brr --pair BTC-USD --at 2023-03-10T21:00:00Z\n\nFiles are CSV, plain or gzip, with columns venue, pair, trade_ts_ms, price, size; or minute bars with\nminute_utc, venue, pair, close, volume and trades. --at is the end of the window and does not belong to it."
)]
pub(crate) struct Rate {
    /// A file of trades or minute bars; may be given more than once
    #[arg(long = "trades", required = true, value_name = "FILE")]
    trades: Vec<PathBuf>,
    /// cf-brr, coin-metrics, vwap, twap, last, or a .toml file
    #[arg(long, value_name = "NAME")]
    methodology: String,
    /// What is priced
    #[arg(long, value_name = "BASE-QUOTE")]
    pair: Pair,
    /// Also at later times, through this one
    #[arg(long, value_name = "INSTANT")]
    until: Option<Timestamp>,
    /// Minutes from one time to the next
    #[arg(long, value_name = "MINUTES", default_value_t = 1_440, requires = "until")]
    every: u32,
    /// A pair to be drawn and listed beside the first, with --until; may be given more than once
    #[arg(long, value_name = "BASE-QUOTE", requires = "until")]
    beside: Vec<Pair>,
    /// Folder for rates.csv, report.html and rates.svg, with --until
    #[arg(long, value_name = "DIR", requires = "until")]
    out: Option<PathBuf>,
}

impl Rate {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        let at = global.at.ok_or_else(|| {
            let failure =
                Failure::new("rate.time_must_be_given", "the time of the rate is missing", Exit::Refused);
            failure.hint("Give the end of the window with --at, like 2023-03-10T21:00:00Z.")
        })?;
        if let Some(until) = self.until {
            return self.series(global, (at, until));
        }
        let evidence = evidence(&self.trades, &self.methodology, &self.pair, at)?;
        if global.json { print::json(&evidence) } else { say(&evidence) }
    }
}

impl Rate {
    fn series(&self, global: &Global, period: (Timestamp, Timestamp)) -> Result<(), Failure> {
        let pairs: Vec<&Pair> = core::iter::once(&self.pair).chain(&self.beside).collect();
        let rows = series::series(&self.trades, &self.methodology, &pairs, period, self.every)?;
        if let Some(folder) = &self.out {
            series::write(folder, &pairs, &rows)?;
        }
        if global.json { print::json(&rows) } else { series::say(&rows) }
    }
}

/// The rate of files, by a methodology's name.
pub(crate) fn evidence(
    files: &[PathBuf],
    methodology: &str,
    pair: &Pair,
    at: Timestamp,
) -> Result<RateEvidence, Failure> {
    let methodology = methodologies::find(methodology)?;
    let mut window = Window::try_new(&methodology, pair, at)?;
    for file in files {
        read_trades(file, &mut window)?;
    }
    Ok(window.rate()?)
}

impl From<RateError> for Failure {
    fn from(error: RateError) -> Self {
        let failure = Self::new(error.code(), error.to_string(), Exit::Refused);
        failure.hint("Nothing is published in its place. Check the files, the pair, and that --at is the end of the window.")
    }
}

impl From<MethodologyError> for Failure {
    fn from(error: MethodologyError) -> Self {
        Self::new(error.code(), error.to_string(), Exit::Input)
    }
}

fn say(evidence: &RateEvidence) -> Result<(), Failure> {
    let used = &evidence.methodology;
    print::line(print::pairs([
        ("rate", format!("{} {}", evidence.rate, evidence.pair)),
        ("methodology", format!("{}, effective {}, {}", used.id, used.effective, used.statistic)),
        ("window", format!("{} to {}", evidence.from, evidence.until)),
        ("input hash", evidence.input_hash.clone()),
    ]));
    print::line("");
    let columns = [
        ("interval from", Align::Left),
        ("value", Align::Right),
        ("weight", Align::Right),
        ("trades", Align::Right),
        ("volume", Align::Right),
    ];
    let rows = evidence.partitions.iter().map(|part| {
        let value = part.value.map_or_else(|| Ok("dropped".to_owned()), two_decimals)?;
        let value = if part.borrowed { format!("{value} borrowed") } else { value };
        Ok(vec![
            part.start.to_string(),
            value,
            part.weight.to_string(),
            count(part.trades),
            eight(part.volume.0)?,
        ])
    });
    print::line(print::table(&columns, rows.collect::<Result<Vec<_>, Failure>>()?));
    print::line("");
    let columns = [
        ("venue", Align::Left),
        ("median", Align::Right),
        ("deviation %", Align::Right),
        ("trades", Align::Right),
        ("volume", Align::Right),
    ];
    let rows = evidence.venues.iter().map(|venue| {
        let deviation = percent(venue.deviation)?;
        Ok(vec![
            venue.venue.clone(),
            two_decimals(venue.value)?,
            deviation,
            count(venue.trades),
            eight(venue.volume.0)?,
        ])
    });
    print::line(print::table(&columns, rows.collect::<Result<Vec<_>, Failure>>()?));
    for conversion in &evidence.conversions {
        print::line(format!(
            "\n{} books valued by {}, {} over the window",
            conversion.books, conversion.by, conversion.value
        ));
    }
    for excluded in &evidence.excluded {
        print::line(format!("\nleft out: {}", describe(excluded)?));
    }
    Ok(())
}

fn describe(excluded: &Exclusion) -> Result<String, Failure> {
    let why = match excluded.reason {
        ExclusionReason::DeviatesFromVenueMedian => {
            "deviates from the median of the venues by more than the limit"
        }
        ExclusionReason::NotAConstituent => "is no constituent",
        ExclusionReason::Erroneous => "rows with a price or size that is no positive number",
        ExclusionReason::FromTheFuture => "trades from the future",
        ExclusionReason::QuoteNotConverted => {
            "is quoted in something that the methodology does not convert here"
        }
    };
    let how_far = excluded
        .deviation
        .map_or(Ok(String::new()), |by| Ok::<_, Failure>(format!(" ({} %)", percent(by)?)))?;
    Ok(format!("{} {why}{how_far}, {} observations", excluded.venue, excluded.observations))
}

fn count(trades: Option<u64>) -> String {
    trades.map_or_else(|| "–".to_owned(), |trades| trades.to_string())
}

fn two_decimals(price: Price) -> Result<String, Failure> {
    Ok(price.to_decimal().to_display(2)?)
}

fn eight(volume: Decimal) -> Result<String, Failure> {
    Ok(volume.to_display(8)?)
}

fn percent(rate: strongroom_units::Rate) -> Result<String, Failure> {
    let percent = rate.try_mul_div(100, 1, strongroom_units::Rounding::Down)?;
    Ok(percent.to_decimal().to_display(4)?)
}
