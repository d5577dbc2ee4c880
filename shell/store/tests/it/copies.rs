//! Backups and restores, on each database and from one to the other.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use strongroom_store::{Location, Store, StoreError, restore_from};

use crate::conformance::conformance;
use crate::home::{Home, rows};
use crate::sample::*;

const FUNDS_SQL: &str = "SELECT * FROM funds ORDER BY fund";
const HOLDINGS_SQL: &str = "SELECT * FROM holdings ORDER BY fund, day";
const GROUP_SQL: &str = r#"SELECT * FROM "group" ORDER BY 1, 2"#;
const SNAPSHOTS_SQL: &str = "SELECT * FROM snapshots ORDER BY stream, seq";

/// A store with something of everything.
fn fill(home: &Home) -> Store {
    let mut store = home.open(&SCHEMA);
    let days =
        (1..=28).map(|day| holding(&format!("2026-02-{day:02}"), "-12345678901234567890.000000000000000010"));
    let nulls = strongroom_store::Value::Null;
    let empty = strongroom_store::RowChange::Upsert {
        table: &HOLDINGS,
        values: vec![text("b"), text("2026-01-01"), nulls.clone(), nulls.clone(), nulls.clone(), nulls],
    };
    let changes: Vec<_> = days.chain([fund("a", "Ant"), fund("b", "Bee"), empty, group(-1, "")]).collect();
    store.append(&[run("a", 1..=1_500), run("b", 1..=2)].concat(), &changes).unwrap();
    store.put_snapshot(&snapshot("a", 700)).unwrap();
    store.put_snapshot(&snapshot("a", 1_400)).unwrap();
    store
}

/// Whether two places hold the same log, snapshots and rows.
fn assert_same(one: &Location, other: &Location) {
    for sql in [FUNDS_SQL, HOLDINGS_SQL, GROUP_SQL, SNAPSHOTS_SQL] {
        assert_eq!(rows(one, sql), rows(other, sql), "{sql}");
    }
    let mut one = Store::open_read_only(one, &SCHEMA).unwrap();
    let mut other = Store::open_read_only(other, &SCHEMA).unwrap();
    assert_eq!(one.streams().unwrap(), other.streams().unwrap());
    for stream in one.streams().unwrap() {
        let (one, other) = (one.records(&stream, 1), other.records(&stream, 1));
        assert!(one.map(Result::unwrap).eq(other.map(Result::unwrap)), "{stream}");
    }
}

fn a_backup_restores_to_the_same_store(home: &Home) {
    let mut store = fill(home);
    let backup = home.file("backup.db");
    let summary = store.back_up(&backup).unwrap();
    assert_eq!((summary.streams, summary.records), (2, 1_502));
    assert_eq!(summary.bytes, fs::metadata(&backup).unwrap().len());
    let restored = restore_from(&backup, &home.other_location(), &SCHEMA).unwrap();
    assert_eq!((restored.streams, restored.records), (2, 1_502));
    assert_same(&home.location(), &home.other_location());
    let mut other = Store::open(&home.other_location(), &SCHEMA).unwrap();
    other.append(&run("a", 1_501..=1_501), &[fund("b", "Wasp")]).unwrap();
}

fn a_backup_is_one_file_that_can_be_read_as_a_store(home: &Home) {
    let mut store = fill(home);
    let backup = home.file("backup.db");
    store.back_up(&backup).unwrap();
    assert_same(&home.location(), &Location::Sqlite(backup));
    let names: Vec<_> =
        fs::read_dir(home.file("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    let of_backup = |name: &&std::ffi::OsString| name.to_string_lossy().starts_with("backup");
    assert_eq!(names.iter().filter(of_backup).collect::<Vec<_>>(), ["backup.db"]);
}

fn a_backup_never_overwrites(home: &Home) {
    let mut store = fill(home);
    let path = home.file("precious");
    fs::write(&path, "precious").unwrap();
    assert_eq!(store.back_up(&path).unwrap_err().code(), "store.backup_must_not_overwrite");
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    let nowhere = home.file("missing").join("backup.db");
    assert_eq!(store.back_up(&nowhere).unwrap_err().code(), "store.directory_must_be_writable");
    store.append(&run("b", 3..=3), &[]).unwrap();
}

fn a_restore_never_overwrites(home: &Home) {
    let mut store = fill(home);
    let backup = home.file("backup.db");
    store.back_up(&backup).unwrap();
    drop(store);
    let refused = restore_from(&backup, &home.location(), &SCHEMA).unwrap_err();
    assert_eq!(refused.code(), "store.target_must_be_empty");
    assert_eq!(home.open(&SCHEMA).head("a").unwrap(), 1_500);
}

/// A reader that backs up while the writer writes sees whole groups: as many rows as records.
fn a_backup_of_a_store_in_use_is_of_one_moment(home: &Home) {
    let mut writer = home.open(&SCHEMA);
    let mut reader = Store::open_read_only(&home.location(), &SCHEMA).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut seq = 0;
            while !done.load(Ordering::Relaxed) {
                seq += 1;
                let name = format!("f{seq:06}");
                writer.append(&run("a", seq..=seq), &[fund(&name, "Fund"), group(1, &name)]).unwrap();
            }
        });
        let _stop = Stop(&done);
        for count in 0..5 {
            let path = home.file(&format!("backup-{count}.db"));
            let records = reader.back_up(&path).unwrap().records.to_string();
            let backup = Location::Sqlite(path);
            assert_eq!(rows(&backup, "SELECT count(*) FROM funds"), [records.as_str()]);
            assert_eq!(rows(&backup, "SELECT count(*) FROM \"group\""), [records.as_str()]);
        }
    });
}

