//! The runs of a sweep: the files are read once, each index is computed once, each fund is run by the engine alone.

use super::parallel::in_parallel;
use super::setting::{Key, Setting, Value, index_with};
use crate::backtest::basket::{Followed, turnover, within};
use crate::backtest::inputs::{Files, Pricing};
use crate::failure::{Exit, Failure};
use crate::performance::Performance;
use serde::Serialize;
use std::collections::BTreeMap;
use strongroom_backtest::{Agenda, CommandSink, Market, MemorySink, Runner};
use strongroom_engine::Refusal;
use strongroom_fund::FundDefinition;
use strongroom_fund::definition::Terms;
use strongroom_units::{Money, NumberError};

/// What one run came to. Fractions: 0.05 is five per cent.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Outcome {
    pub total_return: Option<f64>,
    /// Compound annual growth; only for a year or more.
    pub annualised: Option<f64>,
    pub volatility: Option<f64>,
    pub max_drawdown: Option<f64>,
    /// Half of everything bought and sold in rebalances, over net assets, summed.
    pub turnover: f64,
    /// Cost of rebalances.
    pub cost: Money,
    /// Fund less its index, or less its asset, over the whole period.
    pub tracking_difference: Option<f64>,
    pub tracking_error: Option<f64>,
    pub net_assets: Money,
}

/// A past in which runs take place: an index by its rules and prices by their hour.
struct World {
    followed: Option<Followed>,
    market: Market,
}

type Made<T> = Result<T, Failure>;

/// Runs every combination and gives what came of each, in order. `progress` hears of each run that is over.
pub(super) fn all(
    files: &Files,
    combinations: &[Vec<Setting>],
    progress: impl Fn() + Sync,
) -> Vec<Result<Outcome, Failure>> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut of_worlds: Vec<&[Setting]> = Vec::new();
    let mut place_of = Vec::new();
    for settings in combinations {
        let name = settings.iter().filter(|setting| is_of_the_world(setting)).map(Setting::to_string);
        let place = *places.entry(name.collect::<Vec<_>>().join(" ")).or_insert(of_worlds.len());
        if place == of_worlds.len() {
            of_worlds.push(settings);
        }
        place_of.push(place);
    }
    let worlds: Vec<Made<World>> =
        in_parallel(of_worlds.len(), |place| world(files, of_worlds.get(place).copied().unwrap_or_default()));
    in_parallel(combinations.len(), |number| {
        let settings = combinations.get(number).map_or(&[][..], Vec::as_slice);
        let world = place_of.get(number).and_then(|place| worlds.get(*place));
        let outcome = match world {
            Some(Ok(world)) => outcome(files, world, settings),
            Some(Err(failure)) => Err(failure.clone()),
            None => Err(Refusal::FundMustBeOpen.into()),
        };
        progress();
        outcome
    })
}

/// Whether a setting changes the index or the prices, and not only the fund.
fn is_of_the_world(setting: &Setting) -> bool {
    !matches!(setting.key, Key::CostBps | Key::FeeBps)
}

fn world(files: &Files, settings: &[Setting]) -> Made<World> {
    let mut pricing = files.pricing;
    for setting in settings {
        if let Value::PriceAt(at) = setting.value {
            pricing = Pricing { at: Some(at), ..pricing };
        }
    }
    let index = match &files.index {
        None => None,
        Some(read) => Some(
            index_with(&read.index, settings)
                .map_err(|error| Failure::new(error.code(), error.to_string(), Exit::Refused))?,
        ),
    };
    let (followed, market) = files.market(&files.definition, index.as_ref(), pricing)?;
    Ok(World { followed, market })
}

fn outcome(files: &Files, world: &World, settings: &[Setting]) -> Made<Outcome> {
    let mut terms = Terms::default();
    for setting in settings {
        match setting.value {
            Value::CostBps(bps) => terms.cost_bps = Some(bps),
            Value::FeeBps(bps) => terms.fee_bps = Some(bps),
            _ => {}
        }
    }
    let text = if terms == Terms::default() {
        files.text.clone()
    } else {
        FundDefinition::with_terms(&files.text, terms).map_err(Refusal::from)?
    };
    let definition = FundDefinition::parse(&text).map_err(Refusal::from)?;
    let agenda = Agenda::try_new(&definition, definition.seed.date, files.to).map_err(Refusal::from)?;
    let mut sink = MemorySink::default();
    let mut runner = Runner::open(&mut sink, &world.market, &definition, &text)?;
    runner.run(&agenda, |_| {})?;
    let summary = runner.finish();
    let state = sink.state().ok_or(Refusal::FundMustBeOpen)?;
    let period = (files.from, files.to);
    let none = BTreeMap::new();
    let levels = world.followed.as_ref().map_or(&none, |followed| &followed.levels);
    let performance = Performance::of(state, period, &BTreeMap::new(), levels)?;
    let rebalances = within(&summary.rebalances, period);
    let cost = rebalances.iter().try_fold(Money::ZERO, |sum, row| sum.try_add(row.cost));
    Ok(Outcome {
        total_return: performance.total_return,
        annualised: performance.compound_annual_growth,
        volatility: performance.volatility.map(|figure| figure.value),
        max_drawdown: performance.max_drawdown.map(|fall| fall.depth),
        turnover: rebalances.iter().map(|row| turnover(row)).sum(),
        cost: cost.map_err(|error: NumberError| Failure::from(error))?,
        tracking_difference: performance.tracking_difference,
        tracking_error: performance.tracking_error.map(|figure| figure.value),
        net_assets: state.last_nav().map_or(Money::ZERO, |nav| nav.current.valuation.net_assets),
    })
}
