//! The real market, where its files are at hand.

use crate::small::*;
use std::collections::BTreeMap;
use std::path::PathBuf;
use strongroom_market::index::{AssetName, Frequency, Listing, Logged, Market, Series};
use strongroom_units::time::Date;
use strongroom_units::{Decimal, Price, Rounding};

/// The folder of market files; none, with a word about it, where there is none. Under CI its absence is a failure.
fn market_files() -> Option<PathBuf> {
    strongroom_testing::shared("data/market")
}

/// Cells of the columns named, of every row. The files have no quoted cells.
fn cells<const N: usize>(path: PathBuf, names: [&str; N]) -> Vec<[String; N]> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let heading = lines.next().unwrap();
    let places = names.map(|name| heading.iter().position(|cell| *cell == name).unwrap());
    lines.map(|row| places.map(|place| row[place].to_owned())).collect()
}

fn real_market(folder: PathBuf) -> Market {
    let mut market = Market::default();
    let names = [
        "snapshot_date",
        "name",
        "symbol",
        "market_cap_usd",
        "price_usd",
        "circulating_supply",
        "volume_24h_usd",
    ];
    let money =
        |text: &str| text.parse::<Decimal>().unwrap().round(8, Rounding::HalfEven).unwrap().to_string();
    for [day, name, symbol, cap, at, supply, volume] in cells(folder.join("cmc_monthly_top200.csv"), names) {
        let listing = Listing {
            market_cap: money(&cap).parse().unwrap(),
            price: price(&at),
            supply: coins(&supply),
            volume_24h: money(&volume).parse().unwrap(),
        };
        market.add_listing(date(&day), AssetName::try_new(&name, &symbol).unwrap(), listing).unwrap();
    }
    let mut series: BTreeMap<String, BTreeMap<Date, Price>> = BTreeMap::new();
    let file = folder.join("yahoo_24coins_daily_2014_2024.csv");
    for [day, symbol, close] in cells(file, ["date", "symbol", "close"]) {
        series.entry(symbol).or_default().insert(date(&day), price(&close));
    }
    for (symbol, closes) in series {
        market.add_series(symbol, Series { source: "daily".to_owned(), closes });
    }
    market
}

#[test]
fn forty_eight_of_forty_eight_months_are_formed_from_the_real_market() {
    let Some(folder) = market_files() else { return };
    let market = real_market(folder);
    let run = run(LARGE_CAP, &market, "2023-12-31");
    assert_eq!(run.reconstitutions.len(), 48);
    assert!(run.reconstitutions.iter().all(|change| change.members.len() == 5 && change.date.day() == 1));
    assert_eq!(run.levels.len(), 1461);
    let replaced = run.log.iter().map(|(day, logged)| match logged {
        Logged::Replaced { asset, by, .. } => format!("{} {asset} {by}", day.strftime("%Y-%m")),
        other => panic!("{other}"),
    });
    let replaced = replaced.collect::<Vec<_>>();
    let mut expected: Vec<_> = (2..=8).map(|month| format!("2020-{month:02} BSV LTC")).collect();
    expected.push("2022-03 LUNA (2019) ADA".to_owned());
    assert_eq!(replaced, expected);
    let never = ["USDT", "USDC", "BUSD", "WBTC", "STETH", "Tether", "Coin ("];
    for member in run.reconstitutions.iter().flat_map(|change| &change.members) {
        assert!(!never.iter().any(|word| member.asset.as_str().contains(word)), "{}", member.asset);
    }
    // A second implementation, in floating point and from supplies rather than weights, gives 6338.6158977957075.
    let last = run.levels.last().unwrap();
    assert_eq!(last.level.round_to(10, Rounding::HalfUp).unwrap(), price("6338.6158977957"));
    for change in &run.divisor_changes {
        assert!((change.level_after.units() - change.level_before.units()).abs() <= 1, "{}", change.date);
    }
}

#[test]
fn the_themes_are_formed_from_the_real_market_and_say_what_they_lack() {
    let Some(folder) = market_files() else { return };
    let market = real_market(folder);
    let platforms = run(SMART_CONTRACTS, &market, "2023-12-31");
    assert_eq!(platforms.levels.len(), 1156);
    assert!(platforms.reconstitutions.iter().all(|change| change.members.len() == 7)); // no ALGO in these two files
    let is_algo =
        |logged: &Logged| matches!(logged, Logged::LeftOut { asset, .. } if asset.as_str() == "ALGO");
    assert_eq!(platforms.log.iter().filter(|(_, logged)| is_algo(logged)).count(), 13);
    let sol = platforms.log.iter().filter(|(_, logged)| logged.to_string().contains("supply of SOL")).count();
    assert_eq!(sol, 3); // 46 to 262 million, back, and there again: one of the snapshots is wrong
    let defi = run(DEFI, &market, "2023-12-31");
    assert_eq!((defi.levels.len(), defi.reconstitutions.len()), (38, 38));
    assert!(defi.reconstitutions.iter().all(|change| change.members.len() == 8));
    assert_eq!(defi.levels_are, Frequency::SnapshotsOnly);
}
