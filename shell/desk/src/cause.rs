//! Who caused a command: the key that asked for it, what the key must be allowed, and the nonce that is used up.

use crate::desk::{Desk, microsecond};
use crate::error::DeskError;
use crate::evidence::Evidence;
use crate::tables::REQUEST_NONCES;
use core::net::IpAddr;
use strongroom_access::{AccessRefusal, Demand, Environment, KeyId, Scope};
use strongroom_store::{RowChange, Value};
use strongroom_units::time::Timestamp;

/// Who caused a command, and the nonce of the signed request that it came in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cause {
    /// A key (`key:k0123456789ab.1`), a user of this machine (`os:ana`) or a part of the program; kept with each event.
    pub actor: String,
    /// Used up in the transaction of the effect, so that no repeat can commit.
    pub nonce: Option<SpentNonce>,
    /// Asked again at the moment of decision; none where no key was needed.
    pub claim: Option<Claim>,
    /// The participant whose orders alone may be touched; none where everybody's may.
    pub orders_of: Option<String>,
    /// The signed request itself, to be kept with what came of it.
    pub evidence: Option<Box<Evidence>>,
}

impl Cause {
    /// A cause without a signed request.
    pub fn actor(actor: impl Into<String>) -> Self {
        Self { actor: actor.into(), ..Self::default() }
    }
}

/// What a key was let in for. A command waits in the queue after that, and its key may be revoked meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The key.
    pub key: KeyId,
    /// What it must be allowed; none where every working key will do.
    pub scope: Option<Scope>,
    /// Which installation this is.
    pub environment: Environment,
    /// From where the request came.
    pub peer: IpAddr,
}

/// The nonce of one signed request. It belongs to the lineage, so two versions of a key share their nonces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpentNonce {
    /// The lineage of the key.
    pub lineage: String,
    /// The version that signed.
    pub version: u32,
    /// The decoded nonce, in one text form.
    pub nonce: String,
    /// When the request was signed.
    pub signed_at: Timestamp,
    /// Until when a repeat could be accepted as fresh by any clock.
    pub kept_until: Timestamp,
}

pub(crate) fn nonce_row(spent: &SpentNonce) -> RowChange {
    let values = vec![
        Value::Text(spent.lineage.clone()),
        Value::Text(spent.nonce.clone()),
        Value::Integer(i64::from(spent.version)),
        Value::Text(microsecond(spent.signed_at).to_string()),
        Value::Text(microsecond(spent.kept_until).to_string()),
    ];
    RowChange::Insert { table: &REQUEST_NONCES, values }
}

impl Desk {
    /// Refuses what a key was let in for and may no longer do, by the log as it is now and this machine's clock.
    ///
    /// # Errors
    /// The rule of access that the key breaks now; the store's failure.
    pub fn must_still_be_allowed(&mut self, cause: &Cause) -> Result<(), DeskError> {
        if cause.claim.is_some() {
            self.access()?;
        }
        Ok(self.is_still_allowed(cause, Timestamp::now())?)
    }

    /// As [`Desk::must_still_be_allowed`], by access as this desk last read it.
    pub(crate) fn is_still_allowed(&self, cause: &Cause, now: Timestamp) -> Result<(), AccessRefusal> {
        let Some(Claim { key, scope, environment, peer }) = &cause.claim else { return Ok(()) };
        let demand = Demand { scope: scope.as_ref(), environment: *environment, peer: *peer, now };
        self.last_access().authorise(key, demand).map(drop)
    }
}
