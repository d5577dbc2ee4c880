//! The `strongroom` command: reads the command line, gives commands to the desk, prints what came of them.

mod backtest;
mod commands;
mod context;
mod demo;
mod failure;
mod fact_sheet;
mod performance;
mod print;
mod sink;

use clap::{Parser, Subcommand};
use context::Global;
use failure::Failure;
use std::process::ExitCode;

/// Runs a crypto ETF: prices, NAV, baskets, orders, custody, fees and statements on one exact ledger.
#[derive(Debug, Parser)]
#[command(name = "strongroom", version, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Verb,
}

const EXAMPLES: &str = "\
Examples:
  strongroom demo
  strongroom fund open funds/bitcoin.toml --seed-price BTC=43900.12
  strongroom order submit --id A1 --participant \"Jane Street\" --side creation --baskets 5 --trade-date 2024-01-12
  strongroom backtest funds/bitcoin.toml --prices daily.csv --flows flows.csv:IBIT --out report

Exit codes: 0 done, 1 refused by a rule, 2 wrong command line, 3 wrong input file, 4 database.";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run two funds over a simulated market and show the report
    Demo(demo::Demo),
    /// Run a fund over real prices and flows of the past
    Backtest(Box<backtest::Backtest>),
    /// Open a fund, look at it, halt and resume it
    #[command(subcommand)]
    Fund(commands::fund::FundVerb),
    /// Record and correct reference rates
    #[command(subcommand)]
    Prices(commands::prices::PricesVerb),
    /// Take, cancel, execute, settle and list creation and redemption orders
    #[command(subcommand)]
    Order(commands::order::OrderVerb),
    /// Strike NAV and list it
    #[command(subcommand)]
    Nav(commands::nav::NavVerb),
    /// Pay the sponsor fee
    #[command(subcommand)]
    Fee(commands::fee::FeeVerb),
    /// Record and pay expenses that the sponsor does not bear
    #[command(subcommand)]
    Expense(commands::fee::ExpenseVerb),
    /// Move coins between the vault and the trading balance
    #[command(subcommand)]
    Custody(commands::custody::CustodyVerb),
    /// The portfolio composition file of the last NAV
    Basket(commands::basket::Basket),
    /// Statements over a period: assets and liabilities, roll-forward, NAVs
    Statement(commands::statement::StatementArgs),
    /// Copy the whole database, while it is in use, into one new file
    Backup(commands::copies::Backup),
    /// Bring a backup into a new or empty database
    Restore(commands::copies::Restore),
}

fn main() -> ExitCode {
    let Cli { global, command } = Cli::parse();
    match run(&global, command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if global.json {
                eprintln!("{}", print::to_json(&failure).unwrap_or_else(|_| failure.to_string()));
            } else {
                eprintln!("{failure}");
            }
            ExitCode::from(failure.exit as u8)
        }
    }
}

fn run(global: &Global, command: Verb) -> Result<(), Failure> {
    match command {
        Verb::Demo(demo) => demo.run(global),
        Verb::Backtest(backtest) => backtest.run(global),
        Verb::Fund(verb) => verb.run(global),
        Verb::Prices(verb) => verb.run(global),
        Verb::Order(verb) => verb.run(global),
        Verb::Nav(verb) => verb.run(global),
        Verb::Fee(verb) => verb.run(global),
        Verb::Expense(verb) => verb.run(global),
        Verb::Custody(verb) => verb.run(global),
        Verb::Basket(basket) => basket.run(global),
        Verb::Statement(statement) => statement.run(global),
        Verb::Backup(backup) => backup.run(global),
        Verb::Restore(restore) => restore.run(global),
    }
}
