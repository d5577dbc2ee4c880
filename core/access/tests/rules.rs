//! Who may do what, and every rule that a change of access can break, in tables; and what no sequence of changes can do.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot make its input has failed"
)]

use proptest::prelude::*;
use std::collections::BTreeSet;
use strongroom_access::{
    AccessCommand, AccessState, Algorithm, Demand, EnrolmentId, Environment, Grant, KeyId, KeyState,
    LineageId, Material, Networks, NewEnrolment, Role, Scope, ServerKey,
};
use strongroom_units::time::Timestamp;

const T0: i64 = 1_800_000_000;
const DAY: i64 = 86_400;
const CODE: &str = "c0de";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(T0 + second).unwrap()
}

fn scopes(names: &[&str]) -> BTreeSet<Scope> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

fn grant(principal: &str, names: &[&str]) -> Grant {
    Grant {
        principal: principal.parse().unwrap(),
        environment: Environment::Test,
        scopes: scopes(names),
        networks: Networks::default(),
        owner: String::new(),
        replay: Default::default(),
    }
}

fn lineage(byte: u8) -> LineageId {
    LineageId::from_random([byte; 8])
}

fn key(byte: u8) -> KeyId {
    format!("{}.1", lineage(byte)).parse().unwrap()
}

fn register(id: &str, role: Role) -> AccessCommand {
    let participant = (role == Role::Participant).then(|| id.to_uppercase());
    AccessCommand::RegisterPrincipal { id: id.parse().unwrap(), role, participant }
}

fn issue(byte: u8, algorithm: Algorithm, grant: Grant) -> AccessCommand {
    let material = match algorithm {
        Algorithm::Bearer => Material::Hash { hash: "0".to_owned() },
        Algorithm::HmacSha256 => Material::Sealed { sealed: "sealed".to_owned() },
        _ => Material::Public { key: "cHVibGlj".to_owned() },
    };
    AccessCommand::IssueSecret {
        lineage: lineage(byte),
        grant,
        algorithm,
        material,
        not_before: at(0),
        expires: at(90 * DAY),
    }
}

fn first(byte: u8) -> AccessCommand {
    AccessCommand::OpenFirstEnrolment {
        id: EnrolmentId::from_random([byte; 8]),
        code_hash: CODE.to_owned(),
        principal: "operator".parse().unwrap(),
        environment: Environment::Test,
        code_expires: at(DAY),
        key_expires: at(90 * DAY),
    }
}

fn invite(byte: u8, grant: Grant) -> AccessCommand {
    AccessCommand::OpenEnrolment(NewEnrolment {
        id: EnrolmentId::from_random([byte; 8]),
        code_hash: CODE.to_owned(),
        grant,
        algorithm: Algorithm::Ed25519,
        not_before: at(0),
        key_expires: at(90 * DAY),
        code_expires: at(DAY),
    })
}

fn enrol(byte: u8, code: &str) -> AccessCommand {
    AccessCommand::Enrol {
        id: EnrolmentId::from_random([byte; 8]),
        code_hash: code.to_owned(),
        algorithm: Algorithm::Ed25519,
        material: Material::Public { key: "cHVibGlj".to_owned() },
        lineage: lineage(byte),
    }
}

fn revoke(byte: u8, version: Option<u32>, even_the_last: bool) -> AccessCommand {
    AccessCommand::Revoke { lineage: lineage(byte), version, even_the_last, reason: "a test".to_owned() }
}

fn enable(id: &str, enabled: bool) -> AccessCommand {
    AccessCommand::EnablePrincipal { id: id.parse().unwrap(), enabled, reason: "a test".to_owned() }
}

fn deny(id: &str, names: &[&str]) -> AccessCommand {
    AccessCommand::DenyScopes { id: id.parse().unwrap(), scopes: scopes(names), reason: "a test".to_owned() }
}

fn restrict(byte: u8, to: &str) -> AccessCommand {
    let restriction = Some(to).filter(|to| !to.is_empty()).map(|to| to.parse().unwrap());
    AccessCommand::Restrict { lineage: lineage(byte), restriction, reason: "a test".to_owned() }
}

fn server_key(version: u32, vouched: bool) -> AccessCommand {
    AccessCommand::AddServerKey(ServerKey {
        version,
        algorithm: Algorithm::Ed25519,
        public: "cHVibGlj".to_owned(),
        sealed: "sealed".to_owned(),
        created: at(0),
        vouched: vouched.then(|| "c2lnbmF0dXJl".to_owned()),
    })
}

