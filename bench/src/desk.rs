//! Durable commands a second through the whole desk, beside SQLite writing the same rows and PostgreSQL's own bench.

use crate::raw::{Recording, per_second};
use crate::report::{Report, Table, figure};
use crate::statistics::{median, range};
use crate::work::{Work, open_desk};
use crate::{Failure, Plan, pgbench};
use std::collections::VecDeque;
use std::path::Path;
use std::time::{Duration, Instant};
use strongroom_desk::{DeskHandle, DeskService, Request};
use strongroom_store::Location;

/// Commands in one transaction, where the caller decides.
const GROUPS: [usize; 2] = [100, 1_000];
/// Callers at once, and how many answers each of them waits for at most.
const CLIENTS: usize = 8;
const OUTSTANDING: usize = 500;

pub fn measure(plan: &Plan, report: &mut Report) -> Result<(), Failure> {
    for work in Work::ALL {
        let title = format!("Durable commands a second, SQLite, one fund: {}", work.name());
        let columns = ["how", "rows a command", "median", "lowest", "highest", "x raw SQLite"];
        let mut table = Table::new(title, &columns);
        let mut raw_of_largest = (0.0, 0.0);
        for size in GROUPS {
            raw_of_largest = in_groups(plan, work, size, &mut table)?;
        }
        let (rows, raw) = raw_of_largest;
        let served = rounds(plan, || served(plan, work))?;
        let how = format!("desk, {CLIENTS} clients with {OUTSTANDING} outstanding each");
        add(&mut table, how, rows, &served, Some(raw));
        report.add(table);
    }
    pgbench::measure(report)
}

/// Engine and raw in turn, so that both see the same machine. Gives rows a command and the raw median.
fn in_groups(plan: &Plan, work: Work, size: usize, table: &mut Table) -> Result<(f64, f64), Failure> {
    let folder = plan.fresh_folder()?;
    let recording = Recording::of(work, plan.commands, size, folder.path())?;
    let (mut desk, mut raw) = (Vec::new(), Vec::new());
    for _ in 0..plan.rounds {
        desk.push(submitted(work, plan.commands, size, plan.fresh_folder()?.path())?);
        raw.push(recording.write_again(plan.fresh_folder()?.path())?);
    }
    let rows = recording.rows_per_command();
    add(table, format!("raw SQLite, groups of {size}"), rows, &raw, None);
    add(table, format!("desk, groups of {size}"), rows, &desk, Some(median(&raw)));
    Ok((rows, median(&raw)))
}

fn add(table: &mut Table, how: String, rows: f64, values: &[f64], raw: Option<f64>) {
    let (lowest, highest) = range(values);
    let ratio = raw.map_or_else(|| "1.00".to_owned(), |raw| figure(median(values) / raw));
    let rows = if rows == 0.0 { String::new() } else { figure(rows) };
    table.row([how, rows, figure(median(values)), figure(lowest), figure(highest), ratio]);
}

fn rounds(plan: &Plan, mut once: impl FnMut() -> Result<f64, Failure>) -> Result<Vec<f64>, Failure> {
    (0..plan.rounds).map(|_| once()).collect()
}

fn submitted(work: Work, count: usize, size: usize, folder: &Path) -> Result<f64, Failure> {
    let mut desk = open_desk(&Location::Sqlite(folder.join("fund.db")))?;
    let requests = work.requests(0, count)?;
    let start = Instant::now();
    for group in requests.chunks(size) {
        for answer in desk.submit(group)? {
            answer?;
        }
    }
    Ok(per_second(count, start.elapsed()))
}

fn served(plan: &Plan, work: Work) -> Result<f64, Failure> {
    let folder = plan.fresh_folder()?;
    let service = DeskService::start(open_desk(&Location::Sqlite(folder.path().join("fund.db")))?);
    let of_each = plan.commands / CLIENTS;
    let requests: Result<Vec<_>, Failure> =
        (0..CLIENTS).map(|client| work.requests(client, of_each)).collect();
    let time = all_answered(&service, requests?)?;
    Ok(per_second(of_each * CLIENTS, time))
}

fn all_answered(service: &DeskService, requests: Vec<Vec<Request>>) -> Result<Duration, Failure> {
    let start = Instant::now();
    let clients: Vec<_> = requests
        .into_iter()
        .map(|requests| {
            let handle = service.handle();
            std::thread::spawn(move || client(&handle, requests))
        })
        .collect();
    for client in clients {
        client.join().map_err(|_| "a client panicked")??;
    }
    Ok(start.elapsed())
}

fn client(handle: &DeskHandle, requests: Vec<Request>) -> Result<(), String> {
    let mut outstanding = VecDeque::with_capacity(OUTSTANDING);
    for request in requests {
        if outstanding.len() == OUTSTANDING {
            outstanding.pop_front().map_or(Ok(()), wait)?;
        }
        outstanding.push_back(handle.send(request).map_err(|error| error.to_string())?);
    }
    outstanding.into_iter().try_for_each(wait)
}

type Answer =
    std::sync::mpsc::Receiver<Result<strongroom_desk::Answer, std::sync::Arc<strongroom_desk::DeskError>>>;

fn wait(answer: Answer) -> Result<(), String> {
    match answer.recv() {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}
