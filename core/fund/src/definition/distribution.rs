//! What a definition says about money and coins for holders: distributions, staking, forks and airdrops, and how many shares
//! there may be. All of it may be left out.

use super::parse::Checker;
use super::raw::{Exact, RawFund, TomlDate};
use super::{Dated, DefinitionError, FundKind, PaymentPeriod};
use crate::staking::StakingCut;
use serde::{Deserialize, Serialize};
use strongroom_units::time::{Calendar, Date, TimeError};
use strongroom_units::{Rate, Shares};
use toml::Spanned;

/// When holders are paid, in what, and how the amount of a share is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DistributionTerms {
    /// How often.
    pub every: PaymentPeriod,
    /// On which session of the following period it is declared, from 1.
    pub session: u8,
    /// Sessions from the declaration to the record date, at least 1; shares go ex on the record date.
    pub record_after: u8,
    /// Sessions from the record date to the payment, at least 1.
    pub pay_after: u8,
    /// In what.
    pub paid: PaidIn,
    /// Decimals of the amount of a share as published.
    pub decimals: u8,
}

impl DistributionTerms {
    /// Declaration, record and payment of what became due with a period, when it is declared on this session.
    pub fn dates(&self, calendar: Calendar, session: Date) -> Result<Option<(Date, Date)>, TimeError> {
        let due = super::FeePayment { every: self.every, session: self.session };
        if due.due_on(calendar, session).is_none() {
            return Ok(None);
        }
        let record = calendar.add_sessions(session, i32::from(self.record_after))?;
        Ok(Some((record, calendar.add_sessions(record, i32::from(self.pay_after))?)))
    }
}

/// In what holders are paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PaidIn {
    /// Money.
    Cash,
    /// Coins of the fund.
    InKind,
}

/// How a fund stakes its coins.
#[derive(Debug, Clone, PartialEq)]
pub struct StakingTerms {
    /// Who runs the validators.
    pub provider: String,
    /// Part of the coins that is staked where nothing stands against it.
    pub target: Rate,
    /// Part of the coins that stays liquid for redemptions.
    pub liquid_least: Rate,
    /// Calendar days from the request until unstaked coins are free.
    pub unbonding_days: u16,
    /// What happens to a redemption for more coins than are liquid.
    pub beyond_liquid: BeyondLiquid,
    /// What provider and custodian keep of rewards, by date.
    pub cuts: Dated<StakingCut>,
    /// What the issuer states about itself; see [`crate::safe_harbour`].
    pub safe_harbour: Option<HarbourStatements>,
}

/// What happens to a redemption for more coins than are liquid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BeyondLiquid {
    /// It is refused, and told how many shares can be redeemed now.
    Refuse,
    /// It deals at its session and settles when unstaked coins are free.
    Delay,
}

/// What an issuer states about itself; nothing here can be computed from the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HarbourStatements {
    /// The shares are listed on a national securities exchange.
    pub listed_on_a_national_exchange: bool,
    /// Staking is disclosed in a registration that the regulator has approved.
    pub staking_disclosed_and_approved: bool,
    /// The asset's network is permissionless and secured by proof of stake.
    pub asset_is_proof_of_stake: bool,
    /// The custodian alone holds the keys.
    pub custodian_holds_keys: bool,
    /// The staking provider is not related to sponsor or trust.
    pub provider_is_unrelated: bool,
    /// The provider makes slashed coins good.
    pub slashing_is_indemnified: bool,
    /// A written policy says how redemptions are met while coins are staked.
    pub liquidity_policy_in_force: bool,
    /// The trust does not seek to gain from changes of the asset's market.
    pub no_arbitrage: bool,
    /// Borrowing is limited to contingent liquidity for redemptions.
    pub credit_is_contingent_liquidity_only: bool,
}

