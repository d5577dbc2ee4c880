//! Figures as aligned tables on the terminal, and the same as JSON.

use crate::Failure;
use serde_json::{Value, json};

/// All tables of a run; each is printed when it is complete.
#[derive(Default)]
pub struct Report {
    tables: Vec<Table>,
}

/// A table of texts; the first column is aligned left, the others right.
pub struct Table {
    title: String,
    columns: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(title: impl Into<String>, columns: &[&'static str]) -> Self {
        Self { title: title.into(), columns: columns.to_vec(), rows: Vec::new() }
    }

    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    fn print(&self) {
        let width = |index: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(index)).map(|cell| cell.chars().count());
            cells.chain(self.columns.get(index).map(|name| name.len())).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            for (index, (cell, width)) in cells.zip(&widths).enumerate() {
                if index == 0 { print!("{cell:<width$}") } else { print!("  {cell:>width$}") }
            }
            println!();
        };
        println!("\n{}", self.title);
        line(&mut self.columns.iter().copied());
        self.rows.iter().for_each(|row| line(&mut row.iter().map(String::as_str)));
    }

    fn to_json(&self) -> Value {
        let row = |cells: &Vec<String>| {
            let pairs = self.columns.iter().zip(cells);
            Value::Object(pairs.map(|(name, cell)| ((*name).to_owned(), number_or_text(cell))).collect())
        };
        json!({ "title": self.title, "rows": self.rows.iter().map(row).collect::<Vec<_>>() })
    }
}

impl Report {
    pub fn add(&mut self, table: Table) {
        table.print();
        self.tables.push(table);
    }

    pub fn to_json(&self) -> Result<String, Failure> {
        let tables: Vec<Value> = self.tables.iter().map(Table::to_json).collect();
        Ok(serde_json::to_string_pretty(&tables)?)
    }
}

/// `12,345` for a figure of thousands and more, `3.21` for a small one.
pub fn figure(value: f64) -> String {
    if value.abs() < 100.0 {
        return format!("{value:.2}");
    }
    let digits = format!("{value:.0}");
    let grouped: Vec<String> = digits
        .bytes()
        .rev()
        .collect::<Vec<u8>>()
        .chunks(3)
        .map(|chunk| chunk.iter().rev().map(|byte| char::from(*byte)).collect())
        .rev()
        .collect();
    grouped.join(",")
}

fn number_or_text(cell: &str) -> Value {
    let plain = cell.replace(',', "");
    plain
        .parse::<f64>()
        .ok()
        .and_then(serde_json::Number::from_f64)
        .map_or_else(|| cell.into(), Value::Number)
}
