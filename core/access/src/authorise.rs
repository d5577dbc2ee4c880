//! Whether a key whose request was verified may do what it asks. Everything must allow it, nothing may deny it.

use crate::key::Usable;
use crate::name::KeyId;
use crate::principal::{Principal, Role};
use crate::refusal::AccessRefusal;
use crate::scope::{Environment, Scope};
use crate::state::AccessState;
use core::net::IpAddr;
use strongroom_units::time::Timestamp;

/// What a request needs.
#[derive(Debug, Clone, Copy)]
pub struct Demand<'a> {
    /// For what; none when every working key will do.
    pub scope: Option<&'a Scope>,
    /// Which installation this is.
    pub environment: Environment,
    /// From where the request came.
    pub peer: IpAddr,
    /// When.
    pub now: Timestamp,
}

/// Leave to do what was asked, and for whom; only [`AccessState::authorise`] gives it.
#[derive(Debug, Clone, Copy)]
pub struct Authority<'a> {
    principal: &'a Principal,
    key: Usable<'a>,
}

impl<'a> Authority<'a> {
    /// Who asks.
    pub fn principal(self) -> &'a Principal {
        self.principal
    }

    /// With which key.
    pub fn key(self) -> Usable<'a> {
        self.key
    }

    /// The key's scope, role and denials together allow this as well.
    pub fn may(self, scope: &Scope) -> bool {
        allowed(self.principal, self.key, scope).is_ok()
    }

    /// What the principal is.
    pub fn role(self) -> Role {
        self.principal.role
    }
}

impl AccessState {
    /// Decides a demand. The order of the checks is the order of the questions: is it a key, is it of this house, is
    /// its holder welcome, from here, for this.
    pub fn authorise(&self, key: &KeyId, demand: Demand<'_>) -> Result<Authority<'_>, AccessRefusal> {
        let lineage = self.lineage(&key.lineage).ok_or(AccessRefusal::KeyMustBeKnown)?;
        let usable = lineage.usable(key.version, demand.now)?;
        let grant = &lineage.grant;
        if grant.environment != demand.environment {
            let (key, here) = (grant.environment, demand.environment);
            return Err(AccessRefusal::EnvironmentMustMatch { key, here });
        }
        let unknown = || AccessRefusal::PrincipalMustBeKnown(grant.principal.clone());
        let principal = self.principal(&grant.principal).ok_or_else(unknown)?;
        if !principal.enabled {
            return Err(AccessRefusal::PrincipalMustBeEnabled(principal.id.clone()));
        }
        if !grant.networks.allow(demand.peer) {
            return Err(AccessRefusal::NetworkMustBeAllowed);
        }
        // Without a scope only a suspension stops: what it comes to is asked with its scope.
        lineage.restriction.map_or(Ok(()), |restriction| restriction.allows(demand.scope))?;
        demand.scope.map_or(Ok(()), |scope| allowed(principal, usable, scope))?;
        Ok(Authority { principal, key: usable })
    }
}

fn allowed(principal: &Principal, key: Usable<'_>, scope: &Scope) -> Result<(), AccessRefusal> {
    key.lineage().restriction.map_or(Ok(()), |restriction| restriction.allows(Some(scope)))?;
    if principal.denied.contains(scope) {
        return Err(AccessRefusal::ScopeMustNotBeDenied(scope.clone()));
    }
    if !principal.role.may_hold(scope) {
        return Err(AccessRefusal::RoleMustAllowScope { role: principal.role, scope: scope.clone() });
    }
    if !key.lineage().grant.scopes.contains(scope) {
        return Err(AccessRefusal::ScopeMustBeGranted(scope.clone()));
    }
    Ok(())
}
