//! A lineage and its versions, and the life of a version.
//!
//! ```text
//! pending ──first use──> active ──successor──> grace ──> retired ──> revoked ──> destroyed
//!    └──────────────────────┴────── revoke ──────┴──────────┘
//! ```

use crate::name::{KeyId, LineageId};
use crate::refusal::AccessRefusal;
use crate::restriction::Restriction;
use crate::rotation::Rotation;
use crate::scope::{Grant, ReplayMode};
use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use strongroom_units::time::Timestamp;

/// How a key signs, by its name in the HTTP Signature Algorithms registry (RFC 9421 section 6.2.2); `bearer` is a
/// secret that is shown instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// Ed25519.
    Ed25519,
    /// ECDSA on P-256 with SHA-256.
    EcdsaP256Sha256,
    /// RSA-PSS with SHA-512; verified only.
    RsaPssSha512,
    /// HMAC with SHA-256.
    HmacSha256,
    /// A bearer secret, for reading only.
    Bearer,
}

impl Algorithm {
    const ALL: [Self; 5] =
        [Self::Ed25519, Self::EcdsaP256Sha256, Self::RsaPssSha512, Self::HmacSha256, Self::Bearer];

    /// The name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::EcdsaP256Sha256 => "ecdsa-p256-sha256",
            Self::RsaPssSha512 => "rsa-pss-sha512",
            Self::HmacSha256 => "hmac-sha256",
            Self::Bearer => "bearer",
        }
    }

    /// Whether the holder makes the key and only its public half is known here.
    pub fn is_asymmetric(self) -> bool {
        matches!(self, Self::Ed25519 | Self::EcdsaP256Sha256 | Self::RsaPssSha512)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = AccessRefusal;

    fn from_str(text: &str) -> Result<Self, AccessRefusal> {
        Self::ALL.into_iter().find(|one| one.as_str() == text).ok_or_else(|| AccessRefusal::name(text))
    }
}

/// What is known here of a key. Nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "material", rename_all = "kebab-case")]
pub enum Material {
    /// The public half, base64: 32 bytes for Ed25519, an uncompressed point for P-256, SubjectPublicKeyInfo for RSA.
    Public {
        /// The key.
        key: String,
    },
    /// The secret, sealed by the vault under this key's name.
    Sealed {
        /// The vault's text.
        sealed: String,
    },
    /// A keyed hash of a bearer secret, hexadecimal.
    Hash {
        /// The hash.
        hash: String,
    },
    /// Nothing any more: the key was destroyed.
    Gone,
}

/// Where a version is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyState {
    /// Issued and not used yet. It may be used; its first use makes it active.
    Pending,
    /// In use.
    Active,
    /// Followed by a newer version; still good.
    Grace,
    /// No longer good; could be brought back.
    Retired,
    /// Never good again.
    Revoked,
    /// Its material is gone.
    Destroyed,
}

impl KeyState {
    /// The name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Grace => "grace",
            Self::Retired => "retired",
            Self::Revoked => "revoked",
            Self::Destroyed => "destroyed",
        }
    }
}

/// One key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyVersion {
    /// From 1.
    pub version: u32,
    /// How it signs.
    pub algorithm: Algorithm,
    /// What is known of it here.
    pub material: Material,
    /// Where it is in its life.
    pub state: KeyState,
    /// When it was issued.
    pub created: Timestamp,
    /// From when it is good.
    pub not_before: Timestamp,
    /// Until when it is good, exclusive. Every key ends.
    pub expires: Timestamp,
}

/// One credential through its versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lineage {
    /// Its name.
    pub id: LineageId,
    /// What it is for and whose it is.
    pub grant: Grant,
    /// Its keys.
    pub versions: BTreeMap<u32, KeyVersion>,
    /// What it is held to for a time.
    #[serde(default)]
    pub restriction: Option<Restriction>,
    /// How one follows another.
    #[serde(default)]
    pub rotation: Rotation,
}

/// A key that may be used now, with its lineage; only [`Lineage::usable`] makes one.
#[derive(Debug, Clone, Copy)]
pub struct Usable<'a> {
    lineage: &'a Lineage,
    version: &'a KeyVersion,
}

impl<'a> Usable<'a> {
    /// The lineage.
    pub fn lineage(self) -> &'a Lineage {
        self.lineage
    }

    /// The version.
    pub fn version(self) -> &'a KeyVersion {
        self.version
    }
}

impl Lineage {
    /// The name of a version.
    pub fn key_id(&self, version: u32) -> KeyId {
        KeyId { lineage: self.id.clone(), version }
    }

    /// What its nonces must be now.
    pub fn replay_mode(&self) -> ReplayMode {
        Restriction::replay_mode(self.restriction, self.grant.replay)
    }

    /// The version if it may be used at `now`, or why not.
    pub fn usable(&self, version: u32, now: Timestamp) -> Result<Usable<'_>, AccessRefusal> {
        let key = || self.key_id(version);
        let found = self.versions.get(&version).ok_or(AccessRefusal::KeyMustBeKnown)?;
        match found.state {
            KeyState::Pending | KeyState::Active | KeyState::Grace => {}
            KeyState::Retired => return Err(AccessRefusal::KeyMustNotBeRetired(key())),
            KeyState::Revoked | KeyState::Destroyed => return Err(AccessRefusal::KeyMustNotBeRevoked(key())),
        }
        if now < found.not_before {
            return Err(AccessRefusal::KeyMustBeValidAlready { key: key(), not_before: found.not_before });
        }
        if now >= found.expires {
            return Err(AccessRefusal::KeyMustNotBeExpired { key: key(), expires: found.expires });
        }
        Ok(Usable { lineage: self, version: found })
    }
}
