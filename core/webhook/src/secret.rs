//! Secrets that sign, and how one follows another without a webhook that a receiver cannot verify.

use crate::refusal::WebhookRefusal;
use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use strongroom_signature::SigningKey;
use zeroize::Zeroizing;

/// The longest time for which two secrets sign, in seconds: thirty days.
pub const OVERLAP_SECONDS_MAX: i64 = 30 * 86_400;
/// The shortest, in seconds: a minute, since a webhook that is on its way was signed before.
const OVERLAP_SECONDS_MIN: i64 = 60;
/// Bytes of an HMAC secret.
const MAC_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// Characters of an id, at most.
const ID_CHARACTERS_MAX: usize = 256;

/// Base64 whose padding may be missing.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a webhook is called over all its attempts: 1 to 256 visible ASCII characters without a full stop, which would let
/// the boundary between id, time and content be moved under one signature.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MessageId(String);

impl MessageId {
    /// # Errors
    /// [`WebhookRefusal::MustBeWellFormed`].
    pub fn try_new(text: &str) -> Result<Self, WebhookRefusal> {
        let is_fit = (1..=ID_CHARACTERS_MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'.');
        if is_fit {
            return Ok(Self(text.to_owned()));
        }
        let text = "webhook-id is 1 to 256 visible characters without a full stop";
        Err(WebhookRefusal::MustBeWellFormed(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for MessageId {
    type Error = WebhookRefusal;

    fn try_from(text: String) -> Result<Self, WebhookRefusal> {
        Self::try_new(&text)
    }
}

impl From<MessageId> for String {
    fn from(id: MessageId) -> Self {
        id.0
    }
}

/// What is signed: id, second, content, with a full stop between them.
pub(crate) fn signed_text(id: &str, at: &str, content: &[u8]) -> Vec<u8> {
    [id.as_bytes(), b".", at.as_bytes(), b".", content].concat()
}

/// Bytes after a prefix.
pub(crate) fn material(text: &str, prefix: &str) -> Option<Zeroizing<Vec<u8>>> {
    LENIENT.decode(text.strip_prefix(prefix)?).ok().map(Zeroizing::new)
}

/// An HMAC secret, if the text is one.
pub(crate) fn mac_secret(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    material(text, "whsec_").filter(|secret| MAC_BYTES.contains(&secret.len()))
}

/// The HMAC of a text, ready to be compared or written.
pub(crate) fn mac_of(secret: &[u8], text: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    mac.update(text);
    Some(mac)
}

/// A secret of a sender. It has no `Debug`.
pub struct SigningSecret(Kind);

enum Kind {
    /// `v1`, HMAC-SHA256.
    Mac(Zeroizing<Vec<u8>>),
    /// `v1a`, Ed25519.
    Key(SigningKey),
}

impl SigningSecret {
    /// From `whsec_` and base64 of 24 to 64 bytes, or `whsk_` and base64 of an Ed25519 seed.
    ///
    /// # Errors
    /// [`WebhookRefusal::SecretMustFit`].
    pub fn parse(text: &str) -> Result<Self, WebhookRefusal> {
        if let Some(secret) = mac_secret(text) {
            return Ok(Self(Kind::Mac(secret)));
        }
        let seed = material(text, "whsk_").ok_or(WebhookRefusal::SecretMustFit)?;
        SigningKey::ed25519(&seed).map(|key| Self(Kind::Key(key))).map_err(|_| WebhookRefusal::SecretMustFit)
    }

    /// What a receiver needs: the secret itself for `v1`, the public half as `whpk_` for `v1a`.
    #[must_use]
    pub fn for_the_receiver(&self) -> Zeroizing<String> {
        Zeroizing::new(match &self.0 {
            Kind::Mac(secret) => format!("whsec_{}", STANDARD.encode(secret)),
            Kind::Key(key) => format!("whpk_{}", STANDARD.encode(key.public_key().unwrap_or_default())),
        })
    }

    fn signature(&self, text: &[u8]) -> Result<String, WebhookRefusal> {
        let (version, bytes) = match &self.0 {
            Kind::Mac(secret) => {
                let mac = mac_of(secret, text).ok_or(WebhookRefusal::SecretMustFit)?;
                ("v1", mac.finalize().into_bytes().to_vec())
            }
            Kind::Key(key) => ("v1a", key.sign(text).map_err(|_| WebhookRefusal::SecretMustFit)?),
        };
        Ok(format!("{version},{}", STANDARD.encode(bytes)))
    }
}

/// The secret of an endpoint, and the one before it until its time is over.
pub struct Secrets {
    current: SigningSecret,
    former: Option<(SigningSecret, i64)>,
}

impl Secrets {
    /// One secret.
    #[must_use]
    pub fn new(current: SigningSecret) -> Self {
        Self { current, former: None }
    }

    /// Signs with another secret from now on, and with the one before as well for so many seconds, in which the receiver
    /// takes the new one over whenever it likes.
    ///
    /// # Errors
    /// [`WebhookRefusal::OverlapMustFit`] where the time is not a minute to thirty days, or an earlier rotation is under
    /// way: a receiver would have to know three.
    pub fn rotate(
        &mut self,
        next: SigningSecret,
        now: i64,
        overlap_seconds: i64,
    ) -> Result<(), WebhookRefusal> {
        if !(OVERLAP_SECONDS_MIN..=OVERLAP_SECONDS_MAX).contains(&overlap_seconds) {
            let text =
                format!("both secrets sign for {OVERLAP_SECONDS_MIN} to {OVERLAP_SECONDS_MAX} seconds");
            return Err(WebhookRefusal::OverlapMustFit(text));
        }
        if let Some((_, until)) = self.former.as_ref().filter(|(_, until)| now < *until) {
            let text = format!("the secret before still signs, until {until} in seconds since 1970");
            return Err(WebhookRefusal::OverlapMustFit(text));
        }
        let before = std::mem::replace(&mut self.current, next);
        self.former = Some((before, now.saturating_add(overlap_seconds)));
        Ok(())
    }

    /// The value of `webhook-signature` for an attempt at a second since 1970: one signature, or two in an overlap.
    ///
    /// # Errors
    /// [`WebhookRefusal::SecretMustFit`] where a secret cannot sign.
    pub fn signatures(&self, id: &MessageId, at: i64, content: &[u8]) -> Result<String, WebhookRefusal> {
        let text = signed_text(id.as_str(), &at.to_string(), content);
        let current = self.current.signature(&text)?;
        match &self.former {
            Some((former, until)) if at < *until => Ok(format!("{current} {}", former.signature(&text)?)),
            _ => Ok(current),
        }
    }
}
