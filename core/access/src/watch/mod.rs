//! What stands out among the requests of each key: deterministic rules, in bounded memory, without a clock of its own.
//!
//! The gate tells what came of each request whose key is known; out come events for whoever watches. Nothing here refuses
//! anything. What a key is used to is learnt from requests that passed, so that nobody without the key can teach it.
//!
//! | event | is told |
//! |---|---|
//! | a nonce came again; a number of a sequence is not in order; a key at its end was used | at the first, then once a minute |
//! | signatures of a key fail | at the 5th within a minute |
//! | requests of a source fail | at the 20th within a minute, whatever the keys: credential stuffing |
//! | a source, a user agent or a scope that a key did not have before | at the first, unless it is the key's first at all |
//! | the offset between a key's clock and ours jumps by more than 3 s | after 5 requests that agreed |
//!
//! Two machines that share one key have two clocks: the offset tells them apart when nothing else does.

mod counts;
mod habits;

use core::net::IpAddr;
use counts::Burst;
use habits::Habits;
use std::collections::BTreeMap;

pub use habits::{CLOCK_JUMP_SECONDS, CLOCK_SAMPLES_MIN};

/// Keys that are remembered; the one that was idle for the longest makes room.
pub const KEYS_MAX: usize = 10_000;
/// Sources whose failures are counted.
pub const SOURCES_MAX: usize = 10_000;
/// Failed signatures of one key within a minute that stand out.
pub const SIGNATURE_FAILURES: u32 = 5;
/// Failures of one source within a minute that stand out.
pub const SOURCE_FAILURES: u32 = 20;

/// Where a request came from, coarse enough to be no person: the /24 of an IPv4 address, the /48 of an IPv6 one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source(u64, bool);

impl Source {
    /// Of an address. An IPv4 address in its IPv6 form is the IPv4 address.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(u64::from(address.to_bits() >> 8), false),
            IpAddr::V6(address) => Self(u64::try_from(address.to_bits() >> 80).unwrap_or_default(), true),
        }
    }
}

impl core::fmt::Display for Source {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        if self.1 {
            write!(f, "{}/48", core::net::Ipv6Addr::from_bits(u128::from(self.0) << 80))
        } else {
            let bits = u32::try_from(self.0 << 8).unwrap_or_default();
            write!(f, "{}/24", core::net::Ipv4Addr::from_bits(bits))
        }
    }
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It passed.
    Passed,
    /// The signature is not that of the key.
    SignatureFailed,
    /// The nonce was used.
    NonceWasUsed,
    /// The number was used, or is too far behind.
    SequenceRegressed,
    /// The key is revoked.
    KeyRevoked,
    /// The key is retired or expired.
    KeyEnded,
    /// Anything else that a caller who knows its key does not do.
    Refused,
}

/// A request as the gate saw it.
#[derive(Debug, Clone, Copy)]
pub struct Observation<'a> {
    /// When, seconds since 1970.
    pub now: i64,
    /// The key, if it is one that the gate knows.
    pub key: Option<&'a str>,
    /// From where.
    pub source: Source,
    /// What the client calls itself.
    pub user_agent: &'a str,
    /// When it was signed, seconds since 1970.
    pub created: Option<i64>,
    /// What it was allowed by.
    pub scope: Option<&'a str>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What stood out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// A nonce came again.
    DuplicateNonce,
    /// Signatures under a key's name fail.
    SignatureFailures,
    /// A revoked key was used.
    RevokedKeyUsed,
    /// A retired or expired key was used.
    EndedKeyUsed,
    /// A number of a sequence was used, or is too far behind.
    SequenceRegress,
    /// A key was used from a source that it had not been used from.
    NewSource,
    /// A key was used by a client that had not used it.
    NewUserAgent,
    /// A key was used for what it had not been used for.
    NewScope,
    /// Many requests of a source fail.
    RepeatedFailures,
    /// The clock that signs with a key is another.
    ClockOffsetJump,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::DuplicateNonce,
        Self::SignatureFailures,
        Self::RevokedKeyUsed,
        Self::EndedKeyUsed,
        Self::SequenceRegress,
        Self::NewSource,
        Self::NewUserAgent,
        Self::NewScope,
        Self::RepeatedFailures,
        Self::ClockOffsetJump,
    ];

    /// The name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DuplicateNonce => "duplicate-nonce",
            Self::SignatureFailures => "signature-failures",
            Self::RevokedKeyUsed => "revoked-key-used",
            Self::EndedKeyUsed => "ended-key-used",
            Self::SequenceRegress => "sequence-regress",
            Self::NewSource => "new-source",
            Self::NewUserAgent => "new-user-agent",
            Self::NewScope => "new-scope",
            Self::RepeatedFailures => "repeated-failures",
            Self::ClockOffsetJump => "clock-offset-jump",
        }
    }
}

/// Something that stood out, for whoever watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityEvent {
    /// What.
    pub kind: EventKind,
    /// When, seconds since 1970.
    pub at: i64,
    /// The key, where it is about one.
    pub key: Option<String>,
    /// From where.
    pub source: Source,
    /// How many there were within a minute, or seconds by which a clock jumped.
    pub count: i64,
}

/// Looks at requests one after another.
#[derive(Debug, Default)]
pub struct Watch {
    keys: BTreeMap<String, Habits>,
    sources: BTreeMap<Source, Burst>,
}

impl Watch {
    /// What stands out in a request, in the order of [`EventKind`].
    pub fn look(&mut self, seen: &Observation<'_>) -> Vec<SecurityEvent> {
        let mut found = Vec::new();
        if seen.outcome != Outcome::Passed {
            make_room(&mut self.sources, &seen.source, SOURCES_MAX, Burst::last);
            let burst = self.sources.entry(seen.source).or_default();
            if let Some(count) = burst.count(seen.now, SOURCE_FAILURES) {
                found.push((EventKind::RepeatedFailures, count));
            }
        }
        if let Some(key) = seen.key {
            make_room(&mut self.keys, key, KEYS_MAX, Habits::last);
            if !self.keys.contains_key(key) {
                self.keys.insert(key.to_owned(), Habits::default());
            }
            if let Some(habits) = self.keys.get_mut(key) {
                habits.look(seen, &mut found);
            }
        }
        found.sort_unstable();
        let key = seen.key.map(str::to_owned);
        let event = |(kind, count)| {
            let of_key = key.clone().filter(|_| kind != EventKind::RepeatedFailures);
            SecurityEvent { kind, at: seen.now, key: of_key, source: seen.source, count }
        };
        found.into_iter().map(event).collect()
    }

    /// Keys and sources that are remembered.
    pub fn len(&self) -> (usize, usize) {
        (self.keys.len(), self.sources.len())
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == (0, 0)
    }
}

/// Takes out an eighth, those idle for the longest, when one more would not fit.
fn make_room<K, Q, V>(map: &mut BTreeMap<K, V>, next: &Q, most: usize, last: fn(&V) -> i64)
where
    K: Ord + Clone + core::borrow::Borrow<Q>,
    Q: Ord + ?Sized,
{
    if map.len() < most || map.contains_key(next) {
        return;
    }
    let mut idle: Vec<(i64, K)> = map.iter().map(|(key, value)| (last(value), key.clone())).collect();
    idle.sort_unstable();
    for (_, key) in idle.into_iter().take(most.div_ceil(8)) {
        map.remove(key.borrow());
    }
}

#[cfg(test)]
mod tests;
