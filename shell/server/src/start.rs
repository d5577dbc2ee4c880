//! Starting: the server's key, the first invitation, the gate's memory, the sockets.

use crate::endpoint::ENDPOINTS;
use crate::forward;
use crate::guard;
use crate::house::{House, Wholeness};
use crate::keys::{CODE_SECONDS, HMAC_PURPOSE, hash_of};
use crate::nonces::{self, CHALLENGE_SECONDS, TOKEN_SECONDS};
use crate::rewrap::rewrap;
use crate::rotation::scheduler;
use crate::serve_error::ServeError;
use crate::sockets::bounded;
use crate::telemetry::{Telemetry, observe};
use crate::usage::{self, Usage};
use crate::verifiers::follow_others;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ipnet::IpNet;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, RwLock, Weak};
use std::time::Duration;
use strongroom_access::bearer::Pepper;
use strongroom_access::idempotency::{IdempotencyKeys, IdempotencyLimits};
use strongroom_access::rate_limit::{Policy, RateLimiter};
use strongroom_access::replay::{Challenges, Limits};
use strongroom_access::rotation::Queue;
use strongroom_access::session_token::SessionTokens;
use strongroom_access::{
    AccessCommand, AccessState, Algorithm, EnrolmentId, Environment, PrincipalId, Role, ServerKey,
};
use strongroom_desk::{Cause, Desk, DeskError, DeskService};
use strongroom_gate::{Answerer, Gate, GateOptions, KeyTable, Lease, OpenSecret, SecretError};
use strongroom_signature::{Profile, SigningKey, VerifyingKey};
use strongroom_store::Location;
use strongroom_units::time::Timestamp;
use strongroom_vault::{Identity, Secret, Vault, VaultError};
use tokio::sync::watch;

/// The purpose under which the vault seals the server's own keys.
pub(crate) const SERVER_PURPOSE: &str = "server-key";
/// The name of the secret with which bearer secrets are hashed.
const PEPPER: &str = "bearer-pepper";
/// Days until the first operator's key ends.
const FIRST_KEY_DAYS: i64 = 90;
/// How long requests may go on after the server was told to stop.
const DRAIN: Duration = Duration::from_secs(10);
/// How often nonces that nobody could repeat are forgotten in the database.
const PRUNE_EVERY: Duration = Duration::from_secs(600);
/// How often answers are written that no commit took along.
const KEEP_EVERY: Duration = Duration::from_secs(1);
/// Who acts where no caller does.
pub(crate) const ACTOR: &str = "server";

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
    /// The folder that keeps nonces over a restart; without one a restart asks for challenges.
    pub nonces: Option<PathBuf>,
    /// The Redis that keeps nonces for several servers of one database, in place of a folder.
    pub redis: Option<String>,
    /// Requests that one key may make in a minute.
    pub rate_per_minute: u32,
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
pub struct Running {
    /// Where it can be talked to.
    pub url: String,
    /// For the first operator, when there is none.
    pub invitation: Option<Invitation>,
    /// Secrets that were wrapped anew under a new key-encryption key.
    pub rewrapped: usize,
    handle: Handle<SocketAddr>,
    house: Arc<House>,
    served: tokio::task::JoinHandle<std::io::Result<()>>,
    desk: DeskService,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("url", &self.url).finish_non_exhaustive()
    }
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
        self.house.gate.close();
        let name = self.house.name.clone();
        // Who revokes need not wait for a server that has ended.
        drop(self.house.ask(move |desk| desk.forget_verifier(&name)).await);
        let house = self.house;
        let writer = house.clone();
        // What was counted since the last minute; what fails here is lost, as in a crash.
        drop(house.ask(move |desk| drop(writer.usage.write(&writer, desk))).await);
        // Joining the desk's thread blocks.
        drop(tokio::task::spawn_blocking(move || drop(self.desk)).await);
    }
}

