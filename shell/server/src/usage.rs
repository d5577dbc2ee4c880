//! Who uses which key: counted in memory, written every minute as hours, so that it survives a restart but for that minute.
//! The last use of a key is what decides whether it may be retired.
//!
//! Everything is bounded: keys that are not known are not counted, and of codes, sources and agents so many of a key.

use crate::house::House;
use http::{HeaderMap, header};
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, PoisonError, Weak};
use std::time::Duration;
use strongroom_access::{KeyId, LineageId};
use strongroom_desk::{Desk, DeskError, KeyHour, LastUse};
use strongroom_units::time::Timestamp;

/// How often what was counted is written.
pub(crate) const WRITE_EVERY: Duration = Duration::from_secs(60);
/// How long hours are kept.
const KEPT_SECONDS: i64 = 400 * 86_400;
const HOUR: i64 = 3_600;
/// Different sources, agents or codes of a key in an hour; the rest counts as `other`.
const KINDS_MAX: usize = 32;
/// Characters of a user agent.
const AGENT_MAX: usize = 60;
/// The rest.
const OTHER: &str = "other";
/// Minutes within which failures are compared with successes.
const ALARM_MINUTES: usize = 10;
/// Failures within them that are too few to speak of.
const ALARM_LEAST: u32 = 10;
/// Refusals that mean the client signs with the wrong key.
const MISMATCHES: [&str; 4] = [
    "request.signature_must_be_valid",
    "key.must_be_known",
    "key.must_not_be_retired",
    "key.must_not_be_revoked",
];

/// What became of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Outcome<'a> {
    LetIn,
    Refused(&'a str),
}

#[derive(Debug, Default)]
struct Hour {
    begun: i64,
    accepted: i64,
    refused: i64,
    codes: BTreeMap<String, u64>,
    sources: BTreeMap<IpAddr, u64>,
    agents: BTreeMap<String, u64>,
    last_used: Option<Timestamp>,
    is_changed: bool,
}

/// The last minutes of a lineage.
#[derive(Debug, Default, Clone)]
struct Minutes {
    at: i64,
    accepted: [u32; ALARM_MINUTES],
    mismatched: [u32; ALARM_MINUTES],
    is_said: bool,
}

/// Counts of every key since this server started.
#[derive(Debug)]
pub(crate) struct Usage {
    hours: Mutex<HashMap<KeyId, Hour>>,
    minutes: Mutex<HashMap<LineageId, Minutes>>,
    started: Timestamp,
    server: String,
}

impl Usage {
    pub fn new(server: &str, started: Timestamp) -> Self {
        let (hours, minutes) = (Mutex::default(), Mutex::default());
        Self { hours, minutes, started, server: server.to_owned() }
    }

    /// Since when this server has seen requests.
    pub fn started(&self) -> Timestamp {
        self.started
    }

    /// Counts a request of a key that is known.
    pub fn count(&self, key: &KeyId, outcome: Outcome<'_>, peer: IpAddr, headers: &HeaderMap) {
        let now = Timestamp::now();
        self.count_hour(key, outcome, peer, headers, now);
        self.count_minute(key, outcome, now);
    }

    fn count_hour(
        &self,
        key: &KeyId,
        outcome: Outcome<'_>,
        peer: IpAddr,
        headers: &HeaderMap,
        now: Timestamp,
    ) {
        let mut hours = self.hours.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = now.as_second() - now.as_second().rem_euclid(HOUR);
        if !hours.contains_key(key) {
            hours.insert(key.clone(), Hour { begun, ..Hour::default() });
        }
        let Some(hour) = hours.get_mut(key) else { return };
        if hour.begun != begun && !hour.is_changed {
            *hour = Hour { begun, last_used: hour.last_used, ..Hour::default() };
        }
        hour.is_changed = true;
        match outcome {
            Outcome::LetIn => {
                hour.accepted += 1;
                hour.last_used = Some(now);
            }
            Outcome::Refused(code) => {
                hour.refused += 1;
                add(&mut hour.codes, code);
            }
        }
        add_source(&mut hour.sources, network(peer));
        let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or("none");
        add(&mut hour.agents, agent.get(..AGENT_MAX).unwrap_or(agent));
    }

