//! Other implementations as judges: pymerkle of PyPI builds the same tree and judges our proofs, as ours judges its; the
//! vectors of receipts are those of their program. Needs Python, and once the network.

use crate::common::{inclusion, tree};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};
use std::path::PathBuf;
use strongroom_audit::{Hash, Leaves, leaf_hash, prove_consistency, verify_consistency, verify_inclusion};
use strongroom_testing::interop;

fn installed() -> Option<PathBuf> {
    interop::installed(env!("CARGO_TARGET_TMPDIR"))
}

fn hashes(list: &Value) -> Vec<Hash> {
    list.as_array().unwrap().iter().map(|hash| hash.as_str().unwrap().parse().unwrap()).collect()
}

#[test]
fn pymerkle_has_the_same_tree_and_each_accepts_the_others_proofs() {
    let Some(folder) = installed() else { return };
    let entries: Vec<Vec<u8>> = (0..100_u8).map(|length| vec![length; length.into()]).collect();
    let leaves: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    let places: Vec<(u64, u64)> =
        (1..=100).flat_map(|size| (0..size).step_by(7).map(move |index| (index, size))).collect();
    let own = |index: u64, size: u64| inclusion(index, &leaves[..usize::try_from(size).unwrap()]);
    let proofs: Vec<Value> = places
        .iter()
        .map(|(index, size)| json!({"index": index, "size": size, "path": own(*index, *size)}))
        .collect();
    let encoded: Vec<String> = entries.iter().map(|entry| BASE64_STANDARD.encode(entry)).collect();
    let asked = json!({"entries": encoded, "proofs": proofs}).to_string();
    let answer = interop::answer(&mut interop::python(&folder, "merkle_judge.py"), &asked);
    let answer: Value = serde_json::from_str(&answer).unwrap();

    let roots = hashes(&answer["roots"]);
    let expected: Vec<Hash> = (0..=100).map(|size| tree(&leaves[..size]).root()).collect();
    assert_eq!(roots, expected);
    let paths = answer["paths"].as_array().unwrap();
    assert_eq!(paths.len(), places.len());
    for ((index, size), path) in places.iter().zip(paths) {
        let root = roots[usize::try_from(*size).unwrap()];
        let leaf = leaves[usize::try_from(*index).unwrap()];
        verify_inclusion(leaf, *index, *size, &hashes(path), root).unwrap();
    }
    // pymerkle writes consistency proofs in another way than RFC 9162, so here only the roots are its own.
    for second in 1..=100_usize {
        for first in 1..=second {
            let (one, two) = ((first as u64, roots[first]), (second as u64, roots[second]));
            let proof = prove_consistency(one.0, two.0, &Leaves(&leaves[..second])).unwrap();
            verify_consistency(one, two, &proof).unwrap();
        }
    }
}

#[test]
fn the_vectors_of_receipts_are_those_of_their_program() {
    let Some(folder) = installed() else { return };
    let mut program = interop::python(&folder, "receipt_vectors.py");
    let counts: Value = serde_json::from_str(&interop::answer(program.arg("check"), "")).unwrap();
    assert!(counts["accepted"].as_u64().unwrap() >= 15, "{counts}");
    assert!(counts["receipts"].as_u64().unwrap() >= 85, "{counts}");
}
