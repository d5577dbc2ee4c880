//! Weights of a basket: exact fractions that sum to one.

use crate::refusal::Refusal;
use std::collections::BTreeMap;
use strongroom_fund::FundDefinition;
use strongroom_units::{Money, NumberError, Rate, Rounding, Symbol};

const ONE: Rate = Rate::from_units(10i128.pow(Rate::SCALE as u32));

/// Refuses weights of assets that the fund may not hold, that are not above zero, or that do not sum to exactly one.
pub(super) fn check(definition: &FundDefinition, weights: &BTreeMap<Symbol, Rate>) -> Result<(), Refusal> {
    let mut sum = Rate::ZERO;
    for (asset, weight) in weights {
        if definition.asset(*asset).is_none() {
            return Err(Refusal::AssetMustBeInDefinition(*asset));
        }
        if *weight <= Rate::ZERO {
            return Err(Refusal::WeightMustBePositive { asset: *asset, weight: *weight });
        }
        sum = sum.try_add(*weight)?;
    }
    if sum == ONE { Ok(()) } else { Err(Refusal::WeightsMustSumToOne(sum)) }
}

/// A weight's part of an amount, rounded down at eight decimals.
pub(super) fn part(whole: Money, weight: Rate) -> Result<Money, NumberError> {
    whole.try_mul_div(weight.units(), ONE.units(), Rounding::Floor)
}
