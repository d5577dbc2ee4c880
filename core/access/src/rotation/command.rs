//! What can be asked of a rotation.

use super::{Asked, RotationPolicy};
use crate::key::{Algorithm, Material};
use crate::name::{EnrolmentId, KeyId, LineageId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use strongroom_units::time::Timestamp;

/// One request. Randomness has been made by the caller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rotation", rename_all = "kebab-case")]
pub enum RotationCommand {
    /// Sets the policy of a lineage; the default one when absent.
    SetPolicy {
        /// Which.
        lineage: LineageId,
        /// The policy.
        policy: Option<RotationPolicy>,
    },
    /// Adds a key that takes over with its first use. The same public key again, or the same request again before the
    /// first use, changes nothing. An earlier successor that was never used is given up.
    AddSuccessor {
        /// Of which lineage.
        lineage: LineageId,
        /// How it signs.
        algorithm: Algorithm,
        /// What is known of it.
        material: Material,
        /// Until when it is good; as long as its predecessor from now on when absent.
        expires: Option<Timestamp>,
        /// The request, where the secret is made here.
        asked: Option<Asked>,
    },
    /// Does what is due: retires, notes, destroys.
    Advance {
        /// In which lineage.
        lineage: LineageId,
        /// The last use of each version as far as anybody saw, and no earlier than that. A version that is not in it was
        /// not used since it was displaced.
        last_used: BTreeMap<u32, Timestamp>,
    },
    /// Makes the key that was displaced last the primary again. The present one works on, in grace.
    RollBack {
        /// In which lineage.
        lineage: LineageId,
        /// Why, for the record.
        reason: String,
    },
    /// Replaces what the vault wrote of a secret that waits for its first use, under a new key-encryption key.
    Reseal {
        /// The successor.
        key: KeyId,
        /// The vault's new text.
        sealed: String,
    },
    /// Ends every key of a lineage and prepares its replacement, in one transaction.
    Emergency {
        /// Which.
        lineage: LineageId,
        /// Why, for the record.
        reason: String,
        /// What takes its place.
        replacement: Replacement,
        /// Also when no operator could act afterwards.
        even_the_last: bool,
    },
}

/// What takes the place of a lineage that was ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "with", rename_all = "kebab-case")]
pub enum Replacement {
    /// An invitation with the same grant: the holder makes the key.
    Invitation {
        /// Its name.
        id: EnrolmentId,
        /// SHA-256 of its code, hexadecimal.
        code_hash: String,
        /// Until when the code is good.
        code_expires: Timestamp,
        /// Until when the key will be good.
        key_expires: Timestamp,
    },
    /// A new lineage with the same grant, whose secret was made here.
    Secret {
        /// Its name.
        lineage: LineageId,
        /// What is known of it.
        material: Material,
        /// Until when it is good.
        expires: Timestamp,
    },
}
