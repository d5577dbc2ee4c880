//! The store's own tables in SQLite, the caller's migrations, and whether the tables are as the schema says.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use super::fault::fault;
use super::{read, write};
use crate::error::StoreError;
use crate::log::{Group, LogHead, new_origin, salts};
use crate::record::Record;
use crate::schema::{Column, ColumnType, Migration, Schema, Table};

/// Records that get their leaves at once.
const BACKFILL: usize = 1_000;

/// `schema_version` has this name at version 0: it tells a store from any other database.
const MARK: &str = "strongroom store";

/// The log. A leaf is its record's row number, so that records are found by either name at no further cost.
const EVENTS: &str = "
CREATE TABLE events (
    leaf        INTEGER PRIMARY KEY CHECK (leaf >= 0),
    stream      TEXT    NOT NULL,
    seq         INTEGER NOT NULL CHECK (seq > 0),
    at          TEXT    NOT NULL,
    recorded_at TEXT    NOT NULL,
    actor       TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    body        TEXT    NOT NULL,
    salt        BLOB    NOT NULL CHECK (length(salt) = 16),
    leaf_hash   BLOB    NOT NULL CHECK (length(leaf_hash) = 32),
    UNIQUE (stream, seq)
) STRICT;
CREATE TABLE log_head (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    tree        BLOB    NOT NULL,
    backfilled  INTEGER NOT NULL,
    origin      TEXT    NOT NULL,
    key         TEXT,
    checkpoint  TEXT
) STRICT;
CREATE TABLE log_nodes (
    level       INTEGER NOT NULL CHECK (level BETWEEN 1 AND 7),
    place       INTEGER NOT NULL CHECK (place >= 0),
    hash        BLOB    NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (level, place)
) STRICT, WITHOUT ROWID;
";

/// Against a slip of the hand. They do not stop who means it, and `INSERT OR REPLACE` passes them: a guard against that
/// costs a tenth of an append, and the leaf of a replaced record tells of it as of any edit.
const GUARDS: &str = "
CREATE TRIGGER events_are_never_updated BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'history is never edited'); END;
CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'history is never edited'); END;
";

const BASE: &str = "
CREATE TABLE snapshots (
    stream      TEXT    NOT NULL,
    seq         INTEGER NOT NULL,
    recorded_at TEXT    NOT NULL,
    body        TEXT    NOT NULL,
    PRIMARY KEY (stream, seq)
) STRICT;
CREATE TABLE schema_version (version INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
";

/// The schema version of a database; `None` if it is empty. Refuses what is no store.
pub(super) fn version(connection: &Connection, path: &Path) -> Result<Option<u32>, StoreError> {
    let named = "SELECT count(*), count(*) FILTER (WHERE name = 'schema_version') FROM sqlite_schema";
    let (objects, ours): (i64, i64) =
        connection.query_row(named, [], |row| Ok((row.get(0)?, row.get(1)?))).map_err(|e| fault(path, e))?;
    if objects == 0 {
        return Ok(None);
    }
    let not_a_store = || StoreError::NotAStore { location: path.display().to_string() };
    if ours == 0 {
        return Err(not_a_store());
    }
    let marked = "SELECT max(version), max(name) FILTER (WHERE version = 0) FROM schema_version";
    let found: Result<(u32, Option<String>), _> =
        connection.query_row(marked, [], |row| Ok((row.get(0)?, row.get(1)?)));
    match found {
        Ok((version, Some(mark))) if mark == MARK => Ok(Some(version)),
        Err(e) if e.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseCorrupt) => Err(fault(path, e)),
        _ => Err(not_a_store()),
    }
}

/// Refuses a database that this program does not know yet.
pub(super) fn refuse_newer(found: u32, schema: &Schema) -> Result<(), StoreError> {
    let known = schema.version();
    if found > known { Err(StoreError::SchemaNewer { found, known }) } else { Ok(()) }
}

/// Creates the store's tables if they are missing and runs the migrations that are due, each in its own transaction.
pub(super) fn migrate(connection: &mut Connection, path: &Path, schema: &Schema) -> Result<(), StoreError> {
    let version = match version(connection, path)? {
        Some(version) => version,
        None => {
            let head = LogHead::new(new_origin()?);
            step(connection, path, |tx| {
                tx.execute_batch(EVENTS)?;
                tx.execute_batch(GUARDS)?;
                tx.execute_batch(BASE)?;
                write::put_head(tx, &head)?;
                tx.execute("INSERT INTO schema_version VALUES (0, ?1)", [MARK]).map(|_| 0)
            })?
        }
    };
    refuse_newer(version, schema)?;
    schema.pending(version).try_for_each(|migration| apply(connection, path, migration))
}

