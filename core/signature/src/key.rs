//! Keys and the algorithms of RFC 9421 section 3.3. Which key a request may use, and until when, is not decided here.
//!
//! No key has `Debug`: the one of hmac-sha256 is a secret. Secrets are zeroed on drop: HMAC by its crate, the others by
//! AWS-LC, which cleanses all memory that it frees.

use crate::pem;
use crate::rule::Rule;
use aws_lc_rs::encoding::AsBigEndian as _;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    ML_DSA_65, ML_DSA_65_SIGNING, ParsedPublicKey, PqdsaKeyPair, RSA_PSS_2048_8192_SHA512,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// A signature algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RFC 9421 section 3.3.6; verified strictly (`verify_strict` of ed25519-dalek: canonical, no small-order points).
    Ed25519,
    /// RFC 9421 section 3.3.4; the signature is `r || s`, 64 bytes.
    EcdsaP256Sha256,
    /// RFC 9421 section 3.3.3.
    HmacSha256,
    /// RFC 9421 section 3.3.1; to verify only. The salt has 64 bytes.
    RsaPssSha512,
    /// FIPS 204, pure, with an empty context. Not yet in the registry of RFC 9421: both sides must know it.
    MlDsa65,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Ed25519, Self::EcdsaP256Sha256, Self::HmacSha256, Self::RsaPssSha512, Self::MlDsa65];

    /// As in the parameter `alg`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::EcdsaP256Sha256 => "ecdsa-p256-sha256",
            Self::HmacSha256 => "hmac-sha256",
            Self::RsaPssSha512 => "rsa-pss-sha512",
            Self::MlDsa65 => "ml-dsa-65",
        }
    }

    /// By its name, exactly.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }
}

/// Why bytes are no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not an encoding of a key of this algorithm, or a point that is not on the curve.
    #[error("the bytes must be a key of this algorithm")]
    MustFitAlgorithm,
    /// A point of small order, under which anything verifies.
    #[error("the public key must not be weak")]
    MustNotBeWeak,
    /// A shared secret of less than 16 bytes.
    #[error("a shared secret must have at least 16 bytes")]
    SecretMustHave16Bytes,
    /// An RSA modulus of less than 2,048 or more than 8,192 bits.
    #[error("an RSA key must have 2048 to 8192 bits")]
    RsaMustHave2048To8192Bits,
    /// Text that is no PEM of this kind of key.
    #[error("the text must be PEM of a {0}")]
    MustBePem(&'static str),
    /// A key of RSA signs nothing here.
    #[error("this algorithm only verifies")]
    MustBeForSigning,
}

impl KeyError {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::MustFitAlgorithm => "key.must_fit_algorithm",
            Self::MustNotBeWeak => "key.must_not_be_weak",
            Self::SecretMustHave16Bytes => "key.secret_must_have_16_bytes",
            Self::RsaMustHave2048To8192Bits => "key.rsa_must_have_2048_to_8192_bits",
            Self::MustBePem(_) => "key.must_be_pem",
            Self::MustBeForSigning => "key.must_be_for_signing",
        }
    }
}

/// A key that verifies.
#[derive(Clone)]
pub struct VerifyingKey(Verifying);

#[derive(Clone)]
enum Verifying {
    Ed25519(ed25519_dalek::VerifyingKey),
    Hmac(Hmac<Sha256>),
    Other(Algorithm, ParsedPublicKey),
}

/// A key that signs.
pub struct SigningKey(Signing);

enum Signing {
    Ed25519(Ed25519KeyPair),
    Ecdsa(EcdsaKeyPair),
    Hmac(Hmac<Sha256>),
    MlDsa(PqdsaKeyPair),
}

const SECRET_BYTES_MIN: usize = 16;
const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=8192;

fn hmac(secret: &[u8]) -> Result<Hmac<Sha256>, KeyError> {
    if secret.len() < SECRET_BYTES_MIN {
        return Err(KeyError::SecretMustHave16Bytes);
    }
    Hmac::new_from_slice(secret).map_err(|_| KeyError::MustFitAlgorithm)
}

impl VerifyingKey {
    /// The 32 bytes of RFC 8032 section 5.1.5.
    ///
    /// # Errors
    /// [`KeyError::MustFitAlgorithm`], [`KeyError::MustNotBeWeak`].
    pub fn ed25519(public: &[u8]) -> Result<Self, KeyError> {
        let public = public.try_into().map_err(|_| KeyError::MustFitAlgorithm)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(public).map_err(|_| KeyError::MustFitAlgorithm)?;
        if key.is_weak() {
            return Err(KeyError::MustNotBeWeak);
        }
        Ok(Self(Verifying::Ed25519(key)))
    }

