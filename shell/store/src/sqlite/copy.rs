//! Backup files: made from an open SQLite store page by page, or from PostgreSQL row by row; and read again.

use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags, Row};

use super::fault::fault;
use super::{connect, layout, read, write};
use crate::backup::BackupSummary;
use crate::error::StoreError;
use crate::files::{Partial, file_error, publish, sync_file};
use crate::log::{LogHead, Logged, NodeRow};
use crate::record::Snapshot;
use crate::row::Value;
use crate::schema::{Schema, Table};

/// The first record that is missing anywhere in the log.
const FIRST_GAP: &str = "SELECT stream, expected FROM
        (SELECT stream, seq, row_number() OVER (PARTITION BY stream ORDER BY seq) AS expected FROM events)
    WHERE seq <> expected LIMIT 1";

/// How many records or rows are held in memory at once.
const CHUNK: usize = 1_000;

/// A new file under construction: it has no name of its own until it is whole, checked and on the disk.
pub(crate) struct NewCopy {
    connection: Connection,
    partial: Partial,
    path: PathBuf,
}

impl NewCopy {
    /// A copy of everything that is committed in `source`. One step copies all pages, in one read transaction: other
    /// processes go on writing and the copy is of one moment.
    pub(super) fn of(source: &Connection, source_path: &Path, path: &Path) -> Result<Self, StoreError> {
        let mut copy = Self::begin(path)?;
        let mut copy_pages = || Backup::new(source, &mut copy.connection)?.step(-1);
        match copy_pages().map_err(|e| fault(source_path, e))? {
            StepResult::Done => {}
            _ => return Err(StoreError::Contention { source: "the pages could not be locked".into() }),
        }
        // The copied header asks for a write-ahead log; a backup is one file.
        copy.pragma("journal_mode", "delete")?;
        Ok(copy)
    }

    /// A new file with empty tables.
    pub(crate) fn empty(path: &Path, schema: &Schema) -> Result<Self, StoreError> {
        let mut copy = Self::begin(path)?;
        copy.migrate(schema)?;
        Ok(copy)
    }

    fn begin(path: &Path) -> Result<Self, StoreError> {
        let partial = Partial::create_beside(path)?;
        let connection = connect(&partial.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let copy = Self { connection, partial, path: path.to_owned() };
        // Nothing but the finished file is worth synchronising.
        copy.pragma("synchronous", "off")?;
        Ok(copy)
    }

    /// Brings the copy to the newest version.
    pub(crate) fn migrate(&mut self, schema: &Schema) -> Result<(), StoreError> {
        layout::migrate(&mut self.connection, &self.partial.path, schema)?;
        layout::check_tables(&self.connection, &self.partial.path, schema)
    }

    /// Starts the one transaction in which a copy is filled; `publish` commits it.
    pub(crate) fn start_filling(&self) -> Result<(), StoreError> {
        self.run(|connection| connection.execute_batch("BEGIN IMMEDIATE"))
    }

    pub(crate) fn add_logged(&self, logged: Vec<Logged>) -> Result<(), StoreError> {
        let (records, leaves): (Vec<_>, Vec<_>) =
            logged.into_iter().map(|logged| (logged.record, logged.leaf)).unzip();
        self.run(|connection| write::insert_records(connection, &records, &leaves))
    }

    pub(crate) fn add_nodes(&self, nodes: &[NodeRow]) -> Result<(), StoreError> {
        self.run(|connection| write::insert_nodes(connection, nodes))
    }

    pub(crate) fn put_head(&self, head: &LogHead) -> Result<(), StoreError> {
        self.run(|connection| write::put_head(connection, head))
    }

    pub(crate) fn add_snapshot(&self, snapshot: &Snapshot) -> Result<(), StoreError> {
        self.run(|connection| write::put_snapshot(connection, snapshot))
    }

    pub(crate) fn add_rows(&self, table: &Table, rows: &[&[Value]]) -> Result<(), StoreError> {
        self.run(|connection| write::upsert_rows(connection, table, rows))
    }

    /// Checks the copy, brings it to the disk and gives it its name.
    pub(crate) fn publish(self) -> Result<BackupSummary, StoreError> {
        if !self.connection.is_autocommit() {
            self.run(|connection| connection.execute_batch("COMMIT"))?;
        }
        let (streams, records) = verify(&self.connection, &self.partial.path)?;
        self.connection.close().map_err(|(_, e)| fault(&self.path, e))?;
        sync_file(&self.partial.path)?;
        let file = std::fs::metadata(&self.partial.path).map_err(|e| file_error(&self.partial.path, e))?;
        publish(&self.partial.path, &self.path)?;
        Ok(BackupSummary { streams, records, bytes: file.len() })
    }

    fn pragma(&self, name: &str, value: &str) -> Result<(), StoreError> {
        self.run(|connection| connection.execute_batch(&format!("PRAGMA {name} = {value}")))
    }

    fn run<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        work(&self.connection).map_err(|e| fault(&self.partial.path, e))
    }
}

