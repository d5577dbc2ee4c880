//! Nonces that the server gives out: unique, stateless to issue, good once through the window.
//!
//! ```text
//! | mark 3 | 'b' or 'u' | random 16 | second 8, big-endian | MAC 16 |    44 bytes, 59 characters of base64url
//! ```
//!
//! The MAC is HMAC-SHA256 under the epoch key, cut to 128 bits, over all before it and, of a bound challenge, the
//! lineage. The epoch key is made anew at every start, so that no challenge outlives the process that remembers its use.
//!
//! A nonce with the mark and the length of a challenge is a challenge or is refused; it never counts as the signer's own.
//! Otherwise a challenge that was used and forgotten could come back as an ordinary nonce.

use super::fingerprint::Kind;
use super::refusal::ReplayRefusal;
use super::window::{SingleUse, WindowTime};
use crate::mac::hmac_sha256;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Bytes of a challenge.
pub const CHALLENGE_BYTES: usize = 44;
const SIGNED_BYTES: usize = 28;
/// Random nonces of 44 bytes begin so once in 2^32, and are then refused and made anew.
const BOUND: [u8; 4] = [0xd3, 0x9c, 0x71, b'b'];
const UNBOUND: [u8; 4] = [0xd3, 0x9c, 0x71, b'u'];

/// A challenge, to be sent and to come back as the nonce of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Challenge([u8; CHALLENGE_BYTES]);

impl Challenge {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text for `nonce` in `Accept-Signature`: base64url without padding, which RFC 9421 allows as a string.
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

/// Issues and checks challenges; keeps none of them.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Challenges {
    epoch_key: [u8; 32],
    #[zeroize(skip)]
    validity_seconds: u32,
    #[zeroize(skip)]
    skew_seconds: u32,
}

impl Challenges {
    /// Under 32 random bytes that were made for this process; a challenge is good for `validity_seconds`.
    pub fn new(epoch_key: [u8; 32], validity_seconds: u32) -> Self {
        Self { epoch_key, validity_seconds, skew_seconds: 0 }
    }

    /// Challenges that several servers give out and check, whose clocks differ by so many seconds at most.
    #[must_use]
    pub fn between_clocks(mut self, skew_seconds: u32) -> Self {
        self.skew_seconds = skew_seconds;
        self
    }

    /// A challenge for one lineage, or for whoever answers where the lineage is not known.
    pub fn issue(&self, random: [u8; 16], lineage: Option<&str>, at: WindowTime) -> Challenge {
        let mut bytes = [0; CHALLENGE_BYTES];
        let (signed, mac) = bytes.split_at_mut(SIGNED_BYTES);
        let mark = if lineage.is_some() { BOUND } else { UNBOUND };
        let parts = mark.into_iter().chain(random).chain(at.0.to_be_bytes());
        signed.iter_mut().zip(parts).for_each(|(place, byte)| *place = byte);
        mac.copy_from_slice(&self.mac(signed, lineage.unwrap_or_default()));
        Challenge(bytes)
    }

    /// Whether the nonce answers a challenge: none if it is the signer's own. The caller spends what is returned.
    ///
    /// # Errors
    /// `request.challenge_must_be_answered_in_time` for a challenge of another time, process or lineage.
    pub fn check<'a>(
        &self,
        nonce: &'a [u8],
        lineage: &'a str,
        at: WindowTime,
    ) -> Result<Option<SingleUse<'a>>, ReplayRefusal> {
        if !has_the_shape(nonce) {
            return Ok(None);
        }
        self.made(nonce, lineage)
            .filter(|made| {
                let age = at.0.saturating_sub(*made);
                (-i64::from(self.skew_seconds)..=i64::from(self.validity_seconds)).contains(&age)
            })
            .map(|made| Some(SingleUse { kind: Kind::Challenge, lineage, value: nonce, made }))
            .ok_or(ReplayRefusal::ChallengeMustBeAnsweredInTime)
    }

    /// The second at which it was made, if it is ours.
    fn made(&self, nonce: &[u8], lineage: &str) -> Option<i64> {
        let (signed, mac) = nonce.split_at_checked(SIGNED_BYTES)?;
        let lineage = if nonce.starts_with(&BOUND) { lineage } else { "" };
        let ours: bool = self.mac(signed, lineage).ct_eq(mac).into();
        let second = signed.last_chunk::<8>().filter(|_| ours)?;
        Some(i64::from_be_bytes(*second))
    }

    fn mac(&self, signed: &[u8], lineage: &str) -> [u8; 16] {
        let mac = hmac_sha256(&self.epoch_key, "strongroom challenge", &[signed, lineage.as_bytes()]);
        let mut cut = [0; 16];
        cut.iter_mut().zip(mac).for_each(|(place, byte)| *place = byte);
        cut
    }
}

/// Whether a nonce has the shape of a challenge. Whether it is a good one is for [`Challenges::check`] to say.
pub fn is_challenge(nonce: &[u8]) -> bool {
    has_the_shape(nonce)
}

pub(crate) fn has_the_shape(nonce: &[u8]) -> bool {
    nonce.len() == CHALLENGE_BYTES && (nonce.starts_with(&BOUND) || nonce.starts_with(&UNBOUND))
}
