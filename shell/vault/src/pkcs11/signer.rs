//! The server's signing keys in a token.

use super::session::{TokenKey, failed, find, login, must_be_free, must_have};
use crate::{KeepingError, TokenObject};
use aws_lc_rs::{digest, signature};
use cryptoki::error::Error;
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass};
use cryptoki::session::Session;
use std::fmt;

/// `edwards25519` as a DER PrintableString, one of the two forms of `CKA_EC_PARAMS` (PKCS#11 v3.0 section 2.3.5) and
/// the one that SoftHSM takes.
const EDWARDS25519: &[u8] = b"\x13\x0cedwards25519";
/// id-Ed25519, 1.3.101.112, in DER: the other form.
const ID_ED25519: &[u8] = b"\x06\x03\x2b\x65\x70";
/// prime256v1, 1.2.840.10045.3.1.7, in DER.
const PRIME256V1: &[u8] = b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";

/// Signed when a key is opened, to see that its two halves belong together.
const TRIAL: &[u8] = b"strongroom-vault/1 trial of a signing key";

/// A signature algorithm by its name in the HTTP Signature Algorithms registry (RFC 9421 section 6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SigningAlgorithm {
    /// `ed25519` (RFC 9421 section 3.3.6).
    Ed25519,
    /// `ecdsa-p256-sha256` (RFC 9421 section 3.3.4).
    EcdsaP256Sha256,
}

impl SigningAlgorithm {
    /// The registered name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::EcdsaP256Sha256 => "ecdsa-p256-sha256",
        }
    }

    fn key_type(self) -> KeyType {
        match self {
            Self::Ed25519 => KeyType::EC_EDWARDS,
            Self::EcdsaP256Sha256 => KeyType::EC,
        }
    }

    fn curves(self) -> &'static [&'static [u8]] {
        match self {
            Self::Ed25519 => &[EDWARDS25519, ID_ED25519],
            Self::EcdsaP256Sha256 => &[PRIME256V1],
        }
    }

    /// Bytes of a public key: an Edwards point (RFC 8032), or an uncompressed point (SEC 1 section 2.3.3).
    fn point_bytes(self) -> usize {
        match self {
            Self::Ed25519 => 32,
            Self::EcdsaP256Sha256 => 65,
        }
    }
}

/// A signing key that does not leave its token.
pub struct Pkcs11Signer {
    key: TokenKey,
    algorithm: SigningAlgorithm,
    public_key: Vec<u8>,
}

impl Pkcs11Signer {
    /// Finds a key pair by the label that both halves have, and signs once to see that they belong together.
    ///
    /// # Errors
    /// A [`KeepingError`]; a private key that can leave the token is refused.
    pub fn open(place: &TokenObject) -> Result<Self, KeepingError> {
        let key = TokenKey::open(place, ObjectClass::PRIVATE_KEY)?;
        let wanted = [
            (Attribute::Sensitive(true), "the token shows it (CKA_SENSITIVE is false)"),
            (Attribute::Extractable(false), "it can leave the token (CKA_EXTRACTABLE is true)"),
            (Attribute::Sign(true), "it may not sign"),
        ];
        let (algorithm, public_key) = key
            .with(|session, handle| {
                let fit = must_have(session, key.label(), handle, &wanted);
                Ok(fit.and_then(|()| public_half(session, place, key.id())))
            })?
            .map_err(failed("reading a key's attributes"))??;
        let signer = Self { key, algorithm, public_key };
        signer.must_belong_together()?;
        Ok(signer)
    }

    /// Makes a key pair in the token under a label that is not taken.
    ///
    /// # Errors
    /// A [`KeepingError`]; nothing is overwritten.
    pub fn create_new(place: &TokenObject, algorithm: SigningAlgorithm) -> Result<Self, KeepingError> {
        let session = login(place)?;
        must_be_free(&session, place, &[ObjectClass::PRIVATE_KEY, ObjectClass::PUBLIC_KEY])?;
        let mechanism = match algorithm {
            SigningAlgorithm::Ed25519 => Mechanism::EccEdwardsKeyPairGen,
            SigningAlgorithm::EcdsaP256Sha256 => Mechanism::EccKeyPairGen,
        };
        let (label, id) = (Attribute::Label(place.label.clone().into_bytes()), super::new_id()?);
        let curve = algorithm.curves().first().map(|curve| Attribute::EcParams(curve.to_vec()));
        let both = [label, Attribute::Id(id), Attribute::Token(true), Attribute::Modifiable(false)];
        let public = [Attribute::Private(false), Attribute::Verify(true)].into_iter().chain(curve);
        let private = [
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
        ];
        let public = both.clone().into_iter().chain(public).collect::<Vec<_>>();
        let private = both.into_iter().chain(private).collect::<Vec<_>>();
        session.generate_key_pair(&mechanism, &public, &private).map_err(failed("making a key pair"))?;
        Self::open(place)
    }

