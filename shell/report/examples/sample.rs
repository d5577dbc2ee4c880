//! Writes a page with every kind of block: `cargo run -p strongroom-report --example sample > sample.html`.
//! All figures are made up.

use strongroom_report::{Chart, Emphasis, Figure, Mark, Page, Section, Table, Unit, render};
use strongroom_units::time::Date;

fn main() {
    let (fund, index) = (walk(7, 600, 25.0, 0.031), walk(11, 600, 25.0, 0.027));
    let page = Page::new(
        "Meridian Bitcoin Trust",
        "Fact sheet as of 31 August 2025 · all figures in US dollars",
    )
    .warning("Simulated market, seed 7: no real prices.")
    .info("Values after the close of 16:00 in New York; the reference rate is the mean of five exchanges.")
    .section(overview(&fund))
    .section(performance(&fund, &index))
    .section(assets(&fund))
    .section(controls())
    .section(history(&fund));
    println!("{}", render(&page));
}

fn overview(fund: &[(Date, f64)]) -> Section {
    let nav = fund.last().map_or(0.0, |(_, nav)| *nav);
    Section::new("At a glance").figures([
        Figure::new("Net asset value per share", format!("${nav:.4}")).detail("31 Aug 2025"),
        Figure::new("Net assets", "$1.284 bn").detail("12,411.08 BTC in custody"),
        Figure::new("Shares outstanding", "41,250,000"),
        Figure::new("Sponsor fee", "0.25%").detail("a year, accrued daily"),
        Figure::new("Premium", "+0.03%").detail("30-day median"),
    ])
}

fn performance(fund: &[(Date, f64)], index: &[(Date, f64)]) -> Section {
    let decline = fund.iter().scan(0.0f64, |peak, (date, nav)| {
        *peak = peak.max(*nav);
        Some((*date, nav / *peak - 1.0))
    });
    Section::new("Performance")
        .lead("The fund follows the reference rate less its fee; the gap between the two lines is that fee and the cost of trading.")
        .chart(
            Chart::new("Net asset value per share", Mark::Line, Unit::Money { symbol: "$" })
                .description("The fund and its reference rate since the first day of trading, both from 25 dollars.")
                .series("Fund", fund.iter().copied())
                .series("Reference rate", index.iter().copied()),
        )
        .chart(
            Chart::new("Decline from the last peak", Mark::Area, Unit::Percent { decimals: 1 })
                .series("Decline", decline),
        )
        .chart(
            Chart::new("Return by month", Mark::Bars, Unit::Percent { decimals: 1 })
                .series("Return", by_month(fund)),
        )
        .table(
            Table::new("Returns to 31 August 2025")
                .left("").right("1 month").right("Year to date").right("1 year").right("Since inception")
                .row(["Fund, net asset value", "\u{2212}2.14%", "18.02%", "61.55%", "142.30%"])
                .row(["Fund, market price", "\u{2212}2.09%", "18.10%", "61.49%", "142.11%"])
                .row(["Reference rate", "\u{2212}2.12%", "18.22%", "61.97%", "143.35%"])
                .row_with(Emphasis::Strong, ["Difference to the rate", "\u{2212}0.02%", "\u{2212}0.20%", "\u{2212}0.42%", "\u{2212}1.05%"]),
        )
        .note("Past performance of a simulated fund says nothing about any fund.")
}

fn assets(fund: &[(Date, f64)]) -> Section {
    let growth = |coins: f64| {
        fund.iter()
            .enumerate()
            .map(move |(index, (date, nav))| (*date, coins * nav * (1.0 + index as f64 / 90.0)))
    };
    let flows = fund
        .iter()
        .zip(fund.iter().skip(1))
        .map(|((_, before), (date, after))| (*date, (after - before) * 8e6));
    Section::new("Assets and flows")
        .chart(
            Chart::new("Net assets", Mark::Area, Unit::Money { symbol: "$" })
                .description("Price and creations together; each step up is a day of large creations.")
                .series("Net assets", growth(3.2e6)),
        )
        .chart(
            Chart::new("Coins in custody, by custodian", Mark::Line, Unit::Coins { symbol: "BTC".into() })
                .series("Cold storage", growth(88.0))
                .series("Trading balance", growth(5.0))
                .series("In transit", growth(2.0)),
        )
        .chart(Chart::new("Daily flows", Mark::Bars, Unit::Money { symbol: "$" }).series("Flow", flows))
        .chart(
            Chart::new("Orders by quarter", Mark::Bars, Unit::Number { decimals: 0 })
                .series("Creations", quarters([14.0, 22.0, 9.0, 31.0]))
                .series("Redemptions", quarters([-3.0, -6.0, -12.0, -2.0])),
        )
        .chart(
            Chart::new("Premium to net asset value", Mark::Line, Unit::Percent { decimals: 2 })
                .description("Drawn once the fund has traded.")
                .series("Premium", []),
        )
}

fn controls() -> Section {
    Section::new("Controls").table(
        Table::new("Checks on 31 August 2025")
            .left("Check")
            .left("Rule")
            .right("Expected")
            .right("Found")
            .row_with(
                Emphasis::Good,
                ["Reserves", "coins on chain cover the shares", "12,411.0800", "12,411.0800"],
            )
            .row_with(Emphasis::Good, ["Ledger", "entries sum to zero", "0.00", "0.00"])
            .row_with(Emphasis::Bad, ["Price", "at least four exchanges answer", "4", "3"])
            .row(["Basket", "published before 09:00", "09:00:00", "08:41:17"]),
    )
}

fn history(fund: &[(Date, f64)]) -> Section {
    let mut table = Table::new("Daily values").left("Date").right("NAV per share").right("Net assets");
    for (date, nav) in fund {
        table.push(Emphasis::None, [date.to_string(), format!("{nav:.4}"), format!("{:.0}", nav * 3.2e6)]);
    }
    Section::new("History").table(table)
}

fn days() -> impl Iterator<Item = Date> {
    std::iter::successors(Some(Date::constant(2024, 1, 11)), |date| date.tomorrow().ok())
}

/// A seeded random walk.
fn walk(seed: u64, count: usize, start: f64, spread: f64) -> Vec<(Date, f64)> {
    let noise = std::iter::successors(Some(seed), |state| {
        Some(state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407))
    });
    let values = noise.skip(1).scan(start, move |value, state| {
        let draw = (state >> 33) as f64 / f64::from(1u32 << 31) - 0.5;
        *value *= 1.0 + draw * spread * 2.0 + 0.0012;
        Some(*value)
    });
    days().zip(values).take(count).collect()
}

fn by_month(points: &[(Date, f64)]) -> Vec<(Date, f64)> {
    let months = points.chunk_by(|a, b| a.0.first_of_month() == b.0.first_of_month());
    months.filter_map(|month| Some((month.last()?.0, month.last()?.1 / month.first()?.1 - 1.0))).collect()
}

fn quarters(values: [f64; 4]) -> impl Iterator<Item = (Date, f64)> {
    [3, 6, 9, 12].into_iter().zip(values).map(|(month, value)| (Date::constant(2024, month, 28), value))
}
