//! Products of two 128-bit numbers, held in 256 bits and rounded once.

use crate::{NumberError, Rounding};
use ethnum::U256;

/// Powers of ten that fit in an `i128`: 10^0 to 10^38.
#[expect(
    clippy::indexing_slicing,
    reason = "evaluated by the compiler: an index out of bounds does not build"
)]
const POW10: [i128; 39] = {
    let mut table = [1i128; 39];
    let mut i = 1;
    while i < 39 {
        table[i] = table[i - 1] * 10;
        i += 1;
    }
    table
};

/// 10^`exponent`, or an overflow beyond 10^38.
pub(crate) fn pow10(exponent: u32) -> Result<i128, NumberError> {
    POW10.get(exponent as usize).copied().ok_or(NumberError::Overflow)
}

/// `a × b ÷ (c × d)`: both products are exact in 256 bits, the quotient is rounded once.
pub(crate) fn mul_div(
    a: i128,
    b: i128,
    (c, d): (i128, i128),
    rounding: Rounding,
) -> Result<i128, NumberError> {
    if c == 0 || d == 0 {
        return Err(NumberError::DivisionByZero);
    }
    let negative = [a, b, c, d].iter().filter(|factor| **factor < 0).count() % 2 == 1;
    // The 64-bit by 64-bit case needs no 256-bit division; it is most of a fund's arithmetic.
    let (numerator, divisor) = (magnitude_product(a, b), magnitude_product(c, d));
    let (quotient, remainder) = match (u128::try_from(numerator), u128::try_from(divisor)) {
        (Ok(n), Ok(m)) => (U256::from(n / m), U256::from(n % m)),
        _ => (numerator / divisor, numerator % divisor),
    };
    let twice_remainder = (remainder + remainder).cmp(&divisor);
    let odd = *quotient.low() % 2 == 1;
    let up = rounding.moves_away_from_zero(remainder == U256::ZERO, negative, odd, twice_remainder);
    let rounded = if up { quotient + U256::ONE } else { quotient };
    let magnitude = i128::try_from(rounded).map_err(|_| NumberError::Overflow)?;
    Ok(if negative { -magnitude } else { magnitude })
}

/// |x|·|y|: at most 2^254, so neither the product nor twice a remainder overflows 256 bits.
fn magnitude_product(x: i128, y: i128) -> U256 {
    U256::from(x.unsigned_abs()) * U256::from(y.unsigned_abs())
}

/// `units` at `from` decimals as units at `to` decimals.
pub(crate) fn rescale(units: i128, from: u8, to: u8, rounding: Rounding) -> Result<i128, NumberError> {
    if to >= from {
        return units.checked_mul(pow10(u32::from(to - from))?).ok_or(NumberError::Overflow);
    }
    mul_div(units, 1, (pow10(u32::from(from - to))?, 1), rounding)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(a: i128, b: i128, c: i128, rounding: Rounding, expected: i128) {
        assert_eq!(mul_div(a, b, (c, 1), rounding), Ok(expected), "{a}*{b}/{c} {rounding:?}");
    }

    #[test]
    fn ties_and_signs_follow_the_named_rounding() {
        use Rounding::*;
        for (rounding, plus, minus) in
            [(HalfEven, 2, -2), (HalfUp, 3, -3), (Floor, 2, -3), (Ceiling, 3, -2), (Down, 2, -2)]
        {
            check(5, 1, 2, rounding, plus);
            check(-5, 1, 2, rounding, minus);
            check(5, -1, 2, rounding, minus);
            check(6, 1, 2, rounding, 3);
        }
        check(7, 1, 2, HalfEven, 4);
    }

    #[test]
    fn a_product_beyond_128_bits_is_exact_when_the_quotient_fits() {
        check(i128::MAX, i128::MAX, i128::MAX, Rounding::Down, i128::MAX);
        let ten_to_33 = pow10(33).unwrap(); // a billion million coins in wei
        check(ten_to_33, pow10(20).unwrap(), pow10(28).unwrap(), Rounding::HalfEven, pow10(25).unwrap());
    }

    #[test]
    fn overflow_and_division_by_zero_are_refused() {
        assert_eq!(mul_div(i128::MAX, 2, (1, 1), Rounding::Down), Err(NumberError::Overflow));
        assert_eq!(mul_div(1, 1, (0, 1), Rounding::Down), Err(NumberError::DivisionByZero));
        assert_eq!(mul_div(i128::MIN, i128::MIN, (1, 1), Rounding::Down), Err(NumberError::Overflow));
        assert_eq!(pow10(39), Err(NumberError::Overflow));
    }
}
