//! What a command to a rotation comes to. Reads only.

use super::due::later;
use super::hours::free_from;
use super::{Asked, OnLaggard, Replacement, RetiredBecause, RotationCommand, RotationEvent};
use crate::VERSIONS_MAX;
use crate::decide::new_key;
use crate::event::AccessEvent;
use crate::key::{Algorithm, KeyState, KeyVersion, Lineage, Material};
use crate::name::LineageId;
use crate::refusal::AccessRefusal;
use crate::state::{AccessState, Enrolment};
use std::collections::BTreeMap;
use strongroom_units::time::Timestamp;

type Decided = Result<Vec<AccessEvent>, AccessRefusal>;

/// A key that is to follow.
struct Successor<'a> {
    algorithm: Algorithm,
    material: &'a Material,
    expires: Option<Timestamp>,
    asked: &'a Option<Asked>,
}

impl AccessState {
    pub(crate) fn decide_rotation(&self, command: &RotationCommand, now: Timestamp) -> Decided {
        match command {
            RotationCommand::SetPolicy { lineage, policy } => {
                let found = self.rotating(lineage)?;
                policy.iter().try_for_each(super::RotationPolicy::check)?;
                let event = RotationEvent::PolicySet { lineage: lineage.clone(), policy: policy.clone() };
                Ok(if found.rotation.policy == *policy { Vec::new() } else { wrapped([event]) })
            }
            RotationCommand::AddSuccessor { lineage, algorithm, material, expires, asked } => {
                let lineage = self.rotating(lineage)?;
                self.check_grant(&lineage.grant, *algorithm)?;
                let new = Successor { algorithm: *algorithm, material, expires: *expires, asked };
                lineage.add_successor(&new, now).map(wrapped)
            }
            RotationCommand::Advance { lineage, last_used } => {
                Ok(wrapped(self.rotating(lineage)?.advance(last_used, now)))
            }
            RotationCommand::RollBack { lineage, reason } => {
                self.rotating(lineage)?.roll_back(reason, now).map(wrapped)
            }
            RotationCommand::Reseal { key, sealed } => {
                let mark = self.rotating(&key.lineage)?.rotation.mark(key.version);
                let waits = mark.asked.and_then(|asked| asked.sealed);
                let event = RotationEvent::Resealed { key: key.clone(), sealed: sealed.clone() };
                match waits {
                    None => Err(AccessRefusal::MaterialMustFitAlgorithm),
                    Some(known) if known == *sealed => Ok(Vec::new()),
                    Some(_) => Ok(wrapped([event])),
                }
            }
            RotationCommand::Emergency { lineage, reason, replacement, even_the_last } => {
                self.emergency(lineage, reason, replacement, *even_the_last, now)
            }
        }
    }

    fn rotating(&self, id: &LineageId) -> Result<&Lineage, AccessRefusal> {
        self.lineage(id).ok_or(AccessRefusal::KeyMustBeKnown)
    }

    /// Everything of the lineage ends; what takes its place has the same grant.
    fn emergency(
        &self,
        id: &LineageId,
        reason: &str,
        replacement: &Replacement,
        even_the_last: bool,
        now: Timestamp,
    ) -> Decided {
        let lineage = self.rotating(id)?;
        if !even_the_last && self.ends_last_operator(|other, _| other.id == *id, now) {
            return Err(AccessRefusal::LastOperatorMustRemain(lineage.grant.principal.clone()));
        }
        let mut events = self.revoke(id, None, reason)?;
        if events.is_empty() {
            // It ended before, and was replaced then.
            return Ok(events);
        }
        let algorithm = lineage.versions.values().next_back().map(|key| key.algorithm);
        match replacement {
            Replacement::Invitation { id, code_hash, code_expires, key_expires } => {
                let algorithm = algorithm.filter(|algorithm| algorithm.is_asymmetric());
                let algorithm = algorithm.ok_or(AccessRefusal::MaterialMustFitAlgorithm)?;
                crate::decide::check_life(now, *key_expires)?;
                if self.enrolments.contains_key(id) {
                    return Err(AccessRefusal::NameMustBeNew);
                }
                crate::decide::bounded("enrolments", self.enrolments.len())?;
                events.push(AccessEvent::EnrolmentOpened(Enrolment {
                    id: id.clone(),
                    code_hash: code_hash.clone(),
                    grant: lineage.grant.clone(),
                    algorithm: Some(algorithm),
                    not_before: now,
                    key_expires: *key_expires,
                    code_expires: *code_expires,
                    is_first: false,
                }));
            }
            Replacement::Secret { lineage: new, material, expires } => {
                let algorithm = algorithm.ok_or(AccessRefusal::MaterialMustFitAlgorithm)?;
                let key = new_key(algorithm, material, now, now, *expires)?;
                events.extend(self.issue(new, &lineage.grant, key, None)?);
                let policy = lineage.rotation.policy.clone();
                let set = |policy| RotationEvent::PolicySet { lineage: new.clone(), policy: Some(policy) };
                events.extend(wrapped(policy.map(set)));
            }
        }
        Ok(events)
    }
}

