//! Why a definition was refused: the line, the rule, and what to write instead.

use core::fmt;
use core::ops::Range;

/// A definition that was refused. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinitionError {
    /// Line in the file, from 1; 0 when the file as a whole is meant.
    pub line: usize,
    /// Column in the line, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub fix: String,
    code: &'static str,
}

impl DefinitionError {
    pub(super) fn new(
        text: &str,
        span: Option<Range<usize>>,
        code: &'static str,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        let (line, column) = span.map_or((0, 0), |span| position(text, span.start));
        Self { line, column, message: message.into(), fix: fix.into(), code }
    }

    /// The stable code: the rule that was broken.
    pub fn code(&self) -> &'static str {
        self.code
    }
}

impl fmt::Display for DefinitionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}. {}", self.line, self.column, self.message, self.fix)
    }
}

impl std::error::Error for DefinitionError {}

/// Line and column of a byte offset, both from 1; columns count characters.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before.get(line_start..).map_or(0, |rest| rest.chars().count());
    (before.matches('\n').count() + 1, column + 1)
}
