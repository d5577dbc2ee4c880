//! What a command comes to: events, or the rule that it broke. Reads only.

use crate::command::{AccessCommand, NewEnrolment};
use crate::event::AccessEvent;
use crate::key::{Algorithm, KeyState, KeyVersion, Lineage, Material};
use crate::name::{EnrolmentId, KeyId, LineageId, PrincipalId};
use crate::principal::{Principal, Role};
use crate::refusal::AccessRefusal;
use crate::restriction::Restriction;
use crate::scope::{Environment, Grant, Networks, ReplayMode, Scope};
use crate::state::{AccessState, Enrolment, ServerKey};
use std::collections::BTreeSet;
use strongroom_units::time::Timestamp;

/// The longest life of a key, in days: a year and a month to change it in.
pub const KEY_LIFETIME_DAYS_MAX: i64 = 398;
/// Versions that one lineage may have.
pub const VERSIONS_MAX: usize = 16;
/// Principals, lineages and open invitations that the table holds.
const TABLE_MAX: usize = 100_000;
/// Seconds in a day.
const DAY: i64 = 86_400;

type Decided = Result<Vec<AccessEvent>, AccessRefusal>;

impl AccessState {
    /// Decides a command at `now`. No events means that it had been done before.
    pub fn decide(&self, command: &AccessCommand, now: Timestamp) -> Decided {
        if let Some(last) = self.last_at.filter(|last| now < *last) {
            return Err(AccessRefusal::ClockMustNotGoBack { now, last });
        }
        match command {
            AccessCommand::RegisterPrincipal { id, role, participant } => {
                self.register(id, *role, participant)
            }
            AccessCommand::EnablePrincipal { id, enabled, reason } => self.enable(id, *enabled, reason, now),
            AccessCommand::DenyScopes { id, scopes, reason } => self.deny(id, scopes, reason, now),
            AccessCommand::OpenEnrolment(new) => self.invite(new, now),
            AccessCommand::OpenFirstEnrolment {
                id,
                code_hash,
                principal,
                environment,
                code_expires,
                key_expires,
            } => {
                let first = First { id, code_hash, principal, environment: *environment };
                self.open_first_enrolment(&first, *code_expires, *key_expires, now)
            }
            AccessCommand::Enrol { id, code_hash, algorithm, material, lineage } => {
                self.enrol(id, code_hash, (*algorithm, material), lineage, now)
            }
            AccessCommand::IssueSecret { lineage, grant, algorithm, material, not_before, expires } => {
                self.check_grant(grant, *algorithm)?;
                let key = new_key(*algorithm, material, now, *not_before, *expires)?;
                if algorithm.is_asymmetric() {
                    return Err(AccessRefusal::MaterialMustFitAlgorithm);
                }
                self.issue(lineage, grant, key, None)
            }
            AccessCommand::NoteFirstUse { key } => {
                if self.version(key)?.state != KeyState::Pending {
                    return Ok(Vec::new());
                }
                let displaced = self.lineage(&key.lineage).map(|lineage| lineage.displaced_by(key.version));
                let activated = AccessEvent::KeyActivated { key: key.clone() };
                Ok(std::iter::once(activated).chain(displaced.unwrap_or_default()).collect())
            }
            AccessCommand::Revoke { lineage, version, even_the_last, reason } => {
                let events = self.revoke(lineage, *version, reason)?;
                let ended = |other: &Lineage, key| {
                    other.id == *lineage && version.is_none_or(|version| version == key)
                };
                let locks_out = !even_the_last && !events.is_empty() && self.ends_last_operator(ended, now);
                if locks_out {
                    Err(AccessRefusal::LastOperatorMustRemain(self.holder(lineage)?))
                } else {
                    Ok(events)
                }
            }
            AccessCommand::Restrict { lineage, restriction, reason } => {
                self.restrict(lineage, *restriction, reason, now)
            }
            AccessCommand::Rewrap { key, sealed } => match &self.version(key)?.material {
                Material::Sealed { sealed: old } if old == sealed => Ok(Vec::new()),
                Material::Sealed { .. } => {
                    Ok(vec![AccessEvent::KeyRewrapped { key: key.clone(), sealed: sealed.clone() }])
                }
                Material::Public { .. } | Material::Hash { .. } | Material::Gone => {
                    Err(AccessRefusal::MaterialMustFitAlgorithm)
                }
            },
            AccessCommand::KeepServerSecret { name, sealed } => {
                let event = || AccessEvent::ServerSecretKept { name: name.clone(), sealed: sealed.clone() };
                let is_known = self.server_secrets.get(name) == Some(sealed);
                Ok(if is_known { Vec::new() } else { vec![event()] })
            }
            AccessCommand::RewrapServerKey { version, sealed } => match self.server_keys.get(version) {
                None => Err(AccessRefusal::KeyMustBeKnown),
                Some(key) if key.sealed == *sealed => Ok(Vec::new()),
                Some(_) => {
                    Ok(vec![AccessEvent::ServerKeyRewrapped { version: *version, sealed: sealed.clone() }])
                }
            },
            AccessCommand::AddServerKey(key) => self.add_server_key(key),
            AccessCommand::Rotation(command) => self.decide_rotation(command, now),
        }
    }

