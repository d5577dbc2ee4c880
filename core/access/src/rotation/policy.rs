//! The policy of a lineage: how old its key may become, and when the old one may go.

use super::Hours;
use crate::refusal::AccessRefusal;
use serde::{Deserialize, Serialize};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
/// Versions of one lineage that may work at once, at most.
const VERSIONS_MAX: u32 = 8;
/// Times of day that a policy may keep free.
const HOURS_MAX: usize = 4;

/// What becomes of a key that is still used when its longest overlap is over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnLaggard {
    /// It works on, and its holder and the operator are told again and again.
    #[default]
    Extend,
    /// It is retired.
    Force,
}

/// How a lineage rotates. All times are in whole seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotationPolicy {
    /// How old a primary key may become; only on demand when absent. A lineage's own moment lies in the last tenth of
    /// it, so that a fleet does not rotate at once.
    #[serde(default)]
    pub every_seconds: Option<i64>,
    /// How long the old key works at least, after its successor's first use.
    pub min_overlap_seconds: i64,
    /// After which it is a laggard.
    pub max_overlap_seconds: i64,
    /// How long it must not have been used before it is retired.
    pub quiet_seconds: i64,
    /// What becomes of a laggard.
    #[serde(default)]
    pub on_laggard: OnLaggard,
    /// Versions that may work at once, the successor that waits included.
    pub versions: u32,
    /// How long a retired key can be brought back, until its material is destroyed.
    pub keep_retired_seconds: i64,
    /// When nothing is begun and nothing retired.
    #[serde(default)]
    pub not_during: Vec<Hours>,
}

impl Default for RotationPolicy {
    fn default() -> Self {
        Self {
            every_seconds: None,
            min_overlap_seconds: HOUR,
            max_overlap_seconds: 14 * DAY,
            quiet_seconds: HOUR,
            on_laggard: OnLaggard::Extend,
            versions: 2,
            keep_retired_seconds: 7 * DAY,
            not_during: Vec::new(),
        }
    }
}

impl RotationPolicy {
    /// Refuses what cannot work.
    pub fn check(&self) -> Result<(), AccessRefusal> {
        let within = |what: &'static str, seconds: i64, least: i64, most: i64| {
            let fits = (least..=most).contains(&seconds);
            if fits { Ok(()) } else { Err(AccessRefusal::PolicyMustBeBounded { what, least, most }) }
        };
        if let Some(every) = self.every_seconds {
            within("every", every, 60, crate::KEY_LIFETIME_DAYS_MAX * DAY)?;
        }
        within("min_overlap", self.min_overlap_seconds, 0, 90 * DAY)?;
        within("max_overlap", self.max_overlap_seconds, self.min_overlap_seconds.max(1), 180 * DAY)?;
        within("quiet", self.quiet_seconds, 1, 30 * DAY)?;
        within("versions", i64::from(self.versions), 2, i64::from(VERSIONS_MAX))?;
        within("keep_retired", self.keep_retired_seconds, 0, 180 * DAY)?;
        if self.not_during.len() > HOURS_MAX {
            return Err(AccessRefusal::ListMustBeBounded { what: "times of day", most: HOURS_MAX });
        }
        self.not_during.iter().try_for_each(Hours::check)
    }

    /// For how long a laggard goes on until it is spoken of again: a tenth of its overlap, between a minute and a day.
    pub(crate) fn extension_seconds(&self) -> i64 {
        (self.max_overlap_seconds / 10).clamp(60, DAY)
    }
}
