//! The nonces of several verifiers in one Redis (or Valkey): each entry of the replay window is set there, once, before
//! its request is executed.
//!
//! One thread has one connection; entries that arrive while it waits are the next group, and a group is one script. What
//! Redis does not confirm is refused. While it loses nothing it is in one era; docs/decisions/0004-redis.md says how a loss
//! is told and why nothing from before it is let in again.
//!
//! | Redis | is told by | then |
//! |---|---|---|
//! | is unreachable, slow, full, a replica, or its clock is wrong | its answer, or none in time | nothing signed is let in: 503 |
//! | was restarted, failed over, flushed, loaded from a file | the era, which names the process and its history | a new era |
//! | in a new era | the era | what was signed before is refused and heals by a challenge |

mod script;
mod writer;

use std::sync::mpsc::{self, SyncSender, TrySendError};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;
use strongroom_access::replay::{Entry, Limits};
use strongroom_units::time::Timestamp;
use thiserror::Error;
use writer::{Message, Writer};

/// Entries that may wait for Redis; more are refused.
const QUEUE_MAX: usize = 65_536;
/// How long a request waits for Redis at most, a connection that is made anew included.
const ANSWER_WAIT: Duration = Duration::from_secs(2);
/// Seconds by which the clocks of this process and of Redis may differ.
pub const CLOCKS_APART_MAX: u32 = 2;

/// Which Redis, and for whom.
#[derive(Clone)]
pub struct SharedSettings {
    /// `redis://` or `rediss://`, with user, password and database where needed.
    pub url: String,
    /// What tells this installation's secret from others: several may share one Redis.
    pub key_check: u128,
    /// Those of the window.
    pub limits: Limits,
    /// The clock, seconds since 1970.
    pub clock: fn() -> i64,
}

impl SharedSettings {
    /// On this machine's clock.
    pub fn new(url: &str, key_check: u128, limits: Limits) -> Self {
        Self { url: url.to_owned(), key_check, limits, clock: || Timestamp::now().as_second() }
    }
}

impl std::fmt::Debug for SharedSettings {
    /// Without the URL, which may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedSettings").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// Why Redis does not serve.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SharedError {
    /// No such URL.
    #[error(
        "the URL of Redis must be redis://HOST:PORT/DATABASE or rediss://, with USER:PASSWORD@ where needed"
    )]
    Url,
    /// It does not answer, or not as Redis does, or not in time.
    #[error(
        "Redis, which remembers nonces for all servers, does not answer; nothing that is signed is let in: {0}"
    )]
    Unreachable(String),
    /// It would drop what it must remember.
    #[error("Redis must have maxmemory-policy noeviction, and has {0}: an evicted nonce could be used again")]
    MustNotEvict(String),
    /// What is written to a replica or a part of a cluster is not seen by the others.
    #[error("Redis must be a primary without cluster mode, and is {0}")]
    MustBePrimary(String),
    /// One of both clocks is wrong.
    #[error(
        "the clocks of this server and of Redis must agree within {CLOCKS_APART_MAX} s, and are {apart} s apart"
    )]
    ClocksMustAgree {
        /// Seconds by which this server is ahead.
        apart: i64,
    },
    /// More is waiting than may.
    #[error("too many nonces wait for Redis; try again later")]
    Busy,
}

impl SharedError {
    /// The stable code: the rule that was broken.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Url => "server.redis_url_must_be_valid",
            Self::Unreachable(_) => "server.redis_must_answer",
            Self::MustNotEvict(_) => "server.redis_must_not_evict",
            Self::MustBePrimary(_) => "server.redis_must_be_a_primary",
            Self::ClocksMustAgree { .. } => "server.clocks_must_agree",
            Self::Busy => "server.nonces_must_be_written_in_time",
        }
    }

    /// What callers may know: the reason is for whoever runs the server.
    pub fn for_callers(&self) -> Self {
        match self {
            Self::Unreachable(_) => Self::Unreachable("see the server's log".to_owned()),
            other => other.clone(),
        }
    }
}

