//! Cost lots of one asset: what was bought when, for how much, and what a sale takes out.
//!
//! Lots belong to the fund, not to a custody account: a transfer between vault and trading balance does not
//! touch them, so holding period and cost survive it.

use crate::definition::CostMethod;
use serde::{Deserialize, Serialize};
use strongroom_units::time::Date;
use strongroom_units::{Money, NumberError, Price, Quantity, Rounding, Scale};
use thiserror::Error;

/// Coins acquired together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lot {
    /// The day of acquisition; of the oldest coins when lots are pooled at average cost.
    pub acquired: Date,
    /// Coins left.
    pub quantity: Quantity,
    /// Cost of the coins left.
    pub cost: Money,
}

/// The lots of one asset, oldest first. With [`CostMethod::Average`] there is at most one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lots {
    method: CostMethod,
    scale: Scale,
    lots: Vec<Lot>,
}

/// Why lots could not be relieved.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LotError {
    /// More coins than the lots hold.
    #[error("{wanted} coins are to leave, but the lots hold {held}")]
    NotEnough {
        /// Coins to be sold.
        wanted: Quantity,
        /// Coins held.
        held: Quantity,
    },
    /// A sum that does not fit.
    #[error(transparent)]
    Number(#[from] NumberError),
}

impl LotError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotEnough { .. } => "lots.must_cover_the_sale",
            Self::Number(error) => error.code(),
        }
    }
}

impl Lots {
    /// No lots yet.
    pub fn new(method: CostMethod, scale: Scale) -> Self {
        Self { method, scale, lots: Vec::new() }
    }

    /// Every lot, oldest first.
    pub fn lots(&self) -> &[Lot] {
        &self.lots
    }

    /// Coins in all lots.
    pub fn quantity(&self) -> Result<Quantity, NumberError> {
        self.lots.iter().try_fold(Quantity::zero(self.scale), |sum, lot| sum.try_add(lot.quantity))
    }

    /// Cost of all lots.
    pub fn cost(&self) -> Result<Money, NumberError> {
        self.lots.iter().try_fold(Money::ZERO, |sum, lot| sum.try_add(lot.cost))
    }

    /// Adds a lot.
    pub fn acquire(&mut self, lot: Lot) -> Result<(), NumberError> {
        if self.method == CostMethod::Average
            && let Some(pool) = self.lots.first_mut()
        {
            (pool.quantity, pool.cost) = (pool.quantity.try_add(lot.quantity)?, pool.cost.try_add(lot.cost)?);
            return Ok(());
        }
        let place = self.lots.partition_point(|held| held.acquired <= lot.acquired);
        self.lots.insert(place, lot);
        Ok(())
    }

    /// The cost of `quantity` coins by the fund's method, and the lots as they are without them.
    ///
    /// The cost of a part of a lot is rounded half even at eight decimals and the rest stays with the lot, so
    /// parts always sum to the whole.
    pub fn relieve(&self, quantity: Quantity) -> Result<(Money, Self), LotError> {
        let held = self.quantity()?;
        if quantity.is_negative() || quantity.try_sub(held)?.units() > 0 {
            return Err(LotError::NotEnough { wanted: quantity, held });
        }
        let mut left = quantity;
        let mut cost = Money::ZERO;
        let mut after = self.clone();
        for index in self.order()? {
            let Some(lot) = after.lots.get_mut(index) else { continue };
            let taken = if left.units() < lot.quantity.units() { left } else { lot.quantity };
            if taken.is_zero() {
                break;
            }
            let part = lot.cost.try_mul_div(taken.units(), lot.quantity.units(), Rounding::HalfEven)?;
            (lot.quantity, lot.cost) = (lot.quantity.try_sub(taken)?, lot.cost.try_sub(part)?);
            (left, cost) = (left.try_sub(taken)?, cost.try_add(part)?);
        }
        after.lots.retain(|lot| !lot.quantity.is_zero());
        Ok((cost, after))
    }

    /// Indices of the lots in the order in which the method sells them.
    fn order(&self) -> Result<Vec<usize>, NumberError> {
        let mut order: Vec<usize> = (0..self.lots.len()).collect();
        match self.method {
            CostMethod::Average | CostMethod::Fifo => {}
            CostMethod::Lifo => order.reverse(),
            CostMethod::Hifo => {
                let unit_costs: Vec<Price> = self
                    .lots
                    .iter()
                    .map(|lot| lot.cost.per_unit_of(lot.quantity, Rounding::HalfEven))
                    .collect::<Result<_, _>>()?;
                order.sort_by_key(|index| core::cmp::Reverse(unit_costs.get(*index).copied()));
            }
        }
        Ok(order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coins(text: &str) -> Quantity {
        Quantity::parse(text, Scale::try_new(8).unwrap()).unwrap()
    }

    fn lots(method: CostMethod) -> Lots {
        let mut lots = Lots::new(method, Scale::try_new(8).unwrap());
        for (acquired, quantity, cost) in
            [("2024-01-05", "2", "60000"), ("2024-02-05", "3", "120000"), ("2024-03-05", "5", "300000")]
        {
            let lot = Lot {
                acquired: acquired.parse().unwrap(),
                quantity: coins(quantity),
                cost: cost.parse().unwrap(),
            };
            lots.acquire(lot).unwrap();
        }
        lots
    }

    #[test]
    fn four_coins_sold_at_fifty_thousand_gain_what_the_method_says() {
        let proceeds: Money = "200000".parse().unwrap();
        for (method, gain) in [
            (CostMethod::Fifo, "60000"),
            (CostMethod::Hifo, "-40000"),
            (CostMethod::Lifo, "-40000"),
            (CostMethod::Average, "8000"),
        ] {
            let (cost, after) = lots(method).relieve(coins("4")).unwrap();
            assert_eq!(proceeds.try_sub(cost).unwrap(), gain.parse().unwrap(), "{method:?}");
            assert_eq!(cost.try_add(after.cost().unwrap()).unwrap(), "480000".parse().unwrap());
            assert_eq!(after.quantity().unwrap(), coins("6"));
        }
    }

    #[test]
    fn parts_sum_to_the_whole_when_the_cost_does_not_divide() {
        let mut held = lots(CostMethod::Average);
        let mut relieved = Money::ZERO;
        for _ in 0..7 {
            let (cost, after) = held.relieve(coins("1.11111111")).unwrap();
            (relieved, held) = (relieved.try_add(cost).unwrap(), after);
        }
        assert_eq!(relieved.try_add(held.cost().unwrap()).unwrap(), "480000".parse().unwrap());
    }

    #[test]
    fn more_than_is_held_is_refused() {
        let refused = lots(CostMethod::Fifo).relieve(coins("10.00000001")).unwrap_err();
        assert_eq!(refused.code(), "lots.must_cover_the_sale");
    }
}
