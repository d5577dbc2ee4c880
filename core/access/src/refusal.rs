//! Why access was refused, or a change of it. A refusal changes nothing.

use crate::name::{EnrolmentId, KeyId, PrincipalId};
use crate::principal::Role;
use crate::scope::{Environment, Scope};
use strongroom_units::time::Timestamp;
use thiserror::Error;

/// Characters of a wrong name that an error repeats.
const SHOWN_MAX: usize = 80;

/// A rule that was broken. The code never changes its meaning.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AccessRefusal {
    /// Text that is no name of the kind asked for.
    #[error("`{0}` is not a valid name here")]
    Name(String),
    /// A scope that nobody defined.
    #[error(
        "`{0}` is no scope; known are read, orders:write, orders:manage, prices:write, nav:strike, fund:admin, custody:write, reserves:approve, keys:admin, audit:read, and app:NAME for the application behind the gate"
    )]
    ScopeMustBeKnown(String),
    /// Too many, or none.
    #[error("between 1 and {most} {what} can be given")]
    ListMustBeBounded {
        /// Of what.
        what: &'static str,
        /// The most.
        most: usize,
    },
    /// No such principal.
    #[error("principal {0} is not registered; register it with `strongroom principal add`")]
    PrincipalMustBeKnown(PrincipalId),
    /// The same name with other properties.
    #[error("principal {0} is registered already, with another role or participant")]
    PrincipalMustBeNew(PrincipalId),
    /// A participant without the name it deals under, or another role with one.
    #[error("a participant, and nobody else, has the name under which it deals with the fund")]
    ParticipantMustBeNamed,
    /// A name of a participant that another principal has.
    #[error("participant {0} is another principal's name already")]
    ParticipantMustBeUnique(String),
    /// The last operator that could still change anything.
    #[error("{0} holds the last working operator key; enrol another operator first")]
    LastOperatorMustRemain(PrincipalId),
    /// A scope beyond the role.
    #[error("a principal of role {} may not hold {scope}", role.as_str())]
    RoleMustAllowScope {
        /// The role.
        role: Role,
        /// The scope.
        scope: Scope,
    },
    /// A bearer key that could change something.
    #[error("a bearer key is shown with every request, so it may only read; {0} needs a signing key")]
    BearerMustOnlyRead(Scope),
    /// A key that would live too long or not at all.
    #[error(
        "a key lives between one minute and {days_max} days from its start; this one would end at {expires}"
    )]
    LifetimeMustBeBounded {
        /// The most.
        days_max: i64,
        /// What was asked for.
        expires: Timestamp,
    },
    /// An enrolment that nobody made, that was used or ran out, or the wrong code for it: one answer for all.
    #[error("enrolment {0} is not open, or the code is not its code; ask for a new one")]
    EnrolmentMustBeOpen(EnrolmentId),
    /// Material of another kind than the algorithm's.
    #[error("the key material does not fit the algorithm")]
    MaterialMustFitAlgorithm,
    /// A name that is in use.
    #[error("this name is in use already")]
    NameMustBeNew,
    /// The first operator can be enrolled only once.
    #[error("an operator is enrolled already; operators enrol each other")]
    OperatorMustBeMissing,
    /// Nobody knows this key.
    #[error("no such key is known here")]
    KeyMustBeKnown,
    /// A key from the future.
    #[error("key {key} is good from {not_before} on")]
    KeyMustBeValidAlready {
        /// The key.
        key: KeyId,
        /// Its start.
        not_before: Timestamp,
    },
    /// A key past its end.
    #[error("key {key} was good until {expires}; ask for a new one")]
    KeyMustNotBeExpired {
        /// The key.
        key: KeyId,
        /// Its end.
        expires: Timestamp,
    },
    /// A key whose successor has taken over.
    #[error("key {0} is retired; use its successor")]
    KeyMustNotBeRetired(KeyId),
    /// A key that was revoked.
    #[error("key {0} is revoked")]
    KeyMustNotBeRevoked(KeyId),
    /// A key that is held for a time.
    #[error("this key is suspended; ask the operator of the installation")]
    KeyMustNotBeSuspended,
    /// A key that is held to reading for a time.
    #[error("this key is held to reading for now; {0} needs more")]
    KeyMustOnlyRead(Scope),
    /// A key of another installation.
    #[error("a {key} key does not open a {here} installation")]
    EnvironmentMustMatch {
        /// The key's.
        key: Environment,
        /// This installation's.
        here: Environment,
    },
    /// A request from elsewhere.
    #[error("this key may not be used from this network address")]
    NetworkMustBeAllowed,
    /// A key without the scope.
    #[error("this needs the scope {0}, which the key does not have")]
    ScopeMustBeGranted(Scope),
    /// A principal whose keys are stopped.
    #[error("principal {0} is disabled")]
    PrincipalMustBeEnabled(PrincipalId),
    /// A scope that is denied whatever else allows it.
    #[error("the scope {0} is denied to this principal")]
    ScopeMustNotBeDenied(Scope),
    /// Time ran backwards.
    #[error("the time {now} is before the last change of access at {last}")]
    ClockMustNotGoBack {
        /// The time given.
        now: Timestamp,
        /// The last event.
        last: Timestamp,
    },
    /// A rotation policy that cannot work.
    #[error("`{what}` of a rotation policy is between {least} and {most}")]
    PolicyMustBeBounded {
        /// Which part of it.
        what: &'static str,
        /// The least.
        least: i64,
        /// The most.
        most: i64,
    },
    /// More versions at once than the policy has room for.
    #[error(
        "{versions} versions of this lineage work at once, which is the most of its policy; the oldest is retired when it has not been used for a while"
    )]
    WindowMustHaveRoom {
        /// The most.
        versions: u32,
    },
    /// A key that was of this lineage before and ended.
    #[error("this key was of this lineage before and has ended; make a new one")]
    KeyMustBeNew,
    /// Nothing to follow, or nothing to go back to.
    #[error("this lineage has no such earlier key that still could work")]
    PredecessorMustExist,
    /// A bound of the whole table.
    #[error("there are {most} {what} already, which is the most")]
    TableMustBeBounded {
        /// Of what.
        what: &'static str,
        /// The most.
        most: usize,
    },
}

