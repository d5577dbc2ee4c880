//! The commands that run a fund by hand, one module for each noun.

pub(crate) mod audit;
pub(crate) mod basket;
pub(crate) mod copies;
pub(crate) mod custody;
pub(crate) mod distribution;
pub(crate) mod drill;
pub(crate) mod exposure;
pub(crate) mod fee;
pub(crate) mod fund;
pub(crate) mod http;
pub(crate) mod key;
mod key_end;
pub(crate) mod life;
pub(crate) mod nav;
pub(crate) mod order;
pub(crate) mod prices;
pub(crate) mod rates;
pub(crate) mod rebalance;
pub(crate) mod rotation;
pub(crate) mod scan;
pub(crate) mod serve;
pub(crate) mod staking;
pub(crate) mod statement;

use crate::failure::Failure;
use strongroom_units::{Decimal, Money, Price, Shares};

/// Money for people: two decimals, thousands apart.
pub(crate) fn money(amount: Money) -> Result<String, Failure> {
    Ok(amount.to_decimal().to_display(2)?)
}

/// Shares for people: thousands apart.
pub(crate) fn shares(shares: Shares) -> Result<String, Failure> {
    Ok(Decimal::try_new(i128::from(shares.count()), 0)?.to_display(0)?)
}

/// So many of something: `1 record`, `2 records`.
pub(crate) fn counted(count: u64, one: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {one}{plural}")
}

/// A price for people: two decimals, thousands apart.
pub(crate) fn price(price: Price) -> Result<String, Failure> {
    Ok(price.to_decimal().to_display(2)?)
}
