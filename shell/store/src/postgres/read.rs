//! The SQL that reads the log, snapshots and whole tables.

use ::postgres::{Client, Error, GenericClient, Row};

use super::statements::Statements;
use crate::log::{Leaf, LogHead, Logged, NodeRow};
use crate::record::{Record, Snapshot};
use crate::row::Value;
use crate::schema::{Column, ColumnType, Table, join};
use crate::verifier::Verifier;
use strongroom_audit::{Hash, Tree};

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

pub(super) const ALL_LOGGED: &str =
    "SELECT stream, seq, at, recorded_at, actor, kind, body, leaf, salt, leaf_hash FROM events ORDER BY leaf";
pub(super) const ALL_NODES: &str = "SELECT level, place, hash FROM log_nodes ORDER BY level, place";
const LOG_HEAD: &str = "SELECT tree, backfilled, origin, key, checkpoint FROM log_head";
/// The lock that gives every commit its place in the log.
const LOG_HEAD_TO_WRITE: &str = "SELECT tree, backfilled, origin, key, checkpoint FROM log_head FOR UPDATE";

pub(super) fn log_head(
    client: &mut impl GenericClient,
    statements: &mut Statements,
    to_write: bool,
) -> Result<LogHead, Error> {
    let statement = statements.get(client, if to_write { LOG_HEAD_TO_WRITE } else { LOG_HEAD })?;
    let row = client.query_one(&statement, &[])?;
    Ok(LogHead {
        // A tree that fits no size is an empty one, which no leaf leads to.
        tree: Tree::from_bytes(row.try_get(0)?).unwrap_or_default(),
        backfilled: number(&row, 1)?,
        origin: row.try_get(2)?,
        key: row.try_get(3)?,
        checkpoint: row.try_get(4)?,
    })
}

pub(super) fn logged(row: &Row) -> Result<Logged, Error> {
    Ok(Logged { record: record(row)?, leaf: leaf_at(row, 7)? })
}

pub(super) fn node(row: &Row) -> Result<NodeRow, Error> {
    Ok(NodeRow { level: row.try_get(0)?, place: row.try_get(1)?, hash: hash(row, 2)? })
}

/// The columns have checks of their lengths.
fn hash(row: &Row, index: usize) -> Result<Hash, Error> {
    Ok(Hash::from_slice(row.try_get(index)?).unwrap_or(Hash::new([0; 32])))
}

fn leaf_at(row: &Row, index: usize) -> Result<Leaf, Error> {
    let salt: &[u8] = row.try_get(index + 1)?;
    Ok(Leaf {
        index: number(row, index)?,
        salt: salt.try_into().unwrap_or_default(),
        hash: hash(row, index + 2)?,
    })
}

pub(super) fn leaf(
    client: &mut Client,
    statements: &mut Statements,
    stream: &str,
    seq: i64,
) -> Result<Option<Leaf>, Error> {
    let statement =
        statements.get(client, "SELECT leaf, salt, leaf_hash FROM events WHERE stream = $1 AND seq = $2")?;
    client.query_opt(&statement, &[&stream, &seq])?.as_ref().map(|row| leaf_at(row, 0)).transpose()
}

pub(super) fn logged_from(
    client: &mut Client,
    statements: &mut Statements,
    from: i64,
    limit: i64,
) -> Result<Vec<Logged>, Error> {
    let sql = "SELECT stream, seq, at, recorded_at, actor, kind, body, leaf, salt, leaf_hash FROM events
        WHERE leaf >= $1 ORDER BY leaf LIMIT $2";
    let statement = statements.get(client, sql)?;
    client.query(&statement, &[&from, &limit])?.iter().map(logged).collect()
}

pub(super) fn leaf_hashes(
    client: &mut Client,
    statements: &mut Statements,
    from: i64,
    limit: i64,
) -> Result<Vec<Hash>, Error> {
    let sql = "SELECT leaf_hash FROM events WHERE leaf >= $1 AND leaf < $1 + $2 ORDER BY leaf";
    let statement = statements.get(client, sql)?;
    client.query(&statement, &[&from, &limit])?.iter().map(|row| hash(row, 0)).collect()
}

pub(super) fn nodes(
    client: &mut Client,
    statements: &mut Statements,
    level: i64,
    from: i64,
    limit: i64,
) -> Result<Vec<Hash>, Error> {
    let sql =
        "SELECT hash FROM log_nodes WHERE level = $1 AND place >= $2 AND place < $2 + $3 ORDER BY place";
    let statement = statements.get(client, sql)?;
    client.query(&statement, &[&level, &from, &limit])?.iter().map(|row| hash(row, 0)).collect()
}

pub(super) fn all_nodes(client: &mut Client) -> Result<Vec<NodeRow>, Error> {
    client.query(ALL_NODES, &[])?.iter().map(node).collect()
}

pub(super) fn row(client: &mut Client, table: &Table, key: &[Value]) -> Result<Option<Vec<Value>>, Error> {
    let texts: Vec<String> = table.columns.iter().map(canonical).collect();
    let same = (1..).zip(table.key_columns()).map(|(place, column)| match column.kind {
        ColumnType::Integer => format!("\"{}\" = ${place}::int8", column.name),
        _ => format!("\"{}\" = ${place}::text::{}", column.name, super::layout::sql_type(column)),
    });
    let same = same.collect::<Vec<_>>().join(" AND ");
    let sql = format!("SELECT {} FROM \"{}\" WHERE {same}", texts.join(", "), table.name);
    let params: Vec<&(dyn ::postgres::types::ToSql + Sync)> = key
        .iter()
        .map(|value| match value {
            Value::Integer(number) => number as &(dyn ::postgres::types::ToSql + Sync),
            Value::Text(text) => text,
            Value::Null => &None::<String>,
        })
        .collect();
    client.query_opt(&sql, &params)?.as_ref().map(|row| values(row, table)).transpose()
}

/// Notes a verifier and gives the end of the stream that it follows. The note need not outlive a crash.
pub(super) fn renew(
    client: &mut Client,
    statements: &mut Statements,
    verifier: &Verifier,
    stream: &str,
) -> Result<u64, Error> {
    let note = "INSERT INTO verifiers (name, seen, nonces, renewed_at) VALUES ($1, $2, $3, clock_timestamp())
        ON CONFLICT (name) DO UPDATE SET seen = excluded.seen, nonces = excluded.nonces, renewed_at = excluded.renewed_at";
    let mut tx = client.transaction()?;
    tx.batch_execute("SET LOCAL synchronous_commit = off")?;
    let note = statements.get(&mut tx, note)?;
    tx.execute(&note, &[&verifier.name, &verifier.seen.cast_signed(), &verifier.window])?;
    tx.commit()?;
    // After the commit: whoever writes to the stream from now on finds the note.
    Ok(heads(client, statements, &[stream])?.first().copied().unwrap_or(0))
}

pub(super) fn verifiers(client: &mut Client) -> Result<Vec<(Verifier, u64)>, Error> {
    let sql = "SELECT name, seen, nonces,
        greatest(0, extract(epoch FROM clock_timestamp() - renewed_at) * 1000)::int8 FROM verifiers ORDER BY name";
    let verifier = |row: &Row| {
        let verifier = Verifier { name: row.try_get(0)?, seen: number(row, 1)?, window: row.try_get(2)? };
        Ok((verifier, number(row, 3)?))
    };
    client.query(sql, &[])?.iter().map(verifier).collect()
}

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
