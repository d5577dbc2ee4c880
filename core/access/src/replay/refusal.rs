//! Why a request is not let in by the replay window, the sequence or a single-use value. Each refusal says what would
//! heal it.

use thiserror::Error;

/// A rule that was broken. The code never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReplayRefusal {
    /// Too short to be unique or too long to be kept.
    #[error("a nonce has 16 to 64 bytes; this one has {bytes}")]
    NonceMustFit {
        /// Its length.
        bytes: usize,
    },
    /// The nonce is known for this lineage.
    #[error("this nonce was used before; sign again with a new one")]
    NonceWasUsed,
    /// Signed too long ago.
    #[error("the signature must be fresh: it was made at {created}, and now is {now}")]
    MustBeFresh {
        /// Seconds since 1970.
        created: i64,
        /// The server's time, seconds since 1970.
        now: i64,
    },
    /// Signed later than now, by more than clocks may differ.
    #[error("the signature must not be from the future: it was made at {created}, and now is {now}")]
    MustNotBeFromTheFuture {
        /// Seconds since 1970.
        created: i64,
        /// The server's time, seconds since 1970.
        now: i64,
    },
    /// Nonces of that second may have been forgotten: by a restart, or because the clock stepped back.
    #[error("nonces up to second {until} may have been forgotten; sign again with the challenge as nonce")]
    MustAnswerAChallenge {
        /// The watermark, seconds since 1970.
        until: i64,
    },
    /// A nonce of a challenge's shape that is not one of now, or not for this lineage.
    #[error("the challenge is too old or not one of this server's; sign again with the new one")]
    ChallengeMustBeAnsweredInTime,
    /// A session token that is not one, or not of now.
    #[error("the session token has expired or is not for this use; ask for a new one")]
    SessionTokenMustBeValid,
    /// A session token that was used.
    #[error("the session token was used before; ask for a new one")]
    SessionTokenWasUsed,
    /// The lineage has as many live nonces as it may; others are not concerned.
    #[error("the key's quota of requests is used up; try again in {retry_after_seconds} s")]
    RateMustStayWithinTheQuota {
        /// When the oldest of them will have been forgotten.
        retry_after_seconds: u32,
    },
    /// Nothing more can be remembered, so nothing more can be let in.
    #[error("the server remembers as many nonces as it can; try again later")]
    WindowMustHaveRoom,
    /// A number that was used.
    #[error("sequence number {number} was used before; the next is above {highest}")]
    SequenceNumberWasUsed {
        /// The number.
        number: u64,
        /// The highest seen.
        highest: u64,
    },
    /// A number so far behind that nobody can say whether it was used.
    #[error("sequence number {number} is too far behind; the next is above {highest}")]
    SequenceNumberMustBeRecent {
        /// The number.
        number: u64,
        /// The highest seen.
        highest: u64,
    },
}

impl ReplayRefusal {
    /// The stable code: the rule that was broken.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NonceMustFit { .. } => "request.nonce_must_have_16_to_64_bytes",
            Self::NonceWasUsed => "request.nonce_was_used",
            Self::MustBeFresh { .. } => "request.must_be_fresh",
            Self::MustNotBeFromTheFuture { .. } => "request.must_not_be_from_the_future",
            Self::MustAnswerAChallenge { .. } => "request.must_answer_a_challenge",
            Self::ChallengeMustBeAnsweredInTime => "request.challenge_must_be_answered_in_time",
            Self::SessionTokenMustBeValid => "session_token.must_be_valid",
            Self::SessionTokenWasUsed => "session_token.was_used",
            Self::RateMustStayWithinTheQuota { .. } => "request.rate_must_stay_within_the_quota",
            Self::WindowMustHaveRoom => "server.window_must_have_room",
            Self::SequenceNumberWasUsed { .. } => "request.sequence_number_was_used",
            Self::SequenceNumberMustBeRecent { .. } => "request.sequence_number_must_be_recent",
        }
    }

    /// Whether the same request, signed once more with a fresh challenge as its nonce, can be let in.
    pub fn heals_by_challenge(&self) -> bool {
        matches!(
            self,
            Self::NonceMustFit { .. }
                | Self::NonceWasUsed
                | Self::MustBeFresh { .. }
                | Self::MustNotBeFromTheFuture { .. }
                | Self::MustAnswerAChallenge { .. }
                | Self::ChallengeMustBeAnsweredInTime
        )
    }
}
