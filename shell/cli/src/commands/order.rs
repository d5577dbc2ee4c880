//! `strongroom order`: submit, cancel, late, execute, settle, list.

use super::{money, shares};
use crate::context::{Global, asset_price, date};
use crate::failure::Failure;
use crate::print::{self, Align};
use clap::{Args, Subcommand, ValueEnum};
use strongroom_engine::{
    Command, Event, FundState, NewOrder, Order, OrderId, OrderSide, OrderState, Refusal,
};
use strongroom_fund::definition::OrderMethod;
use strongroom_units::time::Date;
use strongroom_units::{Price, Shares, Symbol};

#[derive(Debug, Subcommand)]
pub(crate) enum OrderVerb {
    /// Take a creation or redemption order before its cut-off
    #[command(
        after_help = "Example:\n  strongroom order submit --id A1 --participant \"AP One\" --side creation --baskets 5 \\\n      --trade-date 2024-01-12"
    )]
    Submit(NewOrderArgs),
    /// Enter an order that was taken in time, after its strike; names every published NAV that it changes
    #[command(
        after_help = "Example:\n  strongroom order late --id A7 --participant \"AP One\" --side creation --baskets 2 \\\n      --trade-date 2024-01-10 --reason \"taken by telephone at 17:40, entered late\""
    )]
    Late {
        #[command(flatten)]
        order: NewOrderArgs,
        /// Why it is late, for the record
        #[arg(long)]
        reason: String,
    },
    /// Withdraw an order before its cut-off
    #[command(after_help = "Example:\n  strongroom order cancel A1")]
    Cancel {
        /// The participant's name for it
        id: String,
    },
    /// Record at what prices the coins of a struck cash order were bought or sold
    #[command(after_help = "Example:\n  strongroom order execute A1 --price BTC=46700")]
    Execute {
        /// The participant's name for it
        id: String,
        /// Execution price; once for each asset
        #[arg(long = "price", required = true, value_name = "ASSET=PRICE", value_parser = asset_price)]
        prices: Vec<(Symbol, Price)>,
    },
    /// Deliver against payment
    #[command(after_help = "Examples:\n  strongroom order settle A1\n  strongroom order settle --due")]
    Settle {
        /// The participant's name for it
        #[arg(required_unless_present = "due")]
        id: Option<String>,
        /// Every order that is ready and due
        #[arg(long, conflicts_with = "id")]
        due: bool,
    },
    /// List open orders
    #[command(after_help = "Example:\n  strongroom order list --json")]
    List,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct NewOrderArgs {
    /// The participant's own name for it; a repeat changes nothing
    #[arg(long)]
    id: String,
    /// The authorised participant
    #[arg(long)]
    participant: String,
    /// Creation or redemption
    #[arg(long, value_enum)]
    side: Side,
    /// Cash or in kind
    #[arg(long, value_enum, default_value_t = Method::Cash)]
    method: Method,
    /// Shares; a whole number of creation units
    #[arg(long, required_unless_present = "baskets", conflicts_with = "baskets",
        allow_negative_numbers = true, value_parser = clap::value_parser!(i64).range(1..))]
    shares: Option<i64>,
    /// Creation units
    #[arg(long, allow_negative_numbers = true, value_parser = clap::value_parser!(i64).range(1..))]
    baskets: Option<i64>,
    /// The session at whose strike it deals
    #[arg(long, value_name = "DATE", value_parser = date)]
    trade_date: Date,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Side {
    Creation,
    Redemption,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Method {
    Cash,
    InKind,
}

impl OrderVerb {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Self::Submit(order) => {
                let order = global.read(|state| order.order(state))?;
                let id = order.id.clone();
                global.give_and_say(Command::SubmitOrder(order), |state, _| Ok(taken(state, &id)))
            }
            Self::Late { order, reason } => {
                let order = global.read(|state| order.order(state))?;
                global.give_and_say(Command::RecordLateOrder { order, reason }, |_, events| {
                    let restatement = events.iter().find_map(super::prices::restatement);
                    restatement.map_or(Ok("recorded".into()), super::prices::restated)
                })
            }
            Self::Cancel { id } => {
                let id = OrderId::try_new(&id)?;
                global.give_and_say(Command::CancelOrder { id: id.clone() }, |_, _| {
                    Ok(format!("{id} is cancelled"))
                })
            }
            Self::Execute { id, prices } => {
                let id = OrderId::try_new(&id)?;
                let command = Command::ExecuteOrder { id: id.clone(), prices: prices.into_iter().collect() };
                global.give_and_say(command, |_, events| executed(&id, events))
            }
            Self::Settle { id: Some(id), .. } => {
                let id = OrderId::try_new(&id)?;
                global.give_and_say(Command::SettleOrder { id: id.clone() }, |_, _| {
                    Ok(format!("{id} is settled"))
                })
            }
            Self::Settle { id: None, .. } => settle_due(global),
            Self::List => global.read(|state| list(global, state)),
        }
    }
}

