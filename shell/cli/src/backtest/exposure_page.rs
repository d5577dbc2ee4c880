//! What a fund of derivatives' backtest shows: on the terminal, in files, and on the page.

use super::Ended;
use super::exposure::{Beside, Check, Exposed, float, index_of};
use crate::commands::money;
use crate::commands::statement::{write_csv, write_text};
use crate::fact_sheet::percent;
use crate::failure::Failure;
use crate::print::{self, Align};
use serde::Serialize;
use std::path::Path;
use strongroom_backtest::ExposureRow;
use strongroom_report::{Chart, Emphasis, Figure, Mark, Reading, Scatter, Section, Table, Trace, Unit, svg};
use strongroom_units::time::{Date, Timestamp};
use strongroom_units::{Money, Price};

type Period = (Date, Date);

/// Prints what the multiple came to.
pub(super) fn say(exposed: &Exposed) -> Result<(), Failure> {
    print::line(format!("\n{} x the index, reset {}", exposed.factor, reset(exposed)));
    print::line(print::pairs(rows(exposed)));
    let columns = [("source", Align::Left), ("USD", Align::Right), ("a year", Align::Right)];
    let sources = exposed
        .sources
        .iter()
        .map(|source| Ok(vec![source.source.to_owned(), money(source.amount)?, percent(Some(source.rate))]));
    print::line(format!("\n{}", print::table(&columns, sources.collect::<Result<Vec<_>, Failure>>()?)));
    if !exposed.beside.is_empty() {
        print::line("\nBeside real funds");
        let headings = [
            ("fund", Align::Left),
            ("from", Align::Left),
            ("to", Align::Left),
            ("slope", Align::Right),
            ("correlation", Align::Right),
            ("5-session slope", Align::Right),
            ("5-session correlation", Align::Right),
            ("its return", Align::Right),
            ("ours", Align::Right),
            ("explained by", Align::Right),
        ];
        print::line(print::table(&headings, exposed.beside.iter().map(cells)));
    }
    let headings = [
        ("check", Align::Left),
        ("value", Align::Right),
        ("least", Align::Right),
        ("most", Align::Right),
        ("", Align::Left),
    ];
    print::line(format!("\n{}", print::table(&headings, exposed.checks.iter().map(check_cells))));
    Ok(())
}

fn reset(exposed: &Exposed) -> &'static str {
    match exposed.reset {
        strongroom_fund::definition::Reset::Daily => "daily",
        strongroom_fund::definition::Reset::Monthly => "monthly",
    }
}

fn rows(exposed: &Exposed) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("index", percent(Some(exposed.index_return))),
        ("factor x index", percent(Some(exposed.multiple_of_the_period))),
        ("estimate by the period formula", percent(Some(exposed.estimated_fund_return))),
        ("decay in it", percent(Some(exposed.decay))),
        ("fund before costs", percent(Some(exposed.return_before_costs))),
        ("fund", percent(Some(exposed.fund_return))),
        ("own daily beta", exposed.own_beta.map_or_else(|| "-".to_owned(), |beta| format!("{beta:.4}"))),
        ("largest drift before a reset", format!("{:.3} x net assets", exposed.largest_drift)),
        (
            "resets, rolls, margin calls",
            format!("{}, {}, {}", exposed.resets, exposed.rolls, exposed.margin_calls),
        ),
    ];
    if let Some((first, last)) = exposed.funding_known {
        rows.push(("FUNDING KNOWN IN PART", format!("{first} to {last}; none is paid outside")));
    }
    if let Some(date) = exposed.wiped_out {
        rows.push(("WIPED OUT", format!("on {date}: nothing was left, and the fund is closed")));
    }
    rows
}