    /// A point of P-256: `04 || x || y` or compressed (SEC 1), or SubjectPublicKeyInfo in DER.
    ///
    /// # Errors
    /// [`KeyError::MustFitAlgorithm`].
    pub fn ecdsa_p256(public: &[u8]) -> Result<Self, KeyError> {
        let key =
            ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public).map_err(|_| KeyError::MustFitAlgorithm)?;
        Ok(Self(Verifying::Other(Algorithm::EcdsaP256Sha256, key)))
    }

    /// A shared secret of at least 16 bytes; 32 random ones are the right choice.
    ///
    /// # Errors
    /// [`KeyError::SecretMustHave16Bytes`].
    pub fn hmac_sha256(secret: &[u8]) -> Result<Self, KeyError> {
        Ok(Self(Verifying::Hmac(hmac(secret)?)))
    }

    /// `RSAPublicKey` (RFC 8017) or SubjectPublicKeyInfo, in DER.
    ///
    /// # Errors
    /// [`KeyError::MustFitAlgorithm`], [`KeyError::RsaMustHave2048To8192Bits`].
    pub fn rsa_pss(public: &[u8]) -> Result<Self, KeyError> {
        let rsa = aws_lc_rs::rsa::PublicKey::from_der(public).map_err(|_| KeyError::MustFitAlgorithm)?;
        let bits = aws_lc_rs::signature::RsaParameters::public_modulus_len(rsa.as_ref())
            .map_err(|_| KeyError::MustFitAlgorithm)?;
        if !RSA_BITS.contains(&bits) {
            return Err(KeyError::RsaMustHave2048To8192Bits);
        }
        let key = ParsedPublicKey::new(&RSA_PSS_2048_8192_SHA512, public)
            .map_err(|_| KeyError::MustFitAlgorithm)?;
        Ok(Self(Verifying::Other(Algorithm::RsaPssSha512, key)))
    }

    /// The 1,952 bytes of FIPS 204, or SubjectPublicKeyInfo in DER.
    ///
    /// # Errors
    /// [`KeyError::MustFitAlgorithm`].
    pub fn ml_dsa_65(public: &[u8]) -> Result<Self, KeyError> {
        let key = ParsedPublicKey::new(&ML_DSA_65, public).map_err(|_| KeyError::MustFitAlgorithm)?;
        Ok(Self(Verifying::Other(Algorithm::MlDsa65, key)))
    }

    /// A public key of an algorithm from its SubjectPublicKeyInfo in DER (RFC 5280, RFC 8410).
    ///
    /// # Errors
    /// [`KeyError`]; a shared secret is no public key.
    pub fn from_spki(algorithm: Algorithm, der: &[u8]) -> Result<Self, KeyError> {
        match algorithm {
            Algorithm::Ed25519 => {
                Self::ed25519(der.strip_prefix(ED25519_SPKI).ok_or(KeyError::MustFitAlgorithm)?)
            }
            Algorithm::EcdsaP256Sha256 => Self::ecdsa_p256(der),
            Algorithm::RsaPssSha512 => Self::rsa_pss(der),
            Algorithm::MlDsa65 => Self::ml_dsa_65(der),
            Algorithm::HmacSha256 => Err(KeyError::MustFitAlgorithm),
        }
    }

    /// A public key of an algorithm from PEM with the label `PUBLIC KEY` (RFC 7468 section 13).
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn from_pem(algorithm: Algorithm, text: &str) -> Result<Self, KeyError> {
        Self::from_spki(algorithm, &pem::decode("PUBLIC KEY", text)?)
    }

    /// The one algorithm of this key.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match &self.0 {
            Verifying::Ed25519(_) => Algorithm::Ed25519,
            Verifying::Hmac(_) => Algorithm::HmacSha256,
            Verifying::Other(algorithm, _) => *algorithm,
        }
    }

    /// Whether the signature fits the bytes. A MAC is compared in constant time.
    ///
    /// # Errors
    /// [`Rule::SignatureMustBeValid`], and nothing more is told.
    pub fn verify(&self, signed: &[u8], signature: &[u8]) -> Result<(), Rule> {
        let valid = match &self.0 {
            Verifying::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(signed, &signature).is_ok()),
            Verifying::Hmac(mac) => mac.clone().chain_update(signed).verify_slice(signature).is_ok(),
            Verifying::Other(_, key) => key.verify_sig(signed, signature).is_ok(),
        };
        if valid { Ok(()) } else { Err(Rule::SignatureMustBeValid) }
    }
}

/// SubjectPublicKeyInfo of Ed25519 up to the key (RFC 8410 section 4).
const ED25519_SPKI: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";

