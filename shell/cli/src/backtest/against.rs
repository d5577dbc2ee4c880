//! A backtest set beside what the trust has filed.

use crate::failure::Failure;
use serde::Serialize;
use std::collections::BTreeMap;
use strongroom_backtest::Comparison;
use strongroom_engine::statement::{assets_and_liabilities, roll_forward_of};
use strongroom_engine::{FundState, Refusal};
use strongroom_feeds::FiledCoins;
use strongroom_units::time::Date;
use strongroom_units::{Decimal, Money, NumberError};

/// Per cent by which coins at a period end may differ.
const HOLDING_TOLERANCE: &str = "0.25";
/// Per cent by which the change between two period ends may differ.
const CHANGE_TOLERANCE: &str = "0.5";
/// Per cent by which the accrued fee may differ.
const FEE_TOLERANCE: &str = "3";

/// Every filed figure beside ours.
#[derive(Serialize)]
pub(crate) struct Against {
    /// Whether every row is within its tolerance.
    pub holds: bool,
    /// Coins at period ends, the changes between them, and the accrued fee.
    pub rows: Vec<Row>,
}

/// One filed figure beside ours. Decimals as text.
#[derive(Serialize)]
pub(crate) struct Row {
    pub what: String,
    pub filed: String,
    pub computed: String,
    pub difference_percent: String,
    pub tolerance_percent: &'static str,
    pub within: bool,
    /// Whether the filed figure is a sum of filed lines rather than a line of its own.
    pub derived: bool,
}

impl Against {
    pub fn try_new(
        state: &FundState,
        filed: &BTreeMap<Date, FiledCoins>,
        (from, to): (Date, Date),
        filed_fee: Option<Money>,
    ) -> Result<Self, Failure> {
        let asset = state.definition().assets.first().map(|asset| asset.symbol);
        let asset = asset.ok_or(Refusal::FundMustBeOpen)?;
        let mut rows = Vec::new();
        let mut before: Option<(Comparison, bool)> = None;
        let seed = state.definition().seed.date;
        for (date, filed) in filed.range(from..=to).filter(|(_, filed)| filed.coins.units() != 0) {
            let ours = roll_forward_of(state, asset, seed, *date)?.end.quantity.to_decimal();
            let held = Comparison::try_new(*date, filed.coins, ours)?;
            rows.push(Row::try_new(format!("coins at {date}"), &held, HOLDING_TOLERANCE, filed.derived)?);
            if let Some((earlier, derived)) = &before {
                let change = held.since(earlier)?;
                let what = format!("change from {} to {date}", earlier.date);
                rows.push(Row::try_new(what, &change, CHANGE_TOLERANCE, filed.derived || *derived)?);
            }
            before = Some((held, filed.derived));
        }
        if let (Some(filed_fee), Some(nav)) = (filed_fee, state.last_nav()) {
            let ours = assets_and_liabilities(nav)?.sponsor_fee_payable;
            let fee = Comparison::try_new(nav.date, filed_fee.to_decimal(), ours.to_decimal())?;
            rows.push(Row::try_new(
                format!("sponsor fee payable at {}", nav.date),
                &fee,
                FEE_TOLERANCE,
                false,
            )?);
        }
        Ok(Self { holds: rows.iter().all(|row| row.within), rows })
    }
}

impl Row {
    fn try_new(
        what: String,
        compared: &Comparison,
        tolerance_percent: &'static str,
        derived: bool,
    ) -> Result<Self, NumberError> {
        let most: Decimal = tolerance_percent.parse()?;
        let difference = compared.difference_percent;
        let size = Decimal::try_new(difference.units().abs(), difference.scale())?;
        Ok(Self {
            what,
            filed: compared.filed.to_string(),
            computed: compared.computed.to_string(),
            difference_percent: difference.to_string(),
            tolerance_percent,
            within: size <= most,
            derived,
        })
    }
}
