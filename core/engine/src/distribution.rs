//! Distributions: what holders are paid, from the declaration to the last unclaimed cent.
//!
//! ```text
//! declared ──strike of the record date──> ex ──register, payment──> paid ──claims──> nothing left
//!    │                                    └──correction: NAVs since are named, the register is read again
//!    └──cancelled
//! ```
//!
//! Under T+1 the ex date is the record date: who buys on it settles a session later and is not on the register.

use crate::event::{Promise, Restatement, Sale};
use crate::order::OrderId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use strongroom_units::time::Date;
use strongroom_units::{PerShare, Quantity, Shares, Symbol};

/// One request about a distribution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "distribution", rename_all = "kebab-case")]
pub enum DistributionCommand {
    /// Declares one.
    Declare(NewDistribution),
    /// Records a part of the register of holders of record, in ascending order of holders.
    ImportRegister(RegisterPart),
    /// Pays everybody on the register who can be reached.
    Pay {
        /// Which.
        id: OrderId,
    },
    /// Pays a holder who could not be reached.
    Claim {
        /// Which.
        id: OrderId,
        /// The holder.
        holder: String,
    },
    /// Replaces a wrong amount of a share.
    Correct {
        /// Which.
        id: OrderId,
        /// The right amount of a share.
        per_share: PerShare,
        /// Why, for the record.
        reason: String,
    },
    /// Withdraws one before its record date.
    Cancel {
        /// Which.
        id: OrderId,
        /// Why, for the record.
        reason: String,
    },
}

/// A distribution as it is declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewDistribution {
    /// The operator's own name for it; a repeat changes nothing.
    pub id: OrderId,
    /// What it comes from.
    pub source: DistributionSource,
    /// The asset in which it is paid; money when absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub asset: Option<Symbol>,
    /// The amount of a share, as published.
    pub per_share: PerShare,
    /// Who is on the register at its close is paid; shares go ex on it.
    pub record_date: Date,
    /// When it is paid.
    pub pay_date: Date,
    /// What for.
    pub memo: String,
}

/// What a distribution comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DistributionSource {
    /// Staking rewards.
    StakingRewards,
    /// Fees that a network pays to those who hold its coins.
    NetworkFees,
    /// What was received in a fork or an airdrop, and sold.
    ForkOrAirdrop,
    /// Fractions of a share that a split left over.
    CashInLieu,
    /// Everything, when the fund is wound up.
    Liquidation,
}

impl DistributionSource {
    /// The source's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::StakingRewards => "staking rewards",
            Self::NetworkFees => "network fees",
            Self::ForkOrAirdrop => "fork or airdrop",
            Self::CashInLieu => "cash in lieu of fractional shares",
            Self::Liquidation => "liquidation",
        }
    }
}

/// A part of a register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterPart {
    /// Of which distribution.
    pub id: OrderId,
    /// Its number, from 1.
    pub part: u32,
    /// Whether it is the last: the whole then has to sum to the shares at record.
    pub is_last: bool,
    /// Holders, ascending, each once in the whole register.
    pub holders: Vec<Holder>,
}

/// A holder of record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// An opaque id, 1 to 64 printable ASCII characters.
    #[serde(rename = "h")]
    pub holder: String,
    /// Shares held at record.
    #[serde(rename = "s")]
    pub shares: Shares,
    /// Whether there is nowhere to pay: the amount waits to be claimed.
    #[serde(rename = "u", skip_serializing_if = "core::ops::Not::not", default)]
    pub is_unreachable: bool,
}

/// What a holder is paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HolderPart {
    /// The holder.
    #[serde(flatten)]
    pub holder: Holder,
    /// Cents or base units, rounded down.
    #[serde(rename = "p")]
    pub part: Quantity,
}

