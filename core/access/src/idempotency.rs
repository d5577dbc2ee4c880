//! Idempotency keys (draft-ietf-httpapi-idempotency-key-header-06): a request that is sent again gets the first answer,
//! and another request under the same key gets none.
//!
//! | what arrives | answer |
//! |---|---|
//! | a key not seen, of this lineage | [`Begun::First`]: execute, then [`IdempotencyKeys::finish`] |
//! | the same key and request, executed | [`Begun::Again`]: the stored answer |
//! | the same, still being executed | `request.idempotency_key_must_not_be_in_use`, 409 |
//! | the same key, another request | `request.idempotency_key_must_not_be_reused`, 422 |
//!
//! An entry lives for a fixed time from its first request. None is given up early: where there is no room, new keys are
//! refused. A clock that jumps ahead ends entries early, and so does a restart: this is a map in memory. Therefore a command whose effect must not happen twice also has its key in
//! the transaction of the effect.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use strongroom_units::time::Timestamp;
use thiserror::Error;

/// Characters of a key, at most.
pub const KEY_CHARACTERS_MAX: usize = 255;

/// How much is kept, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdempotencyLimits {
    /// Seconds from the first request for which a key is known.
    pub lifetime_seconds: u32,
    /// Keys of all lineages.
    pub keys_max: usize,
    /// Keys of one lineage.
    pub keys_per_lineage_max: usize,
}

impl Default for IdempotencyLimits {
    /// A day; 100,000 keys, a tenth of them of one lineage.
    fn default() -> Self {
        Self { lifetime_seconds: 86_400, keys_max: 100_000, keys_per_lineage_max: 10_000 }
    }
}

/// A rule that was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IdempotencyRefusal {
    /// No text that can be a key. Status 400.
    #[error("an idempotency key has 1 to 255 printable ASCII characters")]
    KeyMustFit,
    /// The key came before with another request. Status 422.
    #[error("this idempotency key came before with another request; use a new one")]
    KeyMustNotBeReused,
    /// The first request with this key has not been answered. Status 409.
    #[error("the first request with this idempotency key is still being executed; try again later")]
    KeyMustNotBeInUse,
    /// The lineage has as many keys as it may. Status 429.
    #[error("the idempotency keys of this key are used up; try again in {retry_after_seconds} s")]
    LineageMustHaveRoom {
        /// When the oldest of them will have ended.
        retry_after_seconds: u64,
    },
    /// All lineages together have. Status 503.
    #[error("the server knows as many idempotency keys as it can; try again later")]
    MustHaveRoom,
}

impl IdempotencyRefusal {
    /// The stable code: the rule that was broken.
    pub fn code(&self) -> &'static str {
        match self {
            Self::KeyMustFit => "request.idempotency_key_must_have_1_to_255_characters",
            Self::KeyMustNotBeReused => "request.idempotency_key_must_not_be_reused",
            Self::KeyMustNotBeInUse => "request.idempotency_key_must_not_be_in_use",
            Self::LineageMustHaveRoom { .. } => "request.idempotency_keys_must_stay_within_the_quota",
            Self::MustHaveRoom => "server.idempotency_keys_must_have_room",
        }
    }
}

/// What a request with a key is to get.
#[derive(Debug, PartialEq, Eq)]
pub enum Begun<'a, A> {
    /// It is the first: it is to be executed and finished, or abandoned.
    First(Ticket),
    /// It was executed; this was the answer, a refusal included.
    Again(&'a A),
}

/// The right to execute the first request with a key.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "until it is finished or abandoned, the key is in use"]
pub struct Ticket {
    lineage: Arc<str>,
    key: Arc<str>,
    place: Place,
}

/// When an entry ends, and its number: the order in which entries end.
type Place = (i64, u64);

/// Keys of all lineages, with answers of a kind that this module does not look into. The caller bounds their size.
pub struct IdempotencyKeys<A> {
    limits: IdempotencyLimits,
    lineages: BTreeMap<Arc<str>, Lineage<A>>,
    /// Whose entry ends when.
    order: BTreeMap<Place, (Arc<str>, Arc<str>)>,
    next: u64,
}

struct Lineage<A> {
    entries: BTreeMap<Arc<str>, Stored<A>>,
    order: BTreeSet<Place>,
}

struct Stored<A> {
    request: [u8; 32],
    place: Place,
    answer: Option<A>,
}

impl<A> Lineage<A> {
    fn new() -> Self {
        Self { entries: BTreeMap::new(), order: BTreeSet::new() }
    }
}

impl<A> IdempotencyKeys<A> {
    /// None known.
    pub fn new(limits: IdempotencyLimits) -> Self {
        Self { limits, lineages: BTreeMap::new(), order: BTreeMap::new(), next: 0 }
    }

