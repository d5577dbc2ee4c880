//! The operating system's randomness, by way of AWS-LC: the only source of chance in this crate.

use crate::VaultError;

/// Fills a buffer.
pub(crate) fn fill(buffer: &mut [u8]) -> Result<(), VaultError> {
    aws_lc_rs::rand::fill(buffer).map_err(|_| VaultError::RandomFailed)
}

/// An array of random bytes.
pub(crate) fn array<const N: usize>() -> Result<[u8; N], VaultError> {
    let mut drawn = [0; N];
    fill(&mut drawn)?;
    Ok(drawn)
}
