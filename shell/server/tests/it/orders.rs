//! A participant's day over the API, and what it cannot see or do.

use crate::home::{Home, trade_date};
use serde_json::json;
use strongroom_client::{Client, Invitation, Options, enrol};

fn order(id: &str) -> String {
    json!({ "id": id, "side": "creation", "baskets": 2, "trade_date": trade_date() }).to_string()
}

#[test]
fn a_participant_submits_lists_and_cancels_its_own_orders_only() {
    let home = Home::new();
    let server = home.start();
    let told = server.ask("ap-one", "POST", "/v1/funds/BTCX/orders", &order("A1"));
    assert_eq!((told.status, told.json()["participant"].as_str()), (201, Some("AP-ONE")));
    assert_eq!(told.headers["location"], "/v1/funds/BTCX/orders/A1");
    // The same order again, signed anew: nothing changes.
    assert_eq!(server.ask("ap-one", "POST", "/v1/funds/BTCX/orders", &order("A1")).status, 200);
    let listed = |name: &str| {
        let page = server.ask(name, "GET", "/v1/funds/BTCX/orders", "").json();
        page["items"].as_array().unwrap().len()
    };
    assert_eq!((listed("ap-one"), listed("ap-two"), listed("operator")), (1, 0, 1));
    assert_eq!(server.ask("ap-two", "GET", "/v1/funds/BTCX/orders/A1", "").code(), "resource.must_exist");
    // Somebody else's order is cancelled as one that is not there is.
    for id in ["A1", "NEVER"] {
        let path = format!("/v1/funds/BTCX/orders/{id}");
        assert_eq!(server.ask("ap-two", "DELETE", &path, "").code(), "order.must_be_open");
        let foreign = json!({ "command": "cancel-order", "id": id }).to_string();
        let told = server.ask("ap-two", "POST", "/v1/funds/BTCX/commands", &foreign);
        assert_eq!(told.code(), "order.must_be_open");
    }
    let named = json!({ "id": "A2", "side": "creation", "baskets": 1, "trade_date": trade_date(), "participant": "AP-ONE" });
    let told = server.ask("ap-two", "POST", "/v1/funds/BTCX/orders", &named.to_string());
    assert_eq!(told.code(), "order.must_be_the_participants");
    assert_eq!(server.ask("ap-one", "DELETE", "/v1/funds/BTCX/orders/A1", "").json()["outcome"], "done");
    assert_eq!(listed("operator"), 0);
}

#[test]
fn a_command_needs_its_own_scope() {
    let home = Home::new();
    let server = home.start();
    let halt = json!({ "command": "halt", "scope": "orders", "reason": "a test" }).to_string();
    let told = server.ask("ap-one", "POST", "/v1/funds/BTCX/commands", &halt);
    assert_eq!((told.status, told.code().as_str()), (403, "key.scope_must_be_granted"));
    assert_eq!(server.ask("operator", "POST", "/v1/funds/BTCX/commands", &halt).code(), "ok");
    let told = server.ask("ap-one", "POST", "/v1/funds/BTCX/orders", &order("H1"));
    assert_eq!(told.status, 422, "{}", told.code());
}

#[test]
fn reads_are_tagged_and_paged() {
    let home = Home::new();
    let server = home.start();
    let told = server.ask("ap-one", "GET", "/v1/funds/BTCX", "");
    let tag = told.headers["etag"].clone();
    let mut asked = server.asks("GET", "/v1/funds/BTCX", "");
    asked.headers.insert("if-none-match", tag);
    let server = server.settled();
    assert_eq!(server.send(&asked.signed("ap-one")).status, 304);
    let page = server.ask("operator", "GET", "/v1/keys?limit=2", "").json();
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    let next = page["next"].as_str().unwrap();
    let rest = server.ask("operator", "GET", &format!("/v1/keys?limit=100&after={next}"), "").json();
    assert_eq!(rest["items"].as_array().unwrap().len(), 4);
    assert_eq!(rest["next"], json!(null));
    assert_eq!(server.ask("operator", "GET", "/v1/keys?limit=x", "").status, 400);
}

