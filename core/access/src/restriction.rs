//! What a lineage is held to beside its grant, for a time: one mechanism for whoever responds to something odd, a
//! person or a detector. Every restriction can be lifted; only revocation is for ever.

use crate::refusal::AccessRefusal;
use crate::scope::{ReplayMode, Scope};
use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Serialize};

/// The most requests a minute that a throttle can leave.
const PER_MINUTE_MAX: u32 = 1_000_000;

/// A restriction, mildest first. Each includes nothing of the others: one holds at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "restriction")]
pub enum Restriction {
    /// At most so many requests a minute.
    Throttled {
        /// How many; at least one.
        per_minute: u32,
    },
    /// Every request answers a challenge of this server: nothing that was signed ahead of time passes.
    Challenged,
    /// Scopes that change nothing only.
    ReadOnly,
    /// Nothing.
    Suspended,
}

impl Restriction {
    /// The name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Throttled { .. } => "throttled",
            Self::Challenged => "challenged",
            Self::ReadOnly => "read-only",
            Self::Suspended => "suspended",
        }
    }

    /// Whether a request for `scope` may pass under it. What needs no scope reads.
    pub fn allows(self, scope: Option<&Scope>) -> Result<(), AccessRefusal> {
        match self {
            Self::Throttled { .. } | Self::Challenged => Ok(()),
            Self::ReadOnly => match scope.filter(|scope| !scope.is_read_only()) {
                Some(scope) => Err(AccessRefusal::KeyMustOnlyRead(scope.clone())),
                None => Ok(()),
            },
            Self::Suspended => Err(AccessRefusal::KeyMustNotBeSuspended),
        }
    }

    /// What it makes of the nonces that the grant asks for.
    pub fn replay_mode(restriction: Option<Self>, granted: ReplayMode) -> ReplayMode {
        match restriction {
            Some(Self::Challenged) => ReplayMode::Challenge,
            _ => granted,
        }
    }
}

impl fmt::Display for Restriction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Throttled { per_minute } => f.pad(&format!("throttled:{per_minute}")),
            other => f.pad(other.as_str()),
        }
    }
}

impl FromStr for Restriction {
    type Err = AccessRefusal;

    /// `throttled:COUNT`, `challenged`, `read-only` or `suspended`.
    fn from_str(text: &str) -> Result<Self, AccessRefusal> {
        if let Some(count) = text.strip_prefix("throttled:") {
            let per_minute = count.parse().ok().filter(|count| (1..=PER_MINUTE_MAX).contains(count));
            return per_minute
                .map(|per_minute| Self::Throttled { per_minute })
                .ok_or_else(|| AccessRefusal::name(text));
        }
        let plain = [Self::Challenged, Self::ReadOnly, Self::Suspended];
        plain.into_iter().find(|one| one.as_str() == text).ok_or_else(|| AccessRefusal::name(text))
    }
}
