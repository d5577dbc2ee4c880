//! `strongroom demo`: a bitcoin fund, an ether fund, a basket, a leveraged and an inverse fund and a staked ether fund over some
//! months of a simulated market, in a database of its own.

mod fund;
mod market;
mod page;
mod world;

use crate::context::Global;
use crate::failure::{Exit, Failure};
use crate::print::{self, Align};
use clap::Args;
use fund::Ran;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use strongroom_store::Location;
use strongroom_units::time::Date;
use strongroom_units::{Money, Quantity, Shares, Symbol};
use world::Kind;

/// Runs six funds over a simulated market: participants create and redeem, NAV is struck, fees are paid, a basket follows its
/// index, two funds hold multiples of bitcoin a day, and a staked fund pays its holders.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  strongroom demo --months 12 --seed 42 --out demo")]
pub(crate) struct Demo {
    /// Months of simulated days
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=60))]
    months: u32,
    /// The market and its participants follow from it
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Folder for the database and the report; a new one among the temporary files when absent
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// What a demo ended with, as `--json` prints it.
#[derive(Serialize)]
struct Results {
    simulated: bool,
    seed: u64,
    from: Date,
    to: Date,
    funds: Vec<FundResult>,
    database: PathBuf,
    report: PathBuf,
}

#[derive(Serialize)]
struct FundResult {
    fund: Symbol,
    name: String,
    nav_per_share: Money,
    net_assets: Money,
    shares: Shares,
    /// Coins held, by asset.
    coins: BTreeMap<Symbol, Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rebalances: Option<usize>,
    /// Worth of the position of a fund of derivatives, signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    exposure: Option<Money>,
    orders: usize,
    records: u64,
    total_return: Option<f64>,
    tracking_difference: Option<f64>,
    books_balance: bool,
    reserve_covers: bool,
    replay_is_identical: bool,
}

impl Demo {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        let folder = self.folder()?;
        let database = folder.join("demo.db");
        if database.exists() {
            let message = format!("{} exists; a demo begins with an empty database", database.display());
            return Err(Failure::new("demo.database_must_be_new", message, Exit::Input)
                .hint("Name another folder with --out."));
        }
        if !global.json {
            print::line(format!(
                "Simulated market, seed {}: no price, fund or participant in it is real.",
                self.seed
            ));
        }
        let location = Location::Sqlite(database.clone());
        let mut ran = Vec::new();
        for kind in Kind::ALL {
            ran.push(fund::run(kind, &location, self.months, self.seed)?);
        }
        let report = folder.join("report.html");
        crate::commands::statement::write_text(&report, &page::page(&ran, self.seed)?)?;
        let results = self.results(&ran, database, report)?;
        if global.json { print::json(&results) } else { say(&results) }
    }

    fn folder(&self) -> Result<PathBuf, Failure> {
        let unnamed = || std::env::temp_dir().join(format!("strongroom-demo-{}", std::process::id()));
        let folder = self.out.clone().unwrap_or_else(unnamed);
        std::fs::create_dir_all(&folder).map_err(|error| Failure::file(&folder, &error))?;
        Ok(folder)
    }

    fn results(&self, ran: &[Ran], database: PathBuf, report: PathBuf) -> Result<Results, Failure> {
        let period = ran.first().map(|ran| ran.period).unwrap_or_default();
        let funds = ran.iter().map(result).collect::<Result<Vec<_>, Failure>>()?;
        Ok(Results {
            simulated: true,
            seed: self.seed,
            from: period.0,
            to: period.1,
            funds,
            database,
            report,
        })
    }
}

fn result(ran: &Ran) -> Result<FundResult, Failure> {
    let state = &ran.ended.state;
    let nav = state.last_nav().ok_or(strongroom_engine::Refusal::FundMustBeOpen)?;
    let positions = state.reserve().positions()?;
    let held = positions.iter().filter(|position| !position.held.is_zero());
    let coins = held.map(|position| (position.asset, position.held)).collect();
    Ok(FundResult {
        fund: state.definition().id,
        name: state.definition().name.clone(),
        nav_per_share: nav.published.nav_per_share_published,
        net_assets: nav.current.valuation.net_assets,
        shares: state.outstanding()?,
        coins,
        rebalances: ran.followed.as_ref().map(|_| ran.ended.summary.rebalances.len()),
        exposure: state.position().map(strongroom_engine::Position::notional).transpose()?,
        orders: ran.orders,
        records: ran.records,
        total_return: ran.performance.total_return,
        tracking_difference: ran.performance.tracking_difference,
        books_balance: state.ledger().balances()?,
        reserve_covers: state.reserve().check().is_ok(),
        replay_is_identical: ran.replay_is_identical,
    })
}

/// How much of one coin, or how many coins.
fn coins(fund: &FundResult) -> Result<String, Failure> {
    if let Some(exposure) = fund.exposure {
        return Ok(format!("{} exposure", crate::fact_sheet::short_money(exposure)));
    }
    let mut held = fund.coins.iter();
    match (held.next(), held.next()) {
        (Some((asset, quantity)), None) => Ok(format!("{} {asset}", quantity.to_decimal().to_display(4)?)),
        _ => Ok(format!("{} coins", fund.coins.len())),
    }
}

fn say(results: &Results) -> Result<(), Failure> {
    let yes = |holds: bool| if holds { "yes" } else { "NO" }.to_owned();
    let columns = [
        ("fund", Align::Left),
        ("USD per share", Align::Right),
        ("net assets USD", Align::Right),
        ("shares", Align::Right),
        ("coins held", Align::Right),
        ("orders", Align::Right),
        ("return", Align::Right),
        ("tracking", Align::Right),
    ];
    let rows = results.funds.iter().map(|fund| {
        Ok(vec![
            fund.fund.to_string(),
            crate::commands::money(fund.nav_per_share)?,
            crate::commands::money(fund.net_assets)?,
            crate::commands::shares(fund.shares)?,
            coins(fund)?,
            fund.orders.to_string(),
            crate::fact_sheet::percent(fund.total_return),
            crate::fact_sheet::percent(fund.tracking_difference),
        ])
    });
    let rows = rows.collect::<Result<Vec<_>, Failure>>()?;
    print::line(format!("\n{} to {}\n", results.from, results.to));
    print::line(print::table(&columns, rows));
    let all = |holds: fn(&FundResult) -> bool| yes(results.funds.iter().all(holds));
    let records: u64 = results.funds.iter().map(|fund| fund.records).sum();
    print::line("");
    print::line(print::pairs([
        ("books balance", all(|fund| fund.books_balance)),
        ("reserve covers what is owed", all(|fund| fund.reserve_covers)),
        (
            "log replays to the same bytes",
            format!("{} ({records} records)", all(|fund| fund.replay_is_identical)),
        ),
        ("report", results.report.display().to_string()),
        ("database", results.database.display().to_string()),
    ]));
    print::line(format!(
        "\nLook into it:\n  sqlite3 {} 'select nav_date, nav_per_share, shares from nav'",
        results.database.display()
    ));
    let program = std::env::args().next().unwrap_or_else(|| "strongroom".to_owned());
    print::line(format!("  {program} fund status --database {} --fund SIMBTC", results.database.display()));
    Ok(())
}
