//! Opening a fund: the sponsor pays for the seed shares, and the money buys the first coins.

use super::{Decision, positive};
use crate::event::{AssetNav, Event, NavInputs, NavRecord, Sale, SaleLine};
use crate::exposure::PositionNav;
use crate::fund::Outcome;
use crate::refusal::Refusal;
use crate::state::FundState;
use std::collections::BTreeMap;
use strongroom_fund::FundDefinition;
use strongroom_fund::definition::{Asset, FundKind};
use strongroom_units::time::Timestamp;
use strongroom_units::{Money, Price, Quantity, Rate, Rounding, Symbol};

pub(super) fn open(
    text: &str,
    prices: &BTreeMap<Symbol, Price>,
    weights: &BTreeMap<Symbol, Rate>,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    let definition = FundDefinition::parse(text)?;
    let seed = definition.seed;
    if now < definition.strike.instant(seed.date)? {
        return Err(Refusal::DateMustNotBeInTheFuture(seed.date));
    }
    let shares = i128::from(seed.shares.count());
    let paid_in =
        seed.nav_per_share.try_mul_div(shares, 1, Rounding::HalfEven)?.to_cents(Rounding::HalfUp)?;
    let has_no_coins = definition.kind == FundKind::Derivatives;
    let (purchase, assets) = match has_no_coins {
        true => (Sale { assets: BTreeMap::new(), value: Money::ZERO }, exposed_to(&definition, prices)?),
        false => {
            let purchase = purchase(&definition, paid_in, prices, weights)?;
            let assets = purchase.assets.iter().map(|(asset, line)| (*asset, bought(line))).collect();
            (purchase, assets)
        }
    };
    let inputs = NavInputs {
        assets,
        shares: seed.shares,
        entitled: seed.shares,
        cash: paid_in.try_sub(purchase.value)?,
        accrued_fee: Money::ZERO,
        accrued_expenses: Money::ZERO,
        distributions: Money::ZERO,
        after: seed.date,
        evidence: BTreeMap::new(),
        position: definition
            .assets
            .first()
            .filter(|_| has_no_coins)
            .map(|asset| PositionNav::none(asset.scale)),
    };
    let figures = super::strike::figures(&definition, &inputs, seed.date)?;
    let nav = NavRecord {
        date: seed.date,
        struck_at: now,
        inputs,
        current: figures.clone(),
        published: figures,
        accepted: None,
    };
    Ok(vec![Event::FundOpened { definition: text.to_owned(), paid_in, purchase, nav: Box::new(nav) }])
}

/// Opening the same fund with the same text again is a repeat; with another text it is refused.
pub(super) fn again(state: &FundState, text: &str) -> Decision {
    if state.parts.definition_text == text {
        return Ok((Vec::new(), Outcome::AlreadyDone));
    }
    Err(Refusal::FundMustNotBeOpen(state.definition().id))
}

/// Spends its part of the money on each asset, in whole base units; what is left over stays in cash. Without weights the
/// parts are equal.
fn purchase(
    definition: &FundDefinition,
    paid_in: Money,
    prices: &BTreeMap<Symbol, Price>,
    weights: &BTreeMap<Symbol, Rate>,
) -> Result<Sale, Refusal> {
    let count = i128::try_from(definition.assets.len()).unwrap_or(1);
    if !weights.is_empty() {
        super::weights::check(definition, weights)?;
    }
    let mut assets = BTreeMap::new();
    let mut value = Money::ZERO;
    for asset in &definition.assets {
        let budget = match weights.get(&asset.symbol) {
            Some(weight) => super::weights::part(paid_in, *weight)?,
            None if weights.is_empty() => paid_in.try_mul_div(1, count, Rounding::Floor)?,
            None => continue,
        };
        let price = positive(asset.symbol, prices)?;
        let quantity = budget.buys(price, asset.scale, Rounding::Floor)?;
        let spent = price.value(quantity, Rounding::Ceiling)?.to_cents(Rounding::Ceiling)?;
        value = value.try_add(spent)?;
        assets.insert(asset.symbol, SaleLine { quantity, price, value: spent, cost: spent });
    }
    Ok(Sale { assets, value })
}

/// Prices of what a fund of derivatives is exposed to and holds nothing of.
fn exposed_to(
    definition: &FundDefinition,
    prices: &BTreeMap<Symbol, Price>,
) -> Result<BTreeMap<Symbol, AssetNav>, Refusal> {
    let none = |asset: &Asset| {
        Ok((asset.symbol, AssetNav::none_owned(positive(asset.symbol, prices)?, asset.scale)))
    };
    definition.assets.iter().map(none).collect()
}

fn bought(line: &SaleLine) -> AssetNav {
    let none = Quantity::zero(line.quantity.scale());
    AssetNav {
        price: line.price,
        owned: line.quantity,
        accrued_fee: none,
        pending_creations: none,
        pending_redemptions: none,
    }
}
