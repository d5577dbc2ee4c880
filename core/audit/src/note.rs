//! Signed notes (C2SP signed-note), and cosignatures of witnesses on them (C2SP tlog-cosignature).

use crate::checkpoint::Checkpoint;
use crate::error::AuditError;
use crate::hash::{Hash, decode_base64, encode_base64};
use std::fmt::{self, Write as _};
use std::str::FromStr;

/// Bytes of a signed note, at most.
pub const NOTE_BYTES_MAX: usize = 1 << 20;
/// Signatures of a note, at most.
pub const NOTE_SIGNATURES_MAX: usize = 100;
/// Bytes of the name of a key, at most.
pub const KEY_NAME_BYTES_MAX: usize = 255;

/// Bytes of one signature in a note, at most: those of algorithms to come have some thousand.
const SIGNATURE_BYTES_MAX: usize = 1 << 14;
const KEY_ID_BYTES: usize = 4;
const PUBLIC_KEY_BYTES: usize = 32;
const ED25519_BYTES: usize = 64;
const SIGNATURE_START: &str = "\u{2014} ";

/// What a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// The text of a note, with Ed25519: type 0x01.
    Note,
    /// A checkpoint and the time at which a witness saw it, with Ed25519: type 0x04, `cosignature/v1`.
    Cosignature,
}

impl KeyKind {
    const fn byte(self) -> u8 {
        match self {
            Self::Note => 0x01,
            Self::Cosignature => 0x04,
        }
    }

    const fn of_byte(byte: u8) -> Option<Self> {
        match byte {
            0x01 => Some(Self::Note),
            0x04 => Some(Self::Cosignature),
            _ => None,
        }
    }
}

/// A public key with a name, which together with its id stands in a note. Its text is `name+id+key`: the id in hex, the
/// key in base64 behind the byte of its kind.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: [u8; KEY_ID_BYTES],
    kind: KeyKind,
    key: ed25519_dalek::VerifyingKey,
}

impl VerifierKey {
    /// A key of Ed25519. The name should be a URL without its scheme, as `fund.example/log`.
    ///
    /// # Errors
    /// [`AuditError::KeyNameMustBePlain`], [`AuditError::KeyMustBeStrong`].
    pub fn try_new(name: &str, kind: KeyKind, public: &[u8; PUBLIC_KEY_BYTES]) -> Result<Self, AuditError> {
        check_name(name)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(public).map_err(|_| AuditError::KeyMustBeStrong)?;
        if key.is_weak() {
            return Err(AuditError::KeyMustBeStrong);
        }
        let digest = Hash::of(&[name.as_bytes(), b"\n", &[kind.byte()], public]);
        let id = digest.as_bytes().first_chunk().copied().unwrap_or_default();
        Ok(Self { name: name.to_owned(), id, kind, key })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes of SHA-256 over name, newline, kind and key: it finds a key, and proves nothing.
    #[must_use]
    pub const fn id(&self) -> [u8; 4] {
        self.id
    }

    /// What it signs.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The 32 bytes of RFC 8032 section 5.1.5.
    #[must_use]
    pub fn public(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// The text that a signature of this key stands under, and the time of a cosignature.
    fn verify(&self, text: &str, signature: &[u8]) -> Option<Option<u64>> {
        let (message, signature, time) = match self.kind {
            KeyKind::Note => (text.as_bytes().to_vec(), signature, None),
            KeyKind::Cosignature => {
                let (time, signature) = signature.split_first_chunk()?;
                let time = u64::from_be_bytes(*time);
                (cosigned(text, time).ok()?.into_bytes(), signature, Some(time))
            }
        };
        let signature = ed25519_dalek::Signature::from_slice(signature).ok()?;
        self.key.verify_strict(&message, &signature).ok().map(|()| time)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key: Vec<u8> = std::iter::once(self.kind.byte()).chain(*self.public()).collect();
        write!(formatter, "{}+{:08x}+{}", self.name, u32::from_be_bytes(self.id), encode_base64(&key))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "VerifierKey({self})")
    }
}

impl FromStr for VerifierKey {
    type Err = AuditError;

