//! `strongroom backtest`: a fund over real prices and flows of the past, through the very code that runs it live.

mod against;
mod basket;
mod basket_page;
mod exposure;
mod exposure_page;
mod inputs;
mod report;
mod risk;
mod sweep;

use crate::commands::statement::{write, write_csv, write_text};
use crate::context::{Global, date};
use crate::failure::{Exit, Failure};
use crate::performance::Performance;
use crate::print;
use crate::sink::DeskSink;
use against::Against;
pub(crate) use basket::{Basket, Followed, IndexFiles};
pub(crate) use basket_page::sections as sections_of;
use clap::{Args, ValueEnum};
pub(crate) use exposure::Exposed;
pub(crate) use exposure_page::sections as exposure_sections;
use indicatif::{ProgressBar, ProgressStyle};
pub(crate) use inputs::Pricing;
use inputs::{Inputs, Named};
use serde::Serialize;
use std::path::PathBuf;
use strongroom_backtest::{Agenda, CommandSink, FlowRow, MemorySink, Runner, Summary, Task};
use strongroom_engine::statement::{AssetsAndLiabilities, statement};
use strongroom_engine::{FundState, Refusal};
use strongroom_store::Location;
use strongroom_units::time::Date;
use strongroom_units::{Money, Shares, Symbol};

/// Runs a fund over the past and writes statements and a report.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct Backtest {
    /// The fund.toml
    definition: PathBuf,
    /// CSV of daily closes: date, close; a column symbol filters rows
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present_any = ["market", "closes"],
        conflicts_with_all = ["market", "closes"]
    )]
    prices: Option<PathBuf>,
    /// In place of prices: CSV of market closes, at the strike, of a fund that stands for the asset, and which
    #[arg(long, value_name = "FILE:TICKER", conflicts_with = "market")]
    closes: Option<Named>,
    /// For perpetual futures: CSV of funding rates, time_utc, funding_rate
    #[arg(long, value_name = "FILE")]
    funding: Option<PathBuf>,
    /// For a fund of derivatives: CSV of closes of a real fund's shares, and which; may be given more than once
    #[arg(long, value_name = "FILE:TICKER")]
    beside: Vec<Named>,
    /// Open the fund on this session instead of the definition's seed date
    #[arg(long, value_name = "DATE", value_parser = date)]
    seed_date: Option<Date>,
    /// For a basket: CSV of snapshots or of daily closes, as for `strongroom index`; may be given more than once
    #[arg(long, value_name = "FILE")]
    market: Vec<PathBuf>,
    /// The definition of the index that the basket follows; the one that comes with the program when absent
    #[arg(long, value_name = "FILE", requires = "market")]
    index: Option<PathBuf>,
    /// CSV of net creations in millions, a column for each fund, and which
    #[arg(long, value_name = "FILE:COLUMN")]
    flows: Option<Named>,
    /// CSV of annual staking yields in per cent, per day, taken as gross: date, trailing_365d_yield_pct; no rewards when absent
    #[arg(long, value_name = "FILE")]
    staking_yield: Option<PathBuf>,
    /// First day of the statements; the seed date when absent
    #[arg(long, value_name = "DATE", value_parser = date)]
    from: Option<Date>,
    /// Last day
    #[arg(long, value_name = "DATE", value_parser = date)]
    to: Date,
    /// Folder for the statements and the report; created when absent. A sweep needs none
    #[arg(long, value_name = "DIR", required_unless_present = "sweep")]
    out: Option<PathBuf>,
    /// Run every combination of these: KEY=VALUE,VALUE or KEY=FIRST..LAST:STEP; may be given more than once
    #[arg(
        long,
        value_name = "KEY=VALUES",
        conflicts_with_all = ["market_prices", "filings", "filed_fee", "check", "keep"]
    )]
    sweep: Vec<String>,
    /// At what price a day is struck; when absent, a basket at the close and every other fund at the strike
    #[arg(long, value_enum)]
    price_at: Option<PriceAt>,
    /// CSV of market closes of a fund's shares, and which: premium and discount are shown
    #[arg(long, value_name = "FILE:TICKER")]
    market_prices: Option<Named>,
    /// CSV of filed roll-forwards, and of whom: coins at period ends are set beside them
    #[arg(long, value_name = "FILE:TICKER")]
    filings: Option<Named>,
    /// Filed sponsor fee payable on the last day, set beside ours
    #[arg(long, value_name = "AMOUNT")]
    filed_fee: Option<Money>,
    /// End with exit code 1 when a figure is further from the filings, or from the real funds beside it, than the tolerances
    #[arg(long)]
    check: bool,
    /// The decision to record where a price breaks a tolerance; without one the run stops there
    #[arg(long, value_name = "REASON")]
    accept_price: Option<String>,
    /// Use the price of this many days before: wrong on purpose, to see the comparison fail
    #[arg(long, default_value_t = 0, value_name = "DAYS")]
    price_lag: u8,
    /// Deal each flow this many sessions late: wrong on purpose, to see the comparison fail
    #[arg(long, default_value_t = 0, value_name = "SESSIONS")]
    flow_lag: u8,
    /// Also keep the fund in this new database, as if it had been run live
    #[arg(long, value_name = "LOCATION")]
    keep: Option<String>,
}

