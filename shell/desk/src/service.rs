//! Many callers, one desk: a thread collects the commands that wait and commits them as one group.
//!
//! While one group is being synchronised to disk the next one gathers in the queue, so a slow disk makes larger
//! groups instead of a longer wait for everyone.

use crate::desk::{Answer, Desk, GROUP_MAX, Request};
use crate::error::DeskError;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::thread::JoinHandle;
use strongroom_store::StoreError;
use strongroom_units::time::Timestamp;

/// Commands that may wait; a caller beyond them waits before its command is queued.
const QUEUE_MAX: usize = 4 * GROUP_MAX;

/// An answer, or why there is none. One failure answers a whole group, so it is shared.
pub type Reply = Result<Answer, Arc<DeskError>>;

/// What is done with an answer. Dropped uncalled when the desk was closed before the command was looked at.
type Then = Box<dyn FnOnce(Reply) + Send>;

/// A command in the queue, and where its answer goes.
struct Waiting {
    request: Request,
    then: Then,
}

/// Work on the whole desk, between groups.
type Work = Box<dyn FnOnce(&mut Desk) + Send>;

/// What comes out of the queue. Almost all of it is commands: a box for each would cost more than the room it saves.
#[allow(clippy::large_enum_variant, reason = "the large variant is the common one")]
enum Queued {
    Command(Waiting),
    Work(Work),
    Close,
}

/// The desk in its thread. Dropping it finishes what is queued and closes the database, whoever still holds a handle.
#[derive(Debug)]
pub struct DeskService {
    queue: SyncSender<Queued>,
    meter: Arc<Meter>,
    thread: Option<JoinHandle<()>>,
}

/// How much there is to do, and was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// Commands and other work in the queue.
    pub waiting: usize,
    /// Groups that were taken since the start.
    pub groups: u64,
    /// Commands in them.
    pub commands: u64,
    /// Commands in the largest.
    pub largest: usize,
}

/// The same, counted by both ends.
#[derive(Debug, Default)]
struct Meter {
    waiting: AtomicUsize,
    groups: AtomicU64,
    commands: AtomicU64,
    largest: AtomicUsize,
}

impl Meter {
    fn taken(&self, commands: usize, work: usize) {
        // What was queued while it was counted comes to nothing less than 0.
        let less = |waiting: usize| Some(waiting.saturating_sub(commands + work));
        let _ = self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        if commands > 0 {
            self.groups.fetch_add(1, Ordering::Relaxed);
            self.commands.fetch_add(commands as u64, Ordering::Relaxed);
            self.largest.fetch_max(commands, Ordering::Relaxed);
        }
    }
}

/// A caller's end of the queue; cheap to clone, one for each thread.
#[derive(Debug, Clone)]
pub struct DeskHandle {
    queue: SyncSender<Queued>,
    meter: Arc<Meter>,
}

impl DeskService {
    /// Moves the desk into a thread of its own.
    pub fn start(mut desk: Desk) -> Self {
        let (queue, waiting) = sync_channel(QUEUE_MAX);
        let meter = Arc::<Meter>::default();
        let counted = meter.clone();
        let thread = std::thread::spawn(move || {
            loop {
                let (group, after) = next_group(&waiting);
                counted.taken(group.len(), usize::from(matches!(after, After::Work(_))));
                answer(&mut desk, group);
                match after {
                    After::Nothing => {}
                    After::Work(work) => work(&mut desk),
                    After::Close => break,
                }
            }
            // An answer that cannot be kept now can be signed anew from the log.
            drop(desk.flush_answers());
        });
        Self { queue, meter, thread: Some(thread) }
    }

    /// A caller's end of the queue.
    pub fn handle(&self) -> DeskHandle {
        DeskHandle { queue: self.queue.clone(), meter: self.meter.clone() }
    }
}

impl Drop for DeskService {
    fn drop(&mut self) {
        // An error means that the thread has ended already.
        drop(self.queue.send(Queued::Close));
        if let Some(thread) = self.thread.take() {
            // A panic in the thread has been printed; there is nobody left to answer.
            drop(thread.join());
        }
    }
}

impl DeskHandle {
    /// Queues a command and waits until it is durable or refused.
    pub fn command(&self, request: Request) -> Result<Answer, Arc<DeskError>> {
        self.send(request)?.recv().unwrap_or_else(|_| Err(Arc::new(DeskError::Closed)))
    }

    /// Queues a command; its answer comes out of the receiver once it is durable or refused. A receiver that is
    /// disconnected without an answer belongs to a desk that was closed before the command was looked at.
    pub fn send(&self, request: Request) -> Result<Receiver<Result<Answer, Arc<DeskError>>>, Arc<DeskError>> {
        // Room for the one answer: the desk never waits for a caller. One that has gone away does not want its
        // answer; the command is done all the same.
        let (reply, answer) = sync_channel(1);
        let then: Then = Box::new(move |done| drop(reply.send(done)));
        let command = Queued::Command(Waiting { request, then });
        self.meter.waiting.fetch_add(1, Ordering::Relaxed);
        self.queue.send(command).map_err(|_| Arc::new(DeskError::Closed))?;
        Ok(answer)
    }

