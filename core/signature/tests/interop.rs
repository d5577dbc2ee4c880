//! Other implementations as judges: what PyPI's and npm's http-message-signatures sign is accepted as it is, what this
//! crate signs they accept, and PyPI's accepts what the vectors say must be. Needs Python, Node, and once the network.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{Sent, base64};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};
use strongroom_signature::{
    Algorithm, Content, Nonce, Profile, RequestLine, SignedRequest, SigningKey, SigningParameters,
    VerifyingKey, sign_request,
};
use strongroom_testing::interop;

/// PKCS#8 of the Ed25519 key whose seed is 32 times 0x2a.
const ED25519_PKCS8: &str = "MC4CAQAwBQYDK2VwBCIEICoqKioqKioqKioqKioqKioqKioqKioqKioqKioqKioq";

/// Where both packages are installed; `None` where they cannot be.
fn installed() -> Option<PathBuf> {
    interop::installed(env!("CARGO_TARGET_TMPDIR"))
}

#[derive(Clone, Copy, Debug)]
enum Judge {
    PyPi,
    Npm,
}

fn python(folder: &Path, script: &str, task: &str) -> Command {
    let mut command = interop::python(folder, script);
    command.arg(task);
    command
}

fn ask(judge: Judge, folder: &Path, task: &str, input: &Value) -> Value {
    let mut command = match judge {
        Judge::PyPi => python(folder, "judge.py", task),
        Judge::Npm => {
            let mut command = Command::new("node");
            command.arg(interop::judges().join("judge.mjs")).arg(task).arg(folder);
            command
        }
    };
    serde_json::from_str(&interop::answer(&mut command, &input.to_string())).unwrap()
}

/// By name: what the other side gets, and the two halves here.
fn keys() -> Vec<(&'static str, Value, SigningKey)> {
    let ed25519 = SigningKey::from_pkcs8(Algorithm::Ed25519, &base64(ED25519_PKCS8)).unwrap();
    let pkcs8 = p256_pkcs8();
    let p256 = SigningKey::from_pkcs8(Algorithm::EcdsaP256Sha256, &pkcs8).unwrap();
    let secret = [0x2a; 32];
    vec![
        ("acme.ed25519", json!({"algorithm": "ed25519", "pkcs8": ED25519_PKCS8}), ed25519),
        ("acme.p256", json!({"algorithm": "ecdsa-p256-sha256", "pkcs8": STANDARD.encode(pkcs8)}), p256),
        (
            "acme.hmac",
            json!({"algorithm": "hmac-sha256", "secret": STANDARD.encode(secret)}),
            SigningKey::hmac_sha256(&secret).unwrap(),
        ),
    ]
}

/// A new key in each run: this test is about encodings, not about one number.
fn p256_pkcs8() -> Vec<u8> {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    pair.to_pkcs8v1().unwrap().as_ref().to_vec()
}

/// The other implementations judge by the clock, so this test does.
fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

const TARGET: [&str; 4] = ["@method", "@authority", "@path", "@query"];

