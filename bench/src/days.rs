//! Ten years of working days of one fund, in memory through the engine, and the memory that its state takes.

use crate::report::{Report, Table, figure};
use crate::statistics::{median, range};
use crate::work::{DEFINITION, definition};
use crate::{Failure, Plan};
use std::time::Instant;
use strongroom_backtest::{Agenda, CommandSink, Market, MemorySink, Runner, Summary};
use strongroom_fund::FundDefinition;
use strongroom_units::time::Date;
use strongroom_units::{Money, Rounding, Symbol};

/// Copies that are held at once while memory is measured: one alone is lost in what the allocator keeps.
const COPIES: usize = 10;

pub fn measure(plan: &Plan, report: &mut Report) -> Result<(), Failure> {
    let definition = definition()?;
    let through: Date = "2034-01-05".parse()?;
    let market = market(&definition, through)?;
    let agenda = Agenda::try_new(&definition, definition.seed.date, through)?;
    let (sink, summary) = run(&definition, &market, &agenda)?;
    let times: Result<Vec<f64>, Failure> = (0..plan.rounds.max(3) * 3)
        .map(|_| {
            let start = Instant::now();
            run(&definition, &market, &agenda)?;
            Ok(start.elapsed().as_secs_f64() * 1e3)
        })
        .collect();
    let times = times?;
    let (lowest, highest) = range(&times);
    let mut table =
        Table::new("Ten years of days of one fund, in memory", &["what", "figure", "unit", "goal"]);
    let mut row = |what: &str, value: f64, unit: &str, goal: &str| {
        table.row([what.to_owned(), figure(value), unit.to_owned(), goal.to_owned()]);
    };
    row("sessions struck", summary.strikes as f64, "", "");
    row("orders", summary.flows.iter().filter(|flow| flow.shares.count() != 0).count() as f64, "", "");
    row("commands", summary.commands as f64, "", "");
    row("time, median", median(&times), "ms", "< 100");
    row("time, lowest", lowest, "ms", "");
    row("time, highest", highest, "ms", "");
    row("time of a command", median(&times) * 1e3 / summary.commands as f64, "µs", "");
    let state = sink.state().ok_or("the fund is not open")?;
    row("state as JSON", megabytes(state.to_snapshot()?.len()), "MB", "");
    row("state in memory", megabytes(resident_of_copies(&sink)?), "MB", "< 50");
    report.add(table);
    Ok(())
}

fn run(
    definition: &FundDefinition,
    market: &Market,
    agenda: &Agenda,
) -> Result<(MemorySink, Summary), Failure> {
    let mut sink = MemorySink::default();
    let mut runner = Runner::open(&mut sink, market, definition, DEFINITION)?;
    runner.run(agenda, |_| ())?;
    let summary = runner.finish();
    Ok((sink, summary))
}

/// A price for every calendar day, and on every session a flow large enough for an order: more is created than redeemed.
fn market(definition: &FundDefinition, through: Date) -> Result<Market, Failure> {
    let asset: Symbol = "BTC".parse()?;
    let mut market = Market {
        source: "a walk".to_owned(),
        participant: "First Participant".to_owned(),
        ..Market::default()
    };
    let seed = definition.seed;
    let mut price: strongroom_units::Price = "44162.58".parse()?;
    let (start, mut day, mut step) = (price, seed.date, 0_i128);
    let prices = market.prices.entry(asset).or_default();
    while day <= through {
        prices.insert(day, price);
        step += 1;
        // Between −2.4 % and +2.5 % a day, never the same twice running.
        let moved = 10_000 + (step * 7_919) % 491 - 240;
        let towards_start = if price > start { -3 } else { 3 };
        price = price.try_mul_div(moved + towards_start, 10_000, Rounding::HalfEven)?;
        price = price.round_to(2, Rounding::HalfEven)?;
        if definition.calendar.is_session(day) && day > seed.date {
            let basket: Money = seed.nav_per_share.try_mul_div(40_000, 1, Rounding::HalfEven)?;
            let at_price = basket.try_mul_div(price.units(), start.units(), Rounding::HalfEven)?;
            let tenths = if step % 2 == 0 { 125 } else { -115 };
            market.flows.insert(day, at_price.try_mul_div(tenths, 10, Rounding::HalfEven)?);
        }
        day = day.tomorrow()?;
    }
    Ok(market)
}

/// Bytes by which the process grows for one copy of the state.
fn resident_of_copies(sink: &MemorySink) -> Result<usize, Failure> {
    let before = resident()?;
    let copies = vec![sink.clone(); COPIES];
    let after = resident()?;
    drop(copies);
    Ok(after.saturating_sub(before) / COPIES)
}

/// Resident bytes of this process, as Linux counts them; 0 elsewhere.
fn resident() -> Result<usize, Failure> {
    let Ok(text) = std::fs::read_to_string("/proc/self/status") else { return Ok(0) };
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    let kibibytes: usize = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes * 1_024)
}

fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}