/// A backup, or any store's file, as it was when it was opened.
pub(crate) struct BackupFile {
    connection: Connection,
    path: PathBuf,
    version: u32,
}

impl BackupFile {
    pub(crate) fn open(path: &Path, schema: &Schema) -> Result<Self, StoreError> {
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.execute_batch("BEGIN").map_err(|e| fault(path, e))?;
        let not_a_store = || StoreError::NotAStore { location: path.display().to_string() };
        let version = layout::version(&connection, path)?.ok_or_else(not_a_store)?;
        layout::refuse_newer(version, schema)?;
        Ok(Self { connection, path: path.to_owned(), version })
    }

    /// A copy of the whole file on its way to `path`.
    pub(crate) fn copy_to(&self, path: &Path) -> Result<NewCopy, StoreError> {
        NewCopy::of(&self.connection, &self.path, path)
    }

    /// Refuses what cannot be moved to another kind of database: damage, holes, tables of an older version.
    pub(crate) fn verify(&self, schema: &Schema) -> Result<(u64, u64), StoreError> {
        let (found, known) = (self.version, schema.version());
        if found < known {
            return Err(StoreError::SchemaOlder { found, known });
        }
        layout::check_tables(&self.connection, &self.path, schema)?;
        verify(&self.connection, &self.path)
    }

    pub(crate) fn each_logged(
        &self,
        visit: impl FnMut(&[Logged]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.each(read::ALL_LOGGED, read::logged, visit)
    }

    pub(crate) fn each_nodes(
        &self,
        visit: impl FnMut(&[NodeRow]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.each(read::ALL_NODES, read::node, visit)
    }

    pub(crate) fn log_head(&self) -> Result<LogHead, StoreError> {
        read::log_head(&self.connection).map_err(|e| fault(&self.path, e))
    }

    pub(crate) fn each_snapshots(
        &self,
        visit: impl FnMut(&[Snapshot]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.each(read::ALL_SNAPSHOTS, read::snapshot, visit)
    }

    pub(crate) fn each_rows(
        &self,
        table: &Table,
        mut visit: impl FnMut(&[&[Value]]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let visit_slices = |rows: &[Vec<Value>]| visit(&rows.iter().map(Vec::as_slice).collect::<Vec<_>>());
        self.each(&read::all_rows_sql(table), |row| read::values(row, table), visit_slices)
    }

    /// Runs through a query, a chunk at a time.
    fn each<T>(
        &self,
        sql: &str,
        parse: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
        mut visit: impl FnMut(&[T]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let at_fault = |e| fault(&self.path, e);
        let mut statement = self.connection.prepare(sql).map_err(at_fault)?;
        let mut items = statement.query_map([], parse).map_err(at_fault)?;
        loop {
            let chunk: Vec<T> = items.by_ref().take(CHUNK).collect::<Result<_, _>>().map_err(at_fault)?;
            if chunk.is_empty() {
                return Ok(());
            }
            visit(&chunk)?;
        }
    }
}

/// Refuses a damaged file and a log with a hole. Gives the numbers of streams and records.
fn verify(connection: &Connection, path: &Path) -> Result<(u64, u64), StoreError> {
    let at_fault = |e| fault(path, e);
    let said: String =
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(at_fault)?;
    if said != "ok" {
        return Err(StoreError::Corrupt { reason: said, source: None });
    }
    let mut gaps = connection.prepare(FIRST_GAP).map_err(at_fault)?;
    let mut found = gaps
        .query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned())))
        .map_err(at_fault)?;
    if let Some(gap) = found.next() {
        let (stream, seq) = gap.map_err(at_fault)?;
        return Err(StoreError::LogGap { stream, seq });
    }
    let counts = "SELECT count(DISTINCT stream), count(*) FROM events";
    let count = |row: &Row<'_>, index| row.get::<_, i64>(index).map(i64::cast_unsigned);
    connection.query_row(counts, [], |row| Ok((count(row, 0)?, count(row, 1)?))).map_err(at_fault)
}
