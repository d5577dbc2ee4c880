//! What a basket's backtest shows of following its index: on the terminal, in files, and on the page.

use super::basket::{Basket, Followed, Rebalanced, WeightRow, effective, weights, within};
use super::{Ended, risk};
use crate::commands::money;
use crate::commands::statement::write_csv;
use crate::fact_sheet::percent;
use crate::failure::Failure;
use crate::print;
use std::collections::BTreeMap;
use std::path::Path;
use strongroom_engine::Change;
use strongroom_report::{Chart, Emphasis, Mark, Section, Table, Unit};
use strongroom_units::Symbol;
use strongroom_units::time::Date;

/// Prints what following the index came to.
pub(super) fn say(basket: &Basket) -> Result<(), Failure> {
    print::line(format!("\nFollowing {}", basket.index));
    print::line(print::pairs(rows(basket)?));
    Ok(())
}

fn rows(basket: &Basket) -> Result<Vec<(&'static str, String)>, Failure> {
    let mut rows = vec![
        ("struck", basket.struck.to_owned()),
        ("index formed", format!("{} times, {} replacements", basket.formed, basket.replacements)),
        ("rebalances", basket.rebalances.to_string()),
        ("turnover", percent(Some(basket.turnover))),
        ("cost of rebalances", format!("{} USD", money(basket.cost)?)),
        ("effective number of assets", format!("{:.2}", basket.effective_assets)),
    ];
    if let Some(tracking) = &basket.tracking {
        let exact = |fraction: f64| format!("{:.4} %", 100.0 * fraction);
        rows.extend([
            ("growth of NAV", exact(tracking.fund)),
            ("growth of the index", exact(tracking.index)),
            ("of it: sponsor fee", exact(tracking.fee)),
            ("of it: cost of rebalances", exact(tracking.cost)),
            ("of it: changes on a later session", exact(tracking.later_sessions)),
            ("of it: the rest", exact(tracking.rest)),
        ]);
    }
    Ok(rows)
}

/// Writes `rebalances.csv`, `weights.csv`, `contributions.csv`, `correlations.csv` and `falls.csv`.
pub(super) fn write(out: &Path, basket: &Basket, ended: &Ended, period: (Date, Date)) -> Result<(), Failure> {
    let rebalances = within(&ended.summary.rebalances, period);
    write_csv(
        &out.join("rebalances.csv"),
        &rebalances.into_iter().map(Rebalanced::from).collect::<Vec<_>>(),
    )?;
    write_csv(&out.join("weights.csv"), &weights(&ended.state, period)?)?;
    write_csv(&out.join("contributions.csv"), &basket.contributions)?;
    write_csv(&out.join("correlations.csv"), &basket.correlations)?;
    write_csv(&out.join("falls.csv"), &basket.falls)
}

/// The sections about the basket, in reading order.
pub(crate) fn sections(
    basket: &Basket,
    followed: &Followed,
    ended: &Ended,
    period: (Date, Date),
) -> Result<Vec<Section>, Failure> {
    let weights = weights(&ended.state, period)?;
    Ok(vec![
        following(basket)?,
        over_time(&weights),
        contributions(basket)?,
        risk::section(&ended.state, period, &basket.correlations, &basket.falls)?,
        changes(followed, ended, period)?,
    ])
}

fn following(basket: &Basket) -> Result<Section, Failure> {
    let mut table = Table::new("Fund and index over the period").left("figure").right("value");
    for (name, value) in rows(basket)? {
        table.push(Emphasis::None, [name.to_owned(), value]);
    }
    Ok(Section::new("Following the index").table(table).note(
        "(1 + growth of NAV) is (1 + growth of the index) times one plus each of the four lines below it. An index changes on any \
         day of the year and a fund on sessions; unpaid fee stays invested until coins are sold for it.",
    ))
}

