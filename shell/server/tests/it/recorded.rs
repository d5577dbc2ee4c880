//! What was asked for and done can be shown to others; and over an edited log nothing is done.

use crate::home::{Home, LogSigner, key_id, trade_date};
use serde_json::{Value, json};
use strongroom_audit::{Checkpoint, Hash, KeyKind, Receipt, SignedNote, VerifierKey, verify_record};
use strongroom_store::Notary;

fn order(id: &str) -> String {
    json!({ "id": id, "side": "creation", "baskets": 2, "trade_date": trade_date() }).to_string()
}

fn receipt(value: &Value) -> Receipt {
    Receipt::from_json(&value.to_string()).unwrap()
}

/// The log's key as an auditor has it: from the checkpoint's origin and the public half that was given out.
fn log_key(receipt: &Receipt) -> VerifierKey {
    let origin = receipt.checkpoint.text().lines().next().unwrap();
    VerifierKey::try_new(origin, KeyKind::Note, &LogSigner.public()).unwrap()
}

#[test]
fn every_change_is_answered_with_a_receipt() {
    let home = Home::new();
    let server = home.start();
    let taken = server.ask("ap-one", "POST", "/v1/funds/BTCX/orders", &order("R1")).json();
    let first = receipt(&taken["receipt"]);
    let key = log_key(&first);
    first.verify(&key).unwrap();
    assert_eq!((first.stream.as_str(), first.kind.as_str()), ("fund/BTCX", "order-accepted"));
    let told = server.ask("ap-one", "DELETE", "/v1/funds/BTCX/orders/R1", "").json();
    let second = receipt(&told["receipt"]);
    let checkpoint = second.verify(&key).unwrap();
    assert!(second.leaf_index > first.leaf_index);
    // Nothing changed, so there is nothing to show.
    let again = server.ask("ap-one", "POST", "/v1/funds/BTCX/orders", &order("R1"));
    assert!(again.json().get("receipt").is_none(), "{}", again.json());
    let lineage = key_id("ap-two").trim_end_matches(".1").to_owned();
    let reason = json!({ "reason": "left" }).to_string();
    let told = server.ask("operator", "POST", &format!("/v1/keys/{lineage}/revoke"), &reason).json();
    let revoked = receipt(&told["receipts"][0]);
    revoked.verify(&key).unwrap();
    assert_eq!((revoked.stream.as_str(), revoked.kind.as_str()), ("access", "key-revoked"));
    // The log that the receipts are of only grew.
    let note = server.ask("operator", "GET", "/v1/log/checkpoint", "").text();
    let newest = Checkpoint::open(&SignedNote::parse(&note).unwrap(), &key).unwrap();
    let path = format!("/v1/log/consistency?from={}&to={}", checkpoint.size(), newest.size());
    let proof = server.ask("operator", "GET", &path, "").json();
    let hashes: Vec<Hash> = serde_json::from_value(proof["proof"].clone()).unwrap();
    let (old, new) = ((checkpoint.size(), checkpoint.root()), (newest.size(), newest.root()));
    strongroom_audit::verify_consistency(old, new, &hashes).unwrap();
    let path = "/v1/log/receipt?stream=fund/BTCX&seq=999999";
    assert_eq!(server.ask("operator", "GET", path, "").code(), "log.leaf_must_be_in_the_log");
}

