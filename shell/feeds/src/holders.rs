//! Registers of holders of record, and staking yields.

use crate::error::FeedError;
use crate::table::Table;
use std::collections::BTreeMap;
use std::path::Path;
use strongroom_units::time::Date;
use strongroom_units::{Decimal, Rate, Rounding, Shares};

/// A line of a register.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HolderLine {
    /// An opaque id.
    pub holder: String,
    /// Shares held at record.
    pub shares: Shares,
    /// Whether there is nowhere to pay.
    pub is_unreachable: bool,
}

/// Holders of record in ascending order: `holder`, `shares`, and where it is there `reachable` (yes or no). A holder named twice is
/// refused.
pub fn read_register(path: &Path) -> Result<Vec<HolderLine>, FeedError> {
    let mut table = Table::open(path)?;
    let holder_column = table.column(&["holder", "holder_id"])?;
    let shares_column = table.column(&["shares"])?;
    let reachable_column = table.optional_column(&["reachable"]);
    let mut lines = Vec::new();
    while let Some(row) = table.next_row() {
        let shares = table.value::<i64>(&row, &shares_column);
        let is_unreachable = match reachable_column.as_ref().map(|column| (column, row.text(column))) {
            None | Some((_, "yes" | "")) => false,
            Some((_, "no")) => true,
            Some((column, other)) => {
                let message = format!("`{other}` is neither yes nor no");
                table.wrong(&row, column, message);
                continue;
            }
        };
        let Some(shares) = shares else { continue };
        let holder = row.text(&holder_column).to_owned();
        lines.push(HolderLine { holder, shares: Shares::new(shares), is_unreachable });
    }
    let path = table.finish()?;
    if lines.is_empty() {
        return Err(FeedError::NothingFound { path, wanted: "a holder".to_owned() });
    }
    lines.sort_unstable();
    Ok(lines)
}

/// Annual staking yields as fractions, per day: `date` and `trailing_365d_yield_pct` (or `yield_pct`), in per cent. Days without one
/// are left out. Rounded half even at eighteen decimals.
pub fn read_yields(path: &Path) -> Result<BTreeMap<Date, Rate>, FeedError> {
    let mut table = Table::open(path)?;
    let date_column = table.column(&["date"])?;
    let yield_column = table.column(&["trailing_365d_yield_pct", "yield_pct"])?;
    let mut found = BTreeMap::new();
    while let Some(row) = table.next_row() {
        if row.text(&yield_column).is_empty() {
            continue;
        }
        let (date, percent) = (table.date(&row, &date_column), table.value::<Decimal>(&row, &yield_column));
        let (Some(date), Some(percent)) = (date, percent) else { continue };
        let rate =
            Rate::try_from_decimal(percent).and_then(|rate| rate.try_mul_div(1, 100, Rounding::HalfEven));
        match rate {
            Err(error) => table.wrong(&row, &yield_column, error.to_string()),
            Ok(rate) if rate.is_negative() => {
                table.wrong(&row, &yield_column, format!("a yield of {percent} is below zero"));
            }
            Ok(rate) if found.insert(date, rate).is_some() => {
                table.wrong(&row, &date_column, format!("{date} is given twice"));
            }
            Ok(_) => {}
        }
    }
    let path = table.finish()?;
    if found.is_empty() {
        return Err(FeedError::NothingFound { path, wanted: "a yield".to_owned() });
    }
    Ok(found)
}
