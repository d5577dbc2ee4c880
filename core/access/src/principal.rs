//! Principals and roles. A role says what a principal may hold at most; a key holds some of it.

use crate::name::PrincipalId;
use crate::scope::Scope;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a principal is on the management plane. Duties are separated: who moves coins does not approve it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Runs the fund's day and its keys.
    Operator,
    /// Approves what leaves the reserve.
    Approver,
    /// Reads everything, changes nothing.
    Auditor,
    /// An authorised participant: its own orders.
    Participant,
    /// Reads what is published, and the server's figures.
    ReadOnly,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] =
        [Self::Operator, Self::Approver, Self::Auditor, Self::Participant, Self::ReadOnly];

    /// The name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Approver => "approver",
            Self::Auditor => "auditor",
            Self::Participant => "participant",
            Self::ReadOnly => "read-only",
        }
    }

    /// Whether the role may hold a scope. Scopes of the application behind the gate are its own business.
    pub fn may_hold(self, scope: &Scope) -> bool {
        if scope.is_of_application() {
            return true;
        }
        match self {
            Self::Operator => scope.as_str() != Scope::RESERVES_APPROVE,
            Self::Approver => [Scope::READ, Scope::RESERVES_APPROVE].contains(&scope.as_str()),
            Self::Auditor => [Scope::READ, Scope::AUDIT_READ, Scope::METRICS_READ, Scope::SECURITY_READ]
                .contains(&scope.as_str()),
            Self::Participant => [Scope::READ, Scope::ORDERS_WRITE].contains(&scope.as_str()),
            Self::ReadOnly => [Scope::READ, Scope::METRICS_READ].contains(&scope.as_str()),
        }
    }
}

impl core::str::FromStr for Role {
    type Err = crate::AccessRefusal;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| crate::AccessRefusal::name(text))
    }
}

/// Who holds keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// Its name.
    pub id: PrincipalId,
    /// What it is.
    pub role: Role,
    /// Whether its keys work at all.
    pub enabled: bool,
    /// Scopes that it must not use whatever its role and keys say: deny wins.
    pub denied: BTreeSet<Scope>,
    /// The name under which it deals with the fund, as in orders; only a participant has one.
    pub participant: Option<String>,
}