    fn count_minute(&self, key: &KeyId, outcome: Outcome<'_>, now: Timestamp) {
        let mut all = self.minutes.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains_key(&key.lineage) {
            all.insert(key.lineage.clone(), Minutes::default());
        }
        let Some(minutes) = all.get_mut(&key.lineage) else { return };
        minutes.turn_to(now.as_second() / 60);
        let place = slot(minutes.at);
        let counter = match outcome {
            Outcome::LetIn => minutes.accepted.get_mut(place),
            Outcome::Refused(code) if MISMATCHES.contains(&code) => minutes.mismatched.get_mut(place),
            Outcome::Refused(_) => None,
        };
        if let Some(counter) = counter {
            *counter = counter.saturating_add(1);
        }
        if minutes.is_alarming() && !std::mem::replace(&mut minutes.is_said, true) {
            eprintln!("warning: {} fails with the wrong key: was its last rotation rolled out?", key.lineage);
        }
    }

    /// Whether a lineage's requests fail because they are signed with the wrong key, more than one in five.
    pub fn is_alarming(&self, lineage: &LineageId) -> bool {
        let all = self.minutes.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(lineage).is_some_and(|minutes| {
            let mut minutes = minutes.clone();
            minutes.turn_to(Timestamp::now().as_second() / 60);
            minutes.is_alarming()
        })
    }

    /// Writes what changed, in the desk's thread.
    pub fn write(&self, house: &House, desk: &mut Desk) -> Result<(), DeskError> {
        let mut hours = Vec::new();
        let mut last = Vec::new();
        {
            let mut counted = self.hours.lock().unwrap_or_else(PoisonError::into_inner);
            let known = |key: &KeyId| house.gate.access(|access| access.lineage(&key.lineage).is_some());
            counted.retain(|key, _| known(key));
            for (key, hour) in counted.iter_mut().filter(|(_, hour)| hour.is_changed) {
                hour.is_changed = false;
                hours.push(self.hour_of(key, hour));
                let seen = |at| LastUse { key: key.clone(), server: self.server.clone(), at };
                last.extend(hour.last_used.map(seen));
            }
        }
        let done = desk.put_key_usage(&hours, &last);
        if done.is_err() {
            let mut counted = self.hours.lock().unwrap_or_else(PoisonError::into_inner);
            for one in &hours {
                counted.entry(one.key.clone()).and_modify(|hour| hour.is_changed = true);
            }
        }
        done
    }

    fn hour_of(&self, key: &KeyId, hour: &Hour) -> KeyHour {
        let json = |counts| serde_json::to_string(counts).unwrap_or_default();
        let sources = hour.sources.iter().map(|(network, count)| (text_of(*network), *count)).collect();
        KeyHour {
            key: key.clone(),
            hour: Timestamp::from_second(hour.begun).unwrap_or_default(),
            // A server that was started anew counts from nothing, so its hour is a row of its own.
            server: format!("{} since {}", self.server, self.started),
            accepted: hour.accepted,
            refused: hour.refused,
            codes: json(&hour.codes),
            sources: json(&sources),
            agents: json(&hour.agents),
        }
    }
}

impl Minutes {
    fn turn_to(&mut self, minute: i64) {
        let passed = usize::try_from(minute - self.at).unwrap_or(0).min(ALARM_MINUTES);
        for step in 0..passed {
            let place = slot(minute - i64::try_from(step).unwrap_or(0));
            for counters in [&mut self.accepted, &mut self.mismatched] {
                if let Some(counter) = counters.get_mut(place) {
                    *counter = 0;
                }
            }
        }
        self.at = self.at.max(minute);
        if !self.is_alarming() {
            self.is_said = false;
        }
    }

