//! Each rule at its edges, and the bounds of memory.
#![allow(clippy::unwrap_used, reason = "a test that cannot make its input has failed")]

use super::*;
use proptest::prelude::*;

const T0: i64 = 1_800_000_000;

fn seen(second: i64, outcome: Outcome) -> Observation<'static> {
    Observation {
        now: T0 + second,
        key: Some("k1.1"),
        source: Source::of("192.0.2.7".parse().unwrap()),
        user_agent: "client/1",
        created: Some(T0 + second),
        scope: Some("read"),
        outcome,
    }
}

fn kinds(watch: &mut Watch, seen: &Observation<'_>) -> Vec<EventKind> {
    watch.look(seen).into_iter().map(|event| event.kind).collect()
}

#[test]
fn what_must_not_happen_once_is_told_once_a_minute() {
    for (outcome, kind) in [
        (Outcome::NonceWasUsed, EventKind::DuplicateNonce),
        (Outcome::SequenceRegressed, EventKind::SequenceRegress),
        (Outcome::KeyRevoked, EventKind::RevokedKeyUsed),
        (Outcome::KeyEnded, EventKind::EndedKeyUsed),
    ] {
        let mut watch = Watch::default();
        assert_eq!(kinds(&mut watch, &seen(0, outcome)), [kind]);
        assert_eq!(kinds(&mut watch, &seen(59, outcome)), []);
        assert_eq!(kinds(&mut watch, &seen(60, outcome)), [kind]);
        assert_eq!(kinds(&mut watch, &Observation { key: Some("k2.1"), ..seen(60, outcome) }), [kind]);
        assert_eq!(
            kinds(&mut watch, &seen(-100, outcome)),
            [kind],
            "a clock that was set back hides nothing"
        );
    }
}

#[test]
fn failures_are_told_when_they_are_too_many() {
    let mut watch = Watch::default();
    let told: Vec<Vec<EventKind>> =
        (0..25).map(|second| kinds(&mut watch, &seen(second, Outcome::SignatureFailed))).collect();
    let at = |place: usize| told.get(place).cloned().unwrap_or_default();
    assert_eq!(at(4), [EventKind::SignatureFailures]);
    assert_eq!(at(19), [EventKind::RepeatedFailures]);
    assert_eq!(told.iter().flatten().count(), 2);
    // Slowly enough they do not stand out.
    let mut watch = Watch::default();
    assert!((0..50).all(|turn| watch.look(&seen(turn * 20, Outcome::SignatureFailed)).is_empty()));
}

#[test]
fn many_keys_that_fail_from_one_network_stand_out_without_a_known_key() {
    let mut watch = Watch::default();
    let told: Vec<SecurityEvent> = (0..30_u8)
        .flat_map(|host| {
            let source = Source::of(IpAddr::from([198, 51, 100, host]));
            watch.look(&Observation { key: None, source, ..seen(0, Outcome::Refused) })
        })
        .collect();
    let event = told.first().unwrap();
    assert_eq!((told.len(), event.kind, event.count), (1, EventKind::RepeatedFailures, 20));
    assert_eq!((event.source.to_string().as_str(), &event.key), ("198.51.100.0/24", &None));
}

#[test]
fn what_a_key_is_not_used_to_is_told_and_then_known() {
    let mut watch = Watch::default();
    let usual = seen(0, Outcome::Passed);
    assert_eq!(kinds(&mut watch, &usual), [], "the first is what it is used to");
    let neighbour = Observation { source: Source::of("192.0.2.99".parse().unwrap()), ..usual };
    assert_eq!(kinds(&mut watch, &neighbour), []);
    let elsewhere = Observation { source: Source::of("2001:db8:1:2::3".parse().unwrap()), ..usual };
    assert_eq!(kinds(&mut watch, &elsewhere), [EventKind::NewSource]);
    assert_eq!(elsewhere.source.to_string(), "2001:db8:1::/48");
    assert_eq!(kinds(&mut watch, &elsewhere), []);
    assert_eq!(kinds(&mut watch, &Observation { user_agent: "curl/8", ..usual }), [EventKind::NewUserAgent]);
    assert_eq!(kinds(&mut watch, &Observation { scope: Some("keys:admin"), ..usual }), [EventKind::NewScope]);
    // Nobody without the key teaches it anything.
    let stranger = Observation { user_agent: "stranger", ..seen(0, Outcome::SignatureFailed) };
    assert_eq!(kinds(&mut watch, &stranger), []);
    assert_eq!(
        kinds(&mut watch, &Observation { user_agent: "stranger", ..usual }),
        [EventKind::NewUserAgent]
    );
}

#[test]
fn a_second_clock_behind_one_key_stands_out() {
    let mut watch = Watch::default();
    let signed = |second: i64, offset: i64| Observation {
        created: Some(T0 + second - offset),
        ..seen(second, Outcome::Passed)
    };
    // Slow ways and parts of seconds are no other clock.
    for (second, offset) in [(0, 1), (1, 0), (2, 2), (3, 1), (4, 3), (5, 0)] {
        assert!(watch.look(&signed(second, offset)).is_empty(), "{second}");
    }
    let told = watch.look(&signed(6, 20));
    assert_eq!(
        told.iter().map(|event| (event.kind, event.count)).collect::<Vec<_>>(),
        [(EventKind::ClockOffsetJump, 20)]
    );
    // Two clocks in turns agree on nothing; that was told.
    assert!(watch.look(&signed(7, 0)).is_empty());
}

proptest! {
    /// Whatever comes, what is remembered stays within its bounds and what is told is about what was seen.
    #[test]
    fn memory_is_bounded(requests in proptest::collection::vec((any::<u32>(), any::<u32>(), 0_i64..1_000), 1..200)) {
        let mut watch = Watch::default();
        for (address, key, second) in requests {
            let key = format!("k{key}.1");
            let source = Source::of(IpAddr::from(address.to_be_bytes()));
            let told = watch.look(&Observation { key: Some(&key), source, ..seen(second, Outcome::Refused) });
            prop_assert!(told.len() <= 1);
        }
        let (keys, sources) = watch.len();
        prop_assert!(keys <= KEYS_MAX && sources <= SOURCES_MAX);
    }
}

#[test]
fn the_idle_make_room_for_the_new() {
    let mut watch = Watch::default();
    for number in 0..KEYS_MAX as i64 + 1 {
        let key = format!("k{number}.1");
        watch.look(&Observation { key: Some(&key), ..seen(number, Outcome::Passed) });
    }
    assert!(watch.len().0 <= KEYS_MAX);
    let news = |key: &'static str, watch: &mut Watch| {
        kinds(watch, &Observation { key: Some(key), user_agent: "other", ..seen(20_000, Outcome::Passed) })
    };
    assert_eq!(news("k10000.1", &mut watch), [EventKind::NewUserAgent]);
    assert_eq!(news("k0.1", &mut watch), [], "the one that was idle for the longest was forgotten");
}