/// `done`, `already done`, or the code of the rule.
fn give(state: &mut AccessState, command: &AccessCommand, second: i64) -> &'static str {
    match state.decide(command, at(second)) {
        Ok(events) => {
            events.iter().for_each(|event| state.apply(event, at(second)));
            if events.is_empty() { "already done" } else { "done" }
        }
        Err(refusal) => refusal.code(),
    }
}

/// An operator with key 1, a participant with signing key 2, an auditor without.
fn house() -> AccessState {
    let mut state = AccessState::default();
    for command in [
        first(1),
        enrol(1, CODE),
        register("ap", Role::Participant),
        register("auditor", Role::Auditor),
        issue(2, Algorithm::HmacSha256, grant("ap", &["read", "orders:write"])),
    ] {
        assert_eq!(give(&mut state, &command, 0), "done", "{command:?}");
    }
    state
}

#[test]
fn a_role_holds_these_scopes_and_no_others() {
    // Columns in the order of `Scope::ALL`: read, orders:write, orders:manage, prices:write, nav:strike, fund:admin,
    // custody:write, reserves:approve, keys:admin, audit:read, metrics:read, security:read.
    for (role, held) in [
        (Role::Operator, "xxxxxxx.xxxx"),
        (Role::Approver, "x......x...."),
        (Role::Auditor, "x........xxx"),
        (Role::Participant, "xx.........."),
        (Role::ReadOnly, "x.........x."),
    ] {
        let may = |scope: &&str| if role.may_hold(&scope.parse().unwrap()) { 'x' } else { '.' };
        let found: String = Scope::ALL.iter().map(may).collect();
        assert_eq!(found, held, "{}", role.as_str());
        assert!(role.may_hold(&"app:withdraw".parse().unwrap()));
    }
}

#[test]
fn every_rule_of_a_change_is_kept() {
    let read = |principal: &str| grant(principal, &["read"]);
    let long = Grant { owner: "x".repeat(65), ..read("ap") };
    let life = |from: i64, to: i64| AccessCommand::IssueSecret {
        lineage: lineage(9),
        grant: read("ap"),
        algorithm: Algorithm::HmacSha256,
        material: Material::Sealed { sealed: "sealed".to_owned() },
        not_before: at(from),
        expires: at(to),
    };
    let odd = AccessCommand::RegisterPrincipal {
        id: "odd".parse().unwrap(),
        role: Role::Participant,
        participant: None,
    };
    let named = |id: &str, role, name: &str| AccessCommand::RegisterPrincipal {
        id: id.parse().unwrap(),
        role,
        participant: Some(name.to_owned()),
    };
    let rewrap = |byte| AccessCommand::Rewrap { key: key(byte), sealed: "anew".to_owned() };
    let use_of = |key: &str| AccessCommand::NoteFirstUse { key: key.parse().unwrap() };
    // Given at second 1, from which a key lives that would have begun before.
    for (command, expected) in [
        (register("ap", Role::Participant), "already done"),
        (register("ap", Role::ReadOnly), "principal.must_be_new"),
        (odd, "principal.participant_must_be_named"),
        (named("odd", Role::Auditor, "ODD"), "principal.participant_must_be_named"),
        (named("odd", Role::Participant, "AP"), "principal.participant_must_be_unique"),
        (named("odd", Role::Participant, " "), "name.must_be_valid"),
        (named("odd", Role::Participant, "a\nb"), "name.must_be_valid"),
        (enable("nobody", false), "principal.must_be_known"),
        (enable("ap", true), "already done"),
        (enable("ap", false), "done"),
        (enable("operator", false), "principal.last_operator_must_remain"),
        (deny("nobody", &["read"]), "principal.must_be_known"),
        (deny("ap", &[]), "already done"),
        (deny("ap", &["orders:write"]), "done"),
        (deny("operator", &["fund:admin"]), "done"),
        (deny("operator", &["keys:admin"]), "principal.last_operator_must_remain"),
        (invite(3, read("ap")), "done"),
        (invite(3, read("nobody")), "principal.must_be_known"),
        (invite(3, grant("ap", &["keys:admin"])), "principal.role_must_allow_scope"),
        (invite(3, grant("operator", &["reserves:approve"])), "principal.role_must_allow_scope"),
        (invite(3, grant("ap", &[])), "list.must_be_bounded"),
        (invite(3, long), "name.must_be_valid"),
        (first(3), "enrolment.operator_must_be_missing"),
        (enrol(1, CODE), "enrolment.must_be_open"),
        (enrol(9, CODE), "enrolment.must_be_open"),
        (issue(3, Algorithm::Bearer, read("ap")), "done"),
        (issue(3, Algorithm::Bearer, grant("ap", &["orders:write"])), "key.bearer_must_only_read"),
        (issue(3, Algorithm::Bearer, grant("ap", &["app:spread"])), "key.bearer_must_only_read"),
        (issue(3, Algorithm::Ed25519, read("ap")), "key.material_must_fit_algorithm"),
        (issue(2, Algorithm::HmacSha256, read("ap")), "name.must_be_new"),
        (life(0, 61), "done"),
        (life(0, 60), "key.lifetime_must_be_bounded"),
        (life(60, 60), "key.lifetime_must_be_bounded"),
        (life(-10 * DAY, 398 * DAY + 1), "done"),
        (life(0, 398 * DAY + 2), "key.lifetime_must_be_bounded"),
        (use_of(&key(2).to_string()), "done"),
        (use_of(&key(1).to_string()), "already done"),
        (use_of(&key(9).to_string()), "key.must_be_known"),
        (use_of(&format!("{}.2", lineage(1))), "key.must_be_known"),
        (revoke(9, None, false), "key.must_be_known"),
        (revoke(2, Some(2), false), "key.must_be_known"),
        (revoke(2, Some(1), false), "done"),
        (revoke(1, None, false), "principal.last_operator_must_remain"),
        (revoke(1, None, true), "done"),
        (restrict(9, "suspended"), "key.must_be_known"),
        (restrict(2, "suspended"), "done"),
        (restrict(2, ""), "already done"),
        (restrict(1, "throttled:60"), "done"),
        (restrict(1, "challenged"), "done"),
        (restrict(1, "read-only"), "principal.last_operator_must_remain"),
        (restrict(1, "suspended"), "principal.last_operator_must_remain"),
        (rewrap(2), "done"),
        (rewrap(1), "key.material_must_fit_algorithm"),
        (rewrap(9), "key.must_be_known"),
        (server_key(1, false), "done"),
        (server_key(2, true), "key.material_must_fit_algorithm"),
    ] {
        assert_eq!(give(&mut house(), &command, 1), expected, "{command:?}");
        assert_eq!(give(&mut house(), &command, -1), "clock.must_not_go_back", "{command:?}");
    }
}

