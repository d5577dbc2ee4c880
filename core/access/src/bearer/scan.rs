//! Finds bearer keys in any text and confirms them by their checksum: for files, histories and logs, without a network.

use super::{BearerKey, CHECKSUM_CHARACTERS, ENVIRONMENTS, ID_CHARACTERS_MAX, PREFIX, SECRET_CHARACTERS};
use core::ops::Range;

/// Bytes of the longest key.
const KEY_BYTES_MAX: usize =
    PREFIX.len() + 4 + 1 + ID_CHARACTERS_MAX + 1 + SECRET_CHARACTERS + CHECKSUM_CHARACTERS;

/// Where a key stands, and which. Never the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// From 1.
    pub line: usize,
    /// From 1, in bytes.
    pub column: usize,
    /// The bytes of the text that are the key.
    pub bytes: Range<usize>,
    /// `dev`, `test` or `live`.
    pub environment: &'static str,
    /// The key's name.
    pub id: String,
}

/// All keys in a text, in order. Takes time in proportion to the text, whatever is in it.
pub fn scan(text: &str) -> Vec<Finding> {
    let (mut findings, mut lines) = (Vec::new(), Lines { text, at: 0, line: 1, line_start: 0 });
    for (start, _) in text.match_indices(PREFIX) {
        let Some(key) = key_at(text, start) else { continue };
        let (line, column) = lines.of(start);
        findings.push(Finding {
            line,
            column,
            bytes: start..start + key.reveal().len(),
            environment: key.environment(),
            id: key.id().to_owned(),
        });
    }
    findings
}

/// The key that begins there, whatever follows it: text may run on without a blank.
fn key_at(text: &str, start: usize) -> Option<BearerKey> {
    let bytes = text.as_bytes().get(start..)?;
    let near = bytes.get(..bytes.len().min(KEY_BYTES_MAX))?;
    let after_prefix = near.get(PREFIX.len()..)?;
    let environment = ENVIRONMENTS.into_iter().find(|name| {
        after_prefix.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'_'))
    })?;
    let id_at = PREFIX.len() + environment.len() + 1;
    let id_bytes = near.get(id_at..)?.iter().position(|byte| *byte == b'_')?;
    let end = id_at + id_bytes + 1 + SECRET_CHARACTERS + CHECKSUM_CHARACTERS;
    let candidate = core::str::from_utf8(near.get(..end)?).ok()?;
    BearerKey::parse(candidate).ok()
}

/// Counts lines once, from finding to finding.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    line_start: usize,
}

impl Lines<'_> {
    /// Line and column of a byte at or after the last one asked for.
    fn of(&mut self, at: usize) -> (usize, usize) {
        for (offset, _) in self.text.get(self.at..at).unwrap_or_default().match_indices('\n') {
            self.line += 1;
            self.line_start = self.at + offset + 1;
        }
        self.at = at;
        (self.line, at - self.line_start + 1)
    }
}
