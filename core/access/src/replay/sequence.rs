//! Sequence numbers in place of nonces, for a key that counts: 136 bytes a lineage, however many its requests.
//!
//! A sliding window as IPsec has it (RFC 4303 section 3.4.3, RFC 6479): a number may come late by up to 1,023, so that
//! requests which overtake one another on the way are accepted, each once. Time plays no part.

use super::refusal::ReplayRefusal;

/// Numbers that are told apart behind the highest, which is one of them.
pub const SEQUENCE_WINDOW: u64 = 1_024;
const WORDS: usize = 16;
/// Bytes of the stored form.
pub const SEQUENCE_BYTES: usize = 8 + 8 * WORDS;

/// Which numbers of one lineage were used. The versions of a key share it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sequence {
    highest: u64,
    /// A bit for each of the last 1,024 numbers, at the number's remainder.
    used: [u64; WORDS],
}

impl Sequence {
    /// Nothing used; the first number is 1 or any above.
    pub fn new() -> Self {
        Self::default()
    }

    /// All up to `highest` used: what a process begins with that knows the highest number and no more.
    pub fn used_up_to(highest: u64) -> Self {
        Self { highest, used: [u64::MAX; WORDS] }
    }

    /// Uses a number up. A number far ahead is accepted and leaves all below it behind, so the signer alone can lock
    /// its key; another version of it would not help, another lineage would.
    ///
    /// # Errors
    /// A number that was used, or one 1,024 and more behind the highest.
    pub fn accept(&mut self, number: u64) -> Result<(), ReplayRefusal> {
        let highest = self.highest;
        if number > highest {
            self.advance(number);
        } else if number == 0 || highest - number >= SEQUENCE_WINDOW {
            return Err(ReplayRefusal::SequenceNumberMustBeRecent { number, highest });
        } else if self.word(number).is_some_and(|word| *word & bit(number) != 0) {
            return Err(ReplayRefusal::SequenceNumberWasUsed { number, highest });
        }
        if let Some(word) = self.word(number) {
            *word |= bit(number);
        }
        Ok(())
    }

    /// Clears the bits of the numbers after the highest, up to the new one.
    fn advance(&mut self, number: u64) {
        if number - self.highest >= SEQUENCE_WINDOW {
            self.used = [0; WORDS];
        } else {
            (self.highest + 1..=number).for_each(|between| {
                if let Some(word) = self.word(between) {
                    *word &= !bit(between);
                }
            });
        }
        self.highest = number;
    }

    fn word(&mut self, number: u64) -> Option<&mut u64> {
        self.used.get_mut((number / 64) as usize % WORDS)
    }

    /// The highest number used; 0 of none.
    pub fn highest(&self) -> u64 {
        self.highest
    }

    /// The stored form: big-endian, the highest first.
    pub fn to_bytes(&self) -> [u8; SEQUENCE_BYTES] {
        let mut bytes = [0; SEQUENCE_BYTES];
        let numbers = core::iter::once(self.highest).chain(self.used);
        for (place, number) in bytes.chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_be_bytes());
        }
        bytes
    }

    /// From the stored form.
    pub fn from_bytes(bytes: &[u8; SEQUENCE_BYTES]) -> Self {
        let mut numbers =
            bytes.chunks_exact(8).filter_map(<[u8]>::first_chunk).map(|chunk| u64::from_be_bytes(*chunk));
        let mut sequence = Self { highest: numbers.next().unwrap_or_default(), used: [0; WORDS] };
        sequence.used.iter_mut().zip(numbers).for_each(|(word, number)| *word = number);
        sequence
    }
}

fn bit(number: u64) -> u64 {
    1 << (number % 64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        /// A set of all numbers ever used is the judge.
        #[test]
        fn it_accepts_what_a_set_would_within_its_reach(
            steps in proptest::collection::vec((0_u8..10, 0_u64..3_000), 1..2_000),
            start in prop_oneof![Just(0), 0..u64::MAX - 10_000_000, Just(u64::MAX - 10_000_000)],
        ) {
            let (mut sequence, mut used) = (Sequence::new(), BTreeSet::new());
            if start > 0 {
                prop_assert_eq!(sequence.accept(start), Ok(()));
                used.insert(start);
            }
            for (kind, distance) in steps {
                let highest = sequence.highest();
                let number = match kind {
                    0 => highest + distance,
                    1..=4 => highest + distance % 5,
                    _ => highest.saturating_sub(distance % 1_100),
                };
                let recent = number > highest || (number > 0 && highest - number < 1_024);
                let expected = recent && !used.contains(&number);
                let answer = sequence.accept(number);
                prop_assert_eq!(answer.is_ok(), expected, "{} at {}: {:?}", number, highest, answer);
                if let Err(refusal) = answer {
                    let code = if recent { "request.sequence_number_was_used" } else { "request.sequence_number_must_be_recent" };
                    prop_assert_eq!(refusal.code(), code);
                } else {
                    used.insert(number);
                }
                if distance % 97 == 0 {
                    prop_assert_eq!(&Sequence::from_bytes(&sequence.to_bytes()), &sequence);
                }
            }
        }
    }

    #[test]
    fn numbers_that_overtake_one_another_are_accepted_once() {
        let mut sequence = Sequence::new();
        for number in [5, 3, 4, 1, 2, 1_024, 1_023] {
            assert_eq!(sequence.accept(number), Ok(()), "{number}");
            assert!(sequence.accept(number).is_err(), "{number} again");
        }
        assert_eq!(sequence.accept(1_026), Ok(()));
        assert_eq!(sequence.accept(2).unwrap_err().code(), "request.sequence_number_must_be_recent");
        assert_eq!(sequence.accept(3).unwrap_err().code(), "request.sequence_number_was_used");
        assert_eq!(sequence.accept(6), Ok(()));
    }

    #[test]
    fn the_greatest_number_is_a_number() {
        let mut sequence = Sequence::used_up_to(u64::MAX - 2);
        assert!(sequence.accept(u64::MAX - 2).is_err());
        assert_eq!(sequence.accept(u64::MAX), Ok(()));
        assert_eq!(sequence.accept(u64::MAX - 1), Ok(()));
        assert!(sequence.accept(u64::MAX).is_err());
        assert!(sequence.accept(0).is_err());
    }

    #[test]
    fn a_lineage_takes_136_bytes() {
        assert_eq!((size_of::<Sequence>(), SEQUENCE_BYTES), (136, 136));
    }

    #[test]
    fn a_process_that_knows_only_the_highest_number_accepts_none_below() {
        let mut sequence = Sequence::used_up_to(2_000);
        for number in 0..=2_000 {
            assert!(sequence.accept(number).is_err(), "{number}");
        }
        assert_eq!(sequence.accept(2_001), Ok(()));
    }
}
