//! A CSV file with a heading, read row by row, collecting what is wrong.

use crate::error::{FeedError, PROBLEMS_MAX, Problem};
use csv::StringRecord;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use strongroom_units::time::Date;

/// Rows of one file; larger ones are not daily files.
const ROWS_MAX: u64 = 5_000_000;

/// Bytes of one file.
const BYTES_MAX: u64 = 1 << 30;
/// Characters of a message; a cell may be as large as its file.
const MESSAGE_MAX: usize = 200;

/// An open file and what was found wrong so far.
pub(crate) struct Table {
    path: PathBuf,
    heading: StringRecord,
    reader: csv::Reader<Cursor<Vec<u8>>>,
    problems: Vec<Problem>,
    more: usize,
}

/// A column that exists.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    index: usize,
    name: String,
}

/// One row and where it begins; its line is counted only if something is wrong with it.
pub(crate) struct Row {
    cells: StringRecord,
    start: u64,
}

impl Row {
    /// The text of a cell, without spaces around it; empty when the row is short, which is reported by the reader.
    pub fn text(&self, column: &Column) -> &str {
        self.cells.get(column.index).unwrap_or("").trim()
    }
}

impl Table {
    pub fn open(path: &Path) -> Result<Self, FeedError> {
        let unreadable = |source| FeedError::Unreadable { path: path.to_owned(), source };
        let bytes = bytes_of(path).map_err(unreadable)?;
        let mut reader = csv::ReaderBuilder::new().from_reader(Cursor::new(bytes));
        let heading = reader.headers().map_err(|error| unreadable(std::io::Error::other(error)))?.clone();
        Ok(Self { path: path.to_owned(), heading, reader, problems: Vec::new(), more: 0 })
    }

    /// The first of these names that the file has.
    pub fn column(&self, names: &[&str]) -> Result<Column, FeedError> {
        self.optional_column(names).ok_or_else(|| FeedError::ColumnMissing {
            path: self.path.clone(),
            wanted: names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or "),
            found: headings(&self.heading),
        })
    }

    pub fn optional_column(&self, names: &[&str]) -> Option<Column> {
        names.iter().find_map(|name| {
            let index = self.heading.iter().position(|heading| heading.trim().eq_ignore_ascii_case(name))?;
            Some(Column { index, name: (*name).to_owned() })
        })
    }

    /// The next row; a row that is no CSV is a problem and is passed over.
    pub fn next_row(&mut self) -> Option<Row> {
        loop {
            let mut cells = StringRecord::new();
            let (start, number) = (self.reader.position().byte(), self.reader.position().record());
            match self.reader.read_record(&mut cells) {
                Ok(false) => return None,
                Ok(true) if number > ROWS_MAX => {
                    self.problem(start, "", format!("more than {ROWS_MAX} rows"));
                    return None;
                }
                Ok(true) => return Some(Row { cells, start }),
                Err(error) => {
                    let ends = matches!(error.kind(), csv::ErrorKind::Io(_));
                    self.problem(start, "", row_message(&error));
                    if ends {
                        return None;
                    }
                }
            }
        }
    }

    /// A cell as a value; none, and a problem, when it is not one.
    pub fn value<T: FromStr<Err: std::fmt::Display>>(&mut self, row: &Row, column: &Column) -> Option<T> {
        match row.text(column).parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem(row.start, &column.name, error.to_string());
                None
            }
        }
    }

    /// A cell as a date `YYYY-MM-DD`; nothing else is taken for one.
    pub fn date(&mut self, row: &Row, column: &Column) -> Option<Date> {
        let text = row.text(column);
        let date = text.parse().ok().filter(|date: &Date| date.to_string() == text);
        if date.is_none() {
            self.problem(
                row.start,
                &column.name,
                format!("`{text}` is not a date; write it like 2024-01-11"),
            );
        }
        date
    }

    pub fn wrong(&mut self, row: &Row, column: &Column, message: impl Into<String>) {
        self.problem(row.start, &column.name, message.into());
    }

    /// Refuses the file if anything was wrong.
    pub fn finish(self) -> Result<PathBuf, FeedError> {
        if self.problems.is_empty() {
            return Ok(self.path);
        }
        Err(FeedError::RowsWrong { path: self.path, problems: self.problems, more: self.more })
    }

    fn problem(&mut self, start: u64, column: &str, message: String) {
        if self.problems.len() < PROBLEMS_MAX {
            let line = line_at(self.reader.get_ref().get_ref(), start);
            self.problems.push(Problem { line, column: column.to_owned(), message: shortened(message) });
        } else {
            self.more += 1;
        }
    }
}

fn bytes_of(path: &Path) -> std::io::Result<Vec<u8>> {
    if std::fs::metadata(path)?.len() > BYTES_MAX {
        return Err(std::io::Error::other(format!("it has more than {BYTES_MAX} bytes")));
    }
    std::fs::read(path)
}

/// The line, from 1, of the row at or after a byte: the reader skips empty lines, an editor counts them. A line ends
/// with `\n`, `\r\n` or `\r`.
fn line_at(bytes: &[u8], start: u64) -> u64 {
    let start = usize::try_from(start).unwrap_or(usize::MAX);
    let empty = bytes.iter().skip(start).take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
    let before = bytes.get(..start.saturating_add(empty)).unwrap_or(bytes);
    let ends = |pair: &&[u8]| {
        matches!(pair, [b'\n', ..] | [b'\r']) || matches!(pair, [b'\r', next] if *next != b'\n')
    };
    let last = before.len().saturating_sub(1);
    let pairs = before.windows(2).chain(before.get(last..));
    1 + pairs.filter(ends).count() as u64
}

/// The names of a heading, for a person: the first of them, none longer than it is worth.
fn headings(heading: &StringRecord) -> Vec<String> {
    const SHOWN: usize = 30;
    let mut names: Vec<String> =
        heading.iter().take(SHOWN).map(|name| shortened(format!("`{}`", name.trim()))).collect();
    if heading.len() > SHOWN {
        names.push(format!("and {} more", heading.len() - SHOWN));
    }
    names
}

/// The beginning and the end of a message that is too long, which say what it is about and what to write.
fn shortened(message: String) -> String {
    let length = message.chars().count();
    if length <= MESSAGE_MAX {
        return message;
    }
    let part = MESSAGE_MAX / 2;
    let begin: String = message.chars().take(part).collect();
    let end: String = message.chars().skip(length - part).collect();
    format!("{begin} … {end}")
}

/// What is wrong with a whole row, without the words of the library that read it.
fn row_message(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("the heading has {expected_len} columns, this row has {len}")
        }
        csv::ErrorKind::Utf8 { .. } => "the row is not UTF-8 text".to_owned(),
        csv::ErrorKind::Io(source) => source.to_string(),
        _ => error.to_string(),
    }
}
