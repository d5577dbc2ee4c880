//! What happens to a fund in its life: splits, changes of custodian and benchmark, trading halts, its end. And what is remembered
//! of all that, of distributions and of staking.

use crate::command::HaltScope;
use crate::distribution::{Distribution, Holder};
use crate::event::{Promise, Sale};
use crate::order::OrderId;
use crate::staking::StakingState;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use strongroom_fund::definition::CustodyKind;
use strongroom_units::time::{Date, Timestamp};
use strongroom_units::{Money, PerShare, Price, Quantity, Shares, Symbol};

/// One request about the life of a fund.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "life", rename_all = "kebab-case")]
pub enum LifeCommand {
    /// Makes `new` shares of every `old` ones; fewer in a reverse split.
    Split {
        /// The first session on which there are that many.
        date: Date,
        /// New shares.
        new: u32,
        /// For so many old ones.
        old: u32,
        /// Who holds the shares, when fractions are to be worked out holder by holder; empty for one nominee.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        holders: Vec<Holder>,
        /// Why, for the record.
        reason: String,
    },
    /// Another custodian keeps a balance from a day on.
    ChangeCustodian {
        /// Which balance.
        account: CustodyKind,
        /// Who keeps it.
        custodian: String,
        /// From which day.
        from: Date,
        /// Why, for the record.
        reason: String,
    },
    /// NAV is measured against another published rate from a day on.
    ChangeBenchmark {
        /// Short code.
        id: String,
        /// Full name.
        name: String,
        /// From which day.
        from: Date,
        /// Why, for the record.
        reason: String,
    },
    /// A halt of trading: the market's, by its level, or that of the shares alone.
    RecordTradingHalt {
        /// Which.
        cause: HaltCause,
        /// When it began.
        began: Timestamp,
    },
    /// The fund takes no orders any more, and is going to be wound up.
    Close {
        /// Why, for the record.
        reason: String,
    },
    /// Sells everything, pays what is owed, and owes the rest to holders.
    Liquidate {
        /// Execution price per asset held.
        prices: BTreeMap<Symbol, Price>,
        /// When holders are paid.
        pay_date: Date,
    },
}

/// Why trading is halted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "kebab-case")]
pub enum HaltCause {
    /// The market fell 7 %: fifteen minutes, when it is before 15:25.
    MarketLevel1,
    /// The market fell 13 %: fifteen minutes, when it is before 15:25.
    MarketLevel2,
    /// The market fell 20 %: the rest of the day.
    MarketLevel3,
    /// The shares alone, until an instant.
    Shares {
        /// Until when.
        until: Timestamp,
    },
}

impl HaltCause {
    /// The cause's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MarketLevel1 => "market-wide, level 1",
            Self::MarketLevel2 => "market-wide, level 2",
            Self::MarketLevel3 => "market-wide, level 3",
            Self::Shares { .. } => "of the shares",
        }
    }
}

/// What has happened in the life of a fund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "life", rename_all = "kebab-case")]
pub enum LifeEvent {
    /// Shares were split.
    Split {
        /// The first session.
        date: Date,
        /// New shares.
        new: u32,
        /// For so many old ones.
        old: u32,
        /// Shares issued before.
        before: Shares,
        /// And after.
        after: Shares,
        /// What is owed for fractions, in cents.
        in_lieu: Money,
        /// To how many holders.
        fractional_holders: u64,
        /// Why.
        reason: String,
        /// What is promised until the next strike.
        promises: BTreeMap<Symbol, Promise>,
    },
    /// Another custodian keeps a balance.
    CustodianChanged {
        /// Which balance.
        account: CustodyKind,
        /// Who kept it.
        old: String,
        /// Who keeps it.
        new: String,
        /// From which day.
        from: Date,
        /// Why.
        reason: String,
    },
    /// NAV is measured against another rate.
    BenchmarkChanged {
        /// Short code of the old one.
        old: String,
        /// Short code.
        id: String,
        /// Full name.
        name: String,
        /// From which day.
        from: Date,
        /// Why.
        reason: String,
    },
    /// Trading was halted.
    TradingHalted {
        /// Which halt.
        cause: HaltCause,
        /// When it began.
        began: Timestamp,
        /// When it ends by its rule.
        until: Timestamp,
    },
    /// Orders of a session deal at a later one, because trading was halted at its strike.
    DealingPostponed {
        /// The session.
        from: Date,
        /// The session at whose strike they deal.
        to: Date,
        /// Which, with the sessions on which they settle.
        orders: BTreeMap<OrderId, Date>,
    },
    /// The fund takes no orders any more.
    Closing {
        /// Why.
        reason: String,
    },
    /// Everything was sold.
    Liquidated {
        /// Coins, money, and cost relieved.
        sale: Sale,
        /// Sponsor fee paid, in cents.
        fee: Money,
        /// Sponsor fee below a cent that was waived.
        waived: Money,
        /// Expenses paid.
        expenses: Money,
        /// Shares cancelled against their claim.
        shares: Shares,
        /// The last amount of a share.
        per_share: PerShare,
        /// What all shares are paid, exactly.
        total: Quantity,
        /// The last day of the fund.
        on: Date,
        /// When holders are paid.
        pay_date: Date,
        /// Nothing is promised any more.
        promises: BTreeMap<Symbol, Promise>,
    },
}

impl LifeEvent {
    /// The event's kind, as in the log.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Split { .. } => "split",
            Self::CustodianChanged { .. } => "custodian-changed",
            Self::BenchmarkChanged { .. } => "benchmark-changed",
            Self::TradingHalted { .. } => "trading-halted",
            Self::DealingPostponed { .. } => "dealing-postponed",
            Self::Closing { .. } => "closing",
            Self::Liquidated { .. } => "liquidated",
        }
    }
}

/// A split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// The first session on which there were that many shares.
    pub date: Date,
    /// New shares.
    pub new: u32,
    /// For so many old ones.
    pub old: u32,
}

/// A time in which orders were not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspension {
    /// When it began.
    pub from: Timestamp,
    /// When it ended; none while it lasts.
    pub until: Option<Timestamp>,
    /// Which orders.
    pub scope: HaltScope,
    /// Why.
    pub reason: String,
}

/// How far a fund is towards its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "kebab-case")]
pub enum End {
    /// No orders any more.
    Closing {
        /// Why.
        reason: String,
    },
    /// Everything was sold.
    Liquidated {
        /// The day.
        on: Date,
    },
}

/// What is remembered of a fund's life, its distributions and its staking.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LifeState {
    pub(crate) distributions: BTreeMap<OrderId, Distribution>,
    pub(crate) staking: StakingState,
    pub(crate) splits: Vec<Split>,
    pub(crate) custodians: Vec<(Date, CustodyKind, String)>,
    pub(crate) benchmarks: Vec<(Date, String, String)>,
    pub(crate) suspensions: Vec<Suspension>,
    /// Trading is halted until this instant.
    pub(crate) halted: Option<(Timestamp, Timestamp, HaltCause)>,
    pub(crate) end: Option<End>,
    /// The last strike when coins per share became others outside a strike.
    pub(crate) promised_after: Option<Date>,
}

impl LifeState {
    /// Whether nothing of the kind has happened.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
