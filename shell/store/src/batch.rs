//! What one transaction stores: a batch that was checked as far as it can be without a database.

use crate::error::StoreError;
use crate::record::{Record, check_batch};
use crate::row::{RowChange, TablePlan, plan};
use crate::schema::Schema;

/// A checked batch; only [`Batch::try_new`] makes one.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    pub(crate) records: &'a [Record],
    /// The first record of each stream: it has to follow the head of its stream.
    pub(crate) firsts: Vec<&'a Record>,
    pub(crate) plans: Vec<TablePlan<'a>>,
}

impl<'a> Batch<'a> {
    /// The most records and row changes of one transaction. It bounds memory and the time that others wait.
    pub(crate) const SIZE_MAX: usize = 100_000;

    pub(crate) fn try_new(
        schema: &Schema,
        records: &'a [Record],
        rows: &'a [RowChange],
    ) -> Result<Self, StoreError> {
        let (found, limit) = (records.len() + rows.len(), Self::SIZE_MAX);
        if found > limit {
            return Err(StoreError::BatchTooLarge { found, limit });
        }
        Ok(Self { records, firsts: check_batch(records)?, plans: plan(schema, rows)? })
    }
}
