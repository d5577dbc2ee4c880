//! A market that never was: prices and participants from a seed. The same seed gives the same market.

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};
use std::collections::BTreeMap;
use strongroom_units::time::Date;
use strongroom_units::{NumberError, Price, Rounding};

/// Random numbers from a seed. Only sums and products are taken of them, so that every machine gets the same bits.
pub(super) struct Dice(Pcg64Mcg);

impl Dice {
    /// `stream` keeps the funds and coins of one seed apart.
    pub fn new(seed: u64, stream: u64) -> Self {
        Self(Pcg64Mcg::seed_from_u64(seed ^ (stream << 48)))
    }

    /// A whole number from 0 to `below` − 1.
    pub fn below(&mut self, below: u64) -> u64 {
        self.0.next_u64() % below.max(1)
    }

    /// Whether something with this chance in a hundred happens.
    pub fn happens(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// A bell-shaped whole number around 0: twelve dice less their mean. About two in three are within ±`spread`.
    pub fn around_zero(&mut self, spread: i64) -> i64 {
        let steps: i64 = (0..12).map(|_| self.below(2_001).cast_signed() - 1_000).sum();
        // Twelve uniform numbers in ±1000 have a standard deviation of 2000.
        steps * spread / 2_000
    }
}

/// Daily prices of one coin from `from` through `to`, at so many decimals, moving by some per cent a day with a slow drift.
pub(super) fn walk(
    dice: &mut Dice,
    (from, to): (Date, Date),
    (start, decimals): (Price, u8),
) -> Result<BTreeMap<Date, Price>, NumberError> {
    let mut prices = BTreeMap::new();
    let mut price = start;
    let (mut day, mut drift) = (from, 0i64);
    while day <= to {
        prices.insert(day, price);
        // In millionths: the drift wanders, the day's own move is about 2.5 %.
        drift = (drift * 19 + dice.around_zero(2_500)) / 20;
        let moved = 1_000_000 + drift + dice.around_zero(25_000);
        price = price.try_mul_div(i128::from(moved.max(800_000)), 1_000_000, Rounding::HalfEven)?;
        price = price.round_to(decimals, Rounding::HalfEven)?;
        let Ok(next) = day.tomorrow() else { break };
        day = next;
    }
    Ok(prices)
}

/// A price moved by a few hundredths of a per cent, as execution and market closes are.
pub(super) fn nudged(
    dice: &mut Dice,
    (price, decimals): (Price, u8),
    spread_ppm: i64,
) -> Result<Price, NumberError> {
    let moved = 1_000_000 + dice.around_zero(spread_ppm);
    price
        .try_mul_div(i128::from(moved), 1_000_000, Rounding::HalfEven)?
        .round_to(decimals, Rounding::HalfEven)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_is_one_market() {
        let period = ("2025-08-01".parse().unwrap(), "2026-01-31".parse().unwrap());
        let market = |seed| walk(&mut Dice::new(seed, 1), period, ("100000".parse().unwrap(), 2)).unwrap();
        assert_eq!(market(7), market(7));
        assert_ne!(market(7), market(8));
        assert!(market(7).values().all(|price| *price > Price::ZERO));
    }
}