#[test]
fn a_code_is_good_once_in_its_time_and_only_the_code() {
    let mut state = house();
    assert_eq!(give(&mut state, &invite(3, grant("ap", &["read"])), 0), "done");
    assert_eq!(give(&mut state, &invite(3, grant("ap", &["read"])), 0), "name.must_be_new");
    assert_eq!(give(&mut state, &enrol(3, "guess"), 0), "enrolment.must_be_open");
    let before = state.clone();
    assert_eq!(give(&mut state, &enrol(3, CODE), DAY - 1), "done");
    assert_eq!(give(&mut state, &enrol(3, CODE), DAY - 1), "enrolment.must_be_open");
    assert_eq!(give(&mut before.clone(), &enrol(3, CODE), DAY), "enrolment.must_be_open");
    let mut hmac = enrol(3, CODE);
    if let AccessCommand::Enrol { algorithm, .. } = &mut hmac {
        *algorithm = Algorithm::HmacSha256;
    }
    assert_eq!(give(&mut before.clone(), &hmac, 1), "key.material_must_fit_algorithm");
}

/// The first invitation ends with the first operator, and comes again with its end; a stopped operator stays stopped.
#[test]
fn the_first_operator_is_first_while_there_is_none() {
    let mut state = AccessState::default();
    assert_eq!(give(&mut state, &first(1), 0), "done");
    assert_eq!(give(&mut state, &first(2), 0), "done");
    assert_eq!(give(&mut state, &enrol(1, CODE), 0), "enrolment.must_be_open", "the later one replaced it");
    assert_eq!(give(&mut state, &enrol(2, CODE), 0), "done");
    assert_eq!(give(&mut state, &first(3), 1), "enrolment.operator_must_be_missing");
    assert_eq!(give(&mut state, &revoke(2, None, true), 1), "done");
    assert_eq!(give(&mut state, &enable("operator", false), 1), "done");
    assert_eq!(give(&mut state, &first(3), 1), "principal.must_be_enabled");
    assert_eq!(give(&mut state, &enable("operator", true), 1), "done");
    assert_eq!(give(&mut state, &first(3), 1), "done");
    assert_eq!(give(&mut state, &server_key(1, false), 1), "done");
    assert_eq!(give(&mut state, &server_key(2, false), 1), "key.material_must_fit_algorithm", "unvouched");
    assert_eq!(give(&mut state, &server_key(2, true), 1), "done");
}

