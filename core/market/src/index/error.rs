//! Why a definition was refused, and why an index has no level.

use super::asset::AssetId;
use strongroom_units::time::Date;
use strongroom_units::{NumberError, Rate};
use thiserror::Error;

/// An index definition that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IndexDefinitionError {
    /// The text cannot be read.
    #[error("line {line}: {message}")]
    Unreadable {
        /// Line in the file, from 1; 0 when the file as a whole is meant.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// What it says contradicts itself.
    #[error("{place}: {rule}")]
    Contradiction {
        /// Which part of the definition.
        place: String,
        /// The rule that was broken.
        rule: &'static str,
    },
}

impl IndexDefinitionError {
    pub(super) fn unreadable(text: &str, error: &toml::de::Error) -> Self {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.map_or(0, |before| before.matches('\n').count() + 1);
        Self::Unreadable { line, message: error.message().trim().replace('\n', " ") }
    }

    /// The stable code: the rule that was broken.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "index_definition.must_be_readable",
            Self::Contradiction { .. } => "index_definition.must_not_contradict_itself",
        }
    }
}

/// Market data that contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MarketError {
    /// One coin twice in one snapshot.
    #[error("the snapshot of {date} lists {name} twice")]
    ListedTwice {
        /// The snapshot.
        date: Date,
        /// The coin.
        name: String,
    },
}

impl MarketError {
    /// The stable code: the rule that was broken.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ListedTwice { .. } => "market.snapshot_must_list_a_coin_once",
        }
    }
}

/// Why there are no weights.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WeightError {
    /// Nobody to weigh.
    #[error("there are no members to weigh")]
    NoMembers,
    /// A score of zero or less.
    #[error("a member's score is not above zero")]
    ScoreNotPositive,
    /// Members at the cap do not come to one.
    #[error("{members} members of at most {cap} each do not come to one")]
    CapTooLow {
        /// The cap.
        cap: Rate,
        /// How many members there are.
        members: usize,
    },
    /// A number that does not fit.
    #[error(transparent)]
    Number(#[from] NumberError),
}

impl WeightError {
    /// The stable code: the rule that was broken.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoMembers => "index.must_have_members",
            Self::ScoreNotPositive => "index.score_must_be_positive",
            Self::CapTooLow { .. } => "index.cap_must_be_feasible",
            Self::Number(error) => error.code(),
        }
    }
}

/// Why an index has no level. Nothing stale or guessed is published in its place.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IndexError {
    /// The days asked for are none of the index.
    #[error("{from} to {to} is no period of an index that begins on {base}")]
    PeriodEmpty {
        /// First day asked for.
        from: Date,
        /// Last day asked for.
        to: Date,
        /// The base date.
        base: Date,
    },
    /// A price that is missing, or older than the definition allows.
    #[error("{asset} has no price on {date} and none of at most {days_max} days before{last}", last = last(last_price))]
    PriceMissing {
        /// Which asset.
        asset: AssetId,
        /// The day of the level.
        date: Date,
        /// The definition's limit.
        days_max: u16,
        /// Its last price before.
        last_price: Option<Date>,
    },
    /// No snapshot that is recent enough.
    #[error("there is no snapshot of at most {days_max} days before {date}")]
    SnapshotMissing {
        /// The day of determination.
        date: Date,
        /// The definition's limit.
        days_max: u16,
    },
    /// A member that has to be weighed and is not in the snapshot.
    #[error("{asset} is not in the snapshot of {snapshot}")]
    NotInSnapshot {
        /// Which asset.
        asset: AssetId,
        /// The snapshot.
        snapshot: Date,
    },
    /// A snapshot in which two rows are one asset.
    #[error("the snapshot of {snapshot} has {asset} under two names")]
    NamedTwice {
        /// Which asset.
        asset: AssetId,
        /// The snapshot.
        snapshot: Date,
    },
    /// A member that the definition does not let go without.
    #[error("{asset} is to be a member on {date} and {why}")]
    MemberUnpriced {
        /// Which asset.
        asset: AssetId,
        /// The effective day.
        date: Date,
        /// What it lacks.
        why: String,
    },
    /// Too few assets for a ranked index.
    #[error("{found} of {wanted} members could be found on {date}")]
    TooFewMembers {
        /// The effective day.
        date: Date,
        /// Members found.
        found: usize,
        /// Members wanted.
        wanted: u16,
    },
    /// An event that leaves nothing, or less.
    #[error("the {event} of {asset} on {date} leaves a basket worth nothing")]
    NothingLeft {
        /// What happened.
        event: &'static str,
        /// To whom.
        asset: AssetId,
        /// When.
        date: Date,
    },
    /// No rules hold yet.
    #[error("the definition has no version for {0}")]
    NotYetEffective(Date),
    /// There are no weights.
    #[error("{date}: {error}")]
    Weight {
        /// The effective day.
        date: Date,
        /// Why.
        error: WeightError,
    },
    /// A number that does not fit.
    #[error(transparent)]
    Number(#[from] NumberError),
}

fn last(date: &Option<Date>) -> String {
    date.map_or_else(|| "; it never had one".to_owned(), |date| format!("; its last is of {date}"))
}

impl IndexError {
    /// The stable code: the rule that was broken.
    pub fn code(&self) -> &'static str {
        match self {
            Self::PeriodEmpty { .. } => "index.period_must_not_be_empty",
            Self::PriceMissing { .. } => "index.price_must_not_be_stale",
            Self::SnapshotMissing { .. } => "index.snapshot_must_be_recent",
            Self::NotInSnapshot { .. } => "index.member_must_be_in_the_snapshot",
            Self::NamedTwice { .. } => "index.asset_must_be_listed_once",
            Self::MemberUnpriced { .. } => "index.member_must_be_priced",
            Self::TooFewMembers { .. } => "index.must_have_enough_members",
            Self::NothingLeft { .. } => "index.basket_must_be_worth_something",
            Self::NotYetEffective(_) => "index.definition_must_be_effective",
            Self::Weight { error, .. } => error.code(),
            Self::Number(error) => error.code(),
        }
    }
}