/// Stops the writer when the reader is done, and when it fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn a_damaged_backup_is_refused_and_leaves_nothing(home: &Home) {
    let mut store = fill(home);
    let backup = home.file("backup.db");
    store.back_up(&backup).unwrap();
    let mut bytes = fs::read(&backup).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4_096].fill(0x5a);
    fs::write(&backup, bytes).unwrap();
    let refused = restore_from(&backup, &home.other_location(), &SCHEMA).unwrap_err();
    assert_eq!(refused.code(), "store.file_must_not_be_corrupt");
    let mut other = Store::open(&home.other_location(), &SCHEMA).unwrap();
    assert_eq!(other.streams().unwrap(), [""; 0]);
}

conformance! {
    a_backup_restores_to_the_same_store,
    a_backup_is_one_file_that_can_be_read_as_a_store,
    a_backup_never_overwrites,
    a_restore_never_overwrites,
    a_backup_of_a_store_in_use_is_of_one_moment,
    a_damaged_backup_is_refused_and_leaves_nothing,
}

#[test]
fn a_store_moves_from_sqlite_to_postgres_and_back() {
    let (here, Some(there)) = (Home::sqlite(), Home::postgres()) else { return };
    fill(&here).back_up(&here.file("backup.db")).unwrap();
    restore_from(&here.file("backup.db"), &there.location(), &SCHEMA).unwrap();
    assert_same(&here.location(), &there.location());
    there.open(&SCHEMA).back_up(&there.file("backup.db")).unwrap();
    restore_from(&there.file("backup.db"), &here.other_location(), &SCHEMA).unwrap();
    assert_same(&here.location(), &here.other_location());
}

#[test]
fn an_older_backup_is_migrated_into_a_file_but_not_into_postgres() {
    let here = Home::sqlite();
    let backup = here.file("backup.db");
    fill(&here).back_up(&backup).unwrap();
    restore_from(&backup, &here.other_location(), &SCHEMA_2).unwrap();
    assert_eq!(rows(&here.other_location(), FUNDS_SQL), ["a Ant hold", "b Bee hold"]);
    let Some(there) = Home::postgres() else { return };
    let refused = restore_from(&backup, &there.location(), &SCHEMA_2).unwrap_err();
    assert_eq!(refused.code(), "store.schema_must_not_be_older_than_program");
}

#[test]
fn a_leftover_log_beside_the_target_is_never_played_into_a_restored_file() {
    let home = Home::sqlite();
    fill(&home).back_up(&home.file("backup.db")).unwrap();
    fs::write(home.file("other.db-wal"), "left behind").unwrap();
    let refused = restore_from(&home.file("backup.db"), &home.other_location(), &SCHEMA).unwrap_err();
    assert!(matches!(refused, StoreError::TargetNotEmpty { .. }));
}

#[test]
fn a_refused_restore_does_not_migrate_its_target() {
    let (here, Some(there)) = (Home::sqlite(), Home::postgres()) else { return };
    here.open(&SCHEMA_2).back_up(&here.file("backup.db")).unwrap();
    there.open(&SCHEMA).append(&run("a", 1..=1), &[]).unwrap();
    let refused = restore_from(&here.file("backup.db"), &there.location(), &SCHEMA_2).unwrap_err();
    assert_eq!(refused.code(), "store.schema_must_not_be_older_than_program");
    assert_eq!(there.open(&SCHEMA).head("a").unwrap(), 1);
}
