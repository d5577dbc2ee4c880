//! What a drill counts, and what it prints.

use crate::context::Global;
use crate::failure::{Exit, Failure};
use crate::print;
use serde::Serialize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use strongroom_client::{Client, ClientError, Options, Sent, send_as_it_is};

/// A legitimate request that has no success by then has failed.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Counts of all threads.
#[derive(Debug, Default)]
pub(super) struct Tally {
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    requests: u64,
    failed: u64,
    retried: u64,
    rotations: u64,
    accepted_after_end: u64,
    knocked: u64,
    double_nonces: u64,
    double_effects: u64,
    repeated: u64,
    micros: Vec<u64>,
    slowest_revocation: Duration,
    first_failure: Option<String>,
}

/// What came of a drill.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub drill: &'static str,
    pub requests: u64,
    pub failed: u64,
    pub retried: u64,
    pub rotations: u64,
    /// Requests with an ended key, and how many of them were let in.
    pub knocked: u64,
    pub accepted_after_end: u64,
    /// Repeats of a request, and how many of them were let in.
    pub repeated: u64,
    pub double_nonces: u64,
    /// Clients whose rotations made more or fewer keys than there were rotations.
    pub double_effects: u64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// Of revocations, where there were any.
    pub slowest_revocation_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_failure: Option<String>,
}

pub(super) fn who_am_i() -> Sent {
    Sent {
        method: http::Method::GET,
        target: "/v1/whoami".to_owned(),
        headers: http::HeaderMap::new(),
        body: Vec::new(),
    }
}

impl Tally {
    fn with(&self, work: impl FnOnce(&mut Counts)) {
        work(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub fn fail(&self, what: impl ToString) {
        self.with(|counts| {
            counts.failed += 1;
            counts.first_failure.get_or_insert(what.to_string());
        });
    }

    pub fn rotated(&self) {
        self.with(|counts| counts.rotations += 1);
    }

    /// A request that must get through.
    pub fn request(&self, client: &Client) {
        let begun = Instant::now();
        let outcome = client.send_within(&who_am_i(), PATIENCE);
        let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        let failure = match outcome {
            Ok(answer) if answer.status < 400 => {
                return self.with(|counts| {
                    counts.requests += 1;
                    counts.retried += u64::from(answer.tries > 1);
                    counts.micros.push(micros);
                });
            }
            Ok(answer) => answer.into_success().err().map(|error| error.to_string()),
            Err(error) => Some(error.to_string()),
        };
        self.with(|counts| counts.requests += 1);
        self.fail(failure.unwrap_or_default());
    }

    /// A request that must get through unless its key is being revoked.
    pub fn request_unless(&self, client: &Client, is_being_revoked: &AtomicBool) {
        let begun = Instant::now();
        let outcome = client.send_within(&who_am_i(), PATIENCE);
        let passed = outcome.as_ref().is_ok_and(|answer| answer.status < 400);
        let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.with(|counts| {
            counts.requests += 1;
            counts.micros.push(micros);
        });
        if !passed && !is_being_revoked.load(Ordering::SeqCst) {
            self.fail(
                outcome.map_or_else(|error| error.to_string(), |answer| format!("HTTP {}", answer.status)),
            );
        }
    }

    /// A client that rotated so often has one more key than that, and no other.
    pub fn count_keys(&self, rotations: u32, newest: Option<u32>) {
        let is_right = newest == Some(rotations + 1);
        self.with(|counts| counts.double_effects += u64::from(!is_right));
    }

    /// How long a revocation took.
    pub fn revoked(&self, took: Duration) {
        self.with(|counts| counts.slowest_revocation = counts.slowest_revocation.max(took));
    }

    /// A request with a key that ended: it must be refused. What does not arrive says nothing.
    pub fn knock(&self, client: &Client) {
        let outcome = client.send(&who_am_i());
        self.with(|counts| {
            counts.knocked += u64::from(outcome.is_ok());
            counts.accepted_after_end += u64::from(outcome.is_ok_and(|answer| answer.status < 400));
        });
    }

    /// The very same request twice: once at most may pass.
    pub fn repeat(&self, client: &Client, options: &Options) {
        let Ok(signed) = client.sign(&who_am_i()) else { return };
        let passes = || -> Result<bool, ClientError> { Ok(send_as_it_is(options, &signed)?.status < 400) };
        if let (Ok(first), Ok(second)) = (passes(), passes()) {
            self.with(|counts| {
                counts.repeated += 1;
                counts.double_nonces += u64::from(first && second);
            });
        }
    }

    pub fn report(self, drill: &'static str) -> Report {
        let mut counts = self.counts.into_inner().unwrap_or_else(PoisonError::into_inner);
        counts.micros.sort_unstable();
        let quantile = |percent: usize| {
            let place = counts.micros.len().saturating_sub(1) * percent / 100;
            let micros = counts.micros.get(place).copied().unwrap_or(0);
            Duration::from_micros(micros).as_secs_f64() * 1_000.0
        };
        Report {
            drill,
            requests: counts.requests,
            failed: counts.failed,
            retried: counts.retried,
            rotations: counts.rotations,
            knocked: counts.knocked,
            accepted_after_end: counts.accepted_after_end,
            repeated: counts.repeated,
            double_nonces: counts.double_nonces,
            double_effects: counts.double_effects,
            p50_ms: quantile(50),
            p99_ms: quantile(99),
            slowest_revocation_ms: counts.slowest_revocation.as_secs_f64() * 1_000.0,
            first_failure: counts.first_failure,
        }
    }
}

impl Report {
    /// Prints it, and fails where a promise broke.
    pub fn print(&self, global: &Global) -> Result<(), Failure> {
        if global.json {
            print::json(self)?;
        } else {
            let mut rows = vec![
                ("requests", self.requests.to_string()),
                ("failed", self.failed.to_string()),
                ("retried", self.retried.to_string()),
                ("rotations", self.rotations.to_string()),
                ("with an ended key", self.knocked.to_string()),
                ("  let in", self.accepted_after_end.to_string()),
                ("repeated", self.repeated.to_string()),
                ("  let in twice", self.double_nonces.to_string()),
                ("done twice", self.double_effects.to_string()),
                ("median", format!("{:.2} ms", self.p50_ms)),
                ("99th percentile", format!("{:.2} ms", self.p99_ms)),
            ];
            if self.slowest_revocation_ms > 0.0 {
                rows.push(("slowest revocation", format!("{:.2} ms", self.slowest_revocation_ms)));
            }
            rows.extend(self.first_failure.clone().map(|failure| ("first failure", failure)));
            print::line(print::pairs(rows));
        }
        let broken = self.failed + self.accepted_after_end + self.double_nonces + self.double_effects;
        if broken == 0 {
            return Ok(());
        }
        let message = format!(
            "{} failed, {} let in with an ended key, {} let in twice, {} done twice",
            self.failed, self.accepted_after_end, self.double_nonces, self.double_effects
        );
        Err(Failure::new("drill.promises_must_hold", message, Exit::Refused))
    }
}
