//! The one thread that writes: groups, syncs, answers; begins files and removes those that no longer count.

use super::files::{Folder, failed, identity};
use super::{AppendError, OpenError, Settings};
use std::fs::File;
use std::io::{self, Write};
use std::sync::mpsc::Receiver;
use strongroom_access::replay::{Entry, FRAME_ENTRIES_MAX, Frames, HEADER_BYTES, JournalHeader};

/// An entry to be written, and whom to tell.
pub(super) struct Message {
    pub entry: Entry,
    pub watermark: i64,
    pub done: Box<dyn FnOnce(Result<(), AppendError>) + Send>,
}

/// A file on disk, and the newest second in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kept {
    pub number: u64,
    pub newest: i64,
}

/// The file that is written.
struct Current {
    file: File,
    frames: Frames,
    bytes: u64,
    kept: Kept,
}

pub(super) struct Writer {
    folder: Folder,
    key_check: u128,
    file_bytes: u64,
    watermark: i64,
    /// Older files, ascending.
    older: Vec<Kept>,
    current: Current,
    /// Set by the first failure, for good.
    failed: bool,
}

impl Writer {
    /// Begins a file, with the watermark in its header, and removes the files that it makes needless.
    pub fn begin(
        folder: Folder,
        key_check: u128,
        watermark: i64,
        older: Vec<Kept>,
        settings: Settings,
    ) -> Result<Self, OpenError> {
        let number = older.last().map_or(1, |last| last.number + 1);
        let current = begin_file(&folder, key_check, number, watermark, &older)
            .map_err(|source| failed("begin", &folder.file(number), source))?;
        let file_bytes = settings.file_bytes;
        let mut writer = Self { folder, key_check, file_bytes, watermark, older, current, failed: false };
        writer.remove_needless();
        Ok(writer)
    }

    /// Until nobody is left who could send.
    pub fn run(mut self, messages: &Receiver<Message>) {
        while let Ok(first) = messages.recv() {
            let group: Vec<Message> =
                std::iter::once(first).chain(messages.try_iter()).take(FRAME_ENTRIES_MAX).collect();
            let result = self.write(&group);
            group.into_iter().for_each(|message| (message.done)(result));
        }
    }

    fn write(&mut self, group: &[Message]) -> Result<(), AppendError> {
        if self.failed {
            return Err(AppendError::Failed);
        }
        let watermark = group.iter().map(|message| message.watermark).max().unwrap_or(self.watermark);
        self.watermark = self.watermark.max(watermark);
        let written = self.follow_a_full_file().and_then(|()| self.current.append(group));
        written.map_err(|_| {
            self.failed = true;
            AppendError::Failed
        })
    }

    fn follow_a_full_file(&mut self) -> io::Result<()> {
        if self.current.bytes < self.file_bytes {
            return Ok(());
        }
        let number = self.current.kept.number + 1;
        self.older.push(self.current.kept);
        self.current = begin_file(&self.folder, self.key_check, number, self.watermark, &self.older)?;
        self.remove_needless();
        Ok(())
    }

    /// INVARIANT: only after the current file, with the watermark in its header, is durable.
    fn remove_needless(&mut self) {
        let needless = self.older.iter().take_while(|kept| kept.newest <= self.watermark).count();
        for kept in self.older.drain(..needless) {
            // One that stays does no harm: its entries are behind the watermark, and the next start tries again.
            drop(self.folder.remove(kept.number));
        }
    }
}

impl Current {
    /// One frame, one write, one sync.
    fn append(&mut self, group: &[Message]) -> io::Result<()> {
        let entries: Vec<Entry> = group.iter().map(|message| message.entry).collect();
        let mut frame = Vec::new();
        if self.frames.encode(&entries, &mut frame) != entries.len() {
            return Err(io::Error::other("a group is larger than a frame"));
        }
        self.file.write_all(&frame)?;
        self.file.sync_data()?;
        self.bytes += frame.len() as u64;
        let newest = entries.iter().map(|entry| entry.second).max();
        self.kept.newest = self.kept.newest.max(newest.unwrap_or(i64::MIN));
        Ok(())
    }
}

/// A file with its header, durable under its name.
fn begin_file(
    folder: &Folder,
    key_check: u128,
    number: u64,
    watermark: i64,
    older: &[Kept],
) -> io::Result<Current> {
    let mut file = folder.create(number)?;
    let oldest = older.iter().find(|kept| kept.newest > watermark).map_or(number, |kept| kept.number);
    let header = JournalHeader { key_check, number, oldest, identity: identity(&file)?, watermark };
    file.write_all(&header.to_bytes())?;
    file.sync_all()?;
    folder.sync()?;
    let kept = Kept { number, newest: i64::MIN };
    Ok(Current { file, frames: Frames::new(&header), bytes: HEADER_BYTES as u64, kept })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::OpenOptions;
    use std::sync::mpsc;

    #[test]
    fn after_one_failure_nothing_is_durable_any_more() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::lock(place.path()).unwrap();
        let mut writer = Writer::begin(folder, 7, 0, Vec::new(), Settings::default()).unwrap();
        let (done, answers) = mpsc::channel();
        let message = |number: u64| {
            let done = done.clone();
            let entry = Entry { fingerprint: number.into(), lineage: 1, second: 1 };
            Message {
                entry,
                watermark: 0,
                done: Box::new(move |result| done.send((number, result)).unwrap()),
            }
        };
        assert_eq!(writer.write(&[message(0)]), Ok(()));
        // A file that is open for reading only fails as a full or broken disk does.
        let sound = std::mem::replace(
            &mut writer.current.file,
            OpenOptions::new().read(true).open(writer.folder.file(1)).unwrap(),
        );
        assert_eq!(writer.write(&[message(1)]), Err(AppendError::Failed));
        writer.current.file = sound;
        let (queue, messages) = mpsc::sync_channel(4);
        for number in 2..4 {
            queue.send(message(number)).unwrap();
        }
        drop(queue);
        writer.run(&messages);
        drop(done);
        let answers: Vec<_> = answers.iter().collect();
        assert_eq!(answers, [(2, Err(AppendError::Failed)), (3, Err(AppendError::Failed))]);
        assert_eq!(AppendError::Failed.code(), "server.nonces_must_be_durable");
    }
}
