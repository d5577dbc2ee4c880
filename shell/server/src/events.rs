//! Following a fund: its log as server-sent events, from any place on. What a caller may not see is left out.

use crate::caller::Caller;
use crate::funds::fund_of;
use crate::house::Shared;
use crate::problem::Problem;
use crate::streams::Stream;
use crate::view::{NavView, OrderView};
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;
use strongroom_desk::DeskError;
use strongroom_engine::{Event, OrderId, decode};
use strongroom_store::Record;
use strongroom_units::Symbol;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;

/// Records read at once.
const PAGE: usize = 500;
/// Events that wait for a slow reader.
const WAITING_MAX: usize = 64;
/// How long to wait for news before looking at the log all the same: another process may write it.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Streams the log after `Last-Event-ID`, or from now on without one.
pub(crate) async fn follow(
    State(house): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(fund): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let fund = fund_of(&fund)?;
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let last =
        last.map(|text| text.parse::<u64>().map_err(|error| Problem::parameter("Last-Event-ID", error)));
    let head = house
        .ask(move |desk| {
            desk.fund(fund)?;
            Ok::<_, DeskError>(desk.records(fund))
        })
        .await??;
    if head == 0 {
        return Err(strongroom_engine::Refusal::FundMustBeOpen.into());
    }
    let from = last.transpose()?.unwrap_or(head);
    let stream = house.streams.open(&caller.permit().key.lineage)?;
    let (send, receive) = mpsc::channel::<Result<Sent, Infallible>>(WAITING_MAX);
    tokio::spawn(pump(house, fund, from, caller, send, stream));
    let stream = tokio_stream::wrappers::ReceiverStream::new(receive);
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()).into_response())
}

/// Sends what is new until the reader goes away, or its key ends or loses its leave: nothing is sent after that.
async fn pump(
    house: Shared,
    fund: Symbol,
    from: u64,
    caller: Caller,
    send: mpsc::Sender<Result<Sent, Infallible>>,
    _open: Stream,
) {
    let claim = caller.claim();
    let mut news = house.news.subscribe();
    let mut eyes = Eyes { caller, own: BTreeSet::new() };
    // An order is followed to its end by who gave it, so what was given before the place asked for is looked at too.
    let mut last = if eyes.sees_all() { from } else { 0 };
    loop {
        if !house.allows(&claim) {
            return;
        }
        let Ok(Ok(page)) = house.ask(move |desk| desk.log(fund, last + 1, PAGE)).await else { return };
        let is_all = page.len() < PAGE;
        for record in page {
            last = record.seq;
            let seen = eyes.see(&record).filter(|_| record.seq > from);
            let Some(sent) = seen.map(|event| sent(&record, &event)) else { continue };
            // A slow reader may have been waited for meanwhile.
            let Ok(room) = send.reserve().await else { return };
            if !house.allows(&claim) {
                return;
            }
            room.send(Ok(sent));
        }
        if !is_all {
            continue;
        }
        tokio::select! {
            () = send.closed() => return,
            heard = tokio::time::timeout(LOOK_AGAIN, news.recv()) => {
                if matches!(heard, Ok(Err(RecvError::Closed))) {
                    return;
                }
            }
        }
    }
}

fn sent(record: &Record, event: &Value) -> Sent {
    let data = json!({ "seq": record.seq, "at": record.at, "kind": record.kind, "event": event });
    Sent::default().id(record.seq.to_string()).event(record.kind.clone()).data(data.to_string())
}

/// What a caller may see. Participants see what is published, and their own orders from beginning to end.
struct Eyes {
    caller: Caller,
    own: BTreeSet<OrderId>,
}

impl Eyes {
    fn sees_all(&self) -> bool {
        self.caller.sees_all()
    }

    fn see(&mut self, record: &Record) -> Option<Value> {
        if self.sees_all() {
            return serde_json::from_str(&record.body).ok();
        }
        match decode(&record.body).ok()? {
            Event::OrderAccepted { order } | Event::LateOrderRecorded { order, .. } => {
                let is_own = self.caller.participant() == Some(order.participant.as_str());
                is_own.then(|| {
                    self.own.insert(order.id.clone());
                    json!(OrderView::of(&order))
                })
            }
            Event::OrderCancelled { id } | Event::OrderSettled { id, .. } => {
                self.own.contains(&id).then(|| json!({ "id": id.to_string() }))
            }
            Event::OrderExecuted { id, variance, cash_due, .. } => self.own.contains(&id).then(|| {
                json!({ "id": id.to_string(), "variance": variance.to_string(), "cash_due": cash_due.to_string() })
            }),
            Event::NavStruck { nav, .. } => Some(json!(NavView::of(&nav))),
            Event::FundHalted { .. } | Event::FundResumed { .. } => serde_json::from_str(&record.body).ok(),
            _ => None,
        }
    }
}
