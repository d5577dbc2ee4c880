//! RFC 9421 Appendix B: every case verifies; the deterministic algorithms give the published bytes, the others round-trip.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use aws_lc_rs::digest::{SHA512, digest};
use aws_lc_rs::signature::{RSA_PSS_SHA512, RsaKeyPair};
use common::{Sent, base64, base64url, json};
use http::StatusCode;
use serde_json::Value;
use strongroom_signature::{
    Algorithm, Component, ContentDigest, Message, Response, Rule, SigningKey, VerifyingKey, sign, signatures,
};
use strongroom_testing::shared;

fn vectors() -> Option<Value> {
    Some(json(&shared("vectors/rfc9421_appendix_b.json")?))
}

/// Start line, header fields and content of a message as the RFC prints it.
fn parts(text: &str) -> (&str, Vec<(&str, &str)>, &str) {
    let (head, content) = text.split_once("\n\n").unwrap();
    let (first, fields) = head.split_once('\n').unwrap();
    let fields = fields.lines().map(|line| line.split_once(": ").unwrap()).collect();
    (first, fields, content)
}

/// The message of a case, with its signature put in; for a response only its header fields are used.
fn sent(vectors: &Value, case: &Value) -> Sent {
    let kind = format!("test_{}", case["message"].as_str().unwrap());
    let (first, mut fields, content) = parts(vectors[&kind].as_str().unwrap());
    let label = case["label"].as_str().unwrap();
    let input = format!("{label}={}", case["signature_input"].as_str().unwrap());
    let signature = format!("{label}=:{}:", case["signature_b64"].as_str().unwrap());
    fields.push(("signature-input", &input));
    fields.push(("signature", &signature));
    let (method, target) = match kind.as_str() {
        "test_request" => first.split_once(' ').unwrap(),
        _ => ("GET", "/ HTTP/1.1"),
    };
    let uri = format!("https://example.com{}", target.trim_end_matches(" HTTP/1.1"));
    Sent::new(method, &uri, &fields, content.as_bytes())
}

fn message<'m>(sent: &'m Sent, case: &Value) -> Message<'m> {
    match case["message"].as_str().unwrap() {
        "request" => Message::Request(sent.request()),
        _ => Message::Response {
            response: Response { status: StatusCode::OK, headers: &sent.headers },
            request: None,
        },
    }
}

fn algorithm(case: &Value) -> Algorithm {
    Algorithm::named(case["alg"].as_str().unwrap()).unwrap()
}

fn der(key: &Value, at: usize) -> Vec<u8> {
    base64(key["pem"][at]["der_base64"].as_str().unwrap())
}

fn verifying_key(vectors: &Value, case: &Value) -> VerifyingKey {
    let key = &vectors["keys"][case["keyid"].as_str().unwrap()];
    match algorithm(case) {
        Algorithm::HmacSha256 => {
            VerifyingKey::hmac_sha256(&base64(key["secret_b64"].as_str().unwrap())).unwrap()
        }
        public => VerifyingKey::from_spki(public, &der(key, 0)).unwrap(),
    }
}

fn signing_key(vectors: &Value, case: &Value) -> Option<SigningKey> {
    let key = &vectors["keys"][case["keyid"].as_str().unwrap()];
    let part = |name: &str| base64url(key["jwk"][name].as_str().unwrap());
    match algorithm(case) {
        Algorithm::HmacSha256 => SigningKey::hmac_sha256(&base64(key["secret_b64"].as_str().unwrap())).ok(),
        Algorithm::Ed25519 => SigningKey::from_pkcs8(Algorithm::Ed25519, &der(key, 1)).ok(),
        Algorithm::EcdsaP256Sha256 => {
            SigningKey::ecdsa_p256(&part("d"), &[vec![4], part("x"), part("y")].concat()).ok()
        }
        _ => None,
    }
}

#[test]
fn every_case_of_appendix_b_verifies_and_gives_the_published_base() {
    let Some(vectors) = vectors() else { return };
    let cases = vectors["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 6);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let sent = sent(&vectors, case);
        let message = message(&sent, case);
        let found = signatures(&sent.headers).unwrap();
        assert_eq!(found.len(), 1, "{name}");
        let base = String::from_utf8(found[0].base(&message).unwrap()).unwrap();
        assert_eq!(base, case["signature_base"].as_str().unwrap(), "{name}");
        found[0]
            .verify(&message, &verifying_key(&vectors, case))
            .unwrap_or_else(|rule| panic!("{name}: {rule}"));
    }
}

