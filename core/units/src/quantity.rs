//! Coins in base units of the asset's own scale, and shares.

use crate::decimal::plain_text;
use crate::wide::{mul_div, rescale};
use crate::{Decimal, NumberError, Rounding};
use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Serialize};

/// Decimals of an asset: 8 for bitcoin (satoshi), 18 for ether (wei). 0 to 18.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Scale(u8);

impl Scale {
    /// Refuses more than 18 decimals.
    pub fn try_new(decimals: u8) -> Result<Self, NumberError> {
        if decimals > 18 { Err(NumberError::ScaleOutOfRange(decimals)) } else { Ok(Self(decimals)) }
    }

    /// Decimals after the point.
    pub const fn decimals(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Scale {
    type Error = NumberError;

    fn try_from(decimals: u8) -> Result<Self, NumberError> {
        Self::try_new(decimals)
    }
}

impl From<Scale> for u8 {
    fn from(scale: Scale) -> Self {
        scale.0
    }
}

/// A count of base units of one asset, with the asset's scale.
///
/// Text keeps every decimal of the scale (`1.50000000`), so the scale survives writing and reading.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "std::borrow::Cow<'_, str>", into = "String")]
pub struct Quantity {
    units: i128,
    scale: Scale,
}

impl Quantity {
    /// Nothing, of an asset with this scale.
    pub const fn zero(scale: Scale) -> Self {
        Self { units: 0, scale }
    }

    /// `units` base units.
    pub const fn from_units(units: i128, scale: Scale) -> Self {
        Self { units, scale }
    }

    /// Reads a decimal number of whole coins; refuses more decimals than the asset has.
    pub fn parse(text: &str, scale: Scale) -> Result<Self, NumberError> {
        Self::try_from_decimal(text.parse()?, scale)
    }

    /// The exact decimal number of coins; refuses when a digit would be lost.
    pub fn try_from_decimal(value: Decimal, scale: Scale) -> Result<Self, NumberError> {
        Ok(Self { units: value.units_at(scale.0)?, scale })
    }

    /// The value as an exact decimal.
    pub fn to_decimal(self) -> Decimal {
        Decimal::from_fixed(self.units, self.scale.0)
    }

    /// Base units: satoshi, wei.
    pub const fn units(self) -> i128 {
        self.units
    }

    /// The asset's scale.
    pub const fn scale(self) -> Scale {
        self.scale
    }

    /// Whether there is nothing.
    pub const fn is_zero(self) -> bool {
        self.units == 0
    }

    /// Whether the quantity is below zero.
    pub const fn is_negative(self) -> bool {
        self.units < 0
    }

    /// `self + other`; refuses different scales and overflow.
    pub fn try_add(self, other: Self) -> Result<Self, NumberError> {
        self.with(other, self.units.checked_add(other.units))
    }

    /// `self - other`; refuses different scales and overflow.
    pub fn try_sub(self, other: Self) -> Result<Self, NumberError> {
        self.with(other, self.units.checked_sub(other.units))
    }

    /// `-self`, refused when it does not fit.
    pub fn try_neg(self) -> Result<Self, NumberError> {
        Ok(Self { units: self.units.checked_neg().ok_or(NumberError::Overflow)?, ..self })
    }

    /// `self × numerator ÷ denominator`, exact in 256 bits and rounded once.
    pub fn try_mul_div(
        self,
        numerator: i128,
        denominator: i128,
        rounding: Rounding,
    ) -> Result<Self, NumberError> {
        Ok(Self { units: mul_div(self.units, numerator, (denominator, 1), rounding)?, ..self })
    }

    /// The quantity kept to `decimals`, the rest rounded away: coin fees are filed at eight decimals.
    pub fn round_to(self, decimals: u8, rounding: Rounding) -> Result<Self, NumberError> {
        if decimals >= self.scale.0 {
            return Ok(self);
        }
        let coarse = rescale(self.units, self.scale.0, decimals, rounding)?;
        Ok(Self { units: rescale(coarse, decimals, self.scale.0, rounding)?, ..self })
    }

    fn with(self, other: Self, units: Option<i128>) -> Result<Self, NumberError> {
        if self.scale != other.scale {
            return Err(NumberError::MixedScales { left: self.scale.0, right: other.scale.0 });
        }
        Ok(Self { units: units.ok_or(NumberError::Overflow)?, scale: self.scale })
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&plain_text(self.units, self.scale.0, false))
    }
}

impl fmt::Debug for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Quantity {
    type Err = NumberError;

    /// The scale is the number of decimals written.
    fn from_str(text: &str) -> Result<Self, NumberError> {
        let decimals = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let scale = u8::try_from(decimals)
            .map_err(|_| NumberError::ScaleOutOfRange(u8::MAX))
            .and_then(Scale::try_new)?;
        Self::parse(text, scale)
    }
}

impl TryFrom<std::borrow::Cow<'_, str>> for Quantity {
    type Error = NumberError;

    fn try_from(text: std::borrow::Cow<'_, str>) -> Result<Self, NumberError> {
        text.parse()
    }
}

impl From<Quantity> for String {
    fn from(quantity: Quantity) -> Self {
        quantity.to_string()
    }
}

/// Whole shares of the fund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shares(i64);

impl Shares {
    /// No shares.
    pub const ZERO: Self = Self(0);

    /// A count of shares.
    pub const fn new(count: i64) -> Self {
        Self(count)
    }

    /// The count.
    pub const fn count(self) -> i64 {
        self.0
    }

    /// `self + other`, refused when it does not fit.
    pub fn try_add(self, other: Self) -> Result<Self, NumberError> {
        self.0.checked_add(other.0).map(Self).ok_or(NumberError::Overflow)
    }

    /// `self - other`, refused when it does not fit.
    pub fn try_sub(self, other: Self) -> Result<Self, NumberError> {
        self.0.checked_sub(other.0).map(Self).ok_or(NumberError::Overflow)
    }

    /// `self × count`, refused when it does not fit.
    pub fn try_mul(self, count: i64) -> Result<Self, NumberError> {
        self.0.checked_mul(count).map(Self).ok_or(NumberError::Overflow)
    }
}

impl fmt::Display for Shares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_keeps_the_scale() {
        let read: Quantity = "205398.85921873".parse().unwrap();
        assert_eq!((read.units(), read.scale().decimals()), (20_539_885_921_873, 8));
        assert_eq!(Quantity::parse("1.5", Scale(8)).unwrap().to_string(), "1.50000000");
        assert!("0.0000000000000000001".parse::<Quantity>().is_err());
    }

    #[test]
    fn different_assets_do_not_add() {
        let (a, b) = (Quantity::zero(Scale(8)), Quantity::zero(Scale(18)));
        assert_eq!(a.try_add(b).unwrap_err().code(), "number.scales_must_match");
    }

    #[test]
    fn a_coin_fee_is_rounded_to_eight_decimals_of_ether() {
        let fee: Quantity = "1.234567895000000001".parse().unwrap();
        assert_eq!(fee.round_to(8, Rounding::HalfUp).unwrap().to_string(), "1.234567900000000000");
    }
}
