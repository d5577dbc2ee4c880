//! Several verifiers with their nonces in a real Redis: whatever becomes of it, nothing is let in twice.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use strongroom_access::replay::{Challenges, EraSecret, FingerprintKey, Limits, Recovered, Window};
use strongroom_access::session_token::SessionTokens;
use strongroom_access::{AccessState, Environment};
use strongroom_gate::shared::{Outcome, SharedError, SharedNonces, SharedSettings};
use strongroom_gate::{EraMakers, Gate, GateOptions, KeyTable, NonceStore};
use strongroom_signature::Profile;
use strongroom_testing::redis::{Link, Redis};
use strongroom_units::time::Timestamp;

const KEY: [u8; 16] = [7; 16];

/// A small skew: an era's first seconds are waited for often.
fn limits() -> Limits {
    Limits { skew_seconds: 1, ..Limits::default() }
}

fn settings(url: &str) -> SharedSettings {
    SharedSettings::new(url, FingerprintKey::new(KEY).check(), limits())
}

/// One verifier, as a server has it.
fn verifier(url: &str) -> Gate {
    let shared = SharedNonces::connect(settings(url)).unwrap();
    let recovered = Recovered { entries: Vec::new(), watermark: shared.era().watermark, complete: true };
    let makers = EraMakers { secret: EraSecret::new([3; 32]), challenge_seconds: 60, token_seconds: 60 };
    let options = GateOptions {
        lease: strongroom_gate::Lease::alone(),
        environment: Environment::Dev,
        profile: Profile::default(),
        window: Window::restored(limits(), &FingerprintKey::new(KEY), &recovered, Timestamp::now()),
        challenges: Challenges::new([0; 32], 60),
        pepper: strongroom_access::bearer::Pepper::new(vec![0; 32]),
        nonces: NonceStore::Shared(shared, makers),
        tokens: SessionTokens::new([0; 32], 60),
        rates: strongroom_access::rate_limit::RateLimiter::new(
            strongroom_access::rate_limit::Policy::try_new("key", 1_000_000, 60).unwrap(),
            10,
        ),
    };
    let keys = KeyTable::try_new(AccessState::default(), Box::new(|_, _| unreachable!())).unwrap();
    Gate::new(options, keys)
}

/// What a verifier says to a nonce of a good signature: `ok` or a code.
fn show(gate: &Gate, nonce: &[u8], created: i64) -> String {
    show_as("k1", gate, nonce, created)
}

fn show_as(lineage: &str, gate: &Gate, nonce: &[u8], created: i64) -> String {
    match gate.spend_for(lineage, nonce, created, Timestamp::now()) {
        Ok(()) => "ok".to_owned(),
        Err(refusal) => refusal.code().to_owned(),
    }
}

/// What a client that was refused with a challenge says next.
fn show_challenge(issuer: &Gate, judge: &Gate) -> String {
    let challenge = issuer.challenge(Timestamp::now()).unwrap();
    show(judge, challenge.as_bytes(), now())
}

fn now() -> i64 {
    Timestamp::now().as_second()
}

fn nonce(number: u64) -> [u8; 16] {
    let mut nonce = [0; 16];
    nonce[8..].copy_from_slice(&number.to_be_bytes());
    nonce
}

/// Waits until an era's watermark has passed.
fn settle(gate: &Gate) {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let started = Instant::now();
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed) as u64;
        let told = show(gate, &nonce(u64::MAX - number), now());
        if told == "ok" {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(40), "it does not settle: {told}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn what_one_verifier_let_in_no_other_does_and_a_restart_refuses_nothing() {
    let Some(redis) = Redis::start() else { return };
    let (one, other) = (verifier(&redis.url()), verifier(&redis.url()));
    assert_eq!(
        show(&one, &nonce(1), now()),
        "request.must_answer_a_challenge",
        "an empty Redis may have lost all"
    );
    assert_eq!(show_challenge(&one, &other), "ok", "one verifier's challenge is answered at the other");
    let challenge = other.challenge(Timestamp::now()).unwrap();
    assert_eq!(show(&one, challenge.as_bytes(), now()), "ok");
    assert_eq!(show(&other, challenge.as_bytes(), now()), "request.nonce_was_used");
    settle(&one);
    let created = now();
    assert_eq!(show(&one, &nonce(2), created), "ok");
    assert_eq!(show(&other, &nonce(2), created), "request.nonce_was_used");
    drop(one);
    let again = verifier(&redis.url());
    assert_eq!(show(&again, &nonce(2), created), "request.nonce_was_used");
    assert_eq!(show(&again, &nonce(3), created), "ok");
    // As long as a repeat could be fresh, counted from when it was signed and not from when it came.
    let keys = redis.cli(&["--scan", "--pattern", "sr:*"]);
    assert!(keys.lines().count() >= 3, "{keys}");
    let shared = SharedNonces::connect(settings(&redis.url())).unwrap();
    let entry = strongroom_access::replay::Entry { fingerprint: 5, lineage: 1, second: now() - 20 };
    let era = shared.era();
    let late = strongroom_access::replay::Entry { fingerprint: 6, second: now() - 70, ..entry };
    if entry.second > era.watermark {
        assert_eq!(shared.record(entry, era.number), Ok(Outcome::Recorded));
    }
    assert!(!matches!(shared.record(late, era.number), Ok(Outcome::Recorded)));
    for key in ["era", "nothing"] {
        let left: i64 = redis.cli(&["pttl", key]).trim().parse().unwrap();
        assert!(left < 0);
    }
}

