//! What has happened to a fund: the only things that the log holds, and the only serialised form of the engine.
//!
//! Events carry results, not instructions: replaying them needs no price, no fee formula and no rounding.

use crate::command::{HaltScope, Liability};
use crate::distribution::DistributionEvent;
use crate::exposure::{ExposureEvent, PositionNav};
use crate::life::LifeEvent;
use crate::order::{Order, OrderId};
use crate::staking::StakingEvent;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use strongroom_fund::definition::CustodyKind;
use strongroom_fund::lots::Lot;
use strongroom_fund::valuation::Valuation;
use strongroom_market::rate::RateEvidence;
use strongroom_units::time::{Date, Timestamp};
use strongroom_units::{Money, PerShare, Price, Quantity, Rate, Shares, Symbol};

/// One fact. The instant at which it became known is in the record around it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The fund exists, and the seed's coins are in the vault.
    FundOpened {
        /// Text of the `fund.toml`.
        definition: String,
        /// Money paid in for the seed shares.
        paid_in: Money,
        /// The seed purchase.
        purchase: Sale,
        /// The opening record: the seed's NAV.
        nav: Box<NavRecord>,
    },
    /// Reference rates were recorded.
    PricesRecorded {
        /// Which asset.
        asset: Symbol,
        /// Where they come from.
        source: String,
        /// New rows only.
        rows: Vec<RecordedPrice>,
    },
    /// A reference rate was computed by the definition's methodology.
    RateRecorded {
        /// Which asset.
        asset: Symbol,
        /// The day.
        date: Date,
        /// The rate and what it was made of.
        evidence: Box<RateEvidence>,
        /// What was noticed.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        flag: Option<PriceFlag>,
    },
    /// A price was decided on, because the definition's methodology gave none.
    FallbackDecided {
        /// Which asset.
        asset: Symbol,
        /// The session.
        date: Date,
        /// The price.
        price: Price,
        /// Why.
        reason: String,
    },
    /// A recorded reference rate was wrong.
    PriceCorrected {
        /// Which asset.
        asset: Symbol,
        /// The day it was true.
        date: Date,
        /// What had been recorded.
        old: Price,
        /// What is right.
        new: Price,
        /// Why.
        reason: String,
        /// Every published NAV that changes.
        restatement: Restatement,
    },
    /// An order was taken.
    OrderAccepted {
        /// The order.
        order: Order,
    },
    /// An order taken in time was entered after its strike, and dealt at that strike's NAV.
    LateOrderRecorded {
        /// The order, already struck.
        order: Order,
        /// Why it was late.
        reason: String,
        /// Every published NAV that changes.
        restatement: Restatement,
    },
    /// An order was withdrawn before its cut-off.
    OrderCancelled {
        /// Which.
        id: OrderId,
    },
    /// NAV was struck and the orders of the day dealt.
    NavStruck {
        /// The NAV with everything it was computed from.
        nav: Box<NavRecord>,
        /// Orders dealt at it.
        dealt: Vec<OrderDealt>,
    },
    /// Coins of a cash order were bought or sold.
    OrderExecuted {
        /// Which.
        id: OrderId,
        /// Coins, money and, for coins sold, cost relieved.
        trade: Sale,
        /// What the participant bears beyond NAV; negative is a credit.
        variance: Money,
        /// What the participant pays or receives.
        cash_due: Money,
    },
    /// An order settled.
    OrderSettled {
        /// Which.
        id: OrderId,
        /// For an order in kind, its coins at the strike's value; none for cash orders, whose coins moved at execution.
        in_kind: Option<Sale>,
    },
    /// A calendar day's fee accrued in coins.
    FeeAccrued {
        /// The day.
        day: Date,
        /// Coins per asset.
        coins: BTreeMap<Symbol, Quantity>,
    },
    /// A liability was paid.
    Paid {
        /// What for.
        liability: Liability,
        /// Coins sold, or delivered to the sponsor.
        sale: Sale,
        /// Money that reached the payee; zero when paid in coins.
        amount: Money,
    },
    /// An expense accrued.
    ExpenseRecorded {
        /// The operator's name for it.
        id: OrderId,
        /// From which day it is true.
        effective: Date,
        /// How much.
        amount: Money,
        /// What for.
        memo: String,
        /// Every published NAV that changes.
        restatement: Restatement,
    },
    /// A basket was brought to its target weights.
    Rebalanced {
        /// The session at whose prices.
        date: Date,
        /// Weights aimed at.
        targets: BTreeMap<Symbol, Rate>,
        /// Coins sold, with the cost relieved from their lots.
        sold: Sale,
        /// Coins bought.
        bought: Sale,
        /// What the trades cost beyond their value; the fund bears it.
        cost: Money,
        /// Why.
        reason: String,
        /// Per asset held before or after, what is promised until the next strike: coins per share are others now.
        promises: BTreeMap<Symbol, Promise>,
    },
    /// An asset became another.
    AssetMigrated {
        /// The day.
        date: Date,
        /// The old asset.
        asset: Symbol,
        /// The new one.
        into: Symbol,
        /// Units of the new for each of the old.
        units: Rate,
        /// Coins of the vault.
        vault: Converted,
        /// Coins of the trading balance.
        trading: Converted,
        /// What was held, in new units; days and cost are those of before.
        lots: Vec<Lot>,
        /// Worth of a new unit until it has a price of its own.
        price: Price,
        /// Why.
        reason: String,
        /// Per asset, what is promised until the next strike.
        promises: BTreeMap<Symbol, Promise>,
    },
    /// An asset is worth nothing and has left.
    AssetWrittenOff {
        /// The day.
        date: Date,
        /// Which.
        asset: Symbol,
        /// Coins of the vault.
        vault: Quantity,
        /// Coins of the trading balance.
        trading: Quantity,
        /// What they had cost.
        cost: Money,
        /// Why.
        reason: String,
        /// Per asset, what is promised until the next strike.
        promises: BTreeMap<Symbol, Promise>,
    },
    /// Holders of an asset were given something.
    GiftRecorded {
        /// The day.
        date: Date,
        /// Whose holders.
        asset: Symbol,
        /// What.
        what: String,
        /// What it is worth for each unit held.
        value: Price,
        /// Whether it was sold at that worth.
        sold: bool,
        /// Money received; zero when it was left.
        received: Money,
        /// Why.
        reason: String,
    },
    /// Something happened to the position of a fund of derivatives.
    Exposure(ExposureEvent),
    /// Coins moved between the fund's own balances.
    CustodyTransferred {
        /// Which asset.
        asset: Symbol,
        /// From.
        from: CustodyKind,
        /// To.
        to: CustodyKind,
        /// How many.
        quantity: Quantity,
    },
    /// Orders are no longer taken.
    FundHalted {
        /// Which.
        scope: HaltScope,
        /// Why.
        reason: String,
    },
    /// Orders are taken again.
    FundResumed {
        /// Why.
        reason: String,
    },
    /// Something happened to a distribution.
    Distribution(DistributionEvent),
    /// Something happened to staked coins.
    Staking(StakingEvent),
    /// Something happened in the fund's life.
    Life(LifeEvent),
}

