//! Opening a database whose history is kept: its end is looked at, it is compared with the checkpoint that is kept
//! outside it, and from then on every commit is signed and the checkpoint outside follows.

use crate::desk::Desk;
use crate::error::DeskError;
use crate::schema::SCHEMA;
use std::time::{Duration, Instant};
use strongroom_store::{Anchor, Location, LogHead, Notary, Store};

/// The checkpoint outside follows at most so often.
const ANCHOR_EVERY: Duration = Duration::from_millis(100);
/// And it takes at most one part in so many of the desk's time.
const ANCHOR_SHARE: u32 = 20;

/// The checkpoint outside the database, and how far it lags behind.
#[derive(Debug, Default)]
pub(crate) struct Anchoring(Option<Following>);

#[derive(Debug)]
struct Following {
    anchor: Anchor,
    /// A checkpoint that is not outside yet.
    waiting: Option<String>,
    /// When the next one may be written.
    due: Instant,
}

impl Anchoring {
    /// Keeps a checkpoint of a commit outside, now or with a later one. The commit is durable already, so a file that
    /// cannot be written is no error of it: it is tried again with the next one, and at the end.
    pub(crate) fn note(&mut self, checkpoint: Option<&str>) {
        let (Some(following), Some(checkpoint)) = (&mut self.0, checkpoint) else { return };
        following.waiting = Some(checkpoint.to_owned());
        if Instant::now() >= following.due {
            following.write();
        }
    }
}

impl Following {
    fn write(&mut self) {
        let Some(checkpoint) = &self.waiting else { return };
        let begun = Instant::now();
        if self.anchor.advance(checkpoint).is_ok() {
            self.waiting = None;
        }
        let now = Instant::now();
        self.due = now + ANCHOR_EVERY.max((now - begun) * ANCHOR_SHARE);
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.write();
    }
}

impl Desk {
    /// Opens a database for writing and migrates it, unless its history is not what it was: the end of the log is looked
    /// at, and the checkpoint that the anchor holds must be of this log. From then on every commit is signed, if there
    /// is somebody who signs, and the anchor follows: within 100 ms, and when the desk is dropped.
    ///
    /// # Errors
    /// [`strongroom_store::StoreError::LogFaulty`] says what is wrong with the log; nothing was written.
    pub fn open_recorded(
        location: &Location,
        notary: Option<Box<dyn Notary>>,
        anchor: Option<Anchor>,
    ) -> Result<Self, DeskError> {
        let is_shared = matches!(location, Location::Postgres(_));
        let mut store = Store::open(location, &SCHEMA)?;
        let mut head = store.check_log_tail()?;
        if let Some(anchor) = &anchor {
            anchor.check(&mut store)?;
        }
        if let Some(notary) = notary {
            head = store.sign_with(notary)?;
        }
        let mut desk = Self::of(store, is_shared);
        if let Some(mut anchor) = anchor {
            if let Some(checkpoint) = &head.checkpoint {
                anchor.advance(checkpoint)?;
            }
            desk.anchoring = Anchoring(Some(Following { anchor, waiting: None, due: Instant::now() }));
        }
        Ok(desk)
    }

    /// Where the log stands.
    pub fn log_head(&mut self) -> Result<LogHead, DeskError> {
        Ok(self.store.log_head()?)
    }

    /// The store, for what is about the log and not about funds.
    pub fn store(&mut self) -> &mut Store {
        &mut self.store
    }
}
