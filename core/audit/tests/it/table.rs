//! The root over the key table.

use proptest::prelude::*;
use std::collections::BTreeMap;
use strongroom_audit::{AuditError, Hash, KeyTable, verify_record};

fn table<'r>(records: impl IntoIterator<Item = (&'r String, &'r String)>) -> KeyTable {
    let mut table = KeyTable::default();
    for (key, record) in records {
        table.set(key.as_bytes(), record.as_bytes());
    }
    table
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    <sha2::Sha256 as sha2::Digest>::digest(parts.concat()).into()
}

/// The root by its definition: nothing is zeros, one record its leaf, more are divided by the next bit of their paths.
fn root_by_definition(records: &[([u8; 32], [u8; 32])], depth: usize) -> [u8; 32] {
    match records {
        [] => [0; 32],
        [(path, digest)] => sha256(&[&[0x10], path, digest]),
        _ => {
            let right = |path: &[u8; 32]| path[depth / 8] >> (7 - depth % 8) & 1 == 1;
            let (rights, lefts): (Vec<_>, Vec<_>) = records.iter().partition(|(path, _)| right(path));
            let side = |records: Vec<_>| root_by_definition(&records, depth + 1);
            sha256(&[&[0x11], &side(lefts), &side(rights)])
        }
    }
}

fn expected(records: &BTreeMap<String, String>) -> Hash {
    let hashed: Vec<_> = records
        .iter()
        .map(|(key, record)| (sha256(&[&[0x12], key.as_bytes()]), sha256(&[&[0x13], record.as_bytes()])))
        .collect();
    Hash::new(root_by_definition(&hashed, 0))
}

#[test]
fn ten_thousand_keys_stand_some_fourteen_deep() {
    let keys: Vec<String> = (0..10_000).map(|number| format!("key/{number}")).collect();
    let mut table = table(keys.iter().map(|key| (key, key)));
    assert_eq!(table.len(), 10_000);
    let depths: Vec<usize> =
        keys.iter().step_by(10).map(|key| table.prove(key.as_bytes()).unwrap().len()).collect();
    assert!(depths.iter().sum::<usize>() / depths.len() <= 15, "{depths:?}");
    assert!(depths.iter().max().unwrap() < &40);
    let root = table.root();
    table.set(b"key/7", b"changed behind the program's back");
    assert_ne!(table.root(), root);
    assert!(!table.holds(b"key/7", b"key/7"));
    assert!(table.holds(b"key/8", b"key/8"));
    table.set(b"key/7", b"key/7");
    assert_eq!(table.root(), root);
}

#[test]
fn an_empty_table_has_no_record() {
    let mut table = KeyTable::default();
    assert!(
        table.is_empty() && !table.remove(b"k") && table.prove(b"k").is_none() && !table.holds(b"k", b"")
    );
    assert_eq!(table.root(), Hash::new([0; 32]));
    table.set(b"k", b"");
    assert!(!table.is_empty() && table.holds(b"k", b""));
    assert!(verify_record(Hash::new([0; 32]), b"k", b"", &[]).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn the_root_is_that_of_the_records_whatever_happened_before(
        changes in prop::collection::vec(("[a-z]{1,2}", "[a-z]{0,3}", any::<bool>()), 0..200),
    ) {
        let (mut table, mut records) = (KeyTable::default(), BTreeMap::new());
        for (key, record, keep) in changes {
            if keep {
                table.set(key.as_bytes(), record.as_bytes());
                records.insert(key, record);
            } else {
                prop_assert_eq!(table.remove(key.as_bytes()), records.remove(&key).is_some());
            }
            prop_assert_eq!(table.len(), records.len());
        }
        prop_assert_eq!(table.root(), expected(&records));
        prop_assert_eq!(self::table(records.iter().rev()).root(), table.root());
    }

    #[test]
    fn a_record_is_proved_and_no_other(
        records in prop::collection::btree_map("[a-z]{1,3}", "[a-z]{0,3}", 1..120), at in any::<prop::sample::Index>(),
        bit in 0..256_usize, hash in any::<prop::sample::Index>(),
    ) {
        let table = table(&records);
        let (key, record) = records.iter().nth(at.index(records.len())).unwrap();
        let (key, record) = (key.as_bytes(), record.as_bytes());
        let proof = table.prove(key).unwrap();
        let refused = Err(AuditError::RecordMustBeUnderRoot);
        prop_assert_eq!(verify_record(table.root(), key, record, &proof), Ok(()));
        prop_assert_eq!(verify_record(table.root(), key, b"other", &proof), refused.clone());
        prop_assert_eq!(verify_record(table.root(), b"other", record, &proof), refused.clone());
        prop_assert_eq!(table.prove(b"other"), None);
        let longer = [&proof[..], &[table.root()]].concat();
        prop_assert_eq!(verify_record(table.root(), key, record, &longer), refused.clone());
        if !proof.is_empty() {
            prop_assert_eq!(verify_record(table.root(), key, record, &proof[1..]), refused.clone());
            let mut other = proof.clone();
            let place = hash.index(proof.len());
            let mut bytes = *proof[place].as_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            other[place] = Hash::new(bytes);
            prop_assert_eq!(verify_record(table.root(), key, record, &other), refused);
        }
    }
}
