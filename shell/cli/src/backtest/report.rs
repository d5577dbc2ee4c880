//! What a backtest shows: a summary on the terminal, and the page.

use super::against::Against;
use super::{Ended, Inputs, Results, basket_page, exposure_page};
use crate::commands::{money, price};
use crate::fact_sheet::{FactSheet, percent};
use crate::failure::Failure;
use crate::print::{self, Align};
use strongroom_engine::statement::Statement;
use strongroom_report::{Emphasis, Page, Section, Table, render};

/// Prints the end of a run for people.
pub(super) fn say(results: &Results, state: &strongroom_engine::FundState) -> Result<(), Failure> {
    print::line(format!("{} {}, {} to {}", results.fund, results.name, results.from, results.to));
    let performance = &results.performance;
    let mut rows = vec![("NAVs struck", results.strikes.to_string())];
    if let Some(sheet) = &results.assets_and_liabilities {
        rows.push(("NAV per share", format!("{} USD on {}", price(sheet.nav_per_share)?, sheet.as_of)));
        rows.push(("net assets", format!("{} USD", money(sheet.net_assets)?)));
        rows.push(("sponsor fee payable", format!("{} USD", money(sheet.sponsor_fee_payable)?)));
    }
    rows.push(("return of NAV", percent(performance.total_return)));
    rows.push(("return of the benchmark", percent(performance.benchmark_total_return)));
    rows.push(("tracking difference", percent(performance.tracking_difference)));
    rows.extend(crate::life_sheet::said(state)?);
    print::line(print::pairs(rows));
    if let Some(basket) = &results.basket {
        basket_page::say(basket)?;
    }
    if let Some(exposure) = &results.exposure {
        exposure_page::say(exposure)?;
    }
    if let Some(against) = &results.against_filings {
        print::line("\nSet beside the filings");
        let columns = [
            ("", Align::Left),
            ("filed", Align::Right),
            ("computed", Align::Right),
            ("difference %", Align::Right),
            ("tolerance %", Align::Right),
            ("", Align::Left),
        ];
        print::line(print::table(&columns, cells(against).map(|(_, cells)| cells)));
    }
    print::line(format!("\nreport     {}", results.out.join("report.html").display()));
    print::line(format!("statements {}", results.out.display()));
    Ok(())
}

/// The page.
pub(super) fn page(
    inputs: &Inputs,
    ended: &Ended,
    statement: &Statement,
    results: &Results,
) -> Result<String, Failure> {
    let title = format!("{} {}", statement.fund, statement.name);
    let subtitle = format!("Backtest from {} through {}", statement.from, statement.through);
    let subtitle = match results.basket.as_ref().map(|basket| basket.struck) {
        Some("monthly") => format!("{subtitle}, struck monthly: there is no price between two months"),
        _ => subtitle,
    };
    let mut page = Page::new(title, subtitle).info(
        "The past as this definition would have lived it, through the code that runs a live fund. Inputs are \
         approximations; the arithmetic is exact.",
    );
    let sheet = FactSheet {
        state: &ended.state,
        statement,
        performance: &results.performance,
        market: &inputs.market_prices,
        levels: inputs.levels(),
        flows: &ended.summary.flows,
    };
    if let Some(date) = results.exposure.as_ref().and_then(|exposure| exposure.wiped_out) {
        page = page.warning(format!("Wiped out on {date}: nothing was left of the fund, and it is closed."));
    }
    let mut sections = sheet.sections()?.into_iter();
    page.sections.extend(sections.next());
    if let Some(against) = &results.against_filings {
        page.sections.push(filings(against));
    }
    if let (Some(basket), Some(followed)) = (&results.basket, &inputs.followed) {
        page.sections.extend(basket_page::sections(basket, followed, ended, (results.from, results.to))?);
    }
    if let Some(exposure) = &results.exposure {
        page.sections.extend(exposure_page::sections(exposure, ended, (results.from, results.to))?);
    }
    page.sections.extend(sections);
    page.sections.push(provenance(inputs, ended));
    Ok(render(&page))
}

fn filings(against: &Against) -> Section {
    let mut table = Table::new("Filed and computed")
        .left("")
        .right("filed")
        .right("computed")
        .right("difference %")
        .right("tolerance %")
        .left("");
    for (within, cells) in cells(against) {
        table.push(if within { Emphasis::Good } else { Emphasis::Bad }, cells);
    }
    Section::new("Set beside the filings")
        .lead("Coins at period ends on a trade-date basis, the change between them, and the sponsor fee payable.")
        .table(table)
        .note(
            "What is left comes from the inputs: flows are published in tenths of a million and valued at a price that \
             is not the fund's own, and when the trust paid its fee is not known. A figure marked * is a sum of filed \
             lines.",
        )
}

fn cells(against: &Against) -> impl Iterator<Item = (bool, Vec<String>)> {
    against.rows.iter().map(|row| {
        let mark = if row.derived { " *" } else { "" };
        let verdict = if row.within { "within" } else { "OUTSIDE" };
        let cells = [
            format!("{}{mark}", row.what),
            row.filed.clone(),
            row.computed.clone(),
            row.difference_percent.clone(),
            row.tolerance_percent.to_owned(),
            verdict.to_owned(),
        ];
        (row.within, cells.to_vec())
    })
}

fn provenance(inputs: &Inputs, ended: &Ended) -> Section {
    let mut table = Table::new("What was read").left("input").left("file");
    for (what, name) in &inputs.sources {
        table.push(Emphasis::None, [(*what).to_owned(), name.clone()]);
    }
    let mut section = Section::new("Inputs").table(table);
    let accepted: Vec<_> = ended.state.navs().iter().filter(|nav| nav.accepted.is_some()).collect();
    if !accepted.is_empty() {
        let mut table = Table::new("Strikes on a price that broke a tolerance").left("date").left("decision");
        for nav in accepted {
            table.push(Emphasis::None, [nav.date.to_string(), nav.accepted.clone().unwrap_or_default()]);
        }
        section = section.table(table);
    }
    section
}
