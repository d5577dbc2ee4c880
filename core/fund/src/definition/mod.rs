//! The fund definition: everything that makes one fund differ from another, as dated data.
//!
//! A fund's type, fees and clocks are read from a `fund.toml`; adding a fund needs no code. What is read here is
//! already checked: a [`FundDefinition`] that exists is one the engine can run.

mod basket;
mod distribution;
mod error;
mod exposure;
mod parse;
mod raw;
mod vary;

pub use distribution::{
    BeyondLiquid, DistributionTerms, GiftPolicy, HarbourStatements, PaidIn, StakingTerms,
};
pub use error::DefinitionError;
pub use exposure::{Expiry, Exposure, Instrument, MarginTerms, Reset, Roll, days_between};
pub use vary::Terms;

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use strongroom_units::time::{Calendar, Date, Time, TimeError, Timestamp, Zone};
use strongroom_units::{Money, Rate, Scale, Shares, Symbol};

/// A checked fund definition.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FundDefinition {
    /// The fund's symbol, also the name of its stream in the log.
    pub id: Symbol,
    /// The fund's legal name.
    pub name: String,
    /// How many assets the fund may hold.
    pub kind: FundKind,
    /// The currency of its books.
    pub currency: Symbol,
    /// What it may hold. One asset for [`FundKind::SingleAsset`]; for [`FundKind::Derivatives`] the one asset that it is exposed to.
    pub assets: Vec<Asset>,
    /// What a basket follows; none for [`FundKind::SingleAsset`].
    pub index: Option<IndexReference>,
    /// The multiple that a fund of derivatives holds; none for a fund that holds its coins.
    pub exposure: Option<Exposure>,
    /// Assets for which an order in kind pays or receives cash, by trade date; none when all are delivered.
    pub cash_in_lieu: Option<Dated<BTreeSet<Symbol>>>,
    /// The first shares.
    pub seed: Seed,
    /// On which days the fund deals and strikes.
    pub calendar: Calendar,
    /// When NAV is struck.
    pub strike: Strike,
    /// Shares in one creation unit (basket), by date.
    pub creation_unit: Dated<Shares>,
    /// The published rate that NAV is measured against, by date.
    pub benchmark: Dated<Benchmark>,
    /// By which methodology each asset is priced at the strike; empty when rates are taken as imported.
    pub rates: Vec<RateSource>,
    /// The sponsor fee.
    pub fee: FeeSchedule,
    /// Where the coins are, by date opened.
    pub custody: Vec<CustodyAccount>,
    /// When orders are taken.
    pub order_windows: Vec<OrderWindow>,
    /// What a price may do before a person has to look at it.
    pub tolerance: Tolerance,
    /// Which lots a sale is taken from.
    pub cost_method: CostMethod,
    /// When and how holders are paid; none for a fund that pays them nothing but at its end.
    pub distribution: Option<DistributionTerms>,
    /// How coins are staked; none for a fund that does not stake.
    pub staking: Option<StakingTerms>,
    /// What a fund of one asset does with forks and airdrops.
    pub gifts: GiftPolicy,
    /// Shares that there may be at most; creations stop there.
    pub shares_most: Option<Shares>,
}

/// How many assets a fund may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FundKind {
    /// Exactly one.
    SingleAsset,
    /// Several, in the weights of an index.
    Basket,
    /// None: cash, margin and derivatives of one asset, for a multiple of its return.
    Derivatives,
}

/// The index that a basket fund follows, and what following it is assumed to cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexReference {
    /// The index's id.
    pub definition: String,
    /// Whether what holders of a coin are given in a fork or an airdrop is sold and reinvested; if not, it is left.
    pub sells_gifts: bool,
    /// Cost of a rebalance as a fraction of everything bought and sold in it, by date.
    pub cost: Dated<Rate>,
}

/// One asset of the fund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Its symbol in the fund's books.
    pub symbol: Symbol,
    /// Its name for people.
    pub name: String,
    /// Its base unit: 8 decimals for bitcoin, 18 for ether.
    pub scale: Scale,
}

