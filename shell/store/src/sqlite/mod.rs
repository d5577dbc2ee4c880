//! The store on one SQLite file: write-ahead log, every commit synchronised, one writer, any number of readers.

mod copy;
mod fault;
mod layout;
mod lock;
mod read;
mod verify;
mod write;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

pub(crate) use copy::{BackupFile, NewCopy};
use fault::{commit_fault, fault};
use lock::WriterLock;

use crate::backup::BackupSummary;
use crate::batch::Batch;
use crate::error::StoreError;
use crate::files::{directory, sync_directory};
use crate::log::{Appended, Group, Leaf, LogHead, LogReport, Logged, Notary, sign};
use crate::record::{Record, Snapshot, ends_at, follows};
use crate::row::Value;
use crate::schema::{Schema, Table};
use crate::store::Database;
use strongroom_audit::Hash;

/// Readers such as the `sqlite3` shell may hold the file for a moment.
const BUSY_WAIT: Duration = Duration::from_secs(5);
/// Distinct statements: a few of our own and two a table.
const CACHED_STATEMENTS: usize = 256;

/// An open SQLite file.
#[derive(Debug)]
pub(crate) struct SqliteStore {
    connection: Connection,
    path: PathBuf,
    /// Dropped after the connection: fields go in order.
    lock: Option<WriterLock>,
}

impl SqliteStore {
    pub(crate) fn open(path: &Path, schema: &Schema) -> Result<Self, StoreError> {
        let lock = WriterLock::take(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let mut connection = connect(path, flags)?;
        // Look before touching: a file that is not ours must stay as it is.
        if let Some(found) = layout::version(&connection, path)? {
            layout::refuse_newer(found, schema)?;
        }
        configure(&connection).map_err(|e| fault(path, e))?;
        layout::migrate(&mut connection, path, schema)?;
        layout::check_tables(&connection, path, schema)?;
        sync_directory(&directory(path))?;
        Ok(Self { connection, path: path.to_owned(), lock: Some(lock) })
    }

    /// Takes no lock and makes no change; works while another process writes.
    pub(crate) fn open_read_only(path: &Path, schema: &Schema) -> Result<Self, StoreError> {
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let not_a_store = || StoreError::NotAStore { location: path.display().to_string() };
        let found = layout::version(&connection, path)?.ok_or_else(not_a_store)?;
        layout::refuse_newer(found, schema)?;
        let known = schema.version();
        if found < known {
            return Err(StoreError::SchemaOlder { found, known });
        }
        Ok(Self { connection, path: path.to_owned(), lock: None })
    }

    /// Runs `work` in one transaction. A failure rolls everything back: dropping the transaction does.
    fn transact<T>(
        &mut self,
        work: impl FnOnce(&Connection, &Path) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let path = &self.path;
        let behavior = TransactionBehavior::Immediate;
        let tx = self.connection.transaction_with_behavior(behavior).map_err(|e| fault(path, e))?;
        let value = work(&tx, path)?;
        tx.commit().map_err(|e| commit_fault(path, e))?;
        Ok(value)
    }

    fn fault(&self, error: rusqlite::Error) -> StoreError {
        fault(&self.path, error)
    }
}

impl Database for SqliteStore {
    fn append(&mut self, batch: &Batch<'_>, notary: Option<&dyn Notary>) -> Result<Appended, StoreError> {
        self.transact(|connection, path| {
            let before = read::log_head(connection).map_err(|e| fault(path, e))?;
            for (stream, end) in batch.ends {
                ends_at(stream, *end, read::head(connection, stream).map_err(|e| fault(path, e))?)?;
            }
            for first in &batch.firsts {
                follows(first, read::head(connection, &first.stream).map_err(|e| fault(path, e))?)?;
            }
            let mut group = Group::behind(&before, batch.records, &batch.salts)?;
            write::insert_records(connection, batch.records, &group.leaves)
                .and_then(|()| write::insert_nodes(connection, &group.nodes))
                .and_then(|()| write::change_rows(connection, &batch.plans))
                .map_err(|e| fault(path, e))?;
            batch.plans.iter().try_for_each(|plan| {
                match write::insert_rows(connection, plan.table, &plan.inserts).map_err(|e| fault(path, e))? {
                    added if added == plan.inserts.len() => Ok(()),
                    _ => Err(StoreError::RowTaken { table: plan.table.name }),
                }
            })?;
            if batch.records.is_empty() {
                return Ok(Appended::new(before.tree, Vec::new(), before.checkpoint));
            }
            // Last: what was refused until here needed no signature.
            notary.map_or(Ok(()), |notary| sign(&mut group.head, notary))?;
            write::put_head(connection, &group.head).map_err(|e| fault(path, e))?;
            let checkpoint = notary.and(group.head.checkpoint);
            Ok(Appended::new(before.tree, group.leaves, checkpoint))
        })
    }

