//! Events as records: a kind for people who read the log, and canonical JSON.

use crate::event::AccessEvent;

/// The event's kind and its JSON. Equal events have equal bytes.
pub fn encode(event: &AccessEvent) -> Result<(&'static str, String), serde_json::Error> {
    Ok((kind(event), serde_json::to_string(event)?))
}

/// Reads what [`encode`] wrote.
pub fn decode(body: &str) -> Result<AccessEvent, serde_json::Error> {
    serde_json::from_str(body)
}

fn kind(event: &AccessEvent) -> &'static str {
    match event {
        AccessEvent::PrincipalRegistered(_) => "principal-registered",
        AccessEvent::PrincipalEnabled { .. } => "principal-enabled",
        AccessEvent::ScopesDenied { .. } => "scopes-denied",
        AccessEvent::EnrolmentOpened(_) => "enrolment-opened",
        AccessEvent::EnrolmentClosed { .. } => "enrolment-closed",
        AccessEvent::KeyIssued { .. } => "key-issued",
        AccessEvent::KeyActivated { .. } => "key-activated",
        AccessEvent::KeyRevoked { .. } => "key-revoked",
        AccessEvent::LineageRestricted { .. } => "lineage-restricted",
        AccessEvent::KeyRewrapped { .. } => "key-rewrapped",
        AccessEvent::ServerSecretKept { .. } => "server-secret-kept",
        AccessEvent::ServerKeyRewrapped { .. } => "server-key-rewrapped",
        AccessEvent::ServerKeyAdded(_) => "server-key-added",
        AccessEvent::KeysRooted { .. } => "keys-rooted",
        AccessEvent::Rotation(event) => event.kind(),
    }
}