/// The first shares, bought by the sponsor before anyone can deal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed {
    /// The day of the purchase; a session.
    pub date: Date,
    /// Shares issued.
    pub shares: Shares,
    /// Paid per share.
    pub nav_per_share: Money,
}

/// The wall-clock time of the strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strike {
    /// Whose wall clock.
    pub zone: Zone,
    /// The time of day.
    pub time: Time,
}

impl Strike {
    /// The instant of the strike on a date.
    pub fn instant(&self, date: Date) -> Result<Timestamp, TimeError> {
        self.zone.instant(date, self.time)
    }
}

/// A value with the day from which it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dated<T> {
    // INVARIANT: not empty, strictly ascending by date.
    entries: Vec<(Date, T)>,
}

impl<T> Dated<T> {
    /// Refuses an empty list and dates that do not ascend; the error is the index of the first bad entry.
    pub fn try_new(entries: Vec<(Date, T)>) -> Result<Self, usize> {
        if entries.is_empty() {
            return Err(0);
        }
        let ascends = |pair: &[(Date, T)]| matches!(pair, [(a, _), (b, _)] if a < b);
        match entries.windows(2).position(|pair| !ascends(pair)) {
            Some(index) => Err(index + 1),
            None => Ok(Self { entries }),
        }
    }

    /// The value in force on a date; none before the first.
    pub fn at(&self, date: Date) -> Option<&T> {
        self.entries.iter().rev().find(|(from, _)| *from <= date).map(|(_, value)| value)
    }

    /// Every entry, oldest first.
    pub fn entries(&self) -> &[(Date, T)] {
        &self.entries
    }
}

/// By which methodology an asset is priced at the strike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateSource {
    /// The first session it holds for.
    pub from: Date,
    /// The asset.
    pub asset: Symbol,
    /// What is priced, like `BTC-USD`.
    pub pair: String,
    /// The methodology's id.
    pub methodology: String,
}

/// The published rate that NAV is measured against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Benchmark {
    /// Short code, such as `BRRNY`.
    pub id: String,
    /// Full name.
    pub name: String,
}

/// The sponsor fee: rates, waivers, and how it accrues and is paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeeSchedule {
    /// In what the fee accrues.
    pub accrual: FeeAccrual,
    /// Days in the year of the fee.
    pub day_count: DayCount,
    /// The annual rate, by date; nothing accrues before the first.
    pub rate: Dated<Rate>,
    /// Lower rates for a while.
    pub waivers: Vec<Waiver>,
    /// When accrued fees are paid.
    pub payment: FeePayment,
}

/// In what the fee accrues, and on what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeeAccrual {
    /// In money, at each strike, on the NAV Fee Basis Amount, for each calendar day since the last strike.
    Money,
    /// In coins, for each calendar day, on the coins held: `round(holdings × rate ÷ day count, decimals)`.
    Coins {
        /// Decimals the filing keeps.
        decimals: u8,
    },
}

/// Days in the year of an annual rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DayCount {
    /// Always 360.
    #[serde(rename = "actual/360")]
    Actual360,
    /// Always 365.
    #[serde(rename = "actual/365")]
    Actual365,
    /// 365, or 366 in a leap year.
    #[serde(rename = "actual/actual")]
    ActualActual,
}

impl DayCount {
    /// Days in the year that a date is in.
    pub fn days(self, date: Date) -> i64 {
        match self {
            Self::Actual360 => 360,
            Self::Actual365 => 365,
            Self::ActualActual => i64::from(date.days_in_year()),
        }
    }
}

/// A lower rate on a first tranche, or on everything, while it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiver {
    /// First day.
    pub from: Date,
    /// Last day, included.
    pub through: Date,
    /// The annual rate while waived.
    pub annual: Rate,
    /// The tranche of the fee basis it covers; all of it when absent.
    pub first: Option<Money>,
}

/// When accrued fees are paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeePayment {
    /// How often.
    pub every: PaymentPeriod,
    /// On which session of the following period, from 1.
    pub session: u8,
}

