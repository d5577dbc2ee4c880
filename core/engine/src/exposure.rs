//! The position of a fund of derivatives: what it can be asked, what has happened to it, and what that does to the books.
//!
//! ```text
//! funding   every eight hours   pays or receives on the position as it is held          margin
//! strike    settled             the day's gain, financing and what cash earns           margin, cash
//!                               below maintenance: margin is called; a call that was
//!                               not met by the next strike reduces the position
//!           wiped out           nothing is left: the position is closed, the fund too
//! after it  rolled              futures into the next expiry, at the same worth
//!           reset               to factor × net assets, margin to the initial
//! ```
//!
//! Gains and losses of contracts are money at once: they are settled on the margin account, and the position is carried at its
//! last mark. So it has no worth of its own, and net assets are money alone.

use crate::event::NavRecord;
use crate::ledger::Account;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use strongroom_units::time::{Date, Timestamp};
use strongroom_units::{Money, NumberError, Price, Quantity, Rate, Rounding, Scale};

/// Funding rows remembered, so that a repeat is known from a change.
const FUNDING_KEPT: usize = 400;

/// What a fund of derivatives can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum ExposureCommand {
    /// Records funding rates that have fallen due since the last; all rows or none.
    RecordFunding {
        /// Where they come from, for the record.
        source: String,
        /// Rates, in order of time.
        rows: Vec<FundingRow>,
    },
    /// Trades to factor × net assets after the strike of a day, and brings margin to the initial.
    Reset {
        /// The session of the last strike.
        date: Date,
        /// At what price the contracts trade; the strike's mark when absent.
        price: Option<Price>,
        /// Why, for the record.
        reason: String,
    },
    /// Sells the expiring futures and buys the next ones at the same worth.
    Roll {
        /// The session of the last strike.
        date: Date,
        /// At what price the expiring ones trade; their mark when absent.
        from_price: Option<Price>,
        /// At what price the next ones trade; their mark when absent.
        to_price: Option<Price>,
    },
    /// Moves money to the margin account or, negative, back.
    MoveMargin {
        /// How much, in cents.
        amount: Money,
    },
}

/// A funding rate of one instant: what a long position pays, as a fraction of its worth; negative it receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FundingRow {
    /// When it fell due.
    pub at: Timestamp,
    /// The rate for the time since the one before.
    pub rate: Rate,
}

/// What has happened to a position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum ExposureEvent {
    /// Funding fell due.
    FundingPaid {
        /// Where the rates come from.
        source: String,
        /// The rates.
        rows: Vec<FundingRow>,
        /// Paid from the margin account; negative is received.
        amount: Money,
    },
    /// A day's gain and costs were settled, before the strike that values them.
    Settled {
        /// The session.
        date: Date,
        /// The contracts held.
        contracts: i64,
        /// Their new mark.
        mark: Price,
        /// Gain since the last mark.
        gain: Money,
        /// Paid for a swap's notional; negative is received.
        financing: Money,
        /// What cash and margin have earned.
        income: Money,
        /// What the broker calls for.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        call: Option<Money>,
        /// What the broker closed, because the last call was not met.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        forced: Option<Forced>,
    },
    /// Nothing was left: the position was closed at its mark, and the fund with it.
    WipedOut {
        /// The session.
        date: Date,
        /// The contracts closed.
        contracts: i64,
        /// What the fund could not pay; the broker bears it.
        shortfall: Money,
        /// What was left on the margin account, with the shortfall made good.
        margin: Money,
        /// The last NAV: zero.
        nav: Box<NavRecord>,
    },
    /// Exposure was brought to factor × net assets.
    Reset {
        /// The session.
        date: Date,
        /// Contracts before.
        from: i64,
        /// Contracts after.
        to: i64,
        /// Net assets, before the cost of the trade, of which the new position is the multiple.
        net_assets: Money,
        /// At what price was traded.
        price: Price,
        /// The mark at which the position is carried.
        mark: Price,
        /// When it expires.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        expiry: Option<Date>,
        /// What trading away from the mark gained.
        gain: Money,
        /// What the trade cost beside.
        cost: Money,
        /// Money moved to the margin account; negative is moved back.
        margin: Money,
        /// Why.
        reason: String,
    },
    /// Futures were rolled.
    Rolled {
        /// The session.
        date: Date,
        /// The expiry sold.
        from_expiry: Date,
        /// The expiry bought.
        to_expiry: Date,
        /// Contracts before.
        from: i64,
        /// Contracts after.
        to: i64,
        /// At what price the expiring ones traded.
        from_price: Price,
        /// At what price the next ones traded.
        to_price: Price,
        /// The mark of the next ones.
        mark: Price,
        /// What trading away from the marks gained.
        gain: Money,
        /// What the trades cost beside.
        cost: Money,
    },
    /// Money was moved to the margin account or, negative, back.
    MarginMoved {
        /// How much.
        amount: Money,
    },
}

/// What a broker closed without being asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forced {
    /// Contracts before.
    pub from: i64,
    /// Contracts that the margin supports.
    pub to: i64,
    /// What the trade cost.
    pub cost: Money,
}

/// A position as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Contracts: below zero is short.
    pub contracts: i64,
    /// At what they were last settled, for each coin.
    pub mark: Price,
    /// When they expire.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expiry: Option<Date>,
    /// The last day settled.
    pub settled: Date,
    /// The last reset.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_reset: Option<Date>,
    /// What the broker has called for and not received.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub call: Option<Money>,
    /// When nothing was left.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub wiped_out: Option<Date>,
    /// When the position was last traded: funding of before is for what was held before.
    pub(crate) traded_at: Timestamp,
    /// The last funding rates, by instant.
    pub(crate) funding: BTreeMap<Timestamp, Rate>,
    /// Coins of one contract.
    pub(crate) contract: Quantity,
}

