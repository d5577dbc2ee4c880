//! The page of a demo: both funds, one after the other, under a warning that nothing in it is real.

use super::fund::Ran;
use crate::fact_sheet::FactSheet;
use crate::failure::Failure;
use std::collections::BTreeMap;
use strongroom_engine::statement::statement;
use strongroom_report::{Emphasis, Page, Section, Table, render};

/// The whole page.
pub(super) fn page(ran: &[Ran], seed: u64) -> Result<String, Failure> {
    let period = ran.first().map(|ran| ran.period).unwrap_or_default();
    let subtitle = format!("Two funds over a simulated market, {} to {}", period.0, period.1);
    let mut page = Page::new("Strongroom demo", subtitle).warning(format!(
        "Simulated market, seed {seed}: no price, fund or participant on this page is real."
    ));
    for ran in ran {
        let statement = statement(&ran.state, ran.period.0, ran.period.1)?;
        let sheet = FactSheet {
            state: &ran.state,
            statement: &statement,
            performance: &ran.performance,
            market: &ran.market,
            levels: &BTreeMap::new(),
            flows: &[],
        };
        for mut section in sheet.sections()? {
            section.heading = format!("{}: {}", ran.state.definition().id, section.heading);
            page.sections.push(section);
        }
        page.sections.extend(corrections(ran)?);
    }
    Ok(render(&page))
}

/// Every published NAV that later turned out different.
fn corrections(ran: &Ran) -> Result<Option<Section>, Failure> {
    let corrected: Vec<_> = ran.state.navs().iter().filter(|nav| nav.current != nav.published).collect();
    if corrected.is_empty() {
        return Ok(None);
    }
    let mut table =
        Table::new("NAV per share").left("date").right("published").right("now known as").right("difference");
    for nav in corrected {
        let (published, current) = (nav.published.nav_per_share, nav.current.nav_per_share);
        table.push(
            Emphasis::None,
            [
                nav.date.to_string(),
                published.to_decimal().to_display(6)?,
                current.to_decimal().to_display(6)?,
                current.try_sub(published)?.to_decimal().to_display(6)?,
            ],
        );
    }
    let heading = format!("{}: Corrections", ran.state.definition().id);
    let lead = "A price was learned late. What was published stays as it was; each NAV that would have differed is named.";
    Ok(Some(Section::new(heading).lead(lead).table(table)))
}
