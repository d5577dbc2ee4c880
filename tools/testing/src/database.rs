//! A database of a test's own on a PostgreSQL server.

use crate::steps_aside;
use postgres::{Client, NoTls};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A database of a test that crashed is dropped by later tests, once it is an hour old.
const LEFTOVER_AFTER_SECONDS: u64 = 3_600;
/// What follows is the second of birth, the process and a count: no test drops another's before its time.
const PREFIX: &str = "strongroom_test_at_";

/// Dropped again with this value.
#[derive(Debug)]
pub struct Database {
    server: String,
    name: String,
}

impl Database {
    /// A fresh, empty database on the server that `STRONGROOM_TEST_POSTGRES` names, or else the local one. None, and
    /// the test steps aside, where no server answers.
    pub fn fresh() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = std::env::var("STRONGROOM_TEST_POSTGRES")
            .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned());
        let mut client = match Client::connect(&server, NoTls) {
            Ok(client) => client,
            Err(error) => {
                steps_aside(&format!("no PostgreSQL server answers ({error})"));
                return None;
            }
        };
        drop_leftovers(&mut client);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}_{}_{count}", seconds_now(), std::process::id());
        // Not a copy of the server's own template, to which somebody else may be connected.
        client.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0")).unwrap();
        Some(Self { server, name })
    }

    /// Where it is; parameters of the server's address are kept.
    pub fn url(&self) -> String {
        let (address, parameters) = self.server.split_at(self.server.find('?').unwrap_or(self.server.len()));
        let (before, _) = address.rsplit_once('/').unwrap();
        format!("{before}/{}{parameters}", self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Ok(mut client) = Client::connect(&self.server, NoTls) {
            // What cannot be dropped now is dropped later.
            drop(client.batch_execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)));
        }
    }
}

fn drop_leftovers(client: &mut Client) {
    let sql = format!("SELECT datname FROM pg_database WHERE datname LIKE '{PREFIX}%'");
    for row in client.query(&sql, &[]).unwrap() {
        let name: String = row.get(0);
        let born = name.strip_prefix(PREFIX).and_then(|rest| rest.split('_').next()?.parse::<u64>().ok());
        if born.is_some_and(|born| born + LEFTOVER_AFTER_SECONDS < seconds_now()) {
            // Another test may be dropping the same one.
            drop(client.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")));
        }
    }
}

fn seconds_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
