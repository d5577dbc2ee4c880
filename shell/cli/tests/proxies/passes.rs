//! What passes, what does not, and that what passes does so once.

use crate::behind_both;
use crate::stand::{INSIDER, MACHINE, Proxy, READER, Stand, TRADER};
use std::sync::Barrier;

const BODY: &str = r#"{"to":"alice","coins":"1.5"}"#;

behind_both! {
    what_is_signed_passes_once_and_the_application_learns_who_asks
    what_is_not_signed_is_refused_with_a_challenge_that_the_gate_signed
    a_key_does_what_its_scopes_allow_from_where_its_networks_are
    content_is_what_was_signed_or_it_does_not_arrive
    what_was_signed_for_another_request_fits_none_other
    sixteen_at_once_with_the_same_bytes_get_in_once
}

fn what_is_signed_passes_once_and_the_application_learns_who_asks(proxy: Proxy) {
    let Some(stand) = Stand::of(proxy) else { return };
    for (method, target, body) in [
        ("GET", "/", ""),
        ("GET", "/prices/BTC?from=2026-01-01&x=%2F..%2f//", ""),
        ("GET", "/caf%C3%A9/a;v=1?", ""),
        ("DELETE", "/orders/1", ""),
        ("POST", "/withdraw", BODY),
        ("POST", "/withdraw/now?fast=1", BODY),
        ("PUT", "/withdraw", &"x".repeat(300_000)),
    ] {
        let request = stand.signed(TRADER, method, target, body);
        let got = stand.passes(&request);
        assert_eq!((got.line.as_str(), got.body.as_str()), (format!("{method} {target}").as_str(), body));
        assert_eq!(got.field("x-strongroom-principal"), ["trader"]);
        assert_eq!(got.field("x-strongroom-scopes"), ["app:read app:withdraw"]);
        assert_eq!(
            (got.field("x-strongroom-key").len(), got.field("host")),
            (1, vec![stand.host().as_str()])
        );
        assert_eq!(got.fields.iter().filter(|(name, _)| name.starts_with("x-strongroom-")).count(), 3);
        for _ in 0..2 {
            stand.refused(&request, "401 request.nonce_was_used");
        }
    }
}

fn what_is_not_signed_is_refused_with_a_challenge_that_the_gate_signed(proxy: Proxy) {
    let Some(stand) = Stand::of(proxy) else { return };
    for request in [
        stand.plain("GET", "/", ""),
        stand.plain("GET", "/withdraw", ""),
        stand.plain("POST", "/withdraw", "content-length: 2\r\n") + "{}",
        stand.plain("GET", "/", "authorization: Bearer abc\r\n"),
    ] {
        let answer = stand.refused(&request, "401 request.must_be_signed");
        for name in ["accept-signature", "signature", "signature-input", "content-digest", "www-authenticate"]
        {
            assert_eq!(answer.field(name).len(), 1, "{name}: {}", answer.text);
        }
        assert_eq!(answer.field("content-type"), ["application/problem+json"], "{}", answer.text);
    }
    let bearer = format!("authorization: Bearer sr_dev_k0123456789ab_{}\r\n", "a".repeat(49));
    stand.refused(&stand.plain("GET", "/", &bearer), "401 key.must_be_known");
}

fn a_key_does_what_its_scopes_allow_from_where_its_networks_are(proxy: Proxy) {
    let Some(stand) = Stand::of(proxy) else { return };
    stand.passes(&stand.signed(READER, "GET", "/prices", ""));
    // Its first use tells that its holder has it.
    assert_eq!(stand.state_of(MACHINE), "pending");
    stand.passes(&stand.signed(MACHINE, "GET", "/prices", ""));
    assert_eq!(stand.state_of(MACHINE), "active");
    for target in ["/withdraw", "/withdraw/", "/withdraw?x", "/withdraw;v=1", "/withdrawals"] {
        let request = stand.signed(READER, "POST", target, BODY);
        stand.refused(&request, "403 key.scope_must_be_granted");
        // Its nonce is used up all the same.
        stand.refused(&request, "401 request.nonce_was_used");
    }
    let fields = "x-real-ip: 10.0.0.1\r\nx-forwarded-for: 10.0.0.1\r\nx-envoy-external-address: 10.0.0.1\r\n";
    let request = stand.signed(INSIDER, "GET", "/prices", "");
    stand.refused(&with(&request, fields), "403 key.network_must_be_allowed");
    assert_eq!(stand.state_of(INSIDER), "pending");
}

