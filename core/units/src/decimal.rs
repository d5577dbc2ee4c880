//! An exact decimal of any scale, for the edges: reading text and writing canonical text.

use crate::wide::{mul_div, pow10, rescale};
use crate::{NumberError, Rounding};
use core::fmt;
use core::str::FromStr;

/// `units × 10^-scale`, exactly. Scale 0 to 38.
///
/// Canonical text has no exponent, no `+`, no leading zeros and no trailing zeros after the point, so equal
/// values have equal text. Two decimals are equal when their values are (`1.50 == 1.5`).
#[derive(Debug, Clone, Copy)]
pub struct Decimal {
    units: i128,
    scale: u8,
}

impl Decimal {
    /// `units × 10^-scale`; a scale above 38 is refused.
    pub fn try_new(units: i128, scale: u8) -> Result<Self, NumberError> {
        if scale > 38 {
            return Err(NumberError::ScaleOutOfRange(scale));
        }
        Ok(Self { units, scale })
    }

    /// INVARIANT: callers pass a constant scale of at most 38.
    pub(crate) const fn from_fixed(units: i128, scale: u8) -> Self {
        Self { units, scale }
    }

    /// The count of 10^-scale units.
    pub fn units(self) -> i128 {
        self.units
    }

    /// Decimals after the point.
    pub fn scale(self) -> u8 {
        self.scale
    }

    /// The units at `scale` decimals; refuses when a digit other than zero would be lost.
    pub fn units_at(self, scale: u8) -> Result<i128, NumberError> {
        let units = rescale(self.units, self.scale, scale, Rounding::Down)?;
        let lost = scale < self.scale && rescale(units, scale, self.scale, Rounding::Down)? != self.units;
        if lost {
            return Err(NumberError::TooManyDecimals { text: self.to_string(), scale });
        }
        Ok(units)
    }

    /// The value at `scale` decimals with a named rounding.
    pub fn round(self, scale: u8, rounding: Rounding) -> Result<Self, NumberError> {
        Self::try_new(rescale(self.units, self.scale, scale, rounding)?, scale)
    }

    /// `self + other` at the larger scale of the two, refused when it does not fit.
    pub fn try_add(self, other: Self) -> Result<Self, NumberError> {
        let scale = self.scale.max(other.scale);
        let sum = self.units_at(scale)?.checked_add(other.units_at(scale)?).ok_or(NumberError::Overflow)?;
        Self::try_new(sum, scale)
    }

    /// `self - other` at the larger scale of the two, refused when it does not fit.
    pub fn try_sub(self, other: Self) -> Result<Self, NumberError> {
        self.try_add(Self { units: other.units.checked_neg().ok_or(NumberError::Overflow)?, ..other })
    }

    /// `self ÷ other × 100 − 100`: by how many per cent `self` is above `other`, half even at four decimals.
    pub fn percent_above(self, other: Self) -> Result<Self, NumberError> {
        let change = self.try_sub(other)?;
        let base = other.units_at(change.scale)?;
        Self::try_new(mul_div(change.units, 1_000_000, (base, 1), Rounding::HalfEven)?, 4)
    }

    /// The nearest `f64`: for statistics and pictures only, never for books.
    pub fn to_f64(self) -> f64 {
        self.units as f64 / 10f64.powi(i32::from(self.scale))
    }

    /// Text with exactly `decimals` after the point, rounded half up as published figures are; for people.
    /// Thousands are separated by `,`.
    pub fn to_display(self, decimals: u8) -> Result<String, NumberError> {
        let rounded = self.round(decimals, Rounding::HalfUp)?;
        let plain = plain_text(rounded.units, decimals, false);
        let (sign, digits) = plain.strip_prefix('-').map_or(("", plain.as_str()), |rest| ("-", rest));
        let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(w, f)| (w, Some(f)));
        let mut text = String::from(sign);
        for (position, digit) in whole.chars().enumerate() {
            if position > 0 && (whole.len() - position).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        if let Some(fraction) = fraction {
            text.push('.');
            text.push_str(fraction);
        }
        Ok(text)
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        let scale = self.scale.max(other.scale);
        let at = |d: &Self| rescale(d.units, d.scale, scale, Rounding::Down);
        match (at(self), at(other)) {
            (Ok(left), Ok(right)) => left.cmp(&right),
            // Too large for one common scale: the magnitudes differ by whole digits, the signs and sizes decide.
            _ => {
                let whole = |d: &Self| rescale(d.units, d.scale, 0, Rounding::Floor).unwrap_or(d.units);
                whole(self).cmp(&whole(other))
            }
        }
    }
}

impl FromStr for Decimal {
    type Err = NumberError;

