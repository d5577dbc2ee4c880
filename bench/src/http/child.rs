//! The servers that are measured, each in a process of its own: the real server, and one of the same parts without a
//! gate. A child tells in a line of JSON where it listens and ends when its input does.

use crate::Failure;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use strongroom_access::Environment;
use strongroom_desk::Desk;
use strongroom_server::{ServerOptions, serve};
use strongroom_store::Location;
use strongroom_vault::{Kek, Secret, Vault};

/// The endpoint that is measured: any key may use it and no database has work by it.
pub const PATH: &str = "/v1/session-tokens";
/// What the server without a gate answers, as long as a real answer.
const TOKEN: &str =
    "0123456789abcdef.1~0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456";

/// A server in a process of its own.
pub struct Served {
    child: Child,
    /// What it told.
    pub told: Value,
}

impl Served {
    /// Starts one of the two on the core of the calling thread.
    pub fn start(role: &str, folder: &Path) -> Result<Self, Failure> {
        let mut child = Command::new(std::env::current_exe()?)
            .args([role, "--folder"])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let out = child.stdout.take().ok_or("the child must have an output")?;
        BufReader::new(out).read_line(&mut line)?;
        Ok(Self { child, told: serde_json::from_str(&line)? })
    }

    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// A text that it told.
    pub fn text(&self, name: &str) -> Result<&str, Failure> {
        Ok(self.told.get(name).and_then(Value::as_str).ok_or("the child must tell this")?)
    }

    pub fn address(&self) -> Result<SocketAddr, Failure> {
        Ok(self.text("url")?.trim_start_matches("http://").parse()?)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // It ends by itself; an error leaves nothing to do.
        drop(self.child.wait());
    }
}

/// The real server on a fresh database: `strongroom serve` without its command line.
pub fn gate(folder: &Path) -> Result<(), Failure> {
    let desk = Desk::open(&Location::Sqlite(folder.join("fund.db")))?;
    let vault = Vault::new(Kek::from_secret(&Secret::copy_of(&[7; 32]))?);
    let options = ServerOptions {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        tls: None,
        environment: Environment::Dev,
        nonces: None,
        redis: std::env::var("STRONGROOM_REDIS").ok(),
        rate_per_minute: 10_000_000,
        proxies: Vec::new(),
        public_url: None,
    };
    runtime()?.block_on(async {
        let running = serve(desk, vault, options).await?;
        let invitation = running.invitation.as_ref();
        let code = invitation.map(|new| format!("{}.{}", new.enrolment, new.code));
        println!("{}", json!({ "url": running.url, "code": code }));
        until_input_ends().await?;
        running.stop().await;
        Ok(())
    })
}

/// The same runtime, listener and framework; reads the same content into the same type, and answers as long a text.
pub fn hello() -> Result<(), Failure> {
    let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    runtime()?.block_on(async {
        let app = Router::new().route(PATH, post(greet)).into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(axum_server::from_tcp(listener)?.serve(app));
        println!("{}", json!({ "url": format!("http://{address}") }));
        until_input_ends().await
    })
}

/// What the real endpoint takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    purpose: String,
    context: String,
}

async fn greet(content: Bytes) -> impl IntoResponse {
    match serde_json::from_slice::<Wanted>(&content) {
        Ok(wanted) if wanted.purpose == "events" && !wanted.context.is_empty() => {
            (StatusCode::CREATED, Json(json!({ "token": TOKEN })))
        }
        _ => (StatusCode::BAD_REQUEST, Json(Value::Null)),
    }
}

/// As `strongroom serve` makes it.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

async fn until_input_ends() -> Result<(), Failure> {
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    Ok(())
}
