//! What the server tells about itself, and to whom.

use crate::home::{Home, Server, key_id};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Lines};

fn metrics(server: &Server<'_>) -> String {
    let told = server.ask("operator", "GET", "/metrics", "");
    assert_eq!(told.code(), "ok");
    assert!(told.headers["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    String::from_utf8(told.body).unwrap()
}

/// The value of a series; 0 where there is none yet.
fn value(text: &str, series: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map_or(0.0, |value| value.parse().unwrap())
}

#[test]
fn every_answer_has_an_id_and_a_problem_names_it() {
    let home = Home::new();
    let server = home.start().settled();
    let id = |told: &crate::home::Told| told.headers["x-request-id"].to_str().unwrap().to_owned();
    let mut asked = server.asks("GET", "/v1/whoami", "");
    asked.headers.insert("x-request-id", "mine".parse().unwrap());
    let told = server.send(&asked);
    assert_eq!(told.json()["request_id"], json!(id(&told)));
    assert!(id(&told).len() == 24 && id(&told) != "mine", "a client does not name its own request");
    let other = server.ask("ap-one", "GET", "/v1/whoami", "");
    assert_ne!(id(&told), id(&other));
    assert!(other.json().get("request_id").is_none());
    assert!(server.send(&server.asks("GET", "/nowhere", "")).headers.contains_key("x-request-id"));
}

#[test]
fn figures_count_what_happens_and_make_no_series_of_what_clients_make_up() {
    let home = Home::new();
    let server = home.start().settled();
    let before = metrics(&server);
    let signed = server.asks("GET", "/v1/whoami", "").signed("ap-one");
    assert_eq!(server.send(&signed).code(), "ok");
    for _ in 0..3 {
        assert_eq!(server.send(&signed).code(), "request.nonce_was_used");
    }
    for number in 0..20 {
        server.send(&server.asks("PATCH", &format!("/made/up/{number}"), ""));
        server.send(&server.asks("GET", &format!("/errors/made.up_{number}"), ""));
    }
    let after = metrics(&server);
    let grown = |series: &str| value(&after, series) - value(&before, series);
    let series = |code: &str| {
        format!(r#"strongroom_requests_total{{method="GET",endpoint="/v1/whoami",code="{code}"}}"#)
    };
    assert_eq!(grown(&series("ok")), 1.0);
    assert_eq!(grown(&series("request.nonce_was_used")), 3.0);
    assert_eq!(grown("strongroom_nonces_refused_total"), 3.0);
    assert_eq!(grown(r#"strongroom_security_events_total{kind="duplicate-nonce"}"#), 1.0, "once a minute");
    assert_eq!(grown(r#"strongroom_request_seconds_count{endpoint="/v1/whoami"}"#), 4.0);
    let made_up = r#"strongroom_requests_total{method="other",endpoint="none",code="resource.must_exist"}"#;
    assert_eq!(grown(made_up), 20.0);
    assert!(!after.contains("made/up") && !after.contains("made.up"), "{after}");
    assert!(value(&after, "strongroom_window_nonces") >= 2.0);
    assert!(value(&after, "strongroom_window_bytes") > 100.0);
    assert_eq!(value(&after, "strongroom_ready"), 1.0);
    assert!(after.ends_with("# EOF\n"));
    let order =
        json!({ "id": "T1", "side": "creation", "baskets": 1, "trade_date": crate::home::trade_date() });
    assert_eq!(server.ask("ap-one", "POST", "/v1/funds/BTCX/orders", &order.to_string()).status, 201);
    let ordered = metrics(&server);
    assert_eq!(
        value(&ordered, "strongroom_desk_commands_total") - value(&after, "strongroom_desk_commands_total"),
        1.0
    );
    assert!(value(&ordered, "strongroom_desk_group_largest") >= 1.0);
    // An operator's key is no secret; those of others stay out of the figures all the same.
    assert!(!ordered.contains(key_id("ap-one").trim_end_matches(".1")));
}

/// A scraper has a bearer key for this alone.
#[test]
fn a_bearer_key_reads_the_figures_and_nothing_else() {
    let home = Home::new();
    let server = home.start().settled();
    let principal = json!({ "id": "prometheus", "role": "read-only" }).to_string();
    assert_eq!(server.ask("operator", "POST", "/v1/principals", &principal).code(), "ok");
    let new = json!({ "principal": "prometheus", "scopes": ["metrics:read"], "algorithm": "bearer", "environment": "dev" });
    let issued = server.ask("operator", "POST", "/v1/keys", &new.to_string()).json();
    let secret = issued["secret"].as_str().unwrap_or_else(|| panic!("{issued}"));
    let ask = |path: &str| {
        let mut asked = server.asks("GET", path, "");
        asked.headers.insert("authorization", format!("Bearer {secret}").parse().unwrap());
        server.send(&asked).code()
    };
    assert_eq!(ask("/metrics"), "ok");
    assert_eq!(ask("/v1/funds/BTCX"), "key.scope_must_be_granted");
    assert_eq!(ask("/v1/security/events"), "principal.role_must_allow_scope");
}

#[test]
fn readiness_is_told_to_anyone() {
    let home = Home::new();
    let server = home.start();
    let told = server.send(&server.asks("GET", "/ready", ""));
    assert_eq!((told.status, &told.json()["status"]), (200, &json!("ready")));
    drop(server);
    let (Some(mut home), Some(mut redis)) = (Home::shared(), strongroom_testing::redis::Redis::start())
    else {
        return;
    };
    home.redis = Some(redis.url());
    let server = home.start();
    assert_eq!(server.send(&server.asks("GET", "/ready", "")).status, 200);
    redis.kill();
    let started = std::time::Instant::now();
    let told = loop {
        let told = server.send(&server.asks("GET", "/ready", ""));
        if told.status != 200 {
            break told;
        }
        assert!(started.elapsed().as_secs() < 10, "nobody looks after Redis");
    };
    assert_eq!((told.status, told.code().as_str()), (503, "server.redis_must_answer"));
    assert!(!told.json()["detail"].as_str().unwrap().contains("127.0.0.1"), "no address for strangers");
}

fn next_event(lines: &mut Lines<impl BufRead>) -> Value {
    let line = lines.find_map(|line| line.unwrap().strip_prefix("data:").map(str::to_owned)).unwrap();
    serde_json::from_str(line.trim()).unwrap()
}

#[test]
fn what_stands_out_is_followed_as_it_happens() {
    let home = Home::new();
    let server = home.start().settled();
    let follow = |last: Option<&str>| {
        let asked = server.asks("GET", "/v1/security/events", "").signed("operator");
        let mut request = ureq::get(asked.uri.to_string());
        for (name, value) in &asked.headers {
            request = request.header(name, value);
        }
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        BufReader::new(request.call().unwrap().into_body().into_reader()).lines()
    };
    let mut lines = follow(None);
    let signed = server.asks("GET", "/v1/whoami", "").signed("ap-one");
    for _ in 0..3 {
        server.send(&signed);
    }
    let event = next_event(&mut lines);
    assert_eq!((&event["kind"], &event["key"]), (&json!("duplicate-nonce"), &json!(key_id("ap-one"))));
    assert_eq!(event["source"], json!("127.0.0.0/24"));
    for _ in 0..5 {
        server.send(&server.asks("GET", "/v1/whoami", "").signed_by("ap-two", "ap-one"));
    }
    let event = next_event(&mut lines);
    assert_eq!((&event["kind"], &event["count"]), (&json!("signature-failures"), &json!(5)));
    server.send(&server.asks("GET", "/v1/whoami", "").signed("expired"));
    assert_eq!(next_event(&mut lines)["kind"], json!("ended-key-used"));
    let reason = json!({ "reason": "stolen" }).to_string();
    let revoke = format!("/v1/keys/{}/revoke", key_id("ap-two").trim_end_matches(".1"));
    assert_eq!(server.ask("operator", "POST", &revoke, &reason).code(), "ok");
    server.send(&server.asks("GET", "/v1/whoami", "").signed("ap-two"));
    let (mut event, mut seen) = (Value::Null, Vec::new());
    while event["kind"] != json!("revoked-key-used") {
        event = next_event(&mut lines);
        seen.push(event["kind"].clone());
        assert!(seen.len() < 5, "{seen:?}");
    }
    assert_eq!(event["key"], json!(key_id("ap-two")));
    let mut agent = server.asks("GET", "/v1/whoami", "");
    agent.headers.insert("user-agent", "another/1".parse().unwrap());
    server.send(&server.asks("GET", "/v1/whoami", "").signed("ap-one"));
    server.send(&agent.signed("ap-one"));
    assert_eq!(next_event(&mut lines)["kind"], json!("new-user-agent"));
    // Whoever comes back goes on from where it was.
    assert_eq!(next_event(&mut follow(Some("0")))["kind"], json!("duplicate-nonce"));
}
