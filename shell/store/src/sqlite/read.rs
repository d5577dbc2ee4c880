//! The SQL that reads the log, snapshots and whole tables.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Result, Row};

use crate::record::{Record, Snapshot};
use crate::row::Value;
use crate::schema::{Table, join};

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

pub(super) const ALL_RECORDS: &str =
    "SELECT stream, seq, at, recorded_at, actor, kind, body FROM events ORDER BY stream, seq";
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
