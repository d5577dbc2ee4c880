//! The store in one PostgreSQL database: several processes may write, and `(stream, seq)` decides who was first.

mod connect;
mod copy;
mod fault;
mod layout;
mod read;
mod statements;
mod write;

use std::fmt;
use std::path::Path;

use ::postgres::{Client, GenericClient, Transaction};

pub(crate) use copy::restore;
use fault::{commit_fault, fault, took_sequence};
use statements::Statements;

use crate::backup::BackupSummary;
use crate::batch::Batch;
use crate::error::StoreError;
use crate::record::{Record, Snapshot, follows};
use crate::row::Value;
use crate::schema::{Schema, Table};
use crate::store::Database;

/// A session on a PostgreSQL server.
pub(crate) struct PostgresStore {
    client: Client,
    statements: Statements,
    /// Without its password.
    location: String,
}

/// A client holds the password.
impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresStore({})", self.location)
    }
}

impl PostgresStore {
    pub(crate) fn open(url: &str, location: &str, schema: &Schema) -> Result<Self, StoreError> {
        Self::migrated(connect::connect(url, location)?, location, schema)
    }

    /// Opens a store of this version or an empty database: a restore that will be refused must not migrate first.
    fn open_unless_older(url: &str, location: &str, schema: &Schema) -> Result<Self, StoreError> {
        let mut client = connect::connect(url, location)?;
        match layout::version(&mut client, location)? {
            Some(found) if found < schema.version() => {
                Err(StoreError::SchemaOlder { found, known: schema.version() })
            }
            _ => Self::migrated(client, location, schema),
        }
    }

    fn migrated(mut client: Client, location: &str, schema: &Schema) -> Result<Self, StoreError> {
        layout::migrate(&mut client, location, schema)?;
        layout::check_tables(&mut client, location, schema)?;
        Ok(Self { client, statements: Statements::default(), location: location.to_owned() })
    }

    pub(crate) fn open_read_only(url: &str, location: &str, schema: &Schema) -> Result<Self, StoreError> {
        let mut client = connect::connect(url, location)?;
        client.batch_execute(connect::READ_ONLY).map_err(|e| fault(location, e))?;
        let not_a_store = || StoreError::NotAStore { location: location.to_owned() };
        let found = layout::version(&mut client, location)?.ok_or_else(not_a_store)?;
        layout::refuse_newer(found, schema)?;
        let known = schema.version();
        if found < known {
            return Err(StoreError::SchemaOlder { found, known });
        }
        Ok(Self { client, statements: Statements::default(), location: location.to_owned() })
    }

    /// Runs `work` in one transaction. A failure rolls everything back: dropping the transaction does.
    fn transact<T>(
        &mut self,
        work: impl FnOnce(&mut Transaction<'_>, &mut Statements, &str) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let location = &self.location;
        let mut tx = self.client.transaction().map_err(|e| fault(location, e))?;
        let value = work(&mut tx, &mut self.statements, location)?;
        tx.commit().map_err(|e| commit_fault(location, e))?;
        Ok(value)
    }

    fn query<T>(
        &mut self,
        work: impl FnOnce(&mut Client, &mut Statements) -> Result<T, ::postgres::Error>,
    ) -> Result<T, StoreError> {
        work(&mut self.client, &mut self.statements).map_err(|e| fault(&self.location, e))
    }

    /// Names what another writer took while this one was at it.
    fn taken(&mut self, batch: &Batch<'_>, lost: StoreError) -> StoreError {
        match check_heads(&mut self.client, &mut self.statements, &self.location, batch) {
            Ok(()) => lost,
            Err(e) => e,
        }
    }
}

impl Database for PostgresStore {
    fn append(&mut self, batch: &Batch<'_>) -> Result<(), StoreError> {
        let mut lost_race = false;
        let done = self.transact(|tx, statements, location| {
            check_heads(tx, statements, location, batch)?;
            write::insert_records(tx, statements, batch.records).map_err(|e| {
                lost_race = took_sequence(&e);
                fault(location, e)
            })?;
            write::change_rows(tx, statements, &batch.plans).map_err(|e| fault(location, e))?;
            batch.plans.iter().try_for_each(|plan| {
                let added = write::insert_rows(tx, statements, plan.table, &plan.inserts);
                match added.map_err(|e| fault(location, e))? {
                    added if added == plan.inserts.len() => Ok(()),
                    _ => Err(StoreError::RowTaken { table: plan.table.name }),
                }
            })
        });
        match done {
            Err(lost) if lost_race => Err(self.taken(batch, lost)),
            done => done,
        }
    }

    fn prune(
        &mut self,
        table: &'static Table,
        column: &'static str,
        bound: &str,
    ) -> Result<usize, StoreError> {
        self.transact(|tx, _, location| {
            write::prune(tx, table, column, bound).map_err(|e| fault(location, e))
        })
    }

    fn rows(&mut self, table: &'static Table, first: Option<&str>) -> Result<Vec<Vec<Value>>, StoreError> {
        self.query(|client, _| read::rows(client, table, first))
    }

    fn put_snapshot(&mut self, snapshot: &Snapshot) -> Result<(), StoreError> {
        self.transact(|tx, statements, location| {
            write::put_snapshot(tx, statements, snapshot).map_err(|e| fault(location, e))
        })
    }

    fn read(&mut self, stream: &str, from_seq: i64, limit: i64) -> Result<Vec<Record>, StoreError> {
        self.query(|client, statements| read::records(client, statements, stream, from_seq, limit))
    }

    fn head(&mut self, stream: &str) -> Result<u64, StoreError> {
        let heads = self.query(|client, statements| read::heads(client, statements, &[stream]))?;
        Ok(heads.first().copied().unwrap_or(0))
    }

    fn streams(&mut self) -> Result<Vec<String>, StoreError> {
        self.query(read::streams)
    }

    fn latest_snapshot(&mut self, stream: &str) -> Result<Option<Snapshot>, StoreError> {
        self.query(|client, statements| read::latest_snapshot(client, statements, stream))
    }

    fn back_up(&mut self, path: &Path, schema: &Schema) -> Result<BackupSummary, StoreError> {
        copy::back_up(&mut self.client, &self.location, path, schema)
    }
}

/// INVARIANT: two writers that pass this check with the same head offer the same next record, and the primary key
/// lets one of them in. So no stream gets a hole, and no record is lost.
fn check_heads(
    client: &mut impl GenericClient,
    statements: &mut Statements,
    location: &str,
    batch: &Batch<'_>,
) -> Result<(), StoreError> {
    let streams: Vec<&str> = batch.firsts.iter().map(|first| first.stream.as_str()).collect();
    if streams.is_empty() {
        return Ok(());
    }
    let heads = read::heads(client, statements, &streams).map_err(|e| fault(location, e))?;
    batch.firsts.iter().zip(heads).try_for_each(|(first, head)| follows(first, head))
}