const EXAMPLE: &str = "\
Example:
  strongroom backtest funds/bitcoin.toml --prices daily.csv --flows flows.csv:IBIT \\
      --from 2024-01-11 --to 2024-12-31 --out ibit-2024 --filings filings.csv:IBIT

  strongroom backtest funds/large-cap.toml --market snapshots.csv --market daily.csv \\
      --to 2023-12-31 --out large-cap

  strongroom backtest funds/ether-staking.toml --prices daily.csv --staking-yield yield.csv \\
      --to 2024-12-06 --out staked

  strongroom backtest funds/large-cap.toml --market snapshots.csv --market daily.csv \\
      --to 2023-12-31 --sweep weighting=cap,equal,sqrt --sweep cost_bps=0..50:5

  strongroom backtest funds/bitcoin-2x.toml --closes closes.csv:IBIT --seed-date 2024-01-11 \\
      --funding funding.csv --beside closes.csv:BITX --to 2025-11-11 --check --out twice

Keys of a sweep: weighting (cap, equal, sqrt, inverse-volatility), top, cap (or none),
reconstitution (month, quarter), cost_bps, fee_bps, price_at (strike, close); the last two also
for a fund of one asset.

A flow dated T becomes a cash order for T, placed before its cut-off, in whole baskets at T's
price; the remainder is carried to the next session.";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PriceAt {
    /// At the strike's time of day, interpolated between the closes at 00:00 UTC around it
    Strike,
    /// The day's close at 00:00 UTC
    Close,
}

/// What a run gives, as `--json` prints it and `summary.json` holds it.
#[derive(Serialize)]
struct Results {
    fund: Symbol,
    name: String,
    from: Date,
    to: Date,
    strikes: usize,
    commands: usize,
    assets_and_liabilities: Option<AssetsAndLiabilities>,
    performance: Performance,
    against_filings: Option<Against>,
    #[serde(skip_serializing_if = "Option::is_none")]
    basket: Option<Basket>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exposure: Option<Exposed>,
    out: PathBuf,
}

/// A run's end: the fund, and what was done.
pub(crate) struct Ended {
    pub state: FundState,
    pub summary: Summary,
}