/// What a fund of one asset does with what the holders of its coins are given in a fork or an airdrop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GiftPolicy {
    /// It is abandoned, permanently and irrevocably.
    #[default]
    Abandon,
    /// It is sold, and the money is for a distribution.
    Distribute,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDistribution {
    pub every: PaymentPeriod,
    pub session: Spanned<u8>,
    pub record_after: Spanned<u8>,
    pub pay_after: Spanned<u8>,
    pub paid: PaidIn,
    pub decimals: Spanned<u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStaking {
    pub provider: Spanned<String>,
    pub target: Spanned<Exact<Rate>>,
    pub liquid_least: Spanned<Exact<Rate>>,
    pub unbonding_days: Spanned<u16>,
    pub beyond_liquid: BeyondLiquid,
    pub cut: Spanned<Vec<Spanned<RawCut>>>,
    pub safe_harbour: Option<HarbourStatements>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCut {
    pub from: Spanned<TomlDate>,
    pub provider: Spanned<Exact<Rate>>,
    pub custodian: Spanned<Exact<Rate>>,
}

const ONE: Rate = Rate::from_units(10i128.pow(Rate::SCALE as u32));

impl Checker<'_> {
    pub(super) fn distribution(&self, raw: &RawFund) -> Result<Option<DistributionTerms>, DefinitionError> {
        let Some(given) = &raw.distribution else { return Ok(None) };
        for (field, most) in [(&given.session, 20), (&given.record_after, 20), (&given.pay_after, 60)] {
            if !(1..=most).contains(field.get_ref()) {
                let message = format!("{} is outside 1 to {most}", field.get_ref());
                let fix = "Write a number of sessions";
                let code = "definition.distribution_sessions_must_be_in_range";
                return self.refuse(field.span(), code, message, fix);
            }
        }
        let most = match given.paid {
            PaidIn::Cash => 8,
            PaidIn::InKind => raw.asset.get_ref().first().map_or(8, |asset| asset.get_ref().scale.decimals()),
        };
        if *given.decimals.get_ref() > most {
            let message =
                format!("{} decimals do not fit the base unit, which has {most}", given.decimals.get_ref());
            let fix = format!("Write at most {most}: what a share is paid has to add up exactly");
            let code = "definition.distribution_decimals_must_fit_the_base_unit";
            return self.refuse(given.decimals.span(), code, message, fix);
        }
        Ok(Some(DistributionTerms {
            every: given.every,
            session: *given.session.get_ref(),
            record_after: *given.record_after.get_ref(),
            pay_after: *given.pay_after.get_ref(),
            paid: given.paid,
            decimals: *given.decimals.get_ref(),
        }))
    }

    pub(super) fn staking(&self, raw: &RawFund, seed: Date) -> Result<Option<StakingTerms>, DefinitionError> {
        let Some(given) = &raw.staking else { return Ok(None) };
        if *raw.kind.get_ref() != FundKind::SingleAsset {
            let code = "definition.staking_must_be_of_one_asset";
            let fix = "Remove [staking], or write type = \"single-asset\"";
            return self.refuse(
                given.get_ref().provider.span(),
                code,
                "only a fund of one asset stakes",
                fix,
            );
        }
        let given = given.get_ref();
        let is_named = |text: &str| !text.trim().is_empty() && text.chars().count() <= 120;
        if !is_named(given.provider.get_ref()) {
            let code = "definition.staking_provider_must_be_named";
            let fix = "Write the provider's name in 1 to 120 characters";
            return self.refuse(given.provider.span(), code, "the staking provider has no name", fix);
        }
        for part in [&given.target, &given.liquid_least] {
            self.part_of_one(part)?;
        }
        let (target, liquid_least) = (given.target.get_ref().0, given.liquid_least.get_ref().0);
        if target.units() + liquid_least.units() > ONE.units() {
            let message = format!("{target} staked and {liquid_least} liquid are more than everything");
            let code = "definition.staking_target_must_leave_the_sleeve";
            return self.refuse(given.target.span(), code, message, "Lower target or liquid_least");
        }
        if *given.unbonding_days.get_ref() > 365 {
            let message = format!("{} days of unbonding", given.unbonding_days.get_ref());
            let code = "definition.unbonding_must_be_within_a_year";
            return self.refuse(given.unbonding_days.span(), code, message, "Write at most 365");
        }
        for entry in given.cut.get_ref() {
            let cut = entry.get_ref();
            self.part_of_one(&cut.provider)?;
            self.part_of_one(&cut.custodian)?;
            let sum = cut.provider.get_ref().0.units() + cut.custodian.get_ref().0.units();
            if sum > ONE.units() {
                let code = "definition.staking_cut_must_leave_something";
                let message = "provider and custodian together keep more than everything";
                return self.refuse(cut.provider.span(), code, message, "Lower one of them");
            }
        }
        let cuts = given.cut.get_ref().iter().map(|entry| {
            let cut = entry.get_ref();
            let (provider, custodian) = (cut.provider.get_ref().0, cut.custodian.get_ref().0);
            (&cut.from, StakingCut { provider, custodian })
        });
        Ok(Some(StakingTerms {
            provider: given.provider.get_ref().clone(),
            target,
            liquid_least,
            unbonding_days: *given.unbonding_days.get_ref(),
            beyond_liquid: given.beyond_liquid,
            cuts: self.dated("staking.cut", given.cut.span(), seed, cuts)?,
            safe_harbour: given.safe_harbour,
        }))
    }

    pub(super) fn gifts(&self, raw: &RawFund) -> Result<GiftPolicy, DefinitionError> {
        let Some(given) = &raw.forks_and_airdrops else { return Ok(GiftPolicy::default()) };
        if *raw.kind.get_ref() == FundKind::Basket {
            let code = "definition.gift_policy_of_a_basket_must_be_its_index";
            let fix = "Remove forks_and_airdrops, and write gifts in [index]";
            return self.refuse(given.span(), code, "a basket does what [index] says", fix);
        }
        Ok(*given.get_ref())
    }

    pub(super) fn shares_most(&self, raw: &RawFund) -> Result<Option<Shares>, DefinitionError> {
        let Some(given) = &raw.shares_most else { return Ok(None) };
        if *given.get_ref() < *raw.seed.shares.get_ref() {
            let message = format!("{} shares are fewer than the seed's", given.get_ref());
            let code = "definition.shares_most_must_hold_the_seed";
            return self.refuse(given.span(), code, message, "Write at least the seed's shares");
        }
        Ok(Some(*given.get_ref()))
    }

    fn part_of_one(&self, given: &Spanned<Exact<Rate>>) -> Result<(), DefinitionError> {
        let part = given.get_ref().0;
        if !part.is_negative() && part <= ONE {
            return Ok(());
        }
        let code = "definition.staking_part_must_be_a_fraction";
        let fix = "Write a fraction: eighty per cent is \"0.8\"";
        self.refuse(given.span(), code, format!("{part} is outside 0 to 1"), fix)
    }
}
