//! Seals and opens records, and moves them from one key-encryption key to the next.
//!
//! A rotation without downtime:
//!
//! ```text
//! before      current A                  every record under A
//! rotate(B)   current B, former A        new records under B; those under A still open
//! rewrap      record by record           each write is whole; a stop half-way leaves both kinds, and both open
//! drop(A)     current B                  a record that was missed is refused with the id of its key
//! ```

use crate::aead::{KEY_BYTES, Key};
use crate::{Identity, Kek, KekId, SECRET_BYTES_MAX, Sealed, Secret, VaultError, random};
use std::fmt;
use zeroize::Zeroizing;

/// The key-encryption keys of a running process: one that seals, and former ones that still open.
pub struct Vault {
    current: Kek,
    former: Vec<Kek>,
}

impl Vault {
    /// A vault that seals under one key.
    pub fn new(current: Kek) -> Self {
        Self { current, former: Vec::new() }
    }

    /// This vault, which also opens what was sealed under an earlier key.
    ///
    /// # Errors
    /// [`VaultError::KekMustBeGivenOnce`].
    pub fn with_former(mut self, kek: Kek) -> Result<Self, VaultError> {
        self.must_be_new(&kek)?;
        self.former.push(kek);
        Ok(self)
    }

    /// Seals under another key from now on; the one before it still opens.
    ///
    /// # Errors
    /// [`VaultError::KekMustBeGivenOnce`]; the vault is unchanged.
    pub fn rotate(&mut self, kek: Kek) -> Result<(), VaultError> {
        self.must_be_new(&kek)?;
        self.former.push(std::mem::replace(&mut self.current, kek));
        Ok(())
    }

    /// Forgets an earlier key. What is still sealed under it cannot be opened any more.
    ///
    /// # Errors
    /// [`VaultError::KekMustBeFormer`] for the current key, [`VaultError::KekMustBeKnown`] for one it does not have.
    pub fn drop_former(&mut self, id: &KekId) -> Result<(), VaultError> {
        if self.current.id() == id {
            return Err(VaultError::KekMustBeFormer(id.clone()));
        }
        let before = self.former.len();
        self.former.retain(|kek| kek.id() != id);
        if self.former.len() == before {
            return Err(VaultError::KekMustBeKnown(id.clone()));
        }
        Ok(())
    }

    /// The key that seals.
    pub fn current_kek(&self) -> &KekId {
        self.current.id()
    }

    /// Seals a secret of at most [`SECRET_BYTES_MAX`] bytes under a data key of its own.
    ///
    /// # Errors
    /// [`VaultError::SecretMustBeShorter`], [`VaultError::RandomFailed`], [`VaultError::KekFailed`].
    pub fn seal(&self, identity: &Identity<'_>, secret: &Secret) -> Result<Sealed, VaultError> {
        if secret.len() > SECRET_BYTES_MAX {
            return Err(VaultError::SecretMustBeShorter);
        }
        let data_key = Zeroizing::new(random::array::<KEY_BYTES>()?);
        let record = Key::try_new(&data_key)?.seal(&identity.of_record(), secret.expose())?;
        self.wrapped(identity, &data_key, record)
    }

    /// Opens a record.
    ///
    /// # Errors
    /// [`VaultError::RecordMustBeUnaltered`] if a bit of it was changed or it was sealed under another identity,
    /// [`VaultError::KekMustBeKnown`] with the id of the key it needs, [`VaultError::KekFailed`].
    pub fn open(&self, identity: &Identity<'_>, sealed: &Sealed) -> Result<Secret, VaultError> {
        let data_key = self.data_key(identity, sealed)?;
        Key::try_new(&data_key)?.open(&identity.of_record(), &sealed.record)
    }

    /// Whether a record is under an earlier key, or one that this vault does not have.
    pub fn needs_rewrap(&self, sealed: &Sealed) -> bool {
        sealed.kek_id() != self.current.id()
    }

    /// The record under the current key: its data key is wrapped anew, its ciphertext stays, and the secret is not
    /// opened. A record that is under the current key already is given back as it is.
    ///
    /// # Errors
    /// As [`Vault::open`], except that a change to the ciphertext itself is found only when it is opened.
    pub fn rewrap(&self, identity: &Identity<'_>, sealed: &Sealed) -> Result<Sealed, VaultError> {
        let data_key = self.data_key(identity, sealed)?;
        if !self.needs_rewrap(sealed) {
            return Ok(sealed.clone());
        }
        self.wrapped(identity, &data_key, sealed.record.clone())
    }

    fn wrapped(
        &self,
        identity: &Identity<'_>,
        data_key: &[u8; KEY_BYTES],
        record: Vec<u8>,
    ) -> Result<Sealed, VaultError> {
        let kek_id = self.current.id().clone();
        let data_key = self.current.wrap(&identity.of_data_key(kek_id.as_str()), data_key)?;
        Ok(Sealed { kek_id, data_key, record })
    }

    fn data_key(
        &self,
        identity: &Identity<'_>,
        sealed: &Sealed,
    ) -> Result<Zeroizing<[u8; KEY_BYTES]>, VaultError> {
        let unknown = || VaultError::KekMustBeKnown(sealed.kek_id.clone());
        let kek = self.keks().find(|kek| kek.id() == &sealed.kek_id).ok_or_else(unknown)?;
        kek.unwrap(&identity.of_data_key(kek.id().as_str()), &sealed.data_key)
    }

    fn keks(&self) -> impl Iterator<Item = &Kek> {
        std::iter::once(&self.current).chain(&self.former)
    }

    fn must_be_new(&self, kek: &Kek) -> Result<(), VaultError> {
        match self.keks().any(|known| known.id() == kek.id()) {
            true => Err(VaultError::KekMustBeGivenOnce(kek.id().clone())),
            false => Ok(()),
        }
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let former: Vec<_> = self.former.iter().map(Kek::id).collect();
        out.debug_struct("Vault").field("current", self.current.id()).field("former", &former).finish()
    }
}
