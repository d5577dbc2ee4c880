//! Deciding, committing, answering; and rebuilding memory from the log.

use crate::access::AccessSlot;
use crate::cause::{Cause, nonce_row};
use crate::error::DeskError;
use crate::evidence::{Caused, Heads, Place};
use crate::projection::{Changes, Recorded};
use crate::recorded::Anchoring;
use crate::schema::SCHEMA;
use crate::tables::REQUEST_NONCES;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use strongroom_engine::{Command, Event, Fund, FundState, Outcome, Refusal, decode, encode};
use strongroom_fund::FundDefinition;
use strongroom_store::{Location, Record, RowChange, Snapshot, Store, StoreError};
use strongroom_units::Symbol;
use strongroom_units::time::Timestamp;

/// Commands in one group.
pub const GROUP_MAX: usize = 1_000;
/// Records after which a snapshot saves replaying them; see [`Slot::is_snapshot_due`].
const SNAPSHOT_AFTER: u64 = 5_000;
/// Records read at once.
const PAGE: usize = 1_000;
/// How often a group is decided anew when another writer of the same database was first.
const TRIES: u32 = 50;
/// A fund counts as up to date once fewer records than this were new: the less there is to replay between reading
/// and writing, the less often another writer comes in between.
const NEWS_MAX: usize = 32;

/// One command to one fund, at one instant of business time.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Which fund. For [`Command::OpenFund`] the definition's id decides.
    pub fund: Symbol,
    /// What to do.
    pub command: Command,
    /// When; kept to the microsecond.
    pub at: Timestamp,
    /// Who caused it, and what it uses up.
    pub cause: Cause,
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
    /// The last record that it caused, with its proof.
    pub place: Option<Place>,
    /// The record of the signed request.
    pub request: Option<Place>,
}

/// An open database with the funds that were asked for in memory.
#[derive(Debug)]
pub struct Desk {
    pub(crate) store: Store,
    /// Whether other processes may write the same database meanwhile.
    is_shared: bool,
    funds: BTreeMap<Symbol, Slot>,
    pub(crate) access: AccessSlot,
    /// Ends of the streams of what each lineage did.
    pub(crate) deeds: Heads,
    /// Signed answers that wait for the next commit.
    pub(crate) answers: Vec<RowChange>,
    pub(crate) anchoring: Anchoring,
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
    changes: Changes,
    /// Nonces that are used up, and sources of requests.
    rows: Vec<RowChange>,
    /// By the place of a command: the last record that it caused, and the one of its request.
    places: Vec<(Option<usize>, Option<usize>)>,
    /// Whether a key's leave was asked for: the decision holds while access is as it was.
    is_claimed: bool,
    /// The last instant that was written, and its text: many commands of a group have the same.
    last_at: Option<(Timestamp, String)>,
}

impl Batch {
    fn text_of(&mut self, at: Timestamp) -> String {
        match &self.last_at {
            Some((last, text)) if *last == at => text.clone(),
            _ => self.last_at.insert((at, at.to_string())).1.clone(),
        }
    }
}

/// The answers of a group, in its order.
type Answers = Vec<Result<Answer, Refusal>>;

/// Commands of a group, by their place, that tear the memory of their fund: a sum in them leaves 128 bits half way.
type Tearing = BTreeMap<usize, Refusal>;

/// The refusal of a command that tore the memory of its fund.
struct Torn(Refusal);

/// What deciding a group came to.
enum Decided {
    /// All of it, and what it writes.
    Whole(Vec<Result<Answer, Refusal>>, Batch),
    /// One command tore the memory of its fund.
    Torn { place: usize, refusal: Refusal },
}

impl Desk {
    /// Opens a database for writing and migrates it.
    pub fn open(location: &Location) -> Result<Self, DeskError> {
        let is_shared = matches!(location, Location::Postgres(_));
        Ok(Self::of(Store::open(location, &SCHEMA)?, is_shared))
    }

    /// Opens a database for reading: nothing is migrated, and another process may write meanwhile.
    pub fn open_read_only(location: &Location) -> Result<Self, DeskError> {
        Ok(Self::of(Store::open_read_only(location, &SCHEMA)?, true))
    }

