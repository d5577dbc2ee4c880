//! From the changes of an index to the targets of the fund that follows it.
//!
//! An index changes at the close of any day of the year; a fund trades on sessions. What the index holds for each point of
//! its level is valued at the prices of the session, so on a later session the targets are the weights to which the index
//! itself has drifted by then.

use std::collections::BTreeMap;
use strongroom_fund::FundDefinition;
use strongroom_market::index::{AssetId, Frequency, Index, IndexRun};
use strongroom_units::time::{Date, TimeError};
use strongroom_units::{NumberError, PerShare, Price, Rate, Rounding, Symbol};
use thiserror::Error;

const ONE: i128 = 10i128.pow(Rate::SCALE as u32);

/// What a basket is to hold after the strike of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Weights, to exactly one.
    pub weights: BTreeMap<Symbol, Rate>,
    /// The day on which the index changed.
    pub effective: Date,
    /// Why, for the record.
    pub reason: String,
}

/// Why an index cannot be followed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BasketError {
    /// A member without a symbol in price files.
    #[error("{0} has no price symbol in the index definition, so no fund can hold it")]
    MemberMustHaveSymbol(String),
    /// A member that the fund may not hold.
    #[error("the index holds {asset} from {date} on; the fund definition has no [[asset]] for it")]
    MemberMustBeInDefinition {
        /// The member.
        asset: Symbol,
        /// When the index changes.
        date: Date,
    },
    /// No price on the session on which the fund would trade.
    #[error("no price of {asset} for {date}")]
    PriceMissing {
        /// The member.
        asset: Symbol,
        /// The session.
        date: Date,
    },
    /// The index begins after the fund.
    #[error("the index has no members on the fund's seed date {0}")]
    IndexMustCoverTheSeed(Date),
    /// A date outside the calendar.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// A sum that does not fit.
    #[error(transparent)]
    Number(#[from] NumberError),
}

impl BasketError {
    /// The stable code: the rule that was broken.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MemberMustHaveSymbol(_) => "backtest.member_must_have_symbol",
            Self::MemberMustBeInDefinition { .. } => "backtest.member_must_be_in_definition",
            Self::PriceMissing { .. } => "backtest.price_must_be_given",
            Self::IndexMustCoverTheSeed(_) => "backtest.index_must_cover_the_seed",
            Self::Time(error) => error.code(),
            Self::Number(error) => error.code(),
        }
    }
}

/// The targets of each session on which the fund trades: the seed's, and one for each change of the index since, on its
/// day or on the first session after it. Of two changes that fall to one session the later counts.
pub fn targets(
    definition: &FundDefinition,
    (index, run): (&Index, &IndexRun),
    prices: &BTreeMap<Symbol, BTreeMap<Date, Price>>,
    through: Date,
) -> Result<BTreeMap<Date, Target>, BasketError> {
    let seed = definition.seed.date;
    let mut targets = BTreeMap::new();
    for change in &run.reconstitutions {
        let session = session_for(definition, change.date)?.max(seed);
        if session <= through {
            let members = change.members.iter();
            let held = members.map(|member| (member.asset.clone(), member.per_index_point)).collect();
            let held = Held { date: change.date, per_index_point: &held };
            let made = target(definition, index, held, session, prices)?;
            let reason = format!("{} of {} on {}", change.kind, index.id, change.date);
            targets.insert(session, Target { reason, ..made });
        }
    }
    if targets.contains_key(&seed) { Ok(targets) } else { Err(BasketError::IndexMustCoverTheSeed(seed)) }
}

/// By what symbol a fund holds a member: that of its closes or, where prices are those of snapshots, its id.
pub fn symbol_of(index: &Index, id: &AssetId) -> Option<Symbol> {
    let asset = index.asset(id)?;
    let from_snapshots = Frequency::from(index.prices()) == Frequency::SnapshotsOnly;
    let symbol = asset.price.clone().or_else(|| from_snapshots.then(|| id.to_string()));
    symbol.and_then(|symbol| symbol.parse().ok())
}

/// The session on which a fund can act on what is known of a day: that day or the first after it.
pub fn session_for(definition: &FundDefinition, date: Date) -> Result<Date, TimeError> {
    if definition.calendar.is_session(date) { Ok(date) } else { definition.calendar.next_session(date) }
}

/// What the index holds for each point of its level, from a day on.
#[derive(Clone, Copy)]
pub(crate) struct Held<'a> {
    pub date: Date,
    pub per_index_point: &'a BTreeMap<AssetId, PerShare>,
}

pub(crate) fn target(
    definition: &FundDefinition,
    index: &Index,
    held: Held<'_>,
    session: Date,
    prices: &BTreeMap<Symbol, BTreeMap<Date, Price>>,
) -> Result<Target, BasketError> {
    let mut values = BTreeMap::new();
    for (member, per_index_point) in held.per_index_point {
        let asset =
            symbol_of(index, member).ok_or_else(|| BasketError::MemberMustHaveSymbol(member.to_string()))?;
        if definition.asset(asset).is_none() {
            return Err(BasketError::MemberMustBeInDefinition { asset, date: held.date });
        }
        let price = prices.get(&asset).and_then(|prices| prices.get(&session)).copied();
        let price = price.ok_or(BasketError::PriceMissing { asset, date: session })?;
        let value = per_index_point.try_mul_div(price.units(), ONE, Rounding::HalfEven)?;
        values.insert(asset, value);
    }
    Ok(Target { weights: weights(&values)?, effective: held.date, reason: String::new() })
}

/// Parts of the whole at eighteen decimals, rounded down; the largest takes what is left, so that they come to one.
fn weights(values: &BTreeMap<Symbol, PerShare>) -> Result<BTreeMap<Symbol, Rate>, NumberError> {
    let whole = values.values().try_fold(PerShare::ZERO, |sum, value| sum.try_add(*value))?;
    let mut weights = BTreeMap::new();
    let mut rest = Rate::from_units(ONE);
    for (asset, value) in values {
        let one = PerShare::from_units(ONE);
        let weight =
            Rate::from_units(one.try_mul_div(value.units(), whole.units(), Rounding::Floor)?.units());
        rest = rest.try_sub(weight)?;
        weights.insert(*asset, weight);
    }
    if let Some((asset, weight)) = weights.iter().max_by_key(|(_, weight)| **weight).map(|(a, w)| (*a, *w)) {
        weights.insert(asset, weight.try_add(rest)?);
    }
    Ok(weights)
}
