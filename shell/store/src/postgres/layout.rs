//! The store's own tables in PostgreSQL, the caller's migrations, and whether the tables are as the schema says.

use ::postgres::{Client, Error, GenericClient, Transaction};

use super::connect::LONG_TRANSACTION;
use super::fault::{commit_fault, fault};
use crate::error::StoreError;
use crate::schema::{Column, ColumnType, Migration, Schema, Table};

/// `schema_version` has this name at version 0: it tells a store from any other database.
const MARK: &str = "strongroom store";

/// Streams sort by bytes, as in SQLite, whatever the language of the database.
const BASE: &str = r#"
CREATE TABLE events (
    stream      TEXT   NOT NULL COLLATE "C",
    seq         BIGINT NOT NULL CHECK (seq > 0),
    at          TEXT   NOT NULL,
    recorded_at TEXT   NOT NULL,
    actor       TEXT   NOT NULL,
    kind        TEXT   NOT NULL,
    body        TEXT   NOT NULL,
    CONSTRAINT events_pkey PRIMARY KEY (stream, seq)
);
CREATE FUNCTION history_is_never_edited() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'history is never edited' USING ERRCODE = 'restrict_violation'; END $$;
CREATE TRIGGER events_are_never_edited BEFORE UPDATE OR DELETE ON events
    FOR EACH ROW EXECUTE FUNCTION history_is_never_edited();
CREATE TRIGGER events_are_never_truncated BEFORE TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_never_edited();
CREATE TABLE snapshots (
    stream      TEXT   NOT NULL COLLATE "C",
    seq         BIGINT NOT NULL,
    recorded_at TEXT   NOT NULL,
    body        TEXT   NOT NULL,
    PRIMARY KEY (stream, seq)
);
CREATE TABLE schema_version (version INTEGER PRIMARY KEY, name TEXT NOT NULL);
"#;

/// One program migrates a database at a time. The number is "strong" in ASCII.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(126943973305959)";

/// Tables of extensions do not make a database somebody else's.
const TABLES: &str = "SELECT count(*), count(*) FILTER (WHERE relname = 'schema_version') FROM pg_class
    WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) AND relkind IN ('r', 'p')
    AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')";

/// The type of a column, and its place in the primary key or 0. An `int2vector` counts from 0.
const COLUMN: &str = "SELECT format_type(a.atttypid, a.atttypmod),
        coalesce(array_position(i.indkey::int2[], a.attnum) + 1, 0)
    FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
    WHERE a.attrelid = to_regclass(format('%I.%I', current_schema(), $1::text))
    AND a.attname = $2 AND NOT a.attisdropped";

/// The schema version of a database; `None` if it is empty. Refuses what is no store.
pub(super) fn version(client: &mut impl GenericClient, location: &str) -> Result<Option<u32>, StoreError> {
    let count = |client: &mut _| -> Result<(i64, i64), Error> {
        let row = GenericClient::query_one(client, TABLES, &[])?;
        Ok((row.try_get(0)?, row.try_get(1)?))
    };
    let (tables, ours) = count(client).map_err(|e| fault(location, e))?;
    if tables == 0 {
        return Ok(None);
    }
    let not_a_store = || StoreError::NotAStore { location: location.to_owned() };
    if ours == 0 {
        return Err(not_a_store());
    }
    let marked = "SELECT max(version)::int8, max(name) FILTER (WHERE version = 0) FROM schema_version";
    let row = client.query_one(marked, &[]).map_err(|e| match fault(location, e) {
        StoreError::Database { .. } => not_a_store(),
        other => other,
    })?;
    match (row.try_get::<_, Option<i64>>(0), row.try_get::<_, Option<String>>(1)) {
        (Ok(Some(version)), Ok(Some(mark))) if mark == MARK => {
            u32::try_from(version).map(Some).map_err(|_| not_a_store())
        }
        _ => Err(not_a_store()),
    }
}

/// Refuses a database that this program does not know yet.
pub(super) fn refuse_newer(found: u32, schema: &Schema) -> Result<(), StoreError> {
    let known = schema.version();
    if found > known { Err(StoreError::SchemaNewer { found, known }) } else { Ok(()) }
}

/// Creates the store's tables if they are missing and runs the migrations that are due, each in its own transaction.
/// Several programs may start at once: each step looks again once it holds the lock.
pub(super) fn migrate(client: &mut Client, location: &str, schema: &Schema) -> Result<(), StoreError> {
    while version(client, location)? != Some(schema.version()) {
        let mut tx = client.transaction().map_err(|e| fault(location, e))?;
        tx.batch_execute(LONG_TRANSACTION).map_err(|e| fault(location, e))?;
        tx.batch_execute(MIGRATION_LOCK).map_err(|e| fault(location, e))?;
        match version(&mut tx, location)? {
            None => create(&mut tx).map_err(|e| fault(location, e))?,
            Some(found) => {
                refuse_newer(found, schema)?;
                let next = schema.pending(found).next();
                next.map_or(Ok(()), |migration| apply(&mut tx, location, migration))?;
            }
        }
        tx.commit().map_err(|e| commit_fault(location, e))?;
    }
    Ok(())
}

fn create(tx: &mut Transaction<'_>) -> Result<(), Error> {
    tx.batch_execute(BASE)?;
    tx.execute("INSERT INTO schema_version VALUES (0, $1)", &[&MARK]).map(|_| ())
}

fn apply(tx: &mut Transaction<'_>, location: &str, migration: &Migration) -> Result<(), StoreError> {
    let (version, name) = (migration.version, migration.name);
    let mut run = || {
        // The store's own tables grow with the caller's next migration: only a newer program opens it afterwards.
        tx.batch_execute("ALTER TABLE events ADD COLUMN IF NOT EXISTS actor TEXT NOT NULL DEFAULT ''")?;
        tx.batch_execute(migration.postgres)?;
        tx.execute("INSERT INTO schema_version VALUES ($1::int8::int, $2)", &[&i64::from(version), &name])
    };
    match run().map_err(|e| fault(location, e)) {
        Err(StoreError::Database { source } | StoreError::Constraint { source }) => {
            Err(StoreError::MigrationFailed { version, name, source })
        }
        other => other.map(|_| ()),
    }
}

/// Refuses tables that are not as the schema describes them: a column of another type could alter a value.
pub(super) fn check_tables(client: &mut Client, location: &str, schema: &Schema) -> Result<(), StoreError> {
    let statement = client.prepare(COLUMN).map_err(|e| fault(location, e))?;
    for table in schema.tables {
        for (place, column) in (1..).zip(table.columns) {
            let row = client.query_opt(&statement, &[&table.name, &column.name]);
            let found = row.and_then(|row| row.map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).transpose());
            check_column(table, place, column, found.map_err(|e| fault(location, e))?)?;
        }
    }
    Ok(())
}

fn check_column(
    table: &Table,
    place: usize,
    column: &Column,
    found: Option<(String, i32)>,
) -> Result<(), StoreError> {
    let key = if place <= table.key { i32::try_from(place).unwrap_or(0) } else { 0 };
    if found == Some((sql_type(column).to_owned(), key)) {
        return Ok(());
    }
    Err(StoreError::TableDiffers {
        table: table.name,
        reason: format!("column {:?} is {found:?}", column.name),
    })
}

pub(super) fn sql_type(column: &Column) -> &'static str {
    match column.kind {
        ColumnType::Text => "text",
        ColumnType::Integer => "bigint",
        ColumnType::Decimal => "numeric",
        ColumnType::Date => "date",
        ColumnType::Instant => "timestamp with time zone",
    }
}
