//! What happened to access. Events carry results: applying one needs no rule.

use crate::key::KeyVersion;
use crate::name::{EnrolmentId, KeyId, LineageId, PrincipalId};
use crate::principal::Principal;
use crate::restriction::Restriction;
use crate::rotation::RotationEvent;
use crate::scope::{Grant, Scope};
use crate::state::{Enrolment, ServerKey};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// One fact of the stream `access`. It names keys and principals by opaque names and holds no secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum AccessEvent {
    /// A principal is known.
    PrincipalRegistered(Principal),
    /// A principal's keys were stopped or restarted.
    PrincipalEnabled {
        /// Which.
        id: PrincipalId,
        /// Whether they work.
        enabled: bool,
        /// Why.
        reason: String,
    },
    /// The scopes denied to a principal are these.
    ScopesDenied {
        /// Which.
        id: PrincipalId,
        /// All of them.
        scopes: BTreeSet<Scope>,
        /// Why.
        reason: String,
    },
    /// A key may be enrolled.
    EnrolmentOpened(Enrolment),
    /// An invitation ended unused.
    EnrolmentClosed {
        /// Which.
        id: EnrolmentId,
    },
    /// A lineage exists with its first key.
    KeyIssued {
        /// Its name.
        lineage: LineageId,
        /// What it is for and whose it is.
        grant: Grant,
        /// The key.
        key: KeyVersion,
        /// The invitation that was used up.
        enrolment: Option<EnrolmentId>,
    },
    /// A pending key was used.
    KeyActivated {
        /// Which.
        key: KeyId,
    },
    /// A key ended.
    KeyRevoked {
        /// Which.
        key: KeyId,
        /// Why.
        reason: String,
    },
    /// A lineage is held to something for a time, or no longer.
    LineageRestricted {
        /// Which.
        lineage: LineageId,
        /// To what; to nothing when it was lifted.
        restriction: Option<Restriction>,
        /// Why.
        reason: String,
    },
    /// The vault wrote a secret anew.
    KeyRewrapped {
        /// Which.
        key: KeyId,
        /// The new text.
        sealed: String,
    },
    /// A secret of the server itself is kept, sealed.
    ServerSecretKept {
        /// What it is for.
        name: String,
        /// The vault's text.
        sealed: String,
    },
    /// The vault wrote a server's key anew.
    ServerKeyRewrapped {
        /// Which.
        version: u32,
        /// The new text.
        sealed: String,
    },
    /// This server signs with another key.
    ServerKeyAdded(ServerKey),
    /// The root over all principals and keys as they are after the events before this one: what the log says of them can
    /// be checked against it, and one of them proved without the others.
    KeysRooted {
        /// The root, base64.
        root: String,
        /// How many principals and keys.
        records: u64,
    },
    /// What happened in a rotation.
    Rotation(RotationEvent),
}