    /// Accepts exactly what `Display` writes: the id must be the key's.
    fn from_str(text: &str) -> Result<Self, AuditError> {
        let (name, rest) = text.split_once('+').ok_or(AuditError::KeyMustBeVerifierKey)?;
        let (_, key) = rest.split_once('+').ok_or(AuditError::KeyMustBeVerifierKey)?;
        let key = decode_base64(key, 1 + PUBLIC_KEY_BYTES).ok_or(AuditError::KeyMustBeVerifierKey)?;
        let (kind, public) = key.split_first().ok_or(AuditError::KeyMustBeVerifierKey)?;
        let kind = KeyKind::of_byte(*kind).ok_or(AuditError::KeyMustBeVerifierKey)?;
        let public = public.try_into().map_err(|_| AuditError::KeyMustBeVerifierKey)?;
        let key = Self::try_new(name, kind, public)?;
        if key.to_string() == text { Ok(key) } else { Err(AuditError::KeyMustBeVerifierKey) }
    }
}

fn check_name(name: &str) -> Result<(), AuditError> {
    let plain = !name.contains(|character: char| {
        character.is_whitespace() || character == '+' || character.is_ascii_control()
    });
    if plain && (1..=KEY_NAME_BYTES_MAX).contains(&name.len()) {
        return Ok(());
    }
    Err(AuditError::KeyNameMustBePlain)
}

/// What a witness signs: a header, the time in seconds since 1970, and the text of the checkpoint.
fn cosigned(checkpoint: &str, time: u64) -> Result<String, AuditError> {
    if i64::try_from(time).is_err() {
        return Err(AuditError::CosignatureTimeMustBeInRange);
    }
    Checkpoint::parse(checkpoint)?;
    Ok(format!("cosignature/v1\ntime {time}\n{checkpoint}"))
}

/// One line of signature under a note, by a key that may be unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    name: String,
    id: [u8; KEY_ID_BYTES],
    signature: Vec<u8>,
}

impl NoteSignature {
    /// The name of the key.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A line of a note, with its newline, as [`fmt::Display`] writes it. It is how a witness answers.
    ///
    /// # Errors
    /// [`AuditError::NoteMustBeWellFormed`].
    pub fn parse(line: &str) -> Result<Self, AuditError> {
        const FORM: AuditError = AuditError::NoteMustBeWellFormed("a signature is — name base64");
        let line = line.strip_suffix('\n').and_then(|line| line.strip_prefix(SIGNATURE_START)).ok_or(FORM)?;
        let (name, signature) = line.split_once(' ').ok_or(FORM)?;
        check_name(name)?;
        let bytes = decode_base64(signature, SIGNATURE_BYTES_MAX).ok_or(FORM)?;
        let (id, signature) = bytes.split_first_chunk().ok_or(FORM)?;
        if signature.is_empty() {
            return Err(FORM);
        }
        Ok(Self { name: name.to_owned(), id: *id, signature: signature.to_vec() })
    }

    fn is_by(&self, key: &VerifierKey) -> bool {
        self.name == key.name && self.id == key.id
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes: Vec<u8> = self.id.iter().chain(&self.signature).copied().collect();
        writeln!(formatter, "{SIGNATURE_START}{} {}", self.name, encode_base64(&bytes))
    }
}

/// A text and the signatures under it, at least one. Its text is the note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// A signature that verifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifiedSignature<'k> {
    /// The key.
    pub key: &'k VerifierKey,
    /// When a witness saw the checkpoint, in seconds since 1970; of a cosignature only.
    pub time: Option<u64>,
}

impl SignedNote {
    /// Signs a text, which ends in a newline. The function gets the bytes to sign, so a key may stay in its token.
    ///
    /// # Errors
    /// [`AuditError::NoteMustBeWellFormed`], [`AuditError::KeyMustBeOfKind`], and what the function gives.
    pub fn sign<E: From<AuditError>>(
        text: String,
        key: &VerifierKey,
        sign: impl FnOnce(&[u8]) -> Result<[u8; ED25519_BYTES], E>,
    ) -> Result<Self, E> {
        check_text(&text)?;
        if key.kind != KeyKind::Note {
            return Err(AuditError::KeyMustBeOfKind.into());
        }
        let signature = sign(text.as_bytes())?.to_vec();
        let line = NoteSignature { name: key.name.clone(), id: key.id, signature };
        Ok(Self { text, signatures: vec![line] })
    }

