//! What the caller tells the store about its tables: migrations, columns, keys.
//!
//! A schema is written by a programmer as constants. The tables themselves are made by the migrations' SQL; the
//! descriptions here say how values are cast, and are compared with the real tables when a store opens.

use crate::error::StoreError;

/// The tables that the store itself keeps; a schema cannot use these names.
const RESERVED: [&str; 6] = ["events", "snapshots", "schema_version", "log_head", "log_nodes", "verifiers"];

/// One forward step of the database, the same step in both dialects. It runs in a transaction of its own. It adds no
/// rows to an empty database: a restore fills a database that has tables and no rows.
#[derive(Debug)]
pub struct Migration {
    /// 1, 2, 3, ... without holes.
    pub version: u32,
    /// What it does, in a word or two; stored beside the version.
    pub name: &'static str,
    /// The SQL for SQLite. Tables are `STRICT`; a foreign key is `DEFERRABLE INITIALLY DEFERRED`.
    pub sqlite: &'static str,
    /// The SQL for PostgreSQL, under the same rules.
    pub postgres: &'static str,
}

/// The type of a column. It decides the canonical text of a value and the SQL type in each database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// Any text without NUL. SQLite `TEXT`, PostgreSQL `TEXT`.
    Text,
    /// A signed 64-bit integer. SQLite `INTEGER`, PostgreSQL `BIGINT`.
    Integer,
    /// An exact decimal such as `-12.50`: no exponent, no leading zeros, no negative zero; trailing zeros are kept.
    /// SQLite `TEXT`, PostgreSQL `NUMERIC` without precision.
    Decimal,
    /// `YYYY-MM-DD`. SQLite `TEXT`, PostgreSQL `DATE`.
    Date,
    /// `YYYY-MM-DDTHH:MM:SS[.ffffff]Z`, at most six fractional digits and no trailing zero: PostgreSQL keeps
    /// microseconds, and a finer instant is refused rather than rounded. SQLite `TEXT`, PostgreSQL `TIMESTAMPTZ`.
    Instant,
}

/// One column of a read table.
#[derive(Debug)]
pub struct Column {
    /// Its name: lower-case letters, digits and underscores.
    pub name: &'static str,
    /// Its type.
    pub kind: ColumnType,
}

/// One read table: its columns in the order in which rows give their values.
#[derive(Debug)]
pub struct Table {
    /// Its name: lower-case letters, digits and underscores.
    pub name: &'static str,
    /// Its columns, key first.
    pub columns: &'static [Column],
    /// How many of the first columns are the primary key; at least one.
    pub key: usize,
}

impl Table {
    /// The columns of the primary key.
    pub(crate) fn key_columns(&self) -> &'static [Column] {
        self.columns.get(..self.key).unwrap_or(self.columns)
    }

    /// The columns beside the primary key.
    pub(crate) fn other_columns(&self) -> &'static [Column] {
        self.columns.get(self.key..).unwrap_or(&[])
    }
}

/// Everything the store knows of its caller: how the tables came to be, and what they look like at the newest version.
#[derive(Debug)]
pub struct Schema {
    /// All steps, oldest first.
    pub migrations: &'static [Migration],
    /// The read tables. A table with a foreign key comes after the table that it points to.
    pub tables: &'static [&'static Table],
}

impl Schema {
    /// The newest version that the program knows; 0 without migrations.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.migrations.last().map_or(0, |migration| migration.version)
    }

    /// The steps that a database at `version` lacks.
    pub(crate) fn pending(&self, version: u32) -> impl Iterator<Item = &'static Migration> {
        self.migrations.iter().filter(move |migration| migration.version > version)
    }

    /// Refuses a schema that would fail later, or that would make SQL out of something else than plain names.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        for (expected, migration) in (1..).zip(self.migrations) {
            if migration.version != expected {
                return malformed(format!("migration {} stands where {expected} should", migration.version));
            }
        }
        self.tables.iter().try_for_each(|table| check_table(table))
    }
}

/// Quoted column names, each dressed by `each`: a column may have the name of a keyword.
pub(crate) fn join(columns: &[Column], separator: &str, each: impl Fn(&str) -> String) -> String {
    let parts: Vec<String> = columns.iter().map(|column| each(&format!("\"{}\"", column.name))).collect();
    parts.join(separator)
}

fn check_table(table: &Table) -> Result<(), StoreError> {
    if !is_plain_name(table.name) || RESERVED.contains(&table.name) {
        return malformed(format!("{:?} cannot be a table name", table.name));
    }
    if table.key == 0 || table.key > table.columns.len() {
        return malformed(format!("table {:?} has {} key columns", table.name, table.key));
    }
    // PostgreSQL would take 1.0 and 1.00 for one key, SQLite for two.
    if table.key_columns().iter().any(|column| column.kind == ColumnType::Decimal) {
        return malformed(format!("table {:?} has a decimal in its key", table.name));
    }
    match table.columns.iter().find(|column| !is_plain_name(column.name)) {
        Some(column) => malformed(format!("{:?} cannot be a column name", column.name)),
        None => Ok(()),
    }
}

fn is_plain_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.len() <= 60
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn malformed(reason: String) -> Result<(), StoreError> {
    Err(StoreError::SchemaMalformed { reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &[Column] = &[Column { name: "id", kind: ColumnType::Text }];
    const PRICE: &[Column] = &[Column { name: "price", kind: ColumnType::Decimal }];
    const SPACED: &[Column] = &[Column { name: "an id", kind: ColumnType::Text }];

    fn check(schema: &Schema, well_formed: bool) {
        match schema.check() {
            Ok(()) => assert!(well_formed, "{schema:?}"),
            Err(e) => assert_eq!((e.code(), well_formed), ("store.schema_must_be_well_formed", false)),
        }
    }

    #[test]
    fn a_contradictory_schema_is_refused() {
        static PLAIN: [&Table; 1] = [&Table { name: "plain", columns: ID, key: 1 }];
        static KEYLESS: [&Table; 1] = [&Table { name: "keyless", columns: ID, key: 0 }];
        static KEY_TOO_LONG: [&Table; 1] = [&Table { name: "keys", columns: ID, key: 2 }];
        static INJECTED: [&Table; 1] = [&Table { name: "x; DROP TABLE events", columns: ID, key: 1 }];
        static TAKEN: [&Table; 1] = [&Table { name: "events", columns: ID, key: 1 }];
        static DECIMAL_KEY: [&Table; 1] = [&Table { name: "prices", columns: PRICE, key: 1 }];
        static ODD_COLUMN: [&Table; 1] = [&Table { name: "odd", columns: SPACED, key: 1 }];
        static LATE: [Migration; 1] = [Migration { version: 2, name: "late", sqlite: "", postgres: "" }];
        check(&Schema { migrations: &[], tables: &PLAIN }, true);
        check(&Schema { migrations: &LATE, tables: &[] }, false);
        for tables in [&KEYLESS, &KEY_TOO_LONG, &INJECTED, &TAKEN, &DECIMAL_KEY, &ODD_COLUMN] {
            check(&Schema { migrations: &[], tables }, false);
        }
    }
}
