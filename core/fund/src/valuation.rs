//! NAV in the six steps of a spot trust's prospectus, in exact money (Grayscale Bitcoin Trust, "Determination of
//! NAV"):
//!
//! 1. the index price
//! 2. × coins owned less coins payable for accrued fee
//! 3. \+ pending creations
//! 4. − accrued unpaid expenses
//! 5. − pending redemptions → the NAV Fee Basis Amount
//! 6. − the fee accrued on it → NAV

use crate::definition::FeeSchedule;
use crate::fees::money_fee;
use serde::{Deserialize, Serialize};
use strongroom_units::time::Date;
use strongroom_units::{Money, NumberError, Price, Quantity, Rounding};

/// One asset as it stands before the strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AssetPosition {
    /// The reference rate at the strike.
    pub price: Price,
    /// Coins that belong to shares outstanding before the pending orders: vault, trading and receivable, less payable.
    pub owned: Quantity,
    /// Coins payable for fee accrued in coins; zero when the fee accrues in money.
    pub accrued_fee: Quantity,
    /// Coins due from creations that were struck on an earlier day and not yet received.
    pub pending_creations: Quantity,
    /// Coins due to redemptions that were struck on an earlier day and not yet given up.
    pub pending_redemptions: Quantity,
}

/// The fund's money as it stands before the strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MoneyPosition {
    /// Cash and money receivable, less money payable for executed orders.
    pub cash: Money,
    /// Sponsor fee accrued in money and not yet paid.
    pub accrued_fee: Money,
    /// Other expenses accrued and not yet paid.
    pub accrued_expenses: Money,
    /// Distributions that shares have gone ex of and holders have not yet been paid.
    pub distributions: Money,
}

/// The steps of one valuation, each as published or kept for the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Valuation {
    /// Step 2, with the fund's cash.
    pub holdings: Money,
    /// Step 3.
    pub with_pending_creations: Money,
    /// Step 4: less accrued unpaid expenses, sponsor fee of earlier days and distributions payable.
    pub after_expenses: Money,
    /// Step 5: the NAV Fee Basis Amount.
    pub fee_basis: Money,
    /// Step 6: the fee in money accrued by this strike; zero when the fee accrues in coins.
    pub fee: Money,
    /// Net assets.
    pub net_assets: Money,
}

/// Values the fund. Values of coins are rounded half even at eight decimals, once per asset and step.
///
/// `after` is the date of the last strike: the fee covers each calendar day since, through `date`.
pub fn value(
    assets: &[AssetPosition],
    money: &MoneyPosition,
    schedule: &FeeSchedule,
    after: Date,
    date: Date,
) -> Result<Valuation, NumberError> {
    let total = |coins: fn(&AssetPosition) -> Result<Quantity, NumberError>| {
        assets.iter().try_fold(Money::ZERO, |sum, asset| {
            sum.try_add(asset.price.value(coins(asset)?, Rounding::HalfEven)?)
        })
    };
    let holdings = total(|asset| asset.owned.try_sub(asset.accrued_fee))?.try_add(money.cash)?;
    let with_pending_creations = holdings.try_add(total(|asset| Ok(asset.pending_creations))?)?;
    let after_expenses =
        with_pending_creations.try_sub(money.accrued_expenses)?.try_sub(money.accrued_fee)?;
    let after_expenses = after_expenses.try_sub(money.distributions)?;
    let fee_basis = after_expenses.try_sub(total(|asset| Ok(asset.pending_redemptions))?)?;
    let fee = match schedule.accrual {
        crate::definition::FeeAccrual::Money => money_fee(schedule, fee_basis, after, date)?,
        crate::definition::FeeAccrual::Coins { .. } => Money::ZERO,
    };
    let net_assets = fee_basis.try_sub(fee)?;
    Ok(Valuation { holdings, with_pending_creations, after_expenses, fee_basis, fee, net_assets })
}

/// What a participant pays beyond the NAV value of a cash creation: cost of the coins less NAV value.
/// Negative is a credit. For a redemption pass NAV value and proceeds the other way round.
pub fn execution_variance(nav_value: Money, execution_value: Money) -> Result<Money, NumberError> {
    execution_value.try_sub(nav_value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::{Dated, DayCount, FeeAccrual, FeePayment, PaymentPeriod};
    use strongroom_units::Scale;

    fn money(text: &str) -> Money {
        text.parse().unwrap()
    }

    fn coins(text: &str) -> Quantity {
        Quantity::parse(text, Scale::try_new(8).unwrap()).unwrap()
    }

    fn schedule(annual: &str) -> FeeSchedule {
        FeeSchedule {
            accrual: FeeAccrual::Money,
            day_count: DayCount::Actual365,
            rate: Dated::try_new(vec![("2024-01-01".parse().unwrap(), annual.parse().unwrap())]).unwrap(),
            waivers: vec![],
            payment: FeePayment { every: PaymentPeriod::Month, session: 10 },
        }
    }

    #[test]
    fn the_six_steps_give_the_worked_example() {
        let asset = AssetPosition {
            price: "67805.29".parse().unwrap(),
            owned: coins("1000"),
            accrued_fee: coins("0.05"),
            pending_creations: coins("17.52"), // 2 baskets × 8.76
            pending_redemptions: coins("8.76"),
        };
        let other = MoneyPosition { accrued_expenses: money("1234.56"), ..MoneyPosition::default() };
        let (after, date) = ("2026-03-02".parse().unwrap(), "2026-03-03".parse().unwrap());
        let valuation = value(&[asset], &other, &schedule("0.015"), after, date).unwrap();
        assert_eq!(valuation.holdings, money("67801899.7355"));
        assert_eq!(valuation.with_pending_creations, money("68989848.4163"));
        assert_eq!(valuation.after_expenses, money("68988613.8563"));
        assert_eq!(valuation.fee_basis, money("68394639.5159"));
        assert_eq!(valuation.fee, money("2810.73861024"));
        // 68,391,828.77728975753… unrounded; the fee was rounded to the eighth decimal.
        assert_eq!(valuation.net_assets, money("68391828.77728976"));
    }

    #[test]
    fn the_participant_bears_the_execution_variance_both_ways() {
        let nav_value = money("6970752.48");
        for (execution, cost, variance) in
            [("61700.00", "6990610.00", "19857.52"), ("61300.00", "6945290.00", "-25462.48")]
        {
            let price: Price = execution.parse().unwrap();
            let paid = price.value(coins("113.3"), Rounding::HalfEven).unwrap();
            assert_eq!(paid, money(cost));
            assert_eq!(execution_variance(nav_value, paid).unwrap(), money(variance));
        }
    }
}
