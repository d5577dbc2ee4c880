//! What holds for SQLite alone: one writer for a file, and files that cannot be used.

use std::process::Command;

use strongroom_store::{Location, LogFault, Migration, Schema, Store, StoreError};

use crate::conformance::code;
use crate::home::Home;
use crate::sample::*;

/// The name of the variable that tells this program's copy which file to open.
const CHILD: &str = "STRONGROOM_TEST_CHILD_FILE";

#[test]
fn a_second_process_is_refused_and_told_who_writes() {
    if let Some(path) = std::env::var_os(CHILD) {
        let refused = Store::open(&Location::Sqlite(path.into()), &SCHEMA).unwrap_err();
        println!("{}: {refused}", refused.code());
        return;
    }
    let home = Home::sqlite();
    let _writer = home.open(&SCHEMA);
    let this = std::env::current_exe().unwrap();
    let name = "sqlite_only::a_second_process_is_refused_and_told_who_writes";
    let arguments = ["--exact", name, "--nocapture"];
    let child = Command::new(this).args(arguments).env(CHILD, home.file("fund.db")).output().unwrap();
    let said = String::from_utf8(child.stdout).unwrap();
    assert!(said.contains("store.must_have_one_writer: "), "{said}");
    assert!(said.contains(&format!("by process {}", std::process::id())), "{said}");
}

#[test]
fn a_second_writer_in_the_same_process_is_refused_until_the_first_is_gone() {
    let home = Home::sqlite();
    let writer = home.open(&SCHEMA);
    let refused = Store::open(&home.location(), &SCHEMA).unwrap_err();
    assert!(matches!(refused, StoreError::AnotherWriter { pid: Some(pid), .. } if pid == std::process::id()));
    drop(writer);
    drop(home.open(&SCHEMA));
}

#[test]
fn who_finds_the_file_held_is_told_where_its_holder_serves() {
    let home = Home::sqlite();
    let mut writer = home.open(&SCHEMA);
    writer.say_served_at("https://127.0.0.1:8443").unwrap();
    let refused = Store::open(&home.location(), &SCHEMA).unwrap_err();
    assert!(refused.to_string().contains("serves at https://127.0.0.1:8443"), "{refused}");
    drop(writer);
    let _next = home.open(&SCHEMA);
    let refused = Store::open(&home.location(), &SCHEMA).unwrap_err();
    assert!(!refused.to_string().contains("serves"), "{refused}");
}

/// The setting belongs to the store's own connection, so a migration is its witness: 2 is FULL.
#[test]
fn every_commit_is_synchronised() {
    static WITNESS: Schema = Schema {
        migrations: &[Migration {
            version: 1,
            name: "witness",
            sqlite: "CREATE TABLE witness AS SELECT synchronous, journal_mode
                FROM pragma_synchronous, pragma_journal_mode",
            postgres: "",
        }],
        tables: &[],
    };
    let home = Home::sqlite();
    home.open(&WITNESS);
    assert_eq!(home.rows("SELECT * FROM witness"), ["2 wal"]);
}

/// No trigger stops it; the log tells of it.
#[test]
fn a_replaced_record_counts_as_an_edit() {
    let changed = LogFault::RecordChanged { stream: "a".to_owned(), seq: 9, leaf: 0 };
    for (leaf, seq, fault) in [(0, 9, changed), (9, 1, LogFault::LeafMissing { leaf: 0 })] {
        let home = Home::sqlite();
        let mut store = home.open(&SCHEMA);
        store.append(&run("a", 1..=1), &[]).unwrap();
        home.by_hand(&format!(
            "INSERT OR REPLACE INTO events (leaf, stream, seq, at, recorded_at, actor, kind, body, salt, leaf_hash)
             VALUES ({leaf}, 'a', {seq}, '', '', '', '', 'forged', zeroblob(16), zeroblob(32))"
        ))
        .unwrap();
        assert_eq!(store.verify_log(&|_| ()).unwrap().faults.first(), Some(&fault));
        assert_eq!(code(store.check_log_tail()), fault.code());
    }
}

#[test]
fn a_lock_that_is_held_too_long_is_contention_and_passes() {
    let home = Home::sqlite();
    let mut store = home.open(&SCHEMA);
    let other = rusqlite::Connection::open(home.file("fund.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = store.append(&run("a", 1..=1), &[]).unwrap_err();
    assert_eq!(refused.code(), "store.lock_must_be_free_in_time");
    other.execute_batch("ROLLBACK").unwrap();
    store.append(&run("a", 1..=1), &[]).unwrap();
}

#[test]
fn a_path_that_cannot_be_used_is_refused() {
    let home = Home::sqlite();
    let nowhere = Location::Sqlite(home.file("missing").join("fund.db"));
    let refused = Store::open(&nowhere, &SCHEMA).unwrap_err();
    assert_eq!(refused.code(), "store.directory_must_be_writable");
    let refused = Store::open_read_only(&nowhere, &SCHEMA).unwrap_err();
    assert_eq!(refused.code(), "store.database_must_be_reachable");
}
