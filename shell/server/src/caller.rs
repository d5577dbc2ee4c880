//! Who a request comes from, once the gate has let it pass.

use crate::problem::Problem;
use crate::view::WhoAmI;
use core::net::IpAddr;
use std::sync::Arc;
use strongroom_access::{AccessRefusal, Environment, Role, Scope};
use strongroom_desk::{Cause, Claim, Evidence, SpentNonce};
use strongroom_gate::{Permit, RateFields};
use strongroom_units::time::Timestamp;

/// A caller with leave for one request.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    permit: Arc<Permit>,
    environment: Environment,
    peer: IpAddr,
    scope: Option<Scope>,
    evidence: Option<Box<Evidence>>,
}

impl Caller {
    /// Let in from `peer` for what has `scope`, or as any working key.
    pub fn new(permit: Permit, environment: Environment, peer: IpAddr, scope: Option<Scope>) -> Self {
        Self { permit: Arc::new(permit), environment, peer, scope, evidence: None }
    }

    /// With the signed request, to be kept with what comes of it.
    #[must_use]
    pub fn with_evidence(self, evidence: Option<Box<Evidence>>) -> Self {
        Self { evidence, ..self }
    }

    /// Whether the caller may do what has this scope. A name that is no scope is no leave.
    pub fn may(&self, scope: &str) -> bool {
        Scope::try_new(scope).is_ok_and(|scope| self.permit.may(&scope))
    }

    /// Refuses who may not; what follows is done for this scope.
    pub fn must_hold(&mut self, scope: &str) -> Result<(), Problem> {
        let scope = Scope::try_new(scope)?;
        if !self.permit.may(&scope) {
            return Err(AccessRefusal::ScopeMustBeGranted(scope).into());
        }
        self.scope = Some(scope);
        Ok(())
    }

    /// What the key was let in for, to be asked again when it counts.
    pub fn claim(&self) -> Claim {
        let (environment, peer) = (self.environment, self.peer);
        Claim { key: self.permit.key.clone(), scope: self.scope.clone(), environment, peer }
    }

    /// Whether the caller sees every participant's orders or its own.
    pub fn sees_all(&self) -> bool {
        self.may(Scope::AUDIT_READ) || self.may(Scope::ORDERS_MANAGE)
    }

    pub fn permit(&self) -> &Permit {
        &self.permit
    }

    pub fn rate(&self) -> &RateFields {
        &self.permit.rate
    }

    pub fn role(&self) -> Role {
        self.permit.role()
    }

    /// The name under which a participant deals.
    pub fn participant(&self) -> Option<&str> {
        self.permit.principal.participant.as_deref()
    }

    /// What goes into the log with what this request causes: the key, and its nonce, which is used up with the effect.
    pub fn cause(&self) -> Cause {
        let key = &self.permit.key;
        let signed_at = self.permit.verified.as_ref().map(|verified| verified.created());
        let nonce = self.permit.nonce().zip(signed_at).map(|(nonce, signed_at)| SpentNonce {
            lineage: key.lineage.to_string(),
            version: key.version,
            nonce,
            signed_at: Timestamp::from_second(signed_at).unwrap_or_default(),
            kept_until: self.permit.kept_until,
        });
        // Who sees no orders of others touches none; no participant has an empty name.
        let orders_of = (!self.sees_all()).then(|| self.participant().unwrap_or_default().to_owned());
        Cause {
            actor: format!("key:{key}"),
            nonce,
            claim: Some(self.claim()),
            orders_of,
            evidence: self.evidence.clone(),
        }
    }

    pub fn who(&self) -> WhoAmI {
        let permit = &self.permit;
        WhoAmI {
            key: permit.key.to_string(),
            principal: permit.principal.id.to_string(),
            role: permit.role().as_str().to_owned(),
            participant: permit.principal.participant.clone(),
            scopes: permit.scopes.iter().map(Scope::to_string).collect(),
            environment: self.environment.to_string(),
            expires: permit.expires.to_string(),
        }
    }
}
