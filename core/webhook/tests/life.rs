//! Rotation, the memory of ids, the schedule, and the life of deliveries and endpoints.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use http::HeaderMap;
use proptest::prelude::*;
use strongroom_webhook::{
    Begun, CONTENT_BYTES_MAX, Delivery, DeliveryState, Endpoint, EndpointState, FAILING_SECONDS_MAX, Failure,
    LEASE_SECONDS, MessageId, Outcome, Receiver, Schedule, Secrets, SeenIds, SigningSecret, settle,
};

const NOW: i64 = 1_700_000_000;

fn secret(seed: u8) -> SigningSecret {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    let prefix = if seed.is_multiple_of(2) { "whsec" } else { "whsk" };
    SigningSecret::parse(&format!("{prefix}_{}", STANDARD.encode([seed; 32]))).unwrap()
}

fn id(text: &str) -> MessageId {
    MessageId::try_new(text).unwrap()
}

fn is_taken(receiver: &str, secrets: &Secrets, at: i64) -> bool {
    let signature = secrets.signatures(&id("m"), at, b"{}").unwrap();
    let fields = [
        ("webhook-id", "m".to_owned()),
        ("webhook-timestamp", at.to_string()),
        ("webhook-signature", signature),
    ];
    let headers: HeaderMap =
        fields.into_iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
    Receiver::try_new([receiver]).unwrap().verify(&headers, b"{}", at).is_ok()
}

/// At every second of a rotation a receiver that knows either secret takes what comes, and afterwards only the new one.
#[test]
fn a_secret_is_rotated_without_a_webhook_that_cannot_be_verified() {
    for (old, new) in [(2, 4), (2, 3), (3, 2), (3, 5)] {
        let (before, after) = (secret(old).for_the_receiver(), secret(new).for_the_receiver());
        let mut secrets = Secrets::new(secret(old));
        assert!(is_taken(&before, &secrets, NOW - 1) && !is_taken(&after, &secrets, NOW - 1));
        secrets.rotate(secret(new), NOW, 3_600).unwrap();
        for at in [NOW, NOW + 1, NOW + 3_599] {
            assert!(is_taken(&before, &secrets, at) && is_taken(&after, &secrets, at), "{old} {new} {at}");
        }
        assert!(!is_taken(&before, &secrets, NOW + 3_600) && is_taken(&after, &secrets, NOW + 3_600));
    }
}

#[test]
fn one_rotation_at_a_time_and_none_too_short_or_too_long() {
    let mut secrets = Secrets::new(secret(2));
    for seconds in [-1, 0, 59, 30 * 86_400 + 1] {
        let refused = secrets.rotate(secret(4), NOW, seconds).unwrap_err();
        assert_eq!(refused.code(), "webhook.overlap_must_fit", "{seconds}");
    }
    secrets.rotate(secret(4), NOW, 60).unwrap();
    let refused = secrets.rotate(secret(6), NOW + 59, 60).unwrap_err();
    assert_eq!(refused.code(), "webhook.overlap_must_fit");
    assert!(is_taken(&secret(2).for_the_receiver(), &secrets, NOW + 59), "a refusal changes nothing");
    secrets.rotate(secret(6), NOW + 60, 60).unwrap();
}

#[test]
fn each_id_is_claimed_once_and_forgotten_late() {
    let mut seen = SeenIds::new(3);
    for (at, name) in (0..).zip(["a", "b", "c"]) {
        assert_eq!(seen.begin(&id(name), NOW + at), Ok(Begun::New));
    }
    assert_eq!(seen.begin(&id("a"), NOW + 5), Ok(Begun::Busy));
    seen.finish(&id("a"));
    assert_eq!(seen.begin(&id("a"), NOW + 5), Ok(Begun::Done));
    assert_eq!(seen.begin(&id("d"), NOW + 600).unwrap_err().code(), "webhook.memory_must_have_room");
    seen.abandon(&id("b"));
    assert_eq!(seen.begin(&id("b"), NOW + 600), Ok(Begun::New), "an abandoned id may be tried again");
    assert_eq!(seen.begin(&id("d"), NOW + 601), Ok(Begun::New), "the oldest can be replayed no more");
    assert_eq!(seen.begin(&id("b"), NOW + 601), Ok(Begun::Busy));
    assert_eq!(seen.begin(&id("b"), NOW + 600 + 302_401), Ok(Begun::New));
}

fn answered(status: u16) -> Outcome {
    Outcome::Answered { status, retry_after: None }
}

fn delivery() -> (Delivery, Endpoint) {
    let delivery = Delivery::try_new(id("m"), "fund-admin", b"{}", NOW).unwrap();
    (delivery, Endpoint::new("fund-admin", "https://hooks.example/in"))
}

