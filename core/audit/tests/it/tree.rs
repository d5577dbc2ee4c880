//! The growing edge.

use crate::common::{leaves, root_by_definition, tree};
use proptest::prelude::*;
use strongroom_audit::{AuditError, Leaves, Tree, empty_root, leaf_hash, node_hash};

#[test]
fn hashes_are_those_of_the_standard() {
    // RFC 6962 section 2.1.3 has no numbers; these are of its reference implementation (google/certificate-transparency).
    let hex = |hash: strongroom_audit::Hash| -> String {
        hash.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    };
    assert_eq!(hex(empty_root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_eq!(hex(leaf_hash(b"")), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    assert_eq!(
        hex(node_hash(&leaf_hash(b""), &leaf_hash(&[0]))),
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
    );
}

#[test]
fn the_root_is_that_of_the_definition_at_every_size() {
    let leaves = leaves(600);
    let mut tree = Tree::default();
    assert_eq!(tree.root(), empty_root());
    for (index, leaf) in leaves.iter().enumerate() {
        assert_eq!(tree.append(*leaf), index as u64);
        assert_eq!(tree.root(), root_by_definition(&leaves[..=index]), "{index}");
    }
}

#[test]
fn every_complete_subtree_is_told_of_once() {
    let leaves = leaves(300);
    let mut tree = Tree::default();
    let mut told = Vec::new();
    for leaf in &leaves {
        tree.append_noting(*leaf, |node, hash| told.push((node, hash)));
    }
    for (node, hash) in &told {
        let width = 1_usize << node.level;
        let start = usize::try_from(node.index).unwrap() * width;
        assert_eq!(*hash, root_by_definition(&leaves[start..start + width]), "{node:?}");
    }
    // 300 + 150 + 75 + 37 + 18 + 9 + 4 + 2 + 1
    assert_eq!(told.len(), 596);
    told.sort();
    told.dedup();
    assert_eq!(told.len(), 596);
}

#[test]
fn a_size_without_its_hashes_is_no_state() {
    let state = tree(&leaves(5)).to_bytes();
    assert_eq!(state.len(), 8 + 2 * 32);
    for length in (0..state.len()).chain([state.len() + 32]) {
        let mut wrong = state.clone();
        wrong.resize(length, 7);
        assert_eq!(Tree::from_bytes(&wrong), Err(AuditError::TreeMustFitItsSize), "{length}");
    }
    // Twice the size has as many hashes, so it is a state; no tree has 2^63 leaves and more.
    let doubled = [&10_u64.to_be_bytes(), &state[8..]].concat();
    assert_eq!(Tree::from_bytes(&doubled).unwrap().size(), 10);
    let mut endless = (1_u64 << 63).to_be_bytes().to_vec();
    endless.extend([7; 32]);
    assert_eq!(Tree::from_bytes(&endless), Err(AuditError::TreeMustFitItsSize));
}

proptest! {
    #[test]
    fn a_state_that_was_stored_grows_on(before in 0_u64..700, after in 0_u64..50) {
        let leaves = leaves(before + after);
        let (first, second) = leaves.split_at(usize::try_from(before).unwrap());
        let mut stored = Tree::from_bytes(&tree(first).to_bytes()).unwrap();
        let mut read = Tree::read(before, &Leaves(first)).unwrap();
        prop_assert_eq!(&read, &stored);
        for leaf in second {
            stored.append(*leaf);
            read.append(*leaf);
        }
        prop_assert_eq!(stored.root(), root_by_definition(&leaves));
        prop_assert_eq!(read, stored);
    }
}
