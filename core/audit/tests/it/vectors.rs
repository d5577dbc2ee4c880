//! The published cases of transparency-dev/merkle: inclusion, consistency, and both for subtrees.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use strongroom_audit::{
    AuditError, Hash, verify_consistency, verify_inclusion, verify_subtree, verify_subtree_inclusion,
};
use strongroom_testing::shared;

/// `None` for what is no hash at all, as the empty text of some negative cases.
fn hash(case: &Value, name: &str) -> Option<Hash> {
    case[name].as_str()?.parse().ok()
}

fn number(case: &Value, name: &str) -> u64 {
    case[name].as_u64().unwrap()
}

fn proof(case: &Value) -> Option<Vec<Hash>> {
    let proof = case["proof"].as_array().cloned().unwrap_or_default();
    proof.iter().map(|hash| hash.as_str().unwrap().parse().ok()).collect()
}

/// `None` if the case cannot even be written down in the types of this crate: a hash of another length.
fn outcome(case: &Value, family: &str) -> Option<Result<(), AuditError>> {
    let proof = proof(case)?;
    Some(match family {
        "inclusion" => verify_inclusion(
            hash(case, "leafHash")?,
            number(case, "leafIdx"),
            number(case, "treeSize"),
            &proof,
            hash(case, "root")?,
        ),
        "consistency" => verify_consistency(
            (number(case, "size1"), hash(case, "root1")?),
            (number(case, "size2"), hash(case, "root2")?),
            &proof,
        ),
        "subtreeinclusion" => verify_subtree_inclusion(
            hash(case, "leafHash")?,
            number(case, "leafIdx"),
            (number(case, "start"), number(case, "end")),
            &proof,
            hash(case, "root")?,
        ),
        "subtreeconsistency" => verify_subtree(
            (number(case, "start"), number(case, "end")),
            hash(case, "root1")?,
            (number(case, "size"), hash(case, "root2")?),
            &proof,
        ),
        other => panic!("{other}"),
    })
}

#[test]
fn every_published_case_has_its_outcome() {
    let Some(file) = shared("vectors/merkle_rfc6962.jsonl") else { return };
    let mut counts: BTreeMap<(String, bool), usize> = BTreeMap::new();
    for line in fs::read_to_string(file).unwrap().lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let name = case["case"].as_str().unwrap();
        let (family, _) = name.split_once('/').unwrap();
        let refused = outcome(&case, family).is_none_or(|outcome| outcome.is_err());
        assert_eq!(refused, case["wantErr"].as_bool().unwrap(), "{name}: {:?}", outcome(&case, family));
        *counts.entry((family.to_owned(), refused)).or_default() += 1;
    }
    assert_eq!(counts.values().sum::<usize>(), 341);
    let accepted = |family: &str| counts[&(family.to_owned(), false)];
    let families = ["inclusion", "consistency", "subtreeinclusion", "subtreeconsistency"];
    assert_eq!(families.map(accepted), EXPECTED_ACCEPTED, "{counts:?}");
}

/// How many of each family are to be accepted: the happy paths.
const EXPECTED_ACCEPTED: [usize; 4] = [5, 4, 10, 4];