fn cells(beside: &Beside) -> Vec<String> {
    vec![
        beside.ticker.clone(),
        beside.from.to_string(),
        beside.to.to_string(),
        format!("{:.4}", beside.slope),
        format!("{:.5}", beside.correlation),
        format!("{:.4}", beside.weekly_slope),
        format!("{:.5}", beside.weekly_correlation),
        percent(Some(beside.its_return)),
        percent(Some(beside.our_return)),
        format!("{} a year", percent(Some(beside.funding_that_explains_it))),
    ]
}

fn check_cells(check: &Check) -> Vec<String> {
    let verdict = if check.holds { "within" } else { "OUTSIDE" };
    let figure = |value: f64| format!("{value:.4}");
    let value = format!("{:.5}", check.value);
    vec![check.what.clone(), value, figure(check.least), figure(check.most), verdict.to_owned()]
}

/// One row of `exposure.csv`. Gains and costs are of all days so far.
#[derive(Serialize)]
struct Row {
    date: Date,
    net_assets: Money,
    exposure_before: Money,
    exposure_after: Money,
    contracts: i64,
    mark: Price,
    expiry: Option<Date>,
    margin: Money,
    margin_called: Option<Money>,
    derivatives_gain: Money,
    funding_paid: Money,
    financing_paid: Money,
    collateral_income: Money,
    trading_cost: Money,
    rolling_cost: Money,
    sponsor_fee: Money,
}

impl From<&ExposureRow> for Row {
    fn from(row: &ExposureRow) -> Self {
        Self {
            date: row.date,
            net_assets: row.net_assets,
            exposure_before: row.drifted,
            exposure_after: row.exposure,
            contracts: row.contracts,
            mark: row.mark,
            expiry: row.expiry,
            margin: row.margin,
            margin_called: row.called,
            derivatives_gain: row.gain,
            funding_paid: row.funding,
            financing_paid: row.financing,
            collateral_income: row.income,
            trading_cost: row.trading,
            rolling_cost: row.rolling,
            sponsor_fee: row.fee,
        }
    }
}

/// Writes `exposure.csv` and `decay.svg`, and `beside.csv` where there is a real fund.
pub(super) fn write(folder: &Path, exposed: &Exposed, ended: &Ended, period: Period) -> Result<(), Failure> {
    let within: Vec<Row> = within(ended, period).map(Row::from).collect();
    write_csv(&folder.join("exposure.csv"), &within)?;
    write_text(&folder.join("decay.svg"), &svg(&picture(exposed, ended, period)))?;
    if exposed.beside.is_empty() {
        Ok(())
    } else {
        write_csv(&folder.join("beside.csv"), &exposed.beside.iter().map(BesideRow::from).collect::<Vec<_>>())
    }
}

/// One row of `beside.csv`.
#[derive(Serialize)]
struct BesideRow {
    ticker: String,
    from: Date,
    to: Date,
    returns: usize,
    slope: f64,
    correlation: f64,
    weekly_slope: f64,
    weekly_correlation: f64,
    its_return: f64,
    our_return: f64,
    funding_that_explains_it: f64,
}

impl From<&Beside> for BesideRow {
    fn from(of: &Beside) -> Self {
        Self {
            ticker: of.ticker.clone(),
            from: of.from,
            to: of.to,
            returns: of.returns,
            slope: of.slope,
            correlation: of.correlation,
            weekly_slope: of.weekly_slope,
            weekly_correlation: of.weekly_correlation,
            its_return: of.its_return,
            our_return: of.our_return,
            funding_that_explains_it: of.funding_that_explains_it,
        }
    }
}

fn within(ended: &Ended, (from, to): Period) -> impl Iterator<Item = &ExposureRow> {
    ended.summary.exposure.iter().filter(move |row| from <= row.date && row.date <= to)
}

type Points = Vec<(Date, f64)>;

