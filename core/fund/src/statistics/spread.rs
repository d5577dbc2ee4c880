//! The median bid-ask spread of a period, as Rule 6c-11(c)(1)(v) words it.

use super::StatisticsError;
use strongroom_units::{Decimal, Price, Rate, Rounding};

/// National best bid and offer at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    /// Best bid, above zero.
    pub bid: Price,
    /// Best offer, at or above the bid.
    pub ask: Price,
}

/// Median of `(ask - bid) / midpoint`, as a fraction rounded half up to four decimals: the nearest hundredth of
/// a per cent.
///
/// The rule takes the quote at the end of each 10-second interval of each trading day of the last 30 calendar
/// days. Of an even number of quotes the median is the mean of the middle two. Refuses no quote, a crossed quote
/// and a bid that is not above zero; a locked quote has spread 0.
pub fn median_spread(quotes: &[Quote]) -> Result<Rate, StatisticsError> {
    super::moments::need(1, quotes.len())?;
    let mut spreads = Vec::with_capacity(quotes.len());
    for (index, quote) in quotes.iter().enumerate() {
        if quote.bid <= Price::ZERO || quote.ask < quote.bid {
            return Err(StatisticsError::QuoteMustNotCross { index });
        }
        spreads.push(relative_spread(*quote)?);
    }
    spreads.sort_unstable();
    let upper = spreads.get(spreads.len() / 2).copied().unwrap_or(Rate::ZERO);
    let lower = spreads.get((spreads.len() - 1) / 2).copied().unwrap_or(Rate::ZERO);
    let bps = lower.try_add(upper)?.try_mul_div(10_000, 2 * ONE, Rounding::HalfUp)?;
    Ok(Decimal::try_new(bps.units(), 4).and_then(Rate::try_from_decimal)?)
}

/// One, in units of a [`Rate`].
const ONE: i128 = 1_000_000_000_000_000_000;

/// `(ask - bid) / ((ask + bid) / 2)`, half even at eighteen decimals.
fn relative_spread(quote: Quote) -> Result<Rate, StatisticsError> {
    let twice_gap = quote.ask.try_sub(quote.bid)?.try_mul_div(2, 1, Rounding::HalfEven)?;
    let twice_midpoint = quote.ask.try_add(quote.bid)?;
    Ok(Rate::from_units(twice_gap.units()).try_mul_div(ONE, twice_midpoint.units(), Rounding::HalfEven)?)
}
