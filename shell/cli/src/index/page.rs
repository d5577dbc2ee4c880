//! The page of an index: its level, its members over time, and the reasons of every change.

use super::{Made, figures, formed, levels_are, moves, points, replacements, share};
use crate::fact_sheet::percent;
use crate::failure::Failure;
use std::collections::BTreeSet;
use strongroom_market::index::{
    AssetId, CapEffect, Frequency, IndexRun, Member, Out, OutReason, Reconstitution,
};
use strongroom_report::{Chart, Emphasis, Figure, Mark, Page, Section, Table, Unit, render};
use strongroom_units::time::Date;
use strongroom_units::{Money, Rate};

/// Mean weight from which a coin is drawn in the first picture of weights; the others share a line there and have a
/// picture of their own, where they are not flattened by the heavy ones.
const HEAVY: f64 = 0.1;
/// Coins drawn by name in each picture.
const DRAWN_MAX: usize = 5;
/// Ranked coins that are shown below the last member.
const BELOW_MAX: usize = 3;

pub(super) fn page(made: &Made) -> Result<String, Failure> {
    let run = &made.run;
    let subtitle = format!("Basket index {} · {} to {} · closes at 24:00 UTC", run.id, run.from, run.to);
    let mut page = Page::new(&run.name, subtitle).info(format!("{}.", made.index.source));
    if run.levels_are == Frequency::SnapshotsOnly {
        page = page.warning(
            "There is a level for each snapshot and none between: these coins have no daily prices in the market files. \
             A line between two levels is no path that the index has taken.",
        );
    }
    for theme in &made.index.theme {
        page = page.warning(format!("Hindsight in theme {}: {}", theme.id, theme.hindsight));
    }
    page = page.section(glance(run)?).section(levels(run)).section(members(run)?).section(changes(run)?);
    for change in &run.reconstitutions {
        page = page.section(reasons(change)?);
    }
    page = page.section(divisors(run)?).section(inputs(made));
    Ok(render(&page))
}

fn glance(run: &IndexRun) -> Result<Section, Failure> {
    let series = figures(run)?;
    let mut tiles = Vec::new();
    if let (Some(first), Some(last)) = (run.levels.first(), run.levels.last()) {
        let from = format!("from {} on {}", points(first.published)?, unbroken(first.date));
        tiles.push(
            Figure::new("Level", points(last.published)?).detail(format!("on {}", unbroken(last.date))),
        );
        tiles.push(Figure::new("Return", percent(series.total_return().ok())).detail(from));
    }
    tiles.push(Figure::new("A year", percent(series.compound_annual_growth().ok())).detail("compound"));
    if let Some(fall) = series.max_drawdown() {
        let between = format!("{} to {}", unbroken(fall.peak), unbroken(fall.trough));
        tiles.push(Figure::new("Deepest fall", percent(Some(fall.depth))).detail(between));
    }
    let times = format!("{} times", formed(run).count());
    tiles.push(Figure::new("Formed", times).detail(format!("{} coins replaced", replacements(run))));
    Ok(Section::new("At a glance").figures(tiles).note(format!("Levels: {}.", levels_are(run))))
}

/// A date that is not broken at the end of a line.
fn unbroken(date: Date) -> String {
    date.to_string().replace('-', "\u{2011}")
}

fn levels(run: &IndexRun) -> Section {
    let values: Vec<_> =
        run.levels.iter().map(|level| (level.date, level.level.to_decimal().to_f64())).collect();
    let decline = values.iter().scan(0.0f64, |peak, (date, level)| {
        *peak = peak.max(*level);
        Some((*date, level / *peak - 1.0))
    });
    let level = Chart::new("Level", Mark::Line, Unit::Number { decimals: 2 })
        .series(run.id.as_str(), values.iter().copied())
        .description(
            "The value of the basket over its divisor. Changes of members and weights do not move it.",
        );
    let decline = Chart::new("Decline from the last peak", Mark::Area, Unit::Percent { decimals: 1 })
        .series("decline", decline)
        .description("How far the level is below the highest before it.");
    Section::new("Level").chart(level).chart(decline)
}

