//! The replay half, judged from outside: the pitfalls of nonce stores, bugs that others shipped, and a simulation with
//! restarts, kills, clock steps and restored backups.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod challenges;
mod pitfalls;
mod session_tokens;

use strongroom_access::replay::{
    Challenges, Entry, FingerprintKey, Limits, Presented, ReplayRefusal, Window,
};
use strongroom_units::time::Timestamp;

/// The second at which the tests begin.
const T0: i64 = 1_800_000_000;

const LIMITS: Limits = Limits {
    validity_seconds: 60,
    skew_seconds: 5,
    nonces_max: 1_000,
    nonces_per_lineage_max: 100,
    lineages_max: 20,
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn key() -> FingerprintKey {
    FingerprintKey::new(*b"fingerprints key")
}

fn challenges(epoch: u8) -> Challenges {
    Challenges::new([epoch; 32], LIMITS.validity_seconds)
}

/// A window that has run for an hour.
fn window(limits: Limits) -> Window {
    Window::started(limits, &key(), at(T0 - 3_600))
}

/// A nonce of 16 bytes.
fn nonce(number: u64) -> [u8; 16] {
    (u128::from(number) * 0x9e37_79b9_7f4a_7c15).to_be_bytes()
}

fn insert(
    window: &mut Window,
    lineage: &str,
    number: u64,
    created: i64,
    now: i64,
) -> Result<Entry, ReplayRefusal> {
    window.insert(Presented { lineage, nonce: &nonce(number), created }, at(now))
}

fn code<T>(result: Result<T, ReplayRefusal>) -> &'static str {
    result.map_or_else(|refusal| refusal.code(), |_| "accepted")
}
