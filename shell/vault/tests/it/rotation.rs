//! A new key-encryption key without downtime: half-way and afterwards everything opens.

use crate::{code, identity, kek, vault};
use proptest::prelude::*;
use strongroom_vault::{Sealed, Secret, Vault};

/// Records of a database column.
fn column(vault: &Vault, count: usize) -> Vec<(String, Secret, Sealed)> {
    let row = |number: usize| {
        let (id, secret) = (format!("lineage{number}.1"), Secret::random(32).unwrap());
        let sealed = vault.seal(&identity(&id), &secret).unwrap();
        (id, secret, sealed)
    };
    (0..count).map(row).collect()
}

fn all_open(vault: &Vault, rows: &[(String, Secret, Sealed)]) -> bool {
    rows.iter()
        .all(|(id, secret, sealed)| vault.open(&identity(id), sealed).is_ok_and(|opened| opened == *secret))
}

#[test]
fn the_ciphertext_stays_and_the_data_key_is_wrapped_anew() {
    let mut vault = vault();
    let (id, _, before) = column(&vault, 1).remove(0);
    vault.rotate(kek(2)).unwrap();
    assert!(vault.needs_rewrap(&before));
    let after = vault.rewrap(&identity(&id), &before).unwrap();
    assert!(!vault.needs_rewrap(&after));
    let (before, after) = (before.to_string(), after.to_string());
    let parts = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
    let (before, after) = (parts(&before), parts(&after));
    let same: Vec<bool> = before.iter().zip(&after).map(|(one, other)| one == other).collect();
    assert_eq!(same, [true, false, false, true]);
}

#[test]
fn a_record_under_the_current_key_is_given_back_as_it_is() {
    let vault = vault();
    let (id, _, sealed) = column(&vault, 1).remove(0);
    assert_eq!(vault.rewrap(&identity(&id), &sealed).unwrap(), sealed);
}

#[test]
fn a_record_of_another_identity_is_not_rewrapped() {
    let mut vault = vault();
    let (_, _, sealed) = column(&vault, 1).remove(0);
    assert_eq!(code(vault.rewrap(&identity("other.1"), &sealed)), "vault.record_must_be_unaltered");
    vault.rotate(kek(2)).unwrap();
    assert_eq!(code(vault.rewrap(&identity("other.1"), &sealed)), "vault.record_must_be_unaltered");
}

#[test]
fn a_missed_record_is_refused_by_the_name_of_its_key() {
    let mut vault = vault();
    let (id, _, sealed) = column(&vault, 1).remove(0);
    vault.rotate(kek(2)).unwrap();
    vault.drop_former(kek(1).id()).unwrap();
    assert_eq!(code(vault.open(&identity(&id), &sealed)), "vault.kek_must_be_known");
    assert_eq!(code(vault.rewrap(&identity(&id), &sealed)), "vault.kek_must_be_known");
    assert!(vault.needs_rewrap(&sealed));
}

#[test]
fn keys_come_once_and_the_current_one_stays() {
    let mut vault = vault().with_former(kek(2)).unwrap();
    assert_eq!(code(vault.rotate(kek(1))), "vault.kek_must_be_given_once");
    assert_eq!(code(vault.rotate(kek(2))), "vault.kek_must_be_given_once");
    assert_eq!(code(vault.drop_former(kek(1).id())), "vault.kek_must_be_former");
    assert_eq!(code(vault.drop_former(kek(3).id())), "vault.kek_must_be_known");
    assert_eq!(code(vault.drop_former(kek(2).id())), "ok");
    assert_eq!(vault.current_kek(), kek(1).id());
    assert_eq!(code(vault.with_former(kek(1))), "vault.kek_must_be_given_once");
}

#[test]
fn a_rotation_goes_on_after_a_restart() {
    let mut running = vault();
    let rows = column(&running, 2);
    running.rotate(kek(2)).unwrap();
    let moved = running.rewrap(&identity(&rows[0].0), &rows[0].2).unwrap();
    // The process stops here; the next one is given both keys.
    let next = Vault::new(kek(2)).with_former(kek(1)).unwrap();
    assert!(next.open(&identity(&rows[0].0), &moved).unwrap() == rows[0].1);
    assert!(next.open(&identity(&rows[1].0), &rows[1].2).unwrap() == rows[1].1);
    assert_eq!((next.needs_rewrap(&moved), next.needs_rewrap(&rows[1].2)), (false, true));
}

proptest! {
    /// Any number of rotations, each stopped anywhere: everything opens at every step, and once all records are
    /// rewrapped every earlier key can go.
    #[test]
    fn everything_opens_half_way_and_afterwards(
        count in 1_usize..8,
        stops in proptest::collection::vec(0_usize..8, 1..4),
    ) {
        let mut vault = vault();
        let mut rows = column(&vault, count);
        for (number, stop) in (2_u8..).zip(&stops) {
            vault.rotate(kek(number)).unwrap();
            for (id, _, sealed) in rows.iter_mut().take(*stop) {
                *sealed = vault.rewrap(&identity(id), sealed).unwrap();
            }
            prop_assert!(all_open(&vault, &rows));
        }
        for (id, _, sealed) in &mut rows {
            *sealed = vault.rewrap(&identity(id), sealed).unwrap();
        }
        prop_assert!(rows.iter().all(|(_, _, sealed)| !vault.needs_rewrap(sealed)));
        for number in 1..=stops.len() {
            vault.drop_former(kek(number.try_into().unwrap()).id()).unwrap();
        }
        prop_assert!(all_open(&vault, &rows));
    }
}
