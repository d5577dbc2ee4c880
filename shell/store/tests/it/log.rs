//! The log over all records: leaves with every commit, proofs that others can check, and whatever is edited behind the
//! store's back is found and named.

use ed25519_dalek::{Signer, SigningKey};
use std::collections::BTreeSet;
use strongroom_audit::{
    Checkpoint, KeyKind, Receipt, SignedNote, Tile, TileKind, VerifierKey, verify_consistency,
};
use strongroom_store::{Location, LogFault, LogReport, Notary, Record, Store, StoreError};

use crate::conformance::{code, conformance};
use crate::home::Home;
use crate::sample::*;

#[derive(Debug)]
struct Key(SigningKey);

impl Key {
    fn new(byte: u8) -> Box<Self> {
        Box::new(Self(SigningKey::from_bytes(&[byte; 32])))
    }
}

impl Notary for Key {
    fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], String> {
        Ok(self.0.sign(message).to_bytes())
    }
}

fn signed(home: &Home) -> (Store, VerifierKey) {
    let mut store = home.open(&SCHEMA);
    let head = store.sign_with(Key::new(7)).unwrap();
    let key = VerifierKey::try_new(&head.origin, KeyKind::Note, &Key::new(7).public()).unwrap();
    assert_eq!(head.key, Some(key.to_string()));
    (store, key)
}

fn report(store: &mut Store) -> LogReport {
    store.verify_log(&|_| ()).unwrap()
}

fn every_record_has_a_leaf_and_every_commit_a_checkpoint(home: &Home) {
    let (mut store, key) = signed(home);
    let mut before = Checkpoint::open(&note(&mut store), &key).unwrap();
    assert_eq!(before.size(), 0);
    let mut size = 0;
    for batch in [run("a", 1..=1), [run("b", 1..=300), run("a", 2..=2)].concat(), run("a", 3..=600)] {
        let appended = store.append(&batch, &[]).unwrap();
        size += batch.len() as u64;
        let checkpoint = Checkpoint::open(&note(&mut store), &key).unwrap();
        assert_eq!((checkpoint.size(), appended.size()), (size, size));
        if before.size() > 0 {
            let proof = store.prove_consistency(before.size(), size).unwrap();
            let (old, new) = ((before.size(), before.root()), (size, checkpoint.root()));
            verify_consistency(old, new, &proof).unwrap();
        }
        for (place, record) in batch.iter().enumerate() {
            let receipt = appended.receipt(place, record).unwrap().unwrap();
            assert_eq!(receipt.verify(&key).unwrap(), checkpoint);
            assert_eq!((&receipt.stream, receipt.seq), (&record.stream, record.seq));
        }
        before = checkpoint;
    }
    // A receipt of long ago is made from what is stored, and reads back from its text.
    let old = store.receipt("b", 17).unwrap();
    let again = Receipt::from_json(&old.to_json().unwrap()).unwrap();
    assert_eq!(again.verify(&key).unwrap().size(), size);
    assert_eq!(code(store.receipt("b", 301)), "log.leaf_must_be_in_the_log");
    assert_eq!(report(&mut store), LogReport { leaves: size, backfilled: 0, faults: Vec::new() });
    assert_eq!(store.check_log_tail().unwrap().size(), size);
}

fn note(store: &mut Store) -> SignedNote {
    SignedNote::parse(&store.log_head().unwrap().checkpoint.unwrap()).unwrap()
}

fn a_refused_batch_leaves_no_leaf(home: &Home) {
    let (mut store, _) = signed(home);
    store.append(&run("a", 1..=2), &[]).unwrap();
    let before = store.log_head().unwrap();
    assert_eq!(code(store.append(&run("a", 2..=3), &[])), "store.sequence_must_be_free");
    assert_eq!(
        code(store.append(&run("a", 3..=3), &[holding("2026-01-02", "1")])),
        "store.row_must_satisfy_constraints"
    );
    let moved = store.append_after(&run("b", 1..=1), &[], &[("a", 1)]);
    assert_eq!(code(moved), "store.sequence_must_be_free");
    assert_eq!(store.log_head().unwrap(), before);
    store.append_after(&run("b", 1..=1), &[], &[("a", 2), ("none", 0)]).unwrap();
    assert_eq!(report(&mut store).faults, []);
}