    /// What it signs by.
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// The public key: 32 bytes for Ed25519 (RFC 8032), 65 bytes for P-256 (uncompressed, SEC 1 section 2.3.3).
    pub fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    /// The signature over a message, 64 bytes in the form of RFC 9421: `R | S` of RFC 8032, or `r | s` for P-256 over
    /// the message's SHA-256.
    ///
    /// # Errors
    /// [`KeepingError::TokenFailed`] where the token does not answer with a signature.
    pub fn sign(&self, message: &[u8]) -> Result<[u8; 64], KeepingError> {
        let signed = self.key.with(|session, key| match self.algorithm {
            SigningAlgorithm::Ed25519 => {
                let parameters = EddsaParams::new(EddsaSignatureScheme::Pure);
                session.sign(&Mechanism::Eddsa(parameters), key, message)
            }
            SigningAlgorithm::EcdsaP256Sha256 => {
                let hash = digest::digest(&digest::SHA256, message);
                session.sign(&Mechanism::Ecdsa, key, hash.as_ref())
            }
        })?;
        let signature = signed.map_err(failed("signing"))?;
        signature.try_into().map_err(|_| failed("signing")(Error::InvalidValue))
    }

    fn must_belong_together(&self) -> Result<(), KeepingError> {
        let algorithm: &dyn signature::VerificationAlgorithm = match self.algorithm {
            SigningAlgorithm::Ed25519 => &signature::ED25519,
            SigningAlgorithm::EcdsaP256Sha256 => &signature::ECDSA_P256_SHA256_FIXED,
        };
        let public = signature::UnparsedPublicKey::new(algorithm, &self.public_key);
        public.verify(TRIAL, &self.sign(TRIAL)?).map_err(|_| KeepingError::ObjectMustFit {
            label: self.key.label().to_owned(),
            reason: "its public key is another key's",
        })
    }
}

impl fmt::Debug for Pkcs11Signer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let label = self.key.label();
        out.debug_struct("Pkcs11Signer").field("label", &label).field("algorithm", &self.algorithm).finish()
    }
}

/// The public key that has the label and the id of a private one.
fn public_half(
    session: &Session,
    place: &TokenObject,
    id: &[u8],
) -> Result<(SigningAlgorithm, Vec<u8>), KeepingError> {
    let unfit = |reason| KeepingError::ObjectMustFit { label: place.label.clone(), reason };
    let object = find(session, place, ObjectClass::PUBLIC_KEY, Some(id))?;
    let wanted = [AttributeType::KeyType, AttributeType::EcParams, AttributeType::EcPoint];
    let found = session.get_attributes(object, &wanted).map_err(failed("reading a public key"))?;
    let [Attribute::KeyType(key_type), Attribute::EcParams(curve), Attribute::EcPoint(point)] =
        found.as_slice()
    else {
        return Err(unfit("it is no elliptic curve key"));
    };
    let known = [SigningAlgorithm::Ed25519, SigningAlgorithm::EcdsaP256Sha256];
    let fits = |algorithm: &SigningAlgorithm| {
        algorithm.key_type() == *key_type && algorithm.curves().contains(&curve.as_slice())
    };
    let algorithm = known.into_iter().find(fits).ok_or_else(|| unfit("it is neither Ed25519 nor P-256"))?;
    let point = bare(algorithm, point).ok_or_else(|| unfit("its CKA_EC_POINT has another form"))?;
    Ok((algorithm, point.to_vec()))
}

/// A point without its DER OCTET STRING, which `CKA_EC_POINT` has in PKCS#11 v2.40 and may lack in v3.0.
fn bare(algorithm: SigningAlgorithm, point: &[u8]) -> Option<&[u8]> {
    let bytes = algorithm.point_bytes();
    match point {
        [0x04, length, bare @ ..] if usize::from(*length) == bytes && bare.len() == bytes => Some(bare),
        bare if bare.len() == bytes => Some(bare),
        _ => None,
    }
}