#[test]
fn no_case_verifies_with_a_bit_of_its_signature_changed() {
    let Some(vectors) = vectors() else { return };
    for case in vectors["cases"].as_array().unwrap() {
        let sent = sent(&vectors, case);
        let message = message(&sent, case);
        let key = verifying_key(&vectors, case);
        let mut found = signatures(&sent.headers).unwrap();
        found[0].bytes[7] ^= 0x10;
        assert_eq!(found[0].verify(&message, &key), Err(Rule::SignatureMustBeValid), "{}", case["name"]);
    }
}

#[test]
fn signing_gives_the_published_bytes_or_at_least_what_verifies() {
    let Some(vectors) = vectors() else { return };
    let mut signed_cases = 0;
    for case in vectors["cases"].as_array().unwrap() {
        let Some(key) = signing_key(&vectors, case) else { continue };
        signed_cases += 1;
        let sent = sent(&vectors, case);
        let message = message(&sent, case);
        let input = signatures(&sent.headers).unwrap()[0].input.clone();
        let signed = sign(&message, "again", &input.components, &input.parameters, &key).unwrap();
        assert_eq!(signed.input, case["signature_input"].as_str().unwrap());
        assert_eq!(signed.base, case["signature_base"].as_str().unwrap().as_bytes());
        if matches!(algorithm(case), Algorithm::Ed25519 | Algorithm::HmacSha256) {
            assert_eq!(signed.bytes, base64(case["signature_b64"].as_str().unwrap()));
        }
        for verifying in [verifying_key(&vectors, case), key.verifying_key().unwrap()] {
            verifying.verify(&signed.base, &signed.bytes).unwrap();
        }
    }
    assert_eq!(signed_cases, 3);
}

/// RSA signs nothing in this crate, so the round trip is made with the library.
#[test]
fn rsa_pss_signed_elsewhere_verifies_here() {
    let Some(vectors) = vectors() else { return };
    let key = &vectors["keys"]["test-key-rsa-pss"];
    // The vectors' PKCS#8 says RSASSA-PSS, which the library does not take: its inner RSAPrivateKey is the last 1,194 bytes.
    let pkcs8 = der(key, 1);
    let pair = RsaKeyPair::from_der(&pkcs8[pkcs8.len() - 1194..]).unwrap();
    let verifying = VerifyingKey::rsa_pss(&der(key, 0)).unwrap();
    for case in vectors["cases"].as_array().unwrap().iter().filter(|case| case["alg"] == "rsa-pss-sha512") {
        let base = case["signature_base"].as_str().unwrap().as_bytes();
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign_digest(&RSA_PSS_SHA512, &digest(&SHA512, base), &mut signature).unwrap();
        verifying.verify(base, &signature).unwrap();
        assert_ne!(signature, base64(case["signature_b64"].as_str().unwrap()), "the salt is random");
    }
}

#[test]
fn the_content_digests_of_appendix_b_match() {
    let Some(vectors) = vectors() else { return };
    for kind in ["test_request", "test_response"] {
        let (_, fields, content) = parts(vectors[kind].as_str().unwrap());
        let sent = Sent::new("GET", "https://example.com/", &fields, content.as_bytes());
        let digest = ContentDigest::read(&sent.headers).unwrap().unwrap();
        assert!(digest.matches(content.as_bytes()), "{kind}");
        assert!(!digest.matches(b"{\"hello\": \"World\"}"), "{kind}");
        assert_eq!(ContentDigest::sha_512(content.as_bytes()).text(), sent.get("content-digest"));
    }
}

#[test]
fn a_key_of_another_algorithm_is_named_as_the_reason() {
    let secret = [7; 32];
    let key = SigningKey::hmac_sha256(&secret).unwrap();
    let sent = Sent::new("GET", "https://example.com/", &[], b"");
    let parameters =
        strongroom_signature::Parameters { algorithm: Some("hmac-sha256".into()), ..Default::default() };
    let components = [Component::parse("\"@method\"").unwrap()];
    let signed = sign(&Message::Request(sent.request()), "a", &components, &parameters, &key).unwrap();
    let mut signed_request = sent.clone();
    signed.append_to(&mut signed_request.headers).unwrap();
    let found = signatures(&signed_request.headers).unwrap();
    let message = Message::Request(signed_request.request());
    found[0].verify(&message, &VerifyingKey::hmac_sha256(&secret).unwrap()).unwrap();
    let ed25519 = SigningKey::ed25519(&secret).unwrap().verifying_key().unwrap();
    let expected = Rule::AlgorithmMustBeTheKeys { named: "hmac-sha256".to_owned(), key: "ed25519" };
    assert_eq!(found[0].verify(&message, &ed25519), Err(expected));
}
