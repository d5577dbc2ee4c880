//! Events that stand out, as they happen: counted, written to the log, and sent to whoever follows them.

use crate::caller::Caller;
use crate::house::{House, Shared};
use crate::problem::Problem;
use crate::streams::Stream;
use axum::Extension;
use axum::extract::State;
use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header};
use serde_json::json;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use strongroom_access::watch::{Observation, Outcome, SecurityEvent, Source, Watch};
use strongroom_access::{AccessRefusal, KeyId, Scope};
use strongroom_gate::{GateRefusal, Permit};
use strongroom_units::time::Timestamp;
use tokio::sync::{Notify, mpsc};

/// Events that are kept for those who come back.
const KEPT: usize = 1_000;
/// Events that wait for a slow reader.
const WAITING_MAX: usize = 64;
/// How long to wait for news before asking whether the key still may.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Bytes of a user agent that are looked at.
const USER_AGENT_MAX: usize = 256;

#[derive(Default)]
struct Told {
    watch: Watch,
    last: u64,
    kept: VecDeque<(u64, SecurityEvent)>,
}

/// The watch, and what it told.
#[derive(Default)]
pub(crate) struct Security {
    state: Mutex<Told>,
    news: Arc<Notify>,
}

impl Security {
    fn look(&self, seen: &Observation<'_>) -> Vec<SecurityEvent> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let told = state.watch.look(seen);
        for event in &told {
            state.last += 1;
            let number = state.last;
            state.kept.push_back((number, event.clone()));
            if state.kept.len() > KEPT {
                state.kept.pop_front();
            }
        }
        told
    }

    fn after(&self, number: u64) -> Vec<(u64, SecurityEvent)> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.kept.iter().filter(|(kept, _)| *kept > number).take(WAITING_MAX).cloned().collect()
    }

    fn last(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).last
    }
}

/// What came of a request, for the watch; none where it says nothing about the caller.
fn outcome_of(judged: &Result<Permit, GateRefusal>) -> Option<Outcome> {
    let Err(refusal) = judged else { return Some(Outcome::Passed) };
    match refusal {
        GateRefusal::Signature(error) if error.code() == "request.signature_must_be_valid" => {
            Some(Outcome::SignatureFailed)
        }
        GateRefusal::Access(AccessRefusal::KeyMustNotBeRevoked(_)) => Some(Outcome::KeyRevoked),
        GateRefusal::Access(
            AccessRefusal::KeyMustNotBeRetired(_) | AccessRefusal::KeyMustNotBeExpired { .. },
        ) => Some(Outcome::KeyEnded),
        GateRefusal::Access(_) | GateRefusal::Signature(_) => Some(Outcome::Refused),
        other => match other.code() {
            "request.nonce_was_used" => Some(Outcome::NonceWasUsed),
            "request.sequence_number_was_used" | "request.sequence_number_must_be_recent" => {
                Some(Outcome::SequenceRegressed)
            }
            // A restart, a clock, a quota: nothing that a thief does more than others.
            _ => None,
        },
    }
}

impl House {
    /// Tells the watch of a request.
    pub fn watch(
        &self,
        (key, peer, headers): (Option<&KeyId>, IpAddr, &HeaderMap),
        scope: Option<&Scope>,
        judged: &Result<Permit, GateRefusal>,
    ) {
        let Some(outcome) = outcome_of(judged) else { return };
        let user_agent =
            headers.get(header::USER_AGENT).and_then(|text| text.to_str().ok()).unwrap_or_default();
        let verified = judged.as_ref().ok().and_then(|permit| permit.verified.as_ref());
        let key = key.map(KeyId::to_string);
        let told = self.telemetry.security.look(&Observation {
            now: Timestamp::now().as_second(),
            key: key.as_deref(),
            source: Source::of(peer),
            user_agent: user_agent.get(..USER_AGENT_MAX).unwrap_or(user_agent),
            created: verified.map(|verified| verified.created()),
            scope: scope.map(Scope::as_str),
            outcome,
        });
        for event in &told {
            self.telemetry.metrics.note_event(event.kind);
            tracing::warn!(
                target: "strongroom::security",
                kind = event.kind.as_str(),
                key = event.key.as_deref().unwrap_or_default(),
                source = %event.source,
                count = event.count,
            );
        }
        if !told.is_empty() {
            self.telemetry.security.news.notify_waiters();
        }
    }
}

/// Streams what stands out after `Last-Event-ID`, or from now on without one.
pub(crate) async fn follow(
    State(house): State<Shared>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let last =
        last.map(|text| text.parse::<u64>().map_err(|error| Problem::parameter("Last-Event-ID", error)));
    let from = last.transpose()?.unwrap_or_else(|| house.telemetry.security.last());
    let stream = house.streams.open(&caller.permit().key.lineage)?;
    let (send, receive) = mpsc::channel::<Result<Sent, Infallible>>(WAITING_MAX);
    tokio::spawn(pump(house, from, caller, send, stream));
    let stream = tokio_stream::wrappers::ReceiverStream::new(receive);
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()).into_response())
}

/// Sends until the reader goes away, or its key ends or loses its leave.
async fn pump(
    house: Shared,
    mut last: u64,
    caller: Caller,
    send: mpsc::Sender<Result<Sent, Infallible>>,
    _open: Stream,
) {
    let claim = caller.claim();
    let news = house.telemetry.security.news.clone();
    loop {
        let told = house.telemetry.security.after(last);
        for (number, event) in told {
            let Ok(room) = send.reserve().await else { return };
            if !house.allows(&claim) {
                return;
            }
            last = number;
            room.send(Ok(sent(number, &event)));
        }
        if !house.allows(&claim) {
            return;
        }
        tokio::select! {
            () = send.closed() => return,
            _ = tokio::time::timeout(LOOK_AGAIN, news.notified()) => {}
        }
    }
}

fn sent(number: u64, event: &SecurityEvent) -> Sent {
    let at = Timestamp::from_second(event.at).unwrap_or_default().to_string();
    let data = json!({
        "kind": event.kind.as_str(),
        "at": at,
        "key": event.key,
        "source": event.source.to_string(),
        "count": event.count,
    });
    Sent::default().id(number.to_string()).event(event.kind.as_str()).data(data.to_string())
}
