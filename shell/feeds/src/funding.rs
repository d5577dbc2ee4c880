//! Funding rates of perpetual futures, as exchanges publish them: a rate for each instant at which one fell due.

use crate::error::FeedError;
use crate::table::Table;
use std::collections::BTreeMap;
use std::path::Path;
use strongroom_units::Rate;
use strongroom_units::time::Timestamp;

/// Rates from `time_utc` (or `time`) and `funding_rate` (or `rate`), as fractions of the position for each period: what a long
/// position pays.
pub fn read_funding(path: &Path) -> Result<BTreeMap<Timestamp, Rate>, FeedError> {
    let mut table = Table::open(path)?;
    let time_column = table.column(&["time_utc", "time"])?;
    let rate_column = table.column(&["funding_rate", "rate"])?;
    let mut found: BTreeMap<Timestamp, Rate> = BTreeMap::new();
    while let Some(row) = table.next_row() {
        let (at, rate) =
            (table.value::<Timestamp>(&row, &time_column), table.value::<Rate>(&row, &rate_column));
        let (Some(at), Some(rate)) = (at, rate) else { continue };
        if found.insert(at, rate).is_some_and(|before| before != rate) {
            table.wrong(&row, &time_column, format!("{at} is given twice with different rates"));
        }
    }
    let path = table.finish()?;
    if found.is_empty() {
        Err(FeedError::NothingFound { path, wanted: "funding rates".to_owned() })
    } else {
        Ok(found)
    }
}
