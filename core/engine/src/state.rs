//! Everything the engine knows about one fund. Replaying the log gives it; a snapshot only saves time.

use crate::command::{AssetChange, Change, HaltScope};
use crate::event::NavRecord;
use crate::event::PriceBasis;
use crate::exposure::Position;
use crate::ledger::Ledger;
use crate::life::LifeState;
use crate::order::{Order, OrderId, OrderSide, OrderState};
use crate::reserve::ReserveSheet;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use strongroom_fund::FundDefinition;
use strongroom_fund::definition::{FundKind, OrderMethod};
use strongroom_fund::lots::Lots;
use strongroom_fund::rollforward::Movement;
use strongroom_units::time::{Date, Timestamp};
use strongroom_units::{Money, NumberError, Price, Quantity, Rate, Shares, Symbol};

/// The state of one open fund.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Parts")]
pub struct FundState {
    pub(crate) definition: Arc<FundDefinition>,
    pub(crate) parts: Parts,
}

/// The serialised form of the state: the definition as its text, all else as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Parts {
    pub(crate) definition_text: String,
    pub(crate) last_at: Timestamp,
    pub(crate) status: FundStatus,
    pub(crate) issued: Shares,
    pub(crate) ledger: Ledger,
    pub(crate) reserve: ReserveSheet,
    pub(crate) lots: BTreeMap<Symbol, Lots>,
    pub(crate) movements: BTreeMap<Symbol, Vec<Movement>>,
    pub(crate) prices: BTreeMap<Symbol, BTreeMap<Date, PriceRecord>>,
    pub(crate) navs: Vec<NavRecord>,
    pub(crate) orders: BTreeMap<OrderId, Order>,
    pub(crate) closed: BTreeMap<OrderId, ClosedOrder>,
    pub(crate) expenses: BTreeMap<OrderId, (Date, Money)>,
    pub(crate) coins_accrued_through: Date,
    pub(crate) coin_fees: BTreeMap<Date, BTreeMap<Symbol, Quantity>>,
    pub(crate) coin_holdings: BTreeMap<Date, BTreeMap<Symbol, Quantity>>,
    pub(crate) fee_paid: Money,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) last_rebalance: Option<LastRebalance>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(crate) asset_changes: Vec<KnownChange>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) position: Option<Position>,
    #[serde(skip_serializing_if = "LifeState::is_empty", default)]
    pub(crate) life: LifeState,
}

/// Whether the fund takes orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "kebab-case")]
pub enum FundStatus {
    /// It does.
    Running,
    /// It does not, or takes redemptions only.
    Halted {
        /// Which orders are not taken.
        scope: HaltScope,
        /// Why.
        reason: String,
    },
}

/// A recorded reference rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceRecord {
    /// Currency per whole coin, with corrections since.
    pub price: Price,
    /// Where it came from.
    pub source: Arc<str>,
    /// What it rests on.
    #[serde(skip_serializing_if = "PriceBasis::is_imported", default)]
    pub basis: PriceBasis,
}

/// What is remembered of the last rebalance: enough to know a repeat, and to price what it bought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LastRebalance {
    pub(crate) date: Date,
    pub(crate) targets: BTreeMap<Symbol, Rate>,
    pub(crate) prices: BTreeMap<Symbol, Price>,
}

/// What happened to an asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownChange {
    /// The day.
    pub date: Date,
    /// To which asset.
    pub asset: Symbol,
    /// What.
    pub change: Change,
    /// The last strike before it.
    pub(crate) struck: Date,
    /// Worth of a new asset until it is struck.
    pub(crate) price: Option<(Symbol, Price)>,
}

impl KnownChange {
    pub(crate) fn is_of(&self, given: &AssetChange) -> bool {
        (self.date, self.asset, &self.change) == (given.date, given.asset, &given.change)
    }
}

/// What is remembered of an order that is over: enough to know a repeat from a conflict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClosedOrder {
    pub(crate) participant: String,
    pub(crate) method: OrderMethod,
    pub(crate) side: OrderSide,
    pub(crate) shares: Shares,
    pub(crate) trade_date: Date,
    pub(crate) cancelled: bool,
}

impl FundState {
    /// The fund's definition.
    pub fn definition(&self) -> &FundDefinition {
        &self.definition
    }

    /// The text of the definition, as it was opened.
    pub fn definition_text(&self) -> &str {
        &self.parts.definition_text
    }

    /// The instant of the last event.
    pub fn last_at(&self) -> Timestamp {
        self.parts.last_at
    }

    /// Whether orders are taken.
    pub fn status(&self) -> &FundStatus {
        &self.parts.status
    }