    pub(crate) fn of(store: Store, is_shared: bool) -> Self {
        Self {
            store,
            is_shared,
            funds: BTreeMap::new(),
            access: AccessSlot::default(),
            deeds: Heads::default(),
            answers: Vec::new(),
            anchoring: Anchoring::default(),
        }
    }

    /// Whether other processes may write the same database meanwhile.
    pub fn is_shared(&self) -> bool {
        self.is_shared
    }

    /// Tells whoever finds the file held where this process can be talked to.
    pub fn say_served_at(&mut self, url: &str) -> Result<(), DeskError> {
        Ok(self.store.say_served_at(url)?)
    }

    /// Records of a fund's log from `from_seq` on, at most `limit`.
    pub fn log(&mut self, fund: Symbol, from_seq: u64, limit: usize) -> Result<Vec<Record>, DeskError> {
        Ok(self.store.read(&stream(fund), from_seq, limit)?)
    }

    /// Forgets nonces that no clock could still find fresh, and says how many.
    pub fn prune_nonces(&mut self, now: Timestamp) -> Result<usize, DeskError> {
        let bound = microsecond(now).to_string();
        Ok(self.store.prune(&REQUEST_NONCES, "kept_until", &bound)?)
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
        loop {
            self.must_still_be_allowed(&request.cause)?;
            match self.submit(std::slice::from_ref(&request)) {
                Err(DeskError::AccessMoved) => {}
                answers => return Ok(answers?.into_iter().next().ok_or(DeskError::Closed)??),
            }
        }
    }

    /// Decides a group of commands in order and makes all their events durable in one transaction. An error means
    /// that nothing of the group was stored; a refusal concerns one command only. Whether a command's key may still
    /// give it is the caller's to ask first: [`Desk::must_still_be_allowed`].
    pub fn submit(&mut self, group: &[Request]) -> Result<Vec<Result<Answer, Refusal>>, DeskError> {
        if group.len() > GROUP_MAX {
            return Err(DeskError::GroupTooLarge(group.len()));
        }
        let done = self.decide_and_commit(group);
        if done.is_err() {
            self.forget(group);
        }
        let answers = done?;
        self.funds.retain(|_, slot| slot.head > 0);
        self.save_snapshots();
        Ok(answers)
    }

    /// Makes a consistent copy of the database in a new file.
    pub fn back_up(&mut self, to: &std::path::Path) -> Result<strongroom_store::BackupSummary, DeskError> {
        Ok(self.store.back_up(to)?)
    }

    /// Decides again after another writer of the same database was first, and without a command that tore memory.
    fn decide_and_commit(&mut self, group: &[Request]) -> Result<Vec<Result<Answer, Refusal>>, DeskError> {
        let mut tearing = Tearing::new();
        let mut tries = 0;
        loop {
            let (answers, batch) = match self.decide_all(group, &tearing)? {
                Decided::Whole(answers, batch) => (answers, batch),
                Decided::Torn { place, refusal } => {
                    self.forget(group);
                    tearing.insert(place, refusal);
                    continue;
                }
            };
            tries += 1;
            match self.append(batch, answers) {
                // What the group's keys may has changed since it was asked: it is asked again.
                Err(StoreError::SequenceTaken { stream, .. }) if stream == crate::access::STREAM => {
                    self.forget(group);
                    return Err(DeskError::AccessMoved);
                }
                Err(StoreError::SequenceTaken { .. }) if tries < TRIES => self.forget(group),
                done => return done.map_err(DeskError::of_append),
            }
        }
    }

