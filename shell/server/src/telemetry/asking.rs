//! One request as the log has it: an id of the server's own making, which goes into the answer and into problems.

use crate::endpoint::ENDPOINTS;
use crate::house::Shared;
use axum::extract::{MatchedPath, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderName, HeaderValue, Method};
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use strongroom_access::KeyId;
use strongroom_vault::Secret;

/// The field with the id of a request. What a client sends under this name is not heeded: it could not be told from another's.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What is known of the request that is being answered.
#[derive(Debug)]
pub(crate) struct Asking {
    id: String,
    key: OnceLock<String>,
}

/// The code of a refusal, beside its answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Code(pub &'static str);

tokio::task_local! {
    static ASKING: Arc<Asking>;
}

/// The id of the request that is being answered.
pub(crate) fn current_id() -> Option<String> {
    ASKING.try_with(|asking| asking.id.clone()).ok()
}

/// Says under which key's name the request came, whether or not it passes.
pub(crate) fn about_key(key: &KeyId) {
    // Outside a request there is nothing to say it about; the first word stands.
    drop(ASKING.try_with(|asking| asking.key.set(key.to_string())));
}

/// The request that is being answered, for a task of its own.
pub(crate) fn carried<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let asking = ASKING.try_with(Arc::clone).ok();
    async move {
        match asking {
            Some(asking) => ASKING.scope(asking, work).await,
            None => work.await,
        }
    }
}

/// Around everything: gives the id, measures, counts and writes the line.
pub(crate) async fn observe(
    State(house): State<Shared>,
    request: axum::extract::Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let id = Secret::random(12).map(|bytes| hex(bytes.expose())).unwrap_or_default();
    let asking = Arc::new(Asking { id, key: OnceLock::new() });
    let method = method_of(request.method());
    let endpoint =
        request.extensions().get::<MatchedPath>().map_or("none", |path| endpoint_of(path.as_str()));
    let mut answer = ASKING.scope(asking.clone(), next.run(request)).await;
    if let Ok(id) = HeaderValue::from_str(&asking.id) {
        answer.headers_mut().insert(REQUEST_ID, id);
    }
    let code = answer.extensions().get::<Code>().map_or("ok", |code| code.0);
    let took = started.elapsed();
    house.telemetry.metrics.note(method, endpoint, code, took);
    tracing::info!(
        target: "strongroom::request",
        id = asking.id,
        method,
        endpoint,
        status = answer.status().as_u16(),
        code,
        key = asking.key.get().map_or("", String::as_str),
        micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
    );
    answer
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One of a few names: what a client makes up makes no new series.
fn method_of(method: &Method) -> &'static str {
    ["GET", "POST", "DELETE", "HEAD"].into_iter().find(|known| method == known).unwrap_or("other")
}

fn endpoint_of(path: &str) -> &'static str {
    let known = ENDPOINTS.iter().map(|endpoint| endpoint.path).find(|known| *known == path);
    known.unwrap_or(if path.starts_with("/gate/") { "/gate" } else { "none" })
}
