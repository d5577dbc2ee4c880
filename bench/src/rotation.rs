//! A hundred thousand lineages with policies: what the scheduler adds to the start of a server and takes of a core.

use crate::report::{Report, Table, figure};
use crate::{Failure, Plan};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use strongroom_access::rotation::{Queue, RotationCommand, RotationEvent, RotationPolicy};
use strongroom_access::{
    AccessCommand, AccessEvent, AccessState, Algorithm, Environment, Grant, KeyState, KeyVersion, LineageId,
    Material, Networks, Principal, Role, encode,
};
use strongroom_desk::{Desk, SCHEMA};
use strongroom_server::{ServerOptions, serve};
use strongroom_store::{Location, Record, Store};
use strongroom_units::time::Timestamp;
use strongroom_vault::{Kek, Secret, Vault};

const LINEAGES: u64 = 99_000;
const EVERY_SECONDS: i64 = 90 * 86_400;
/// Records of one append.
const BATCH: usize = 20_000;
/// How long an idle server is watched.
const WATCHED: Duration = Duration::from_secs(20);
/// Lineages that are due at once.
const DUE: usize = 2_000;

pub fn measure(plan: &Plan, report: &mut Report) -> Result<(), Failure> {
    let now = Timestamp::now();
    let events = events(now)?;
    let mut access = AccessState::default();
    events.iter().for_each(|event| access.apply(event, now));
    let mut table = Table::new(
        format!("Rotation of {} lineages, one key each, a policy of 90 days", figure(LINEAGES as f64)),
        &["what", "figure", "unit"],
    );
    let mut row = |what: &str, value: f64, unit: &str| {
        table.row([what.to_owned(), figure(value), unit.to_owned()]);
    };
    let begun = processor_time()?;
    let mut queue = Queue::of(&access);
    let took = processor_time()?.saturating_sub(begun);
    row("the queue is made, at the start, of one core", took.as_secs_f64() * 1_000.0, "ms");
    let begun = Instant::now();
    for _ in 0..120 {
        assert!(std::hint::black_box(queue.due(now, 64)).is_empty(), "nothing is due yet");
    }
    row("a minute of looks, nothing due", begun.elapsed().as_secs_f64() * 1e6, "us");
    row("one lineage: decide, apply, put", advance(&mut access, &mut queue)?, "us");
    let folder = plan.fresh_folder()?;
    let location = Location::Sqlite(folder.path().join("keys.db"));
    write(&location, &events, now)?;
    let (start, share) = served(&location)?;
    row("a server starts, the log replayed, of one core", start.as_secs_f64() * 1_000.0, "ms");
    row("the idle server, of one core", share * 100.0, "%");
    report.add(table);
    Ok(())
}

fn events(now: Timestamp) -> Result<Vec<AccessEvent>, Failure> {
    let principal = Principal {
        id: "fleet".parse()?,
        role: Role::ReadOnly,
        enabled: true,
        denied: Default::default(),
        participant: None,
    };
    let policy = RotationPolicy { every_seconds: Some(EVERY_SECONDS), ..RotationPolicy::default() };
    let mut events = vec![AccessEvent::PrincipalRegistered(principal)];
    for number in 0..LINEAGES {
        let lineage = LineageId::from_random(number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        let expires = Timestamp::from_second(now.as_second() + 2 * EVERY_SECONDS)?;
        let key = KeyVersion {
            version: 1,
            algorithm: Algorithm::Bearer,
            material: Material::Hash { hash: format!("{number:064x}") },
            state: KeyState::Active,
            created: now,
            not_before: now,
            expires,
        };
        let grant = Grant {
            principal: "fleet".parse()?,
            environment: Environment::Dev,
            scopes: ["read".parse()?].into(),
            networks: Networks::default(),
            owner: String::new(),
            replay: Default::default(),
        };
        events.push(AccessEvent::KeyIssued { lineage: lineage.clone(), grant, key, enrolment: None });
        let policy = Some(policy.clone());
        events.push(AccessEvent::Rotation(RotationEvent::PolicySet { lineage, policy }));
    }
    Ok(events)
}

/// Microseconds for each of some lineages that are due.
fn advance(access: &mut AccessState, queue: &mut Queue) -> Result<f64, Failure> {
    let later = Timestamp::from_second(Timestamp::now().as_second() + EVERY_SECONDS)?;
    let due = queue.due(later, DUE);
    let begun = Instant::now();
    for lineage in &due {
        let command = RotationCommand::Advance { lineage: lineage.clone(), last_used: BTreeMap::new() };
        let events = access.decide(&AccessCommand::Rotation(command), later)?;
        events.iter().for_each(|event| access.apply(event, later));
        queue.put(lineage, access.lineage(lineage).and_then(|found| found.next_due(&BTreeMap::new())));
    }
    assert_eq!(due.len(), DUE, "they are due by then");
    Ok(begun.elapsed().as_secs_f64() * 1e6 / DUE as f64)
}

fn write(location: &Location, events: &[AccessEvent], now: Timestamp) -> Result<(), Failure> {
    let mut store = Store::open(location, &SCHEMA)?;
    let at = Timestamp::from_microsecond(now.as_microsecond())?.to_string();
    let mut records = Vec::with_capacity(BATCH);
    for (seq, event) in (1..).zip(events) {
        let (kind, body) = encode(event)?;
        records.push(Record {
            stream: "access".to_owned(),
            seq,
            at: at.clone(),
            recorded_at: at.clone(),
            actor: "os:bench".to_owned(),
            kind: kind.to_owned(),
            body,
        });
        if records.len() == BATCH {
            store.append(&records, &[])?;
            records.clear();
        }
    }
    store.append(&records, &[])?;
    Ok(())
}

/// How long this process has been on a core, in steps of a hundredth of a second (proc_pid_stat(5), fields 14 and 15): a
/// busy machine does not change it.
fn processor_time() -> Result<Duration, Failure> {
    let text = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = text.rsplit_once(')').ok_or("stat must have a name")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    Ok(Duration::from_millis(10 * ticks.collect::<Result<Vec<_>, _>>()?.iter().sum::<u64>()))
}

/// How long a server takes to start, and the share of a core that it takes when nobody asks it anything.
fn served(location: &Location) -> Result<(Duration, f64), Failure> {
    let runtime = tokio::runtime::Runtime::new()?;
    let vault = Vault::new(Kek::from_secret(&Secret::copy_of(&[7; 32]))?);
    let options = ServerOptions {
        redis: None,
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        tls: None,
        environment: Environment::Dev,
        nonces: None,
        rate_per_minute: 6_000,
        proxies: Vec::new(),
        public_url: None,
    };
    let begun = processor_time()?;
    let desk = Desk::open(location)?;
    let running = runtime.block_on(serve(desk, vault, options))?;
    let start = processor_time()?.saturating_sub(begun);
    let (before, begun) = (processor_time()?, Instant::now());
    std::thread::sleep(WATCHED);
    let used = processor_time()?.saturating_sub(before);
    let share = used.as_secs_f64() / begun.elapsed().as_secs_f64();
    runtime.block_on(running.stop());
    Ok((start, share))
}
