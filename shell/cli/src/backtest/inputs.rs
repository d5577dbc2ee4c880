//! The files of a backtest, read and checked before anything runs.

use super::basket::{Followed, IndexFiles, sources as sources_of};
use super::{Backtest, PriceAt};
use crate::commands::fund::{dated, read_definition};
use crate::failure::{Exit, Failure};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use strongroom_backtest::{Market, at_strike};
use strongroom_engine::Refusal;
use strongroom_feeds::{
    FiledCoins, read_filed_coins, read_flows, read_funding, read_market_prices, read_prices, read_yields,
};
use strongroom_fund::FundDefinition;
use strongroom_fund::definition::Instrument;
use strongroom_market::index::Index;
use strongroom_units::time::{Date, Timestamp};
use strongroom_units::{Money, Price, Rate, Symbol};

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

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", name_of(&self.file), self.name)
    }
}

/// How a day is priced.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pricing {
    /// At what price; when absent, a basket at the close and every other fund at the strike.
    pub at: Option<PriceAt>,
    /// Days by which the price is late.
    pub lag: u8,
}

/// What the files say, before anything is made of it: what runs with other rules share.
pub(super) struct Files {
    pub text: String,
    pub definition: FundDefinition,
    pub from: Date,
    pub to: Date,
    pub pricing: Pricing,
    /// Of the index that a basket follows.
    pub index: Option<IndexFiles>,
    /// Of a fund of one asset.
    closes: BTreeMap<Symbol, BTreeMap<Date, Price>>,
    funding: BTreeMap<Timestamp, Rate>,
    funding_source: String,
    flows: BTreeMap<Date, Money>,
    yields: BTreeMap<Date, Rate>,
    source: String,
    participant: String,
    accept: Option<String>,
    sources: Vec<(&'static str, String)>,
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
    /// Real funds to be set beside it: ticker and closes.
    pub beside: Vec<(String, BTreeMap<Date, Price>)>,
    /// Whether the prices are closes of the same hour as those beside it.
    pub closes_coincide: bool,
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
        let files = Files::read(args)?;
        let (followed, market) = files.market(&files.definition, None, files.pricing)?;
        let Files { text, definition, from, mut sources, .. } = files;
        if let Some(followed) = &followed {
            sources.extend(sources_of(followed));
        }
        let mut named = |what, named: &Option<Named>| {
            named.as_ref().map(|named| {
                sources.push((what, named.to_string()));
                named.clone()
            })
        };
        let market_prices = match named("market prices", &args.market_prices) {
            None => BTreeMap::new(),
            Some(market) => read_market_prices(&market.file, &market.name)?,
        };
        let filed = match named("filings", &args.filings) {
            None => None,
            Some(filings) => Some(read_filed_coins(&filings.file, &filings.name)?),
        };
        let mut beside = Vec::new();
        for fund in &args.beside {
            sources.push(("real fund", fund.to_string()));
            beside.push((fund.name.clone(), read_market_prices(&fund.file, &fund.name)?));
        }
        let closes_coincide = args.closes.is_some();
        let (prices, filings) = (market_prices, filed);
        Ok(Self {
            text,
            definition,
            from,
            market,
            followed,
            market_prices: prices,
            filed: filings,
            beside,
            closes_coincide,
            sources,
        })
    }
}

impl Files {
    pub fn read(args: &Backtest) -> Result<Self, Failure> {
        let (text, definition) = seeded(read_definition(&args.definition)?, args.seed_date)?;
        fits(args, &definition)?;
        let from = args.from.unwrap_or(definition.seed.date);
        if args.to < from || args.to <= definition.seed.date {
            let message = format!(
                "--to {} must be after --from {from} and the seed date {}",
                args.to, definition.seed.date
            );
            return Err(Failure::new("backtest.period_must_not_be_empty", message, Exit::Input));
        }
        let mut sources = vec![("definition", name_of(&args.definition))];
        let index = IndexFiles::read(args, &definition)?;
        let mut closes = BTreeMap::new();
        if let Some(file) = &args.prices {
            sources.push(("prices", name_of(file)));
            for asset in &definition.assets {
                closes.insert(asset.symbol, read_prices(file, asset.symbol)?);
            }
        }
        if let (Some(named), Some(asset)) = (&args.closes, definition.assets.first()) {
            sources.push(("closes for the asset", named.to_string()));
            closes.insert(asset.symbol, read_market_prices(&named.file, &named.name)?);
        }
        let (funding, funding_source) = match &args.funding {
            None => (BTreeMap::new(), String::new()),
            Some(file) => {
                sources.push(("funding", name_of(file)));
                (read_funding(file)?, name_of(file))
            }
        };
        let flows = match &args.flows {
            None => BTreeMap::new(),
            Some(flows) => {
                sources.push(("flows", flows.to_string()));
                flows_of(args, &definition, flows)?
            }
        };
        let yields = match &args.staking_yield {
            None => BTreeMap::new(),
            Some(file) => {
                sources.push(("staking yield", name_of(file)));
                read_yields(file)?
            }
        };
        let of_closes = args.closes.as_ref().map(Named::to_string);
        let source = args.prices.as_ref().map(|file| name_of(file)).or(of_closes);
        let source = source.unwrap_or_else(|| "market files".to_owned());
        let at = if args.closes.is_some() { Some(PriceAt::Close) } else { args.price_at };
        let participant =
            args.flows.as_ref().map_or_else(String::new, |flows| format!("net flows of {}", flows.name));
        Ok(Self {
            text,
            definition,
            from,
            to: args.to,
            pricing: Pricing { at, lag: args.price_lag },
            index,
            closes,
            funding,
            funding_source,
            flows,
            yields,
            source,
            participant,
            accept: args.accept_price.clone(),
            sources,
        })
    }

