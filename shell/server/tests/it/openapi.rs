//! The OpenAPI document is as published, and every reference in it leads somewhere.

use serde_json::Value;
use strongroom_server::{ENDPOINTS, document};

#[test]
fn the_document_is_as_published() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/openapi.json");
    let text = serde_json::to_string_pretty(&document()).unwrap() + "\n";
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "spec/openapi.json differs; look at the change, then run the test with UPDATE_GOLDEN=1"
    );
}

#[test]
fn every_endpoint_is_in_it_and_every_reference_leads_somewhere() {
    let document = document();
    for endpoint in ENDPOINTS {
        let operation = &document["paths"][endpoint.path][endpoint.method.to_ascii_lowercase()];
        assert!(operation["summary"].is_string(), "{} {}", endpoint.method, endpoint.path);
    }
    let mut found = 0;
    walk(&document, &mut |reference| {
        let place = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(place).is_some(), "{reference} leads nowhere");
        found += 1;
    });
    assert!(found > 20, "{found}");
}

fn walk(value: &Value, seen: &mut impl FnMut(&str)) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), member) {
                    ("$ref", Value::String(reference)) => seen(reference),
                    _ => walk(member, seen),
                }
            }
        }
        Value::Array(members) => members.iter().for_each(|member| walk(member, seen)),
        _ => {}
    }
}
