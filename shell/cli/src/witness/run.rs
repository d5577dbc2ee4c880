//! The witness as a small HTTP server.

use super::state::{Refused, State};
use crate::commands::serve::told_to_stop;
use crate::context::Global;
use crate::failure::{Exit, Failure};
use crate::print;
use axum::Router;
use axum::extract::{DefaultBodyLimit, State as Shared};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of a request, at most: a proof of 63 hashes, and a note with many cosignatures.
const BODY_BYTES_MAX: usize = 1 << 16;

type Witness = Arc<Mutex<State>>;

pub(super) fn run(global: &Global, state: State, listen: SocketAddr) -> Result<(), Failure> {
    if !listen.ip().is_loopback() {
        let message = format!("{listen} is not loopback");
        let failure = Failure::new("witness.plaintext_must_stay_on_loopback", message, Exit::CommandLine);
        return Err(failure.hint("Listen on 127.0.0.1 behind a proxy that does TLS."));
    }
    let vkey = state.vkey().to_string();
    let app = Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(Arc::new(Mutex::new(state)));
    let failed = |error: std::io::Error| Failure::new("witness.must_start", error.to_string(), Exit::Input);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.map_err(failed)?.block_on(async {
        let listener = tokio::net::TcpListener::bind(listen).await.map_err(failed)?;
        let url = format!("http://{}", listener.local_addr().map_err(failed)?);
        match global.json {
            true => print::json_line(&serde_json::json!({"url": url, "vkey": vkey}))?,
            false => print::line(format!("The witness {vkey} answers at {url}")),
        }
        axum::serve(listener, app).with_graceful_shutdown(told_to_stop()).await.map_err(failed)
    })
}

async fn add_checkpoint(Shared(witness): Shared<Witness>, body: String) -> Response {
    let done = tokio::task::spawn_blocking(move || {
        witness.lock().unwrap_or_else(PoisonError::into_inner).add_checkpoint(&body)
    });
    match done.await {
        Ok(Ok(lines)) => lines.into_response(),
        Ok(Err(refused)) => answer(refused),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn answer(Refused { status, text }: Refused) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = if status == StatusCode::CONFLICT { "text/x.tlog.size" } else { "text/plain; charset=utf-8" };
    (status, [(header::CONTENT_TYPE, kind)], format!("{text}\n")).into_response()
}
