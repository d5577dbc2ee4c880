//! Drills of what binds and of what is let in once, in process, and the replay window beside a `HashSet` and Redis.

use crate::report::{Report, Table, figure};
use crate::statistics::median;
use crate::{Failure, Plan};
use http::{HeaderMap, HeaderValue, Method};
use std::collections::HashSet;
use std::time::Instant;
use strongroom_access::replay::{Challenges, FingerprintKey, Limits, Presented, Recovered, Window};
use strongroom_signature::{
    Content, Profile, RequestLine, SignedRequest, SigningKey, SigningParameters, VerifyingKey, sign_request,
};
use strongroom_units::time::Timestamp;

const NOW: i64 = 1_800_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or_default()
}

/// A small generator (SplitMix64): the drills are the same each time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % (bound.max(1) as u64)).unwrap_or_default()
    }

    fn nonce(&mut self) -> [u8; 16] {
        (u128::from(self.next()) << 64 | u128::from(self.next())).to_be_bytes()
    }
}

/// A signed request in parts that can be changed one by one.
#[derive(Clone)]
struct Sent {
    method: Method,
    authority: String,
    path: String,
    query: String,
    headers: HeaderMap,
    content: Vec<u8>,
}

impl Sent {
    fn signed(key: &SigningKey, random: &mut Random) -> Result<Self, Failure> {
        let mut sent = Self {
            method: Method::POST,
            authority: "fund.example".to_owned(),
            path: "/v1/funds/BTCX/orders".to_owned(),
            query: format!("dry={}", random.below(10)),
            headers: HeaderMap::new(),
            content: format!(r#"{{"id":"A{}","baskets":{}}}"#, random.next(), random.below(90)).into_bytes(),
        };
        sent.headers.insert("content-type", HeaderValue::from_static("application/json"));
        let nonce = random.nonce();
        let parameters = SigningParameters { created: NOW, expires: NOW + 60, nonce: &nonce, key_id: "k1.1" };
        let (line, content) = (sent.clone(), sent.content.clone());
        sign_request(&line.line(), &mut sent.headers, key, &parameters, &content, &Profile::default())?;
        Ok(sent)
    }

    fn line(&self) -> RequestLine<'_> {
        RequestLine {
            method: &self.method,
            scheme: "https",
            authority: &self.authority,
            path: &self.path,
            query: Some(&self.query),
        }
    }

    fn is_accepted(&self, key: &VerifyingKey, profile: &Profile) -> bool {
        SignedRequest::read(&self.line().with(&self.headers), profile).is_ok_and(|candidate| {
            candidate.must_be_fresh(NOW, profile).is_ok()
                && candidate.verify(key, Content::Bytes(&self.content)).is_ok()
        })
    }
}

/// What one byte is flipped in.
const PLACES: [&str; 9] = [
    "method",
    "authority",
    "path",
    "query",
    "content",
    "content type",
    "content digest",
    "signature input",
    "signature",
];

/// Flips one bit of one byte; none where what comes out could not be sent.
fn flipped(text: &str, random: &mut Random) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    let place = random.below(bytes.len());
    *bytes.get_mut(place)? ^= 1 << random.below(7);
    String::from_utf8(bytes).ok()
}

/// The sent request with one byte changed, in what binds. Of an authority only what is no change of case counts, which
/// RFC 9421 makes alike; of base64 the text is changed, so that forms of it that are not canonical come up too.
fn changed(sent: &Sent, place: &str, random: &mut Random) -> Option<Sent> {
    let mut other = sent.clone();
    match place {
        "method" => {
            other.method = Method::from_bytes(flipped(sent.method.as_str(), random)?.as_bytes()).ok()?
        }
        "authority" => {
            other.authority = flipped(&sent.authority, random)?;
            if other.authority.eq_ignore_ascii_case(&sent.authority) {
                return None;
            }
        }
        "path" => other.path = flipped(&sent.path, random)?,
        "query" => other.query = flipped(&sent.query, random)?,
        "content" => {
            let at = random.below(sent.content.len());
            *other.content.get_mut(at)? ^= 1 << random.below(8);
        }
        _ => {
            let name = place.replace(' ', "-");
            let text = sent.headers.get(&name)?.to_str().ok()?;
            let changed = HeaderValue::from_str(&flipped(text, random)?).ok()?;
            other.headers.insert(http::HeaderName::try_from(name).ok()?, changed);
        }
    }
    Some(other)
}

