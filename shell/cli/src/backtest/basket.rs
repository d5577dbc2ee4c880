//! What a basket fund's backtest has beside that of any fund: the index that it follows, and what following it came to.

use super::inputs::{Pricing, name_of};
use super::risk::{AssetFall, Correlation, correlations, falls};
use super::{Backtest, Ended};
use crate::failure::{Exit, Failure};
use crate::index::{formed, read_market, replacements, shipped};
use serde::Serialize;
use std::collections::BTreeMap;
use strongroom_backtest::{Changes, RebalanceRow, Target, happenings, session_for, symbol_of, targets};
use strongroom_engine::statement::roll_forward_of;
use strongroom_engine::{Change, FundState, NavRecord, Refusal};
use strongroom_fund::FundDefinition;
use strongroom_market::index::{Frequency, Index, IndexRun, Market};
use strongroom_units::time::{Calendar, Date};
use strongroom_units::{Money, Price, Rate, Rounding, Symbol};

/// An index that a basket follows, and the files of its market.
pub(crate) struct IndexFiles {
    pub index: Index,
    pub market: Market,
    pub sources: Vec<(String, String)>,
}

/// The index over the run's days.
pub(crate) struct Followed {
    pub run: IndexRun,
    pub levels: BTreeMap<Date, Price>,
    pub prices: BTreeMap<Symbol, BTreeMap<Date, Price>>,
    pub targets: BTreeMap<Date, Target>,
    pub changes: Changes,
    pub sources: Vec<(String, String)>,
}

impl IndexFiles {
    pub fn read(args: &Backtest, definition: &FundDefinition) -> Result<Option<Self>, Failure> {
        match (&definition.index, args.market.is_empty()) {
            (None, true) => Ok(None),
            (Some(reference), false) => {
                let index: Index = shipped::find(&reference.definition, args.index.as_deref())?;
                let (market, sources) = read_market(&index, &args.market)?;
                Ok(Some(Self { index, market, sources }))
            }
            (None, false) => {
                let message = "--market is for a basket, and this fund holds one asset";
                let failure = Failure::new("backtest.market_must_go_with_a_basket", message, Exit::Input);
                Err(failure.hint("Give its daily closes with --prices."))
            }
            (Some(index), true) => {
                let message =
                    format!("the fund follows {}: its snapshots and prices are needed", index.definition);
                let failure = Failure::new("backtest.basket_must_be_given_a_market", message, Exit::Input);
                Err(failure.hint("Give --market for the snapshots and for each file of daily closes."))
            }
        }
    }

    /// Runs an index over these files, and makes its changes the fund's targets.
    pub fn follow(
        &self,
        definition: &FundDefinition,
        index: &Index,
        pricing: Pricing,
        to: Date,
    ) -> Result<Followed, Failure> {
        let run = index.run(&self.market, index.base_date, to)?;
        let prices = match run.levels_are {
            Frequency::Daily => closes(pricing, definition, &self.market)?,
            Frequency::SnapshotsOnly => of_snapshots(definition, index, &self.market)?,
        };
        let mut targets = targets(definition, (index, &run), &prices, to)?;
        let changes = happenings(definition, (index, &run), &prices, &mut targets, to)?;
        let mut levels = BTreeMap::new();
        for level in &run.levels {
            let session = match run.levels_are {
                Frequency::Daily => level.date,
                Frequency::SnapshotsOnly => session_for(definition, level.date).map_err(Refusal::from)?,
            };
            levels.insert(session, level.level);
        }
        Ok(Followed { run, levels, prices, targets, changes, sources: self.sources.clone() })
    }
}

type Prices = BTreeMap<Symbol, BTreeMap<Date, Price>>;

fn closes(pricing: Pricing, definition: &FundDefinition, market: &Market) -> Result<Prices, Failure> {
    let mut prices = Prices::new();
    for asset in definition.assets.iter().map(|asset| asset.symbol) {
        if let Some(series) = market.series(asset.as_str()) {
            prices.insert(asset, pricing.of(definition, series.closes.clone())?);
        }
    }
    Ok(prices)
}

/// Prices of snapshots, each on the first session that can use it: they are up to a long weekend old there, and so are the
/// levels of the index.
fn of_snapshots(definition: &FundDefinition, index: &Index, market: &Market) -> Result<Prices, Failure> {
    let mut prices = Prices::new();
    for (date, snapshot) in market.snapshots() {
        let session = session_for(definition, *date).map_err(Refusal::from)?;
        for (name, listing) in snapshot {
            let asset = symbol_of(index, &index.identify(name, *date));
            if let Some(asset) = asset.filter(|asset| definition.asset(*asset).is_some()) {
                prices.entry(asset).or_default().insert(session, listing.price);
            }
        }
    }
    Ok(prices)
}

