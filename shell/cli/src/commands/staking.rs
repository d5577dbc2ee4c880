//! `strongroom staking`: coins at work, what they earn and lose, and the conditions of the safe harbour.

use crate::context::{Global, date};
use crate::failure::Failure;
use crate::print::{self, Align};
use clap::{Subcommand, ValueEnum};
use serde::Serialize;
use strongroom_engine::{
    Account, Command, Event, FundState, LifeRefusal, OrderId, Refusal, RewardSource, StakingCommand,
    StakingEvent,
};
use strongroom_fund::safe_harbour::Condition;
use strongroom_units::time::Date;
use strongroom_units::{Decimal, Price, Quantity};

#[derive(Debug, Subcommand)]
pub(crate) enum StakingVerb {
    /// Stake coins of the vault; the liquid sleeve and what redemptions are due stay
    #[command(after_help = "Example:\n  strongroom staking stake --quantity 8000")]
    Stake {
        /// How many coins
        #[arg(long)]
        quantity: Decimal,
    },
    /// Ask for staked coins back
    #[command(after_help = "Example:\n  strongroom staking unstake --quantity 320")]
    Unstake {
        /// How many coins
        #[arg(long)]
        quantity: Decimal,
    },
    /// Bring coins whose unbonding is over to the vault
    #[command(after_help = "Example:\n  strongroom staking release")]
    Release,
    /// Record what the network paid through a day, before any cut
    #[command(after_help = "Example:\n  strongroom staking reward --through 2026-01-05 --gross 0.81")]
    Reward {
        /// The last day it is for
        #[arg(long, value_name = "DATE", value_parser = date)]
        through: Date,
        /// Coins before any cut
        #[arg(long)]
        gross: Decimal,
        /// What it comes from
        #[arg(long, value_enum, default_value_t = From::Staking)]
        source: From,
    },
    /// Record coins that the network took away
    #[command(
        after_help = "Example:\n  strongroom staking slash --id s1 --date 2026-01-05 --lost 1.2 --indemnified 1 \\\n      --reason \"double signature\""
    )]
    Slash {
        /// Your own name for it; a repeat changes nothing
        #[arg(long)]
        id: String,
        /// The day
        #[arg(long, value_name = "DATE", value_parser = date)]
        date: Date,
        /// Coins taken
        #[arg(long)]
        lost: Decimal,
        /// Of these, coins that the provider made good
        #[arg(long, default_value = "0")]
        indemnified: Decimal,
        /// Why, for the record
        #[arg(long)]
        reason: String,
    },
    /// Sell rewards of the trading balance so that holders can be paid in money
    #[command(after_help = "Example:\n  strongroom staking sell --quantity 8 --price 2400")]
    Sell {
        /// How many coins
        #[arg(long)]
        quantity: Decimal,
        /// Execution price
        #[arg(long)]
        price: Price,
    },
    /// Show what is staked, liquid, on its way back and not yet distributed
    #[command(after_help = "Example:\n  strongroom staking status --json")]
    Status,
    /// Check the conditions of Rev. Proc. 2025-31
    #[command(after_help = "Example:\n  strongroom staking check --json")]
    Check,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum From {
    /// The coins staked; provider and custodian take their part
    Staking,
    /// Fees that a network pays to those who hold its coins; nobody takes a part
    NetworkFees,
}

impl StakingVerb {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Self::Status => return global.read(|state| status(global, state)),
            Self::Check => return global.read(|state| check(global, state)),
            _ => {}
        }
        let command = global.read(|state| self.command(state))?;
        global.give_and_say(Command::Staking(command), |_, events| {
            Ok(events.iter().filter_map(said).collect::<Vec<_>>().join("\n"))
        })
    }

    fn command(self, state: &FundState) -> Result<StakingCommand, Failure> {
        let scale = state.definition().assets.first().ok_or(Refusal::FundMustBeOpen)?.scale;
        let coins = |quantity: Decimal| Quantity::try_from_decimal(quantity, scale);
        Ok(match self {
            Self::Stake { quantity } => StakingCommand::Stake { quantity: coins(quantity)? },
            Self::Unstake { quantity } => StakingCommand::Unstake { quantity: coins(quantity)? },
            Self::Reward { through, gross, source } => {
                let source = match source {
                    From::Staking => RewardSource::Staking,
                    From::NetworkFees => RewardSource::NetworkFees,
                };
                StakingCommand::RecordReward { through, gross: coins(gross)?, source }
            }
            Self::Slash { id, date, lost, indemnified, reason } => {
                let (lost, indemnified) = (coins(lost)?, coins(indemnified)?);
                StakingCommand::RecordSlashing { id: OrderId::try_new(&id)?, date, lost, indemnified, reason }
            }
            Self::Sell { quantity, price } => {
                StakingCommand::SellRewards { quantity: coins(quantity)?, price }
            }
            Self::Release | Self::Status | Self::Check => StakingCommand::Release,
        })
    }
}

