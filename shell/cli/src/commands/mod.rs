//! The commands that run a fund by hand, one module for each noun.

pub(crate) mod basket;
pub(crate) mod copies;
pub(crate) mod custody;
pub(crate) mod fee;
pub(crate) mod fund;
pub(crate) mod nav;
pub(crate) mod order;
pub(crate) mod prices;
pub(crate) mod statement;

use crate::failure::Failure;
use strongroom_units::{Money, Price};

/// Money for people: two decimals, thousands apart.
pub(crate) fn money(amount: Money) -> Result<String, Failure> {
    Ok(amount.to_decimal().to_display(2)?)
}

/// A price for people: two decimals, thousands apart.
pub(crate) fn price(price: Price) -> Result<String, Failure> {
    Ok(price.to_decimal().to_display(2)?)
}
