//! What the server tells about itself: a line and an id for each request, figures for Prometheus, and events that stand out
//! for whoever watches. None of it holds a secret: keys go by their ids, addresses by their networks.

mod asking;
mod metrics;
mod security;

pub(crate) use asking::{Code, about_key, carried, current_id, observe};
pub(crate) use metrics::metrics;
pub(crate) use security::follow;

use metrics::Metrics;
use security::Security;

/// Everything that is counted and watched.
#[derive(Default)]
pub(crate) struct Telemetry {
    pub metrics: Metrics,
    pub security: Security,
}
