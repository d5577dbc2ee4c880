//! Deliveries to a listener on this machine, to addresses that are not delivered to, and to the published libraries.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod deliveries;
mod inbox;
mod listener;
mod published;
mod reach;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use strongroom_webhook::{MessageId, Secrets, SigningSecret};

/// An HMAC secret where the seed is even, an Ed25519 key where it is odd.
fn secret(seed: u8) -> SigningSecret {
    let prefix = if seed.is_multiple_of(2) { "whsec" } else { "whsk" };
    SigningSecret::parse(&format!("{prefix}_{}", STANDARD.encode([seed; 32]))).unwrap()
}

fn secrets(seed: u8) -> Secrets {
    Secrets::new(secret(seed))
}

fn id(text: &str) -> MessageId {
    MessageId::try_new(text).unwrap()
}
