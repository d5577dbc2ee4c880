//! `Content-Digest` (RFC 9530): made, read, and compared with the content.

use crate::canonical::ByteSequences;
use crate::rule::Rule;
use crate::{CONTENT_DIGEST_BYTES_MAX, structured};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use sha2::{Digest as _, Sha256, Sha512};

pub(crate) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");

/// Room for the longest digest that is judged, and for what decoding may write before it knows better.
const DECODED_BYTES_MAX: usize = 72;

/// The digests of a `Content-Digest` field that this crate can judge: one of them at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentDigest {
    sha_256: Option<[u8; 32]>,
    sha_512: Option<[u8; 64]>,
}

impl ContentDigest {
    /// The sha-256 of some content.
    #[must_use]
    pub fn sha_256(content: &[u8]) -> Self {
        Self { sha_256: Some(Sha256::digest(content).into()), sha_512: None }
    }

    /// The sha-512 of some content.
    #[must_use]
    pub fn sha_512(content: &[u8]) -> Self {
        Self { sha_256: None, sha_512: Some(Sha512::digest(content).into()) }
    }

    /// Reads the field; `None` where there is none. Algorithms that are not known, or known as broken, count for nothing.
    ///
    /// # Errors
    /// [`Rule::MustBeWellFormed`] where the field comes more than once, says one algorithm twice, or has a digest of
    /// the wrong length; [`Rule::DigestMustBeSha256OrSha512`] where it has neither.
    pub fn read(headers: &HeaderMap) -> Result<Option<Self>, Rule> {
        const FIELD: &str = "content-digest";
        let mut lines = headers.get_all(&CONTENT_DIGEST).iter();
        let Some(line) = lines.next() else { return Ok(None) };
        let malformed = || Rule::MustBeWellFormed(FIELD);
        if lines.next().is_some() || line.len() > CONTENT_DIGEST_BYTES_MAX {
            return Err(malformed());
        }
        let line = line.to_str().map_err(|_| malformed())?;
        let digest = match Self::of_canonical(line) {
            Some(digest) => digest,
            None => Self::of_structured(structured::byte_sequences(FIELD, std::iter::once(line))?)
                .ok_or_else(malformed)?,
        };
        if digest.sha_256.is_none() && digest.sha_512.is_none() {
            return Err(Rule::DigestMustBeSha256OrSha512);
        }
        Ok(Some(digest))
    }

    /// Where it can be read the shorter way and without a fault; all else is for the library to tell.
    fn of_canonical(line: &str) -> Option<Self> {
        let mut digest = Self { sha_256: None, sha_512: None };
        let members = ByteSequences::read(line)?;
        for (name, encoded) in members.iter() {
            let mut room = [0; DECODED_BYTES_MAX];
            let length = STANDARD.decode_slice(encoded, &mut room).ok()?;
            digest.take(name, room.get(..length))?;
        }
        Some(digest)
    }

    fn of_structured(members: Vec<(String, Option<Vec<u8>>)>) -> Option<Self> {
        let mut digest = Self { sha_256: None, sha_512: None };
        for (name, bytes) in members {
            digest.take(&name, bytes.as_deref())?;
        }
        Some(digest)
    }

    fn take(&mut self, name: &str, bytes: Option<&[u8]>) -> Option<()> {
        match name {
            "sha-256" => self.sha_256 = Some(bytes?.try_into().ok()?),
            "sha-512" => self.sha_512 = Some(bytes?.try_into().ok()?),
            _ => {}
        }
        Some(())
    }

    /// Whether every digest that can be judged is that of the content.
    #[must_use]
    pub fn matches(&self, content: &[u8]) -> bool {
        let sha_256 = self.sha_256.is_none_or(|digest| Sha256::digest(content).as_slice() == digest);
        let sha_512 = self.sha_512.is_none_or(|digest| Sha512::digest(content).as_slice() == digest);
        sha_256 && sha_512
    }

    /// The field's value.
    #[must_use]
    pub fn text(&self) -> String {
        let mut members = Vec::new();
        if let Some(digest) = self.sha_256 {
            members.push(format!("sha-256=:{}:", STANDARD.encode(digest)));
        }
        if let Some(digest) = self.sha_512 {
            members.push(format!("sha-512=:{}:", STANDARD.encode(digest)));
        }
        members.join(", ")
    }

    /// The field's value as a header has it.
    pub(crate) fn header_value(&self) -> Result<HeaderValue, Rule> {
        HeaderValue::try_from(self.text()).map_err(|_| Rule::MustBeSignable("content-digest"))
    }
}
