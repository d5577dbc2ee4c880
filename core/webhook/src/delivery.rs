//! The life of a delivery, and of the endpoint it is for.
//!
//! ```text
//! waiting ─ take ─ sending ─┬ 2xx ───────────────── delivered
//!    ▲                      ├ failed, tries left ── waiting
//!    │                      ├ failed, none left ─── dead ─ redeliver ─ waiting
//!    └──── lease over ──────┘   410: dead, and the endpoint is disabled
//! ```

use crate::refusal::WebhookRefusal;
use crate::schedule::Schedule;
use crate::secret::MessageId;
use serde::{Deserialize, Serialize};

/// Bytes of content, at most.
pub const CONTENT_BYTES_MAX: usize = 64 * 1024;
/// Seconds after which a delivery that is being sent is taken again: its sender crashed.
pub const LEASE_SECONDS: i64 = 120;
/// Seconds of failure alone after which an endpoint gets nothing any more: five days.
pub const FAILING_SECONDS_MAX: i64 = 5 * 86_400;

/// Where webhooks go. Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its name.
    pub name: String,
    /// Its URL.
    pub url: String,
    /// Whether it gets anything.
    pub state: EndpointState,
    /// Since when every attempt failed.
    pub failing_since: Option<i64>,
    /// No attempt before this second: the endpoint asked for a pause.
    pub paused_until: i64,
}

/// Whether an endpoint gets anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndpointState {
    /// It does.
    Enabled,
    /// It does not, until somebody enables it.
    Disabled {
        /// Since when.
        since: i64,
        /// Why.
        reason: String,
    },
}

/// One webhook for one endpoint. Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its id, the same over all attempts and endpoints.
    pub id: MessageId,
    /// For which endpoint.
    pub endpoint: String,
    /// The body.
    pub content: Vec<u8>,
    /// Attempts that failed since it began to wait.
    pub failed: u32,
    /// Where it stands.
    pub state: DeliveryState,
}

/// Where a delivery stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryState {
    /// To be tried from this second on.
    Waiting {
        /// When.
        due: i64,
    },
    /// Somebody is sending it; if not by then, it waits again.
    Sending {
        /// Until when.
        until: i64,
    },
    /// The endpoint took it.
    Delivered {
        /// When.
        at: i64,
    },
    /// It was given up.
    Dead {
        /// When.
        at: i64,
        /// The last failure.
        failure: Failure,
    },
}

/// How an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// An answer that is no success; a redirect is none either.
    Status(u16),
    /// No connection, no answer, or not in time.
    Transport(String),
    /// An address that nothing is delivered to.
    Address(String),
}

/// What an attempt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The endpoint answered.
    Answered {
        /// The status.
        status: u16,
        /// What `Retry-After` said, in seconds.
        retry_after: Option<i64>,
    },
    /// It did not.
    Failed(Failure),
}

impl Endpoint {
    /// One that gets everything.
    #[must_use]
    pub fn new(name: &str, url: &str) -> Self {
        Self {
            name: name.to_owned(),
            url: url.to_owned(),
            state: EndpointState::Enabled,
            failing_since: None,
            paused_until: 0,
        }
    }

    /// Whether it gets anything.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.state == EndpointState::Enabled
    }

    /// It gets everything again; what failed before is forgotten.
    pub fn enable(&mut self) {
        *self = Self::new(&self.name, &self.url);
    }

    fn disable(&mut self, since: i64, reason: &str) {
        self.state = EndpointState::Disabled { since, reason: reason.to_owned() };
    }
}

impl Delivery {
    /// One that waits for its first attempt, which is due now.
    ///
    /// # Errors
    /// [`WebhookRefusal::ContentMustBeBounded`].
    pub fn try_new(id: MessageId, endpoint: &str, content: &[u8], now: i64) -> Result<Self, WebhookRefusal> {
        if content.len() > CONTENT_BYTES_MAX {
            return Err(WebhookRefusal::ContentMustBeBounded(CONTENT_BYTES_MAX));
        }
        Ok(Self {
            id,
            endpoint: endpoint.to_owned(),
            content: content.to_vec(),
            failed: 0,
            state: DeliveryState::Waiting { due: now },
        })
    }

    /// Whether it is to be tried now, or whoever was trying it is gone.
    #[must_use]
    pub fn is_due(&self, now: i64) -> bool {
        match self.state {
            DeliveryState::Waiting { due } => due <= now,
            DeliveryState::Sending { until } => until <= now,
            DeliveryState::Delivered { .. } | DeliveryState::Dead { .. } => false,
        }
    }

    /// Whether it is still to be delivered.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.state, DeliveryState::Waiting { .. } | DeliveryState::Sending { .. })
    }

    /// Takes it to send it.
    pub fn take(&mut self, now: i64) {
        self.state = DeliveryState::Sending { until: now.saturating_add(LEASE_SECONDS) };
    }

    /// Gives one that was taken back unsent.
    pub fn give_back(&mut self, now: i64) {
        self.state = DeliveryState::Waiting { due: now };
    }

    /// Sends one that was given up again, under its id and with all its tries.
    ///
    /// # Errors
    /// [`WebhookRefusal::DeliveryMustBeDead`].
    pub fn redeliver(&mut self, now: i64) -> Result<(), WebhookRefusal> {
        if !matches!(self.state, DeliveryState::Dead { .. }) {
            return Err(WebhookRefusal::DeliveryMustBeDead(self.id.as_str().to_owned()));
        }
        self.failed = 0;
        self.state = DeliveryState::Waiting { due: now };
        Ok(())
    }
}

/// What an attempt changes. Any status of 200 to 299 is a success; 410 says that the endpoint wants nothing any more; 429,
/// 502, 503 and 504 with `Retry-After` pause the whole endpoint. The random number spreads the next attempt.
pub fn settle(
    delivery: &mut Delivery,
    endpoint: &mut Endpoint,
    outcome: Outcome,
    schedule: &Schedule,
    now: i64,
    random: u64,
) {
    let (failure, asked) = match outcome {
        Outcome::Answered { status: 200..=299, .. } => {
            delivery.state = DeliveryState::Delivered { at: now };
            endpoint.failing_since = None;
            return;
        }
        Outcome::Answered { status, retry_after } => (Failure::Status(status), retry_after),
        Outcome::Failed(failure) => (failure, None),
    };
    delivery.failed = delivery.failed.saturating_add(1);
    let is_gone = failure == Failure::Status(410);
    let next = schedule.next(delivery.failed, now, random, asked).filter(|_| !is_gone);
    if let (Failure::Status(429 | 502 | 503 | 504), Some(_), Some(due)) = (&failure, asked, next) {
        endpoint.paused_until = endpoint.paused_until.max(due);
    }
    delivery.state = match next {
        Some(due) => DeliveryState::Waiting { due },
        None => DeliveryState::Dead { at: now, failure },
    };
    let since = *endpoint.failing_since.get_or_insert(now);
    if is_gone {
        endpoint.disable(now, "it answered 410 Gone");
    } else if now.saturating_sub(since) >= FAILING_SECONDS_MAX {
        endpoint.disable(now, "every attempt of five days failed");
    }
}
