//! Why a request was not made, or its answer not believed.

use std::path::PathBuf;
use strongroom_signature::{KeyError, SignatureError};
use thiserror::Error;

/// A request without an answer that can be believed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Only a client of a key file can rotate.
    #[error("open the client by its key file to rotate its key")]
    KeyFileMustBeKnown,
    /// A key file that is missing, unreadable or not one.
    #[error("{}: {reason}", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A key file that others on this machine may read.
    #[error("{} can be read by others; run `chmod 600` on it", path.display())]
    KeyFileMustBePrivate {
        /// The file.
        path: PathBuf,
    },
    /// A secret that is not base64.
    #[error("the secret of the key file is not base64")]
    KeySecret,
    /// A key that cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A URL that is none, or not this server's.
    #[error("`{0}` is not a URL like https://host:8443/v1/whoami")]
    Url(String),
    /// Plaintext to another machine: whoever listens could read it.
    #[error("plain http is for loopback only, and {0} is not; use https")]
    PlaintextMustStayOnLoopback(String),
    /// The server could not be reached, or went away. Whether the request was executed is not known.
    #[error("{0}; whether the request was executed is not known: ask before sending another")]
    Transport(String),
    /// A request that cannot be signed.
    #[error(transparent)]
    Signature(SignatureError),
    /// An answer that no pinned key signed, or that answers something else.
    #[error("the answer cannot be believed: {0}")]
    AnswerMustBeSigned(String),
    /// An answer that is too long.
    #[error("the answer has more than {0} bytes")]
    AnswerMustBeBounded(u64),
    /// This machine gave no randomness.
    #[error("this machine gives no randomness")]
    Random,
    /// The server refused.
    #[error("{code}: {detail}")]
    Refused {
        /// Its status.
        status: u16,
        /// Its stable code.
        code: String,
        /// What it said.
        detail: String,
    },
}

impl ClientError {
    /// The stable code; the server's own where it refused.
    pub fn code(&self) -> &str {
        match self {
            Self::KeyFile { .. } | Self::KeySecret => "client.key_file_must_be_readable",
            Self::KeyFileMustBeKnown => "client.key_file_must_be_known",
            Self::KeyFileMustBePrivate { .. } => "client.key_file_must_be_private",
            Self::Key(error) => error.code(),
            Self::Url(_) => "client.url_must_be_valid",
            Self::PlaintextMustStayOnLoopback(_) => "client.plaintext_must_stay_on_loopback",
            Self::Transport(_) => "client.server_must_answer",
            Self::Signature(error) => error.code(),
            Self::AnswerMustBeSigned(_) => "client.answer_must_be_signed",
            Self::AnswerMustBeBounded(_) => "client.answer_must_be_bounded",
            Self::Random => "client.randomness_must_be_had",
            Self::Refused { code, .. } => code,
        }
    }
}
