//! Attempts to bring a request to the application that the gate did not judge, or that it judged as another one, or
//! twice; each by somebody who has a key or has seen a signed request go by.

use crate::behind_both;
use crate::passes::with;
use crate::stand::{Proxy, READER, Stand, TRADER};

const BODY: &str = r#"{"to":"alice"}"#;

behind_both! {
    nobody_speaks_for_the_proxy_or_the_gate
    a_client_does_not_have_fields_taken_away
    a_path_with_a_second_reading_does_not_lead_elsewhere
    a_request_with_two_readings_is_refused
    what_hides_behind_a_request_is_judged_for_itself
    fields_that_are_too_long_are_refused
    the_places_between_proxy_and_gate_are_closed
}

fn nobody_speaks_for_the_proxy_or_the_gate(proxy: Proxy) {
    let Some(stand) = Stand::of(proxy) else { return };
    // To the gate: a question about another request.
    for fields in [
        "x-original-uri: /prices\r\nx-original-method: GET\r\n",
        "x-original-host: elsewhere\r\nx-original-scheme: https\r\n",
        "x-original-content-length: 0\r\nx-original-transfer-encoding: \r\n",
        "x-forwarded-proto: https\r\nx-forwarded-host: elsewhere\r\nforwarded: host=elsewhere;proto=https\r\n",
        "x-real-ip: 10.0.0.1\r\nx-real-ip: 10.0.0.2\r\n",
        "x-envoy-original-path: /withdraw\r\nx-envoy-auth-partial-body: true\r\n",
    ] {
        let got = stand.passes(&with(&stand.signed(TRADER, "GET", "/prices", ""), fields));
        assert_eq!(got.line, "GET /prices");
        assert_eq!(got.field("x-strongroom-principal"), ["trader"], "{fields}");
        assert_eq!(got.field("x-strongroom-key").len(), 1, "{fields}");
        assert_eq!(got.field("x-real-ip"), ["127.0.0.1"], "{fields}");
        assert_eq!(got.field("x-forwarded-proto"), ["http"], "{fields}");
        // What was meant for the gate did not get there, and means nothing to the application.
        let believed = got.fields.iter().filter(|(name, _)| !name.starts_with("x-original-"));
        assert!(believed.clone().all(|(_, value)| !value.contains("elsewhere")), "{got:?}");
        let unsigned = with(&stand.plain("GET", "/prices", ""), fields);
        stand.refused(&unsigned, "401 request.must_be_signed");
    }
    // To the gate: a smaller need. To the application: a greater name.
    for fields in [
        "x-strongroom-need: app:read\r\n",
        "X-Strongroom-Need: app:read\r\nx-strongroom-need: app:read\r\n",
        "x-strongroom-principal: boss\r\n",
        "x-strongroom-principal: boss\r\nx-strongroom-principal: boss\r\n",
        "x-strongroom-key: k1.1\r\nx-strongroom-scopes: app:everything\r\n",
        "x-strongroom-content: none\r\nx-strongroom-refusal: e30=\r\nx-strongroom-else: 1\r\n",
        "x_strongroom_principal: boss\r\n",
        "X_STRONGROOM_PRINCIPAL: boss\r\n",
        "x-strongroom_principal: boss\r\n",
        "x-strongroom-principal : boss\r\n",
        "x-strongroom-principal:\r\n boss\r\n",
    ] {
        stand.refused(
            &with(&stand.signed(READER, "POST", "/withdraw", BODY), fields),
            match proxy {
                _ if fields.contains(" :") => "400",
                // Envoy joins a folded line, and takes the field away like the others.
                Proxy::Nginx if fields.contains(":\r\n ") => "400",
                Proxy::Envoy if fields.contains('_') => "400",
                Proxy::Nginx if !fields.contains('_') => "400 request.must_not_speak_for_the_gate",
                _ => "403 key.scope_must_be_granted",
            },
        );
        let request = with(&stand.signed(TRADER, "POST", "/withdraw", BODY), fields);
        let before = stand.application.received().len();
        let answer = stand.send(&request);
        // Refused, or passed without what was made up: never handed on.
        for got in &stand.application.received()[before..] {
            assert_eq!(got.field("x-strongroom-principal"), ["trader"], "{fields}");
            assert_eq!(
                got.fields.iter().filter(|(name, _)| name.contains("strongroom")).count(),
                3,
                "{got:?}"
            );
        }
        assert!(matches!(answer.status, 200 | 400), "{fields}: {}", answer.text);
    }
}

