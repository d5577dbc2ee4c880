//! A server with a fund and a key for each kind of caller, and requests signed in every wrong way.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue, Method, Uri, header};
use serde_json::Value;
use sha2::{Digest, Sha256};
use strongroom_access::{
    AccessCommand, Algorithm, EnrolmentId, Environment, Grant, LineageId, Material, Networks, NewEnrolment,
    Role,
};
use strongroom_desk::{Cause, Desk, Request};
use strongroom_engine::Command;
use strongroom_server::{Running, ServerOptions, serve};
use strongroom_signature::{Profile, RequestLine, SigningKey, SigningParameters, sign_request};
use strongroom_store::Location;
use strongroom_testing::Database;
use strongroom_units::time::{Calendar, Timestamp, Zone};
use strongroom_vault::{Kek, Secret, Vault};
use tempfile::TempDir;

const BITCOIN: &str = include_str!("../../../../funds/bitcoin.toml");

/// Keys by the name of their holder's trouble; each is the seed of its own Ed25519 key.
pub const KEYS: [(&str, Role, &[&str], Environment); 6] = [
    ("operator", Role::Operator, OPERATOR, Environment::Dev),
    ("ap-one", Role::Participant, &["read", "orders:write"], Environment::Dev),
    ("ap-two", Role::Participant, &["read", "orders:write"], Environment::Dev),
    ("scopeless", Role::Operator, &["app:other"], Environment::Dev),
    ("tester", Role::Operator, OPERATOR, Environment::Test),
    ("expired", Role::Operator, OPERATOR, Environment::Dev),
];
const OPERATOR: &[&str] = &[
    "read",
    "orders:write",
    "orders:manage",
    "prices:write",
    "nav:strike",
    "fund:admin",
    "custody:write",
    "keys:admin",
    "audit:read",
    "metrics:read",
    "security:read",
];

/// A place for a server that can be started again.
pub struct Home {
    directory: TempDir,
    database: Option<Database>,
    /// Whether nonces outlive a server.
    pub nonces: bool,
    pub rate_per_minute: u32,
    /// The Redis that remembers nonces for several servers.
    pub redis: Option<String>,
    pub tls: Option<strongroom_server::Tls>,
    runtime: tokio::runtime::Runtime,
}

/// A server that listens.
pub struct Server<'h> {
    home: &'h Home,
    running: Option<Running>,
    pub url: String,
}

/// What came back.
#[derive(Debug)]
pub struct Told {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Told {
    /// The code of a refusal; `ok` where there is none.
    pub fn code(&self) -> String {
        match self.status {
            ..400 => "ok".to_owned(),
            _ => self.json()["code"].as_str().unwrap_or("no code").to_owned(),
        }
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}

fn seconds(from: Timestamp, more: i64) -> Timestamp {
    Timestamp::from_second(from.as_second() + more).unwrap()
}

pub fn signing_key(name: &str) -> SigningKey {
    SigningKey::ed25519(&Sha256::digest(name)).unwrap()
}

fn lineage(name: &str) -> LineageId {
    LineageId::from_random(Sha256::digest(name)[..8].try_into().unwrap())
}

/// The name of a holder's key on the wire.
pub fn key_id(name: &str) -> String {
    format!("{}.1", lineage(name))
}

impl Home {
    /// A database with a fund that opened on the last session, and all keys.
    pub fn new() -> Self {
        Self::of(None)
    }

    /// The same on a PostgreSQL server, which several servers may share.
    pub fn shared() -> Option<Self> {
        Some(Self::of(Some(Database::fresh()?)))
    }

    fn of(database: Option<Database>) -> Self {
        let home = Self {
            directory: tempfile::tempdir().unwrap(),
            database,
            nonces: false,
            rate_per_minute: 6_000,
            redis: None,
            tls: None,
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap(),
        };
        let mut desk = Desk::open(&home.location()).unwrap();
        give_keys(&mut desk);
        open_fund(&mut desk);
        home
    }

    pub fn location(&self) -> Location {
        self.database.as_ref().map_or_else(
            || Location::Sqlite(self.directory.path().join("fund.db")),
            |database| Location::Postgres(database.url()),
        )
    }

    pub fn start(&self) -> Server<'_> {
        self.start_at(0)
    }

    pub fn start_at(&self, port: u16) -> Server<'_> {
        let desk = Desk::open_recorded(&self.location(), Some(Box::new(LogSigner)), None).unwrap();
        self.serve(desk, port).unwrap()
    }

