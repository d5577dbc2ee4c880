//! How long a whole verification of a database takes, on a file that is made once and kept; and what the file costs to
//! make, which is what leaves cost beside the rest of an append.

use crate::report::{Report, Table, figure};
use crate::statistics::{median, range};
use crate::{Failure, Plan};
use std::path::Path;
use std::time::Instant;
use strongroom_store::{Location, Record, Schema, Store};

/// A store without read tables: the log alone.
static SCHEMA: Schema = Schema { tables: &[], migrations: &[] };
/// Records of one transaction.
const GROUP: u64 = 20_000;
/// Bytes of an event.
const BODY_BYTES: usize = 200;
/// Streams that the records are spread over.
const STREAMS: u64 = 4;

/// Verifies a history of so many leaves. The file stays in the folder and is made if it is not there, or goes on to
/// grow where it ends.
pub fn measure(plan: &Plan, leaves: u64, report: &mut Report) -> Result<(), Failure> {
    let path = plan.folder.join("audit-verify.db");
    let appended = make(&path, leaves)?;
    let mut rounds = Vec::new();
    for _ in 0..plan.rounds {
        let mut store = Store::open_read_only(&Location::Sqlite(path.clone()), &SCHEMA)?;
        let start = Instant::now();
        let found = store.verify_log(&|_| ())?;
        rounds.push(start.elapsed().as_secs_f64());
        found.must_be_whole()?;
    }
    let title = format!(
        "A whole verification: SQLite, events of {BODY_BYTES} bytes, {} MiB; s, medians of {} rounds",
        std::fs::metadata(&path)?.len() >> 20,
        plan.rounds
    );
    let mut table = Table::new(title, &["work", "leaves", "s", "lowest", "highest", "a second"]);
    let (lowest, highest) = range(&rounds);
    let [middle, lowest, highest] = [median(&rounds), lowest, highest].map(figure);
    let rate = figure(leaves as f64 / median(&rounds));
    table.row(["audit verify".to_owned(), leaves.to_string(), middle, lowest, highest, rate]);
    if let Some((count, seconds)) = appended {
        let rate = figure(count as f64 / seconds);
        let once = ["append, durable in groups", &count.to_string(), &figure(seconds), "", "", &rate];
        table.row(once.map(str::to_owned));
    }
    report.add(table);
    Ok(())
}

/// Appends what the file lacks, and says how many records in how many seconds.
fn make(path: &Path, leaves: u64) -> Result<Option<(u64, f64)>, Failure> {
    let mut store = Store::open(&Location::Sqlite(path.to_owned()), &SCHEMA)?;
    let before = store.log_head()?.size();
    if before > leaves {
        return Err(format!("{} has {before} leaves already; move it away", path.display()).into());
    }
    let (body, start) = ("x".repeat(BODY_BYTES), Instant::now());
    let mut next = before;
    while next < leaves {
        let end = leaves.min(next + GROUP);
        let records: Vec<Record> = (next..end).map(|leaf| record(leaf, &body)).collect();
        store.append(&records, &[])?;
        next = end;
    }
    Ok((before < leaves).then(|| (leaves - before, start.elapsed().as_secs_f64())))
}

fn record(leaf: u64, body: &str) -> Record {
    Record {
        stream: format!("fund/BTC{}", leaf % STREAMS),
        seq: leaf / STREAMS + 1,
        at: "2026-01-02T21:00:00Z".to_owned(),
        recorded_at: "2026-01-02T21:00:00.125Z".to_owned(),
        actor: "ap/acme.1".to_owned(),
        kind: "OrderPlaced".to_owned(),
        body: body.to_owned(),
    }
}
