//! Enrolling: the key is made here, its private half never leaves, and the server's keys are pinned.

use crate::client::{Client, Options};
use crate::error::ClientError;
use crate::key_file::{KeyFile, SecretText, ServerKey};
use crate::transport::directory;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use strongroom_signature::SigningKey;
use zeroize::Zeroizing;

/// A one-time invitation: the enrolment's name, a dot, its code.
#[derive(Clone)]
pub struct Invitation {
    /// The enrolment's name.
    pub enrolment: String,
    /// Its code.
    pub code: String,
}

impl Invitation {
    /// Reads `e0123456789ab.CODE`.
    pub fn parse(text: &str) -> Option<Self> {
        let (enrolment, code) = text.trim().split_once('.')?;
        Some(Self { enrolment: enrolment.to_owned(), code: code.to_owned() })
    }
}

/// What belongs into the key file of an HMAC secret that the server made, with the server's keys from its directory.
pub fn of_secret(
    server: &str,
    key: &str,
    secret: SecretText,
    options: &Options,
) -> Result<KeyFile, ClientError> {
    let server_keys = directory(options, server)?;
    Ok(KeyFile {
        server: server.trim_end_matches('/').to_owned(),
        key: key.to_owned(),
        algorithm: "hmac-sha256".to_owned(),
        secret,
        server_keys,
        expires: None,
        next: None,
        former: Vec::new(),
    })
}

#[derive(Deserialize)]
struct Enrolled {
    key: String,
    expires: String,
    server_keys: Vec<ServerKey>,
}

/// Makes an Ed25519 key, enrols its public half and gives what belongs into the key file. The server's keys are taken
/// from its directory first and every answer is checked with them: on first contact the transport alone vouches for
/// that directory, so use https or loopback.
pub fn enrol(server: &str, invitation: &Invitation, options: &Options) -> Result<KeyFile, ClientError> {
    let mut seed = Zeroizing::new([0_u8; 32]);
    aws_lc_rs::rand::fill(seed.as_mut_slice()).map_err(|_| ClientError::Random)?;
    let key = SigningKey::ed25519(seed.as_slice())?;
    let public = key.public_key().unwrap_or_default();
    let client = Client::of_parts(options, server, key, invitation.enrolment.clone())?;
    let body = serde_json::json!({
        "code": invitation.code,
        "algorithm": "ed25519",
        "public_key": STANDARD.encode(public),
    });
    let answer =
        client.post(&format!("/v1/enrolments/{}", invitation.enrolment), body.to_string().as_bytes())?;
    let enrolled: Enrolled = serde_json::from_slice(&answer.into_success()?)
        .map_err(|error| ClientError::AnswerMustBeSigned(format!("it is no enrolment: {error}")))?;
    Ok(KeyFile {
        server: client.server().to_owned(),
        key: enrolled.key,
        algorithm: "ed25519".to_owned(),
        secret: SecretText::new(STANDARD.encode(seed.as_slice())),
        server_keys: enrolled.server_keys,
        expires: Some(enrolled.expires),
        next: None,
        former: Vec::new(),
    })
}