#[test]
fn a_redis_that_cannot_keep_what_it_is_given_is_refused() {
    let Some(redis) = Redis::start() else { return };
    redis.cli(&["config", "set", "maxmemory-policy", "allkeys-lru"]);
    let refused = SharedNonces::connect(settings(&redis.url())).unwrap_err();
    assert_eq!(refused, SharedError::MustNotEvict("allkeys-lru".to_owned()));
    redis.cli(&["config", "set", "maxmemory-policy", "noeviction"]);
    let gate = verifier(&redis.url());
    settle(&gate);
    redis.cli(&["config", "set", "maxmemory-policy", "volatile-ttl"]);
    std::thread::sleep(Duration::from_millis(2_500));
    assert_eq!(
        show(&gate, &nonce(1), now()),
        "server.redis_must_not_evict",
        "a change while it runs is seen"
    );
    redis.cli(&["config", "set", "maxmemory-policy", "noeviction"]);
    redis.cli(&["config", "set", "maxmemory", "1mb"]);
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(show(&gate, &nonce(2), now()), "server.redis_must_answer", "a full Redis lets nothing in");
    let replica = Redis::start().unwrap();
    replica.cli(&["replicaof", "127.0.0.1", &redis.port().to_string()]);
    let refused = SharedNonces::connect(settings(&replica.url())).unwrap_err();
    assert_eq!(refused.code(), "server.redis_must_be_a_primary");
    for url in ["http://127.0.0.1", "redis://127.0.0.1:notaport", ""] {
        assert_eq!(
            SharedNonces::connect(settings(url)).unwrap_err().code(),
            "server.redis_url_must_be_valid",
            "{url}"
        );
    }
    let nobody = SharedNonces::connect(settings("redis://127.0.0.1:1")).unwrap_err();
    assert_eq!(nobody.code(), "server.redis_must_answer");
}

#[test]
fn a_clock_that_is_off_lets_nothing_in_and_ends_the_era() {
    static AHEAD: AtomicBool = AtomicBool::new(false);
    let Some(redis) = Redis::start() else { return };
    let clock = || now() + if AHEAD.load(Ordering::Relaxed) { 10 } else { 0 };
    let shared = SharedNonces::connect(SharedSettings { clock, ..settings(&redis.url()) }).unwrap();
    let entry = |fingerprint, second| strongroom_access::replay::Entry { fingerprint, lineage: 1, second };
    let before = shared.era();
    let second = before.watermark + 1;
    assert_eq!(shared.record(entry(1, second), before.number), Ok(Outcome::Recorded));
    AHEAD.store(true, Ordering::Relaxed);
    let refused = shared.record(entry(2, second), before.number).unwrap_err();
    assert_eq!(refused.code(), "server.clocks_must_agree");
    AHEAD.store(false, Ordering::Relaxed);
    std::thread::sleep(Duration::from_millis(1_500));
    let after = shared.era();
    assert_eq!(shared.trouble(), None);
    assert!(after.number == 2 && after.watermark >= before.watermark);
    assert!(matches!(shared.record(entry(2, second + 20), before.number), Ok(Outcome::EraEnded { .. })));
}

