//! Why a server did not start.

use crate::verifiers::GONE_AFTER;
use std::net::SocketAddr;
use strongroom_access::rate_limit::PolicyError;
use strongroom_desk::DeskError;
use strongroom_gate::SecretError;
use strongroom_gate::shared::SharedError;
use strongroom_gate::wal::OpenError;
use strongroom_vault::VaultError;
use thiserror::Error;

/// A server that did not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Plaintext where others could read it.
    #[error(
        "{0} is not loopback: give --tls-cert and --tls-key, or listen on 127.0.0.1 behind a proxy that does TLS"
    )]
    PlaintextMustStayOnLoopback(SocketAddr),
    /// The database refused or failed.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// The vault could not open or seal a key.
    #[error("the vault: {0}")]
    Vault(#[from] VaultError),
    /// A key's material cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The folder of nonces cannot be used.
    #[error(transparent)]
    Nonces(#[from] OpenError),
    /// The Redis that remembers nonces cannot be used.
    #[error(transparent)]
    Redis(#[from] SharedError),
    /// No such rate.
    #[error(transparent)]
    Rate(#[from] PolicyError),
    /// The certificate or its key cannot be used.
    #[error("the TLS certificate or key cannot be used: {0}")]
    Tls(#[source] std::io::Error),
    /// The address is taken or not ours.
    #[error("cannot listen: {0}")]
    Socket(#[source] std::io::Error),
    /// Another server of the same database remembers nonces elsewhere: each would let a captured request in once.
    #[error(
        "{other} verifies for this database and remembers nonces elsewhere, so a captured request could pass once at \
         each; give all of them the same --redis URL, or stop the other one (it is forgotten after {gone} s)",
        gone = GONE_AFTER.as_secs()
    )]
    WindowMustBeShared {
        /// The other verifier.
        other: String,
    },
    /// The log of keys could not be looked at.
    #[error("the log of keys could not be followed: {0}")]
    Look(&'static str),
    /// Principals or keys in the tables are not what the log says.
    #[error("{0}")]
    Keys(strongroom_store::LogFault),
    /// The server's own key is not what its record says.
    #[error("the server's key {0} cannot be used")]
    ServerKey(u32),
}

impl ServeError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::PlaintextMustStayOnLoopback(_) => "server.plaintext_must_stay_on_loopback",
            Self::Desk(error) => error.code(),
            Self::Vault(error) => error.code(),
            Self::Secret(_) => "vault.secret_must_open",
            Self::Nonces(error) => error.code(),
            Self::Redis(error) => error.code(),
            Self::Rate(error) => error.code(),
            Self::Tls(_) => "server.certificate_must_be_usable",
            Self::Socket(_) => "server.address_must_be_free",
            Self::WindowMustBeShared { .. } => "server.replay_window_must_be_shared",
            Self::Look(_) => "server.keys_must_be_followed",
            Self::Keys(fault) => fault.code(),
            Self::ServerKey(_) => "server.key_must_be_usable",
        }
    }
}
