//! Deciding, committing, answering; and rebuilding memory from the log.

use crate::error::DeskError;
use crate::projection::{Recorded, project};
use crate::schema::SCHEMA;
use std::collections::BTreeMap;
use strongroom_engine::{Command, Event, Fund, FundState, Outcome, Refusal, decode, encode};
use strongroom_fund::FundDefinition;
use strongroom_store::{Location, Record, RowChange, Snapshot, Store, StoreError};
use strongroom_units::Symbol;
use strongroom_units::time::Timestamp;

/// Commands in one group.
pub const GROUP_MAX: usize = 1_000;
/// Records after which a snapshot saves replaying them.
const SNAPSHOT_EVERY: u64 = 5_000;
/// Records read at once.
const PAGE: usize = 1_000;
/// How often a group is decided anew when another writer of the same database was first.
const TRIES: u32 = 8;

/// One command to one fund, at one instant of business time.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Which fund. For [`Command::OpenFund`] the definition's id decides.
    pub fund: Symbol,
    /// What to do.
    pub command: Command,
    /// When; kept to the microsecond.
    pub at: Timestamp,
}

/// What came of a command that was not refused. It is durable.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Done now, or done before.
    pub outcome: Outcome,
    /// The last record of the fund's stream after it.
    pub seq: u64,
    /// What happened, in order; nothing when it had been done before.
    pub events: Vec<Event>,
}

/// An open database with the funds that were asked for in memory.
#[derive(Debug)]
pub struct Desk {
    store: Store,
    funds: BTreeMap<Symbol, Slot>,
}

/// A fund in memory. INVARIANT: `fund` is the replay of records 1 to `head` whenever no group is being decided.
#[derive(Debug, Default)]
struct Slot {
    fund: Fund,
    head: u64,
    snapshot: u64,
}

/// What a group writes in its one transaction.
#[derive(Default)]
struct Batch {
    records: Vec<Record>,
    rows: Vec<RowChange>,
}

impl Desk {
    /// Opens a database for writing and migrates it.
    pub fn open(location: &Location) -> Result<Self, DeskError> {
        Ok(Self { store: Store::open(location, &SCHEMA)?, funds: BTreeMap::new() })
    }

    /// Opens a database for reading: nothing is migrated, and another process may write meanwhile.
    pub fn open_read_only(location: &Location) -> Result<Self, DeskError> {
        Ok(Self { store: Store::open_read_only(location, &SCHEMA)?, funds: BTreeMap::new() })
    }

    /// The funds that the database holds.
    pub fn fund_names(&mut self) -> Result<Vec<Symbol>, DeskError> {
        let streams = self.store.streams()?;
        Ok(streams.iter().filter_map(|stream| stream.strip_prefix(PREFIX)?.parse().ok()).collect())
    }

    /// A fund as the log has it now; none when it is not open.
    pub fn fund(&mut self, fund: Symbol) -> Result<Option<&FundState>, DeskError> {
        self.bring_up_to_date(fund)?;
        Ok(self.funds.get(&fund).and_then(|slot| slot.fund.state()))
    }

    /// A fund as it was when this desk last decided or read something of it.
    pub fn last_seen(&self, fund: Symbol) -> Option<&FundState> {
        self.funds.get(&fund).and_then(|slot| slot.fund.state())
    }

    /// How many records of a fund this desk has decided or read: its place in the log.
    pub fn records(&self, fund: Symbol) -> u64 {
        self.funds.get(&fund).map_or(0, |slot| slot.head)
    }

    /// Decides one command and makes it durable.
    pub fn command(&mut self, request: Request) -> Result<Answer, DeskError> {
        let answers = self.submit(&[request])?;
        let answer = answers.into_iter().next().ok_or(DeskError::Closed)?;
        Ok(answer?)
    }

    /// Decides a group of commands in order and makes all their events durable in one transaction. An error means
    /// that nothing of the group was stored; a refusal concerns one command only.
    pub fn submit(&mut self, group: &[Request]) -> Result<Vec<Result<Answer, Refusal>>, DeskError> {
        if group.len() > GROUP_MAX {
            return Err(DeskError::GroupTooLarge(group.len()));
        }
        let mut tries = 0;
        loop {
            tries += 1;
            match self.decide_and_commit(group) {
                Err(DeskError::Store(StoreError::SequenceTaken { .. })) if tries < TRIES => {}
                Err(DeskError::Refused(_)) if group.len() > 1 => return self.one_by_one(group),
                other => return other,
            }
        }
    }

    /// Makes a consistent copy of the database in a new file.
    pub fn back_up(&mut self, to: &std::path::Path) -> Result<strongroom_store::BackupSummary, DeskError> {
        Ok(self.store.back_up(to)?)
    }

    /// A command whose sums left 128 bits half way tore the memory of its fund; it is refused, and takes nobody
    /// else's command with it.
    fn one_by_one(&mut self, group: &[Request]) -> Result<Vec<Result<Answer, Refusal>>, DeskError> {
        let mut answers = Vec::with_capacity(group.len());
        for request in group {
            match self.decide_and_commit(core::slice::from_ref(request)) {
                Ok(answer) => answers.extend(answer),
                Err(DeskError::Refused(refusal)) => answers.push(Err(*refusal)),
                Err(error) => return Err(error),
            }
        }
        Ok(answers)
    }

