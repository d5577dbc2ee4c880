//! Where a test keeps its database: a directory, or a database of its own on a PostgreSQL server.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use postgres::{Client, NoTls};
use strongroom_desk::{Desk, SCHEMA};
use strongroom_store::{Location, Store};
use tempfile::TempDir;

/// A database of a test that crashed is dropped by later tests, once it is an hour old.
const LEFTOVER_AFTER_SECONDS: u64 = 3_600;
const PREFIX: &str = "strongroom_desk_test_";

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
        let database = Some(Database::create()?);
        Some(Self { directory: tempfile::tempdir().unwrap(), database })
    }

    pub fn location(&self) -> Location {
        self.database.as_ref().map_or_else(
            || Location::Sqlite(self.file("fund.db")),
            |database| Location::Postgres(database.url.clone()),
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
            "DROP TRIGGER events_are_never_updated; DROP TRIGGER events_are_never_deleted;"
        } else {
            "DROP TRIGGER events_are_never_edited ON events"
        });
    }
}

/// A database of a server, dropped again with this value.
struct Database {
    server: String,
    name: String,
    url: String,
}

impl Database {
    fn create() -> Option<Self> {
        let server = std::env::var("STRONGROOM_TEST_POSTGRES")
            .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned());
        let mut client = match Client::connect(&server, NoTls) {
            Ok(client) => client,
            Err(e) => {
                let shown = server.parse::<Location>().unwrap();
                assert!(std::env::var_os("CI").is_none(), "PostgreSQL is not reachable at {shown}: {e}");
                eprintln!("PostgreSQL is not reachable at {shown}: this test steps aside");
                return None;
            }
        };
        drop_leftovers(&mut client);
        let name = fresh_name();
        client.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0")).unwrap();
        let (base, parameters) = server.split_at(server.find('?').unwrap_or(server.len()));
        let (base, _) = base.rsplit_once('/').unwrap();
        let url = format!("{base}/{name}{parameters}");
        Some(Self { server, name, url })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A test that fails here has failed before; the leftover is dropped later.
        if let Ok(mut client) = Client::connect(&self.server, NoTls) {
            let _ = client.batch_execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        }
    }
}

fn fresh_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{PREFIX}{}_{}_{count}", seconds_now(), std::process::id())
}

fn drop_leftovers(client: &mut Client) {
    let sql = format!("SELECT datname FROM pg_database WHERE datname LIKE '{PREFIX}%'");
    for row in client.query(&sql, &[]).unwrap() {
        let name: String = row.get(0);
        let born = name.strip_prefix(PREFIX).and_then(|rest| rest.split('_').next()?.parse::<u64>().ok());
        if born.is_some_and(|born| born + LEFTOVER_AFTER_SECONDS < seconds_now()) {
            // Another test may be dropping the same one.
            let _ = client.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
    }
}

fn seconds_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
