//! The published libraries of PyPI and npm take what is signed here, with either secret of a rotation. They know v1 only;
//! v1a is judged by the vectors, which are made by another implementation.

use crate::{id, secret, secrets};
use serde_json::{Value, json};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};
use strongroom_testing::interop;

/// Secrets, whether what is signed now is to be taken, and the webhooks.
fn rows() -> (Vec<Value>, Vec<bool>) {
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let mut rotating = secrets(2);
    rotating.rotate(secret(4), now, 3_600).unwrap();
    let mut mixed = secrets(3);
    mixed.rotate(secret(6), now, 3_600).unwrap();
    let mut over = secrets(2);
    over.rotate(secret(4), now - 3_600, 3_600).unwrap();
    let content = r#"{"type":"nav.published","data":{"fund":"BTCX","note":"Größe"}}"#;
    let expected = [
        (&rotating, 2, true),
        (&rotating, 4, true),
        (&rotating, 6, false),
        (&mixed, 6, true),
        (&over, 2, false),
        (&over, 4, true),
    ];
    let row = |(signing, seed, _): &(&strongroom_webhook::Secrets, u8, bool)| {
        let signature = signing.signatures(&id("msg_1"), now, content.as_bytes()).unwrap();
        let headers = json!({
            "webhook-id": "msg_1", "webhook-timestamp": now.to_string(), "webhook-signature": signature,
        });
        json!({ "secret": *secret(*seed).for_the_receiver(), "headers": headers, "content": content })
    };
    (expected.iter().map(row).collect(), expected.iter().map(|(_, _, is_good)| *is_good).collect())
}

#[test]
fn the_published_libraries_take_what_is_signed_here() {
    let Some(folder) = interop::installed(env!("CARGO_TARGET_TMPDIR")) else { return };
    let (rows, expected) = rows();
    let mut node = Command::new("node");
    node.arg(interop::judges().join("webhook_judge.mjs")).arg(&folder);
    for mut judge in [interop::python(&folder, "webhook_judge.py"), node] {
        let said = interop::answer(&mut judge, &json!(rows).to_string());
        let judged: Vec<bool> = serde_json::from_str(&said).unwrap();
        assert_eq!(judged, expected, "{judge:?}");
    }
}
