//! Daily prices: of an asset, or of a fund's shares on the exchange.

use crate::error::FeedError;
use crate::table::Table;
use std::collections::BTreeMap;
use std::path::Path;
use strongroom_units::time::Date;
use strongroom_units::{Price, Symbol};

/// Daily prices of an asset from `date`, `close` (or `price`, or `btc_usd` for BTC), filtered by `symbol` (or `base`,
/// or `asset`) where the file has such a column. In a file with one column per asset an empty cell is a day without a
/// price; the first and last price of such a column may be partial days and are the caller's to judge.
pub fn read_prices(path: &Path, asset: Symbol) -> Result<BTreeMap<Date, Price>, FeedError> {
    let own = format!("{}_usd", asset.as_str().to_ascii_lowercase());
    read(path, asset.as_str(), &["symbol", "base", "asset"], &["close", "price", own.as_str()])
}

/// Daily closes of a fund's shares from `date`, `close` (or `close_adj`), filtered by `ticker` (or `symbol`).
pub fn read_market_prices(path: &Path, ticker: &str) -> Result<BTreeMap<Date, Price>, FeedError> {
    read(path, ticker, &["ticker", "symbol"], &["close", "close_adj", "price"])
}

fn read(
    path: &Path,
    wanted: &str,
    names: &[&str],
    prices: &[&str],
) -> Result<BTreeMap<Date, Price>, FeedError> {
    let mut table = Table::open(path)?;
    let date_column = table.column(&["date"])?;
    let name_column = table.optional_column(names);
    let price_column = table.column(prices)?;
    let is_wide = name_column.is_none();
    let mut found: BTreeMap<Date, Price> = BTreeMap::new();
    while let Some(row) = table.next_row() {
        if name_column.as_ref().is_some_and(|column| row.text(column) != wanted) {
            continue;
        }
        if is_wide && row.text(&price_column).is_empty() {
            continue;
        }
        let (date, price) = (table.date(&row, &date_column), table.value::<Price>(&row, &price_column));
        let (Some(date), Some(price)) = (date, price) else { continue };
        if price <= Price::ZERO {
            table.wrong(&row, &price_column, format!("the price {price} is not above zero"));
        } else if found.insert(date, price).is_some_and(|before| before != price) {
            table.wrong(&row, &date_column, format!("{date} is given twice with different prices"));
        }
    }
    let path = table.finish()?;
    if found.is_empty() {
        Err(FeedError::NothingFound { path, wanted: wanted.to_owned() })
    } else {
        Ok(found)
    }
}
