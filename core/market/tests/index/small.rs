//! A small market: coins A to F, a snapshot each month, a close each day; and a definition to run on it.

use strongroom_market::index::{AssetName, Index, IndexRun, Listing, Market, Series};
use strongroom_units::time::Date;
use strongroom_units::{Decimal, Price, Quantity, Rate, Rounding, Scale};

pub const LARGE_CAP: &str = include_str!("../../../../indices/large-cap.toml");
pub const SMART_CONTRACTS: &str = include_str!("../../../../indices/smart-contract-platforms.toml");
pub const DEFI: &str = include_str!("../../../../indices/defi.toml");

pub fn date(text: &str) -> Date {
    text.parse().unwrap()
}

pub fn price(text: &str) -> Price {
    text.parse().unwrap()
}

pub fn rate(text: &str) -> Rate {
    text.parse().unwrap()
}

pub fn coins(text: &str) -> Quantity {
    let decimal: Decimal = text.parse().unwrap();
    Quantity::try_from_decimal(decimal.round(18, Rounding::HalfEven).unwrap(), Scale::try_new(18).unwrap())
        .unwrap()
}

pub fn sum(weights: impl IntoIterator<Item = Rate>) -> Rate {
    weights.into_iter().try_fold(Rate::ZERO, Rate::try_add).unwrap()
}

/// Capitalisations in millions, one list for each month from January 2022, in the order A, B, C, …
pub type Caps<'a> = &'a [&'a [i64]];

pub const LETTERS: [&str; 6] = ["A", "B", "C", "D", "E", "F"];

pub fn listing(millions: i64) -> Listing {
    Listing {
        market_cap: format!("{millions}000000").parse().unwrap(),
        price: price("2"),
        supply: coins(&format!("{}", millions * 500_000)),
        volume_24h: "1000".parse().unwrap(),
    }
}

pub fn days(from: &str, to: &str) -> impl Iterator<Item = Date> {
    let to = date(to);
    core::iter::successors(Some(date(from)), |day| day.tomorrow().ok()).take_while(move |day| *day <= to)
}

/// Closes of 2 on every day from December 2021 to June 2022, of the coins named.
pub fn market(caps: Caps, priced: &str) -> Market {
    let mut market = Market::default();
    for (month, caps) in (1i8..).zip(caps) {
        for (letter, cap) in LETTERS.iter().zip(*caps).filter(|(_, cap)| **cap > 0) {
            let name = AssetName::try_new(&format!("Coin {letter}"), letter).unwrap();
            market.add_listing(Date::constant(2022, month, 1), name, listing(*cap)).unwrap();
        }
    }
    for letter in LETTERS.iter().filter(|letter| priced.contains(**letter)) {
        let closes = days("2021-12-01", "2022-06-30").map(|day| (day, price("2"))).collect();
        market.add_series(*letter, Series { source: "made up".to_owned(), closes });
    }
    market
}

/// A definition of coins A to F with some lines of its version, and whatever else at its end.
pub fn definition(version: &str, rest: &str) -> String {
    let mut text = format!(
        r#"
id = "test"
name = "Test"
source = "made up"
base_date = "2022-01-01"
base_level = "100"

[[version]]
effective = "2022-01-01"
prices = "daily"
stale_days_max = 0
snapshot_age_days_max = 0
unpriced = "next-rank"
decimals = 2
reconstitution = {{ every = "month", day = 1 }}
{version}
"#
    );
    for letter in LETTERS {
        text += &format!(
            "\n[[asset]]\nid = \"{letter}\"\nprice = \"{letter}\"\nnames = [\"Coin {letter} ({letter})\"]\n"
        );
    }
    text + rest
}

pub const TOP_2: &str =
    "price_history_days = 31\nselect = { kind = \"top\", count = 2 }\nweighting = { kind = \"market-cap\" }";
pub const ALL: &str = "select = { kind = \"all\" }\nweighting = { kind = \"market-cap\" }";

pub fn all_of_it() -> String {
    definition(ALL, "").replace("next-rank", "refuse")
}

pub fn run(definition: &str, market: &Market, to: &str) -> IndexRun {
    let index = Index::parse(definition).unwrap();
    index.run(market, index.base_date, date(to)).unwrap()
}

pub fn members(run: &IndexRun, nth: usize) -> Vec<&str> {
    run.reconstitutions[nth].members.iter().map(|member| member.asset.as_str()).collect()
}

pub fn set_price(market: &mut Market, letter: &str, from: &str, to: &str, value: &str) -> Market {
    let mut changed = Market::default();
    for (day, snapshot) in market.snapshots() {
        for (name, listing) in snapshot {
            changed.add_listing(*day, name.clone(), *listing).unwrap();
        }
    }
    for other in LETTERS {
        let Some(series) = market.series(other) else { continue };
        let mut series = series.clone();
        if other == letter {
            for day in days(from, to) {
                if value.is_empty() {
                    series.closes.remove(&day);
                } else {
                    series.closes.insert(day, price(value));
                }
            }
        }
        changed.add_series(other, series);
    }
    changed
}