    fn append(&mut self, batch: Batch, mut answers: Answers) -> Result<Answers, StoreError> {
        if batch.records.is_empty() {
            return Ok(answers);
        }
        let mut rows =
            batch.changes.into_rows(|fund| self.funds.get(&fund).and_then(|slot| slot.fund.state()));
        rows.extend(batch.rows);
        rows.extend(self.answers.iter().cloned());
        let ends = [(crate::access::STREAM, self.access.head())];
        let ends = if batch.is_claimed { ends.as_slice() } else { &[] };
        let appended = Arc::new(self.store.append_after(&batch.records, &rows, ends)?);
        self.answers.clear();
        self.anchoring.note(appended.checkpoint());
        let records: Arc<[Record]> = batch.records.into();
        let place = |index: Option<usize>| Place::of(&appended, &records, index?);
        for (answer, (last, request)) in answers.iter_mut().zip(batch.places) {
            if let Ok(answer) = answer {
                (answer.place, answer.request) = (place(last), place(request));
            }
        }
        Ok(answers)
    }

    /// Memory holds events of a group that are not in the log: it is read again when next needed.
    fn forget(&mut self, group: &[Request]) {
        group.iter().map(target).for_each(|fund| drop(self.funds.remove(&fund)));
        self.deeds.forget();
    }

    fn decide_all(&mut self, group: &[Request], tearing: &Tearing) -> Result<Decided, DeskError> {
        let recorded_at = microsecond(Timestamp::now()).to_string();
        let mut batch = Batch::default();
        let mut answers = Vec::with_capacity(group.len());
        let mut seen = BTreeSet::new();
        for (place, request) in group.iter().enumerate() {
            batch.is_claimed |= request.cause.claim.is_some();
            if let Some(refusal) = tearing.get(&place) {
                answers.push(Err(refusal.clone()));
                batch.places.push((None, None));
                continue;
            }
            let fund = target(request);
            if seen.insert(fund) {
                self.bring_up_to_date(fund)?;
            }
            let slot = self.funds.entry(fund).or_default();
            let before = batch.records.len();
            match slot.decide(fund, request, &recorded_at, &mut batch)? {
                Ok(answer) => {
                    let kept = self.keep_request(request, &answer, (before, &recorded_at), &mut batch)?;
                    batch.places.push(kept);
                    answers.push(answer);
                }
                Err(Torn(refusal)) => return Ok(Decided::Torn { place, refusal }),
            }
        }
        Ok(Decided::Whole(answers, batch))
    }

    /// Keeps the signed request of a command behind what it caused, refused ones too. Gives the places in the batch of the
    /// last record that it caused, and of its own.
    fn keep_request(
        &mut self,
        request: &Request,
        answer: &Result<Answer, Refusal>,
        (before, recorded_at): (usize, &str),
        batch: &mut Batch,
    ) -> Result<(Option<usize>, Option<usize>), DeskError> {
        let caused_records = batch.records.get(before..).unwrap_or_default();
        let last = (!caused_records.is_empty()).then(|| batch.records.len() - 1);
        if request.cause.evidence.is_none() {
            return Ok((last, None));
        }
        let caused = caused_records.first().zip(caused_records.last()).map(|(first, last)| Caused {
            stream: first.stream.clone(),
            first: first.seq,
            last: last.seq,
        });
        let outcome = match answer {
            Ok(Answer { outcome: Outcome::Done, .. }) => "done",
            Ok(Answer { outcome: Outcome::AlreadyDone, .. }) => "already done",
            Err(refusal) => refusal.code(),
        };
        let kept = self.deed(&request.cause, (request.at, recorded_at), outcome, caused)?;
        let Some((record, row)) = kept else { return Ok((last, None)) };
        batch.records.push(record);
        batch.rows.push(row);
        Ok((last, Some(batch.records.len() - 1)))
    }

