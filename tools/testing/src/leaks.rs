//! Looks for secrets where none may be: in files, databases, logs and output.
//!
//! A secret is looked for as bytes, in hex, in base64 and base64url at each of the three places it can have in a longer
//! encoded text, as the list of numbers that `Debug` and JSON make of bytes, and with escapes. A database may divide a
//! value between two pages, so each half of a long secret is looked for too. What is compressed, encrypted, or indented
//! by `{:#?}` is not seen through.

use aho_corasick::AhoCorasick;
use base64::Engine;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Bytes of a secret, at least: a shorter one is found by chance.
const SECRET_BYTES_MIN: usize = 8;

/// Characters or bytes from which on each half is looked for too.
const HALVES_FROM: usize = 32;

/// A secret that was found. It names the secret and does not show it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leak {
    /// The secret's name.
    pub secret: String,
    /// How it was written there.
    pub form: &'static str,
    /// The file, or what the bytes are.
    pub place: String,
    /// The first byte of it there.
    pub offset: usize,
}

/// Secrets by their names, in every form at once.
pub struct Scanner {
    machine: AhoCorasick,
    /// What each pattern of the machine is.
    patterns: Vec<(String, &'static str)>,
}

impl Scanner {
    /// A scanner for secrets, each with a name to tell of it.
    ///
    /// # Panics
    /// If a secret has fewer than 8 bytes, or there is none.
    pub fn new<'a>(secrets: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let mut patterns = Vec::new();
        let mut needles = Vec::new();
        for (name, secret) in secrets {
            assert!(secret.len() >= SECRET_BYTES_MIN, "{name} is so short that it would be found by chance");
            for (form, needle) in needles_of(secret) {
                patterns.push((name.to_owned(), form));
                needles.push(needle);
            }
        }
        assert!(!needles.is_empty(), "no secret to look for");
        Self { machine: AhoCorasick::new(needles).unwrap(), patterns }
    }

    /// The secrets in some bytes: the first place of each in each form.
    pub fn bytes(&self, place: &str, content: &[u8]) -> Vec<Leak> {
        let mut seen = BTreeSet::new();
        let found = self.machine.find_overlapping_iter(content);
        let leaks = found.filter_map(|found| {
            let (secret, form) = self.patterns.get(found.pattern().as_usize()).unwrap();
            let new = seen.insert((secret, form));
            let leak =
                || Leak { secret: secret.clone(), form, place: place.to_owned(), offset: found.start() };
            new.then(leak)
        });
        leaks.collect()
    }

    /// The secrets in a file, or in all files of a folder and the folders in it. Links are not followed.
    ///
    /// # Panics
    /// If a file cannot be read, since nothing can be said of it.
    pub fn files(&self, place: &Path) -> Vec<Leak> {
        files(place)
            .iter()
            .flat_map(|path| self.bytes(&path.display().to_string(), &fs::read(path).unwrap()))
            .collect()
    }
}

/// The secrets in a file or folder: [`Scanner::files`], once.
///
/// # Panics
/// As [`Scanner::new`] and [`Scanner::files`].
pub fn leaks(place: &Path, secrets: &[(&str, &[u8])]) -> Vec<Leak> {
    Scanner::new(secrets.iter().copied()).files(place)
}

fn files(place: &Path) -> Vec<PathBuf> {
    let facts = fs::symlink_metadata(place).unwrap();
    if facts.is_dir() {
        let mut inside: Vec<_> = fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path()).collect();
        inside.sort();
        return inside.iter().flat_map(|path| files(path)).collect();
    }
    // A pipe or socket has no content to read, and reading would wait.
    if facts.is_file() { vec![place.to_owned()] } else { Vec::new() }
}

/// Every form of a secret, and the halves of long ones.
fn needles_of(secret: &[u8]) -> BTreeSet<(&'static str, Vec<u8>)> {
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut whole = vec![
        ("bytes", secret.to_vec()),
        ("hex", hex.to_uppercase().into_bytes()),
        ("hex", hex.into_bytes()),
        ("escaped", secret.escape_ascii().to_string().into_bytes()),
    ];
    for separator in [", ", ","] {
        let numbers: Vec<String> = secret.iter().map(u8::to_string).collect();
        whole.push(("numbers", numbers.join(separator).into_bytes()));
    }
    for before in 0..3 {
        whole.push(("base64", base64_core(&BASE64_STANDARD_NO_PAD, before, secret)));
        whole.push(("base64url", base64_core(&BASE64_URL_SAFE_NO_PAD, before, secret)));
    }
    let parts = whole.into_iter().flat_map(|(form, needle)| {
        let (first, second) = needle.split_at(needle.len() / 2);
        let halves = match needle.len() {
            HALVES_FROM.. => vec![first.to_vec(), second.to_vec()],
            _ => Vec::new(),
        };
        halves.into_iter().chain([needle]).map(move |needle| (form, needle))
    });
    parts.collect()
}

/// The characters that a secret has in base64 wherever so many bytes, or so many and a multiple of three, stand before
/// it: those that also carry bits of a neighbour are left out.
fn base64_core(alphabet: &impl Engine, before: usize, secret: &[u8]) -> Vec<u8> {
    let encoded = alphabet.encode([&vec![0; before][..], secret].concat());
    let (first, end) = ((before * 8).div_ceil(6), (before + secret.len()) * 8 / 6);
    encoded.get(first..end).unwrap().as_bytes().to_vec()
}
