//! Which coin is meant: a name and a symbol as data sets write them, and the identity behind several of them.
//!
//! A symbol alone is no identity: LUNA has been two coins, and one coin has been BNB under two names.

use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Serialize};
use strongroom_units::Rate;
use strongroom_units::time::Date;

/// A coin as a snapshot lists it, written `Name (SYMBOL)`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AssetName {
    name: String,
    symbol: String,
}

impl AssetName {
    /// A name and a symbol; spaces around them do not count. Refuses empty ones and those beyond 80 characters.
    pub fn try_new(name: &str, symbol: &str) -> Result<Self, String> {
        let (name, symbol) = (name.trim(), symbol.trim());
        let fits = |text: &str| !text.is_empty() && text.chars().count() <= 80;
        if !fits(name) || !fits(symbol) || format!("{name}{symbol}").chars().any(char::is_control) {
            return Err(format!("`{name} ({symbol})` is not a name and a symbol of 1 to 80 characters"));
        }
        Ok(Self { name: name.to_owned(), symbol: symbol.to_owned() })
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The symbol.
    pub fn symbol(&self) -> &str {
        &self.symbol
    }
}

impl fmt::Display for AssetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.symbol)
    }
}

impl FromStr for AssetName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.strip_suffix(')').and_then(|open| open.rsplit_once(" ("));
        let (name, symbol) =
            parts.ok_or_else(|| format!("`{text}` is not an asset; write it like Bitcoin (BTC)"))?;
        Self::try_new(name, symbol)
    }
}

impl TryFrom<String> for AssetName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<AssetName> for String {
    fn from(name: AssetName) -> Self {
        name.to_string()
    }
}

/// The identity of an asset within one index: the id that the definition gives it, or its `Name (SYMBOL)` when the
/// definition does not list it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AssetId(String);

impl AssetId {
    /// An id as a definition writes it.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AssetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<&AssetName> for AssetId {
    fn from(name: &AssetName) -> Self {
        Self(name.to_string())
    }
}

/// One coin of a definition: everything it has been called, and where its daily price is found.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asset {
    /// Its identity in the index.
    pub id: AssetId,
    /// Its symbol in daily price files; without one it has no daily price.
    #[serde(default)]
    pub price: Option<String>,
    /// What snapshots call it, at any time.
    #[serde(default)]
    pub names: Vec<AssetName>,
    /// What snapshots call it for a while, where another coin bears the name at other times.
    #[serde(default)]
    pub dated_name: Vec<DatedName>,
    /// The day it began to trade, where the age filter needs more than the snapshots show.
    #[serde(default)]
    pub since: Option<Date>,
    /// Share of the supply that counts for weights, oldest first; all of it before the first.
    #[serde(default)]
    pub free_float: Vec<FreeFloat>,
}

/// A name for a while.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatedName {
    /// The name and symbol.
    pub name: AssetName,
    /// First day; since ever when absent.
    #[serde(default)]
    pub from: Option<Date>,
    /// Last day, included; for ever when absent.
    #[serde(default)]
    pub through: Option<Date>,
}

/// The share of the supply that counts, from a day on.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FreeFloat {
    /// First day.
    pub from: Date,
    /// The share, above zero and at most one.
    pub factor: Rate,
}

impl Asset {
    /// Whether a snapshot of a day means this coin by a name.
    pub fn is_called(&self, name: &AssetName, on: Date) -> bool {
        let dated = self.dated_name.iter().any(|dated| dated.name == *name && dated.holds(on));
        dated || self.names.contains(name)
    }

    /// The share of the supply that counts on a day.
    pub fn free_float_at(&self, on: Date) -> Rate {
        let entry = self.free_float.iter().rev().find(|entry| entry.from <= on);
        entry.map_or(super::ONE, |entry| entry.factor)
    }

    /// A name that both assets have on some day.
    pub(super) fn shares_a_name_with(&self, other: &Self) -> Option<&AssetName> {
        let ours = self.spans();
        let theirs = other.spans();
        ours.into_iter()
            .find(|a| theirs.iter().any(|b| a.0 == b.0 && a.1 <= b.2 && b.1 <= a.2))
            .map(|(name, _, _)| name)
    }

    fn spans(&self) -> Vec<(&AssetName, Date, Date)> {
        let always = self.names.iter().map(|name| (name, Date::MIN, Date::MAX));
        let dated = self
            .dated_name
            .iter()
            .map(|dated| (&dated.name, dated.from.unwrap_or(Date::MIN), dated.through.unwrap_or(Date::MAX)));
        always.chain(dated).collect()
    }
}

impl DatedName {
    fn holds(&self, on: Date) -> bool {
        self.from.is_none_or(|from| from <= on) && self.through.is_none_or(|through| on <= through)
    }
}