    fn decide_and_commit(&mut self, group: &[Request]) -> Result<Vec<Result<Answer, Refusal>>, DeskError> {
        let done = self.decide_all(group).and_then(|(answers, batch)| {
            if !batch.records.is_empty() {
                self.store.append(&batch.records, &batch.rows)?;
            }
            Ok(answers)
        });
        if done.is_err() {
            // Memory holds events that are not in the log. They are forgotten, and read again when next needed.
            group.iter().map(target).for_each(|fund| drop(self.funds.remove(&fund)));
        }
        let answers = done?;
        self.funds.retain(|_, slot| slot.head > 0);
        self.save_snapshots()?;
        Ok(answers)
    }

    fn decide_all(&mut self, group: &[Request]) -> Result<(Vec<Result<Answer, Refusal>>, Batch), DeskError> {
        let recorded_at = microsecond(Timestamp::now()).to_string();
        let mut batch = Batch::default();
        let mut answers = Vec::with_capacity(group.len());
        let mut seen: Vec<Symbol> = Vec::new();
        for request in group {
            let fund = target(request);
            if !seen.contains(&fund) {
                self.bring_up_to_date(fund)?;
                seen.push(fund);
            }
            let slot = self.funds.entry(fund).or_default();
            answers.push(slot.decide(fund, request, &recorded_at, &mut batch)?);
        }
        Ok((answers, batch))
    }

    /// Reads what the log has and memory has not: everything at first, and afterwards what other processes wrote.
    fn bring_up_to_date(&mut self, fund: Symbol) -> Result<(), DeskError> {
        if self.funds.contains_key(&fund) && !is_shared(self.store.location()) {
            return Ok(());
        }
        let mut slot = match self.funds.remove(&fund) {
            Some(slot) => slot,
            None => Slot::from_snapshot(&mut self.store, fund)?,
        };
        loop {
            let page = self.store.read(&stream(fund), slot.head + 1, PAGE)?;
            let is_last = page.len() < PAGE;
            for record in page {
                slot.replay(fund, &record)?;
            }
            if is_last {
                break;
            }
        }
        if slot.head > 0 {
            self.funds.insert(fund, slot);
        }
        Ok(())
    }

    fn save_snapshots(&mut self) -> Result<(), DeskError> {
        for (fund, slot) in &mut self.funds {
            let Some(state) = slot.fund.state().filter(|_| slot.head >= slot.snapshot + SNAPSHOT_EVERY)
            else {
                continue;
            };
            let body = state.to_snapshot().map_err(|error| unreadable(*fund, 0)(error.into()))?;
            let recorded_at = microsecond(Timestamp::now()).to_string();
            self.store.put_snapshot(&Snapshot {
                stream: stream(*fund),
                seq: slot.head,
                recorded_at,
                body,
            })?;
            slot.snapshot = slot.head;
        }
        Ok(())
    }
}

impl Slot {
    fn from_snapshot(store: &mut Store, fund: Symbol) -> Result<Self, DeskError> {
        let Some(snapshot) = store.latest_snapshot(&stream(fund))? else { return Ok(Self::default()) };
        // A snapshot only saves time: one that another release wrote in another form is passed over.
        Ok(FundState::from_snapshot(&snapshot.body).map_or_else(
            |_| Self::default(),
            |state| Self { fund: Fund::from_state(state), head: snapshot.seq, snapshot: snapshot.seq },
        ))
    }

    fn replay(&mut self, fund: Symbol, record: &Record) -> Result<(), DeskError> {
        let event = decode(&record.body).map_err(unreadable(fund, record.seq))?;
        let at = record.at.parse().map_err(|_| {
            let source = strongroom_engine::RecordError::time(&record.at);
            DeskError::Record { fund, seq: record.seq, source }
        })?;
        let replayed = self.fund.replay(event, at, record.seq);
        replayed.map_err(|source| DeskError::Replay { fund, source })?;
        self.head = record.seq;
        Ok(())
    }

    fn decide(
        &mut self,
        fund: Symbol,
        request: &Request,
        recorded_at: &str,
        batch: &mut Batch,
    ) -> Result<Result<Answer, Refusal>, DeskError> {
        let at = microsecond(request.at);
        let handled = self.fund.handle(&request.command, at);
        if self.fund.is_torn() {
            return Err(handled.outcome.err().unwrap_or(Refusal::BooksMustBalance).into());
        }
        for applied in &handled.applied {
            self.head += 1;
            let seq = self.head;
            let (kind, body) = encode(&applied.event).map_err(unreadable(fund, seq))?;
            if let Some(state) = self.fund.state() {
                batch.rows.extend(project(&Recorded { applied, kind, seq, at }, state)?);
            }
            batch.records.push(Record {
                stream: stream(fund),
                seq,
                at: at.to_string(),
                recorded_at: recorded_at.to_owned(),
                kind: kind.to_owned(),
                body,
            });
        }
        let events = handled.applied.into_iter().map(|applied| applied.event).collect();
        Ok(handled.outcome.map(|outcome| Answer { outcome, seq: self.head, events }))
    }
}

const PREFIX: &str = "fund/";

fn stream(fund: Symbol) -> String {
    format!("{PREFIX}{fund}")
}

/// The fund that a request is about.
fn target(request: &Request) -> Symbol {
    match &request.command {
        Command::OpenFund { definition, .. } => {
            FundDefinition::parse(definition).map_or(request.fund, |definition| definition.id)
        }
        _ => request.fund,
    }
}

fn unreadable(fund: Symbol, seq: u64) -> impl Fn(strongroom_engine::RecordError) -> DeskError {
    move |source| DeskError::Record { fund, seq, source }
}

/// Whether other processes may write the same database meanwhile.
fn is_shared(location: &Location) -> bool {
    matches!(location, Location::Postgres(_))
}

/// PostgreSQL keeps microseconds, so nothing keeps more.
fn microsecond(instant: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(instant.as_microsecond()).unwrap_or(instant)
}
