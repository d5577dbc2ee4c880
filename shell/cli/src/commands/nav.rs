//! `strongroom nav`: strike, list.

use super::{money, price, shares};
use crate::context::{Global, date};
use crate::failure::Failure;
use crate::print::{self, Align};
use clap::Subcommand;
use strongroom_engine::statement::statement;
use strongroom_engine::{Command, FundState, PriceBasis};
use strongroom_units::time::Date;

#[derive(Debug, Subcommand)]
pub(crate) enum NavVerb {
    /// Strike NAV for the next session and deal its orders
    #[command(after_help = "Example:\n  strongroom nav strike --date 2024-01-11")]
    Strike {
        /// The session; the next one that is due when absent
        #[arg(long, value_name = "DATE", value_parser = date)]
        date: Option<Date>,
        /// The decision to strike on a price that broke a tolerance, for the record
        #[arg(long, value_name = "REASON")]
        accept_price: Option<String>,
        /// Price the session first from these trades, by the definition's methodology
        #[arg(long = "trades", value_name = "FILE")]
        trades: Vec<std::path::PathBuf>,
    },
    /// List NAVs
    #[command(after_help = "Example:\n  strongroom nav list --from 2024-04-01 --to 2024-06-30")]
    List {
        /// First day
        #[arg(long, value_name = "DATE", value_parser = date)]
        from: Option<Date>,
        /// Last day
        #[arg(long, value_name = "DATE", value_parser = date)]
        to: Option<Date>,
    },
}

impl NavVerb {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Self::Strike { date, accept_price, trades } => {
                let date = match date {
                    Some(date) => date,
                    None => global.read(next_session)?,
                };
                if !trades.is_empty() {
                    super::rates::record_all(global, date, &trades)?;
                }
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
    let mut lines = vec![("NAV of", format!("{date}, in USD"))];
    for (asset, input) in &nav.inputs.assets {
        lines.push(("reference rate", format!("{} per {asset}", price(input.price)?)));
        lines.extend(nav.inputs.evidence.get(asset).map(|basis| ("which rests on", rests_on(basis))));
    }
    for (name, amount) in rows {
        lines.push((name, money(amount)?));
    }
    lines.push(("shares", shares(nav.inputs.shares)?));
    lines.push(("NAV per share", money(nav.published.nav_per_share_published)?));
    let dealt = state.orders().filter(|order| order.trade_date == date).count();
    lines.push(("orders dealt", dealt.to_string()));
    Ok(print::pairs(lines))
}

fn rests_on(basis: &PriceBasis) -> String {
    match basis {
        PriceBasis::Imported => "an imported price".to_owned(),
        PriceBasis::Rate { methodology, effective, input_hash } => {
            format!("{methodology}, effective {effective}, input {input_hash}")
        }
        PriceBasis::Fallback { reason } => format!("a decision: {reason}"),
        PriceBasis::Corrected => "a correction".to_owned(),
    }
}

fn list(global: &Global, state: &FundState, (from, to): (Date, Date)) -> Result<(), Failure> {
    let navs = statement(state, from, to)?.navs;
    if global.json {
        return print::json(&navs);
    }
    if navs.is_empty() {
        print::line("no NAV was struck in these days");
        return Ok(());
    }
    let corrected = navs.iter().any(|nav| !nav.correction.is_zero());
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
            shares(nav.shares)?,
            money(nav.fee)?,
            money(nav.accrued_fee)?,
            correction,
        ])
    });
    print::line(print::table(&columns, rows.collect::<Result<Vec<_>, Failure>>()?));
    if corrected {
        print::line(
            "\nNAV per share is as published. Net assets and fees are as known now; correction is the published NAV\n\
             per share less the one that is known now.",
        );
    }
    Ok(())
}
