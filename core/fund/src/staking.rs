//! Staking rewards: what a day brings, who takes which part of it, and what a holder may expect.

use serde::{Deserialize, Serialize};
use strongroom_units::{NumberError, Quantity, Rate, Rounding};

/// What the provider and the custodian keep of gross rewards, as fractions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StakingCut {
    /// The staking provider's part.
    pub provider: Rate,
    /// The custodian's part.
    pub custodian: Rate,
}

/// A reward and its parts, in coins: gross = provider + custodian + net.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reward {
    /// What the network paid.
    pub gross: Quantity,
    /// What the provider keeps, rounded up to the base unit.
    pub provider: Quantity,
    /// What the custodian keeps, rounded up to the base unit.
    pub custodian: Quantity,
    /// What the fund receives.
    pub net: Quantity,
}

const ONE: i128 = 10i128.pow(Rate::SCALE as u32);

impl Reward {
    /// Divides a gross reward. Cuts are rounded up, the rest is the fund's.
    pub fn divide(gross: Quantity, cut: StakingCut) -> Result<Self, NumberError> {
        let provider = gross.try_mul_div(cut.provider.units(), ONE, Rounding::Ceiling)?;
        let custodian = gross.try_mul_div(cut.custodian.units(), ONE, Rounding::Ceiling)?;
        let net = gross.try_sub(provider)?.try_sub(custodian)?;
        Ok(Self { gross, provider, custodian, net })
    }
}

/// Gross rewards of staked coins over some days at an annual rate: `staked × rate × days ÷ 365`, rounded down.
pub fn gross_reward(staked: Quantity, annual: Rate, days: i64) -> Result<Quantity, NumberError> {
    let rate = annual.units().checked_mul(i128::from(days)).ok_or(NumberError::Overflow)?;
    staked.try_mul_div(rate, 365 * ONE, Rounding::Floor)
}

/// What a holder may expect a year: `staked × gross × (1 − cut) − sponsor fee`, half even at eighteen decimals.
pub fn net_yield(staked: Rate, gross: Rate, cut: Rate, sponsor_fee: Rate) -> Result<Rate, NumberError> {
    let kept = Rate::from_units(ONE).try_sub(cut)?;
    let earned = staked.try_mul_div(gross.units(), ONE, Rounding::HalfEven)?;
    earned.try_mul_div(kept.units(), ONE, Rounding::HalfEven)?.try_sub(sponsor_fee)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(text: &str) -> Rate {
        text.parse().unwrap()
    }

    #[test]
    fn the_expected_yield_is_the_worked_example() {
        // fund.md 6.1: 0.70 · 3 % · 0.82 − 0.25 % = 1.472 %.
        let expected = net_yield(rate("0.70"), rate("0.03"), rate("0.18"), rate("0.0025")).unwrap();
        assert_eq!(expected, rate("0.01472"));
    }

    #[test]
    fn published_net_yields_follow_from_gross_ones_at_the_published_cuts() {
        // Net and gross as published, in per cent of what is staked; the cut that they imply. The Grayscale trusts name
        // 23 % for the older ether trust and 6 % for the mini trust.
        for (gross, net, cut) in [("2.75", "2.11", "0.23"), ("2.77", "2.60", "0.06")] {
            let kept = rate(gross).try_mul_div(ONE - rate(cut).units(), ONE, Rounding::HalfEven).unwrap();
            let apart = kept.try_sub(rate(net)).unwrap().units().abs();
            assert!(apart < rate("0.01").units(), "{gross} less {cut} is {kept}, published {net}");
        }
        // ETHB: 76.09 % staked, 1.80 % net before the sponsor fee, 18 % cut: a gross yield within the network's 2.6 to 3 %.
        let of_staked = rate("0.0180").try_mul_div(ONE, rate("0.7609").units(), Rounding::HalfEven).unwrap();
        let gross = of_staked.try_mul_div(ONE, rate("0.82").units(), Rounding::HalfEven).unwrap();
        assert!((rate("0.0262")..rate("0.03")).contains(&gross), "{gross}");
    }

    #[test]
    fn eighty_two_per_cent_of_a_reward_stay_with_the_trust_and_parts_are_the_whole() {
        let gross: Quantity = "1.000000000000000001".parse().unwrap();
        let cut = StakingCut { provider: rate("0.10"), custodian: rate("0.08") };
        let reward = Reward::divide(gross, cut).unwrap();
        let sum = reward.provider.try_add(reward.custodian).unwrap().try_add(reward.net).unwrap();
        assert_eq!(sum, gross);
        assert_eq!(reward.net.to_string(), "0.819999999999999999");
    }

    #[test]
    fn a_year_of_days_is_the_annual_rate() {
        let staked: Quantity = "1000.000000000000000000".parse().unwrap();
        let year = gross_reward(staked, rate("0.03"), 365).unwrap();
        assert_eq!(year.to_string(), "30.000000000000000000");
        let day = gross_reward(staked, rate("0.03"), 1).unwrap();
        assert_eq!(day.to_string(), "0.082191780821917808");
    }
}
