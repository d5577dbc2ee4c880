//! Several verifiers with one memory of nonces. While that memory loses nothing it is one era; when it may have lost
//! something the next era begins, and nothing that was signed or given out before is let in any more.
//!
//! Challenges and session tokens are made under keys that follow from a secret of all the verifiers and the name of the
//! era: each verifier checks what another gave out, and nothing given out outlives the memory of its use.

use super::challenge::Challenges;
use crate::mac::hmac_sha256;
use crate::session_token::SessionTokens;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The secret that all verifiers of one memory have.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct EraSecret([u8; 32]);

impl EraSecret {
    /// From 32 random bytes.
    pub fn new(random: [u8; 32]) -> Self {
        Self(random)
    }

    /// Challenges of an era, good for `validity_seconds`, between clocks that differ by `skew_seconds` at most.
    pub fn challenges(&self, era: &str, validity_seconds: u32, skew_seconds: u32) -> Challenges {
        let key = hmac_sha256(&self.0, "strongroom era challenges", &[era.as_bytes()]);
        Challenges::new(key, validity_seconds).between_clocks(skew_seconds)
    }

    /// Session tokens of an era, good for `lifetime_seconds`, between clocks that differ by `skew_seconds` at most.
    pub fn session_tokens(&self, era: &str, lifetime_seconds: u32, skew_seconds: u32) -> SessionTokens {
        let key = hmac_sha256(&self.0, "strongroom era session tokens", &[era.as_bytes()]);
        SessionTokens::new(key, lifetime_seconds).between_clocks(skew_seconds)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot make its input has failed")]
mod tests {
    use super::*;
    use crate::replay::{FingerprintKey, Limits, ReplayRefusal, Window};
    use crate::session_token::TokenUse;
    use strongroom_units::time::Timestamp;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn a_challenge_of_one_verifier_is_good_at_another_of_its_era_and_of_no_other() {
        let window = Window::started(Limits::default(), &FingerprintKey::new([7; 16]), at(-100));
        let (one, other) = (EraSecret::new([1; 32]), EraSecret::new([1; 32]));
        let challenge = one.challenges("a", 60, 2).issue([5; 16], None, window.time(at(2)));
        // The other's clock is two seconds behind: to it, the challenge is from the future.
        let check = |era: &str, now| {
            other
                .challenges(era, 60, 2)
                .check(challenge.as_bytes(), "k", window.time(at(now)))
                .map(|one| one.is_some())
        };
        assert_eq!(check("a", 0), Ok(true));
        assert_eq!(check("a", 62), Ok(true));
        for (era, now) in [("a", -1), ("a", 63), ("b", 2)] {
            assert_eq!(check(era, now), Err(ReplayRefusal::ChallengeMustBeAnsweredInTime), "{era} {now}");
        }
        let stranger = EraSecret::new([2; 32]).challenges("a", 60, 2);
        assert!(stranger.check(challenge.as_bytes(), "k", window.time(at(2))).is_err());
    }

    #[test]
    fn a_token_of_one_verifier_is_redeemed_at_another_of_its_era_and_of_no_other() {
        let key = FingerprintKey::new([7; 16]);
        let mut window = Window::started(Limits::default(), &key, at(-100));
        let secret = EraSecret::new([1; 32]);
        let for_use = TokenUse { lineage: "k", purpose: "read", context: [0; 32] };
        let token = secret.session_tokens("a", 60, 2).issue([5; 16], &for_use, window.time(at(1)));
        let mut redeem = |era| {
            secret.session_tokens(era, 60, 2).redeem(&mut window, token.reveal(), &for_use, at(0)).map(drop)
        };
        assert_eq!(redeem("b"), Err(ReplayRefusal::SessionTokenMustBeValid));
        assert_eq!(redeem("a"), Ok(()));
        assert_eq!(redeem("a"), Err(ReplayRefusal::SessionTokenWasUsed));
    }

    #[test]
    fn what_another_memory_forgot_is_refused_here_too() {
        let key = FingerprintKey::new([7; 16]);
        let mut window = Window::started(Limits::default(), &key, at(-100));
        let nonce = |byte| [byte; 16];
        let insert = |window: &mut Window, byte, created: i64| {
            let created = at(created).as_second();
            let presented = crate::replay::Presented { lineage: "k", nonce: &nonce(byte), created };
            window.insert(presented, at(0)).map(drop)
        };
        assert_eq!(insert(&mut window, 1, 0), Ok(()));
        window.raise(at(3).as_second());
        let until = at(3).as_second();
        assert_eq!(insert(&mut window, 1, 0), Err(ReplayRefusal::MustAnswerAChallenge { until }));
        assert_eq!(insert(&mut window, 2, 3), Err(ReplayRefusal::MustAnswerAChallenge { until }));
        assert_eq!(insert(&mut window, 3, 4), Ok(()));
        window.raise(0);
        assert_eq!((window.watermark(), window.live()), (until, 1));
    }
}
