//! The rows that a desk wrote, written again by SQLite alone: the same tables, statements, groups and durability.
//!
//! A desk works on a file whose tables have triggers that note every row, with its values, in order. The notes are
//! read into memory, and only the plain writing of them into another file is timed.

use crate::Failure;
use crate::work::{Work, open_desk};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};
use strongroom_desk::SCHEMA;
use strongroom_store::Location;

/// The last two are binary and are noted as hexadecimal text.
const EVENTS: (&str, &[&str]) =
    ("events", &["leaf", "stream", "seq", "at", "recorded_at", "actor", "kind", "body", "salt", "leaf_hash"]);
const BINARY: [&str; 2] = ["salt", "leaf_hash"];

/// What one transaction wrote, in order: the statement, and the values of its row.
type Group = Vec<(usize, Vec<Value>)>;

/// Everything that a desk wrote.
pub struct Recording {
    statements: Vec<String>,
    groups: Vec<Group>,
    commands: usize,
}

impl Recording {
    /// Lets a desk do `count` commands in groups of `size`.
    pub fn of(work: Work, count: usize, size: usize, folder: &Path) -> Result<Self, Failure> {
        let path = folder.join("recorded.db");
        let location = Location::Sqlite(path.clone());
        let mut desk = open_desk(&location)?;
        let tables = tables();
        let notes = Connection::open(&path)?;
        notes.execute_batch(&triggers(&tables))?;
        let mut ends = Vec::new();
        for group in work.requests(0, count)?.chunks(size) {
            for answer in desk.submit(group)? {
                answer?;
            }
            ends.push(notes.query_row("SELECT max(place) FROM noted", [], |row| row.get::<_, i64>(0))?);
        }
        let statements = tables.iter().map(|(_, _, statement)| statement.clone()).collect();
        Ok(Self { statements, groups: read(&notes, &tables, &ends)?, commands: count })
    }

    /// Rows that a command writes, records among them, after rows that a group writes twice are written once.
    pub fn rows_per_command(&self) -> f64 {
        self.groups.iter().map(Vec::len).sum::<usize>() as f64 / self.commands as f64
    }

    /// Writes all of it into a new file; gives commands a second.
    pub fn write_again(&self, folder: &Path) -> Result<f64, Failure> {
        let path = folder.join("raw.db");
        drop(open_desk(&Location::Sqlite(path.clone()))?);
        let mut connection = Connection::open(path)?;
        connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        let start = Instant::now();
        for group in &self.groups {
            let transaction = connection.transaction()?;
            for (statement, values) in group {
                let sql = self.statements.get(*statement).ok_or("no such statement")?;
                transaction.prepare_cached(sql)?.execute(params_from_iter(values))?;
            }
            transaction.commit()?;
        }
        Ok(per_second(self.commands, start.elapsed()))
    }
}

pub fn per_second(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

/// Each table's name and columns, and the statement that writes one of its rows.
fn tables() -> Vec<(&'static str, Vec<&'static str>, String)> {
    let (name, columns) = EVENTS;
    let values = columns.iter().map(|column| if BINARY.contains(column) { "unhex(?)" } else { "?" });
    let values = values.collect::<Vec<_>>().join(", ");
    let insert = format!("INSERT INTO {name} ({}) VALUES ({values})", columns.join(", "));
    let mut tables = vec![(name, columns.to_vec(), insert)];
    for table in SCHEMA.tables {
        let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
        let (key, others) = names.split_at(table.key);
        let set: Vec<String> = others.iter().map(|name| format!("{name} = excluded.{name}")).collect();
        let action =
            if set.is_empty() { "NOTHING".to_owned() } else { format!("UPDATE SET {}", set.join(", ")) };
        let upsert = format!(
            "INSERT INTO {} VALUES ({}) ON CONFLICT ({}) DO {action}",
            table.name,
            marks(names.len()),
            key.join(", "),
        );
        tables.push((table.name, names, upsert));
    }
    tables
}

fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}

fn triggers(tables: &[(&'static str, Vec<&'static str>, String)]) -> String {
    let mut sql = "CREATE TABLE noted (place INTEGER PRIMARY KEY, statement INTEGER, row TEXT);".to_owned();
    for (index, (name, columns, _)) in tables.iter().enumerate() {
        let value = |column: &&str| match BINARY.contains(column) {
            true => format!("hex(NEW.{column})"),
            false => format!("NEW.{column}"),
        };
        let values: Vec<String> = columns.iter().map(value).collect();
        for moment in ["INSERT", "UPDATE"] {
            sql.push_str(&format!(
                "CREATE TRIGGER noted_{moment}_{name} AFTER {moment} ON {name} BEGIN
                 INSERT INTO noted (statement, row) VALUES ({index}, json_array({})); END;",
                values.join(", "),
            ));
        }
    }
    sql
}

fn read(
    notes: &Connection,
    tables: &[(&'static str, Vec<&'static str>, String)],
    ends: &[i64],
) -> Result<Vec<Group>, Failure> {
    let mut groups: BTreeMap<usize, Group> = BTreeMap::new();
    let mut statement = notes.prepare("SELECT place, statement, row FROM noted ORDER BY place")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (place, table, text): (i64, u32, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let table = usize::try_from(table)?;
        let values: Vec<serde_json::Value> = serde_json::from_str(&text)?;
        if tables.get(table).is_none_or(|(_, columns, _)| columns.len() != values.len()) {
            return Err("a note does not fit its table".into());
        }
        let group = ends.partition_point(|end| *end < place);
        groups.entry(group).or_default().push((table, values.iter().map(value).collect()));
    }
    Ok(groups.into_values().collect())
}

fn value(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Number(number) => Value::Integer(number.as_i64().unwrap_or(0)),
        serde_json::Value::String(text) => Value::Text(text.clone()),
        other => Value::Text(other.to_string()),
    }
}
