//! What every handler shares: the desk, the gate, the vault, the server's key, and news of what changed.

use crate::problem::Problem;
use crate::repeat::KeptAnswer;
use crate::rotation::scheduler::touched;
use crate::start::answerer_of;
use crate::streams::Streams;
use crate::telemetry::Telemetry;
use crate::usage::Usage;
use http::StatusCode;
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use strongroom_access::idempotency::IdempotencyKeys;
use strongroom_access::rotation::Queue;
use strongroom_access::{AccessCommand, AccessEvent, AccessState, Demand};
use strongroom_desk::{AccessAnswer, Answer, Cause, Claim, Desk, DeskHandle, Request};
use strongroom_engine::Command;
use strongroom_gate::{Answerer, Gate};
use strongroom_store::LogFault;
use strongroom_units::Symbol;
use strongroom_units::time::Timestamp;
use strongroom_vault::Vault;
use tokio::sync::{broadcast, oneshot, watch};

/// News that a slow reader may be behind before it reads the log instead.
const NEWS_MAX: usize = 256;

/// Shared by every handler.
pub(crate) type Shared = Arc<House>;

pub(crate) struct House {
    pub desk: DeskHandle,
    /// Held while a command gets its time and its place in the queue, so that both have one order.
    pub turn: Mutex<()>,
    pub gate: Gate,
    pub vault: Arc<Vault>,
    pub pepper: strongroom_access::bearer::Pepper,
    /// Signs answers; another after a rotation.
    pub answerer: RwLock<Arc<Answerer>>,
    /// Answers to requests with an idempotency key, for those who ask again.
    pub repeats: Mutex<IdempotencyKeys<KeptAnswer>>,
    /// `https` or `http`: what a signature covers as `@scheme`.
    pub scheme: &'static str,
    /// Proxies beside loopback that may ask for decisions.
    pub proxies: Vec<IpNet>,
    pub news: broadcast::Sender<Symbol>,
    /// Records of access that the gate has followed; changed in the desk's thread only.
    pub access_seen: AtomicU64,
    /// Event streams that are open, by lineage.
    pub streams: Arc<Streams>,
    pub telemetry: Telemetry,
    /// The name of this verifier among those of its database.
    pub name: String,
    /// Where it keeps the nonces it has seen.
    pub window: String,
    /// Whether the log was looked at as a whole, and what was found.
    pub whole: watch::Receiver<Wholeness>,
    /// When something is due in the rotation of which lineage.
    pub rotations: Mutex<Queue>,
    /// Who uses which key.
    pub usage: Usage,
    /// Other servers may have the same database.
    pub is_shared: bool,
}

/// What is known of the whole log since the start.
#[derive(Debug, Clone)]
pub(crate) enum Wholeness {
    /// It is being looked at; changes wait.
    Unknown,
    /// Every record is as it was.
    Whole,
    /// Something is not as it was: nothing is changed over it.
    Faulty(LogFault),
}

impl House {
    pub fn news() -> broadcast::Sender<Symbol> {
        broadcast::channel(NEWS_MAX).0
    }

    /// Reads or changes the queue of rotations.
    pub fn queue<T>(&self, work: impl FnOnce(&mut Queue) -> T) -> T {
        work(&mut self.rotations.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The key that signs answers now.
    pub fn answerer(&self) -> Arc<Answerer> {
        self.answerer.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Does something in the desk's thread, between two groups.
    pub async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Desk) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let (answer, wait) = oneshot::channel();
        // A caller that has gone away does not want the answer.
        self.desk.try_run(move |desk| drop(answer.send(work(desk))))?;
        wait.await.map_err(|_| Problem::from(strongroom_desk::DeskError::Closed))
    }

    /// Waits until the whole log was looked at after the start, and refuses a change over one that was edited.
    async fn must_be_whole(&self) -> Result<(), Problem> {
        let mut whole = self.whole.clone();
        let known = whole.wait_for(|known| !matches!(known, Wholeness::Unknown)).await;
        match known.as_deref() {
            Ok(Wholeness::Whole) => Ok(()),
            Ok(Wholeness::Faulty(fault)) => Err(Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "log.must_be_whole",
                format!("nothing is changed over a log that was edited: {fault}"),
            )),
            _ => Err(Problem::internal(&"the log could not be looked at as a whole")),
        }
    }

    /// Gives a command at the server's time and waits until it is durable. Over the API nobody else says when it is.
    pub async fn command(&self, fund: Symbol, command: Command, cause: Cause) -> Result<Answer, Problem> {
        self.must_be_whole().await?;
        let (answer, wait) = oneshot::channel();
        let then = move |reply| drop(answer.send(reply));
        {
            // Of two commands that come at once, the one that is queued later must not have the earlier time: the desk
            // would take it for a clock that went back.
            let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
            self.desk.try_send(Request { fund, command, at: Timestamp::now(), cause }, then)?;
        }
        let reply = wait.await.map_err(|_| Problem::from(strongroom_desk::DeskError::Closed))?;
        let answer = reply.map_err(|error| Problem::from(error.as_ref()))?;
        if !answer.events.is_empty() {
            // Nobody listening is no error.
            drop(self.news.send(fund));
        }
        Ok(answer)
    }

    /// Changes access: durable first, then in the gate, and only then answered.
    pub async fn change_access(
        self: &Arc<Self>,
        command: AccessCommand,
        cause: Cause,
    ) -> Result<AccessAnswer, Problem> {
        self.must_be_whole().await?;
        let house = self.clone();
        self.ask(move |desk| {
            let answer = desk.change_access(&command, Timestamp::now(), &cause)?;
            house.follow_access(desk)?;
            Ok(answer)
        })
        .await?
    }

    /// Brings the gate and the server's own key up to the log of access, whoever wrote it. In the desk's thread, so that
    /// changes reach the gate in the order of the log.
    pub fn follow_access(&self, desk: &mut Desk) -> Result<(), Problem> {
        let mut rotated = None;
        for (event, at) in desk.access_since(self.access_seen.load(Ordering::Relaxed))? {
            // A key that cannot be opened stays unknown; the rest of the log is followed all the same.
            if let Err(error) = self.gate.follow(std::slice::from_ref(&event), at) {
                drop(Problem::internal(&error));
            }
            self.access_seen.fetch_add(1, Ordering::Relaxed);
            if let Some(lineage) = touched(&event) {
                let next = |access: &AccessState| access.lineage(lineage)?.next_due(&BTreeMap::new());
                let next = self.gate.access(next);
                self.queue(|queue| queue.put(lineage, next));
            }
            if let AccessEvent::ServerKeyAdded(key) = event {
                rotated = Some(key);
            }
        }
        if let Some(key) = rotated {
            let answerer = answerer_of(&self.vault, &key).map_err(|error| Problem::internal(&error))?;
            *self.answerer.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(answerer);
        }
        Ok(())
    }

    /// Judges. A wait for a disk or for Redis must not hold up the other requests of this thread.
    pub fn judging<T>(&self, judge: impl FnOnce() -> T) -> T {
        if self.gate.waits() { tokio::task::block_in_place(judge) } else { judge() }
    }

    /// Whether a key may still do what it was let in for.
    pub fn allows(&self, claim: &Claim) -> bool {
        let (scope, now) = (claim.scope.as_ref(), Timestamp::now());
        let demand = Demand { scope, environment: claim.environment, peer: claim.peer, now };
        self.gate.access(|access| access.authorise(&claim.key, demand).is_ok())
    }
}
