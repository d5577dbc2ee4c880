//! Rotation: its rules, and every interleaving of two clients, a server, crashes and the clock to a stated depth.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper of a test may fail the test"
)]

mod explorer;
mod rules;

use strongroom_access::rotation::{RotationCommand, RotationPolicy};
use strongroom_access::{
    AccessCommand, AccessEvent, AccessRefusal, AccessState, Algorithm, EnrolmentId, Environment, Grant,
    LineageId, Material, Networks, NewEnrolment, Role,
};
use strongroom_units::time::Timestamp;

pub(crate) const HOUR: i64 = 3_600;
const START: i64 = 1_800_000_000;

pub(crate) fn at(hours: i64) -> Timestamp {
    Timestamp::from_second(START + hours * HOUR).unwrap()
}

pub(crate) fn lineage() -> LineageId {
    LineageId::from_random([9; 8])
}

pub(crate) fn public(number: u32) -> Material {
    Material::Public { key: format!("key-{number}") }
}

pub(crate) fn policy() -> RotationPolicy {
    RotationPolicy {
        every_seconds: Some(100 * HOUR),
        min_overlap_seconds: HOUR,
        max_overlap_seconds: 4 * HOUR,
        quiet_seconds: 2 * HOUR,
        keep_retired_seconds: 3 * HOUR,
        ..RotationPolicy::default()
    }
}

pub(crate) fn change(
    access: &mut AccessState,
    command: &AccessCommand,
    now: Timestamp,
) -> Result<Vec<AccessEvent>, AccessRefusal> {
    let events = access.decide(command, now)?;
    for event in &events {
        access.apply(event, now);
    }
    Ok(events)
}

pub(crate) fn rotate(
    access: &mut AccessState,
    command: RotationCommand,
    hours: i64,
) -> Result<Vec<AccessEvent>, AccessRefusal> {
    change(access, &AccessCommand::Rotation(command), at(hours))
}

/// A participant with one active Ed25519 key, good for 300 days.
pub(crate) fn enrolled(policy: &RotationPolicy) -> AccessState {
    let mut access = AccessState::default();
    let principal = "ap-one".parse().unwrap();
    let register = AccessCommand::RegisterPrincipal {
        id: principal,
        role: Role::Participant,
        participant: Some("AP One".to_owned()),
    };
    change(&mut access, &register, at(0)).unwrap();
    let id = EnrolmentId::from_random([3; 8]);
    let grant = Grant {
        principal: "ap-one".parse().unwrap(),
        environment: Environment::Dev,
        scopes: ["read".parse().unwrap()].into(),
        networks: Networks::default(),
        owner: String::new(),
        replay: Default::default(),
    };
    let open = AccessCommand::OpenEnrolment(NewEnrolment {
        id: id.clone(),
        code_hash: "c0de".to_owned(),
        grant,
        algorithm: Algorithm::Ed25519,
        not_before: at(0),
        key_expires: at(300 * 24),
        code_expires: at(1),
    });
    change(&mut access, &open, at(0)).unwrap();
    let enrol = AccessCommand::Enrol {
        id,
        code_hash: "c0de".to_owned(),
        algorithm: Algorithm::Ed25519,
        material: public(0),
        lineage: lineage(),
    };
    change(&mut access, &enrol, at(0)).unwrap();
    let set = RotationCommand::SetPolicy { lineage: lineage(), policy: Some(policy.clone()) };
    rotate(&mut access, set, 0).unwrap();
    access
}

pub(crate) fn add(number: u32) -> RotationCommand {
    RotationCommand::AddSuccessor {
        lineage: lineage(),
        algorithm: Algorithm::Ed25519,
        material: public(number),
        expires: None,
        asked: None,
    }
}
