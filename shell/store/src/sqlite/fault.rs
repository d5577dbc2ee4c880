//! What an SQLite error means to the store.

use std::path::Path;

use rusqlite::{Error, ErrorCode};

use crate::error::StoreError;

/// The meaning of an error in any statement but `COMMIT`.
pub(super) fn fault(path: &Path, error: Error) -> StoreError {
    let code = error.sqlite_error_code();
    let source = Box::new(error);
    match code {
        Some(ErrorCode::ConstraintViolation) => StoreError::Constraint { source },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Contention { source },
        Some(ErrorCode::DiskFull) => StoreError::DiskFull { source },
        Some(ErrorCode::NotADatabase) => {
            StoreError::NotADatabase { location: path.display().to_string(), source }
        }
        Some(ErrorCode::DatabaseCorrupt) => {
            StoreError::Corrupt { reason: "a page of the file makes no sense".into(), source: Some(source) }
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            StoreError::NotWritable { path: path.to_owned(), source }
        }
        Some(ErrorCode::CannotOpen | ErrorCode::SystemIoFailure) => {
            StoreError::Unreachable { location: path.display().to_string(), source }
        }
        _ => StoreError::Database { source },
    }
}

/// The meaning of an error of `COMMIT`. After an input or output error the frames may or may not have reached the
/// disk, so a later recovery may or may not find them.
pub(super) fn commit_fault(path: &Path, error: Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::SystemIoFailure) => StoreError::OutcomeUnknown { source: Box::new(error) },
        _ => fault(path, error),
    }
}
