//! Starting: the server's key, the first invitation, the gate's memory, the sockets.

use crate::endpoint::ENDPOINTS;
use crate::forward;
use crate::guard;
use crate::house::House;
use crate::keys::{CODE_SECONDS, HMAC_PURPOSE, hash_of};
use crate::problem::Problem;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use axum::routing::{any, get};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::StatusCode;
use ipnet::IpNet;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use strongroom_access::bearer::Pepper;
use strongroom_access::replay::{Challenges, FingerprintKey, Limits, Window};
use strongroom_access::{AccessCommand, Algorithm, EnrolmentId, Environment, PrincipalId, ServerKey};
use strongroom_desk::{Cause, Desk, DeskError, DeskService};
use strongroom_gate::{Answerer, Gate, GateOptions, KeyTable, OpenSecret, SecretError};
use strongroom_signature::{Profile, SigningKey, VerifyingKey};
use strongroom_units::time::Timestamp;
use strongroom_vault::{Identity, Secret, Vault, VaultError};
use thiserror::Error;

/// The purpose under which the vault seals the server's own keys.
const SERVER_PURPOSE: &str = "server-key";
/// The name of the secret with which bearer secrets are hashed.
const PEPPER: &str = "bearer-pepper";
/// Seconds that a challenge is good.
const CHALLENGE_SECONDS: u32 = 60;
/// Days until the first operator's key ends.
const FIRST_KEY_DAYS: i64 = 90;
/// How long requests may go on after the server was told to stop.
const DRAIN: Duration = Duration::from_secs(10);
/// How often nonces that nobody could repeat are forgotten in the database.
const PRUNE_EVERY: Duration = Duration::from_secs(600);
/// Who acts where no caller does.
const ACTOR: &str = "server";

/// Certificate chain and private key, as PEM files.
#[derive(Debug, Clone)]
pub struct Tls {
    /// The certificate and its chain.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// How to serve.
#[derive(Debug)]
pub struct ServerOptions {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Needed where `listen` is not loopback.
    pub tls: Option<Tls>,
    /// Which installation this is.
    pub environment: Environment,
    /// Proxies beside loopback that may ask the gate for decisions.
    pub proxies: Vec<IpNet>,
    /// What others call this server, when it is not `listen`.
    pub public_url: Option<String>,
}

/// The one-time invitation of the first operator.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// Its name.
    pub enrolment: EnrolmentId,
    /// Its code; shown here and nowhere again.
    pub code: String,
    /// The operator's name.
    pub principal: PrincipalId,
}

/// A server that listens. Dropping it does not stop it; [`Running::stop`] does.
#[derive(Debug)]
pub struct Running {
    /// Where it can be talked to.
    pub url: String,
    /// For the first operator, when there is none.
    pub invitation: Option<Invitation>,
    handle: Handle<SocketAddr>,
    served: tokio::task::JoinHandle<std::io::Result<()>>,
    desk: DeskService,
}

impl Running {
    /// Waits until the server ends by itself, which is an error.
    pub async fn wait(&mut self) -> Result<(), ServeError> {
        match (&mut self.served).await {
            Ok(ended) => ended.map_err(ServeError::Socket),
            Err(error) => Err(ServeError::Socket(std::io::Error::other(error))),
        }
    }

    /// Lets what has begun end, then closes the desk.
    pub async fn stop(self) {
        self.handle.graceful_shutdown(Some(DRAIN));
        // What it ended with matters to nobody any more.
        drop(self.served.await);
        // Joining the desk's thread blocks.
        drop(tokio::task::spawn_blocking(move || drop(self.desk)).await);
    }
}

/// A server that did not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Plaintext where others could read it.
    #[error(
        "{0} is not loopback: give --tls-cert and --tls-key, or listen on 127.0.0.1 behind a proxy that does TLS"
    )]
    PlaintextMustStayOnLoopback(SocketAddr),
    /// The database refused or failed.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// The vault could not open or seal a key.
    #[error("the vault: {0}")]
    Vault(#[from] VaultError),
    /// A key's material cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The certificate or its key cannot be used.
    #[error("the TLS certificate or key cannot be used: {0}")]
    Tls(#[source] std::io::Error),
    /// The address is taken or not ours.
    #[error("cannot listen: {0}")]
    Socket(#[source] std::io::Error),
    /// The server's own key is not what its record says.
    #[error("the server's key {0} cannot be used")]
    ServerKey(u32),
}

impl ServeError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::PlaintextMustStayOnLoopback(_) => "server.plaintext_must_stay_on_loopback",
            Self::Desk(error) => error.code(),
            Self::Vault(error) => error.code(),
            Self::Secret(_) => "vault.secret_must_open",
            Self::Tls(_) => "server.certificate_must_be_usable",
            Self::Socket(_) => "server.address_must_be_free",
            Self::ServerKey(_) => "server.key_must_be_usable",
        }
    }
}

