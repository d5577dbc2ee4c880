//! A database of a test's own on a PostgreSQL server.

use crate::steps_aside;
use postgres::{Client, NoTls};
use std::sync::atomic::{AtomicU32, Ordering};

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
        let name =
            format!("strongroom_test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        // A database of an earlier process with the same number, which was killed before it could drop it.
        client.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).unwrap();
        client.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
        Some(Self { server, name })
    }

    /// Where it is.
    pub fn url(&self) -> String {
        let (before, _) = self.server.rsplit_once('/').unwrap();
        format!("{before}/{}", self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Ok(mut client) = Client::connect(&self.server, NoTls) {
            // What cannot be dropped now is dropped by the next process of the same number.
            drop(client.batch_execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)));
        }
    }
}