fn over_time(weights: &[WeightRow]) -> Section {
    let mut by_asset: BTreeMap<Symbol, Vec<(Date, f64)>> = BTreeMap::new();
    let mut by_date: BTreeMap<Date, Vec<&WeightRow>> = BTreeMap::new();
    for row in weights {
        by_asset.entry(row.asset).or_default().push((row.date, row.weight));
        by_date.entry(row.date).or_default().push(row);
    }
    let strikes: Vec<Date> = by_date.keys().copied().collect();
    let effective = by_date.into_iter().map(|(date, rows)| (date, effective(rows.into_iter())));
    let number = Chart::new("Effective number of assets", Mark::Line, Unit::Number { decimals: 2 })
        .series("1 ÷ Σ weight²", effective)
        .description("So many coins of equal weight would be as concentrated.");
    let mut heaviest: Vec<_> = by_asset.into_iter().collect();
    heaviest.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then(a.0.cmp(&b.0)));
    let section = heaviest.into_iter().fold(Section::new("Weights"), |section, (asset, held)| {
        // A strike without the coin is a weight of nothing, not a gap to draw a line across.
        let held: BTreeMap<Date, f64> = held.into_iter().collect();
        let points = strikes.iter().map(|date| (*date, held.get(date).copied().unwrap_or(0.0)));
        let chart = Chart::new(format!("Weight of {asset}"), Mark::Area, Unit::Percent { decimals: 1 })
            .series(asset.to_string(), points)
            .description("Of everything held at each strike, before that day's rebalance; nothing where it was not held.");
        section.chart(chart)
    });
    section.chart(number)
}

fn contributions(basket: &Basket) -> Result<Section, Failure> {
    let mut table = Table::new("What each asset brought")
        .left("asset")
        .right("gain, USD")
        .right("strikes held")
        .right("largest weight");
    for row in &basket.contributions {
        let cells = [
            row.asset.to_string(),
            money(row.gain)?,
            row.sessions_held.to_string(),
            percent(Some(row.largest_weight)),
        ];
        table.push(Emphasis::None, cells);
    }
    Ok(Section::new("Contribution by asset").table(table).note(
        "Realised gain and change in unrealised, as in the roll-forwards: before fee and cost of rebalances.",
    ))
}

fn changes(followed: &Followed, ended: &Ended, period: (Date, Date)) -> Result<Section, Failure> {
    let mut table = Table::new("Every rebalance")
        .left("session")
        .left("index changed")
        .right("sold")
        .right("bought")
        .right("cost")
        .right("turnover");
    for row in within(&ended.summary.rebalances, period) {
        let of = Rebalanced::from(row);
        let cells = [
            row.date.to_string(),
            row.effective.to_string(),
            money(row.sold)?,
            money(row.bought)?,
            money(row.cost)?,
            percent(Some(of.turnover)),
        ];
        table.push(Emphasis::None, cells);
    }
    let mut happened =
        Table::new("What happened to assets, without a trade").left("date").left("asset").left("");
    for change in ended.state.asset_changes() {
        happened
            .push(Emphasis::None, [change.date.to_string(), change.asset.to_string(), told(&change.change)]);
    }
    let mut log = Table::new("What the index logged").left("date").left("");
    for (date, logged) in &followed.run.log {
        log.push(Emphasis::None, [date.to_string(), logged.to_string()]);
    }
    let section = Section::new("Rebalances").table(table);
    let section = if happened.rows.is_empty() { section } else { section.table(happened) };
    Ok(section.table(log))
}

fn told(change: &Change) -> String {
    match change {
        Change::Migration { into, units } => format!("became {into}, {units} for each"),
        Change::WriteOff => "written off: worth nothing".to_owned(),
        Change::Gift { what, value, sold: true } => {
            format!("{what}, {value} USD a coin, was given, sold and reinvested")
        }
        Change::Gift { what, value, sold: false } => {
            format!("{what}, {value} USD a coin, was given and left")
        }
    }
}
