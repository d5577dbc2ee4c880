//! What happened in a rotation.

use super::{Asked, RotationPolicy};
use crate::key::KeyVersion;
use crate::name::{KeyId, LineageId};
use serde::{Deserialize, Serialize};
use strongroom_units::time::Timestamp;

/// Why a key was retired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RetiredBecause {
    /// It was not used for the quiet period, and the least overlap was over.
    Quiet,
    /// The longest overlap was over, and the policy says so.
    Forced,
    /// Its own life was over.
    Expired,
}

/// One fact of a rotation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rotation", rename_all = "kebab-case")]
pub enum RotationEvent {
    /// A lineage has another policy.
    PolicySet {
        /// Which.
        lineage: LineageId,
        /// The policy; the default one when absent.
        policy: Option<RotationPolicy>,
    },
    /// The holder of a primary key is told from now on to replace it.
    Due {
        /// Which.
        key: KeyId,
    },
    /// A successor waits for its first use.
    SuccessorAdded {
        /// Of which lineage.
        lineage: LineageId,
        /// The key.
        key: KeyVersion,
        /// The request for a secret that was made here.
        asked: Option<Asked>,
    },
    /// The vault wrote a secret that waits for its first use anew.
    Resealed {
        /// The successor.
        key: KeyId,
        /// The new text.
        sealed: String,
    },
    /// A successor was given up before anybody used it; its material is gone.
    GivenUp {
        /// Which.
        key: KeyId,
    },
    /// Another key is the primary; this one still works.
    Displaced {
        /// Which.
        key: KeyId,
    },
    /// A key is still used after the longest overlap.
    Lagged {
        /// Which.
        key: KeyId,
        /// When it is looked at again.
        until: Timestamp,
    },
    /// A key does not work any more. It can be brought back until it is destroyed.
    Retired {
        /// Which.
        key: KeyId,
        /// Why.
        because: RetiredBecause,
        /// Its last use, as far as anybody saw.
        last_used: Option<Timestamp>,
    },
    /// A key that was displaced is the primary again.
    RolledBack {
        /// The primary until now; none where none worked.
        from: Option<KeyId>,
        /// The primary from now on.
        to: KeyId,
        /// Why.
        reason: String,
    },
    /// The material of a key that ended is gone.
    Destroyed {
        /// Which.
        key: KeyId,
    },
}

impl RotationEvent {
    /// The kind of its record.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::PolicySet { .. } => "rotation-policy-set",
            Self::Due { .. } => "rotation-due",
            Self::SuccessorAdded { .. } => "successor-added",
            Self::Resealed { .. } => "successor-resealed",
            Self::GivenUp { .. } => "successor-given-up",
            Self::Displaced { .. } => "key-displaced",
            Self::Lagged { .. } => "key-lagged",
            Self::Retired { .. } => "key-retired",
            Self::RolledBack { .. } => "rotation-rolled-back",
            Self::Destroyed { .. } => "key-destroyed",
        }
    }

    /// The lineage that it is about.
    pub fn lineage(&self) -> &LineageId {
        match self {
            Self::PolicySet { lineage, .. } | Self::SuccessorAdded { lineage, .. } => lineage,
            Self::Due { key }
            | Self::Resealed { key, .. }
            | Self::GivenUp { key }
            | Self::Displaced { key }
            | Self::Lagged { key, .. }
            | Self::Retired { key, .. }
            | Self::RolledBack { to: key, .. }
            | Self::Destroyed { key } => &key.lineage,
        }
    }

    /// The keys whose state it changes.
    pub fn keys(&self) -> Vec<KeyId> {
        match self {
            Self::PolicySet { .. } | Self::Due { .. } | Self::Resealed { .. } | Self::Lagged { .. } => {
                Vec::new()
            }
            Self::SuccessorAdded { lineage, key, .. } => {
                vec![KeyId { lineage: lineage.clone(), version: key.version }]
            }
            Self::RolledBack { from, to, .. } => from.iter().chain([to]).cloned().collect(),
            Self::GivenUp { key }
            | Self::Displaced { key }
            | Self::Retired { key, .. }
            | Self::Destroyed { key } => vec![key.clone()],
        }
    }
}