    /// The past for a definition, with the index as it was read or with another in its place.
    pub fn market(
        &self,
        definition: &FundDefinition,
        index: Option<&Index>,
        pricing: Pricing,
    ) -> Result<(Option<Followed>, Market), Failure> {
        let followed = match &self.index {
            None => None,
            Some(files) => Some(files.follow(definition, index.unwrap_or(&files.index), pricing, self.to)?),
        };
        let (prices, targets, changes) = match &followed {
            Some(followed) => (followed.prices.clone(), followed.targets.clone(), followed.changes.clone()),
            None => {
                let mut prices = BTreeMap::new();
                for (asset, closes) in &self.closes {
                    prices.insert(*asset, pricing.of(definition, closes.clone())?);
                }
                (prices, BTreeMap::new(), BTreeMap::new())
            }
        };
        let market = Market {
            prices,
            flows: self.flows.clone(),
            targets,
            changes,
            funding: self.funding.clone(),
            funding_source: self.funding_source.clone(),
            staking_yields: self.yields.clone(),
            source: self.source.clone(),
            participant: self.participant.clone(),
            accept: self.accept.clone(),
        };
        Ok((followed, market))
    }
}

impl Pricing {
    /// Prices of the fund's strikes. An index is computed at closes, so the basket that follows it is valued there too, unless
    /// told otherwise.
    pub fn of(
        self,
        definition: &FundDefinition,
        closes: BTreeMap<Date, Price>,
    ) -> Result<BTreeMap<Date, Price>, Failure> {
        let price_at = match (self.at, &definition.index) {
            (Some(price_at), _) => price_at,
            (None, Some(_)) => PriceAt::Close,
            (None, None) => PriceAt::Strike,
        };
        let prices = match price_at {
            PriceAt::Close => closes,
            PriceAt::Strike => at_strike(&closes, definition.strike)?,
        };
        let later = |date: Date| (0..self.lag).try_fold(date, |day, _| day.tomorrow().ok());
        Ok(prices.into_iter().filter_map(|(date, price)| Some((later(date)?, price))).collect())
    }
}

/// The definition as it is, or with another seed date.
fn seeded(
    (text, definition): (String, FundDefinition),
    seed: Option<Date>,
) -> Result<(String, FundDefinition), Failure> {
    let Some(seed) = seed else { return Ok((text, definition)) };
    let text = dated(&text, &definition, seed);
    let definition = FundDefinition::parse(&text).map_err(Refusal::from)?;
    Ok((text, definition))
}

/// Options that belong to a fund of derivatives, and what one by perpetual futures needs.
fn fits(args: &Backtest, definition: &FundDefinition) -> Result<(), Failure> {
    let instrument = definition.exposure.as_ref().map(|exposure| exposure.instrument);
    if instrument.is_none() && !args.beside.is_empty() {
        let message = "--beside is for a fund of derivatives, and this one holds its coins";
        let failure = Failure::new("backtest.beside_must_go_with_derivatives", message, Exit::Input);
        return Err(failure
            .hint("Set it beside its filings with --filings, or its market closes with --market-prices."));
    }
    match (instrument == Some(Instrument::Perpetual), &args.funding) {
        (true, None) => {
            let message = "the fund holds perpetual futures: their funding is needed";
            let failure = Failure::new("backtest.perpetual_must_be_given_funding", message, Exit::Input);
            Err(failure.hint("Give a CSV of funding rates with --funding."))
        }
        (false, Some(_)) => {
            let message = "--funding is for perpetual futures, and this fund holds none";
            Err(Failure::new("backtest.funding_must_go_with_a_perpetual", message, Exit::Input)
                .hint("Leave --funding out."))
        }
        _ => Ok(()),
    }
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