    fn is_alarming(&self) -> bool {
        let (good, bad): (u32, u32) = (self.accepted.iter().sum(), self.mismatched.iter().sum());
        bad >= ALARM_LEAST && bad.saturating_mul(4) > good
    }
}

fn slot(minute: i64) -> usize {
    usize::try_from(minute.rem_euclid(10)).unwrap_or(0)
}

fn add(counts: &mut BTreeMap<String, u64>, name: &str) {
    if let Some(count) = counts.get_mut(name) {
        *count += 1;
        return;
    }
    let name = if counts.len() < KINDS_MAX { name } else { OTHER };
    *counts.entry(name.to_owned()).or_default() += 1;
}

fn add_source(counts: &mut BTreeMap<IpAddr, u64>, network: IpAddr) {
    if let Some(count) = counts.get_mut(&network) {
        *count += 1;
        return;
    }
    let network = if counts.len() < KINDS_MAX { network } else { ELSEWHERE };
    *counts.entry(network).or_default() += 1;
}

/// Stands for the rest: no request comes from here.
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// The network of an address, /24 or /48: enough to see that a key is used from elsewhere, and no more.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            Ipv4Addr::new(a, b, c, 0).into()
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0).into()
        }
    }
}

fn text_of(network: IpAddr) -> String {
    match network {
        ELSEWHERE => OTHER.to_owned(),
        IpAddr::V4(address) => format!("{address}/24"),
        IpAddr::V6(address) => format!("{address}/48"),
    }
}

/// The key that a request names, whoever sent it. Only for counting: nothing is verified here.
pub(crate) fn named_key(headers: &HeaderMap) -> Option<KeyId> {
    let input = headers.get("signature-input")?.to_str().ok()?;
    let (_, rest) = input.split_once(";keyid=\"")?;
    KeyId::try_new(rest.split('"').next()?).ok()
}

/// Writes what was counted until the server ends.
pub(crate) async fn run(house: Weak<House>) {
    loop {
        tokio::time::sleep(WRITE_EVERY).await;
        let Some(house) = house.upgrade() else { return };
        let writer = house.clone();
        let written = house
            .ask(move |desk| {
                writer.usage.write(&writer, desk)?;
                let before = Timestamp::now().as_second() - KEPT_SECONDS;
                desk.prune_key_usage(Timestamp::from_second(before).unwrap_or(Timestamp::MIN))
            })
            .await;
        match written {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => eprintln!("error: the use of keys was not written: {error}"),
            // The desk is closed.
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_with_the_wrong_key_are_an_alarm_and_pass() {
        let mut minutes = Minutes::default();
        minutes.turn_to(1_000);
        minutes.accepted[slot(1_000)] = 39;
        minutes.mismatched[slot(1_000)] = 9;
        assert!(!minutes.is_alarming(), "too few");
        minutes.mismatched[slot(1_000)] = 10;
        assert!(minutes.is_alarming());
        minutes.accepted[slot(1_000)] = 41;
        assert!(!minutes.is_alarming(), "fewer than one in five");
        minutes.accepted[slot(1_000)] = 0;
        minutes.turn_to(1_009);
        assert!(minutes.is_alarming());
        minutes.turn_to(1_010);
        assert!(!minutes.is_alarming(), "ten minutes later");
    }

    #[test]
    fn many_kinds_stay_few_rows() {
        let mut counts = BTreeMap::new();
        for number in 0..1_000 {
            add(&mut counts, &number.to_string());
        }
        assert_eq!(counts.len(), KINDS_MAX + 1);
        assert_eq!(counts.values().sum::<u64>(), 1_000);
        let text = |address: &str| text_of(network(address.parse().unwrap()));
        assert_eq!(text("192.0.2.77"), "192.0.2.0/24");
        assert_eq!(text("::ffff:192.0.2.77"), "192.0.2.0/24");
        assert_eq!(text("2001:db8:7:8::1"), "2001:db8:7::/48");
        assert_eq!(text_of(ELSEWHERE), "other");
    }
}
