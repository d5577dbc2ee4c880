//! Signers, a thief who keeps everything, and a server that restarts, is killed at any byte, loses its clock and is put
//! back from a backup. By the seed; the same seed, the same run.
//!
//! Judged are two things. No (lineage, nonce) is accepted twice, ever. And a fresh request of an honest signer is
//! refused only for a reason that is written down, and then succeeds at once with a challenge.

use super::*;
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};
use std::collections::BTreeSet;
use strongroom_access::replay::{Frames, JournalFile, JournalHeader, Recovered, Tail};

const LINEAGES: [&str; 3] = ["k1", "k2", "k3"];

/// How nonces outlive the process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mode {
    /// Not at all.
    Watermark,
    /// In a file.
    Wal,
}

/// A request as the thief keeps it.
#[derive(Clone)]
struct Captured {
    lineage: &'static str,
    nonce: Vec<u8>,
    created: i64,
}

/// The disk: one file of frames, its durable length, and a backup taken earlier.
struct Disk {
    header: JournalHeader,
    bytes: Vec<u8>,
    frames: Frames,
    durable: usize,
    backup: Option<(JournalHeader, Vec<u8>)>,
}

impl Disk {
    fn begin(watermark: i64) -> Self {
        let header = JournalHeader { key_check: key().check(), number: 1, oldest: 1, identity: 1, watermark };
        let bytes = header.to_bytes().to_vec();
        Self { header, durable: bytes.len(), bytes, frames: Frames::new(&header), backup: None }
    }

    /// Written, and not durable until [`Disk::sync`].
    fn write(&mut self, entry: Entry) {
        self.frames.encode(&[entry], &mut self.bytes);
    }

    fn sync(&mut self) {
        self.durable = self.bytes.len();
    }

    /// What a kill leaves: all that was durable, and any part of the rest.
    fn crash(&mut self, random: &mut Pcg64Mcg) {
        let cut = self.durable + below(random, (self.bytes.len() - self.durable + 1) as u64) as usize;
        self.bytes.truncate(cut);
        self.durable = cut;
    }

    /// What a start reads; the file is written anew, without what is behind the watermark.
    fn recover(&mut self, complete: bool, watermark_if_lost: i64) -> Recovered {
        let read = JournalFile::read(&self.bytes).unwrap();
        assert_ne!(read.tail, Tail::Damaged);
        let lost = if complete { i64::MIN } else { watermark_if_lost };
        let watermark = self.header.watermark.max(lost);
        let backup = self.backup.take();
        *self = Self::begin(watermark);
        self.backup = backup;
        let kept: Vec<Entry> = read.entries.into_iter().filter(|entry| entry.second > watermark).collect();
        kept.iter().for_each(|entry| self.write(*entry));
        self.sync();
        Recovered { entries: kept, watermark, complete }
    }
}

