//! The one thread that talks to Redis: groups, asks, answers; connects anew, and sees whether anything was lost.

use super::script::{OPEN, SET, history_of, info, watermark_of};
use super::{CLOCKS_APART_MAX, Outcome, SharedError, SharedSettings, Standing};
use redis::{Client, Connection, ConnectionInfo, IntoConnectionInfo, RedisResult, cmd};
use std::iter::repeat_n;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};
use strongroom_access::replay::Entry;

/// Entries in one script: Redis does nothing else while it runs.
const GROUP_MAX: usize = 500;
/// How long a connection, and an answer, may take.
const IO_WAIT: Duration = Duration::from_millis(500);
/// How long to leave a Redis alone that did not answer.
const RETRY_AFTER: Duration = Duration::from_millis(100);
/// How often to look after a Redis that nobody asks anything.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Seconds from the later clock at a loss to the watermark, beyond the skew: twice the difference of clocks, for a former
/// Redis and a verifier of it that were off to one side each, and one for the part of a second.
const WATERMARK_AHEAD: i64 = 2 * CLOCKS_APART_MAX as i64 + 1;

type Answer = Result<Outcome, SharedError>;

/// An entry to be set, the era in which it was let into the window, and whom to tell.
pub(super) struct Message {
    pub entry: Entry,
    pub era: u64,
    pub done: SyncSender<Answer>,
}

/// An era as Redis has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opened {
    pub name: String,
    pub watermark: i64,
}

pub(super) struct Writer {
    client: Client,
    settings: SharedSettings,
    era_key: Vec<u8>,
    nonce_prefix: Vec<u8>,
    connection: Option<Connection>,
    era: Option<Opened>,
    /// The era during which clocks disagreed: what expired then may have been live.
    distrusted: Option<String>,
    looked_at: Instant,
    failed_at: Option<(Instant, SharedError)>,
}

impl Writer {
    pub fn new(settings: SharedSettings) -> Result<Self, SharedError> {
        let connection: ConnectionInfo =
            settings.url.as_str().into_connection_info().map_err(|_| SharedError::Url)?;
        let tcp = connection.tcp_settings().clone().set_nodelay(true);
        let client = Client::open(connection.set_tcp_settings(tcp)).map_err(|_| SharedError::Url)?;
        let installation = format!("{:016x}", settings.key_check >> 64);
        Ok(Self {
            client,
            era_key: format!("strongroom:{installation}:era").into_bytes(),
            nonce_prefix: format!("sr:{installation}:").into_bytes(),
            settings,
            connection: None,
            era: None,
            distrusted: None,
            looked_at: Instant::now(),
            failed_at: None,
        })
    }