/// The store's own tables grow with the caller's next migration: only a newer program opens the database afterwards.
fn apply(connection: &mut Connection, path: &Path, migration: &Migration) -> Result<(), StoreError> {
    let (version, name) = (migration.version, migration.name);
    let at_fault = |e| fault(path, e);
    let behavior = TransactionBehavior::Immediate;
    let tx = connection.transaction_with_behavior(behavior).map_err(at_fault)?;
    make_leaves(&tx, path)?;
    let run = || {
        tx.execute_batch(migration.sqlite)?;
        tx.execute("INSERT INTO schema_version VALUES (?1, ?2)", (version, name)).map(|_| ())
    };
    match run().map_err(at_fault) {
        Err(StoreError::Database { source } | StoreError::Constraint { source }) => {
            Err(StoreError::MigrationFailed { version, name, source })
        }
        other => other,
    }?;
    tx.commit().map_err(at_fault)
}

fn has_column(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    let known = "SELECT count(*) FROM pragma_table_info('events') WHERE name = ?1";
    connection.query_row(known, [name], |row| Ok(row.get::<_, i64>(0)? > 0))
}

/// Gives every record of before a leaf, in the order in which they were written.
fn make_leaves(tx: &Transaction<'_>, path: &Path) -> Result<(), StoreError> {
    let at_fault = |e| fault(path, e);
    if has_column(tx, "leaf").map_err(at_fault)? {
        return Ok(());
    }
    let mut head = LogHead { backfilled: u64::MAX, ..LogHead::new(new_origin()?) };
    if !has_column(tx, "actor").map_err(at_fault)? {
        let actor = "ALTER TABLE events ADD COLUMN actor TEXT NOT NULL DEFAULT ''";
        tx.execute_batch(actor).map_err(at_fault)?;
    }
    tx.execute_batch(
        "DROP TRIGGER events_are_never_updated; DROP TRIGGER events_are_never_deleted;
        DROP TRIGGER IF EXISTS events_are_never_replaced; ALTER TABLE events RENAME TO events_before;",
    )
    .map_err(at_fault)?;
    tx.execute_batch(EVENTS).map_err(at_fault)?;
    {
        let old = "SELECT stream, seq, at, recorded_at, actor, kind, body FROM events_before ORDER BY rowid";
        let mut statement = tx.prepare(old).map_err(at_fault)?;
        let mut records = statement.query_map([], read::record).map_err(at_fault)?;
        loop {
            let chunk: Vec<Record> =
                records.by_ref().take(BACKFILL).collect::<Result<_, _>>().map_err(at_fault)?;
            if chunk.is_empty() {
                break;
            }
            let group = Group::behind(&head, &chunk, &salts(chunk.len())?)?;
            write::insert_records(tx, &chunk, &group.leaves).map_err(at_fault)?;
            write::insert_nodes(tx, &group.nodes).map_err(at_fault)?;
            head = group.head;
        }
    }
    head.backfilled = head.size();
    write::put_head(tx, &head).map_err(at_fault)?;
    tx.execute_batch("DROP TABLE events_before").map_err(at_fault)?;
    tx.execute_batch(GUARDS).map_err(at_fault)
}

fn step<T>(
    connection: &mut Connection,
    path: &Path,
    work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
) -> Result<T, StoreError> {
    let run = || {
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = work(&tx)?;
        tx.commit()?;
        Ok(value)
    };
    run().map_err(|e| fault(path, e))
}

/// Refuses tables that are not as the schema describes them: a column of another type could alter a value.
pub(super) fn check_tables(connection: &Connection, path: &Path, schema: &Schema) -> Result<(), StoreError> {
    for table in schema.tables {
        check_table(connection, table)
            .map_err(|e| fault(path, e))?
            .map_or(Ok(()), |reason| Err(StoreError::TableDiffers { table: table.name, reason }))?;
    }
    Ok(())
}

fn check_table(connection: &Connection, table: &Table) -> rusqlite::Result<Option<String>> {
    let strict = "SELECT strict FROM pragma_table_list WHERE schema = 'main' AND name = ?1";
    match connection.query_row(strict, [table.name], |row| row.get::<_, bool>(0)).optional()? {
        None => return Ok(Some("it does not exist".into())),
        Some(false) => return Ok(Some("it is not STRICT".into())),
        Some(true) => {}
    }
    let mut statement = connection.prepare("SELECT type, pk FROM pragma_table_xinfo(?1) WHERE name = ?2")?;
    for (position, column) in (1..).zip(table.columns) {
        let found: Option<(String, i64)> = statement
            .query_row((table.name, column.name), |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let key = if position <= table.key { i64::try_from(position).unwrap_or(0) } else { 0 };
        if found != Some((sql_type(column).to_owned(), key)) {
            return Ok(Some(format!("column {:?} is {found:?}", column.name)));
        }
    }
    Ok(None)
}

fn sql_type(column: &Column) -> &'static str {
    match column.kind {
        ColumnType::Integer => "INTEGER",
        ColumnType::Text | ColumnType::Decimal | ColumnType::Date | ColumnType::Instant => "TEXT",
    }
}