struct Simulation {
    random: Pcg64Mcg,
    mode: Mode,
    limits: Limits,
    /// The true time, and how far the server's clock is from it.
    time: i64,
    offset: i64,
    /// The latest time at which the server lived, by its own clock.
    lived: i64,
    window: Window,
    challenges: Challenges,
    disk: Disk,
    accepted: BTreeSet<(&'static str, Vec<u8>)>,
    captured: Vec<Captured>,
    /// Challenges given out that nobody answered yet.
    unanswered: Vec<(&'static str, Vec<u8>)>,
    tally: Tally,
}

/// How often what happened.
#[derive(Default, Debug)]
struct Tally {
    honest: usize,
    honest_refused: usize,
    replays: usize,
    restarts: usize,
    restores: usize,
    steps: usize,
}

fn below(random: &mut Pcg64Mcg, bound: u64) -> u64 {
    random.next_u64() % bound.max(1)
}

impl Simulation {
    fn new(seed: u64, mode: Mode, limits: Limits) -> Self {
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        let challenges = challenges(random.next_u64() as u8);
        let window = Window::started(limits, &key(), at(T0));
        Self {
            random,
            mode,
            limits,
            time: T0,
            offset: 0,
            lived: T0,
            disk: Disk::begin(window.watermark()),
            window,
            challenges,
            accepted: BTreeSet::new(),
            captured: Vec::new(),
            unanswered: Vec::new(),
            tally: Tally::default(),
        }
    }

    fn below(&mut self, bound: u64) -> u64 {
        below(&mut self.random, bound)
    }

    fn clock(&self) -> i64 {
        self.time + self.offset
    }

    fn lineage(&mut self) -> &'static str {
        LINEAGES[self.below(3) as usize]
    }

    fn random_bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.random.next_u64() as u8).collect()
    }

    /// Shows a request to the server as the gate does: insert, make durable, accept. The server may be killed between.
    fn show(&mut self, request: &Captured) -> Result<(), &'static str> {
        let now = self.clock();
        self.lived = self.lived.max(now);
        let presented =
            Presented { lineage: request.lineage, nonce: &request.nonce, created: request.created };
        let entry =
            self.window.admit(&self.challenges, presented, at(now)).map_err(|refusal| refusal.code())?;
        if self.mode == Mode::Wal {
            self.disk.write(entry);
            if self.below(50) == 0 {
                self.restart(false);
                return Err("killed");
            }
            self.disk.sync();
        }
        let is_new = self.accepted.insert((request.lineage, request.nonce.clone()));
        assert!(is_new, "accepted twice: {} {:?}", request.lineage, request.nonce);
        Ok(())
    }

    /// An honest signer, whose clock is within the skew of the true time.
    fn honest(&mut self) {
        let lineage = self.lineage();
        let length = 16 + self.below(49) as usize;
        let skew = i64::from(self.limits.skew_seconds);
        let created = self.time - skew + self.below(2 * skew as u64 + 1) as i64;
        let request = Captured { lineage, nonce: self.random_bytes(length), created };
        self.captured.push(request.clone());
        // One in four is held up on the way, or never arrives, and the thief has it.
        match self.below(8) {
            0 => return,
            1 => self.time += self.below(40) as i64,
            _ => {}
        }
        self.tally.honest += 1;
        let Err(code) = self.show(&request) else { return };
        self.tally.honest_refused += 1;
        let now = self.clock();
        let explained = match code {
            "killed" => return,
            "request.must_be_fresh" => created < now - i64::from(self.limits.validity_seconds) - skew,
            "request.must_not_be_from_the_future" => created > now + skew,
            "request.must_answer_a_challenge" => created <= self.window.watermark(),
            "request.rate_must_stay_within_the_quota" => {
                // Nothing but waiting heals it.
                assert!(self.limits.nonces_per_lineage_max < 100);
                return;
            }
            _ => false,
        };
        assert!(explained, "{code}: created {created}, now {now}, watermark {}", self.window.watermark());
        self.answer_a_challenge(lineage);
    }

    /// The signer signs once more, with a challenge; its clock is set by the server's answer.
    fn answer_a_challenge(&mut self, lineage: &'static str) {
        let mut random = [0; 16];
        random.copy_from_slice(&self.random_bytes(16));
        let bound = (self.below(2) == 0).then_some(lineage);
        let challenge = self.challenges.issue(random, bound, self.window.time(at(self.clock())));
        let request = Captured { lineage, nonce: challenge.as_bytes().to_vec(), created: self.clock() };
        if self.below(10) == 0 {
            self.unanswered.push((lineage, request.nonce.clone()));
            self.captured.push(request);
            return;
        }
        self.captured.push(request.clone());
        match self.show(&request) {
            Ok(()) | Err("killed" | "request.rate_must_stay_within_the_quota") => {}
            Err(code) => panic!("a challenge does not heal: {code} at {}", self.clock()),
        }
    }

    /// Shows some of the requests that went by, the newest most often.
    fn replay(&mut self) {
        for _ in 0..=self.below(4) {
            if self.captured.is_empty() {
                return;
            }
            let reach = [5, 50, self.captured.len() as u64][self.below(3) as usize];
            let back = self.below(reach.min(self.captured.len() as u64)) as usize;
            let request = self.captured[self.captured.len() - 1 - back].clone();
            self.tally.replays += 1;
            let known = self.accepted.contains(&(request.lineage, request.nonce.clone()));
            let answer = self.show(&request);
            assert!(!(known && answer.is_ok()));
        }
    }

    fn restart(&mut self, from_backup: bool) {
        self.tally.restarts += 1;
        let mut epoch = [0; 32];
        epoch.copy_from_slice(&self.random_bytes(32));
        self.challenges = Challenges::new(epoch, self.limits.validity_seconds);
        self.unanswered.clear();
        let boot = at(self.clock());
        if self.mode == Mode::Watermark {
            // The log of the fund knows how late the process lived.
            let boot = at(self.clock().max(self.lived));
            self.window = Window::started(self.limits, &key(), boot);
            return;
        }
        self.disk.crash(&mut self.random);
        let mut complete = true;
        if from_backup && let Some((header, bytes)) = self.disk.backup.clone() {
            self.tally.restores += 1;
            complete = false;
            self.disk =
                Disk { header, durable: bytes.len(), bytes, frames: Frames::new(&header), backup: None };
        }
        // Who restores a backup knows when the process lived at last, at best by the clock alone.
        let lost = self.limits.watermark_at(at(self.clock().max(self.lived)));
        let recovered = self.disk.recover(complete, lost);
        self.window = Window::restored(self.limits, &key(), &recovered, boot);
    }

    fn step(&mut self) {
        self.time += self.below(3) as i64;
        match self.below(1_000) {
            0..=499 => self.honest(),
            500..=899 => self.replay(),
            900..=909 => self.restart(false),
            910..=912 => self.restart(true),
            913..=919 => {
                let backup = (self.disk.header, self.disk.bytes[..self.disk.durable].to_vec());
                self.disk.backup = Some(backup);
            }
            920..=929 => {
                self.tally.steps += 1;
                let step = [1, 5, 30, 120, 3_600, 40_000_000][self.below(6) as usize];
                self.offset += if self.below(2) == 0 { step } else { -step };
            }
            930..=949 => {
                // The clock is set right.
                self.tally.steps += usize::from(self.offset != 0);
                self.offset = 0;
            }
            950..=959 => self.time += self.below(300) as i64,
            _ => self.answer_late(),
        }
    }

    /// A challenge that was given out a while ago is answered now, or no more.
    fn answer_late(&mut self) {
        if let Some((lineage, nonce)) = self.unanswered.pop() {
            let request = Captured { lineage, nonce, created: self.clock() };
            let known = self.accepted.contains(&(lineage, request.nonce.clone()));
            assert!(!(self.show(&request).is_ok() && known));
        }
    }
}

