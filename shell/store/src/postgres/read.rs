//! The SQL that reads the log, snapshots and whole tables.

use ::postgres::{Client, Error, GenericClient, Row};

use super::statements::Statements;
use crate::record::{Record, Snapshot};
use crate::row::Value;
use crate::schema::{Column, ColumnType, Table, join};

const HEADS: &str = "SELECT coalesce((SELECT max(seq) FROM events WHERE events.stream = asked.stream), 0)
    FROM unnest($1::text[]) WITH ORDINALITY AS asked(stream, place) ORDER BY place";

/// Jumps from stream to stream through the primary key; `SELECT DISTINCT` would visit every record.
const STREAMS: &str = "WITH RECURSIVE names(stream) AS (
        SELECT min(stream) FROM events
        UNION ALL
        SELECT (SELECT min(stream) FROM events WHERE stream > names.stream) FROM names WHERE stream IS NOT NULL
    ) SELECT stream FROM names WHERE stream IS NOT NULL";

pub(super) fn records(
    client: &mut Client,
    statements: &mut Statements,
    stream: &str,
    from_seq: i64,
    limit: i64,
) -> Result<Vec<Record>, Error> {
    let sql = "SELECT stream, seq, at, recorded_at, actor, kind, body FROM events
        WHERE stream = $1 AND seq >= $2 ORDER BY seq LIMIT $3";
    let statement = statements.get(client, sql)?;
    client.query(&statement, &[&stream, &from_seq, &limit])?.iter().map(record).collect()
}

/// The last sequence number of each stream, in the order of the streams; 0 for an empty one.
pub(super) fn heads(
    client: &mut impl GenericClient,
    statements: &mut Statements,
    streams: &[&str],
) -> Result<Vec<u64>, Error> {
    let statement = statements.get(client, HEADS)?;
    client.query(&statement, &[&streams])?.iter().map(|row| number(row, 0)).collect()
}

pub(super) fn streams(client: &mut Client, statements: &mut Statements) -> Result<Vec<String>, Error> {
    let statement = statements.get(client, STREAMS)?;
    client.query(&statement, &[])?.iter().map(|row| row.try_get(0)).collect()
}

pub(super) fn latest_snapshot(
    client: &mut Client,
    statements: &mut Statements,
    stream: &str,
) -> Result<Option<Snapshot>, Error> {
    let sql =
        "SELECT stream, seq, recorded_at, body FROM snapshots WHERE stream = $1 ORDER BY seq DESC LIMIT 1";
    let statement = statements.get(client, sql)?;
    client.query_opt(&statement, &[&stream])?.as_ref().map(snapshot).transpose()
}

pub(super) const ALL_RECORDS: &str =
    "SELECT stream, seq, at, recorded_at, actor, kind, body FROM events ORDER BY stream, seq";
pub(super) const ALL_SNAPSHOTS: &str =
    "SELECT stream, seq, recorded_at, body FROM snapshots ORDER BY stream, seq";

pub(super) fn all_rows_sql(table: &Table) -> String {
    let texts: Vec<String> = table.columns.iter().map(canonical).collect();
    let key = join(table.key_columns(), ", ", str::to_owned);
    format!("SELECT {} FROM \"{}\" ORDER BY {key}", texts.join(", "), table.name)
}

/// The rows whose first column is `first`, or all.
pub(super) fn rows(
    client: &mut Client,
    table: &Table,
    first: Option<&str>,
) -> Result<Vec<Vec<Value>>, Error> {
    let sql = all_rows_sql(table);
    let found = match first {
        None => client.query(&sql, &[])?,
        Some(first) => {
            let name = join(table.key_columns().get(..1).unwrap_or_default(), "", str::to_owned);
            let sql = sql.replacen(" ORDER BY ", &format!(" WHERE {name} = $1 ORDER BY "), 1);
            client.query(&sql, &[&first])?
        }
    };
    found.iter().map(|row| values(row, table)).collect()
}

/// The expression that gives a column's canonical value; see `ColumnType`.
fn canonical(column: &Column) -> String {
    let name = column.name;
    match column.kind {
        ColumnType::Text | ColumnType::Integer => format!("\"{name}\""),
        ColumnType::Decimal => format!("\"{name}\"::text"),
        ColumnType::Date => format!("to_char(\"{name}\", 'YYYY-MM-DD')"),
        ColumnType::Instant => format!(
            "rtrim(rtrim(to_char(\"{name}\" AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US'), '0'), '.') || 'Z'"
        ),
    }
}

pub(super) fn record(row: &Row) -> Result<Record, Error> {
    Ok(Record {
        stream: row.try_get(0)?,
        seq: number(row, 1)?,
        at: row.try_get(2)?,
        recorded_at: row.try_get(3)?,
        actor: row.try_get(4)?,
        kind: row.try_get(5)?,
        body: row.try_get(6)?,
    })
}

pub(super) fn snapshot(row: &Row) -> Result<Snapshot, Error> {
    Ok(Snapshot {
        stream: row.try_get(0)?,
        seq: number(row, 1)?,
        recorded_at: row.try_get(2)?,
        body: row.try_get(3)?,
    })
}

pub(super) fn values(row: &Row, table: &Table) -> Result<Vec<Value>, Error> {
    table.columns.iter().enumerate().map(|(index, column)| value(row, index, column)).collect()
}

fn value(row: &Row, index: usize, column: &Column) -> Result<Value, Error> {
    Ok(match column.kind {
        ColumnType::Integer => row.try_get::<_, Option<i64>>(index)?.map_or(Value::Null, Value::Integer),
        _ => row.try_get::<_, Option<String>>(index)?.map_or(Value::Null, Value::Text),
    })
}

fn number(row: &Row, index: usize) -> Result<u64, Error> {
    row.try_get::<_, i64>(index).map(i64::cast_unsigned)
}
