//! Exact decimals for judging the program's figures: a second, smaller arithmetic that shares no code with it.

use std::iter::Sum;
use std::ops::{Add, Sub};

const PLACES: usize = 18;

/// A decimal number at eighteen places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Exact(pub i128);

/// Reads a plain decimal of at most eighteen places; anything else fails the test.
#[track_caller]
pub fn exact(text: &str) -> Exact {
    Exact(scaled(text, PLACES))
}

/// A plain decimal as an integer of so many places.
#[track_caller]
pub fn scaled(text: &str, places: usize) -> i128 {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    assert!(!whole.is_empty() && fraction.len() <= places, "`{text}` is no plain decimal of {places} places");
    let units: i128 = format!("{whole}{fraction:0<places$}").parse().unwrap_or_else(|_| panic!("`{text}`"));
    if negative { -units } else { units }
}

/// `a × b ÷ 10^places`, half to even.
pub fn times(a: i128, b: i128, places: u32) -> i128 {
    let (product, unit) = (a.checked_mul(b).unwrap(), 10i128.pow(places));
    let (quotient, rest) = (product.div_euclid(unit), product.rem_euclid(unit));
    let up = rest * 2 > unit || (rest * 2 == unit && quotient % 2 != 0);
    quotient + i128::from(up)
}

impl Exact {
    pub fn percent_from(self, filed: Self) -> f64 {
        100.0 * (self.0 - filed.0) as f64 / filed.0 as f64
    }
}

impl Add for Exact {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.checked_add(other.0).unwrap())
    }
}

impl Sub for Exact {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.checked_sub(other.0).unwrap())
    }
}

impl Sum for Exact {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Add::add)
    }
}

#[test]
fn the_second_arithmetic_is_right() {
    assert_eq!(exact("-1.5") + exact("2"), exact("0.5"));
    assert_eq!(times(25, 1, 1), 2);
    assert_eq!(times(35, 1, 1), 4);
    assert_eq!(times(-25, 1, 1), -2);
    assert!((exact("101").percent_from(exact("100")) - 1.0).abs() < 1e-12);
}
