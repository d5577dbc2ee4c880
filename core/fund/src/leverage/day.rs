//! One day of a fund with a daily multiple, in exact money.

use strongroom_units::{Money, NumberError, Rate, Rounding};

const ONE: i128 = 10i128.pow(Rate::SCALE as u32);
const DAYS_A_YEAR: i128 = 365;
const DAYS_A_MONEY_MARKET_YEAR: i128 = 360;

/// What a fund pays and earns in a day beside its multiple of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DayTerms {
    /// Sponsor fee a year, on 365 days.
    pub fee: Rate,
    /// Rate a year, on 360 days, paid on what is borrowed (factor − 1) and, below 1, earned on what is lent.
    pub financing: Rate,
}

/// What a fund of this factor trades at the close so that its exposure is again factor × net assets:
/// `net assets before × factor × (factor − 1) × index return`. Positive is a purchase. Half even at eight decimals.
///
/// It has the sign of the index return for every factor above 1 and below 0: such funds buy on a rise and sell on a fall.
/// (Cheng and Madhavan, 2009, eq. 8.)
pub fn rebalance_trade(before: Money, factor: Rate, index_return: Rate) -> Result<Money, NumberError> {
    let multiple = times(factor, factor.try_sub(Rate::from_units(ONE))?)?;
    of(before, times(multiple, index_return)?)
}

/// Net assets after one day: `before × (1 + factor × return − fee ÷ 365 − (factor − 1) × financing ÷ 360)`, each term
/// rounded half even at eight decimals.
pub fn net_assets_after(
    before: Money,
    factor: Rate,
    index_return: Rate,
    terms: &DayTerms,
) -> Result<Money, NumberError> {
    let gain = of(before, times(factor, index_return)?)?;
    let year = |days: i128| days.checked_mul(ONE).ok_or(NumberError::Overflow);
    let fee = before.try_mul_div(terms.fee.units(), year(DAYS_A_YEAR)?, Rounding::HalfEven)?;
    let borrowed = of(before, factor.try_sub(Rate::from_units(ONE))?)?;
    let financing =
        borrowed.try_mul_div(terms.financing.units(), year(DAYS_A_MONEY_MARKET_YEAR)?, Rounding::HalfEven)?;
    before.try_add(gain)?.try_sub(fee)?.try_sub(financing)
}

fn times(a: Rate, b: Rate) -> Result<Rate, NumberError> {
    a.try_mul_div(b.units(), ONE, Rounding::HalfEven)
}

fn of(amount: Money, rate: Rate) -> Result<Money, NumberError> {
    amount.try_mul_div(rate.units(), ONE, Rounding::HalfEven)
}