#[test]
fn a_demand_is_met_by_everything_together() {
    let narrow = Grant {
        networks: Networks::try_new(["10.0.0.0/8".parse().unwrap()]).unwrap(),
        ..grant("ap", &["read", "orders:write"])
    };
    let mut state = house();
    assert_eq!(give(&mut state, &issue(3, Algorithm::HmacSha256, narrow), 0), "done");
    assert_eq!(give(&mut state, &issue(4, Algorithm::Bearer, grant("ap", &["read"])), 0), "done");
    let after = |command: AccessCommand| {
        let mut state = state.clone();
        assert_eq!(give(&mut state, &command, 1), "done");
        state
    };
    let none = || state.clone();
    let (test, live) = (Environment::Test, Environment::Live);
    let write = Some("orders:write");
    for (state, byte, scope, environment, peer, second, expected) in [
        (none(), 2, write, test, "192.0.2.1", 1, "ok"),
        (none(), 2, None, test, "192.0.2.1", 1, "ok"),
        (none(), 9, write, test, "192.0.2.1", 1, "key.must_be_known"),
        (none(), 2, write, live, "192.0.2.1", 1, "key.environment_must_match"),
        (none(), 2, write, test, "192.0.2.1", -1, "key.must_be_valid_already"),
        (none(), 2, write, test, "192.0.2.1", 90 * DAY, "key.must_not_be_expired"),
        (none(), 2, Some("audit:read"), test, "192.0.2.1", 1, "principal.role_must_allow_scope"),
        (none(), 4, write, test, "192.0.2.1", 1, "key.scope_must_be_granted"),
        (none(), 4, Some("read"), test, "192.0.2.1", 1, "ok"),
        (none(), 3, write, test, "192.0.2.1", 1, "key.network_must_be_allowed"),
        (none(), 3, None, test, "192.0.2.1", 1, "key.network_must_be_allowed"),
        (none(), 3, write, test, "10.9.8.7", 1, "ok"),
        (none(), 3, write, test, "::ffff:10.9.8.7", 1, "ok"),
        (after(revoke(2, None, false)), 2, write, test, "192.0.2.1", 1, "key.must_not_be_revoked"),
        (after(restrict(2, "suspended")), 2, write, test, "192.0.2.1", 1, "key.must_not_be_suspended"),
        (after(restrict(2, "suspended")), 2, None, test, "192.0.2.1", 1, "key.must_not_be_suspended"),
        (after(restrict(2, "read-only")), 2, write, test, "192.0.2.1", 1, "key.must_only_read"),
        (after(restrict(2, "read-only")), 2, Some("read"), test, "192.0.2.1", 1, "ok"),
        (after(restrict(2, "challenged")), 2, write, test, "192.0.2.1", 1, "ok"),
        (after(restrict(2, "throttled:1")), 2, write, test, "192.0.2.1", 1, "ok"),
        (after(enable("ap", false)), 2, None, test, "192.0.2.1", 1, "principal.must_be_enabled"),
        (after(enable("ap", false)), 4, Some("read"), test, "192.0.2.1", 1, "principal.must_be_enabled"),
        (
            after(deny("ap", &["orders:write"])),
            2,
            write,
            test,
            "192.0.2.1",
            1,
            "principal.scope_must_not_be_denied",
        ),
        (after(deny("ap", &["orders:write"])), 2, Some("read"), test, "192.0.2.1", 1, "ok"),
    ] {
        let scope: Option<Scope> = scope.map(|scope| scope.parse().unwrap());
        let peer = peer.parse().unwrap();
        let demand = Demand { scope: scope.as_ref(), environment, peer, now: at(second) };
        let told = state.authorise(&key(byte), demand).map_or_else(|refusal| refusal.code(), |_| "ok");
        assert_eq!(told, expected, "key {byte}, {scope:?}, {environment}, {peer}, {second}");
    }
}

