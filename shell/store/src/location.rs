//! Where a database is: an SQLite file or a PostgreSQL server. Not a connection.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::error::StoreError;

/// Where a store lives.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A file on a local disk. Two more files stand beside it while it is open (`-wal`, `-shm`), and a `.lock` file.
    Sqlite(PathBuf),
    /// `postgres://user@host:port/database`. The store uses the first schema of the search path, so that
    /// `?options=-csearch_path%3Dfund_a` keeps several stores apart in one database. There is no TLS: connect over
    /// a local socket or a private network.
    Postgres(String),
}

impl FromStr for Location {
    type Err = StoreError;

    /// A text with a scheme is a PostgreSQL URL, anything else is a path.
    fn from_str(text: &str) -> Result<Self, StoreError> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        if text.is_empty() || text.contains("://") {
            return Err(StoreError::LocationMalformed);
        }
        Ok(Self::Sqlite(PathBuf::from(text)))
    }
}

impl fmt::Display for Location {
    /// The path, or the URL without its password and parameters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(f),
            Self::Postgres(url) => f.write_str(&without_secrets(url)),
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Location({self})")
    }
}

fn without_secrets(url: &str) -> String {
    let url = url.split('?').next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else {
        return String::new();
    };
    match rest.rsplit_once('@') {
        Some((user, host)) => format!("{scheme}://{}@{host}", user.split(':').next().unwrap_or_default()),
        None => format!("{scheme}://{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_a_path_or_a_postgres_url() {
        assert_eq!("fund.db".parse::<Location>().unwrap(), Location::Sqlite("fund.db".into()));
        assert!(matches!("postgres://h/d".parse::<Location>().unwrap(), Location::Postgres(_)));
        assert!(matches!("postgresql://h/d".parse::<Location>().unwrap(), Location::Postgres(_)));
        for text in ["", "mysql://h/d", "https://example.org"] {
            let code = text.parse::<Location>().unwrap_err().code();
            assert_eq!(code, "store.location_must_be_path_or_postgres_url");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let location: Location = "postgres://ann:p@ss@db:5432/fund?password=other".parse().unwrap();
        assert_eq!(location.to_string(), "postgres://ann@db:5432/fund");
        assert_eq!(format!("{location:?}"), "Location(postgres://ann@db:5432/fund)");
    }
}
