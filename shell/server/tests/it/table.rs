//! Every endpoint against every kind of caller: a golden table. An endpoint without its row fails.

use std::fmt::Write;
use std::path::Path;

use crate::home::{Home, Server, now, trade_date};
use strongroom_server::{ENDPOINTS, Endpoint, Leave};

const CASES: [&str; 10] = [
    "unsigned",
    "bad signature",
    "stale",
    "not yet valid",
    "replayed",
    "expired key",
    "wrong scope",
    "wrong environment",
    "wrong role",
    "right",
];

fn path_of(endpoint: &Endpoint) -> String {
    let place = |part: &str| match part {
        "{fund}" => "BTCX".to_owned(),
        "{order}" => "T1".to_owned(),
        "{lineage}" => "k0000000000zz".to_owned(),
        "{code}" => "request.nonce_was_used".to_owned(),
        "{enrolment}" => "e0000000000zz".to_owned(),
        "{*path}" => "0/000.p/1".to_owned(),
        part => part.to_owned(),
    };
    endpoint.path.split('/').map(place).collect::<Vec<_>>().join("/")
}

/// A body that the endpoint can read. What it asks for may still be refused by a rule of the fund.
fn body_of(endpoint: &Endpoint) -> String {
    match (endpoint.method, endpoint.path) {
        ("POST", "/v1/funds/{fund}/orders") => {
            format!(
                r#"{{"id":"T1","side":"creation","baskets":1,"trade_date":"{}","participant":"AP-ONE"}}"#,
                trade_date()
            )
        }
        ("POST", "/v1/funds/{fund}/commands") => r#"{"command":"wake"}"#.to_owned(),
        ("POST", "/v1/server-keys/rotate") => String::new(),
        ("POST", "/v1/session-tokens") => r#"{"purpose":"events","context":"BTCX"}"#.to_owned(),
        ("POST", "/v1/principals") => r#"{"id":"somebody","role":"auditor"}"#.to_owned(),
        ("POST", "/v1/keys") => {
            r#"{"principal":"ap-one","scopes":["read"],"algorithm":"ed25519","environment":"dev"}"#.to_owned()
        }
        ("POST", "/v1/keys/{lineage}/rotate") => "{}".to_owned(),
        ("POST", "/v1/rotations/policy") => r#"{"lineage":"k0000000000zz"}"#.to_owned(),
        ("POST", "/v1/rotations/emergency") => r#"{"lineage":"k0000000000zz","reason":"a test"}"#.to_owned(),
        ("POST", "/v1/keys/{lineage}/rollback") => r#"{"reason":"a test"}"#.to_owned(),
        ("POST", "/v1/keys/{lineage}/revoke") => r#"{"reason":"a test"}"#.to_owned(),
        ("POST", "/v1/keys/{lineage}/restrict") => r#"{"reason":"a test"}"#.to_owned(),
        ("POST", path) => panic!("{path} needs a body here"),
        _ => String::new(),
    }
}

fn case(server: &Server<'_>, endpoint: &Endpoint, case: &str) -> String {
    let asked = || server.asks(endpoint.method, &path_of(endpoint), &body_of(endpoint));
    let told = match case {
        "unsigned" => server.send(&asked()),
        "bad signature" => server.send(&asked().signed_by("ap-two", "operator")),
        "stale" => server.send(&asked().signed_at("operator", now() - 600)),
        "not yet valid" => server.send(&asked().signed_at("operator", now() + 600)),
        "replayed" => {
            let signed = asked().signed("operator");
            server.send(&signed);
            server.send(&signed)
        }
        "expired key" => server.send(&asked().signed("expired")),
        "wrong scope" => server.send(&asked().signed("scopeless")),
        "wrong environment" => server.send(&asked().signed("tester")),
        "wrong role" => server.send(&asked().signed("ap-one")),
        _ => server.send(&asked().signed("operator")),
    };
    format!("{} {}", told.status, told.code())
}

#[test]
fn every_endpoint_refuses_every_wrong_caller() {
    let home = Home::new();
    let server = home.start().settled();
    let mut table = String::new();
    for endpoint in ENDPOINTS.iter().filter(|endpoint| {
        !matches!(endpoint.leave, Leave::Anyone | Leave::Enrolment) && !endpoint.path.ends_with("/events")
    }) {
        writeln!(table, "{} {}", endpoint.method, endpoint.path).unwrap();
        for name in CASES {
            writeln!(table, "    {name:<18} {}", case(&server, endpoint, name)).unwrap();
        }
    }
    golden("gate.txt", &table);
}

/// The same for the streams, which answer without an end.
#[test]
fn the_streams_of_events_refuse_every_wrong_caller() {
    let home = Home::new();
    let server = home.start().settled();
    let mut table = String::new();
    for endpoint in ENDPOINTS.iter().filter(|endpoint| endpoint.path.ends_with("/events")) {
        writeln!(table, "{} {}", endpoint.method, endpoint.path).unwrap();
        for name in CASES.iter().filter(|name| !["right", "wrong role", "replayed"].contains(name)) {
            writeln!(table, "    {name:<18} {}", case(&server, endpoint, name)).unwrap();
        }
    }
    golden("events.txt", &table);
}

#[test]
fn what_anyone_may_read_needs_no_key() {
    let home = Home::new();
    let server = home.start();
    for endpoint in ENDPOINTS.iter().filter(|endpoint| endpoint.leave == Leave::Anyone) {
        let told = server.send(&server.asks("GET", &path_of(endpoint), ""));
        assert_eq!(told.status, 200, "{}", endpoint.path);
    }
    assert_eq!(server.send(&server.asks("GET", "/nowhere", "")).code(), "resource.must_exist");
    assert_eq!(server.send(&server.asks("PUT", "/v1/funds", "")).code(), "request.method_must_be_allowed");
}

pub fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == text, "{name} differs; look at it, then run the test with UPDATE_GOLDEN=1\n{text}");
}