    /// Reads `[-+]digits[.digits][(e|E)[-+]digits]`; no spaces, no separators, at most 38 significant digits.
    fn from_str(text: &str) -> Result<Self, NumberError> {
        let refuse = || NumberError::NotANumber(text.chars().take(64).collect());
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| refuse())?),
            None => (text, 0),
        };
        let unsigned = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let all_digits = |s: &str| s.bytes().all(|byte| byte.is_ascii_digit());
        let empty = whole.is_empty() && fraction.is_empty() || unsigned.ends_with('.');
        if empty || !all_digits(whole) || !all_digits(fraction) {
            return Err(refuse());
        }
        let mut units = 0i128;
        for digit in whole.bytes().chain(fraction.bytes()) {
            units = units
                .checked_mul(10)
                .and_then(|u| u.checked_add(i128::from(digit - b'0')))
                .ok_or(NumberError::Overflow)?;
        }
        if mantissa.starts_with('-') {
            units = -units;
        }
        let fraction_digits = i32::try_from(fraction.len()).map_err(|_| NumberError::Overflow)?;
        let scale = fraction_digits.checked_sub(exponent).ok_or(NumberError::Overflow)?;
        if units == 0 {
            return Self::try_new(0, 0);
        }
        if scale < 0 {
            let factor = pow10(scale.unsigned_abs())?;
            return Self::try_new(units.checked_mul(factor).ok_or(NumberError::Overflow)?, 0);
        }
        Self::try_new(units, u8::try_from(scale).map_err(|_| NumberError::Overflow)?)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&plain_text(self.units, self.scale, true))
    }
}

/// Digits of `units × 10^-scale`; `trim` drops trailing zeros after the point.
pub(crate) fn plain_text(units: i128, scale: u8, trim: bool) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", units.unsigned_abs(), width = usize::from(scale) + 1);
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(scale));
    let fraction = if trim { fraction.trim_end_matches('0') } else { fraction };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, canonical: &str) {
        let read: Decimal = text.parse().unwrap();
        assert_eq!(read.to_string(), canonical, "{text}");
    }

    #[test]
    fn text_is_read_exactly_and_written_canonically() {
        for (text, canonical) in [
            ("0", "0"),
            ("-0.000", "0"),
            ("007.50", "7.5"),
            ("+1e3", "1000"),
            ("1.2E-7", "0.00000012"),
            (".5", "0.5"),
            ("-12.340e1", "-123.4"),
            ("0.00001234567890123456789", "0.00001234567890123456789"),
        ] {
            check(text, canonical);
        }
    }

    #[test]
    fn text_that_is_not_a_number_is_refused() {
        for text in [
            "", ".", "-", "1.", "1,000", " 1", "1 ", "0x10", "NaN", "inf", "1e", "1e1.5", "--1", "1.2.3", "١",
        ] {
            assert!(matches!(text.parse::<Decimal>(), Err(NumberError::NotANumber(_))), "{text}");
        }
        for text in
            ["1e40", "1e-39", "9999999999999999999999999999999999999999", "1e2147483647", "1e-2147483648"]
        {
            assert!(text.parse::<Decimal>().is_err(), "{text}");
        }
    }

    #[test]
    fn digits_are_never_lost_silently() {
        let value: Decimal = "1.2345".parse().unwrap();
        assert_eq!(value.units_at(4), Ok(12345));
        assert_eq!(value.units_at(6), Ok(1_234_500));
        assert_eq!(value.units_at(3).unwrap_err().code(), "number.must_fit_its_scale");
        assert_eq!("1.500".parse::<Decimal>().unwrap().units_at(1), Ok(15));
    }

    #[test]
    fn display_groups_thousands_and_rounds_half_up() {
        let shown = |text: &str, decimals| text.parse::<Decimal>().unwrap().to_display(decimals).unwrap();
        assert_eq!(shown("1234567.895", 2), "1,234,567.90");
        assert_eq!(shown("-999.5", 0), "-1,000");
        assert_eq!(shown("12", 2), "12.00");
    }

    #[test]
    fn sums_and_percentages_are_exact() {
        let d = |text: &str| text.parse::<Decimal>().unwrap();
        assert_eq!(d("0.1").try_add(d("0.02")), Ok(d("0.12")));
        assert_eq!(d("1").try_sub(d("1.000000000000000001")), Ok(d("-0.000000000000000001")));
        assert_eq!(d("252115.7").percent_above(d("252011")), Ok(d("0.0415")));
        assert_eq!(d("1").percent_above(d("0")), Err(NumberError::DivisionByZero));
    }

    #[test]
    fn order_is_by_value() {
        let d = |text: &str| text.parse::<Decimal>().unwrap();
        assert_eq!(d("1.50"), d("1.5"));
        assert!(d("-2") < d("-1.99999") && d("1e37") > d("0.00000000000000000000000000000000001"));
    }
}
