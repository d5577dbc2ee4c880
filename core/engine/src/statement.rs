//! Statements over a period, computed from the state alone: the same state gives the same bytes.
//!
//! The statement of assets and liabilities is that of the last strike on or before the end, before that day's
//! orders; the roll-forward is on a trade-date basis and includes them. Corrections made since are in the
//! `current` figures, the figures as published stay beside them.

use crate::event::NavRecord;
use crate::refusal::Refusal;
use crate::state::FundState;
pub use crate::statement_life::LifeRow;
use crate::statement_life::life_rows;
use serde::Serialize;
use strongroom_fund::rollforward::{Position, RollForward, roll_forward};
use strongroom_units::time::Date;
use strongroom_units::{Money, PerShare, Price, Quantity, Rounding, Shares, Symbol};

/// The statements of one fund over one period.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Statement {
    /// The fund.
    pub fund: Symbol,
    /// Its name.
    pub name: String,
    /// Its currency.
    pub currency: Symbol,
    /// First day.
    pub from: Date,
    /// Last day.
    pub through: Date,
    /// As of the last strike in the period.
    pub assets_and_liabilities: Option<AssetsAndLiabilities>,
    /// Per asset that was ever held.
    pub roll_forwards: Vec<RollForwardStatement>,
    /// Every NAV of the period.
    pub navs: Vec<NavRow>,
    /// Per NAV and asset.
    pub holdings: Vec<HoldingRow>,
    /// Distributions, splits and changes of the period.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub life: Vec<LifeRow>,
}

/// The statement of assets and liabilities at a strike. Money at eight decimals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AssetsAndLiabilities {
    /// The strike.
    pub as_of: Date,
    /// Coins at the reference rate, with those due from and to pending orders.
    pub investments: Money,
    /// Cash and money receivable less payable.
    pub cash: Money,
    /// Investments and cash.
    pub total_assets: Money,
    /// Sponsor fee accrued and unpaid, in money or at the value of its coins.
    pub sponsor_fee_payable: Money,
    /// Other expenses accrued and unpaid.
    pub expenses_payable: Money,
    /// Distributions that shares have gone ex of and that are unpaid.
    #[serde(skip_serializing_if = "is_nothing")]
    pub distributions_payable: Money,
    /// Fee, expenses and distributions.
    pub total_liabilities: Money,
    /// Assets less liabilities.
    pub net_assets: Money,
    /// Shares outstanding.
    pub shares_outstanding: Shares,
    /// Net assets per share.
    pub nav_per_share: Price,
}

fn is_nothing(amount: &Money) -> bool {
    amount.is_zero()
}

/// One asset's roll-forward, in rows that foot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RollForwardStatement {
    /// The asset.
    pub asset: Symbol,
    /// `begin`, one row per kind of movement, `realised gain`, `change in unrealised`, `end`.
    pub rows: Vec<RollForwardRow>,
    /// Whether begin plus the rows is end, in coins and in money.
    pub foots: bool,
}

/// One row of a roll-forward.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RollForwardRow {
    /// The asset.
    pub asset: Symbol,
    /// The line.
    pub line: &'static str,
    /// Coins, signed; absent for the two rows of gains.
    pub quantity: Option<Quantity>,
    /// Cost, signed; absent for the two rows of gains.
    pub cost: Option<Money>,
    /// Fair value, signed.
    pub fair_value: Money,
    /// Gain realised by the row.
    pub realised_gain: Option<Money>,
}

/// One NAV.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NavRow {
    /// The session.
    pub date: Date,
    /// Shares outstanding before the day's orders.
    pub shares: Shares,
    /// Coins valued, and cash.
    pub holdings: Money,
    /// The NAV Fee Basis Amount.
    pub fee_basis: Money,
    /// Fee accrued by this strike.
    pub fee: Money,
    /// Fee accrued and unpaid after it.
    pub accrued_fee: Money,
    /// Net assets.
    pub net_assets: Money,
    /// Net assets per share.
    pub nav_per_share: Price,
    /// The same on the shares of today; none when they were not split since.
    pub nav_per_share_split_adjusted: Option<Price>,
    /// As published, two decimals.
    pub nav_per_share_published: Money,
    /// The published figure less today's knowledge of it, in published cents; zero unless corrected.
    pub correction: Money,
}

/// One asset at one NAV.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HoldingRow {
    /// The session.
    pub date: Date,
    /// The asset.
    pub asset: Symbol,
    /// Reference rate.
    pub price: Price,
    /// Coins owned.
    pub owned: Quantity,
    /// Coins payable for fee accrued in coins.
    pub accrued_fee: Quantity,
    /// Coins due from pending creations.
    pub pending_creations: Quantity,
    /// Coins due to pending redemptions.
    pub pending_redemptions: Quantity,
    /// Coins per share.
    pub basket_amount_per_share: PerShare,
}

