//! Rate limits: one token bucket a key, in whole numbers, and the fields that tell a client where it stands
//! (draft-ietf-httpapi-ratelimit-headers-11: `RateLimit-Policy` and `RateLimit`; `Retry-After` of RFC 9110).
//!
//! A bucket holds up to the quota and fills evenly, quota units in a window; a full bucket may be emptied at once. Levels
//! are counted in units times microseconds of the window, so that nothing is rounded and nothing drifts.
//!
//! Keys are bounded. A key that was not seen for a whole window has a full bucket, which is what a new key has: so it is
//! forgotten without changing any answer, and no other is.

use core::num::NonZeroU32;
use std::collections::BTreeMap;
use strongroom_units::time::Timestamp;
use thiserror::Error;

const NAME_CHARACTERS_MAX: usize = 32;
/// A day.
const WINDOW_SECONDS_MAX: u32 = 86_400;
const MICROSECONDS: u64 = 1_000_000;

/// A quota policy that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "a quota policy has a name of 1 to 32 letters, digits, `-`, `_` and `.`, a quota above 0, and a window of 1 to 86,400 s"
)]
pub struct PolicyError;

impl PolicyError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        "rate_limit.policy_must_be_within_bounds"
    }
}

/// So many requests in so many seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    name: String,
    rate: Rate,
}

/// The numbers of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rate {
    quota: NonZeroU32,
    window_seconds: NonZeroU32,
}

impl Policy {
    /// Refuses a policy that no header field could name.
    pub fn try_new(name: &str, quota: u32, window_seconds: u32) -> Result<Self, PolicyError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let named = (1..=NAME_CHARACTERS_MAX).contains(&name.len()) && name.bytes().all(is_plain);
        match (NonZeroU32::new(quota), NonZeroU32::new(window_seconds)) {
            (Some(quota), Some(window)) if named && window_seconds <= WINDOW_SECONDS_MAX => {
                Ok(Self { name: name.to_owned(), rate: Rate { quota, window_seconds: window } })
            }
            _ => Err(PolicyError),
        }
    }

    /// The name, which a problem of type `quota-exceeded` lists under `violated-policies`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The units that a request weighs where only `per_minute` of them shall pass; rounded up, at most the quota.
    pub fn weight_of(&self, per_minute: u32) -> u32 {
        let (quota, window) = (self.rate.quota(), u64::from(self.rate.window_seconds.get()));
        // Quota units in a window are 60 quota / window in a minute.
        let weight = (60 * quota).div_ceil(window * u64::from(per_minute.max(1)));
        u32::try_from(weight.clamp(1, quota)).unwrap_or(u32::MAX)
    }

    /// The value of `RateLimit-Policy`: `"default";q=100;w=60`.
    pub fn to_field(&self) -> String {
        format!("\"{}\";q={};w={}", self.name, self.rate.quota, self.rate.window_seconds)
    }
}

impl Rate {
    fn quota(&self) -> u64 {
        u64::from(self.quota.get())
    }

    /// What one unit weighs in a bucket: the microseconds of the window. Below 2^37; a bucket is below 2^69.
    fn unit(&self) -> u128 {
        u128::from(u64::from(self.window_seconds.get()) * MICROSECONDS)
    }

    fn full(&self) -> u128 {
        self.unit() * u128::from(self.quota())
    }

    /// Whole seconds, rounded up, until a bucket that lacks `weight` has it.
    fn seconds_until(&self, weight: u128) -> u64 {
        let second = u128::from(self.quota()) * u128::from(MICROSECONDS);
        u64::try_from(weight.div_ceil(second)).unwrap_or(u64::MAX)
    }
}

/// Where a key stands after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Whole units left.
    pub available: u64,
    /// Seconds, rounded up, within which no more than these can be used: until the next unit, at least 1.
    pub effective_window_seconds: u64,
}

impl Standing {
    /// The value of `RateLimit`: `"default";r=50;t=30`.
    pub fn to_field(&self, policy: &Policy) -> String {
        format!("\"{}\";r={};t={}", policy.name, self.available, self.effective_window_seconds)
    }
}

/// Why a request is not counted; nothing was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RateRefusal {
    /// The key has used up its quota. Status 429.
    #[error("the rate must stay within the quota; try again in {retry_after_seconds} s")]
    RateMustStayWithinTheQuota {
        /// For `Retry-After`; never before the effective window ends.
        retry_after_seconds: u64,
        /// Where the key stands.
        standing: Standing,
    },
    /// More units than the quota has; waiting does not help.
    #[error("a request may weigh at most {quota} units; this one weighs {cost}")]
    CostMustFitTheQuota {
        /// What was asked for.
        cost: u32,
        /// What a full bucket holds.
        quota: u32,
    },
    /// As many keys as can be counted were seen within the window. Status 503.
    #[error("the server counts the requests of as many keys as it can; try again later")]
    KeysMustHaveRoom,
}