fn wrapped(events: impl IntoIterator<Item = RotationEvent>) -> Vec<AccessEvent> {
    events.into_iter().map(AccessEvent::Rotation).collect()
}

impl Lineage {
    /// What the first use of a successor does to the others: it is the primary now.
    pub(crate) fn displaced_by(&self, version: u32) -> Vec<AccessEvent> {
        let others = self.versions.values().filter(|key| key.version != version);
        wrapped(others.filter_map(|key| match key.state {
            KeyState::Active => Some(RotationEvent::Displaced { key: self.key_id(key.version) }),
            // Issued, never used, and followed already.
            KeyState::Pending => Some(RotationEvent::GivenUp { key: self.key_id(key.version) }),
            _ => None,
        }))
    }

    fn add_successor(
        &self,
        new: &Successor<'_>,
        now: Timestamp,
    ) -> Result<Vec<RotationEvent>, AccessRefusal> {
        if self.is_there(new)? {
            return Ok(Vec::new());
        }
        let predecessor = self
            .versions
            .values()
            .rev()
            .find(|key| key.state.is_live() && now < key.expires)
            .ok_or(AccessRefusal::PredecessorMustExist)?;
        if predecessor.algorithm.is_asymmetric() != new.algorithm.is_asymmetric()
            || (!new.algorithm.is_asymmetric() && predecessor.algorithm != new.algorithm)
        {
            return Err(AccessRefusal::MaterialMustFitAlgorithm);
        }
        let waiting = self.successor();
        let policy = self.rotation.policy();
        let working = self.versions.values().filter(|key| key.state.is_live()).count();
        let after = working + 1 - usize::from(waiting.is_some());
        let room = usize::try_from(policy.versions).unwrap_or(usize::MAX);
        let ended = |key: &KeyVersion| matches!(key.state, KeyState::Revoked | KeyState::Destroyed);
        let is_full = self.versions.len() >= VERSIONS_MAX && !self.versions.values().any(ended);
        if after > room || is_full {
            return Err(AccessRefusal::WindowMustHaveRoom { versions: policy.versions });
        }
        let life =
            predecessor.expires.as_second() - predecessor.created.max(predecessor.not_before).as_second();
        let life = life.clamp(60, crate::KEY_LIFETIME_DAYS_MAX * 86_400);
        let expires = new.expires.unwrap_or_else(|| later(now, life));
        let mut key = new_key(new.algorithm, new.material, now, now, expires)?;
        key.version = self.versions.keys().next_back().map_or(1, |last| last.saturating_add(1));
        let given_up = waiting.map(|key| RotationEvent::GivenUp { key: self.key_id(key.version) });
        let added = RotationEvent::SuccessorAdded { lineage: self.id.clone(), key, asked: new.asked.clone() };
        Ok(given_up.into_iter().chain([added]).collect())
    }

