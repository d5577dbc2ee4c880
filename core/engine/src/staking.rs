//! Staking: coins that work for the network, what they earn, what they lose, and when they are free again.

use crate::event::{Promise, Sale};
use crate::order::OrderId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use strongroom_fund::staking::Reward;
use strongroom_units::time::Date;
use strongroom_units::{Money, Price, Quantity, Symbol};

/// One request about staking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "staking", rename_all = "kebab-case")]
pub enum StakingCommand {
    /// Stakes coins of the vault.
    Stake {
        /// How many.
        quantity: Quantity,
    },
    /// Asks for staked coins back.
    Unstake {
        /// How many.
        quantity: Quantity,
    },
    /// Brings coins whose unbonding is over to the vault.
    Release,
    /// Records what the network paid for the days through a day, before any cut.
    RecordReward {
        /// The last day.
        through: Date,
        /// Coins before any cut.
        gross: Quantity,
        /// What it comes from.
        source: RewardSource,
    },
    /// Records coins that the network took away.
    RecordSlashing {
        /// The operator's own name for it; a repeat changes nothing.
        id: OrderId,
        /// The day.
        date: Date,
        /// Coins taken.
        lost: Quantity,
        /// Of these, coins that the provider made good.
        indemnified: Quantity,
        /// Why, for the record.
        reason: String,
    },
    /// Sells coins of the trading balance so that holders can be paid in money: rewards, or what a distribution lacks.
    SellRewards {
        /// How many.
        quantity: Quantity,
        /// Execution price.
        price: Price,
    },
}

/// Where a reward comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RewardSource {
    /// The coins staked; provider and custodian take their part.
    Staking,
    /// Fees that a network pays to those who hold its coins; nobody takes a part.
    NetworkFees,
}

/// What has happened to staked coins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "staking", rename_all = "kebab-case")]
pub enum StakingEvent {
    /// Coins were staked.
    Staked {
        /// Which asset.
        asset: Symbol,
        /// How many.
        quantity: Quantity,
    },
    /// Staked coins were asked for.
    Unstaked {
        /// Which asset.
        asset: Symbol,
        /// How many.
        quantity: Quantity,
        /// From which day on they can be released.
        ready: Date,
    },
    /// Coins came back to the vault.
    Released {
        /// Which asset.
        asset: Symbol,
        /// How many.
        quantity: Quantity,
        /// The day.
        on: Date,
    },
    /// A reward was recorded.
    RewardRecorded {
        /// The last day it is for.
        through: Date,
        /// Where it comes from.
        source: RewardSource,
        /// The reward and its parts.
        reward: Reward,
        /// What the fund received, at the price of the last strike: income, and the cost of the coins.
        received: Sale,
    },
    /// The network took coins away.
    Slashed {
        /// The operator's name for it.
        id: OrderId,
        /// The day.
        date: Date,
        /// Coins taken.
        lost: Quantity,
        /// Of these, coins made good.
        indemnified: Quantity,
        /// What is gone for good, with the cost that leaves the lots.
        gone: Sale,
        /// Why.
        reason: String,
        /// What is promised until the next strike.
        promises: BTreeMap<Symbol, Promise>,
    },
    /// Coins were sold so that holders can be paid in money.
    RewardsSold {
        /// The day.
        date: Date,
        /// Coins, money, and cost relieved.
        sale: Sale,
        /// What is promised until the next strike.
        promises: BTreeMap<Symbol, Promise>,
    },
}

impl StakingEvent {
    /// The event's kind, as in the log.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Staked { .. } => "staked",
            Self::Unstaked { .. } => "unstaked",
            Self::Released { .. } => "released",
            Self::RewardRecorded { .. } => "reward-recorded",
            Self::Slashed { .. } => "slashed",
            Self::RewardsSold { .. } => "rewards-sold",
        }
    }
}

/// What is remembered of staking.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StakingState {
    /// Coins on their way back: the day they are ready, and how many.
    pub(crate) unbonding: Vec<(Date, Quantity)>,
    /// The last day that a reward is recorded for.
    pub rewarded_through: Option<Date>,
    /// Rewards received and neither sold nor distributed, by the last day they are for.
    pub(crate) undistributed: Vec<(Date, Quantity)>,
    /// Slashings by the operator's name, to know a repeat.
    pub(crate) slashings: BTreeMap<OrderId, (Date, Quantity, Quantity)>,
    /// Gross rewards of all days.
    pub gross: Option<Quantity>,
    /// What provider and custodian kept of them.
    pub cuts: Option<Quantity>,
    /// Money received for rewards sold.
    pub sold_for: Money,
}

impl StakingState {
    /// The day of the oldest reward that holders have not been paid.
    pub fn oldest_reward(&self) -> Option<Date> {
        self.undistributed.first().map(|(day, _)| *day)
    }

    /// Coins on their way back, oldest first: the day they are ready, and how many.
    pub fn unbonding(&self) -> &[(Date, Quantity)] {
        &self.unbonding
    }
}
