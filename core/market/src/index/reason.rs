//! Why a coin is in, why it is out, and what is worth a line in the log.

use super::asset::AssetId;
use core::fmt;
use serde::Serialize;
use strongroom_units::time::Date;
use strongroom_units::{Money, Price, Quantity};

/// Why a coin is a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "rule", rename_all = "kebab-case")]
pub enum InReason {
    /// Its rank is among the first.
    Ranked {
        /// Members wanted.
        count: u16,
    },
    /// It was a member and its rank is within the buffer.
    KeptByBuffer {
        /// The last rank at which a member stays.
        stays_to: u32,
    },
    /// A higher rank has no full price history.
    Replaces {
        /// Who.
        asset: AssetId,
        /// Its rank.
        rank: u32,
    },
    /// A theme names it.
    InTheme {
        /// The theme.
        theme: String,
        /// Since when.
        from: Date,
    },
    /// Everything eligible is a member.
    Eligible,
    /// It was a member, and this change is of weights only.
    Stays,
}

impl fmt::Display for InReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ranked { count } => write!(f, "among the first {count} by market capitalisation"),
            Self::KeptByBuffer { stays_to } => write!(f, "a member stays down to rank {stays_to}"),
            Self::Replaces { asset, rank } => write!(f, "next rank, in place of {asset} at {rank}"),
            Self::InTheme { theme, from } => write!(f, "named by theme {theme} since {from}"),
            Self::Eligible => f.write_str("eligible"),
            Self::Stays => f.write_str("member already; only weights change"),
        }
    }
}

/// Why a coin is not a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "rule", rename_all = "kebab-case")]
pub enum OutReason {
    /// A list excludes it.
    Excluded {
        /// The list.
        list: String,
    },
    /// No theme of the index names it.
    NotInTheme,
    /// A theme names it and the snapshot does not list it.
    NotInSnapshot,
    /// Its turnover is too low.
    VolumeTooLow {
        /// Turnover of 24 hours.
        volume_24h: Money,
        /// Least.
        min: Money,
    },
    /// Its price is too low.
    PriceTooLow {
        /// Its price.
        price: Price,
        /// Least.
        min: Price,
    },
    /// It is too young.
    TooYoung {
        /// Since when it is known.
        since: Date,
        /// Least days.
        days_min: u16,
    },
    /// It has no capitalisation.
    NoMarketCap,
    /// Weights are fixed and it has none.
    NoFixedWeight,
    /// It was delisted, or became another asset.
    Gone {
        /// After the close of which day.
        since: Date,
    },
    /// Its rank is too low.
    RankTooLow {
        /// Members wanted.
        count: u16,
    },
    /// A member within the buffer kept its place.
    BufferHeld {
        /// The last rank at which a member stays.
        stays_to: u32,
    },
    /// It has no full price history.
    Unpriced {
        /// What it lacks.
        lacks: Lack,
    },
}

impl fmt::Display for OutReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Excluded { list } => write!(f, "excluded: {list}"),
            Self::NotInTheme => f.write_str("in no theme of the index"),
            Self::NotInSnapshot => f.write_str("not in the snapshot"),
            Self::VolumeTooLow { volume_24h, min } => write!(f, "turnover {volume_24h} is below {min}"),
            Self::PriceTooLow { price, min } => write!(f, "price {price} is below {min}"),
            Self::TooYoung { since, days_min } => write!(f, "known since {since}, less than {days_min} days"),
            Self::NoMarketCap => f.write_str("the snapshot gives it no market capitalisation"),
            Self::NoFixedWeight => f.write_str("has no fixed weight"),
            Self::Gone { since } => write!(f, "no longer exists after {since}"),
            Self::RankTooLow { count } => write!(f, "not among the first {count}"),
            Self::BufferHeld { stays_to } => write!(f, "members down to rank {stays_to} keep their places"),
            Self::Unpriced { lacks } => lacks.fmt(f),
        }
    }
}

/// What a coin lacks to be priced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "lacks", rename_all = "kebab-case")]
pub enum Lack {
    /// The definition names no price series for it, or the market files have none.
    Series,
    /// Days without a price of its own.
    Days {
        /// How many.
        missing: u16,
        /// Of how many.
        of: u16,
        /// The last one.
        last: Date,
    },
    /// The snapshot's price is rounded to zero.
    Digits,
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Series => f.write_str("no daily prices in the market files"),
            Self::Days { missing, of, last } => {
                write!(f, "no price on {missing} of {of} days, the last {last}")
            }
            Self::Digits => f.write_str("the snapshot's price is rounded to zero"),
        }
    }
}

/// Something that a reader of the index has to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Logged {
    /// A coin without a full price history gave its place to the next rank.
    Replaced {
        /// Who.
        asset: AssetId,
        /// Its rank.
        rank: u32,
        /// What it lacks.
        lacks: Lack,
        /// By whom.
        by: AssetId,
        /// The rank of that.
        by_rank: u32,
    },
    /// A coin that belongs is left out.
    LeftOut {
        /// Who.
        asset: AssetId,
        /// Why.
        why: OutReason,
    },
    /// A level used an older price.
    PriceCarried {
        /// Whose.
        asset: AssetId,
        /// Of which day.
        from: Date,
    },
    /// A member's supply differs a lot from the snapshot before.
    SupplyJumped {
        /// Whose.
        asset: AssetId,
        /// Supply before.
        from: Quantity,
        /// Supply now, which is used.
        to: Quantity,
    },
    /// An event.
    Happened {
        /// Which.
        event: &'static str,
        /// To whom.
        asset: AssetId,
        /// What came of it.
        so: String,
    },
}

impl fmt::Display for Logged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replaced { asset, rank, lacks, by, by_rank } => {
                write!(f, "{asset} at rank {rank} is replaced by {by} at rank {by_rank}: {lacks}")
            }
            Self::LeftOut { asset, why } => write!(f, "{asset} is left out: {why}"),
            Self::PriceCarried { asset, from } => write!(f, "{asset} is priced by its close of {from}"),
            Self::SupplyJumped { asset, from, to } => {
                let whole = |supply: &Quantity| {
                    supply.to_decimal().to_display(0).unwrap_or_else(|_| supply.to_string())
                };
                write!(
                    f,
                    "the supply of {asset} goes from {} to {} between two snapshots",
                    whole(from),
                    whole(to)
                )
            }
            Self::Happened { event, asset, so } => write!(f, "{event} of {asset}: {so}"),
        }
    }
}