/// An operator invites, the participant's machine enrols its own key, and a clock that is ten minutes off heals.
#[test]
fn a_key_is_enrolled_by_its_holder_and_its_client_heals_its_clock() {
    let home = Home::new();
    let server = home.start();
    let new =
        json!({ "principal": "ap-one", "scopes": ["read"], "algorithm": "ed25519", "environment": "dev" });
    let issued = server.ask("operator", "POST", "/v1/keys", &new.to_string()).json();
    let text = |name: &str| issued[name].as_str().unwrap().to_owned();
    let invitation = Invitation { enrolment: text("enrolment"), code: text("code") };
    let wrong = Invitation { code: "wrong".to_owned(), ..invitation.clone() };
    let refused = enrol(&server.url, &wrong, &Options::default()).err().unwrap();
    assert_eq!(refused.code(), "enrolment.must_be_open");
    let file = enrol(&server.url, &invitation, &Options::default()).unwrap();
    let again = enrol(&server.url, &invitation, &Options::default()).err().unwrap();
    assert_eq!(again.code(), "enrolment.must_be_open", "a code is good once");
    let server = server.settled();
    for ahead in [-600, 600] {
        let client = Client::try_new(&file, &Options::default()).unwrap();
        client.assume_clock(ahead);
        let (first, second) = (client.get("/v1/whoami").unwrap(), client.get("/v1/whoami").unwrap());
        assert_eq!((first.status, first.tries), (200, 2), "{ahead}");
        assert_eq!((second.status, second.tries), (200, 1), "{ahead}");
    }
    drop(server);
}

/// Reads a stream until so many events have come.
fn follow(server: &crate::home::Server<'_>, path: &str, events: usize) -> Vec<(String, serde_json::Value)> {
    use std::io::{BufRead, BufReader};
    let agent = ureq::agent();
    let response = agent.get(format!("{}{path}", server.url)).header("last-event-id", "0").call().unwrap();
    let mut lines = BufReader::new(response.into_body().into_reader()).lines().map(Result::unwrap);
    let (mut seen, mut kind) = (Vec::new(), String::new());
    while seen.len() < events {
        let line = lines.next().unwrap();
        if let Some(name) = line.strip_prefix("event: ") {
            kind = name.to_owned();
        } else if let Some(data) = line.strip_prefix("data: ") {
            seen.push((kind.clone(), serde_json::from_str(data).unwrap()));
        }
    }
    seen
}

#[test]
fn a_participant_follows_its_own_orders_with_a_token_that_is_good_once() {
    let home = Home::new();
    let server = home.start();
    server.ask("ap-two", "POST", "/v1/funds/BTCX/orders", &order("B1"));
    server.ask("ap-one", "POST", "/v1/funds/BTCX/orders", &order("A1"));
    server.ask("ap-one", "DELETE", "/v1/funds/BTCX/orders/A1", "");
    let asks = json!({ "purpose": "events", "context": "BTCX" }).to_string();
    let token = server.ask("ap-one", "POST", "/v1/session-tokens", &asks).json()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/v1/funds/BTCX/events?session_token={token}");
    let elsewhere = format!("/v1/funds/BTCY/events?session_token={token}");
    assert_eq!(server.send(&server.asks("GET", &elsewhere, "")).code(), "session_token.must_be_valid");
    let seen = follow(&server, &path, 2);
    let kinds: Vec<&str> = seen.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["order-accepted", "order-cancelled"]);
    assert_eq!(seen[0].1["event"]["id"], "A1");
    assert_eq!(server.send(&server.asks("GET", &path, "")).code(), "session_token.was_used");
}

