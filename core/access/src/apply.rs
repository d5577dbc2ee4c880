//! What an event does to the state. Writes and never refuses: an event that names what is not there changes nothing.

use crate::event::AccessEvent;
use crate::key::{KeyState, KeyVersion, Lineage, Material};
use crate::name::{KeyId, LineageId};
use crate::state::AccessState;
use strongroom_units::time::Timestamp;

impl AccessState {
    /// Applies one event.
    pub fn apply(&mut self, event: &AccessEvent, at: Timestamp) {
        self.last_at = Some(self.last_at.map_or(at, |last| last.max(at)));
        match event {
            AccessEvent::PrincipalRegistered(principal) => {
                self.principals.insert(principal.id.clone(), principal.clone());
            }
            AccessEvent::PrincipalEnabled { id, enabled, .. } => {
                self.principals.entry(id.clone()).and_modify(|principal| principal.enabled = *enabled);
            }
            AccessEvent::ScopesDenied { id, scopes, .. } => {
                self.principals.entry(id.clone()).and_modify(|principal| principal.denied.clone_from(scopes));
            }
            AccessEvent::EnrolmentOpened(enrolment) => {
                self.enrolments.insert(enrolment.id.clone(), enrolment.clone());
            }
            AccessEvent::EnrolmentClosed { id } => {
                self.enrolments.remove(id);
            }
            AccessEvent::KeyIssued { lineage, grant, key, enrolment } => {
                if let Some(id) = enrolment {
                    self.enrolments.remove(id);
                }
                let new = || Lineage {
                    id: lineage.clone(),
                    grant: grant.clone(),
                    versions: Default::default(),
                    restriction: None,
                    rotation: Default::default(),
                };
                self.lineages
                    .entry(lineage.clone())
                    .or_insert_with(new)
                    .versions
                    .insert(key.version, key.clone());
            }
            AccessEvent::KeyActivated { key } => {
                self.change(key, |version| version.state = KeyState::Active);
                self.rotate(&key.lineage, |lineage| lineage.note_activation(key.version, at));
            }
            AccessEvent::LineageRestricted { lineage, restriction, .. } => {
                self.lineages.entry(lineage.clone()).and_modify(|known| known.restriction = *restriction);
            }
            AccessEvent::KeyRevoked { key, .. } => {
                self.change(key, |version| version.state = KeyState::Revoked);
                self.rotate(&key.lineage, |lineage| lineage.note_end(key.version, at));
            }
            AccessEvent::Rotation(event) => self.rotate(event.lineage(), |lineage| lineage.rotate(event, at)),
            AccessEvent::KeyRewrapped { key, sealed } => {
                self.change(key, |version| version.material = Material::Sealed { sealed: sealed.clone() });
            }
            AccessEvent::ServerSecretKept { name, sealed } => {
                self.server_secrets.insert(name.clone(), sealed.clone());
            }
            AccessEvent::ServerKeyRewrapped { version, sealed } => {
                self.server_keys.entry(*version).and_modify(|key| key.sealed.clone_from(sealed));
            }
            AccessEvent::ServerKeyAdded(key) => {
                self.server_keys.insert(key.version, key.clone());
            }
            AccessEvent::KeysRooted { .. } => {}
        }
    }

    fn rotate(&mut self, lineage: &LineageId, work: impl FnOnce(&mut Lineage)) {
        if let Some(lineage) = self.lineages.get_mut(lineage) {
            work(lineage);
        }
    }

    /// INVARIANT: revoked and destroyed are for ever; no event brings such a key back.
    fn change(&mut self, key: &KeyId, work: impl FnOnce(&mut KeyVersion)) {
        let found =
            self.lineages.get_mut(&key.lineage).and_then(|lineage| lineage.versions.get_mut(&key.version));
        if let Some(version) =
            found.filter(|version| !matches!(version.state, KeyState::Revoked | KeyState::Destroyed))
        {
            work(version);
        }
    }
}
