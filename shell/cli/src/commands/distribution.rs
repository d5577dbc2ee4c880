//! `strongroom distribution` and `strongroom register`: what holders are paid, and who they are.

use super::{counted, shares};
use crate::context::{Global, date};
use crate::failure::Failure;
use crate::print::{self, Align};
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use std::path::PathBuf;
use strongroom_engine::{
    Command, Distribution, DistributionCommand, DistributionEvent, DistributionSource, Event, FundState,
    Holder, NewDistribution, OrderId, Outcome, RegisterPart,
};
use strongroom_feeds::read_register;
use strongroom_fund::definition::PaidIn;
use strongroom_units::time::Date;
use strongroom_units::{PerShare, Shares};

/// Holders in one part of a register: what one transaction makes durable.
const PART: usize = 10_000;

#[derive(Debug, Subcommand)]
pub(crate) enum DistributionVerb {
    /// Declare a distribution: its shares go ex on the record date
    #[command(
        after_help = "Example:\n  strongroom distribution declare --id q1 --per-share 0.316871 --record 2026-02-13 \\\n      --pay 2026-02-17 --memo \"rewards of the quarter\""
    )]
    Declare(Declare),
    /// Pay everybody on the register who can be reached
    #[command(after_help = "Example:\n  strongroom distribution pay q1")]
    Pay {
        /// Your name for it
        id: String,
    },
    /// Pay a holder who could not be reached
    #[command(after_help = "Example:\n  strongroom distribution claim q1 --holder H0000042")]
    Claim {
        /// Your name for it
        id: String,
        /// The holder's opaque id
        #[arg(long)]
        holder: String,
    },
    /// Replace a wrong amount; after the record date every published NAV that changes is named
    #[command(
        after_help = "Example:\n  strongroom distribution correct q1 --per-share 0.316872 --reason \"misprinted\""
    )]
    Correct {
        /// Your name for it
        id: String,
        /// The right amount of a share
        #[arg(long)]
        per_share: PerShare,
        /// Why, for the record
        #[arg(long)]
        reason: String,
    },
    /// Withdraw one before its record date
    #[command(after_help = "Example:\n  strongroom distribution cancel q1 --reason \"declared too early\"")]
    Cancel {
        /// Your name for it
        id: String,
        /// Why, for the record
        #[arg(long)]
        reason: String,
    },
    /// List distributions
    #[command(after_help = "Example:\n  strongroom distribution list --json")]
    List,
}

