//! A key-encryption key in a token: data keys go in to be wrapped and come back as the boxes of [`crate::aead`], by
//! `CKM_AES_GCM`. Its associated data ties a data key to its record, which `CKM_AES_KEY_WRAP` cannot.

use super::session::{TokenKey, failed, login, must_be_free, must_have};
use crate::aead::KEY_BYTES;
use crate::{KeepingError, Kek, KekId, Secret, TokenObject, VaultError, random};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::{Attribute, KeyType, ObjectClass};
use cryptoki::types::Ulong;

const NONCE_BYTES: usize = 12;
const TAG_BITS: Ulong = Ulong::new(128);

/// Sealed and opened to see whether the token is well.
const TRIAL: &[u8] = b"strongroom-vault/1 trial of a key-encryption key";

/// A key-encryption key that this process cannot see.
pub(crate) struct TokenKek(TokenKey);

/// Finds the key. Its name is `hsm-` and its `CKA_ID` in hex, which stays when a token is copied to another.
pub(crate) fn load_kek(place: &TokenObject) -> Result<Kek, KeepingError> {
    let key = TokenKey::open(place, ObjectClass::SECRET_KEY)?;
    must_be_fit(&key)?;
    let id = key.id().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let unfit = KeepingError::ObjectMustFit { label: place.label.clone(), reason: "its CKA_ID is too long" };
    let id = KekId::parse(&format!("hsm-{id}")).ok_or(unfit)?;
    Ok(Kek::in_token(id, TokenKek(key)))
}

/// Makes the key in the token.
pub(crate) fn create_kek(place: &TokenObject) -> Result<Kek, KeepingError> {
    let session = login(place)?;
    must_be_free(&session, place, &[ObjectClass::SECRET_KEY])?;
    let template = [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::ValueLen((KEY_BYTES as u64).into()),
        Attribute::Label(place.label.clone().into_bytes()),
        Attribute::Id(super::new_id()?),
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Modifiable(false),
        Attribute::Encrypt(true),
        Attribute::Decrypt(true),
        Attribute::Wrap(false),
        Attribute::Unwrap(false),
        Attribute::Sign(false),
        Attribute::Verify(false),
    ];
    session.generate_key(&Mechanism::AesKeyGen, &template).map_err(failed("making a key"))?;
    load_kek(place)
}

fn must_be_fit(key: &TokenKey) -> Result<(), KeepingError> {
    let wanted = [
        (Attribute::KeyType(KeyType::AES), "it is no AES key"),
        (Attribute::ValueLen((KEY_BYTES as u64).into()), "it does not have 256 bits"),
        (Attribute::Sensitive(true), "the token shows it (CKA_SENSITIVE is false)"),
        (Attribute::Extractable(false), "it can leave the token (CKA_EXTRACTABLE is true)"),
        (Attribute::Encrypt(true), "it may not encrypt"),
        (Attribute::Decrypt(true), "it may not decrypt"),
    ];
    key.with(|session, handle| Ok(must_have(session, key.label(), handle, &wanted)))?
        .map_err(failed("reading a key's attributes"))?
}

impl TokenKek {
    /// A box with what is given in it.
    pub(crate) fn seal(&self, associated: &[u8], content: &[u8]) -> Result<Vec<u8>, VaultError> {
        let drawn = random::array::<NONCE_BYTES>()?;
        let sealed = self.0.with(|session, key| {
            // A token in FIPS mode puts a nonce of its own in this buffer.
            let mut nonce = drawn;
            let parameters = GcmParams::new(&mut nonce, associated, TAG_BITS)?;
            let text = session.encrypt(&Mechanism::AesGcm(parameters), key, content)?;
            Ok([nonce.as_slice(), text.as_slice()].concat())
        })?;
        sealed.map_err(|error| failed("wrapping a data key")(error).into())
    }

    /// What is in a box.
    pub(crate) fn open(&self, associated: &[u8], sealed: &[u8]) -> Result<Secret, VaultError> {
        let error = match self.try_open(associated, sealed)? {
            Ok(opened) => return Ok(opened),
            Err(error) => error,
        };
        let record_is_at_fault = match error {
            Error::Pkcs11(RvError::EncryptedDataInvalid | RvError::EncryptedDataLenRange, _) => true,
            // PKCS#11 names the first code for a wrong tag, but SoftHSM2 gives this one, as it does for faults of its
            // own. A token that opens a box of this moment is well.
            Error::Pkcs11(RvError::GeneralError | RvError::FunctionFailed, _) => self.is_well(),
            _ => false,
        };
        match record_is_at_fault {
            true => Err(VaultError::RecordMustBeUnaltered),
            false => Err(failed("unwrapping a data key")(error).into()),
        }
    }

    fn try_open(&self, associated: &[u8], sealed: &[u8]) -> Result<Result<Secret, Error>, VaultError> {
        let split = sealed.split_first_chunk::<NONCE_BYTES>();
        let (nonce, text) = split.ok_or(VaultError::RecordMustBeUnaltered)?;
        let opened = self.0.with(|session, key| {
            let mut nonce = *nonce;
            let parameters = GcmParams::new(&mut nonce, associated, TAG_BITS)?;
            session.decrypt(&Mechanism::AesGcm(parameters), key, text).map(Secret::new)
        })?;
        Ok(opened)
    }

    fn is_well(&self) -> bool {
        let sealed = self.seal(TRIAL, TRIAL);
        sealed.is_ok_and(|sealed| matches!(self.try_open(TRIAL, &sealed), Ok(Ok(_))))
    }
}