/// Starts a server on an open desk and returns once it listens.
pub async fn serve(desk: Desk, vault: Vault, options: ServerOptions) -> Result<Running, ServeError> {
    if options.tls.is_none() && !options.listen.ip().is_loopback() {
        return Err(ServeError::PlaintextMustStayOnLoopback(options.listen));
    }
    let tls = options.tls.clone();
    // The store blocks, and on PostgreSQL it may not do so in a thread of the runtime.
    let opened = tokio::task::spawn_blocking(move || open(desk, vault, options)).await;
    let Opened { house, listener, url, invitation, rewrapped, service, is_shared } =
        opened.map_err(|error| ServeError::Socket(std::io::Error::other(error)))??;
    tokio::spawn(forget_nonces(Arc::downgrade(&house)));
    tokio::spawn(scheduler::run(Arc::downgrade(&house)));
    tokio::spawn(usage::run(Arc::downgrade(&house)));
    if is_shared {
        tokio::spawn(follow_others(Arc::downgrade(&house)));
    }
    tokio::spawn(keep_answers(Arc::downgrade(&house)));
    let app = router(&house).into_make_service_with_connect_info::<SocketAddr>();
    let handle = Handle::new();
    let served = match tls {
        None => {
            let server = axum_server::from_tcp(listener).map_err(ServeError::Socket)?;
            tokio::spawn(bounded(server).handle(handle.clone()).serve(app))
        }
        Some(tls) => {
            // An error means that somebody installed a provider already, which will do.
            drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
            let config =
                RustlsConfig::from_pem_file(tls.certificate, tls.key).await.map_err(ServeError::Tls)?;
            let server = axum_server::from_tcp_rustls(listener, config).map_err(ServeError::Socket)?;
            tokio::spawn(bounded(server).handle(handle.clone()).serve(app))
        }
    };
    Ok(Running { url, invitation, rewrapped, handle, house, served, desk: service })
}

/// Everything but the sockets' server.
struct Opened {
    house: Arc<House>,
    listener: TcpListener,
    url: String,
    invitation: Option<Invitation>,
    rewrapped: usize,
    service: DeskService,
    is_shared: bool,
}

fn open(mut desk: Desk, vault: Vault, options: ServerOptions) -> Result<Opened, ServeError> {
    let (vault, now) = (Arc::new(vault), Timestamp::now());
    if let Some(fault) = desk.check_keys()?.into_iter().next() {
        return Err(ServeError::Keys(fault));
    }
    let rewrapped = rewrap(&mut desk, &vault, now)?;
    let answerer = answerer(&mut desk, &vault, now)?;
    let invitation = invite(&mut desk, options.environment, now)?;
    let pepper = Pepper::new(server_secret(&mut desk, &vault, PEPPER, now)?.expose().to_vec());
    // What is written to access while the gate is made is followed once it stands.
    let access_seen = desk.access_records();
    let gate = gate(&mut desk, &vault, &options, pepper.clone(), now)?;
    let listener = TcpListener::bind(options.listen).map_err(ServeError::Socket)?;
    listener.set_nonblocking(true).map_err(ServeError::Socket)?;
    let address = listener.local_addr().map_err(ServeError::Socket)?;
    let scheme = if options.tls.is_some() { "https" } else { "http" };
    let url = options.public_url.unwrap_or_else(|| format!("{scheme}://{address}"));
    desk.say_served_at(&url)?;
    let is_shared = desk.is_shared();
    let name = format!("server/{}", hex(&random::<8>()?));
    let window = match &options.redis {
        Some(url) => shared_window(url),
        None => format!("own/{}", hex(&random::<8>()?)),
    };
    let whole = look_at_whole_log(desk.store().location().clone());
    let rotations = Mutex::new(Queue::of(desk.access()?));
    let service = DeskService::start(desk);
    let house = Arc::new(House {
        desk: service.handle(),
        turn: Mutex::default(),
        gate,
        vault,
        pepper,
        answerer: RwLock::new(Arc::new(answerer)),
        repeats: Mutex::new(IdempotencyKeys::new(IdempotencyLimits::default())),
        scheme,
        proxies: options.proxies,
        news: House::news(),
        access_seen: AtomicU64::new(access_seen),
        streams: Arc::default(),
        name,
        window,
        whole,
        telemetry: Telemetry::default(),
        rotations,
        usage: Usage::new(&url, now),
        is_shared,
    });
    if is_shared {
        // Before the first request: the lease begins, and who revokes knows of this verifier.
        let (told, looked) = std::sync::mpsc::sync_channel(1);
        let looker = house.clone();
        house.desk.try_run(move |desk| drop(told.send(looker.register(desk))))?;
        match looked.recv() {
            Ok(Ok(None)) => {}
            Ok(Ok(Some(other))) => return Err(ServeError::WindowMustBeShared { other }),
            Ok(Err(problem)) => return Err(ServeError::Look(problem.code())),
            Err(_) => return Err(DeskError::Closed.into()),
        }
    }
    Ok(Opened { house, listener, url, invitation, rewrapped, service, is_shared })
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
        .fallback(guard::nowhere)
        .method_not_allowed_fallback(guard::not_so)
        // Each endpoint has a bound of its own, which the guard keeps.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(house.clone(), observe))
        .with_state(house.clone())
}

