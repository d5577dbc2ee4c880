//! Where a test keeps its store: a directory, or a database of its own on a PostgreSQL server.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use postgres::{Client, NoTls, SimpleQueryMessage};
use strongroom_store::{Location, Schema, Store};
use tempfile::TempDir;

/// A database of a test that crashed is dropped by later tests, once it is an hour old.
const LEFTOVER_AFTER_SECONDS: u64 = 3_600;
const PREFIX: &str = "strongroom_test_";

/// A place for one test; it vanishes with the value.
pub struct Home {
    directory: TempDir,
    databases: Option<Databases>,
}

impl Home {
    pub fn sqlite() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), databases: None }
    }

    /// `None` if there is no server, which is a failure where `CI` is set.
    pub fn postgres() -> Option<Self> {
        let databases = Some(Databases::create()?);
        Some(Self { directory: tempfile::tempdir().unwrap(), databases })
    }

    pub fn location(&self) -> Location {
        self.databases.as_ref().map_or_else(
            || Location::Sqlite(self.file("fund.db")),
            |databases| Location::Postgres(databases.url(&databases.first)),
        )
    }

    /// A second place of the same kind, empty at first.
    pub fn other_location(&self) -> Location {
        self.databases.as_ref().map_or_else(
            || Location::Sqlite(self.file("other.db")),
            |databases| Location::Postgres(databases.url(&databases.second)),
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

/// Two databases of a server, dropped again with this value.
struct Databases {
    server: String,
    first: String,
    second: String,
}

impl Databases {
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
        let (first, second) = (fresh_name(), fresh_name());
        for name in [&first, &second] {
            client.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0")).unwrap();
        }
        Some(Self { server, first, second })
    }

    fn url(&self, name: &str) -> String {
        let (server, parameters) = self.server.split_at(self.server.find('?').unwrap_or(self.server.len()));
        let (server, _) = server.rsplit_once('/').unwrap();
        format!("{server}/{name}{parameters}")
    }
}

impl Drop for Databases {
    fn drop(&mut self) {
        let mut client = client(&self.server);
        for name in [&self.first, &self.second] {
            // A test that fails here has failed before; the leftover is dropped later.
            let _ = client.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
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
        let born = name.split('_').nth(2).and_then(|part| part.parse::<u64>().ok());
        if born.is_some_and(|born| born + LEFTOVER_AFTER_SECONDS < seconds_now()) {
            // Another test may be dropping the same one.
            let _ = client.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
    }
}

fn seconds_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
