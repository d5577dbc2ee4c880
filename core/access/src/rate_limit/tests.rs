//! The limit judged by a ledger of what was accepted, its fields by a parser of structured fields.

use super::*;
use proptest::prelude::*;
use sfv::{List, Parser};

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_000 + milliseconds).unwrap()
}

fn limiter(quota: u32, window_seconds: u32, keys_max: usize) -> RateLimiter {
    RateLimiter::new(Policy::try_new("default", quota, window_seconds).unwrap(), keys_max)
}

fn code(result: Result<Standing, RateRefusal>) -> &'static str {
    result.map_or_else(|refusal| refusal.code(), |_| "accepted")
}

proptest! {
    /// In no stretch of time are more accepted than the quota and what fills meanwhile; and what is refused would have
    /// been too many in some stretch that ends now.
    #[test]
    fn no_stretch_of_time_has_more_than_its_share(
        quota in 1_u32..20,
        window in 1_u32..30,
        gaps in proptest::collection::vec(0_i64..3_000, 1..200),
    ) {
        let mut limiter = limiter(quota, window, 10);
        let (mut now, mut accepted) = (0_i64, Vec::new());
        let share = |from: i64, to: i64| {
            i64::from(quota) * (i64::from(window) * 1_000 + to - from) / (i64::from(window) * 1_000)
        };
        for gap in gaps {
            now += gap;
            // With this request, is there a stretch from an accepted request until now that has too many?
            let too_many = (0..=accepted.len()).any(|first| {
                let from = accepted.get(first).copied().unwrap_or(now);
                (accepted.len() - first + 1) as i64 > share(from, now)
            });
            let answer = limiter.take("k1", 1, at(now));
            prop_assert_eq!(answer.is_err(), too_many, "at {} after {:?}", now, accepted);
            if answer.is_ok() {
                accepted.push(now);
            }
        }
    }

    #[test]
    fn retry_after_is_when_it_works_and_not_much_later(
        quota in 1_u32..1_000,
        window in 1_u32..3_600,
        cost in 1_u32..1_000,
        early in 0_i64..100_000,
    ) {
        let cost = cost.min(quota);
        let mut limiter = limiter(quota, window, 10);
        prop_assert!(limiter.take("k1", quota, at(0)).is_ok());
        let early = early % (i64::from(window) * 1_000);
        if let Err(RateRefusal::RateMustStayWithinTheQuota { retry_after_seconds, standing }) =
            limiter.take("k1", cost, at(early))
        {
            let wait = i64::try_from(retry_after_seconds).unwrap();
            prop_assert!(retry_after_seconds >= standing.effective_window_seconds);
            prop_assert!(standing.available < u64::from(cost));
            if wait > 1 {
                prop_assert!(limiter.take("k1", cost, at(early + 1_000 * (wait - 1) - 1)).is_err());
            }
            prop_assert!(limiter.take("k1", cost, at(early + 1_000 * wait)).is_ok());
        }
    }
}

#[test]
fn a_steady_client_at_the_limit_is_never_refused() {
    let mut limiter = limiter(7, 10, 10);
    // One request every 10/7 s: nothing drifts in a day.
    for number in 0..60_480_i64 {
        let now = (number * 10_000 + 6) / 7;
        assert_eq!(code(limiter.take("k1", 1, at(now))), "accepted", "{number}");
    }
}

#[test]
fn keys_do_not_share_and_what_is_refused_takes_nothing() {
    let mut limiter = limiter(2, 60, 10);
    for _ in 0..2 {
        assert_eq!(code(limiter.take("k1", 1, at(0))), "accepted");
    }
    for _ in 0..100 {
        assert_eq!(code(limiter.take("k1", 1, at(0))), "request.rate_must_stay_within_the_quota");
    }
    assert_eq!(code(limiter.take("k2", 2, at(0))), "accepted");
    assert_eq!(code(limiter.take("k1", 1, at(30_000))), "accepted");
    assert_eq!(code(limiter.take("k1", 3, at(30_000))), "request.cost_must_fit_the_quota");
}

