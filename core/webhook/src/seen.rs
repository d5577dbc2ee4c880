//! That each webhook is acted on once, however often it is sent or replayed.

use crate::receiver::TOLERANCE_SECONDS;
use crate::refusal::WebhookRefusal;
use crate::secret::MessageId;
use std::collections::{BTreeMap, VecDeque};

/// Ids, at most.
const IDS_MAX: usize = 100_000;
/// For how many seconds an id is known: three days and a half, longer than senders usually retry.
const REMEMBERED_SECONDS: i64 = 302_400;

/// What became of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// Act on it; then [`SeenIds::finish`] or [`SeenIds::abandon`].
    New,
    /// Another caller is acting on it.
    Busy,
    /// It was acted on before.
    Done,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    begun: i64,
    is_done: bool,
}

/// Ids that were acted on, in memory. None is forgotten while a captured attempt could still pass for fresh: where there
/// is no room, new ones are refused.
#[derive(Debug)]
pub struct SeenIds {
    ids: BTreeMap<MessageId, Known>,
    /// In the order of their claims; an id that was abandoned may be here without being known.
    order: VecDeque<(i64, MessageId)>,
    ids_max: usize,
}

impl Default for SeenIds {
    fn default() -> Self {
        Self::new(IDS_MAX)
    }
}

impl SeenIds {
    /// A memory of so many ids.
    #[must_use]
    pub fn new(ids_max: usize) -> Self {
        Self { ids: BTreeMap::new(), order: VecDeque::new(), ids_max }
    }

    /// Claims an id at a second since 1970: [`Begun::New`] for exactly one caller.
    ///
    /// # Errors
    /// [`WebhookRefusal::MemoryMustHaveRoom`].
    pub fn begin(&mut self, id: &MessageId, now: i64) -> Result<Begun, WebhookRefusal> {
        while self.forget_oldest(now.saturating_sub(REMEMBERED_SECONDS)) {}
        if let Some(known) = self.ids.get(id) {
            return Ok(if known.is_done { Begun::Done } else { Begun::Busy });
        }
        let needed_since = now.saturating_sub(2 * TOLERANCE_SECONDS);
        if self.order.len() >= self.ids_max && !self.forget_oldest(needed_since) {
            return Err(WebhookRefusal::MemoryMustHaveRoom(self.ids_max));
        }
        self.ids.insert(id.clone(), Known { begun: now, is_done: false });
        self.order.push_back((now, id.clone()));
        Ok(Begun::New)
    }

    /// Forgets the oldest claim if it was made before a second; says whether it did.
    fn forget_oldest(&mut self, before: i64) -> bool {
        if self.order.front().is_none_or(|(begun, _)| *begun >= before) {
            return false;
        }
        let Some((begun, id)) = self.order.pop_front() else { return false };
        if self.ids.get(&id).is_some_and(|known| known.begun == begun) {
            self.ids.remove(&id);
        }
        true
    }

    /// It was acted on.
    pub fn finish(&mut self, id: &MessageId) {
        if let Some(known) = self.ids.get_mut(id) {
            known.is_done = true;
        }
    }

    /// It was not: the sender's next attempt is to be taken.
    pub fn abandon(&mut self, id: &MessageId) {
        if let Some(known) = self.ids.remove(id) {
            self.order.retain(|(begun, other)| *begun != known.begun || other != id);
        }
    }
}
