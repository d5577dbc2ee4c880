//! A creation or redemption order and the states it goes through.
//!
//! ```text
//! accepted ──strike──> struck ──execute──> executed ──settle──> settled     cash; in kind with cash in lieu
//!    │                    └───────────────settle──────────────> settled     in kind
//!    └──cancel (before the cut-off)──> cancelled
//! ```

use crate::refusal::Refusal;
use core::fmt;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use strongroom_fund::definition::OrderMethod;
use strongroom_units::time::{Date, Timestamp};
use strongroom_units::{Money, NumberError, Quantity, Shares, Symbol};

/// The participant's own name for an order: 1 to 64 printable ASCII characters without spaces.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OrderId(String);

impl OrderId {
    /// Refuses empty, long or unprintable text.
    pub fn try_new(text: &str) -> Result<Self, Refusal> {
        let printable =
            !text.is_empty() && text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_graphic());
        if printable { Ok(Self(text.to_owned())) } else { Err(Refusal::IdMustBePrintable) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for OrderId {
    type Error = Refusal;

    fn try_from(text: String) -> Result<Self, Refusal> {
        Self::try_new(&text)
    }
}

impl From<OrderId> for String {
    fn from(id: OrderId) -> Self {
        id.0
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Which way an order goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderSide {
    /// New shares against money or coins.
    Creation,
    /// Shares back against money or coins.
    Redemption,
}

impl OrderSide {
    /// The side's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Creation => "creation",
            Self::Redemption => "redemption",
        }
    }
}

/// An open order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The participant's name for it.
    pub id: OrderId,
    /// The authorised participant.
    pub participant: String,
    /// Creation or redemption.
    pub side: OrderSide,
    /// Cash or in kind.
    pub method: OrderMethod,
    /// Shares, a whole number of creation units.
    pub shares: Shares,
    /// The session at whose strike it deals.
    pub trade_date: Date,
    /// The session on which it settles: T+1.
    pub settlement_date: Date,
    /// When it was entered.
    pub submitted_at: Timestamp,
    /// How far it has come.
    pub state: OrderState,
}

/// How far an order has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum OrderState {
    /// Waiting for the strike.
    Accepted,
    /// Dealt at the strike's NAV.
    Struck {
        /// Its value at NAV, in cents: rounded up for a creation, down for a redemption.
        nav_value: Money,
        /// Coins due, per asset.
        coins: BTreeMap<Symbol, Quantity>,
    },
    /// The fund has bought or sold the coins (of an order in kind, those for which cash stands in); money is due at settlement.
    Executed {
        /// Its value at NAV.
        nav_value: Money,
        /// Coins due, per asset.
        coins: BTreeMap<Symbol, Quantity>,
        /// What the participant bears beyond NAV; negative is a credit.
        variance: Money,
        /// What the participant pays (creation) or receives (redemption): NAV value and execution variance.
        cash_due: Money,
    },
}

impl Order {
    /// Coins due once struck.
    pub fn coins(&self) -> Option<&BTreeMap<Symbol, Quantity>> {
        match &self.state {
            OrderState::Accepted => None,
            OrderState::Struck { coins, .. } | OrderState::Executed { coins, .. } => Some(coins),
        }
    }

    /// Whether its coins, all of them, are the fund's though it has not settled: those of a cash creation once they are bought.
    /// An order in kind that is executed still owes what is delivered.
    pub(crate) fn is_funded(&self) -> bool {
        self.method == OrderMethod::Cash && matches!(self.state, OrderState::Executed { .. })
    }

    /// Coins due, positive for a creation and negative for a redemption.
    pub(crate) fn coins_signed(&self) -> Result<Option<BTreeMap<Symbol, Quantity>>, NumberError> {
        let signed = |quantity: &Quantity| match self.side {
            OrderSide::Creation => Ok(*quantity),
            OrderSide::Redemption => quantity.try_neg(),
        };
        let all = |coins: &BTreeMap<_, _>| {
            coins.iter().map(|(asset, coins)| Ok((*asset, signed(coins)?))).collect()
        };
        self.coins().map(all).transpose()
    }

    /// The state's name, as read tables and people know it.
    pub fn state_name(&self) -> &'static str {
        match self.state {
            OrderState::Accepted => "accepted",
            OrderState::Struck { .. } => "struck",
            OrderState::Executed { .. } => "executed",
        }
    }
}
