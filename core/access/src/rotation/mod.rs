//! Rotation: a successor is added beside a key, takes over with its first use, and the old key goes when the evidence says
//! that nobody uses it any more, not when a calendar does.
//!
//! ```text
//! successor   pending ──first use──> active
//! old key                  active ──────┴──> grace ──quiet, overlap past──> retired ──kept──> destroyed
//!                             ^                └───────────── roll back ───────┘
//!                             └─────────────────────────────────┘
//! ```
//!
//! At most one version is active: the primary. A key that was not used for `quiet` after its overlap is retired; one that
//! is still used at the longest overlap is a laggard, and the policy says whether it is told so or cut off. Nothing here
//! retires a key unless another of its lineage works.

mod apply;
mod command;
mod decide;
mod due;
mod event;
mod hours;
mod policy;
mod queue;

pub use command::{Replacement, RotationCommand};
pub use event::{RetiredBecause, RotationEvent};
pub use hours::Hours;
pub use policy::{OnLaggard, RotationPolicy};
pub use queue::Queue;

use crate::key::{KeyState, KeyVersion, Lineage};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use strongroom_units::time::Timestamp;

/// What rotation knows of a lineage beside its keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// Its policy; the default one, which rotates on demand only, when absent.
    #[serde(default)]
    pub policy: Option<RotationPolicy>,
    /// When what happened to each version.
    #[serde(default)]
    pub marks: BTreeMap<u32, Mark>,
}

/// When what happened to a version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Its first use.
    #[serde(default)]
    pub activated: Option<Timestamp>,
    /// When a successor took over.
    #[serde(default)]
    pub displaced: Option<Timestamp>,
    /// When it was retired or revoked.
    #[serde(default)]
    pub ended: Option<Timestamp>,
    /// When its holder was first told that it is to be replaced.
    #[serde(default)]
    pub due: Option<Timestamp>,
    /// Until when it may lag although the longest overlap is over.
    #[serde(default)]
    pub lags_until: Option<Timestamp>,
    /// The request that asked for it, for whoever asks again.
    #[serde(default)]
    pub asked: Option<Asked>,
}

/// A request for a secret that is made here. Until its first use, whoever asks again gets the same answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// SHA-256 of the request's idempotency key, hexadecimal.
    pub id: String,
    /// The secret as the vault sealed it, where the key's own material does not hold it; gone with the first use.
    #[serde(default)]
    pub sealed: Option<String>,
}

impl Rotation {
    /// The policy that holds.
    pub fn policy(&self) -> RotationPolicy {
        self.policy.clone().unwrap_or_default()
    }

    pub(crate) fn mark(&self, version: u32) -> Mark {
        self.marks.get(&version).cloned().unwrap_or_default()
    }
}

impl KeyState {
    /// Whether requests under it pass.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Pending | Self::Active | Self::Grace)
    }
}

impl Lineage {
    /// The version that requests should be signed with.
    pub fn primary(&self) -> Option<&KeyVersion> {
        self.versions.values().rev().find(|key| key.state == KeyState::Active)
    }

    /// The successor that waits for its first use; none where the lineage has but its first key.
    pub fn successor(&self) -> Option<&KeyVersion> {
        let is_followed = self.versions.len() > 1;
        self.versions.values().rev().find(|key| is_followed && key.state == KeyState::Pending)
    }

    pub(crate) fn in_state(&self, state: KeyState) -> impl Iterator<Item = &KeyVersion> {
        self.versions.values().filter(move |key| key.state == state)
    }
}
