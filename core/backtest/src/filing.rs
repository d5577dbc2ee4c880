//! A backtest set beside what a trust has filed: coins at period ends and the change between them.

use strongroom_units::time::Date;
use strongroom_units::{Decimal, NumberError};

/// A figure of ours beside a filed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comparison {
    /// The end of the period.
    pub date: Date,
    /// Coins as filed.
    pub filed: Decimal,
    /// Coins as computed.
    pub computed: Decimal,
    /// By how many per cent the computed figure is above the filed one, half even at four decimals.
    pub difference_percent: Decimal,
}

impl Comparison {
    /// Sets two figures beside each other; refuses a filed figure of zero.
    pub fn try_new(date: Date, filed: Decimal, computed: Decimal) -> Result<Self, NumberError> {
        Ok(Self { date, filed, computed, difference_percent: computed.percent_above(filed)? })
    }

    /// The change since another period end, filed and computed, set beside each other in the same way.
    pub fn since(&self, earlier: &Self) -> Result<Self, NumberError> {
        Self::try_new(self.date, self.filed.try_sub(earlier.filed)?, self.computed.try_sub(earlier.computed)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_compared_like_a_holding() {
        let at = |date: &str, filed: &str, computed: &str| {
            Comparison::try_new(date.parse().unwrap(), filed.parse().unwrap(), computed.parse().unwrap())
                .unwrap()
        };
        let (june, september) =
            (at("2024-06-30", "306979", "307000"), at("2024-09-30", "366448", "366400.5"));
        assert_eq!(june.difference_percent, "0.0068".parse().unwrap());
        let change = september.since(&june).unwrap();
        assert_eq!((change.filed, change.computed), ("59469".parse().unwrap(), "59400.5".parse().unwrap()));
        assert_eq!(change.difference_percent, "-0.1152".parse().unwrap());
    }
}
