//! Signed requests over HTTP on loopback: processor time of one, throughput and latency, beside a server of the same parts
//! without a gate and beside the bare cryptography, in turns. The servers have one core, the load has the other.

pub mod child;
mod load;
mod primitives;
pub mod processor;
mod requests;

use crate::report::{Report, Table, figure};
use crate::statistics::{median, quantile, range};
use crate::{Failure, Plan};
use child::Served;
use load::CONNECTIONS;
use primitives::Primitives;
use processor::{LOAD_CORE, SERVER_CORE, pin, used_by};
use requests::{Signer, many};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;
use strongroom_client::{Client, Invitation, KeyFile, Options, SecretText, enrol, of_secret};
use strongroom_signature::SigningKey;

/// Requests before those that are counted.
const WARM_UP: u64 = 1_000;
/// Microseconds that a signed request may take beyond the same without a gate and the cryptography.
const GOAL: f64 = 5.0;
/// What was signed in the first seconds of a server must answer a challenge: so long none is sent.
const AFTER_START: Duration = Duration::from_secs(7);
/// The secret, and the seed, of the keys that other servers are given.
const PEER_SECRET: [u8; 32] = [7; 32];
/// A round of another server lasts about so many seconds.
const PEER_SECONDS: f64 = 2.0;

/// Another server to load.
#[derive(Debug, Clone)]
pub struct Peer {
    name: String,
    address: SocketAddr,
    algorithm: String,
}

impl FromStr for Peer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(3, ',').map(str::to_owned);
        let (Some(name), Some(address), Some(algorithm)) = (parts.next(), parts.next(), parts.next()) else {
            return Err("it is NAME,ADDRESS,ALGORITHM".to_owned());
        };
        let address = address.parse().map_err(|_| "the address is IP:PORT".to_owned())?;
        Ok(Self { name, address, algorithm })
    }
}

/// A server under load, with what was measured of it in each round.
struct Measured {
    name: String,
    address: SocketAddr,
    /// None of a server that is not ours.
    process: Option<u32>,
    signer: Option<Signer>,
    /// With which the content alone is signed as well.
    secret: Option<[u8; 32]>,
    status: &'static str,
    rounds: Vec<Round>,
}

/// What one round showed.
struct Round {
    /// Microseconds of processor time of one request; 0 of a server that is not ours.
    cpu: f64,
    /// How much of the time the server was at work.
    busy: f64,
    per_second: f64,
    p50: f64,
    p99: f64,
    answer: Vec<u8>,
}

pub fn measure(plan: &Plan, requests: u64, peers: &[Peer], report: &mut Report) -> Result<(), Failure> {
    let folder = plan.fresh_folder()?;
    pin(SERVER_CORE)?;
    let gate = Served::start("http-gate", folder.path())?;
    let hello = Served::start("http-hello", folder.path())?;
    pin(LOAD_CORE)?;
    let [hmac, ed25519] = keys(gate.text("url")?, gate.text("code")?)?;
    std::thread::sleep(AFTER_START);
    let mut without = Measured::of("without a gate", &hello, None)?;
    let mut signed =
        [Measured::of("hmac-sha256", &gate, Some(hmac))?, Measured::of("ed25519", &gate, Some(ed25519))?];
    let mut bare: [Vec<Primitives>; 2] = Default::default();
    let mut counter = 0;
    for _ in 0..plan.rounds {
        without.round(requests, &mut counter)?;
        for (measured, bare) in signed.iter_mut().zip(&mut bare) {
            measured.round(requests, &mut counter)?;
            bare.push(measured.primitives()?);
        }
    }
    report.add(beyond(plan, requests, &without, &signed, &bare));
    let mut all = vec![without];
    all.extend(signed);
    for peer in peers {
        all.push(Measured::of_peer(plan, requests, peer)?);
    }
    report.add(throughput(plan, &all));
    Ok(())
}

/// The first operator's key, and a shared secret that the operator has made.
fn keys(url: &str, code: &str) -> Result<[Signer; 2], Failure> {
    let invitation = Invitation::parse(code).ok_or("the server must invite")?;
    let operator = enrol(url, &invitation, &Options::default())?;
    let wanted = json!({
        "principal": "operator", "scopes": ["read"], "algorithm": "hmac-sha256", "environment": "dev",
    });
    let client = Client::try_new(&operator, &Options::default())?;
    let answer = client.post("/v1/keys", wanted.to_string().as_bytes())?.into_success()?;
    let issued: Value = serde_json::from_slice(&answer)?;
    let text = |name: &str| issued.get(name).and_then(Value::as_str).ok_or("a secret must be shown");
    let secret = SecretText::new(text("secret")?.to_owned());
    let shared = of_secret(url, text("key")?, secret, &Options::default())?;
    let signer = |file: &KeyFile| -> Result<Signer, Failure> {
        Ok(Signer { key: file.signing_key()?, name: file.key.clone() })
    };
    Ok([signer(&shared)?, signer(&operator)?])
}

