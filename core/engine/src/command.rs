//! What a fund can be asked to do. A command may be refused; an event may not.

use crate::distribution::DistributionCommand;
use crate::exposure::ExposureCommand;
use crate::life::LifeCommand;
use crate::order::{OrderId, OrderSide};
use crate::staking::StakingCommand;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use strongroom_fund::definition::{CustodyKind, OrderMethod};
use strongroom_market::rate::RateEvidence;
use strongroom_units::time::Date;
use strongroom_units::{Money, Price, Quantity, Rate, Shares, Symbol};

/// One request to one fund.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case")]
pub enum Command {
    /// Opens the fund with its definition and buys the seed's coins.
    OpenFund {
        /// Text of the `fund.toml`.
        definition: String,
        /// What the seed's coins cost each; only of assets that are bought.
        seed_prices: BTreeMap<Symbol, Price>,
        /// Part of the seed's money that buys each asset, to exactly one; empty for equal parts of every asset.
        #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
        weights: BTreeMap<Symbol, Rate>,
    },
    /// Records reference rates. All rows or none.
    ImportPrices {
        /// Which asset.
        asset: Symbol,
        /// Where they come from, for the record.
        source: String,
        /// The rows, in any order.
        rows: Vec<PriceRow>,
    },
    /// Records a reference rate that was computed by the definition's methodology, with its evidence.
    RecordRate {
        /// Which asset.
        asset: Symbol,
        /// The session or day.
        date: Date,
        /// The rate and what it was made of.
        evidence: Box<RateEvidence>,
    },
    /// Decides on a price where the definition's methodology gave none.
    DecideFallback {
        /// Which asset.
        asset: Symbol,
        /// The session.
        date: Date,
        /// The price decided on.
        price: Price,
        /// Why, for the record.
        reason: String,
    },
    /// Replaces a recorded reference rate and names every published NAV that it changes.
    CorrectPrice {
        /// Which asset.
        asset: Symbol,
        /// The day it was true.
        date: Date,
        /// The right price.
        price: Price,
        /// Why, for the record.
        reason: String,
    },
    /// Takes a creation or redemption order.
    SubmitOrder(NewOrder),
    /// Records an order that was taken in time and entered only after its strike.
    RecordLateOrder {
        /// The order as it was taken.
        order: NewOrder,
        /// Why it is late, for the record.
        reason: String,
    },
    /// Withdraws an order before its cut-off.
    CancelOrder {
        /// Which.
        id: OrderId,
    },
    /// Records at what prices the fund bought or sold the coins of a struck cash order.
    ExecuteOrder {
        /// Which.
        id: OrderId,
        /// Execution price per asset.
        prices: BTreeMap<Symbol, Price>,
    },
    /// Delivery against payment: shares, coins and money change hands.
    SettleOrder {
        /// Which.
        id: OrderId,
    },
    /// Strikes NAV for a session and deals its orders.
    StrikeNav {
        /// The session.
        date: Date,
        /// The recorded decision to strike on a price that a tolerance has flagged.
        accept: Option<String>,
    },
    /// Sells coins to pay what is owed, or pays the sponsor in coins.
    Pay {
        /// What is paid.
        liability: Liability,
        /// Execution price per asset; ignored when the fee is paid in coins.
        prices: BTreeMap<Symbol, Price>,
    },
    /// Accrues an expense that the sponsor does not bear.
    RecordExpense {
        /// The operator's own name for it; a repeat changes nothing.
        id: OrderId,
        /// From which day it is true; may be in the past.
        effective: Date,
        /// How much.
        amount: Money,
        /// What for.
        memo: String,
    },
    /// Records what happened to an asset of a basket without a trade.
    ChangeAsset(AssetChange),
    /// Trades a basket to target weights.
    Rebalance(Rebalance),
    /// Asks something of the position of a fund of derivatives.
    Exposure(ExposureCommand),
    /// Moves coins between the fund's own balances.
    TransferCustody {
        /// Which asset.
        asset: Symbol,
        /// From this balance.
        from: CustodyKind,
        /// To this one.
        to: CustodyKind,
        /// How many.
        quantity: Quantity,
    },
    /// Stops taking orders.
    Halt {
        /// Which.
        scope: HaltScope,
        /// Why, for the record.
        reason: String,
    },
    /// Takes orders again.
    Resume {
        /// Why, for the record.
        reason: String,
    },
    /// Something about a distribution.
    Distribution(DistributionCommand),
    /// Something about staking.
    Staking(StakingCommand),
    /// Something about the fund's life.
    Life(LifeCommand),
    /// Lets time pass: accrues what has become due and does nothing else.
    Wake,
}

/// A new order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewOrder {
    /// The participant's own name for it; a repeat changes nothing.
    pub id: OrderId,
    /// The authorised participant.
    pub participant: String,
    /// Creation or redemption.
    pub side: OrderSide,
    /// Cash or in kind.
    pub method: OrderMethod,
    /// Shares; a whole number of creation units.
    pub shares: Shares,
    /// The session at whose strike it deals.
    pub trade_date: Date,
}

/// A basket brought to target weights, after the strike of its day and the executions of the orders dealt there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rebalance {
    /// The session of the last strike.
    pub date: Date,
    /// Weights of everything that is held after it, to exactly one.
    pub targets: BTreeMap<Symbol, Rate>,
    /// Price per asset held before or after, at which all of it trades.
    pub prices: BTreeMap<Symbol, Price>,
    /// What trading costs, as a fraction of everything bought and sold.
    pub cost: Rate,
    /// Why, for the record.
    pub reason: String,
}

/// What happened to an asset that a basket holds. It is recorded before the first session that it matters for, when the orders
/// of the sessions before have settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetChange {
    /// The day on which it happened.
    pub date: Date,
    /// To which asset.
    pub asset: Symbol,
    /// What.
    pub change: Change,
    /// Why, for the record.
    pub reason: String,
}

/// What can happen to an asset without a trade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Change {
    /// It becomes another.
    Migration {
        /// The new one.
        into: Symbol,
        /// Units of the new for each of the old.
        units: Rate,
    },
    /// It is worth nothing and leaves.
    WriteOff,
    /// Its holders are given something: a fork or an airdrop.
    Gift {
        /// What.
        what: String,
        /// What it is worth for each unit held.
        value: Price,
        /// Whether it is sold at that worth; if not, the fund leaves it.
        sold: bool,
    },
}

/// A reference rate of one asset at the fund's strike on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceRow {
    /// The day.
    pub date: Date,
    /// Currency per whole coin.
    pub price: Price,
}

/// What a payment is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "liability", rename_all = "kebab-case")]
pub enum Liability {
    /// The sponsor fee accrued through a day.
    SponsorFee {
        /// The last day paid for; the last strike when absent.
        through: Option<Date>,
    },
    /// Every accrued expense.
    Expenses,
}

/// Which orders a halt stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HaltScope {
    /// Creations only.
    Creations,
    /// Every order.
    Orders,
}