    /// Without a look at the end of the log, as if the log were long and its end unharmed.
    pub fn start_unchecked(&self) -> Server<'_> {
        self.serve(Desk::open(&self.location()).unwrap(), 0).unwrap()
    }

    /// Why it does not start.
    pub fn try_start(&self) -> Result<Server<'_>, &'static str> {
        let desk = Desk::open_recorded(&self.location(), Some(Box::new(LogSigner)), None);
        self.serve(desk.map_err(|error| error.code())?, 0)
    }

    /// What somebody with `sqlite3` could do.
    pub fn by_hand(&self, sql: &str) {
        rusqlite::Connection::open(self.directory.path().join("fund.db"))
            .unwrap()
            .execute_batch(sql)
            .unwrap();
    }

    fn serve(&self, desk: Desk, port: u16) -> Result<Server<'_>, &'static str> {
        let vault = Vault::new(Kek::from_secret(&Secret::copy_of(&[7; 32])).unwrap());
        let options = ServerOptions {
            listen: SocketAddr::from(([127, 0, 0, 1], port)),
            tls: self.tls.clone(),
            environment: Environment::Dev,
            nonces: self.nonces.then(|| self.directory.path().join("nonces")),
            redis: self.redis.clone(),
            rate_per_minute: self.rate_per_minute,
            proxies: Vec::new(),
            public_url: None,
        };
        let running = self.runtime.block_on(serve(desk, vault, options)).map_err(|error| error.code())?;
        let url = running.url.clone();
        Ok(Server { home: self, running: Some(running), url })
    }

    /// Another process looks at the database.
    pub fn orders(&self) -> usize {
        let mut desk = Desk::open_read_only(&self.location()).unwrap();
        desk.fund("BTCX".parse().unwrap()).unwrap().unwrap().orders().count()
    }
}

/// Signs the log of a test.
#[derive(Debug)]
pub struct LogSigner;

impl LogSigner {
    fn key() -> strongroom_signature::SigningKey {
        strongroom_signature::SigningKey::ed25519(&[9; 32]).unwrap()
    }
}

impl strongroom_store::Notary for LogSigner {
    fn public(&self) -> [u8; 32] {
        Self::key().public_key().unwrap().try_into().unwrap()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], String> {
        Ok(Self::key().sign(message).unwrap().try_into().unwrap())
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            self.home.runtime.block_on(running.stop());
        }
    }
}

/// Issued long ago, so that one of them has expired.
fn give_keys(desk: &mut Desk) {
    let (then, by) = (seconds(Timestamp::now(), -100 * 86_400), Cause::actor("os:test"));
    for (place, (name, role, scopes, environment)) in (0_u8..).zip(KEYS) {
        let participant = (role == Role::Participant).then(|| name.to_uppercase());
        let id = name.parse().unwrap();
        let registered = AccessCommand::RegisterPrincipal { id, role, participant };
        desk.change_access(&registered, then, &by).unwrap();
        let enrolment = EnrolmentId::from_random([place; 8]);
        let days = if name == "expired" { 30 } else { 390 };
        let invited = AccessCommand::OpenEnrolment(NewEnrolment {
            id: enrolment.clone(),
            code_hash: "c0de".to_owned(),
            grant: Grant {
                principal: name.parse().unwrap(),
                environment,
                scopes: scopes.iter().map(|scope| scope.parse().unwrap()).collect(),
                networks: Networks::default(),
                owner: String::new(),
                replay: Default::default(),
            },
            algorithm: Algorithm::Ed25519,
            not_before: then,
            key_expires: seconds(then, days * 86_400),
            code_expires: seconds(then, 3_600),
        });
        desk.change_access(&invited, then, &by).unwrap();
        let enrolled = AccessCommand::Enrol {
            id: enrolment,
            code_hash: "c0de".to_owned(),
            algorithm: Algorithm::Ed25519,
            material: Material::Public { key: STANDARD.encode(signing_key(name).public_key().unwrap()) },
            lineage: lineage(name),
        };
        desk.change_access(&enrolled, then, &by).unwrap();
    }
}

/// A session whose cut-offs have not passed, whatever the time of the day: the second after today.
pub fn trade_date() -> String {
    let today = Zone::NewYork.date_of(Timestamp::now());
    let next = Calendar::Nyse.next_session(today).unwrap();
    Calendar::Nyse.next_session(next).unwrap().to_string()
}

fn open_fund(desk: &mut Desk) {
    let today = Zone::NewYork.date_of(Timestamp::now());
    let seeded = Calendar::Nyse.previous_session(today).unwrap();
    let definition = BITCOIN.replace("date = 2024-01-05", &format!("date = {seeded}"));
    let command = Command::OpenFund {
        definition,
        seed_prices: BTreeMap::from([("BTC".parse().unwrap(), "92000".parse().unwrap())]),
        weights: BTreeMap::new(),
    };
    let fund = "BTCX".parse().unwrap();
    let request = Request { fund, command, at: Timestamp::now(), cause: Cause::actor("os:test") };
    desk.command(request).unwrap();
}

