//! `strongroom audit tail`: what happened, in the order of the log.

use super::{of_store, read};
use crate::context::Global;
use crate::failure::Failure;
use clap::Args;
use std::io::Write;
use std::time::Duration;
use strongroom_store::Logged;

/// How often the end of the log is looked at.
const EVERY: Duration = Duration::from_millis(500);
/// Records read at once.
const PAGE: usize = 1_000;
/// Records shown when no first one is named.
const SHOWN: u64 = 20;

/// Lists what happened, one line for each record.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  strongroom audit tail --from 0")]
pub(crate) struct Tail {
    /// First leaf to show, from 0; the last twenty when absent
    #[arg(long, value_name = "LEAF")]
    from: Option<u64>,
    /// Go on with what comes, until the program is ended
    #[arg(long)]
    follow: bool,
}

impl Tail {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        let mut desk = read(global)?;
        let size = desk.log_head()?.size();
        let mut next = self.from.unwrap_or(size.saturating_sub(SHOWN));
        let mut out = std::io::stdout().lock();
        if !global.json {
            drop(writeln!(
                out,
                "{:>8}  {:<27}  {:<14}  {:>7}  {:<20}  kind",
                "leaf", "written", "stream", "seq", "actor"
            ));
        }
        loop {
            let page = desk.store().logged(next, PAGE).map_err(of_store)?;
            for logged in &page {
                let written = writeln!(out, "{}", line(logged, global.json)).and_then(|()| out.flush());
                // A reader that has gone away, such as `head`, has seen enough.
                if written.is_err() {
                    return Ok(());
                }
                next = logged.leaf.index + 1;
            }
            if page.len() == PAGE {
                continue;
            }
            if !self.follow {
                return Ok(());
            }
            std::thread::sleep(EVERY);
        }
    }
}

fn line(logged: &Logged, is_json: bool) -> String {
    let (record, leaf) = (&logged.record, logged.leaf.index);
    let (at, stream, seq) = (&record.recorded_at, &record.stream, record.seq);
    if is_json {
        let (actor, kind) = (&record.actor, &record.kind);
        return serde_json::json!({
            "leaf": leaf, "recorded_at": at, "stream": stream, "seq": seq, "actor": actor, "kind": kind,
        })
        .to_string();
    }
    format!("{leaf:>8}  {at:<27}  {stream:<14}  {seq:>7}  {:<20}  {}", record.actor, record.kind)
}
