//! Net creations per session, as the daily flow tables publish them: a column per fund, in millions.

use crate::error::FeedError;
use crate::table::Table;
use std::collections::BTreeMap;
use std::path::Path;
use strongroom_units::time::Date;
use strongroom_units::{Decimal, Money, Rounding};

/// Net creations of one fund, in its currency, per date. The file's cells are in millions; an empty one is a day
/// without a figure, which is not the same as zero and is left out.
pub fn read_flows(path: &Path, ticker: &str) -> Result<BTreeMap<Date, Money>, FeedError> {
    let mut table = Table::open(path)?;
    let date_column = table.column(&["date"])?;
    let flow_column = table.column(&[ticker])?;
    let mut found = BTreeMap::new();
    while let Some(row) = table.next_row() {
        if row.text(&flow_column).is_empty() {
            continue;
        }
        let (date, millions) = (table.date(&row, &date_column), table.value::<Decimal>(&row, &flow_column));
        let (Some(date), Some(millions)) = (date, millions) else { continue };
        let flow =
            Money::try_from_decimal(millions).and_then(|m| m.try_mul_div(1_000_000, 1, Rounding::Down));
        match flow {
            Err(error) => table.wrong(&row, &flow_column, error.to_string()),
            Ok(flow) if found.insert(date, flow).is_some() => {
                table.wrong(&row, &date_column, format!("{date} is given twice"));
            }
            Ok(_) => {}
        }
    }
    let path = table.finish()?;
    if found.is_empty() {
        Err(FeedError::NothingFound { path, wanted: ticker.to_owned() })
    } else {
        Ok(found)
    }
}
