//! What nonce stores get wrong, one guarantee a test.

use super::*;
use strongroom_access::KeyId;

const USED: &str = "request.nonce_was_used";
const STALE: &str = "request.must_be_fresh";
const EARLY: &str = "request.must_not_be_from_the_future";
const CHALLENGE: &str = "request.must_answer_a_challenge";
const QUOTA: &str = "request.rate_must_stay_within_the_quota";
const ROOM: &str = "server.window_must_have_room";

#[test]
fn a_nonce_is_remembered_until_its_request_is_stale_not_from_its_arrival() {
    // Signed five seconds ahead of us and shown at once: a life counted from arrival would end five seconds early.
    let mut window = window(LIMITS);
    assert_eq!(code(insert(&mut window, "k1", 1, T0 + 5, T0)), "accepted");
    for now in [T0, T0 + 1, T0 + 65, T0 + 66, T0 + 69, T0 + 70] {
        assert_eq!(code(insert(&mut window, "k1", 1, T0 + 5, now)), USED, "{}", now - T0);
    }
    assert_eq!(code(insert(&mut window, "k1", 1, T0 + 5, T0 + 71)), STALE);
}

#[test]
fn what_is_valid_and_what_is_not_has_no_gap() {
    for (created, now, expected) in [
        (T0, T0 - 6, EARLY),
        (T0, T0 - 5, "accepted"),
        (T0, T0 + 65, "accepted"),
        (T0, T0 + 66, STALE),
        (0, T0, STALE),
        (-1, T0, STALE),
        (i64::MIN, T0, STALE),
        (i64::MAX, T0, EARLY),
        (0, 0, STALE),
        (1, 0, CHALLENGE),
    ] {
        assert_eq!(code(insert(&mut window(LIMITS), "k1", 1, created, now)), expected, "{created} at {now}");
    }
}

#[test]
fn a_live_nonce_is_never_evicted_and_only_the_full_key_waits() {
    let mut window = window(LIMITS);
    for number in 0..100 {
        assert_eq!(code(insert(&mut window, "busy", number, T0, T0)), "accepted");
    }
    let refused = insert(&mut window, "busy", 100, T0, T0).unwrap_err();
    assert_eq!(refused.code(), QUOTA);
    for number in 0..100 {
        assert_eq!(code(insert(&mut window, "busy", number, T0, T0)), USED);
    }
    assert_eq!(code(insert(&mut window, "quiet", 100, T0, T0)), "accepted");
    let ReplayRefusal::RateMustStayWithinTheQuota { retry_after_seconds } = refused else { panic!() };
    let later = T0 + i64::from(retry_after_seconds);
    assert_eq!(code(insert(&mut window, "busy", 100, later - 1, later - 1)), QUOTA);
    assert_eq!(code(insert(&mut window, "busy", 100, later, later)), "accepted");
}

#[test]
fn a_full_window_lets_nothing_in_and_forgets_nothing() {
    let limits = Limits { nonces_per_lineage_max: 1_000, ..LIMITS };
    let mut window = window(limits);
    for number in 0..1_000 {
        assert_eq!(code(insert(&mut window, "k1", number, T0, T0)), "accepted");
    }
    assert_eq!(code(insert(&mut window, "k2", 1_000, T0, T0)), ROOM);
    assert_eq!(code(insert(&mut window, "k1", 0, T0, T0)), USED);
    assert_eq!(code(insert(&mut window, "k2", 1_000, T0 + 66, T0 + 66)), "accepted");
    assert_eq!(window.live(), 1);
}

#[test]
fn lineages_are_bounded_and_a_new_one_waits_for_room() {
    let mut window = window(LIMITS);
    for lineage in 0..20 {
        assert_eq!(code(insert(&mut window, &format!("k{lineage}"), 1, T0, T0)), "accepted");
    }
    assert_eq!(code(insert(&mut window, "k20", 1, T0, T0)), ROOM);
    assert_eq!(code(insert(&mut window, "k3", 2, T0, T0)), "accepted");
    assert_eq!(code(insert(&mut window, "k20", 1, T0 + 90, T0 + 90)), "accepted");
}

#[test]
fn what_is_refused_is_not_remembered() {
    let mut window = window(LIMITS);
    assert_eq!(code(insert(&mut window, "k1", 1, T0 - 100, T0)), STALE);
    assert_eq!(code(insert(&mut window, "k1", 1, T0 + 100, T0)), EARLY);
    assert_eq!(window.live(), 0);
    assert_eq!(code(insert(&mut window, "k1", 1, T0, T0)), "accepted");
    assert_eq!(code(insert(&mut window, "k1", 1, T0, T0)), USED);
    assert_eq!(window.live(), 1);
}

#[test]
fn an_empty_short_or_huge_nonce_is_refused() {
    let mut window = window(LIMITS);
    for (bytes, expected) in [
        (0, "request.nonce_must_have_16_to_64_bytes"),
        (15, "request.nonce_must_have_16_to_64_bytes"),
        (16, "accepted"),
        (64, "accepted"),
        (65, "request.nonce_must_have_16_to_64_bytes"),
        (1 << 20, "request.nonce_must_have_16_to_64_bytes"),
    ] {
        let nonce = vec![7; bytes];
        let presented = Presented { lineage: "k1", nonce: &nonce, created: T0 };
        assert_eq!(code(window.insert(presented, at(T0))), expected, "{bytes}");
    }
}

