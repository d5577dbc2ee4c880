//! A backup of a PostgreSQL database into an SQLite file, and back.

use std::path::Path;

use ::postgres::{Client, Error, IsolationLevel, Row, Transaction};

use super::connect::LONG_TRANSACTION;
use super::fault::fault;
use super::statements::Statements;
use super::{PostgresStore, read, write};
use crate::backup::BackupSummary;
use crate::error::StoreError;
use crate::restore::RestoreSummary;
use crate::schema::Schema;
use crate::sqlite::{BackupFile, NewCopy};

/// How many records or rows are held in memory at once.
const CHUNK: i32 = 1_000;

/// Writes everything as of one moment into a new file: one transaction sees one snapshot of the database.
pub(super) fn back_up(
    client: &mut Client,
    location: &str,
    path: &Path,
    schema: &Schema,
) -> Result<BackupSummary, StoreError> {
    let at_fault = |e| fault(location, e);
    let level = IsolationLevel::RepeatableRead;
    let mut tx =
        client.build_transaction().isolation_level(level).read_only(true).start().map_err(at_fault)?;
    tx.batch_execute(LONG_TRANSACTION).map_err(at_fault)?;
    let copy = NewCopy::empty(path, schema)?;
    copy.start_filling()?;
    let mut statements = Statements::default();
    copy.put_head(&read::log_head(&mut tx, &mut statements, false).map_err(at_fault)?)?;
    each(&mut tx, location, read::ALL_LOGGED, read::logged, |logged| copy.add_logged(logged))?;
    each(&mut tx, location, read::ALL_NODES, read::node, |nodes| copy.add_nodes(&nodes))?;
    each(&mut tx, location, read::ALL_SNAPSHOTS, read::snapshot, |snapshots| {
        snapshots.iter().try_for_each(|snapshot| copy.add_snapshot(snapshot))
    })?;
    for table in schema.tables {
        let values = |row: &Row| read::values(row, table);
        each(&mut tx, location, &read::all_rows_sql(table), values, |rows| {
            copy.add_rows(table, &rows.iter().map(Vec::as_slice).collect::<Vec<_>>())
        })?;
    }
    tx.rollback().map_err(at_fault)?;
    copy.publish()
}

/// Runs through a query, a chunk at a time.
fn each<T>(
    tx: &mut Transaction<'_>,
    location: &str,
    sql: &str,
    parse: impl Fn(&Row) -> Result<T, Error>,
    mut visit: impl FnMut(Vec<T>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let portal = tx.bind(sql, &[]).map_err(|e| fault(location, e))?;
    loop {
        let rows = tx.query_portal(&portal, CHUNK).map_err(|e| fault(location, e))?;
        if rows.is_empty() {
            return Ok(());
        }
        visit(rows.iter().map(&parse).collect::<Result<_, _>>().map_err(|e| fault(location, e))?)?;
    }
}

/// Fills an empty database from a backup, in one transaction.
pub(crate) fn restore(
    url: &str,
    location: &str,
    backup: &BackupFile,
    schema: &Schema,
) -> Result<RestoreSummary, StoreError> {
    let (streams, records) = backup.verify(schema)?;
    let mut store = PostgresStore::open_unless_older(url, location, schema)?;
    store.transact(|tx, statements, location| {
        let at_fault = |e| fault(location, e);
        refuse_filled(tx, location, schema)?;
        backup.each_logged(|logged| {
            let (records, leaves): (Vec<_>, Vec<_>) =
                logged.iter().map(|logged| (logged.record.clone(), logged.leaf)).unzip();
            write::insert_records(tx, statements, &records, &leaves).map_err(at_fault)
        })?;
        backup.each_nodes(|nodes| write::insert_nodes(tx, nodes).map_err(at_fault))?;
        write::put_head(tx, &backup.log_head()?).map_err(at_fault)?;
        backup.each_snapshots(|snapshots| {
            snapshots.iter().try_for_each(|one| write::put_snapshot(tx, statements, one).map_err(at_fault))
        })?;
        schema.tables.iter().try_for_each(|table| {
            backup.each_rows(table, |rows| write::upsert_rows(tx, statements, table, rows).map_err(at_fault))
        })
    })?;
    Ok(RestoreSummary { streams, records })
}

/// Refuses a database that holds anything, and keeps other writers out until the restore is done.
fn refuse_filled(tx: &mut Transaction<'_>, location: &str, schema: &Schema) -> Result<(), StoreError> {
    let names =
        ["events", "snapshots", "log_nodes"].into_iter().chain(schema.tables.iter().map(|table| table.name));
    for name in names {
        let lock = format!("LOCK TABLE \"{name}\" IN EXCLUSIVE MODE");
        tx.batch_execute(&lock).map_err(|e| fault(location, e))?;
        let any = format!("SELECT 1 FROM \"{name}\" LIMIT 1");
        if tx.query_opt(&any, &[]).map_err(|e| fault(location, e))?.is_some() {
            return Err(StoreError::TargetNotEmpty { location: location.to_owned() });
        }
    }
    Ok(())
}
