//! Webhooks in: signature and time. Whether an id is new is asked of [`crate::SeenIds`].

use crate::refusal::WebhookRefusal;
use crate::secret::{MessageId, mac_of, mac_secret, material, signed_text};
use crate::{ID, SIGNATURE, TIMESTAMP};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::Mac as _;
use http::HeaderMap;
use strongroom_signature::VerifyingKey;
use zeroize::Zeroizing;

/// Seconds by which an attempt may be old or early.
pub const TOLERANCE_SECONDS: i64 = 300;
/// Signatures of one webhook that are looked at.
pub const SIGNATURES_MAX: usize = 16;
/// Characters of all signatures together.
const SIGNATURE_CHARACTERS_MAX: usize = 4_096;
/// Digits of a time.
const TIME_DIGITS_MAX: usize = 15;

/// A webhook whose signature and time are good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Its id.
    pub id: MessageId,
    /// The second since 1970 of this attempt.
    pub at: i64,
}

/// The secrets of one sender; several while the sender rotates its own. It has no `Debug`.
pub struct Receiver {
    macs: Vec<Zeroizing<Vec<u8>>>,
    keys: Vec<VerifyingKey>,
    tolerance_seconds: i64,
}

impl Receiver {
    /// Of secrets as `whsec_` or `whpk_`.
    ///
    /// # Errors
    /// [`WebhookRefusal::SecretMustFit`], also where there is none.
    pub fn try_new<'s>(secrets: impl IntoIterator<Item = &'s str>) -> Result<Self, WebhookRefusal> {
        let mut known = Self { macs: Vec::new(), keys: Vec::new(), tolerance_seconds: TOLERANCE_SECONDS };
        for text in secrets {
            if let Some(secret) = mac_secret(text) {
                known.macs.push(secret);
                continue;
            }
            let public = material(text, "whpk_").ok_or(WebhookRefusal::SecretMustFit)?;
            known.keys.push(VerifyingKey::ed25519(&public).map_err(|_| WebhookRefusal::SecretMustFit)?);
        }
        if known.macs.is_empty() && known.keys.is_empty() {
            return Err(WebhookRefusal::SecretMustFit);
        }
        Ok(known)
    }

    /// Judges an attempt at a second since 1970. The content is the body as it came.
    ///
    /// # Errors
    /// `webhook.must_be_well_formed`, `webhook.must_be_fresh`, `webhook.signature_must_be_valid`.
    pub fn verify(&self, headers: &HeaderMap, content: &[u8], now: i64) -> Result<Received, WebhookRefusal> {
        let (id, stamp) = (MessageId::try_new(one(headers, ID)?)?, one(headers, TIMESTAMP)?);
        let signatures = one(headers, SIGNATURE)?;
        let at = second(stamp)?;
        let age = now.saturating_sub(at);
        let tolerance_seconds = self.tolerance_seconds;
        if age.saturating_abs() > tolerance_seconds {
            return Err(WebhookRefusal::MustBeFresh { age_seconds: age, tolerance_seconds });
        }
        if signatures.len() > SIGNATURE_CHARACTERS_MAX || signatures.split(' ').count() > SIGNATURES_MAX {
            let text = format!("at most {SIGNATURES_MAX} signatures are looked at");
            return Err(WebhookRefusal::MustBeWellFormed(text));
        }
        let text = signed_text(id.as_str(), stamp, content);
        if signatures.split(' ').any(|signature| self.is_one(signature, &text)) {
            return Ok(Received { id, at });
        }
        Err(WebhookRefusal::SignatureMustBeValid)
    }

    fn is_one(&self, signature: &str, text: &[u8]) -> bool {
        let Some((version, encoded)) = signature.split_once(',') else { return false };
        let Ok(made) = STANDARD.decode(encoded) else { return false };
        // The comparison takes the same time wherever the two differ.
        let is_mac = |secret: &Zeroizing<Vec<u8>>| {
            mac_of(secret, text).is_some_and(|mac| mac.verify_slice(&made).is_ok())
        };
        match version {
            "v1" => self.macs.iter().any(is_mac),
            "v1a" => self.keys.iter().any(|key| key.verify(text, &made).is_ok()),
            _ => false,
        }
    }
}

fn one<'h>(headers: &'h HeaderMap, name: &str) -> Result<&'h str, WebhookRefusal> {
    let mut lines = headers.get_all(name).iter();
    match (lines.next().and_then(|line| line.to_str().ok()), lines.next()) {
        (Some(line), None) => Ok(line.trim_matches([' ', '\t'])),
        _ => Err(WebhookRefusal::MustBeWellFormed(format!("one {name} field of ASCII is wanted"))),
    }
}

fn second(text: &str) -> Result<i64, WebhookRefusal> {
    let is_fit =
        (1..=TIME_DIGITS_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let wrong = || WebhookRefusal::MustBeWellFormed(format!("{TIMESTAMP} is seconds since 1970"));
    text.parse().ok().filter(|_| is_fit).ok_or_else(wrong)
}
