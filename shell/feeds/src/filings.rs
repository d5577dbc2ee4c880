//! Roll-forwards of coins that trusts have filed: one row per line of a period.

use crate::error::FeedError;
use crate::table::Table;
use std::collections::BTreeMap;
use std::path::Path;
use strongroom_units::Decimal;
use strongroom_units::time::Date;

/// Coins held at the end of a day, as a filing states or implies them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FiledCoins {
    /// Coins.
    pub coins: Decimal,
    /// Whether the figure is the sum of the filing's lines rather than a line of its own.
    pub derived: bool,
}

/// The signed coin lines of one filed period.
struct Period {
    begin: Decimal,
    movements: Decimal,
    end: Option<Decimal>,
}

/// Coins held by one trust at the period ends of its filings, from `ticker`, `period_start`, `period_end`, `line`,
/// `quantity`. A line without a quantity is one of money only. The `begin` of a period is the end of the day before
/// it; where the `end` line is missing it is `begin` plus the other lines. A filed line is preferred to a sum.
pub fn read_filed_coins(path: &Path, ticker: &str) -> Result<BTreeMap<Date, FiledCoins>, FeedError> {
    let mut table = Table::open(path)?;
    let ticker_column = table.column(&["ticker"])?;
    let (start, end) = (table.column(&["period_start"])?, table.column(&["period_end"])?);
    let (line, quantity) = (table.column(&["line"])?, table.column(&["quantity"])?);
    let mut lines: BTreeMap<(Date, Date), Vec<(String, Decimal)>> = BTreeMap::new();
    while let Some(row) = table.next_row() {
        if row.text(&ticker_column) != ticker || row.text(&quantity).is_empty() {
            continue;
        }
        let period = (table.date(&row, &start), table.date(&row, &end));
        let coins = table.value::<Decimal>(&row, &quantity);
        if let ((Some(from), Some(through)), Some(coins)) = (period, coins) {
            lines.entry((from, through)).or_default().push((row.text(&line).to_owned(), coins));
        }
    }
    let path = table.finish()?;
    let mut held: BTreeMap<Date, FiledCoins> = BTreeMap::new();
    for ((from, through), lines) in lines {
        let Some(period) = period(&lines) else { continue };
        if let Ok(before) = from.yesterday() {
            state(&mut held, before, period.begin, false);
        }
        let sum = period.begin.try_add(period.movements).unwrap_or(period.begin);
        state(&mut held, through, period.end.unwrap_or(sum), period.end.is_none());
    }
    if held.is_empty() { Err(FeedError::NothingFound { path, wanted: ticker.to_owned() }) } else { Ok(held) }
}

fn state(held: &mut BTreeMap<Date, FiledCoins>, date: Date, coins: Decimal, derived: bool) {
    let known = held.entry(date).or_insert(FiledCoins { coins, derived });
    if known.derived && !derived {
        *known = FiledCoins { coins, derived };
    }
}

/// A period without a first line says nothing of coins held.
fn period(lines: &[(String, Decimal)]) -> Option<Period> {
    let named = |name: &str| lines.iter().find(|(line, _)| line == name).map(|(_, coins)| *coins);
    let nothing: Decimal = Decimal::try_new(0, 0).ok()?;
    let mut moved = lines.iter().filter(|(line, _)| line != "begin" && line != "end");
    let movements = moved.try_fold(nothing, |sum, (_, coins)| sum.try_add(*coins)).ok()?;
    Some(Period { begin: named("begin")?, movements, end: named("end") })
}