    /// Queues a command without waiting for room; `then` is called in the desk's thread and must not block it.
    pub fn try_send(
        &self,
        request: Request,
        then: impl FnOnce(Reply) + Send + 'static,
    ) -> Result<(), DeskError> {
        self.try_queue(Queued::Command(Waiting { request, then: Box::new(then) }))
    }

    /// Queues work on the whole desk, such as a read or a change of access, without waiting for room. It runs in the
    /// desk's thread, between two groups, and holds up the next one: it must be short.
    pub fn try_run(&self, work: impl FnOnce(&mut Desk) + Send + 'static) -> Result<(), DeskError> {
        self.try_queue(Queued::Work(Box::new(work)))
    }

    fn try_queue(&self, queued: Queued) -> Result<(), DeskError> {
        self.queue.try_send(queued).map_err(|refused| match refused {
            TrySendError::Full(_) => DeskError::Busy,
            TrySendError::Disconnected(_) => DeskError::Closed,
        })?;
        self.meter.waiting.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// How much there is to do, and was.
    pub fn load(&self) -> Load {
        Load {
            waiting: self.meter.waiting.load(Ordering::Relaxed),
            groups: self.meter.groups.load(Ordering::Relaxed),
            commands: self.meter.commands.load(Ordering::Relaxed),
            largest: self.meter.largest.load(Ordering::Relaxed),
        }
    }
}

/// What follows a group.
enum After {
    Nothing,
    Work(Work),
    Close,
}

/// Waits for a command, then takes all that wait with it, up to work on the whole desk; and what follows them.
fn next_group(waiting: &Receiver<Queued>) -> (Vec<Waiting>, After) {
    let mut group = Vec::new();
    let mut next = waiting.recv().ok();
    loop {
        match next {
            Some(Queued::Command(command)) => group.push(command),
            Some(Queued::Work(work)) => return (group, After::Work(work)),
            Some(Queued::Close) | None => return (group, After::Close),
        }
        if group.len() == GROUP_MAX {
            return (group, After::Nothing);
        }
        next = match waiting.try_recv() {
            Ok(queued) => Some(queued),
            Err(TryRecvError::Empty) => return (group, After::Nothing),
            Err(TryRecvError::Disconnected) => None,
        };
    }
}

fn answer(desk: &mut Desk, group: Vec<Waiting>) {
    if group.is_empty() {
        return;
    }
    let (requests, thens) = still_allowed(desk, group);
    if !requests.is_empty() {
        submit(desk, &requests, thens);
    }
}

/// Answers those whose key has ended or lost its leave while they waited. No change of access comes between this and
/// the decision: both are made in this thread, and of other processes' changes all that are in the log are known.
fn still_allowed(desk: &mut Desk, group: Vec<Waiting>) -> (Vec<Request>, Vec<Then>) {
    let known = match group.iter().any(|waiting| waiting.request.cause.claim.is_some()) {
        true => desk.access().map(drop).map_err(Arc::new),
        false => Ok(()),
    };
    let now = Timestamp::now();
    let (mut requests, mut thens) = (Vec::with_capacity(group.len()), Vec::with_capacity(group.len()));
    for Waiting { request, then } in group {
        let allowed = match (&known, &request.cause.claim) {
            (Err(error), Some(_)) => Err(error.clone()),
            _ => desk.is_still_allowed(&request.cause, now).map_err(|refusal| Arc::new(refusal.into())),
        };
        match allowed {
            Ok(()) => {
                requests.push(request);
                thens.push(then);
            }
            Err(error) => then(Err(error)),
        }
    }
    (requests, thens)
}

/// Callers that share a group do not know each other: when their events are too many for one transaction, or one of
/// them was executed before, each half gets its own.
fn submit(desk: &mut Desk, requests: &[Request], mut thens: Vec<Then>) {
    match desk.submit(requests) {
        Err(DeskError::AccessMoved) => {
            let again = requests.iter().cloned().zip(thens);
            answer(desk, again.map(|(request, then)| Waiting { request, then }).collect());
        }
        Ok(answers) => {
            for (then, answer) in thens.into_iter().zip(answers) {
                then(answer.map_err(|refusal| Arc::new(refusal.into())));
            }
        }
        Err(DeskError::Store(StoreError::BatchTooLarge { .. }) | DeskError::NonceWasUsed)
            if requests.len() > 1 =>
        {
            let half = requests.len() / 2;
            let (first, second) = requests.split_at(half);
            let second_thens = thens.split_off(half);
            submit(desk, first, thens);
            submit(desk, second, second_thens);
        }
        Err(error) => {
            let error = Arc::new(error);
            thens.into_iter().for_each(|then| then(Err(error.clone())));
        }
    }
}
