//! What the demo's funds live in: prices that never were, and the index over them that its basket follows.

use super::market::{Dice, walk};
use crate::backtest::{Followed, IndexFiles, Pricing};
use crate::failure::{Exit, Failure};
use std::collections::BTreeMap;
use strongroom_backtest::Market;
use strongroom_fund::FundDefinition;
use strongroom_market::index::{AssetName, Index, Listing, Market as IndexMarket, Series};
use strongroom_units::time::{Date, Time, Timestamp, Zone};
use strongroom_units::{Money, Price, Quantity, Rate, Rounding, Scale, Symbol};

/// Which fund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Bitcoin,
    Ether,
    Basket,
    /// Twice the bitcoin of the first fund a day.
    Leveraged,
    /// Its opposite.
    Inverse,
    /// Ether that is staked, and pays what it earns.
    Staking,
}

/// A coin of the basket: its symbol, its first price in dollars and how many millions of it there are. Round numbers, so that
/// nobody takes them for real ones.
const COINS: [(&str, i128, i128); 5] =
    [("BTC", 100_000, 20), ("ETH", 4_000, 120), ("SOL", 200, 500), ("XRP", 3, 55_000), ("ADA", 1, 95_000)];

impl Kind {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 6] =
        [Self::Bitcoin, Self::Ether, Self::Basket, Self::Leveraged, Self::Inverse, Self::Staking];

    pub fn definition(self) -> &'static str {
        match self {
            Self::Bitcoin => include_str!("bitcoin.toml"),
            Self::Ether => include_str!("ether.toml"),
            Self::Basket => include_str!("basket.toml"),
            Self::Leveraged => include_str!("leveraged.toml"),
            Self::Inverse => include_str!("inverse.toml"),
            Self::Staking => include_str!("staking.toml"),
        }
    }

    pub fn stream(self) -> u64 {
        match self {
            Self::Bitcoin => 1,
            Self::Ether => 2,
            Self::Basket => 3,
            Self::Leveraged => 4,
            Self::Inverse => 5,
            Self::Staking => 6,
        }
    }

    /// Decimals of a price: cents, and more where coins cost a dollar.
    pub fn decimals(self) -> u8 {
        match self {
            Self::Bitcoin | Self::Ether | Self::Leveraged | Self::Inverse | Self::Staking => 2,
            Self::Basket => 4,
        }
    }
}

/// Apart from the streams of the funds.
const FUNDING_STREAM: u64 = 100;

/// Prices, and for the basket its index over them.
pub(super) struct World {
    pub market: Market,
    pub followed: Option<Followed>,
}

type Prices = BTreeMap<Symbol, BTreeMap<Date, Price>>;

impl World {
    pub fn try_new(
        kind: Kind,
        definition: &FundDefinition,
        dice: &mut Dice,
        to: Date,
        seed: u64,
    ) -> Result<Self, Failure> {
        let mut prices = Prices::new();
        // The multiples are of the very bitcoin that the first fund holds.
        let mut of_bitcoin = Dice::new(seed, Kind::Bitcoin.stream());
        let walker = if definition.exposure.is_some() { &mut of_bitcoin } else { &mut *dice };
        for asset in definition.assets.iter().map(|asset| asset.symbol) {
            let start = (first_price(asset), kind.decimals());
            prices.insert(asset, walk(walker, (definition.seed.date, to), start)?);
        }
        let followed = match kind {
            Kind::Bitcoin | Kind::Ether | Kind::Leveraged | Kind::Inverse | Kind::Staking => None,
            Kind::Basket => Some(follow(definition, &prices, to)?),
        };
        let targets = followed.as_ref().map(|followed| followed.targets.clone()).unwrap_or_default();
        let source = format!("simulated, seed {seed}");
        let funding = match definition.exposure {
            Some(_) => funding(seed, definition.seed.date, to),
            None => BTreeMap::new(),
        };
        let funding_source = source.clone();
        let staking_yields = match kind {
            Kind::Staking => yields(definition.seed.date, to),
            _ => BTreeMap::new(),
        };
        Ok(Self {
            market: Market {
                prices,
                targets,
                funding,
                funding_source,
                staking_yields,
                source,
                ..Market::default()
            },
            followed,
        })
    }
}

/// Rates every eight hours, mostly paid by those who are long: about a basis point, of one market for all funds.
fn funding(seed: u64, from: Date, to: Date) -> BTreeMap<Timestamp, Rate> {
    let mut dice = Dice::new(seed, FUNDING_STREAM);
    let mut rates = BTreeMap::new();
    let mut day = from;
    while day <= to {
        for hour in [0, 8, 16] {
            let millionths = i128::from(60 + dice.around_zero(90));
            if let Ok(at) = Zone::Utc.instant(day, Time::constant(hour, 0, 0, 0)) {
                rates.insert(at, Rate::from_units(millionths * 10i128.pow(12)));
            }
        }
        let Ok(next) = day.tomorrow() else { break };
        day = next;
    }
    rates
}

/// Three per cent a year, on every day: a round number, so that nobody takes it for a real one.
fn yields(from: Date, to: Date) -> BTreeMap<Date, Rate> {
    let three_percent = Rate::from_units(3 * 10i128.pow(16));
    let days = std::iter::successors(Some(from), |day| day.tomorrow().ok());
    days.take_while(|day| *day <= to).map(|day| (day, three_percent)).collect()
}

fn first_price(asset: Symbol) -> Price {
    let coin = COINS.iter().find(|(symbol, _, _)| *symbol == asset.as_str());
    Price::from_units(coin.map_or(1, |(_, dollars, _)| *dollars) * 10i128.pow(u32::from(Price::SCALE)))
}

fn follow(definition: &FundDefinition, prices: &Prices, to: Date) -> Result<Followed, Failure> {
    let index = Index::parse(include_str!("index.toml"))
        .map_err(|error| Failure::new(error.code(), error.to_string(), Exit::Input))?;
    let mut market = IndexMarket::default();
    for asset in &definition.assets {
        let closes = prices.get(&asset.symbol).cloned().unwrap_or_default();
        for (date, price) in closes.iter().filter(|(date, _)| date.day() == 1) {
            let name = AssetName::try_new(&asset.name, asset.symbol.as_str());
            let name = name.map_err(|why| Failure::new("demo.coin_must_have_a_name", why, Exit::Input))?;
            market
                .add_listing(*date, name, listing(asset.symbol, *price)?)
                .map_err(|error| Failure::new(error.code(), error.to_string(), Exit::Input))?;
        }
        market.add_series(asset.symbol.as_str(), Series { source: "simulated".to_owned(), closes });
    }
    let files = IndexFiles { index, market, sources: Vec::new() };
    files.follow(definition, &files.index, Pricing { at: None, lag: 0 }, to)
}

fn listing(asset: Symbol, price: Price) -> Result<Listing, Failure> {
    let coin = COINS.iter().find(|(symbol, _, _)| *symbol == asset.as_str());
    let millions = coin.map_or(1, |(_, _, millions)| *millions);
    let supply = Quantity::from_units(millions * 10i128.pow(6 + 18), Scale::try_new(18)?);
    let market_cap = price.value(supply, Rounding::HalfEven)?;
    Ok(Listing { market_cap, price, supply, volume_24h: Money::ZERO })
}