impl NewOrderArgs {
    fn order(&self, state: &FundState) -> Result<NewOrder, Failure> {
        let shares = match (self.shares, self.baskets) {
            (Some(shares), _) => Shares::new(shares),
            (None, baskets) => {
                let unit = state.definition().creation_unit.at(self.trade_date);
                unit.copied().unwrap_or(Shares::new(1)).try_mul(baskets.unwrap_or(0))?
            }
        };
        Ok(NewOrder {
            id: OrderId::try_new(&self.id)?,
            participant: self.participant.clone(),
            side: match self.side {
                Side::Creation => OrderSide::Creation,
                Side::Redemption => OrderSide::Redemption,
            },
            method: match self.method {
                Method::Cash => OrderMethod::Cash,
                Method::InKind => OrderMethod::InKind,
            },
            shares,
            trade_date: self.trade_date,
        })
    }
}

fn taken(state: &FundState, id: &OrderId) -> String {
    state.order(id).map_or_else(String::new, |order| {
        let (side, shares) = (order.side.as_str(), shares(order.shares).unwrap_or_default());
        let (trade, settlement) = (order.trade_date, order.settlement_date);
        format!(
            "{id} accepted: {} {side} of {shares} shares, deals at the strike of {trade}, settles on {settlement}",
            order.method
        )
    })
}

fn executed(id: &OrderId, events: &[Event]) -> Result<String, Failure> {
    let found = events.iter().find_map(|event| match event {
        Event::OrderExecuted { variance, cash_due, .. } => Some((*variance, *cash_due)),
        _ => None,
    });
    let Some((variance, cash_due)) = found else { return Ok(format!("{id} is executed")) };
    let borne = if variance.is_negative() { "credited to" } else { "borne by" };
    let amount = if variance.is_negative() { variance.try_neg()? } else { variance };
    Ok(format!(
        "{id} is executed: {} due at settlement, of it {} {borne} the participant",
        money(cash_due)?,
        money(amount)?
    ))
}

/// Settles one order after the other; the first that cannot be settled stops it, and says so.
fn settle_due(global: &Global) -> Result<(), Failure> {
    let mut desk = global.open_existing()?;
    let fund = global.chosen(&mut desk)?;
    let state = desk.fund(fund)?.ok_or(Refusal::FundMustBeOpen)?;
    let today = state.definition().strike.zone.date_of(global.now());
    let ready = |order: &&Order| {
        let dealt = match order.method {
            OrderMethod::Cash => matches!(order.state, OrderState::Executed { .. }),
            OrderMethod::InKind => match order.state {
                OrderState::Accepted => false,
                OrderState::Struck { .. } => state.coins_to_trade(order).is_empty(),
                OrderState::Executed { .. } => true,
            },
        };
        dealt && order.settlement_date <= today
    };
    let due: Vec<OrderId> = state.orders().filter(ready).map(|order| order.id.clone()).collect();
    for (settled, id) in due.iter().enumerate() {
        let command = Command::SettleOrder { id: id.clone() };
        let done = desk.command(global.request(fund, command));
        done.map_err(|error| stopped(id, due.get(..settled).unwrap_or_default(), error))?;
        if !global.json {
            print::line(format!("{id} is settled"));
        }
    }
    match (global.json, due.is_empty()) {
        (true, _) => print::json(&due),
        (false, true) => {
            print::line("no order is ready and due");
            Ok(())
        }
        (false, false) => Ok(()),
    }
}

/// Which order stopped the settling of several, and which were settled before it.
fn stopped(id: &OrderId, settled: &[OrderId], failure: Failure) -> Failure {
    let message = format!("{id}: {}", failure.message);
    let before = settled.iter().map(OrderId::to_string).collect::<Vec<_>>().join(", ");
    let failure = Failure { message, ..failure };
    if settled.is_empty() { failure } else { failure.hint(format!("Settled before it: {before}.")) }
}

fn list(global: &Global, state: &FundState) -> Result<(), Failure> {
    if global.json {
        return print::json(&state.orders().collect::<Vec<_>>());
    }
    let columns = [
        ("id", Align::Left),
        ("participant", Align::Left),
        ("side", Align::Left),
        ("method", Align::Left),
        ("shares", Align::Right),
        ("trade date", Align::Left),
        ("settles", Align::Left),
        ("state", Align::Left),
        ("NAV value", Align::Right),
        ("cash due", Align::Right),
    ];
    let rows = state.orders().map(|order| {
        let (nav_value, cash_due) = match &order.state {
            OrderState::Accepted => (String::new(), String::new()),
            OrderState::Struck { nav_value, .. } => (money(*nav_value)?, String::new()),
            OrderState::Executed { nav_value, cash_due, .. } => (money(*nav_value)?, money(*cash_due)?),
        };
        Ok(vec![
            order.id.to_string(),
            order.participant.clone(),
            order.side.as_str().into(),
            order.method.to_string(),
            shares(order.shares)?,
            order.trade_date.to_string(),
            order.settlement_date.to_string(),
            order.state_name().into(),
            nav_value,
            cash_due,
        ])
    });
    let rows = rows.collect::<Result<Vec<_>, Failure>>()?;
    if rows.is_empty() {
        print::line("no open orders; the table `orders` of the database has those that are over");
        return Ok(());
    }
    print::line(print::table(&columns, rows));
    Ok(())
}