/// A request before and after it was signed.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Server<'_> {
    pub fn asks(&self, method: &str, path: &str, body: &str) -> Asked {
        let mut headers = HeaderMap::new();
        if !body.is_empty() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        Asked {
            method: method.parse().unwrap(),
            uri: format!("{}{path}", self.url).parse().unwrap(),
            headers,
            body: body.as_bytes().to_vec(),
        }
    }

    pub fn port(&self) -> u16 {
        self.url.parse::<Uri>().unwrap().port_u16().unwrap()
    }

    /// Sends it as it is, over a socket of its own.
    pub fn send(&self, asked: &Asked) -> Told {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .build();
        let agent: ureq::Agent = config.into();
        let mut request = http::Request::new(asked.body.clone());
        *request.method_mut() = asked.method.clone();
        *request.uri_mut() = asked.uri.clone();
        *request.headers_mut() = asked.headers.clone();
        let mut response = match asked.body.is_empty() && asked.method != Method::POST {
            true => agent.run(request.map(|_| ())).unwrap(),
            false => agent.run(request).unwrap(),
        };
        let body = response.body_mut().read_to_vec().unwrap();
        Told { status: response.status().as_u16(), headers: response.headers().clone(), body }
    }

    /// Signs as `name` now and sends; answers a challenge of a server that has just started.
    pub fn ask(&self, name: &str, method: &str, path: &str, body: &str) -> Told {
        let asked = self.asks(method, path, body);
        let told = self.send(&asked.clone().signed(name));
        match told.code().as_str() {
            "request.must_answer_a_challenge" => self.send(&asked.answering(name, &told)),
            _ => told,
        }
    }

    /// Waits until what is signed now passes without a challenge: what was signed up to the start and the skew does not.
    pub fn settled(self) -> Self {
        let started = std::time::Instant::now();
        while self.send(&self.asks("GET", "/v1/whoami", "").signed("operator")).code() != "ok" {
            assert!(started.elapsed().as_secs() < 30, "the watermark does not pass");
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
        self
    }
}

pub fn now() -> i64 {
    Timestamp::now().as_second()
}

fn nonce() -> [u8; 24] {
    Secret::random(24).unwrap().expose().try_into().unwrap()
}

impl Asked {
    pub fn signed(self, name: &str) -> Self {
        self.signed_at(name, now())
    }

    pub fn signed_at(self, name: &str, created: i64) -> Self {
        let nonce = nonce();
        self.signed_with(name, created, &nonce)
    }

    pub fn signed_with(self, name: &str, created: i64, nonce: &[u8]) -> Self {
        self.signed_as((name, name), created, nonce)
    }

    /// Signed by one holder's key under the name of another's.
    pub fn signed_by(self, signer: &str, named: &str) -> Self {
        let nonce = nonce();
        self.signed_as((signer, named), now(), &nonce)
    }

    fn signed_as(self, (signer, named): (&str, &str), created: i64, nonce: &[u8]) -> Self {
        self.signed_under(signer, &key_id(named), created, nonce)
    }

    /// Signed by a holder's key under any name.
    pub fn signed_under(self, signer: &str, key_id: &str, created: i64, nonce: &[u8]) -> Self {
        self.signed_by_key(&signing_key(signer), key_id, created, nonce)
    }

    /// Signed now with an HMAC secret, base64.
    pub fn signed_by_secret(self, key_id: &str, secret: &str, nonce: &[u8]) -> Self {
        let key = SigningKey::hmac_sha256(&STANDARD.decode(secret).unwrap()).unwrap();
        self.signed_by_key(&key, key_id, now(), nonce)
    }

    pub fn signed_by_key(mut self, key: &SigningKey, key_id: &str, created: i64, nonce: &[u8]) -> Self {
        let parameters = SigningParameters { created, expires: created + 30, nonce, key_id };
        let line = RequestLine::of_uri(&self.method, &self.uri).unwrap();
        let profile = Profile::default();
        sign_request(&line, &mut self.headers, key, &parameters, &self.body, &profile).unwrap();
        self
    }

    pub fn answering(self, name: &str, told: &Told) -> Self {
        let asked = strongroom_signature::AcceptSignature::read(&told.headers).unwrap();
        let nonce = asked.into_iter().find_map(|asked| asked.nonce).unwrap();
        let nonce = strongroom_signature::Nonce::decode(&nonce).unwrap();
        self.signed_with(name, now(), nonce.as_bytes())
    }
}
