//! Session tokens: short-lived, good once, for one lineage, one purpose and one context. Nothing is kept of them but
//! their use, in the replay window.
//!
//! ```text
//! srt_ base64url( random 16 | second 8, big-endian | MAC 16 )      58 characters
//! ```
//!
//! The MAC is HMAC-SHA256 under the epoch key, cut to 128 bits, over both and lineage, purpose and context. As with
//! challenges, the key is made anew at every start.

use crate::mac::hmac_sha256;
use crate::replay::{Entry, ReplayRefusal, SingleUse, Window, WindowTime};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use strongroom_units::time::Timestamp;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const PREFIX: &str = "srt_";
const SIGNED_BYTES: usize = 24;
const TOKEN_BYTES: usize = 40;

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenUse<'a> {
    /// Whose it is: the lineage of the key that asked for it.
    pub lineage: &'a str,
    /// What may be done with it, such as `reserves:approve`.
    pub purpose: &'a str,
    /// SHA-256 of whatever else must be the same when it is used: a body, an address, a session.
    pub context: [u8; 32],
}

/// A token. It is shown to its holder and never printed.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SessionToken(String);

impl SessionToken {
    /// The text to hand out.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// Issues tokens and redeems them.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SessionTokens {
    epoch_key: [u8; 32],
    #[zeroize(skip)]
    lifetime_seconds: u32,
    #[zeroize(skip)]
    skew_seconds: u32,
}

impl SessionTokens {
    /// Under 32 random bytes that were made for this process. A token lives for `lifetime_seconds`, or for as long as
    /// the window remembers if that is less.
    pub fn new(epoch_key: [u8; 32], lifetime_seconds: u32) -> Self {
        Self { epoch_key, lifetime_seconds, skew_seconds: 0 }
    }

    /// Tokens that several servers issue and redeem, whose clocks differ by so many seconds at most.
    #[must_use]
    pub fn between_clocks(mut self, skew_seconds: u32) -> Self {
        self.skew_seconds = skew_seconds;
        self
    }

    /// A token from 16 random bytes.
    pub fn issue(&self, random: [u8; 16], for_use: &TokenUse<'_>, at: WindowTime) -> SessionToken {
        let mut bytes = Zeroizing::new([0; TOKEN_BYTES]);
        let (signed, mac) = bytes.split_at_mut(SIGNED_BYTES);
        let parts = random.into_iter().chain(at.second().to_be_bytes());
        signed.iter_mut().zip(parts).for_each(|(place, byte)| *place = byte);
        mac.copy_from_slice(&self.mac(signed, for_use));
        let mut text = String::with_capacity(PREFIX.len() + 54);
        text.push_str(PREFIX);
        URL_SAFE_NO_PAD.encode_string(*bytes, &mut text);
        SessionToken(text)
    }

    /// Uses a token up. It must be durable like a nonce.
    ///
    /// # Errors
    /// `session_token.must_be_valid` for text that is no token, or one of another use, time or process;
    /// `session_token.was_used`; the lineage's quota and the window's room.
    pub fn redeem(
        &self,
        window: &mut Window,
        text: &str,
        for_use: &TokenUse<'_>,
        now: Timestamp,
    ) -> Result<Entry, ReplayRefusal> {
        let mut bytes = Zeroizing::new([0; TOKEN_BYTES]);
        let made = read(text, &mut bytes)
            .and_then(|()| self.made(&bytes, for_use))
            .filter(|made| {
                let age = window.time(now).second().saturating_sub(*made);
                (-i64::from(self.skew_seconds)..=i64::from(self.lifetime_seconds)).contains(&age)
            })
            .ok_or(ReplayRefusal::SessionTokenMustBeValid)?;
        window.spend(&SingleUse::session_token(for_use.lineage, &*bytes, made), now)
    }

    /// The second at which it was made, if it is ours and for this use.
    fn made(&self, token: &[u8; TOKEN_BYTES], for_use: &TokenUse<'_>) -> Option<i64> {
        let (signed, mac) = token.split_at_checked(SIGNED_BYTES)?;
        let ours: bool = self.mac(signed, for_use).ct_eq(mac).into();
        let second = signed.last_chunk::<8>().filter(|_| ours)?;
        Some(i64::from_be_bytes(*second))
    }

    fn mac(&self, signed: &[u8], for_use: &TokenUse<'_>) -> [u8; 16] {
        let parts = [signed, for_use.lineage.as_bytes(), for_use.purpose.as_bytes(), &for_use.context];
        let mac = hmac_sha256(&self.epoch_key, "strongroom session token", &parts);
        let mut cut = [0; 16];
        cut.iter_mut().zip(mac).for_each(|(place, byte)| *place = byte);
        cut
    }
}

fn read(text: &str, bytes: &mut [u8; TOKEN_BYTES]) -> Option<()> {
    let text = text.strip_prefix(PREFIX).filter(|text| text.len() == 54)?;
    URL_SAFE_NO_PAD.decode_slice(text, bytes).ok().filter(|read| *read == TOKEN_BYTES).map(|_| ())
}