#[test]
fn a_delivery_is_tried_by_the_schedule_then_given_up_and_can_be_sent_again() {
    let (mut delivery, mut endpoint) = delivery();
    let schedule = Schedule::default();
    let mut now = NOW;
    let mut waits = Vec::new();
    while delivery.is_open() {
        assert!(delivery.is_due(now) && !delivery.is_due(now - 1) || delivery.failed == 0);
        delivery.take(now);
        assert!(!delivery.is_due(now) && delivery.is_due(now + LEASE_SECONDS), "a crash only delays it");
        settle(&mut delivery, &mut endpoint, answered(500), &schedule, now, 0);
        if let DeliveryState::Waiting { due } = delivery.state {
            waits.push(due - now);
            now = due;
        }
    }
    // Standard Webhooks 1.0.0, its example schedule: 75 hours, 35 minutes and 5 seconds in ten attempts.
    assert_eq!(waits, [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]);
    assert_eq!(now - NOW, 75 * 3_600 + 35 * 60 + 5);
    assert_eq!(delivery.state, DeliveryState::Dead { at: now, failure: Failure::Status(500) });
    delivery.redeliver(now + 9).unwrap();
    assert_eq!((delivery.failed, delivery.is_due(now + 9)), (0, true));
    assert_eq!(delivery.redeliver(now + 9).unwrap_err().code(), "webhook.delivery_must_be_dead");
    settle(&mut delivery, &mut endpoint, answered(204), &schedule, now + 10, 0);
    assert_eq!(delivery.state, DeliveryState::Delivered { at: now + 10 });
    assert_eq!(endpoint.failing_since, None);
}

#[test]
fn an_endpoint_that_is_gone_or_fails_for_days_is_disabled() {
    let (mut delivery, mut endpoint) = delivery();
    settle(&mut delivery, &mut endpoint, answered(410), &Schedule::default(), NOW, 0);
    assert!(!delivery.is_open() && !endpoint.is_enabled());
    endpoint.enable();
    let long = Schedule::of_seconds(vec![1; 9]);
    let (mut delivery, _) = self::delivery();
    let lost = Outcome::Failed(Failure::Transport("no answer".to_owned()));
    settle(&mut delivery, &mut endpoint, lost.clone(), &long, NOW, 0);
    settle(&mut delivery, &mut endpoint, lost.clone(), &long, NOW + FAILING_SECONDS_MAX - 1, 0);
    assert!(endpoint.is_enabled());
    settle(&mut delivery, &mut endpoint, lost, &long, NOW + FAILING_SECONDS_MAX, 0);
    let EndpointState::Disabled { since, reason } = &endpoint.state else { unreachable!() };
    assert_eq!((*since, reason.as_str()), (NOW + FAILING_SECONDS_MAX, "every attempt of five days failed"));
}

#[test]
fn an_endpoint_that_asks_for_a_pause_gets_one() {
    for (asked, waited) in [(60, 60), (1, 5), (1_000_000, 86_400), (-7, 5)] {
        let (mut delivery, mut endpoint) = delivery();
        let outcome = Outcome::Answered { status: 429, retry_after: Some(asked) };
        settle(&mut delivery, &mut endpoint, outcome, &Schedule::default(), NOW, 0);
        assert_eq!(delivery.state, DeliveryState::Waiting { due: NOW + waited }, "{asked}");
        assert_eq!(endpoint.paused_until, NOW + waited);
    }
}

#[test]
fn content_is_bounded() {
    let refused = Delivery::try_new(id("m"), "e", &vec![0; CONTENT_BYTES_MAX + 1], NOW).unwrap_err();
    assert_eq!(refused.code(), "webhook.content_must_be_bounded");
}

proptest! {
    /// A wait is never shorter than its delay, never longer than a fifth more, and time never overflows.
    #[test]
    fn waits_are_spread_within_bounds(
        failed in 0_u32..20, random: u64, now in prop_oneof![Just(i64::MAX), 0..2_000_000_000_i64],
        asked in proptest::option::of(any::<i64>()),
    ) {
        let schedule = Schedule::default();
        let plain = schedule.next(failed, 0, 0, None);
        let spread = schedule.next(failed, now, random, asked);
        prop_assert_eq!(plain.is_some(), (1..=9).contains(&failed));
        prop_assert_eq!(plain.is_some(), spread.is_some());
        if let (Some(delay), Some(due)) = (plain, spread) {
            let asked = asked.unwrap_or(0).clamp(0, 86_400);
            prop_assert!(due >= now.saturating_add(delay.max(asked)));
            prop_assert!(due <= now.saturating_add(delay.max(asked)).saturating_add(delay / 5));
        }
    }
}
