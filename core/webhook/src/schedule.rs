//! When a delivery is tried again: later each time, and never all at once.

/// Delays in seconds before each attempt after the first: those that Standard Webhooks 1.0.0 gives as its example (section
/// "Deliverability and reliability"). Three days and a half in all.
const DELAYS_SECONDS: [i64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
/// The longest wait that a receiver can ask for, in seconds: a day.
const ASKED_SECONDS_MAX: i64 = 86_400;
/// A wait is lengthened by up to this part of itself.
const JITTER_DIVISOR: i64 = 5;

/// The delays before each attempt after the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    delays_seconds: Vec<i64>,
}

impl Default for Schedule {
    fn default() -> Self {
        Self { delays_seconds: DELAYS_SECONDS.to_vec() }
    }
}

impl Schedule {
    /// Of other delays, in seconds.
    #[must_use]
    pub fn of_seconds(delays_seconds: Vec<i64>) -> Self {
        Self { delays_seconds }
    }

    /// The second since 1970 of the next attempt, after so many that failed; `None` when that was the last.
    ///
    /// The wait is lengthened by up to a fifth, by a random number of the caller, so that what failed together is not tried
    /// again together. A receiver that asked for longer (`Retry-After`, in seconds) gets up to a day.
    #[must_use]
    pub fn next(&self, failed: u32, now: i64, random: u64, asked_seconds: Option<i64>) -> Option<i64> {
        let index = usize::try_from(failed.checked_sub(1)?).ok()?;
        let delay = *self.delays_seconds.get(index)?;
        let spread = u64::try_from(delay / JITTER_DIVISOR).unwrap_or_default();
        let jitter = i64::try_from(random % spread.saturating_add(1)).unwrap_or_default();
        let asked = asked_seconds.unwrap_or_default().clamp(0, ASKED_SECONDS_MAX);
        Some(now.saturating_add(delay.max(asked)).saturating_add(jitter))
    }
}