    fn known(&self, id: &PrincipalId) -> Result<&Principal, AccessRefusal> {
        self.principal(id).ok_or_else(|| AccessRefusal::PrincipalMustBeKnown(id.clone()))
    }

    fn version(&self, key: &KeyId) -> Result<&KeyVersion, AccessRefusal> {
        let lineage = self.lineage(&key.lineage).ok_or(AccessRefusal::KeyMustBeKnown)?;
        lineage.versions.get(&key.version).ok_or(AccessRefusal::KeyMustBeKnown)
    }

    fn register(&self, id: &PrincipalId, role: Role, participant: &Option<String>) -> Decided {
        if participant.is_some() != (role == Role::Participant) {
            return Err(AccessRefusal::ParticipantMustBeNamed);
        }
        if let Some(known) = self.principal(id) {
            let same = known.role == role && known.participant == *participant;
            return if same { Ok(Vec::new()) } else { Err(AccessRefusal::PrincipalMustBeNew(id.clone())) };
        }
        if let Some(name) = participant {
            let printable =
                !name.trim().is_empty() && name.len() <= 64 && !name.chars().any(char::is_control);
            if !printable {
                return Err(AccessRefusal::name(name));
            }
            if self.principals().any(|other| other.participant.as_ref() == Some(name)) {
                return Err(AccessRefusal::ParticipantMustBeUnique(name.clone()));
            }
        }
        bounded("principals", self.principals.len())?;
        Ok(vec![AccessEvent::PrincipalRegistered(Principal {
            id: id.clone(),
            role,
            enabled: true,
            denied: Default::default(),
            participant: participant.clone(),
        })])
    }

    fn enable(&self, id: &PrincipalId, enabled: bool, reason: &str, now: Timestamp) -> Decided {
        if self.known(id)?.enabled == enabled {
            return Ok(Vec::new());
        }
        if !enabled && self.ends_last_operator(|lineage, _| lineage.grant.principal == *id, now) {
            return Err(AccessRefusal::LastOperatorMustRemain(id.clone()));
        }
        Ok(vec![AccessEvent::PrincipalEnabled { id: id.clone(), enabled, reason: reason.to_owned() }])
    }

    fn deny(&self, id: &PrincipalId, scopes: &BTreeSet<Scope>, reason: &str, now: Timestamp) -> Decided {
        if self.known(id)?.denied == *scopes {
            return Ok(Vec::new());
        }
        let stops_admin = scopes.iter().any(|scope| scope.as_str() == Scope::KEYS_ADMIN);
        if stops_admin && self.ends_last_operator(|lineage, _| lineage.grant.principal == *id, now) {
            return Err(AccessRefusal::LastOperatorMustRemain(id.clone()));
        }
        let (id, scopes, reason) = (id.clone(), scopes.clone(), reason.to_owned());
        Ok(vec![AccessEvent::ScopesDenied { id, scopes, reason }])
    }

    /// Whether an operator can act now and none could once these keys have ended.
    pub(crate) fn ends_last_operator(&self, ended: impl Fn(&Lineage, u32) -> bool, now: Timestamp) -> bool {
        let remains = |lineage: &Lineage| self.is_operators(lineage, now, |version| !ended(lineage, version));
        self.has_operator(now) && !self.lineages().any(remains)
    }

    pub(crate) fn check_grant(&self, grant: &Grant, algorithm: Algorithm) -> Result<(), AccessRefusal> {
        grant.check()?;
        let principal = self.known(&grant.principal)?;
        for scope in &grant.scopes {
            if !principal.role.may_hold(scope) {
                return Err(AccessRefusal::RoleMustAllowScope { role: principal.role, scope: scope.clone() });
            }
            if algorithm == Algorithm::Bearer && !scope.is_read_only() {
                return Err(AccessRefusal::BearerMustOnlyRead(scope.clone()));
            }
        }
        Ok(())
    }

