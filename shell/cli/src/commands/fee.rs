//! `strongroom fee` and `strongroom expense`: what the fund owes, and paying it by selling coins.

use super::money;
use crate::context::{Global, asset_price, date};
use crate::failure::Failure;
use crate::print;
use clap::Subcommand;
use serde::Serialize;
use std::collections::BTreeMap;
use strongroom_engine::{Command, Event, FundState, Liability, OrderId};
use strongroom_fund::definition::FeeAccrual;
use strongroom_units::time::Date;
use strongroom_units::{Money, Price, Quantity, Symbol};

#[derive(Debug, Subcommand)]
pub(crate) enum FeeVerb {
    /// Sell coins from the trading balance and pay the sponsor fee; or pay it in coins, by the definition
    #[command(
        after_help = "Example:\n  strongroom fee due --through 2024-01-31 --price BTC=43000\n  strongroom custody transfer --from vault --to trading --quantity 3.2\n  strongroom fee pay --through 2024-01-31 --price BTC=43000"
    )]
    Pay {
        /// The last day paid for; the last strike when absent
        #[arg(long, value_name = "DATE", value_parser = date)]
        through: Option<Date>,
        /// Execution price; once for each asset, not needed when the fee is paid in coins
        #[arg(long = "price", value_name = "ASSET=PRICE", value_parser = asset_price)]
        prices: Vec<(Symbol, Price)>,
    },
    /// Show what is due, and the coins that paying it takes out of the trading balance
    #[command(after_help = "Example:\n  strongroom fee due --through 2024-01-31 --price BTC=43000")]
    Due {
        /// The last day counted; the last strike when absent
        #[arg(long, value_name = "DATE", value_parser = date)]
        through: Option<Date>,
        /// Expected price; once for each asset; that of the last strike when absent
        #[arg(long = "price", value_name = "ASSET=PRICE", value_parser = asset_price)]
        prices: Vec<(Symbol, Price)>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExpenseVerb {
    /// Accrue an expense; one of an earlier day names every published NAV that it changes
    #[command(
        after_help = "Example:\n  strongroom expense record --id audit-2024 --effective 2024-01-10 --amount 125000.00 \\\n      --memo \"extraordinary audit\""
    )]
    Record {
        /// Your own name for it; a repeat changes nothing
        #[arg(long)]
        id: String,
        /// From which day it is true
        #[arg(long, value_name = "DATE", value_parser = date)]
        effective: Date,
        /// How much, in whole cents
        #[arg(long)]
        amount: Money,
        /// What for
        #[arg(long)]
        memo: String,
    },
    /// Sell coins from the trading balance and pay every accrued expense
    #[command(after_help = "Example:\n  strongroom expense pay --price BTC=43000")]
    Pay {
        /// Execution price; once for each asset
        #[arg(long = "price", required = true, value_name = "ASSET=PRICE", value_parser = asset_price)]
        prices: Vec<(Symbol, Price)>,
    },
}

impl FeeVerb {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Self::Pay { through, prices } => pay(global, Liability::SponsorFee { through }, prices),
            Self::Due { through, prices } => global.read(|state| due(global, state, through, prices)),
        }
    }
}

impl ExpenseVerb {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Self::Record { id, effective, amount, memo } => {
                let command = Command::RecordExpense { id: OrderId::try_new(&id)?, effective, amount, memo };
                global.give_and_say(command, |_, events| {
                    let restatement = events.iter().find_map(super::prices::restatement);
                    restatement.map_or(Ok("recorded".into()), super::prices::restated)
                })
            }
            Self::Pay { prices } => pay(global, Liability::Expenses, prices),
        }
    }
}

fn pay(global: &Global, liability: Liability, prices: Vec<(Symbol, Price)>) -> Result<(), Failure> {
    let command = Command::Pay { liability, prices: prices.into_iter().collect() };
    global.give_and_say(command, |_, events| {
        let mut text = Vec::new();
        for event in events {
            let Event::Paid { sale, amount, .. } = event else { continue };
            let coins = sale.assets.iter().map(|(asset, line)| format!("{} {asset}", line.quantity));
            let coins = coins.collect::<Vec<_>>().join(", ");
            text.push(match amount.is_zero() {
                true => format!("{coins} paid"),
                false => format!("{} USD paid by selling {coins}", money(*amount)?),
            });
        }
        Ok(text.join("\n"))
    })
}

#[derive(Serialize)]
struct Due {
    /// Absent where the fee accrues in coins.
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<Money>,
    coins: BTreeMap<Symbol, Quantity>,
}

fn due(
    global: &Global,
    state: &FundState,
    through: Option<Date>,
    prices: Vec<(Symbol, Price)>,
) -> Result<(), Failure> {
    let mut at: BTreeMap<Symbol, Price> = state
        .last_nav()
        .map(|nav| nav.inputs.assets.iter().map(|(asset, input)| (*asset, input.price)).collect())
        .unwrap_or_default();
    at.extend(prices);
    let due = match state.definition().fee.accrual {
        FeeAccrual::Money => Some(state.fee_due(through)?),
        FeeAccrual::Coins { .. } => None,
    };
    let due = Due { due, coins: state.coins_for_fee(through, &at)? };
    if global.json {
        return print::json(&due);
    }
    let mut rows = Vec::new();
    if let Some(amount) = due.due {
        rows.push(("due", format!("{} USD", money(amount)?)));
    }
    let name = if due.due.is_some() { "coins needed in trading" } else { "due" };
    rows.extend(due.coins.iter().map(|(asset, quantity)| (name, format!("{quantity} {asset}"))));
    if rows.is_empty() {
        rows.push(("due", "nothing".to_owned()));
    }
    print::line(print::pairs(rows));
    Ok(())
}
