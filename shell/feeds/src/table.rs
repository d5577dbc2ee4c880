//! A CSV file with a heading, read row by row, collecting what is wrong.

use crate::error::{FeedError, PROBLEMS_MAX, Problem};
use csv::StringRecord;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use strongroom_units::time::Date;

/// Rows of one file; larger ones are not daily files.
const ROWS_MAX: u64 = 5_000_000;

/// An open file and what was found wrong so far.
pub(crate) struct Table {
    path: PathBuf,
    heading: StringRecord,
    reader: csv::Reader<File>,
    problems: Vec<Problem>,
    more: usize,
}

/// A column that exists.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    index: usize,
    name: String,
}

/// One row and its line.
pub(crate) struct Row {
    cells: StringRecord,
    line: u64,
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
        let file = File::open(path).map_err(unreadable)?;
        let mut reader = csv::ReaderBuilder::new().from_reader(file);
        let heading = reader.headers().map_err(|error| unreadable(std::io::Error::other(error)))?.clone();
        Ok(Self { path: path.to_owned(), heading, reader, problems: Vec::new(), more: 0 })
    }

    /// The first of these names that the file has.
    pub fn column(&self, names: &[&str]) -> Result<Column, FeedError> {
        self.optional_column(names).ok_or_else(|| FeedError::ColumnMissing {
            path: self.path.clone(),
            wanted: names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or "),
            found: self.heading.iter().map(|name| format!("`{name}`")).collect(),
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
            let line = self.reader.position().line();
            match self.reader.read_record(&mut cells) {
                Ok(false) => return None,
                Ok(true) if line > ROWS_MAX => {
                    self.problem(line, "-", format!("more than {ROWS_MAX} rows"));
                    return None;
                }
                Ok(true) => {
                    let line = cells.position().map_or(line, csv::Position::line);
                    return Some(Row { cells, line });
                }
                Err(error) => {
                    let ends = matches!(error.kind(), csv::ErrorKind::Io(_));
                    self.problem(error.position().map_or(line, csv::Position::line), "-", error.to_string());
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
                self.problem(row.line, &column.name, error.to_string());
                None
            }
        }
    }

    /// A cell as a date `YYYY-MM-DD`; nothing else is taken for one.
    pub fn date(&mut self, row: &Row, column: &Column) -> Option<Date> {
        let text = row.text(column);
        let date = text.parse().ok().filter(|date: &Date| date.to_string() == text);
        if date.is_none() {
            self.problem(row.line, &column.name, format!("`{text}` is not a date; write it like 2024-01-11"));
        }
        date
    }

    pub fn wrong(&mut self, row: &Row, column: &Column, message: impl Into<String>) {
        self.problem(row.line, &column.name, message.into());
    }

    /// Refuses the file if anything was wrong.
    pub fn finish(self) -> Result<PathBuf, FeedError> {
        if self.problems.is_empty() {
            return Ok(self.path);
        }
        Err(FeedError::RowsWrong { path: self.path, problems: self.problems, more: self.more })
    }

    fn problem(&mut self, line: u64, column: &str, message: String) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(Problem { line, column: column.to_owned(), message });
        } else {
            self.more += 1;
        }
    }
}
