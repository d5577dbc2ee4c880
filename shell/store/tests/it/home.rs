//! Where a test keeps its store: a directory, or a database of its own on a PostgreSQL server.

use std::path::PathBuf;

use postgres::{Client, NoTls, SimpleQueryMessage};
use strongroom_store::{Location, Schema, Store};
use strongroom_testing::Database;
use tempfile::TempDir;

/// A place for one test; it vanishes with the value.
pub struct Home {
    directory: TempDir,
    databases: Option<[Database; 2]>,
}

impl Home {
    pub fn sqlite() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), databases: None }
    }

    /// `None` if there is no server, which is a failure where `CI` is set.
    pub fn postgres() -> Option<Self> {
        let databases = Some([Database::fresh()?, Database::fresh()?]);
        Some(Self { directory: tempfile::tempdir().unwrap(), databases })
    }

    pub fn location(&self) -> Location {
        self.databases.as_ref().map_or_else(
            || Location::Sqlite(self.file("fund.db")),
            |[first, _]| Location::Postgres(first.url()),
        )
    }

    /// A second place of the same kind, empty at first.
    pub fn other_location(&self) -> Location {
        self.databases.as_ref().map_or_else(
            || Location::Sqlite(self.file("other.db")),
            |[_, second]| Location::Postgres(second.url()),
        )
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn open(&self, schema: &'static Schema) -> Store {
        Store::open(&self.location(), schema).unwrap()
    }

    /// What somebody with `sqlite3` or `psql` could do.
    pub fn by_hand(&self, sql: &str) -> Result<(), String> {
        match self.location() {
            Location::Sqlite(path) => {
                rusqlite::Connection::open(path).unwrap().execute_batch(sql).map_err(|e| e.to_string())
            }
            Location::Postgres(url) => {
                let done = client(&url).batch_execute(sql);
                done.map_err(|e| e.as_db_error().map_or(e.to_string(), |said| said.message().to_owned()))
            }
        }
    }

    /// As [`Home::by_hand`], by somebody who takes the guards of the history away first.
    pub fn as_attacker(&self, sql: &str) {
        let guards = match self.location() {
            Location::Sqlite(_) => {
                "DROP TRIGGER IF EXISTS events_are_never_updated; DROP TRIGGER IF EXISTS events_are_never_deleted;
                 DROP TRIGGER IF EXISTS events_are_never_replaced;"
            }
            Location::Postgres(_) => "ALTER TABLE events DISABLE TRIGGER ALL;",
        };
        self.by_hand(&format!("{guards}{sql}")).unwrap();
    }

    /// An empty store of the same kind in a place of its own.
    pub fn fresh_log(&self) -> (Self, Store) {
        let home = if self.databases.is_none() { Self::sqlite() } else { Self::postgres().unwrap() };
        let store = home.open(&crate::sample::SCHEMA);
        (home, store)
    }

    /// The rows of a query as text, instants as the store writes them; a null is `-`.
    pub fn rows(&self, sql: &str) -> Vec<String> {
        rows(&self.location(), sql)
    }
}

pub fn rows(location: &Location, sql: &str) -> Vec<String> {
    match location {
        Location::Sqlite(path) => sqlite_rows(path, sql),
        Location::Postgres(url) => postgres_rows(url, sql),
    }
}

fn sqlite_rows(path: &PathBuf, sql: &str) -> Vec<String> {
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let line = |row: &rusqlite::Row<'_>| {
        let value = |index| match row.get_ref(index).unwrap() {
            rusqlite::types::ValueRef::Null => "-".to_owned(),
            rusqlite::types::ValueRef::Integer(number) => number.to_string(),
            text => text.as_str().unwrap().to_owned(),
        };
        Ok((0..columns).map(value).collect::<Vec<_>>().join(" "))
    };
    statement.query_map([], line).unwrap().map(Result::unwrap).collect()
}

fn postgres_rows(url: &str, sql: &str) -> Vec<String> {
    let mut client = client(url);
    client.batch_execute("SET TimeZone = 'UTC'").unwrap();
    let line = |message: SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => {
            let values = (0..row.len()).map(|index| row.get(index).map_or("-".to_owned(), canonical));
            Some(values.collect::<Vec<_>>().join(" "))
        }
        _ => None,
    };
    client.simple_query(sql).unwrap().into_iter().filter_map(line).collect()
}

/// `2026-01-02 03:04:05+00` as the store writes it.
fn canonical(text: &str) -> String {
    text.strip_suffix("+00").map_or(text.to_owned(), |instant| format!("{}Z", instant.replace(' ', "T")))
}

pub fn client(url: &str) -> Client {
    Client::connect(url, NoTls).unwrap()
}
