//! What can go wrong at the desk, beside a refusal.

use strongroom_engine::{RecordError, Refusal, ReplayError};
use strongroom_store::StoreError;
use strongroom_units::Symbol;
use thiserror::Error;

/// A command that was not done.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DeskError {
    /// The engine refused it; nothing changed.
    #[error(transparent)]
    Refused(#[from] Box<Refusal>),
    /// The store refused or failed; nothing of the group was stored, except where the store's error says otherwise.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log holds what this program cannot read.
    #[error("record {seq} of {fund} cannot be read: {source}")]
    Record {
        /// The fund.
        fund: Symbol,
        /// The record's place in the stream; 0 for a snapshot.
        seq: u64,
        /// What is wrong.
        #[source]
        source: RecordError,
    },
    /// The log does not replay.
    #[error("the log of {fund} does not replay: {source}")]
    Replay {
        /// The fund.
        fund: Symbol,
        /// What did not fit.
        #[source]
        source: ReplayError,
    },
    /// A change of access was refused; nothing changed.
    #[error(transparent)]
    AccessRefused(#[from] strongroom_access::AccessRefusal),
    /// The request was executed before.
    #[error("this request was executed before: its nonce was used; sign a new request with a new nonce")]
    NonceWasUsed,
    /// The stream `access` holds what this program cannot read.
    #[error("record {seq} of access cannot be read: {source}")]
    AccessRecord {
        /// The record's place in the stream.
        seq: u64,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// The stream `access` has an instant that is none.
    #[error("record {seq} of access has no readable instant")]
    AccessInstant {
        /// The record's place in the stream.
        seq: u64,
    },
    /// Access has changed between the question whether a key may and the commit: it is asked again.
    #[error("access changed while the command was decided; try again")]
    AccessMoved,
    /// More commands wait than the desk takes.
    #[error("the desk has as many commands waiting as it takes; try again")]
    Busy,
    /// More commands than one group may have.
    #[error("{0} commands in one group; at most {max} are taken", max = crate::GROUP_MAX)]
    GroupTooLarge(usize),
    /// The desk's thread is gone.
    #[error("the desk is closed")]
    Closed,
}

impl From<Refusal> for DeskError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl DeskError {
    /// What an append that failed means: of all rows only a nonce must be new.
    pub(crate) fn of_append(error: StoreError) -> Self {
        match error {
            StoreError::RowTaken { .. } => Self::NonceWasUsed,
            error => error.into(),
        }
    }

    /// The stable code: the rule that was broken.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Store(error) => error.code(),
            Self::Record { .. } => "log.record_must_be_readable",
            Self::Replay { .. } => "log.must_replay",
            Self::AccessRefused(refusal) => refusal.code(),
            Self::NonceWasUsed => "request.nonce_was_used",
            Self::AccessRecord { .. } | Self::AccessInstant { .. } => "log.record_must_be_readable",
            Self::AccessMoved => "desk.access_must_stand_still",
            Self::Busy => "desk.queue_must_have_room",
            Self::GroupTooLarge(_) => "desk.group_must_be_bounded",
            Self::Closed => "desk.must_be_open",
        }
    }

    /// What to do next, where the message does not say it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Store(error) => Some(error.hint()),
            Self::Record { .. }
            | Self::Replay { .. }
            | Self::AccessRecord { .. }
            | Self::AccessInstant { .. } => {
                Some("Keep the database for inspection, and restore the latest backup into a new one.")
            }
            Self::Closed => Some("Open the database again."),
            Self::Refused(_)
            | Self::AccessRefused(_)
            | Self::NonceWasUsed
            | Self::AccessMoved
            | Self::Busy
            | Self::GroupTooLarge(_) => None,
        }
    }
}
