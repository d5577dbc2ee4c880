//! What can be asked of access. A command may be refused; an event may not.

use crate::key::{Algorithm, Material};
use crate::name::{EnrolmentId, KeyId, LineageId, PrincipalId};
use crate::principal::Role;
use crate::restriction::Restriction;
use crate::rotation::RotationCommand;
use crate::scope::{Grant, Scope};
use crate::state::ServerKey;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use strongroom_units::time::Timestamp;

/// One request. Randomness (names, codes, secrets) has been made by the caller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case")]
pub enum AccessCommand {
    /// Makes a principal known.
    RegisterPrincipal {
        /// Its name.
        id: PrincipalId,
        /// What it is.
        role: Role,
        /// The name under which it deals; for a participant only.
        participant: Option<String>,
    },
    /// Stops or restarts all keys of a principal.
    EnablePrincipal {
        /// Which.
        id: PrincipalId,
        /// Whether its keys work.
        enabled: bool,
        /// Why, for the record.
        reason: String,
    },
    /// Denies scopes to a principal whatever its role and keys say; the whole list.
    DenyScopes {
        /// Which.
        id: PrincipalId,
        /// The scopes.
        scopes: BTreeSet<Scope>,
        /// Why, for the record.
        reason: String,
    },
    /// Invites a principal to enrol the public half of a key that it makes itself.
    OpenEnrolment(NewEnrolment),
    /// Invites the first operator; refused once an operator has a working key. An earlier invitation ends.
    OpenFirstEnrolment {
        /// The invitation.
        id: EnrolmentId,
        /// SHA-256 of its code, hexadecimal.
        code_hash: String,
        /// The operator's name.
        principal: PrincipalId,
        /// Which installation.
        environment: crate::Environment,
        /// Until when the code is good.
        code_expires: Timestamp,
        /// Until when the key will be good.
        key_expires: Timestamp,
    },
    /// Enrols a public key. Possession of the private half has been proved to the caller.
    Enrol {
        /// The invitation.
        id: EnrolmentId,
        /// SHA-256 of the code that was presented, hexadecimal.
        code_hash: String,
        /// How the key signs.
        algorithm: Algorithm,
        /// The public half.
        material: Material,
        /// The name of the new lineage.
        lineage: LineageId,
    },
    /// Issues a key whose secret is made here: HMAC (sealed by the vault) or bearer (a hash).
    IssueSecret {
        /// The name of the new lineage.
        lineage: LineageId,
        /// What it is for and whose it is.
        grant: Grant,
        /// How it signs.
        algorithm: Algorithm,
        /// What is known of it.
        material: Material,
        /// From when it is good.
        not_before: Timestamp,
        /// Until when.
        expires: Timestamp,
    },
    /// Records that a pending key was used.
    NoteFirstUse {
        /// Which.
        key: KeyId,
    },
    /// Ends a key, or every key of its lineage, at once and for ever.
    Revoke {
        /// The lineage.
        lineage: LineageId,
        /// One version; all of them when absent.
        version: Option<u32>,
        /// Also when no operator could act afterwards: a stolen last key must be stopped, and the next start invites
        /// a first operator again.
        even_the_last: bool,
        /// Why, for the record.
        reason: String,
    },
    /// Holds a lineage to something for a time, or lifts that. What held before ends with it.
    Restrict {
        /// Which.
        lineage: LineageId,
        /// To what; lifts when absent.
        restriction: Option<Restriction>,
        /// Why, for the record.
        reason: String,
    },
    /// Replaces what the vault wrote of a secret under a new key-encryption key; the secret is the same.
    Rewrap {
        /// Which.
        key: KeyId,
        /// The vault's new text.
        sealed: String,
    },
    /// Keeps a secret of the server itself, as the vault sealed it. The same name again replaces the vault's text.
    KeepServerSecret {
        /// What it is for.
        name: String,
        /// The vault's text.
        sealed: String,
    },
    /// Replaces what the vault wrote of a server's key under a new key-encryption key; the key is the same.
    RewrapServerKey {
        /// Which.
        version: u32,
        /// The vault's new text.
        sealed: String,
    },
    /// Adds a key with which this server signs.
    AddServerKey(ServerKey),
    /// What is asked of a rotation.
    Rotation(RotationCommand),
}

/// An invitation to enrol a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewEnrolment {
    /// Its name.
    pub id: EnrolmentId,
    /// SHA-256 of its code, hexadecimal.
    pub code_hash: String,
    /// What the key will be for and whose it will be.
    pub grant: Grant,
    /// How the key must sign.
    pub algorithm: Algorithm,
    /// From when the key will be good.
    pub not_before: Timestamp,
    /// Until when.
    pub key_expires: Timestamp,
    /// Until when the code is good.
    pub code_expires: Timestamp,
}
