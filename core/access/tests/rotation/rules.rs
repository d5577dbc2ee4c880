//! The rules one by one.

use crate::{add, at, change, enrolled, lineage, policy, public, rotate};
use std::collections::BTreeMap;
use strongroom_access::rotation::{Hours, OnLaggard, Replacement, RotationCommand, RotationPolicy};
use strongroom_access::{AccessCommand, AccessEvent, AccessState, EnrolmentId, KeyState, decode, encode};

fn states(access: &AccessState) -> String {
    let versions = access.lineage(&lineage()).unwrap().versions.values();
    versions.map(|key| format!("{}{}", key.version, &key.state.as_str()[..3])).collect::<Vec<_>>().join(" ")
}

fn use_key(access: &mut AccessState, version: u32, hours: i64) {
    let key = access.lineage(&lineage()).unwrap().key_id(version);
    change(access, &AccessCommand::NoteFirstUse { key }, at(hours)).unwrap();
}

fn advance(access: &mut AccessState, hours: i64, used: &[(u32, i64)]) {
    let last_used: BTreeMap<_, _> = used.iter().map(|(version, hours)| (*version, at(*hours))).collect();
    rotate(access, RotationCommand::Advance { lineage: lineage(), last_used }, hours).unwrap();
}

fn roll_back(access: &mut AccessState, hours: i64) -> Result<Vec<AccessEvent>, String> {
    let command = RotationCommand::RollBack { lineage: lineage(), reason: "a bad deployment".to_owned() };
    rotate(access, command, hours).map_err(|refusal| refusal.code().to_owned())
}

#[test]
fn a_key_goes_through_its_life() {
    let mut access = enrolled(&policy());
    rotate(&mut access, add(1), 1).unwrap();
    assert_eq!(states(&access), "1act 2pen", "the old key is the primary until the new one is used");
    use_key(&mut access, 2, 2);
    assert_eq!(states(&access), "1gra 2act");
    advance(&mut access, 3, &[]);
    assert_eq!(states(&access), "1gra 2act", "the overlap is over, the quiet period is not");
    advance(&mut access, 5, &[(1, 4)]);
    assert_eq!(states(&access), "1gra 2act", "it was used");
    advance(&mut access, 6, &[(1, 4)]);
    assert_eq!(states(&access), "1ret 2act");
    advance(&mut access, 9, &[]);
    assert_eq!(states(&access), "1des 2act");
    assert_eq!(roll_back(&mut access, 9).unwrap_err(), "rotation.predecessor_must_exist");
    use_key(&mut access, 2, 10);
    assert_eq!(states(&access), "1des 2act");
}

#[test]
fn a_laggard_is_told_or_cut_off() {
    for (on_laggard, expected) in [(OnLaggard::Extend, "1gra 2act"), (OnLaggard::Force, "1ret 2act")] {
        let mut access = enrolled(&RotationPolicy { on_laggard, ..policy() });
        rotate(&mut access, add(1), 1).unwrap();
        use_key(&mut access, 2, 2);
        advance(&mut access, 6, &[(1, 6)]);
        assert_eq!(states(&access), expected);
    }
}

#[test]
fn nothing_is_retired_while_the_primary_does_not_work() {
    let mut access = enrolled(&RotationPolicy { on_laggard: OnLaggard::Force, ..policy() });
    rotate(&mut access, add(1), 1).unwrap();
    use_key(&mut access, 2, 2);
    let revoke = AccessCommand::Revoke {
        lineage: lineage(),
        version: Some(2),
        even_the_last: false,
        reason: "it leaked".to_owned(),
    };
    change(&mut access, &revoke, at(3)).unwrap();
    advance(&mut access, 40, &[]);
    assert_eq!(states(&access), "1gra 2des", "the old key is the only one that works");
}

#[test]
fn rolling_back_swaps_until_the_old_key_is_destroyed() {
    let mut access = enrolled(&policy());
    rotate(&mut access, add(1), 1).unwrap();
    use_key(&mut access, 2, 2);
    roll_back(&mut access, 3).unwrap();
    assert_eq!(states(&access), "1act 2gra", "both work: nobody is cut off");
    roll_back(&mut access, 4).unwrap();
    assert_eq!(states(&access), "1gra 2act");
    advance(&mut access, 8, &[]);
    assert_eq!(states(&access), "1ret 2act");
    roll_back(&mut access, 9).unwrap();
    assert_eq!(states(&access), "1act 2gra", "also from retirement");
}

#[test]
fn a_successor_is_asked_for_twice_and_made_once() {
    let mut access = enrolled(&policy());
    assert_eq!(rotate(&mut access, add(1), 1).unwrap().len(), 1);
    assert_eq!(rotate(&mut access, add(1), 1).unwrap(), []);
    rotate(&mut access, add(2), 1).unwrap();
    assert_eq!(states(&access), "1act 2des 3pen", "an unused one is given up for another");
    use_key(&mut access, 3, 2);
    assert_eq!(rotate(&mut access, add(2), 2).unwrap(), [], "it is there");
    assert_eq!(rotate(&mut access, add(3), 2).unwrap_err().code(), "rotation.window_must_have_room");
    assert_eq!(rotate(&mut access, add(0), 2).unwrap(), [], "the old key is there");
    advance(&mut access, 8, &[]);
    assert_eq!(rotate(&mut access, add(0), 8).unwrap_err().code(), "rotation.key_must_be_new");
}