/// The key that signs answers: the last one, or the first when there is none yet.
fn answerer(desk: &mut Desk, vault: &Vault, now: Timestamp) -> Result<Answerer, ServeError> {
    if desk.access()?.server_key().is_none() {
        first_server_key(desk, vault, now)?;
    }
    let key = desk.access()?.server_key().cloned().ok_or(ServeError::ServerKey(1))?;
    answerer_of(vault, &key)
}

/// Signs answers with a key of the log.
pub(crate) fn answerer_of(vault: &Vault, key: &ServerKey) -> Result<Answerer, ServeError> {
    let identity = key.version.to_string();
    let seed = vault.open(&Identity::try_new(SERVER_PURPOSE, &identity)?, &key.sealed.parse()?)?;
    let signing = SigningKey::ed25519(seed.expose()).map_err(|_| ServeError::ServerKey(key.version))?;
    Ok(Answerer::new(signing, crate::keys::server_key_id(key.version)))
}

fn first_server_key(desk: &mut Desk, vault: &Vault, now: Timestamp) -> Result<(), ServeError> {
    let key = new_server_key(vault, 1, now)?;
    desk.change_access(&AccessCommand::AddServerKey(key), now, &Cause::actor(ACTOR))?;
    Ok(())
}

/// A key for the server, with its private half sealed; nobody vouches for it yet.
pub(crate) fn new_server_key(vault: &Vault, version: u32, now: Timestamp) -> Result<ServerKey, ServeError> {
    let seed = Secret::random(32)?;
    let key = SigningKey::ed25519(seed.expose()).map_err(|_| ServeError::ServerKey(version))?;
    let public = key.public_key().ok_or(ServeError::ServerKey(version))?;
    let sealed = vault.seal(&Identity::try_new(SERVER_PURPOSE, &version.to_string())?, &seed)?;
    Ok(ServerKey {
        version,
        algorithm: Algorithm::Ed25519,
        public: STANDARD.encode(public),
        sealed: sealed.to_string(),
        created: now,
        vouched: None,
    })
}

/// The first of `operator`, `operator-2` and so on who is not known yet or could act with a key: a former operator that
/// was stopped stays stopped.
fn free_operator(access: &AccessState) -> Option<PrincipalId> {
    let names =
        std::iter::once("operator".to_owned()).chain((2..).map(|number| format!("operator-{number}")));
    names.filter_map(|name| PrincipalId::try_new(&name).ok()).find(|name| {
        access
            .principal(name)
            .is_none_or(|known| known.role == Role::Operator && known.enabled && known.denied.is_empty())
    })
}

/// Invites the first operator while there is none. An invitation of an earlier start ends with it.
fn invite(
    desk: &mut Desk,
    environment: Environment,
    now: Timestamp,
) -> Result<Option<Invitation>, ServeError> {
    if desk.access()?.has_operator_of(environment, now) {
        return Ok(None);
    }
    let code = URL_SAFE_NO_PAD.encode(Secret::random(20)?.expose());
    let enrolment = EnrolmentId::from_random(random()?);
    let Some(principal) = free_operator(desk.access()?) else { return Ok(None) };
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
    let stores = (options.nonces.as_deref(), options.redis.as_deref());
    let (window, nonces) = nonces::open(desk, vault, stores, limits, now)?;
    let challenges = Challenges::new(random()?, CHALLENGE_SECONDS);
    let tokens = SessionTokens::new(random()?, TOKEN_SECONDS);
    let policy = Policy::try_new("key", options.rate_per_minute, 60)?;
    let rates = RateLimiter::new(policy, limits.lineages_max);
    let lease = if desk.is_shared() { Lease::lapsed() } else { Lease::alone() };
    let environment = options.environment;
    let options =
        GateOptions { environment, profile, window, challenges, pepper, nonces, tokens, rates, lease };
    Ok(Gate::new(options, keys))
}

