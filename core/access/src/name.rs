//! Names of principals, lineages, keys and enrolments: short, opaque, safe in a header, a URL and a file name.

use crate::refusal::AccessRefusal;
use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Serialize};

/// Characters of random names: lower-case Crockford base 32, which has no i, l, o or u to misread.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Characters of a random name after its first letter: 60 bits.
const RANDOM_LENGTH: usize = 12;

/// Text form of eight random bytes: 60 of their bits, five a character.
fn random_text(prefix: char, random: [u8; 8]) -> String {
    let bits = u64::from_be_bytes(random);
    let places = (0..RANDOM_LENGTH).map(|place| (bits >> (5 * place)) & 31);
    let letters = places.filter_map(|index| ALPHABET.get(usize::try_from(index).ok()?));
    core::iter::once(prefix).chain(letters.map(|letter| char::from(*letter))).collect()
}

fn is_random_text(prefix: char, text: &str) -> bool {
    text.strip_prefix(prefix)
        .is_some_and(|rest| rest.len() == RANDOM_LENGTH && rest.bytes().all(|byte| ALPHABET.contains(&byte)))
}

macro_rules! text_form {
    ($name:ident) => {
        impl FromStr for $name {
            type Err = AccessRefusal;

            fn from_str(text: &str) -> Result<Self, AccessRefusal> {
                Self::try_new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = AccessRefusal;

            fn try_from(text: String) -> Result<Self, AccessRefusal> {
                Self::try_new(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.to_string()
            }
        }
    };
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $rule:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Refuses text that is not such a name.
            pub fn try_new(text: &str) -> Result<Self, AccessRefusal> {
                let rule: fn(&str) -> bool = $rule;
                if rule(text) { Ok(Self(text.to_owned())) } else { Err(AccessRefusal::name(text)) }
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        text_form!($name);
    };
}

name! {
    /// A person, a firm or a program that holds keys: 1 to 40 lower-case letters, digits and hyphens, a letter first.
    /// An opaque name: what it stands for is not written here.
    PrincipalId, |text| {
        text.len() <= 40
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    }
}

name! {
    /// One credential through all its versions: `k` and 60 random bits.
    LineageId, |text| is_random_text('k', text)
}

name! {
    /// A one-time invitation to enrol a key: `e` and 60 random bits. It is no secret; its code is.
    EnrolmentId, |text| is_random_text('e', text)
}

impl LineageId {
    /// From eight random bytes.
    pub fn from_random(random: [u8; 8]) -> Self {
        Self(random_text('k', random))
    }
}

impl EnrolmentId {
    /// From eight random bytes.
    pub fn from_random(random: [u8; 8]) -> Self {
        Self(random_text('e', random))
    }
}

/// The name of a key on the wire: lineage, a dot, version from 1. Looked up at once, never tried out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId {
    /// The lineage.
    pub lineage: LineageId,
    /// The version, from 1.
    pub version: u32,
}

impl KeyId {
    /// Reads `k0123456789ab.1`; a version has no leading zero, so a key has one name.
    pub fn try_new(text: &str) -> Result<Self, AccessRefusal> {
        let parts = text.split_once('.').and_then(|(lineage, version)| {
            let canonical = !version.starts_with('0') && version.bytes().all(|byte| byte.is_ascii_digit());
            Some((LineageId::try_new(lineage).ok()?, version.parse().ok().filter(|_| canonical)?))
        });
        let (lineage, version) = parts.ok_or_else(|| AccessRefusal::name(text))?;
        Ok(Self { lineage, version })
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.lineage, self.version)
    }
}

text_form!(KeyId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_text() {
        for (text, is_name) in [
            ("ap-one", true),
            ("a", true),
            ("", false),
            ("1a", false),
            ("AP-one", false),
            ("ap_one", false),
            ("ap one", false),
            ("äp", false),
        ] {
            assert_eq!(PrincipalId::try_new(text).is_ok(), is_name, "{text}");
        }
        let lineage = LineageId::from_random([7; 8]);
        assert_eq!(LineageId::try_new(lineage.as_str()), Ok(lineage.clone()));
        for (version, is_name) in
            [("1", true), ("12", true), ("01", false), ("0", false), ("+1", false), ("", false)]
        {
            let text = format!("{lineage}.{version}");
            assert_eq!(KeyId::try_new(&text).is_ok_and(|key| key.to_string() == text), is_name, "{text}");
        }
    }

    #[test]
    fn random_names_use_sixty_bits() {
        let (low, high) = (LineageId::from_random([0; 8]), LineageId::from_random([0xff; 8]));
        assert_eq!((low.as_str(), high.as_str()), ("k000000000000", "kzzzzzzzzzzzz"));
        assert!(EnrolmentId::try_new(low.as_str()).is_err());
    }
}