#[test]
fn what_nobody_uses_is_given_up() {
    let mut access = enrolled(&policy());
    rotate(&mut access, add(1), 1).unwrap();
    advance(&mut access, 4, &[]);
    assert_eq!(states(&access), "1act 2pen");
    advance(&mut access, 5, &[]);
    assert_eq!(states(&access), "1act 2des");
}

#[test]
fn versions_are_forgotten_but_their_numbers_are_not_given_again() {
    let mut access = enrolled(&policy());
    for round in 1..40_u32 {
        let hours = i64::from(round) * 20;
        rotate(&mut access, add(round), hours).unwrap();
        use_key(&mut access, round + 1, hours);
        for later in [8, 16] {
            advance(&mut access, hours + later, &[]);
        }
    }
    let lineage = access.lineage(&lineage()).unwrap();
    assert!(lineage.versions.len() <= 16, "{}", lineage.versions.len());
    assert_eq!(lineage.primary().unwrap().version, 40);
    assert_eq!(lineage.usable(1, at(900)).unwrap_err().code(), "key.must_be_known");
}

#[test]
fn a_rotation_is_due_in_the_last_tenth_and_not_during_the_market() {
    let access = enrolled(&policy());
    let due = access.lineage(&lineage()).unwrap().rotation_due().unwrap();
    assert!(at(90) <= due && due <= at(100), "{due}");
    // 15 January 2027 is a Friday; the start of these tests is 8:00 UTC, 3:00 in New York.
    let whole_day: Hours = "00:00-24:00".parse().unwrap();
    let hours = RotationPolicy { every_seconds: Some(HOURS_TEN), not_during: vec![whole_day], ..policy() };
    let mut access = enrolled(&hours);
    let due = access.lineage(&lineage()).unwrap().rotation_due().unwrap();
    assert_eq!(due.to_string(), "2027-01-16T05:00:00Z", "midnight in New York");
    advance(&mut access, 12, &[]);
    assert_eq!(access.lineage(&lineage()).unwrap().next_due(&BTreeMap::new()), Some(due));
    advance(&mut access, 22, &[]);
    assert_eq!(access.lineage(&lineage()).unwrap().next_due(&BTreeMap::new()), None, "it was said");
}

const HOURS_TEN: i64 = 10 * crate::HOUR;

#[test]
fn an_emergency_ends_and_replaces_in_one_go() {
    let mut access = enrolled(&policy());
    rotate(&mut access, add(1), 1).unwrap();
    let id = EnrolmentId::from_random([5; 8]);
    let command = RotationCommand::Emergency {
        lineage: lineage(),
        reason: "the laptop is gone".to_owned(),
        replacement: Replacement::Invitation {
            id: id.clone(),
            code_hash: "c0de2".to_owned(),
            code_expires: at(30),
            key_expires: at(300),
        },
        even_the_last: false,
    };
    rotate(&mut access, command.clone(), 2).unwrap();
    assert_eq!(states(&access), "1rev 2rev");
    let grant = &access.enrolment(&id).unwrap().grant;
    assert_eq!(*grant, access.lineage(&lineage()).unwrap().grant);
    assert_eq!(rotate(&mut access, command, 3).unwrap(), [], "asked twice, done once");
    assert_eq!(roll_back(&mut access, 3).unwrap_err(), "rotation.predecessor_must_exist");
    assert_eq!(rotate(&mut access, add(7), 3).unwrap_err().code(), "rotation.predecessor_must_exist");
}

#[test]
fn a_policy_that_cannot_work_is_refused() {
    let wrong = [
        RotationPolicy { every_seconds: Some(1), ..policy() },
        RotationPolicy { min_overlap_seconds: -1, ..policy() },
        RotationPolicy { max_overlap_seconds: 10, ..policy() },
        RotationPolicy { quiet_seconds: 0, ..policy() },
        RotationPolicy { versions: 1, ..policy() },
        RotationPolicy { versions: 99, ..policy() },
        RotationPolicy { keep_retired_seconds: -1, ..policy() },
    ];
    let mut access = enrolled(&policy());
    for policy in wrong {
        let set = RotationCommand::SetPolicy { lineage: lineage(), policy: Some(policy.clone()) };
        let refusal = rotate(&mut access, set, 1).unwrap_err();
        assert_eq!(refusal.code(), "rotation.policy_must_be_bounded", "{policy:?}");
    }
    for text in ["", "9-10", "10:00-09:00", "10:00-25:00", "10:61-11:00", "10:00-10:00"] {
        assert!(text.parse::<Hours>().is_err(), "{text}");
    }
}

#[test]
fn every_event_reads_as_it_was_written() {
    let mut access = enrolled(&policy());
    let mut events = rotate(&mut access, add(1), 1).unwrap();
    events.extend(rotate(&mut access, add(2), 1).unwrap());
    use_key(&mut access, 3, 2);
    events.extend(roll_back(&mut access, 3).unwrap());
    for event in events {
        let (_, body) = encode(&event).unwrap();
        assert_eq!(decode(&body).unwrap(), event);
    }
    assert_eq!(access.lineage(&lineage()).unwrap().versions[&2].state, KeyState::Destroyed);
    assert_ne!(access.lineage(&lineage()).unwrap().versions[&2].material, public(1));
}
