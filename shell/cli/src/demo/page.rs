//! The page of a demo: the funds, one after the other, under a warning that nothing in it is real.

use super::fund::Ran;
use crate::backtest::{Basket, Exposed, exposure_sections, sections_of};
use crate::fact_sheet::FactSheet;
use crate::failure::Failure;
use std::collections::BTreeMap;
use strongroom_engine::statement::statement;
use strongroom_report::{Emphasis, Page, Section, Table, render};

/// The whole page.
pub(super) fn page(ran: &[Ran], seed: u64) -> Result<String, Failure> {
    let period = ran.first().map(|ran| ran.period).unwrap_or_default();
    let subtitle = format!("Six funds over a simulated market, {} to {}", period.0, period.1);
    let mut page = Page::new("Strongroom demo", subtitle).warning(format!(
        "Simulated market, seed {seed}: no price, fund or participant on this page is real."
    ));
    let none = BTreeMap::new();
    for ran in ran {
        let state = &ran.ended.state;
        let statement = statement(state, ran.period.0, ran.period.1)?;
        let sheet = FactSheet {
            state,
            statement: &statement,
            performance: &ran.performance,
            market: &ran.market,
            levels: ran.followed.as_ref().map_or(&none, |followed| &followed.levels),
            flows: &[],
        };
        let mut sections = sheet.sections()?;
        if let Some(followed) = &ran.followed {
            let basket = Basket::try_new(state.definition(), followed, &ran.ended, ran.period)?;
            sections.extend(sections_of(&basket, followed, &ran.ended, ran.period)?);
        }
        if let Some(terms) = &state.definition().exposure {
            let exposed = Exposed::alone(state, &ran.ended.summary.exposure, terms, ran.period)?;
            sections.extend(exposure_sections(&exposed, &ran.ended, ran.period)?);
        }
        for mut section in sections {
            section.heading = format!("{}: {}", state.definition().id, section.heading);
            page.sections.push(section);
        }
        page.sections.extend(corrections(ran)?);
    }
    Ok(render(&page))
}

/// Every published NAV that later turned out different.
fn corrections(ran: &Ran) -> Result<Option<Section>, Failure> {
    let corrected: Vec<_> =
        ran.ended.state.navs().iter().filter(|nav| nav.current != nav.published).collect();
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
    let heading = format!("{}: Corrections", ran.ended.state.definition().id);
    let lead = "A price was learned late. What was published stays as it was; each NAV that would have differed is named.";
    Ok(Some(Section::new(heading).lead(lead).table(table)))
}
