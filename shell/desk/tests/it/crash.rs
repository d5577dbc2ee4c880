//! The process dies at some moment under load, again and again on one database, and nothing that was answered is lost.
//!
//! The child is this very binary, run for one test with a variable set. It prints a line for each answer it gets; the
//! parent kills it after some of them. Nobody waits for a clock: the moment is a number of lines.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command as Process, Stdio};
use std::sync::atomic::{AtomicI64, Ordering};

use strongroom_desk::{Answer, DeskHandle, DeskService, Request};
use strongroom_engine::{Command, Event, OrderState};
use strongroom_fund::definition::CustodyKind;
use strongroom_store::{Location, Record};
use strongroom_units::time::{Date, Timestamp};

use crate::home::{Home, on_both};
use crate::judge;
use crate::sample::*;

const CHILD: &str = "STRONGROOM_DESK_TEST_CHILD";
const ROUNDS: u32 = 6;
const CALLERS: usize = 3;

on_both!(what_was_answered_survives_a_killed_process);

fn what_was_answered_survives_a_killed_process(home: &Home) {
    let mut acknowledged = Vec::new();
    for round in 0..ROUNDS {
        // 0 is in the middle of starting up; the others are spread by a prime.
        let lines = round * 7_919 % 443;
        acknowledged.extend(run_and_kill(&home.location(), round, lines));
        // A child that was killed while it migrated leaves an empty database, which the next desk fills.
        drop(home.open());
        let records = judge::check(home);
        check_acknowledged(&acknowledged, &records);
    }
    assert!(acknowledged.len() > 300, "{} lines", acknowledged.len());
    assert!(acknowledged.iter().any(|line| line.starts_with("nav-struck")), "{acknowledged:?}");
}

/// Each acknowledged event is in the log, in the place that the answer named and in no other.
fn check_acknowledged(acknowledged: &[String], records: &[Record]) {
    let mut places: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (event, record) in judge::events(records).iter().zip(records) {
        places.entry(name(event, record.seq)).or_default().push(record.seq);
    }
    for line in acknowledged {
        let (name, seq) = line.rsplit_once(' ').unwrap();
        assert_eq!(places.get(name), Some(&vec![seq.parse().unwrap()]), "{line}");
    }
}

/// What an event is about; a transfer has no name but its place.
fn name(event: &Event, seq: u64) -> String {
    match event {
        Event::OrderAccepted { order } => format!("order-accepted {}", order.id),
        Event::OrderCancelled { id } => format!("order-cancelled {id}"),
        Event::OrderExecuted { id, .. } => format!("order-executed {id}"),
        Event::OrderSettled { id, .. } => format!("order-settled {id}"),
        Event::NavStruck { nav, .. } => format!("nav-struck {}", nav.date),
        Event::PricesRecorded { rows, .. } => format!("prices-recorded {}", rows[0].date),
        Event::FundOpened { .. } => "fund-opened".to_owned(),
        Event::CustodyTransferred { .. } => format!("custody-transferred {seq}"),
        other => panic!("the child does nothing of the kind: {other:?}"),
    }
}

/// Runs a child until it has printed some lines, kills it, and gives every whole line that it printed.
fn run_and_kill(location: &Location, round: u32, lines: u32) -> Vec<String> {
    let place = match location {
        Location::Sqlite(path) => path.to_str().unwrap().to_owned(),
        Location::Postgres(url) => url.clone(),
    };
    let mut child = Process::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::the_child_works_until_it_is_killed", "--nocapture", "--test-threads=1"])
        .env(CHILD, format!("{round} {place}"))
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut acknowledged = Vec::new();
    let mut line = String::new();
    let mut is_killed = lines == 0;
    if is_killed {
        child.kill().unwrap();
    }
    while output.read_line(&mut line).unwrap() > 0 {
        acknowledged
            .extend(line.strip_prefix("done: ").and_then(|rest| rest.strip_suffix('\n')).map(str::to_owned));
        line.clear();
        if !is_killed && acknowledged.len() >= usize::try_from(lines).unwrap() {
            child.kill().unwrap();
            is_killed = true;
        }
    }
    let status = child.wait().unwrap();
    assert!(is_killed && !status.success(), "the child ended by itself: {status}");
    acknowledged
}