fn said(event: &Event) -> Option<String> {
    let Event::Staking(event) = event else { return None };
    Some(match event {
        StakingEvent::Staked { asset, quantity } => format!("{quantity} {asset} staked"),
        StakingEvent::Unstaked { asset, quantity, ready } => {
            format!("{quantity} {asset} asked back: free on {ready}")
        }
        StakingEvent::Released { asset, quantity, .. } => format!("{quantity} {asset} are in the vault"),
        StakingEvent::RewardRecorded { reward, through, .. } => format!(
            "rewards through {through}: {} gross, {} to the provider, {} to the custodian, {} to the fund",
            reward.gross, reward.provider, reward.custodian, reward.net
        ),
        StakingEvent::Slashed { lost, indemnified, .. } => {
            format!("{lost} lost, {indemnified} made good")
        }
        StakingEvent::RewardsSold { sale, .. } => format!("{} USD received", sale.value),
    })
}

#[derive(Serialize)]
struct Status {
    staked: Quantity,
    unbonding: Quantity,
    liquid: Quantity,
    due_to_redemptions: Quantity,
    undistributed_rewards: Quantity,
    rewarded_through: Option<Date>,
}

fn status(global: &Global, state: &FundState) -> Result<(), Failure> {
    let asset = state.definition().assets.first().ok_or(Refusal::FundMustBeOpen)?;
    let zero = Quantity::zero(asset.scale);
    let account = |account| state.ledger().coins(asset.symbol, account).unwrap_or(zero);
    let status = Status {
        staked: account(Account::Staked),
        unbonding: account(Account::Unbonding),
        liquid: state.liquid(asset.symbol)?,
        due_to_redemptions: state.due_to_redemptions(asset.symbol)?,
        undistributed_rewards: state.staking().undistributed(asset.scale)?,
        rewarded_through: state.staking().rewarded_through,
    };
    if global.json {
        return print::json(&status);
    }
    let coins = |quantity: Quantity| format!("{quantity} {}", asset.symbol);
    let mut rows = vec![
        ("staked", coins(status.staked)),
        ("on its way back", coins(status.unbonding)),
        ("liquid", coins(status.liquid)),
        ("due to redemptions", coins(status.due_to_redemptions)),
        ("rewards not distributed", coins(status.undistributed_rewards)),
    ];
    rows.extend(status.rewarded_through.map(|day| ("rewards through", day.to_string())));
    rows.extend(
        state
            .staking()
            .unbonding()
            .iter()
            .map(|(day, quantity)| ("free", format!("{} on {day}", coins(*quantity)))),
    );
    print::line(print::pairs(rows));
    Ok(())
}

fn check(global: &Global, state: &FundState) -> Result<(), Failure> {
    let today = state.definition().strike.zone.date_of(global.now());
    let conditions: Vec<Condition> =
        state.safe_harbour(today).ok_or_else(|| Refusal::from(LifeRefusal::StakingMustBeInDefinition))?;
    if global.json {
        return print::json(&conditions);
    }
    let columns =
        [("", Align::Left), ("condition", Align::Left), ("rests on", Align::Left), ("code", Align::Left)];
    let rows = conditions.iter().map(|one| {
        let rests_on = match one.rests_on {
            strongroom_fund::safe_harbour::RestsOn::TheBooks => "the books",
            strongroom_fund::safe_harbour::RestsOn::AStatement => "a statement",
        };
        let holds = if one.holds { "holds" } else { "BROKEN" };
        vec![holds.to_owned(), one.rule.to_owned(), rests_on.to_owned(), one.code.to_owned()]
    });
    print::line(print::table(&columns, rows));
    Ok(())
}
