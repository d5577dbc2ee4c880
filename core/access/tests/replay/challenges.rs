//! Restarts without memory, and challenges that heal what they refuse.

use super::*;
use strongroom_access::replay::{Challenge, Recovered};

const USED: &str = "request.nonce_was_used";
const LATE: &str = "request.challenge_must_be_answered_in_time";
const CHALLENGE: &str = "request.must_answer_a_challenge";

fn admit(
    window: &mut Window,
    challenges: &Challenges,
    lineage: &str,
    nonce: &[u8],
    (created, now): (i64, i64),
) -> &'static str {
    code(window.admit(challenges, Presented { lineage, nonce, created }, at(now)))
}

fn issue(challenges: &Challenges, window: &Window, lineage: Option<&str>, now: i64) -> Challenge {
    challenges.issue(nonce(now.unsigned_abs()), lineage, window.time(at(now)))
}

#[test]
fn after_a_restart_without_memory_a_challenge_heals_what_is_refused() {
    let mut window = window(LIMITS);
    assert_eq!(code(insert(&mut window, "k1", 1, T0, T0)), "accepted");
    // The signer's clock is at the far end of what is allowed, and the process restarts at once.
    assert_eq!(code(insert(&mut window, "k1", 2, T0 + 5, T0)), "accepted");
    let (mut window, challenges) = (Window::started(LIMITS, &key(), at(T0)), challenges(2));
    for number in 1..=2 {
        for now in T0..T0 + 66 {
            assert_ne!(
                code(insert(&mut window, "k1", number, T0 + 5 * (number as i64 - 1), now)),
                "accepted"
            );
        }
    }
    let mut window = Window::started(LIMITS, &key(), at(T0));
    assert_eq!(admit(&mut window, &challenges, "k1", &nonce(3), (T0, T0)), CHALLENGE);
    let challenge = issue(&challenges, &window, Some("k1"), T0);
    assert_eq!(admit(&mut window, &challenges, "k1", challenge.as_bytes(), (T0, T0)), "accepted");
    assert_eq!(admit(&mut window, &challenges, "k1", challenge.as_bytes(), (T0, T0)), USED);
    // Skew seconds later nobody notices any more.
    assert_eq!(admit(&mut window, &challenges, "k1", &nonce(4), (T0 + 6, T0 + 6)), "accepted");
}

#[test]
fn a_challenge_is_good_once_and_for_its_lineage() {
    let (mut window, challenges) = (window(LIMITS), challenges(1));
    let bound = issue(&challenges, &window, Some("k1"), T0);
    assert_eq!(admit(&mut window, &challenges, "k2", bound.as_bytes(), (T0, T0)), LATE);
    assert_eq!(admit(&mut window, &challenges, "k1", bound.as_bytes(), (T0, T0)), "accepted");
    for now in (T0..T0 + 300).step_by(7) {
        let answer = admit(&mut window, &challenges, "k1", bound.as_bytes(), (now, now));
        assert_eq!(answer, if now <= T0 + 60 { USED } else { LATE });
    }
    let open = issue(&challenges, &window, None, T0 + 300);
    assert_eq!(admit(&mut window, &challenges, "k2", open.as_bytes(), (T0 + 300, T0 + 300)), "accepted");
    assert_eq!(admit(&mut window, &challenges, "k2", open.as_bytes(), (T0 + 300, T0 + 300)), USED);
}

#[test]
fn a_used_challenge_never_comes_back_as_an_ordinary_nonce() {
    // `created` lies ahead of the second in which the challenge was made: it is fresh for longer than the challenge.
    let (mut window, challenges) = (window(LIMITS), challenges(1));
    let challenge = issue(&challenges, &window, Some("k1"), T0);
    assert_eq!(admit(&mut window, &challenges, "k1", challenge.as_bytes(), (T0 + 30, T0)), "accepted");
    for now in T0..T0 + 200 {
        assert_ne!(admit(&mut window, &challenges, "k1", challenge.as_bytes(), (T0 + 30, now)), "accepted");
        let presented = Presented { lineage: "k1", nonce: challenge.as_bytes(), created: T0 + 30 };
        assert_ne!(code(window.insert(presented, at(now))), "accepted");
    }
}

#[test]
fn an_altered_challenge_is_refused_wherever_it_is_altered() {
    let (mut window, challenges) = (window(LIMITS), challenges(1));
    let challenge = issue(&challenges, &window, Some("k1"), T0);
    for byte in 4..challenge.as_bytes().len() {
        let mut altered = challenge.as_bytes().to_vec();
        altered[byte] ^= 1;
        assert_eq!(admit(&mut window, &challenges, "k1", &altered, (T0, T0)), LATE, "byte {byte}");
    }
    // "For anyone" in place of "for k1".
    let mut altered = challenge.as_bytes().to_vec();
    altered[3] = b'u';
    assert_eq!(admit(&mut window, &challenges, "k1", &altered, (T0, T0)), LATE);
}

