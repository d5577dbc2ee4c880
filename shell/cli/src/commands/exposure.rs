//! `strongroom exposure`, `funding` and `margin`: the position of a fund of derivatives, by hand.

use super::money;
use crate::context::{Global, date};
use crate::failure::Failure;
use crate::print;
use clap::{Args, Subcommand};
use serde::Serialize;
use std::path::PathBuf;
use strongroom_engine::{
    Account, Command, Event, ExposureCommand, ExposureEvent, ExposureRefusal, FundState, FundingRow, Refusal,
};
use strongroom_feeds::read_funding;
use strongroom_units::time::{Date, Timestamp};
use strongroom_units::{Money, Price, Quantity, Rate};

#[derive(Debug, Subcommand)]
pub(crate) enum ExposureVerb {
    /// Show the position, its margin and how far it is from factor x net assets
    #[command(after_help = "Example:\n  strongroom exposure show")]
    Show,
    /// Trade to factor x net assets after the strike, and bring margin to the initial
    #[command(after_help = "Example:\n  strongroom exposure reset --price 61524.74 --reason \"daily reset\"")]
    Reset {
        #[command(flatten)]
        on: On,
        /// At what price the contracts traded; the strike's mark when absent
        #[arg(long)]
        price: Option<Price>,
        /// Why, for the record
        #[arg(long)]
        reason: String,
    },
    /// Sell the expiring futures and buy the next ones at the same worth
    #[command(after_help = "Example:\n  strongroom exposure roll --from-price 61500 --to-price 61900")]
    Roll {
        #[command(flatten)]
        on: On,
        /// At what price the expiring ones traded; their mark when absent
        #[arg(long, value_name = "PRICE")]
        from_price: Option<Price>,
        /// At what price the next ones traded; their mark when absent
        #[arg(long, value_name = "PRICE")]
        to_price: Option<Price>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct On {
    /// The session whose strike it follows; the last when absent
    #[arg(long, value_name = "DATE", value_parser = date)]
    date: Option<Date>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FundingVerb {
    /// Record funding rates that have fallen due; a repeat changes nothing
    #[command(after_help = "\
Example:
  strongroom funding record --rate 2024-01-11T16:00:00Z=0.0001
  strongroom funding record --file funding.csv

A file has columns time_utc and funding_rate. Of it, what has fallen due since the position was last
traded, or since the last rate, is recorded.")]
    Record {
        /// A rate of one instant, as a fraction; may be given more than once, in order of time
        #[arg(long = "rate", value_name = "INSTANT=RATE", value_parser = instant_rate, required_unless_present = "file")]
        rates: Vec<FundingRow>,
        /// CSV of rates
        #[arg(long, value_name = "FILE", conflicts_with = "rates")]
        file: Option<PathBuf>,
        /// Where they come from, for the record; the file's name when absent
        #[arg(long, default_value = "by hand")]
        source: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum MarginVerb {
    /// Move cash to the margin account, as for a call
    #[command(after_help = "Example:\n  strongroom margin post --amount 1050000.00")]
    Post {
        /// How much, in whole cents
        #[arg(long)]
        amount: Money,
    },
    /// Move money that the position does not need back from the margin account
    #[command(after_help = "Example:\n  strongroom margin withdraw --amount 250000.00")]
    Withdraw {
        /// How much, in whole cents
        #[arg(long)]
        amount: Money,
    },
}

/// What `exposure show --json` prints.
#[derive(Serialize)]
struct Shown {
    contracts: i64,
    coins: Quantity,
    mark: Price,
    expiry: Option<Date>,
    exposure: Money,
    net_assets: Money,
    factor: Option<Rate>,
    margin: Money,
    margin_called: Option<Money>,
    cash: Money,
    settled: Date,
    last_reset: Option<Date>,
    wiped_out: Option<Date>,
}

fn instant_rate(text: &str) -> Result<FundingRow, String> {
    let (at, rate) = text.split_once('=').ok_or("write it like 2024-01-11T16:00:00Z=0.0001")?;
    let at: Timestamp = crate::context::instant(at)?;
    Ok(FundingRow { at, rate: rate.parse::<Rate>().map_err(|error| error.to_string())? })
}

impl On {
    fn date(&self, state: &FundState) -> Date {
        self.date.unwrap_or_else(|| state.last_nav().map_or(state.definition().seed.date, |nav| nav.date))
    }
}

impl ExposureVerb {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        let command = match self {
            Self::Show => return global.read(|state| show(global, state)),
            Self::Reset { on, price, reason } => {
                let date = global.read(|state| Ok(on.date(state)))?;
                ExposureCommand::Reset { date, price, reason }
            }
            Self::Roll { on, from_price, to_price } => {
                let date = global.read(|state| Ok(on.date(state)))?;
                ExposureCommand::Roll { date, from_price, to_price }
            }
        };
        give(global, command)
    }
}

impl FundingVerb {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        let Self::Record { rates, file, source } = self;
        let (rows, source) = match file {
            None => (rates, source),
            Some(file) => {
                let known = read_funding(&file)?;
                let now = global.now();
                let since = global.read(|state| {
                    let position = state.position();
                    Ok(position.map_or(now, strongroom_engine::Position::funded_through))
                })?;
                let due = known.into_iter().filter(|(at, _)| since < *at && *at <= now);
                let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
                (due.map(|(at, rate)| FundingRow { at, rate }).collect(), name.unwrap_or(source))
            }
        };
        give(global, ExposureCommand::RecordFunding { source, rows })
    }
}

impl MarginVerb {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        let amount = match self {
            Self::Post { amount } | Self::Withdraw { amount } if amount <= Money::ZERO => {
                return Err(Refusal::AmountMustBePositive(amount).into());
            }
            Self::Post { amount } => amount,
            Self::Withdraw { amount } => amount.try_neg()?,
        };
        give(global, ExposureCommand::MoveMargin { amount })
    }
}

fn give(global: &Global, command: ExposureCommand) -> Result<(), Failure> {
    global.give_and_say(Command::Exposure(command), |state, events| {
        let said = events.iter().find_map(|event| match event {
            Event::Exposure(event) => Some(said(state, event)),
            _ => None,
        });
        said.unwrap_or_else(|| Ok(String::new()))
    })
}

fn said(state: &FundState, event: &ExposureEvent) -> Result<String, Failure> {
    let exposure =
        state.position().map(strongroom_engine::Position::notional).transpose()?.unwrap_or_default();
    Ok(match event {
        ExposureEvent::FundingPaid { rows, amount, .. } if amount.is_negative() => {
            format!(
                "{} recorded, {} USD received",
                super::counted(rows.len() as u64, "rate"),
                money(amount.try_neg()?)?
            )
        }
        ExposureEvent::FundingPaid { rows, amount, .. } => {
            format!("{} recorded, {} USD paid", super::counted(rows.len() as u64, "rate"), money(*amount)?)
        }
        ExposureEvent::Reset { from, to, cost, margin, .. } => format!(
            "{from} contracts before, {to} after: {} USD of exposure, at a cost of {} USD; {} USD moved to margin",
            money(exposure)?,
            money(*cost)?,
            money(*margin)?
        ),
        ExposureEvent::Rolled { from, to, to_expiry, cost, .. } => {
            format!("{from} contracts rolled into {to} of {to_expiry}, at a cost of {} USD", money(*cost)?)
        }
        ExposureEvent::MarginMoved { amount } => format!("{} USD moved to margin", money(*amount)?),
        ExposureEvent::Settled { .. } | ExposureEvent::WipedOut { .. } => String::new(),
    })
}

fn show(global: &Global, state: &FundState) -> Result<(), Failure> {
    let definition = state.definition();
    let (Some(position), Some(terms)) = (state.position(), &definition.exposure) else {
        return Err(Refusal::from(ExposureRefusal::ExposureMustBeOfDerivatives(definition.id)).into());
    };
    let shown = Shown {
        contracts: position.contracts,
        coins: position.coins()?,
        mark: position.mark,
        expiry: position.expiry,
        exposure: position.notional()?,
        net_assets: state.net_assets_in_money()?,
        factor: terms.factor.at(position.settled).copied(),
        margin: state.ledger().money(Account::Margin),
        margin_called: position.call,
        cash: state.ledger().money(Account::Cash),
        settled: position.settled,
        last_reset: position.last_reset,
        wiped_out: position.wiped_out,
    };
    if global.json {
        return print::json(&shown);
    }
    let optional = |date: Option<Date>| date.map_or_else(|| "none".to_owned(), |date| date.to_string());
    let mut rows = vec![
        ("contracts", format!("{}, {} coins", shown.contracts, shown.coins)),
        ("mark", super::price(shown.mark)?),
        ("exposure", format!("{} USD", money(shown.exposure)?)),
        ("net assets", format!("{} USD", money(shown.net_assets)?)),
        ("factor", shown.factor.map_or_else(|| "none".to_owned(), |factor| factor.to_string())),
        ("margin", format!("{} USD", money(shown.margin)?)),
        ("cash", format!("{} USD", money(shown.cash)?)),
        ("settled", shown.settled.to_string()),
        ("last reset", optional(shown.last_reset)),
    ];
    if shown.expiry.is_some() {
        rows.push(("expiry", optional(shown.expiry)));
    }
    if let Some(call) = shown.margin_called {
        rows.push(("CALLED", format!("{} USD, before the next strike", money(call)?)));
    }
    if shown.wiped_out.is_some() {
        rows.push(("WIPED OUT", optional(shown.wiped_out)));
    }
    print::line(print::pairs(rows));
    Ok(())
}