/// An HMAC secret and a bearer key are made by the server, shown once, and work.
#[test]
fn secrets_made_by_the_server_work_and_a_bearer_key_only_reads() {
    let home = Home::new();
    let server = home.start();
    let issue = |scope: &str, algorithm: &str| {
        let new =
            json!({ "principal": "ap-one", "scopes": [scope], "algorithm": algorithm, "environment": "dev" });
        server.ask("operator", "POST", "/v1/keys", &new.to_string())
    };
    assert_eq!(issue("orders:write", "bearer").code(), "key.bearer_must_only_read");
    let bearer = issue("read", "bearer").json()["secret"].as_str().unwrap().to_owned();
    let shown = |method: &str, path: &str, bearer: &str| {
        let mut asked = server.asks(method, path, "");
        asked.headers.insert("authorization", format!("Bearer {bearer}").parse().unwrap());
        server.send(&asked).code()
    };
    assert_eq!(shown("GET", "/v1/funds", &bearer), "ok");
    assert_eq!(shown("GET", "/v1/keys", &bearer), "principal.role_must_allow_scope");
    assert_eq!(shown("DELETE", "/v1/funds/BTCX/orders/A1", &bearer), "request.bearer_must_only_read");
    let other = if bearer.ends_with('x') { 'y' } else { 'x' };
    let mistyped = format!("{}{other}", &bearer[..bearer.len() - 1]);
    assert_eq!(shown("GET", "/v1/funds", &mistyped), "key.must_be_known");
    let issued = issue("orders:write", "hmac-sha256").json();
    let text = |name: &str| issued[name].as_str().unwrap().to_owned();
    let secret = strongroom_client::SecretText::new(text("secret"));
    let file = strongroom_client::of_secret(&server.url, &text("key"), secret, &Options::default()).unwrap();
    let client = Client::try_new(&file, &Options::default()).unwrap();
    let answer = client.post("/v1/funds/BTCX/orders", order("M1").as_bytes()).unwrap();
    assert_eq!(answer.status, 201);
    let keys = server.ask("operator", "GET", "/v1/keys", "").json();
    let state = |key: &str| {
        let found = keys["items"].as_array().unwrap().iter().find(|row| row["key"] == key).cloned();
        found.unwrap()["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(state(&text("key")), "active", "its first use made it so");
}

/// The old key vouches for the new one: a client that pinned the old follows, and one that pinned another does not.
#[test]
fn clients_follow_a_rotation_of_the_servers_key_and_believe_no_stranger() {
    let home = Home::new();
    let server = home.start();
    let new =
        json!({ "principal": "ap-one", "scopes": ["read"], "algorithm": "ed25519", "environment": "dev" });
    let issued = server.ask("operator", "POST", "/v1/keys", &new.to_string()).json();
    let text = |name: &str| issued[name].as_str().unwrap().to_owned();
    let invitation = Invitation { enrolment: text("enrolment"), code: text("code") };
    let file = enrol(&server.url, &invitation, &Options::default()).unwrap();
    assert_eq!(file.server_keys.len(), 1);
    for version in 2..4 {
        let told = server.ask("operator", "POST", "/v1/server-keys/rotate", "");
        assert_eq!(told.code(), "ok", "{}", String::from_utf8_lossy(&told.body));
        assert_eq!(told.json().as_array().unwrap().len(), version);
    }
    let client = Client::try_new(&file, &Options::default()).unwrap();
    let answer = client.get("/v1/whoami").unwrap();
    assert!(answer.headers["signature-input"].to_str().unwrap().contains(r#"keyid="server.3""#));
    let mut stranger = file.clone();
    stranger.server_keys[0].public_key = {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD
            .encode(crate::home::signing_key("stranger").public_key().unwrap())
    };
    let refused = Client::try_new(&stranger, &Options::default()).unwrap().get("/v1/whoami").unwrap_err();
    assert_eq!(refused.code(), "client.answer_must_be_signed");
    drop(server);
    let server = home.start();
    let moved = Options { server: Some(server.url.clone()), ..Options::default() };
    assert_eq!(Client::try_new(&file, &moved).unwrap().get("/v1/whoami").unwrap().status, 200);
}

#[test]
fn a_revoked_key_is_refused_when_the_call_returns() {
    let home = Home::new();
    let server = home.start().settled();
    let lineage = crate::home::key_id("ap-one").trim_end_matches(".1").to_owned();
    assert_eq!(server.ask("ap-one", "GET", "/v1/whoami", "").code(), "ok");
    let reason = json!({ "reason": "stolen" }).to_string();
    let told = server.ask("operator", "POST", &format!("/v1/keys/{lineage}/revoke"), &reason);
    assert_eq!(told.json()["keys"].as_array().unwrap().len(), 1);
    assert_eq!(server.ask("ap-one", "GET", "/v1/whoami", "").code(), "key.must_not_be_revoked");
    drop(server);
    let server = home.start().settled();
    assert_eq!(server.ask("ap-one", "GET", "/v1/whoami", "").code(), "key.must_not_be_revoked");
}
