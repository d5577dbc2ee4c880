//! For how long a verifier may go by what it knows of access.
//!
//! Where several processes verify for one database, each holds a lease of a second and renews it by looking at the log.
//! Whoever revokes a key waits until every verifier has seen that, or until no lease from before can hold any more. So a
//! verifier that was stopped, suspended or cut off lets nothing in by what it knew before.

use crate::refusal::GateRefusal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long a look at the log is good for.
pub const LEASE: Duration = Duration::from_secs(1);

/// An instant of the clock that runs on while the machine is suspended (`CLOCK_BOOTTIME`), in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BootInstant(u64);

impl BootInstant {
    /// Now.
    pub fn now() -> Self {
        Self(nanoseconds())
    }

    /// How long ago another instant was; nothing when it lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

#[cfg(target_os = "linux")]
const CLOCK: rustix::time::ClockId = rustix::time::ClockId::Boottime;
/// Elsewhere the monotonic clock has to do: on macOS it runs on through a suspend.
#[cfg(not(target_os = "linux"))]
const CLOCK: rustix::time::ClockId = rustix::time::ClockId::Monotonic;

fn nanoseconds() -> u64 {
    let now = rustix::time::clock_gettime(CLOCK);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(now.tv_nsec).unwrap_or_default())
}

/// Until when this verifier may let anything in.
#[derive(Debug)]
pub struct Lease {
    /// Nanoseconds of [`BootInstant`]; `u64::MAX` where nobody else changes access.
    until: AtomicU64,
}

impl Lease {
    /// For the only verifier of its keys: every change of access goes through it.
    pub fn alone() -> Self {
        Self { until: AtomicU64::new(u64::MAX) }
    }

    /// For one verifier of several: it lets nothing in before it is renewed.
    pub fn lapsed() -> Self {
        Self { until: AtomicU64::new(0) }
    }

    /// Everything that the log had at `looked` is known. `looked` is taken before the look begins: what is written
    /// while it lasts may be missed by it.
    pub fn renew(&self, looked: BootInstant) {
        let nanoseconds = u64::try_from(LEASE.as_nanos()).unwrap_or_default();
        self.until.fetch_max(looked.0.saturating_add(nanoseconds), Ordering::AcqRel);
    }

    /// Refuses everything once the lease has run out.
    pub fn must_be_current(&self) -> Result<(), GateRefusal> {
        let until = self.until.load(Ordering::Acquire);
        if until == u64::MAX || BootInstant::now().0 < until {
            Ok(())
        } else {
            Err(GateRefusal::LeaseMustBeCurrent)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_holds_for_a_second_from_the_look() {
        let (lease, now) = (Lease::lapsed(), BootInstant::now());
        assert!(lease.must_be_current().is_err(), "nothing was looked at yet");
        lease.renew(now);
        assert!(lease.must_be_current().is_ok());
        let long_ago = BootInstant(now.0 - 2_000_000_000);
        let stale = Lease::lapsed();
        stale.renew(long_ago);
        assert!(stale.must_be_current().is_err(), "the look is two seconds old");
    }

    #[test]
    fn a_look_that_took_long_does_not_shorten_the_lease() {
        let (lease, now) = (Lease::lapsed(), BootInstant::now());
        lease.renew(now);
        lease.renew(BootInstant(now.0 - 900_000_000));
        assert_eq!(lease.until.load(Ordering::Acquire), now.0 + 1_000_000_000);
    }

    #[test]
    fn the_only_verifier_needs_no_lease() {
        assert!(Lease::alone().must_be_current().is_ok());
    }
}