/// One byte flipped in each of `requests` signed requests.
pub fn flip(requests: usize, report: &mut Report) -> Result<(), Failure> {
    let (key, profile) = (SigningKey::ed25519(&[7; 32])?, Profile::default());
    let verifying = key.verifying_key().ok_or("the key must have a verifying half")?;
    let mut random = Random(1);
    let mut counts = PLACES.map(|_| (0_usize, 0_usize, Vec::<String>::new()));
    let started = Instant::now();
    let mut done = 0;
    while done < requests {
        let sent = Sent::signed(&key, &mut random)?;
        if !sent.is_accepted(&verifying, &profile) {
            return Err("what was signed must verify".into());
        }
        let turn = done % PLACES.len();
        let (Some(place), Some(count)) = (PLACES.get(turn), counts.get_mut(turn)) else { continue };
        let Some(other) = changed(&sent, place, &mut random) else { continue };
        done += 1;
        count.0 += 1;
        if other.is_accepted(&verifying, &profile) {
            count.1 += 1;
            count.2.push(format!("{:?}", other.headers));
        }
    }
    let title = format!(
        "One bit flipped in each of {requests} signed requests, {:.0} s",
        started.elapsed().as_secs_f64()
    );
    let mut table = Table::new(title, &["in", "requests", "accepted"]);
    for (place, (flips, accepted, _)) in PLACES.iter().zip(&counts) {
        table.row([(*place).to_owned(), flips.to_string(), accepted.to_string()]);
    }
    report.add(table);
    match counts.iter().find_map(|(_, _, what)| what.first()) {
        None => Ok(()),
        Some(what) => Err(format!("a changed request was accepted: {what}").into()),
    }
}

/// What a process that stops keeps.
enum Kept {
    Nothing,
    Entries,
}

/// `requests` captured requests, each let in once and shown again and again, over restarts and steps of the clock.
pub fn drill(requests: usize, report: &mut Report) -> Result<(), Failure> {
    let mut table = Table::new(
        format!("{requests} captured requests replayed over restarts and clock steps"),
        &["nonces kept", "restarts", "clock steps", "first let in", "replays", "let in again", "seconds"],
    );
    for (name, kept) in [("in memory", Kept::Nothing), ("on disk", Kept::Entries)] {
        let started = Instant::now();
        let told = replays(requests, &kept)?;
        table.row([
            name.to_owned(),
            told.restarts.to_string(),
            told.steps.to_string(),
            told.first.to_string(),
            told.replays.to_string(),
            told.again.to_string(),
            format!("{:.1}", started.elapsed().as_secs_f64()),
        ]);
        if told.again > 0 {
            return Err("a captured request was let in again".into());
        }
    }
    report.add(table);
    Ok(())
}

#[derive(Default)]
struct Replays {
    restarts: usize,
    steps: usize,
    first: usize,
    replays: usize,
    again: usize,
}

fn replays(requests: usize, kept: &Kept) -> Result<Replays, Failure> {
    let (key, limits) = (FingerprintKey::new([3; 16]), Limits::default());
    let challenges = Challenges::new([5; 32], 60);
    let mut window = Window::started(limits, &key, at(NOW - 100));
    let (mut told, mut random, mut now) = (Replays::default(), Random(2), NOW);
    let mut entries = Vec::new();
    let mut captured: Vec<([u8; 16], i64)> = Vec::with_capacity(requests);
    // The latest time at which a process lived, as the log of a database has it.
    let mut lived = NOW;
    while told.replays < requests {
        match random.below(200) {
            0 => {
                told.restarts += 1;
                window = match kept {
                    Kept::Nothing => Window::started(limits, &key, at(lived.max(now))),
                    Kept::Entries => {
                        let watermark = window.watermark();
                        let recovered = Recovered { entries: entries.clone(), watermark, complete: true };
                        Window::restored(limits, &key, &recovered, at(now))
                    }
                };
                entries.retain(|entry: &strongroom_access::replay::Entry| entry.second > window.watermark());
            }
            1 => {
                told.steps += 1;
                let step = i64::try_from(random.below(240))?;
                now += step - 120;
            }
            2..=9 => now += 1,
            _ => {}
        }
        lived = lived.max(now);
        for _ in 0..10 {
            let (nonce, created) = (random.nonce(), now + i64::try_from(random.below(6))? - 3);
            let shown = Presented { lineage: "k1", nonce: &nonce, created };
            if let Ok(entry) = window.admit(&challenges, shown, at(now)) {
                told.first += 1;
                captured.push((nonce, created));
                if matches!(kept, Kept::Entries) {
                    entries.push(entry);
                }
            }
        }
        for _ in 0..20 {
            // Half of them just captured, half from any time.
            let recent = captured.len().saturating_sub(2_000);
            let place = match random.below(2) {
                0 => recent + random.below(captured.len() - recent),
                _ => random.below(captured.len()),
            };
            let Some((nonce, created)) = captured.get(place) else { continue };
            told.replays += 1;
            let shown = Presented { lineage: "k1", nonce, created: *created };
            told.again += usize::from(window.admit(&challenges, shown, at(now)).is_ok());
        }
    }
    Ok(told)
}