/// A field that `Connection` names is for the next hop only (RFC 9110 section 7.6.1).
fn a_client_does_not_have_fields_taken_away(proxy: Proxy) {
    let Some(stand) = Stand::of(proxy) else { return };
    for name in [
        "x-strongroom-principal",
        "x-strongroom-key, x-strongroom-scopes",
        "x-strongroom-need",
        "x-real-ip",
        "x-forwarded-proto",
        "x-original-uri, x-original-method",
        "signature, signature-input",
        "content-digest",
        "content-length",
        "transfer-encoding",
        "host",
    ] {
        let before = stand.application.received().len();
        let request = stand.signed(TRADER, "POST", "/withdraw", BODY);
        let answer = stand.send(&with(&request, &format!("connection: {name}\r\n")));
        let received = stand.application.received();
        match &received[before..] {
            [] => assert!(matches!(answer.status, 400..=499), "{name}: {}", answer.text),
            [got] => {
                assert_eq!((got.line.as_str(), got.body.as_str()), ("POST /withdraw", BODY), "{name}");
                assert_eq!(got.field("x-strongroom-principal"), ["trader"], "{name}");
                assert_eq!(got.field("x-strongroom-scopes"), ["app:read app:withdraw"], "{name}");
                assert_eq!(got.field("x-real-ip"), ["127.0.0.1"], "{name}");
            }
            more => panic!("{name}: {more:?}"),
        }
        let unsigned = with(&stand.plain("GET", "/withdraw", ""), &format!("connection: {name}\r\n"));
        assert!(matches!(stand.send(&unsigned).status, 400..=499), "{name}");
        assert_eq!(stand.application.received().len(), received.len(), "{name}");
    }
}

fn a_path_with_a_second_reading_does_not_lead_elsewhere(proxy: Proxy) {
    let Some(stand) = Stand::of(proxy) else { return };
    for path in [
        "//withdraw",
        "/prices//x",
        "/prices/../withdraw",
        "/withdraw/../prices",
        "/prices/./x",
        "/prices/..;/withdraw",
        "/prices/%2e%2e/withdraw",
        "/withdraw/%2e%2e/prices",
        "/prices/%2E./withdraw",
        "/%77ithdraw",
        "/withdra%77",
        "/prices%2f..%2fwithdraw",
        "/prices%5c..%5cwithdraw",
        "/prices\\..\\withdraw",
        "/prices/%252e%252e/withdraw",
        "/withdraw%00",
        "/withdraw%0d%0aX-Strongroom-Principal:%20boss",
        "/withdraw%3fx",
        "/withdraw%23",
    ] {
        let before = stand.application.received().len();
        for key in [READER, TRADER] {
            let answer = stand.send(&stand.signed(key, "GET", path, ""));
            assert!(matches!(answer.status, 400 | 401 | 403), "{path}: {}", answer.text);
        }
        assert_eq!(stand.application.received().len(), before, "{path}");
    }
}

