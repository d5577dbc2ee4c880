//! A distribution over very many holders of record: computed in process, and made durable part by part beside the same rows
//! written by SQLite alone.

use crate::raw::per_second;
use crate::report::{Report, Table, figure};
use crate::{Failure, Plan};
use rusqlite::{Connection, params};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;
use strongroom_desk::{Cause, Desk, Request};
use strongroom_engine::{
    Command, DistributionCommand, DistributionSource, Holder, NewDistribution, OrderId, PriceRow,
    RegisterPart, RewardSource, StakingCommand,
};
use strongroom_fund::distribution::{Payout, Tally};
use strongroom_store::Location;
use strongroom_units::time::{Time, Timestamp, Zone};
use strongroom_units::{Quantity, Scale, Shares, Symbol};

const DEFINITION: &str = include_str!("../../funds/ether-staking.toml");
const PER_SHARE: &str = "0.000316";
/// Holders in one durable part.
const PART: usize = 10_000;

/// Shares of a holder: two hundred and a little more or less, all together `total`, which is 200 for each.
fn shares_of(index: usize, holders: usize) -> i64 {
    // Pairs of neighbours have 400 together; one that is left over has 200.
    let wave = i64::try_from(index / 2 % 97).unwrap_or(0) + 1;
    match index {
        _ if index + 1 == holders && index.is_multiple_of(2) => 200,
        _ if index.is_multiple_of(2) => 200 + wave,
        _ => 200 - wave,
    }
}

pub fn measure(plan: &Plan, holders: usize, report: &mut Report) -> Result<(), Failure> {
    let total = i64::try_from(holders)? * 200;
    computed(plan, holders, total, report)?;
    durable(plan, holders, total, report)
}

/// The register held in memory with its ids, every part and the sums.
fn computed(plan: &Plan, holders: usize, total: i64, report: &mut Report) -> Result<(), Failure> {
    let register: Vec<(String, i64)> =
        (0..holders).map(|index| (format!("H{index:09}"), shares_of(index, holders))).collect();
    let payout = Payout::cash(PER_SHARE.parse()?)?;
    let mut seconds = Vec::new();
    for _ in 0..plan.rounds {
        let start = Instant::now();
        let mut tally = Tally::new(payout);
        let mut parts: Vec<Quantity> = Vec::with_capacity(register.len());
        for (_, shares) in &register {
            parts.push(tally.add(Shares::new(*shares))?);
        }
        seconds.push(start.elapsed().as_secs_f64());
        let fractions = payout.fractions(tally.shares(), tally.parts())?;
        let sum =
            Quantity::try_from_decimal(tally.parts().to_decimal(), fractions.scale())?.try_add(fractions)?;
        if sum != payout.total(Shares::new(total))? || parts.len() != holders {
            return Err("the parts do not tie to the total".into());
        }
    }
    let columns = ["holders", "seconds", "holders a second", "peak memory, MiB"];
    let mut table = Table::new("A distribution computed in process, tied to its total", &columns);
    let median = crate::statistics::median(&seconds);
    table.row([holders.to_string(), figure(median), figure(holders as f64 / median), peak_mib()?]);
    report.add(table);
    Ok(())
}

/// The most memory that this process has had, as Linux says.
fn peak_mib() -> Result<String, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok((kib / 1_024).to_string())
}

fn durable(plan: &Plan, holders: usize, total: i64, report: &mut Report) -> Result<(), Failure> {
    let folder = plan.fresh_folder()?;
    let mut desk = gone_ex(&folder.path().join("fund.db"), total)?;
    let at = new_york("2023-01-09", 9)?;
    let parts = holders.div_ceil(PART);
    let start = Instant::now();
    for part in 1..=parts {
        // An interruption half way: another process opens the file, and is told what is recorded already.
        if part == parts / 2 + 1 && parts > 1 {
            drop(desk);
            desk = Desk::open(&Location::Sqlite(folder.path().join("fund.db")))?;
            give(&mut desk, register(part - 1, parts, holders)?, at)?;
        }
        give(&mut desk, register(part, parts, holders)?, at)?;
    }
    let ours = per_second(holders, start.elapsed());
    let known = desk.last_seen(fund()?).and_then(|state| state.distribution(&id().ok()?).cloned());
    let known = known.ok_or("no distribution")?;
    if !known.register.is_whole || known.register.shares != Shares::new(total) {
        return Err("the register does not tie to the shares outstanding".into());
    }
    drop(desk);
    let raw_folder = plan.fresh_folder()?;
    let raw = raw(raw_folder.path(), holders)?;
    let columns = ["how", "holders a second", "seconds", "x raw SQLite", "peak memory, MiB"];
    let mut table = Table::new(format!("{holders} holders made durable in parts of {PART}"), &columns);
    let seconds = |rate: f64| figure(holders as f64 / rate);
    table.row(["raw SQLite, the rows alone".into(), figure(raw), seconds(raw), "1.00".into(), String::new()]);
    let ratio = figure(ours / raw);
    table.row([
        "desk: log, register, rows; once interrupted".into(),
        figure(ours),
        seconds(ours),
        ratio,
        peak_mib()?,
    ]);
    report.add(table);
    Ok(())
}

