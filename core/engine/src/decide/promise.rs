//! What can be promised per share after coins have left outside a strike, or the number of shares has changed.
//!
//! Orders may be on their way meanwhile: what is dealt is left out on both sides, as at a strike, and those who stay bear what the
//! coins of dealt orders no longer fit.

use super::strike::{Coming, per_share};
use crate::event::Promise;
use crate::order::OrderSide;
use crate::refusal::Refusal;
use crate::state::FundState;
use std::collections::BTreeMap;
use strongroom_units::{Money, Quantity, Shares, Symbol};

/// How coins leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaving {
    /// Out of what is set aside for what is owed in money, first.
    OfWhatIsSetAside,
    /// Out of what shares are owed.
    OfWhatIsOwedToShares,
}

pub(super) fn promises(
    state: &FundState,
    leaving: &BTreeMap<Symbol, Quantity>,
    how: Leaving,
    entitled: Shares,
) -> Result<BTreeMap<Symbol, Promise>, Refusal> {
    let coming = state.orders().filter(|order| order.side == OrderSide::Creation);
    let coming = coming.filter(|order| order.coins().is_some() && !order.is_funded());
    let shares = coming.into_iter().try_fold(Shares::ZERO, |sum, order| sum.try_add(order.shares))?;
    let mut promises = BTreeMap::new();
    for position in state.reserve().positions()? {
        let zero = Quantity::zero(position.held.scale());
        let (coins, going) = state.pending(position.asset, zero)?;
        let gone = leaving.get(&position.asset).copied().unwrap_or(zero);
        let left = position.set_aside.try_sub(gone)?;
        let set_aside = match how {
            Leaving::OfWhatIsOwedToShares => position.set_aside,
            Leaving::OfWhatIsSetAside if left.is_negative() => zero,
            Leaving::OfWhatIsSetAside => left,
        };
        let free = position.held.try_sub(gone)?.try_sub(going)?.try_sub(set_aside)?;
        let basket_amount = per_share(free, entitled, &Coming { coins, shares })?;
        if basket_amount.is_negative() {
            return Err(Refusal::NavMustBePositive(Money::ZERO));
        }
        promises.insert(position.asset, Promise { basket_amount, set_aside });
    }
    Ok(promises)
}
