//! The nonces on disk: an append-only log that makes each entry of the replay window durable before its request is
//! executed, and gives all of them back at the next start.
//!
//! One thread writes; entries that arrive while it syncs are the next group. A group is one frame, one write and one
//! fdatasync. What cannot be made durable is refused, and after one failure so is all that follows: a failed sync has
//! told the kernel to forget, and a second that succeeds proves nothing.
//!
//! A folder holds `nonces-NUMBER.log` files and a lock. A start begins a new file; a file that has grown past its bound
//! is followed by the next, and files whose entries are all behind the watermark are removed. No clock is read here.
//!
//! | at a start | what was accepted before is | then |
//! |---|---|---|
//! | after a stop, a crash, a power cut | known | nothing is refused for the restart |
//! | no file, one missing, one damaged, a copy or a backup, another key | not all known | the watermark rises to the start and the skew; requests heal by a challenge |
//!
//! A copy is told by its inode, unless it happens to get that of the file it replaces. A disk image or a virtual machine
//! put back whole has the same inodes: whoever does that removes the folder's files, or sets [`Settings::put_back`]. The
//! same heals a watermark of a clock that was years ahead.

mod files;
mod recovery;
mod writer;

pub use recovery::Loss;

use files::Folder;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, SyncSender, TrySendError};
use std::thread::JoinHandle;
use strongroom_access::replay::{Entry, Recovered};
use thiserror::Error;
use writer::{Message, Writer};

/// How the log is kept.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Bytes after which a file is followed by the next.
    pub file_bytes: u64,
    /// Entries that may wait to be written; more are refused.
    pub queue: usize,
    /// The folder was put back from an image: what it holds is not all.
    pub put_back: bool,
}

impl Default for Settings {
    /// Files of 8 MiB, a quarter of a million entries; 65,536 entries waiting.
    fn default() -> Self {
        Self { file_bytes: 8 << 20, queue: 65_536, put_back: false }
    }
}

/// Why a log cannot be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has it. Two that each know half of the nonces would each let the other half in again.
    #[error("another process writes the nonces in {}; there can be one", folder.display())]
    Locked {
        /// The folder.
        folder: PathBuf,
    },
    /// The file system refuses.
    #[error("cannot {doing} {}", path.display())]
    File {
        /// What was tried.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
}

impl OpenError {
    /// The stable code: the rule that was broken.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Locked { .. } => "server.nonces_must_have_one_writer",
            Self::File { .. } => "server.nonces_must_be_accessible",
        }
    }
}

/// Why an entry is not durable; its request must be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AppendError {
    /// More is waiting than may.
    #[error("too many nonces wait for the disk; try again later")]
    Busy,
    /// The disk failed, now or before. The process must be started anew.
    #[error("nonces cannot be written to disk, so nothing is let in; see the log of the server")]
    Failed,
}

impl AppendError {
    /// The stable code: the rule that was broken.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Busy => "server.nonces_must_be_written_in_time",
            Self::Failed => "server.nonces_must_be_durable",
        }
    }
}

/// What a start found.
#[derive(Debug)]
pub struct Opened {
    /// The log.
    pub log: NonceLog,
    /// What the window is to be restored from.
    pub recovered: Recovered,
    /// Why that is not all, if it is not.
    pub loss: Option<Loss>,
}

/// The log. Dropping it writes what waits.
#[derive(Debug)]
pub struct NonceLog {
    queue: Option<SyncSender<Message>>,
    writer: Option<JoinHandle<()>>,
}

impl NonceLog {
    /// Opens the log in a folder, which is made if need be, for fingerprints of the key with this check.
    ///
    /// `watermark_if_lost` is the window's at this start ([`Limits::watermark_at`]); where nonces may be lost it is on
    /// disk before this returns, so that the next start knows it too.
    ///
    /// [`Limits::watermark_at`]: strongroom_access::replay::Limits::watermark_at
    ///
    /// # Errors
    /// Another process has the folder, or the file system refuses.
    pub fn open(
        folder: &Path,
        key_check: u128,
        watermark_if_lost: i64,
        settings: Settings,
    ) -> Result<Opened, OpenError> {
        let folder = Folder::lock(folder)?;
        let mut found = recovery::recover(&folder, key_check)?;
        if settings.put_back {
            found.lose(Loss::PutBack);
        }
        if found.loss.is_some() {
            found.recovered.watermark = found.recovered.watermark.max(watermark_if_lost);
        }
        let writer = Writer::begin(folder, key_check, found.recovered.watermark, found.files, settings)?;
        let (queue, messages) = mpsc::sync_channel(settings.queue.max(1));
        let writer = std::thread::Builder::new()
            .name("nonces".into())
            .spawn(move || writer.run(&messages))
            .map_err(|source| OpenError::File {
            doing: "start the writer of",
            path: PathBuf::from("nonces"),
            source,
        })?;
        let log = Self { queue: Some(queue), writer: Some(writer) };
        Ok(Opened { log, recovered: found.recovered, loss: found.loss })
    }

    /// Hands an entry to the writer, which calls `done` once it is durable or failed; from its own thread, so `done` is
    /// to be short. `watermark` is the window's: files behind it are removed.
    ///
    /// # Errors
    /// `done` is then not called.
    pub fn append(
        &self,
        entry: Entry,
        watermark: i64,
        done: impl FnOnce(Result<(), AppendError>) + Send + 'static,
    ) -> Result<(), AppendError> {
        let queue = self.queue.as_ref().ok_or(AppendError::Failed)?;
        queue.try_send(Message { entry, watermark, done: Box::new(done) }).map_err(|error| match error {
            TrySendError::Full(_) => AppendError::Busy,
            TrySendError::Disconnected(_) => AppendError::Failed,
        })
    }

    /// As [`NonceLog::append`], and waits.
    ///
    /// # Errors
    /// The entry is not durable, and its request must be refused.
    pub fn append_and_wait(&self, entry: Entry, watermark: i64) -> Result<(), AppendError> {
        let (done, answer) = mpsc::sync_channel(1);
        self.append(entry, watermark, move |result| {
            // The receiver is on the stack of this very call, so it is there.
            let _ = done.send(result);
        })?;
        answer.recv().unwrap_or(Err(AppendError::Failed))
    }
}

impl Drop for NonceLog {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has answered nobody; there is nothing left to do.
            drop(writer.join());
        }
    }
}