/// What following the index came to. Fractions: 0.05 is five per cent.
#[derive(Serialize)]
pub(crate) struct Basket {
    pub index: String,
    /// `daily`, or `monthly` for a fund that is struck once a month.
    pub struck: &'static str,
    /// Months, or other periods, for which the index was formed.
    pub formed: usize,
    /// Coins whose place the next rank took.
    pub replacements: usize,
    pub rebalances: usize,
    /// Half of everything bought and sold, over net assets, summed.
    pub turnover: f64,
    pub cost: Money,
    pub tracking: Option<Tracking>,
    /// Coins of equal weight that would be as concentrated, at the last strike.
    pub effective_assets: f64,
    pub contributions: Vec<Contribution>,
    pub correlations: Vec<Correlation>,
    pub falls: Vec<AssetFall>,
}

/// `fund = index × (1 + fee) × (1 + cost) × (1 + later_sessions) × (1 + rest)`, each as growth over the period.
#[derive(Serialize)]
pub(crate) struct Tracking {
    pub fund: f64,
    pub index: f64,
    pub fee: f64,
    pub cost: f64,
    /// Changes of the index on days without a session, made on the next one.
    pub later_sessions: f64,
    /// Unpaid fee that stays invested, money waiting in cash, creations and redemptions, and rounding.
    pub rest: f64,
}

/// What one asset brought over the period.
#[derive(Serialize)]
pub(crate) struct Contribution {
    pub asset: Symbol,
    /// Realised gain and change in unrealised.
    pub gain: Money,
    pub sessions_held: usize,
    pub largest_weight: f64,
}

/// One asset's part of what is held at a strike.
#[derive(Serialize)]
pub(super) struct WeightRow {
    pub date: Date,
    pub asset: Symbol,
    pub weight: f64,
}

/// One row of `rebalances.csv`.
#[derive(Serialize)]
pub(super) struct Rebalanced {
    pub date: Date,
    pub effective: Date,
    pub net_assets: Money,
    pub sold: Money,
    pub bought: Money,
    pub cost: Money,
    pub turnover: f64,
    pub reason: String,
}

impl From<&RebalanceRow> for Rebalanced {
    fn from(row: &RebalanceRow) -> Self {
        let RebalanceRow { date, effective, net_assets, sold, bought, cost, reason } = row.clone();
        Self { date, effective, net_assets, sold, bought, cost, turnover: turnover(row), reason }
    }
}

fn float(amount: Money) -> f64 {
    amount.to_decimal().to_f64()
}

/// Half of what was bought and sold, over net assets.
pub(super) fn turnover(row: &RebalanceRow) -> f64 {
    (float(row.sold) + float(row.bought)) / 2.0 / float(row.net_assets)
}

impl Basket {
    pub fn try_new(
        definition: &FundDefinition,
        followed: &Followed,
        ended: &Ended,
        period: (Date, Date),
    ) -> Result<Self, Failure> {
        let state = &ended.state;
        let weights = weights(state, period)?;
        let rebalances = within(&ended.summary.rebalances, period);
        let last = weights.last().map(|row| row.date);
        let mut contributions = Vec::new();
        for asset in definition.assets.iter().map(|asset| asset.symbol) {
            let of: Vec<f64> =
                weights.iter().filter(|row| row.asset == asset).map(|row| row.weight).collect();
            if of.is_empty() {
                continue;
            }
            // Through the last strike, so that the gains come to the change in net assets.
            let rolled = roll_forward_of(state, asset, period.0, last.unwrap_or(period.1))?;
            contributions.push(Contribution {
                asset,
                gain: rolled.realised_gain.try_add(rolled.unrealised_change)?,
                sessions_held: of.len(),
                largest_weight: of.iter().copied().fold(0.0, f64::max),
            });
        }
        contributions.sort_by_key(|contribution| std::cmp::Reverse(contribution.gain));
        Ok(Self {
            index: followed.run.id.clone(),
            struck: match definition.calendar {
                Calendar::Nyse => "daily",
                Calendar::NyseMonthly => "monthly",
            },
            formed: formed(&followed.run).count(),
            replacements: replacements(&followed.run),
            rebalances: rebalances.len(),
            turnover: rebalances.iter().map(|row| turnover(row)).sum(),
            cost: rebalances.iter().try_fold(Money::ZERO, |sum, row| sum.try_add(row.cost))?,
            tracking: tracking(state, followed, &rebalances, period),
            effective_assets: effective(weights.iter().filter(|row| Some(row.date) == last)),
            contributions,
            correlations: correlations(state, followed, period),
            falls: falls(state, period),
        })
    }
}

