//! What one transaction stores: a batch that was checked as far as it can be without a database.

use crate::error::StoreError;
use crate::log::salts;
use crate::record::{Record, check_batch};
use crate::row::{RowChange, TablePlan, plan};
use crate::schema::Schema;
use strongroom_audit::SALT_BYTES;

/// A checked batch; only [`Batch::try_new`] makes one.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    pub(crate) records: &'a [Record],
    /// The first record of each stream: it has to follow the head of its stream.
    pub(crate) firsts: Vec<&'a Record>,
    pub(crate) plans: Vec<TablePlan<'a>>,
    /// Streams that must end at these records, beside those that are written.
    pub(crate) ends: &'a [(&'a str, u64)],
    /// Salts for the leaves of the records.
    pub(crate) salts: Vec<[u8; SALT_BYTES]>,
}

impl<'a> Batch<'a> {
    /// The most records and row changes of one transaction. It bounds memory and the time that others wait.
    pub(crate) const SIZE_MAX: usize = 100_000;

    pub(crate) fn try_new(
        schema: &Schema,
        records: &'a [Record],
        rows: &'a [RowChange],
        ends: &'a [(&'a str, u64)],
    ) -> Result<Self, StoreError> {
        let (found, limit) = (records.len() + rows.len(), Self::SIZE_MAX);
        if found > limit {
            return Err(StoreError::BatchTooLarge { found, limit });
        }
        let (firsts, plans) = (check_batch(records)?, plan(schema, rows)?);
        Ok(Self { records, firsts, plans, ends, salts: salts(records.len())? })
    }
}
