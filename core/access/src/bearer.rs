//! Bearer keys: `sr_<environment>_<id>_<secret><check>`, found by any scanner and told from noise without a look-up.
//!
//! The secret is 32 random bytes as 43 base-62 digits; the check is the CRC-32 of everything before it as 6 digits.
//! The check finds typing errors and false alarms; it proves nothing. Kept is an HMAC under a pepper, never the key.

use crate::name::LineageId;
use crate::refusal::AccessRefusal;
use crate::scope::Environment;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

/// What every key begins with.
pub const PREFIX: &str = "sr_";
/// Digits of the secret: 62^43 is a little more than 2^256.
pub(crate) const SECRET_DIGITS: usize = 43;
/// Digits of the check: 62^6 is more than 2^32.
pub(crate) const CHECK_DIGITS: usize = 6;
/// The digits, in the order of ASCII.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Bytes of the longest key: `sr_` + `live_` + `k` and 12 + `_` + secret + check.
const BYTES_MAX: usize = 3 + 5 + 13 + 1 + SECRET_DIGITS + CHECK_DIGITS;
/// Sets these hashes apart from everything else that could be made with the same pepper.
const DOMAIN: &[u8] = b"strongroom bearer 1";

/// The secret that bearer keys are hashed with, kept apart from the hashes: who steals those alone can try nothing out.
#[derive(Clone)]
pub struct Pepper(Zeroizing<Vec<u8>>);

impl Pepper {
    /// From at least 32 random bytes.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

/// A bearer key with its secret. It is shown once, by [`BearerKey::expose`]; it has no other text form.
pub struct BearerKey {
    environment: Environment,
    id: LineageId,
    secret: Zeroizing<[u8; SECRET_DIGITS]>,
}

impl BearerKey {
    /// A new key of a lineage, from 32 random bytes.
    #[must_use]
    pub fn from_random(environment: Environment, id: LineageId, mut random: [u8; 32]) -> Self {
        let mut secret = Zeroizing::new([b'0'; SECRET_DIGITS]);
        for digit in secret.iter_mut().rev() {
            *digit = next_digit(&mut random);
        }
        random.zeroize();
        Self { environment, id, secret }
    }

    /// Reads a key that was shown. The check sees to it that a mistyped one costs no look-up.
    ///
    /// # Errors
    /// [`AccessRefusal::KeyMustBeKnown`] whatever is wrong: nobody learns more, and no text is repeated.
    pub fn parse(text: &str) -> Result<Self, AccessRefusal> {
        Self::read(text).ok_or(AccessRefusal::KeyMustBeKnown)
    }

    fn read(text: &str) -> Option<Self> {
        if text.len() > BYTES_MAX || !text.is_ascii() {
            return None;
        }
        let (covered, check) = text.split_at_checked(text.len().checked_sub(CHECK_DIGITS)?)?;
        if check.as_bytes() != check_digits(covered.as_bytes()) {
            return None;
        }
        let mut parts = covered.strip_prefix(PREFIX)?.splitn(3, '_');
        let (environment, id, digits) = (parts.next()?, parts.next()?, parts.next()?.as_bytes());
        if !digits.iter().all(u8::is_ascii_alphanumeric) {
            return None;
        }
        let secret = Zeroizing::new(*digits.first_chunk().filter(|_| digits.len() == SECRET_DIGITS)?);
        Some(Self { environment: environment.parse().ok()?, id: LineageId::try_new(id).ok()?, secret })
    }

    /// The lineage.
    #[must_use]
    pub fn id(&self) -> &LineageId {
        &self.id
    }

    /// Where it is good.
    #[must_use]
    pub fn environment(&self) -> Environment {
        self.environment
    }

    /// What is kept of the key: HMAC-SHA256 under the pepper over all of it but the check, in hex.
    #[must_use]
    pub fn hash(&self, pepper: &Pepper) -> String {
        let tag = self.mac(pepper).map(|mac| mac.finalize().into_bytes()).unwrap_or_default();
        tag.iter().flat_map(|byte| [hex(byte >> 4), hex(byte & 15)]).collect()
    }

    /// Whether this is the key that was hashed; the time it takes tells nothing of the secret.
    #[must_use]
    pub fn matches(&self, pepper: &Pepper, hash: &str) -> bool {
        self.mac(pepper).is_some() && self.hash(pepper).as_bytes().ct_eq(hash.as_bytes()).into()
    }

    /// The whole key, to be shown to its owner once.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(BYTES_MAX));
        text.push_str(&self.head());
        text.extend(self.secret.iter().copied().map(char::from));
        let check = check_digits(text.as_bytes());
        text.extend(check.map(char::from));
        text
    }