#[test]
fn a_challenge_of_another_process_is_refused() {
    let mut window = window(LIMITS);
    let of_before = issue(&challenges(1), &window, Some("k1"), T0);
    assert_eq!(admit(&mut window, &challenges(2), "k1", of_before.as_bytes(), (T0, T0)), LATE);
}

#[test]
fn every_challenge_is_another_and_fits_a_nonce() {
    let (window, challenges) = (window(LIMITS), challenges(1));
    let texts: std::collections::BTreeSet<String> = (0..1_000_u64)
        .map(|number| challenges.issue(nonce(number), Some("k1"), window.time(at(T0))).to_text())
        .collect();
    assert_eq!(texts.len(), 1_000);
    assert!(texts.iter().all(|text| text.len() == 59));
    assert!((16..=64).contains(&strongroom_access::replay::CHALLENGE_BYTES));
}

#[test]
fn while_the_clock_is_behind_what_was_forgotten_challenges_still_work() {
    let (mut window, challenges) = (window(LIMITS), challenges(1));
    for second in 0..200 {
        let _ = insert(&mut window, "k1", second, T0 + second as i64, T0 + second as i64).unwrap();
    }
    let now = T0 + 199 - 3_600;
    assert_eq!(admit(&mut window, &challenges, "k1", &nonce(1_000), (now, now)), CHALLENGE);
    for second in 0..20 {
        let challenge = issue(&challenges, &window, Some("k1"), now + second);
        assert_eq!(
            admit(&mut window, &challenges, "k1", challenge.as_bytes(), (now, now + second)),
            "accepted"
        );
        assert_eq!(admit(&mut window, &challenges, "k1", challenge.as_bytes(), (now, now + second)), USED);
    }
}

fn accepted_and_recovered(complete: bool) -> (Vec<Entry>, Window) {
    let mut window = window(LIMITS);
    let entries: Vec<Entry> = (0..90)
        .map(|number| insert(&mut window, "k1", number, T0 + number as i64, T0 + number as i64).unwrap())
        .collect();
    let recovered = Recovered { entries: entries.clone(), watermark: 0, complete };
    (entries, Window::restored(LIMITS, &key(), &recovered, at(T0 + 90)))
}

#[test]
fn with_its_nonces_a_restart_refuses_what_was_used_and_nothing_else() {
    let (entries, mut window) = accepted_and_recovered(true);
    for number in 0..90 {
        assert_ne!(code(insert(&mut window, "k1", number, T0 + number as i64, T0 + 90)), "accepted");
    }
    assert_eq!(code(insert(&mut window, "k1", 100, T0 + 90, T0 + 90)), "accepted");
    assert_eq!(code(insert(&mut window, "k1", 101, T0 + 26, T0 + 91)), "accepted");
    assert!(window.live() < entries.len());
    // The quota is kept too.
    let answers = (200..300).map(|number| code(insert(&mut window, "k1", number, T0 + 91, T0 + 91)));
    let accepted = answers.filter(|answer| *answer == "accepted").count();
    assert!((15..=40).contains(&accepted), "{accepted}");
}

#[test]
fn a_restore_from_a_backup_refuses_all_that_was_signed_before_it() {
    let (_, mut window) = accepted_and_recovered(false);
    let challenges = challenges(3);
    assert_eq!(window.watermark(), T0 + 95);
    for number in 0..90 {
        assert_ne!(code(insert(&mut window, "k1", number, T0 + number as i64, T0 + 90)), "accepted");
    }
    assert_eq!(code(insert(&mut window, "k1", 100, T0 + 90, T0 + 90)), CHALLENGE);
    let challenge = issue(&challenges, &window, Some("k1"), T0 + 90);
    assert_eq!(admit(&mut window, &challenges, "k1", challenge.as_bytes(), (T0 + 90, T0 + 90)), "accepted");
}

#[test]
fn a_watermark_on_disk_is_kept() {
    let recovered = Recovered { entries: vec![], watermark: T0 + 50, complete: true };
    let mut window = Window::restored(LIMITS, &key(), &recovered, at(T0));
    assert_eq!(code(insert(&mut window, "k1", 1, T0, T0)), CHALLENGE);
    assert_eq!(code(insert(&mut window, "k1", 1, T0 + 51, T0 + 51)), "accepted");
}