/// Coins of one balance before and after a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Converted {
    /// Old coins given up.
    pub out: Quantity,
    /// New coins received.
    pub into: Quantity,
}

/// A recorded price with what was noticed about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedPrice {
    /// The day.
    pub date: Date,
    /// Currency per whole coin.
    pub price: Price,
    /// What was noticed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub flag: Option<PriceFlag>,
}

/// What an import noticed about a price that it kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PriceFlag {
    /// Dated on no session: it may value a period end, never a NAV.
    NonSession,
    /// Moved more than the definition's limit against the price before.
    Jump,
    /// Its strike had already passed when it came.
    Late,
}

impl PriceFlag {
    /// The flag's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NonSession => "non-session",
            Self::Jump => "jump",
            Self::Late => "late",
        }
    }
}

/// Coins that changed hands with a value: bought, sold, contributed or delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sale {
    /// Per asset: coins, price, value and cost, all positive.
    pub assets: BTreeMap<Symbol, SaleLine>,
    /// Sum of the values, in cents.
    pub value: Money,
}

/// One asset of a [`Sale`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleLine {
    /// Coins.
    pub quantity: Quantity,
    /// Price of each.
    pub price: Price,
    /// What they fetched or cost.
    pub value: Money,
    /// Cost added to the lots or relieved from them.
    pub cost: Money,
}

/// An order dealt at a strike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderDealt {
    /// Which.
    pub id: OrderId,
    /// Its value at NAV, in cents.
    pub nav_value: Money,
    /// Coins due, per asset.
    pub coins: BTreeMap<Symbol, Quantity>,
}

/// A struck NAV.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NavRecord {
    /// The session.
    pub date: Date,
    /// When it was struck.
    pub struck_at: Timestamp,
    /// What it was computed from, with corrections since.
    pub inputs: NavInputs,
    /// The NAV with corrections since; equal to `published` while there are none.
    pub current: NavFigures,
    /// The NAV as published on the day; never changed.
    pub published: NavFigures,
    /// The recorded decision, when a tolerance had flagged the price.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub accepted: Option<String>,
}