/// Method, URL, fields, content, and what is covered beside the digest.
type Plain =
    (&'static str, &'static str, &'static [(&'static str, &'static str)], &'static str, Vec<&'static str>);

fn plain_requests() -> Vec<Plain> {
    let with = |more: &[&'static str]| [&TARGET[..], more].concat();
    vec![
        ("GET", "https://fund.example/v1/nav", &[], "", with(&[])),
        ("GET", "https://fund.example/", &[], "", vec!["@method", "@target-uri"]),
        ("GET", "https://fund.example:8443/v1/orders?after=7&state=open%20now", &[], "", with(&[])),
        (
            "DELETE",
            "https://Fund.Example:443/v1/orders/7",
            &[("Authorization", "Bearer x")],
            "",
            with(&["authorization"]),
        ),
        (
            "POST",
            "https://fund.example/v1/orders?dry=1",
            &[("Content-Type", "application/json"), ("Idempotency-Key", "\"o-1\"")],
            "{\"units\": 40}",
            with(&["content-type", "idempotency-key"]),
        ),
    ]
}

/// Every request with every key.
fn unsigned() -> Vec<Value> {
    let mut all = Vec::new();
    for (name, _, _) in keys() {
        for (method, url, headers, content, covered) in plain_requests() {
            let nonce = Nonce::try_new(format!("{:016}", all.len()).as_bytes()).unwrap().encode();
            all.push(json!({
                "method": method, "url": url, "headers": headers, "content": STANDARD.encode(content),
                "covered": covered, "key": name, "nonce": nonce,
            }));
        }
    }
    all
}

fn public_halves(keys: &[(&'static str, Value, SigningKey)]) -> Value {
    keys.iter()
        .map(|(name, shared, _)| ((*name).to_owned(), shared.clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn sent(request: &Value) -> Sent {
    let text = |name: &str| request[name].as_str().unwrap();
    let headers: Vec<(&str, &str)> = request["headers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap()))
        .collect();
    Sent::new(text("method"), text("url"), &headers, &base64(text("content")))
}

fn their_signatures_are_accepted(judge: Judge) {
    let Some(folder) = installed() else { return };
    let keys = keys();
    let created = now();
    let input = json!({"created": created, "keys": public_halves(&keys), "requests": unsigned()});
    let signed = ask(judge, &folder, "sign", &input);
    let profile = Profile::default();
    assert_eq!(signed.as_array().unwrap().len(), 15);
    for request in signed.as_array().unwrap() {
        let sent = sent(request);
        let borrowed = sent.request();
        let candidate = SignedRequest::read(&borrowed, &profile)
            .unwrap_or_else(|error| panic!("{judge:?}: {error}: {request}"));
        candidate.must_be_fresh(created + 1, &profile).unwrap();
        let (_, _, signing) = keys.iter().find(|(name, _, _)| *name == candidate.key_id()).unwrap();
        let key: VerifyingKey = signing.verifying_key().unwrap();
        let verified = candidate
            .verify(&key, Content::Bytes(&sent.content))
            .unwrap_or_else(|error| panic!("{judge:?}: {error}: {request}"));
        let nonce = Nonce::decode(request["nonce"].as_str().unwrap()).unwrap();
        assert_eq!(verified.nonce(), nonce.as_bytes());
    }
}

fn our_signatures_are_accepted(judge: Judge) {
    let Some(folder) = installed() else { return };
    let keys = keys();
    let created = now();
    let mut signed = Vec::new();
    for request in unsigned() {
        let mut sent = sent(&request);
        let (name, _, key) = keys.iter().find(|(name, _, _)| request["key"] == *name).unwrap();
        let nonce = Nonce::decode(request["nonce"].as_str().unwrap()).unwrap();
        let parameters =
            SigningParameters { created, expires: created + 60, nonce: nonce.as_bytes(), key_id: name };
        let (method, uri, content) = (sent.method.clone(), sent.uri.clone(), sent.content.clone());
        let line = RequestLine::of_uri(&method, &uri).unwrap();
        sign_request(&line, &mut sent.headers, key, &parameters, &content, &Profile::default()).unwrap();
        let headers: Vec<_> = sent
            .headers
            .iter()
            .map(|(name, value)| json!([name.as_str(), value.to_str().unwrap()]))
            .collect();
        let mut request = request;
        request["headers"] = headers.into();
        signed.push(request);
    }
    let count = signed.len();
    let accepted = ask(judge, &folder, "verify", &json!({"keys": public_halves(&keys), "requests": signed}));
    assert_eq!(accepted, count, "{judge:?}");
}

#[test]
fn what_pypi_signs_is_accepted() {
    their_signatures_are_accepted(Judge::PyPi);
}

#[test]
fn what_npm_signs_is_accepted() {
    their_signatures_are_accepted(Judge::Npm);
}

#[test]
fn pypi_accepts_what_is_signed_here() {
    our_signatures_are_accepted(Judge::PyPi);
}

#[test]
fn npm_accepts_what_is_signed_here() {
    our_signatures_are_accepted(Judge::Npm);
}

#[test]
fn the_vectors_are_those_of_their_program_and_pypi_accepts_the_good_ones() {
    let Some(folder) = installed() else { return };
    let counts: Value =
        serde_json::from_str(&interop::answer(&mut python(&folder, "profile_vectors.py", "check"), ""))
            .unwrap();
    assert!(counts["accepted_by_pypi"].as_u64().unwrap() >= 40, "{counts}");
    let rotation = interop::answer(&mut python(&folder, "rotation_vectors.py", "check"), "");
    let counts: Value = serde_json::from_str(&rotation).unwrap();
    assert!(counts["requests"].as_u64().unwrap() >= 20, "{counts}");
}
