//! What happens to members between changes, and what it does to the basket. Each takes effect after the close of its day.

use super::asset::AssetId;
use serde::Deserialize;
use strongroom_units::time::Date;
use strongroom_units::{Price, Quantity, Rate};

/// An event, as a definition records it.
///
/// | event | basket | divisor |
/// |---|---|---|
/// | fork, airdrop | unchanged; what was given is not held | less by its value, so that the fall of the price is no loss |
/// | delisting at the last price | the member leaves at it; the others stand in its place | less by its value |
/// | delisting at zero | the member leaves | unchanged: the level bears the loss |
/// | migration | old units become new ones | unchanged: the next level is that of the new units at their price |
/// | supply correction | weights anew from the day it is known, or history anew | level unchanged |
///
/// A change of name is no event: the asset's entry has both names and its identity continues.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Event {
    /// A chain splits. Holders of `asset` also hold the new chain, which is not a member unless it is chosen later.
    Fork {
        /// The last day on which the price includes the new chain.
        date: Date,
        /// The chain that stays.
        asset: AssetId,
        /// The new chain's name.
        what: String,
        /// Worth of the new chain for each unit of `asset`.
        value: Price,
    },
    /// Holders of `asset` are given something else: a special dividend.
    Airdrop {
        /// The last day on which the price includes it.
        date: Date,
        /// Whose holders.
        asset: AssetId,
        /// What they are given.
        what: String,
        /// Worth for each unit of `asset`.
        value: Price,
    },
    /// The asset can no longer be held.
    Delisting {
        /// The last day.
        date: Date,
        /// Which asset.
        asset: AssetId,
        /// What the holding is worth on that day.
        at: DelistedAt,
    },
    /// The asset becomes another.
    Migration {
        /// The last day of the old asset.
        date: Date,
        /// The old one.
        asset: AssetId,
        /// The new one.
        into: AssetId,
        /// Units of the new for each of the old.
        units: Rate,
    },
    /// A circulating supply in the snapshots was wrong.
    SupplyCorrection {
        /// Whose.
        asset: AssetId,
        /// The first snapshot that is wrong.
        from: Date,
        /// The last, included; all later ones when absent.
        #[serde(default)]
        through: Option<Date>,
        /// The day on which it became known.
        known: Date,
        /// The right supply; eighteen decimals at most.
        supply: Quantity,
        /// With `true` history is computed anew; with `false` it stands and the weights change on the day it was known.
        restate: bool,
    },
}

/// What a delisted holding is worth on its last day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DelistedAt {
    /// The price of the day.
    LastPrice,
    /// Nothing.
    Zero,
}

impl Event {
    /// The day after whose close it takes effect.
    pub fn date(&self) -> Date {
        match self {
            Self::Fork { date, .. }
            | Self::Airdrop { date, .. }
            | Self::Delisting { date, .. }
            | Self::Migration { date, .. } => *date,
            Self::SupplyCorrection { known, .. } => *known,
        }
    }

    /// To which asset it happens.
    pub fn asset(&self) -> &AssetId {
        match self {
            Self::Fork { asset, .. }
            | Self::Airdrop { asset, .. }
            | Self::Delisting { asset, .. }
            | Self::Migration { asset, .. }
            | Self::SupplyCorrection { asset, .. } => asset,
        }
    }

    /// What it is called.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Fork { .. } => "fork",
            Self::Airdrop { .. } => "airdrop",
            Self::Delisting { .. } => "delisting",
            Self::Migration { .. } => "migration",
            Self::SupplyCorrection { .. } => "supply correction",
        }
    }

    /// The supply to use in place of a snapshot's, by what was known on a day.
    pub(super) fn corrects(&self, id: &AssetId, snapshot: Date, on: Date) -> Option<Quantity> {
        match self {
            Self::SupplyCorrection { asset, from, through, known, supply, restate } => {
                let is_meant =
                    asset == id && *from <= snapshot && through.is_none_or(|through| snapshot <= through);
                (is_meant && (*restate || *known <= on)).then_some(*supply)
            }
            _ => None,
        }
    }
}