/// The statements from `from` through `through`.
pub fn statement(state: &FundState, from: Date, through: Date) -> Result<Statement, Refusal> {
    let definition = state.definition();
    let navs = || state.navs().iter().filter(|nav| from <= nav.date && nav.date <= through);
    let moved = definition.assets.iter().filter(|asset| !state.movements(asset.symbol).is_empty());
    let roll_forwards = moved.map(|asset| rolled(state, asset.symbol, from, through));
    Ok(Statement {
        fund: definition.id,
        name: definition.name.clone(),
        currency: definition.currency,
        from,
        through,
        assets_and_liabilities: navs().next_back().map(assets_and_liabilities).transpose()?,
        roll_forwards: roll_forwards.collect::<Result<_, _>>()?,
        navs: navs().map(|nav| nav_row(state, nav)).collect::<Result<_, _>>()?,
        holdings: navs().flat_map(holding_rows).collect(),
        life: life_rows(state, from, through),
    })
}

/// The statement of assets and liabilities of one NAV, as it is known today.
pub fn assets_and_liabilities(nav: &NavRecord) -> Result<AssetsAndLiabilities, Refusal> {
    let valuation = nav.current.valuation;
    let mut fee_coins_value = Money::ZERO;
    for input in nav.inputs.assets.values() {
        fee_coins_value =
            fee_coins_value.try_add(input.price.value(input.accrued_fee, Rounding::HalfEven)?)?;
    }
    let sponsor_fee_payable = nav.inputs.accrued_fee.try_add(valuation.fee)?.try_add(fee_coins_value)?;
    let total_liabilities =
        sponsor_fee_payable.try_add(nav.inputs.accrued_expenses)?.try_add(nav.inputs.distributions)?;
    let total_assets = valuation.net_assets.try_add(total_liabilities)?;
    Ok(AssetsAndLiabilities {
        as_of: nav.date,
        investments: total_assets.try_sub(nav.inputs.cash)?,
        cash: nav.inputs.cash,
        total_assets,
        sponsor_fee_payable,
        expenses_payable: nav.inputs.accrued_expenses,
        distributions_payable: nav.inputs.distributions,
        total_liabilities,
        net_assets: valuation.net_assets,
        shares_outstanding: nav.inputs.shares,
        nav_per_share: nav.current.nav_per_share,
    })
}

/// The roll-forward of one asset; coins at the ends are valued at the price of that day, or else the last before.
pub fn roll_forward_of(
    state: &FundState,
    asset: Symbol,
    from: Date,
    through: Date,
) -> Result<RollForward, Refusal> {
    let scale = state.definition().asset(asset).ok_or(Refusal::AssetMustBeInDefinition(asset))?.scale;
    let price_by = |wanted: &dyn Fn(Date) -> bool| {
        state.prices(asset).rev().find(|(date, _)| wanted(*date)).map(|(_, record)| record.price)
    };
    let begin = price_by(&|date| date < from);
    let end = price_by(&|date| date <= through);
    Ok(roll_forward(state.movements(asset), scale, (from, through), begin, end)?)
}

fn rolled(
    state: &FundState,
    asset: Symbol,
    from: Date,
    through: Date,
) -> Result<RollForwardStatement, Refusal> {
    let rolled = roll_forward_of(state, asset, from, through)?;
    let end_of = |line, position: &Position| RollForwardRow {
        asset,
        line,
        quantity: Some(position.quantity),
        cost: Some(position.cost),
        fair_value: position.fair_value,
        realised_gain: None,
    };
    let gain = |line, fair_value| RollForwardRow {
        asset,
        line,
        quantity: None,
        cost: None,
        fair_value,
        realised_gain: None,
    };
    let mut rows = vec![end_of("begin", &rolled.begin)];
    rows.extend(rolled.lines.iter().map(|line| RollForwardRow {
        asset,
        line: line.kind.label(),
        quantity: Some(line.quantity),
        cost: Some(line.cost),
        fair_value: line.value,
        realised_gain: Some(line.realised_gain),
    }));
    rows.push(gain("realised gain", rolled.realised_gain));
    rows.push(gain("change in unrealised", rolled.unrealised_change));
    rows.push(end_of("end", &rolled.end));
    Ok(RollForwardStatement { asset, rows, foots: rolled.foots()? })
}

fn nav_row(state: &FundState, nav: &NavRecord) -> Result<NavRow, Refusal> {
    let valuation = nav.current.valuation;
    Ok(NavRow {
        date: nav.date,
        shares: nav.inputs.shares,
        holdings: valuation.holdings,
        fee_basis: valuation.fee_basis,
        fee: valuation.fee,
        accrued_fee: nav.inputs.accrued_fee.try_add(valuation.fee)?,
        net_assets: valuation.net_assets,
        nav_per_share: nav.current.nav_per_share,
        nav_per_share_split_adjusted: match state.split_adjusted(nav.current.nav_per_share, nav.date)? {
            adjusted if adjusted == nav.current.nav_per_share => None,
            adjusted => Some(adjusted),
        },
        nav_per_share_published: nav.published.nav_per_share_published,
        correction: nav.published.nav_per_share_published.try_sub(nav.current.nav_per_share_published)?,
    })
}

fn holding_rows(nav: &NavRecord) -> Vec<HoldingRow> {
    let rows = nav.inputs.assets.iter().map(|(asset, input)| HoldingRow {
        date: nav.date,
        asset: *asset,
        price: input.price,
        owned: input.owned,
        accrued_fee: input.accrued_fee,
        pending_creations: input.pending_creations,
        pending_redemptions: input.pending_redemptions,
        basket_amount_per_share: nav.current.basket_amount.get(asset).copied().unwrap_or_default(),
    });
    rows.collect()
}
