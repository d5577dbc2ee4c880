//! Coins between the fund's own balances. Lots belong to the fund, so a transfer leaves them alone.

use super::covered;
use super::orders::holds;
use crate::event::Event;
use crate::posting::balance;
use crate::refusal::Refusal;
use crate::state::FundState;
use std::collections::BTreeMap;
use strongroom_fund::definition::CustodyKind;
use strongroom_units::{Quantity, Symbol};

pub(super) fn transfer(
    state: &FundState,
    asset: Symbol,
    from: CustodyKind,
    to: CustodyKind,
    quantity: Quantity,
) -> Result<Vec<Event>, Refusal> {
    let known = state.definition().asset(asset).ok_or(Refusal::AssetMustBeInDefinition(asset))?;
    let quantity = Quantity::try_from_decimal(quantity.to_decimal(), known.scale)?;
    if from == to || quantity.is_zero() || quantity.is_negative() {
        return Err(Refusal::TransferMustMoveSomething);
    }
    holds(state, balance(from), &BTreeMap::from([(asset, quantity)]))?;
    covered(state, Event::CustodyTransferred { asset, from, to, quantity }, None)
}
