//! From a backup back to a store: a new SQLite file or an empty PostgreSQL database, never on top of another history.

use std::path::Path;

use crate::error::StoreError;
use crate::files::beside;
use crate::location::Location;
use crate::postgres;
use crate::schema::Schema;
use crate::sqlite::BackupFile;

/// What a restored store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestoreSummary {
    /// How many streams.
    pub streams: u64,
    /// How many records, of all streams.
    pub records: u64,
}

/// Fills the empty `target` from the SQLite file `backup`: all of it, or nothing after an error. The file may come
/// from either kind of database. It is checked first: every page must make sense and no record may be missing.
///
/// A backup of an older program is migrated on the way to an SQLite file. PostgreSQL needs one of this version:
/// restore it into a file first, and back that up.
pub fn restore_from(
    backup: &Path,
    target: &Location,
    schema: &'static Schema,
) -> Result<RestoreSummary, StoreError> {
    schema.check()?;
    let backup = BackupFile::open(backup, schema)?;
    match target {
        Location::Sqlite(path) => restore_file(&backup, path, target, schema),
        Location::Postgres(url) => postgres::restore(url, &target.to_string(), &backup, schema),
    }
}

fn restore_file(
    backup: &BackupFile,
    path: &Path,
    target: &Location,
    schema: &Schema,
) -> Result<RestoreSummary, StoreError> {
    let not_empty = || StoreError::TargetNotEmpty { location: target.to_string() };
    // A log that outlived its database would be played into the new one.
    if path.exists() || beside(path, "-wal").exists() || beside(path, "-journal").exists() {
        return Err(not_empty());
    }
    let mut copy = backup.copy_to(path)?;
    copy.migrate(schema)?;
    match copy.publish() {
        Ok(summary) => Ok(RestoreSummary { streams: summary.streams, records: summary.records }),
        Err(StoreError::BackupExists { .. }) => Err(not_empty()),
        Err(e) => Err(e),
    }
}
