//! An exact set of fingerprints, each with the second it is counted from. It knows nothing of clocks: the caller says up
//! to which second all may be forgotten.
//!
//! A slot has 16 bytes: 94 bits of the fingerprint and 34 bits of seconds (to the year 2514). The fingerprint's top bits
//! choose one of up to 2^34 segments, so that with n segments log2(n) further bits are compared by place: 108 bits at ten
//! million nonces. Two different nonces are then taken for one once in about 10^25 inserts, and that one is refused.
//!
//! A segment is a small flat table with linear probing. It is rebuilt when four fifths of its slots are taken, at three
//! fifths without what may be forgotten: so a nonce takes between 20 and 27 bytes, and an insert moves at most one
//! segment's nonces (about a thousand) and never frees more than that. One table for each second would be dropped at
//! once, but a nonce that comes back with another `created` would have to be looked for in each of them, and giving back
//! tens of megabytes stalls for milliseconds.

/// Slots of the smallest segment.
const SLOTS_MIN: usize = 8;
/// Nonces for which one segment is meant.
const NONCES_PER_SEGMENT: usize = 640;
const SEGMENTS_MAX: usize = 1 << 20;
const EMPTY: u128 = 0;
const SECONDS_BITS: u32 = 34;

/// The last second that a slot can hold.
pub(crate) const SECOND_MAX: i64 = (1 << SECONDS_BITS) - 1;

/// The set.
pub(crate) struct Table {
    segments: Vec<Segment>,
    /// Bits of the fingerprint to the right of those that choose the segment.
    shift: u32,
}

#[derive(Default, Clone)]
struct Segment {
    slots: Vec<u128>,
    /// Slots that are not empty, forgotten ones included.
    taken: usize,
}

/// A fingerprint and its second as they stand in a slot. Never [`EMPTY`]: seconds begin at 1.
#[derive(Clone, Copy)]
struct Slot(u128);

impl Slot {
    fn new(fingerprint: u128, second: i64) -> Self {
        let second = second.clamp(1, SECOND_MAX).cast_unsigned();
        Self((fingerprint << SECONDS_BITS) | u128::from(second))
    }

    fn second(self) -> i64 {
        // 34 bits are within an i64.
        i64::try_from(self.0 & ((1 << SECONDS_BITS) - 1)).unwrap_or(i64::MAX)
    }

    fn same_fingerprint(self, other: Self) -> bool {
        (self.0 ^ other.0) >> SECONDS_BITS == 0
    }

    /// Where the search begins, of `slots`: the top bits scaled, which are of the stored part.
    fn home(self, slots: usize) -> usize {
        let scaled = (self.0 >> 96) * (slots as u128);
        // Below `slots`, because the top bits are below 2^32.
        (scaled >> 32) as usize
    }
}

impl Segment {
    fn holds(&self, wanted: Slot, forgotten: i64) -> bool {
        // INVARIANT: home() is below the number of slots, or 0 of none.
        let (before, after) = self.slots.split_at(wanted.home(self.slots.len()));
        let chain = after.iter().chain(before).map(|slot| Slot(*slot)).take_while(|slot| slot.0 != EMPTY);
        chain.into_iter().any(|slot| slot.same_fingerprint(wanted) && slot.second() > forgotten)
    }

    fn insert(&mut self, slot: Slot, forgotten: i64) {
        if (self.taken + 1) * 5 > self.slots.len() * 4 {
            self.rebuild(forgotten);
        }
        self.place(slot, forgotten);
    }

    /// Into the first slot that is empty or holds what may be forgotten.
    fn place(&mut self, slot: Slot, forgotten: i64) {
        let home = slot.home(self.slots.len());
        let (before, after) = self.slots.split_at_mut(home);
        let free = |held: &&mut u128| **held == EMPTY || Slot(**held).second() <= forgotten;
        // INVARIANT: there is one, because a fifth of the slots is empty after `insert` made sure.
        if let Some(free) = after.iter_mut().chain(before).find(free) {
            self.taken += usize::from(*free == EMPTY);
            *free = slot.0;
        }
    }

