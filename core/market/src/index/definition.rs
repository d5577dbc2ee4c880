//! An index as data: which coins it may hold, how they are chosen and weighed, when it changes, what happened to them.

use super::asset::{Asset, AssetId, AssetName};
use super::calendar::Schedule;
use super::error::IndexDefinitionError;
use super::event::Event;
use serde::Deserialize;
use std::collections::BTreeMap;
use strongroom_units::time::Date;
use strongroom_units::{Money, Price, Rate};

/// A basket index: its definition over the years, checked.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// Short name.
    pub id: String,
    /// Full name.
    pub name: String,
    /// Where the rules come from, and what a reader has to know about them.
    pub source: String,
    /// The first day; the index is formed at its close. Every run begins here, as each divisor follows from the last.
    pub base_date: Date,
    /// The level on that day.
    pub base_level: Price,
    /// Coins with an identity beyond their name.
    #[serde(default)]
    pub asset: Vec<Asset>,
    /// Coins that are never members.
    #[serde(default)]
    pub exclusion: Vec<Exclusion>,
    /// Lists of coins chosen by a person.
    #[serde(default)]
    pub theme: Vec<Theme>,
    /// What happened to members.
    #[serde(default)]
    pub event: Vec<Event>,
    pub(super) version: Vec<Version>,
}

/// A list of coins that are never members, by name and symbol.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exclusion {
    /// What they are.
    pub id: String,
    /// Who they are.
    pub assets: Vec<AssetName>,
}

/// A list chosen by a person, with dated membership.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Theme {
    /// Its name.
    pub id: String,
    /// What was known when it was chosen that could not be known at the time: never empty.
    pub hindsight: String,
    /// Who belongs to it, and when.
    pub member: Vec<ThemeMember>,
}

/// One coin of a theme.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThemeMember {
    /// The id of a listed asset.
    pub asset: AssetId,
    /// First day.
    pub from: Date,
    /// Last day, included; for ever when absent.
    #[serde(default)]
    pub through: Option<Date>,
}

/// The rules from one day on.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// The first day on which a change or a level follows these rules; a TOML date in quotes.
    pub effective: Date,
    /// Where prices come from.
    pub prices: PriceSource,
    /// Days by which a price may be older than its level; with 0 every level needs the day's own prices.
    pub stale_days_max: u16,
    /// Days by which a snapshot may be older than the day of determination.
    pub snapshot_age_days_max: u16,
    /// Days in a row, the last being the day of determination, on each of which a coin needs its own daily price to become
    /// or stay a member. They lie in the past: what a series lacks afterwards is an error, not a reason to have passed it over.
    #[serde(default)]
    pub price_history_days: u16,
    /// What happens to a coin that should be a member and is not priced so.
    pub unpriced: Unpriced,
    /// The change of a member's supply from one snapshot to the next, as a fraction, beyond which it is logged. It is used as it
    /// is: whether a jump is a burn, an unlock or an error of the source is for a person to say, with a supply correction.
    #[serde(default)]
    pub supply_jump: Option<Rate>,
    /// Decimals of the published level, half up.
    pub decimals: u8,
    /// Themes of which a member is in one; no limit when empty.
    #[serde(default)]
    pub themes: Vec<String>,
    /// Least size and age.
    #[serde(default)]
    pub filters: Filters,
    /// How many of the eligible become members.
    pub select: Select,
    /// How they are weighed.
    pub weighting: Weighting,
    /// The largest weight of a member; what exceeds it is shared among the others.
    #[serde(default)]
    pub cap: Option<Rate>,
    /// When members are chosen anew, and weighed.
    pub reconstitution: Schedule,
    /// When the same members are weighed anew.
    #[serde(default)]
    pub rebalance: Option<Schedule>,
}

/// Where prices come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PriceSource {
    /// Daily closes: a level for every day.
    Daily,
    /// The snapshots' own: a level for every snapshot and none between.
    Snapshots,
}

/// What happens to a coin that should be a member and has no full price history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unpriced {
    /// The next rank takes its place, and it is logged.
    NextRank,
    /// It is left out, and it is logged.
    LeaveOut,
    /// There is no index.
    Refuse,
}

/// What a coin needs in the snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filters {
    /// Least turnover of 24 hours.
    #[serde(default)]
    pub volume_24h_min: Option<Money>,
    /// Least price.
    #[serde(default)]
    pub price_min: Option<Price>,
    /// Least days since it began to trade, or since the first snapshot that lists it.
    #[serde(default)]
    pub age_days_min: Option<u16>,
}

/// How many of the eligible become members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Select {
    /// All.
    All,
    /// The largest by market capitalisation.
    Top {
        /// How many.
        count: u16,
        /// A member stays while its rank is at most `count + buffer`.
        #[serde(default)]
        buffer: u16,
        /// A rank that makes a coin a member whoever else would stay; 0 for none.
        #[serde(default)]
        enters_at: u16,
    },
}

/// How members are weighed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Weighting {
    /// By free-float market capitalisation at the effective day's price.
    MarketCap,
    /// By its square root, at twelve decimals of it.
    SquareRoot,
    /// All alike.
    Equal,
    /// By one over the standard deviation of daily returns.
    InverseVolatility {
        /// How many returns, the last being that of the day of determination.
        days: u16,
    },
    /// As given.
    Fixed {
        /// Weights by asset; they come to one.
        weights: BTreeMap<AssetId, Rate>,
    },
}

impl Index {
    /// Reads and checks a definition.
    pub fn parse(text: &str) -> Result<Self, IndexDefinitionError> {
        let read: Self =
            toml::from_str(text).map_err(|error| IndexDefinitionError::unreadable(text, &error))?;
        super::check::check(&read)?;
        Ok(read)
    }

    /// The rules for a day; none before the first.
    pub fn version_at(&self, date: Date) -> Option<&Version> {
        self.version.iter().rev().find(|version| version.effective <= date)
    }

    /// Every version, oldest first.
    pub fn versions(&self) -> &[Version] {
        &self.version
    }

    /// The listed asset with an id.
    pub fn asset(&self, id: &AssetId) -> Option<&Asset> {
        self.asset.iter().find(|asset| asset.id == *id)
    }

    /// The identity that a snapshot of a day means by a name.
    pub fn identify(&self, name: &AssetName, on: Date) -> AssetId {
        let listed = self.asset.iter().find(|asset| asset.is_called(name, on));
        listed.map_or_else(|| AssetId::from(name), |asset| asset.id.clone())
    }

    /// The symbols whose daily closes the index can use.
    pub fn price_symbols(&self) -> impl Iterator<Item = &str> {
        self.asset.iter().filter_map(|asset| asset.price.as_deref())
    }

    /// Whether levels are daily or of snapshots only.
    pub fn prices(&self) -> PriceSource {
        self.version.first().map_or(PriceSource::Daily, |version| version.prices)
    }
}
