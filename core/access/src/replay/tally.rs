//! How many nonces are live: of all lineages by the second, and of each lineage by eighths of the window.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

/// Parts into which a lineage's live nonces are counted. A part is forgotten as a whole, so a lineage may be counted up
/// to a part's length longer than the window remembers.
const PARTS: usize = 8;

/// Live nonces by the second they are counted from.
#[derive(Default)]
pub(crate) struct SecondTally {
    seconds: BTreeMap<i64, usize>,
    live: usize,
}

impl SecondTally {
    pub fn add(&mut self, second: i64) {
        *self.seconds.entry(second).or_default() += 1;
        self.live += 1;
    }

    /// Forgets the seconds up to and including `watermark`.
    pub fn forget(&mut self, watermark: i64) {
        while let Some(first) = self.seconds.first_entry() {
            if *first.key() > watermark {
                return;
            }
            self.live -= first.remove();
        }
    }

    pub fn live(&self) -> usize {
        self.live
    }
}

/// Live nonces of each lineage.
pub(crate) struct LineageTally {
    /// By keyed hash, which needs no second hashing.
    lineages: HashMap<u64, Parts, BuildHasherDefault<AsIs>>,
    lineages_max: usize,
    /// Seconds of one part.
    part_seconds: i64,
    /// Up to which second lineages without live nonces were last removed.
    swept: i64,
}

/// Counts of the newest part and those before it.
#[derive(Clone, Copy, Default)]
struct Parts {
    newest: i64,
    counts: [u32; PARTS],
}

/// What a lineage has live.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Live {
    pub count: u32,
    /// The last second of the oldest part that has any.
    pub oldest_until: i64,
}

impl LineageTally {
    /// `span_seconds` is from the oldest second that can be live to the newest, both included.
    pub fn new(span_seconds: i64, lineages_max: usize) -> Self {
        // One part more than the span has, because the span begins within a part.
        let part_seconds = (span_seconds / (PARTS as i64 - 1) + 1).max(1);
        Self { lineages: HashMap::default(), lineages_max, part_seconds, swept: i64::MIN }
    }

    /// What it has after the second `ended`.
    pub fn live(&self, lineage: u64, ended: i64) -> Live {
        self.lineages
            .get(&lineage)
            .map_or(Live { count: 0, oldest_until: ended }, |parts| parts.live(self.part_seconds, ended))
    }

    /// Whether one more nonce of the lineage can be counted.
    pub fn has_room(&mut self, lineage: u64, ended: i64) -> bool {
        if self.lineages.len() < self.lineages_max || self.lineages.contains_key(&lineage) {
            return true;
        }
        // At most once while the second is the same: a sweep looks at every lineage.
        if self.swept != ended {
            self.swept = ended;
            let part_seconds = self.part_seconds;
            self.lineages.retain(|_, parts| parts.live(part_seconds, ended).count > 0);
        }
        self.lineages.len() < self.lineages_max
    }

    pub fn add(&mut self, lineage: u64, second: i64) {
        let part = second.div_euclid(self.part_seconds);
        self.lineages.entry(lineage).or_default().add(part);
    }

    pub fn bytes(&self) -> usize {
        self.lineages.capacity() * size_of::<(u64, Parts)>()
    }
}

impl Parts {
    fn add(&mut self, part: i64) {
        let ahead = part - self.newest;
        let reach = PARTS as i64;
        if ahead >= reach || ahead <= -reach {
            // Nothing of before is live, or the clock has stepped: the quota starts anew. What is remembered does not.
            *self = Self { newest: part, counts: [0; PARTS] };
        } else if ahead > 0 {
            let moved = ahead.unsigned_abs() as usize;
            self.counts.rotate_right(moved);
            self.counts.iter_mut().take(moved).for_each(|count| *count = 0);
            self.newest = part;
        }
        let age = usize::try_from(self.newest - part).unwrap_or(0);
        if let Some(count) = self.counts.get_mut(age) {
            *count = count.saturating_add(1);
        }
    }

    fn live(&self, part_seconds: i64, ended: i64) -> Live {
        let mut live = Live { count: 0, oldest_until: ended };
        for (part, count) in (0..).map(|age| self.newest - age).zip(self.counts) {
            let until = part.saturating_add(1).saturating_mul(part_seconds) - 1;
            if until > ended && count > 0 {
                live = Live { count: live.count.saturating_add(count), oldest_until: until };
            }
        }
        live
    }
}

/// Passes a number on that is a keyed hash already.
#[derive(Default)]
pub(crate) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Nothing live is missed, and nothing is counted for longer than one part beyond its life.
        #[test]
        fn a_lineage_is_counted_while_its_nonces_live(
            steps in proptest::collection::vec((0_i64..5, 0_i64..50), 1..300),
        ) {
            let span = 50;
            let mut tally = LineageTally::new(span, 10);
            let (mut watermark, mut seconds) = (1_000_i64, Vec::new());
            for (passed, ahead) in steps {
                watermark += passed;
                let second = watermark + 1 + ahead;
                tally.add(7, second);
                seconds.push(second);
                let after = |bound: i64| seconds.iter().filter(|second| **second > bound).count() as u32;
                let counted = tally.live(7, watermark).count;
                prop_assert!(counted >= after(watermark), "{counted} of {}", after(watermark));
                prop_assert!(counted <= after(watermark - tally.part_seconds));
            }
        }
    }

    #[test]
    fn seconds_are_forgotten_with_their_nonces() {
        let mut tally = SecondTally::default();
        for second in [10, 12, 11, 12] {
            tally.add(second);
        }
        tally.forget(11);
        assert_eq!(tally.live(), 2);
        tally.forget(5);
        assert_eq!(tally.live(), 2);
        tally.forget(12);
        assert_eq!(tally.live(), 0);
    }

    #[test]
    fn a_lineage_without_live_nonces_makes_room() {
        let mut tally = LineageTally::new(50, 2);
        for lineage in [1, 2] {
            assert!(tally.has_room(lineage, 100));
            tally.add(lineage, 101);
        }
        assert!(tally.has_room(1, 100));
        assert!(!tally.has_room(3, 100));
        assert!(tally.has_room(3, 200));
    }

    #[test]
    fn a_clock_that_steps_back_starts_the_quota_anew() {
        let mut tally = LineageTally::new(50, 2);
        tally.add(1, 1_000_000);
        tally.add(1, 100);
        assert_eq!(tally.live(1, 50).count, 1);
    }
}
