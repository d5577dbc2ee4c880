//! What a PostgreSQL error means to the store.

use ::postgres::Error;
use ::postgres::error::{DbError, Severity, SqlState};

use crate::error::StoreError;

/// The meaning of an error in any statement but `COMMIT`.
pub(super) fn fault(location: &str, error: Error) -> StoreError {
    let unreachable = |source| StoreError::Unreachable { location: location.to_owned(), source };
    let Some(said) = error.as_db_error() else {
        return unreachable(Box::new(error));
    };
    let (ended, code) = (ends_session(said), said.code().clone());
    let source = Box::new(error);
    match (code, ended) {
        (_, true) => unreachable(source),
        (SqlState::DISK_FULL, _) => StoreError::DiskFull { source },
        (SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED, _) => StoreError::Corrupt {
            reason: "a page of the database makes no sense".into(),
            source: Some(source),
        },
        (code, _) if is_contention(&code) => StoreError::Contention { source },
        // Class 23: unique, check, not null, foreign key, and the triggers that guard the history.
        (code, _) if code.code().starts_with("23") => StoreError::Constraint { source },
        _ => StoreError::Database { source },
    }
}

/// The meaning of an error of `COMMIT`. Only an error that the server itself reports and survives says that the
/// transaction was rolled back: a deferred foreign key, for example.
pub(super) fn commit_fault(location: &str, error: Error) -> StoreError {
    let rolled_back =
        error.as_db_error().is_some_and(|said| !ends_session(said) && !leaves_doubt(said.code()));
    if rolled_back { fault(location, error) } else { StoreError::OutcomeUnknown { source: Box::new(error) } }
}

/// Whether the error is that the log already has this record.
pub(super) fn took_sequence(error: &Error) -> bool {
    error.as_db_error().is_some_and(|said| {
        *said.code() == SqlState::UNIQUE_VIOLATION && said.constraint() == Some("events_pkey")
    })
}

fn ends_session(said: &DbError) -> bool {
    !matches!(said.parsed_severity(), Some(Severity::Error))
}

fn leaves_doubt(code: &SqlState) -> bool {
    [SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN, SqlState::TRANSACTION_RESOLUTION_UNKNOWN].contains(code)
}

/// Timeouts and collisions: the same batch may well succeed a moment later.
fn is_contention(code: &SqlState) -> bool {
    [
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::QUERY_CANCELED,
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
    ]
    .contains(code)
}
