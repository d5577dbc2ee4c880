//! How long one command takes from the caller's side, beside one append and fdatasync in the same folder.

use crate::report::{Report, Table, figure};
use crate::statistics::quantile;
use crate::work::{Work, open_desk};
use crate::{Failure, Plan};
use std::fs::File;
use std::io::Write;
use std::time::Instant;
use strongroom_store::Location;

/// Commands and appends of each kind.
const SAMPLES: usize = 4_000;
/// A command follows an append in runs of this length, so that both meet the same machine.
const RUN: usize = 50;
const BLOCK: [u8; 4_096] = [0x5a; 4_096];

pub fn measure(plan: &Plan, report: &mut Report) -> Result<(), Failure> {
    let columns = ["what", "p50 µs", "p99 µs", "p99.9 µs", "x p99 of fdatasync"];
    let mut table = Table::new("One command at a time, one client, no grouping", &columns);
    for work in Work::ALL {
        let (commands, appends) = samples(plan, work)?;
        let limit = quantile(&appends, 0.99);
        row(&mut table, "append 4 KiB and fdatasync".to_owned(), &appends, limit);
        row(&mut table, format!("command: {}", work.name()), &commands, limit);
    }
    report.add(table);
    Ok(())
}

fn row(table: &mut Table, what: String, values: &[f64], limit: f64) {
    let at = |fraction| figure(quantile(values, fraction));
    table.row([what, at(0.5), at(0.99), at(0.999), figure(quantile(values, 0.99) / limit)]);
}

/// Microseconds of each command, and of each append.
fn samples(plan: &Plan, work: Work) -> Result<(Vec<f64>, Vec<f64>), Failure> {
    let folder = plan.fresh_folder()?;
    let mut desk = open_desk(&Location::Sqlite(folder.path().join("fund.db")))?;
    let mut file = File::create(folder.path().join("appended"))?;
    let (mut commands, mut appends) = (Vec::new(), Vec::new());
    for run in work.requests(0, SAMPLES)?.chunks(RUN) {
        for request in run {
            let request = request.clone();
            let start = Instant::now();
            desk.command(request)?;
            commands.push(start.elapsed().as_secs_f64() * 1e6);
        }
        for _ in run {
            let start = Instant::now();
            file.write_all(&BLOCK)?;
            file.sync_data()?;
            appends.push(start.elapsed().as_secs_f64() * 1e6);
        }
    }
    Ok((commands, appends))
}
