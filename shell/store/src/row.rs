//! Row changes: what the caller asks for, and the plan that both back ends carry out.
//!
//! INVARIANT: a plan names every row at most once. The last change of a row wins, deletes run before upserts, and
//! tables go in the order of the schema (deletes in reverse). Both back ends follow the same plan, so that they
//! cannot differ in what a batch means.

use crate::canonical::{is_date, is_decimal, is_instant};
use crate::error::StoreError;
use crate::record::has_nul;
use crate::schema::{Column, ColumnType, Schema, Table};

/// One value of a row. Decimals, dates and instants are canonical text; the column's type decides the cast.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// No value; never part of a key.
    Null,
    /// Text, or the canonical text of a decimal, a date or an instant.
    Text(String),
    /// A signed 64-bit integer.
    Integer(i64),
}

/// One change of a read table.
#[derive(Debug, Clone)]
pub enum RowChange {
    /// Make the row with this key be exactly these values, whether or not it was there.
    Upsert {
        /// The table; one of the schema's.
        table: &'static Table,
        /// A value for every column, in order.
        values: Vec<Value>,
    },
    /// Add the row with this key; if it is there already, the whole batch is refused with `StoreError::RowTaken`.
    Insert {
        /// The table; one of the schema's.
        table: &'static Table,
        /// A value for every column, in order.
        values: Vec<Value>,
    },
    /// Remove the row with this key, if it is there.
    Delete {
        /// The table; one of the schema's.
        table: &'static Table,
        /// A value for every key column, in order.
        key: Vec<Value>,
    },
}

impl RowChange {
    fn table(&self) -> &'static Table {
        match self {
            Self::Upsert { table, .. } | Self::Insert { table, .. } | Self::Delete { table, .. } => table,
        }
    }

    fn values(&self) -> &[Value] {
        match self {
            Self::Upsert { values, .. } | Self::Insert { values, .. } => values,
            Self::Delete { key, .. } => key,
        }
    }

    /// INVARIANT: only called after `check`, so the key is there.
    fn key(&self) -> &[Value] {
        self.values().get(..self.table().key).unwrap_or_default()
    }
}

/// What a batch does to one table.
#[derive(Debug)]
pub(crate) struct TablePlan<'a> {
    pub(crate) table: &'static Table,
    /// Keys, sorted: two writers that touch the same rows lock them in the same order.
    pub(crate) deletes: Vec<&'a [Value]>,
    /// Whole rows, sorted by key.
    pub(crate) upserts: Vec<&'a [Value]>,
    /// Whole rows that must not be there yet, sorted by key; no other change names them.
    pub(crate) inserts: Vec<&'a [Value]>,
}

/// Checks every change and reduces the batch to one change a row.
pub(crate) fn plan<'a>(schema: &Schema, rows: &'a [RowChange]) -> Result<Vec<TablePlan<'a>>, StoreError> {
    let mut changes: Vec<Vec<&'a RowChange>> = schema.tables.iter().map(|_| Vec::new()).collect();
    for row in rows {
        check(row)?;
        let place = schema.tables.iter().position(|table| table.name == row.table().name);
        match place.and_then(|place| changes.get_mut(place)) {
            Some(changes) => changes.push(row),
            None => return Err(malformed(row.table(), "its table is not part of the schema")),
        }
    }
    let plans = schema.tables.iter().zip(changes).filter(|(_, changes)| !changes.is_empty());
    plans.map(|(table, changes)| plan_table(table, changes)).collect()
}

/// The last change of each row, by key: a stable sort keeps the changes of one row in their order.
fn plan_table<'a>(
    table: &'static Table,
    mut changes: Vec<&'a RowChange>,
) -> Result<TablePlan<'a>, StoreError> {
    changes.sort_by(|a, b| a.key().cmp(b.key()));
    let mut plan = TablePlan { table, deletes: Vec::new(), upserts: Vec::new(), inserts: Vec::new() };
    let mut following = changes.iter().skip(1).map(|change| Some(change.key())).chain([None]);
    for change in &changes {
        if following.next().flatten() == Some(change.key()) {
            // Of two inserts of one row, or an insert and another change of it, the insert is not the first.
            if changes
                .iter()
                .any(|other| other.key() == change.key() && matches!(other, RowChange::Insert { .. }))
            {
                return Err(StoreError::RowTaken { table: table.name });
            }
            continue;
        }
        match change {
            RowChange::Insert { values, .. } => plan.inserts.push(values),
            RowChange::Upsert { values, .. } => plan.upserts.push(values),
            RowChange::Delete { key, .. } => plan.deletes.push(key),
        }
    }
    Ok(plan)
}

