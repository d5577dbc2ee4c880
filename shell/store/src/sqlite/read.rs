//! The SQL that reads the log, snapshots and whole tables.

use rusqlite::types::{FromSqlError, ValueRef};
use rusqlite::{Connection, OptionalExtension, Result, Row};

use crate::log::{Leaf, LogHead, Logged, NodeRow};
use crate::record::{Record, Snapshot};
use crate::row::Value;
use crate::schema::{Table, join};
use strongroom_audit::{Hash, Tree};

/// Jumps from stream to stream through the primary key; `SELECT DISTINCT` would visit every record.
const STREAMS: &str = "WITH RECURSIVE names(stream) AS (
        SELECT min(stream) FROM events
        UNION ALL
        SELECT (SELECT min(stream) FROM events WHERE stream > names.stream) FROM names WHERE stream IS NOT NULL
    ) SELECT stream FROM names WHERE stream IS NOT NULL";

pub(super) fn records(
    connection: &Connection,
    stream: &str,
    from_seq: i64,
    limit: i64,
) -> Result<Vec<Record>> {
    let sql = "SELECT stream, seq, at, recorded_at, actor, kind, body FROM events
        WHERE stream = ?1 AND seq >= ?2 ORDER BY seq LIMIT ?3";
    connection.prepare_cached(sql)?.query_map((stream, from_seq, limit), record)?.collect()
}

pub(super) fn head(connection: &Connection, stream: &str) -> Result<u64> {
    let sql = "SELECT coalesce(max(seq), 0) FROM events WHERE stream = ?1";
    connection.prepare_cached(sql)?.query_row([stream], |row| row.get::<_, i64>(0).map(i64::cast_unsigned))
}

pub(super) fn streams(connection: &Connection) -> Result<Vec<String>> {
    connection.prepare_cached(STREAMS)?.query_map([], |row| row.get(0))?.collect()
}

pub(super) fn latest_snapshot(connection: &Connection, stream: &str) -> Result<Option<Snapshot>> {
    let sql =
        "SELECT stream, seq, recorded_at, body FROM snapshots WHERE stream = ?1 ORDER BY seq DESC LIMIT 1";
    connection.prepare_cached(sql)?.query_row([stream], snapshot).optional()
}

pub(super) const ALL_LOGGED: &str =
    "SELECT stream, seq, at, recorded_at, actor, kind, body, leaf, salt, leaf_hash FROM events ORDER BY leaf";
pub(super) const ALL_NODES: &str = "SELECT level, place, hash FROM log_nodes ORDER BY level, place";

pub(super) const ALL_SNAPSHOTS: &str =
    "SELECT stream, seq, recorded_at, body FROM snapshots ORDER BY stream, seq";

pub(super) fn all_rows_sql(table: &Table) -> String {
    let names = join(table.columns, ", ", str::to_owned);
    format!(
        "SELECT {names} FROM \"{}\" ORDER BY {}",
        table.name,
        join(table.key_columns(), ", ", str::to_owned)
    )
}

pub(super) fn row(connection: &Connection, table: &Table, key: &[Value]) -> Result<Option<Vec<Value>>> {
    let names = join(table.columns, ", ", str::to_owned);
    let same = join(table.key_columns(), " AND ", |name| format!("{name} = ?"));
    let sql = format!("SELECT {names} FROM \"{}\" WHERE {same}", table.name);
    let mut statement = connection.prepare_cached(&sql)?;
    statement.query_row(rusqlite::params_from_iter(key), |row| values(row, table)).optional()
}

/// The rows whose first column is `first`, or all.
pub(super) fn rows(connection: &Connection, table: &Table, first: Option<&str>) -> Result<Vec<Vec<Value>>> {
    let Some(first) = first else {
        let mut statement = connection.prepare_cached(&all_rows_sql(table))?;
        return statement.query_map([], |row| values(row, table))?.collect();
    };
    let sql = format!("SELECT * FROM ({}) WHERE {} = ?1", all_rows_sql(table), first_column(table));
    connection.prepare_cached(&sql)?.query_map([first], |row| values(row, table))?.collect()
}

fn first_column(table: &Table) -> String {
    join(table.key_columns().get(..1).unwrap_or_default(), "", str::to_owned)
}

