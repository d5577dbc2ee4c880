//! The keys as the gate looks them up: access as its log has it, and beside each key what checks its signatures.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use strongroom_access::bearer::{BearerKey, Pepper};
use strongroom_access::rotation::RotationEvent;
use strongroom_access::{AccessEvent, AccessState, Algorithm, KeyId, KeyVersion, LineageId, Material};
use strongroom_signature::VerifyingKey;
use strongroom_units::time::Timestamp;
use thiserror::Error;

/// A secret that could not be had.
#[derive(Debug, Error)]
#[error("the secret of {key} cannot be opened: {reason}")]
pub struct SecretError {
    /// The key.
    pub key: KeyId,
    /// Why, without the secret.
    pub reason: String,
}

/// Opens what the vault sealed of an HMAC key.
pub type OpenSecret = Box<dyn Fn(&KeyId, &str) -> Result<VerifyingKey, SecretError> + Send + Sync>;

/// What checks one key, and how much it was used.
pub(crate) struct Verifier {
    pub check: Check,
    uses: AtomicU64,
    last_used: AtomicI64,
}

/// How a key is checked.
pub(crate) enum Check {
    Signature(VerifyingKey),
    /// The keyed hash of a bearer secret, hexadecimal.
    Bearer(String),
}

impl Verifier {
    pub fn note_use(&self, now: Timestamp) {
        self.uses.fetch_add(1, Ordering::Relaxed);
        self.last_used.fetch_max(now.as_second(), Ordering::Relaxed);
    }
}

/// Every key that might be used, and the access that says whether it may.
pub struct KeyTable {
    state: AccessState,
    verifiers: HashMap<KeyId, Arc<Verifier>>,
    open: OpenSecret,
}

impl std::fmt::Debug for KeyTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyTable").field("keys", &self.verifiers.len()).finish_non_exhaustive()
    }
}

impl KeyTable {
    /// A table of access as it is now. A key whose material cannot be read is an error: it would lock its holder out
    /// silently.
    pub fn try_new(state: AccessState, open: OpenSecret) -> Result<Self, SecretError> {
        let mut verifiers = HashMap::new();
        for lineage in state.lineages() {
            for version in lineage.versions.values().filter(|version| version.material != Material::Gone) {
                let key = lineage.key_id(version.version);
                let verifier = verifier(&key, version, &open)?;
                verifiers.insert(key, Arc::new(verifier));
            }
        }
        Ok(Self { state, verifiers, open })
    }

    /// Access as the table has it.
    pub fn access(&self) -> &AccessState {
        &self.state
    }

    /// Follows events that are durable already. A key whose material cannot be read stays unknown, which refuses it.
    pub fn apply(&mut self, events: &[AccessEvent], at: Timestamp) -> Result<(), SecretError> {
        let mut outcome = Ok(());
        for event in events {
            self.state.apply(event, at);
            let (lineage, version) = match event {
                AccessEvent::KeyIssued { lineage, key: KeyVersion { version, .. }, .. }
                | AccessEvent::KeyRewrapped { key: KeyId { lineage, version }, .. }
                | AccessEvent::Rotation(RotationEvent::SuccessorAdded {
                    lineage,
                    key: KeyVersion { version, .. },
                    ..
                }) => (lineage, version),
                AccessEvent::Rotation(RotationEvent::GivenUp { key } | RotationEvent::Destroyed { key }) => {
                    self.verifiers.remove(key);
                    continue;
                }
                _ => continue,
            };
            let key = KeyId { lineage: lineage.clone(), version: *version };
            let found = self.state.lineage(lineage).and_then(|lineage| lineage.versions.get(version));
            match found.map(|version| verifier(&key, version, &self.open)) {
                Some(Ok(verifier)) => drop(self.verifiers.insert(key, Arc::new(verifier))),
                Some(Err(error)) => outcome = Err(error),
                None => {}
            }
        }
        outcome
    }

    pub(crate) fn verifier(&self, key: &KeyId) -> Option<Arc<Verifier>> {
        self.verifiers.get(key).cloned()
    }

    /// The version of a bearer lineage whose secret was shown. One hash, compared with that of each of its few versions.
    pub(crate) fn bearer(&self, shown: &BearerKey, pepper: &Pepper) -> Option<(KeyId, Arc<Verifier>)> {
        let lineage = self.state.lineage(shown.id())?;
        lineage.versions.keys().rev().find_map(|version| {
            let key = lineage.key_id(*version);
            let verifier = self.verifiers.get(&key)?;
            let matches = matches!(&verifier.check, Check::Bearer(hash) if shown.matches(pepper, hash));
            matches.then(|| (key, verifier.clone()))
        })
    }

    /// When each version of a lineage was last used since this process started.
    pub fn last_used(&self, lineage: &LineageId) -> BTreeMap<u32, Timestamp> {
        let versions = self.state.lineage(lineage).into_iter().flat_map(|lineage| lineage.versions.keys());
        let used = versions.filter_map(|version| {
            let key = KeyId { lineage: lineage.clone(), version: *version };
            Some((*version, self.usage(&key).1?))
        });
        used.collect()
    }

    /// Accepted requests of a key since this process started, and the last of them.
    pub fn usage(&self, key: &KeyId) -> (u64, Option<Timestamp>) {
        let Some(verifier) = self.verifiers.get(key) else { return (0, None) };
        let uses = verifier.uses.load(Ordering::Relaxed);
        let last = Timestamp::from_second(verifier.last_used.load(Ordering::Relaxed)).ok();
        (uses, last.filter(|_| uses > 0))
    }
}

fn verifier(key: &KeyId, version: &KeyVersion, open: &OpenSecret) -> Result<Verifier, SecretError> {
    let check = match &version.material {
        Material::Public { key: public } => {
            let error = |reason: String| SecretError { key: key.clone(), reason };
            Check::Signature(public_key(version.algorithm, public).map_err(error)?)
        }
        Material::Sealed { sealed } => Check::Signature(open(key, sealed)?),
        Material::Hash { hash } => Check::Bearer(hash.clone()),
        Material::Gone => {
            return Err(SecretError { key: key.clone(), reason: "it was destroyed".to_owned() });
        }
    };
    Ok(Verifier { check, uses: AtomicU64::new(0), last_used: AtomicI64::new(0) })
}

/// Reads a public key in the form in which it is enrolled: base64 of 32 bytes for Ed25519, of an uncompressed point
/// for P-256, of SubjectPublicKeyInfo for RSA.
pub fn public_key(algorithm: Algorithm, text: &str) -> Result<VerifyingKey, String> {
    let bytes = STANDARD.decode(text).map_err(|error| error.to_string())?;
    let key = match algorithm {
        Algorithm::Ed25519 => VerifyingKey::ed25519(&bytes),
        Algorithm::EcdsaP256Sha256 => VerifyingKey::ecdsa_p256(&bytes),
        Algorithm::RsaPssSha512 => {
            VerifyingKey::from_spki(strongroom_signature::Algorithm::RsaPssSha512, &bytes)
        }
        Algorithm::HmacSha256 | Algorithm::Bearer => {
            return Err("this is no algorithm of public keys".to_owned());
        }
    };
    key.map_err(|error| error.to_string())
}
