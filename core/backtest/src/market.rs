//! The past, or the pretended past, that a run takes place in.

use crate::basket::Target;
use crate::happenings::Changes;
use std::collections::BTreeMap;
use strongroom_fund::definition::Strike;
use strongroom_units::time::{Date, Time, Timestamp, Zone};
use strongroom_units::{Money, NumberError, Price, Rate, Rounding, Symbol};

const SECONDS_A_DAY: i64 = 86_400;

/// The past that a backtest runs in.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Market {
    /// The reference rate at the strike, per asset and calendar day.
    pub prices: BTreeMap<Symbol, BTreeMap<Date, Price>>,
    /// Net creations in money, per session; negative are redemptions.
    pub flows: BTreeMap<Date, Money>,
    /// What a basket is brought to after the strike of a session; the seed's are those of its own day.
    pub targets: BTreeMap<Date, Target>,
    /// What happened to assets of a basket, by the session before whose strike it is recorded.
    pub changes: Changes,
    /// Funding rates of perpetual futures, by the instant at which they fell due.
    pub funding: BTreeMap<Timestamp, Rate>,
    /// Where the funding rates come from, for the record.
    pub funding_source: String,
    /// Gross annual staking yields as fractions, per calendar day; a day without one has no reward.
    pub staking_yields: BTreeMap<Date, Rate>,
    /// Where the prices come from, for the record.
    pub source: String,
    /// Who places the orders, for the record.
    pub participant: String,
    /// The decision to record where a price breaks a tolerance; without one the run stops there.
    pub accept: Option<String>,
}

/// Prices at a strike, interpolated between daily closes at 00:00 UTC: the close of a day is its last instant, so the
/// strike of a day lies between the close of the day before and its own. Half even at eighteen decimals; a day whose
/// neighbour is missing has none.
pub fn at_strike(
    closes: &BTreeMap<Date, Price>,
    strike: Strike,
) -> Result<BTreeMap<Date, Price>, NumberError> {
    let mut prices = BTreeMap::new();
    for (date, close) in closes {
        let (Ok(instant), Ok(midnight)) = (strike.instant(*date), Zone::Utc.instant(*date, Time::midnight()))
        else {
            continue;
        };
        let seconds = instant.as_second() - midnight.as_second();
        if !(0..=SECONDS_A_DAY).contains(&seconds) {
            continue; // a strike east of the date line, on another UTC day
        }
        let Some(before) = date.yesterday().ok().and_then(|day| closes.get(&day)) else { continue };
        let moved = close.try_sub(*before)?;
        let part = moved.try_mul_div(i128::from(seconds), i128::from(SECONDS_A_DAY), Rounding::HalfEven)?;
        prices.insert(*date, before.try_add(part)?);
    }
    Ok(prices)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strike_lies_between_the_closes_around_it() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        let closes = [("2024-01-10", "40000"), ("2024-01-11", "46400"), ("2024-07-01", "1")];
        let closes = closes.iter().map(|(date, price)| (day(date), price.parse().unwrap())).collect();
        let strike = Strike { zone: Zone::NewYork, time: Time::constant(16, 0, 0, 0) };
        let prices = at_strike(&closes, strike).unwrap();
        // 21:00 UTC in winter is 21/24 of the way from one midnight to the next.
        assert_eq!(prices, BTreeMap::from([(day("2024-01-11"), "45600".parse().unwrap())]));
    }
}
