//! Rates, and quantities per share.

use crate::fixed::fixed_scale_number;
use crate::wide::{mul_div, pow10};
use crate::{NumberError, Quantity, Rounding, Scale, Shares};

fixed_scale_number! {
    /// A fraction of one at eighteen decimals: 0.0025 is a quarter of a per cent.
    Rate, 18
}

fixed_scale_number! {
    /// Coins per share at twenty-four decimals: the Basket Amount of one share.
    ///
    /// Twenty-four decimals keep the error below one wei for a million shares and below a satoshi for any
    /// number of shares that exists.
    PerShare, 24
}

impl PerShare {
    /// `quantity ÷ shares`.
    pub fn of(quantity: Quantity, shares: Shares, rounding: Rounding) -> Result<Self, NumberError> {
        let widen = pow10(u32::from(Self::SCALE - quantity.scale().decimals()))?;
        mul_div(quantity.units(), widen, (i128::from(shares.count()), 1), rounding).map(Self::from_units)
    }

    /// The quantity of `shares` shares, at `scale` decimals of the asset.
    pub fn times(self, shares: Shares, scale: Scale, rounding: Rounding) -> Result<Quantity, NumberError> {
        let shrink = pow10(u32::from(Self::SCALE - scale.decimals()))?;
        let units = mul_div(self.units(), i128::from(shares.count()), (shrink, 1), rounding)?;
        Ok(Quantity::from_units(units, scale))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shares_are_owed_never_exceeds_what_was_divided() {
        let held: Quantity = "1.00000000".parse().unwrap();
        let shares = Shares::new(3);
        let per_share = PerShare::of(held, shares, Rounding::Floor).unwrap();
        assert_eq!(per_share.to_string(), "0.333333333333333333333333");
        assert_eq!(per_share.times(shares, held.scale(), Rounding::Ceiling).unwrap(), held);
    }

    #[test]
    fn a_rate_is_read_as_a_fraction() {
        assert_eq!("0.0025".parse::<Rate>().unwrap().units(), 2_500_000_000_000_000);
    }
}
