//! What an index reads: snapshots of everything listed, and daily closes of many symbols, told apart by their columns.

use crate::error::FeedError;
use crate::table::{Column, Row, Table};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use strongroom_market::index::{AssetName, Listing, Market, Series};
use strongroom_units::time::Date;
use strongroom_units::{Decimal, Money, NumberError, Price, Quantity, Rounding, Scale};

/// What was taken from a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexFile {
    /// Snapshots: how many, and of how many rows.
    Snapshots {
        /// Snapshots.
        count: usize,
        /// Rows.
        rows: usize,
    },
    /// Daily closes.
    Closes {
        /// Symbols that were taken.
        taken: Vec<String>,
        /// Symbols that an earlier file had already.
        passed_over: Vec<String>,
    },
}

/// Reads a file into a market. With a column `snapshot_date` it holds snapshots: `name`, `symbol`, `market_cap_usd`,
/// `price_usd`, `circulating_supply`, `volume_24h_usd`. Otherwise it holds daily closes: `date`, `symbol` (or `base`, or
/// `asset`), `close` (or `price`), of which the `wanted` symbols are taken.
///
/// Caps and turnovers are kept to eight decimals, supplies to eighteen, both half even.
pub fn read_index_file(
    path: &Path,
    wanted: &BTreeSet<&str>,
    market: &mut Market,
) -> Result<IndexFile, FeedError> {
    let table = Table::open(path)?;
    match table.optional_column(&["snapshot_date"]) {
        Some(date) => snapshots(table, date, market),
        None => closes(table, wanted, market),
    }
}

/// Where a snapshot's columns are.
struct Columns {
    date: Column,
    name: Column,
    symbol: Column,
    market_cap: Column,
    price: Column,
    supply: Column,
    volume: Column,
}

fn snapshots(mut table: Table, date: Column, market: &mut Market) -> Result<IndexFile, FeedError> {
    let columns = Columns {
        date,
        name: table.column(&["name"])?,
        symbol: table.column(&["symbol"])?,
        market_cap: table.column(&["market_cap_usd", "market_cap"])?,
        price: table.column(&["price_usd", "price"])?,
        supply: table.column(&["circulating_supply", "supply"])?,
        volume: table.column(&["volume_24h_usd", "volume_24h"])?,
    };
    // Read into a copy, so that a file with a bad row leaves nothing behind.
    let mut read = market.clone();
    let (mut dates, mut rows) = (BTreeSet::new(), 0);
    while let Some(row) = table.next_row() {
        let Some((date, name, listing)) = columns.listing(&mut table, &row) else { continue };
        if let Err(error) = read.add_listing(date, name, listing) {
            table.wrong(&row, &columns.name, error.to_string());
        }
        dates.insert(date);
        rows += 1;
    }
    let path = table.finish()?;
    if rows == 0 {
        return Err(FeedError::NothingFound { path, wanted: "a snapshot".to_owned() });
    }
    *market = read;
    Ok(IndexFile::Snapshots { count: dates.len(), rows })
}

impl Columns {
    fn listing(&self, table: &mut Table, row: &Row) -> Option<(Date, AssetName, Listing)> {
        let date = table.date(row, &self.date);
        let name = AssetName::try_new(row.text(&self.name), row.text(&self.symbol));
        let name = name.map_err(|message| table.wrong(row, &self.name, message)).ok();
        let market_cap = amount(table, row, &self.market_cap);
        let price =
            not_negative(table, row, &self.price).and_then(|price| fits(table, row, &self.price, price));
        let supply = not_negative(table, row, &self.supply).and_then(|supply| {
            let supply = Scale::try_new(18).and_then(|scale| coins(supply, scale));
            supply.map_err(|error| table.wrong(row, &self.supply, error.to_string())).ok()
        });
        let volume_24h = amount(table, row, &self.volume);
        let (market_cap, price, supply, volume_24h) = (market_cap?, price?, supply?, volume_24h?);
        Some((date?, name?, Listing { market_cap, price, supply, volume_24h }))
    }
}

fn not_negative(table: &mut Table, row: &Row, column: &Column) -> Option<Decimal> {
    let value = table.value::<Decimal>(row, column)?;
    if value.units() < 0 {
        table.wrong(row, column, format!("{value} is below zero"));
        return None;
    }
    Some(value)
}

fn amount(table: &mut Table, row: &Row, column: &Column) -> Option<Money> {
    let value = not_negative(table, row, column)?;
    let money = value.round(Money::SCALE, Rounding::HalfEven).and_then(Money::try_from_decimal);
    money.map_err(|error| table.wrong(row, column, error.to_string())).ok()
}

fn fits(table: &mut Table, row: &Row, column: &Column, value: Decimal) -> Option<Price> {
    let price = value.round(Price::SCALE, Rounding::HalfEven).and_then(Price::try_from_decimal);
    price.map_err(|error| table.wrong(row, column, error.to_string())).ok()
}

fn coins(value: Decimal, scale: Scale) -> Result<Quantity, NumberError> {
    Quantity::try_from_decimal(value.round(scale.decimals(), Rounding::HalfEven)?, scale)
}

fn closes(mut table: Table, wanted: &BTreeSet<&str>, market: &mut Market) -> Result<IndexFile, FeedError> {
    let date_column = table.column(&["date"])?;
    let symbol_column = table.column(&["symbol", "base", "asset"])?;
    let price_column = table.column(&["close", "price"])?;
    let mut found: BTreeMap<String, BTreeMap<Date, Price>> = BTreeMap::new();
    while let Some(row) = table.next_row() {
        let symbol = row.text(&symbol_column);
        if !wanted.contains(symbol) {
            continue;
        }
        let (date, price) = (table.date(&row, &date_column), table.value::<Price>(&row, &price_column));
        let (Some(date), Some(price)) = (date, price) else { continue };
        let series = found.entry(row.text(&symbol_column).to_owned()).or_default();
        if price <= Price::ZERO {
            table.wrong(&row, &price_column, format!("the price {price} is not above zero"));
        } else if series.insert(date, price).is_some_and(|before| before != price) {
            table.wrong(&row, &date_column, format!("{date} is given twice with different prices"));
        }
    }
    let path = table.finish()?;
    let source = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (mut taken, mut passed_over) = (Vec::new(), Vec::new());
    for (symbol, closes) in found {
        let series = Series { source: source.clone(), closes };
        let kept = market.add_series(symbol.clone(), series);
        if kept { taken.push(symbol) } else { passed_over.push(symbol) }
    }
    Ok(IndexFile::Closes { taken, passed_over })
}
