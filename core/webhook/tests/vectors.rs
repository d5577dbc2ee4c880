//! `spec/vectors/webhooks.json`: every row has its outcome. The file is made by `tools/interop/webhook_vectors.py`, which
//! shares no code with this crate.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use strongroom_webhook::{MessageId, Receiver, Secrets, SigningSecret};

fn rows() -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec/vectors/webhooks.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    file["webhooks"].as_array().unwrap().clone()
}

fn headers(row: &Value) -> HeaderMap {
    let pairs = row["headers"].as_array().unwrap().iter().map(|pair| {
        let value = HeaderValue::from_bytes(pair[1].as_str().unwrap().as_bytes()).unwrap();
        (pair[0].as_str().unwrap().parse::<HeaderName>().unwrap(), value)
    });
    pairs.fold(HeaderMap::new(), |mut all, (name, value)| {
        all.append(name, value);
        all
    })
}

fn content(row: &Value) -> Vec<u8> {
    STANDARD.decode(row["content"].as_str().unwrap()).unwrap()
}

#[test]
fn every_webhook_has_its_outcome() {
    let mut wrong = Vec::new();
    for row in rows() {
        let secrets = row["secrets"].as_array().unwrap().iter().map(|secret| secret.as_str().unwrap());
        let judged = Receiver::try_new(secrets).and_then(|receiver| {
            receiver.verify(&headers(&row), &content(&row), row["now"].as_i64().unwrap())
        });
        let outcome = judged.map_or_else(|refusal| refusal.code(), |_| "ok");
        if outcome != row["outcome"] {
            wrong.push(format!("{}: {outcome} instead of {}", row["name"], row["outcome"]));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_is_signed_here_is_what_the_vectors_have() {
    let rows = rows();
    let row = |name: &str| rows.iter().find(|row| row["name"] == name).unwrap();
    let key = format!("whsk_{}", STANDARD.encode([7; 32]));
    let secret = |name: &str| SigningSecret::parse(row(name)["secrets"][0].as_str().unwrap()).unwrap();
    let sign = |secrets: &Secrets, name: &str| {
        let row = row(name);
        let id = MessageId::try_new("msg_1").unwrap();
        secrets.signatures(&id, row["now"].as_i64().unwrap(), &content(row)).unwrap()
    };
    let signature = |name: &str| row(name)["headers"][2][1].as_str().unwrap().to_owned();
    assert_eq!(sign(&Secrets::new(secret("v1")), "v1"), signature("v1"));
    let asymmetric = SigningSecret::parse(&key).unwrap();
    assert_eq!(*asymmetric.for_the_receiver(), row("v1a")["secrets"][0].as_str().unwrap());
    assert_eq!(sign(&Secrets::new(asymmetric), "v1a"), signature("v1a"));
    // The row of a sender that rotates: the new secret's signature first, then the old one's.
    let name = "a sender that rotates signs with both secrets";
    let mut secrets = Secrets::new(secret(name));
    let now = row(name)["now"].as_i64().unwrap();
    secrets.rotate(secret("v1"), now - 10, 3_600).unwrap();
    assert_eq!(sign(&secrets, name), signature(name));
}