    /// Shares issued and not redeemed, on a settlement basis.
    pub fn issued(&self) -> Shares {
        self.parts.issued
    }

    /// Every balance.
    pub fn ledger(&self) -> &Ledger {
        &self.parts.ledger
    }

    /// What is held and owed per asset.
    pub fn reserve(&self) -> &ReserveSheet {
        &self.parts.reserve
    }

    /// The cost lots of an asset.
    pub fn lots(&self, asset: Symbol) -> Option<&Lots> {
        self.parts.lots.get(&asset)
    }

    /// The movements of an asset's coins, oldest first.
    pub fn movements(&self, asset: Symbol) -> &[Movement] {
        self.parts.movements.get(&asset).map_or(&[], Vec::as_slice)
    }

    /// The recorded price of a day.
    pub fn price(&self, asset: Symbol, date: Date) -> Option<&PriceRecord> {
        self.parts.prices.get(&asset)?.get(&date)
    }

    /// Recorded prices of an asset, by day.
    pub fn prices(&self, asset: Symbol) -> impl DoubleEndedIterator<Item = (Date, &PriceRecord)> {
        self.parts.prices.get(&asset).into_iter().flatten().map(|(date, record)| (*date, record))
    }

    /// Every NAV, oldest first; the first is the seed's.
    pub fn navs(&self) -> &[NavRecord] {
        &self.parts.navs
    }

    /// The last NAV.
    pub fn last_nav(&self) -> Option<&NavRecord> {
        self.parts.navs.last()
    }

    /// The NAV of a session.
    pub fn nav(&self, date: Date) -> Option<&NavRecord> {
        let index = self.parts.navs.binary_search_by_key(&date, |nav| nav.date).ok()?;
        self.parts.navs.get(index)
    }

    /// Open orders by id.
    pub fn orders(&self) -> impl Iterator<Item = &Order> {
        self.parts.orders.values()
    }

    /// One open order.
    pub fn order(&self, id: &OrderId) -> Option<&Order> {
        self.parts.orders.get(id)
    }

    /// Whose an order is or was, open or over.
    pub fn dealt_by(&self, id: &OrderId) -> Option<&str> {
        let open = self.parts.orders.get(id).map(|order| &order.participant);
        open.or_else(|| self.parts.closed.get(id).map(|over| &over.participant)).map(String::as_str)
    }

    /// Shares outstanding on a trade-date basis: issued, plus struck creations, less struck redemptions.
    pub fn outstanding(&self) -> Result<Shares, NumberError> {
        self.orders().try_fold(self.issued(), |shares, order| match (&order.state, order.side) {
            (OrderState::Accepted, _) => Ok(shares),
            (_, OrderSide::Creation) => shares.try_add(order.shares),
            (_, OrderSide::Redemption) => shares.try_sub(order.shares),
        })
    }

    /// The position of a fund of derivatives.
    pub fn position(&self) -> Option<&Position> {
        self.parts.position.as_ref()
    }

    /// Net assets by the books as they are now: of a fund of derivatives, whose every gain is money.
    pub fn net_assets_in_money(&self) -> Result<Money, NumberError> {
        crate::decide::net_assets(self)
    }

    /// When nothing was left of a fund of derivatives.
    pub fn wiped_out(&self) -> Option<Date> {
        self.position().and_then(|position| position.wiped_out)
    }

    /// Assets whose prices a strike needs now: all that a basket holds, owes or is due; the one of any other fund.
    pub fn assets_to_price(&self) -> Result<Vec<Symbol>, NumberError> {
        if self.definition.kind == FundKind::Derivatives {
            return Ok(self.definition.assets.iter().map(|asset| asset.symbol).collect());
        }
        let is_basket = self.definition.kind == FundKind::Basket;
        let mut assets = Vec::new();
        for position in self.reserve().positions()? {
            let zero = Quantity::zero(position.held.scale());
            let (coming, going) = self.pending(position.asset, zero)?;
            let owed = [position.held, position.set_aside, coming, going];
            if !is_basket || owed.iter().any(|quantity| !quantity.is_zero()) {
                assets.push(position.asset);
            }
        }
        Ok(assets)
    }

    /// The last rebalance, when no session has been struck since.
    pub(crate) fn rebalanced_since_strike(&self) -> Option<&LastRebalance> {
        let last = self.last_nav()?.date;
        self.parts.last_rebalance.as_ref().filter(|rebalance| rebalance.date == last)
    }

    /// What happened to assets of the fund, oldest first.
    pub fn asset_changes(&self) -> &[KnownChange] {
        &self.parts.asset_changes
    }

