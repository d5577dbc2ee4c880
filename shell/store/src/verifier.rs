//! Processes that verify requests for one database, and how far each has followed the stream of access.

use crate::error::StoreError;
use crate::store::Store;

/// One process that verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    /// Its name, of its own.
    pub name: String,
    /// The record up to which it has followed.
    pub seen: u64,
    /// Where it keeps the nonces it has seen. Verifiers of one database must share that place.
    pub window: String,
}

impl Store {
    /// Notes that a verifier has followed a stream up to `seen`, and gives the stream's end: one transaction, which
    /// need not outlive a crash. A database that one process holds alone notes nothing.
    pub fn renew_verifier(&mut self, verifier: &Verifier, stream: &str) -> Result<u64, StoreError> {
        self.must_write()?;
        self.attempt(|database| database.renew(verifier, stream))
    }

    /// Every verifier that was noted, with the milliseconds since by the clock of the database.
    pub fn verifiers(&mut self) -> Result<Vec<(Verifier, u64)>, StoreError> {
        self.attempt(|database| database.verifiers())
    }

    /// A verifier that ends is waited for by nobody.
    pub fn forget_verifier(&mut self, name: &str) -> Result<(), StoreError> {
        self.must_write()?;
        self.attempt(|database| database.forget_verifier(name))
    }
}
