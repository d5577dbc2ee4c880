//! Numbers in base 62, of fixed length: digits, upper case, lower case, the most significant first.

use super::{CHECKSUM_CHARACTERS, SECRET_CHARACTERS};
use zeroize::Zeroizing;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// 43 digits of 256 bits: 62^43 is a little above 2^256.
pub(super) fn write_bytes(bytes: &[u8; 32], out: &mut String) {
    let mut number = Zeroizing::new(*bytes);
    let mut digits = Zeroizing::new([0; SECRET_CHARACTERS]);
    for digit in digits.iter_mut().rev() {
        *digit = divide(&mut number);
    }
    digits.iter().for_each(|digit| push(*digit, out));
}

/// Divides a big-endian number by 62 and returns the remainder.
fn divide(number: &mut [u8; 32]) -> u8 {
    let mut remainder = 0_u16;
    for byte in number {
        let value = (remainder << 8) | u16::from(*byte);
        *byte = (value / 62) as u8;
        remainder = value % 62;
    }
    remainder as u8
}

/// Six digits of 32 bits.
pub(super) fn write_number(number: u32, out: &mut String) {
    for place in (0..CHECKSUM_CHARACTERS as u32).rev() {
        push(((u64::from(number) / 62_u64.pow(place)) % 62) as u8, out);
    }
}

/// The number of six digits; none of other text or of a number beyond 32 bits.
pub(super) fn read_number(text: &str) -> Option<u32> {
    let digit = |byte: u8| DIGITS.iter().position(|known| *known == byte);
    let number = text.bytes().try_fold(0_u64, |number, byte| {
        number.checked_mul(62)?.checked_add(u64::try_from(digit(byte)?).ok()?)
    });
    u32::try_from(number.filter(|_| text.len() == CHECKSUM_CHARACTERS)?).ok()
}

fn push(digit: u8, out: &mut String) {
    // INVARIANT: a remainder of 62 is a place in the table.
    out.extend(DIGITS.get(usize::from(digit)).map(|byte| char::from(*byte)));
}
