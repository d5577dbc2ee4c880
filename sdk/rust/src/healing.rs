//! Whether a signed refusal is a reason to sign a request anew and to send it again. Only where the first one cannot have
//! been executed: sent twice by us, it would be two requests.
//!
//! A refusal as stale does not say so by itself. Times are judged before the signature, so whoever stands between can have a
//! request executed, then have it refused as stale, by waiting or by changing its `created`, and hand on that refusal
//! only. It answers this very request and is signed. So the client compares for itself: the request must have been stale when
//! it was sent, by its own `created` and the time that the server signed.

use std::time::Duration;

/// Seconds from `created` to `expires`.
pub(crate) const LIFETIME_SECONDS: i64 = 30;
/// Seconds of the profile by which clocks may differ (section 1.5).
const SKEW_SECONDS: i64 = 5;

/// One request that was sent.
pub(crate) struct Sending {
    /// When it says that it was signed, in seconds since 1970.
    pub created: i64,
    /// From sending to the answer.
    pub took: Duration,
}

/// Whether a request that was refused with `code`, at the server's time in seconds since 1970, may be signed anew.
pub(crate) fn may_send_again(code: &str, sent: &Sending, server_time: i64) -> bool {
    match code {
        // What is early now was earlier still before.
        "request.must_not_be_from_the_future" => sent.created > server_time.saturating_add(SKEW_SECONDS),
        "request.must_be_fresh" => {
            let took = i64::try_from(sent.took.as_millis().div_ceil(1_000)).unwrap_or(i64::MAX);
            let until = sent.created.saturating_add(LIFETIME_SECONDS + SKEW_SECONDS);
            server_time.saturating_sub(took) > until
        }
        // Judged after the signature, so on the request as it was sent, whose nonce this server has not taken since it
        // began. Only one that executed it and was restarted within these seconds says so wrongly; with nonces on disk
        // it does not, and the id of an order makes the second a repeat.
        "request.must_answer_a_challenge" | "request.challenge_must_be_answered_in_time" => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Sending, may_send_again};
    use std::time::Duration;

    #[track_caller]
    fn check(code: &str, server_ahead: i64, took_milliseconds: u64, expected: bool) {
        let sent = Sending { created: 1_000, took: Duration::from_millis(took_milliseconds) };
        let found = may_send_again(code, &sent, 1_000 + server_ahead);
        assert_eq!(found, expected, "{code} {server_ahead} {took_milliseconds}");
    }

    #[test]
    fn a_clock_that_is_wrong_heals() {
        check("request.must_be_fresh", 600, 20, true);
        check("request.must_be_fresh", 600, 29_999, true);
        check("request.must_be_fresh", 37, 1_000, true);
        check("request.must_not_be_from_the_future", -600, 20, true);
        check("request.must_not_be_from_the_future", -6, 20, true);
        check("request.must_answer_a_challenge", 0, 20, true);
        check("request.challenge_must_be_answered_in_time", 0, 20, true);
    }

    #[test]
    fn a_request_that_was_fresh_when_it_was_sent_is_not_sent_again() {
        // Its `created` was changed on the way, after it had been executed or before.
        check("request.must_be_fresh", 0, 20, false);
        check("request.must_be_fresh", 35, 20, false);
        check("request.must_be_fresh", -600, 20, false);
        check("request.must_not_be_from_the_future", 0, 20, false);
        check("request.must_not_be_from_the_future", -5, 20, false);
        check("request.must_not_be_from_the_future", 600, 20, false);
        // It was held back until it was stale: the server's clock is ten seconds ahead, and it took 26.
        check("request.must_be_fresh", 36, 26_000, false);
        check("request.must_be_fresh", 36, 1, false);
        check("request.must_be_fresh", 60, 24_001, false);
        // Others say nothing of the clock.
        check("request.nonce_was_used", 600, 20, false);
        check("request.signature_must_be_valid", 600, 20, false);
        check("", 600, 20, false);
    }
}
