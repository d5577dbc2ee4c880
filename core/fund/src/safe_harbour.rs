//! The conditions of Rev. Proc. 2025-31 under which a trust that stakes keeps its tax status, as rules with stable codes.
//!
//! Some follow from the definition and the books; the others are what the issuer states about itself in
//! `[staking.safe_harbour]`. Nothing here is advice: a rule that holds says that what was stated fits, not that it is true.

use crate::FundDefinition;
use crate::definition::{FundKind, HarbourStatements};
use serde::Serialize;
use strongroom_units::time::Date;

/// What a rule rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RestsOn {
    /// The definition and the books.
    TheBooks,
    /// The issuer's own statement.
    AStatement,
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// Stable code.
    pub code: &'static str,
    /// The condition in words.
    pub rule: &'static str,
    /// Whether it holds.
    pub holds: bool,
    /// What that rests on.
    pub rests_on: RestsOn,
}

/// What of the books the conditions look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Books {
    /// The day.
    pub today: Date,
    /// The day of the oldest reward that holders have not been paid; none when all have been.
    pub oldest_reward: Option<Date>,
    /// Whether anything but money and the one asset is held.
    pub holds_other: bool,
}

/// Every condition, in the order of the procedure; none for a fund that does not stake.
pub fn conditions(definition: &FundDefinition, books: Books) -> Option<Vec<Condition>> {
    let staking = definition.staking.as_ref()?;
    let stated = |field: fn(&HarbourStatements) -> bool| staking.safe_harbour.as_ref().is_some_and(field);
    let by_statement =
        |code, rule, field| Condition { code, rule, holds: stated(field), rests_on: RestsOn::AStatement };
    let by_books = |code, rule, holds| Condition { code, rule, holds, rests_on: RestsOn::TheBooks };
    let one_asset = definition.kind == FundKind::SingleAsset && !books.holds_other;
    let on_time = books.oldest_reward.is_none_or(|reward| quarters_between(reward, books.today) <= 1);
    Some(vec![
        by_statement(
            "safe_harbour.listed_on_a_national_exchange",
            "shares are listed on a national securities exchange",
            |stated| stated.listed_on_a_national_exchange,
        ),
        by_statement(
            "safe_harbour.staking_disclosed_and_approved",
            "staking is disclosed and approved",
            |stated| stated.staking_disclosed_and_approved,
        ),
        by_books("safe_harbour.holds_money_and_one_asset", "only money and one asset are held", one_asset),
        by_statement(
            "safe_harbour.asset_is_proof_of_stake",
            "the asset's network is permissionless and secured by proof of stake",
            |stated| stated.asset_is_proof_of_stake,
        ),
        by_statement("safe_harbour.custodian_holds_keys", "the custodian holds the keys", |stated| {
            stated.custodian_holds_keys
        }),
        by_statement(
            "safe_harbour.provider_is_unrelated",
            "the staking provider is unrelated to the sponsor",
            |stated| stated.provider_is_unrelated,
        ),
        by_statement("safe_harbour.slashing_is_indemnified", "slashing is indemnified", |stated| {
            stated.slashing_is_indemnified
        }),
        by_statement(
            "safe_harbour.liquidity_policy_in_force",
            "a policy for liquidity risk is in force",
            |stated| stated.liquidity_policy_in_force,
        ),
        by_books(
            "safe_harbour.liquid_sleeve_is_kept",
            "a part of the coins stays liquid",
            !staking.liquid_least.is_zero(),
        ),
        by_statement("safe_harbour.no_arbitrage", "no gain is sought from the market", |stated| {
            stated.no_arbitrage
        }),
        by_statement(
            "safe_harbour.credit_is_contingent_liquidity_only",
            "credit is for contingent liquidity only",
            |stated| stated.credit_is_contingent_liquidity_only,
        ),
        by_books(
            "safe_harbour.distributes_every_quarter",
            "the definition distributes at least every quarter",
            definition.distribution.is_some(), // a month or a quarter: nothing longer can be written
        ),
        by_books(
            "safe_harbour.rewards_distributed_on_time",
            "no reward is older than the quarter before this one",
            on_time,
        ),
    ])
}

fn quarters_between(earlier: Date, later: Date) -> i32 {
    let quarter = |date: Date| i32::from(date.year()) * 4 + (i32::from(date.month()) - 1) / 3;
    quarter(later) - quarter(earlier)
}
