//! HMAC-SHA256 over parts that are told apart.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// HMAC-SHA256 (RFC 2104) of a purpose and parts, each after its length: no two lists of parts are the same text.
pub(crate) fn hmac_sha256(key: &[u8; 32], purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
    // A key shorter than the block is followed by zeros (RFC 2104 section 2).
    let mut block = [0; 64];
    let (head, _) = block.split_at_mut(key.len());
    head.copy_from_slice(key);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    zeroize::Zeroize::zeroize(&mut block);
    for part in core::iter::once(&purpose.as_bytes()).chain(parts) {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_apart() {
        let of = |parts: &[&[u8]]| hmac_sha256(&[1; 32], "test", parts);
        assert_ne!(of(&[b"ab", b"c"]), of(&[b"a", b"bc"]));
        assert_ne!(of(&[b"ab"]), of(&[b"ab", b""]));
        assert_ne!(of(&[b"ab"]), hmac_sha256(&[1; 32], "tests", &[b"ab"]));
        assert_ne!(of(&[b"ab"]), hmac_sha256(&[2; 32], "test", &[b"ab"]));
    }
}
