//! Money of one currency and prices in it.

use crate::fixed::fixed_scale_number;
use crate::wide::{mul_div, pow10};
use crate::{NumberError, Quantity, Rounding};

fixed_scale_number! {
    /// An amount of the fund's currency at eight decimals.
    ///
    /// Accruals and valuations keep all eight; what is paid is rounded to cents when it is paid
    /// ([`Money::to_cents`]), and the fraction stays on the books.
    Money, 8
}

fixed_scale_number! {
    /// Currency per whole unit of an asset, or per share, at eighteen decimals.
    Price, 18
}

impl Money {
    /// The value rounded to whole cents.
    pub fn to_cents(self, rounding: Rounding) -> Result<Self, NumberError> {
        self.round_to(2, rounding)
    }

    /// The value of one of `count` equal parts, as a price: net assets per share.
    pub fn per(self, count: i128, rounding: Rounding) -> Result<Price, NumberError> {
        let widen = pow10(u32::from(Price::SCALE - Self::SCALE))?;
        mul_div(self.units(), widen, (count, 1), rounding).map(Price::from_units)
    }

    /// This money for each whole unit of `quantity`, as a price: the average cost of a lot.
    pub fn per_unit_of(self, quantity: Quantity, rounding: Rounding) -> Result<Price, NumberError> {
        let widen = pow10(u32::from(Price::SCALE - Self::SCALE + quantity.scale().decimals()))?;
        mul_div(self.units(), widen, (quantity.units(), 1), rounding).map(Price::from_units)
    }

    /// The quantity that this money buys at `price`, at `scale` decimals of the asset.
    pub fn buys(
        self,
        price: Price,
        scale: crate::Scale,
        rounding: Rounding,
    ) -> Result<Quantity, NumberError> {
        // money·10^-8 ÷ price·10^-18 = quantity·10^-scale
        let widen = pow10(u32::from(Price::SCALE - Self::SCALE + scale.decimals()))?;
        let units = mul_div(self.units(), widen, (price.units(), 1), rounding)?;
        Ok(Quantity::from_units(units, scale))
    }
}

impl Price {
    /// The value of `quantity` at this price, in money at eight decimals.
    pub fn value(self, quantity: Quantity, rounding: Rounding) -> Result<Money, NumberError> {
        let shrink = pow10(u32::from(Self::SCALE - Money::SCALE + quantity.scale().decimals()))?;
        mul_div(self.units(), quantity.units(), (shrink, 1), rounding).map(Money::from_units)
    }

    /// The value of `count` shares at this price, in money at eight decimals.
    pub fn times(self, count: i128, rounding: Rounding) -> Result<Money, NumberError> {
        let shrink = pow10(u32::from(Self::SCALE - Money::SCALE))?;
        mul_div(self.units(), count, (shrink, 1), rounding).map(Money::from_units)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scale;

    fn money(text: &str) -> Money {
        text.parse().unwrap()
    }

    fn price(text: &str) -> Price {
        text.parse().unwrap()
    }

    fn coins(text: &str, decimals: u8) -> Quantity {
        Quantity::parse(text, Scale::try_new(decimals).unwrap()).unwrap()
    }

    #[test]
    fn quantity_times_price_is_exact_money() {
        let value = price("61700").value(coins("113.3", 8), Rounding::HalfEven).unwrap();
        assert_eq!(value, money("6990610.00"));
    }

    #[test]
    fn a_billion_million_coins_in_wei_are_valued_without_overflow() {
        let value =
            price("3000.123456789").value(coins("1000000000000000.000000000000000001", 18), Rounding::Floor);
        assert_eq!(value.unwrap(), money("3000123456789000000"));
    }

    #[test]
    fn money_buys_a_quantity_with_named_rounding() {
        let bought =
            money("10000000").buys(price("44179.5"), Scale::try_new(8).unwrap(), Rounding::Floor).unwrap();
        assert_eq!(bought.to_string(), "226.34932491");
    }

    #[test]
    fn one_day_of_fee_on_a_hundred_million_by_day_count() {
        // fund.md 3.4: 0.25 % a year on $100M is 694.44 /360, 684.93 /365, 683.06 /366.
        for (days, cents) in [(360, "694.44"), (365, "684.93"), (366, "683.06")] {
            let fee = money("100000000").try_mul_div(25, 10_000 * days, Rounding::HalfEven).unwrap();
            assert_eq!(fee.to_cents(Rounding::HalfUp).unwrap(), money(cents));
        }
    }

    #[test]
    fn net_assets_per_share_and_back() {
        let per_share = money("1624710.58").per(50_000, Rounding::HalfEven).unwrap();
        assert_eq!(per_share, price("32.4942116"));
        assert_eq!(per_share.times(50_000, Rounding::HalfEven).unwrap(), money("1624710.58"));
    }

    #[test]
    fn overflow_is_refused() {
        let most = Money::from_units(i128::MAX);
        assert_eq!(most.try_add(Money::from_units(1)), Err(NumberError::Overflow));
        assert_eq!(Money::from_units(i128::MIN).try_neg(), Err(NumberError::Overflow));
        assert_eq!(money("1").per(0, Rounding::Down), Err(NumberError::DivisionByZero));
    }
}