    /// A witness's signature on this checkpoint at a time, in seconds since 1970. The caller has verified the log's own
    /// signature, and that the checkpoint is consistent with the largest one that the witness has seen.
    ///
    /// # Errors
    /// [`AuditError::KeyMustBeOfKind`], [`AuditError::CosignatureTimeMustBeInRange`],
    /// [`AuditError::CheckpointMustBeWellFormed`], and what the function gives.
    pub fn cosign<E: From<AuditError>>(
        &self,
        key: &VerifierKey,
        time: u64,
        sign: impl FnOnce(&[u8]) -> Result<[u8; ED25519_BYTES], E>,
    ) -> Result<NoteSignature, E> {
        if key.kind != KeyKind::Cosignature {
            return Err(AuditError::KeyMustBeOfKind.into());
        }
        let signature = sign(cosigned(&self.text, time)?.as_bytes())?;
        let signature = time.to_be_bytes().into_iter().chain(signature).collect();
        Ok(NoteSignature { name: key.name.clone(), id: key.id, signature })
    }

    /// Adds a signature, as a witness gave it; one by the same key is replaced.
    ///
    /// # Errors
    /// [`AuditError::NoteMustBeWellFormed`] if there would be more than 100, or more than 1 MiB.
    pub fn add(&mut self, signature: NoteSignature) -> Result<(), AuditError> {
        let mut signatures = self.signatures.clone();
        match signatures.iter_mut().find(|held| held.name == signature.name && held.id == signature.id) {
            Some(held) => *held = signature,
            None => signatures.push(signature),
        }
        let note = Self { text: self.text.clone(), signatures };
        Self::parse(&note.to_string())?;
        *self = note;
        Ok(())
    }

    /// Reads a signed note. No signature is verified: nothing in its text may be believed yet.
    ///
    /// # Errors
    /// [`AuditError::NoteMustBeWellFormed`], [`AuditError::KeyNameMustBePlain`].
    pub fn parse(note: &str) -> Result<Self, AuditError> {
        if note.len() > NOTE_BYTES_MAX {
            return Err(AuditError::NoteMustBeWellFormed("it has more than 1 MiB"));
        }
        let (text, lines) = note
            .rsplit_once("\n\n")
            .ok_or(AuditError::NoteMustBeWellFormed("an empty line must stand before the signatures"))?;
        let text = format!("{text}\n");
        check_text(&text)?;
        let signatures: Vec<_> = lines
            .split_inclusive('\n')
            .take(NOTE_SIGNATURES_MAX + 1)
            .map(NoteSignature::parse)
            .collect::<Result<_, _>>()?;
        if signatures.is_empty() || signatures.len() > NOTE_SIGNATURES_MAX {
            return Err(AuditError::NoteMustBeWellFormed("it must have 1 to 100 signatures"));
        }
        Ok(Self { text, signatures })
    }

    /// What is signed, with its last newline. To be believed only after [`Self::verify`].
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The lines of signature.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Verifies every signature by a known key; those by others are passed over. Each key counts once.
    ///
    /// # Errors
    /// [`AuditError::SignatureMustVerify`] if one by a known key does not; [`AuditError::NoteMustBeSignedByKnownKey`] if
    /// there is none.
    pub fn verify<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k VerifierKey>,
    ) -> Result<Vec<VerifiedSignature<'k>>, AuditError> {
        let mut verified: Vec<VerifiedSignature<'k>> = Vec::new();
        for key in keys {
            for line in self.signatures.iter().filter(|line| line.is_by(key)) {
                let time = key.verify(&self.text, &line.signature).ok_or(AuditError::SignatureMustVerify)?;
                if !verified.iter().any(|other| other.key == key) {
                    verified.push(VerifiedSignature { key, time });
                }
            }
        }
        if verified.is_empty() { Err(AuditError::NoteMustBeSignedByKnownKey) } else { Ok(verified) }
    }
}

impl fmt::Display for SignedNote {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)?;
        formatter.write_char('\n')?;
        self.signatures.iter().try_for_each(|line| line.fmt(formatter))
    }
}

fn check_text(text: &str) -> Result<(), AuditError> {
    if text.contains(|character: char| character < ' ' && character != '\n') {
        return Err(AuditError::NoteMustBeWellFormed("it must have no control characters"));
    }
    if !text.ends_with('\n') || text.len() > NOTE_BYTES_MAX {
        return Err(AuditError::NoteMustBeWellFormed("its text must end in a newline, within 1 MiB"));
    }
    Ok(())
}
