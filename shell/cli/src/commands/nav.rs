//! `strongroom nav`: strike, list.

use super::{money, price};
use crate::context::Global;
use crate::failure::Failure;
use crate::print::{self, Align};
use clap::Subcommand;
use strongroom_engine::{Command, FundState};
use strongroom_engine::statement::statement;
use strongroom_units::time::Date;

#[derive(Debug, Subcommand)]
pub(crate) enum NavVerb {
    /// Strike NAV for the next session and deal its orders
    #[command(after_help = "Example:\n  strongroom nav strike --date 2024-01-11")]
    Strike {
        /// The session; the next one that is due when absent
        #[arg(long)]
        date: Option<Date>,
        /// The decision to strike on a price that broke a tolerance, for the record
        #[arg(long, value_name = "REASON")]
        accept_price: Option<String>,
    },
    /// List NAVs
    List {
        /// First day
        #[arg(long)]
        from: Option<Date>,
        /// Last day
        #[arg(long)]
        to: Option<Date>,
    },
}

impl NavVerb {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Self::Strike { date, accept_price } => {
                let date = match date {
                    Some(date) => date,
                    None => global.read(next_session)?,
                };
                let command = Command::StrikeNav { date, accept: accept_price };
                global.give_and_say(command, |state, _| struck(state, date))
            }
            Self::List { from, to } => global.read(|state| {
                let period = (from.unwrap_or(Date::MIN), to.unwrap_or(Date::MAX));
                list(global, state, period)
            }),
        }
    }
}

fn next_session(state: &FundState) -> Result<Date, Failure> {
    let definition = state.definition();
    let last = state.last_nav().map_or(definition.seed.date, |nav| nav.date);
    Ok(definition.calendar.next_session(last).map_err(strongroom_engine::Refusal::from)?)
}

fn struck(state: &FundState, date: Date) -> Result<String, Failure> {
    let Some(nav) = state.nav(date) else { return Ok(format!("NAV of {date} is struck")) };
    let valuation = nav.published.valuation;
    let rows = [
        ("coins and cash", valuation.holdings),
        ("with pending creations", valuation.with_pending_creations),
        ("after expenses", valuation.after_expenses),
        ("NAV Fee Basis Amount", valuation.fee_basis),
        ("fee accrued", valuation.fee),
        ("net assets", valuation.net_assets),
    ];
    let mut lines = vec![("NAV of", date.to_string())];
    for (asset, input) in &nav.inputs.assets {
        lines.push(("reference rate", format!("{} {asset}", price(input.price)?)));
    }
    for (name, amount) in rows {
        lines.push((name, money(amount)?));
    }
    lines.push(("shares", nav.inputs.shares.to_string()));
    lines.push(("NAV per share", money(nav.published.nav_per_share_published)?));
    let dealt = state.orders().filter(|order| order.trade_date == date).count();
    lines.push(("orders dealt", dealt.to_string()));
    Ok(print::pairs(lines))
}

fn list(global: &Global, state: &FundState, (from, to): (Date, Date)) -> Result<(), Failure> {
    let navs = statement(state, from, to)?.navs;
    if global.json {
        return print::json(&navs);
    }
    let columns = [
        ("date", Align::Left),
        ("NAV per share", Align::Right),
        ("net assets", Align::Right),
        ("shares", Align::Right),
        ("fee", Align::Right),
        ("accrued fee", Align::Right),
        ("correction", Align::Right),
    ];
    let rows = navs.into_iter().map(|nav| {
        let correction = if nav.correction.is_zero() { String::new() } else { money(nav.correction)? };
        Ok(vec![
            nav.date.to_string(),
            money(nav.nav_per_share_published)?,
            money(nav.net_assets)?,
            nav.shares.to_string(),
            money(nav.fee)?,
            money(nav.accrued_fee)?,
            correction,
        ])
    });
    print::line(print::table(&columns, rows.collect::<Result<Vec<_>, Failure>>()?));
    Ok(())
}