/// A third party: it has the log's key and the server's, and what it is shown.
#[test]
fn a_dispute_is_answered_by_what_can_be_checked() {
    let home = Home::new();
    let server = home.start();
    assert_eq!(server.ask("ap-one", "POST", "/v1/funds/BTCX/orders", &order("D1")).status, 201);
    let told = server.ask("operator", "GET", "/v1/funds/BTCX/orders/D1/dispute", "").json();
    let (accepted, request) = (receipt(&told["accepted"]), receipt(&told["request"]));
    let root = receipt(&told["root"]);
    let key = log_key(&accepted);
    for receipt in [&accepted, &request, &root] {
        receipt.verify(&key).unwrap();
    }
    let body = |receipt: &Receipt| -> Value {
        let strongroom_audit::Disclosure::Opened(content) = &receipt.disclosure else { panic!("it is open") };
        serde_json::from_str(&content.body).unwrap()
    };
    let asked = body(&request);
    assert_eq!(
        (asked["outcome"].as_str(), asked["key"].as_str()),
        (Some("done"), Some(key_id("ap-one").as_str()))
    );
    assert_eq!(asked["caused"]["stream"], accepted.stream);
    assert_eq!(asked["caused"]["last"], accepted.seq);
    assert_eq!(asked["content"], order("D1"));
    // The key, as the log had it then, is under the root that the log has.
    let record = told["key"]["record"].as_str().unwrap();
    let hash = |value: &Value| -> Hash { value.as_str().unwrap().parse().unwrap() };
    let proof: Vec<Hash> = told["key"]["proof"].as_array().unwrap().iter().map(hash).collect();
    verify_record(hash(&body(&root)["root"]), key_id("ap-one").as_bytes(), record.as_bytes(), &proof)
        .unwrap();
    // It signed the text of the request.
    use base64::{Engine, engine::general_purpose::STANDARD};
    let signature = STANDARD.decode(asked["signature"].as_str().unwrap()).unwrap();
    let text = asked["signature_base"].as_str().unwrap();
    let public =
        serde_json::from_str::<Value>(record).unwrap()[2]["material"]["key"].as_str().unwrap().to_owned();
    let public = strongroom_signature::VerifyingKey::ed25519(&STANDARD.decode(public).unwrap()).unwrap();
    public.verify(text.as_bytes(), &signature).unwrap();
    assert!(text.contains("\"@path\": /v1/funds/BTCX/orders"), "{text}");
    // And what was answered is signed by this server.
    let answer = &told["answer"];
    assert_eq!(answer["status"], 201);
    let directory = server.ask("operator", "POST", "/v1/server-keys/rotate", "").json();
    let server_key = STANDARD.decode(directory[0]["public_key"].as_str().unwrap()).unwrap();
    let server_key = strongroom_signature::VerifyingKey::ed25519(&server_key).unwrap();
    let signature = STANDARD.decode(answer["signature"].as_str().unwrap()).unwrap();
    server_key.verify(answer["signature_base"].as_str().unwrap().as_bytes(), &signature).unwrap();
    assert_eq!(
        server.ask("operator", "GET", "/v1/funds/BTCX/orders/NONE/dispute", "").code(),
        "resource.must_exist"
    );
}

#[test]
fn what_a_key_did_is_told_with_its_source_and_outcome() {
    let home = Home::new();
    let server = home.start();
    server.ask("ap-one", "POST", "/v1/funds/BTCX/orders", &order("K1"));
    server.ask("ap-one", "DELETE", "/v1/funds/BTCX/orders/NEVER", "");
    let lineage = key_id("ap-one").trim_end_matches(".1").to_owned();
    let told = server.ask("operator", "GET", &format!("/v1/keys/{lineage}/deeds"), "").json();
    let items = told["items"].as_array().unwrap();
    let outcomes: Vec<&str> = items.iter().map(|item| item["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["done", "order.must_be_open"]);
    assert!(items.iter().all(|item| item["peer"] == "127.0.0.1" && item["at"].is_string()), "{told}");
    assert_eq!(server.ask("ap-one", "GET", &format!("/v1/keys/{lineage}/deeds"), "").status, 403);
}

#[test]
fn over_an_edited_log_nothing_is_changed() {
    let home = Home::new();
    drop(home.start());
    home.by_hand(
        "DROP TRIGGER events_are_never_updated;
         UPDATE events SET body = replace(body, 'BTCX', 'BTCY') WHERE leaf = (SELECT min(leaf) FROM events WHERE stream = 'fund/BTCX')",
    );
    let opened = strongroom_desk::Desk::open_recorded(&home.location(), None, None);
    assert_eq!(
        opened.unwrap_err().code(),
        "log.record_must_be_as_it_was",
        "the log is short: its end is all of it"
    );
    let server = home.start_unchecked();
    assert_eq!(server.ask("ap-one", "GET", "/v1/whoami", "").code(), "ok", "it can be read from");
    let told = server.ask("ap-one", "POST", "/v1/funds/BTCX/orders", &order("E1"));
    assert_eq!((told.status, told.code().as_str()), (503, "log.must_be_whole"));
}

#[test]
fn a_server_does_not_start_over_a_row_of_a_key_that_was_edited() {
    let home = Home::new();
    drop(home.start());
    home.by_hand("UPDATE credentials SET expires_at = '2099-01-01T00:00:00Z' WHERE principal = 'ap-one'");
    assert_eq!(home.try_start().err(), Some("log.row_must_follow_from_the_log"));
}
