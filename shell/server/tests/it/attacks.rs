//! What somebody tried, and what came of it: each test is an attack that once went through.

use crate::home::{Asked, Home, Server, key_id, now, signing_key, trade_date};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

fn lineage(name: &str) -> String {
    key_id(name).trim_end_matches(".1").to_owned()
}

fn revoke(server: &Server<'_>, name: &str) {
    let reason = json!({ "reason": "stolen" }).to_string();
    let told = server.ask("operator", "POST", &format!("/v1/keys/{}/revoke", lineage(name)), &reason);
    let told = told.json();
    assert_eq!((told["keys"].as_array().unwrap().len(), &told["confirmed"]), (1, &json!(true)), "{told}");
}

/// An enrolment is signed by a key that the caller brings. With a name of their own making, or the wrong code, strangers
/// could fill the table of nonces, and then nobody would get in.
#[test]
fn strangers_leave_no_nonces_behind() {
    let home = Home::new();
    let server = home.start().settled();
    let new =
        json!({ "principal": "ap-one", "scopes": ["read"], "algorithm": "ed25519", "environment": "dev" });
    let issued = server.ask("operator", "POST", "/v1/keys", &new.to_string()).json();
    let open = issued["enrolment"].as_str().unwrap();
    for name in ["e0123456789ab", open] {
        let body = json!({
            "code": "guessed",
            "algorithm": "ed25519",
            "public_key": STANDARD.encode(signing_key("stranger").public_key().unwrap()),
        });
        let asked = server.asks("POST", &format!("/v1/enrolments/{name}"), &body.to_string());
        let asked = asked.signed_under("stranger", name, now(), &[7; 24]);
        for _ in 0..2 {
            // A nonce that had been kept would be refused as used.
            assert_eq!(server.send(&asked).code(), "enrolment.must_be_open", "{name}");
        }
    }
}

/// Who has seen a request can send it again; that must not use up the rate of whoever signed it.
#[test]
fn repeats_of_a_captured_request_do_not_use_up_its_keys_rate() {
    let mut home = Home::new();
    home.rate_per_minute = 5;
    home.nonces = true;
    drop(home.start());
    let server = home.start();
    let captured = answered(&server, "ap-one");
    for _ in 0..20 {
        assert_eq!(server.send(&captured).code(), "request.nonce_was_used");
    }
    answered(&server, "ap-one");
}

/// A request that was let in, whatever challenge that took.
fn answered(server: &Server<'_>, name: &str) -> Asked {
    let asked = server.asks("GET", "/v1/whoami", "");
    let signed = asked.clone().signed(name);
    let told = server.send(&signed);
    if told.code() != "request.must_answer_a_challenge" {
        assert_eq!(told.code(), "ok");
        return signed;
    }
    let signed = asked.answering(name, &told);
    assert_eq!(server.send(&signed).code(), "ok");
    signed
}

/// An event stream outlives its request; it must not outlive its key.
#[test]
fn a_stream_ends_with_its_key() {
    let home = Home::new();
    let server = home.start().settled();
    let asked = server.asks("GET", "/v1/funds/BTCX/events", "").signed("ap-one");
    let mut request = ureq::get(asked.uri.to_string());
    for (name, value) in &asked.headers {
        request = request.header(name, value);
    }
    let response = request.call().unwrap();
    let lines = BufReader::new(response.into_body().into_reader()).lines();
    revoke(&server, "ap-one");
    let order = json!({ "id": "N1", "side": "creation", "baskets": 1, "trade_date": trade_date(), "participant": "AP-ONE" });
    assert_eq!(server.ask("operator", "POST", "/v1/funds/BTCX/orders", &order.to_string()).status, 201);
    let seen: Vec<String> = lines.map_while(Result::ok).filter(|line| line.starts_with("event:")).collect();
    assert_eq!(seen, Vec::<String>::new(), "nothing after the revoke, and an end");
}

#[test]
fn a_key_follows_no_more_streams_than_it_may() {
    let home = Home::new();
    let server = home.start().settled();
    let mut open = Vec::new();
    let mut last = String::new();
    while open.len() < 40 && last.is_empty() {
        let asked = server.asks("GET", "/v1/funds/BTCX/events", "").signed("ap-one");
        let mut request = ureq::get(asked.uri.to_string()).config().http_status_as_error(false).build();
        for (name, value) in &asked.headers {
            request = request.header(name, value);
        }
        let mut response = request.call().unwrap();
        match response.status().as_u16() {
            200 => open.push(response),
            _ => last = response.body_mut().read_to_string().unwrap(),
        }
    }
    assert_eq!(open.len(), 16);
    assert!(last.contains("request.streams_must_stay_within_the_quota"), "{last}");
    assert_eq!(server.ask("ap-two", "GET", "/v1/funds/BTCX", "").code(), "ok", "others are not concerned");
}

/// The answer to a read is not kept for a day: with a key of its own for each, reads could fill the memory.
#[test]
fn answers_to_reads_are_not_kept() {
    let home = Home::new();
    let server = home.start().settled();
    for _ in 0..2 {
        let mut asked = server.asks("GET", "/v1/funds/BTCX", "");
        asked.headers.insert("idempotency-key", "one".parse().unwrap());
        let told = server.send(&asked.signed("ap-one"));
        assert_eq!((told.code().as_str(), told.headers.get("idempotency-replayed")), ("ok", None));
    }
}

