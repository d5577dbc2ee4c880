//! The files of a backtest, read and checked before anything runs.

use super::basket::{Followed, sources as sources_of};
use super::{Backtest, PriceAt};
use crate::commands::fund::read_definition;
use crate::failure::{Exit, Failure};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;
use strongroom_backtest::{Market, at_strike};
use strongroom_engine::Refusal;
use strongroom_feeds::{FiledCoins, read_filed_coins, read_flows, read_market_prices, read_prices};
use strongroom_fund::FundDefinition;
use strongroom_units::time::Date;
use strongroom_units::{Money, Price};

/// `FILE:NAME` on the command line: a file and the column or rows in it that are meant.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    pub file: PathBuf,
    pub name: String,
}

impl FromStr for Named {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.rsplit_once(':') {
            Some((file, name)) if !file.is_empty() && !name.is_empty() => {
                Ok(Self { file: file.into(), name: name.to_owned() })
            }
            _ => Err("write it like flows.csv:IBIT"),
        }
    }
}

/// Everything a run needs.
pub(super) struct Inputs {
    pub text: String,
    pub definition: FundDefinition,
    pub from: Date,
    pub market: Market,
    /// The index that a basket follows.
    pub followed: Option<Followed>,
    pub market_prices: BTreeMap<Date, Price>,
    pub filed: Option<BTreeMap<Date, FiledCoins>>,
    /// What was read, for the report: what it is, the file's name.
    pub sources: Vec<(&'static str, String)>,
}

impl Inputs {
    /// Levels of the index that a basket follows; none for a fund of one asset.
    pub fn levels(&self) -> &BTreeMap<Date, Price> {
        const NONE: &BTreeMap<Date, Price> = &BTreeMap::new();
        self.followed.as_ref().map_or(NONE, |followed| &followed.levels)
    }

    pub fn read(args: &Backtest) -> Result<Self, Failure> {
        let (text, definition) = read_definition(&args.definition)?;
        let from = args.from.unwrap_or(definition.seed.date);
        if args.to < from || args.to <= definition.seed.date {
            let message = format!(
                "--to {} must be after --from {from} and the seed date {}",
                args.to, definition.seed.date
            );
            return Err(Failure::new("backtest.period_must_not_be_empty", message, Exit::Input));
        }
        let mut sources = vec![("definition", name_of(&args.definition))];
        let followed = Followed::read(args, &definition)?;
        let mut prices = BTreeMap::new();
        if let Some(file) = &args.prices {
            sources.push(("prices", name_of(file)));
            for asset in &definition.assets {
                let closes = read_prices(file, asset.symbol)?;
                prices.insert(asset.symbol, at(args, &definition, closes)?);
            }
        }
        let mut targets = BTreeMap::new();
        if let Some(followed) = &followed {
            sources.extend(sources_of(followed));
            (prices, targets) = (followed.prices.clone(), followed.targets.clone());
        }
        let mut named = |what, named: &Option<Named>| {
            named.as_ref().map(|named| {
                sources.push((what, format!("{}, {}", name_of(&named.file), named.name)));
                named.clone()
            })
        };
        let flows = match named("flows", &args.flows) {
            None => BTreeMap::new(),
            Some(flows) => flows_of(args, &definition, &flows)?,
        };
        let market_prices = match named("market prices", &args.market_prices) {
            None => BTreeMap::new(),
            Some(market) => read_market_prices(&market.file, &market.name)?,
        };
        let filed = match named("filings", &args.filings) {
            None => None,
            Some(filings) => Some(read_filed_coins(&filings.file, &filings.name)?),
        };
        let participant =
            args.flows.as_ref().map_or_else(String::new, |flows| format!("net flows of {}", flows.name));
        let market = Market {
            prices,
            flows,
            targets,
            source: args.prices.as_ref().map_or_else(|| "market files".to_owned(), |file| name_of(file)),
            participant,
            accept: args.accept_price.clone(),
        };
        Ok(Self { text, definition, from, market, followed, market_prices, filed, sources })
    }
}

/// Prices of the fund's strikes. An index is computed at closes, so the basket that follows it is valued there too, unless
/// told otherwise.
pub(super) fn at(
    args: &Backtest,
    definition: &FundDefinition,
    closes: BTreeMap<Date, Price>,
) -> Result<BTreeMap<Date, Price>, Failure> {
    let price_at = match (args.price_at, &definition.index) {
        (Some(price_at), _) => price_at,
        (None, Some(_)) => PriceAt::Close,
        (None, None) => PriceAt::Strike,
    };
    let prices = match price_at {
        PriceAt::Close => closes,
        PriceAt::Strike => at_strike(&closes, definition.strike)?,
    };
    let lag = i64::from(args.price_lag);
    let later = |date: Date| (0..lag).try_fold(date, |day, _| day.tomorrow().ok());
    Ok(prices.into_iter().filter_map(|(date, price)| Some((later(date)?, price))).collect())
}

/// Flows of the run's own days; those of other days are somebody else's history.
fn flows_of(
    args: &Backtest,
    definition: &FundDefinition,
    named: &Named,
) -> Result<BTreeMap<Date, Money>, Failure> {
    let flows = read_flows(&named.file, &named.name)?;
    let mut late = BTreeMap::new();
    for (date, flow) in flows.into_iter().filter(|(date, _)| definition.seed.date < *date && *date <= args.to)
    {
        // A flow on no session is refused by the run; it is not moved to one.
        let is_late = args.flow_lag > 0 && definition.calendar.is_session(date);
        let lag = if is_late { i32::from(args.flow_lag) } else { 0 };
        let date = definition.calendar.add_sessions(date, lag).map_err(Refusal::from)?;
        late.insert(date, flow);
    }
    Ok(late)
}

pub(super) fn name_of(path: &std::path::Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
