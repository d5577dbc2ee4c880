//! The SQL that adds records, rows and snapshots. Transactions are the caller's.
//!
//! A statement takes any number of rows as one array a column, so a batch costs a few round trips, not one a row.

use ::postgres::types::ToSql;
use ::postgres::{Error, Transaction};

use super::layout::sql_type;
use super::statements::Statements;
use crate::log::{Leaf, LogHead, NodeRow};
use crate::record::{Record, Snapshot};
use crate::row::{TablePlan, Value};
use crate::schema::{Column, ColumnType, Table, join};

const INSERT_RECORDS: &str =
    "INSERT INTO events (stream, seq, at, recorded_at, actor, kind, body, leaf, salt, leaf_hash)
    SELECT * FROM unnest($1::text[], $2::int8[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
        $8::int8[], $9::bytea[], $10::bytea[])";
const INSERT_NODES: &str = "INSERT INTO log_nodes (level, place, hash)
    SELECT * FROM unnest($1::int8[], $2::int8[], $3::bytea[])";
const PUT_HEAD: &str =
    "INSERT INTO log_head (one, tree, backfilled, origin, key, checkpoint) VALUES (1, $1, $2, $3, $4, $5)
    ON CONFLICT (one) DO UPDATE SET tree = excluded.tree, backfilled = excluded.backfilled,
    origin = excluded.origin, key = excluded.key, checkpoint = excluded.checkpoint";
const UPSERT_SNAPSHOT: &str = "INSERT INTO snapshots (stream, seq, recorded_at, body) VALUES ($1, $2, $3, $4)
    ON CONFLICT (stream, seq) DO UPDATE SET recorded_at = excluded.recorded_at, body = excluded.body";
const KEEP_NEWEST_TWO: &str = "DELETE FROM snapshots WHERE stream = $1 AND seq NOT IN
    (SELECT seq FROM snapshots WHERE stream = $1 ORDER BY seq DESC LIMIT 2)";

/// How many records or rows one statement takes.
const CHUNK: usize = 1_000;

pub(super) fn insert_records(
    tx: &mut Transaction<'_>,
    statements: &mut Statements,
    records: &[Record],
    leaves: &[Leaf],
) -> Result<(), Error> {
    for (chunk, leaves) in records.chunks(CHUNK).zip(leaves.chunks(CHUNK)) {
        let texts = |text: fn(&Record) -> &str| chunk.iter().map(text).collect::<Vec<&str>>();
        let seqs: Vec<i64> = chunk.iter().map(|record| record.seq.cast_signed()).collect();
        let (streams, ats) = (texts(|r| &r.stream), texts(|r| &r.at));
        let (recorded_ats, actors) = (texts(|r| &r.recorded_at), texts(|r| &r.actor));
        let (kinds, bodies) = (texts(|r| &r.kind), texts(|r| &r.body));
        let statement = statements.get(tx, INSERT_RECORDS)?;
        let (indices, salts, hashes) = leaf_columns(leaves);
        tx.execute(
            &statement,
            &[&streams, &seqs, &ats, &recorded_ats, &actors, &kinds, &bodies, &indices, &salts, &hashes],
        )?;
    }
    Ok(())
}

fn leaf_columns(leaves: &[Leaf]) -> (Vec<i64>, Vec<&[u8]>, Vec<&[u8]>) {
    (
        leaves.iter().map(|leaf| leaf.index.cast_signed()).collect(),
        leaves.iter().map(|leaf| leaf.salt.as_slice()).collect(),
        leaves.iter().map(|leaf| leaf.hash.as_bytes().as_slice()).collect(),
    )
}

/// Leaves for records that are there already, named by stream and number: five arrays in this order.
pub(super) fn set_leaves(
    tx: &mut Transaction<'_>,
    sql: &str,
    records: &[Record],
    leaves: &[Leaf],
) -> Result<(), Error> {
    let streams: Vec<&str> = records.iter().map(|record| record.stream.as_str()).collect();
    let seqs: Vec<i64> = records.iter().map(|record| record.seq.cast_signed()).collect();
    let (indices, salts, hashes) = leaf_columns(leaves);
    tx.execute(sql, &[&streams, &seqs, &indices, &salts, &hashes]).map(|_| ())
}

pub(super) fn insert_nodes(tx: &mut Transaction<'_>, nodes: &[NodeRow]) -> Result<(), Error> {
    if nodes.is_empty() {
        return Ok(());
    }
    let levels: Vec<i64> = nodes.iter().map(|node| node.level).collect();
    let places: Vec<i64> = nodes.iter().map(|node| node.place).collect();
    let hashes: Vec<&[u8]> = nodes.iter().map(|node| node.hash.as_bytes().as_slice()).collect();
    tx.execute(INSERT_NODES, &[&levels, &places, &hashes]).map(|_| ())
}

pub(super) fn put_head(tx: &mut Transaction<'_>, head: &LogHead) -> Result<(), Error> {
    let LogHead { tree, backfilled, origin, key, checkpoint } = head;
    let values: [&(dyn ToSql + Sync); 5] =
        [&tree.to_bytes(), &backfilled.cast_signed(), origin, key, checkpoint];
    tx.execute(PUT_HEAD, &values).map(|_| ())
}

/// Deletes before upserts, tables in reverse before tables in order: see the invariant of `row`.
pub(super) fn change_rows(
    tx: &mut Transaction<'_>,
    statements: &mut Statements,
    plans: &[TablePlan<'_>],
) -> Result<(), Error> {
    for plan in plans.iter().rev() {
        run(tx, statements, &delete_sql(plan.table), plan.table.key_columns(), &plan.deletes)?;
    }
    for plan in plans {
        upsert_rows(tx, statements, plan.table, &plan.upserts)?;
    }
    Ok(())
}

pub(super) fn upsert_rows(
    tx: &mut Transaction<'_>,
    statements: &mut Statements,
    table: &Table,
    rows: &[&[Value]],
) -> Result<(), Error> {
    run(tx, statements, &upsert_sql(table), table.columns, rows).map(|_| ())
}

/// Adds rows and counts them: a row that is there already, or that another transaction is adding, is passed over.
pub(super) fn insert_rows(
    tx: &mut Transaction<'_>,
    statements: &mut Statements,
    table: &Table,
    rows: &[&[Value]],
) -> Result<usize, Error> {
    let sql = format!("{} ON CONFLICT DO NOTHING", insert_sql(table));
    run(tx, statements, &sql, table.columns, rows)
}

/// Removes the rows of which an instant is before `bound`.
pub(super) fn prune(
    tx: &mut Transaction<'_>,
    table: &Table,
    column: &str,
    bound: &str,
) -> Result<usize, Error> {
    let sql = format!("DELETE FROM \"{}\" WHERE \"{column}\" < $1::text::timestamptz", table.name);
    Ok(usize::try_from(tx.execute(&sql, &[&bound])?).unwrap_or(usize::MAX))
}

pub(super) fn put_snapshot(
    tx: &mut Transaction<'_>,
    statements: &mut Statements,
    snapshot: &Snapshot,
) -> Result<(), Error> {
    let Snapshot { stream, seq, recorded_at, body } = snapshot;
    let (upsert, keep) = (statements.get(tx, UPSERT_SNAPSHOT)?, statements.get(tx, KEEP_NEWEST_TWO)?);
    tx.execute(&upsert, &[stream, &seq.cast_signed(), recorded_at, body])?;
    tx.execute(&keep, &[stream])?;
    Ok(())
}

fn run(
    tx: &mut Transaction<'_>,
    statements: &mut Statements,
    sql: &str,
    columns: &[Column],
    rows: &[&[Value]],
) -> Result<usize, Error> {
    let mut changed = 0;
    for chunk in rows.chunks(CHUNK) {
        let arrays: Vec<Array<'_>> =
            columns.iter().enumerate().map(|(index, column)| Array::of(chunk, index, column)).collect();
        let params: Vec<&(dyn ToSql + Sync)> = arrays.iter().map(Array::as_sql).collect();
        let statement = statements.get(tx, sql)?;
        changed += tx.execute(&statement, &params)?;
    }
    Ok(usize::try_from(changed).unwrap_or(usize::MAX))
}

/// One column of many rows.
enum Array<'a> {
    Texts(Vec<Option<&'a str>>),
    Integers(Vec<Option<i64>>),
}

impl<'a> Array<'a> {
    fn of(rows: &[&'a [Value]], index: usize, column: &Column) -> Self {
        let values = rows.iter().map(|row| row.get(index));
        match column.kind {
            ColumnType::Integer => Self::Integers(values.map(integer).collect()),
            _ => Self::Texts(values.map(text).collect()),
        }
    }

    fn as_sql(&self) -> &(dyn ToSql + Sync) {
        match self {
            Self::Texts(texts) => texts,
            Self::Integers(integers) => integers,
        }
    }
}

fn text(value: Option<&Value>) -> Option<&str> {
    match value {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    }
}

fn integer(value: Option<&Value>) -> Option<i64> {
    match value {
        Some(Value::Integer(number)) => Some(*number),
        _ => None,
    }
}

/// `FROM`'s table of given rows. Its name starts with an underscore, which no table of a schema does.
fn given(columns: &[Column]) -> String {
    let array = |(place, column): (usize, &Column)| match column.kind {
        ColumnType::Integer => format!("${place}::int8[]"),
        _ => format!("${place}::text[]"),
    };
    let arrays: Vec<String> = (1..).zip(columns).map(array).collect();
    format!("unnest({}) AS _given({})", arrays.join(", "), join(columns, ", ", str::to_owned))
}

fn cast(column: &Column) -> String {
    format!("_given.\"{}\"::{}", column.name, sql_type(column))
}

fn delete_sql(table: &Table) -> String {
    let name = table.name;
    let same = |column: &Column| format!("\"{name}\".\"{}\" = {}", column.name, cast(column));
    let key: Vec<String> = table.key_columns().iter().map(same).collect();
    format!("DELETE FROM \"{name}\" USING {} WHERE {}", given(table.key_columns()), key.join(" AND "))
}

fn insert_sql(table: &Table) -> String {
    let names = join(table.columns, ", ", str::to_owned);
    let values: Vec<String> = table.columns.iter().map(cast).collect();
    let (name, values, given) = (table.name, values.join(", "), given(table.columns));
    format!("INSERT INTO \"{name}\" ({names}) SELECT {values} FROM {given}")
}

fn upsert_sql(table: &Table) -> String {
    let key = join(table.key_columns(), ", ", str::to_owned);
    let others = join(table.other_columns(), ", ", |name| format!("{name} = excluded.{name}"));
    let action = if others.is_empty() { "NOTHING".to_owned() } else { format!("UPDATE SET {others}") };
    format!("{} ON CONFLICT ({key}) DO {action}", insert_sql(table))
}