fn the_files_of_the_log_hold_its_hashes_and_entries(home: &Home) {
    let (mut store, _) = signed(home);
    store.append(&run("a", 1..=600), &[]).unwrap();
    let leaves = store.logged(256, 256).unwrap();
    let tile = Tile::in_tree(TileKind::Hashes(0), 1, 600).unwrap();
    let content = store.tile(&tile).unwrap();
    let hashes: Vec<_> = leaves.iter().map(|logged| logged.leaf.hash).collect();
    assert_eq!(tile.hashes(&content).unwrap(), hashes);
    let bundle = Tile::in_tree(TileKind::Entries, 1, 600).unwrap();
    let content = store.tile(&bundle).unwrap();
    for (entry, hash) in bundle.entries(&content).unwrap().into_iter().zip(hashes) {
        assert_eq!(strongroom_audit::leaf_hash(entry), hash);
    }
    assert_eq!(store.tile(&Tile::in_tree(TileKind::Hashes(1), 0, 600).unwrap()).unwrap().len(), 64);
    let beyond = Tile::try_new(TileKind::Hashes(0), 2, 256).unwrap();
    assert_eq!(code(store.tile(&beyond)), "log.leaf_must_be_in_the_log");
}

fn a_log_has_one_key(home: &Home) {
    let (store, _) = signed(home);
    drop(store);
    let mut store = home.open(&SCHEMA);
    assert_eq!(code(store.sign_with(Key::new(8))), "log.key_must_be_the_logs");
    // Without a key the log grows all the same; who has the key signs for all of it.
    assert_eq!(store.append(&run("a", 1..=1), &[]).unwrap().checkpoint(), None);
    drop(store);
    let (mut store, key) = signed(home);
    assert_eq!(Checkpoint::open(&note(&mut store), &key).unwrap().size(), 1);
}

/// What somebody can do who may write the database and knows the triggers.
fn what_is_edited_by_hand_is_found_and_named(home: &Home) {
    let is_sqlite = matches!(home.location(), Location::Sqlite(_));
    let blob = |byte: &str, bytes: usize| match is_sqlite {
        true => format!("X'{}'", byte.repeat(bytes)),
        false => format!("'\\x{}'::bytea", byte.repeat(bytes)),
    };
    let changed = |seq: u64, leaf: u64| LogFault::RecordChanged { stream: "a".to_owned(), seq, leaf };
    let cut = "DELETE FROM events WHERE leaf >= 1090";
    let added = format!(
        "INSERT INTO events (stream, seq, at, recorded_at, actor, kind, body, leaf, salt, leaf_hash)
         VALUES ('z', 1, '', '', '', '', '', 1100, {}, {})",
        blob("00", 16),
        blob("00", 32)
    );
    let hash = blob("11", 32);
    let cases: Vec<(String, LogFault, bool)> = vec![
        ("UPDATE events SET body = '{}' WHERE seq = 20".into(), changed(20, 19), false),
        ("UPDATE events SET actor = 'key:other' WHERE seq = 1097".into(), changed(1097, 1096), true),
        ("UPDATE events SET kind = 'other' WHERE seq = 3".into(), changed(3, 2), false),
        (format!("UPDATE events SET leaf_hash = {hash} WHERE seq = 1000"), changed(1000, 999), true),
        ("DELETE FROM events WHERE seq = 40".into(), LogFault::LeafMissing { leaf: 39 }, false),
        (cut.into(), LogFault::LeafMissing { leaf: 1090 }, true),
        (added, LogFault::LeafUnknown { leaf: 1100 }, true),
        (
            format!("UPDATE log_nodes SET hash = {hash} WHERE place = 0"),
            LogFault::TileChanged { first: 0, last: 255 },
            true,
        ),
    ];
    for (sql, fault, in_tail) in cases {
        let (home, mut store) = home.fresh_log();
        store.sign_with(Key::new(7)).unwrap();
        store.append(&run("a", 1..=1_100), &[]).unwrap();
        home.as_attacker(&sql);
        let found = report(&mut store).faults;
        assert_eq!(found.first(), Some(&fault), "{sql}: {found:?}");
        let tail = store.check_log_tail();
        assert_eq!(tail.is_err(), in_tail, "{sql}: {tail:?}");
    }
}

fn a_head_that_was_put_back_does_not_fit_its_leaves(home: &Home) {
    let (mut store, _) = signed(home);
    store.append(&run("a", 1..=3), &[]).unwrap();
    home.as_attacker("CREATE TABLE kept AS SELECT * FROM log_head");
    store.append(&run("a", 4..=5), &[]).unwrap();
    home.as_attacker(
        "UPDATE log_head SET tree = (SELECT tree FROM kept), checkpoint = (SELECT checkpoint FROM kept)",
    );
    assert_eq!(report(&mut store).faults.first(), Some(&LogFault::LeafUnknown { leaf: 3 }));
    assert!(matches!(store.check_log_tail(), Err(StoreError::LogFaulty(LogFault::LeafUnknown { leaf: 3 }))));
}