fn a_request_with_two_readings_is_refused(proxy: Proxy) {
    let Some(stand) = Stand::of(proxy) else { return };
    let host = stand.host();
    let change = |from: &str, to: &str| {
        let request = stand.signed(TRADER, "POST", "/withdraw?to=alice", BODY);
        assert!(request.contains(from), "{from} is not in {request}");
        request.replacen(from, to, 1)
    };
    let length = format!("content-length: {}\r\n", BODY.len());
    let host_line = format!("host: {host}\r\n");
    for request in [
        // Another host: beside the one that was signed, in the target, or as a user's name.
        change(&host_line, &format!("{host_line}host: elsewhere\r\n")),
        change(&host_line, &format!("host: elsewhere\r\n{host_line}")),
        change(&host_line, &format!("host: {host}, elsewhere\r\n")),
        change(&host_line, &format!("host: elsewhere@{host}\r\n")),
        change(&host_line, ""),
        change("POST /", "POST http://elsewhere/"),
        change("POST /", "POST elsewhere/"),
        change("POST /", "POST //elsewhere/"),
        // Two lengths of the content.
        change(&length, &format!("{length}transfer-encoding: chunked\r\n")),
        change(&length, &format!("transfer-encoding: chunked\r\n{length}")),
        change(&length, &format!("{length}content-length: 0\r\n")),
        change(&length, &format!("content-length: 0\r\n{length}")),
        change(&length, &format!("content-length: +{}\r\n", BODY.len())),
        change(&length, &format!("content-length : {}\r\n", BODY.len())),
        change(&length, "content-length: 0x0e\r\n"),
        change(&length, &format!("content-length: {0}, {0}\r\n", BODY.len())),
        change(&length, "transfer-encoding: xchunked\r\n"),
        change(&length, "transfer-encoding: chunked, identity\r\n"),
        change(&length, "transfer-encoding: identity, chunked\r\n"),
        change(&length, "transfer-encoding:\r\n chunked\r\n"),
        change(&length, "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n"),
        change(&length, "transfer-encoding:\x0bchunked\r\n"),
        // Bytes that one reader cuts at and the other does not.
        change("?to=alice", "?to=alice#&to=mallory"),
        change("?to=alice", "#?to=alice"),
        change("POST /withdraw", "POST /withdraw\0"),
        change(" HTTP/1.1", " x HTTP/1.1"),
        change(" HTTP/1.1", " HTTP/9.9"),
        change("\r\n\r\n", "\r\nx: a\0b\r\n\r\n"),
    ] {
        let before = stand.application.received().len();
        let answer = stand.send(&request);
        assert_ne!(answer.status, 200, "{request}\n{}", answer.text);
        assert_eq!(stand.application.received().len(), before, "{request}");
    }
    // A lenient reader may take these for what was signed, and then just that goes on.
    for request in [
        change("?to=alice", "?to=alice\t"),
        change("POST /", "\r\nPOST /"),
        change("POST /", "POST  /"),
        change(" HTTP/1.1\r\n", " HTTP/1.1\n"),
        change("\r\nconnection", "\nconnection"),
        change(&host_line, &format!("HOST:\t{host} \r\n")),
        change(&length, &format!("content-length: 0{}\r\n", BODY.len())),
        change(" HTTP/1.1", " HTTP/1.0"),
        change("POST /", &format!("POST http://{host}/")),
    ] {
        let before = stand.application.received().len();
        let answer = stand.send(&request);
        match &stand.application.received()[before..] {
            [] => assert!(matches!(answer.status, 0 | 400..=499), "{request}\n{}", answer.text),
            [got] => {
                assert_eq!((got.line.as_str(), got.body.as_str()), ("POST /withdraw?to=alice", BODY));
                assert_eq!(got.field("host"), [host.as_str()], "{request}");
            }
            more => panic!("{request}: {more:?}"),
        }
    }
}

