//! The table of the draft, its bounds, and a simple map as judge.

use super::*;
use proptest::prelude::*;

const LIMITS: IdempotencyLimits =
    IdempotencyLimits { lifetime_seconds: 100, keys_max: 10, keys_per_lineage_max: 4 };
const IN_USE: &str = "request.idempotency_key_must_not_be_in_use";
const REUSED: &str = "request.idempotency_key_must_not_be_reused";
const QUOTA: &str = "request.idempotency_keys_must_stay_within_the_quota";
const ROOM: &str = "server.idempotency_keys_must_have_room";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

type Keys = IdempotencyKeys<&'static str>;

/// "first", the stored answer, or the code; a first request is finished with the answer, if there is one.
fn send(
    keys: &mut Keys,
    (lineage, key, request): (&str, &str, u8),
    second: i64,
    answer: Option<&'static str>,
) -> &'static str {
    let ticket = match keys.begin(lineage, key, [request; 32], at(second)) {
        Ok(Begun::Again(answer)) => return answer,
        Err(refusal) => return refusal.code(),
        Ok(Begun::First(ticket)) => ticket,
    };
    match answer {
        Some(answer) => keys.finish(ticket, answer),
        None => drop(ticket),
    }
    "first"
}

#[test]
fn a_request_is_executed_once_and_answered_alike() {
    let mut keys = Keys::new(LIMITS);
    assert_eq!(send(&mut keys, ("k1", "a", 1), 0, Some("done")), "first");
    for second in [0, 1, 99] {
        assert_eq!(send(&mut keys, ("k1", "a", 1), second, Some("again")), "done");
        assert_eq!(send(&mut keys, ("k1", "a", 2), second, Some("other")), REUSED);
    }
    assert_eq!(send(&mut keys, ("k1", "a", 2), 100, Some("new")), "first");
}

#[test]
fn while_the_first_is_executed_the_second_waits() {
    let mut keys = Keys::new(LIMITS);
    let Ok(Begun::First(ticket)) = keys.begin("k1", "a", [1; 32], at(0)) else { panic!() };
    assert_eq!(send(&mut keys, ("k1", "a", 1), 0, None), IN_USE);
    assert_eq!(send(&mut keys, ("k1", "a", 2), 0, None), REUSED);
    keys.finish(ticket, "refused");
    assert_eq!(send(&mut keys, ("k1", "a", 1), 1, None), "refused");
}

#[test]
fn what_was_not_executed_may_be_sent_again() {
    let mut keys = Keys::new(LIMITS);
    for _ in 0..100 {
        let Ok(Begun::First(ticket)) = keys.begin("k1", "a", [1; 32], at(0)) else { panic!() };
        keys.abandon(ticket);
        assert_eq!(keys.known(), 0);
    }
    assert_eq!(send(&mut keys, ("k1", "a", 1), 0, Some("done")), "first");
}

#[test]
fn nobody_gets_another_lineages_answer() {
    let mut keys = Keys::new(LIMITS);
    assert_eq!(send(&mut keys, ("k1", "a", 1), 0, Some("of k1")), "first");
    assert_eq!(send(&mut keys, ("k2", "a", 1), 0, Some("of k2")), "first");
    assert_eq!(send(&mut keys, ("k1", "a", 1), 0, None), "of k1");
}

#[test]
fn an_answer_that_comes_after_the_end_is_nobodys() {
    let mut keys = Keys::new(LIMITS);
    let Ok(Begun::First(late)) = keys.begin("k1", "a", [1; 32], at(0)) else { panic!() };
    let Ok(Begun::First(second)) = keys.begin("k1", "a", [2; 32], at(100)) else { panic!() };
    keys.finish(late, "late");
    assert_eq!(send(&mut keys, ("k1", "a", 2), 100, None), IN_USE);
    keys.finish(second, "second");
    assert_eq!(send(&mut keys, ("k1", "a", 2), 100, None), "second");
    // Nor does giving up late give up what began since.
    let Ok(Begun::First(late)) = keys.begin("k1", "b", [1; 32], at(100)) else { panic!() };
    assert_eq!(send(&mut keys, ("k1", "b", 1), 200, Some("new")), "first");
    keys.abandon(late);
    assert_eq!(send(&mut keys, ("k1", "b", 1), 200, None), "new");
}