    /// Begins a request with a key. `request` is SHA-256 over what makes it the same request: method, path, query and
    /// content; not its nonce nor its time, which are new each time it is signed.
    ///
    /// # Errors
    /// See [`IdempotencyRefusal`]; nothing is kept of a request that is refused.
    pub fn begin(
        &mut self,
        lineage: &str,
        key: &str,
        request: [u8; 32],
        now: Timestamp,
    ) -> Result<Begun<'_, A>, IdempotencyRefusal> {
        let printable = key.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        if !(1..=KEY_CHARACTERS_MAX).contains(&key.len()) || !printable {
            return Err(IdempotencyRefusal::KeyMustFit);
        }
        let now = now.as_second();
        self.end(now);
        if self.knows(lineage, key) {
            return self.again(lineage, key, request);
        }
        self.must_have_room(lineage, now)?;
        Ok(Begun::First(self.first(lineage, key, request, now)))
    }

    fn knows(&self, lineage: &str, key: &str) -> bool {
        self.lineages.get(lineage).is_some_and(|of_lineage| of_lineage.entries.contains_key(key))
    }

    fn again(&self, lineage: &str, key: &str, request: [u8; 32]) -> Result<Begun<'_, A>, IdempotencyRefusal> {
        let stored = self.lineages.get(lineage).and_then(|of_lineage| of_lineage.entries.get(key));
        match stored {
            Some(stored) if stored.request != request => Err(IdempotencyRefusal::KeyMustNotBeReused),
            Some(Stored { answer: Some(answer), .. }) => Ok(Begun::Again(answer)),
            _ => Err(IdempotencyRefusal::KeyMustNotBeInUse),
        }
    }

    fn must_have_room(&self, lineage: &str, now: i64) -> Result<(), IdempotencyRefusal> {
        let of_lineage = self.lineages.get(lineage);
        if let Some(full) = of_lineage.filter(|known| known.entries.len() >= self.limits.keys_per_lineage_max)
        {
            let ends = full.order.first().map_or(now, |(ends, _)| *ends);
            let wait = u64::try_from(ends.saturating_sub(now)).unwrap_or(0).max(1);
            return Err(IdempotencyRefusal::LineageMustHaveRoom { retry_after_seconds: wait });
        }
        if self.order.len() >= self.limits.keys_max {
            return Err(IdempotencyRefusal::MustHaveRoom);
        }
        Ok(())
    }

    fn first(&mut self, lineage: &str, key: &str, request: [u8; 32], now: i64) -> Ticket {
        let place = (now.saturating_add(i64::from(self.limits.lifetime_seconds)), self.next);
        self.next += 1;
        let (lineage, key): (Arc<str>, Arc<str>) = (lineage.into(), key.into());
        let of_lineage = self.lineages.entry(Arc::clone(&lineage)).or_insert_with(Lineage::new);
        of_lineage.order.insert(place);
        of_lineage.entries.insert(Arc::clone(&key), Stored { request, place, answer: None });
        self.order.insert(place, (Arc::clone(&lineage), Arc::clone(&key)));
        Ticket { lineage, key, place }
    }

    /// Keeps the answer for those who ask again, until the entry ends. Whatever was executed is finished, with an effect
    /// or a refusal.
    pub fn finish(&mut self, ticket: Ticket, answer: A) {
        let entries = self.lineages.get_mut(&ticket.lineage).map(|of_lineage| &mut of_lineage.entries);
        let stored = entries.and_then(|entries| entries.get_mut(&ticket.key));
        if let Some(stored) = stored.filter(|stored| stored.place == ticket.place) {
            stored.answer = Some(answer);
        }
    }

    /// Gives the key free: the request was certainly not executed, and may be sent again.
    pub fn abandon(&mut self, ticket: Ticket) {
        self.remove(ticket.place);
    }

    /// Ends what has lived its time.
    fn end(&mut self, now: i64) {
        while let Some((place, _)) = self.order.first_key_value().filter(|((ends, _), _)| *ends <= now) {
            let place = *place;
            self.remove(place);
        }
    }

    fn remove(&mut self, place: Place) {
        let Some((lineage, key)) = self.order.remove(&place) else { return };
        let Some(of_lineage) = self.lineages.get_mut(&lineage) else { return };
        of_lineage.order.remove(&place);
        of_lineage.entries.remove(&key);
        if of_lineage.entries.is_empty() {
            self.lineages.remove(&lineage);
        }
    }

    /// Keys that are known.
    pub fn known(&self) -> usize {
        self.order.len()
    }
}

#[cfg(test)]
mod tests;