impl SigningKey {
    /// From the 32 bytes of the private key (RFC 8032 section 5.1.5), the seed.
    ///
    /// # Errors
    /// [`KeyError::MustFitAlgorithm`].
    pub fn ed25519(seed: &[u8]) -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| KeyError::MustFitAlgorithm)?;
        Ok(Self(Signing::Ed25519(pair)))
    }

    /// From the private scalar, 32 bytes, and the public point `04 || x || y`.
    ///
    /// # Errors
    /// [`KeyError::MustFitAlgorithm`].
    pub fn ecdsa_p256(private: &[u8], public: &[u8]) -> Result<Self, KeyError> {
        let pair =
            EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P256_SHA256_FIXED_SIGNING, private, public)
                .map_err(|_| KeyError::MustFitAlgorithm)?;
        Ok(Self(Signing::Ecdsa(pair)))
    }

    /// A shared secret of at least 16 bytes.
    ///
    /// # Errors
    /// [`KeyError::SecretMustHave16Bytes`].
    pub fn hmac_sha256(secret: &[u8]) -> Result<Self, KeyError> {
        Ok(Self(Signing::Hmac(hmac(secret)?)))
    }

    /// From the 32 bytes of the seed (FIPS 204 section 5.1).
    ///
    /// # Errors
    /// [`KeyError::MustFitAlgorithm`].
    pub fn ml_dsa_65(seed: &[u8]) -> Result<Self, KeyError> {
        let pair =
            PqdsaKeyPair::from_seed(&ML_DSA_65_SIGNING, seed).map_err(|_| KeyError::MustFitAlgorithm)?;
        Ok(Self(Signing::MlDsa(pair)))
    }

    /// A private key of an algorithm from PKCS#8 in DER (RFC 5958, RFC 8410).
    ///
    /// # Errors
    /// [`KeyError`]: RSA signs nothing here, and a shared secret has no PKCS#8.
    pub fn from_pkcs8(algorithm: Algorithm, der: &[u8]) -> Result<Self, KeyError> {
        let signing = match algorithm {
            Algorithm::Ed25519 => Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map(Signing::Ed25519),
            Algorithm::EcdsaP256Sha256 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).map(Signing::Ecdsa)
            }
            Algorithm::MlDsa65 => PqdsaKeyPair::from_pkcs8(&ML_DSA_65_SIGNING, der).map(Signing::MlDsa),
            Algorithm::RsaPssSha512 => return Err(KeyError::MustBeForSigning),
            Algorithm::HmacSha256 => return Err(KeyError::MustFitAlgorithm),
        };
        Ok(Self(signing.map_err(|_| KeyError::MustFitAlgorithm)?))
    }

    /// A private key of an algorithm from PEM with the label `PRIVATE KEY` (RFC 7468 section 10): not encrypted, and not of
    /// an older form.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn from_pem(algorithm: Algorithm, text: &str) -> Result<Self, KeyError> {
        Self::from_pkcs8(algorithm, &pem::decode("PRIVATE KEY", text)?)
    }

    /// The one algorithm of this key.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match &self.0 {
            Signing::Ed25519(_) => Algorithm::Ed25519,
            Signing::Ecdsa(_) => Algorithm::EcdsaP256Sha256,
            Signing::Hmac(_) => Algorithm::HmacSha256,
            Signing::MlDsa(_) => Algorithm::MlDsa65,
        }
    }

    /// The public key, raw: 32 bytes of Ed25519, the uncompressed point of P-256, 1,952 bytes of ML-DSA-65. A shared
    /// secret has none.
    #[must_use]
    pub fn public_key(&self) -> Option<Vec<u8>> {
        match &self.0 {
            Signing::Ed25519(pair) => Some(pair.public_key().as_ref().to_vec()),
            Signing::Ecdsa(pair) => {
                let point: aws_lc_rs::encoding::EcPublicKeyUncompressedBin<'_> =
                    pair.public_key().as_be_bytes().ok()?;
                Some(point.as_ref().to_vec())
            }
            Signing::MlDsa(pair) => Some(pair.public_key().as_ref().to_vec()),
            Signing::Hmac(_) => None,
        }
    }

    /// The key that verifies what this one signs.
    #[must_use]
    pub fn verifying_key(&self) -> Option<VerifyingKey> {
        let public = self.public_key();
        match (&self.0, public) {
            (Signing::Hmac(mac), _) => Some(VerifyingKey(Verifying::Hmac(mac.clone()))),
            (Signing::Ed25519(_), Some(public)) => VerifyingKey::ed25519(&public).ok(),
            (Signing::Ecdsa(_), Some(public)) => VerifyingKey::ecdsa_p256(&public).ok(),
            (Signing::MlDsa(_), Some(public)) => VerifyingKey::ml_dsa_65(&public).ok(),
            (_, None) => None,
        }
    }

    /// Signs. Ed25519 and HMAC give the same bytes for the same text. ECDSA and ML-DSA draw a number for each
    /// signature inside AWS-LC: the only chance in this crate, and one that no caller could be trusted to bring.
    ///
    /// # Errors
    /// [`Rule::MustBeSignable`] where the library fails.
    pub fn sign(&self, signed: &[u8]) -> Result<Vec<u8>, Rule> {
        let failed = |_| Rule::MustBeSignable("the key must be able to sign");
        match &self.0 {
            Signing::Ed25519(pair) => Ok(pair.try_sign(signed).map_err(failed)?.as_ref().to_vec()),
            Signing::Ecdsa(pair) => {
                let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, signed);
                Ok(pair.sign_digest(&digest).map_err(failed)?.as_ref().to_vec())
            }
            Signing::Hmac(mac) => Ok(mac.clone().chain_update(signed).finalize().into_bytes().to_vec()),
            Signing::MlDsa(pair) => {
                let mut signature = vec![0; ML_DSA_65_SIGNING.signature_len()];
                let length = pair.sign(signed, &mut signature).map_err(failed)?;
                signature.truncate(length);
                Ok(signature)
            }
        }
    }
}
