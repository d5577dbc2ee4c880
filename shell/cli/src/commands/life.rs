//! `strongroom life` and `strongroom asset`: what happens to a fund and to what it holds.

use super::custody::Balance;
use crate::context::{Global, asset_price, date, instant};
use crate::failure::{Exit, Failure};
use crate::print::{self, Align};
use clap::{Subcommand, ValueEnum};
use std::path::PathBuf;
use strongroom_engine::statement::statement;
use strongroom_engine::{AssetChange, Change, Command, Event, HaltCause, Holder, LifeCommand, LifeEvent};
use strongroom_feeds::read_register;
use strongroom_units::time::{Date, Timestamp};
use strongroom_units::{Price, Rate, Symbol};

#[derive(Debug, Subcommand)]
pub(crate) enum LifeVerb {
    /// Split the shares, or make fewer of them; fractions are owed in cash
    #[command(
        after_help = "Example:\n  strongroom life split --date 2025-02-14 --new 4 --old 1 --reason \"price of a share\""
    )]
    Split {
        /// The first session on which there are that many
        #[arg(long, value_name = "DATE", value_parser = date)]
        date: Date,
        /// New shares
        #[arg(long)]
        new: u32,
        /// For so many old ones
        #[arg(long, default_value_t = 1)]
        old: u32,
        /// CSV of holders, when fractions are worked out holder by holder: holder, shares
        #[arg(long, value_name = "FILE")]
        register: Option<PathBuf>,
        /// Why, for the record
        #[arg(long)]
        reason: String,
    },
    /// Another custodian keeps a balance from a day on
    #[command(
        after_help = "Example:\n  strongroom life custodian --account vault --name \"Other Custodian\" \\\n      --from 2026-03-02 --reason \"tender\""
    )]
    Custodian {
        /// Which balance
        #[arg(long, value_enum)]
        account: Balance,
        /// Who keeps it
        #[arg(long)]
        name: String,
        /// From which day
        #[arg(long, value_name = "DATE", value_parser = date)]
        from: Date,
        /// Why, for the record
        #[arg(long)]
        reason: String,
    },
    /// NAV is measured against another published rate from a day on
    #[command(
        after_help = "Example:\n  strongroom life benchmark --id BRR --name \"Bitcoin Reference Rate\" \\\n      --from 2026-03-02 --reason \"license ended\""
    )]
    Benchmark {
        /// Short code
        #[arg(long)]
        id: String,
        /// Full name
        #[arg(long)]
        name: String,
        /// From which day
        #[arg(long, value_name = "DATE", value_parser = date)]
        from: Date,
        /// Why, for the record
        #[arg(long)]
        reason: String,
    },
    /// Record a halt of trading; orders are taken again by themselves when its time is over
    #[command(
        after_help = "Examples:\n  strongroom life halt --cause level-1 --began 2020-03-09T13:34:13Z\n  strongroom life halt --cause shares --began 2026-03-02T15:00:00Z --until 2026-03-02T15:10:00Z"
    )]
    Halt {
        /// Which
        #[arg(long, value_enum)]
        cause: Cause,
        /// When it began
        #[arg(long, value_name = "INSTANT", value_parser = instant)]
        began: Timestamp,
        /// Until when, for a halt of the shares alone
        #[arg(long, value_name = "INSTANT", value_parser = instant, required_if_eq("cause", "shares"))]
        until: Option<Timestamp>,
    },
    /// Take no orders any more: the fund is going to be wound up
    #[command(after_help = "Example:\n  strongroom life close --reason \"too small\"")]
    Close {
        /// Why, for the record
        #[arg(long)]
        reason: String,
    },
    /// Sell everything, pay what is owed, and owe the rest to holders
    #[command(after_help = "Example:\n  strongroom life liquidate --price BTC=49000 --pay 2026-03-20")]
    Liquidate {
        /// Execution price; once for each asset held
        #[arg(long = "price", required = true, value_name = "ASSET=PRICE", value_parser = asset_price)]
        prices: Vec<(Symbol, Price)>,
        /// When holders are paid
        #[arg(long, value_name = "DATE", value_parser = date)]
        pay: Date,
    },
    /// List distributions, splits, changes and halts
    #[command(after_help = "Example:\n  strongroom life list --json")]
    List,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Cause {
    /// The market fell 7 %: fifteen minutes
    #[value(name = "level-1")]
    Level1,
    /// The market fell 13 %: fifteen minutes
    #[value(name = "level-2")]
    Level2,
    /// The market fell 20 %: until the next session opens
    #[value(name = "level-3")]
    Level3,
    /// The shares alone
    Shares,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AssetVerb {
    /// An asset of a basket became another
    #[command(
        after_help = "Example:\n  strongroom asset migrate --date 2024-07-18 --asset MATIC --into POL --units 1 \\\n      --reason \"migration\""
    )]
    Migrate {
        /// The day
        #[arg(long, value_name = "DATE", value_parser = date)]
        date: Date,
        /// The old one
        #[arg(long)]
        asset: Symbol,
        /// The new one
        #[arg(long)]
        into: Symbol,
        /// Units of the new for each of the old
        #[arg(long)]
        units: Rate,
        /// Why, for the record
        #[arg(long)]
        reason: String,
    },
    /// An asset of a basket is worth nothing and leaves
    #[command(
        after_help = "Example:\n  strongroom asset write-off --date 2022-05-13 --asset LUNA --reason \"worth nothing\""
    )]
    WriteOff {
        /// The day
        #[arg(long, value_name = "DATE", value_parser = date)]
        date: Date,
        /// Which
        #[arg(long)]
        asset: Symbol,
        /// Why, for the record
        #[arg(long)]
        reason: String,
    },
    /// Holders of an asset were given something in a fork or an airdrop: left, or sold at its worth, by the definition
    #[command(
        after_help = "Example:\n  strongroom asset gift --date 2022-09-15 --asset ETH --what ETHW --value 12.50 \\\n      --reason \"the merge\""
    )]
    Gift {
        /// The day
        #[arg(long, value_name = "DATE", value_parser = date)]
        date: Date,
        /// Whose holders
        #[arg(long)]
        asset: Symbol,
        /// What
        #[arg(long)]
        what: String,
        /// What it is worth for each unit held
        #[arg(long)]
        value: Price,
        /// Sell it at that worth; it is left when absent
        #[arg(long)]
        sold: bool,
        /// Why, for the record
        #[arg(long)]
        reason: String,
    },
}

