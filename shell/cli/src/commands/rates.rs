//! Pricing a fund by its own methodology: from trades to a recorded rate with its evidence.

use super::prices::only_asset;
use crate::context::Global;
use crate::failure::{Exit, Failure};
use std::path::PathBuf;
use strongroom_engine::{Command, FundState, Outcome, Refusal};
use strongroom_market::rate::Pair;
use strongroom_units::Symbol;
use strongroom_units::time::Date;

/// The command that records the rate of one asset on a day, computed from trades.
pub(crate) fn record(
    state: &FundState,
    asset: Option<Symbol>,
    date: Date,
    trades: &[PathBuf],
) -> Result<Command, Failure> {
    let asset = only_asset(state, asset)?;
    let definition = state.definition();
    let source =
        definition.rate_source(asset, date).ok_or(Refusal::RateMustBeInDefinition { asset, date })?;
    let pair: Pair = source.pair.parse().map_err(|message: String| {
        Failure::new("definition.rate_pair_must_be_a_pair", message, Exit::Input)
    })?;
    let at = definition.strike.instant(date).map_err(Refusal::from)?;
    let evidence = crate::rate::evidence(trades, &source.methodology, &pair, at).map_err(|failure| {
        let fallback = "Nothing was recorded. Where the committee takes another price, `strongroom prices fallback` puts it on record.";
        if failure.exit == Exit::Refused { failure.hint(fallback) } else { failure }
    })?;
    Ok(Command::RecordRate { asset, date, evidence: Box::new(evidence) })
}

/// Records the rate of every asset that the definition prices by a methodology, before a strike. A rate that cannot be
/// computed stops here: nothing is struck, and a fallback is a decision of its own.
pub(crate) fn record_all(global: &Global, date: Date, trades: &[PathBuf]) -> Result<(), Failure> {
    let commands = global.read(|state| {
        let assets = state.definition().assets.iter().map(|asset| asset.symbol);
        let priced = assets.filter(|asset| state.definition().rate_source(*asset, date).is_some());
        let commands = priced.map(|asset| record(state, Some(asset), date, trades));
        commands.collect::<Result<Vec<_>, Failure>>()
    })?;
    if commands.is_empty() {
        let asset = global.read(|state| only_asset(state, None))?;
        return Err(Refusal::RateMustBeInDefinition { asset, date }.into());
    }
    let mut desk = global.open_existing()?;
    let fund = global.chosen(&mut desk)?;
    for command in commands {
        let answer = desk.command(global.request(fund, command))?;
        if answer.outcome == Outcome::AlreadyDone && !global.json {
            crate::print::line("the rate is recorded already");
        }
    }
    Ok(())
}
