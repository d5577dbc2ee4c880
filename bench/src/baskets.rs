//! A basket of ten assets over five years of sessions, rebalanced each month at a cost, its whole ledger kept: one run, and a
//! sweep over weights and costs. `bench/basket_peers.sh` makes the market and sets numpy, vectorbt and bt beside it.

use crate::report::{Report, Table};
use crate::statistics::median;
use crate::{Failure, Plan};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;
use strongroom_backtest::{Agenda, CommandSink, Market, MemorySink, Runner, Target};
use strongroom_fund::FundDefinition;
use strongroom_units::time::Date;
use strongroom_units::{Price, Rate, Symbol};

const THREADS: usize = 2;

/// What the peers' script writes: prices of sessions, and weights and cost of each run.
#[derive(Deserialize)]
struct Given {
    dates: Vec<Date>,
    assets: Vec<Symbol>,
    /// Of each session, of each asset.
    prices: Vec<Vec<Price>>,
    runs: Vec<Parameters>,
    /// Which of them is the single run.
    single: usize,
}

#[derive(Deserialize)]
struct Parameters {
    weights: Vec<Rate>,
    cost_bps: String,
}

/// What the script sets beside its own.
#[derive(Serialize)]
struct Ours {
    one_s: f64,
    sweep_s: f64,
    /// NAV per share at the end over that at the start, of each run.
    growth: Vec<f64>,
}

/// Measures both, and writes the growth of every run.
pub fn measure(plan: &Plan, given: &Path, out: &Path, report: &mut Report) -> Result<(), Failure> {
    let given: Given = serde_json::from_str(&std::fs::read_to_string(given)?)?;
    let market = market(&given)?;
    let mut times = Vec::new();
    for _ in 0..plan.rounds {
        let start = Instant::now();
        std::hint::black_box(growth(&given, &market, given.single)?);
        times.push(start.elapsed().as_secs_f64());
    }
    let start = Instant::now();
    let growth = sweep(&given, &market)?;
    let ours = Ours { one_s: median(&times), sweep_s: start.elapsed().as_secs_f64(), growth };
    let title = format!("A basket of {} assets over {} sessions", given.assets.len(), given.dates.len());
    let mut table = Table::new(title, &["what", "ms"]);
    table.row(["one run".to_owned(), format!("{:.1}", 1_000.0 * ours.one_s)]);
    table.row([
        format!("{} runs on {THREADS} threads", given.runs.len()),
        format!("{:.0}", 1_000.0 * ours.sweep_s),
    ]);
    report.add(table);
    std::fs::write(out, serde_json::to_string(&ours)?)?;
    Ok(())
}

fn sweep(given: &Given, market: &Market) -> Result<Vec<f64>, Failure> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        loop {
            let run = next.fetch_add(1, Ordering::Relaxed);
            if run >= given.runs.len() {
                return Ok(done);
            }
            done.push((run, growth(given, market, run).map_err(|error| error.to_string())?));
        }
    };
    let mut all = Vec::new();
    thread::scope(|scope| {
        let each: Vec<_> = (0..THREADS).map(|_| scope.spawn(worker)).collect();
        for thread in each {
            let done: Result<Vec<(usize, f64)>, String> = thread.join().map_err(|_| "a thread panicked")?;
            all.extend(done?);
        }
        Ok::<_, Failure>(())
    })?;
    all.sort_by_key(|(run, _)| *run);
    Ok(all.into_iter().map(|(_, growth)| growth).collect())
}

fn market(given: &Given) -> Result<Market, Failure> {
    let mut prices: BTreeMap<Symbol, BTreeMap<Date, Price>> = BTreeMap::new();
    for (date, row) in given.dates.iter().zip(&given.prices) {
        for (asset, price) in given.assets.iter().zip(row) {
            prices.entry(*asset).or_default().insert(*date, *price);
        }
    }
    Ok(Market { prices, source: "seeded random walk".to_owned(), ..Market::default() })
}

/// One fund from its first session to its last.
fn growth(given: &Given, market: &Market, run: usize) -> Result<f64, Failure> {
    let parameters = given.runs.get(run).ok_or("no such run")?;
    let (first, last) = (given.dates.first().ok_or("no dates")?, given.dates.last().ok_or("no dates")?);
    let weights: BTreeMap<Symbol, Rate> =
        given.assets.iter().copied().zip(parameters.weights.iter().copied()).collect();
    let mut market = market.clone();
    for (before, date) in std::iter::once(None).chain(given.dates.iter().map(Some)).zip(&given.dates) {
        if before.is_none_or(|before| before.month() != date.month()) {
            let target = Target { weights: weights.clone(), effective: *date, reason: "monthly".to_owned() };
            market.targets.insert(*date, target);
        }
    }
    let text = definition(given, *first, &parameters.cost_bps);
    let definition = FundDefinition::parse(&text)?;
    let agenda = Agenda::try_new(&definition, *first, *last)?;
    let mut sink = MemorySink::default();
    let mut runner = Runner::open(&mut sink, &market, &definition, &text)?;
    runner.run(&agenda, |_| {})?;
    runner.finish();
    let navs = sink.state().ok_or("no fund")?.navs();
    let per_share = |nav: Option<&strongroom_engine::NavRecord>| {
        nav.map(|nav| nav.current.nav_per_share.to_decimal().to_f64()).ok_or("no NAV")
    };
    Ok(per_share(navs.last())? / per_share(navs.first())?)
}

/// A thousand million dollars, so that cents are nothing; no sponsor fee, as the peers have none.
fn definition(given: &Given, first: Date, cost_bps: &str) -> String {
    let mut assets = String::new();
    for asset in &given.assets {
        let _ = writeln!(assets, "[[asset]]\nsymbol = \"{asset}\"\nname = \"{asset}\"\nscale = 18\n");
    }
    let text = include_str!("basket.toml").replace("FIRST", &first.to_string());
    text.replace("ASSETS\n", &assets).replace("COST", cost_bps)
}