fn members(run: &IndexRun) -> Result<Section, Failure> {
    let drawn = by_mean_weight(run);
    let (mut heavy, mut light): (Vec<_>, Vec<_>) =
        drawn.iter().partition(|asset| mean_weight(run, asset) >= HEAVY);
    heavy.truncate(DRAWN_MAX);
    light.truncate(DRAWN_MAX);
    let said = "Zero while a coin is no member. Between changes weights float with prices.";
    let mut chart = weights_of(run, "Weights after each change", &heavy).description(said);
    if heavy.len() < drawn.len() {
        let others = run.reconstitutions.iter().map(|change| {
            let named: f64 = heavy.iter().map(|asset| fraction(weight_of(change, asset))).sum();
            (change.date, (1.0 - named).max(0.0))
        });
        chart = chart.series("all others", others);
    }
    let mut table = Table::new("Weights in per cent after each change").left("date");
    for asset in &drawn {
        table = table.right(asset.as_str());
    }
    for change in &run.reconstitutions {
        let mut cells = vec![change.date.to_string()];
        for asset in &drawn {
            cells.push(weight_of(change, asset).map_or(Ok(String::new()), share)?);
        }
        table.push(Emphasis::None, cells);
    }
    let mut section = Section::new("Members and weights").chart(chart);
    if !light.is_empty() {
        let said = "The same, on a scale of their own: the heaviest of the members below a tenth on average.";
        section = section.chart(weights_of(run, "Weights of the lighter members", &light).description(said));
    }
    Ok(section.table(table))
}

fn weights_of(run: &IndexRun, title: &str, assets: &[&AssetId]) -> Chart {
    let chart = Chart::new(title, Mark::Line, Unit::Percent { decimals: 1 });
    assets.iter().fold(chart, |chart, asset| {
        let weights =
            run.reconstitutions.iter().map(|change| (change.date, fraction(weight_of(change, asset))));
        chart.series(asset.as_str(), weights)
    })
}

/// Over all changes, also those at which it was no member.
fn mean_weight(run: &IndexRun, asset: &AssetId) -> f64 {
    let sum: f64 = run.reconstitutions.iter().map(|change| fraction(weight_of(change, asset))).sum();
    sum / run.reconstitutions.len().max(1) as f64
}

fn weight_of(change: &Reconstitution, asset: &AssetId) -> Option<Rate> {
    change.members.iter().find(|member| member.asset == *asset).map(|member| member.weight)
}

fn fraction(weight: Option<Rate>) -> f64 {
    weight.map_or(0.0, |weight| weight.to_decimal().to_f64())
}

/// Everybody who was ever a member, the heaviest on average first.
fn by_mean_weight(run: &IndexRun) -> Vec<AssetId> {
    let members = run.reconstitutions.iter().flat_map(|change| &change.members);
    let all: BTreeSet<&AssetId> = members.map(|member| &member.asset).collect();
    let mut order: Vec<_> = all.into_iter().map(|asset| (mean_weight(run, asset), asset.clone())).collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0));
    order.into_iter().map(|(_, asset)| asset).collect()
}

fn changes(run: &IndexRun) -> Result<Section, Failure> {
    let mut table = Table::new("Who came and who went").left("date").left("in").left("out");
    let mut before: Option<&Reconstitution> = None;
    for change in formed(run) {
        if let Some(before) = before {
            let (came, went) = moves(before, change);
            if !came.is_empty() || !went.is_empty() {
                table.push(Emphasis::None, [change.date.to_string(), came.join(", "), went.join(", ")]);
            }
        }
        before = Some(change);
    }
    let nobody = table.rows.is_empty();
    let mut section = Section::new("Changes");
    section = if nobody { section.note("Nobody came or went.") } else { section.table(table) };
    if run.log.is_empty() {
        return Ok(section.note("Nothing had to be replaced, left out or carried."));
    }
    let mut log = Table::new("Replaced, left out, carried, jumped, happened").left("date").left("what");
    for (date, logged) in &run.log {
        log.push(Emphasis::None, [date.to_string(), logged.to_string()]);
    }
    section = section.table(log);
    Ok(section)
}

/// One change: members and why, and those that a reader would ask about.
fn reasons(change: &Reconstitution) -> Result<Section, Failure> {
    let by = change.members.first().map_or("", |member| member.why_weight.by);
    let lead = format!(
        "Determined {} from the snapshot of {}, effective from the close of {}. Weights: {by}.",
        unbroken(change.announced),
        unbroken(change.snapshot),
        unbroken(change.date)
    );
    let caption = if change.kind.chooses() { "Why in, why out" } else { "The same members, weighed anew" };
    let mut table = Table::new(caption)
        .left("coin")
        .right("rank")
        .right("market cap")
        .right("before the cap, %")
        .right("weight, %")
        .left("why in or out")
        .left("why this weight");
    for member in &change.members {
        table.push(Emphasis::Good, member_cells(member)?);
    }
    for out in asked_about(change) {
        table.push(if out.was_member { Emphasis::Bad } else { Emphasis::None }, out_cells(out));
    }
    let mut section = Section::new(format!("{} {}", change.date, change.kind)).lead(lead).table(table);
    for logged in &change.log {
        section = section.note(format!("{logged}."));
    }
    Ok(section)
}

fn member_cells(member: &Member) -> Result<Vec<String>, Failure> {
    let why_weight = match member.why_weight.cap {
        CapEffect::None => "its share",
        CapEffect::Capped => "held at the cap",
        CapEffect::Raised => "its share, raised by what the cap took from others",
    };
    Ok(vec![
        member.asset.to_string(),
        rank(member.rank),
        billions(member.market_cap),
        share(member.natural_weight)?,
        share(member.weight)?,
        format!("in: {}", member.why_in),
        why_weight.to_owned(),
    ])
}