#[test]
fn a_nonce_signed_twice_is_one_nonce_whatever_the_signature_or_its_time() {
    // A signature can be altered (ECDSA) or made anew (RSA-PSS, another label): the nonce is what counts.
    let mut window = window(LIMITS);
    assert_eq!(code(insert(&mut window, "k1", 1, T0, T0)), "accepted");
    for (created, now) in [(T0, T0 + 1), (T0 - 30, T0 + 1), (T0 + 3, T0 + 1), (T0 + 60, T0 + 65)] {
        assert_eq!(code(insert(&mut window, "k1", 1, created, now)), USED, "{}", created - T0);
    }
}

#[test]
fn two_calls_of_one_second_are_two() {
    let mut window = window(LIMITS);
    for number in 0..50 {
        assert_eq!(code(insert(&mut window, "k1", number, T0, T0)), "accepted");
    }
}

#[test]
fn two_versions_of_a_rotation_share_their_nonces_and_their_quota() {
    let (old, new): (KeyId, KeyId) = ("k0123456789ab.1".parse().unwrap(), "k0123456789ab.2".parse().unwrap());
    let mut window = window(LIMITS);
    for number in 0..50 {
        assert_eq!(code(insert(&mut window, old.lineage.as_str(), number, T0, T0)), "accepted");
        assert_eq!(code(insert(&mut window, new.lineage.as_str(), number, T0, T0)), USED);
        assert_eq!(code(insert(&mut window, new.lineage.as_str(), 50 + number, T0, T0)), "accepted");
    }
    assert_eq!(code(insert(&mut window, new.lineage.as_str(), 100, T0, T0)), QUOTA);
}

#[test]
fn two_lineages_do_not_take_each_others_nonces() {
    let mut window = window(LIMITS);
    assert_eq!(code(insert(&mut window, "k1", 1, T0, T0)), "accepted");
    assert_eq!(code(insert(&mut window, "k2", 1, T0, T0)), "accepted");
}

#[test]
fn a_clock_that_steps_back_reopens_nothing() {
    let mut window = window(LIMITS);
    for second in 0..200 {
        assert_eq!(
            code(insert(&mut window, "k1", second, T0 + second as i64, T0 + second as i64)),
            "accepted"
        );
    }
    let watermark = window.watermark();
    for step in [1, 5, 60, 134, 200, 3_600] {
        for second in 0..200 {
            let created = T0 + second as i64;
            let answer = code(insert(&mut window, "k1", second, created, T0 + 199 - step));
            assert_ne!(answer, "accepted", "{second} after a step of {step}");
        }
        assert_eq!(window.watermark(), watermark);
    }
    // A step within what is remembered costs a signer who follows it nothing.
    assert_eq!(code(insert(&mut window, "k1", 1_000, T0 + 150, T0 + 150)), "accepted");
    assert_eq!(code(insert(&mut window, "k1", 1_001, T0 + 100, T0 + 100)), CHALLENGE);
}

#[test]
fn a_clock_that_jumps_a_year_ahead_and_returns_locks_nobody_out() {
    let year = 31_536_000;
    let mut window = window(LIMITS);
    assert_eq!(code(insert(&mut window, "k1", 1, T0, T0)), "accepted");
    assert_eq!(code(insert(&mut window, "k1", 2, T0, T0 + year)), STALE);
    assert_eq!(code(insert(&mut window, "k1", 1, T0, T0 + 1)), CHALLENGE);
    assert_eq!(code(insert(&mut window, "k1", 3, T0 + 1, T0 + 1)), "accepted");
    assert_eq!(code(insert(&mut window, "k1", 4, T0 + year, T0 + year)), "accepted");
    assert_eq!(code(insert(&mut window, "k1", 5, T0 + 2, T0 + 2)), "accepted");
    assert_eq!(code(insert(&mut window, "k1", 4, T0 + year, T0 + year)), USED);
}

#[test]
fn a_leap_second_and_a_machine_that_slept_change_nothing() {
    let mut window = window(LIMITS);
    // 23:59:60 shows as the same second twice.
    assert_eq!(code(insert(&mut window, "k1", 1, T0, T0)), "accepted");
    assert_eq!(code(insert(&mut window, "k1", 2, T0, T0)), "accepted");
    assert_eq!(code(insert(&mut window, "k1", 1, T0, T0)), USED);
    // Asleep for a day; the first request that wakes it is an old one.
    assert_eq!(code(insert(&mut window, "k1", 1, T0, T0 + 86_400)), STALE);
    assert_eq!(code(insert(&mut window, "k1", 3, T0 + 86_400, T0 + 86_400)), "accepted");
}

#[test]
fn memory_is_bounded_whatever_is_sent() {
    let limits = Limits { nonces_max: 50_000, nonces_per_lineage_max: u32::MAX, ..LIMITS };
    let mut window = window(limits);
    let mut accepted = 0;
    for number in 0..200_000 {
        accepted += u32::from(insert(&mut window, "k1", number, T0, T0).is_ok());
    }
    assert_eq!(accepted, 50_000);
    assert!(window.bytes() <= 50_000 * 28, "{} bytes", window.bytes());
}
