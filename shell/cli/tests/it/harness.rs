//! A folder with a database in it, the program, and what came of running it.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
pub use strongroom_testing::{Database, shared, steps_aside};
use tempfile::TempDir;

/// The repository, where `funds/` is.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A fund.toml of the repository.
pub fn definition(name: &str) -> String {
    repository().join("funds").join(name).display().to_string()
}

/// What one run of the program gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    pub exit: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// The output of a command that was done.
    #[track_caller]
    pub fn done(self) -> String {
        assert_eq!((self.exit, self.err.as_str()), (0, ""), "{}", self.out);
        self.out
    }

    #[track_caller]
    pub fn json(self) -> Value {
        let out = self.done();
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
    }

    /// The error of a command that asked for JSON and was not done: its code, its message, its hint.
    #[track_caller]
    pub fn error(&self) -> (String, String, String) {
        assert_ne!(self.exit, 0, "{}", self.out);
        let error: Value = serde_json::from_str(&self.err).unwrap_or_else(|e| panic!("{e}: {}", self.err));
        let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        assert!(!text("code").is_empty() && !text("message").is_empty(), "{}", self.err);
        (text("code"), text("message"), text("hint"))
    }

    /// Asserts an exit code and a stable code, with the error in JSON.
    #[track_caller]
    pub fn refused(&self, exit: i32, code: &str) -> String {
        let (found, message, _) = self.error();
        assert_eq!((self.exit, found.as_str()), (exit, code), "{message}");
        message
    }
}

/// A folder of one test, where every command runs; it vanishes with the value.
pub struct Room {
    folder: TempDir,
    pub database: String,
}

impl Room {
    /// With an SQLite file as its database, which does not exist yet.
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), database: "fund.db".into() }
    }

    pub fn on(database: &str) -> Self {
        Self { database: database.into(), ..Self::new() }
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.file(name), text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Runs a command line, cut at its spaces; a part in 'single quotes' is one word.
    pub fn run(&self, line: &str) -> Ran {
        self.run_with(&words(line), &self.database)
    }

    /// The same on another database.
    pub fn run_on(&self, database: &str, line: &str) -> Ran {
        self.run_with(&words(line), database)
    }

    fn run_with(&self, words: &[String], database: &str) -> Ran {
        let output = Command::new(env!("CARGO_BIN_EXE_strongroom"))
            .args(words)
            .current_dir(self.folder.path())
            .env("STRONGROOM_DATABASE", database)
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { exit: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Where the fund stands, byte for byte.
    pub fn status(&self) -> String {
        self.run("fund status --json").done()
    }
}

fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (place, part) in line.split('\'').enumerate() {
        if place % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// The rows of a CSV text, by column name.
pub fn csv_rows(text: &str) -> Vec<std::collections::BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let heading = reader.headers().unwrap().clone();
    let row = |record: Result<csv::StringRecord, csv::Error>| {
        heading.iter().map(str::to_owned).zip(record.unwrap().iter().map(str::to_owned)).collect()
    };
    reader.records().map(row).collect()
}