/// What has happened to a distribution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "distribution", rename_all = "kebab-case")]
pub enum DistributionEvent {
    /// It was declared.
    Declared {
        /// As declared.
        terms: NewDistribution,
        /// On which day.
        on: Date,
    },
    /// Its shares went ex, right before the strike of the record date.
    WentEx {
        /// Which.
        id: OrderId,
        /// Shares outstanding at record.
        shares: Shares,
        /// What all of them are paid, exactly.
        total: Quantity,
        /// For one in kind, the coins at the strike's value.
        coins: Option<Sale>,
        /// For one in kind, what is promised until the strike.
        promises: BTreeMap<Symbol, Promise>,
    },
    /// A part of its register was recorded.
    RegisterRecorded {
        /// Which.
        id: OrderId,
        /// Which part.
        part: u32,
        /// Whether the register is whole.
        is_last: bool,
        /// Shares in the part.
        shares: Shares,
        /// Sum of what its holders are paid.
        amount: Quantity,
        /// Its holders.
        holders: Vec<HolderPart>,
    },
    /// It was paid.
    Paid {
        /// Which.
        id: OrderId,
        /// The asset in which; money when absent.
        asset: Option<Symbol>,
        /// What left the fund.
        paid: Quantity,
        /// What waits to be claimed.
        unclaimed: Quantity,
        /// What no holder is paid, because parts are rounded down; it stays with the fund.
        fractions: Quantity,
    },
    /// A holder claimed what had waited.
    Claimed {
        /// Which.
        id: OrderId,
        /// The asset in which; money when absent.
        asset: Option<Symbol>,
        /// Who.
        holder: String,
        /// How much.
        amount: Quantity,
    },
    /// Its amount was wrong.
    Corrected {
        /// Which.
        id: OrderId,
        /// What had been published.
        old: PerShare,
        /// What is right.
        new: PerShare,
        /// What is owed more (or, negative, less) than the books say.
        difference: Quantity,
        /// Why.
        reason: String,
        /// Every published NAV that changes.
        restatement: Restatement,
    },
    /// It was withdrawn.
    Cancelled {
        /// Which.
        id: OrderId,
        /// Why.
        reason: String,
    },
}

impl DistributionEvent {
    /// The event's kind, as in the log.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Declared { .. } => "distribution-declared",
            Self::WentEx { .. } => "distribution-went-ex",
            Self::RegisterRecorded { .. } => "register-recorded",
            Self::Paid { .. } => "distribution-paid",
            Self::Claimed { .. } => "distribution-claimed",
            Self::Corrected { .. } => "distribution-corrected",
            Self::Cancelled { .. } => "distribution-cancelled",
        }
    }

    /// Which distribution it is about.
    pub fn id(&self) -> &OrderId {
        match self {
            Self::Declared { terms, .. } => &terms.id,
            Self::WentEx { id, .. }
            | Self::RegisterRecorded { id, .. }
            | Self::Paid { id, .. }
            | Self::Claimed { id, .. }
            | Self::Corrected { id, .. }
            | Self::Cancelled { id, .. } => id,
        }
    }
}

/// How far a distribution has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Its record date has not been struck.
    Declared,
    /// Shares have gone ex; holders are owed.
    Ex,
    /// Holders have been paid; what some have not claimed is still owed.
    Paid,
    /// It was withdrawn.
    Cancelled,
}

impl Stage {
    /// The stage's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Declared => "declared",
            Self::Ex => "ex",
            Self::Paid => "paid",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A distribution as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distribution {
    /// As declared, with the amount of a share as it is known today.
    pub terms: NewDistribution,
    /// The day of the declaration.
    pub declared: Date,
    /// How far it has come.
    pub stage: Stage,
    /// Shares outstanding at record; none before.
    pub shares: Shares,
    /// What of the amount of a share has been paid: zero until the payment.
    pub paid_per_share: PerShare,
    /// What all shares are owed and were paid together; none before the record date.
    pub total: Option<Quantity>,
    /// What of its register has been recorded.
    pub register: Register,
    /// What left the fund.
    pub paid: Option<Quantity>,
    /// What waits to be claimed, by holder.
    pub unclaimed: BTreeMap<String, Quantity>,
}

/// What of a register has been recorded: sums, never its lines.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Register {
    /// The parts recorded, with what tells a repeat.
    pub(crate) parts: Vec<PartMark>,
    /// Holders so far.
    pub holders: u64,
    /// Their shares.
    pub shares: Shares,
    /// What they are paid.
    pub amount: Option<Quantity>,
    /// Who cannot be reached, with what waits for each.
    pub(crate) unreachable: BTreeMap<String, Quantity>,
    /// The last holder so far.
    pub(crate) last: String,
    /// Whether it is whole.
    pub is_whole: bool,
}

/// What tells whether a part is given again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartMark {
    pub(crate) holders: u32,
    pub(crate) digest: u64,
}