#[test]
fn keys_are_bounded_and_only_full_buckets_are_forgotten() {
    let mut limiter = limiter(10, 60, 3);
    for key in ["k1", "k2", "k3"] {
        assert_eq!(code(limiter.take(key, 10, at(0))), "accepted");
    }
    assert_eq!(code(limiter.take("k4", 1, at(0))), "server.rate_limits_must_have_room");
    assert_eq!(code(limiter.take("k1", 1, at(1_000))), "request.rate_must_stay_within_the_quota");
    // Every six seconds one unit: k1 stays known while it is seen, the others are full after a window and forgotten.
    for second in (6..=180).step_by(6) {
        assert_eq!(code(limiter.take("k1", 1, at(second * 1_000))), "accepted", "{second}");
        assert_eq!(
            code(limiter.take("k1", 1, at(second * 1_000))),
            "request.rate_must_stay_within_the_quota"
        );
    }
    assert_eq!(code(limiter.take("k4", 1, at(180_000))), "accepted");
}

#[test]
fn a_clock_that_steps_back_fills_nothing_and_stops_nothing() {
    let mut limiter = limiter(2, 10, 1);
    assert_eq!(code(limiter.take("k1", 2, at(3_600_000))), "accepted");
    assert_eq!(code(limiter.take("k1", 1, at(0))), "request.rate_must_stay_within_the_quota");
    assert_eq!(code(limiter.take("k1", 1, at(4_999))), "request.rate_must_stay_within_the_quota");
    assert_eq!(code(limiter.take("k1", 1, at(5_000))), "accepted");
    assert_eq!(code(limiter.take("k2", 1, at(30_000))), "accepted");
}

#[test]
fn the_fields_are_the_drafts() {
    let policy = Policy::try_new("default", 100, 60).unwrap();
    assert_eq!(policy.to_field(), r#""default";q=100;w=60"#);
    let mut limiter = RateLimiter::new(policy.clone(), 10);
    let standing = limiter.take("k1", 50, at(0)).unwrap();
    assert_eq!(standing.to_field(&policy), r#""default";r=50;t=1"#);
    for field in [policy.to_field(), standing.to_field(&policy)] {
        let list: List = Parser::new(&field).parse().unwrap();
        assert_eq!(list.len(), 1, "{field}");
    }
    let used_up = limiter.take("k1", 51, at(0)).unwrap_err();
    assert!(matches!(used_up, RateRefusal::RateMustStayWithinTheQuota { retry_after_seconds: 1, .. }));
}

#[test]
fn a_policy_that_no_field_can_carry_is_refused() {
    let long = "x".repeat(33);
    for (name, quota, window) in [
        ("", 1, 1),
        (long.as_str(), 1, 1),
        ("a\"b", 1, 1),
        ("a b", 1, 1),
        ("é", 1, 1),
        ("a", 0, 1),
        ("a", 1, 0),
        ("a", 1, 86_401),
    ] {
        assert_eq!(Policy::try_new(name, quota, window), Err(PolicyError), "{name} {quota} {window}");
    }
    assert!(Policy::try_new("per-day_1.x", u32::MAX, 86_400).is_ok());
}

#[test]
fn the_greatest_numbers_do_not_overflow() {
    let mut limiter = limiter(u32::MAX, 86_400, 10);
    assert_eq!(code(limiter.take("k1", u32::MAX, Timestamp::MIN)), "accepted");
    assert_eq!(code(limiter.take("k1", u32::MAX, Timestamp::MAX)), "accepted");
    assert_eq!(code(limiter.take("k1", 1, Timestamp::MIN)), "request.rate_must_stay_within_the_quota");
}

#[test]
fn a_throttled_request_weighs_what_it_takes_the_place_of() {
    for (quota, window, per_minute, weight) in [
        (6_000, 60, 60, 100),
        (6_000, 60, 7_000, 1),
        (6_000, 60, 59, 102),
        (100, 60, 1, 100),
        (10, 1, 60, 10),
        (10, 3_600, 1, 1),
    ] {
        let policy = Policy::try_new("key", quota, window).unwrap();
        assert_eq!(policy.weight_of(per_minute), weight, "{quota} in {window} s, {per_minute} a minute");
    }
}
