//! What anyone may read: health, the API as a page and as a document, error pages, the server's keys.

use crate::endpoint::{ENDPOINTS, Leave};
use crate::guard::problem_of;
use crate::house::Shared;
use crate::keys::server_keys;
use crate::openapi::document;
use crate::problem::Problem;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::header;
use maud::{DOCTYPE, Markup, html};
use serde_json::{Value, json};
use strongroom_units::time::Timestamp;

/// How long the desk may take to say that it works.
const READY_WAIT: std::time::Duration = std::time::Duration::from_secs(2);
const STYLE: &str = include_str!("page.css");

fn page(title: &str, content: &Markup) -> Html<String> {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (maud::PreEscaped(STYLE)) }
            }
            body { main { (content) } }
        }
    };
    Html(page.into_string())
}

pub(crate) async fn home() -> Html<String> {
    page(
        "Strongroom",
        &html! {
            h1 { "Strongroom" }
            p { "This server runs crypto funds and guards the API that moves their assets. Every request is signed." }
            ul {
                li { a href="/docs" { "The API, to read" } }
                li { a href="/openapi.json" { "The API as OpenAPI 3.1" } }
                li { a href="/.well-known/http-message-signatures-directory" { "The keys with which it signs" } }
            }
        },
    )
}

/// Whether the server answers and its desk works.
pub(crate) async fn health(State(house): State<Shared>) -> Result<Json<Value>, Problem> {
    house.ask(|_| ()).await?;
    Ok(Json(json!({ "status": "ok", "time": Timestamp::now().to_string() })))
}

/// Whether a signed request could be let in and its command be durable.
pub(crate) async fn ready(State(house): State<Shared>) -> Result<Json<Value>, Problem> {
    if let Some(refusal) = house.gate.trouble() {
        return Err(problem_of(&house, &refusal));
    }
    let asked = tokio::time::timeout(READY_WAIT, house.ask(|desk| desk.access().map(drop)));
    let busy = || Problem::from(strongroom_desk::DeskError::Busy);
    asked.await.map_err(|_| busy())???;
    Ok(Json(json!({ "status": "ready", "time": Timestamp::now().to_string() })))
}

pub(crate) async fn openapi() -> Response {
    ([(header::CACHE_CONTROL, "public, max-age=300")], Json(document())).into_response()
}

pub(crate) async fn docs() -> Html<String> {
    page(
        "Strongroom API",
        &html! {
            h1 { "Strongroom API" }
            p {
                "Every request below that needs a key is signed by RFC 9421: method, authority, path, query, content type "
                "and content digest are covered, with a nonce that is good once and at most 60 seconds to live. Every "
                "answer is signed too. A refusal is a problem document (RFC 9457) with a stable code."
            }
            p { "As a document: " a href="/openapi.json" { "openapi.json" } "." }
            @for endpoint in ENDPOINTS {
                section {
                    h2 {
                        span class={ "method " (endpoint.method.to_ascii_lowercase()) } { (endpoint.method) }
                        " " code { (endpoint.path) }
                    }
                    p { (endpoint.summary) "." }
                    dl {
                        dt { "needs" }
                        dd { (need_of(endpoint.leave)) }
                        @for (name, meaning) in endpoint.query {
                            dt { code { "?" (name) } }
                            dd { (meaning) }
                        }
                        @for (what, named) in [("takes", &endpoint.takes), ("gives", &endpoint.gives)] {
                            @if let Some(named) = named {
                                dt { (what) }
                                dd { (fields(&serde_json::to_value((named.schema)()).unwrap_or_default())) }
                            }
                        }
                    }
                }
            }
        },
    )
}

fn need_of(leave: Leave) -> Markup {
    html! {
        @match leave {
            Leave::Anyone => "nothing",
            Leave::Enrolment => "a one-time code, and a signature by the key that is being enrolled",
            Leave::Scope(scope) => { "a key with the scope " code { (scope) } },
            Leave::ByCommand => "a key with the scope of the command",
            Leave::AnyKey => "any working key",
        }
    }
}

/// The members of an object schema as a table.
fn fields(schema: &Value) -> Markup {
    let properties = schema.get("properties").and_then(Value::as_object);
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|one| one == name));
    html! {
        @if let Some(properties) = properties {
            table {
                @for (name, property) in properties {
                    tr {
                        td { code { (name) } }
                        td { (if is_required(name) { "required" } else { "" }) }
                        td { (property.get("description").and_then(Value::as_str).unwrap_or_default()) }
                    }
                }
            }
        }
    }
}

pub(crate) async fn error(Path(code): Path<String>) -> Result<Html<String>, Problem> {
    let text = crate::errors::page_of(&code).ok_or_else(|| Problem::not_found("such error code"))?;
    Ok(page(
        &code,
        &html! { h1 { code { (code) } } @for part in text.split("\n\n").skip(1) { p { (part) } } },
    ))
}

/// The server's keys as a JSON Web Key Set, newest first.
pub(crate) async fn directory(State(house): State<Shared>) -> Response {
    let keys: Vec<Value> = house
        .gate
        .access(server_keys)
        .into_iter()
        .rev()
        .map(|key| {
            let public = STANDARD.decode(&key.public_key).unwrap_or_default();
            json!({
                "kty": "OKP",
                "crv": "Ed25519",
                "kid": key.key,
                "x": URL_SAFE_NO_PAD.encode(public),
                "use": "sig",
                "alg": "EdDSA",
                "vouched": key.vouched,
            })
        })
        .collect();
    let kind = "application/http-message-signatures-directory+json";
    ([(header::CONTENT_TYPE, kind)], json!({ "keys": keys }).to_string()).into_response()
}