/// A time during which Redis lost nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Era {
    /// Counts the eras that this process has seen, from 1.
    pub number: u64,
    /// Its name in Redis: process, history, chance, watermark.
    pub name: String,
    /// Nothing signed up to this second is let in.
    pub watermark: i64,
}

/// What came of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was new, and is remembered.
    Recorded,
    /// A verifier has let it in before.
    WasUsed,
    /// It would be forgotten already.
    Stale,
    /// It was let into the window in an era that has ended, or is from before this one.
    EraEnded {
        /// The watermark of the present era.
        until: i64,
    },
}

/// What Redis was last found to be, for whoever asks.
#[derive(Debug)]
struct Standing {
    era: RwLock<Arc<Era>>,
    trouble: RwLock<Option<SharedError>>,
}

impl Standing {
    fn era(&self) -> Arc<Era> {
        self.era.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn begin(&self, name: String, watermark: i64) {
        let mut era = self.era.write().unwrap_or_else(PoisonError::into_inner);
        if era.name != name {
            *era = Arc::new(Era { number: era.number + 1, name, watermark });
        }
    }

    fn note(&self, trouble: Option<SharedError>) {
        *self.trouble.write().unwrap_or_else(PoisonError::into_inner) = trouble;
    }
}

/// The nonces in Redis. Dropping it closes the connection.
#[derive(Debug)]
pub struct SharedNonces {
    queue: Option<SyncSender<Message>>,
    thread: Option<JoinHandle<()>>,
    standing: Arc<Standing>,
}

impl SharedNonces {
    /// Connects, and refuses a Redis that cannot keep what it is given.
    pub fn connect(settings: SharedSettings) -> Result<Self, SharedError> {
        let mut writer = Writer::new(settings)?;
        let opened = writer.connect()?;
        let era = Era { number: 1, name: opened.name, watermark: opened.watermark };
        let standing = Arc::new(Standing { era: RwLock::new(Arc::new(era)), trouble: RwLock::new(None) });
        let (queue, messages) = mpsc::sync_channel(QUEUE_MAX);
        let told = standing.clone();
        let thread = std::thread::spawn(move || writer.run(&messages, &told));
        Ok(Self { queue: Some(queue), thread: Some(thread), standing })
    }

    /// The present era.
    pub fn era(&self) -> Arc<Era> {
        self.standing.era()
    }

    /// Why nothing would be let in now, if so.
    pub fn trouble(&self) -> Option<SharedError> {
        self.standing.trouble.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks Redis whether the era goes on; true when another has begun.
    pub fn finds_another_era(&self) -> bool {
        let before = self.era().number;
        // No entry is set in an era of no number; what came of it is in the standing.
        drop(self.record(Entry { fingerprint: 0, lineage: 0, second: 0 }, 0));
        self.era().number != before
    }

    /// Sets an entry that the window let in during era `era`, and waits for what came of it.
    ///
    /// # Errors
    /// Whatever leaves open whether the entry is remembered: its request must be refused.
    pub fn record(&self, entry: Entry, era: u64) -> Result<Outcome, SharedError> {
        let (done, answer) = mpsc::sync_channel(1);
        let message = Message { entry, era, done };
        let Some(queue) = &self.queue else { return Err(SharedError::Unreachable("closed".to_owned())) };
        queue.try_send(message).map_err(|refused| match refused {
            TrySendError::Full(_) => SharedError::Busy,
            TrySendError::Disconnected(_) => SharedError::Unreachable("the thread has ended".to_owned()),
        })?;
        // Whoever does not wait any longer refuses, whatever comes of the entry.
        answer.recv_timeout(ANSWER_WAIT).unwrap_or_else(|_| {
            Err(SharedError::Unreachable(format!("no answer within {} s", ANSWER_WAIT.as_secs())))
        })
    }
}

impl Drop for SharedNonces {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            // A panic in the thread has been printed; nobody waits for an answer any more.
            drop(thread.join());
        }
    }
}
