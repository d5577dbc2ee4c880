//! What a fund of derivatives' backtest has beside that of any fund: its exposure, what it cost, what the period made of a daily
//! multiple, and the real funds beside it.

use super::{Ended, Inputs};
use crate::failure::Failure;
use serde::Serialize;
use std::collections::BTreeMap;
use strongroom_backtest::ExposureRow;
use strongroom_engine::{FundState, NavRecord};
use strongroom_fund::definition::{Exposure as Terms, Instrument, Reset, days_between};
use strongroom_fund::statistics::{Aligned, DatedSeries};
use strongroom_units::time::{Date, Timestamp, Zone};
use strongroom_units::{Money, Price};

/// Largest distance of the fund's own daily beta from its factor.
pub(super) const BETA_TOLERANCE: f64 = 0.005;
/// Slopes of a real fund's daily returns on ours, closes at the same hour.
pub(super) const DAILY_SLOPE: (f64, f64) = (0.98, 1.02);
/// Least correlation of daily returns, closes at the same hour.
pub(super) const DAILY_CORRELATION: f64 = 0.998;
/// Slopes of returns over five sessions, where closes do not coincide.
pub(super) const WEEKLY_SLOPE: (f64, f64) = (0.95, 1.05);
/// Least correlation of returns over five sessions, where closes do not coincide.
pub(super) const WEEKLY_CORRELATION: f64 = 0.97;
/// Sessions of a return over a week.
const WEEK: usize = 5;
const DAYS_A_YEAR: f64 = 365.0;

/// What a multiple came to over a period. Fractions: 0.05 is five per cent.
#[derive(Serialize)]
pub(crate) struct Exposed {
    pub factor: f64,
    pub instrument: Instrument,
    pub reset: Reset,
    pub resets: usize,
    pub rolls: usize,
    pub margin_calls: usize,
    pub wiped_out: Option<Date>,
    /// Slope of the fund's returns from strike to strike on the index's.
    pub own_beta: Option<f64>,
    pub index_return: f64,
    /// The factor times the index's return, which no daily multiple gives.
    pub multiple_of_the_period: f64,
    /// `(1 + R)^L · exp(−½ · L · (L − 1) · realised variance) − 1`.
    pub estimated_fund_return: f64,
    /// Realised variance of the index over the period: the sum of squared log returns from strike to strike.
    pub realised_variance: f64,
    /// What the variance alone takes of a multiple.
    pub decay: f64,
    /// Return of the derivatives alone, day by day, before every cost and income.
    pub return_before_costs: f64,
    pub fund_return: f64,
    /// Furthest that exposure went from factor × net assets before a reset, in multiples of net assets.
    pub largest_drift: f64,
    /// First and last funding rate known, when not the whole period is: outside of them none is paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub funding_known: Option<(Timestamp, Timestamp)>,
    pub sources: Vec<Source>,
    pub beside: Vec<Beside>,
    pub checks: Vec<Check>,
}

/// One source of gain or cost.
#[derive(Serialize)]
pub(crate) struct Source {
    pub source: &'static str,
    /// Received; negative is paid.
    pub amount: Money,
    /// A year, of average net assets.
    pub rate: f64,
}

/// A real fund beside ours, on the sessions that both have.
#[derive(Serialize)]
pub(crate) struct Beside {
    pub ticker: String,
    pub from: Date,
    pub to: Date,
    pub returns: usize,
    /// Of its daily returns on ours.
    pub slope: f64,
    pub correlation: f64,
    /// Of returns over five sessions, averaged over the five sessions on which a week can begin.
    pub weekly_slope: f64,
    pub weekly_correlation: f64,
    pub its_return: f64,
    pub our_return: f64,
    pub gap: f64,
    /// What holding the index would have had to cost beyond ours, a year, to explain the gap.
    pub funding_that_explains_it: f64,
    #[serde(skip)]
    pub pairs: Vec<(Date, f64, f64)>,
}

/// A figure that has to be within its bounds.
#[derive(Serialize)]
pub(crate) struct Check {
    pub what: String,
    pub value: f64,
    pub least: f64,
    pub most: f64,
    pub holds: bool,
}

impl Check {
    fn new(what: String, value: f64, (least, most): (f64, f64)) -> Self {
        Self { what, value, least, most, holds: (least..=most).contains(&value) }
    }
}

type Period = (Date, Date);

