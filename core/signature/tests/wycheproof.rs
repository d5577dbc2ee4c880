//! Wycheproof: the known ways to get signature checks wrong. Where a key is stricter than the file, the case is named.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use common::{hex, json};
use serde_json::Value;
use strongroom_signature::{KeyError, VerifyingKey};
use strongroom_testing::shared;

fn bytes(value: &Value) -> Vec<u8> {
    hex(value.as_str().unwrap())
}

/// Judges every case; gives the number of cases and those where the file says `valid` and we do not agree, or the reverse.
fn judge(file: &str, accepts: impl Fn(&Value, &Value) -> bool) -> Option<(usize, Vec<String>)> {
    let vectors = json(&shared(&format!("vectors/{file}"))?);
    let mut count = 0;
    let mut differing = Vec::new();
    for group in vectors["testGroups"].as_array().unwrap() {
        for case in group["tests"].as_array().unwrap() {
            count += 1;
            if accepts(group, case) != (case["result"] == "valid") {
                differing.push(format!("{} {}: {}", case["tcId"], case["result"], case["comment"]));
            }
        }
    }
    Some((count, differing))
}

#[test]
fn ed25519_agrees_on_every_case() {
    let accepts = |group: &Value, case: &Value| {
        let key = VerifyingKey::ed25519(&bytes(&group["publicKey"]["pk"]));
        key.is_ok_and(|key| key.verify(&bytes(&case["msg"]), &bytes(&case["sig"])).is_ok())
    };
    let Some((count, differing)) = judge("wycheproof_ed25519_test.json", accepts) else { return };
    assert!(count >= 100, "{count}");
    assert_eq!(differing, Vec::<String>::new());
}

#[test]
fn ecdsa_p256_agrees_on_every_case() {
    let accepts = |group: &Value, case: &Value| {
        let keys = [
            VerifyingKey::ecdsa_p256(&bytes(&group["publicKey"]["uncompressed"])),
            VerifyingKey::ecdsa_p256(&bytes(&group["publicKeyDer"])),
        ];
        let verdicts = keys
            .map(|key| key.is_ok_and(|key| key.verify(&bytes(&case["msg"]), &bytes(&case["sig"])).is_ok()));
        assert_eq!(verdicts[0], verdicts[1], "{}", case["tcId"]);
        verdicts[0]
    };
    let file = "wycheproof_ecdsa_secp256r1_sha256_p1363_test.json";
    let Some((count, differing)) = judge(file, accepts) else { return };
    assert!(count >= 170, "{count}");
    assert_eq!(differing, Vec::<String>::new());
}

/// A MAC is 32 bytes here and never cut, so the valid cases with tags of 16 bytes are refused: those and no others.
#[test]
fn hmac_agrees_on_every_case_whose_tag_is_whole() {
    let accepts = |group: &Value, case: &Value| {
        let key = VerifyingKey::hmac_sha256(&bytes(&case["key"])).unwrap();
        let accepted = key.verify(&bytes(&case["msg"]), &bytes(&case["tag"])).is_ok();
        if group["tagSize"] == 128 {
            assert!(!accepted, "{}", case["tcId"]);
            return case["result"] == "valid";
        }
        accepted
    };
    let Some((count, differing)) = judge("wycheproof_hmac_sha256_test.json", accepts) else { return };
    assert!(count >= 110, "{count}");
    assert_eq!(differing, Vec::<String>::new());
}

/// `verify_strict` and the constructor refuse points of small order, under which a signature fits any message.
#[test]
fn an_ed25519_key_of_small_order_is_no_key() {
    let mut identity = [0; 32];
    identity[0] = 1;
    for weak in [identity, [0; 32]] {
        assert_eq!(VerifyingKey::ed25519(&weak).err(), Some(KeyError::MustNotBeWeak));
    }
}

#[test]
fn a_short_secret_and_a_small_rsa_key_are_no_keys() {
    assert_eq!(VerifyingKey::hmac_sha256(&[1; 15]).err(), Some(KeyError::SecretMustHave16Bytes));
    // RSAPublicKey of 1,024 bits: SEQUENCE { INTEGER of 129 bytes, INTEGER 65537 }.
    let mut der = vec![0x30, 0x81, 0x89, 0x02, 0x81, 0x81, 0x00];
    der.extend([0xff; 128]);
    der.extend([0x02, 0x03, 0x01, 0x00, 0x01]);
    assert_eq!(VerifyingKey::rsa_pss(&der).err(), Some(KeyError::RsaMustHave2048To8192Bits));
    assert_eq!(VerifyingKey::rsa_pss(b"none").err(), Some(KeyError::MustFitAlgorithm));
}
