//! Delivers what is due.

use crate::carrier::{Carrier, Sending};
use crate::outbox::{Outbox, OutboxError, QUEUE_MAX};
use crate::reach::Reach;
use http::{HeaderMap, HeaderValue, header};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use strongroom_webhook::{
    Delivery, DeliveryState, Endpoint, Failure, ID, LEASE_SECONDS, MessageId, Outcome, SIGNATURE, Schedule,
    Secrets, SigningSecret, TIMESTAMP, WebhookRefusal, settle,
};
use thiserror::Error;

/// Deliveries of one endpoint in one round: a slow one holds up its own only.
const ROUND_MAX: usize = 32;
/// Endpoints that are delivered to at the same time.
const THREADS_MAX: usize = 8;

/// Takes webhooks and delivers them. Times are seconds since 1970.
pub struct Courier<O, C> {
    outbox: Mutex<O>,
    secrets: Mutex<BTreeMap<String, Secrets>>,
    carrier: C,
    reach: Reach,
    schedule: Schedule,
}

/// What was not done, and why.
#[derive(Debug, Error)]
pub enum CourierError {
    /// A rule was broken; nothing changed.
    #[error(transparent)]
    Refused(#[from] WebhookRefusal),
    /// What is kept cannot be reached.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
}

/// What became of a new webhook.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// Endpoints that are to get it.
    pub queued: usize,
    /// Endpoints that are not, and why.
    pub refused: Vec<(String, WebhookRefusal)>,
}

/// What a round did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Delivered.
    pub delivered: usize,
    /// Failed, and to be tried again.
    pub retried: usize,
    /// Given up.
    pub dead: usize,
}

/// What became of one that was sent.
struct Sent {
    state: DeliveryState,
    is_answered: bool,
}