/// The fund, the index and the estimate by the period formula so far, each 100 at the first strike.
fn growth(exposed: &Exposed, ended: &Ended, (from, to): Period) -> (Points, Points, Points) {
    let factor = exposed.factor;
    let navs = ended.state.navs().iter().filter(|nav| from <= nav.date && nav.date <= to);
    let (mut fund, mut index, mut estimate) = (Vec::new(), Vec::new(), Vec::new());
    let (mut first, mut before, mut variance) = (None, None, 0.0_f64);
    for nav in navs {
        let Some(level) = index_of(nav) else { continue };
        let value = nav.current.nav_per_share.to_decimal().to_f64();
        let (first_value, first_level) = *first.get_or_insert((value, level));
        variance += before.map_or(0.0, |before: f64| (level / before).ln().powi(2));
        before = Some(level);
        let grown = level / first_level;
        fund.push((nav.date, 100.0 * value / first_value));
        index.push((nav.date, 100.0 * grown));
        let estimated = grown.powf(factor) * (-0.5 * factor * (factor - 1.0) * variance).exp();
        estimate.push((nav.date, 100.0 * estimated));
    }
    (fund, index, estimate)
}

/// The same as lines over instants, for a file of its own.
pub(super) fn picture(exposed: &Exposed, ended: &Ended, period: Period) -> Trace {
    let (fund, index, estimate) = growth(exposed, ended, period);
    let strike = ended.state.definition().strike;
    let readings = |points: Points| {
        let reading = |(date, value): (Date, f64)| -> Option<Reading> {
            Some((strike.instant(date).ok() as Option<Timestamp>, Some(value)))
                .and_then(|(at, value)| Some((at?, value)))
        };
        points.into_iter().filter_map(reading).collect::<Vec<_>>()
    };
    Trace::new(format!("{} x a day", exposed.factor), Unit::Number { decimals: 0 })
        .description("100 at the first strike: the fund after all costs, its index, and the estimate for the return and variance so far.")
        .line(ended.state.definition().id.to_string(), readings(fund))
        .line("index", readings(index))
        .line("estimate", readings(estimate))
}

/// The sections, in reading order.
pub(crate) fn sections(exposed: &Exposed, ended: &Ended, period: Period) -> Result<Vec<Section>, Failure> {
    let mut sections = vec![
        multiple(exposed, ended, period),
        exposure(exposed, ended, period)?,
        costs(exposed, ended, period)?,
    ];
    if !exposed.beside.is_empty() {
        sections.push(beside(exposed));
    }
    Ok(sections)
}

fn multiple(exposed: &Exposed, ended: &Ended, period: Period) -> Section {
    let figures = rows(exposed).into_iter().map(|(label, value)| Figure::new(label, value));
    let (fund, index, estimate) = growth(exposed, ended, period);
    let chart = Chart::new("What the days made of the multiple", Mark::Line, Unit::Number { decimals: 2 })
        .series(ended.state.definition().id.to_string(), fund)
        .series("index", index)
        .series("estimate", estimate)
        .description(
            "100 at the first strike. The estimate is (1 + R)^L · exp(−½ · L · (L − 1) · variance) of the index so far, before costs: the \
             multiple holds for a day, and what the way there takes of it is the decay.",
        );
    Section::new("The multiple over the period").figures(figures).chart(chart)
}

