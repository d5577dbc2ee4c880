//! Nothing is let in twice, whichever way it comes again.

use crate::home::{Home, now, trade_date};

fn order(id: &str) -> String {
    format!(r#"{{"id":"{id}","side":"creation","baskets":1,"trade_date":"{}"}}"#, trade_date())
}

#[test]
fn a_request_that_comes_again_is_refused_whichever_way_it_comes() {
    let home = Home::new();
    let server = home.start().settled();
    let asked = server.asks("POST", "/v1/funds/BTCX/orders", &order("R1")).signed("ap-one");
    assert_eq!(server.send(&asked).status, 201);
    let again = |changed: &crate::home::Asked| server.send(changed).code();
    assert_eq!(again(&asked), "request.nonce_was_used", "from another socket");
    let mut relabelled = asked.clone();
    for name in ["signature", "signature-input"] {
        let text = asked.headers[name].to_str().unwrap().replacen("strongroom=", "other=", 1);
        relabelled.headers.insert(name, text.parse().unwrap());
    }
    assert_eq!(again(&relabelled), "request.nonce_was_used", "under another label");
    // Signed anew with the old nonce, for another order.
    let reused = server.asks("POST", "/v1/funds/BTCX/orders", &order("R2"));
    let (nonce, second) = ([9; 24], server.asks("POST", "/v1/funds/BTCX/orders", &order("R3")));
    assert_eq!(server.send(&reused.signed_with("ap-one", now(), &nonce)).status, 201);
    assert_eq!(again(&second.signed_with("ap-one", now() + 1, &nonce)), "request.nonce_was_used");
    // The nonce belongs to its lineage: another participant may have drawn the same.
    let other = server.asks("POST", "/v1/funds/BTCX/orders", &order("R4"));
    assert_eq!(server.send(&other.signed_with("ap-two", now(), &nonce)).status, 201);
    drop(server);
    assert_eq!(home.orders(), 3);
}

#[test]
fn a_request_from_before_a_restart_is_refused_and_a_client_heals() {
    let home = Home::new();
    let server = home.start().settled();
    let asked = server.asks("POST", "/v1/funds/BTCX/orders", &order("S1")).signed("ap-one");
    assert_eq!(server.send(&asked).status, 201);
    let late = server.asks("GET", "/v1/whoami", "").signed("ap-one");
    drop(server);
    let server = home.start();
    let moved = |asked: &crate::home::Asked| {
        let mut asked = asked.clone();
        asked.uri = format!("{}{}", server.url, asked.uri.path()).parse().unwrap();
        let host = asked.uri.authority().unwrap().to_string();
        // The authority is signed: the client's port is what it signed, whatever the socket.
        asked.headers.insert("host", host.parse().unwrap());
        asked
    };
    let told = server.send(&moved(&asked));
    assert_eq!(told.status, 401, "{}", told.code());
    assert_eq!(server.send(&moved(&late)).status, 401);
    assert_eq!(server.ask("ap-one", "GET", "/v1/whoami", "").code(), "ok");
    drop(server);
    assert_eq!(home.orders(), 1);
}

/// With nonces on disk a restart refuses nothing that is new, and knows what is old.
#[test]
fn nonces_on_disk_outlive_a_restart() {
    let mut home = Home::new();
    home.nonces = true;
    // The first start finds no file, which could be a loss.
    drop(home.start());
    let server = home.start().settled();
    let asked = server.asks("POST", "/v1/funds/BTCX/orders", &order("W1")).signed("ap-one");
    assert_eq!(server.send(&asked).status, 201);
    let unsent = server.asks("GET", "/v1/whoami", "").signed("ap-one");
    let port = server.port();
    drop(server);
    let server = home.start_at(port);
    assert_eq!(server.send(&asked).code(), "request.nonce_was_used");
    assert_eq!(server.send(&unsent).code(), "ok", "signed before the restart and never seen");
    assert_eq!(server.send(&unsent).code(), "request.nonce_was_used");
    drop(server);
    assert_eq!(home.orders(), 1);
}

#[test]
fn an_idempotency_key_gives_the_first_answer_again() {
    let home = Home::new();
    let server = home.start().settled();
    let keyed = |body: &str, key: &str| {
        let mut asked = server.asks("POST", "/v1/funds/BTCX/orders", body);
        asked.headers.insert("idempotency-key", key.parse().unwrap());
        server.send(&asked.signed("ap-one"))
    };
    let first = keyed(&order("I1"), "key-1");
    let again = keyed(&order("I1"), "key-1");
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.body, again.body);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    let other = keyed(&order("I2"), "key-1");
    assert_eq!((other.status, other.code().as_str()), (422, "request.idempotency_key_must_not_be_reused"));
    // A secret is shown once: its answer is not kept for whoever asks again.
    let issue = || {
        let new = r#"{"principal":"ap-one","scopes":["read"],"algorithm":"hmac-sha256","environment":"dev"}"#;
        let mut asked = server.asks("POST", "/v1/keys", new);
        asked.headers.insert("idempotency-key", "issue-1".parse().unwrap());
        server.send(&asked.signed("operator"))
    };
    assert_eq!((issue().status, issue().code().as_str()), (201, "request.answer_must_be_shown_once"));
    // A refusal by a rule is an answer too.
    let bad = r#"{"id":"I3","side":"creation","shares":7,"trade_date":"2026-01-02"}"#;
    let (first, again) = (keyed(bad, "key-2"), keyed(bad, "key-2"));
    assert_eq!((first.code(), again.status), (again.code(), first.status));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    drop(server);
    assert_eq!(home.orders(), 1);
}

