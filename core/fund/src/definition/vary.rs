//! A fund with other terms: what would have been. The outcome is read and checked like any definition.

use super::parse::unreadable;
use super::{DefinitionError, FundDefinition};
use strongroom_units::{NumberError, Rate, Rounding};
use toml::{Table, Value};

/// Basis points in one.
const BPS: i128 = 10_000;

/// Terms to be tried in place of a fund's own, over all its years. What is absent stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Terms {
    /// Cost of a rebalance, in basis points of everything bought and sold.
    pub cost_bps: Option<Rate>,
    /// Sponsor fee a year, in basis points; waivers fall away with the fee that they waive.
    pub fee_bps: Option<Rate>,
}

impl FundDefinition {
    /// The text of a definition with other terms, its comments lost. It is the text that says what a fund is, so that a fund
    /// with other terms has one of its own in its log.
    pub fn with_terms(text: &str, terms: Terms) -> Result<String, DefinitionError> {
        let mut table: Table = toml::from_str(text).map_err(|error| unreadable(text, &error))?;
        if let Some(bps) = terms.cost_bps {
            each(table.get_mut("index").and_then(|index| index.get_mut("cost")), "bps", &bps.to_string());
        }
        if let Some(bps) = terms.fee_bps
            && let Some(Value::Table(fee)) = table.get_mut("fee")
        {
            let annual = annual(bps).map_err(|error| beyond(text, &error))?;
            each(fee.get_mut("rate"), "annual", &annual.to_string());
            fee.remove("waiver");
        }
        let varied = table.to_string();
        Self::parse(&varied)?;
        Ok(varied)
    }
}

/// Basis points as a fraction.
fn annual(bps: Rate) -> Result<Rate, NumberError> {
    bps.try_mul_div(1, BPS, Rounding::HalfEven)
}

fn beyond(text: &str, error: &NumberError) -> DefinitionError {
    DefinitionError::new(text, None, error.code(), error.to_string(), "Write fewer basis points")
}

/// Sets a field in every table of a list.
fn each(list: Option<&mut Value>, field: &str, text: &str) {
    let entries = list.and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_table_mut);
    for entry in entries {
        entry.insert(field.to_owned(), Value::String(text.to_owned()));
    }
}