    fn invite(&self, new: &NewEnrolment, now: Timestamp) -> Decided {
        self.check_grant(&new.grant, new.algorithm)?;
        if !new.algorithm.is_asymmetric() {
            return Err(AccessRefusal::MaterialMustFitAlgorithm);
        }
        check_life(new.not_before.max(now), new.key_expires)?;
        if self.enrolments.contains_key(&new.id) {
            return Err(AccessRefusal::NameMustBeNew);
        }
        bounded("enrolments", self.enrolments.len())?;
        let mut events = self.ended_enrolments(now);
        events.push(AccessEvent::EnrolmentOpened(Enrolment {
            id: new.id.clone(),
            code_hash: new.code_hash.clone(),
            grant: new.grant.clone(),
            algorithm: Some(new.algorithm),
            not_before: new.not_before,
            key_expires: new.key_expires,
            code_expires: new.code_expires,
            is_first: false,
        }));
        Ok(events)
    }

    fn open_first_enrolment(
        &self,
        first: &First<'_>,
        code_expires: Timestamp,
        key_expires: Timestamp,
        now: Timestamp,
    ) -> Decided {
        if self.has_operator_of(first.environment, now) {
            return Err(AccessRefusal::OperatorMustBeMissing);
        }
        check_life(now, key_expires)?;
        let mut events = match self.principal(first.principal) {
            // Its new key would open nothing, and to let the old ones work again is nobody's wish.
            Some(known) if known.role == Role::Operator && !known.enabled => {
                return Err(AccessRefusal::PrincipalMustBeEnabled(known.id.clone()));
            }
            Some(known) if known.role == Role::Operator => Vec::new(),
            _ => self.register(first.principal, Role::Operator, &None)?,
        };
        let earlier = self.enrolments.values().filter(|enrolment| enrolment.is_first);
        events.extend(earlier.map(|enrolment| AccessEvent::EnrolmentClosed { id: enrolment.id.clone() }));
        let scopes = Scope::ALL.iter().filter_map(|scope| Scope::try_new(scope).ok());
        let grant = Grant {
            principal: first.principal.clone(),
            environment: first.environment,
            scopes: scopes.filter(|scope| Role::Operator.may_hold(scope)).collect(),
            networks: Networks::default(),
            owner: String::new(),
            replay: ReplayMode::default(),
        };
        events.push(AccessEvent::EnrolmentOpened(Enrolment {
            id: first.id.clone(),
            code_hash: first.code_hash.to_owned(),
            grant,
            algorithm: None,
            not_before: now,
            key_expires,
            code_expires,
            is_first: true,
        }));
        Ok(events)
    }

    /// Invitations whose code has run out; they leave the table with the next change.
    fn ended_enrolments(&self, now: Timestamp) -> Vec<AccessEvent> {
        let ended = self.enrolments.values().filter(|enrolment| enrolment.code_expires <= now);
        ended.map(|enrolment| AccessEvent::EnrolmentClosed { id: enrolment.id.clone() }).collect()
    }

    fn enrol(
        &self,
        id: &EnrolmentId,
        code_hash: &str,
        (algorithm, material): (Algorithm, &Material),
        lineage: &LineageId,
        now: Timestamp,
    ) -> Decided {
        let open = self.open_enrolment(id, code_hash, now)?;
        if open.is_first && self.has_operator_of(open.grant.environment, now) {
            return Err(AccessRefusal::OperatorMustBeMissing);
        }
        let fits = algorithm.is_asymmetric() && open.algorithm.is_none_or(|wanted| wanted == algorithm);
        if !fits {
            return Err(AccessRefusal::MaterialMustFitAlgorithm);
        }
        self.check_grant(&open.grant, algorithm)?;
        let mut key = new_key(algorithm, material, now, open.not_before, open.key_expires)?;
        // Possession of the private half was proved by a signature, which is its first use.
        key.state = KeyState::Active;
        self.issue(lineage, &open.grant, key, Some(id))
    }

