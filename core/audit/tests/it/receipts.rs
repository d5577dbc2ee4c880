//! `spec/vectors/receipts`: every leaf has its hash, every receipt its outcome. The files are made by
//! `tools/interop/receipt_vectors.py`, which shares no code with this crate.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use strongroom_audit::{
    AuditError, Checkpoint, Content, Entry, Hash, ProofFile, Receipt, Tree, VerifierKey, Written,
};

fn vectors(file: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors/receipts");
    serde_json::from_str(&fs::read_to_string(folder.join(file)).unwrap()).unwrap()
}

fn text<'v>(row: &'v Value, name: &str) -> &'v str {
    row[name].as_str().unwrap()
}

fn hash(row: &Value, name: &str) -> Hash {
    text(row, name).parse().unwrap()
}

#[test]
fn every_leaf_has_its_bytes_and_its_hash() {
    let mut tree = Tree::default();
    let rows = vectors("leaves.json");
    for row in &rows {
        let content = &row["content"];
        let salt = BASE64_STANDARD.decode(text(content, "salt")).unwrap();
        let (at, actor, body) = (text(content, "at"), text(content, "actor"), text(content, "body"));
        let commitment = Content { at, actor, body, salt: salt[..].try_into().unwrap() }.commitment();
        assert_eq!(commitment, hash(row, "commitment"));
        let entry = Entry {
            written: if row["written"] == "later" { Written::Later } else { Written::WithEvent },
            stream: text(row, "stream"),
            seq: row["seq"].as_u64().unwrap(),
            recorded_at: text(row, "recorded_at"),
            kind: text(row, "kind"),
            commitment,
        };
        assert_eq!(BASE64_STANDARD.encode(entry.to_bytes().unwrap()), text(row, "entry"));
        assert_eq!(entry.leaf_hash().unwrap(), hash(row, "leaf_hash"));
        tree.append(hash(row, "leaf_hash"));
        assert_eq!(tree.root(), hash(row, "root_so_far"));
    }
    assert_eq!(rows.len(), 7);
}

fn judge(row: &Value) -> Result<Checkpoint, AuditError> {
    let key: VerifierKey = text(row, "vkey").parse().unwrap();
    Receipt::from_json(text(row, "receipt"))?.verify(&key)
}

#[test]
fn every_receipt_has_its_outcome() {
    let rows = vectors("receipts.json");
    let mut codes = BTreeSet::new();
    for row in &rows {
        let outcome = judge(row).map_or_else(|error| error.code(), |_| "ok");
        assert_eq!(outcome, text(row, "outcome"), "{}: {:?}", row["name"], judge(row));
        codes.insert(outcome);
    }
    let expected = [
        "audit.checkpoint_must_be_of_this_log",
        "audit.checkpoint_must_be_well_formed",
        "audit.index_must_be_in_tree",
        "audit.note_must_be_signed_by_known_key",
        "audit.proof_must_fit_the_tree",
        "audit.proof_must_lead_to_root",
        "audit.receipt_must_be_well_formed",
        "audit.signature_must_verify",
        "ok",
    ];
    assert_eq!(codes, BTreeSet::from(expected));
    let names: BTreeSet<_> = rows.iter().map(|row| text(row, "name")).collect();
    assert_eq!(names.len(), rows.len());
}

#[test]
fn a_receipt_is_a_proof_file_with_the_same_outcome() {
    for row in vectors("receipts.json").iter().filter(|row| row["outcome"] == "ok") {
        let key: VerifierKey = text(row, "vkey").parse().unwrap();
        let receipt = Receipt::from_json(text(row, "receipt")).unwrap();
        let file: ProofFile = receipt.to_proof_file().unwrap().to_string().parse().unwrap();
        assert_eq!(file.verify(&key), receipt.verify(&key));
        assert_eq!(Entry::parse(file.extra.as_ref().unwrap()), Ok(receipt.entry()));
        let written = receipt.to_json().unwrap();
        assert_eq!(Receipt::from_json(&written), Ok(receipt));
    }
}

#[test]
fn a_member_that_is_there_twice_is_refused() {
    let rows = vectors("receipts.json");
    let good = text(&rows[1], "receipt");
    let twice = good.replacen("{\"format\"", "{\"seq\":2,\"format\"", 1);
    assert_ne!(twice, good);
    assert_eq!(Receipt::from_json(&twice).unwrap_err().code(), "audit.receipt_must_be_well_formed");
    let long = " ".repeat(strongroom_audit::RECEIPT_BYTES_MAX + 1);
    assert_eq!(Receipt::from_json(&long).unwrap_err().code(), "audit.receipt_must_be_well_formed");
}

#[test]
fn what_is_no_proof_file_is_refused() {
    let rows = vectors("receipts.json");
    let good = Receipt::from_json(text(&rows[1], "receipt")).unwrap().to_proof_file().unwrap().to_string();
    let lines: Vec<&str> = good.lines().collect();
    assert_eq!(lines[0], "c2sp.org/tlog-proof@v1");
    assert!(lines[1].starts_with("extra ") && lines[2] == "index 1" && lines[6].is_empty(), "{good}");
    let hash = lines[3];
    for (file, why) in [
        (String::new(), "empty"),
        (good.replace("@v1", "@v2"), "another version"),
        (good.replace("index 1\n", ""), "no index"),
        (good.replace("index 1\n", "index 01\n"), "a leading zero"),
        (good.replace("index 1\n", "index -1\n"), "a sign"),
        (good.replace("index 1\n", "index 18446744073709551616\n"), "an index of 65 bits"),
        (good.replace("extra ", "extra  "), "two spaces"),
        (good.replace("extra ", "extra *"), "no base64"),
        (
            good.replace(&format!("{}\n{}", lines[1], lines[2]), &format!("{}\n{}", lines[2], lines[1])),
            "another order",
        ),
        (good.replacen(lines[1], &format!("{}\n{}", lines[1], lines[1]), 1), "extra twice"),
        (good.replacen("\n\n", "\n", 1), "no empty line before the checkpoint"),
        (good.replacen("\n\n", "\n\n\n", 1), "two empty lines before the checkpoint"),
        (good.replace(hash, &hash[..43]), "a hash without its padding"),
        (good.replace(hash, &[hash; 64].join("\n")), "more hashes than a tree is high"),
        (good.replace('\n', "\r\n"), "lines that end as on Windows"),
        (format!("{good}\n"), "a line more"),
        (good.trim_end().to_owned(), "no newline at the end"),
    ] {
        assert_ne!(file, good, "{why}");
        assert!(file.parse::<ProofFile>().is_err(), "{why}");
    }
    let many = good.replace(hash, &[hash; 61].join("\n")).parse::<ProofFile>().unwrap();
    assert_eq!(many.proof.len(), strongroom_audit::PROOF_HASHES_MAX);
    let key: VerifierKey = text(&rows[1], "vkey").parse().unwrap();
    assert_eq!(many.verify(&key), Err(AuditError::ProofMustFitTheTree));
}
