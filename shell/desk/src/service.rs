//! Many callers, one desk: a thread collects the commands that wait and commits them as one group.
//!
//! While one group is being synchronised to disk the next one gathers in the queue, so a slow disk makes larger
//! groups instead of a longer wait for everyone.

use crate::desk::{Answer, Desk, GROUP_MAX, Request};
use crate::error::DeskError;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

/// Commands that may wait; a caller beyond them waits before its command is queued.
const QUEUE_MAX: usize = 4 * GROUP_MAX;

/// An answer, or why there is none. One failure answers a whole group, so it is shared.
type Reply = Result<Answer, Arc<DeskError>>;

/// A command in the queue, and where its answer goes.
struct Waiting {
    request: Request,
    reply: Sender<Reply>,
}

/// The desk in its thread. Dropping it finishes what is queued and closes the database.
#[derive(Debug)]
pub struct DeskService {
    queue: Option<SyncSender<Waiting>>,
    thread: Option<JoinHandle<()>>,
}

/// A caller's end of the queue; cheap to clone, one for each thread.
#[derive(Debug, Clone)]
pub struct DeskHandle {
    queue: SyncSender<Waiting>,
}

impl DeskService {
    /// Moves the desk into a thread of its own.
    pub fn start(mut desk: Desk) -> Self {
        let (queue, waiting) = sync_channel::<Waiting>(QUEUE_MAX);
        let thread = std::thread::spawn(move || {
            while let Some(group) = next_group(&waiting) {
                answer(&mut desk, group);
            }
        });
        Self { queue: Some(queue), thread: Some(thread) }
    }

    /// A caller's end of the queue; none once the service is being dropped.
    pub fn handle(&self) -> Option<DeskHandle> {
        self.queue.clone().map(|queue| DeskHandle { queue })
    }
}

impl Drop for DeskService {
    fn drop(&mut self) {
        self.queue = None;
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

    /// Queues a command; its answer comes out of the receiver once it is durable or refused.
    pub fn send(&self, request: Request) -> Result<Receiver<Result<Answer, Arc<DeskError>>>, Arc<DeskError>> {
        let (reply, answer) = channel();
        self.queue.send(Waiting { request, reply }).map_err(|_| Arc::new(DeskError::Closed))?;
        Ok(answer)
    }
}

/// Waits for a command, then takes all that wait with it; none when every caller is gone.
fn next_group(waiting: &Receiver<Waiting>) -> Option<Vec<Waiting>> {
    let mut group = vec![waiting.recv().ok()?];
    while group.len() < GROUP_MAX
        && let Ok(next) = waiting.try_recv()
    {
        group.push(next);
    }
    Some(group)
}

fn answer(desk: &mut Desk, group: Vec<Waiting>) {
    let (requests, replies): (Vec<Request>, Vec<Sender<Reply>>) =
        group.into_iter().map(|waiting| (waiting.request, waiting.reply)).unzip();
    match desk.submit(&requests) {
        Ok(answers) => {
            for (reply, answer) in replies.iter().zip(answers) {
                // A caller that has gone away does not want its answer; the command is done all the same.
                drop(reply.send(answer.map_err(|refusal| Arc::new(refusal.into()))));
            }
        }
        Err(error) => {
            let error = Arc::new(error);
            replies.iter().for_each(|reply| drop(reply.send(Err(error.clone()))));
        }
    }
}
