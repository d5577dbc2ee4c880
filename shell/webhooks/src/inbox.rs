//! Webhooks in: judged, and acted on once.

use http::HeaderMap;
use std::sync::{Mutex, PoisonError};
use strongroom_webhook::{Begun, Received, Receiver, SeenIds, WebhookRefusal};
use thiserror::Error;

/// Why a webhook was not acted on.
#[derive(Debug, Error)]
pub enum InboxError<E> {
    /// It was not to be.
    #[error(transparent)]
    Refused(#[from] WebhookRefusal),
    /// Acting on it failed; the sender's next attempt is taken.
    #[error("the webhook was good, and acting on it failed: {0}")]
    Failed(E),
}

/// The secrets of one sender and the ids that were acted on.
pub struct Inbox {
    receiver: Receiver,
    seen: Mutex<SeenIds>,
}

impl Inbox {
    /// Of one sender.
    #[must_use]
    pub fn new(receiver: Receiver, seen: SeenIds) -> Self {
        Self { receiver, seen: Mutex::new(seen) }
    }

    /// Judges a webhook at a second since 1970 and lets one caller act on it.
    ///
    /// # Errors
    /// Those of [`Receiver::verify`]; `webhook.id_must_be_new`, to be answered 200, `webhook.id_must_not_be_in_use`, 409,
    /// `webhook.memory_must_have_room`, 503; and what acting came to.
    pub fn receive<T, E>(
        &self,
        headers: &HeaderMap,
        content: &[u8],
        now: i64,
        act: impl FnOnce(&Received) -> Result<T, E>,
    ) -> Result<T, InboxError<E>> {
        let received = self.receiver.verify(headers, content, now)?;
        let id = || received.id.as_str().to_owned();
        match self.seen(|seen| seen.begin(&received.id, now))? {
            Begun::New => {}
            Begun::Busy => return Err(WebhookRefusal::IdMustNotBeInUse(id()).into()),
            Begun::Done => return Err(WebhookRefusal::IdMustBeNew(id()).into()),
        }
        let mut claim = Claim { inbox: self, received: &received, is_done: false };
        let acted = act(&received).map_err(InboxError::Failed)?;
        claim.is_done = true;
        Ok(acted)
    }

    fn seen<T>(&self, work: impl FnOnce(&mut SeenIds) -> T) -> T {
        work(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Given back however acting on it ends, by a panic too.
struct Claim<'i> {
    inbox: &'i Inbox,
    received: &'i Received,
    is_done: bool,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.inbox.seen(|seen| match self.is_done {
            true => seen.finish(&self.received.id),
            false => seen.abandon(&self.received.id),
        });
    }
}
