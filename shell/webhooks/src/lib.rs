//! Webhooks over HTTP. The rules are those of `strongroom-webhook`; here are sockets, threads and what is kept.
//!
//! * [`Courier`] delivers: bounded queues, a lease on what is being sent, dead letters that can be sent again, a secret that
//!   is rotated under running deliveries. What it knows is in an [`Outbox`], in memory or wherever its owner keeps it.
//! * [`Reach`] says where to. Nothing goes to a private, loopback, link-local or metadata address unless it is allowed; the
//!   address that was looked at is the one that is connected to, and no redirect is followed.
//! * [`Inbox`] receives: each webhook is judged, and acted on once.

mod carrier;
mod courier;
mod inbox;
mod outbox;
mod reach;

pub use carrier::{Carrier, HttpCarrier, Sending};
pub use courier::{Courier, CourierError, Published, Round};
pub use inbox::{Inbox, InboxError};
pub use outbox::{DEAD_MAX, MemoryOutbox, Outbox, OutboxError, QUEUE_MAX};
pub use reach::Reach;