fn what_hides_behind_a_request_is_judged_for_itself(proxy: Proxy) {
    let Some(stand) = Stand::of(proxy) else { return };
    let hidden =
        format!("POST /withdraw?to=mallory HTTP/1.1\r\nhost: {}\r\ncontent-length: 0\r\n\r\n", stand.host());
    let keep = |request: String| request.replacen("connection: close\r\n", "", 1);
    let closing = stand.plain("GET", "/end", "");
    for request in [
        // After a request that passes, and after one that does not.
        keep(stand.signed(TRADER, "GET", "/prices", "")) + &hidden + &closing,
        keep(stand.plain("GET", "/prices", "")) + &hidden + &closing,
        // In the content of one that passes, of one that is refused, and of one that announces to change the protocol.
        keep(stand.signed(TRADER, "POST", "/withdraw", &hidden)) + &closing,
        keep(stand.plain("POST", "/withdraw", &format!("content-length: {}\r\n", hidden.len()))) + &hidden + &closing,
        with(&stand.signed(TRADER, "GET", "/prices", ""), "upgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n") + &hidden,
        with(&stand.signed(TRADER, "GET", "/prices", ""), "upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n")
            .replacen("connection: close", "connection: upgrade", 1) + &hidden + &closing,
        // In what an expectation and a chunk leave over.
        keep(with(&stand.plain("POST", "/withdraw", "transfer-encoding: chunked\r\n"), "expect: 100-continue\r\n")) + "0\r\n\r\n" + &hidden + &closing,
        keep(stand.plain("POST", "/withdraw", "transfer-encoding: chunked\r\n")) + "0;x=\n" + &hidden + "\r\n\r\n" + &hidden + &closing,
        format!("CONNECT {0} HTTP/1.1\r\nhost: {0}\r\n\r\n{hidden}{closing}", stand.host()),
    ] {
        let answer = stand.send(&request);
        let received = stand.application.received();
        let stolen = received.iter().find(|got| got.line.contains("mallory"));
        assert!(stolen.is_none(), "{request}\n{}\n{stolen:?}", answer.text);
        assert!(received.iter().all(|got| got.field("x-strongroom-principal") == ["trader"]), "{received:?}");
    }
    // Envoy refuses to change to a protocol that is not configured; nginx goes on in HTTP.
    let passed = if proxy == Proxy::Envoy { 3 } else { 4 };
    assert_eq!(stand.application.received().len(), passed, "{:?}", stand.application.received());
}

fn fields_that_are_too_long_are_refused(proxy: Proxy) {
    let Some(stand) = Stand::of(proxy) else { return };
    let long = |length: usize| "a".repeat(length);
    for fields in [
        format!("x-long: {}\r\n", long(200_000)),
        format!("x-{}: 1\r\n", long(200_000)),
        format!("signature-input: a=({})\r\n", long(5_000)),
        format!("signature: a=:{}:\r\n", long(9_000)),
        format!("cookie: {}\r\n", long(70_000)),
        (0..20_000).map(|place| format!("x-{place}: 1\r\n")).collect(),
        "x: 1\r\n".repeat(20_000),
    ] {
        let before = stand.application.received().len();
        let answer = stand.send(&with(&stand.signed(TRADER, "GET", "/prices", ""), &fields));
        assert_ne!(answer.status, 200, "{}", answer.text);
        assert_eq!(stand.application.received().len(), before);
    }
    let target = format!("/prices?{}", long(100_000));
    let answer = stand.send(&stand.plain("GET", &target, ""));
    assert!(matches!(answer.status, 400..=499), "{}", answer.text);
    let longer = stand.signed(TRADER, "POST", "/withdraw", &long(1024 * 1024 + 1));
    assert_eq!(stand.send(&longer).status, 413);
    assert_eq!(stand.application.received().len(), 0);
}

fn the_places_between_proxy_and_gate_are_closed(proxy: Proxy) {
    let Some(stand) = Stand::of(proxy) else { return };
    for target in [
        "/strongroom",
        "/strongroom?scope=app:read",
        "/@application",
        "/@refused",
        "@application",
        "/gate/nginx?scope=app:read",
        "/gate/envoy/prices",
        "*",
    ] {
        for method in ["GET", "POST", "OPTIONS"] {
            let before = stand.application.received().len();
            let answer = stand.send(&stand.plain(method, target, "content-length: 0\r\n"));
            assert!((400..500).contains(&answer.status), "{method} {target}: {}", answer.text);
            assert_eq!(stand.application.received().len(), before);
        }
    }
}
