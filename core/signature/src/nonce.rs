//! Nonces: text on the wire, bytes everywhere else. Two texts of the same bytes are one nonce.

use crate::rule::Rule;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Bytes of a nonce, at least.
pub const NONCE_BYTES_MIN: usize = 16;
/// Bytes of a nonce, at most.
pub const NONCE_BYTES_MAX: usize = 64;

/// The longest text of a nonce: 64 bytes with padding.
const TEXT_BYTES_MAX: usize = 88;

const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_encode_padding(false)
    .with_decode_padding_mode(DecodePaddingMode::Indifferent);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, CONFIG);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);

/// The bytes of a nonce: 16 to 64 of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nonce {
    bytes: [u8; NONCE_BYTES_MAX],
    length: usize,
}

impl Nonce {
    /// From the bytes themselves.
    ///
    /// # Errors
    /// [`Rule::NonceMustHave16To64Bytes`].
    pub fn try_new(from: &[u8]) -> Result<Self, Rule> {
        let mut bytes = [0; NONCE_BYTES_MAX];
        let length = from.len();
        match bytes.get_mut(..length) {
            Some(place) if length >= NONCE_BYTES_MIN => place.copy_from_slice(from),
            _ => return Err(Rule::NonceMustHave16To64Bytes { bytes: length }),
        }
        Ok(Self { bytes, length })
    }

    /// From text: base64url or base64, the padding may be missing; both alphabets in one text, spaces, and bits that
    /// stand for nothing are refused.
    ///
    /// # Errors
    /// [`Rule::NonceMustBeBase64`], [`Rule::NonceMustHave16To64Bytes`].
    pub fn decode(text: &str) -> Result<Self, Rule> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(Rule::NonceMustHave16To64Bytes { bytes: text.len() / 4 * 3 });
        }
        // Room for what the engine may write before it knows better; 88 characters give at most 66 bytes.
        let mut room = [0; TEXT_BYTES_MAX];
        let url_safe = text.bytes().any(|byte| matches!(byte, b'-' | b'_'));
        let engine = if url_safe { &URL_SAFE } else { &STANDARD };
        let length = engine.decode_slice(text, &mut room).map_err(|_| Rule::NonceMustBeBase64)?;
        Self::try_new(room.get(..length).unwrap_or_default())
    }

    /// The bytes, which are what must be used only once.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// As base64url without padding.
    #[must_use]
    pub fn encode(&self) -> String {
        URL_SAFE.encode(self.as_bytes())
    }
}