fn a_checkpoint_of_somebody_else_is_found(home: &Home) {
    let (mut store, _) = signed(home);
    store.append(&run("a", 1..=3), &[]).unwrap();
    home.as_attacker("UPDATE log_head SET checkpoint = replace(checkpoint, '3', '2')");
    assert_eq!(code(store.check_log_tail()), "log.checkpoint_must_be_of_this_log");
    assert_eq!(code(store.verify_log(&|_| ())), "log.checkpoint_must_be_of_this_log");
}

/// A log of before: records without leaves get them with the next migration, which are marked as later ones.
fn older_records_get_leaves_that_say_so(home: &Home) {
    let mut store = home.open(&SCHEMA);
    store.append(&[run("b", 1..=2), run("a", 1..=300)].concat(), &[fund("a", "Ant")]).unwrap();
    drop(store);
    home.as_attacker(match home.location() {
        Location::Sqlite(_) => {
            "CREATE TABLE old (stream TEXT NOT NULL, seq INTEGER NOT NULL, at TEXT NOT NULL,
                recorded_at TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (stream, seq)) STRICT;
             INSERT INTO old SELECT stream, seq, at, recorded_at, kind, body FROM events ORDER BY leaf;
             DROP TABLE events; ALTER TABLE old RENAME TO events;
             DROP TABLE log_head; DROP TABLE log_nodes;
             CREATE TRIGGER events_are_never_updated BEFORE UPDATE ON events BEGIN SELECT 1; END;
             CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON events BEGIN SELECT 1; END;
             CREATE TRIGGER events_are_never_replaced BEFORE INSERT ON events BEGIN SELECT 1; END;"
        }
        Location::Postgres(_) => {
            "ALTER TABLE events DROP COLUMN leaf, DROP COLUMN salt, DROP COLUMN leaf_hash, DROP COLUMN actor;
             DROP TABLE log_head; DROP TABLE log_nodes; DROP TABLE verifiers;"
        }
    });
    let mut store = home.open(&SCHEMA_2);
    let head = store.sign_with(Key::new(7)).unwrap();
    assert_eq!((head.size(), head.backfilled), (302, 302));
    assert_eq!(report(&mut store), LogReport { leaves: 302, backfilled: 302, faults: Vec::new() });
    let key = head.key.unwrap().parse().unwrap();
    let old = store.receipt("a", 5).unwrap();
    assert_eq!(old.written, strongroom_audit::Written::Later);
    old.verify(&key).unwrap();
    store.append(&run("a", 301..=302), &[]).unwrap();
    let new = store.receipt("a", 301).unwrap();
    assert_eq!((new.written, new.leaf_index), (strongroom_audit::Written::WithEvent, 302));
    assert_eq!(report(&mut store).faults, []);
    assert_eq!(
        code(home.by_hand("DELETE FROM events").map_err(|_| StoreError::ReadOnly)),
        "store.must_be_open_for_writing"
    );
}

fn a_copy_carries_the_log(home: &Home) {
    let (mut store, key) = signed(home);
    store.append(&run("a", 1..=600), &[]).unwrap();
    let backup = home.file("backup.db");
    store.back_up(&backup).unwrap();
    strongroom_store::restore_from(&backup, &home.other_location(), &SCHEMA).unwrap();
    let mut copy = Store::open(&home.other_location(), &SCHEMA).unwrap();
    assert_eq!(copy.log_head().unwrap(), store.log_head().unwrap());
    assert_eq!(report(&mut copy).faults, []);
    copy.receipt("a", 600).unwrap().verify(&key).unwrap();
    copy.append(&run("a", 601..=601), &[]).unwrap();
    assert_eq!(copy.check_log_tail().unwrap().size(), 601);
}

/// Records whose texts could be cut elsewhere have other leaves.
#[test]
fn no_two_records_share_a_leaf() {
    let home = Home::sqlite();
    let mut store = home.open(&SCHEMA);
    let with = |seq, at: &str, actor: &str, body: &str| Record {
        at: at.to_owned(),
        actor: actor.to_owned(),
        body: body.to_owned(),
        ..record("a", seq)
    };
    store.append(&[with(1, "ab", "c", "d"), with(2, "a", "bc", "d"), with(3, "a", "b", "cd")], &[]).unwrap();
    let hashes: BTreeSet<_> = store.logged(0, 9).unwrap().iter().map(|logged| logged.leaf.hash).collect();
    assert_eq!(hashes.len(), 3);
}

conformance! {
    every_record_has_a_leaf_and_every_commit_a_checkpoint,
    a_refused_batch_leaves_no_leaf,
    the_files_of_the_log_hold_its_hashes_and_entries,
    a_log_has_one_key,
    what_is_edited_by_hand_is_found_and_named,
    a_head_that_was_put_back_does_not_fit_its_leaves,
    a_checkpoint_of_somebody_else_is_found,
    older_records_get_leaves_that_say_so,
    a_copy_carries_the_log,
}
