//! When something may be due in which lineage: one instant for each, soonest first.

use crate::name::LineageId;
use crate::state::AccessState;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use strongroom_units::time::Timestamp;

/// When something may be due in which lineage.
#[derive(Debug, Default)]
pub struct Queue {
    by_time: BTreeSet<(Timestamp, LineageId)>,
    times: HashMap<LineageId, Timestamp>,
}

impl Queue {
    /// Of all lineages.
    pub fn of(access: &AccessState) -> Self {
        let mut queue = Self::default();
        for lineage in access.lineages() {
            queue.put(&lineage.id, lineage.next_due(&BTreeMap::new()));
        }
        queue
    }

    /// Puts a lineage at its next instant, or takes it out.
    pub fn put(&mut self, lineage: &LineageId, at: Option<Timestamp>) {
        if let Some(old) = self.times.remove(lineage) {
            self.by_time.remove(&(old, lineage.clone()));
        }
        if let Some(at) = at {
            self.times.insert(lineage.clone(), at);
            self.by_time.insert((at, lineage.clone()));
        }
    }

    /// Those that are due, the longest overdue first.
    pub fn due(&self, now: Timestamp, most: usize) -> Vec<LineageId> {
        let due = self.by_time.iter().take_while(|(at, _)| *at <= now).take(most);
        due.map(|(_, lineage)| lineage.clone()).collect()
    }

    /// What is due until an instant, soonest first.
    pub fn until(&self, end: Timestamp) -> Vec<(Timestamp, LineageId)> {
        self.by_time.iter().take_while(|(at, _)| *at <= end).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lineage(number: u8) -> LineageId {
        LineageId::from_random([number; 8])
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_lineage_has_one_place_in_the_queue() {
        let mut queue = Queue::default();
        queue.put(&lineage(1), Some(at(10)));
        queue.put(&lineage(2), Some(at(5)));
        queue.put(&lineage(1), Some(at(3)));
        assert_eq!(queue.due(at(4), 10), [lineage(1)]);
        assert_eq!(queue.due(at(5), 10), [lineage(1), lineage(2)]);
        assert_eq!(queue.due(at(5), 1), [lineage(1)]);
        queue.put(&lineage(1), None);
        assert_eq!(queue.until(at(100)), [(at(5), lineage(2))]);
    }
}
