//! The `strongroom` command: reads the command line, gives commands to the desk, prints what came of them.

mod backtest;
mod commands;
mod context;
mod demo;
mod fact_sheet;
mod failure;
mod index;
mod leverage;
mod life_sheet;
mod log_key;
mod performance;
mod print;
mod rate;
mod remote;
mod sink;
mod witness;

use clap::{Parser, Subcommand};
use context::Global;
use failure::{Exit, Failure};
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
  strongroom order submit --id A1 --participant \"AP One\" --side creation --baskets 5 \\
      --trade-date 2024-01-12
  strongroom backtest funds/bitcoin.toml --prices daily.csv --flows flows.csv:IBIT \\
      --to 2024-12-31 --out report

Exit codes: 0 done, 1 refused by a rule, 2 wrong command line, 3 wrong input file, 4 database.";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run six funds over a simulated market and show the report
    Demo(demo::Demo),
    /// Run a fund over real prices and flows of the past
    Backtest(Box<backtest::Backtest>),
    /// Form a basket index over the past, every change explained
    Index(Box<index::IndexArgs>),
    /// Compute a reference rate from trades, with its evidence
    Rate(rate::Rate),
    /// Estimate what a daily multiple of an index comes to
    #[command(subcommand)]
    Leverage(leverage::LeverageVerb),
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
    /// Bring a basket to target weights
    #[command(subcommand)]
    Rebalance(commands::rebalance::RebalanceVerb),
    /// The position of a fund of derivatives: show it, reset it to its multiple, roll its futures
    #[command(subcommand)]
    Exposure(commands::exposure::ExposureVerb),
    /// Record funding of perpetual futures
    #[command(subcommand)]
    Funding(commands::exposure::FundingVerb),
    /// Move money to and from the margin account
    #[command(subcommand)]
    Margin(commands::exposure::MarginVerb),
    /// Declare, pay, correct and list distributions to holders
    #[command(subcommand)]
    Distribution(commands::distribution::DistributionVerb),
    /// Record who the holders of record are
    #[command(subcommand)]
    Register(commands::distribution::RegisterVerb),
    /// Stake coins and get them back; record rewards and slashings
    #[command(subcommand)]
    Staking(commands::staking::StakingVerb),
    /// Splits, changes of custodian and benchmark, halts, the end of a fund
    #[command(subcommand)]
    Life(commands::life::LifeVerb),
    /// What happened to an asset without a trade: migration, write-off, fork or airdrop
    #[command(subcommand)]
    Asset(commands::life::AssetVerb),
    /// Move coins between the vault and the trading balance
    #[command(subcommand)]
    Custody(commands::custody::CustodyVerb),
    /// The portfolio composition file of the last NAV
    Basket(commands::basket::Basket),
    /// Statements over a period: assets and liabilities, roll-forward, NAVs
    Statement(commands::statement::StatementArgs),
    /// Serve the funds over HTTP, every request signed
    Serve(Box<commands::serve::Serve>),
    /// Sign one request, send it and print the answer
    Http(commands::http::Http),
    /// Issue, enrol, list and revoke keys
    #[command(subcommand)]
    Key(commands::key::KeyVerb),
    /// Policies, state, emergencies and ways back of key rotation
    #[command(subcommand)]
    Rotation(commands::rotation::RotationVerb),
    /// Real load and real attacks against a running server; exit code 1 if a promise broke
    #[command(subcommand)]
    Drill(commands::drill::DrillVerb),
    /// Who holds keys
    #[command(subcommand)]
    Principal(commands::key::PrincipalVerb),
    /// Verify the history, prove from it, hand it to others
    #[command(subcommand)]
    Audit(commands::audit::AuditVerb),
    /// Cosign what other installations' logs say of themselves
    #[command(subcommand)]
    Witness(witness::WitnessVerb),
    /// Copy the whole database, while it is in use, into one new file
    Backup(commands::copies::Backup),
    /// Bring a backup into a new or empty database
    Restore(commands::copies::Restore),
}

fn main() -> ExitCode {
    let Cli { global, command } = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() && wants_json() => return ended(&wrong_line(&error), true),
        Err(error) => error.exit(),
    };
    match run(&global, command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => ended(&failure, global.json),
    }
}

/// Says what was not done, and ends.
fn ended(failure: &Failure, json: bool) -> ExitCode {
    if json {
        eprintln!("{}", print::to_json(failure).unwrap_or_else(|_| failure.to_string()));
    } else {
        eprintln!("{failure}");
    }
    ExitCode::from(failure.exit as u8)
}

/// A program that asked for JSON gets it for a command line that cannot be read, too.
fn wants_json() -> bool {
    std::env::args_os().skip(1).take_while(|arg| arg != "--").any(|arg| arg == "--json")
}

fn wrong_line(error: &clap::Error) -> Failure {
    let text = error.to_string();
    let (message, _) = text.split_once("\n\nUsage:").unwrap_or((&text, ""));
    let (message, _) = message.split_once("\n\nFor more information").unwrap_or((message, ""));
    let message = message.trim().trim_start_matches("error: ");
    Failure::new("command_line.must_be_valid", message, Exit::CommandLine).hint("See --help of the command.")
}

fn run(global: &Global, command: Verb) -> Result<(), Failure> {
    match command {
        Verb::Demo(demo) => demo.run(global),
        Verb::Backtest(backtest) => backtest.run(global),
        Verb::Index(index) => index.run(global),
        Verb::Rate(rate) => rate.run(global),
        Verb::Leverage(verb) => verb.run(global),
        Verb::Fund(verb) => verb.run(global),
        Verb::Prices(verb) => verb.run(global),
        Verb::Order(verb) => verb.run(global),
        Verb::Nav(verb) => verb.run(global),
        Verb::Fee(verb) => verb.run(global),
        Verb::Expense(verb) => verb.run(global),
        Verb::Rebalance(verb) => verb.run(global),
        Verb::Exposure(verb) => verb.run(global),
        Verb::Funding(verb) => verb.run(global),
        Verb::Margin(verb) => verb.run(global),
        Verb::Distribution(verb) => verb.run(global),
        Verb::Register(verb) => verb.run(global),
        Verb::Staking(verb) => verb.run(global),
        Verb::Life(verb) => verb.run(global),
        Verb::Asset(verb) => verb.run(global),
        Verb::Custody(verb) => verb.run(global),
        Verb::Basket(basket) => basket.run(global),
        Verb::Statement(statement) => statement.run(global),
        Verb::Serve(serve) => serve.run(global),
        Verb::Http(http) => http.run(global),
        Verb::Key(verb) => verb.run(global),
        Verb::Rotation(verb) => verb.run(global),
        Verb::Drill(verb) => verb.run(global),
        Verb::Principal(verb) => verb.run(global),
        Verb::Audit(verb) => verb.run(global),
        Verb::Witness(verb) => verb.run(global),
        Verb::Backup(backup) => backup.run(global),
        Verb::Restore(restore) => restore.run(global),
    }
}