fn out_cells(out: &Out) -> Vec<String> {
    let left = if out.was_member { "leaves" } else { "out" };
    vec![
        out.asset.to_string(),
        rank(out.rank),
        billions(out.market_cap),
        String::new(),
        String::new(),
        format!("{left}: {}", out.reason),
        String::new(),
    ]
}

/// Who leaves, who is larger than the smallest member, who is unpriced or missing, and the next few ranks.
fn asked_about(change: &Reconstitution) -> impl Iterator<Item = &Out> {
    let smallest = change.members.iter().map(|member| member.market_cap).min().unwrap_or(Money::ZERO);
    let mut below = BELOW_MAX;
    change.out.iter().filter(move |out| {
        let is_of_no_theme = out.reason == OutReason::NotInTheme;
        let is_missing = matches!(out.reason, OutReason::Unpriced { .. } | OutReason::NotInSnapshot);
        if out.was_member || is_missing || (out.market_cap > smallest && !is_of_no_theme) {
            return true;
        }
        let is_next = out.rank.is_some() && below > 0;
        below -= usize::from(is_next);
        is_next
    })
}

fn rank(rank: Option<u32>) -> String {
    rank.map_or_else(|| "–".to_owned(), |rank| rank.to_string())
}

fn billions(amount: Money) -> String {
    crate::fact_sheet::short_money(amount)
}

fn divisors(run: &IndexRun) -> Result<Section, Failure> {
    let mut table = Table::new("Every change of the divisor, at one set of prices")
        .left("date")
        .left("because of")
        .right("value before")
        .right("value after")
        .right("divisor after")
        .right("level before")
        .right("level after");
    for change in &run.divisor_changes {
        let whole = |value: strongroom_units::Price| value.to_decimal().to_display(0);
        table.push(
            Emphasis::None,
            [
                change.date.to_string(),
                change.cause.clone(),
                whole(change.value_before)?,
                whole(change.value_after)?,
                change.divisor_after.value().to_decimal().to_display(2)?,
                change.level_before.to_decimal().to_display(10)?,
                change.level_after.to_decimal().to_display(10)?,
            ],
        );
    }
    Ok(Section::new("Divisor")
        .lead("Divisor after = divisor before × value after ÷ value before, half even at eighteen decimals: the level is the same on both sides.")
        .table(table))
}

fn inputs(made: &Made) -> Section {
    let mut table = Table::new("What was read").left("file").left("what was taken");
    for (file, what) in &made.sources {
        table.push(Emphasis::None, [file.as_str(), what.as_str()]);
    }
    let rules = made.index.versions().iter().map(|version| (version.effective, version));
    let mut rows = Table::new("Rules").left("effective").left("rule").left("value");
    for (effective, version) in rules {
        for (name, value) in rule_rows(version) {
            rows.push(Emphasis::None, [date(effective), name.to_owned(), value]);
        }
    }
    Section::new("Rules and inputs").table(rows).table(table)
}

fn date(date: Date) -> String {
    date.to_string()
}

fn rule_rows(version: &strongroom_market::index::Version) -> Vec<(&'static str, String)> {
    use strongroom_market::index::{Select, Weighting};
    let select = match version.select {
        Select::All => "everything eligible".to_owned(),
        Select::Top { count, buffer, .. } => format!("top {count} by market capitalisation, buffer {buffer}"),
    };
    let weighting = match &version.weighting {
        Weighting::MarketCap => "free-float market capitalisation".to_owned(),
        Weighting::SquareRoot => "square root of free-float market capitalisation".to_owned(),
        Weighting::Equal => "equal".to_owned(),
        Weighting::InverseVolatility { days } => format!("inverse volatility of {days} daily returns"),
        Weighting::Fixed { .. } => "fixed".to_owned(),
    };
    let schedule = |schedule: &strongroom_market::index::Schedule| {
        let every = match schedule.every {
            strongroom_market::index::Period::Month => "every month",
            strongroom_market::index::Period::Quarter => "every quarter",
        };
        format!("{every}, day {}, announced {} days before", schedule.day, schedule.announcement_days)
    };
    vec![
        ("members", select),
        ("weights", weighting),
        ("cap", version.cap.map_or_else(|| "none".to_owned(), |cap| percent(Some(fraction(Some(cap)))))),
        ("reconstitution", schedule(&version.reconstitution)),
        ("rebalance between", version.rebalance.as_ref().map_or_else(|| "none".to_owned(), schedule)),
        ("oldest price", format!("{} days before the level", version.stale_days_max)),
        ("full price history", format!("{} days up to the determination", version.price_history_days)),
    ]
}
