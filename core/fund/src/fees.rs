//! The sponsor fee of one day or of several: waivers blend by tranche and end on their date.

use crate::definition::{FeeAccrual, FeeSchedule, Waiver};
use strongroom_units::time::Date;
use strongroom_units::{Money, NumberError, Quantity, Rate, Rounding};

/// The fee in money on `basis`, for each calendar day after `after` through `through`.
///
/// Each day is rounded half even at eight decimals and then summed, so the fee of a long weekend is the sum of
/// its days whatever else happens in them. Nothing accrues before the first rate of the schedule.
pub fn money_fee(
    schedule: &FeeSchedule,
    basis: Money,
    after: Date,
    through: Date,
) -> Result<Money, NumberError> {
    let mut total = Money::ZERO;
    let mut day = after;
    while day < through {
        day = day.tomorrow().map_err(|_| NumberError::Overflow)?;
        total = total.try_add(money_fee_of_day(schedule, basis, day)?)?;
    }
    Ok(total)
}

/// The fee in coins on `holdings` for one calendar day: `round(holdings × rate ÷ day count, decimals)`, half up.
pub fn coin_fee(schedule: &FeeSchedule, holdings: Quantity, day: Date) -> Result<Quantity, NumberError> {
    let decimals = match schedule.accrual {
        FeeAccrual::Coins { decimals } => decimals,
        FeeAccrual::Money => return Ok(Quantity::zero(holdings.scale())),
    };
    let Some(full) = schedule.rate.at(day) else { return Ok(Quantity::zero(holdings.scale())) };
    let annual = waiver_on(schedule, day).map_or(*full, |waiver| waiver.annual);
    let (numerator, denominator) = per_day(schedule, annual, day)?;
    // Two roundings would not be the filing's one: the raw quotient is rounded straight to the filed decimals.
    let kept = decimals.min(holdings.scale().decimals());
    let unit = 10i128.pow(u32::from(holdings.scale().decimals() - kept));
    let filed_units = Money::from_units(holdings.units())
        .try_mul_div(
            numerator,
            denominator.checked_mul(unit).ok_or(NumberError::Overflow)?,
            Rounding::HalfUp,
        )?
        .units();
    Ok(Quantity::from_units(filed_units.checked_mul(unit).ok_or(NumberError::Overflow)?, holdings.scale()))
}

/// The annual rate on `basis` after waivers: 0.12 % on $5bn and 0.25 % on the next $5bn is 0.185 % on $10bn.
/// Rounded half even at eighteen decimals; for people, the fee itself does not pass through it.
pub fn blended_rate(schedule: &FeeSchedule, basis: Money, day: Date) -> Result<Rate, NumberError> {
    let Some(full) = schedule.rate.at(day) else { return Ok(Rate::ZERO) };
    let Some(waiver) = waiver_on(schedule, day) else { return Ok(*full) };
    if basis <= Money::ZERO {
        return Ok(waiver.annual);
    }
    let saved = full.try_sub(waiver.annual)?;
    let share = saved.try_mul_div(waived_part(waiver, basis).units(), basis.units(), Rounding::HalfEven)?;
    full.try_sub(share)
}

fn money_fee_of_day(schedule: &FeeSchedule, basis: Money, day: Date) -> Result<Money, NumberError> {
    let Some(full) = schedule.rate.at(day) else { return Ok(Money::ZERO) };
    let of = |part: Money, annual: Rate| {
        let (numerator, denominator) = per_day(schedule, annual, day)?;
        part.try_mul_div(numerator, denominator, Rounding::HalfEven)
    };
    let Some(waiver) = waiver_on(schedule, day) else { return of(basis, *full) };
    let waived = waived_part(waiver, basis);
    of(waived, waiver.annual)?.try_add(of(basis.try_sub(waived)?, *full)?)
}

fn waiver_on(schedule: &FeeSchedule, day: Date) -> Option<&Waiver> {
    schedule.waivers.iter().find(|waiver| waiver.from <= day && day <= waiver.through)
}