pub(super) fn record(row: &Row<'_>) -> Result<Record> {
    Ok(Record {
        stream: row.get(0)?,
        seq: row.get::<_, i64>(1)?.cast_unsigned(),
        at: row.get(2)?,
        recorded_at: row.get(3)?,
        actor: row.get(4)?,
        kind: row.get(5)?,
        body: row.get(6)?,
    })
}

pub(super) fn logged(row: &Row<'_>) -> Result<Logged> {
    let leaf = Leaf { index: row.get::<_, i64>(7)?.cast_unsigned(), salt: row.get(8)?, hash: hash(row, 9)? };
    Ok(Logged { record: record(row)?, leaf })
}

pub(super) fn node(row: &Row<'_>) -> Result<NodeRow> {
    Ok(NodeRow { level: row.get(0)?, place: row.get(1)?, hash: hash(row, 2)? })
}

fn hash(row: &Row<'_>, index: usize) -> Result<Hash> {
    Ok(Hash::new(row.get(index)?))
}

pub(super) fn log_head(connection: &Connection) -> Result<LogHead> {
    let sql = "SELECT tree, backfilled, origin, key, checkpoint FROM log_head";
    connection.prepare_cached(sql)?.query_row([], |row| {
        let tree = Tree::from_bytes(row.get_ref(0)?.as_bytes()?);
        Ok(LogHead {
            tree: tree.map_err(FromSqlError::other)?,
            backfilled: row.get::<_, i64>(1)?.cast_unsigned(),
            origin: row.get(2)?,
            key: row.get(3)?,
            checkpoint: row.get(4)?,
        })
    })
}

pub(super) fn leaf(connection: &Connection, stream: &str, seq: i64) -> Result<Option<Leaf>> {
    let sql = "SELECT leaf, salt, leaf_hash FROM events WHERE stream = ?1 AND seq = ?2";
    let leaf = |row: &Row<'_>| {
        Ok(Leaf { index: row.get::<_, i64>(0)?.cast_unsigned(), salt: row.get(1)?, hash: hash(row, 2)? })
    };
    connection.prepare_cached(sql)?.query_row((stream, seq), leaf).optional()
}

/// Records by their leaves, from one up to another.
pub(super) const LOGGED: &str =
    "SELECT stream, seq, at, recorded_at, actor, kind, body, leaf, salt, leaf_hash FROM events
    WHERE leaf >= ?1 AND leaf < ?2 ORDER BY leaf";

pub(super) fn logged_from(connection: &Connection, from: i64, limit: i64) -> Result<Vec<Logged>> {
    let sql = "SELECT stream, seq, at, recorded_at, actor, kind, body, leaf, salt, leaf_hash FROM events
        WHERE leaf >= ?1 ORDER BY leaf LIMIT ?2";
    connection.prepare_cached(sql)?.query_map((from, limit), logged)?.collect()
}

pub(super) fn leaf_hashes(connection: &Connection, from: i64, limit: i64) -> Result<Vec<Hash>> {
    let sql = "SELECT leaf_hash FROM events WHERE leaf >= ?1 AND leaf < ?1 + ?2 ORDER BY leaf";
    connection.prepare_cached(sql)?.query_map((from, limit), |row| hash(row, 0))?.collect()
}

pub(super) fn nodes(connection: &Connection, level: i64, from: i64, limit: i64) -> Result<Vec<Hash>> {
    let sql =
        "SELECT hash FROM log_nodes WHERE level = ?1 AND place >= ?2 AND place < ?2 + ?3 ORDER BY place";
    connection.prepare_cached(sql)?.query_map((level, from, limit), |row| hash(row, 0))?.collect()
}

pub(super) fn all_nodes(connection: &Connection) -> Result<Vec<NodeRow>> {
    connection.prepare(ALL_NODES)?.query_map([], node)?.collect()
}

pub(super) fn snapshot(row: &Row<'_>) -> Result<Snapshot> {
    Ok(Snapshot {
        stream: row.get(0)?,
        seq: row.get::<_, i64>(1)?.cast_unsigned(),
        recorded_at: row.get(2)?,
        body: row.get(3)?,
    })
}

pub(super) fn values(row: &Row<'_>, table: &Table) -> Result<Vec<Value>> {
    (0..table.columns.len()).map(|index| value(row, index)).collect()
}

fn value(row: &Row<'_>, index: usize) -> Result<Value> {
    Ok(match row.get_ref(index)? {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        _ => Value::Text(row.get(index)?),
    })
}
