//! Measurements of the engine, the desk, the gate and the log, each beside a peer or a limit that was measured in the same run.
//!
//! Nothing here is a test: a figure of a busy machine fails nobody. `bench/README.md` keeps the figures and says what
//! they mean.

mod audit;
mod baskets;
mod days;
mod desk;
mod distributions;
mod history;
mod http;
mod latency;
mod leverage;
mod pgbench;
mod rate;
mod raw;
mod replay;
mod report;
mod rotation;
mod signature;
mod statistics;
mod work;

use clap::{Parser, ValueEnum};
use report::Report;
use std::path::PathBuf;
use tempfile::TempDir;

/// Anything that ends a measurement.
type Failure = Box<dyn std::error::Error>;

/// Measures the engine and the desk beside peers and limits.
#[derive(Debug, Parser)]
struct Arguments {
    /// What to measure.
    #[arg(value_enum, default_value_t = Part::All)]
    part: Part,
    /// Writes the figures as JSON to this file as well.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// How often each throughput is measured; the median is shown.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Commands in one round.
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(1_000..=10_000_000))]
    commands: u32,
    /// With `rate`: the trades, as `bench/rate_peers.sh` makes them.
    #[arg(long, value_name = "FILE", required_if_eq("part", "rate"))]
    parquet: Option<PathBuf>,
    /// With `rate`: what the peers took.
    #[arg(long, value_name = "FILE")]
    peers: Option<PathBuf>,
    /// With `baskets`: the market and the parameters, as `bench/basket_peers.sh` makes them.
    #[arg(long, value_name = "FILE", required_if_eq("part", "baskets"))]
    given: Option<PathBuf>,
    /// With `baskets`: where the growth of every run goes. With `leverage`: where the market and our growth go, for the peers.
    #[arg(long, value_name = "FILE", required_if_eq("part", "baskets"))]
    growth: Option<PathBuf>,
    /// With `distributions`: holders of record.
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u32).range(1_000..=50_000_000))]
    holders: u32,
    /// With `http`: requests in one round.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1_000..=30_000))]
    requests: u32,
    /// With `http`: another server to load, as NAME,ADDRESS,ALGORITHM; once for each.
    #[arg(long = "peer", value_name = "PEER")]
    http_peers: Vec<http::Peer>,
    /// With `flip`, `replay` and `window`: how many; 100,000, 1,000,000 and 1,000,000 when absent.
    #[arg(long)]
    count: Option<usize>,
    /// With `window`: a Redis to measure beside, which should hold nothing else.
    #[arg(long, value_name = "URL")]
    redis: Option<String>,
    /// With `audit-verify`: leaves of the database.
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    leaves: u64,
    /// Folder of the databases, on the disk to be measured.
    #[arg(long, value_name = "FOLDER", default_value_os_t = std::env::temp_dir())]
    folder: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Durable commands a second and the time of one, beside raw SQLite, pgbench and fdatasync.
    Engine,
    /// Ten years of working days in memory.
    Days,
    /// The reference rate of the trades in a Parquet file.
    Rate,
    /// The verification of a signed request, beside the bare primitive.
    Signature,
    /// The transparency log's hashes, beside bare SHA-256.
    Audit,
    /// The scheduler of a hundred thousand lineages.
    Rotation,
    /// A whole verification of a database of so many leaves.
    AuditVerify,
    /// A basket over five years: one run and a sweep.
    Baskets,
    /// Ten years of a leveraged fund in memory, with funding every eight hours.
    Leverage,
    /// A distribution over very many holders of record, in process and durable, beside raw SQLite.
    Distributions,
    /// Signed requests over HTTP on loopback, beside a server without a gate.
    Http,
    /// One bit flipped in each of many signed requests: none may be accepted.
    Flip,
    /// Captured requests replayed over restarts and clock steps: none may be let in again.
    Replay,
    /// Memory and speed of the replay window, beside a `HashSet` and the Redis of `--redis`.
    Window,
    /// The server that `http` measures, as its child.
    #[value(hide = true)]
    HttpGate,
    /// The server without a gate, as a child.
    #[value(hide = true)]
    HttpHello,
    /// The engine and the days.
    All,
}

/// How much is measured, and where.
struct Plan {
    rounds: u32,
    commands: usize,
    folder: PathBuf,
}

impl Plan {
    fn fresh_folder(&self) -> Result<TempDir, Failure> {
        Ok(tempfile::Builder::new().prefix("strongroom-bench-").tempdir_in(&self.folder)?)
    }
}

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let plan = Plan {
        rounds: arguments.rounds,
        commands: usize::try_from(arguments.commands)?,
        folder: arguments.folder.clone(),
    };
    let mut report = Report::default();
    match arguments.part {
        Part::HttpGate => return http::child::gate(&plan.folder),
        Part::HttpHello => return http::child::hello(),
        Part::Http => http::measure(&plan, arguments.requests.into(), &arguments.http_peers, &mut report)?,
        Part::Flip => replay::flip(arguments.count.unwrap_or(100_000), &mut report)?,
        Part::Replay => replay::drill(arguments.count.unwrap_or(1_000_000), &mut report)?,
        Part::Window => {
            replay::window(
                &plan,
                arguments.count.unwrap_or(1_000_000),
                arguments.redis.as_deref(),
                &mut report,
            )?;
        }
        Part::Distributions => {
            distributions::measure(&plan, usize::try_from(arguments.holders)?, &mut report)?
        }
        Part::Rotation => rotation::measure(&plan, &mut report)?,
        Part::Signature => signature::measure(&plan, &mut report)?,
        Part::Audit => audit::measure(&plan, &mut report)?,
        Part::AuditVerify => history::measure(&plan, arguments.leaves, &mut report)?,
        Part::Rate => {
            let parquet = arguments.parquet.ok_or("rate needs --parquet")?;
            rate::measure(&plan, &parquet, arguments.peers.as_deref(), &mut report)?;
        }
        Part::Baskets => {
            let given = arguments.given.ok_or("baskets needs --given")?;
            let growth = arguments.growth.ok_or("baskets needs --growth")?;
            baskets::measure(&plan, &given, &growth, &mut report)?;
        }
        Part::Leverage => leverage::measure(&plan, arguments.growth.as_deref(), &mut report)?,
        // The days first, while the process is small: its memory is one of the figures.
        Part::Days => days::measure(&plan, &mut report)?,
        Part::Engine => engine(&plan, &mut report)?,
        Part::All => {
            days::measure(&plan, &mut report)?;
            engine(&plan, &mut report)?;
        }
    }
    if let Some(path) = arguments.json {
        std::fs::write(path, report.to_json()?)?;
    }
    Ok(())
}

fn engine(plan: &Plan, report: &mut Report) -> Result<(), Failure> {
    desk::measure(plan, report)?;
    latency::measure(plan, report)
}
