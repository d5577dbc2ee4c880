//! Figures in the text format of Prometheus. Every label is one of a fixed set, so there is a bound to the series.

use crate::caller::Caller;
use crate::house::Shared;
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use std::sync::atomic::Ordering;
use std::time::Duration;
use strongroom_access::watch::EventKind;

type Labels<const N: usize> = [(&'static str, &'static str); N];

/// What is counted.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Labels<3>, Counter>,
    seconds: Family<Labels<1>, Histogram, fn() -> Histogram>,
    nonces_refused: Counter,
    security: Family<Labels<1>, Counter>,
    window_nonces: Gauge,
    window_bytes: Gauge,
    ready: Gauge,
    desk_queue: Gauge,
    desk_groups: Counter,
    desk_commands: Counter,
    desk_largest: Gauge,
    streams: Gauge,
}

/// From 50 µs to 13 s.
fn latency() -> Histogram {
    Histogram::new(exponential_buckets(0.000_05, 2.0, 18))
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("strongroom"),
            requests: Family::default(),
            seconds: Family::new_with_constructor(latency),
            nonces_refused: Counter::default(),
            security: Family::default(),
            window_nonces: Gauge::default(),
            window_bytes: Gauge::default(),
            ready: Gauge::default(),
            desk_queue: Gauge::default(),
            desk_groups: Counter::default(),
            desk_commands: Counter::default(),
            desk_largest: Gauge::default(),
            streams: Gauge::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("requests", "Requests by method, endpoint and code", self.requests.clone());
        registry.register("request_seconds", "Time to answer, by endpoint", self.seconds.clone());
        registry.register("nonces_refused", "Nonces that came again", self.nonces_refused.clone());
        registry.register("security_events", "Events that stood out, by kind", self.security.clone());
        registry.register("window_nonces", "Nonces in the replay window", self.window_nonces.clone());
        registry.register("window_bytes", "Bytes of the replay window", self.window_bytes.clone());
        registry.register("ready", "1 while signed requests can be let in", self.ready.clone());
        registry.register("desk_queue", "Commands that wait for the desk", self.desk_queue.clone());
        registry.register("desk_groups", "Groups that the desk took", self.desk_groups.clone());
        registry.register("desk_commands", "Commands in those groups", self.desk_commands.clone());
        registry.register("desk_group_largest", "Commands in the largest group", self.desk_largest.clone());
        registry.register("streams", "Event streams that are open", self.streams.clone());
    }

    /// One answer.
    pub fn note(&self, method: &'static str, endpoint: &'static str, code: &'static str, took: Duration) {
        let labels = [("method", method), ("endpoint", endpoint), ("code", code)];
        self.requests.get_or_create(&labels).inc();
        self.seconds.get_or_create(&[("endpoint", endpoint)]).observe(took.as_secs_f64());
        if matches!(
            code,
            "request.nonce_was_used" | "session_token.was_used" | "request.sequence_number_was_used"
        ) {
            self.nonces_refused.inc();
        }
    }

    /// One event.
    pub fn note_event(&self, kind: EventKind) {
        self.security.get_or_create(&[("kind", kind.as_str())]).inc();
    }
}

/// The figures as they are now.
pub(crate) async fn metrics(State(house): State<Shared>, _: Extension<Caller>) -> Response {
    let metrics = &house.telemetry.metrics;
    let (nonces, bytes) = house.gate.remembered();
    let whole = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    metrics.window_nonces.set(whole(nonces));
    metrics.window_bytes.set(whole(bytes));
    metrics.ready.set(i64::from(house.gate.trouble().is_none()));
    metrics.streams.set(whole(house.streams.open_now()));
    let load = house.desk.load();
    metrics.desk_queue.set(whole(load.waiting));
    metrics.desk_largest.set(whole(load.largest));
    metrics.desk_groups.inner().store(load.groups, Ordering::Relaxed);
    metrics.desk_commands.inner().store(load.commands, Ordering::Relaxed);
    let mut text = String::new();
    match encode(&mut text, &metrics.registry) {
        Ok(()) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")], text).into_response()
        }
        Err(error) => crate::problem::Problem::internal(&error).into_response(),
    }
}