#[test]
fn a_key_that_asks_too_often_waits_and_others_do_not() {
    let mut home = Home::new();
    home.rate_per_minute = 5;
    let server = home.start();
    let whoami = |name: &str| server.ask(name, "GET", "/v1/whoami", "");
    // A request that must answer a challenge first costs two.
    let told: Vec<u16> = (0..6).map(|_| whoami("ap-one").status).collect();
    assert!(told.starts_with(&[200]) && told.ends_with(&[429]), "{told:?}");
    let refused = whoami("ap-one");
    assert_eq!(refused.code(), "request.rate_must_stay_within_the_quota");
    let wait: u32 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    let other = whoami("ap-two");
    assert_eq!(other.status, 200);
    assert_eq!(other.headers["ratelimit-policy"], r#""key";q=5;w=60"#);
    assert!(other.headers["ratelimit"].to_str().unwrap().starts_with(r#""key";r="#));
}

/// A key can be made to count, or to sign nothing but the server's own challenges.
#[test]
fn a_key_keeps_to_its_own_replay_mode() {
    let home = Home::new();
    let server = home.start();
    let issue = |mode: &str| {
        let new = serde_json::json!({
            "principal": "ap-one", "scopes": ["read"], "algorithm": "hmac-sha256", "environment": "dev", "replay": mode,
        });
        let issued = server.ask("operator", "POST", "/v1/keys", &new.to_string()).json();
        let text = |name: &str| issued[name].as_str().unwrap().to_owned();
        (text("key"), text("secret"))
    };
    let (counting, challenged) = (issue("sequence"), issue("challenge"));
    let server = server.settled();
    let asked = |(key, secret): &(String, String), nonce: &[u8]| {
        server.send(&server.asks("GET", "/v1/whoami", "").signed_by_secret(key, secret, nonce))
    };
    let number = |number: u64| [[0; 8], number.to_be_bytes()].concat();
    let told: Vec<String> =
        [1, 2, 2, 2_000, 1_500, 900].into_iter().map(|n| asked(&counting, &number(n)).code()).collect();
    let (used, old) = ("request.sequence_number_was_used", "request.sequence_number_must_be_recent");
    assert_eq!(told, ["ok", "ok", used, "ok", "ok", old]);
    assert_eq!(asked(&counting, &[7; 24]).code(), "request.nonce_must_be_a_number");
    let refused = asked(&challenged, &[7; 24]);
    assert_eq!(refused.code(), "request.must_answer_a_challenge");
    let offered = strongroom_signature::AcceptSignature::read(&refused.headers).unwrap();
    let nonce = strongroom_signature::Nonce::decode(&offered[0].nonce.clone().unwrap()).unwrap();
    assert_eq!(asked(&challenged, nonce.as_bytes()).code(), "ok");
    assert_eq!(asked(&challenged, nonce.as_bytes()).code(), "request.nonce_was_used");
}

#[test]
fn a_challenge_is_good_once_and_each_answer_has_its_own() {
    let home = Home::new();
    let server = home.start();
    let challenge = |told: &crate::home::Told| {
        let asked = strongroom_signature::AcceptSignature::read(&told.headers).unwrap();
        strongroom_signature::Nonce::decode(&asked[0].nonce.clone().unwrap()).unwrap()
    };
    let unsigned = || challenge(&server.send(&server.asks("GET", "/v1/whoami", "")));
    let (first, second) = (unsigned(), unsigned());
    assert_ne!(first.as_bytes(), second.as_bytes());
    let answer = |nonce: &[u8]| {
        server.send(&server.asks("GET", "/v1/whoami", "").signed_with("ap-one", now(), nonce)).code()
    };
    assert_eq!(answer(first.as_bytes()), "ok");
    assert_eq!(answer(first.as_bytes()), "request.nonce_was_used");
    assert_eq!(answer(second.as_bytes()), "ok");
    let mut forged = second.as_bytes().to_vec();
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(answer(&forged), "request.challenge_must_be_answered_in_time");
}

#[test]
fn whatever_is_signed_cannot_be_changed() {
    let home = Home::new();
    let server = home.start().settled();
    let signed = || server.asks("POST", "/v1/funds/BTCX/orders?x=1", &order("C1")).signed("ap-one");
    let check = |change: fn(&mut crate::home::Asked), code: &str| {
        let mut asked = signed();
        change(&mut asked);
        assert_eq!(server.send(&asked).code(), code);
    };
    let invalid = "request.signature_must_be_valid";
    check(|asked| asked.method = http::Method::PUT, "request.method_must_be_allowed");
    check(|asked| asked.uri = asked.uri.to_string().replace("x=1", "x=2").parse().unwrap(), invalid);
    check(|asked| asked.uri = asked.uri.to_string().replace("?x=1", "").parse().unwrap(), invalid);
    check(|asked| asked.uri = asked.uri.to_string().replace("BTCX", "BTCY").parse().unwrap(), invalid);
    check(|asked| asked.body = order("C2").into_bytes(), "request.content_must_match_digest");
    check(|asked| drop(asked.headers.remove("content-digest")), "request.content_must_have_digest");
    check(|asked| drop(asked.headers.insert("content-type", "text/plain".parse().unwrap())), invalid);
    check(|asked| drop(asked.headers.insert("host", "elsewhere.example".parse().unwrap())), invalid);
    check(
        |asked| drop(asked.headers.insert("idempotency-key", "k".parse().unwrap())),
        "request.signature_must_cover",
    );
    drop(server);
    assert_eq!(home.orders(), 0);
}

/// Two servers that share a Redis let a request in once between them, and know each other's challenges.
#[test]
fn servers_with_one_redis_remember_together() {
    let (Some(mut home), Some(mut redis)) = (Home::shared(), strongroom_testing::redis::Redis::start())
    else {
        return;
    };
    home.redis = Some(redis.url());
    let (one, other) = (home.start(), home.start());
    let at_other = |asked: &crate::home::Asked| {
        let mut asked = asked.clone();
        let signed_for = asked.uri.authority().unwrap().to_string();
        asked.uri = format!("{}{}", other.url, asked.uri.path()).parse().unwrap();
        asked.headers.insert("host", signed_for.parse().unwrap());
        other.send(&asked)
    };
    let asked = one.asks("GET", "/v1/whoami", "");
    let told = one.send(&asked.clone().signed("ap-one"));
    assert_eq!(told.code(), "request.must_answer_a_challenge");
    let answered = asked.clone().answering("ap-one", &told);
    assert_eq!(at_other(&answered).code(), "ok", "a challenge of one, answered at the other");
    assert_eq!(one.send(&answered).code(), "request.nonce_was_used");
    let one = one.settled();
    let read = one.asks("GET", "/v1/whoami", "").signed("ap-one");
    assert_eq!(one.send(&read).code(), "ok");
    assert_eq!(at_other(&read).code(), "request.nonce_was_used");
    redis.kill();
    for server in [&one, &other] {
        let told = server.ask("ap-one", "GET", "/v1/whoami", "");
        assert_eq!((told.status, told.code().as_str()), (503, "server.redis_must_answer"));
        assert!(told.headers.contains_key("retry-after") && told.headers.contains_key("signature"));
    }
    redis.kill_and_restart();
    let restarted = std::time::Instant::now();
    while one.ask("ap-one", "GET", "/v1/whoami", "").code() != "ok" {
        assert!(restarted.elapsed().as_secs() < 5, "it does not connect again");
    }
    assert_eq!(at_other(&read).status, 401);
}
