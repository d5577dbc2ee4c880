//! Two instances of one client on one key file, a server, lost answers, crashes of either side, the clock and an operator
//! who rolls back: every order of their steps up to a depth, breadth first, states met before left out.
//!
//! The client's algorithm is that of the SDKs: write the new key into the file, ask, note its name, use it, and only then
//! make it the current one; the old one stays in the file as the former. The file is locked while one instance rotates, and
//! a crash lets go of the lock.

use crate::{add, at, change, enrolled, lineage, policy, rotate};
use std::collections::{BTreeMap, HashSet, VecDeque};
use strongroom_access::rotation::{OnLaggard, RotationCommand, RotationPolicy};
use strongroom_access::{AccessCommand, AccessState, KeyState};
use strongroom_units::time::Timestamp;

/// A key in the file: what stands for its secret, and its version once the server has named it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Held {
    secret: u32,
    version: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct File {
    current: Held,
    next: Option<Held>,
    /// Keys that were current, or that the server ended before they were; newest last.
    former: Vec<Held>,
}

impl File {
    fn held(&self) -> impl Iterator<Item = &Held> {
        std::iter::once(&self.current).chain(&self.next).chain(self.former.iter().rev())
    }
}

/// How far an instance has come with a rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Phase {
    Idle,
    Made,
    Named,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Instance {
    /// The version in its memory; another may have rotated meanwhile.
    remembers: u32,
    phase: Phase,
}

#[derive(Debug, Clone)]
struct World {
    access: AccessState,
    hour: i64,
    file: File,
    instances: [Instance; 2],
    secrets: u32,
    last_used: BTreeMap<u32, Timestamp>,
    rollbacks: u8,
    ended: Vec<(u32, KeyState)>,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    /// Makes a key, or goes on with the one in the file.
    Make(usize),
    /// Asks for it; the answer may be lost.
    Ask(usize, Answer),
    /// Uses it; the answer may be lost.
    Confirm(usize, Answer),
    Crash(usize),
    /// An ordinary request with what the instance remembers; healed from the file when that is refused.
    Use(usize),
    ServerCrash,
    Hour,
    RollBack,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Arrives,
    IsLost,
}

impl World {
    fn new(policy: &RotationPolicy) -> Self {
        let instance = Instance { remembers: 1, phase: Phase::Idle };
        Self {
            access: enrolled(policy),
            hour: 0,
            file: File { current: Held { secret: 0, version: Some(1) }, next: None, former: Vec::new() },
            instances: [instance.clone(), instance],
            secrets: 0,
            last_used: BTreeMap::new(),
            rollbacks: 0,
            ended: Vec::new(),
        }
    }

    fn steps(&self) -> Vec<Step> {
        let mut steps = vec![Step::Hour, Step::ServerCrash];
        if self.rollbacks < 2 {
            steps.push(Step::RollBack);
        }
        let locked = self.instances.iter().any(|instance| instance.phase != Phase::Idle);
        for (place, instance) in self.instances.iter().enumerate() {
            steps.push(Step::Use(place));
            match instance.phase {
                Phase::Idle if !locked => steps.push(Step::Make(place)),
                Phase::Idle => {}
                Phase::Made => {
                    steps.extend([Step::Ask(place, Answer::Arrives), Step::Ask(place, Answer::IsLost)]);
                    steps.push(Step::Crash(place));
                }
                Phase::Named => {
                    steps.extend([
                        Step::Confirm(place, Answer::Arrives),
                        Step::Confirm(place, Answer::IsLost),
                    ]);
                    steps.push(Step::Crash(place));
                }
            }
        }
        steps
    }

    /// A request signed with a version: whether it passes. Its first use is recorded, as the gate does.
    fn request(&mut self, version: u32) -> bool {
        let (now, lineage) = (at(self.hour), lineage());
        if self.access.lineage(&lineage).unwrap().usable(version, now).is_err() {
            return false;
        }
        let key = self.access.lineage(&lineage).unwrap().key_id(version);
        change(&mut self.access, &AccessCommand::NoteFirstUse { key }, now).unwrap();
        self.last_used.insert(version, now);
        true
    }

    fn take(mut self, step: Step) -> Self {
        match step {
            Step::Make(place) => {
                if self.file.next.is_none() {
                    self.secrets += 1;
                    self.file.next = Some(Held { secret: self.secrets, version: None });
                }
                self.instances[place].phase = Phase::Made;
            }
            Step::Ask(place, answer) => self.ask(place, answer),
            Step::Confirm(place, answer) => self.confirm(place, answer),
            Step::Crash(place) => {
                let remembers = self.file.current.version.unwrap();
                self.instances[place] = Instance { remembers, phase: Phase::Idle };
            }
            Step::Use(place) => self.use_any(place),
            Step::ServerCrash => {
                // What was seen of the use of keys is gone, so everything counts as used just now.
                let now = at(self.hour);
                let grace = self.access.lineage(&lineage()).unwrap().versions.values();
                self.last_used =
                    grace.filter(|key| key.state == KeyState::Grace).map(|key| (key.version, now)).collect();
            }
            Step::Hour => {
                self.hour += 1;
                let last_used = self.last_used.clone();
                let advance = RotationCommand::Advance { lineage: lineage(), last_used };
                rotate(&mut self.access, advance, self.hour).unwrap();
            }
            Step::RollBack => {
                self.rollbacks += 1;
                let command = RotationCommand::RollBack { lineage: lineage(), reason: String::new() };
                // Where there is nothing to go back to it is refused, and nothing changes.
                drop(rotate(&mut self.access, command, self.hour));
            }
        }
        self
    }

