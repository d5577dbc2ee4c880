//! Text of one DER structure (RFC 7468). What is in the structure is for `key` to say.

use crate::key::KeyError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// Characters of a key's text, at most: one of RSA with 8,192 bits has 6,400.
const TEXT_BYTES_MAX: usize = 16_384;

/// The bytes between the lines with the label. Text before and after is passed over, as RFC 7468 section 2 allows; the
/// copies made on the way are zeroed, since the key may be a private one.
pub(crate) fn decode(label: &'static str, text: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let fault = KeyError::MustBePem(label);
    if text.len() > TEXT_BYTES_MAX {
        return Err(fault);
    }
    let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----")).ok_or(fault)?;
    let (inside, _) = rest.split_once(&format!("-----END {label}-----")).ok_or(fault)?;
    // Room for all of it at once, or growing would leave copies behind.
    let mut encoded = Zeroizing::new(Vec::with_capacity(inside.len()));
    encoded.extend(inside.bytes().filter(|byte| !byte.is_ascii_whitespace()));
    let mut der = Zeroizing::new(vec![0; encoded.len()]);
    let length = STANDARD.decode_slice(encoded.as_slice(), &mut der).map_err(|_| fault)?;
    der.truncate(length);
    Ok(der)
}