impl FeePayment {
    /// The last day whose fee is paid on a session: the end of the month or quarter before, on the session that the
    /// definition names; none on every other day.
    pub fn due_on(&self, calendar: Calendar, session: Date) -> Option<Date> {
        let first = session.first_of_month();
        let starts_a_quarter = (session.month() - 1) % 3 == 0;
        let is_period_start = self.every == PaymentPeriod::Month || starts_a_quarter;
        let is_due = calendar.is_session(session)
            && calendar.sessions(first, session).count() == usize::from(self.session);
        if is_due && is_period_start { first.yesterday().ok() } else { None }
    }
}

/// How often accrued fees are paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PaymentPeriod {
    /// For each calendar month, in the next.
    Month,
    /// For each calendar quarter, in the next.
    Quarter,
}

/// An account where coins are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustodyAccount {
    /// Which of the two balances.
    pub account: CustodyKind,
    /// Who keeps it.
    pub custodian: String,
    /// The day it was opened.
    pub from: Date,
}

/// The two balances of a spot trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CustodyKind {
    /// Cold storage, segregated addresses.
    Vault,
    /// A pooled claim on the prime execution agent, for settlement.
    Trading,
}

/// How an order is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderMethod {
    /// The participant pays or receives money; the fund buys or sells the coins.
    Cash,
    /// The participant delivers or receives the coins.
    InKind,
}

impl core::fmt::Display for OrderMethod {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(match self {
            Self::Cash => "cash",
            Self::InKind => "in kind",
        })
    }
}

/// Until when an order for a trade date is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderWindow {
    /// The first trade date it holds for.
    pub from: Date,
    /// Which orders.
    pub method: OrderMethod,
    /// The wall-clock cut-off, in the strike's zone.
    pub cut_off: Time,
    /// How many sessions before the trade date the cut-off falls: 1 is T−1.
    pub sessions_before: u8,
}

/// What a price may do before a person has to look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tolerance {
    /// Largest move between two strikes, as a fraction, that is struck without a recorded decision.
    pub price_jump: Rate,
    /// Sessions in a row with the very same price after which it counts as stale.
    pub unchanged_sessions: u8,
    /// What an import does with a row that is dated on no session.
    pub non_session_price: NonSessionPrice,
}

/// What an import does with a price dated on a day without a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NonSessionPrice {
    /// Keep it and say so: it values a period end that falls on a weekend, and never becomes a NAV.
    Flag,
    /// Refuse the import.
    Refuse,
}

/// Which lots a sale is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CostMethod {
    /// All lots alike, at their average cost.
    Average,
    /// The oldest first.
    Fifo,
    /// The newest first.
    Lifo,
    /// The dearest first.
    Hifo,
}

impl FundDefinition {
    /// Reads and checks the text of a `fund.toml`.
    pub fn parse(text: &str) -> Result<Self, DefinitionError> {
        parse::parse(text)
    }

    /// Whether an order in kind of a trade date delivers an asset; if not, cash stands in for it.
    pub fn delivers(&self, asset: Symbol, trade_date: Date) -> bool {
        let in_lieu = self.cash_in_lieu.as_ref().and_then(|dated| dated.at(trade_date));
        in_lieu.is_none_or(|assets| !assets.contains(&asset))
    }

    /// The asset with this symbol.
    pub fn asset(&self, symbol: Symbol) -> Option<&Asset> {
        self.assets.iter().find(|asset| asset.symbol == symbol)
    }

    /// How an asset is priced at the strike of a date; none when its rate is taken as imported.
    pub fn rate_source(&self, asset: Symbol, date: Date) -> Option<&RateSource> {
        let in_force = |source: &&RateSource| source.asset == asset && source.from <= date;
        self.rates.iter().filter(in_force).max_by_key(|source| source.from)
    }

    /// The last instant at which an order of this method for this trade date is taken; none when the fund
    /// takes no such orders on that date.
    pub fn cut_off(&self, method: OrderMethod, trade_date: Date) -> Result<Option<Timestamp>, TimeError> {
        let in_force = |window: &&OrderWindow| window.method == method && window.from <= trade_date;
        let Some(window) = self.order_windows.iter().filter(in_force).max_by_key(|window| window.from) else {
            return Ok(None);
        };
        let date = self.calendar.add_sessions(trade_date, -i32::from(window.sessions_before))?;
        self.strike.zone.instant(date, window.cut_off).map(Some)
    }
}