    fn head(&self) -> String {
        format!("{PREFIX}{}_{}_", self.environment, self.id)
    }

    fn mac(&self, pepper: &Pepper) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&pepper.0).ok()?;
        mac.update(DOMAIN);
        mac.update(self.head().as_bytes());
        mac.update(&*self.secret);
        Some(mac)
    }
}

/// Divides a number of 32 bytes by 62 in place; its remainder, as a digit.
fn next_digit(number: &mut [u8; 32]) -> u8 {
    let mut rest = 0u32;
    for byte in number.iter_mut() {
        rest = rest * 256 + u32::from(*byte);
        *byte = u8::try_from(rest / 62).unwrap_or_default();
        rest %= 62;
    }
    digit(rest)
}

/// The CRC-32 (of ISO 3309, as in gzip) of the text before, as six digits.
pub(crate) fn check_digits(covered: &[u8]) -> [u8; CHECK_DIGITS] {
    let mut rest = crc32fast::hash(covered);
    let mut digits = [b'0'; CHECK_DIGITS];
    for place in digits.iter_mut().rev() {
        *place = digit(rest % 62);
        rest /= 62;
    }
    digits
}

fn digit(value: u32) -> u8 {
    DIGITS.get(value as usize).copied().unwrap_or(b'0')
}

fn hex(nibble: u8) -> char {
    char::from_digit(u32::from(nibble), 16).unwrap_or('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(environment: Environment, fill: u8) -> BearerKey {
        BearerKey::from_random(environment, LineageId::from_random([fill; 8]), [fill; 32])
    }

    fn pepper() -> Pepper {
        Pepper::new(vec![9; 32])
    }

    #[test]
    fn a_key_has_one_text() {
        for (environment, fill, secret_and_check) in [
            // Judged by Python: divmod(int.from_bytes(random), 62) and zlib.crc32.
            (Environment::Live, 0x00, PYTHON[0]),
            (Environment::Dev, 0x5a, PYTHON[1]),
            (Environment::Test, 0xff, PYTHON[2]),
        ] {
            let key = key(environment, fill);
            let text = key.expose();
            assert_eq!(*text, format!("sr_{environment}_{}_{secret_and_check}", key.id()));
            let read = BearerKey::parse(&text).unwrap();
            assert_eq!((read.id(), read.environment()), (key.id(), environment));
            assert_eq!(read.expose(), text);
        }
    }

    #[test]
    fn no_character_of_a_key_can_be_changed_or_left_out() {
        let text = key(Environment::Live, 0x5a).expose();
        for at in 0..text.len() {
            for other in "0aZ_é".chars() {
                let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
                assert!(changed == *text || BearerKey::parse(&changed).is_err(), "{changed}");
            }
            assert!(BearerKey::parse(&format!("{}{}", &text[..at], &text[at + 1..])).is_err());
            assert!(BearerKey::parse(&text[..at]).is_err());
        }
        for wrong in ["", "sr_", "sr_live", "sr_live_k_", &format!("{}x", *text), &"sr_".repeat(10_000)] {
            assert_eq!(BearerKey::parse(wrong).err(), Some(AccessRefusal::KeyMustBeKnown), "{wrong:.20}");
        }
    }

    #[test]
    fn only_the_key_itself_matches_its_hash_and_only_under_the_pepper() {
        let (one, other) = (key(Environment::Live, 1), key(Environment::Live, 2));
        let hash = one.hash(&pepper());
        assert_eq!(hash, PYTHON[3]);
        assert!(one.matches(&pepper(), &hash));
        assert!(!other.matches(&pepper(), &hash));
        assert!(!one.matches(&Pepper::new(vec![8; 32]), &hash));
        for wrong in ["", &hash[..63], &hash.to_uppercase(), &format!("{hash}0"), &"0".repeat(64)] {
            assert!(!one.matches(&pepper(), wrong), "{wrong}");
        }
        let elsewhere = BearerKey::from_random(Environment::Test, one.id().clone(), [1; 32]);
        assert!(!elsewhere.matches(&pepper(), &hash), "the environment is part of what is hashed");
    }

    const PYTHON: [&str; 4] = [
        "00000000000000000000000000000000000000000003vknaX",
        "LQNUGZHT5u543eF8cvF8tKdPlcVkNSYQAq1KIqZ6f740LnUWP",
        "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp148TLDK",
        "fc1e81219b3c544bf2f4be1b3f73ca662e40c81e5aa05b25b7de3dba7ec59a33",
    ];
}
