//! What a crash of the process or the machine leaves in SQLite's files, built byte by byte and opened again.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use strongroom_store::{Location, Store};

use crate::home::{Home, rows};
use crate::sample::*;

/// Group n has n records, and one fund whose name is the head after it.
const GROUPS: u64 = 12;

fn append_group(store: &mut Store, group: u64) {
    let head = store.head("a").unwrap();
    let name = format!("{:03}", head + group);
    store.append(&run("a", head + 1..=head + group), &[fund(&name, "Fund")]).unwrap();
}

/// Opens what a crash left, and tells how many whole groups are in it. Anything but whole groups fails.
fn whole_groups(database: &[u8], log: &[u8]) -> u64 {
    let home = Home::sqlite();
    fs::write(home.file("fund.db"), database).unwrap();
    fs::write(home.file("fund.db-wal"), log).unwrap();
    let mut store = home.open(&SCHEMA);
    let head = store.head("a").unwrap();
    let groups = (0..=GROUPS).find(|groups| groups * (groups + 1) / 2 == head).expect("whole groups");
    assert_eq!(store.read("a", 1, 10_000).unwrap(), run("a", 1..=head));
    let funds: Vec<String> = (1..=groups).map(|group| format!("{:03}", group * (group + 1) / 2)).collect();
    assert_eq!(rows(&home.location(), "SELECT fund FROM funds ORDER BY fund"), funds);
    store.append(&run("a", head + 1..=head + 1), &[]).unwrap();
    groups
}

/// The database and its log while a store is open, as a crash of the machine would leave them.
fn files_of_open_store(home: &Home) -> (Vec<u8>, Vec<u8>) {
    let read = |path: &Path| fs::read(path).unwrap();
    (read(&home.file("fund.db")), read(&home.file("fund.db-wal")))
}

fn cases() -> ProptestConfig {
    ProptestConfig {
        cases: 48,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(7),
        ..ProptestConfig::default()
    }
}

#[test]
fn a_log_cut_anywhere_leaves_a_prefix_of_whole_groups() {
    let home = Home::sqlite();
    let mut store = home.open(&SCHEMA);
    (1..=GROUPS).for_each(|group| append_group(&mut store, group));
    let (database, log) = files_of_open_store(&home);
    assert_eq!(whole_groups(&database, &log), GROUPS);
    assert_eq!(whole_groups(&database, &[]), 0);
    assert_eq!(whole_groups(&database, &log[..log.len() - 1]), GROUPS - 1);
    proptest!(cases(), |(cut in 0..log.len())| {
        prop_assert!(whole_groups(&database, &log[..cut]) < GROUPS);
    });
}

#[test]
fn a_log_with_a_flipped_bit_leaves_a_prefix_of_whole_groups() {
    let home = Home::sqlite();
    let mut store = home.open(&SCHEMA);
    (1..=GROUPS).for_each(|group| append_group(&mut store, group));
    let (database, log) = files_of_open_store(&home);
    proptest!(cases(), |(place in 0..log.len(), bit in 0_u8..8)| {
        let mut damaged = log.clone();
        damaged[place] ^= 1 << bit;
        prop_assert!(whole_groups(&database, &damaged) <= GROUPS);
    });
}

/// A transaction too large for the cache is in the log already before it commits.
#[test]
fn an_uncommitted_transaction_is_gone_after_a_crash() {
    let home = Home::sqlite();
    let mut store = home.open(&SCHEMA);
    (1..=3).for_each(|group| append_group(&mut store, group));
    let writer = rusqlite::Connection::open(home.file("fund.db")).unwrap();
    writer.execute_batch("PRAGMA cache_size = 1; BEGIN IMMEDIATE").unwrap();
    let before = files_of_open_store(&home).1.len();
    for seq in 7..2_000 {
        let insert =
            "INSERT INTO events (leaf, stream, seq, at, recorded_at, actor, kind, body, salt, leaf_hash)
            VALUES (?1 - 1, 'a', ?1, '', '', '', '', hex(zeroblob(500)), zeroblob(16), zeroblob(32))";
        writer.execute(insert, [seq]).unwrap();
    }
    let (database, log) = files_of_open_store(&home);
    assert!(log.len() > before + 100_000, "the transaction is in the log");
    assert_eq!(whole_groups(&database, &log), 3);
}

#[test]
fn what_was_appended_survives_a_process_that_never_closes_its_store() {
    let home = Home::sqlite();
    let mut store = home.open(&SCHEMA);
    append_group(&mut store, 1);
    let (database, log) = files_of_open_store(&home);
    append_group(&mut store, 2);
    let (later_database, later_log) = files_of_open_store(&home);
    assert_eq!(whole_groups(&database, &log), 1);
    assert_eq!(whole_groups(&later_database, &later_log), 2);
}

#[test]
fn a_damaged_file_is_reported_as_corrupt() {
    let home = Home::sqlite();
    let mut store = home.open(&SCHEMA);
    store.append(&run("a", 1..=2_000), &[]).unwrap();
    drop(store);
    let path = home.file("fund.db");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0x5a);
    fs::write(&path, bytes).unwrap();
    let mut store = home.open(&SCHEMA);
    let backup = store.back_up(&home.file("backup.db"));
    assert_eq!(backup.unwrap_err().code(), "store.file_must_not_be_corrupt");
    let failed = store.read("a", 1, 10_000);
    assert_eq!(failed.unwrap_err().code(), "store.file_must_not_be_corrupt");
    let after = store.append(&run("b", 1..=1), &[]);
    assert_eq!(after.unwrap_err().code(), "store.must_be_reopened_after_failure");
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let home = Home::sqlite();
    let letter = "Dear shareholders, this is a letter and not a database. ".repeat(100);
    fs::write(home.file("fund.db"), &letter).unwrap();
    for open in [Store::open, Store::open_read_only] {
        let refused = open(&Location::Sqlite(home.file("fund.db")), &SCHEMA);
        assert_eq!(refused.unwrap_err().code(), "store.file_must_be_a_database");
    }
    assert_eq!(fs::read_to_string(home.file("fund.db")).unwrap(), letter);
}