pub(super) fn within(rows: &[RebalanceRow], (from, to): (Date, Date)) -> Vec<&RebalanceRow> {
    rows.iter().filter(|row| from <= row.date && row.date <= to).collect()
}

/// Every asset's part of the coins' worth at each strike of a period, before that day's rebalance.
pub(super) fn weights(state: &FundState, (from, to): (Date, Date)) -> Result<Vec<WeightRow>, Failure> {
    let mut rows = Vec::new();
    for nav in state.navs().iter().filter(|nav| from <= nav.date && nav.date <= to) {
        let mut values = Vec::new();
        for (asset, input) in &nav.inputs.assets {
            values.push((*asset, float(input.price.value(input.owned, Rounding::HalfEven)?)));
        }
        let whole: f64 = values.iter().map(|(_, value)| value).sum();
        rows.extend(values.into_iter().map(|(asset, value)| WeightRow {
            date: nav.date,
            asset,
            weight: value / whole,
        }));
    }
    Ok(rows)
}

/// `1 ÷ Σ weight²`.
pub(super) fn effective<'a>(weights: impl Iterator<Item = &'a WeightRow>) -> f64 {
    let concentration: f64 = weights.map(|row| row.weight * row.weight).sum();
    if concentration > 0.0 { 1.0 / concentration } else { 0.0 }
}

fn tracking(
    state: &FundState,
    followed: &Followed,
    rebalances: &[&RebalanceRow],
    (from, to): (Date, Date),
) -> Option<Tracking> {
    let navs: Vec<&NavRecord> =
        state.navs().iter().filter(|nav| from <= nav.date && nav.date <= to).collect();
    let (first, last) = (navs.first()?, navs.last()?);
    let per_share = |nav: &NavRecord| nav.current.nav_per_share.to_decimal().to_f64();
    let level = |nav: &NavRecord| Some(followed.levels.get(&nav.date)?.to_decimal().to_f64());
    let fund = per_share(last) / per_share(first);
    let index = level(last)? / level(first)?;
    let kept = |nav: &&&NavRecord| {
        let valuation = nav.current.valuation;
        1.0 - float(valuation.fee) / float(valuation.fee_basis)
    };
    let fee: f64 = navs.iter().skip(1).map(|nav| kept(&nav)).product();
    let paid = rebalances.iter().filter(|row| row.date < last.date);
    let cost: f64 = paid.map(|row| 1.0 - float(row.cost) / float(row.net_assets)).product();
    let followed_late = shadow(&navs, followed)?;
    let later_sessions = followed_late / index;
    let rest = fund / (followed_late * fee * cost) - 1.0;
    Some(Tracking {
        fund: fund - 1.0,
        index: index - 1.0,
        fee: fee - 1.0,
        cost: cost - 1.0,
        later_sessions: later_sessions - 1.0,
        rest,
    })
}

/// Growth of the index's baskets, each held from the session on which a fund can have it, without fee or cost.
fn shadow(navs: &[&NavRecord], followed: &Followed) -> Option<f64> {
    let price = |asset: &Symbol, date: Date| worth(followed, *asset, date);
    let mut growth = 1.0;
    for pair in navs.windows(2) {
        let [before, after] = pair else { continue };
        let (since, target) = followed.targets.range(..=before.date).next_back()?;
        let worth = |date: Date| {
            let part = |(asset, weight): (&Symbol, &Rate)| {
                Some(weight.to_decimal().to_f64() * price(asset, date)? / price(asset, *since)?)
            };
            target.weights.iter().map(part).sum::<Option<f64>>()
        };
        growth *= worth(after.date)? / worth(before.date)?;
    }
    Some(growth)
}

/// Worth of a coin of before on a day: of what it has become, or of nothing.
fn worth(followed: &Followed, asset: Symbol, date: Date) -> Option<f64> {
    let (mut asset, mut units) = (asset, 1.0);
    for change in followed.changes.range(..=date).flat_map(|(_, changes)| changes) {
        match &change.change {
            Change::Migration { into, units: ratio } if change.asset == asset => {
                (asset, units) = (*into, units * ratio.to_decimal().to_f64());
            }
            Change::WriteOff if change.asset == asset => return Some(0.0),
            _ => {}
        }
    }
    Some(units * followed.prices.get(&asset)?.get(&date)?.to_decimal().to_f64())
}

/// The files of the market and what was taken from each, for the report.
pub(super) fn sources(followed: &Followed) -> Vec<(&'static str, String)> {
    followed
        .sources
        .iter()
        .map(|(file, taken)| ("market", format!("{}: {taken}", name_of(file.as_ref()))))
        .collect()
}