    fn changes_since_strike(&self) -> impl Iterator<Item = &KnownChange> {
        let last = self.last_nav().map(|nav| nav.date);
        self.parts.asset_changes.iter().filter(move |change| Some(change.struck) == last)
    }

    /// Whether coins per share are others than at the last strike.
    pub(crate) fn has_changed_since_strike(&self) -> bool {
        let last = self.last_nav().map(|nav| nav.date);
        self.rebalanced_since_strike().is_some()
            || self.changes_since_strike().next().is_some()
            || (last.is_some() && self.parts.life.promised_after == last)
    }

    /// Prices of the last strike, and of a rebalance since.
    pub(crate) fn last_prices(&self) -> BTreeMap<Symbol, Price> {
        let struck = self.last_nav().into_iter().flat_map(|nav| &nav.inputs.assets);
        let struck = struck.map(|(asset, input)| (*asset, input.price));
        let traded = self.rebalanced_since_strike().into_iter().flat_map(|rebalance| &rebalance.prices);
        let migrated = self.changes_since_strike().filter_map(|change| change.price);
        // The strike's price where there is one: a basket is valued at its reference rates.
        migrated.chain(traded.map(|(asset, price)| (*asset, *price))).chain(struck).collect()
    }

    /// Coins that the fund buys or sells for an order: all of a cash order, of an order in kind those for which cash stands in.
    pub fn coins_to_trade(&self, order: &Order) -> BTreeMap<Symbol, Quantity> {
        let is_traded = |asset: Symbol| match order.method {
            OrderMethod::Cash => true,
            OrderMethod::InKind => !self.definition.delivers(asset, order.trade_date),
        };
        let coins = order.coins().into_iter().flatten();
        coins
            .filter(|(asset, quantity)| is_traded(**asset) && !quantity.is_zero())
            .map(|(asset, quantity)| (*asset, *quantity))
            .collect()
    }

    /// Coins of an order, once it is struck, that change hands at settlement: none of a cash order.
    pub fn coins_to_deliver(&self, order: &Order) -> BTreeMap<Symbol, Quantity> {
        let coins = order.coins().filter(|_| order.method == OrderMethod::InKind).into_iter().flatten();
        coins
            .filter(|(asset, _)| self.definition.delivers(**asset, order.trade_date))
            .map(|(asset, quantity)| (*asset, *quantity))
            .collect()
    }

    /// Whether coins of an order have still to move in the books.
    pub(crate) fn awaits_coins(&self, order: &Order) -> bool {
        match order.state {
            OrderState::Accepted => false,
            OrderState::Struck { .. } => true,
            OrderState::Executed { .. } => order.method == OrderMethod::InKind,
        }
    }

    /// Coins of struck orders whose coins have not moved in the books, per side.
    pub(crate) fn pending(&self, asset: Symbol, zero: Quantity) -> Result<(Quantity, Quantity), NumberError> {
        let mut pending = (zero, zero);
        for order in self.orders() {
            if !self.awaits_coins(order) {
                continue;
            }
            // What cash stands in for moves at the execution, what is delivered at settlement.
            let has_moved = matches!(order.state, OrderState::Executed { .. })
                && !self.definition.delivers(asset, order.trade_date);
            let Some(quantity) = order.coins().and_then(|coins| coins.get(&asset)).filter(|_| !has_moved)
            else {
                continue;
            };
            let side = match order.side {
                OrderSide::Creation => &mut pending.0,
                OrderSide::Redemption => &mut pending.1,
            };
            *side = side.try_add(*quantity)?;
        }
        Ok(pending)
    }

    /// Coins on which a day's fee in coins accrues: held, and due from and to struck orders.
    pub(crate) fn fee_holdings(&self) -> Result<BTreeMap<Symbol, Quantity>, NumberError> {
        let mut holdings = BTreeMap::new();
        for position in self.reserve().positions()? {
            let zero = Quantity::zero(position.held.scale());
            let (coming, going) = self.pending(position.asset, zero)?;
            holdings.insert(position.asset, position.held.try_add(coming)?.try_sub(going)?);
        }
        Ok(holdings)
    }

    /// Canonical JSON of the whole state: equal states have equal bytes.
    pub fn to_snapshot(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// Reads what [`FundState::to_snapshot`] wrote.
    pub fn from_snapshot(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}

impl TryFrom<Parts> for FundState {
    type Error = strongroom_fund::DefinitionError;

    fn try_from(parts: Parts) -> Result<Self, Self::Error> {
        Ok(Self { definition: Arc::new(FundDefinition::parse(&parts.definition_text)?), parts })
    }
}

impl Serialize for FundState {
    /// By reference: a snapshot copies no state.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.parts.serialize(serializer)
    }
}