fn run(seed: u64, mode: Mode, limits: Limits, steps: usize) -> Tally {
    let mut simulation = Simulation::new(seed, mode, limits);
    (0..steps).for_each(|_| simulation.step());
    simulation.tally
}

fn run_many(mode: Mode) {
    let generous = Limits { nonces_per_lineage_max: 1_000_000, nonces_max: 100_000, ..LIMITS };
    let tight = Limits { nonces_per_lineage_max: 20, ..LIMITS };
    let mut sum = Tally::default();
    for seed in 0..24 {
        let limits = if seed % 4 == 3 { tight } else { generous };
        let tally = run(seed, mode, limits, 4_000);
        sum.honest += tally.honest;
        sum.honest_refused += tally.honest_refused;
        sum.replays += tally.replays;
        sum.restarts += tally.restarts;
        sum.restores += tally.restores;
        sum.steps += tally.steps;
    }
    // The run was one: things happened.
    assert!(sum.honest > 20_000 && sum.replays > 40_000, "{sum:?}");
    assert!(sum.restarts > 800 && sum.steps > 800, "{sum:?}");
    assert!(sum.honest_refused > 500 && sum.honest_refused < sum.honest, "{sum:?}");
    assert!(mode == Mode::Watermark || sum.restores > 80, "{sum:?}");
}

#[test]
fn with_nonces_on_disk_nothing_is_accepted_twice_whatever_fails() {
    run_many(Mode::Wal);
}

#[test]
fn with_a_watermark_nothing_is_accepted_twice_whatever_fails() {
    run_many(Mode::Watermark);
}

#[test]
fn a_server_that_never_fails_refuses_no_honest_request() {
    let limits = Limits { nonces_per_lineage_max: 1_000_000, nonces_max: 100_000, ..LIMITS };
    for mode in [Mode::Watermark, Mode::Wal] {
        let mut simulation = Simulation::new(1, mode, limits);
        simulation.time += 100;
        for _ in 0..20_000 {
            simulation.time += simulation.below(2) as i64;
            let created = simulation.time - 5 + simulation.below(11) as i64;
            let (lineage, nonce) = (simulation.lineage(), simulation.random_bytes(20));
            let request = Captured { lineage, nonce, created };
            let presented = Presented { lineage, nonce: &request.nonce, created };
            let now = at(simulation.clock());
            assert_eq!(code(simulation.window.admit(&simulation.challenges, presented, now)), "accepted");
        }
    }
}
