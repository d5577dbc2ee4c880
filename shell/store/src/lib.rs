//! The event log and its read tables, on one SQLite file or one PostgreSQL database.
//!
//! A [`Store`] holds three things: an append-only log of [`Record`]s in streams, the newest two [`Snapshot`]s of each
//! stream, and read tables for people. A group of records and the row changes that follow from them are one
//! transaction, durable when [`Store::append`] returns.
//!
//! This crate knows records, rows and snapshots. It knows nothing of funds, money or commands: the caller hands it a
//! [`Schema`], and values arrive as canonical text. It is not a query layer: people read the tables with `sqlite3` or
//! `psql`, programs replay the log.

mod anchor;
mod backup;
mod batch;
mod canonical;
mod error;
mod files;
mod location;
mod log;
mod postgres;
mod record;
mod restore;
mod row;
mod schema;
mod sqlite;
mod store;
mod verifier;

pub use anchor::Anchor;
pub use backup::BackupSummary;
pub use error::{Cause, StoreError};
pub use location::Location;
pub use log::{Appended, Leaf, LogFault, LogHead, LogReport, Logged, Notary};
pub use record::{Record, Snapshot};
pub use restore::{RestoreSummary, restore_from};
pub use row::{RowChange, Value};
pub use schema::{Column, ColumnType, Migration, Schema, Table};
pub use store::{Records, Store};
pub use verifier::Verifier;
