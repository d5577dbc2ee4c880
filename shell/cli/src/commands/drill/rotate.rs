//! Every client replaces its key round after round, in the midst of its requests. Without rounds, it only sends them.

use super::LoadArgs;
use super::fleet::Fleet;
use super::load::{PATIENCE, Tally, who_am_i};
use crate::context::Global;
use crate::failure::Failure;
use serde_json::Value;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};
use strongroom_client::{Client, KeyFile, Sent};

/// Between two commands where there are no rounds.
const COMMAND_EVERY: Duration = Duration::from_secs(5);
/// How long a round may take; a server that needs longer to retire a quiet key has broken its policy.
const ROUND_MAX: Duration = Duration::from_secs(180);
/// Between two looks whether the old key is retired.
const LOOK_EVERY: Duration = Duration::from_millis(1_500);
/// A rotation may wait for its turn: the old key works meanwhile. One that is not done by then has failed.
const ROTATION_PATIENCE: Duration = Duration::from_secs(60);
const TURN: Duration = Duration::from_millis(20);

/// Which round is on, how many have finished it, and whether all is over.
#[derive(Default)]
struct Course {
    round: AtomicU32,
    switched: AtomicU32,
    finished: AtomicU32,
    over: AtomicBool,
}

pub(super) fn run(global: &Global, load: &LoadArgs, rounds: u32) -> Result<(), Failure> {
    let fleet = Fleet::enrol(global, load)?;
    if rounds > 0 {
        fleet.set_policy()?;
    }
    let (tally, course) = (Tally::default(), Course::default());
    std::thread::scope(|scope| {
        for (place, file) in (0_u32..).zip(&fleet.files) {
            let (fleet, tally, course) = (&fleet, &tally, &course);
            scope.spawn(move || live(fleet, load, file, place, tally, course));
        }
        match rounds {
            0 => only_load(load, &course),
            _ => (1..=rounds).for_each(|round| one_round(load, round, &course, &tally)),
        }
        course.over.store(true, Ordering::Relaxed);
    });
    let ended = fleet.end();
    tally.report(if rounds == 0 { "restart" } else { "rotate" }).print(global)?;
    ended
}

fn only_load(load: &LoadArgs, course: &Course) {
    let begun = Instant::now();
    let mut command_at = COMMAND_EVERY;
    while begun.elapsed() < load.time() && !course.over.load(Ordering::Relaxed) {
        if begun.elapsed() >= command_at {
            load.run_command();
            command_at = begun.elapsed() + COMMAND_EVERY;
        }
        std::thread::sleep(TURN);
    }
}

/// The command runs when a third have switched: some before, some after, some just then.
fn one_round(load: &LoadArgs, round: u32, course: &Course, tally: &Tally) {
    course.switched.store(0, Ordering::Relaxed);
    course.finished.store(0, Ordering::Relaxed);
    course.round.store(round, Ordering::Release);
    let (begun, mut is_run) = (Instant::now(), false);
    while course.finished.load(Ordering::Relaxed) < load.clients {
        if !is_run && course.switched.load(Ordering::Relaxed) * 3 >= load.clients {
            load.run_command();
            is_run = true;
        }
        if begun.elapsed() > ROUND_MAX {
            tally.fail(format!("round {round} did not end"));
            return;
        }
        std::thread::sleep(TURN);
    }
}

/// One client's life.
fn live(fleet: &Fleet, load: &LoadArgs, file: &Path, place: u32, tally: &Tally, course: &Course) {
    let client = match fleet.client(file) {
        Ok(client) => client,
        Err(failure) => return tally.fail(failure),
    };
    // They begin at different moments, as real ones do.
    std::thread::sleep(load.interval() * place / load.clients);
    let (mut done, mut old): (u32, Option<(Client, Instant)>) = (0, None);
    while !course.over.load(Ordering::Relaxed) {
        let begun = Instant::now();
        tally.request(&client);
        if old.as_ref().is_some_and(|(_, at)| at.elapsed() > LOOK_EVERY) {
            old = knock_when_retired(&client, old, tally, course);
        } else if old.is_none() && course.round.load(Ordering::Acquire) > done {
            tally.repeat(&client, &fleet.options);
            old = rotate(fleet, &client, file, tally).map(|old| (old, Instant::now()));
            course.switched.fetch_add(1, Ordering::Relaxed);
            done += 1;
            if old.is_none() {
                course.finished.fetch_add(1, Ordering::Relaxed);
            }
        }
        std::thread::sleep(load.interval().saturating_sub(begun.elapsed()));
    }
    if done > 0 {
        let newest = versions(&client).iter().filter_map(version_of).max();
        tally.count_keys(done, newest);
    }
}

fn version_of(view: &Value) -> Option<u32> {
    view.get("key")?.as_str()?.split_once('.')?.1.parse().ok()
}

/// A client of the key that was replaced; none where that failed. A server that is away is waited for.
fn rotate(fleet: &Fleet, client: &Client, file: &Path, tally: &Tally) -> Option<Client> {
    let before = KeyFile::read(file).ok()?;
    let begun = Instant::now();
    loop {
        match client.rotate() {
            Ok(_) => {
                tally.rotated();
                return Client::try_new(&before, &fleet.options).ok();
            }
            Err(error) if begun.elapsed() > ROTATION_PATIENCE => {
                tally.fail(format!("rotation: {error}"));
                return None;
            }
            Err(_) => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}

fn knock_when_retired(
    client: &Client,
    old: Option<(Client, Instant)>,
    tally: &Tally,
    course: &Course,
) -> Option<(Client, Instant)> {
    let (old, _) = old?;
    if is_retired(client, &old.key_id()) {
        tally.knock(&old);
        course.finished.fetch_add(1, Ordering::Relaxed);
        return None;
    }
    Some((old, Instant::now()))
}

/// The versions of a client's lineage as the server has them.
fn versions(client: &Client) -> Vec<Value> {
    let key = client.key_id();
    let target = format!("/v1/keys/{}/rotation", key.split('.').next().unwrap_or_default());
    let request = Sent { target, ..who_am_i() };
    let content = client.send_within(&request, PATIENCE);
    let content = content.ok().and_then(|answer| answer.into_success().ok()).unwrap_or_default();
    let view: Value = serde_json::from_slice(&content).unwrap_or_default();
    view.get("versions").and_then(Value::as_array).cloned().unwrap_or_default()
}

fn is_retired(client: &Client, key: &str) -> bool {
    versions(client).iter().any(|version| {
        version.get("key").and_then(Value::as_str) == Some(key)
            && version.get("state").and_then(Value::as_str) == Some("retired")
    })
}