    /// Until nobody is left who could send.
    pub fn run(mut self, messages: &Receiver<Message>, standing: &Standing) {
        loop {
            match messages.recv_timeout(LOOK_EVERY) {
                Ok(first) => {
                    let group: Vec<Message> =
                        std::iter::once(first).chain(messages.try_iter()).take(GROUP_MAX).collect();
                    let answers = self.set(&group, standing);
                    for (message, answer) in group.into_iter().zip(answers) {
                        // Whoever has gone away refuses.
                        drop(message.done.send(answer));
                    }
                }
                Err(RecvTimeoutError::Timeout) => drop(self.set(&[], standing)),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// An answer for each message. A failure of any kind is a failure of all: none of them is let in.
    fn set(&mut self, group: &[Message], standing: &Standing) -> Vec<Answer> {
        if let Some((failed_at, error)) = &self.failed_at
            && failed_at.elapsed() < RETRY_AFTER
        {
            return repeat_n(Err(error.for_callers()), group.len()).collect();
        }
        let was_connected = self.connection.is_some();
        let mut answers = self.try_set(group, standing);
        if was_connected && matches!(answers, Err(SharedError::Unreachable(_))) {
            // The connection may have ended long ago. What was set before it broke is refused now as used.
            self.connection = None;
            answers = self.try_set(group, standing);
        }
        if let Err(error) = &answers {
            self.connection = None;
            let is_known = self.failed_at.as_ref().is_some_and(|(_, known)| known == error);
            if !is_known {
                tracing::error!(code = error.code(), "{error}");
            }
            self.failed_at = Some((Instant::now(), error.clone()));
            standing.note(Some(error.clone()));
        }
        answers.unwrap_or_else(|error| repeat_n(Err(error.for_callers()), group.len()).collect())
    }

    fn try_set(&mut self, group: &[Message], standing: &Standing) -> Result<Vec<Answer>, SharedError> {
        if self.connection.is_none() {
            let opened = self.connect()?;
            standing.begin(opened.name, opened.watermark);
        } else if self.looked_at.elapsed() >= LOOK_EVERY {
            self.must_not_evict()?;
        }
        let answers = match self.ask(group, standing.era().number)? {
            Some(answers) => answers,
            None => {
                // The memory was lost under an open connection, or another verifier has seen that it was.
                self.connection = None;
                let opened = self.connect()?;
                tracing::warn!(
                    watermark = opened.watermark,
                    "Redis lost nonces, or may have: a new era begins"
                );
                standing.begin(opened.name, opened.watermark);
                let until = standing.era().watermark;
                repeat_n(Ok(Outcome::EraEnded { until }), group.len()).collect()
            }
        };
        standing.note(None);
        self.failed_at = None;
        Ok(answers)
    }

    /// Connects, looks whether Redis is fit, and finds the era or begins one.
    pub fn connect(&mut self) -> Result<Opened, SharedError> {
        let mut connection = self.client.get_connection_with_timeout(IO_WAIT).map_err(unreachable)?;
        connection.set_read_timeout(Some(IO_WAIT)).map_err(unreachable)?;
        connection.set_write_timeout(Some(IO_WAIT)).map_err(unreachable)?;
        let about: String = cmd("INFO").query(&mut connection).map_err(unreachable)?;
        must_be_fit(&about)?;
        let (run, history) = (info(&about, "run_id"), info(&about, "master_replid"));
        let now = (self.settings.clock)();
        let mut chance = [0; 16];
        aws_lc_rs::rand::fill(&mut chance)
            .map_err(|_| SharedError::Unreachable("no randomness".to_owned()))?;
        let opened: RedisResult<(String, i64)> = cmd("EVAL")
            .arg(OPEN)
            .arg(1)
            .arg(&self.era_key)
            .arg(run)
            .arg(history)
            .arg(format!("{:032x}", u128::from_be_bytes(chance)))
            .arg(now)
            .arg(i64::from(self.settings.limits.skew_seconds) + WATERMARK_AHEAD)
            .arg(self.distrusted.as_deref().unwrap_or_default())
            .query(&mut connection);
        let (name, redis_now) = opened.map_err(unreachable)?;
        self.clocks_must_agree(redis_now)?;
        let watermark = watermark_of(&name)
            .ok_or_else(|| SharedError::Unreachable("its key for the era holds something else".to_owned()))?;
        let opened = Opened { name, watermark };
        self.distrusted = None;
        self.looked_at = Instant::now();
        self.era = Some(opened.clone());
        self.connection = Some(connection);
        Ok(opened)
    }

    /// None if the era has ended.
    fn ask(&mut self, group: &[Message], number: u64) -> Result<Option<Vec<Answer>>, SharedError> {
        let (Some(connection), Some(era)) = (&mut self.connection, &self.era) else {
            return Err(SharedError::Unreachable("no connection".to_owned()));
        };
        let until = era.watermark;
        // What was let into the window before an era began is not let in during it.
        let is_of_era = |message: &&Message| message.era == number && message.entry.second > until;
        let asked: Vec<&Message> = group.iter().filter(is_of_era).collect();
        let mut command = cmd("EVAL");
        command.arg(SET).arg(1 + asked.len()).arg(&self.era_key);
        for message in &asked {
            let mut key = self.nonce_prefix.clone();
            key.extend(message.entry.fingerprint.to_be_bytes());
            command.arg(key);
        }
        command
            .arg(&era.name)
            .arg(history_of(&era.name).unwrap_or_default())
            .arg(self.settings.limits.retention_seconds());
        for message in &asked {
            command.arg(message.entry.second);
        }
        let answer: Vec<i64> = command.query(connection).map_err(unreachable)?;
        let [goes_on, redis_now, set @ ..] = answer.as_slice() else {
            return Err(SharedError::Unreachable("its answer has no sense".to_owned()));
        };
        self.clocks_must_agree(*redis_now)?;
        if *goes_on != 1 {
            return Ok(None);
        }
        if set.len() != asked.len() {
            return Err(SharedError::Unreachable("its answer is too short".to_owned()));
        }
        let mut set = set.iter();
        let answer_of = |message: &Message| match is_of_era(&message).then(|| set.next()).flatten() {
            None => Outcome::EraEnded { until },
            Some(1) => Outcome::Recorded,
            Some(2) => Outcome::Stale,
            Some(_) => Outcome::WasUsed,
        };
        Ok(Some(group.iter().map(answer_of).map(Ok).collect()))
    }

    /// Redis forgets by its own clock. If that jumps, what was live may be gone when it is back: the era must end.
    fn clocks_must_agree(&mut self, redis_now: i64) -> Result<(), SharedError> {
        let apart = (self.settings.clock)().saturating_sub(redis_now);
        if apart.unsigned_abs() <= u64::from(CLOCKS_APART_MAX) {
            return Ok(());
        }
        self.distrusted = self.era.as_ref().map(|era| era.name.clone());
        Err(SharedError::ClocksMustAgree { apart })
    }

    /// The policy can be changed while Redis runs.
    fn must_not_evict(&mut self) -> Result<(), SharedError> {
        let Some(connection) = &mut self.connection else { return Ok(()) };
        let about: String = cmd("INFO").arg("memory").query(connection).map_err(unreachable)?;
        self.looked_at = Instant::now();
        policy_must_fit(&about)
    }
}

fn must_be_fit(about: &str) -> Result<(), SharedError> {
    if info(about, "role") != "master" {
        return Err(SharedError::MustBePrimary(format!("a {}", info(about, "role"))));
    }
    if info(about, "cluster_enabled") == "1" {
        return Err(SharedError::MustBePrimary("in cluster mode".to_owned()));
    }
    if info(about, "run_id").is_empty() || info(about, "master_replid").is_empty() {
        return Err(SharedError::Unreachable("INFO tells neither run_id nor master_replid".to_owned()));
    }
    policy_must_fit(about)
}

fn policy_must_fit(about: &str) -> Result<(), SharedError> {
    match info(about, "maxmemory_policy") {
        "noeviction" => Ok(()),
        other => Err(SharedError::MustNotEvict(other.to_owned())),
    }
}

/// The text of the client names addresses and causes, never a password.
fn unreachable(error: redis::RedisError) -> SharedError {
    SharedError::Unreachable(error.to_string())
}
