//! The vault from outside: envelopes, keeping places, rotation, and that nothing secret is ever written.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets what it did not expect has failed"
)]

mod boxes;
mod envelope;
mod keeping;
mod rotation;
mod silence;

use std::path::Path;
use strongroom_vault::{Identity, Kek, KekSource, Secret, Vault};

/// A key of its own, which is the same wherever the same number is given.
fn kek(number: u8) -> Kek {
    Kek::from_secret(&Secret::new(vec![number; 32])).unwrap()
}

fn vault() -> Vault {
    Vault::new(kek(1))
}

fn identity(id: &str) -> Identity<'_> {
    Identity::try_new("hmac-credential", id).unwrap()
}

fn code<T>(result: Result<T, strongroom_vault::VaultError>) -> &'static str {
    result.err().map_or("ok", |error| error.code())
}

fn keeping_code<T>(result: Result<T, strongroom_vault::KeepingError>) -> &'static str {
    result.err().map_or("ok", |error| error.code())
}

fn file(path: &Path) -> KekSource {
    KekSource::File(path.to_owned())
}