/// The rows of the register alone, in transactions of the same size.
fn raw(path: &Path, holders: usize) -> Result<f64, Failure> {
    let path = path.join("raw.db");
    drop(Desk::open(&Location::Sqlite(path.clone()))?);
    let mut connection = Connection::open(path)?;
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "full")?;
    let payout = Payout::cash(PER_SHARE.parse()?)?;
    let start = Instant::now();
    for first in (0..holders).step_by(PART) {
        let transaction = connection.transaction()?;
        for index in first..(first + PART).min(holders) {
            let shares = shares_of(index, holders);
            let amount = payout.part(Shares::new(shares))?.to_string();
            transaction
                .prepare_cached("INSERT INTO distribution_holders VALUES ('ETHS', ?, ?, 'q', ?, ?, 'yes')")?
                .execute(params![i64::try_from(first / PART)?, format!("H{index:09}"), shares, amount])?;
        }
        transaction.commit()?;
    }
    Ok(per_second(holders, start.elapsed()))
}

fn register(part: usize, parts: usize, holders: usize) -> Result<Command, Failure> {
    let first = (part - 1) * PART;
    let lines = (first..(first + PART).min(holders)).map(|index| Holder {
        holder: format!("H{index:09}"),
        shares: Shares::new(shares_of(index, holders)),
        is_unreachable: false,
    });
    let (number, is_last) = (u32::try_from(part)?, part == parts);
    let register = RegisterPart { id: id()?, part: number, is_last, holders: lines.collect() };
    Ok(Command::Distribution(DistributionCommand::ImportRegister(register)))
}

fn fund() -> Result<Symbol, Failure> {
    Ok("ETHS".parse()?)
}

fn id() -> Result<OrderId, Failure> {
    Ok(OrderId::try_new("q")?)
}

fn new_york(date: &str, hour: i8) -> Result<Timestamp, Failure> {
    Ok(Zone::NewYork.instant(date.parse()?, Time::constant(hour, 30, 0, 0))?)
}

fn give(desk: &mut Desk, command: Command, at: Timestamp) -> Result<(), Failure> {
    desk.command(Request { fund: fund()?, command, at, cause: Cause::actor("os:bench") })?;
    Ok(())
}

/// The staking fund with so many shares, a day after its distribution went ex.
fn gone_ex(path: &Path, total: i64) -> Result<Desk, Failure> {
    let mut desk = Desk::open(&Location::Sqlite(path.to_owned()))?;
    let eth: Symbol = "ETH".parse()?;
    let definition = DEFINITION.replace("shares = 400_000", &format!("shares = {total}"));
    let seed_prices = BTreeMap::from([(eth, "1000".parse()?)]);
    let open = Command::OpenFund { definition, seed_prices, weights: BTreeMap::new() };
    give(&mut desk, open, new_york("2023-01-03", 16)?)?;
    for (index, day) in ["2023-01-04", "2023-01-05", "2023-01-06"].iter().enumerate() {
        let at = new_york(day, 16)?;
        let rows = vec![PriceRow { date: day.parse()?, price: format!("1000.0{index}").parse()? }];
        give(&mut desk, Command::ImportPrices { asset: eth, source: "bench".into(), rows }, at)?;
        give(&mut desk, Command::StrikeNav { date: day.parse()?, accept: None }, at)?;
        if index == 0 {
            let gross = Quantity::parse(&(total / 1_000_000 + 1).to_string(), Scale::try_new(18)?)?;
            let (through, source) = (day.parse()?, RewardSource::Staking);
            give(&mut desk, Command::Staking(StakingCommand::RecordReward { through, gross, source }), at)?;
            let declare = DistributionCommand::Declare(NewDistribution {
                id: id()?,
                source: DistributionSource::StakingRewards,
                asset: None,
                per_share: PER_SHARE.parse()?,
                record_date: "2023-01-06".parse()?,
                pay_date: "2023-01-10".parse()?,
                memo: "rewards".into(),
            });
            give(&mut desk, Command::Distribution(declare), at)?;
        }
    }
    Ok(desk)
}