fn exposure(exposed: &Exposed, ended: &Ended, period: Period) -> Result<Section, Failure> {
    let ratio = |row: &ExposureRow, exposure: Money| (row.date, float(exposure) / float(row.net_assets));
    let living = || within(ended, period).filter(|row| row.net_assets > Money::ZERO);
    let drift = Chart::new("Exposure over net assets", Mark::Line, Unit::Number { decimals: 2 })
        .series("at the strike", living().map(|row| ratio(row, row.drifted)))
        .series("after the trades", living().map(|row| ratio(row, row.exposure)))
        .description(
            "Between two strikes the position moves with the index and net assets by a multiple of it, so exposure drifts; the trade \
             at the close brings it back, in the index's direction for every factor above 1 and below 0.",
        );
    let margin = Chart::new("Margin over exposure", Mark::Line, Unit::Percent { decimals: 1 })
        .series("margin", living().map(|row| (row.date, float(row.margin) / float(row.exposure).abs())))
        .description("The margin account after the day's trades, as a part of the position.");
    let mut section = Section::new("Exposure").chart(drift).chart(margin);
    let mut rolls = Table::new("Rolls, at an assumed basis")
        .left("date")
        .left("into")
        .right("contracts before")
        .right("after")
        .right("mark");
    let rows: Vec<&ExposureRow> = within(ended, period).collect();
    for pair in rows.windows(2) {
        let [before, after] = pair else { continue };
        let Some(expiry) = after.expiry.filter(|_| before.expiry != after.expiry) else { continue };
        let mark = after.mark.to_decimal().to_display(2)?;
        let counts = [before.contracts.to_string(), after.contracts.to_string()];
        let [from, to] = counts;
        rolls.push(Emphasis::None, [after.date.to_string(), expiry.to_string(), from, to, mark]);
    }
    if exposed.rolls > 0 {
        section = section.table(rolls).note("No futures price was given: the basis is the definition's, and assumed. Contracts after are those after the day's reset.");
    }
    Ok(section)
}

fn costs(exposed: &Exposed, ended: &Ended, period: Period) -> Result<Section, Failure> {
    let mut table = Table::new("Where the return came from")
        .left("source")
        .right("USD")
        .right("a year, of average net assets");
    for source in &exposed.sources {
        table.push(
            Emphasis::None,
            [source.source.to_owned(), money(source.amount)?, percent(Some(source.rate))],
        );
    }
    let rows: Vec<&ExposureRow> = within(ended, period).collect();
    let since = |figure: fn(&ExposureRow) -> Money| {
        let first = rows.first().map_or(0.0, |row| float(figure(row)));
        rows.iter().map(|row| (row.date, float(figure(row)) - first)).collect::<Vec<_>>()
    };
    let chart =
        Chart::new("Costs and income since the first strike", Mark::Line, Unit::Money { symbol: "$" })
            .series("funding", since(|row| row.funding))
            .series("financing", since(|row| row.financing))
            .series(
                "trading and rolling",
                since(|row| row.trading.try_add(row.rolling).unwrap_or(row.trading)),
            )
            .series("sponsor fee", since(|row| row.fee))
            .series("collateral income", since(|row| row.income))
            .description("What was paid, and what cash and margin earned. Funding below zero was received.");
    Ok(Section::new("Cost of each source").table(table).chart(chart))
}

fn beside(exposed: &Exposed) -> Section {
    let mut table = Table::new("On the sessions that both have")
        .left("fund")
        .left("from")
        .left("to")
        .right("slope")
        .right("correlation")
        .right("five sessions: slope")
        .right("correlation")
        .right("its return")
        .right("ours")
        .right("gap explained by");
    for fund in &exposed.beside {
        table.push(Emphasis::None, cells(fund));
    }
    let mut checks =
        Table::new("Within bounds").left("figure").right("value").right("least").right("most").left("");
    for check in &exposed.checks {
        checks.push(if check.holds { Emphasis::Good } else { Emphasis::Bad }, check_cells(check));
    }
    let percent = Unit::Percent { decimals: 2 };
    let scatter = Scatter::new("Daily returns", ("ours", percent.clone()), ("its", percent)).description(
        "Each point is a session. A fund with the same multiple of the same index lies on the diagonal.",
    );
    let scatter = exposed.beside.iter().fold(scatter, |scatter, fund| {
        let points = fund.pairs.iter().map(|(date, its, ours)| (date.to_string(), *ours, *its));
        scatter.group(fund.ticker.clone(), points.collect::<Vec<_>>())
    });
    Section::new("Beside real funds").table(table).table(checks).scatter(scatter).note(
        "The gap between the total returns is not judged: it is shown as the rate a year, on the position, that would explain it. A \
         real fund pays the basis of its futures where this one pays funding, and closes move with supply and demand.",
    )
}
