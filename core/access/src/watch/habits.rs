//! What one key is used to.

use super::counts::Burst;
use super::{EventKind, Observation, Outcome, SIGNATURE_FAILURES, Source};

/// Sources, user agents and scopes of a key that are remembered; beyond them the oldest is forgotten.
const REMEMBERED: usize = 16;
/// Seconds by which the offset of a clock must differ to be another clock's.
pub const CLOCK_JUMP_SECONDS: i64 = 3;
/// Requests that must agree on the offset before another stands out.
pub const CLOCK_SAMPLES_MIN: u32 = 5;

/// A few values, the oldest forgotten first.
#[derive(Debug, Clone)]
struct Recent<T>(Vec<T>);

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: PartialEq> Recent<T> {
    /// Remembers one. True when it is new, and not the first of all.
    fn is_news(&mut self, value: T) -> bool {
        if let Some(place) = self.0.iter().position(|known| *known == value) {
            // What is in use stays.
            if let Some(rest) = self.0.get_mut(place..) {
                rest.rotate_left(1);
            }
            return false;
        }
        let is_first = self.0.is_empty();
        if self.0.len() == REMEMBERED {
            self.0.remove(0);
        }
        self.0.push(value);
        !is_first
    }
}

/// The offset on which a key's last requests agreed.
#[derive(Debug, Clone, Copy, Default)]
struct Clock {
    offset: i64,
    agreed: u32,
}

impl Clock {
    /// Seconds by which the offset jumped, where it was settled.
    fn jump(&mut self, offset: i64) -> Option<i64> {
        let jump = offset.saturating_sub(self.offset);
        if self.agreed > 0 && jump.abs() <= CLOCK_JUMP_SECONDS {
            // A slow way makes an offset larger; the smaller one is nearer to the clock's.
            self.offset = self.offset.min(offset);
            self.agreed = self.agreed.saturating_add(1);
            return None;
        }
        let was_settled = self.agreed >= CLOCK_SAMPLES_MIN;
        *self = Self { offset, agreed: 1 };
        was_settled.then_some(jump)
    }
}

#[derive(Debug, Default)]
pub(super) struct Habits {
    last: i64,
    sources: Recent<Source>,
    user_agents: Recent<u64>,
    scopes: Recent<u64>,
    clock: Clock,
    signatures: Burst,
    nonces: Burst,
    sequences: Burst,
    revoked: Burst,
    ended: Burst,
}

impl Habits {
    /// When the key was last seen.
    pub fn last(&self) -> i64 {
        self.last
    }

    pub fn look(&mut self, seen: &Observation<'_>, found: &mut Vec<(EventKind, i64)>) {
        self.last = seen.now;
        let (burst, stands_out, kind) = match seen.outcome {
            Outcome::Passed => return self.learn(seen, found),
            Outcome::Refused => return,
            Outcome::SignatureFailed => {
                (&mut self.signatures, SIGNATURE_FAILURES, EventKind::SignatureFailures)
            }
            Outcome::NonceWasUsed => (&mut self.nonces, 1, EventKind::DuplicateNonce),
            Outcome::SequenceRegressed => (&mut self.sequences, 1, EventKind::SequenceRegress),
            Outcome::KeyRevoked => (&mut self.revoked, 1, EventKind::RevokedKeyUsed),
            Outcome::KeyEnded => (&mut self.ended, 1, EventKind::EndedKeyUsed),
        };
        found.extend(burst.count(seen.now, stands_out).map(|count| (kind, count)));
    }

    fn learn(&mut self, seen: &Observation<'_>, found: &mut Vec<(EventKind, i64)>) {
        if self.sources.is_news(seen.source) {
            found.push((EventKind::NewSource, 1));
        }
        if self.user_agents.is_news(hash(seen.user_agent)) {
            found.push((EventKind::NewUserAgent, 1));
        }
        if seen.scope.is_some_and(|scope| self.scopes.is_news(hash(scope))) {
            found.push((EventKind::NewScope, 1));
        }
        let offset = seen.created.map(|created| seen.now.saturating_sub(created));
        if let Some(jump) = offset.and_then(|offset| self.clock.jump(offset)) {
            found.push((EventKind::ClockOffsetJump, jump));
        }
    }
}

/// FNV-1a, 64 bits: tells texts apart in little room. Whoever makes two collide hides one from itself only.
fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