#[test]
fn where_there_is_no_room_nothing_is_given_up() {
    let mut keys = Keys::new(LIMITS);
    for (lineage, key) in
        [("k1", "a"), ("k1", "b"), ("k1", "c"), ("k1", "d"), ("k2", "a"), ("k2", "b"), ("k2", "c")]
    {
        assert_eq!(send(&mut keys, (lineage, key, 1), 0, Some("done")), "first");
    }
    assert_eq!(send(&mut keys, ("k1", "e", 1), 1, None), QUOTA);
    let refused = keys.begin("k1", "e", [1; 32], at(1)).unwrap_err();
    assert_eq!(refused, IdempotencyRefusal::LineageMustHaveRoom { retry_after_seconds: 99 });
    for key in ["a", "b", "c"] {
        assert_eq!(send(&mut keys, ("k3", key, 1), 1, Some("done")), "first");
    }
    assert_eq!(send(&mut keys, ("k2", "d", 1), 1, None), ROOM);
    assert_eq!(send(&mut keys, ("k1", "a", 1), 1, None), "done");
    assert_eq!(send(&mut keys, ("k1", "e", 1), 100, Some("done")), "first");
    assert_eq!(keys.known(), 4);
}

#[test]
fn a_key_is_printable_and_bounded() {
    let mut keys = Keys::new(IdempotencyLimits { keys_per_lineage_max: 100, keys_max: 100, ..LIMITS });
    let (long, too_long) = ("x".repeat(255), "x".repeat(256));
    for (key, expected) in [
        ("", "request.idempotency_key_must_have_1_to_255_characters"),
        ("\n", "request.idempotency_key_must_have_1_to_255_characters"),
        ("\u{7f}", "request.idempotency_key_must_have_1_to_255_characters"),
        ("é", "request.idempotency_key_must_have_1_to_255_characters"),
        (too_long.as_str(), "request.idempotency_key_must_have_1_to_255_characters"),
        (long.as_str(), "first"),
        (" ", "first"),
        ("8e03978e-40d5-43e8-bc93-6894a57f9324", "first"),
    ] {
        assert_eq!(send(&mut keys, ("k1", key, 1), 0, Some("done")), expected, "{key:?}");
    }
}

proptest! {
    /// A map of key to (request, answered, end) is the judge, with any clock.
    #[test]
    fn it_answers_as_a_map_would(
        steps in proptest::collection::vec((0_u8..3, 0_u8..6, 0_u8..2, -20_i64..60, any::<bool>()), 1..200),
    ) {
        let mut keys = Keys::new(LIMITS);
        let mut model: BTreeMap<(u8, u8), (u8, bool, i64)> = BTreeMap::new();
        let mut now = 0;
        for (lineage, key, request, passed, finished) in steps {
            now += passed;
            model.retain(|_, (_, _, ends)| *ends > now);
            let of_lineage = model.keys().filter(|(owner, _)| *owner == lineage).count();
            let expected = match model.get(&(lineage, key)) {
                Some((first, _, _)) if *first != request => REUSED,
                Some((_, true, _)) => "done",
                Some(_) => IN_USE,
                None if of_lineage >= 4 => QUOTA,
                None if model.len() >= 10 => ROOM,
                None => "first",
            };
            let sent = (&*format!("k{lineage}"), &*format!("{key}"), request);
            let answer = send(&mut keys, sent, now, finished.then_some("done"));
            prop_assert_eq!(answer, expected);
            if answer == "first" {
                model.insert((lineage, key), (request, finished, now + 100));
            }
            prop_assert_eq!(keys.known(), model.len());
        }
    }
}