fn content_is_what_was_signed_or_it_does_not_arrive(proxy: Proxy) {
    let Some(stand) = Stand::of(proxy) else { return };
    let swapped = stand.signed(TRADER, "POST", "/withdraw", BODY).replace("alice", "mally");
    stand.refused(&swapped, "401 request.content_must_match_digest");
    let cut = stand.signed(TRADER, "POST", "/withdraw", BODY);
    let cut = cut.replace(&format!("content-length: {}", BODY.len()), "content-length: 5");
    stand.refused(&cut, "401 request.content_must_match_digest");
    let emptied = stand.signed(TRADER, "POST", "/withdraw", BODY);
    let emptied = emptied.replace(&format!("content-length: {}", BODY.len()), "content-length: 0");
    stand.refused(&emptied, "401 request.content_must_match_digest");
    let added = stand.signed(TRADER, "POST", "/withdraw", "");
    stand.refused(&(with(&added, "content-length: 2\r\n") + "{}"), "401 request.content_must_have_digest");
    let added = stand.signed(TRADER, "POST", "/withdraw", "");
    let chunked = with(&added, "transfer-encoding: chunked\r\n") + "2\r\n{}\r\n0\r\n\r\n";
    stand.refused(&chunked, "401 request.content_must_have_digest");
    let redigested = stand.signed(TRADER, "POST", "/withdraw", BODY);
    let digest = redigested.lines().find(|line| line.starts_with("content-digest")).unwrap().to_owned();
    let other = stand.signed(TRADER, "POST", "/withdraw", &BODY.replace("alice", "mally"));
    let others = other.lines().find(|line| line.starts_with("content-digest")).unwrap();
    let redigested = redigested.replace(&digest, others).replace("alice", "mally");
    stand.refused(&redigested, "401 request.signature_must_be_valid");

    // The same content in chunks is the same content.
    let length = format!("content-length: {}\r\n", BODY.len());
    let chunked = stand.signed(TRADER, "POST", "/withdraw", BODY);
    let chunked = chunked.replace(&length, "transfer-encoding: chunked\r\n");
    let chunked = chunked.replace(BODY, &format!("{:x}\r\n{BODY}\r\n0\r\n\r\n", BODY.len()));
    assert_eq!(stand.passes(&chunked).body, BODY);

    // nginx does not show content to the gate: a place whose configuration does not compare it takes none.
    let unchecked = stand.signed(TRADER, "POST", "/prices", BODY);
    match proxy {
        Proxy::Nginx => drop(stand.refused(&unchecked, "401 request.content_must_be_checked")),
        Proxy::Envoy => assert_eq!(stand.passes(&unchecked).body, BODY),
    }
}

fn what_was_signed_for_another_request_fits_none_other(proxy: Proxy) {
    let Some(stand) = Stand::of(proxy) else { return };
    let other = format!("localhost:{}", stand.port);
    for (from, to) in [
        ("GET /read", "GET /reed"),
        ("GET /read", "GET /withdraw"),
        ("GET /read", "GET /READ"),
        ("GET /read", "GET /read/"),
        ("to=alice", "to=mallory"),
        ("?to=alice", ""),
        ("?to=alice", "?to=alice&to=mallory"),
        ("GET /", "HEAD /"),
        ("GET /", "POST /"),
        ("GET /", "get /"),
        (stand.host().as_str(), other.as_str()),
        ("if-match: a", "if-match: b"),
        ("cookie: session=1", "cookie: session=2"),
        (";created=1", ";created=2"),
        ("nonce=\"", "nonce=\"A"),
    ] {
        let fields = [("if-match", "a"), ("cookie", "session=1")];
        let request = stand.signed_with(TRADER, "GET", "/read?to=alice", "", &fields);
        assert!(request.contains(from), "{from} is not in {request}");
        let answer = stand.send(&request.replacen(from, to, 1));
        let is_refused = (400..500).contains(&answer.status);
        assert!(is_refused, "{from} → {to}: {}", answer.text);
    }
    for field in [
        "if-none-match: x\r\n",
        "content-type: text/plain\r\n",
        "idempotency-key: 1\r\n",
        "cookie: session=1\r\n",
        "x-http-method-override: DELETE\r\n",
        "x-original-url: /withdraw\r\n",
        "x-rewrite-url: /withdraw\r\n",
    ] {
        let request = stand.signed(TRADER, "GET", "/read", "");
        stand.refused(&with(&request, field), "401 request.signature_must_cover");
    }
    assert_eq!(stand.application.received().len(), 0);
}

fn sixteen_at_once_with_the_same_bytes_get_in_once(proxy: Proxy) {
    let Some(stand) = Stand::of(proxy) else { return };
    let request = stand.signed(TRADER, "POST", "/withdraw", BODY);
    let ready = Barrier::new(16);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let tries = [(); 16].map(|()| {
            scope.spawn(|| {
                ready.wait();
                stand.send(&request).status
            })
        });
        tries.map(|tried| tried.join().unwrap()).to_vec()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 15, "{statuses:?}");
    assert_eq!(stand.application.received().len(), 1);
}

/// With more fields, before the others.
pub fn with(request: &str, fields: &str) -> String {
    request.replacen("connection: close\r\n", &format!("connection: close\r\n{fields}"), 1)
}
