//! The portfolio composition file of the next session: what a creation unit was worth, and holds, at the last strike.

use crate::refusal::Refusal;
use crate::state::FundState;
use std::collections::BTreeMap;
use strongroom_fund::composition::{Component, Composition, CompositionError, Header, Listing};
use strongroom_units::{Money, Rounding, Shares};
use thiserror::Error;

/// Why there is no composition file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BasketError {
    /// A rule of the fund.
    #[error(transparent)]
    Rule(#[from] Refusal),
    /// A rule of the file.
    #[error(transparent)]
    Composition(#[from] CompositionError),
}

impl BasketError {
    /// The stable code: the rule that was broken.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Rule(refusal) => refusal.code(),
            Self::Composition(error) => error.code(),
        }
    }
}

/// The composition of one creation unit as of the last strike, for the session after it.
///
/// Coins are the Basket Amount of a share × the unit, rounded down to the asset's base unit; what is left of the
/// unit's NAV is estimated cash. Coins for which cash stands in are no components: total cash is estimated cash and what they
/// are worth, as in the files of custom baskets, so that components and total cash come to the unit's NAV. Money at eight decimals; [`Composition::to_cents`] rounds it for the fixed-width form.
pub fn composition(state: &FundState) -> Result<Composition, BasketError> {
    let definition = state.definition();
    let nav = state.last_nav().ok_or(Refusal::FundMustBeOpen)?;
    let trade_date = definition.calendar.next_session(nav.date).map_err(Refusal::from)?;
    let unit = definition.creation_unit.at(trade_date).copied().unwrap_or(Shares::new(1));
    let figures = &nav.current;
    // What the next session's baskets hold: a rebalance since the strike has changed it.
    let amounts: BTreeMap<_, _> = match state.has_changed_since_strike() {
        true => state.reserve().basket_amounts().collect(),
        false => figures.basket_amount.clone(),
    };
    let prices = state.last_prices();
    let mut components = Vec::new();
    let (mut coins_value, mut in_lieu) = (Money::ZERO, Money::ZERO);
    for asset in &definition.assets {
        let amount = amounts.get(&asset.symbol).copied().unwrap_or_default();
        let quantity = amount.times(unit, asset.scale, Rounding::Floor).map_err(Refusal::from)?;
        let price = prices.get(&asset.symbol).copied().unwrap_or_default();
        let value = price.value(quantity, Rounding::HalfEven).map_err(Refusal::from)?;
        coins_value = coins_value.try_add(value).map_err(Refusal::from)?;
        if !definition.delivers(asset.symbol, trade_date) {
            in_lieu = in_lieu.try_add(value).map_err(Refusal::from)?;
        } else if !quantity.is_zero() {
            components.push(Component {
                symbol: asset.symbol,
                cusip: None,
                listing: Listing::default(),
                quantity,
            });
        }
    }
    let count = i128::from(unit.count());
    let nav_per_unit = figures.nav_per_share.times(count, Rounding::HalfEven).map_err(Refusal::from)?;
    let cash = nav_per_unit.try_sub(coins_value).map_err(Refusal::from)?;
    let header = Header {
        fund: definition.id,
        name: definition.name.parse().ok(),
        cusip: None,
        listing: Listing::default(),
        trade_date,
        creation_unit: unit,
        estimated_cash: cash,
        estimated_cash_per_share: cash.try_mul_div(1, count, Rounding::HalfEven).map_err(Refusal::from)?,
        nav_per_creation_unit: nav_per_unit,
        nav_per_share: figures.nav_per_share_published,
        total_cash: cash.try_add(in_lieu).map_err(Refusal::from)?,
        shares_outstanding: state.outstanding().map_err(Refusal::from)?,
        dividend: Money::ZERO,
        cash_indicator: None,
    };
    Ok(Composition::try_new(header, components)?)
}