/// A secret of the server itself: made once, sealed, and the same at every start.
pub(crate) fn server_secret(
    desk: &mut Desk,
    vault: &Vault,
    name: &str,
    now: Timestamp,
) -> Result<Secret, ServeError> {
    let identity = Identity::try_new(SERVER_PURPOSE, name)?;
    if let Some(sealed) = desk.access()?.server_secret(name).map(str::to_owned) {
        return Ok(vault.open(&identity, &sealed.parse()?)?);
    }
    let secret = Secret::random(32)?;
    let sealed = vault.seal(&identity, &secret)?.to_string();
    let command = AccessCommand::KeepServerSecret { name: name.to_owned(), sealed };
    desk.change_access(&command, now, &Cause::actor(ACTOR))?;
    Ok(secret)
}

pub(crate) fn random<const N: usize>() -> Result<[u8; N], VaultError> {
    let secret = Secret::random(N)?;
    Ok(core::array::from_fn(|place| secret.expose().get(place).copied().unwrap_or_default()))
}

/// The place of a Redis without who asks it.
fn shared_window(url: &str) -> String {
    let place = url.split_once("://").map_or(url, |(_, rest)| rest);
    format!("redis/{}", place.rsplit_once('@').map_or(place, |(_, place)| place))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn open_hmac(vault: &Vault, key: &strongroom_access::KeyId, sealed: &str) -> Result<VerifyingKey, String> {
    let name = key.to_string();
    let identity = Identity::try_new(HMAC_PURPOSE, &name).map_err(|error| error.to_string())?;
    let sealed = sealed.parse().map_err(|error: VaultError| error.to_string())?;
    let secret = vault.open(&identity, &sealed).map_err(|error| error.to_string())?;
    VerifyingKey::hmac_sha256(secret.expose()).map_err(|error| error.to_string())
}

/// Looks at the whole log beside the server, which waits with changes for it. A log that was edited is served for reading
/// only.
fn look_at_whole_log(location: Location) -> watch::Receiver<Wholeness> {
    let (tell, whole) = watch::channel(Wholeness::Unknown);
    std::thread::spawn(move || {
        let looked = Desk::open_read_only(&location).and_then(|mut desk| desk.verify_log(&|_| ()));
        match looked.as_ref().map(|report| report.faults.first()) {
            Ok(None) => drop(tell.send(Wholeness::Whole)),
            Ok(Some(fault)) => {
                eprintln!("error: {}: {fault}", fault.code());
                drop(tell.send(Wholeness::Faulty(fault.clone())));
            }
            // Dropping the sender refuses every change.
            Err(error) => eprintln!("error: the log could not be looked at: {error}"),
        }
    });
    whole
}

/// Answers that wait for a commit that does not come are written by themselves.
async fn keep_answers(house: Weak<House>) {
    loop {
        tokio::time::sleep(KEEP_EVERY).await;
        let Some(house) = house.upgrade() else { return };
        match house.ask(strongroom_desk::Desk::flush_answers).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => eprintln!("error: answers were not kept: {error}"),
            Err(problem) if problem.code() == DeskError::Closed.code() => return,
            Err(_) => {}
        }
    }
}

async fn forget_nonces(house: Weak<House>) {
    loop {
        tokio::time::sleep(PRUNE_EVERY).await;
        let Some(house) = house.upgrade() else { return };
        match house.ask(|desk| desk.prune_nonces(Timestamp::now())).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::error!("nonces were not forgotten: {error}"),
            // The desk is closed.
            Err(_) => return,
        }
    }
}