/// Bytes a nonce and inserts a second: the window, a `HashSet`, and Redis where one is named.
pub fn window(plan: &Plan, nonces: usize, redis: Option<&str>, report: &mut Report) -> Result<(), Failure> {
    let title = format!("{nonces} nonces of 16 bytes, medians of {} rounds", plan.rounds);
    let mut table = Table::new(title, &["store", "bytes a nonce", "inserts/s"]);
    type Store<'a> = Box<dyn Fn() -> Result<(f64, f64), Failure> + 'a>;
    let mut stores: Vec<(&str, Store<'_>)> = vec![
        ("our window", Box::new(|| in_window(nonces))),
        ("std HashSet<[u8; 16]>", Box::new(|| Ok(in_set(nonces, |nonce| nonce)))),
        (
            "std HashSet<String>",
            Box::new(|| Ok(in_set(nonces, |nonce| format!("k1:{:032x}", u128::from_be_bytes(nonce))))),
        ),
    ];
    if let Some(url) = redis {
        stores.push((
            "Redis, SET NX PX, pipelines of 500",
            Box::new(move || in_redis(nonces.min(200_000), url)),
        ));
    }
    for (name, store) in &stores {
        let rounds = (0..plan.rounds).map(|_| store()).collect::<Result<Vec<_>, _>>()?;
        let of = |pick: fn(&(f64, f64)) -> f64| median(&rounds.iter().map(pick).collect::<Vec<f64>>());
        table.row([(*name).to_owned(), format!("{:.1}", of(|round| round.0)), figure(of(|round| round.1))]);
    }
    report.add(table);
    Ok(())
}

fn in_window(nonces: usize) -> Result<(f64, f64), Failure> {
    let limits = Limits { nonces_max: nonces, nonces_per_lineage_max: u32::MAX, ..Limits::default() };
    let mut window = Window::started(limits, &FingerprintKey::new([3; 16]), at(NOW - 100));
    let (mut random, started) = (Random(3), Instant::now());
    for number in 0..nonces {
        // Spread over the minute in which they live.
        let created = NOW - i64::try_from(number * 60 / nonces)?;
        let nonce = random.nonce();
        // Nothing here is executed, so nothing need be durable.
        let _ = window.insert(Presented { lineage: "k1", nonce: &nonce, created }, at(NOW))?;
    }
    let took = started.elapsed().as_secs_f64();
    Ok((window.bytes() as f64 / nonces as f64, nonces as f64 / took))
}

/// Resident memory of this process, bytes.
fn resident() -> f64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok()).unwrap_or_default() * 4_096.0
}

fn in_set<T: Eq + std::hash::Hash>(nonces: usize, make: fn([u8; 16]) -> T) -> (f64, f64) {
    let (before, mut random, started) = (resident(), Random(3), Instant::now());
    let mut set = HashSet::new();
    for _ in 0..nonces {
        set.insert(make(random.nonce()));
    }
    let took = started.elapsed().as_secs_f64();
    let bytes = (resident() - before).max(0.0);
    drop(std::hint::black_box(set));
    (bytes / nonces as f64, nonces as f64 / took)
}

fn in_redis(nonces: usize, url: &str) -> Result<(f64, f64), Failure> {
    let mut connection = redis::Client::open(url)?.get_connection()?;
    let used = |connection: &mut redis::Connection| -> Result<f64, Failure> {
        let about: String = redis::cmd("INFO").arg("memory").query(connection)?;
        let line = about.lines().find_map(|line| line.strip_prefix("used_memory:"));
        Ok(line.ok_or("INFO has used_memory")?.trim().parse()?)
    };
    let (before, mut random, started) =
        (used(&mut connection)?, Random(u64::from(std::process::id())), Instant::now());
    let mut keys = Vec::with_capacity(nonces);
    while keys.len() < nonces {
        let mut pipeline = redis::pipe();
        for _ in 0..500 {
            let key = [b"sr:bench:".as_slice(), &random.nonce()].concat();
            pipeline.cmd("SET").arg(&key).arg("").arg("NX").arg("PX").arg(60_000).ignore();
            keys.push(key);
        }
        pipeline.query::<()>(&mut connection)?;
    }
    let took = started.elapsed().as_secs_f64();
    let bytes = (used(&mut connection)? - before).max(0.0);
    for keys in keys.chunks(500) {
        redis::cmd("UNLINK").arg(keys).query::<i64>(&mut connection)?;
    }
    Ok((bytes / keys.len() as f64, keys.len() as f64 / took))
}
