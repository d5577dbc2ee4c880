//! The CSV files of an index: one row each for a level, a weight, a reason, a line of the log. Figures are exact.

use serde::Serialize;
use strongroom_market::index::{ChangeKind, IndexRun};
use strongroom_units::time::Date;
use strongroom_units::{Money, PerShare, Price, Quantity, Rate};

/// One row of `levels.csv`.
#[derive(Serialize)]
pub(super) struct LevelRow {
    date: Date,
    published: Price,
    level: Price,
    value: Price,
    divisor: Price,
    carried: String,
}

pub(super) fn levels(run: &IndexRun) -> Vec<LevelRow> {
    let rows = run.levels.iter().map(|level| LevelRow {
        date: level.date,
        published: level.published,
        level: level.level,
        value: level.value,
        divisor: level.divisor.value(),
        carried: level
            .carried
            .iter()
            .map(|(asset, from)| format!("{asset}@{from}"))
            .collect::<Vec<_>>()
            .join(" "),
    });
    rows.collect()
}

/// One row of `weights.csv`: a member after a change.
#[derive(Serialize)]
pub(super) struct WeightRow<'a> {
    date: Date,
    kind: ChangeKind,
    announced: Date,
    snapshot: Date,
    asset: &'a str,
    rank: Option<u32>,
    weight: Rate,
    natural_weight: Rate,
    price: Price,
    price_date: Date,
    market_cap: Money,
    quantity: Quantity,
    per_index_point: PerShare,
}

pub(super) fn weights(run: &IndexRun) -> Vec<WeightRow<'_>> {
    let rows = run.reconstitutions.iter().flat_map(|change| {
        change.members.iter().map(|member| WeightRow {
            date: change.date,
            kind: change.kind,
            announced: change.announced,
            snapshot: change.snapshot,
            asset: member.asset.as_str(),
            rank: member.rank,
            weight: member.weight,
            natural_weight: member.natural_weight,
            price: member.price,
            price_date: member.price_date,
            market_cap: member.market_cap,
            quantity: member.quantity,
            per_index_point: member.per_index_point,
        })
    });
    rows.collect()
}

/// One row of `reasons.csv`: a coin that is in, or is not.
#[derive(Serialize)]
pub(super) struct ReasonRow<'a> {
    date: Date,
    kind: ChangeKind,
    asset: &'a str,
    is: &'static str,
    was_member: Option<bool>,
    rank: Option<u32>,
    market_cap: Money,
    why: String,
    why_weight: String,
}

pub(super) fn reasons(run: &IndexRun) -> Vec<ReasonRow<'_>> {
    let mut rows = Vec::new();
    for change in &run.reconstitutions {
        rows.extend(change.members.iter().map(|member| ReasonRow {
            date: change.date,
            kind: change.kind,
            asset: member.asset.as_str(),
            is: "in",
            was_member: None,
            rank: member.rank,
            market_cap: member.market_cap,
            why: member.why_in.to_string(),
            why_weight: member.why_weight.to_string(),
        }));
        rows.extend(change.out.iter().map(|out| ReasonRow {
            date: change.date,
            kind: change.kind,
            asset: out.asset.as_str(),
            is: "out",
            was_member: Some(out.was_member),
            rank: out.rank,
            market_cap: out.market_cap,
            why: out.reason.to_string(),
            why_weight: String::new(),
        }));
    }
    rows
}

/// One row of `log.csv`.
#[derive(Serialize)]
pub(super) struct LogRow {
    date: Date,
    what: String,
}

pub(super) fn log(run: &IndexRun) -> Vec<LogRow> {
    run.log.iter().map(|(date, logged)| LogRow { date: *date, what: logged.to_string() }).collect()
}
