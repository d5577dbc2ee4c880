//! A small schema in two versions, and records to go with it.

use strongroom_store::{Column, ColumnType, Migration, Record, RowChange, Schema, Snapshot, Table, Value};

const fn column(name: &'static str, kind: ColumnType) -> Column {
    Column { name, kind }
}

pub static FUNDS: Table = Table {
    name: "funds",
    columns: &[column("fund", ColumnType::Text), column("name", ColumnType::Text)],
    key: 1,
};

/// Every type, and a foreign key to `FUNDS`.
pub static HOLDINGS: Table = Table {
    name: "holdings",
    columns: &[
        column("fund", ColumnType::Text),
        column("day", ColumnType::Date),
        column("amount", ColumnType::Decimal),
        column("known_at", ColumnType::Instant),
        column("count", ColumnType::Integer),
        column("order", ColumnType::Text),
    ],
    key: 2,
};

/// A key and nothing else; the names are keywords.
pub static GROUP: Table = Table {
    name: "group",
    columns: &[column("select", ColumnType::Integer), column("from", ColumnType::Text)],
    key: 2,
};

pub static FUNDS_2: Table = Table {
    name: "funds",
    columns: &[
        column("fund", ColumnType::Text),
        column("name", ColumnType::Text),
        column("motto", ColumnType::Text),
    ],
    key: 1,
};

const FIRST: Migration = Migration {
    version: 1,
    name: "first tables",
    sqlite: r#"
        CREATE TABLE funds (fund TEXT PRIMARY KEY, name TEXT NOT NULL CHECK (name <> 'forbidden')) STRICT;
        CREATE TABLE holdings (
            fund TEXT NOT NULL REFERENCES funds DEFERRABLE INITIALLY DEFERRED, day TEXT NOT NULL,
            amount TEXT, known_at TEXT, count INTEGER, "order" TEXT, PRIMARY KEY (fund, day)) STRICT;
        CREATE TABLE "group" ("select" INTEGER NOT NULL, "from" TEXT NOT NULL, PRIMARY KEY ("select", "from")) STRICT;
    "#,
    postgres: r#"
        CREATE TABLE funds (fund TEXT PRIMARY KEY, name TEXT NOT NULL CHECK (name <> 'forbidden'));
        CREATE TABLE holdings (
            fund TEXT NOT NULL REFERENCES funds DEFERRABLE INITIALLY DEFERRED, day DATE NOT NULL,
            amount NUMERIC, known_at TIMESTAMPTZ, count BIGINT, "order" TEXT, PRIMARY KEY (fund, day));
        CREATE TABLE "group" ("select" BIGINT NOT NULL, "from" TEXT NOT NULL, PRIMARY KEY ("select", "from"));
    "#,
};

const SECOND: Migration = Migration {
    version: 2,
    name: "mottos",
    sqlite: "ALTER TABLE funds ADD COLUMN motto TEXT; UPDATE funds SET motto = 'hold';",
    postgres: "ALTER TABLE funds ADD COLUMN motto TEXT; UPDATE funds SET motto = 'hold';",
};

const BROKEN: Migration = Migration {
    version: 2,
    name: "broken",
    sqlite: "CREATE TABLE half (id TEXT PRIMARY KEY) STRICT; INSERT INTO nowhere VALUES (1);",
    postgres: "CREATE TABLE half (id TEXT PRIMARY KEY); INSERT INTO nowhere VALUES (1);",
};

pub static SCHEMA: Schema = Schema { migrations: &[FIRST], tables: &[&FUNDS, &HOLDINGS, &GROUP] };
pub static SCHEMA_2: Schema = Schema { migrations: &[FIRST, SECOND], tables: &[&FUNDS_2, &HOLDINGS, &GROUP] };
pub static SCHEMA_BROKEN: Schema =
    Schema { migrations: &[FIRST, BROKEN], tables: &[&FUNDS, &HOLDINGS, &GROUP] };

pub fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub fn record(stream: &str, seq: u64) -> Record {
    Record {
        stream: stream.to_owned(),
        seq,
        at: "2026-01-02T16:00:00Z".to_owned(),
        recorded_at: "2026-01-02T16:00:01.25Z".to_owned(),
        actor: "os:ana".to_owned(),
        kind: "nav_struck".to_owned(),
        // Neither database may touch a body: spaces, escapes, key order and other languages stay.
        body: format!("{{\"b\": 1.50,  \"a\": \"\\u00e9 é 純資産 🪙 '\\\"\", \"seq\": {seq}}}"),
    }
}

pub fn run(stream: &str, seqs: std::ops::RangeInclusive<u64>) -> Vec<Record> {
    seqs.map(|seq| record(stream, seq)).collect()
}

pub fn snapshot(stream: &str, seq: u64) -> Snapshot {
    Snapshot {
        stream: stream.to_owned(),
        seq,
        recorded_at: "2026-01-02T16:00:02Z".to_owned(),
        body: format!("{{ \"state\": {seq} }}"),
    }
}

pub fn fund(fund: &str, name: &str) -> RowChange {
    RowChange::Upsert { table: &FUNDS, values: vec![text(fund), text(name)] }
}

pub fn without_fund(fund: &str) -> RowChange {
    RowChange::Delete { table: &FUNDS, key: vec![text(fund)] }
}

/// A holding on 2026-01-02 of fund `a`, with this amount.
pub fn holding(day: &str, amount: &str) -> RowChange {
    let known_at = text("2026-01-02T16:00:00.25Z");
    let values = vec![text("a"), text(day), text(amount), known_at, Value::Integer(i64::MIN), text("é'\"\\")];
    RowChange::Upsert { table: &HOLDINGS, values }
}

pub fn group(select: i64, from: &str) -> RowChange {
    RowChange::Upsert { table: &GROUP, values: vec![Value::Integer(select), text(from)] }
}