    fn rebuild(&mut self, forgotten: i64) {
        let live = |slot: &u128| Slot(*slot).second() > forgotten;
        let count = self.slots.iter().filter(|slot| live(slot)).count();
        let slots = ((count + 1) * 5).div_ceil(3).max(SLOTS_MIN);
        let old = core::mem::replace(&mut self.slots, vec![EMPTY; slots]);
        self.taken = 0;
        old.into_iter().filter(live).for_each(|slot| self.place(Slot(slot), forgotten));
    }
}

impl Table {
    /// For about so many fingerprints at once; more fit, more slowly.
    pub fn new(expected: usize) -> Self {
        let segments = (expected / NONCES_PER_SEGMENT).clamp(1, SEGMENTS_MAX).next_power_of_two();
        Self { segments: vec![Segment::default(); segments], shift: 128 - segments.ilog2() }
    }

    fn segment_of(&self, fingerprint: u128) -> usize {
        // A shift by 128 would overflow: one segment has index 0.
        fingerprint.checked_shr(self.shift).map_or(0, |index| index as usize)
    }

    /// Whether the fingerprint is there with a second after `forgotten`.
    pub fn holds(&self, fingerprint: u128, forgotten: i64) -> bool {
        let wanted = Slot::new(fingerprint, 1);
        let segment = self.segments.get(self.segment_of(fingerprint));
        segment.is_some_and(|segment| segment.holds(wanted, forgotten))
    }

    /// Adds it; what has a second of `forgotten` or before may be overwritten.
    pub fn insert(&mut self, fingerprint: u128, second: i64, forgotten: i64) {
        let index = self.segment_of(fingerprint);
        // INVARIANT: the index is below the number of segments, by `shift`.
        if let Some(segment) = self.segments.get_mut(index) {
            segment.insert(Slot::new(fingerprint, second), forgotten);
        }
    }

    /// Bytes of memory that the table asked for.
    pub fn bytes(&self) -> usize {
        let slots: usize = self.segments.iter().map(|segment| segment.slots.capacity()).sum();
        slots * size_of::<u128>() + self.segments.capacity() * size_of::<Segment>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// Spreads a small number over 128 bits, as a keyed hash would.
    fn spread(number: u64) -> u128 {
        u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
    }

    proptest! {
        /// A map of fingerprint to second is the judge; the seconds forgotten only rise.
        #[test]
        fn it_holds_what_a_map_would(
            steps in proptest::collection::vec((0_u64..400, 1_i64..40, 0_i64..2), 1..2_000),
            expected in 1_usize..5_000,
        ) {
            let mut table = Table::new(expected);
            let mut model: BTreeMap<u128, i64> = BTreeMap::new();
            let mut forgotten = 0;
            for (number, ahead, passed) in steps {
                forgotten += passed;
                let fingerprint = spread(number);
                let held = model.get(&fingerprint).is_some_and(|second| *second > forgotten);
                prop_assert_eq!(table.holds(fingerprint, forgotten), held);
                if !held {
                    table.insert(fingerprint, forgotten + ahead, forgotten);
                    model.insert(fingerprint, forgotten + ahead);
                }
            }
            for (fingerprint, second) in model {
                prop_assert_eq!(table.holds(fingerprint, forgotten), second > forgotten);
            }
        }
    }

    #[test]
    fn a_nonce_takes_at_most_27_bytes_while_the_table_grows() {
        let mut table = Table::new(100_000);
        for number in 1..=200_000_u64 {
            table.insert(spread(number), 1, 0);
            if number >= 20_000 && number % 1_000 == 0 {
                let bytes = table.bytes() as u64 * 10 / number;
                assert!((180..=275).contains(&bytes), "{} bytes a nonce at {number}", bytes as f64 / 10.0);
            }
        }
    }

    #[test]
    fn memory_is_used_again_for_what_comes_after() {
        let mut table = Table::new(50_000);
        let mut bytes = 0;
        for second in 1..=200_u64 {
            for number in 0..1_000 {
                table.insert(
                    spread(second * 1_000 + number),
                    second.cast_signed(),
                    second.cast_signed() - 20,
                );
            }
            if second == 60 {
                bytes = table.bytes();
            }
        }
        assert!(table.bytes() <= bytes + bytes / 20, "{} after {bytes}", table.bytes());
    }
}
