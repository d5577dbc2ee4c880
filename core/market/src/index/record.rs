//! What a run gives: levels, changes and their explanations. All of it can be written down and computed with again.

use super::asset::AssetId;
use super::definition::{PriceSource, Weighting};
use super::level::Divisor;
use super::reason::{InReason, Logged, OutReason};
use core::fmt;
use serde::Serialize;
use strongroom_units::time::Date;
use strongroom_units::{Money, PerShare, Price, Quantity, Rate};

/// An index over a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IndexRun {
    /// The index.
    pub id: String,
    /// Its name.
    pub name: String,
    /// First day.
    pub from: Date,
    /// Last day.
    pub to: Date,
    /// Whether there is a level for every day or for every snapshot only.
    pub levels_are: Frequency,
    /// Levels, oldest first.
    pub levels: Vec<Level>,
    /// Every forming and reweighing, oldest first.
    pub reconstitutions: Vec<Reconstitution>,
    /// Every change of the divisor after the first, oldest first.
    pub divisor_changes: Vec<DivisorChange>,
    /// What a reader has to know, with the day.
    pub log: Vec<(Date, Logged)>,
}

/// For which days there are levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Frequency {
    /// Every day.
    Daily,
    /// Every snapshot; between two the level is not known.
    SnapshotsOnly,
}

impl From<PriceSource> for Frequency {
    fn from(source: PriceSource) -> Self {
        match source {
            PriceSource::Daily => Self::Daily,
            PriceSource::Snapshots => Self::SnapshotsOnly,
        }
    }
}

/// The level at the close of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Level {
    /// The day.
    pub date: Date,
    /// As published: half up at the definition's decimals.
    pub published: Price,
    /// Half even at eighteen decimals.
    pub level: Price,
    /// `Σ quantity × price`.
    pub value: Price,
    /// The divisor before the changes of this close.
    pub divisor: Divisor,
    /// Members whose price is of an earlier day, within the limit.
    pub carried: Vec<(AssetId, Date)>,
}

/// One forming or reweighing of the basket. It holds from the close of its day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reconstitution {
    /// The effective day.
    pub date: Date,
    /// The day of determination and announcement.
    pub announced: Date,
    /// The snapshot that was used.
    pub snapshot: Date,
    /// What it is.
    pub kind: ChangeKind,
    /// Members, the heaviest first. Weights come to exactly one.
    pub members: Vec<Member>,
    /// Every other coin of the snapshot or theme, the largest first; empty when only weights change.
    pub out: Vec<Out>,
    /// What a reader has to know.
    pub log: Vec<Logged>,
}

/// Why the basket changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// The first.
    Base,
    /// Members are chosen anew.
    Reconstitution,
    /// The same members are weighed anew.
    Rebalance,
    /// The same members are weighed anew because a supply was wrong.
    Correction,
}

impl ChangeKind {
    /// Whether members are chosen.
    pub fn chooses(self) -> bool {
        matches!(self, Self::Base | Self::Reconstitution)
    }
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Base => "base",
            Self::Reconstitution => "reconstitution",
            Self::Rebalance => "rebalance",
            Self::Correction => "correction",
        })
    }
}

/// One member after a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Member {
    /// The asset.
    pub asset: AssetId,
    /// Its rank by market capitalisation among the eligible; none when only weights change.
    pub rank: Option<u32>,
    /// Market capitalisation in the snapshot.
    pub market_cap: Money,
    /// Price at which it enters.
    pub price: Price,
    /// The day of that price.
    pub price_date: Date,
    /// Weight before the cap.
    pub natural_weight: Rate,
    /// Weight.
    pub weight: Rate,
    /// Units in the basket whose value the divisor divides.
    pub quantity: Quantity,
    /// Units for one point of the index: `quantity ÷ divisor`, half even at twenty-four decimals.
    pub per_index_point: PerShare,
    /// Why it is in.
    pub why_in: InReason,
    /// Why it weighs this.
    pub why_weight: WeightReason,
}

/// Why a member weighs what it weighs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WeightReason {
    /// By what members are weighed.
    pub by: &'static str,
    /// What the cap did.
    pub cap: CapEffect,
}

/// What a cap did to a weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CapEffect {
    /// Nothing.
    None,
    /// It holds the weight.
    Capped,
    /// It held others, whose excess is shared.
    Raised,
}

impl WeightReason {
    pub(super) fn new(weighting: &Weighting, cap: CapEffect) -> Self {
        let by = match weighting {
            Weighting::MarketCap => "share of free-float market capitalisation",
            Weighting::SquareRoot => "share of the square roots of market capitalisation",
            Weighting::Equal => "equal shares",
            Weighting::InverseVolatility { .. } => "share of inverse volatilities",
            Weighting::Fixed { .. } => "fixed weight",
        };
        Self { by, cap }
    }
}

impl fmt::Display for WeightReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.by)?;
        f.write_str(match self.cap {
            CapEffect::None => "",
            CapEffect::Capped => ", held at the cap",
            CapEffect::Raised => ", and of the excess of capped members",
        })
    }
}

/// One coin that is not a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Out {
    /// The asset.
    pub asset: AssetId,
    /// Its rank among the eligible; none when it is not eligible.
    pub rank: Option<u32>,
    /// Market capitalisation in the snapshot; zero when it is not in it.
    pub market_cap: Money,
    /// Whether it was a member until now.
    pub was_member: bool,
    /// Why it is out.
    pub reason: OutReason,
}

/// One change of the divisor, at one set of prices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DivisorChange {
    /// The day after whose close it holds.
    pub date: Date,
    /// Why.
    pub cause: String,
    /// The basket's value before.
    pub value_before: Price,
    /// And after.
    pub value_after: Price,
    /// The divisor before.
    pub divisor_before: Divisor,
    /// And after: `divisor before × value after ÷ value before`.
    pub divisor_after: Divisor,
    /// The level before.
    pub level_before: Price,
    /// And after: the same, to within `level ÷ (2 × divisor × 10^18) + 10^-18`.
    pub level_after: Price,
}