/// Does nothing unless a parent asks for it.
#[test]
fn the_child_works_until_it_is_killed() {
    let Ok(order) = std::env::var(CHILD) else { return };
    let (round, place) = order.split_once(' ').unwrap();
    let mut desk = strongroom_desk::Desk::open(&place.parse().unwrap()).unwrap();
    if desk.fund(btcx()).unwrap().is_none() {
        acknowledge(&desk.command(open_fund()).unwrap());
    }
    let state = desk.fund(btcx()).unwrap().unwrap();
    let day = state.last_nav().unwrap().date;
    let clock = AtomicI64::new(state.last_at().as_second().max(opening().as_second()));
    let open = state.orders().map(|order| (order.id.clone(), order.state.clone()));
    let (to_execute, to_settle): (Vec<_>, Vec<_>) = open
        .filter(|(_, state)| *state != OrderState::Accepted)
        .partition(|(_, state)| matches!(state, OrderState::Struck { .. }));
    let mut sessions = Sessions {
        day,
        to_execute: to_execute.into_iter().map(|(id, _)| id.to_string()).collect(),
        to_settle: to_settle.into_iter().map(|(id, _)| id.to_string()).collect(),
    };
    let service = DeskService::start(desk);
    std::thread::scope(|scope| {
        for caller in 0..CALLERS {
            let (handle, clock) = (service.handle(), &clock);
            scope.spawn(move || orders_without_end(&handle, clock, &format!("{round}-{caller}")));
        }
        loop {
            sessions.next(&service.handle(), &clock);
        }
    });
}

/// One line, whole or not at all.
fn acknowledge(answer: &Answer) {
    let first = answer.seq + 1 - u64::try_from(answer.events.len()).unwrap();
    let lines: String = (first..)
        .zip(&answer.events)
        .map(|(seq, event)| format!("done: {} {seq}\n", name(event, seq)))
        .collect();
    let mut output = std::io::stdout().lock();
    // The parent may have stopped listening: it is about to kill this process.
    let _ = output.write_all(lines.as_bytes()).and_then(|()| output.flush());
}

fn give(handle: &DeskHandle, command: Command, at: Timestamp) {
    // Refused is an answer too: the strike of a session may have overtaken an order for it.
    if let Ok(answer) = handle.command(request(command, at)) {
        acknowledge(&answer);
    }
}

fn now_by(clock: &AtomicI64) -> Timestamp {
    Timestamp::from_second(clock.load(Ordering::SeqCst)).unwrap()
}

/// Takes orders, withdraws every other one and moves a little coin, at the time that the sessions have reached.
fn orders_without_end(handle: &DeskHandle, clock: &AtomicI64, caller: &str) {
    for index in 0_u64.. {
        let at = now_by(clock);
        let today = strongroom_units::time::Zone::NewYork.date_of(at);
        let order = new_order(&format!("{caller}-{index}"), next_session(next_session(today)));
        give(handle, Command::SubmitOrder(order), at);
        if index % 4 != 0 {
            give(handle, Command::CancelOrder { id: id(&format!("{caller}-{index}")) }, now_by(clock));
        }
        if index % 5 == 0 {
            give(handle, transfer(CustodyKind::Vault, CustodyKind::Trading, "0.00000001"), now_by(clock));
        }
    }
}

struct Sessions {
    day: Date,
    to_execute: Vec<String>,
    to_settle: Vec<String>,
}

impl Sessions {
    /// Strikes the next session, buys the coins of its orders and settles those of the session before.
    fn next(&mut self, handle: &DeskHandle, clock: &AtomicI64) {
        self.execute(handle, clock);
        let day = next_session(self.day);
        let at = on(day, 16, 30);
        clock.store(at.as_second(), Ordering::SeqCst);
        give(handle, import(day, price_of(day)), at);
        for order in self.to_settle.drain(..) {
            give(handle, Command::SettleOrder { id: id(&order) }, at);
        }
        let strike = Command::StrikeNav { date: day, accept: Some("A test".to_owned()) };
        let answer = handle.command(request(strike, at)).unwrap();
        acknowledge(&answer);
        for event in &answer.events {
            if let Event::NavStruck { dealt, .. } = event {
                self.to_execute.extend(dealt.iter().map(|deal| deal.id.to_string()));
            }
        }
        self.day = day;
    }

    fn execute(&mut self, handle: &DeskHandle, clock: &AtomicI64) {
        let prices = btc(&price_of(self.day).to_string());
        for order in self.to_execute.drain(..) {
            let command = Command::ExecuteOrder { id: id(&order), prices: prices.clone() };
            let request: Request = request(command, now_by(clock));
            if let Ok(answer) = handle.command(request) {
                acknowledge(&answer);
                self.to_settle.push(order);
            }
        }
    }
}
