//! What an event of a rotation does to its lineage. Writes and never refuses.

use super::{Mark, RotationEvent};
use crate::VERSIONS_MAX;
use crate::key::{KeyState, Lineage, Material};
use crate::name::KeyId;
use strongroom_units::time::Timestamp;

impl Lineage {
    pub(crate) fn rotate(&mut self, event: &RotationEvent, at: Timestamp) {
        match event {
            RotationEvent::PolicySet { policy, .. } => self.rotation.policy.clone_from(policy),
            RotationEvent::Due { key } => self.mark_mut(key.version).due = Some(at),
            RotationEvent::SuccessorAdded { key, asked, .. } => {
                self.versions.insert(key.version, key.clone());
                self.mark_mut(key.version).asked.clone_from(asked);
                self.forget_oldest();
            }
            RotationEvent::Resealed { key, sealed } => {
                if let Some(asked) = self.mark_mut(key.version).asked.as_mut() {
                    asked.sealed = Some(sealed.clone());
                }
            }
            RotationEvent::GivenUp { key } | RotationEvent::Destroyed { key } => {
                self.destroy(key.version, at)
            }
            RotationEvent::Displaced { key } => self.displace(key, at),
            RotationEvent::Lagged { key, until } => self.mark_mut(key.version).lags_until = Some(*until),
            RotationEvent::Retired { key, .. } => {
                self.put_state(key.version, KeyState::Retired);
                self.mark_mut(key.version).ended = Some(at);
            }
            RotationEvent::RolledBack { from, to, .. } => {
                if let Some(from) = from {
                    self.displace(from, at);
                }
                self.put_state(to.version, KeyState::Active);
                let activated = self.rotation.mark(to.version).activated;
                *self.mark_mut(to.version) = Mark { activated, ..Mark::default() };
            }
        }
    }

    /// A pending key was used.
    pub(crate) fn note_activation(&mut self, version: u32, at: Timestamp) {
        let mark = self.mark_mut(version);
        mark.activated = Some(at);
        mark.asked = None;
    }

    /// A key was revoked.
    pub(crate) fn note_end(&mut self, version: u32, at: Timestamp) {
        let mark = self.mark_mut(version);
        mark.ended = Some(at);
        mark.asked = None;
    }

    fn displace(&mut self, key: &KeyId, at: Timestamp) {
        self.put_state(key.version, KeyState::Grace);
        let mark = self.mark_mut(key.version);
        (mark.displaced, mark.lags_until) = (Some(at), None);
    }

    fn destroy(&mut self, version: u32, at: Timestamp) {
        if let Some(key) = self.versions.get_mut(&version) {
            (key.state, key.material) = (KeyState::Destroyed, Material::Gone);
        }
        *self.mark_mut(version) = Mark { ended: Some(at), ..Mark::default() };
    }

    /// INVARIANT: revoked and destroyed are for ever.
    fn put_state(&mut self, version: u32, state: KeyState) {
        let found = self.versions.get_mut(&version);
        if let Some(key) = found.filter(|key| !matches!(key.state, KeyState::Revoked | KeyState::Destroyed)) {
            key.state = state;
        }
    }

    fn mark_mut(&mut self, version: u32) -> &mut Mark {
        self.rotation.marks.entry(version).or_default()
    }

    /// Names of keys that ended long ago leave the table, which refuses them as unknown. The newest version stays, so no
    /// number is given twice.
    fn forget_oldest(&mut self) {
        while self.versions.len() > VERSIONS_MAX {
            let ended = |state| matches!(state, KeyState::Revoked | KeyState::Destroyed);
            let Some(oldest) = self.versions.values().find(|key| ended(key.state)).map(|key| key.version)
            else {
                return;
            };
            self.versions.remove(&oldest);
            self.rotation.marks.remove(&oldest);
        }
    }
}