fn check(row: &RowChange) -> Result<(), StoreError> {
    let table = row.table();
    let columns = match row {
        RowChange::Upsert { .. } | RowChange::Insert { .. } => table.columns,
        RowChange::Delete { .. } => table.key_columns(),
    };
    if row.values().len() != columns.len() {
        return Err(malformed(table, "it has not one value for each column"));
    }
    if row.key().contains(&Value::Null) {
        return Err(malformed(table, "its key contains a null"));
    }
    columns.iter().zip(row.values()).try_for_each(|(column, value)| check_value(table, column, value))
}

fn check_value(table: &Table, column: &Column, value: &Value) -> Result<(), StoreError> {
    let (fits, wanted) = match (column.kind, value) {
        (_, Value::Null) => return Ok(()),
        (ColumnType::Text, value) => (text_fits(value, |text| !has_nul(text)), "text without NUL"),
        (ColumnType::Integer, value) => (matches!(value, Value::Integer(_)), "an integer"),
        (ColumnType::Decimal, value) => (text_fits(value, is_decimal), "a plain decimal"),
        (ColumnType::Date, value) => (text_fits(value, is_date), "a date YYYY-MM-DD"),
        (ColumnType::Instant, value) => {
            (text_fits(value, is_instant), "an instant in UTC with at most six fractional digits")
        }
    };
    if fits {
        Ok(())
    } else {
        Err(StoreError::ValueMisfit { table: table.name, column: column.name, wanted })
    }
}

fn text_fits(value: &Value, rule: impl Fn(&str) -> bool) -> bool {
    matches!(value, Value::Text(text) if rule(text))
}

fn malformed(table: &Table, reason: &'static str) -> StoreError {
    StoreError::RowMalformed { table: table.name, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    static PAIRS: Table = Table {
        name: "pairs",
        columns: &[
            Column { name: "k", kind: ColumnType::Text },
            Column { name: "v", kind: ColumnType::Integer },
        ],
        key: 1,
    };
    static SCHEMA: Schema = Schema { migrations: &[], tables: &[&PAIRS] };

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    #[test]
    fn the_last_change_of_a_row_wins() {
        let rows = [
            RowChange::Upsert { table: &PAIRS, values: vec![text("b"), Value::Integer(1)] },
            RowChange::Delete { table: &PAIRS, key: vec![text("a")] },
            RowChange::Delete { table: &PAIRS, key: vec![text("b")] },
            RowChange::Upsert { table: &PAIRS, values: vec![text("a"), Value::Integer(2)] },
        ];
        let plans = plan(&SCHEMA, &rows).unwrap();
        assert_eq!(plans.len(), 1);
        assert_eq!(plans[0].deletes, [[text("b")].as_slice()]);
        assert_eq!(plans[0].upserts, [[text("a"), Value::Integer(2)].as_slice()]);
    }

    #[test]
    fn a_row_that_does_not_match_its_table_is_refused() {
        let refused = |row| plan(&SCHEMA, &[row]).unwrap_err().code();
        let short = RowChange::Upsert { table: &PAIRS, values: vec![text("a")] };
        assert_eq!(refused(short), "store.row_must_match_table");
        let null_key = RowChange::Delete { table: &PAIRS, key: vec![Value::Null] };
        assert_eq!(refused(null_key), "store.row_must_match_table");
        let misfit = RowChange::Upsert { table: &PAIRS, values: vec![text("a"), text("1")] };
        assert_eq!(refused(misfit), "store.value_must_fit_column");
        static OTHER: Table = Table { name: "other", columns: PAIRS.columns, key: 1 };
        let other = RowChange::Upsert { table: &OTHER, values: vec![text("a"), Value::Null] };
        assert_eq!(refused(other), "store.row_must_match_table");
    }
}