#[test]
fn a_flush_a_restart_and_a_promotion_begin_an_era() {
    let Some(mut redis) = Redis::start() else { return };
    let link = Link::to(redis.port());
    let (one, other) = (verifier(&link.url()), verifier(&link.url()));
    settle(&one);
    let refused_after = |what: &str, created: i64, number: u64| {
        // Within the time in which a repeat is fresh. Until Redis answers again, nothing is let in at all.
        let started = Instant::now();
        for gate in [&other, &one] {
            loop {
                let told = show(gate, &nonce(number), created);
                assert_ne!(told, "ok", "{what}: let in twice");
                match told.as_str() {
                    "request.must_answer_a_challenge" => break,
                    "server.redis_must_answer"
                    | "server.redis_must_be_a_primary"
                    | "request.nonce_was_used" => {}
                    other => panic!("{what}: {other}"),
                }
                assert!(started.elapsed() < Duration::from_secs(10), "{what}: {told}");
                std::thread::sleep(Duration::from_millis(50));
            }
            assert_eq!(show_challenge(gate, &one), "ok", "{what}");
        }
    };
    let first_shown = |number: u64| {
        let created = now();
        assert_eq!(show(&one, &nonce(number), created), "ok");
        created
    };
    let created = first_shown(1);
    redis.cli(&["flushall"]);
    refused_after("flush", created, 1);
    settle(&one);

    // What is loaded from a file is older than what was last let in, and names the same era.
    redis.cli(&["save"]);
    let created = first_shown(2);
    redis.kill_and_restart();
    refused_after("restart with a file", created, 2);
    settle(&one);

    let replica = Redis::start().unwrap();
    replica.cli(&["replicaof", "127.0.0.1", &redis.port().to_string()]);
    replica.until("info replication", "master_link_status:up");
    replica.until("info replication", "master_sync_in_progress:0");
    // A primary that gets its first replica begins another history of writes, which is taken for a loss.
    settle(&one);
    // What the replica has not got is what a failover loses.
    redis.cli(&["client", "kill", "type", "replica"]);
    replica.cli(&["replicaof", "no", "one"]);
    let created = first_shown(3);
    assert!(!replica.cli(&["get", &format!("strongroom:{}:era", installation())]).trim().is_empty());
    redis.kill();
    link.lead_to(replica.port());
    refused_after("promotion", created, 3);
}

fn installation() -> String {
    format!("{:016x}", FingerprintKey::new(KEY).check() >> 64)
}

#[derive(Default)]
struct Stop(AtomicBool);

struct Stops<'a>(&'a Stop);

impl Drop for Stops<'_> {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

/// Clients show every nonce to both verifiers, again and again, while Redis is killed, frozen and flushed.
#[test]
fn nothing_is_let_in_twice_while_redis_fails_under_load() {
    let Some(mut redis) = Redis::start() else { return };
    let gates = [verifier(&redis.url()), verifier(&redis.url())];
    settle(&gates[0]);
    let accepted: Vec<Mutex<std::collections::HashMap<u64, usize>>> =
        (0..4).map(|_| Mutex::default()).collect();
    let stop = Stop::default();
    let shown = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for (client, accepted) in (0_u64..).zip(&accepted) {
            let (gates, stop, shown) = (&gates, &stop.0, &shown);
            let lineage = format!("client{client}");
            scope.spawn(move || {
                let mut recent: Vec<(u64, i64)> = Vec::new();
                let mut number = client << 40;
                while !stop.load(Ordering::Relaxed) {
                    number += 1;
                    recent.push((number, now()));
                    let old = recent[(number as usize * 7_919) % recent.len()];
                    for (number, created) in [(number, now()), old] {
                        for gate in [&gates[number as usize % 2], &gates[(number as usize + 1) % 2]] {
                            shown.fetch_add(1, Ordering::Relaxed);
                            if show_as(&lineage, gate, &nonce(number), created) == "ok" {
                                *accepted.lock().unwrap().entry(number).or_default() += 1;
                            }
                        }
                    }
                    std::thread::sleep(Duration::from_millis(1));
                }
            });
        }
        // A panic of this thread, too, tells the clients to stop.
        let _stops = Stops(&stop);
        for round in 0..3 {
            std::thread::sleep(Duration::from_millis(700));
            match round {
                0 => redis.kill_and_restart(),
                1 => drop(redis.cli(&["flushall"])),
                _ => redis.freeze_for(Duration::from_millis(900)),
            }
            settle(&gates[0]);
        }
    });
    let mut accepts = 0;
    for accepted in &accepted {
        for (number, times) in accepted.lock().unwrap().iter() {
            accepts += 1;
            assert_eq!(*times, 1, "nonce {number}");
        }
    }
    assert!(accepts > 200, "{accepts} of {} were let in", shown.into_inner());
}