#[test]
fn a_suspension_is_lifted_and_a_revocation_is_not() {
    let demand = |state: &AccessState, second| {
        let (environment, peer) = (Environment::Test, [192, 0, 2, 1].into());
        let demand = Demand { scope: None, environment, peer, now: at(second) };
        state.authorise(&key(2), demand).map_or_else(|refusal| refusal.code(), |_| "ok")
    };
    let mut state = house();
    for (second, to, told) in [(1, "suspended", "key.must_not_be_suspended"), (2, "", "ok")] {
        assert_eq!(give(&mut state, &restrict(2, to), second), "done");
        assert_eq!(demand(&state, second), told);
    }
    assert_eq!(give(&mut state, &revoke(2, None, false), 3), "done");
    assert_eq!(give(&mut state, &restrict(2, "suspended"), 4), "done");
    assert_eq!(give(&mut state, &restrict(2, ""), 5), "done");
    assert_eq!(demand(&state, 5), "key.must_not_be_revoked");
}

#[test]
fn a_restriction_has_one_text() {
    for text in ["throttled:60", "challenged", "read-only", "suspended"] {
        assert_eq!(text.parse::<strongroom_access::Restriction>().unwrap().to_string(), text);
    }
    for text in ["", "throttled", "throttled:0", "throttled:-1", "throttled:1000001", "Suspended"] {
        assert!(text.parse::<strongroom_access::Restriction>().is_err(), "{text}");
    }
}

fn any_command() -> impl Strategy<Value = AccessCommand> {
    let byte = 1..4_u8;
    let name = prop::sample::select(vec!["operator", "ap", "auditor"]);
    prop_oneof![
        byte.clone().prop_map(first),
        byte.clone().prop_map(|byte| enrol(byte, CODE)),
        (byte.clone(), name.clone()).prop_map(|(byte, name)| invite(byte, grant(name, &["read"]))),
        (byte.clone(), name.clone()).prop_map(|(byte, name)| issue(
            byte,
            Algorithm::HmacSha256,
            grant(name, &["read", "keys:admin"])
        )),
        (byte.clone(), any::<bool>()).prop_map(|(byte, last)| revoke(byte, None, last)),
        (byte.clone(), prop::sample::select(vec!["", "throttled:9", "challenged", "read-only", "suspended"]))
            .prop_map(|(byte, to)| restrict(byte, to)),
        byte.prop_map(|byte| AccessCommand::NoteFirstUse { key: key(byte) }),
        (name.clone(), any::<bool>()).prop_map(|(name, enabled)| enable(name, enabled)),
        (name, any::<bool>()).prop_map(|(name, all)| deny(name, if all { &["keys:admin"] } else { &[] })),
    ]
}

proptest! {
    /// Whatever is asked for in whatever order: what was revoked stays so, a grant never changes, a code is spent with
    /// its key, only who says `even_the_last` ends the last operator, and the state is the replay of its events.
    #[test]
    fn no_sequence_of_changes_brings_a_key_back(commands in prop::collection::vec(any_command(), 1..60)) {
        let (mut state, mut log) = (AccessState::default(), Vec::new());
        for id in [register("ap", Role::Participant), register("auditor", Role::Auditor)] {
            for event in state.decide(&id, at(0)).unwrap() {
                state.apply(&event, at(0));
                log.push((event, at(0)));
            }
        }
        for (second, command) in (0..).zip(&commands) {
            let before = state.clone();
            let Ok(events) = state.decide(command, at(second)) else { continue };
            for event in events {
                state.apply(&event, at(second));
                log.push((event, at(second)));
            }
            for old in before.lineages() {
                let new = state.lineage(&old.id).unwrap();
                prop_assert_eq!(&new.grant, &old.grant);
                for (version, key) in &old.versions {
                    let ended = |state| matches!(state, KeyState::Revoked | KeyState::Destroyed);
                    prop_assert!(!ended(key.state) || ended(new.versions[version].state));
                }
            }
            let even = matches!(command, AccessCommand::Revoke { even_the_last: true, .. });
            prop_assert!(even || !before.has_operator(at(second)) || state.has_operator(at(second)), "{command:?}");
            prop_assert!(state.decide(command, at(second)).map_or(true, |again| again.is_empty()
                || matches!(command, AccessCommand::OpenFirstEnrolment { .. })), "{command:?} again");
        }
        let mut replayed = AccessState::default();
        for (event, at) in &log {
            let (_, body) = strongroom_access::encode(event).unwrap();
            replayed.apply(&strongroom_access::decode(&body).unwrap(), *at);
        }
        prop_assert_eq!(replayed, state);
    }
}
