//! Who a request comes from, once the gate has let it pass.

use crate::problem::Problem;
use crate::view::WhoAmI;
use std::sync::Arc;
use strongroom_access::{AccessRefusal, Environment, Role, Scope};
use strongroom_desk::{Cause, SpentNonce};
use strongroom_gate::{Permit, RateFields};
use strongroom_units::time::Timestamp;

/// A caller with leave for one request.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    permit: Arc<Permit>,
    environment: Environment,
}

impl Caller {
    pub fn new(permit: Permit, environment: Environment) -> Self {
        Self { permit: Arc::new(permit), environment }
    }

    /// Whether the caller may do what has this scope. A name that is no scope is no leave.
    pub fn may(&self, scope: &str) -> bool {
        Scope::try_new(scope).is_ok_and(|scope| self.permit.may(&scope))
    }

    /// Refuses who may not.
    pub fn must_hold(&self, scope: &str) -> Result<(), Problem> {
        let scope = Scope::try_new(scope)?;
        if self.permit.may(&scope) { Ok(()) } else { Err(AccessRefusal::ScopeMustBeGranted(scope).into()) }
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
        Cause { actor: format!("key:{key}"), nonce }
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
