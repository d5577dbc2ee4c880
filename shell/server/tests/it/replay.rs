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
