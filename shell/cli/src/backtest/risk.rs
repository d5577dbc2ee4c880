//! How a basket's assets move: together, and down. Statistics of prices at strikes, in floating point.

use super::basket::Followed;
use crate::failure::Failure;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use strongroom_engine::FundState;
use strongroom_fund::statistics::{Aligned, DatedSeries, Drawdown};
use strongroom_report::{Chart, Emphasis, Heat, HeatScale, Mark, Section, Table, Unit};
use strongroom_units::Symbol;
use strongroom_units::time::Date;

/// Fewer returns than these say nothing of how two assets move together.
const RETURNS_MIN: usize = 20;
/// Lines of one chart that can still be told apart.
const LINES_MAX: usize = 6;

/// How two assets' returns from strike to strike go together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Correlation {
    pub asset: Symbol,
    pub with: Symbol,
    /// Pearson, −1 to 1.
    pub correlation: f64,
    /// Returns that it is made of: those of sessions on which both have prices.
    pub returns: usize,
}

/// The deepest fall of an asset's price while it was held without a break.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct AssetFall {
    pub asset: Symbol,
    /// A fraction: 0.5 is half of the price lost.
    pub depth: f64,
    pub peak: Date,
    pub trough: Date,
    /// When the price was back; none while it was not, or not while it was held.
    pub recovered: Option<Date>,
}

type Period = (Date, Date);
type Points = Vec<(Date, f64)>;

/// The assets held in a period, in the order of their symbols.
fn held(state: &FundState, (from, to): Period) -> BTreeSet<Symbol> {
    let within = state.navs().iter().filter(|nav| from <= nav.date && nav.date <= to);
    within.flat_map(|nav| nav.inputs.assets.keys().copied()).collect()
}

/// Every pair of assets held, each once.
pub(super) fn correlations(state: &FundState, followed: &Followed, period: Period) -> Vec<Correlation> {
    let series: Vec<(Symbol, DatedSeries)> = held(state, period)
        .into_iter()
        .filter_map(|asset| {
            let prices = followed.prices.get(&asset)?.range(period.0..=period.1);
            let struck = prices.filter(|(date, _)| state.nav(**date).is_some());
            let points = struck.map(|(date, price)| (*date, price.to_decimal().to_f64())).collect();
            Some((asset, DatedSeries::try_new(points).ok()?))
        })
        .collect();
    let mut rows = Vec::new();
    for (position, (asset, of_asset)) in series.iter().enumerate() {
        for (with, of_other) in series.iter().skip(position + 1) {
            let Ok(both) = Aligned::try_new(of_asset, of_other) else { continue };
            let returns = both.dates() - 1;
            if let Ok(correlation) = both.correlation()
                && returns >= RETURNS_MIN
            {
                rows.push(Correlation { asset: *asset, with: *with, correlation, returns });
            }
        }
    }
    rows
}

/// Prices at the strikes of a period at which an asset was held, in stretches without a break.
fn stretches(state: &FundState, (from, to): Period) -> BTreeMap<Symbol, Vec<Points>> {
    let mut all: BTreeMap<Symbol, Vec<Points>> = BTreeMap::new();
    let mut before: BTreeSet<Symbol> = BTreeSet::new();
    for nav in state.navs().iter().filter(|nav| from <= nav.date && nav.date <= to) {
        for (asset, input) in &nav.inputs.assets {
            let point = (nav.date, input.price.to_decimal().to_f64());
            let of_asset = all.entry(*asset).or_default();
            match of_asset.last_mut().filter(|_| before.contains(asset)) {
                Some(stretch) => stretch.push(point),
                None => of_asset.push(vec![point]),
            }
        }
        before = nav.inputs.assets.keys().copied().collect();
    }
    all
}

/// The deepest fall of each asset, the deepest first.
pub(super) fn falls(state: &FundState, period: Period) -> Vec<AssetFall> {
    let mut falls: Vec<AssetFall> = stretches(state, period)
        .into_iter()
        .filter_map(|(asset, stretches)| {
            let series = stretches.into_iter().filter_map(|points| DatedSeries::try_new(points).ok());
            let deepest = series.filter_map(|series| series.max_drawdown());
            let Drawdown { depth, peak, trough, recovered } =
                deepest.max_by(|a, b| a.depth.total_cmp(&b.depth))?;
            Some(AssetFall { asset, depth, peak, trough, recovered })
        })
        .collect();
    falls.sort_by(|a, b| b.depth.total_cmp(&a.depth).then(a.asset.cmp(&b.asset)));
    falls
}

/// What each point of a series has lost since the highest before it, as a negative fraction.
fn below_high(points: &[(Date, f64)]) -> Points {
    let mut high = f64::MIN;
    points
        .iter()
        .map(|(date, value)| {
            high = high.max(*value);
            (*date, value / high - 1.0)
        })
        .collect()
}

/// The section, in reading order: correlation, the falls of the assets held longest, and the deepest of each.
pub(super) fn section(
    state: &FundState,
    period: Period,
    correlations: &[Correlation],
    falls: &[AssetFall],
) -> Result<Section, Failure> {
    let mut stretches: Vec<_> = stretches(state, period).into_iter().collect();
    stretches.sort_by_key(|(asset, of)| (std::cmp::Reverse(of.iter().map(Vec::len).sum::<usize>()), *asset));
    let names = stretches.iter().map(|(asset, _)| *asset);
    let heat = heat(&names.collect::<Vec<_>>(), correlations);
    let chart = Chart::new("Below the last high", Mark::Line, Unit::Percent { decimals: 1 }).description(
        "The price of each asset against its highest since the fund held it; the six held longest.",
    );
    let chart = stretches.iter().take(LINES_MAX).fold(chart, |chart, (asset, of)| {
        chart.series(asset.to_string(), of.iter().flat_map(|points| below_high(points)))
    });
    let mut table = Table::new("The deepest fall of each asset while it was held")
        .left("asset")
        .right("fall")
        .left("from")
        .left("to")
        .left("back");
    for fall in falls {
        let back = fall.recovered.map_or_else(|| "not while it was held".to_owned(), |date| date.to_string());
        let cells = [
            fall.asset.to_string(),
            crate::fact_sheet::percent(Some(fall.depth)),
            fall.peak.to_string(),
            fall.trough.to_string(),
            back,
        ];
        table.push(Emphasis::None, cells);
    }
    Ok(Section::new("Correlation and falls").heat(heat).chart(chart).table(table))
}

fn heat(assets: &[Symbol], correlations: &[Correlation]) -> Heat {
    let of = |a: Symbol, b: Symbol| {
        if a == b {
            return Some(1.0);
        }
        let is_pair = |row: &&Correlation| (row.asset, row.with) == (a, b) || (row.asset, row.with) == (b, a);
        correlations.iter().find(is_pair).map(|row| row.correlation)
    };
    let heat = Heat::new("Correlation of returns", Unit::Number { decimals: 2 }, HeatScale::AroundZero)
        .columns("", assets.iter().map(Symbol::to_string))
        .description(
            "Of returns from strike to strike over the period, of every asset that was held in it, held on the day or not. Blank \
             where there are fewer than twenty.",
        );
    assets.iter().fold(heat, |heat, a| heat.row(a.to_string(), assets.iter().map(|b| of(*a, *b))))
}