/// Starts a server on an open desk and returns once it listens.
pub async fn serve(mut desk: Desk, vault: Vault, options: ServerOptions) -> Result<Running, ServeError> {
    if options.tls.is_none() && !options.listen.ip().is_loopback() {
        return Err(ServeError::PlaintextMustStayOnLoopback(options.listen));
    }
    let (vault, now) = (Arc::new(vault), Timestamp::now());
    let answerer = answerer(&mut desk, &vault, now)?;
    let invitation = invite(&mut desk, options.environment, now)?;
    let pepper = pepper(&mut desk, &vault, now)?;
    let gate = gate(&mut desk, &vault, &options, pepper.clone(), now)?;
    let listener = TcpListener::bind(options.listen).map_err(ServeError::Socket)?;
    listener.set_nonblocking(true).map_err(ServeError::Socket)?;
    let address = listener.local_addr().map_err(ServeError::Socket)?;
    let scheme = if options.tls.is_some() { "https" } else { "http" };
    let url = options.public_url.unwrap_or_else(|| format!("{scheme}://{address}"));
    desk.say_served_at(&url)?;
    let service = DeskService::start(desk);
    let house = Arc::new(House {
        desk: service.handle(),
        gate,
        vault,
        pepper,
        answerer,
        scheme,
        proxies: options.proxies,
        news: House::news(),
    });
    tokio::spawn(forget_nonces(house.clone()));
    let app = router(&house).into_make_service_with_connect_info::<SocketAddr>();
    let handle = Handle::new();
    let served = match options.tls {
        None => {
            let server = axum_server::from_tcp(listener).map_err(ServeError::Socket)?.handle(handle.clone());
            tokio::spawn(server.serve(app))
        }
        Some(tls) => {
            // An error means that somebody installed a provider already, which will do.
            drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
            let config =
                RustlsConfig::from_pem_file(tls.certificate, tls.key).await.map_err(ServeError::Tls)?;
            let server = axum_server::from_tcp_rustls(listener, config).map_err(ServeError::Socket)?;
            tokio::spawn(server.handle(handle.clone()).serve(app))
        }
    };
    Ok(Running { url, invitation, handle, served, desk: service })
}

/// Every endpoint behind its gate; what is no endpoint is not found.
fn router(house: &Arc<House>) -> Router {
    let mut router = Router::new();
    for endpoint in ENDPOINTS {
        let guarded = (endpoint.answers)().layer(from_fn_with_state((house.clone(), endpoint), guard::stand));
        router = router.route(endpoint.path, guarded);
    }
    router
        // Not the API's: a proxy asks here, and gets a decision in its own form.
        .route("/gate/nginx", get(forward::nginx))
        .route(&format!("{}/", forward::ENVOY_PREFIX), any(forward::envoy))
        .route(&format!("{}/{{*target}}", forward::ENVOY_PREFIX), any(forward::envoy))
        .fallback(|| async { Problem::not_found("such place; see /docs").into_response() })
        .method_not_allowed_fallback(|| async {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "request.method_must_be_allowed", "see /docs")
                .into_response()
        })
        .with_state(house.clone())
}

/// The key that signs answers: the last one, or the first when there is none yet.
fn answerer(desk: &mut Desk, vault: &Vault, now: Timestamp) -> Result<Answerer, ServeError> {
    let found = desk.access()?.server_key().map(|key| (key.version, key.sealed.clone()));
    let (version, seed) = match found {
        Some((version, sealed)) => {
            let identity = version.to_string();
            let sealed = sealed.parse()?;
            (version, vault.open(&Identity::try_new(SERVER_PURPOSE, &identity)?, &sealed)?)
        }
        None => (1, first_server_key(desk, vault, now)?),
    };
    let key = SigningKey::ed25519(seed.expose()).map_err(|_| ServeError::ServerKey(version))?;
    Ok(Answerer::new(key, crate::keys::server_key_id(version)))
}