impl RateRefusal {
    /// The stable code: the rule that was broken.
    pub fn code(&self) -> &'static str {
        match self {
            Self::RateMustStayWithinTheQuota { .. } => "request.rate_must_stay_within_the_quota",
            Self::CostMustFitTheQuota { .. } => "request.cost_must_fit_the_quota",
            Self::KeysMustHaveRoom => "server.rate_limits_must_have_room",
        }
    }
}

/// The buckets of all keys under one policy.
pub struct RateLimiter {
    policy: Policy,
    keys_max: usize,
    /// Keys seen since `turned`, and those seen in the window before it only.
    recent: BTreeMap<Box<str>, Bucket>,
    earlier: BTreeMap<Box<str>, Bucket>,
    turned: Timestamp,
}

#[derive(Clone, Copy)]
struct Bucket {
    level: u128,
    filled: Timestamp,
}

impl RateLimiter {
    /// For up to `keys_max` keys seen within two windows.
    pub fn new(policy: Policy, keys_max: usize) -> Self {
        let (recent, earlier) = (BTreeMap::new(), BTreeMap::new());
        Self { policy, keys_max, recent, earlier, turned: Timestamp::MIN }
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Takes `cost` units from the key's bucket, or none. A clock that steps back fills nothing, and filling goes on from
    /// there.
    ///
    /// # Errors
    /// Not enough units, or no room for another key.
    pub fn take(&mut self, key: &str, cost: u32, now: Timestamp) -> Result<Standing, RateRefusal> {
        let quota = self.policy.rate.quota.get();
        if cost > quota {
            return Err(RateRefusal::CostMustFitTheQuota { cost, quota });
        }
        self.turn(now);
        let rate = self.policy.rate;
        let bucket = self.bucket(key, now)?;
        bucket.fill(&rate, now);
        let weight = rate.unit() * u128::from(cost);
        if let Some(left) = bucket.level.checked_sub(weight) {
            bucket.level = left;
            return Ok(bucket.standing(&rate));
        }
        let standing = bucket.standing(&rate);
        let wait = rate.seconds_until(weight - bucket.level).max(standing.effective_window_seconds);
        Err(RateRefusal::RateMustStayWithinTheQuota { retry_after_seconds: wait, standing })
    }

    /// The key's bucket, among those seen recently; a full one for a new key.
    fn bucket(&mut self, key: &str, now: Timestamp) -> Result<&mut Bucket, RateRefusal> {
        if !self.recent.contains_key(key) {
            let known = self.earlier.remove(key);
            if known.is_none() && self.recent.len() + self.earlier.len() >= self.keys_max {
                return Err(RateRefusal::KeysMustHaveRoom);
            }
            let bucket = known.unwrap_or(Bucket { level: self.policy.rate.full(), filled: now });
            self.recent.insert(key.into(), bucket);
        }
        self.recent.get_mut(key).ok_or(RateRefusal::KeysMustHaveRoom)
    }

    /// Once a window: what was not seen for a whole one is full again and forgotten.
    fn turn(&mut self, now: Timestamp) {
        let window = i64::from(self.policy.rate.window_seconds.get());
        let passed = now.as_second().saturating_sub(self.turned.as_second());
        if (0..=window).contains(&passed) {
            return;
        }
        self.turned = now;
        if passed > 0 {
            self.earlier = core::mem::take(&mut self.recent);
        }
        if passed > 2 * window {
            // The recent ones were seen in the first of these windows, or the next would have turned.
            self.earlier.clear();
        }
    }
}

impl Bucket {
    fn fill(&mut self, rate: &Rate, now: Timestamp) {
        let passed = now.as_microsecond().saturating_sub(self.filled.as_microsecond());
        let passed = u128::try_from(passed).unwrap_or(0);
        // Below 2^63 x 2^32: no overflow.
        self.level = (self.level + passed * u128::from(rate.quota())).min(rate.full());
        self.filled = now;
    }

    fn standing(&self, rate: &Rate) -> Standing {
        let unit = rate.unit();
        let missing = unit - self.level % unit;
        Standing {
            available: u64::try_from(self.level / unit).unwrap_or(u64::MAX),
            effective_window_seconds: rate.seconds_until(missing),
        }
    }
}

#[cfg(test)]
mod tests;
