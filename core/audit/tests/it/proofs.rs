//! Whatever is proved verifies; whatever is changed in it does not.

use crate::common::{inclusion, leaves, root_by_definition};
use proptest::prelude::*;
use strongroom_audit::{
    AuditError, Hash, Leaves, Node, leaf_hash, prove_consistency, prove_inclusion, prove_subtree,
    verify_consistency, verify_inclusion, verify_subtree, verify_subtree_inclusion,
};

/// The inclusion proof by the definition of RFC 6962 section 2.1.1.
fn path_by_definition(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let (mut path, beside) = match index.checked_sub(left.len()) {
        None => (path_by_definition(index, left), right),
        Some(index) => (path_by_definition(index, right), left),
    };
    path.push(root_by_definition(beside));
    path
}

/// The consistency proof by the definition of RFC 6962 section 2.1.2.
fn consistency_by_definition(first: usize, leaves: &[Hash], known: bool) -> Vec<Hash> {
    if first == leaves.len() {
        return if known { Vec::new() } else { vec![root_by_definition(leaves)] };
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let (mut proof, beside) = if first <= left.len() {
        (consistency_by_definition(first, left, known), right)
    } else {
        (consistency_by_definition(first - left.len(), right, false), left)
    };
    proof.push(root_by_definition(beside));
    proof
}

#[test]
fn every_proof_of_small_trees_is_that_of_the_definition_and_verifies() {
    let all = leaves(70);
    for size in 1..=all.len() {
        let leaves = &all[..size];
        let root = root_by_definition(leaves);
        for index in 0..size {
            let proof = inclusion(index as u64, leaves);
            assert_eq!(proof, path_by_definition(index, leaves));
            verify_inclusion(leaves[index], index as u64, size as u64, &proof, root).unwrap();
            let first = index + 1;
            let proof = prove_consistency(first as u64, size as u64, &Leaves(leaves)).unwrap();
            assert_eq!(proof, consistency_by_definition(first, leaves, true));
            let first_root = root_by_definition(&leaves[..first]);
            verify_consistency((first as u64, first_root), (size as u64, root), &proof).unwrap();
        }
    }
}

#[test]
fn every_subtree_of_small_trees_is_proved_and_no_other_range() {
    let all = leaves(40);
    let mut subtrees = 0;
    for size in 1..=40_u64 {
        let leaves = &all[..usize::try_from(size).unwrap()];
        let root = root_by_definition(leaves);
        for (start, end) in (0..=size).flat_map(|start| (0..=size + 1).map(move |end| (start, end))) {
            let proof = prove_subtree(start, end, size, &Leaves(leaves));
            let valid = start < end && end <= size && start.is_multiple_of((end - start).next_power_of_two());
            if !valid {
                assert_eq!(proof, Err(AuditError::SubtreeMustBeInTree { start, end, size }));
                continue;
            }
            let inside = &leaves[usize::try_from(start).unwrap()..usize::try_from(end).unwrap()];
            let subtree = root_by_definition(inside);
            verify_subtree((start, end), subtree, (size, root), &proof.unwrap()).unwrap();
            for index in start..end {
                let proof = inclusion(index - start, inside);
                let leaf = all[usize::try_from(index).unwrap()];
                verify_subtree_inclusion(leaf, index, (start, end), &proof, subtree).unwrap();
            }
            subtrees += 1;
        }
    }
    assert!(subtrees > 2_000, "{subtrees}");
}

#[test]
fn what_is_not_in_the_tree_is_not_proved() {
    let leaves = leaves(5);
    let reader = Leaves(&leaves);
    assert_eq!(prove_inclusion(5, 5, &reader), Err(AuditError::IndexMustBeInTree { index: 5, size: 5 }));
    assert_eq!(prove_inclusion(0, 0, &reader), Err(AuditError::IndexMustBeInTree { index: 0, size: 0 }));
    assert!(prove_inclusion(u64::MAX - 1, u64::MAX, &reader).is_err());
    assert!(prove_consistency(0, 5, &reader).is_err());
    assert!(prove_consistency(6, 5, &reader).is_err());
    assert!(prove_consistency(1, u64::MAX, &reader).is_err());
    // A reader that does not have all hashes is found out.
    assert_eq!(prove_inclusion(0, 6, &reader), Err(AuditError::ReaderMustAnswerEachNode));
    let short = |answers: usize| Answers { answers };
    assert_eq!(prove_inclusion(0, 5, &short(1)), Err(AuditError::ReaderMustAnswerEachNode));
    assert_eq!(prove_inclusion(0, 5, &short(9)), Err(AuditError::ReaderMustAnswerEachNode));
}

/// A source that always gives so many hashes.
struct Answers {
    answers: usize,
}

impl strongroom_audit::HashReader for Answers {
    type Error = AuditError;

    fn hashes(&self, _: &[Node]) -> Result<Vec<Hash>, AuditError> {
        Ok(vec![leaf_hash(b""); self.answers])
    }
}

/// What may be done to a proof: the result differs from it.
#[derive(Clone, Debug)]
enum Change {
    Bit(usize, usize),
    Without(usize),
    Twice(usize),
    Swapped(usize, usize),
    Behind,
    Before,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<usize>(), 0..256_usize).prop_map(|(at, bit)| Change::Bit(at, bit)),
        any::<usize>().prop_map(Change::Without),
        any::<usize>().prop_map(Change::Twice),
        any::<(usize, usize)>().prop_map(|(one, other)| Change::Swapped(one, other)),
        Just(Change::Behind),
        Just(Change::Before),
    ]
}