fn first_server_key(desk: &mut Desk, vault: &Vault, now: Timestamp) -> Result<Secret, ServeError> {
    let seed = Secret::random(32)?;
    let key = SigningKey::ed25519(seed.expose()).map_err(|_| ServeError::ServerKey(1))?;
    let public = key.public_key().ok_or(ServeError::ServerKey(1))?;
    let sealed = vault.seal(&Identity::try_new(SERVER_PURPOSE, "1")?, &seed)?;
    let command = AccessCommand::AddServerKey(ServerKey {
        version: 1,
        algorithm: Algorithm::Ed25519,
        public: STANDARD.encode(public),
        sealed: sealed.to_string(),
        created: now,
        vouched: None,
    });
    desk.change_access(&command, now, &Cause::actor(ACTOR))?;
    Ok(seed)
}

/// Invites the first operator while there is none. An invitation of an earlier start ends with it.
fn invite(
    desk: &mut Desk,
    environment: Environment,
    now: Timestamp,
) -> Result<Option<Invitation>, ServeError> {
    if desk.access()?.has_operator(now) {
        return Ok(None);
    }
    let code = URL_SAFE_NO_PAD.encode(Secret::random(20)?.expose());
    let enrolment = EnrolmentId::from_random(random()?);
    let Ok(principal) = PrincipalId::try_new("operator") else { return Ok(None) };
    let seconds = |seconds: i64| Timestamp::from_second(now.as_second() + seconds).unwrap_or(Timestamp::MAX);
    let command = AccessCommand::OpenFirstEnrolment {
        id: enrolment.clone(),
        code_hash: hash_of(&code),
        principal: principal.clone(),
        environment,
        code_expires: seconds(CODE_SECONDS),
        key_expires: seconds(FIRST_KEY_DAYS * 86_400),
    };
    desk.change_access(&command, now, &Cause::actor(ACTOR))?;
    Ok(Some(Invitation { enrolment, code, principal }))
}

fn gate(
    desk: &mut Desk,
    vault: &Arc<Vault>,
    options: &ServerOptions,
    pepper: Pepper,
    now: Timestamp,
) -> Result<Gate, ServeError> {
    let opener = vault.clone();
    let open: OpenSecret = Box::new(move |key, sealed| {
        open_hmac(&opener, key, sealed).map_err(|reason| SecretError { key: key.clone(), reason })
    });
    let keys = KeyTable::try_new(desk.access()?.clone(), open)?;
    let profile = Profile::default();
    let limits = Limits::default();
    // The newest record is a later witness of the former process than a clock that was set back.
    let boot = desk.access()?.last_at().map_or(now, |last| last.max(now));
    let window = Window::started(limits, &FingerprintKey::new(random()?), boot);
    let challenges = Challenges::new(random()?, CHALLENGE_SECONDS);
    let options = GateOptions { environment: options.environment, profile, window, challenges, pepper };
    Ok(Gate::new(options, keys))
}

/// The secret with which bearer secrets are hashed: made once, sealed, and the same at every start.
fn pepper(desk: &mut Desk, vault: &Vault, now: Timestamp) -> Result<Pepper, ServeError> {
    let identity = Identity::try_new(SERVER_PURPOSE, PEPPER)?;
    if let Some(sealed) = desk.access()?.server_secret(PEPPER).map(str::to_owned) {
        return Ok(Pepper::new(vault.open(&identity, &sealed.parse()?)?.expose().to_vec()));
    }
    let secret = Secret::random(32)?;
    let sealed = vault.seal(&identity, &secret)?.to_string();
    let command = AccessCommand::KeepServerSecret { name: PEPPER.to_owned(), sealed };
    desk.change_access(&command, now, &Cause::actor(ACTOR))?;
    Ok(Pepper::new(secret.expose().to_vec()))
}

fn random<const N: usize>() -> Result<[u8; N], VaultError> {
    let secret = Secret::random(N)?;
    Ok(core::array::from_fn(|place| secret.expose().get(place).copied().unwrap_or_default()))
}

fn open_hmac(vault: &Vault, key: &strongroom_access::KeyId, sealed: &str) -> Result<VerifyingKey, String> {
    let name = key.to_string();
    let identity = Identity::try_new(HMAC_PURPOSE, &name).map_err(|error| error.to_string())?;
    let sealed = sealed.parse().map_err(|error: VaultError| error.to_string())?;
    let secret = vault.open(&identity, &sealed).map_err(|error| error.to_string())?;
    VerifyingKey::hmac_sha256(secret.expose()).map_err(|error| error.to_string())
}

async fn forget_nonces(house: Arc<House>) {
    loop {
        tokio::time::sleep(PRUNE_EVERY).await;
        match house.ask(|desk| desk.prune_nonces(Timestamp::now())).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => eprintln!("error: nonces were not forgotten: {error}"),
            // The desk is closed.
            Err(_) => return,
        }
    }
}