    pub(crate) fn issue(
        &self,
        lineage: &LineageId,
        grant: &Grant,
        key: KeyVersion,
        enrolment: Option<&EnrolmentId>,
    ) -> Decided {
        if self.lineages.contains_key(lineage) {
            return Err(AccessRefusal::NameMustBeNew);
        }
        bounded("lineages", self.lineages.len())?;
        let (lineage, grant, enrolment) = (lineage.clone(), grant.clone(), enrolment.cloned());
        Ok(vec![AccessEvent::KeyIssued { lineage, grant, key, enrolment }])
    }

    fn holder(&self, lineage: &LineageId) -> Result<PrincipalId, AccessRefusal> {
        Ok(self.lineage(lineage).ok_or(AccessRefusal::KeyMustBeKnown)?.grant.principal.clone())
    }

    pub(crate) fn revoke(&self, id: &LineageId, version: Option<u32>, reason: &str) -> Decided {
        let lineage = self.lineage(id).ok_or(AccessRefusal::KeyMustBeKnown)?;
        if version.is_some_and(|version| !lineage.versions.contains_key(&version)) {
            return Err(AccessRefusal::KeyMustBeKnown);
        }
        let is_over = |state| matches!(state, KeyState::Revoked | KeyState::Destroyed);
        let named =
            lineage.versions.values().filter(|key| version.is_none_or(|version| version == key.version));
        let event = |key: &KeyVersion| AccessEvent::KeyRevoked {
            key: lineage.key_id(key.version),
            reason: reason.to_owned(),
        };
        Ok(named.filter(|key| !is_over(key.state)).map(event).collect())
    }

    fn restrict(
        &self,
        id: &LineageId,
        restriction: Option<Restriction>,
        reason: &str,
        now: Timestamp,
    ) -> Decided {
        let lineage = self.lineage(id).ok_or(AccessRefusal::KeyMustBeKnown)?;
        if lineage.restriction == restriction {
            return Ok(Vec::new());
        }
        let stops_changes = matches!(restriction, Some(Restriction::ReadOnly | Restriction::Suspended));
        if stops_changes && self.ends_last_operator(|other, _| other.id == *id, now) {
            return Err(AccessRefusal::LastOperatorMustRemain(self.holder(id)?));
        }
        Ok(vec![AccessEvent::LineageRestricted {
            lineage: id.clone(),
            restriction,
            reason: reason.to_owned(),
        }])
    }

    fn add_server_key(&self, key: &ServerKey) -> Decided {
        let next = self.server_key().map_or(1, |last| last.version + 1);
        let vouched = self.server_key().is_none() || key.vouched.is_some();
        if key.version != next || !vouched || !key.algorithm.is_asymmetric() {
            return Err(AccessRefusal::MaterialMustFitAlgorithm);
        }
        Ok(vec![AccessEvent::ServerKeyAdded(key.clone())])
    }
}

/// Who is invited first.
struct First<'a> {
    id: &'a EnrolmentId,
    code_hash: &'a str,
    principal: &'a PrincipalId,
    environment: Environment,
}

pub(crate) fn new_key(
    algorithm: Algorithm,
    material: &Material,
    now: Timestamp,
    not_before: Timestamp,
    expires: Timestamp,
) -> Result<KeyVersion, AccessRefusal> {
    let fits = match material {
        Material::Public { .. } => algorithm.is_asymmetric(),
        Material::Sealed { .. } => algorithm == Algorithm::HmacSha256,
        Material::Hash { .. } => algorithm == Algorithm::Bearer,
        Material::Gone => false,
    };
    if !fits {
        return Err(AccessRefusal::MaterialMustFitAlgorithm);
    }
    check_life(not_before.max(now), expires)?;
    Ok(KeyVersion {
        version: 1,
        algorithm,
        material: material.clone(),
        state: KeyState::Pending,
        created: now,
        not_before,
        expires,
    })
}

pub(crate) fn check_life(from: Timestamp, expires: Timestamp) -> Result<(), AccessRefusal> {
    let seconds = expires.as_second() - from.as_second();
    if (60..=KEY_LIFETIME_DAYS_MAX * DAY).contains(&seconds) {
        Ok(())
    } else {
        Err(AccessRefusal::LifetimeMustBeBounded { days_max: KEY_LIFETIME_DAYS_MAX, expires })
    }
}

pub(crate) fn bounded(what: &'static str, found: usize) -> Result<(), AccessRefusal> {
    if found < TABLE_MAX { Ok(()) } else { Err(AccessRefusal::TableMustBeBounded { what, most: TABLE_MAX }) }
}
