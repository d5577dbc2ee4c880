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
use crate::log::{
    Appended, Group, Leaf, LogHead, LogReport, Logged, NodeRow, Notary, PartCheck, join, parts, sign,
};
use crate::record::{Record, Snapshot, ends_at, follows};
use crate::row::Value;
use crate::schema::{Schema, Table};
use crate::store::Database;
use crate::verifier::Verifier;
use strongroom_audit::Hash;

/// Records that a verification reads at once.
const VERIFY_PAGE: u64 = 4_096;

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
    fn append(&mut self, batch: &Batch<'_>, notary: Option<&dyn Notary>) -> Result<Appended, StoreError> {
        let mut lost_race = false;
        let done = self.transact(|tx, statements, location| {
            let at_fault = |e| fault(location, e);
            // The lock of the head comes first: from here on this is the only commit.
            let before = read::log_head(tx, statements, !batch.records.is_empty()).map_err(at_fault)?;
            check_ends(tx, statements, location, batch)?;
            check_heads(tx, statements, location, batch)?;
            let mut group = Group::behind(&before, batch.records, &batch.salts)?;
            write::insert_records(tx, statements, batch.records, &group.leaves).map_err(|e| {
                lost_race = took_sequence(&e);
                fault(location, e)
            })?;
            write::insert_nodes(tx, &group.nodes).map_err(at_fault)?;
            write::change_rows(tx, statements, &batch.plans).map_err(|e| fault(location, e))?;
            batch.plans.iter().try_for_each(|plan| {
                let added = write::insert_rows(tx, statements, plan.table, &plan.inserts);
                match added.map_err(|e| fault(location, e))? {
                    added if added == plan.inserts.len() => Ok(()),
                    _ => Err(StoreError::RowTaken { table: plan.table.name }),
                }
            })?;
            if batch.records.is_empty() {
                return Ok(Appended::new(before.tree, Vec::new(), before.checkpoint));
            }
            notary.map_or(Ok(()), |notary| sign(&mut group.head, notary))?;
            write::put_head(tx, &group.head).map_err(at_fault)?;
            let checkpoint = notary.and(group.head.checkpoint);
            Ok(Appended::new(before.tree, group.leaves, checkpoint))
        });
        match done {
            Err(lost) if lost_race => Err(self.taken(batch, lost)),
            done => done,
        }
    }

    fn log_head(&mut self) -> Result<LogHead, StoreError> {
        self.query(|client, statements| read::log_head(client, statements, false))
    }

    fn sign_head(&mut self, notary: &dyn Notary) -> Result<LogHead, StoreError> {
        self.transact(|tx, statements, location| {
            let mut head = read::log_head(tx, statements, true).map_err(|e| fault(location, e))?;
            sign(&mut head, notary)?;
            write::put_head(tx, &head).map_err(|e| fault(location, e))?;
            Ok(head)
        })
    }

    fn leaf(&mut self, stream: &str, seq: i64) -> Result<Option<Leaf>, StoreError> {
        self.query(|client, statements| read::leaf(client, statements, stream, seq))
    }

    fn logged(&mut self, from: i64, limit: i64) -> Result<Vec<Logged>, StoreError> {
        self.query(|client, statements| read::logged_from(client, statements, from, limit))
    }

    fn leaf_hashes(&mut self, from: i64, limit: i64) -> Result<Vec<Hash>, StoreError> {
        self.query(|client, statements| read::leaf_hashes(client, statements, from, limit))
    }

    fn nodes(&mut self, level: i64, from: i64, limit: i64) -> Result<Vec<Hash>, StoreError> {
        self.query(|client, statements| read::nodes(client, statements, level, from, limit))
    }

    fn verify_log(&mut self, progress: &(dyn Fn(u64) + Sync)) -> Result<LogReport, StoreError> {
        let head = self.log_head()?;
        let mut looked = Vec::new();
        for range in parts(head.size()) {
            let mut check = PartCheck::new(&head, range.clone());
            let mut next = range.start;
            while next < range.end {
                let limit = (range.end - next).min(VERIFY_PAGE).cast_signed();
                let page = self.logged(next.cast_signed(), limit)?;
                let page: Vec<Logged> =
                    page.into_iter().filter(|logged| logged.leaf.index < range.end).collect();
                let Some(last) = page.last() else { break };
                next = last.leaf.index + 1;
                for Logged { record, leaf } in &page {
                    check.look(record, leaf.index, &leaf.salt, &leaf.hash)?;
                }
                progress(next);
            }
            looked.push(check.finish());
        }
        // What was committed meanwhile lies behind the newest head.
        let newest = self.log_head()?.size().cast_signed();
        let unknown = self.logged(newest, 1)?.first().map(|logged| logged.leaf.index);
        let nodes = self.query(|client, _| read::all_nodes(client))?;
        let known = |row: &NodeRow| row.is_below(head.size());
        let nodes: Vec<NodeRow> = nodes.into_iter().filter(known).collect();
        join(&head, looked, &nodes, unknown)
    }

    fn row(&mut self, table: &Table, key: &[Value]) -> Result<Option<Vec<Value>>, StoreError> {
        self.query(|client, _| read::row(client, table, key))
    }

    fn renew(&mut self, verifier: &Verifier, stream: &str) -> Result<u64, StoreError> {
        self.query(|client, statements| read::renew(client, statements, verifier, stream))
    }

    fn verifiers(&mut self) -> Result<Vec<(Verifier, u64)>, StoreError> {
        self.query(|client, _| read::verifiers(client))
    }

    fn forget_verifier(&mut self, name: &str) -> Result<(), StoreError> {
        self.query(|client, _| client.execute("DELETE FROM verifiers WHERE name = $1", &[&name]).map(|_| ()))
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

/// Refuses a batch that was decided by a stream which has grown since.
fn check_ends(
    client: &mut impl GenericClient,
    statements: &mut Statements,
    location: &str,
    batch: &Batch<'_>,
) -> Result<(), StoreError> {
    if batch.ends.is_empty() {
        return Ok(());
    }
    let streams: Vec<&str> = batch.ends.iter().map(|(stream, _)| *stream).collect();
    let heads = read::heads(client, statements, &streams).map_err(|e| fault(location, e))?;
    batch.ends.iter().zip(heads).try_for_each(|((stream, end), head)| ends_at(stream, *end, head))
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