/// What a NAV was computed from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NavInputs {
    /// Per asset.
    pub assets: BTreeMap<Symbol, AssetNav>,
    /// Shares outstanding on a trade-date basis, before the day's orders.
    pub shares: Shares,
    /// Of these, shares whose coins are the fund's: creations struck earlier and not yet funded are left out.
    pub entitled: Shares,
    /// Cash, margin and money receivable less payable.
    pub cash: Money,
    /// Sponsor fee accrued on earlier days and unpaid.
    pub accrued_fee: Money,
    /// Other expenses accrued and unpaid.
    pub accrued_expenses: Money,
    /// Distributions in money that shares have gone ex of and that are unpaid.
    #[serde(skip_serializing_if = "is_nothing", default)]
    pub distributions: Money,
    /// Date of the strike before: the fee covers each calendar day since.
    pub after: Date,
    /// What a price rests on, for each asset whose price was not taken as imported.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub evidence: BTreeMap<Symbol, PriceBasis>,
    /// The position of a fund of derivatives.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub position: Option<PositionNav>,
}

impl NavInputs {
    /// What of the distributions unpaid has to come from coins, because there is not enough money.
    pub(crate) fn uncovered(&self) -> Result<Money, strongroom_units::NumberError> {
        if self.distributions.is_zero() {
            return Ok(Money::ZERO);
        }
        Ok(self.distributions.try_sub(self.cash)?.max(Money::ZERO))
    }
}

fn is_nothing(amount: &Money) -> bool {
    amount.is_zero()
}

/// What a price rests on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "basis", rename_all = "kebab-case")]
pub enum PriceBasis {
    /// It was taken as imported.
    #[default]
    Imported,
    /// The definition's methodology computed it; the log has every interval, venue and exclusion.
    Rate {
        /// The methodology.
        methodology: String,
        /// From which day its rules hold.
        effective: Date,
        /// The evidence's input hash.
        input_hash: String,
    },
    /// It was decided on, because the methodology gave none.
    Fallback {
        /// Why.
        reason: String,
    },
    /// It was corrected afterwards.
    Corrected,
}

impl PriceBasis {
    /// What a computed rate rests on.
    pub fn of(evidence: &RateEvidence) -> Self {
        Self::Rate {
            methodology: evidence.methodology.id.clone(),
            effective: evidence.methodology.effective,
            input_hash: evidence.input_hash.clone(),
        }
    }

    /// Whether the price was taken as imported.
    pub fn is_imported(&self) -> bool {
        *self == Self::Imported
    }
}

/// One asset in a NAV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetNav {
    /// Reference rate.
    pub price: Price,
    /// Coins owned.
    pub owned: Quantity,
    /// Coins payable for fee accrued in coins.
    pub accrued_fee: Quantity,
    /// Coins due from creations struck earlier and not yet received.
    pub pending_creations: Quantity,
    /// Coins due to redemptions struck earlier and not yet given up.
    pub pending_redemptions: Quantity,
}

impl AssetNav {
    /// A price, and no coins.
    pub(crate) fn none_owned(price: Price, scale: strongroom_units::Scale) -> Self {
        let none = Quantity::zero(scale);
        Self { price, owned: none, accrued_fee: none, pending_creations: none, pending_redemptions: none }
    }
}

/// A NAV and what follows from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NavFigures {
    /// The six steps.
    pub valuation: Valuation,
    /// Net assets ÷ shares, half even at eighteen decimals.
    pub nav_per_share: Price,
    /// The same as published: half up at two decimals.
    pub nav_per_share_published: Money,
    /// Per asset, the Basket Amount of one share, rounded down.
    pub basket_amount: BTreeMap<Symbol, PerShare>,
    /// Per asset, coins set aside for accrued fee and expenses, rounded up.
    pub liability_coins: BTreeMap<Symbol, Quantity>,
}

/// The published NAVs that a correction changes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Restatement {
    /// The corrected records, oldest first, with `published` as it was.
    pub navs: Vec<NavRecord>,
    /// Fee accrued more (or, negative, less) than the books say: posted now.
    pub fee_adjustment: Money,
    /// Fee in coins that a day should have accrued more (or, negative, less): posted now.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub coin_fees: BTreeMap<Date, BTreeMap<Symbol, Quantity>>,
    /// Per asset, what is promised until the next strike; empty when the last strike's promise stands.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub promises: BTreeMap<Symbol, Promise>,
}

/// What a fund promises of one asset between two strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// Coins per share.
    pub basket_amount: PerShare,
    /// Coins set aside for accrued fee and expenses.
    pub set_aside: Quantity,
}
