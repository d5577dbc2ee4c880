//! The one door to a store, whichever database is behind it: checks before any SQL, refusals after a failure.

use std::fmt::Debug;
use std::path::Path;

use crate::backup::BackupSummary;
use crate::batch::Batch;
use crate::error::StoreError;
use crate::location::Location;
use crate::log::{Appended, Leaf, LogHead, LogReport, Logged, Notary};
use crate::postgres::PostgresStore;
use crate::record::{Record, Snapshot, check_page, check_snapshot};
use crate::row::{RowChange, Value};
use crate::schema::{ColumnType, Schema, Table};
use crate::sqlite::SqliteStore;
use crate::verifier::Verifier;
use strongroom_audit::Hash;

/// What both databases do. Everything that can be decided without one is decided before these are called.
pub(crate) trait Database: Debug + Send {
    /// Stores a whole batch durably, or nothing of it. Its records must follow the heads of their streams.
    fn append(&mut self, batch: &Batch<'_>, notary: Option<&dyn Notary>) -> Result<Appended, StoreError>;
    fn prune(
        &mut self,
        table: &'static Table,
        column: &'static str,
        bound: &str,
    ) -> Result<usize, StoreError>;
    /// Only a file is held by one process.
    fn say_served_at(&mut self, _: &str) -> Result<(), StoreError> {
        Ok(())
    }
    fn rows(&mut self, table: &'static Table, first: Option<&str>) -> Result<Vec<Vec<Value>>, StoreError>;
    fn put_snapshot(&mut self, snapshot: &Snapshot) -> Result<(), StoreError>;
    /// Where the log stands.
    fn log_head(&mut self) -> Result<LogHead, StoreError>;
    /// Signs the head as it stands.
    fn sign_head(&mut self, notary: &dyn Notary) -> Result<LogHead, StoreError>;
    /// The leaf of a record.
    fn leaf(&mut self, stream: &str, seq: i64) -> Result<Option<Leaf>, StoreError>;
    /// Records by their leaves, from one on.
    fn logged(&mut self, from: i64, limit: i64) -> Result<Vec<Logged>, StoreError>;
    /// Hashes of leaves, from one on.
    fn leaf_hashes(&mut self, from: i64, limit: i64) -> Result<Vec<Hash>, StoreError>;
    /// Hashes of nodes that are kept, of a level, from one on.
    fn nodes(&mut self, level: i64, from: i64, limit: i64) -> Result<Vec<Hash>, StoreError>;
    /// Looks at every record, telling how many were looked at.
    fn verify_log(&mut self, progress: &(dyn Fn(u64) + Sync)) -> Result<LogReport, StoreError>;
    /// One whole row, by its key.
    fn row(&mut self, table: &Table, key: &[Value]) -> Result<Option<Vec<Value>>, StoreError>;
    /// Notes that a verifier has seen a stream up to a record, and gives the end of the stream. Of one process alone
    /// there is nothing to note.
    fn renew(&mut self, _: &Verifier, stream: &str) -> Result<u64, StoreError> {
        self.head(stream)
    }
    /// Every verifier that was noted, with the milliseconds since.
    fn verifiers(&mut self) -> Result<Vec<(Verifier, u64)>, StoreError> {
        Ok(Vec::new())
    }
    fn forget_verifier(&mut self, _: &str) -> Result<(), StoreError> {
        Ok(())
    }
    fn read(&mut self, stream: &str, from_seq: i64, limit: i64) -> Result<Vec<Record>, StoreError>;
    fn head(&mut self, stream: &str) -> Result<u64, StoreError>;
    fn streams(&mut self) -> Result<Vec<String>, StoreError>;
    fn latest_snapshot(&mut self, stream: &str) -> Result<Option<Snapshot>, StoreError>;
    fn back_up(&mut self, path: &Path, schema: &Schema) -> Result<BackupSummary, StoreError>;
}

/// An open store.
///
/// INVARIANT: after an error that leaves the database in doubt (see [`StoreError::OutcomeUnknown`]) every call is
/// refused with [`StoreError::MustReopen`], so that nothing is decided on a state that may not be there.
#[derive(Debug)]
pub struct Store {
    location: Location,
    schema: &'static Schema,
    database: Box<dyn Database>,
    access: Access,
    failed: bool,
    /// Signs a checkpoint with each commit.
    pub(crate) notary: Option<Box<dyn Notary>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    ReadOnly,
    Write,
}

impl Store {
    /// The most records and row changes that [`Store::append`] takes together.
    pub const BATCH_MAX: usize = Batch::SIZE_MAX;
    /// The most records that [`Store::read`] gives at once.
    pub const PAGE_MAX: usize = 10_000;

    /// Opens a store for writing. A missing SQLite file is created, an empty PostgreSQL database is filled with tables,
    /// an older version is migrated. One process at a time writes an SQLite file; several share a PostgreSQL database.
    pub fn open(location: &Location, schema: &'static Schema) -> Result<Self, StoreError> {
        schema.check()?;
        let database: Box<dyn Database> = match location {
            Location::Sqlite(path) => Box::new(SqliteStore::open(path, schema)?),
            Location::Postgres(url) => Box::new(PostgresStore::open(url, &location.to_string(), schema)?),
        };
        Ok(Self {
            location: location.clone(),
            schema,
            database,
            access: Access::Write,
            failed: false,
            notary: None,
        })
    }

    /// Opens an existing store of this program's version for reading, while others may write. It changes nothing.
    pub fn open_read_only(location: &Location, schema: &'static Schema) -> Result<Self, StoreError> {
        schema.check()?;
        let database: Box<dyn Database> = match location {
            Location::Sqlite(path) => Box::new(SqliteStore::open_read_only(path, schema)?),
            Location::Postgres(url) => {
                Box::new(PostgresStore::open_read_only(url, &location.to_string(), schema)?)
            }
        };
        Ok(Self {
            location: location.clone(),
            schema,
            database,
            access: Access::ReadOnly,
            failed: false,
            notary: None,
        })
    }

    /// What the store knows of its caller's tables.
    pub(crate) fn schema(&self) -> &'static Schema {
        self.schema
    }

    /// Where the store is.
    #[must_use]
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// Stores the records and the row changes in one transaction, durable on return. An error means that nothing was
    /// stored, except [`StoreError::OutcomeUnknown`]. If a row is named twice, its last change wins.
    pub fn append(&mut self, records: &[Record], rows: &[RowChange]) -> Result<Appended, StoreError> {
        self.append_after(records, rows, &[])
    }

    /// As [`Store::append`], if each of the other streams that are named still ends at its record: else
    /// [`StoreError::SequenceTaken`]. On PostgreSQL this is asked under the lock that orders all commits, so nothing
    /// comes between the question and the commit.
    pub fn append_after(
        &mut self,
        records: &[Record],
        rows: &[RowChange],
        ends: &[(&str, u64)],
    ) -> Result<Appended, StoreError> {
        self.must_write()?;
        let batch = Batch::try_new(self.schema, records, rows, ends)?;
        let notary = self.notary.take();
        let done = self.attempt(|database| database.append(&batch, notary.as_deref()));
        self.notary = notary;
        done
    }

    /// Removes the rows of a table whose instant in `column` is before `bound`, canonical text, and says how many.
    pub fn prune(
        &mut self,
        table: &'static Table,
        column: &'static str,
        bound: &str,
    ) -> Result<usize, StoreError> {
        self.must_write()?;
        let is_instant = |known: &&crate::Column| known.name == column && known.kind == ColumnType::Instant;
        if !table.columns.iter().any(|known| is_instant(&known)) || !crate::canonical::is_instant(bound) {
            return Err(StoreError::RowMalformed { table: table.name, reason: "only an instant bounds it" });
        }
        self.attempt(|database| database.prune(table, column, bound))
    }

    /// The rows of a table in the order of its key; those whose first column is this text, or all. For tables that
    /// remember what no record does; the others are for people.
    pub fn rows(
        &mut self,
        table: &'static Table,
        first: Option<&str>,
    ) -> Result<Vec<Vec<Value>>, StoreError> {
        self.attempt(|database| database.rows(table, first))
    }

    /// Tells whoever finds the file held where its holder can be talked to.
    pub fn say_served_at(&mut self, url: &str) -> Result<(), StoreError> {
        self.must_write()?;
        self.attempt(|database| database.say_served_at(url))
    }

    /// Stores a snapshot and drops all but the newest two of its stream. One at the same record is replaced.
    pub fn put_snapshot(&mut self, snapshot: &Snapshot) -> Result<(), StoreError> {
        self.must_write()?;
        check_snapshot(snapshot)?;
        let (stream, seq, head) = (&snapshot.stream, snapshot.seq, self.head(&snapshot.stream)?);
        if seq > head {
            return Err(StoreError::SnapshotAhead { stream: stream.clone(), seq, head });
        }
        self.attempt(|database| database.put_snapshot(snapshot))
    }

    /// Reads the records of a stream from `from_seq` on, in order: at most `limit`, and at most [`Store::PAGE_MAX`].
    /// Empty means that the stream ends before `from_seq`. A missing record is an error, never skipped.
    pub fn read(&mut self, stream: &str, from_seq: u64, limit: usize) -> Result<Vec<Record>, StoreError> {
        let from_seq = from_seq.max(1);
        let Ok(from) = i64::try_from(from_seq) else {
            return Ok(Vec::new());
        };
        let limit = i64::try_from(limit.min(Self::PAGE_MAX)).unwrap_or(i64::MAX);
        let page = self.attempt(|database| database.read(stream, from, limit))?;
        check_page(stream, from_seq, &page)?;
        Ok(page)
    }

    /// Reads a stream from `from_seq` to its end, page by page. The iterator ends after its first error.
    pub fn records<'a>(&'a mut self, stream: &'a str, from_seq: u64) -> Records<'a> {
        Records { store: self, stream, next_seq: from_seq.max(1), page: Vec::new().into_iter(), done: false }
    }

    /// The sequence number of a stream's last record; 0 if it has none.
    pub fn head(&mut self, stream: &str) -> Result<u64, StoreError> {
        self.attempt(|database| database.head(stream))
    }

    /// The names of all streams, in byte order.
    pub fn streams(&mut self) -> Result<Vec<String>, StoreError> {
        self.attempt(|database| database.streams())
    }

    /// The newest snapshot of a stream.
    pub fn latest_snapshot(&mut self, stream: &str) -> Result<Option<Snapshot>, StoreError> {
        self.attempt(|database| database.latest_snapshot(stream))
    }

    /// Writes everything as of one moment into the new SQLite file `path`, while others may write, and checks the
    /// file before it gets its name. It works on a store that is open for reading too.
    pub fn back_up(&mut self, path: &Path) -> Result<BackupSummary, StoreError> {
        // Not an attempt: an error of the new file says nothing about the store.
        self.must_be_sound()?;
        if path.exists() {
            return Err(StoreError::BackupExists { path: path.to_owned() });
        }
        self.database.back_up(path, self.schema)
    }

    fn must_be_sound(&self) -> Result<(), StoreError> {
        if self.failed { Err(StoreError::MustReopen) } else { Ok(()) }
    }

    pub(crate) fn must_write(&self) -> Result<(), StoreError> {
        match self.access {
            Access::Write => self.must_be_sound(),
            Access::ReadOnly => Err(StoreError::ReadOnly),
        }
    }

    pub(crate) fn attempt<T>(
        &mut self,
        work: impl FnOnce(&mut dyn Database) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.must_be_sound()?;
        let result = work(self.database.as_mut());
        self.failed = result.as_ref().is_err_and(StoreError::ends_connection);
        result
    }
}

/// The records of a stream in order, read in pages of [`Store::records`].
#[derive(Debug)]
pub struct Records<'a> {
    store: &'a mut Store,
    stream: &'a str,
    next_seq: u64,
    page: std::vec::IntoIter<Record>,
    done: bool,
}

impl Records<'_> {
    const PAGE: usize = 1_000;

    fn turn_page(&mut self) -> Result<(), StoreError> {
        let page = self.store.read(self.stream, self.next_seq, Self::PAGE)?;
        self.next_seq = page.last().map_or(self.next_seq, |last| last.seq + 1);
        self.done = page.is_empty();
        self.page = page.into_iter();
        Ok(())
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Record, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let turns = self.page.as_slice().is_empty() && !self.done;
        if turns && let Err(e) = self.turn_page() {
            self.done = true;
            return Some(Err(e));
        }
        self.page.next().map(Ok)
    }
}