/// Whoever panicked while it held a lock changed nothing half: every change is one call.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<O: Outbox, C: Carrier> Courier<O, C> {
    /// One that delivers from an outbox; it takes endpoints of this reach.
    pub fn new(outbox: O, carrier: C, reach: Reach, schedule: Schedule) -> Self {
        Self { outbox: Mutex::new(outbox), secrets: Mutex::default(), carrier, reach, schedule }
    }

    /// Makes an endpoint known, by its name, URL and secret. One that is known already keeps its state, unless its URL is
    /// another; and a secret that is known is followed by another through [`Courier::rotate`] only. So the same call does
    /// after a restart, when the outbox knows the endpoint and this courier not its secret.
    ///
    /// # Errors
    /// `webhook.url_must_be_public`.
    pub fn subscribe(&self, name: &str, url: &str, secrets: Secrets) -> Result<(), CourierError> {
        self.reach.check(url)?;
        let mut outbox = held(&self.outbox);
        if outbox.endpoint(name)?.is_none_or(|known| known.url != url) {
            outbox.put_endpoint(Endpoint::new(name, url))?;
        }
        held(&self.secrets).entry(name.to_owned()).or_insert(secrets);
        Ok(())
    }

    /// Signs for an endpoint with another secret, and for so many seconds with the one before as well.
    ///
    /// # Errors
    /// `webhook.endpoint_must_be_known`, `webhook.overlap_must_fit`.
    pub fn rotate(
        &self,
        endpoint: &str,
        next: SigningSecret,
        now: i64,
        overlap_seconds: i64,
    ) -> Result<(), CourierError> {
        let mut secrets = held(&self.secrets);
        let own = secrets.get_mut(endpoint).ok_or_else(|| unknown(endpoint))?;
        Ok(own.rotate(next, now, overlap_seconds)?)
    }

    /// Takes a webhook for every endpoint that is enabled. One that was taken under this id before is not taken again.
    ///
    /// # Errors
    /// `webhook.content_must_be_bounded`. What one endpoint refuses is told and holds up no other.
    pub fn publish(&self, id: &MessageId, content: &[u8], now: i64) -> Result<Published, CourierError> {
        let mut outbox = held(&self.outbox);
        let mut published = Published::default();
        for endpoint in outbox.endpoints()? {
            let delivery = Delivery::try_new(id.clone(), &endpoint.name, content, now)?;
            if outbox.delivery(&endpoint.name, id)?.is_some() {
                continue;
            }
            let refusal = if !endpoint.is_enabled() {
                WebhookRefusal::EndpointMustBeEnabled(endpoint.name.clone())
            } else if outbox.open(&endpoint.name)? >= QUEUE_MAX {
                WebhookRefusal::QueueMustHaveRoom(QUEUE_MAX)
            } else {
                outbox.put(delivery)?;
                published.queued += 1;
                continue;
            };
            published.refused.push((endpoint.name, refusal));
        }
        Ok(published)
    }

    /// Delivers what is due, and waits until it is done. The random numbers spread what is tried again.
    ///
    /// # Errors
    /// [`CourierError::Outbox`]; what was being sent is sent again when its lease is over.
    pub fn deliver(&self, now: i64, random: &(dyn Fn() -> u64 + Sync)) -> Result<Round, CourierError> {
        let queue = Mutex::new(self.take(now)?);
        let round = Mutex::new(Round::default());
        let failure = Mutex::new(None);
        let begun = Instant::now();
        let work = || {
            loop {
                let Some((endpoint, deliveries)) = held(&queue).pop() else { return };
                let mut goes_on = true;
                for delivery in deliveries {
                    let passed = i64::try_from(begun.elapsed().as_secs()).unwrap_or_default();
                    let at = now.saturating_add(passed);
                    // What waits behind one that gets no answer is not to wait until its lease is over.
                    let done = match goes_on && passed < LEASE_SECONDS / 2 {
                        true => self.send(&endpoint, delivery, at, random()).map(Some),
                        false => self.give_back(delivery, at).map(|()| None),
                    };
                    match done {
                        Ok(Some(sent)) => {
                            goes_on = sent.is_answered;
                            count(&mut held(&round), &sent.state);
                        }
                        Ok(None) => {}
                        Err(error) => *held(&failure) = Some(error),
                    }
                }
            }
        };
        let threads = held(&queue).len().min(THREADS_MAX);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(work);
            }
        });
        match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error),
            None => Ok(round.into_inner().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    fn give_back(&self, mut delivery: Delivery, now: i64) -> Result<(), CourierError> {
        delivery.give_back(now);
        Ok(held(&self.outbox).put(delivery)?)
    }

    /// Takes what is due, so that nobody else sends it.
    fn take(&self, now: i64) -> Result<Vec<(Endpoint, Vec<Delivery>)>, CourierError> {
        let mut outbox = held(&self.outbox);
        let mut taken = Vec::new();
        for endpoint in outbox.endpoints()? {
            if !endpoint.is_enabled() || now < endpoint.paused_until {
                continue;
            }
            let mut due = outbox.due(&endpoint.name, now, ROUND_MAX)?;
            for delivery in &mut due {
                delivery.take(now);
                outbox.put(delivery.clone())?;
            }
            if !due.is_empty() {
                taken.push((endpoint, due));
            }
        }
        Ok(taken)
    }

    fn send(
        &self,
        endpoint: &Endpoint,
        mut delivery: Delivery,
        now: i64,
        random: u64,
    ) -> Result<Sent, CourierError> {
        let outcome = match self.sending(endpoint, &delivery, now) {
            Ok(sending) => self.carrier.carry(&sending),
            Err(refusal) => Outcome::Failed(Failure::Transport(refusal.to_string())),
        };
        let is_answered = matches!(outcome, Outcome::Answered { .. });
        let mut outbox = held(&self.outbox);
        // As it is now: others may have been delivered to it, or its owner may have disabled it.
        let mut endpoint = outbox.endpoint(&endpoint.name)?.unwrap_or_else(|| endpoint.clone());
        settle(&mut delivery, &mut endpoint, outcome, &self.schedule, now, random);
        let state = delivery.state.clone();
        outbox.put(delivery)?;
        outbox.put_endpoint(endpoint)?;
        Ok(Sent { state, is_answered })
    }

    fn sending(&self, endpoint: &Endpoint, delivery: &Delivery, now: i64) -> Result<Sending, WebhookRefusal> {
        let secrets = held(&self.secrets);
        let own = secrets.get(&endpoint.name).ok_or_else(|| unknown(&endpoint.name))?;
        let signatures = own.signatures(&delivery.id, now, &delivery.content)?;
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in
            [(ID, delivery.id.as_str().to_owned()), (TIMESTAMP, now.to_string()), (SIGNATURE, signatures)]
        {
            let wrong = |_| WebhookRefusal::MustBeWellFormed(format!("{name} fits into no header"));
            headers.insert(name, HeaderValue::try_from(value).map_err(wrong)?);
        }
        Ok(Sending { url: endpoint.url.clone(), headers, content: delivery.content.clone() })
    }

    /// Deliveries of an endpoint that were given up.
    ///
    /// # Errors
    /// [`CourierError::Outbox`].
    pub fn dead(&self, endpoint: &str) -> Result<Vec<Delivery>, CourierError> {
        Ok(held(&self.outbox).dead(endpoint)?)
    }

    /// Sends one that was given up again, under its id.
    ///
    /// # Errors
    /// `webhook.endpoint_must_be_known`, `webhook.endpoint_must_be_enabled`, `webhook.delivery_must_be_dead`.
    pub fn redeliver(&self, endpoint: &str, id: &MessageId, now: i64) -> Result<(), CourierError> {
        let mut outbox = held(&self.outbox);
        if !outbox.endpoint(endpoint)?.ok_or_else(|| unknown(endpoint))?.is_enabled() {
            return Err(WebhookRefusal::EndpointMustBeEnabled(endpoint.to_owned()).into());
        }
        let found = outbox.delivery(endpoint, id)?;
        let mut delivery = found.ok_or_else(|| WebhookRefusal::DeliveryMustBeDead(id.as_str().to_owned()))?;
        delivery.redeliver(now)?;
        Ok(outbox.put(delivery)?)
    }

    /// What is known of an endpoint.
    ///
    /// # Errors
    /// `webhook.endpoint_must_be_known`.
    pub fn endpoint(&self, name: &str) -> Result<Endpoint, CourierError> {
        Ok(held(&self.outbox).endpoint(name)?.ok_or_else(|| unknown(name))?)
    }

    /// An endpoint that was disabled gets everything again from now on.
    ///
    /// # Errors
    /// `webhook.endpoint_must_be_known`.
    pub fn enable(&self, name: &str) -> Result<(), CourierError> {
        let mut outbox = held(&self.outbox);
        let mut endpoint = outbox.endpoint(name)?.ok_or_else(|| unknown(name))?;
        endpoint.enable();
        Ok(outbox.put_endpoint(endpoint)?)
    }
}

fn unknown(endpoint: &str) -> WebhookRefusal {
    WebhookRefusal::EndpointMustBeKnown(endpoint.to_owned())
}

fn count(round: &mut Round, state: &DeliveryState) {
    match state {
        DeliveryState::Delivered { .. } => round.delivered += 1,
        DeliveryState::Dead { .. } => round.dead += 1,
        DeliveryState::Waiting { .. } | DeliveryState::Sending { .. } => round.retried += 1,
    }
}