impl Exposed {
    /// None for a fund that holds its coins.
    pub(super) fn of(inputs: &Inputs, ended: &Ended, period: Period) -> Result<Option<Self>, Failure> {
        let Some(terms) = &inputs.definition.exposure else { return Ok(None) };
        let beside = inputs
            .beside
            .iter()
            .map(|(ticker, closes)| {
                Beside::try_new(&ended.state, period, ticker, closes, factor(terms, period))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let mut exposed = Self::alone(&ended.state, &ended.summary.exposure, terms, period)?;
        exposed.funding_known = known_in_part(inputs, period);
        exposed.checks = checks(&exposed, &beside, inputs.closes_coincide);
        exposed.beside = beside;
        Ok(Some(exposed))
    }

    /// Without a real fund beside it.
    pub fn alone(
        state: &FundState,
        all: &[ExposureRow],
        terms: &Terms,
        period: Period,
    ) -> Result<Self, Failure> {
        let (from, to) = period;
        let rows: Vec<&ExposureRow> = all.iter().filter(|row| from <= row.date && row.date <= to).collect();
        let navs: Vec<&NavRecord> =
            state.navs().iter().filter(|nav| from <= nav.date && nav.date <= to).collect();
        let factor = factor(terms, period);
        let index: Vec<f64> = navs.iter().filter_map(|nav| index_of(nav)).collect();
        let fund: Vec<f64> = navs.iter().map(|nav| nav.current.nav_per_share.to_decimal().to_f64()).collect();
        let growth = |series: &[f64]| match (series.first(), series.last()) {
            (Some(first), Some(last)) => last / first,
            _ => 1.0,
        };
        let realised_variance: f64 =
            index.iter().zip(index.iter().skip(1)).map(|(a, b)| (b / a).ln().powi(2)).sum();
        let decay = (-0.5 * factor * (factor - 1.0) * realised_variance).exp();
        let before_costs: f64 = rows.iter().zip(rows.iter().skip(1)).map(|(a, b)| gained(a, b)).product();
        let drift = |row: &&&ExposureRow| float(row.drifted) / float(row.net_assets) - factor;
        let drifted = rows.iter().filter(|row| !row.net_assets.is_zero()).skip(1);
        let largest_drift = drifted.map(|row| drift(&row).abs()).fold(0.0, f64::max);
        Ok(Self {
            factor,
            instrument: terms.instrument,
            reset: terms.reset,
            resets: resets(&rows, terms, state)?,
            rolls: rows.iter().zip(rows.iter().skip(1)).filter(|(a, b)| a.expiry != b.expiry).count(),
            margin_calls: rows.iter().filter(|row| row.called.is_some()).count(),
            wiped_out: state.wiped_out(),
            own_beta: own_beta(&navs),
            index_return: growth(&index) - 1.0,
            multiple_of_the_period: factor * (growth(&index) - 1.0),
            estimated_fund_return: growth(&index).powf(factor) * decay - 1.0,
            realised_variance,
            decay: decay - 1.0,
            return_before_costs: before_costs - 1.0,
            fund_return: growth(&fund) - 1.0,
            largest_drift,
            funding_known: None,
            sources: sources(&rows)?,
            beside: Vec::new(),
            checks: Vec::new(),
        })
    }
}

/// First and last rate, when they leave more than a day of the period without one.
fn known_in_part(inputs: &Inputs, (from, to): Period) -> Option<(Timestamp, Timestamp)> {
    let funding = &inputs.market.funding;
    let (first, last) = (*funding.first_key_value()?.0, *funding.last_key_value()?.0);
    let day = |at: Timestamp| Zone::Utc.date_of(at);
    let covers = day(first) <= from && to <= day(last).tomorrow().unwrap_or(to);
    (!covers).then_some((first, last))
}

pub(super) fn float(amount: Money) -> f64 {
    amount.to_decimal().to_f64()
}

pub(super) fn factor(terms: &Terms, (from, _): Period) -> f64 {
    let first = terms.factor.entries().first().map(|(_, factor)| factor);
    terms.factor.at(from).or(first).map_or(0.0, |factor| factor.to_decimal().to_f64())
}

/// The index at a strike.
pub(super) fn index_of(nav: &NavRecord) -> Option<f64> {
    nav.inputs.assets.values().next().map(|input| input.price.to_decimal().to_f64())
}

/// Growth by derivatives alone, of what was there after the trades of the session before.
fn gained(before: &ExposureRow, after: &ExposureRow) -> f64 {
    1.0 + (float(after.gain) - float(before.gain)) / float(before.base)
}

fn resets(rows: &[&ExposureRow], terms: &Terms, state: &FundState) -> Result<usize, Failure> {
    let calendar = state.definition().calendar;
    let mut count = 0;
    for row in rows {
        let is_due = terms.is_reset_due(calendar, row.date).map_err(strongroom_engine::Refusal::from)?;
        count += usize::from(is_due);
    }
    Ok(count)
}

fn own_beta(navs: &[&NavRecord]) -> Option<f64> {
    let living: Vec<_> = navs.iter().filter(|nav| nav.current.nav_per_share > Price::ZERO).collect();
    let fund = living.iter().map(|nav| (nav.date, nav.current.nav_per_share.to_decimal().to_f64()));
    let index = living.iter().filter_map(|nav| Some((nav.date, index_of(nav)?)));
    let fund = DatedSeries::try_new(fund.collect()).ok()?;
    let index = DatedSeries::try_new(index.collect()).ok()?;
    Aligned::try_new(&fund, &index).ok()?.beta().ok()
}

fn sources(rows: &[&ExposureRow]) -> Result<Vec<Source>, Failure> {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(Vec::new()) };
    let average = rows.iter().map(|row| float(row.base)).sum::<f64>() / rows.len() as f64;
    let years = days_between(first.date, last.date) as f64 / DAYS_A_YEAR;
    let of = |source, paid: bool, figure: fn(&ExposureRow) -> Money| -> Result<Source, Failure> {
        let amount = figure(last).try_sub(figure(first))?;
        let amount = if paid { amount.try_neg()? } else { amount };
        Ok(Source { source, amount, rate: float(amount) / average / years.max(1.0 / DAYS_A_YEAR) })
    };
    Ok(vec![
        of("derivatives", false, |row| row.gain)?,
        of("collateral income", false, |row| row.income)?,
        of("funding", true, |row| row.funding)?,
        of("financing", true, |row| row.financing)?,
        of("trading at resets", true, |row| row.trading)?,
        of("rolling", true, |row| row.rolling)?,
        of("sponsor fee", true, |row| row.fee)?,
    ])
}

impl Beside {
    fn try_new(
        state: &FundState,
        (from, to): Period,
        ticker: &str,
        closes: &BTreeMap<Date, Price>,
        factor: f64,
    ) -> Result<Self, Failure> {
        let navs = state.navs().iter().filter(|nav| from <= nav.date && nav.date <= to);
        let living = navs.filter(|nav| nav.current.nav_per_share > Price::ZERO);
        let ours = living.map(|nav| (nav.date, nav.current.nav_per_share.to_decimal().to_f64()));
        let ours = DatedSeries::try_new(ours.collect())?;
        let its = closes.range(from..=to).map(|(date, close)| (*date, close.to_decimal().to_f64()));
        let its = DatedSeries::try_new(its.collect())?;
        let (its, ours) = (kept(&its, &ours)?, kept(&ours, &its)?);
        let both = Aligned::try_new(&its, &ours)?;
        let mut weekly = (0.0, 0.0);
        for offset in 0..WEEK {
            let weeks = Aligned::try_new(&every(&its, offset)?, &every(&ours, offset)?)?;
            weekly.0 += weeks.beta()? / WEEK as f64;
            weekly.1 += weeks.correlation()? / WEEK as f64;
        }
        let (its_return, our_return) = (its.total_return()?, ours.total_return()?);
        let (first, last) = (ours.points().first(), ours.points().last());
        let (Some((from, _)), Some((to, _))) = (first.copied(), last.copied()) else {
            return Err(
                strongroom_fund::statistics::StatisticsError::TooFewPoints { needed: 2, found: 0 }.into()
            );
        };
        let years = days_between(from, to) as f64 / DAYS_A_YEAR;
        let pairs = its.returns().into_iter().zip(ours.returns());
        Ok(Self {
            ticker: ticker.to_owned(),
            from,
            to,
            returns: both.dates() - 1,
            slope: both.beta()?,
            correlation: both.correlation()?,
            weekly_slope: weekly.0,
            weekly_correlation: weekly.1,
            its_return,
            our_return,
            gap: its_return - our_return,
            funding_that_explains_it: ((1.0 + our_return) / (1.0 + its_return)).ln() / (factor * years),
            pairs: pairs.map(|((date, its), (_, ours))| (date, its, ours)).collect(),
        })
    }
}

/// The points of a series whose date the other has too.
fn kept(series: &DatedSeries, other: &DatedSeries) -> Result<DatedSeries, Failure> {
    let dates: std::collections::BTreeSet<Date> = other.points().iter().map(|(date, _)| *date).collect();
    let both = series.points().iter().filter(|(date, _)| dates.contains(date)).copied();
    Ok(DatedSeries::try_new(both.collect())?)
}

/// Every fifth point from one on.
fn every(series: &DatedSeries, offset: usize) -> Result<DatedSeries, Failure> {
    let points = series.points().iter().skip(offset).step_by(WEEK).copied();
    Ok(DatedSeries::try_new(points.collect())?)
}

fn checks(exposed: &Exposed, beside: &[Beside], closes_coincide: bool) -> Vec<Check> {
    let factor = exposed.factor;
    let bounds = (factor - BETA_TOLERANCE, factor + BETA_TOLERANCE);
    let mut checks: Vec<Check> = exposed
        .own_beta
        .map(|beta| Check::new("own daily beta".to_owned(), beta, bounds))
        .into_iter()
        .collect();
    for fund in beside {
        let name = |what: &str| format!("{what} of {}", fund.ticker);
        if closes_coincide {
            checks.push(Check::new(name("slope of daily returns"), fund.slope, DAILY_SLOPE));
            checks.push(Check::new(
                name("correlation of daily returns"),
                fund.correlation,
                (DAILY_CORRELATION, 1.0),
            ));
        } else {
            checks.push(Check::new(name("slope over five sessions"), fund.weekly_slope, WEEKLY_SLOPE));
            let correlation = (WEEKLY_CORRELATION, 1.0);
            checks.push(Check::new(
                name("correlation over five sessions"),
                fund.weekly_correlation,
                correlation,
            ));
        }
    }
    checks
}