    fn log_head(&mut self) -> Result<LogHead, StoreError> {
        read::log_head(&self.connection).map_err(|e| self.fault(e))
    }

    fn sign_head(&mut self, notary: &dyn Notary) -> Result<LogHead, StoreError> {
        self.transact(|connection, path| {
            let mut head = read::log_head(connection).map_err(|e| fault(path, e))?;
            sign(&mut head, notary)?;
            write::put_head(connection, &head).map_err(|e| fault(path, e))?;
            Ok(head)
        })
    }

    fn leaf(&mut self, stream: &str, seq: i64) -> Result<Option<Leaf>, StoreError> {
        read::leaf(&self.connection, stream, seq).map_err(|e| self.fault(e))
    }

    fn logged(&mut self, from: i64, limit: i64) -> Result<Vec<Logged>, StoreError> {
        read::logged_from(&self.connection, from, limit).map_err(|e| self.fault(e))
    }

    fn leaf_hashes(&mut self, from: i64, limit: i64) -> Result<Vec<Hash>, StoreError> {
        read::leaf_hashes(&self.connection, from, limit).map_err(|e| self.fault(e))
    }

    fn nodes(&mut self, level: i64, from: i64, limit: i64) -> Result<Vec<Hash>, StoreError> {
        read::nodes(&self.connection, level, from, limit).map_err(|e| self.fault(e))
    }

    fn verify_log(&mut self, progress: &(dyn Fn(u64) + Sync)) -> Result<LogReport, StoreError> {
        verify::verify(&self.connection, &self.path, progress)
    }

    fn row(&mut self, table: &Table, key: &[Value]) -> Result<Option<Vec<Value>>, StoreError> {
        read::row(&self.connection, table, key).map_err(|e| self.fault(e))
    }

    fn prune(
        &mut self,
        table: &'static Table,
        column: &'static str,
        bound: &str,
    ) -> Result<usize, StoreError> {
        write::prune(&self.connection, table, column, bound).map_err(|e| self.fault(e))
    }

    fn rows(&mut self, table: &'static Table, first: Option<&str>) -> Result<Vec<Vec<Value>>, StoreError> {
        read::rows(&self.connection, table, first).map_err(|e| self.fault(e))
    }

    fn say_served_at(&mut self, url: &str) -> Result<(), StoreError> {
        self.lock.as_mut().map_or(Ok(()), |lock| lock.say_served_at(url))
    }

    fn put_snapshot(&mut self, snapshot: &Snapshot) -> Result<(), StoreError> {
        self.transact(|connection, path| {
            write::put_snapshot(connection, snapshot).map_err(|e| fault(path, e))
        })
    }

    fn read(&mut self, stream: &str, from_seq: i64, limit: i64) -> Result<Vec<Record>, StoreError> {
        read::records(&self.connection, stream, from_seq, limit).map_err(|e| self.fault(e))
    }

    fn head(&mut self, stream: &str) -> Result<u64, StoreError> {
        read::head(&self.connection, stream).map_err(|e| self.fault(e))
    }

    fn streams(&mut self) -> Result<Vec<String>, StoreError> {
        read::streams(&self.connection).map_err(|e| self.fault(e))
    }

    fn latest_snapshot(&mut self, stream: &str) -> Result<Option<Snapshot>, StoreError> {
        read::latest_snapshot(&self.connection, stream).map_err(|e| self.fault(e))
    }

    fn back_up(&mut self, path: &Path, _: &Schema) -> Result<BackupSummary, StoreError> {
        NewCopy::of(&self.connection, &self.path, path)?.publish()
    }
}

/// Opens the file without touching it. The path is never read as a URI, and `:memory:` is a file like any other.
fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let absolute = std::path::absolute(path).map_err(|e| crate::files::file_error(path, e))?;
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(absolute, flags).map_err(|e| fault(path, e))?;
    connection.busy_timeout(BUSY_WAIT).map_err(|e| fault(path, e))?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    Ok(connection)
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0))?;
    connection.pragma_update(None, "synchronous", "full")?;
    // macOS only: a plain fsync leaves the data in the cache of the drive.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    connection.pragma_update(None, "foreign_keys", true)
}
