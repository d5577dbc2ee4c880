//! Where a test keeps its database: a directory, or a database of its own on a PostgreSQL server.

use std::path::PathBuf;

use postgres::{Client, NoTls};
use strongroom_desk::{Desk, SCHEMA};
use strongroom_store::{Location, Store};
use strongroom_testing::Database;
use tempfile::TempDir;

/// Makes one test for each database of every function named; the function takes a `&Home`.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[test] fn $name() { super::$name(&crate::home::Home::sqlite()); })*
        }
        mod postgres {
            $(#[test] fn $name() { crate::home::Home::postgres().iter().for_each(super::$name); })*
        }
    };
}
pub(crate) use on_both;

/// A place for one test; it vanishes with the value.
pub struct Home {
    directory: TempDir,
    database: Option<Database>,
}

impl Home {
    pub fn sqlite() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), database: None }
    }

    /// `None` if there is no server, which is a failure where `CI` is set.
    pub fn postgres() -> Option<Self> {
        let database = Some(Database::fresh()?);
        Some(Self { directory: tempfile::tempdir().unwrap(), database })
    }

    pub fn location(&self) -> Location {
        self.database.as_ref().map_or_else(
            || Location::Sqlite(self.file("fund.db")),
            |database| Location::Postgres(database.url()),
        )
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn open(&self) -> Desk {
        Desk::open(&self.location()).unwrap()
    }

    pub fn store(&self) -> Store {
        Store::open_read_only(&self.location(), &SCHEMA).unwrap()
    }

    pub fn is_sqlite(&self) -> bool {
        self.database.is_none()
    }

    /// What somebody with `sqlite3` or `psql` could do.
    pub fn by_hand(&self, sql: &str) {
        match self.location() {
            Location::Sqlite(path) => rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap(),
            Location::Postgres(url) => Client::connect(&url, NoTls).unwrap().batch_execute(sql).unwrap(),
        }
    }

    /// The one number that a query gives.
    pub fn number(&self, sql: &str) -> i64 {
        match self.location() {
            Location::Sqlite(path) => {
                rusqlite::Connection::open(path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
            }
            Location::Postgres(url) => {
                Client::connect(&url, NoTls).unwrap().query_one(sql, &[]).unwrap().get(0)
            }
        }
    }

    /// Lifts the protection of the log, as somebody who wants to edit it would.
    pub fn unlock_history(&self) {
        self.by_hand(if self.is_sqlite() {
            "DROP TRIGGER IF EXISTS events_are_never_updated; DROP TRIGGER IF EXISTS events_are_never_deleted;"
        } else {
            "DROP TRIGGER events_are_never_edited ON events"
        });
    }
}