fn flipped(hash: Hash, bit: usize) -> Hash {
    let mut bytes = *hash.as_bytes();
    bytes[bit / 8] ^= 1 << (bit % 8);
    Hash::new(bytes)
}

/// `None` where there is nothing to change so.
fn changed(proof: &[Hash], change: &Change) -> Option<Vec<Hash>> {
    let mut other = proof.to_vec();
    let place = |at: usize| at.checked_rem(proof.len());
    match change {
        Change::Bit(at, bit) => other[place(*at)?] = flipped(proof[place(*at)?], *bit),
        Change::Without(at) => drop(other.remove(place(*at)?)),
        Change::Twice(at) => other.insert(place(*at)?, proof[place(*at)?]),
        Change::Swapped(one, another) => other.swap(place(*one)?, place(*another)?),
        Change::Behind => other.push(leaf_hash(b"behind")),
        Change::Before => other.insert(0, leaf_hash(b"before")),
    }
    (other != proof).then_some(other)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_changed_inclusion_proof_is_refused(
        size in 1_u64..400, at in any::<prop::sample::Index>(), change in change(), bit in 0..256_usize,
    ) {
        let leaves = leaves(size);
        let index = at.index(leaves.len()) as u64;
        let (leaf, root, proof) = (leaves[at.index(leaves.len())], root_by_definition(&leaves), inclusion(index, &leaves));
        let verify = verify_inclusion;
        prop_assert!(verify(leaf, index, size, &proof, root).is_ok());
        if let Some(other) = changed(&proof, &change) {
            prop_assert!(verify(leaf, index, size, &other, root).is_err());
        }
        prop_assert!(verify(flipped(leaf, bit), index, size, &proof, root).is_err());
        prop_assert!(verify(leaf, index, size, &proof, flipped(root, bit)).is_err());
        prop_assert!(verify(leaf, index ^ 1 << (bit % 64), size, &proof, root).is_err());
        // A proof binds the index; of the size it binds the shape of the path, so that some other sizes have the same.
        prop_assert!(verify(leaf, index, index, &proof, root).is_err());
        prop_assert!(verify(leaf, index, 0, &proof, root).is_err());
    }

    #[test]
    fn a_changed_consistency_proof_is_refused(
        size in 1_u64..400, at in any::<prop::sample::Index>(), change in change(), bit in 0..256_usize,
    ) {
        let leaves = leaves(size);
        let first = at.index(leaves.len()) + 1;
        let one = (first as u64, root_by_definition(&leaves[..first]));
        let two = (size, root_by_definition(&leaves));
        let proof = prove_consistency(one.0, size, &Leaves(&leaves)).unwrap();
        prop_assert!(verify_consistency(one, two, &proof).is_ok());
        if let Some(other) = changed(&proof, &change) {
            prop_assert!(verify_consistency(one, two, &other).is_err());
        }
        prop_assert!(verify_consistency((one.0, flipped(one.1, bit)), two, &proof).is_err());
        prop_assert!(verify_consistency(one, (two.0, flipped(two.1, bit)), &proof).is_err());
        prop_assert!(verify_consistency((0, one.1), two, &proof).is_err());
        if one != two {
            prop_assert!(verify_consistency(two, one, &proof).is_err());
            prop_assert!(verify_consistency(one, one, &proof).is_err());
        }
        // Another history: one leaf of the first tree was another.
        let mut rewritten = leaves.clone();
        rewritten[bit % first] = leaf_hash(b"rewritten");
        let other = prove_consistency(one.0, size, &Leaves(&rewritten)).unwrap();
        prop_assert!(verify_consistency(one, (size, root_by_definition(&rewritten)), &other).is_err());
    }

    #[test]
    fn arbitrary_numbers_and_hashes_are_judged_without_a_panic(
        (start, end, size) in any::<(u64, u64, u64)>(), hashes in prop::collection::vec(any::<[u8; 32]>(), 0..70),
    ) {
        let hashes: Vec<Hash> = hashes.into_iter().map(Hash::new).collect();
        let hash = leaf_hash(b"");
        prop_assert!(verify_inclusion(hash, start, size, &hashes, hash).is_err() || (size == 1 && hashes.is_empty()));
        prop_assert!(verify_subtree((start, end), hash, (size, hash), &hashes).is_err());
        prop_assert!(verify_subtree_inclusion(hash, size, (start, end), &hashes, hash).is_err());
    }
}
