//! The OpenAPI 3.1 document, made from the table of endpoints.

use crate::endpoint::{ENDPOINTS, Endpoint, Leave, Named};
use crate::problem::ProblemDetails;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// The document. The same program gives the same bytes.
pub fn document() -> Value {
    let mut schemas: BTreeMap<String, RefOr<Schema>> = BTreeMap::new();
    schemas.insert(ProblemDetails::name().into_owned(), ProblemDetails::schema());
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for endpoint in ENDPOINTS {
        for named in [&endpoint.takes, &endpoint.gives].into_iter().flatten() {
            let mut others = Vec::new();
            (named.others)(&mut others);
            schemas.extend(others);
            schemas.insert(key_of(named), (named.schema)());
        }
        let entry = paths.entry(endpoint.path).or_default();
        entry.insert(endpoint.method.to_ascii_lowercase(), operation(endpoint));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Strongroom",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT OR Apache-2.0" },
            "description": "A crypto ETF's orders, NAVs and keys. Every request but the public ones is signed by RFC 9421 \
                under the profile of spec/http-signature-profile.md; every answer is signed by the server.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "signature": {
                    "type": "http",
                    "scheme": "signature",
                    "description": "HTTP Message Signatures (RFC 9421), tag strongroom-request",
                },
                "bearer": { "type": "http", "scheme": "bearer", "description": "For reading only" },
            },
        },
    })
}

/// Names of generic types hold characters that a component's name may not.
fn key_of(named: &Named) -> String {
    (named.name)().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

fn operation(endpoint: &Endpoint) -> Value {
    let mut parameters: Vec<Value> = path_parameters(endpoint.path)
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    parameters.extend(endpoint.query.iter().map(|(name, meaning)| {
        json!({ "name": name, "in": "query", "description": meaning, "schema": { "type": "string" } })
    }));
    let mut operation = json!({
        "summary": endpoint.summary,
        "operationId": operation_id(endpoint),
        "parameters": parameters,
        "responses": responses(endpoint),
        "security": security(endpoint),
    });
    if let (Some(takes), Some(operation)) = (&endpoint.takes, operation.as_object_mut()) {
        let content = json!({ "application/json": { "schema": reference(takes) } });
        operation.insert("requestBody".to_owned(), json!({ "required": true, "content": content }));
    }
    if let (Leave::ByCommand, Some(operation)) = (endpoint.leave, operation.as_object_mut()) {
        let content =
            json!({ "application/json": { "schema": { "type": "object", "required": ["command"] } } });
        operation.insert("requestBody".to_owned(), json!({ "required": true, "content": content }));
    }
    if let (Leave::Scope(scope), Some(operation)) = (endpoint.leave, operation.as_object_mut()) {
        operation.insert("x-scope".to_owned(), json!(scope));
    }
    operation
}

fn reference(named: &Named) -> Value {
    json!({ "$ref": format!("#/components/schemas/{}", key_of(named)) })
}

fn responses(endpoint: &Endpoint) -> Value {
    let mut success = json!({ "description": "Done" });
    if let (Some(gives), Some(success)) = (&endpoint.gives, success.as_object_mut()) {
        success.insert("content".to_owned(), json!({ "application/json": { "schema": reference(gives) } }));
    }
    let problem = json!({
        "description": "Refused; nothing was changed",
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/ProblemDetails" } } },
    });
    json!({ endpoint.status.as_str(): success, "default": problem })
}

fn security(endpoint: &Endpoint) -> Value {
    match (endpoint.leave, endpoint.method) {
        (Leave::Anyone, _) => json!([]),
        (Leave::Enrolment, _) => json!([{ "signature": [] }]),
        (_, "GET") => json!([{ "signature": [] }, { "bearer": [] }]),
        _ => json!([{ "signature": [] }]),
    }
}

/// `get_v1_funds_fund_orders`: stable, and a name in any language.
fn operation_id(endpoint: &Endpoint) -> String {
    let words = endpoint.path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let words = core::iter::once(endpoint.method.to_ascii_lowercase()).chain(words.map(str::to_owned));
    words.collect::<Vec<_>>().join("_")
}

fn path_parameters(path: &'static str) -> impl Iterator<Item = &'static str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}
