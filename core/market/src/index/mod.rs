//! Basket indices: who is in, who is out, how much of each, and a level without a break.
//!
//! An index is data ([`Index`], read from TOML). [`Index::run`] takes it through a [`Market`] of snapshots and daily
//! closes and gives an [`IndexRun`]: levels, and every change explained coin by coin. Nothing here is a float.
//!
//! `level = Σ quantity × price ÷ divisor`. Quantities stand still between changes, so weights float; at a change, and at
//! an event that is no gain or loss, the divisor follows the basket's value and the level does not move.
//!
//! A date is the close of that day, 24:00 UTC, for levels, closes and snapshots alike.

mod asset;
mod calendar;
mod check;
mod definition;
mod error;
mod event;
mod level;
mod market;
mod prices;
mod reason;
mod record;
mod run;
mod select;
mod vary;
mod weigh;
mod weights;

pub use asset::{Asset, AssetId, AssetName, DatedName, FreeFloat};
pub use calendar::{Period, Schedule};
pub use definition::{
    Exclusion, Filters, Index, PriceSource, Select, Theme, ThemeMember, Unpriced, Version, Weighting,
};
pub use error::{IndexDefinitionError, IndexError, MarketError, WeightError};
pub use event::{DelistedAt, Event};
pub use level::{Divisor, basket_value};
pub use market::{Listing, Market, Series, Snapshot};
pub use reason::{InReason, Lack, Logged, OutReason};
pub use record::{
    CapEffect, ChangeKind, DivisorChange, Frequency, IndexRun, Level, Member, Out, Reconstitution,
    WeightReason,
};
pub use weights::{Weight, capped_weights};

/// All of it.
const ONE: strongroom_units::Rate = strongroom_units::Rate::from_units(10i128.pow(18));
