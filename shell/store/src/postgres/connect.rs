//! A session with a bound on every wait, and with durable commits whatever the server's default is.

use std::str::FromStr;
use std::time::Duration;

use ::postgres::{Client, Config, NoTls};

use super::fault::fault;
use crate::error::StoreError;

/// How long a server may take to answer a new connection, for each of its addresses.
const CONNECT_WAIT: Duration = Duration::from_secs(10);
/// How long a sent byte may stay unacknowledged before the connection counts as lost.
const UNACKNOWLEDGED_WAIT: Duration = Duration::from_secs(30);
/// When a silent connection is probed, and how often: lost after a minute.
const PROBE_AFTER: Duration = Duration::from_secs(30);
const PROBE_EVERY: Duration = Duration::from_secs(10);
const PROBES: u32 = 3;

/// A lock is waited for as long as in SQLite. The last limit frees the locks of a process that hangs.
const SESSION: &str = "
    SET synchronous_commit = on;
    SET lock_timeout = '5s';
    SET statement_timeout = '30s';
    SET idle_in_transaction_session_timeout = '60s';
    SET TimeZone = 'UTC';
    SET client_min_messages = warning";

pub(super) const READ_ONLY: &str = "SET default_transaction_read_only = on";

/// For statements that go through whole tables: migrations and backups.
pub(super) const LONG_TRANSACTION: &str =
    "SET LOCAL statement_timeout = '10min'; SET LOCAL lock_timeout = '1min'";

pub(super) fn connect(url: &str, location: &str) -> Result<Client, StoreError> {
    let mut config = Config::from_str(url).map_err(|_| StoreError::LocationMalformed)?;
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_WAIT);
    }
    config.tcp_user_timeout(UNACKNOWLEDGED_WAIT);
    config.keepalives_idle(PROBE_AFTER).keepalives_interval(PROBE_EVERY).keepalives_retries(PROBES);
    if config.get_application_name().is_none() {
        config.application_name("strongroom");
    }
    let unreachable = |e| StoreError::Unreachable {
        location: location.to_owned(),
        source: Box::<::postgres::Error>::new(e),
    };
    let mut client = config.connect(NoTls).map_err(unreachable)?;
    client.batch_execute(SESSION).map_err(|e| fault(location, e))?;
    Ok(client)
}
