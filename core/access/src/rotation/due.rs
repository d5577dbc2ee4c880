//! When something is due in a lineage. One instant for each, so that a queue can hold them and nothing is scanned.

use super::hours::free_from;
use crate::key::{KeyState, KeyVersion, Lineage};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use strongroom_units::time::Timestamp;

/// Of how many parts of its age a lineage's own moment lies in the last.
const JITTER_PARTS: i64 = 10;

pub(crate) fn later(from: Timestamp, seconds: i64) -> Timestamp {
    let microseconds = seconds.saturating_mul(1_000_000);
    Timestamp::from_microsecond(from.as_microsecond().saturating_add(microseconds)).unwrap_or(Timestamp::MAX)
}

impl Lineage {
    /// When the primary key is to be replaced; never where the policy rotates on demand only.
    pub fn rotation_due(&self) -> Option<Timestamp> {
        let (policy, primary) = (self.rotation.policy(), self.primary()?);
        let every = policy.every_seconds?;
        let begun = self.rotation.mark(primary.version).activated.unwrap_or(primary.created);
        let due = later(begun, every - self.jitter_seconds(every));
        Some(free_from(&policy.not_during, due))
    }

    /// Between nothing and a tenth of the age; always the same for one lineage and one age.
    fn jitter_seconds(&self, every: i64) -> i64 {
        let digest = Sha256::digest(self.id.as_str().as_bytes());
        let share = digest.first_chunk::<4>().map_or(0, |head| i64::from(u32::from_be_bytes(*head)));
        let most = every / JITTER_PARTS;
        i64::try_from(i128::from(most) * i128::from(share) / (1_i128 << 32)).unwrap_or_default()
    }

    /// The earliest instant at which a version in grace may be retired, by what was seen of its use.
    pub fn retirement_due(&self, key: &KeyVersion, last_used: Option<Timestamp>) -> Timestamp {
        let (policy, mark) = (self.rotation.policy(), self.rotation.mark(key.version));
        let displaced = mark.displaced.unwrap_or(key.created);
        let overlapped = later(displaced, policy.min_overlap_seconds);
        let quiet = later(last_used.map_or(displaced, |last| last.max(displaced)), policy.quiet_seconds);
        free_from(&policy.not_during, overlapped.max(quiet))
    }

    /// When a version in grace becomes a laggard, or is spoken of as one again.
    pub fn laggard_due(&self, key: &KeyVersion) -> Timestamp {
        let (policy, mark) = (self.rotation.policy(), self.rotation.mark(key.version));
        let displaced = mark.displaced.unwrap_or(key.created);
        let until = later(displaced, policy.max_overlap_seconds);
        free_from(&policy.not_during, mark.lags_until.map_or(until, |lags| lags.max(until)))
    }

    /// When a key that ended loses its material.
    pub fn destruction_due(&self, key: &KeyVersion) -> Timestamp {
        let ended = self.rotation.mark(key.version).ended.unwrap_or(key.expires);
        later(ended, self.rotation.policy().keep_retired_seconds)
    }

    /// When a successor that nobody uses is given up.
    pub(crate) fn give_up_due(&self, key: &KeyVersion) -> Timestamp {
        later(key.created, self.rotation.policy().max_overlap_seconds)
    }

    /// The next instant at which something may be due; none where nothing ever is. What is only told by use is looked at
    /// no earlier than it could be due.
    pub fn next_due(&self, last_used: &BTreeMap<u32, Timestamp>) -> Option<Timestamp> {
        let successor = self.successor().map(|key| key.version);
        let of_key = |key: &KeyVersion| match key.state {
            KeyState::Grace => {
                let retirement = self.retirement_due(key, last_used.get(&key.version).copied());
                Some(retirement.min(self.laggard_due(key)).min(key.expires))
            }
            KeyState::Retired | KeyState::Revoked => Some(self.destruction_due(key)),
            KeyState::Pending => (successor == Some(key.version)).then(|| self.give_up_due(key)),
            KeyState::Active | KeyState::Destroyed => None,
        };
        let is_told = self.primary().is_some_and(|key| self.rotation.mark(key.version).due.is_some());
        let rotation = self.rotation_due().filter(|_| !is_told && successor.is_none());
        self.versions.values().filter_map(of_key).chain(rotation).min()
    }
}