impl Backtest {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        if !self.sweep.is_empty() {
            return sweep::sweep(&self, global);
        }
        let out = self.out.clone().unwrap_or_default();
        let inputs = Inputs::read(&self)?;
        let ended = match &self.keep {
            None => self.run_in(MemorySink::default(), &inputs)?,
            Some(keep) => {
                self.run_in(DeskSink::open(&keep.parse::<Location>()?, inputs.definition.id)?, &inputs)?
            }
        };
        let statement = statement(&ended.state, inputs.from, self.to)?;
        let against = self.against(&inputs, &ended.state)?;
        let performance =
            Performance::of(&ended.state, (inputs.from, self.to), &inputs.market_prices, inputs.levels())?;
        let period = (inputs.from, self.to);
        let basket = match &inputs.followed {
            None => None,
            Some(followed) => Some(Basket::try_new(&inputs.definition, followed, &ended, period)?),
        };
        write(&out, &statement)?;
        write_csv(&out.join("flows.csv"), &ended.summary.flows.iter().map(Flow::from).collect::<Vec<_>>())?;
        if let Some(basket) = &basket {
            basket_page::write(&out, basket, &ended, period)?;
        }
        let exposure = Exposed::of(&inputs, &ended, period)?;
        if let Some(exposure) = &exposure {
            exposure_page::write(&out, exposure, &ended, period)?;
        }
        if let Some(against) = &against {
            write_csv(&out.join("against_filings.csv"), &against.rows)?;
        }
        let results = Results {
            fund: statement.fund,
            name: statement.name.clone(),
            from: inputs.from,
            to: self.to,
            strikes: ended.summary.strikes,
            commands: ended.summary.commands,
            assets_and_liabilities: statement.assets_and_liabilities.clone(),
            performance,
            against_filings: against,
            basket,
            exposure,
            out: out.clone(),
        };
        write_text(&out.join("summary.json"), &(print::to_json(&results)? + "\n"))?;
        write_text(&out.join("report.html"), &report::page(&inputs, &ended, &statement, &results)?)?;
        if global.json {
            print::json(&results)?
        } else {
            report::say(&results, &ended.state)?
        }
        self.verdict(&results)
    }

    fn run_in<S: CommandSink>(&self, mut sink: S, inputs: &Inputs) -> Result<Ended, Failure>
    where
        Failure: From<strongroom_backtest::RunError<S::Error>>,
    {
        let agenda = Agenda::try_new(&inputs.definition, inputs.definition.seed.date, self.to)
            .map_err(Refusal::from)?;
        let bar = progress(agenda.tasks().len());
        let mut runner = Runner::open(&mut sink, &inputs.market, &inputs.definition, &inputs.text)?;
        runner.run(&agenda, |task| {
            bar.inc(1);
            if let Task::Strike(date) = task {
                bar.set_message(date.to_string());
            }
        })?;
        bar.finish_and_clear();
        let summary = runner.finish();
        let state = sink.state().ok_or(Refusal::FundMustBeOpen)?.clone();
        Ok(Ended { state, summary })
    }

    fn against(&self, inputs: &Inputs, state: &FundState) -> Result<Option<Against>, Failure> {
        let Some(filed) = &inputs.filed else { return Ok(None) };
        Against::try_new(state, filed, (inputs.from, self.to), self.filed_fee).map(Some)
    }

    fn verdict(&self, results: &Results) -> Result<(), Failure> {
        let checks = results.exposure.iter().flat_map(|exposure| &exposure.checks);
        let failed: Vec<&str> =
            checks.filter(|check| self.check && !check.holds).map(|check| check.what.as_str()).collect();
        if !failed.is_empty() {
            let message = format!("outside the bounds: {}", failed.join(", "));
            return Err(Failure::new("backtest.must_follow_its_multiple", message, Exit::Refused));
        }
        let Some(against) = results.against_filings.as_ref().filter(|against| self.check && !against.holds)
        else {
            return Ok(());
        };
        let worst =
            against.rows.iter().filter(|row| !row.within).map(|row| row.what.as_str()).collect::<Vec<_>>();
        let message = format!("outside the tolerance: {}", worst.join(", "));
        Err(Failure::new("backtest.must_agree_with_filings", message, Exit::Refused))
    }
}

/// One row of `flows.csv`.
#[derive(Serialize)]
struct Flow {
    date: Date,
    flow: Money,
    shares: Shares,
    carried: Money,
}

impl From<&FlowRow> for Flow {
    fn from(row: &FlowRow) -> Self {
        let FlowRow { date, flow, shares, carried } = *row;
        Self { date, flow, shares, carried }
    }
}

/// A progress bar on a terminal, nothing elsewhere.
pub(crate) fn progress(tasks: usize) -> ProgressBar {
    let bar = ProgressBar::new(tasks as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}") {
        bar.set_style(style);
    }
    bar
}