impl Measured {
    fn of(name: &str, served: &Served, signer: Option<Signer>) -> Result<Self, Failure> {
        Ok(Self {
            name: name.to_owned(),
            address: served.address()?,
            process: Some(served.process()),
            signer,
            secret: None,
            status: "201",
            rounds: Vec::new(),
        })
    }

    /// Measures a server that somebody else started: as many requests as it answers in a moment.
    fn of_peer(plan: &Plan, requests: u64, peer: &Peer) -> Result<Self, Failure> {
        let key = match peer.algorithm.as_str() {
            "hmac-sha256" => SigningKey::hmac_sha256(&PEER_SECRET)?,
            _ => SigningKey::ed25519(&PEER_SECRET)?,
        };
        let mut measured = Self {
            name: format!("{}, {}", peer.name, peer.algorithm),
            address: peer.address,
            process: None,
            signer: Some(Signer { key, name: peer.algorithm.clone() }),
            secret: Some(PEER_SECRET),
            status: "200",
            rounds: Vec::new(),
        };
        let mut counter = 0;
        let rate = measured.once(WARM_UP / 2, &mut counter)?.per_second;
        let enough = requests.min((rate * PEER_SECONDS) as u64);
        for _ in 0..plan.rounds {
            measured.round(enough, &mut counter)?;
        }
        Ok(measured)
    }

    fn round(&mut self, requests: u64, counter: &mut u64) -> Result<(), Failure> {
        self.once(WARM_UP.min(requests), counter)?;
        let round = self.once(requests, counter)?;
        self.rounds.push(round);
        Ok(())
    }

    fn once(&self, requests: u64, counter: &mut u64) -> Result<Round, Failure> {
        let counters = *counter..*counter + requests;
        *counter = counters.end;
        let secret = self.secret.as_ref().map(<[u8; 32]>::as_slice);
        let ready = many(self.address, self.signer.as_ref(), secret, counters)?;
        let used = || self.process.map_or(Ok(0.0), used_by);
        let before = used()?;
        let load = load::send(self.address, &ready, self.status)?;
        let cpu = (used()? - before) / requests as f64;
        Ok(Round {
            cpu,
            busy: cpu * requests as f64 / 1e6 / load.seconds,
            per_second: requests as f64 / load.seconds,
            p50: quantile(&load.latencies, 0.5),
            p99: quantile(&load.latencies, 0.99),
            answer: load.answer,
        })
    }

    /// Of a request as the last round sent it and an answer as it came.
    fn primitives(&self) -> Result<Primitives, Failure> {
        let signer = self.signer.as_ref().ok_or("the requests must be signed")?;
        let answer = self.rounds.last().map(|round| round.answer.as_slice()).unwrap_or_default();
        primitives::measure(self.address, signer, answer)
    }

    fn each(&self, pick: impl Fn(&Round) -> f64) -> Vec<f64> {
        self.rounds.iter().map(pick).collect()
    }
}

fn beyond(
    plan: &Plan,
    requests: u64,
    without: &Measured,
    signed: &[Measured; 2],
    bare: &[Vec<Primitives>; 2],
) -> Table {
    let title = format!(
        "Processor time of one request of 1 KiB; us, medians of {} rounds of {requests} (goal: {GOAL} us beyond)",
        plan.rounds
    );
    let columns = [
        "signed by",
        "server",
        "without a gate",
        "verify",
        "digest",
        "sign answer",
        "its digest",
        "beyond",
        "lowest",
        "highest",
    ];
    let mut table = Table::new(title, &columns);
    let hello = without.each(|round| round.cpu);
    for (measured, bare) in signed.iter().zip(bare) {
        let cpu = measured.each(|round| round.cpu);
        let beyond: Vec<f64> =
            cpu.iter().zip(&hello).zip(bare).map(|((cpu, hello), bare)| cpu - hello - bare.sum()).collect();
        let of = |pick: fn(&Primitives) -> f64| median(&bare.iter().map(pick).collect::<Vec<f64>>());
        let (lowest, highest) = range(&beyond);
        let figures = [
            median(&cpu),
            median(&hello),
            of(|bare| bare.verify),
            of(|bare| bare.digest),
            of(|bare| bare.sign),
            of(|bare| bare.answer_digest),
            median(&beyond),
            lowest,
            highest,
        ];
        table.row([measured.name.clone()].into_iter().chain(figures.map(figure)));
    }
    table
}

fn throughput(plan: &Plan, all: &[Measured]) -> Table {
    let title = format!(
        "The same over {CONNECTIONS} connections, server and load on a core each; medians of {} rounds",
        plan.rounds
    );
    let columns = ["server", "requests/s", "p50 us", "p99 us", "server busy"];
    let mut table = Table::new(title, &columns);
    for measured in all {
        let busy = median(&measured.each(|round| round.busy));
        let figures = [
            median(&measured.each(|round| round.per_second)),
            median(&measured.each(|round| round.p50)),
            median(&measured.each(|round| round.p99)),
        ];
        let busy = if measured.process.is_some() { format!("{busy:.2}") } else { String::new() };
        table.row([measured.name.clone()].into_iter().chain(figures.map(figure)).chain([busy]));
    }
    table
}
