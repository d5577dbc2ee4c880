//! What the window keeps of a nonce: a keyed hash of (kind, lineage, nonce), and of a lineage.
//!
//! SipHash-2-4 with 128 bits of output, under a secret key. What is needed is a keyed function whose outputs nobody
//! without the key can make collide: a collision can only refuse a nonce that was new, never let one in twice, because
//! equal inputs have equal outputs. SipHash is built for that, takes about 20 ns for a nonce, and is a small crate that
//! is in the tree already; BLAKE3 in keyed mode would give the same for four times the time and a C compiler's build.
//! Nothing here hides a secret from whoever holds the key.

use siphasher::sip128::SipHasher24;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Bytes of the longest value that is hashed: a nonce of RFC 9421 in the profile.
pub const NONCE_BYTES_MAX: usize = 64;
/// Bytes of the shortest.
pub const NONCE_BYTES_MIN: usize = 16;

/// The secret under which nonces are hashed: 16 random bytes. With the nonces on disk it must be the same at every
/// start; otherwise a fresh one at each.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct FingerprintKey([u8; 16]);

impl FingerprintKey {
    /// From 16 random bytes.
    pub fn new(random: [u8; 16]) -> Self {
        Self(random)
    }

    /// Tells this key from others, without giving it away: goes into the header of a file of fingerprints.
    pub fn check(&self) -> u128 {
        Fingerprints::new(self).key_check()
    }
}

/// What kind of value is used once. Values of two kinds are never the same, whatever their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A nonce that the signer made.
    Nonce = 0,
    /// A nonce that the server gave out.
    Challenge = 1,
    /// A session token.
    SessionToken = 2,
}

/// Makes fingerprints.
pub(crate) struct Fingerprints {
    values: SipHasher24,
    lineages: SipHasher24,
}

impl Fingerprints {
    pub fn new(key: &FingerprintKey) -> Self {
        let values = SipHasher24::new_with_key(&key.0);
        let derived = u128::from(values.hash(b"strongroom lineage")).to_le_bytes();
        Self { values, lineages: SipHasher24::new_with_key(&derived) }
    }

    fn key_check(&self) -> u128 {
        self.values.hash(b"strongroom key check").into()
    }

    pub fn lineage(&self, lineage: &str) -> u128 {
        self.lineages.hash(lineage.as_bytes()).into()
    }

    /// Of (kind, lineage, value). The two are told apart by their lengths: the lineage's hash has 16 bytes, the value's
    /// length stands before it. None of a value longer than [`NONCE_BYTES_MAX`].
    pub fn value(&self, kind: Kind, lineage: u128, value: &[u8]) -> Option<u128> {
        let mut text = [0; 18 + NONCE_BYTES_MAX];
        let (head, tail) = text.split_at_mut(18);
        let (marks, place) = head.split_at_mut(2);
        marks.copy_from_slice(&[kind as u8, u8::try_from(value.len()).ok()?]);
        place.copy_from_slice(&lineage.to_le_bytes());
        tail.get_mut(..value.len())?.copy_from_slice(value);
        Some(self.values.hash(text.get(..18 + value.len())?).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprints() -> Fingerprints {
        Fingerprints::new(&FingerprintKey::new([7; 16]))
    }

    #[test]
    fn lineage_nonce_and_kind_are_told_apart() {
        let prints = fingerprints();
        let of =
            |kind, lineage: &str, value: &[u8]| prints.value(kind, prints.lineage(lineage), value).unwrap();
        let all = [
            of(Kind::Nonce, "k1", b"0123456789abcdef"),
            of(Kind::Nonce, "k10", b"123456789abcdef0"),
            of(Kind::Nonce, "k1", b"0123456789abcdef0"),
            of(Kind::Nonce, "k1", b"0123456789abcdef\0"),
            of(Kind::Nonce, "k2", b"0123456789abcdef"),
            of(Kind::Challenge, "k1", b"0123456789abcdef"),
            of(Kind::SessionToken, "k1", b"0123456789abcdef"),
        ];
        let different: std::collections::BTreeSet<u128> = all.into_iter().collect();
        assert_eq!(different.len(), all.len());
        assert_eq!(all[0], of(Kind::Nonce, "k1", b"0123456789abcdef"));
    }

    #[test]
    fn another_key_gives_other_fingerprints() {
        let other = Fingerprints::new(&FingerprintKey::new([8; 16]));
        let value = |prints: &Fingerprints| prints.value(Kind::Nonce, 1, &[1; 16]).unwrap();
        assert_ne!(value(&fingerprints()), value(&other));
        assert_ne!(FingerprintKey::new([7; 16]).check(), FingerprintKey::new([8; 16]).check());
        assert_ne!(fingerprints().lineage("k1"), other.lineage("k1"));
    }

    #[test]
    fn a_value_beyond_the_bound_has_no_fingerprint() {
        assert!(fingerprints().value(Kind::Nonce, 1, &[0; 64]).is_some());
        assert_eq!(fingerprints().value(Kind::Nonce, 1, &[0; 65]), None);
        assert_eq!(fingerprints().value(Kind::Nonce, 1, &[0; 300]), None);
    }
}
