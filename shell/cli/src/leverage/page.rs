//! The page of a table of estimates: the table in colour, the fund over the index, and what volatility alone takes.

use super::{plain, tenths, whole};
use crate::failure::Failure;
use strongroom_fund::leverage::{Estimate, Table};
use strongroom_report::{Emphasis, Heat, HeatScale, Page, Scatter, Section, Table as Rows, Unit, render};

/// Points of a curve, in whole per cent of volatility.
const VOLATILITIES: core::ops::RangeInclusive<u32> = 0..=100;
const PERIODS: [u32; 4] = [30, 91, 182, 365];

pub(super) fn page(table: &Table, factor: f64, days: u32) -> Result<String, Failure> {
    let title = format!("A daily multiple of {factor}");
    let subtitle = format!("Estimated return over {days} days, before fees, financing and funding");
    let page = Page::new(title, subtitle).info(
        "The multiple holds for a day. Over longer periods the return also depends on the way there: the more the index moves, the \
         more a multiple above 1 or below 0 loses against it.",
    );
    let estimates = Section::new("Estimates").heat(heat(table)).scatter(fund_over_index(table));
    let decay = Section::new("Decay")
        .lead("What volatility alone takes: the fund's return over a period in which the index ends where it began.")
        .scatter(decay(factor)?)
        .table(break_even(factor, days)?);
    Ok(render(&page.section(estimates).section(decay)))
}

fn heat(table: &Table) -> Heat {
    let percent = Unit::Percent { decimals: 1 };
    let heat = Heat::new("Estimated fund return", percent, HeatScale::AroundZero)
        .columns("index \\ volatility", table.volatilities.iter().map(|volatility| whole(*volatility)))
        .description(
            "A row for each return of the index over the period, a column for each volatility a year.",
        );
    table.index_returns.iter().zip(&table.cells).fold(heat, |heat, (index_return, cells)| {
        heat.row(whole(*index_return), cells.iter().map(|cell| Some(*cell)))
    })
}

fn fund_over_index(table: &Table) -> Scatter {
    let percent = Unit::Percent { decimals: 1 };
    let scatter =
        Scatter::new("Fund over index", ("index return", percent.clone()), ("fund return", percent))
            .description(
                "Each colour is a volatility: the same return of the index, less and less for the fund.",
            );
    table.volatilities.iter().enumerate().fold(scatter, |scatter, (column, volatility)| {
        let points = table.index_returns.iter().zip(&table.cells).filter_map(|(index_return, cells)| {
            let cell = *cells.get(column)?;
            Some((format!("index {}, fund {}", whole(*index_return), tenths(cell)), *index_return, cell))
        });
        scatter.group(format!("volatility {}", whole(*volatility)), points.collect::<Vec<_>>())
    })
}

fn decay(factor: f64) -> Result<Scatter, Failure> {
    let percent = Unit::Percent { decimals: 1 };
    let mut scatter = Scatter::new(
        "Decay by volatility and time",
        ("volatility a year", percent.clone()),
        ("return of the fund while the index goes nowhere", percent),
    )
    .description(
        "Each colour is a length of time. The loss grows with the square of volatility and with time.",
    );
    for days in PERIODS {
        let mut points = Vec::new();
        for whole in VOLATILITIES.step_by(2) {
            let volatility = f64::from(whole) / 100.0;
            let lost = Estimate::try_new(factor, 0.0, volatility, days)?.fund_return();
            points.push((format!("{whole} %, {days} days: {}", tenths(lost)), volatility, lost));
        }
        scatter = scatter.group(format!("{days} days"), points);
    }
    Ok(scatter)
}

fn break_even(factor: f64, days: u32) -> Result<Rows, Failure> {
    let mut rows = Rows::new(format!("Over {days} days"))
        .right("volatility %")
        .right("decay %")
        .right("index return to break even %");
    for volatility in [0.1, 0.25, 0.5, 0.75, 1.0] {
        let estimate = Estimate::try_new(factor, 0.0, volatility, days)?;
        let needed = estimate.break_even().map_or_else(|| "none".to_owned(), plain);
        rows.push(Emphasis::None, [format!("{:.0}", volatility * 100.0), plain(estimate.decay()), needed]);
    }
    Ok(rows)
}
