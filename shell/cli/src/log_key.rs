//! Who signs the log of a database, and where its last checkpoint is kept outside it.

use crate::context::EVERYWHERE;
use crate::failure::{Exit, Failure};
use clap::Args;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use strongroom_desk::Desk;
use strongroom_store::{Anchor, Location, Notary};
use strongroom_vault::{KeepingError, KekSource, LogKey};

/// Options about the log of every command that writes.
#[derive(Debug, Clone, Args)]
pub(crate) struct LogArgs {
    /// Key that signs the log: file:PATH, env:NAME, pkcs11:URI, or none; a file beside an SQLite database when absent
    #[arg(
        long,
        global = true,
        help_heading = EVERYWHERE,
        env = "STRONGROOM_LOG_KEY",
        hide_env_values = true,
        value_name = "SOURCE"
    )]
    pub log_key: Option<LogKeySource>,
    /// File that keeps the last checkpoint outside the database; beside an SQLite database when absent
    #[arg(long, global = true, help_heading = EVERYWHERE, env = "STRONGROOM_ANCHOR", value_name = "FILE")]
    pub anchor: Option<PathBuf>,
}

/// Where the key that signs the log is, or that nobody signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LogKeySource {
    None,
    Place(KekSource),
}

impl FromStr for LogKeySource {
    type Err = KeepingError;

    fn from_str(option: &str) -> Result<Self, KeepingError> {
        if option == "none" { Ok(Self::None) } else { option.parse().map(Self::Place) }
    }
}

/// A key as one who signs checkpoints.
pub(crate) struct Signing(pub LogKey);

impl fmt::Debug for Signing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl Notary for Signing {
    fn public(&self) -> [u8; 32] {
        self.0.public()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], String> {
        self.0.sign(message).map_err(|error| error.to_string())
    }
}

impl LogArgs {
    /// Who signs the log. Only the file beside the database is made where there is none, and only for a log that
    /// nobody signed yet: a log has one key for its whole life.
    pub fn notary(&self, location: &Location) -> Result<Option<Box<dyn Notary>>, Failure> {
        let key = match (&self.log_key, location) {
            (Some(LogKeySource::None), _) | (None, Location::Postgres(_)) => return Ok(None),
            (Some(LogKeySource::Place(source)), _) => source.load_log_key()?,
            (None, Location::Sqlite(database)) => beside(database, location)?,
        };
        Ok(Some(Box::new(Signing(key))))
    }

    /// The checkpoint outside the database.
    pub fn anchor(&self, location: &Location) -> Result<Option<Anchor>, Failure> {
        Ok(self.anchor_path(location).map(Anchor::file).transpose()?)
    }

    /// Where the checkpoint outside the database is; of a PostgreSQL database only where the option says.
    pub fn anchor_path(&self, location: &Location) -> Option<PathBuf> {
        match (&self.anchor, location) {
            (Some(path), _) => Some(path.clone()),
            (None, Location::Sqlite(database)) => Some(with_suffix(database, ".checkpoint")),
            (None, Location::Postgres(_)) => None,
        }
    }
}

fn beside(database: &Path, location: &Location) -> Result<LogKey, Failure> {
    let path = with_suffix(database, ".log-key");
    let source = KekSource::File(path.clone());
    if path.exists() {
        return Ok(source.load_log_key()?);
    }
    match signer_of(database, location) {
        Some(key) => {
            let message =
                format!("the log of {location} is signed by {key}, and {} is not there", path.display());
            let failure = Failure::new("log.key_must_be_the_logs", message, Exit::Input);
            Err(failure.hint(
                "Bring the file there, or name the key with --log-key. If it is lost, `--log-key none` goes on without \
                 signatures.",
            ))
        }
        None => Ok(source.create_log_key()?),
    }
}

/// Who signed the log of a database that is there; none where it cannot be read yet, such as one to be migrated.
fn signer_of(database: &Path, location: &Location) -> Option<String> {
    if !database.exists() {
        return None;
    }
    Desk::open_read_only(location).and_then(|mut desk| desk.log_head()).ok()?.key
}

/// A path with something added to its name.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