impl AccessRefusal {
    /// Text that is no name, cut to what is worth repeating.
    pub(crate) fn name(text: &str) -> Self {
        Self::Name(text.chars().take(SHOWN_MAX).filter(|shown| !shown.is_control()).collect())
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Name(_) => "name.must_be_valid",
            Self::ScopeMustBeKnown(_) => "scope.must_be_known",
            Self::ListMustBeBounded { .. } => "list.must_be_bounded",
            Self::PrincipalMustBeKnown(_) => "principal.must_be_known",
            Self::PrincipalMustBeNew(_) => "principal.must_be_new",
            Self::ParticipantMustBeNamed => "principal.participant_must_be_named",
            Self::ParticipantMustBeUnique(_) => "principal.participant_must_be_unique",
            Self::LastOperatorMustRemain(_) => "principal.last_operator_must_remain",
            Self::RoleMustAllowScope { .. } => "principal.role_must_allow_scope",
            Self::BearerMustOnlyRead(_) => "key.bearer_must_only_read",
            Self::LifetimeMustBeBounded { .. } => "key.lifetime_must_be_bounded",
            Self::EnrolmentMustBeOpen(_) => "enrolment.must_be_open",
            Self::MaterialMustFitAlgorithm => "key.material_must_fit_algorithm",
            Self::NameMustBeNew => "name.must_be_new",
            Self::OperatorMustBeMissing => "enrolment.operator_must_be_missing",
            Self::KeyMustBeKnown => "key.must_be_known",
            Self::KeyMustBeValidAlready { .. } => "key.must_be_valid_already",
            Self::KeyMustNotBeExpired { .. } => "key.must_not_be_expired",
            Self::KeyMustNotBeRetired(_) => "key.must_not_be_retired",
            Self::KeyMustNotBeRevoked(_) => "key.must_not_be_revoked",
            Self::KeyMustNotBeSuspended => "key.must_not_be_suspended",
            Self::KeyMustOnlyRead(_) => "key.must_only_read",
            Self::EnvironmentMustMatch { .. } => "key.environment_must_match",
            Self::NetworkMustBeAllowed => "key.network_must_be_allowed",
            Self::ScopeMustBeGranted(_) => "key.scope_must_be_granted",
            Self::PrincipalMustBeEnabled(_) => "principal.must_be_enabled",
            Self::ScopeMustNotBeDenied(_) => "principal.scope_must_not_be_denied",
            Self::ClockMustNotGoBack { .. } => "clock.must_not_go_back",
            Self::PolicyMustBeBounded { .. } => "rotation.policy_must_be_bounded",
            Self::WindowMustHaveRoom { .. } => "rotation.window_must_have_room",
            Self::KeyMustBeNew => "rotation.key_must_be_new",
            Self::PredecessorMustExist => "rotation.predecessor_must_exist",
            Self::TableMustBeBounded { .. } => "table.must_be_bounded",
        }
    }
}
