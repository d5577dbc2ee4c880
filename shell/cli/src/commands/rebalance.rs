//! `strongroom rebalance`: what bringing a basket to target weights takes, and doing it.

use super::{counted, money};
use crate::context::{Global, asset_price, asset_weight};
use crate::failure::Failure;
use crate::print;
use clap::{Args, Subcommand};
use serde::Serialize;
use std::collections::BTreeMap;
use strongroom_engine::{Command, Event, FundState, Rebalance, Refusal};
use strongroom_units::time::Date;
use strongroom_units::{Price, Quantity, Rate, Rounding, Symbol};

/// Basis points in one.
const BPS: i128 = 10_000;

#[derive(Debug, Subcommand)]
pub(crate) enum RebalanceVerb {
    /// Show what would be sold and bought; what is sold has to be in the trading balance first
    #[command(after_help = "\
Example:
  strongroom rebalance show --weight BTC=0.6 --weight ETH=0.4 --price BTC=43000 --price ETH=2300")]
    Show {
        #[command(flatten)]
        terms: Terms,
    },
    /// Sell and buy until the basket is at its target weights, net of what that costs
    #[command(after_help = "\
Example:
  strongroom rebalance trade --weight BTC=0.6 --weight ETH=0.4 --price BTC=43000 --price ETH=2300 \\
      --reason \"index of March\"")]
    Trade {
        #[command(flatten)]
        terms: Terms,
        /// Why, for the record
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Terms {
    /// Target weight of everything held, as a fraction; once for each asset, all together one
    #[arg(long = "weight", required = true, value_name = "ASSET=FRACTION", value_parser = asset_weight)]
    weights: Vec<(Symbol, Rate)>,
    /// Price of a trade; once for each asset held before or after
    #[arg(long = "price", required = true, value_name = "ASSET=PRICE", value_parser = asset_price)]
    prices: Vec<(Symbol, Price)>,
    /// Cost in basis points of everything bought and sold; what the definition assumes when absent
    #[arg(long, value_name = "BPS")]
    cost_bps: Option<Rate>,
    /// The session whose strike it follows; the last when absent
    #[arg(long, value_name = "DATE", value_parser = crate::context::date)]
    date: Option<Date>,
}

impl Terms {
    fn rebalance(self, state: &FundState, reason: String) -> Result<Rebalance, Failure> {
        let last = state.last_nav().ok_or(Refusal::FundMustBeOpen)?.date;
        let date = self.date.unwrap_or(last);
        let assumed = state.definition().index.as_ref().and_then(|index| index.cost.at(date)).copied();
        let cost = match self.cost_bps {
            Some(bps) => bps.try_mul_div(1, BPS, Rounding::HalfEven)?,
            None => assumed.unwrap_or(Rate::ZERO),
        };
        let targets = self.weights.into_iter().collect();
        Ok(Rebalance { date, targets, prices: self.prices.into_iter().collect(), cost, reason })
    }
}

/// What `rebalance show --json` prints.
#[derive(Serialize)]
struct Shown {
    sold: BTreeMap<Symbol, Quantity>,
    bought: BTreeMap<Symbol, Quantity>,
}

impl RebalanceVerb {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Self::Show { terms } => global.read(|state| {
                let trades = state.trades_to(&terms.rebalance(state, String::new())?)?;
                show(global, Shown { sold: trades.sold, bought: trades.bought })
            }),
            Self::Trade { terms, reason } => {
                let rebalance = global.read(|state| terms.rebalance(state, reason))?;
                global.give_and_say(Command::Rebalance(rebalance), |_, events| {
                    events.iter().find_map(said).unwrap_or_else(|| Ok(String::new()))
                })
            }
        }
    }
}

fn show(global: &Global, shown: Shown) -> Result<(), Failure> {
    if global.json {
        return print::json(&shown);
    }
    let sold = shown.sold.iter().map(|(asset, quantity)| ("sell", format!("{quantity} {asset}")));
    let bought = shown.bought.iter().map(|(asset, quantity)| ("buy", format!("{quantity} {asset}")));
    let mut rows: Vec<_> = sold.chain(bought).collect();
    if rows.is_empty() {
        rows.push(("trades", "none".to_owned()));
    }
    print::line(print::pairs(rows));
    Ok(())
}

fn said(event: &Event) -> Option<Result<String, Failure>> {
    let Event::Rebalanced { sold, bought, cost, .. } = event else { return None };
    let text = || {
        let assets = |count: usize| counted(count as u64, "asset");
        Ok(format!(
            "{} USD of {} sold, {} USD of {} bought, at a cost of {} USD",
            money(sold.value)?,
            assets(sold.assets.len()),
            money(bought.value)?,
            assets(bought.assets.len()),
            money(*cost)?
        ))
    };
    Some(text())
}
