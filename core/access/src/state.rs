//! Everything known about access: the replay of its stream.

use crate::key::{Algorithm, KeyState, Lineage};
use crate::name::{EnrolmentId, LineageId, PrincipalId};
use crate::principal::{Principal, Role};
use crate::refusal::AccessRefusal;
use crate::restriction::Restriction;
use crate::scope::{Environment, Grant};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use strongroom_units::time::Timestamp;
use subtle::ConstantTimeEq;

/// An open invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolment {
    /// Its name.
    pub id: EnrolmentId,
    /// SHA-256 of its code, hexadecimal.
    pub code_hash: String,
    /// What the key will be for and whose it will be.
    pub grant: Grant,
    /// How the key must sign; any asymmetric algorithm when absent.
    pub algorithm: Option<Algorithm>,
    /// From when the key will be good.
    pub not_before: Timestamp,
    /// Until when.
    pub key_expires: Timestamp,
    /// Until when the code is good.
    pub code_expires: Timestamp,
    /// Whether it is the first operator's.
    pub is_first: bool,
}

/// A key with which this server signs answers, webhooks and checkpoints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerKey {
    /// From 1; the newest signs.
    pub version: u32,
    /// How it signs.
    pub algorithm: Algorithm,
    /// The public half, base64.
    pub public: String,
    /// The private half as the vault sealed it; or where it is kept.
    pub sealed: String,
    /// When it was made.
    pub created: Timestamp,
    /// Signature of the key before it over this public half, base64: the old key vouches for the new.
    pub vouched: Option<String>,
}

/// Everything known about access. INVARIANT: it is the replay of its stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessState {
    pub(crate) principals: BTreeMap<PrincipalId, Principal>,
    pub(crate) lineages: BTreeMap<LineageId, Lineage>,
    pub(crate) enrolments: BTreeMap<EnrolmentId, Enrolment>,
    pub(crate) server_keys: BTreeMap<u32, ServerKey>,
    #[serde(default)]
    pub(crate) server_secrets: BTreeMap<String, String>,
    pub(crate) last_at: Option<Timestamp>,
}

impl AccessState {
    /// A principal.
    pub fn principal(&self, id: &PrincipalId) -> Option<&Principal> {
        self.principals.get(id)
    }

    /// Every principal, by name.
    pub fn principals(&self) -> impl Iterator<Item = &Principal> {
        self.principals.values()
    }

    /// A lineage.
    pub fn lineage(&self, id: &LineageId) -> Option<&Lineage> {
        self.lineages.get(id)
    }

    /// Every lineage, by name.
    pub fn lineages(&self) -> impl Iterator<Item = &Lineage> {
        self.lineages.values()
    }

    /// An open invitation. Whether its code is still good depends on the time.
    pub fn enrolment(&self, id: &EnrolmentId) -> Option<&Enrolment> {
        self.enrolments.get(id)
    }

    /// The invitation of a code whose SHA-256 this is, in hexadecimal, while it is good.
    ///
    /// # Errors
    /// [`AccessRefusal::EnrolmentMustBeOpen`] whatever is wrong; the time it takes tells nothing of the code.
    pub fn open_enrolment(
        &self,
        id: &EnrolmentId,
        code_hash: &str,
        now: Timestamp,
    ) -> Result<&Enrolment, AccessRefusal> {
        let open = self.enrolments.get(id).filter(|open| now < open.code_expires);
        open.filter(|open| open.code_hash.as_bytes().ct_eq(code_hash.as_bytes()).into())
            .ok_or_else(|| AccessRefusal::EnrolmentMustBeOpen(id.clone()))
    }

    /// Every open invitation.
    pub fn enrolments(&self) -> impl Iterator<Item = &Enrolment> {
        self.enrolments.values()
    }

    /// The keys with which this server has signed, oldest first.
    pub fn server_keys(&self) -> impl Iterator<Item = &ServerKey> {
        self.server_keys.values()
    }

    /// The key with which this server signs.
    pub fn server_key(&self) -> Option<&ServerKey> {
        self.server_keys.values().next_back()
    }

    /// A secret of the server itself, as the vault sealed it.
    pub fn server_secret(&self, name: &str) -> Option<&str> {
        self.server_secrets.get(name).map(String::as_str)
    }

    /// Every secret of the server itself: name and sealed text.
    pub fn server_secrets(&self) -> impl Iterator<Item = (&str, &str)> {
        self.server_secrets.iter().map(|(name, sealed)| (name.as_str(), sealed.as_str()))
    }

    /// When access last changed.
    pub fn last_at(&self) -> Option<Timestamp> {
        self.last_at
    }

    /// Whether some operator could act at `now`: an enabled one with a key that could be used then.
    pub fn has_operator(&self, now: Timestamp) -> bool {
        self.lineages.values().any(|lineage| self.is_operators(lineage, now, |_| true))
    }

    /// Whether some operator of one installation could act at `now`: a key of another opens nothing there.
    pub fn has_operator_of(&self, environment: Environment, now: Timestamp) -> bool {
        let here = self.lineages.values().filter(|lineage| lineage.grant.environment == environment);
        here.into_iter().any(|lineage| self.is_operators(lineage, now, |_| true))
    }

    /// Whether an enabled operator could administer keys with one of these versions of a lineage.
    pub(crate) fn is_operators(
        &self,
        lineage: &Lineage,
        now: Timestamp,
        counts: impl Fn(u32) -> bool,
    ) -> bool {
        let is_admin = |scope: &crate::Scope| scope.as_str() == crate::Scope::KEYS_ADMIN;
        let is_operator = self.principals.get(&lineage.grant.principal).is_some_and(|principal| {
            principal.role == Role::Operator && principal.enabled && !principal.denied.iter().any(is_admin)
        });
        let is_held = matches!(lineage.restriction, Some(Restriction::ReadOnly | Restriction::Suspended));
        let administers = !is_held && lineage.grant.scopes.iter().any(is_admin);
        let mut versions = lineage.versions.keys().filter(|version| counts(**version));
        is_operator && administers && versions.any(|version| lineage.usable(*version, now).is_ok())
    }

    /// Keys that are not at their end, for bounds and lists.
    pub fn keys_alive(&self) -> usize {
        let alive = |state: KeyState| !matches!(state, KeyState::Revoked | KeyState::Destroyed);
        self.lineages
            .values()
            .flat_map(|lineage| lineage.versions.values())
            .filter(|key| alive(key.state))
            .count()
    }
}
