//! A leveraged fund over ten years of sessions: daily reset, funding every eight hours, in memory through the engine.
//! `bench/leverage_peers.sh` sets vectorbt and a loop beside it, on the market that is written here.

use crate::report::{Report, Table, figure};
use crate::statistics::{median, range};
use crate::{Failure, Plan};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;
use strongroom_backtest::{Agenda, CommandSink, Market, MemorySink, Runner, Summary};
use strongroom_fund::FundDefinition;
use strongroom_units::time::{Date, Time, Timestamp, Zone};
use strongroom_units::{Price, Rate, Rounding, Symbol};

const SHIPPED: &str = include_str!("../../funds/bitcoin-2x.toml");
const THROUGH: &str = "2032-11-05";

/// What the peers' script reads: the market as our fund lived it, and what came of it.
#[derive(Serialize)]
struct Ours {
    one_s: f64,
    dates: Vec<Date>,
    prices: Vec<Price>,
    /// Funding rates of the time from the session before, in order.
    funding: Vec<Vec<Rate>>,
    /// NAV per share at the end over that at the start; without fee and yield, which the peers do not have.
    growth: f64,
    cost_bps: u32,
}

pub fn measure(plan: &Plan, out: Option<&Path>, report: &mut Report) -> Result<(), Failure> {
    let shipped = FundDefinition::parse(SHIPPED)?;
    let through: Date = THROUGH.parse()?;
    let market = market(&shipped, through)?;
    let agenda = Agenda::try_new(&shipped, shipped.seed.date, through)?;
    let (_, summary) = run(SHIPPED, &shipped, &market, &agenda)?;
    let times = timed(plan, || run(SHIPPED, &shipped, &market, &agenda).map(drop))?;
    let (lowest, highest) = range(&times);
    let mut table =
        Table::new("Ten years of a fund of twice the index, in memory", &["what", "figure", "unit", "goal"]);
    let mut row = |what: &str, value: f64, unit: &str, goal: &str| {
        table.row([what.to_owned(), figure(value), unit.to_owned(), goal.to_owned()]);
    };
    row("sessions struck", summary.strikes as f64, "", "");
    row("funding rates", market.funding.len() as f64, "", "");
    row("commands", summary.commands as f64, "", "");
    row("time, median", median(&times), "ms", "< 50");
    row("time, lowest", lowest, "ms", "");
    row("time, highest", highest, "ms", "");
    row("time of a command", median(&times) * 1e3 / summary.commands as f64, "µs", "");
    report.add(table);
    if let Some(out) = out {
        std::fs::write(out, serde_json::to_string(&beside(plan, &market, through)?)?)?;
    }
    Ok(())
}

fn timed(plan: &Plan, mut work: impl FnMut() -> Result<(), Failure>) -> Result<Vec<f64>, Failure> {
    let rounds = plan.rounds.max(3) * 3;
    let one = |_| {
        let start = Instant::now();
        work()?;
        Ok(start.elapsed().as_secs_f64() * 1e3)
    };
    (0..rounds).map(one).collect()
}

fn run(
    text: &str,
    definition: &FundDefinition,
    market: &Market,
    agenda: &Agenda,
) -> Result<(MemorySink, Summary), Failure> {
    let mut sink = MemorySink::default();
    let mut runner = Runner::open(&mut sink, market, definition, text)?;
    runner.run(agenda, |_| ())?;
    let summary = runner.finish();
    Ok((sink, summary))
}

/// The same fund without fee and yield, a thousand million dollars large so that a contract is nothing.
fn beside(plan: &Plan, market: &Market, through: Date) -> Result<Ours, Failure> {
    let text = SHIPPED
        .replace("annual = \"0.0185\"", "annual = \"0\"")
        .replace("annual = \"0.04\"", "annual = \"0\"");
    let text = text.replace("shares = 400_000", "shares = 40_000_000");
    let definition = FundDefinition::parse(&text)?;
    let agenda = Agenda::try_new(&definition, definition.seed.date, through)?;
    let (sink, _) = run(&text, &definition, market, &agenda)?;
    let times = timed(plan, || run(&text, &definition, market, &agenda).map(drop))?;
    let state = sink.state().ok_or("the fund is not open")?;
    let navs = state.navs();
    let per_share = |place: usize| {
        navs.get(place).map(|nav| nav.current.nav_per_share.to_decimal().to_f64()).ok_or("no NAV")
    };
    let closes = market.prices.values().next().ok_or("no prices")?;
    let mut ours = Ours {
        one_s: median(&times) / 1e3,
        dates: navs.iter().map(|nav| nav.date).collect(),
        prices: Vec::new(),
        funding: Vec::new(),
        growth: per_share(navs.len() - 1)? / per_share(0)?,
        cost_bps: 2,
    };
    // A rate is paid on what was held when it fell due: by the strike's own minute it is the day's.
    let mut since = definition.strike.instant(definition.seed.date)?;
    for nav in navs {
        ours.prices.push(*closes.get(&nav.date).ok_or("no price")?);
        let until = definition.strike.instant(nav.date)?;
        let due = market.funding.iter().filter(|(at, _)| since < **at && **at <= until);
        ours.funding.push(due.map(|(_, rate)| *rate).collect());
        since = until;
    }
    Ok(ours)
}

/// A price for every calendar day, and a funding rate every eight hours, by a rule.
fn market(definition: &FundDefinition, through: Date) -> Result<Market, Failure> {
    let asset: Symbol = "BTC".parse()?;
    let mut market =
        Market { source: "a walk".to_owned(), funding_source: "a walk".to_owned(), ..Market::default() };
    let mut price: Price = "20000".parse()?;
    let (start, mut day, mut step) = (price, definition.seed.date, 0_i128);
    let mut prices = BTreeMap::new();
    while day <= through {
        prices.insert(day, price);
        for hour in [0, 8, 16] {
            step += 1;
            let at: Timestamp = Zone::Utc.instant(day, Time::constant(hour, 0, 0, 0))?;
            market.funding.insert(at, Rate::from_units(((step * 7_919) % 41 - 12) * 10i128.pow(13)));
        }
        // Between −2.4 % and +2.5 % a day, never the same twice running.
        let towards_start = if price > start { -3 } else { 9 };
        let moved = 10_000 + (step * 7_919) % 491 - 240 + towards_start;
        price = price.try_mul_div(moved, 10_000, Rounding::HalfEven)?.round_to(2, Rounding::HalfEven)?;
        day = day.tomorrow()?;
    }
    market.prices.insert(asset, prices);
    Ok(market)
}
