//! The SQL that adds records, rows and snapshots. Transactions are the caller's.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Result, ToSql, params_from_iter};

use crate::log::{Leaf, LogHead, NodeRow};
use crate::record::{Record, Snapshot};
use crate::row::{TablePlan, Value};
use crate::schema::{Table, join};

const INSERT_RECORD: &str =
    "INSERT INTO events (leaf, stream, seq, at, recorded_at, actor, kind, body, salt, leaf_hash)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
const INSERT_NODE: &str = "INSERT INTO log_nodes (level, place, hash) VALUES (?1, ?2, ?3)";
const PUT_HEAD: &str =
    "INSERT INTO log_head (one, tree, backfilled, origin, key, checkpoint) VALUES (1, ?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (one) DO UPDATE SET tree = excluded.tree, backfilled = excluded.backfilled,
    origin = excluded.origin, key = excluded.key, checkpoint = excluded.checkpoint";
const UPSERT_SNAPSHOT: &str = "INSERT INTO snapshots (stream, seq, recorded_at, body) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (stream, seq) DO UPDATE SET recorded_at = excluded.recorded_at, body = excluded.body";
const KEEP_NEWEST_TWO: &str = "DELETE FROM snapshots WHERE stream = ?1 AND seq NOT IN
    (SELECT seq FROM snapshots WHERE stream = ?1 ORDER BY seq DESC LIMIT 2)";

pub(super) fn insert_records(connection: &Connection, records: &[Record], leaves: &[Leaf]) -> Result<()> {
    let mut statement = connection.prepare_cached(INSERT_RECORD)?;
    for (record, leaf) in records.iter().zip(leaves) {
        let Record { stream, seq, at, recorded_at, actor, kind, body } = record;
        let (index, hash) = (leaf.index.cast_signed(), leaf.hash.as_bytes());
        let seq = seq.cast_signed();
        statement.execute((index, stream, seq, at, recorded_at, actor, kind, body, &leaf.salt, hash))?;
    }
    Ok(())
}

pub(super) fn insert_nodes(connection: &Connection, nodes: &[NodeRow]) -> Result<()> {
    if nodes.is_empty() {
        return Ok(());
    }
    let mut statement = connection.prepare_cached(INSERT_NODE)?;
    nodes
        .iter()
        .try_for_each(|node| statement.execute((node.level, node.place, node.hash.as_bytes())).map(|_| ()))
}

pub(super) fn put_head(connection: &Connection, head: &LogHead) -> Result<()> {
    let LogHead { tree, backfilled, origin, key, checkpoint } = head;
    let values = (tree.to_bytes(), backfilled.cast_signed(), origin, key, checkpoint);
    connection.prepare_cached(PUT_HEAD)?.execute(values).map(|_| ())
}

/// Deletes before upserts, tables in reverse before tables in order: see the invariant of `row`.
pub(super) fn change_rows(connection: &Connection, plans: &[TablePlan<'_>]) -> Result<()> {
    for plan in plans.iter().rev().filter(|plan| !plan.deletes.is_empty()) {
        run(connection, &delete_sql(plan.table), &plan.deletes)?;
    }
    for plan in plans.iter().filter(|plan| !plan.upserts.is_empty()) {
        run(connection, &upsert_sql(plan.table), &plan.upserts)?;
    }
    Ok(())
}

pub(super) fn upsert_rows(connection: &Connection, table: &Table, rows: &[&[Value]]) -> Result<()> {
    run(connection, &upsert_sql(table), rows)
}

/// Adds rows and counts them: a row that is there already is passed over.
pub(super) fn insert_rows(connection: &Connection, table: &Table, rows: &[&[Value]]) -> Result<usize> {
    if rows.is_empty() {
        return Ok(0);
    }
    let names = join(table.columns, ", ", str::to_owned);
    let marks = join(table.columns, ", ", |_| "?".to_owned());
    let sql = format!("INSERT INTO \"{}\" ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING", table.name);
    let mut statement = connection.prepare_cached(&sql)?;
    rows.iter().try_fold(0, |added, row| Ok(added + statement.execute(params_from_iter(row.iter()))?))
}

/// Removes the rows of which a column sorts before `bound`.
pub(super) fn prune(connection: &Connection, table: &Table, column: &str, bound: &str) -> Result<usize> {
    let sql = format!("DELETE FROM \"{}\" WHERE \"{column}\" < ?1", table.name);
    connection.prepare_cached(&sql)?.execute([bound])
}

pub(super) fn put_snapshot(connection: &Connection, snapshot: &Snapshot) -> Result<()> {
    let Snapshot { stream, seq, recorded_at, body } = snapshot;
    connection.prepare_cached(UPSERT_SNAPSHOT)?.execute((stream, seq.cast_signed(), recorded_at, body))?;
    connection.prepare_cached(KEEP_NEWEST_TWO)?.execute([stream])?;
    Ok(())
}

fn run(connection: &Connection, sql: &str, rows: &[&[Value]]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut statement = connection.prepare_cached(sql)?;
    for row in rows {
        statement.execute(params_from_iter(row.iter()))?;
    }
    Ok(())
}

fn delete_sql(table: &Table) -> String {
    format!(
        "DELETE FROM \"{}\" WHERE {}",
        table.name,
        join(table.key_columns(), " AND ", |name| format!("{name} = ?"))
    )
}

fn upsert_sql(table: &Table) -> String {
    let names = join(table.columns, ", ", str::to_owned);
    let marks = join(table.columns, ", ", |_| "?".to_owned());
    let key = join(table.key_columns(), ", ", str::to_owned);
    let others = join(table.other_columns(), ", ", |name| format!("{name} = excluded.{name}"));
    let action = if others.is_empty() { "NOTHING".to_owned() } else { format!("UPDATE SET {others}") };
    format!("INSERT INTO \"{}\" ({names}) VALUES ({marks}) ON CONFLICT ({key}) DO {action}", table.name)
}

impl ToSql for Value {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Integer(number) => ValueRef::Integer(*number),
        }))
    }
}
