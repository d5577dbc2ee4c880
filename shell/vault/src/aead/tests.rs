//! AES-256-GCM against the Wycheproof vectors, through the functions that seal and open records.

use super::*;
use std::collections::BTreeMap;
use std::fs;
use strongroom_testing::shared;

fn bytes(test: &serde_json::Value, field: &str) -> Vec<u8> {
    let text = test[field].as_str().unwrap();
    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}

/// Opens what the vector gives, and seals to its exact bytes where it is valid.
fn check(test: &serde_json::Value) {
    let key = Key::try_new(&bytes(test, "key").try_into().unwrap()).unwrap();
    let (aad, content) = (bytes(test, "aad"), bytes(test, "msg"));
    let sealed = [bytes(test, "iv"), bytes(test, "ct"), bytes(test, "tag")].concat();
    let opened = key.open(&aad, &sealed);
    let (id, comment) = (&test["tcId"], &test["comment"]);
    if test["result"] == "invalid" {
        let code = opened.err().map(|error| error.code());
        assert_eq!(code, Some("vault.record_must_be_unaltered"), "case {id}: {comment}");
        return;
    }
    assert!(opened.unwrap() == Secret::new(content.clone()), "case {id}: {comment}");
    let nonce = bytes(test, "iv").try_into().unwrap();
    assert_eq!(key.seal_under(nonce, &aad, &content).unwrap(), sealed, "case {id}: {comment}");
}

/// All 256-bit keys with the one nonce size that a box has; other sizes cannot be written down as a box.
#[test]
fn aes_256_gcm_is_that_of_wycheproof() {
    let Some(path) = shared("vectors/wycheproof_aes_gcm_test.json") else { return };
    let file: serde_json::Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut judged = BTreeMap::<String, usize>::new();
    for group in file["testGroups"].as_array().unwrap() {
        if group["keySize"] != 256 || group["ivSize"] != 96 {
            continue;
        }
        assert_eq!(group["tagSize"], 128);
        for test in group["tests"].as_array().unwrap() {
            check(test);
            *judged.entry(test["result"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    assert_eq!(judged, BTreeMap::from([("invalid".to_owned(), 18), ("valid".to_owned(), 26)]));
}
