//! What is known of endpoints and deliveries.

use std::collections::{BTreeMap, BTreeSet};
use strongroom_webhook::{Delivery, DeliveryState, Endpoint, MessageId};
use thiserror::Error;

/// Deliveries that may wait for one endpoint.
pub const QUEUE_MAX: usize = 10_000;
/// Dead deliveries of one endpoint that are kept in memory, the youngest.
pub const DEAD_MAX: usize = 1_000;

/// What is kept cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("what is known of webhooks cannot be read or written: {0}")]
pub struct OutboxError(pub String);

/// Where endpoints and deliveries are kept. Every call is whole or not at all; a courier makes them one at a time.
pub trait Outbox: Send {
    /// Keeps an endpoint, in the place of one of its name.
    fn put_endpoint(&mut self, endpoint: Endpoint) -> Result<(), OutboxError>;
    /// An endpoint.
    fn endpoint(&self, name: &str) -> Result<Option<Endpoint>, OutboxError>;
    /// Every endpoint, by name.
    fn endpoints(&self) -> Result<Vec<Endpoint>, OutboxError>;
    /// Keeps a delivery, in the place of the one with its id and endpoint. One that was delivered may be forgotten.
    fn put(&mut self, delivery: Delivery) -> Result<(), OutboxError>;
    /// A delivery.
    fn delivery(&self, endpoint: &str, id: &MessageId) -> Result<Option<Delivery>, OutboxError>;
    /// How many are to be delivered to an endpoint.
    fn open(&self, endpoint: &str) -> Result<usize, OutboxError>;
    /// Those of an endpoint that are due at a second since 1970, at most so many.
    fn due(&self, endpoint: &str, now: i64, at_most: usize) -> Result<Vec<Delivery>, OutboxError>;
    /// Those of an endpoint that were given up.
    fn dead(&self, endpoint: &str) -> Result<Vec<Delivery>, OutboxError>;
}

/// In memory, bounded: nothing outlives the process.
#[derive(Debug, Default)]
pub struct MemoryOutbox {
    endpoints: BTreeMap<String, Endpoint>,
    queues: BTreeMap<String, Queue>,
}

/// A second since 1970 and what it is the time of.
type Place = (i64, MessageId);

/// The deliveries of one endpoint.
#[derive(Debug, Default)]
struct Queue {
    deliveries: BTreeMap<MessageId, Delivery>,
    /// Those that are to be delivered, by when they are due.
    open: BTreeSet<Place>,
    /// Those that were given up, by when.
    dead: BTreeSet<Place>,
}

impl Queue {
    fn remove(&mut self, id: &MessageId) {
        let Some(known) = self.deliveries.remove(id) else { return };
        if let Some((order, place)) = self.place_of(&known) {
            order.remove(&place);
        }
    }

    fn insert(&mut self, delivery: Delivery) {
        if let Some((order, place)) = self.place_of(&delivery) {
            order.insert(place);
            self.deliveries.insert(delivery.id.clone(), delivery);
        }
        while self.dead.len() > DEAD_MAX {
            let Some((_, oldest)) = self.dead.pop_first() else { return };
            self.deliveries.remove(&oldest);
        }
    }

    /// Where a delivery stands in which order; nowhere once it was delivered.
    fn place_of(&mut self, delivery: &Delivery) -> Option<(&mut BTreeSet<Place>, Place)> {
        let (order, at) = match delivery.state {
            DeliveryState::Waiting { due: at } | DeliveryState::Sending { until: at } => (&mut self.open, at),
            DeliveryState::Dead { at, .. } => (&mut self.dead, at),
            DeliveryState::Delivered { .. } => return None,
        };
        Some((order, (at, delivery.id.clone())))
    }

    fn all<'q>(&'q self, order: impl Iterator<Item = &'q Place>) -> Vec<Delivery> {
        order.filter_map(|(_, id)| self.deliveries.get(id)).cloned().collect()
    }
}

impl Outbox for MemoryOutbox {
    fn put_endpoint(&mut self, endpoint: Endpoint) -> Result<(), OutboxError> {
        self.endpoints.insert(endpoint.name.clone(), endpoint);
        Ok(())
    }

    fn endpoint(&self, name: &str) -> Result<Option<Endpoint>, OutboxError> {
        Ok(self.endpoints.get(name).cloned())
    }

    fn endpoints(&self) -> Result<Vec<Endpoint>, OutboxError> {
        Ok(self.endpoints.values().cloned().collect())
    }

    fn put(&mut self, delivery: Delivery) -> Result<(), OutboxError> {
        let queue = self.queues.entry(delivery.endpoint.clone()).or_default();
        queue.remove(&delivery.id);
        queue.insert(delivery);
        Ok(())
    }

    fn delivery(&self, endpoint: &str, id: &MessageId) -> Result<Option<Delivery>, OutboxError> {
        Ok(self.queues.get(endpoint).and_then(|queue| queue.deliveries.get(id)).cloned())
    }

    fn open(&self, endpoint: &str) -> Result<usize, OutboxError> {
        Ok(self.queues.get(endpoint).map_or(0, |queue| queue.open.len()))
    }

    fn due(&self, endpoint: &str, now: i64, at_most: usize) -> Result<Vec<Delivery>, OutboxError> {
        let due = |queue: &Queue| queue.all(queue.open.iter().take_while(|(at, _)| *at <= now).take(at_most));
        Ok(self.queues.get(endpoint).map(due).unwrap_or_default())
    }

    fn dead(&self, endpoint: &str) -> Result<Vec<Delivery>, OutboxError> {
        let dead = |queue: &Queue| queue.all(queue.dead.iter());
        Ok(self.queues.get(endpoint).map(dead).unwrap_or_default())
    }
}