    /// Whether this very key, or the answer to this very request, is there already. A key that ended is not taken again.
    fn is_there(&self, new: &Successor<'_>) -> Result<bool, AccessRefusal> {
        if let Some(asked) = new.asked {
            let waiting = self.successor().map(|key| self.rotation.mark(key.version).asked);
            return Ok(waiting.flatten().is_some_and(|known| known.id == asked.id));
        }
        match self.versions.values().find(|key| key.material == *new.material) {
            None => Ok(false),
            Some(key) if key.state.is_live() => Ok(true),
            Some(_) => Err(AccessRefusal::KeyMustBeNew),
        }
    }

    fn advance(&self, last_used: &BTreeMap<u32, Timestamp>, now: Timestamp) -> Vec<RotationEvent> {
        let policy = self.rotation.policy();
        let is_free = free_from(&policy.not_during, now) == now;
        let mut events = Vec::new();
        for key in self.versions.values() {
            let id = self.key_id(key.version);
            match key.state {
                KeyState::Grace => events.extend(self.advance_grace(key, last_used.get(&key.version), now)),
                KeyState::Retired | KeyState::Revoked if now >= self.destruction_due(key) => {
                    events.push(RotationEvent::Destroyed { key: id });
                }
                KeyState::Active
                    if is_free
                        && self.successor().is_none()
                        && self.rotation.mark(key.version).due.is_none()
                        && self.rotation_due().is_some_and(|due| now >= due) =>
                {
                    events.push(RotationEvent::Due { key: id });
                }
                _ => {}
            }
        }
        let given_up = self.successor().filter(|key| now >= self.give_up_due(key).min(key.expires));
        events.extend(given_up.map(|key| RotationEvent::GivenUp { key: self.key_id(key.version) }));
        events
    }

    /// INVARIANT: a key in grace ends by itself only while the primary works.
    fn advance_grace(
        &self,
        key: &KeyVersion,
        last_used: Option<&Timestamp>,
        now: Timestamp,
    ) -> Option<RotationEvent> {
        let (policy, last_used) = (self.rotation.policy(), last_used.copied());
        let retired =
            |because| Some(RotationEvent::Retired { key: self.key_id(key.version), because, last_used });
        if now >= key.expires {
            return retired(RetiredBecause::Expired);
        }
        let primary_works = self.primary().is_some_and(|primary| now < primary.expires);
        if !primary_works || free_from(&policy.not_during, now) != now {
            return None;
        }
        if now >= self.retirement_due(key, last_used) {
            return retired(RetiredBecause::Quiet);
        }
        if now < self.laggard_due(key) {
            return None;
        }
        match policy.on_laggard {
            OnLaggard::Force => retired(RetiredBecause::Forced),
            OnLaggard::Extend => Some(RotationEvent::Lagged {
                key: self.key_id(key.version),
                until: later(now, policy.extension_seconds()),
            }),
        }
    }

    fn roll_back(&self, reason: &str, now: Timestamp) -> Result<Vec<RotationEvent>, AccessRefusal> {
        let displaced =
            |key: &&KeyVersion| matches!(key.state, KeyState::Grace | KeyState::Retired) && now < key.expires;
        let target = self
            .versions
            .values()
            .filter(displaced)
            .max_by_key(|key| (self.rotation.mark(key.version).displaced, key.version))
            .ok_or(AccessRefusal::PredecessorMustExist)?;
        let working = self.in_state(KeyState::Grace).chain(self.in_state(KeyState::Active));
        let after = working.filter(|key| key.version != target.version).count() + 1;
        let versions = self.rotation.policy().versions;
        if after > usize::try_from(versions).unwrap_or(usize::MAX) {
            return Err(AccessRefusal::WindowMustHaveRoom { versions });
        }
        let given_up = self.successor().map(|key| RotationEvent::GivenUp { key: self.key_id(key.version) });
        let rolled = RotationEvent::RolledBack {
            from: self.primary().map(|key| self.key_id(key.version)),
            to: self.key_id(target.version),
            reason: reason.to_owned(),
        };
        Ok(given_up.into_iter().chain([rolled]).collect())
    }
}