impl LifeVerb {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        let command = match self {
            Self::Split { date, new, old, register, reason } => {
                let holders = register.map(|file| read_register(&file)).transpose()?.unwrap_or_default();
                let holders = holders.into_iter().map(|line| Holder {
                    holder: line.holder,
                    shares: line.shares,
                    is_unreachable: line.is_unreachable,
                });
                LifeCommand::Split { date, new, old, holders: holders.collect(), reason }
            }
            Self::Custodian { account, name, from, reason } => {
                LifeCommand::ChangeCustodian { account: account.into(), custodian: name, from, reason }
            }
            Self::Benchmark { id, name, from, reason } => {
                LifeCommand::ChangeBenchmark { id, name, from, reason }
            }
            Self::Halt { cause, began, until } => {
                LifeCommand::RecordTradingHalt { cause: halt_of(cause, until)?, began }
            }
            Self::Close { reason } => LifeCommand::Close { reason },
            Self::Liquidate { prices, pay } => {
                LifeCommand::Liquidate { prices: prices.into_iter().collect(), pay_date: pay }
            }
            Self::List => return list(global),
        };
        global.give_and_say(Command::Life(command), |_, events| {
            Ok(events.iter().filter_map(said).collect::<Vec<_>>().join("\n"))
        })
    }
}

fn halt_of(cause: Cause, until: Option<Timestamp>) -> Result<HaltCause, Failure> {
    Ok(match (cause, until) {
        (Cause::Level1, _) => HaltCause::MarketLevel1,
        (Cause::Level2, _) => HaltCause::MarketLevel2,
        (Cause::Level3, _) => HaltCause::MarketLevel3,
        (Cause::Shares, Some(until)) => HaltCause::Shares { until },
        (Cause::Shares, None) => {
            let message = "a halt of the shares needs --until";
            return Err(Failure::new("command_line.must_be_valid", message, Exit::CommandLine));
        }
    })
}

fn said(event: &Event) -> Option<String> {
    let Event::Life(event) = event else { return None };
    Some(match event {
        LifeEvent::Split { before, after, in_lieu, fractional_holders, .. } => format!(
            "{before} shares became {after}; {in_lieu} USD are owed for fractions of {fractional_holders} holders"
        ),
        LifeEvent::CustodianChanged { old, new, from, .. } => {
            format!("{new} keeps it from {from} on, in place of {old}")
        }
        LifeEvent::BenchmarkChanged { old, id, from, .. } => {
            format!("measured against {id} from {from} on, in place of {old}")
        }
        LifeEvent::TradingHalted { cause, until, .. } => {
            format!("halt {}: orders are taken again at {until}", cause.as_str())
        }
        LifeEvent::DealingPostponed { to, orders, .. } => format!("{} orders deal on {to}", orders.len()),
        LifeEvent::Closing { .. } => "no orders are taken any more".to_owned(),
        LifeEvent::Liquidated { sale, total, per_share, pay_date, .. } => format!(
            "everything sold for {} USD; {total} USD are owed to holders, {per_share} a share, on {pay_date}",
            sale.value
        ),
    })
}

fn list(global: &Global) -> Result<(), Failure> {
    global.read(|state| {
        let from = state.definition().seed.date;
        let through = state.definition().strike.zone.date_of(global.now()).max(from);
        let rows = statement(state, from, through)?.life;
        if global.json {
            return print::json(&rows);
        }
        let columns = [("date", Align::Left), ("", Align::Left), ("what", Align::Left)];
        let rows = rows.into_iter().map(|row| vec![row.date.to_string(), row.kind.to_owned(), row.what]);
        print::line(print::table(&columns, rows));
        Ok(())
    })
}

impl AssetVerb {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        let change = match self {
            Self::Migrate { date, asset, into, units, reason } => {
                AssetChange { date, asset, change: Change::Migration { into, units }, reason }
            }
            Self::WriteOff { date, asset, reason } => {
                AssetChange { date, asset, change: Change::WriteOff, reason }
            }
            Self::Gift { date, asset, what, value, sold, reason } => {
                AssetChange { date, asset, change: Change::Gift { what, value, sold }, reason }
            }
        };
        global.give_and_say(Command::ChangeAsset(change), |_, events| {
            Ok(events.iter().filter_map(said_of_asset).collect::<Vec<_>>().join("\n"))
        })
    }
}

fn said_of_asset(event: &Event) -> Option<String> {
    Some(match event {
        Event::AssetMigrated { asset, into, vault, trading, .. } => {
            format!("{asset} became {into}: {} in the vault, {} in trading", vault.into, trading.into)
        }
        Event::AssetWrittenOff { asset, cost, .. } => {
            format!("{asset} is written off at its cost of {cost} USD")
        }
        Event::GiftRecorded { what, sold: true, received, .. } => format!("{what} sold for {received} USD"),
        Event::GiftRecorded { what, .. } => format!("{what} is left"),
        _ => return None,
    })
}
