//! The store's own tables in PostgreSQL, the caller's migrations, and whether the tables are as the schema says.

use ::postgres::{Client, Error, GenericClient, Transaction};

use super::connect::LONG_TRANSACTION;
use super::fault::{commit_fault, fault};
use super::{read, write};
use crate::error::StoreError;
use crate::log::{Group, LogHead, new_origin, salts};
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
    leaf        BIGINT NOT NULL CONSTRAINT events_leaf_key UNIQUE CHECK (leaf >= 0),
    salt        BYTEA  NOT NULL CHECK (length(salt) = 16),
    leaf_hash   BYTEA  NOT NULL CHECK (length(leaf_hash) = 32),
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

/// What a log has beside its events. `verifiers` is no history: who looks, how far, and when.
const LOG: &str = "
CREATE TABLE log_head (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    tree        BYTEA   NOT NULL,
    backfilled  BIGINT  NOT NULL,
    origin      TEXT    NOT NULL,
    key         TEXT,
    checkpoint  TEXT
);
CREATE TABLE log_nodes (
    level       BIGINT  NOT NULL CHECK (level BETWEEN 1 AND 7),
    place       BIGINT  NOT NULL CHECK (place >= 0),
    hash        BYTEA   NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (level, place)
);
CREATE TABLE verifiers (
    name        TEXT        PRIMARY KEY,
    seen        BIGINT      NOT NULL,
    nonces      TEXT        NOT NULL,
    renewed_at  TIMESTAMPTZ NOT NULL
);
";

/// Leaves for records of before; filled in, and then as [`BASE`] has them.
const ADD_LEAVES: &str = "
ALTER TABLE events ADD COLUMN IF NOT EXISTS actor TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN leaf BIGINT, ADD COLUMN salt BYTEA, ADD COLUMN leaf_hash BYTEA;
ALTER TABLE events DISABLE TRIGGER events_are_never_edited;
CREATE TEMPORARY TABLE leaf_order ON COMMIT DROP AS
    SELECT stream, seq, row_number() OVER (ORDER BY recorded_at, stream, seq) - 1 AS leaf FROM events;
CREATE UNIQUE INDEX ON leaf_order (leaf);
";
const SET_LEAVES: &str = "UPDATE events SET leaf = given.leaf, salt = given.salt, leaf_hash = given.leaf_hash
    FROM unnest($1::text[], $2::int8[], $3::int8[], $4::bytea[], $5::bytea[]) AS given(stream, seq, leaf, salt, leaf_hash)
    WHERE events.stream = given.stream AND events.seq = given.seq";
const KEEP_LEAVES: &str = "
ALTER TABLE events ENABLE TRIGGER events_are_never_edited;
ALTER TABLE events
    ALTER COLUMN leaf SET NOT NULL, ALTER COLUMN salt SET NOT NULL, ALTER COLUMN leaf_hash SET NOT NULL,
    ADD CONSTRAINT events_leaf_key UNIQUE (leaf), ADD CHECK (leaf >= 0), ADD CHECK (length(salt) = 16),
    ADD CHECK (length(leaf_hash) = 32);
";

/// Records that get their leaves at once.
const BACKFILL: i64 = 1_000;

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
            None => create(&mut tx, &LogHead::new(new_origin()?)).map_err(|e| fault(location, e))?,
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

fn create(tx: &mut Transaction<'_>, head: &LogHead) -> Result<(), Error> {
    tx.batch_execute(BASE)?;
    tx.batch_execute(LOG)?;
    write::put_head(tx, head)?;
    tx.execute("INSERT INTO schema_version VALUES (0, $1)", &[&MARK]).map(|_| ())
}

fn apply(tx: &mut Transaction<'_>, location: &str, migration: &Migration) -> Result<(), StoreError> {
    let (version, name) = (migration.version, migration.name);
    make_leaves(tx, location)?;
    let mut run = || {
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

/// Gives every record of before a leaf, in the order in which they were written. The store's own tables grow with the
/// caller's next migration: only a newer program opens the database afterwards.
fn make_leaves(tx: &mut Transaction<'_>, location: &str) -> Result<(), StoreError> {
    let at_fault = |e| fault(location, e);
    let known = "SELECT 1 FROM pg_attribute WHERE attrelid = 'events'::regclass AND attname = 'leaf'";
    if tx.query_opt(known, &[]).map_err(at_fault)?.is_some() {
        return Ok(());
    }
    tx.batch_execute(LOG).map_err(at_fault)?;
    tx.batch_execute(ADD_LEAVES).map_err(at_fault)?;
    let mut head = LogHead { backfilled: u64::MAX, ..LogHead::new(new_origin()?) };
    let chunk_sql = "SELECT events.stream, events.seq, at, recorded_at, actor, kind, body
        FROM leaf_order JOIN events USING (stream, seq)
        WHERE leaf_order.leaf >= $1 AND leaf_order.leaf < $1 + $2 ORDER BY leaf_order.leaf";
    loop {
        let from = head.size().cast_signed();
        let rows = tx.query(chunk_sql, &[&from, &BACKFILL]).map_err(at_fault)?;
        let records = rows.iter().map(read::record).collect::<Result<Vec<_>, _>>().map_err(at_fault)?;
        if records.is_empty() {
            break;
        }
        let group = Group::behind(&head, &records, &salts(records.len())?)?;
        write::set_leaves(tx, SET_LEAVES, &records, &group.leaves).map_err(at_fault)?;
        write::insert_nodes(tx, &group.nodes).map_err(at_fault)?;
        head = group.head;
    }
    head.backfilled = head.size();
    write::put_head(tx, &head).map_err(at_fault)?;
    tx.batch_execute(KEEP_LEAVES).map_err(at_fault)
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