    fn ask(&mut self, place: usize, answer: Answer) {
        let Some(next) = self.file.next.clone() else { return };
        let signed_with = self.file.current.version.unwrap();
        let passes = self.request(signed_with);
        let done = passes.then(|| rotate(&mut self.access, add(next.secret), self.hour));
        if answer == Answer::IsLost {
            return;
        }
        match done {
            Some(Ok(_)) => {
                let versions = &self.access.lineage(&lineage()).unwrap().versions;
                let named = versions.values().find(|key| key.material == crate::public(next.secret)).unwrap();
                self.file.next = Some(Held { version: Some(named.version), ..next });
                self.instances[place].phase = Phase::Named;
            }
            // No room, or the key ended: it will try again with another. One that worked may be brought back.
            Some(Err(_)) => {
                self.file.next = None;
                self.file.former.extend(next.version.map(|_| next));
                self.instances[place].phase = Phase::Idle;
            }
            None => {
                self.instances[place].phase = Phase::Idle;
                self.use_any(place);
            }
        }
    }

    fn confirm(&mut self, place: usize, answer: Answer) {
        let Some(next) = self.file.next.clone() else { return };
        let passes = self.request(next.version.unwrap());
        if answer == Answer::IsLost {
            return;
        }
        self.instances[place].phase = Phase::Idle;
        self.file.next = None;
        let former = if passes { std::mem::replace(&mut self.file.current, next) } else { next };
        self.file.former.push(former);
        self.instances[place].remembers = self.file.current.version.unwrap();
    }

    /// What an instance remembers, then what the file has: one of them must pass.
    fn use_any(&mut self, place: usize) {
        let remembered = self.instances[place].remembers;
        if self.request(remembered) {
            return;
        }
        let held: Vec<u32> = self.file.held().filter_map(|held| held.version).collect();
        let works = held.into_iter().find(|version| self.request(*version));
        self.instances[place].remembers = works.expect("no key of the file passes");
    }

    fn check(&mut self, policy: &RotationPolicy) {
        let (now, lineage) = (at(self.hour), self.access.lineage(&lineage()).unwrap().clone());
        let held: Vec<&Held> = self.file.held().collect();
        let is_held = |key: &strongroom_access::KeyVersion| {
            held.iter().any(|held| crate::public(held.secret) == key.material)
        };
        let named = held.iter().filter_map(|held| held.version);
        assert!(named.clone().any(|version| lineage.usable(version, now).is_ok()), "no key works: {self:#?}");
        let live = lineage.versions.values().filter(|key| key.state.is_live());
        assert!(live.count() <= policy.versions as usize, "more keys than the policy has: {self:#?}");
        let active: Vec<_> = lineage.versions.values().filter(|key| key.state == KeyState::Active).collect();
        assert_eq!(active.len(), 1, "not one primary: {self:#?}");
        assert!(active.iter().all(|key| is_held(key)), "an orphan is the primary: {self:#?}");
        for (version, state) in &self.ended {
            let now_in = lineage.versions.get(version).map(|key| key.state);
            let stays = match state {
                KeyState::Destroyed => matches!(now_in, Some(KeyState::Destroyed) | None),
                _ => true,
            };
            assert!(stays, "{version} came back: {self:#?}");
        }
        for key in lineage.versions.values() {
            if matches!(key.state, KeyState::Retired | KeyState::Revoked | KeyState::Destroyed) {
                assert!(lineage.usable(key.version, now).is_err(), "an ended key passes: {self:#?}");
                if key.state == KeyState::Destroyed && !self.ended.contains(&(key.version, key.state)) {
                    self.ended.push((key.version, key.state));
                }
            }
        }
    }

    fn identity(&self) -> String {
        let lineage = self.access.lineage(&lineage()).unwrap();
        let (versions, marks) = (&lineage.versions, &lineage.rotation.marks);
        let (hour, file, instances) = (self.hour, &self.file, &self.instances);
        format!("{versions:?}{marks:?}{hour}{file:?}{instances:?}{:?}{}", self.last_used, self.rollbacks)
    }
}

fn explore(policy: &RotationPolicy, depth: usize) -> usize {
    let mut known = HashSet::new();
    let mut queue = VecDeque::from([(World::new(policy), 0)]);
    while let Some((world, steps)) = queue.pop_front() {
        if steps == depth {
            continue;
        }
        for step in world.steps() {
            let mut next = world.clone().take(step);
            next.check(policy);
            if known.insert(next.identity()) {
                queue.push_back((next, steps + 1));
            }
        }
    }
    known.len()
}

/// Hours are coarse so that few steps go far: the overlap is one, the quiet period two, a retired key goes after two more.
fn short(on_laggard: OnLaggard) -> RotationPolicy {
    RotationPolicy { keep_retired_seconds: crate::HOUR, on_laggard, quiet_seconds: crate::HOUR, ..policy() }
}

const DEPTH: usize = 10;

#[test]
fn every_order_of_ten_steps_keeps_a_key_that_works() {
    let states = explore(&short(OnLaggard::Extend), DEPTH);
    assert!(states > 40_000, "{states}");
}

#[test]
fn so_does_a_policy_that_cuts_laggards_off() {
    let states = explore(&short(OnLaggard::Force), DEPTH);
    assert!(states > 40_000, "{states}");
}
