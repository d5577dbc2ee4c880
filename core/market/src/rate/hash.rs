//! The hash of what a rate depends on and nothing else: volume at each price of each venue, pair and interval.
//!
//! SHA-256 over the books that are not empty, in order of pair, venue and interval. Each is a line
//! `pair venue interval levels price-decimals size-decimals`, ended by a line feed, the decimals being the fewest that write
//! every price and every size of the book; then for each level, ascending by price, two whole numbers in base 128, low digits
//! first, the high bit set on all but the last: how much the price is above the one before it, and the size, in units of their
//! last decimals. The first price is above zero by itself.

use super::book::Book;
use core::fmt::Write;
use sha2::{Digest, Sha256};

/// Bytes given to the hash at once.
const AT_ONCE: usize = 1 << 14;
/// Decimals of a price and of a size in a book.
const DECIMALS: u32 = 18;

/// A hash in the making.
pub(super) struct InputHash {
    hash: Sha256,
    bytes: Vec<u8>,
}

impl InputHash {
    pub fn new() -> Self {
        Self { hash: Sha256::new(), bytes: Vec::with_capacity(AT_ONCE + 64) }
    }

    /// Takes a folded book in.
    pub fn add(&mut self, name: impl core::fmt::Display, book: &Book) {
        match book.dense() {
            Some(dense) => {
                let mut zeros = Zeros { price: u32::MAX, size: u32::MAX };
                for (at, volume) in dense.counted() {
                    zeros.narrow(i128::from(at), u128::from(volume));
                    if zeros.price == 0 && zeros.size == 0 {
                        break;
                    }
                }
                let (of_tick, of_unit) = (zeros_of(dense.tick.unsigned_abs()), zeros_of(dense.unit));
                zeros.price = zeros.price.min(DECIMALS.saturating_sub(of_tick));
                zeros.size = zeros.size.min(DECIMALS.saturating_sub(of_unit));
                self.head(&name, book, (of_tick + zeros.price, of_unit + zeros.size));
                let (price, size) = (ten(zeros.price) as u64, ten(zeros.size) as u64);
                let mut before = 0u64;
                for (at, volume) in dense.counted() {
                    let at = at.unsigned_abs() / price;
                    self.number(at - before);
                    self.number(volume / size);
                    before = at;
                }
            }
            None => {
                let mut zeros = Zeros { price: DECIMALS, size: DECIMALS };
                for (price, size) in book.levels() {
                    zeros.narrow(price.units(), *size);
                }
                self.head(&name, book, (zeros.price, zeros.size));
                let (price_unit, size_unit) = (ten(zeros.price), ten(zeros.size));
                let mut before = 0u128;
                for (price, size) in book.levels() {
                    let at = price.units().unsigned_abs() / price_unit;
                    self.long_number(at - before);
                    self.long_number(size / size_unit);
                    before = at;
                }
            }
        }
    }

    /// The hash in hexadecimal.
    pub fn finish(mut self) -> String {
        self.hash.update(&self.bytes);
        self.hash.finalize().iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}"); // writing to a String does not fail
            text
        })
    }

    fn head(&mut self, name: &impl core::fmt::Display, book: &Book, (price, size): (u32, u32)) {
        let decimals = |zeros: u32| DECIMALS.saturating_sub(zeros);
        let line = format!("{name} {} {} {}\n", book.level_count(), decimals(price), decimals(size));
        self.bytes.extend_from_slice(line.as_bytes());
    }

    fn long_number(&mut self, mut number: u128) {
        while number > u128::from(u64::MAX) {
            self.bytes.push((number & 127) as u8 | 128);
            number >>= 7;
        }
        self.number(number as u64);
    }

    fn number(&mut self, mut number: u64) {
        while number >= 128 {
            self.bytes.push((number & 127) as u8 | 128);
            number >>= 7;
        }
        self.bytes.push(number as u8);
        if self.bytes.len() >= AT_ONCE {
            self.hash.update(&self.bytes);
            self.bytes.clear();
        }
    }
}

/// Zeros at the end of every price and of every size seen.
struct Zeros {
    price: u32,
    size: u32,
}

impl Zeros {
    fn narrow(&mut self, price: i128, size: u128) {
        if self.price > 0 {
            self.price = self.price.min(zeros_of(price.unsigned_abs()));
        }
        if self.size > 0 {
            self.size = self.size.min(zeros_of(size));
        }
    }
}

/// Zeros at the end of a number, at most eighteen; as many for zero.
fn zeros_of(mut number: u128) -> u32 {
    let mut zeros = 0;
    while zeros < DECIMALS && number.is_multiple_of(10) {
        number /= 10;
        zeros += 1;
    }
    zeros
}

/// A power of ten that fits whatever had so many zeros.
fn ten(zeros: u32) -> u128 {
    10u128.saturating_pow(zeros.min(DECIMALS))
}
