//! Keys: every encoding gives the same key, every signing key makes what its verifying key takes, and ML-DSA-65 too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use common::{base64, base64url, json};
use strongroom_signature::{Algorithm, KeyError, Rule, SigningKey, VerifyingKey};
use strongroom_testing::shared;

fn signing_keys() -> Vec<SigningKey> {
    let d = base64url("UpuF81l-kOxbjf7T4mNSv0r5tN67Gim7rnf6EFpcYDs");
    let x = base64url("qIVYZVLCrPZHGHjP17CTW0_-D9Lfw0EkjqF7xB4FivA");
    let y = base64url("Mc4nN9LTDOBhfoUeg8Ye9WedFRhnZXZJA12Qp0zZ6F0");
    vec![
        SigningKey::ed25519(&[1; 32]).unwrap(),
        SigningKey::hmac_sha256(&[2; 32]).unwrap(),
        SigningKey::ecdsa_p256(&d, &[vec![4], x, y].concat()).unwrap(),
        SigningKey::ml_dsa_65(&[3; 32]).unwrap(),
    ]
}

#[test]
fn what_a_key_signs_verifies_and_nothing_else_does() {
    for key in signing_keys() {
        let verifying = key.verifying_key().unwrap();
        assert_eq!(key.algorithm(), verifying.algorithm());
        let mut signature = key.sign(b"text").unwrap();
        verifying.verify(b"text", &signature).unwrap();
        assert_eq!(verifying.verify(b"tezt", &signature), Err(Rule::SignatureMustBeValid));
        assert_eq!(verifying.verify(b"text", &signature[1..]), Err(Rule::SignatureMustBeValid));
        assert_eq!(verifying.verify(b"text", &[]), Err(Rule::SignatureMustBeValid));
        signature.push(0);
        assert_eq!(verifying.verify(b"text", &signature), Err(Rule::SignatureMustBeValid));
        for other in signing_keys().iter().filter(|other| other.algorithm() != key.algorithm()) {
            let foreign = other.sign(b"text").unwrap();
            assert_eq!(verifying.verify(b"text", &foreign), Err(Rule::SignatureMustBeValid));
        }
    }
}

#[test]
fn an_ml_dsa_signature_fits_in_its_bound() {
    let signature = signing_keys()[3].sign(b"text").unwrap();
    assert_eq!(signature.len(), 3_309);
    assert!(signature.len().div_ceil(3) * 4 < strongroom_signature::SIGNATURE_BYTES_MAX / 4 * 3);
}

#[test]
fn der_gives_the_same_key_as_raw_bytes() {
    let Some(path) = shared("vectors/rfc9421_appendix_b.json") else { return };
    let keys = &json(&path)["keys"];
    let der = |name: &str, at: usize| base64(keys[name]["pem"][at]["der_base64"].as_str().unwrap());
    let part = |name: &str, part: &str| base64url(keys[name]["jwk"][part].as_str().unwrap());

    let ed25519 = SigningKey::ed25519(&part("test-key-ed25519", "d")).unwrap();
    assert_eq!(ed25519.public_key().unwrap(), part("test-key-ed25519", "x"));
    let from_der = SigningKey::from_pkcs8(Algorithm::Ed25519, &der("test-key-ed25519", 1)).unwrap();
    assert_eq!(from_der.sign(b"text").unwrap(), ed25519.sign(b"text").unwrap());
    let verifying = VerifyingKey::from_spki(Algorithm::Ed25519, &der("test-key-ed25519", 0)).unwrap();
    verifying.verify(b"text", &ed25519.sign(b"text").unwrap()).unwrap();

    let [x, y] = ["x", "y"].map(|name| part("test-key-ecc-p256", name));
    let p256 = SigningKey::ecdsa_p256(&part("test-key-ecc-p256", "d"), &[vec![4], x, y].concat()).unwrap();
    let verifying =
        VerifyingKey::from_spki(Algorithm::EcdsaP256Sha256, &der("test-key-ecc-p256", 0)).unwrap();
    verifying.verify(b"text", &p256.sign(b"text").unwrap()).unwrap();
}

#[test]
fn bytes_of_another_kind_are_no_key() {
    let spki_of_ed25519 = |prefix: &[u8]| [prefix, &[0x11; 32]].concat();
    let rows = [
        VerifyingKey::ed25519(&[1; 31]).err(),
        VerifyingKey::from_spki(Algorithm::Ed25519, &[1; 44]).err(),
        VerifyingKey::from_spki(Algorithm::HmacSha256, &[1; 44]).err(),
        VerifyingKey::ecdsa_p256(&spki_of_ed25519(b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00")).err(),
        VerifyingKey::ecdsa_p256(&[4; 65]).err(),
        VerifyingKey::ml_dsa_65(&[1; 100]).err(),
        SigningKey::ed25519(&[1; 31]).err(),
        SigningKey::ml_dsa_65(&[1; 31]).err(),
        SigningKey::ecdsa_p256(&[0; 32], &[4; 65]).err(),
        SigningKey::from_pkcs8(Algorithm::EcdsaP256Sha256, b"").err(),
        SigningKey::from_pkcs8(Algorithm::HmacSha256, b"").err(),
    ];
    for (at, row) in rows.into_iter().enumerate() {
        assert_eq!(row, Some(KeyError::MustFitAlgorithm), "row {at}");
    }
    let rsa = SigningKey::from_pkcs8(Algorithm::RsaPssSha512, b"").err();
    assert_eq!(rsa, Some(KeyError::MustBeForSigning));
}

/// The lines are those of OpenSSL: `openssl genpkey -algorithm ed25519`, and `openssl pkey -pubout` of it.
#[test]
fn pem_of_a_key_is_read_and_pem_of_something_else_is_not() {
    let Some(path) = shared("vectors/rfc9421_appendix_b.json") else { return };
    let keys = &json(&path)["keys"];
    let pem = |label: &str, at: usize| {
        let der = keys["test-key-ed25519"]["pem"][at]["der_base64"].as_str().unwrap();
        let (first, second) = der.split_at(30);
        format!("a comment\n-----BEGIN {label}-----\r\n{first}\n{second}\n-----END {label}-----\n")
    };
    let signing = SigningKey::from_pem(Algorithm::Ed25519, &pem("PRIVATE KEY", 1)).unwrap();
    let verifying = VerifyingKey::from_pem(Algorithm::Ed25519, &pem("PUBLIC KEY", 0)).unwrap();
    verifying.verify(b"text", &signing.sign(b"text").unwrap()).unwrap();

    let long = pem("PRIVATE KEY", 1) + &" ".repeat(20_000);
    let rows = [
        pem("PUBLIC KEY", 1),
        pem("EC PRIVATE KEY", 1),
        pem("PRIVATE KEY", 1).replace("END", "FIN"),
        pem("PRIVATE KEY", 1).replace('M', "*"),
        long,
        String::new(),
    ];
    for text in rows {
        let fault = SigningKey::from_pem(Algorithm::Ed25519, &text).err();
        assert_eq!(fault, Some(KeyError::MustBePem("PRIVATE KEY")), "{text}");
    }
    let other = SigningKey::from_pem(Algorithm::EcdsaP256Sha256, &pem("PRIVATE KEY", 1)).err();
    assert_eq!(other, Some(KeyError::MustFitAlgorithm));
}
