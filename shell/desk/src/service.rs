//! Many callers, one desk: a thread collects the commands that wait and commits them as one group.
//!
//! While one group is being synchronised to disk the next one gathers in the queue, so a slow disk makes larger
//! groups instead of a longer wait for everyone.

use crate::desk::{Answer, Desk, GROUP_MAX, Request};
use crate::error::DeskError;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;
use strongroom_store::StoreError;

/// Commands that may wait; a caller beyond them waits before its command is queued.
const QUEUE_MAX: usize = 4 * GROUP_MAX;

/// An answer, or why there is none. One failure answers a whole group, so it is shared.
type Reply = Result<Answer, Arc<DeskError>>;

/// A command in the queue, and where its answer goes.
struct Waiting {
    request: Request,
    reply: SyncSender<Reply>,
}

/// What comes out of the queue.
enum Queued {
    Command(Waiting),
    Close,
}

/// The desk in its thread. Dropping it finishes what is queued and closes the database, whoever still holds a handle.
#[derive(Debug)]
pub struct DeskService {
    queue: SyncSender<Queued>,
    thread: Option<JoinHandle<()>>,
}

/// A caller's end of the queue; cheap to clone, one for each thread.
#[derive(Debug, Clone)]
pub struct DeskHandle {
    queue: SyncSender<Queued>,
}

impl DeskService {
    /// Moves the desk into a thread of its own.
    pub fn start(mut desk: Desk) -> Self {
        let (queue, waiting) = sync_channel(QUEUE_MAX);
        let thread = std::thread::spawn(move || {
            loop {
                let (group, is_last) = next_group(&waiting);
                answer(&mut desk, group);
                if is_last {
                    break;
                }
            }
        });
        Self { queue, thread: Some(thread) }
    }

    /// A caller's end of the queue.
    pub fn handle(&self) -> DeskHandle {
        DeskHandle { queue: self.queue.clone() }
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
        // Room for the one answer: the desk never waits for a caller.
        let (reply, answer) = sync_channel(1);
        let command = Queued::Command(Waiting { request, reply });
        self.queue.send(command).map_err(|_| Arc::new(DeskError::Closed))?;
        Ok(answer)
    }
}

/// Waits for a command, then takes all that wait with it; and whether they are the last.
fn next_group(waiting: &Receiver<Queued>) -> (Vec<Waiting>, bool) {
    let mut group = Vec::new();
    let mut next = waiting.recv().ok();
    while let Some(Queued::Command(command)) = next {
        group.push(command);
        if group.len() == GROUP_MAX {
            return (group, false);
        }
        next = match waiting.try_recv() {
            Ok(queued) => Some(queued),
            Err(TryRecvError::Empty) => return (group, false),
            Err(TryRecvError::Disconnected) => None,
        };
    }
    (group, true)
}

fn answer(desk: &mut Desk, group: Vec<Waiting>) {
    let (requests, replies): (Vec<Request>, Vec<SyncSender<Reply>>) =
        group.into_iter().map(|waiting| (waiting.request, waiting.reply)).unzip();
    submit(desk, &requests, &replies);
}

/// Callers that share a group do not know each other: when their events are too many for one transaction, each half
/// gets its own.
fn submit(desk: &mut Desk, requests: &[Request], replies: &[SyncSender<Reply>]) {
    match desk.submit(requests) {
        Ok(answers) => {
            for (reply, answer) in replies.iter().zip(answers) {
                // A caller that has gone away does not want its answer; the command is done all the same.
                drop(reply.send(answer.map_err(|refusal| Arc::new(refusal.into()))));
            }
        }
        Err(DeskError::Store(StoreError::BatchTooLarge { .. })) if requests.len() > 1 => {
            let half = requests.len() / 2;
            let (first, second) = requests.split_at(half);
            let (first_replies, second_replies) = replies.split_at(half);
            submit(desk, first, first_replies);
            submit(desk, second, second_replies);
        }
        Err(error) => {
            let error = Arc::new(error);
            replies.iter().for_each(|reply| drop(reply.send(Err(error.clone()))));
        }
    }
}