#[derive(Debug, Args)]
pub(crate) struct Declare {
    /// Your own name for it; a repeat changes nothing
    #[arg(long)]
    id: String,
    /// The amount of a share, as published: money, or coins where the definition pays in kind
    #[arg(long)]
    per_share: PerShare,
    /// Who is on the register at its close is paid; shares go ex on it
    #[arg(long, value_name = "DATE", value_parser = date)]
    record: Date,
    /// When it is paid
    #[arg(long, value_name = "DATE", value_parser = date)]
    pay: Date,
    /// What it comes from
    #[arg(long, value_enum, default_value_t = Source::StakingRewards)]
    source: Source,
    /// What for
    #[arg(long)]
    memo: String,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Source {
    /// Staking rewards
    StakingRewards,
    /// Fees that a network pays to those who hold its coins
    NetworkFees,
    /// What was received in a fork or an airdrop, and sold
    ForkOrAirdrop,
}

impl From<Source> for DistributionSource {
    fn from(source: Source) -> Self {
        match source {
            Source::StakingRewards => Self::StakingRewards,
            Source::NetworkFees => Self::NetworkFees,
            Source::ForkOrAirdrop => Self::ForkOrAirdrop,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum RegisterVerb {
    /// Record the holders of record of a distribution; what was recorded of an interrupted import is not recorded twice
    #[command(after_help = "Example:\n  strongroom register import register.csv --distribution q1")]
    Import {
        /// CSV: holder, shares, and where it is there reachable (yes or no)
        file: PathBuf,
        /// Of which distribution
        #[arg(long)]
        distribution: String,
    },
}

impl DistributionVerb {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        let command = match self {
            Self::Declare(declare) => global.read(|state| declare.command(state))?,
            Self::Pay { id } => DistributionCommand::Pay { id: OrderId::try_new(&id)? },
            Self::Claim { id, holder } => DistributionCommand::Claim { id: OrderId::try_new(&id)?, holder },
            Self::Correct { id, per_share, reason } => {
                DistributionCommand::Correct { id: OrderId::try_new(&id)?, per_share, reason }
            }
            Self::Cancel { id, reason } => DistributionCommand::Cancel { id: OrderId::try_new(&id)?, reason },
            Self::List => return global.read(|state| list(global, state)),
        };
        global.give_and_say(Command::Distribution(command), |state, events| {
            Ok(events.iter().filter_map(|event| said(state, event)).collect::<Vec<_>>().join("\n"))
        })
    }
}

impl Declare {
    fn command(self, state: &FundState) -> Result<DistributionCommand, Failure> {
        let definition = state.definition();
        let in_kind = definition.distribution.is_some_and(|terms| terms.paid == PaidIn::InKind);
        let asset = definition.assets.first().filter(|_| in_kind).map(|asset| asset.symbol);
        Ok(DistributionCommand::Declare(NewDistribution {
            id: OrderId::try_new(&self.id)?,
            source: self.source.into(),
            asset,
            per_share: self.per_share,
            record_date: self.record,
            pay_date: self.pay,
            memo: self.memo,
        }))
    }
}

fn unit(state: &FundState, asset: Option<strongroom_units::Symbol>) -> String {
    asset.unwrap_or(state.definition().currency).to_string()
}

fn said(state: &FundState, event: &Event) -> Option<String> {
    let Event::Distribution(event) = event else { return None };
    Some(match event {
        DistributionEvent::Declared { terms, .. } => format!(
            "{} declared: {} {} a share, ex and record {}, paid {}",
            terms.id,
            terms.per_share,
            unit(state, terms.asset),
            terms.record_date,
            terms.pay_date
        ),
        DistributionEvent::Paid { id, asset, paid, unclaimed, fractions } => format!(
            "{id} paid: {paid} {unit}; {unclaimed} wait to be claimed, {fractions} of fractions stay with the fund",
            unit = unit(state, *asset)
        ),
        DistributionEvent::Claimed { id, asset, holder, amount } => {
            format!("{amount} {} of {id} paid to {holder}", unit(state, *asset))
        }
        DistributionEvent::Corrected { id, old, new, difference, restatement, .. } => format!(
            "{id} corrected from {old} to {new}: {difference} more owed; {} changed by it (none was edited)",
            counted(restatement.navs.len() as u64, "published NAV")
        ),
        DistributionEvent::Cancelled { id, .. } => format!("{id} is cancelled"),
        DistributionEvent::WentEx { .. } | DistributionEvent::RegisterRecorded { .. } => return None,
    })
}

#[derive(Serialize)]
struct Listed<'a> {
    #[serde(flatten)]
    distribution: &'a Distribution,
}

fn list(global: &Global, state: &FundState) -> Result<(), Failure> {
    if global.json {
        let all: Vec<_> = state.distributions().map(|distribution| Listed { distribution }).collect();
        return print::json(&all);
    }
    let columns = [
        ("id", Align::Left),
        ("source", Align::Left),
        ("a share", Align::Right),
        ("", Align::Left),
        ("record", Align::Left),
        ("pay", Align::Left),
        ("stage", Align::Left),
        ("total", Align::Right),
        ("holders", Align::Right),
        ("unclaimed", Align::Right),
    ];
    let rows = state.distributions().map(|one| {
        vec![
            one.terms.id.to_string(),
            one.terms.source.as_str().to_owned(),
            one.terms.per_share.to_string(),
            unit(state, one.terms.asset),
            one.terms.record_date.to_string(),
            one.terms.pay_date.to_string(),
            one.stage.as_str().to_owned(),
            one.total.map(|total| total.to_decimal().to_string()).unwrap_or_default(),
            one.register.holders.to_string(),
            one.unclaimed.len().to_string(),
        ]
    });
    print::line(print::table(&columns, rows));
    Ok(())
}

impl RegisterVerb {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        let Self::Import { file, distribution } = self;
        let id = OrderId::try_new(&distribution)?;
        let lines = read_register(&file)?;
        let mut books = global.open_existing()?;
        let fund = global.chosen(&mut books)?;
        let (count, parts) = (lines.len(), lines.len().div_ceil(PART));
        let total = lines.iter().try_fold(Shares::ZERO, |sum, line| sum.try_add(line.shares))?;
        let mut recorded_before = 0;
        let bar = crate::backtest::progress(parts);
        let mut lines = lines.into_iter();
        for index in 1..=parts {
            let holders = lines.by_ref().take(PART).map(|line| Holder {
                holder: line.holder,
                shares: line.shares,
                is_unreachable: line.is_unreachable,
            });
            let part = RegisterPart {
                id: id.clone(),
                part: u32::try_from(index).unwrap_or(u32::MAX),
                is_last: index == parts,
                holders: holders.collect(),
            };
            let command = Command::Distribution(DistributionCommand::ImportRegister(part));
            let answer = books.command(global.request(fund, command))?;
            recorded_before += usize::from(answer.outcome == Outcome::AlreadyDone);
            bar.inc(1);
        }
        bar.finish_and_clear();
        said_of_register(global, (count, total), (parts, recorded_before))
    }
}

#[derive(Serialize)]
struct Registered {
    holders: usize,
    shares: Shares,
    parts: usize,
    recorded_before: usize,
}

fn said_of_register(
    global: &Global,
    (holders, total): (usize, Shares),
    (parts, recorded_before): (usize, usize),
) -> Result<(), Failure> {
    if global.json {
        return print::json(&Registered { holders, shares: total, parts, recorded_before });
    }
    let again = match recorded_before {
        0 => String::new(),
        before => format!("; {} had been recorded before", counted(before as u64, "part")),
    };
    print::line(format!(
        "{} with {} shares recorded in {}{again}",
        counted(holders as u64, "holder"),
        shares(total)?,
        counted(parts as u64, "part")
    ));
    Ok(())
}
