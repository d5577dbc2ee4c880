//! Return, risk and tracking of a fund over a period, each figure with its annualisation.

use crate::failure::Failure;
use serde::Serialize;
use std::collections::BTreeMap;
use strongroom_engine::FundState;
use strongroom_fund::statistics::{
    Aligned, Annualisation, Annualised, DatedSeries, PremiumTable, SessionPrice, StatisticsError,
};
use strongroom_units::time::{Calendar, Date};
use strongroom_units::{Price, Symbol};

/// Fractions: 0.05 is five per cent. A figure that the period is too short for is absent.
#[derive(Serialize)]
pub(crate) struct Performance {
    pub from: Option<Date>,
    pub to: Option<Date>,
    pub total_return: Option<f64>,
    pub benchmark_total_return: Option<f64>,
    pub tracking_difference: Option<f64>,
    pub tracking_error: Option<Figure>,
    pub beta: Option<f64>,
    pub compound_annual_growth: Option<f64>,
    pub volatility: Option<Figure>,
    pub sharpe_ratio: Option<Figure>,
    pub sortino_ratio: Option<Figure>,
    pub max_drawdown: Option<Fall>,
    pub premium: Option<Premium>,
}

/// A figure and how it was annualised.
#[derive(Clone, Serialize)]
pub(crate) struct Figure {
    pub value: f64,
    pub annualisation: &'static str,
}

/// The deepest fall.
#[derive(Serialize)]
pub(crate) struct Fall {
    pub depth: f64,
    pub peak: Date,
    pub trough: Date,
    pub recovered: Option<Date>,
}

/// Closes against NAV, days counted after rounding to hundredths of a per cent.
#[derive(Serialize)]
pub(crate) struct Premium {
    pub sessions: usize,
    pub at_premium: usize,
    pub at_discount: usize,
    pub at_nav: usize,
    pub within_half_percent: usize,
    pub average: String,
    pub largest_premium: Option<(Date, String)>,
    pub largest_discount: Option<(Date, String)>,
}

impl Performance {
    pub fn of(
        state: &FundState,
        period: (Date, Date),
        market: &BTreeMap<Date, Price>,
        levels: &BTreeMap<Date, Price>,
    ) -> Result<Self, Failure> {
        let fund = DatedSeries::try_new(navs(state, period))?;
        let benchmark = DatedSeries::try_new(benchmark(state, period, levels))?;
        let together = Aligned::try_new(&fund, &benchmark).ok();
        let together = together.as_ref();
        let by = match state.definition().calendar {
            Calendar::Nyse => Annualisation::Sessions252,
            Calendar::NyseMonthly => Annualisation::Months12,
        };
        Ok(Self {
            from: fund.points().first().map(|(date, _)| *date),
            to: fund.points().last().map(|(date, _)| *date),
            total_return: fund.total_return().ok(),
            benchmark_total_return: benchmark.total_return().ok(),
            tracking_difference: together.and_then(|both| both.tracking_difference().ok()),
            tracking_error: together.and_then(|both| figure(both.tracking_error(by))),
            beta: together.and_then(|both| both.beta().ok()),
            compound_annual_growth: fund.compound_annual_growth().ok(),
            volatility: figure(fund.volatility(by)),
            sharpe_ratio: figure(fund.sharpe_ratio(0.0, by)),
            sortino_ratio: figure(fund.sortino_ratio(0.0, by)),
            max_drawdown: fund.max_drawdown().map(|fall| Fall {
                depth: fall.depth,
                peak: fall.peak,
                trough: fall.trough,
                recovered: fall.recovered,
            }),
            premium: premium(state, period, market)?,
        })
    }
}

/// NAV per share at each strike of a period, on the shares of today.
pub(crate) fn navs(state: &FundState, (from, to): (Date, Date)) -> Vec<(Date, f64)> {
    let within = state.navs().iter().filter(|nav| from <= nav.date && nav.date <= to);
    // A fund that was wiped out ends at zero, from which and to which there is no return that statistics could use.
    let within = within.filter(|nav| nav.current.nav_per_share > Price::ZERO);
    let on_shares_of_today = |nav: &strongroom_engine::NavRecord| {
        let per_share = nav.current.nav_per_share;
        state.split_adjusted(per_share, nav.date).unwrap_or(per_share).to_decimal().to_f64()
    };
    within.map(|nav| (nav.date, on_shares_of_today(nav))).collect()
}

/// The level of the fund's index at each strike of a period; the reference rate of its first asset where there is no index.
pub(crate) fn benchmark(
    state: &FundState,
    (from, to): (Date, Date),
    levels: &BTreeMap<Date, Price>,
) -> Vec<(Date, f64)> {
    if !levels.is_empty() {
        let struck = levels.range(from..=to).filter(|(date, _)| state.nav(**date).is_some());
        return struck.map(|(date, level)| (*date, level.to_decimal().to_f64())).collect();
    }
    let asset: Option<Symbol> = state.definition().assets.first().map(|asset| asset.symbol);
    let within = state.navs().iter().filter(|nav| from <= nav.date && nav.date <= to);
    let prices = within.filter_map(|nav| Some((nav.date, nav.inputs.assets.get(&asset?)?.price)));
    prices.map(|(date, price)| (date, price.to_decimal().to_f64())).collect()
}

/// Sessions on which both a market close and a NAV are known.
pub(crate) fn closes_beside_navs(
    state: &FundState,
    (from, to): (Date, Date),
    market: &BTreeMap<Date, Price>,
) -> Vec<SessionPrice> {
    let within = state.navs().iter().filter(|nav| from <= nav.date && nav.date <= to);
    within
        .filter_map(|nav| {
            Some(SessionPrice {
                date: nav.date,
                close: *market.get(&nav.date)?,
                nav: nav.current.nav_per_share,
            })
        })
        .collect()
}

fn premium(
    state: &FundState,
    period: (Date, Date),
    market: &BTreeMap<Date, Price>,
) -> Result<Option<Premium>, Failure> {
    let sessions = closes_beside_navs(state, period, market);
    if sessions.is_empty() {
        return Ok(None);
    }
    let table = PremiumTable::try_new(&sessions)?;
    Ok(Some(Premium {
        sessions: table.sessions,
        at_premium: table.at_premium,
        at_discount: table.at_discount,
        at_nav: table.at_nav,
        within_half_percent: table.within_half_percent,
        average: table.average.to_string(),
        largest_premium: table.largest_premium.map(|extreme| (extreme.date, extreme.value.to_string())),
        largest_discount: table.largest_discount.map(|extreme| (extreme.date, extreme.value.to_string())),
    }))
}

fn figure(of: Result<Annualised, StatisticsError>) -> Option<Figure> {
    of.ok().map(|figure| Figure { value: figure.value, annualisation: figure.by.label() })
}