/// A client that hides the content, its length or its end gets nowhere.
#[test]
fn odd_requests_are_refused() {
    let home = Home::new();
    let server = home.start().settled();
    let order =
        json!({ "id": "H1", "side": "creation", "baskets": 1, "trade_date": trade_date() }).to_string();
    let signed = server.asks("POST", "/v1/funds/BTCX/orders", &order).signed("ap-one");
    let fields: String = signed
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap()))
        .collect();
    let host = signed.uri.authority().unwrap();
    let length = order.len();
    let (path, chunked) = ("/v1/funds/BTCX/orders", format!("{length:x}\r\n{order}\r\n0\r\n\r\n"));
    for (what, head, body, statuses) in [
        (
            "two hosts",
            format!("POST {path} HTTP/1.1\r\nhost: {host}\r\nhost: evil\r\ncontent-length: {length}\r\n"),
            &order,
            [400, 400],
        ),
        (
            "another host",
            format!("POST {path} HTTP/1.1\r\nhost: evil\r\ncontent-length: {length}\r\n"),
            &order,
            [401, 401],
        ),
        (
            "two paths",
            format!("POST /v1//funds/BTCX/orders HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\n"),
            &order,
            [401, 404],
        ),
        (
            "an encoded path",
            format!("POST /v1/funds/%42TCX/orders HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\n"),
            &order,
            [401, 401],
        ),
        (
            "a slash more",
            format!("POST {path}/ HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\n"),
            &order,
            [401, 404],
        ),
        (
            "absolute form elsewhere",
            format!("POST http://evil{path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\n"),
            &order,
            [400, 401],
        ),
        (
            "another query",
            format!("POST {path}?x=1 HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\n"),
            &order,
            [401, 401],
        ),
        // The transport takes the length away and closes the connection, as RFC 9112 section 6.1 has it.
        (
            "length and coding",
            format!(
                "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\ntransfer-encoding: chunked\r\n"
            ),
            &chunked,
            [201, 201],
        ),
        (
            "in chunks, once more",
            format!("POST {path} HTTP/1.1\r\nhost: {host}\r\ntransfer-encoding: chunked\r\n"),
            &chunked,
            [401, 401],
        ),
    ] {
        let mut socket = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
        write!(socket, "{head}{fields}connection: close\r\n\r\n{body}").unwrap();
        let mut told = String::new();
        socket.read_to_string(&mut told).unwrap();
        let status: u16 = told.split(' ').nth(1).unwrap_or("0").parse().unwrap();
        assert!(statuses.contains(&status), "{what}: {told:.300}");
    }
}

/// The answer to HEAD is that to GET without its content, signed as such.
#[test]
fn the_answer_to_head_is_signed() {
    let home = Home::new();
    let server = home.start().settled();
    let asked = server.asks("HEAD", "/v1/funds/BTCX", "").signed("ap-one");
    let told = server.send(&asked);
    assert_eq!((told.status, told.body.len()), (200, 0));
    assert!(told.headers.contains_key("signature") && told.headers.contains_key("etag"));
}

/// Two servers on one database: what one revokes has no effect at the other from then on, and is refused there soon.
#[test]
fn a_key_that_one_server_revoked_is_refused_by_the_other() {
    let (Some(mut home), Some(redis)) = (Home::shared(), strongroom_testing::redis::Redis::start()) else {
        return;
    };
    let alone = home.start();
    assert_eq!(home.try_start().err(), Some("server.replay_window_must_be_shared"));
    drop(alone);
    home.redis = Some(redis.url());
    let (one, other) = (home.start(), home.start());
    let (one, other) = (one.settled(), other.settled());
    assert_eq!(other.ask("ap-one", "GET", "/v1/whoami", "").code(), "ok");
    revoke(&one, "ap-one");
    let order =
        json!({ "id": "Z1", "side": "creation", "baskets": 1, "trade_date": trade_date() }).to_string();
    let told = other.ask("ap-one", "POST", "/v1/funds/BTCX/orders", &order);
    assert_eq!(told.code(), "key.must_not_be_revoked", "no effect after the revoke returned");
    let told = other.ask("ap-one", "GET", "/v1/whoami", "");
    assert_eq!(told.code(), "key.must_not_be_revoked", "nothing is read after the revoke returned");
    // Rotations at either server make one chain.
    assert_eq!(one.ask("operator", "POST", "/v1/server-keys/rotate", "").code(), "ok");
    let told = other.ask("operator", "POST", "/v1/server-keys/rotate", "");
    let keys = told.json();
    let key = |place: usize, field: &str| keys[place][field].as_str().unwrap().to_owned();
    let old =
        strongroom_signature::VerifyingKey::ed25519(&STANDARD.decode(key(1, "public_key")).unwrap()).unwrap();
    let text = strongroom_signature::vouch_text(&key(2, "key"), "ed25519", &key(2, "public_key"));
    assert!(old.verify(&text, &STANDARD.decode(key(2, "vouched")).unwrap()).is_ok());
    assert!(told.headers["signature-input"].to_str().unwrap().contains("server.3"));
}
