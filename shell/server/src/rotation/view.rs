//! What goes over the wire about rotations.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A request for a successor. For a public key the request is signed by the old and the new key; a secret is made here.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotate {
    /// How the new key signs; as the old one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<String>,
    /// The public half, base64; absent for a secret that is made here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// The receiver's X25519 public key as `x25519:...`: a secret made here is sealed to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal_to: Option<String>,
    /// Days until the new key ends; as long as the old one had when absent, at most 398.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
}

/// A successor. It takes over with its first use; until then the same request gets the same answer.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Rotated {
    /// Its name: what to sign with as `keyid`.
    pub key: String,
    /// `pending` until its first use.
    pub state: String,
    /// How it signs.
    pub algorithm: String,
    /// Until when it is good.
    pub expires: String,
    /// Its secret, where it was made here: base64 for HMAC, the whole text for bearer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// The secret sealed to the receiver instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<String>,
}

/// Why an old key is brought back.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RollBack {
    /// For the record.
    pub reason: String,
}

/// A rotation policy; times in whole seconds.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyView {
    /// How old a primary key may become; only on demand when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_seconds: Option<i64>,
    /// How long the old key works at least after its successor's first use.
    pub min_overlap_seconds: i64,
    /// After which it is a laggard.
    pub max_overlap_seconds: i64,
    /// How long it must not have been used before it is retired.
    pub quiet_seconds: i64,
    /// `extend` (told again and again) or `force` (cut off).
    pub on_laggard: String,
    /// Versions that may work at once, 2 to 8.
    pub versions: u32,
    /// How long a retired key can be brought back.
    pub keep_retired_seconds: i64,
    /// Times at which nothing begins and nothing is retired, such as `09:30-16:00`: New York, on sessions of the NYSE.
    #[serde(default)]
    pub not_during: Vec<String>,
}

/// Which lineages, and their policy from now on.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetPolicy {
    /// One lineage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<String>,
    /// All of a principal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// All that work.
    #[serde(default)]
    pub all: bool,
    /// The policy; the default one when absent.
    #[serde(default)]
    pub policy: Option<PolicyView>,
}

/// What was set.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PolicySet {
    /// The lineages whose policy changed.
    pub changed: Vec<String>,
    /// How many had it already.
    pub unchanged: usize,
}

/// Which lineages are to be ended and replaced at once.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Emergency {
    /// One lineage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<String>,
    /// All of a principal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// All that work, but for the one that asks.
    #[serde(default)]
    pub all: bool,
    /// For the record.
    pub reason: String,
    /// Receivers' X25519 public keys by principal: secrets that are made here are sealed to them.
    #[serde(default)]
    pub seal_to: BTreeMap<String, String>,
}

/// A lineage that was ended, and what takes its place. Codes and secrets are shown here once.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Replaced {
    /// The lineage.
    pub lineage: String,
    /// Whose it was.
    pub principal: String,
    /// The last record of the stream `access` after it: what was ended is in the log there.
    pub seq: u64,
    /// The keys that ended.
    pub revoked: Vec<String>,
    /// One for each: that it ended, why and when, in the log; they verify offline.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    pub receipts: Vec<strongroom_audit::Receipt>,
    /// Why nothing of it was done, where it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// The invitation and its code, `ENROLMENT.CODE`, where the holder makes the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<String>,
    /// The new key, where its secret was made here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Its secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// The secret sealed to the receiver instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<String>,
}

/// What an emergency came to.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct EmergencyDone {
    /// Each lineage.
    pub lineages: Vec<Replaced>,
    /// No verifier accepts what ended any more.
    #[serde(default)]
    pub confirmed: bool,
    /// Verifiers that may still go by what was before, for a second at most.
    #[serde(default)]
    pub unconfirmed: Vec<String>,
}

/// A version of a lineage.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct VersionView {
    /// Its name.
    pub key: String,
    /// `pending`, `active`, `grace`, `retired`, `revoked` or `destroyed`.
    pub state: String,
    /// When it was made known.
    pub created: String,
    /// Until when it is good.
    pub expires: String,
    /// When a successor took over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub displaced: Option<String>,
    /// When it was retired or revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// When it was last let in, by any server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used: Option<String>,
    /// What happens to it next, if nothing else does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<String>,
}

/// Where the rotation of a lineage stands.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct RotationView {
    /// The lineage.
    pub lineage: String,
    /// Whose it is.
    pub principal: String,
    /// The key to sign with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary: Option<String>,
    /// Whether its holder is to replace it now.
    pub is_due: bool,
    /// Whether more than one in five of its requests of the last ten minutes here failed as signed with a wrong key.
    pub is_alarming: bool,
    /// When its holder will be told to replace it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// Its versions, oldest first.
    pub versions: Vec<VersionView>,
    /// The policy that holds.
    pub policy: PolicyView,
    /// Whether it is the default one.
    pub is_default_policy: bool,
}

/// What would be done.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DueView {
    /// The lineage.
    pub lineage: String,
    /// Whose it is.
    pub principal: String,
    /// When something is due.
    pub at: String,
    /// What would happen now, as records of the log; nothing while it is only due later.
    pub would: Vec<String>,
}

/// A key that nobody uses.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct UnusedView {
    /// Its name.
    pub key: String,
    /// Whose it is.
    pub principal: String,
    /// Whom to ask about it.
    pub owner: String,
    /// When it was made known.
    pub created: String,
    /// When it was last let in; never when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used: Option<String>,
}

/// An hour of a key's use at one server.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct UsageView {
    /// The key.
    pub key: String,
    /// When the hour began.
    pub hour: String,
    /// Which server counted.
    pub server: String,
    /// Requests let in.
    pub accepted: i64,
    /// Requests that named the key and were refused, whoever sent them.
    pub refused: i64,
    /// Refusals by code.
    pub codes: BTreeMap<String, u64>,
    /// Requests by source prefix: /24 of IPv4, /48 of IPv6.
    pub sources: BTreeMap<String, u64>,
    /// Requests by user agent.
    pub agents: BTreeMap<String, u64>,
}