impl Position {
    /// No contracts yet.
    pub(crate) fn none_yet(contract: Quantity, mark: Price, date: Date, at: Timestamp) -> Self {
        Self {
            contracts: 0,
            mark,
            expiry: None,
            settled: date,
            last_reset: None,
            call: None,
            wiped_out: None,
            traded_at: at,
            funding: BTreeMap::new(),
            contract,
        }
    }

    /// Coins that the contracts stand for, signed.
    pub fn coins(&self) -> Result<Quantity, NumberError> {
        coins(self.contract, self.contracts)
    }

    /// What the position is worth at its mark, signed: the fund's exposure. Half even at eight decimals.
    pub fn notional(&self) -> Result<Money, NumberError> {
        self.mark.value(self.coins()?, Rounding::HalfEven)
    }

    /// Funding later than this is of what is held now and not recorded yet.
    pub fn funded_through(&self) -> Timestamp {
        self.last_funding().map_or(self.traded_at, |last| last.max(self.traded_at))
    }

    pub(crate) fn last_funding(&self) -> Option<Timestamp> {
        self.funding.last_key_value().map(|(at, _)| *at)
    }

    /// Follows one event that became known at `at`.
    pub(crate) fn follow(&mut self, event: &ExposureEvent, at: Timestamp) {
        match event {
            ExposureEvent::FundingPaid { rows, .. } => {
                self.funding.extend(rows.iter().map(|row| (row.at, row.rate)));
                while self.funding.len() > FUNDING_KEPT {
                    self.funding.pop_first();
                }
            }
            ExposureEvent::Settled { date, mark, call, forced, .. } => {
                self.mark = *mark;
                self.settled = *date;
                self.call = *call;
                if let Some(forced) = forced {
                    self.contracts = forced.to;
                    self.traded_at = at;
                }
            }
            ExposureEvent::WipedOut { date, .. } => {
                self.contracts = 0;
                self.call = None;
                self.wiped_out = Some(*date);
            }
            ExposureEvent::Reset { date, to, mark, expiry, .. } => {
                self.contracts = *to;
                self.mark = *mark;
                self.expiry = *expiry;
                self.last_reset = Some(*date);
                self.call = None;
                self.traded_at = at;
            }
            ExposureEvent::Rolled { to_expiry, to, mark, .. } => {
                self.contracts = *to;
                self.mark = *mark;
                self.expiry = Some(*to_expiry);
                self.traded_at = at;
            }
            ExposureEvent::MarginMoved { amount } => {
                let left = self.call.and_then(|call| call.try_sub(*amount).ok());
                self.call = left.filter(|left| *left > Money::ZERO);
            }
        }
    }
}

/// Coins of so many contracts.
pub(crate) fn coins(contract: Quantity, contracts: i64) -> Result<Quantity, NumberError> {
    let units = contract.units().checked_mul(i128::from(contracts)).ok_or(NumberError::Overflow)?;
    Ok(Quantity::from_units(units, contract.scale()))
}

/// The position in a NAV, for whoever values it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionNav {
    /// Contracts held at the strike, before that day's trades.
    pub contracts: i64,
    /// Coins that they stand for, signed.
    pub coins: Quantity,
    /// Their mark.
    pub mark: Price,
    /// When they expire.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expiry: Option<Date>,
    /// The margin account.
    pub margin: Money,
}

impl PositionNav {
    /// What the position is worth at its mark, signed.
    pub fn notional(&self) -> Result<Money, NumberError> {
        self.mark.value(self.coins, Rounding::HalfEven)
    }

    /// Nothing, of coins at this scale.
    pub(crate) fn none(scale: Scale) -> Self {
        let coins = Quantity::zero(scale);
        Self { contracts: 0, coins, mark: Price::ZERO, expiry: None, margin: Money::ZERO }
    }
}

/// Money that an event moves: how much, debit, credit. A negative amount goes the other way.
pub(crate) fn payments(event: &ExposureEvent) -> Vec<(Money, Account, Account)> {
    use Account::{
        Cash, CollateralIncome, DerivativeGain, Financing, Funding, Margin, RebalanceCost, RollCost,
    };
    match event {
        ExposureEvent::FundingPaid { amount, .. } => vec![(*amount, Funding, Margin)],
        ExposureEvent::Settled { gain, financing, income, forced, .. } => {
            let cost = forced.map_or(Money::ZERO, |forced| forced.cost);
            vec![
                (*gain, Margin, DerivativeGain),
                (*financing, Financing, Margin),
                (*income, Cash, CollateralIncome),
                (cost, RebalanceCost, Margin),
            ]
        }
        ExposureEvent::WipedOut { shortfall, margin, .. } => {
            vec![(*shortfall, Margin, DerivativeGain), (*margin, Cash, Margin)]
        }
        ExposureEvent::Reset { gain, cost, margin, .. } => {
            vec![(*gain, Margin, DerivativeGain), (*cost, RebalanceCost, Margin), (*margin, Margin, Cash)]
        }
        ExposureEvent::Rolled { gain, cost, .. } => {
            vec![(*gain, Margin, DerivativeGain), (*cost, RollCost, Margin)]
        }
        ExposureEvent::MarginMoved { amount } => vec![(*amount, Margin, Cash)],
    }
}

impl ExposureEvent {
    /// The event's kind, as in the log.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::FundingPaid { .. } => "funding-paid",
            Self::Settled { .. } => "exposure-settled",
            Self::WipedOut { .. } => "fund-wiped-out",
            Self::Reset { .. } => "exposure-reset",
            Self::Rolled { .. } => "futures-rolled",
            Self::MarginMoved { .. } => "margin-moved",
        }
    }
}
