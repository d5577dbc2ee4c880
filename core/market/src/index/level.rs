//! The level of a basket and its divisor.

use serde::{Deserialize, Serialize};
use strongroom_units::{NumberError, Price, Quantity, Rounding};

const UNIT: i128 = 10i128.pow(Price::SCALE as u32);

/// `Σ quantity × price`, each product half even at eighteen decimals.
pub fn basket_value(holdings: impl IntoIterator<Item = (Quantity, Price)>) -> Result<Price, NumberError> {
    holdings.into_iter().try_fold(Price::ZERO, |sum, (quantity, price)| {
        let one = 10i128.checked_pow(u32::from(quantity.scale().decimals())).ok_or(NumberError::Overflow)?;
        sum.try_add(price.try_mul_div(quantity.units(), one, Rounding::HalfEven)?)
    })
}

/// What one point of an index is worth, in the index's currency at eighteen decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Divisor(Price);

impl Divisor {
    /// A divisor as published; refuses zero and less.
    pub fn try_new(value: Price) -> Result<Self, NumberError> {
        if value <= Price::ZERO { Err(NumberError::DivisionByZero) } else { Ok(Self(value)) }
    }

    /// The divisor with which a basket's value is a level: half even at eighteen decimals.
    pub fn at_level(value: Price, level: Price) -> Result<Self, NumberError> {
        Self::try_new(value.try_mul_div(UNIT, level.units(), Rounding::HalfEven)?)
    }

    /// The divisor after a change at one set of prices: `D × value after ÷ value before`, half even at eighteen
    /// decimals, so that the level is the same before and after to within `level ÷ (2 D 10^18) + 10^-18`.
    pub fn chained(self, before: Price, after: Price) -> Result<Self, NumberError> {
        Self::try_new(self.0.try_mul_div(after.units(), before.units(), Rounding::HalfEven)?)
    }

    /// `value ÷ divisor`, half even at eighteen decimals.
    pub fn level(self, value: Price) -> Result<Price, NumberError> {
        value.try_mul_div(UNIT, self.0.units(), Rounding::HalfEven)
    }

    /// The number.
    pub fn value(self) -> Price {
        self.0
    }
}