fn waived_part(waiver: &Waiver, basis: Money) -> Money {
    waiver.first.map_or(basis, |first| first.min(basis))
}

/// The annual rate as a fraction of one day: numerator and denominator.
fn per_day(schedule: &FeeSchedule, annual: Rate, day: Date) -> Result<(i128, i128), NumberError> {
    let year = i128::from(schedule.day_count.days(day));
    Ok((annual.units(), year.checked_mul(10i128.pow(u32::from(Rate::SCALE))).ok_or(NumberError::Overflow)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::{Dated, DayCount, FeePayment, PaymentPeriod};

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn schedule(annual: &str, accrual: FeeAccrual, waivers: Vec<Waiver>) -> FeeSchedule {
        FeeSchedule {
            accrual,
            day_count: DayCount::Actual365,
            rate: Dated::try_new(vec![(date("2024-01-11"), annual.parse().unwrap())]).unwrap(),
            waivers,
            payment: FeePayment { every: PaymentPeriod::Month, session: 10 },
        }
    }

    fn first_five_billion() -> Waiver {
        Waiver {
            from: date("2024-01-11"),
            through: date("2025-01-10"),
            annual: "0.0012".parse().unwrap(),
            first: Some("5000000000".parse().unwrap()),
        }
    }

    #[test]
    fn a_tiered_waiver_blends_by_tranche_and_is_no_cliff() {
        let schedule = schedule("0.0025", FeeAccrual::Money, vec![first_five_billion()]);
        let blended = |billions: &str, day: &str| {
            let basis = format!("{billions}000000000").parse().unwrap();
            blended_rate(&schedule, basis, date(day)).unwrap().to_string()
        };
        assert_eq!(blended("10", "2024-06-03"), "0.00185"); // the published waiver-year example
        assert_eq!(blended("5", "2024-06-03"), "0.0012");
        assert_eq!(blended("10", "2025-01-10"), "0.00185");
        assert_eq!(blended("10", "2025-01-11"), "0.0025");
        assert_eq!(blended("10", "2024-01-10"), "0");
    }

    #[test]
    fn a_waiver_that_ends_within_a_weekend_ends_on_its_date() {
        let schedule = schedule("0.0025", FeeAccrual::Money, vec![first_five_billion()]);
        let basis: Money = "10000000000".parse().unwrap();
        // Friday 2025-01-10 is the last waived day; Saturday, Sunday and Monday pay the full fee.
        let fee = money_fee(&schedule, basis, date("2025-01-09"), date("2025-01-13")).unwrap();
        let waived: Money = "50684.93150685".parse().unwrap(); // (5bn × 0.12 % + 5bn × 0.25 %) ÷ 365
        let full: Money = "68493.15068493".parse().unwrap();
        assert_eq!(fee, waived.try_add(full.try_mul_div(3, 1, Rounding::Down).unwrap()).unwrap());
    }

    #[test]
    fn one_day_of_the_six_step_example_is_its_fee() {
        let schedule = schedule("0.015", FeeAccrual::Money, vec![]);
        let fee =
            money_fee(&schedule, "68394639.5159".parse().unwrap(), date("2025-06-02"), date("2025-06-03"));
        assert_eq!(fee.unwrap(), "2810.73861024".parse().unwrap());
    }

    #[test]
    fn coins_accrue_each_calendar_day_rounded_as_filed() {
        let schedule = schedule("0.015", FeeAccrual::Coins { decimals: 8 }, vec![]);
        let fee = |coins: &str| {
            coin_fee(&schedule, coins.parse().unwrap(), date("2025-01-01")).unwrap().to_string()
        };
        assert_eq!(fee("205398.85921873"), "8.44104901");
        assert_eq!(fee("1000.000000000000000000"), "0.041095890000000000");
        let before = coin_fee(&schedule, "1.00000000".parse().unwrap(), date("2024-01-10")).unwrap();
        assert!(before.is_zero());
    }
}
