//! Where the gate remembers nonces beside its window: nowhere, in a folder, or in a Redis with other servers.

use crate::serve_error::ServeError;
use crate::start::{random, server_secret};
use strongroom_access::replay::{EraSecret, FingerprintKey, Limits, Recovered, Window};
use strongroom_desk::Desk;
use strongroom_gate::shared::{SharedNonces, SharedSettings};
use strongroom_gate::wal::{NonceLog, Settings};
use strongroom_gate::{EraMakers, NonceStore};
use strongroom_units::time::Timestamp;
use strongroom_vault::{Secret, Vault};

/// The name of the secret with which nonces outside the process are fingerprinted.
const NONCE_KEY: &str = "nonce-fingerprints";
/// The name of the secret from which challenges and tokens follow that several servers know.
const ERA_SECRET: &str = "nonce-eras";
/// Seconds that a session token is good.
pub(crate) const TOKEN_SECONDS: u32 = 60;
/// Seconds that a challenge is good.
pub(crate) const CHALLENGE_SECONDS: u32 = 60;

/// The window and what is beside it, as the options have it.
pub(crate) fn open(
    desk: &mut Desk,
    vault: &Vault,
    (folder, redis): (Option<&std::path::Path>, Option<&str>),
    limits: Limits,
    now: Timestamp,
) -> Result<(Window, NonceStore), ServeError> {
    // The newest record is a later witness of the former process than a clock that was set back.
    let boot = desk.access()?.last_at().map_or(now, |last| last.max(now));
    if let Some(url) = redis {
        let key = fingerprint_key(&server_secret(desk, vault, NONCE_KEY, now)?);
        let secret = server_secret(desk, vault, ERA_SECRET, now)?;
        let shared = SharedNonces::connect(SharedSettings::new(url, key.check(), limits))?;
        // What was accepted is in Redis, whoever accepted it: this process need know nothing.
        let recovered = Recovered { entries: Vec::new(), watermark: shared.era().watermark, complete: true };
        let makers = EraMakers {
            secret: EraSecret::new(first_of(&secret)),
            challenge_seconds: CHALLENGE_SECONDS,
            token_seconds: TOKEN_SECONDS,
        };
        return Ok((Window::restored(limits, &key, &recovered, boot), NonceStore::Shared(shared, makers)));
    }
    let Some(folder) = folder else {
        let key = FingerprintKey::new(random()?);
        return Ok((Window::started(limits, &key, boot), NonceStore::InMemory));
    };
    let key = fingerprint_key(&server_secret(desk, vault, NONCE_KEY, now)?);
    let opened = NonceLog::open(folder, key.check(), limits.watermark_at(boot), Settings::default())?;
    Ok((Window::restored(limits, &key, &opened.recovered, boot), NonceStore::OnDisk(opened.log)))
}

fn fingerprint_key(secret: &Secret) -> FingerprintKey {
    FingerprintKey::new(first_of(secret))
}

fn first_of<const N: usize>(secret: &Secret) -> [u8; N] {
    core::array::from_fn(|place| secret.expose().get(place).copied().unwrap_or_default())
}
