//! What a distribution pays: the amount of a share as published, each holder's part, and the total, tied to the base unit.
//!
//! ```text
//! total = amount of a share × shares outstanding at record        exact: published decimals fit the base unit
//! a holder's part = amount of a share × its shares, rounded down  to the cent in cash, to the base unit in kind
//! total = parts + fractions                                       fractions stay with the fund
//! ```

use strongroom_units::{NumberError, PerShare, Quantity, Rounding, Scale, Shares};

/// Decimals of money in the books, and of what a holder is paid in money.
const BOOKS: u8 = 8;
const CENTS: u8 = 2;

/// What one share is paid, with the base units of the total and of a holder's part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payout {
    per_share: PerShare,
    total: Scale,
    part: Scale,
}

impl Payout {
    /// An amount of money for each share. More decimals than the books keep are refused.
    pub fn cash(per_share: PerShare) -> Result<Self, NumberError> {
        Self { per_share, total: Scale::try_new(BOOKS)?, part: Scale::try_new(CENTS)? }.exact()
    }

    /// Coins for each share. More decimals than the asset has are refused.
    pub fn in_kind(per_share: PerShare, asset: Scale) -> Result<Self, NumberError> {
        Self { per_share, total: asset, part: asset }.exact()
    }

    fn exact(self) -> Result<Self, NumberError> {
        let units = self.per_share.to_decimal().units_at(self.total.decimals())?;
        if units < 0 { Err(NumberError::Overflow) } else { Ok(self) }
    }

    /// The amount of one share.
    pub fn per_share(&self) -> PerShare {
        self.per_share
    }

    /// What all shares are paid: exact.
    pub fn total(&self, shares: Shares) -> Result<Quantity, NumberError> {
        self.per_share.times(shares, self.total, Rounding::Floor)
    }

    /// What a holder of so many shares is paid: rounded down, so that the parts never exceed the total.
    pub fn part(&self, shares: Shares) -> Result<Quantity, NumberError> {
        self.per_share.times(shares, self.part, Rounding::Floor)
    }

    /// No parts yet.
    pub fn nothing(&self) -> Quantity {
        Quantity::zero(self.part)
    }

    /// What of the total no holder is paid, because parts are rounded down.
    pub fn fractions(&self, shares: Shares, parts: Quantity) -> Result<Quantity, NumberError> {
        let parts = Quantity::try_from_decimal(parts.to_decimal(), self.total)?;
        self.total(shares)?.try_sub(parts)
    }
}

/// What can be published as the amount of a share when so much is to be distributed: rounded down to `decimals`, so that
/// no more is paid than there is.
pub fn per_share_of(amount: Quantity, shares: Shares, decimals: u8) -> Result<PerShare, NumberError> {
    PerShare::of(amount, shares, Rounding::Floor)?.round_to(decimals, Rounding::Floor)
}

/// What of a register has been added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    payout: Payout,
    holders: u64,
    shares: Shares,
    parts: Quantity,
}

impl Tally {
    /// Nobody yet.
    pub fn new(payout: Payout) -> Self {
        Self { payout, holders: 0, shares: Shares::ZERO, parts: payout.nothing() }
    }

    /// Adds a holder, and says what it is paid.
    pub fn add(&mut self, shares: Shares) -> Result<Quantity, NumberError> {
        let part = self.payout.part(shares)?;
        self.parts = self.parts.try_add(part)?;
        self.shares = self.shares.try_add(shares)?;
        self.holders += 1;
        Ok(part)
    }

    /// Holders added.
    pub fn holders(&self) -> u64 {
        self.holders
    }

    /// Their shares.
    pub fn shares(&self) -> Shares {
        self.shares
    }

    /// Their parts.
    pub fn parts(&self) -> Quantity {
        self.parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn per_share(text: &str) -> PerShare {
        text.parse().unwrap()
    }

    #[test]
    fn published_amounts_are_totals_to_the_base_unit() {
        // 21Shares TSOL of February 2026 and Bitwise SOLZ of January 2026, on round numbers of shares.
        for (amount, shares, total) in [
            ("0.316871", 1_000_000, "316871.00000000"),
            ("0.316871", 2_345_678, "743277.33353800"),
            ("0.0296", 7_125_000, "210900.00000000"),
        ] {
            let payout = Payout::cash(per_share(amount)).unwrap();
            assert_eq!(payout.total(Shares::new(shares)).unwrap().to_string(), total);
        }
    }

    #[test]
    fn the_published_yield_of_tsol_is_its_amount_over_its_nav() {
        // fund.md 6.1: 0.316871 at a NAV of about 8.01 is 3.956 %.
        let (amount, nav) = (per_share("0.316871"), per_share("8.01"));
        let percent = amount.try_mul_div(100, 1, Rounding::HalfEven).unwrap();
        let yield_percent = percent.try_mul_div(10i128.pow(24), nav.units(), Rounding::HalfEven).unwrap();
        assert_eq!(yield_percent.round_to(3, Rounding::HalfUp).unwrap(), per_share("3.956"));
    }

    #[test]
    fn the_amount_of_a_share_never_promises_more_than_there_is() {
        let there: Quantity = "100000.00000000".parse().unwrap();
        let amount = per_share_of(there, Shares::new(300_000), 6).unwrap();
        assert_eq!(amount, per_share("0.333333"));
        let paid = Payout::cash(amount).unwrap().total(Shares::new(300_000)).unwrap();
        assert_eq!(paid.to_string(), "99999.90000000");
    }

    #[test]
    fn parts_and_fractions_are_the_total() {
        let payout = Payout::cash(per_share("0.316871")).unwrap();
        let mut tally = Tally::new(payout);
        let parts: Vec<String> = [1, 33, 999_966]
            .iter()
            .map(|count| tally.add(Shares::new(*count)).unwrap().to_string())
            .collect();
        assert_eq!(parts, ["0.31", "10.45", "316860.22"]);
        assert_eq!((tally.holders(), tally.shares()), (3, Shares::new(1_000_000)));
        let fractions = payout.fractions(tally.shares(), tally.parts()).unwrap();
        assert_eq!(fractions.to_string(), "0.02000000");
        let coins = Payout::in_kind(per_share("0.00004"), Scale::try_new(18).unwrap()).unwrap();
        let mut tally = Tally::new(coins);
        assert_eq!(tally.add(Shares::new(7)).unwrap().to_string(), "0.000280000000000000");
        assert!(coins.fractions(tally.shares(), tally.parts()).unwrap().is_zero());
    }

    #[test]
    fn more_decimals_than_the_base_unit_has_are_refused() {
        assert_eq!(Payout::cash(per_share("0.000000001")).unwrap_err().code(), "number.must_fit_its_scale");
        let eight = Scale::try_new(8).unwrap();
        assert!(Payout::in_kind(per_share("0.000000001"), eight).is_err());
        assert!(Payout::cash(per_share("-0.01")).is_err());
    }
}