    /// Reads what the log has and memory has not: everything at first, and afterwards what other processes wrote.
    fn bring_up_to_date(&mut self, fund: Symbol) -> Result<(), DeskError> {
        if self.funds.contains_key(&fund) && !self.is_shared {
            return Ok(());
        }
        let mut slot = match self.funds.remove(&fund) {
            Some(slot) => slot,
            None => Slot::from_snapshot(&mut self.store, fund)?,
        };
        loop {
            let page = self.store.read(&stream(fund), slot.head + 1, PAGE)?;
            let is_last = page.len() < NEWS_MAX;
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

    /// The commands are durable already, so a snapshot that cannot be written is no error of theirs: the log has it
    /// all, and a later snapshot is tried when it is due.
    fn save_snapshots(&mut self) {
        for (fund, slot) in &mut self.funds {
            let Some(state) = slot.fund.state().filter(|_| slot.is_snapshot_due()) else { continue };
            slot.snapshot = slot.head;
            let Ok(body) = state.to_snapshot() else { continue };
            let recorded_at = microsecond(Timestamp::now()).to_string();
            let snapshot = Snapshot { stream: stream(*fund), seq: slot.head, recorded_at, body };
            drop(self.store.put_snapshot(&snapshot));
        }
    }
}

impl Slot {
    fn from_snapshot(store: &mut Store, fund: Symbol) -> Result<Self, DeskError> {
        let Some(snapshot) = store.latest_snapshot(&stream(fund))? else { return Ok(Self::default()) };
        let head = store.head(&snapshot.stream)?;
        if head < snapshot.seq {
            return Err(StoreError::LogGap { stream: snapshot.stream, seq: head + 1 }.into());
        }
        // A snapshot only saves time: one that another release wrote in another form is passed over.
        Ok(FundState::from_snapshot(&snapshot.body).map_or_else(
            |_| Self::default(),
            |state| Self { fund: Fund::from_state(state), head: snapshot.seq, snapshot: snapshot.seq },
        ))
    }

    /// A snapshot holds the whole state, which grows with the log. Written each time the log has doubled, all
    /// snapshots together cost no more than twice the last one, and at most half of the log is left to replay.
    fn is_snapshot_due(&self) -> bool {
        self.head - self.snapshot >= SNAPSHOT_AFTER.max(self.snapshot)
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
    ) -> Result<Result<Result<Answer, Refusal>, Torn>, DeskError> {
        let at = microsecond(request.at);
        let at_text = batch.text_of(at);
        if let Some(refusal) = not_its_own(request, self.fund.state()) {
            return Ok(Ok(Err(refusal)));
        }
        let handled = self.fund.handle(&request.command, at);
        if self.fund.is_torn() {
            return Ok(Err(Torn(handled.outcome.err().unwrap_or(Refusal::BooksMustBalance))));
        }
        for applied in &handled.applied {
            self.head += 1;
            let seq = self.head;
            let (kind, body) = encode(&applied.event).map_err(unreadable(fund, seq))?;
            if let Some(state) = self.fund.state() {
                let projected =
                    batch.changes.project(&Recorded { applied, kind, seq, at, at_text: &at_text }, state);
                if let Err(refusal) = projected {
                    return Ok(Err(Torn(refusal)));
                }
            }
            batch.records.push(Record {
                stream: stream(fund),
                seq,
                at: at_text.clone(),
                recorded_at: recorded_at.to_owned(),
                actor: request.cause.actor.clone(),
                kind: kind.to_owned(),
                body,
            });
        }
        // A refused or repeated command has no effect that a nonce would have to be stored with.
        if handled.outcome == Ok(Outcome::Done) {
            batch.rows.extend(request.cause.nonce.as_ref().map(nonce_row));
        }
        let events = handled.applied.into_iter().map(|applied| applied.event).collect();
        Ok(Ok(handled.outcome.map(|outcome| Answer {
            outcome,
            seq: self.head,
            events,
            place: None,
            request: None,
        })))
    }
}

const PREFIX: &str = "fund/";

pub(crate) fn stream(fund: Symbol) -> String {
    [PREFIX, fund.as_str()].concat()
}

/// Why an order that the cause may not touch is not cancelled: the same as of an order that is not there, so that
/// nobody learns names of others' orders. Asked when it is decided: an order of that name may have come in meanwhile.
fn not_its_own(request: &Request, state: Option<&FundState>) -> Option<Refusal> {
    let (Command::CancelOrder { id }, Some(dealer)) = (&request.command, &request.cause.orders_of) else {
        return None;
    };
    let dealt_by = state?.dealt_by(id)?;
    (dealt_by != dealer).then(|| Refusal::OrderMustBeOpen(id.clone()))
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

/// PostgreSQL keeps microseconds, so nothing keeps more.
pub(crate) fn microsecond(instant: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(instant.as_microsecond()).unwrap_or(instant)
}
