//! What is wrong with a file, and where.

use core::fmt;
use std::path::PathBuf;
use thiserror::Error;

/// Problems that one error lists; more are counted.
pub(crate) const PROBLEMS_MAX: usize = 20;

/// One bad cell or row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line in the file, from 1; the heading is line 1.
    pub line: u64,
    /// The column's name; empty when the whole row is meant.
    pub column: String,
    /// What is wrong.
    pub message: String,
}

/// A file that was not read. Nothing of it was used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FeedError {
    /// The file cannot be opened or read.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// A column is missing.
    #[error("{} has no column {wanted}; it has {}", path.display(), found.join(", "))]
    ColumnMissing {
        /// The file.
        path: PathBuf,
        /// The names that would do.
        wanted: String,
        /// The names there are.
        found: Vec<String>,
    },
    /// Rows are wrong.
    #[error("{}: {}", path.display(), Listed(problems, *more))]
    RowsWrong {
        /// The file.
        path: PathBuf,
        /// The first twenty.
        problems: Vec<Problem>,
        /// How many there are beyond them.
        more: usize,
    },
    /// No row for what was asked.
    #[error("{} has no row for {wanted}", path.display())]
    NothingFound {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        wanted: String,
    },
}

impl FeedError {
    /// The stable code: the rule that was broken.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "file.must_be_readable",
            Self::ColumnMissing { .. } => "file.column_must_exist",
            Self::RowsWrong { .. } => "file.rows_must_be_sound",
            Self::NothingFound { .. } => "file.must_have_the_rows_asked_for",
        }
    }
}

struct Listed<'a>(&'a [Problem], usize);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(problems, more) = self;
        let count = problems.len() + more;
        let plural = if count == 1 { "" } else { "s" };
        write!(f, "{count} problem{plural}, nothing was imported")?;
        for Problem { line, column, message } in *problems {
            match column.is_empty() {
                true => write!(f, "\n  line {line}: {message}")?,
                false => write!(f, "\n  line {line}, column {column}: {message}")?,
            }
        }
        if *more > 0 {
            write!(f, "\n  and {more} more")?;
        }
        Ok(())
    }
}
