//! From members to weights and quantities.

use super::definition::Weighting;
use super::error::IndexError;
use super::level::basket_value;
use super::reason::InReason;
use super::record::{CapEffect, Member, WeightReason};
use super::select::{Candidate, Occasion, free_float_supply};
use super::weights::{Weight, capped_weights};
use strongroom_units::time::Date;
use strongroom_units::{NumberError, PerShare, Price, Quantity, Rounding, Scale};

/// Decimals of quantities in a basket.
const QUANTITY_DECIMALS: u8 = 18;
/// Digits by which returns are counted: 10^-12.
const RETURN_UNIT: i128 = 10i128.pow(12);

/// A member with its price and what it is weighed by.
struct Priced {
    candidate: Candidate,
    reason: InReason,
    price: Price,
    price_date: Date,
    /// Supply that counts.
    float: Quantity,
    /// Free-float capitalisation at that price.
    value: Price,
    score: i128,
}

/// Members of a basket worth the sum of their free-float capitalisations, the heaviest first. `per_index_point` is left at
/// zero until the divisor is known.
pub(super) fn weigh(
    occasion: &Occasion,
    chosen: Vec<(Candidate, InReason)>,
) -> Result<Vec<Member>, IndexError> {
    let mut priced = Vec::new();
    for (candidate, reason) in chosen {
        priced.push(price(occasion, candidate, reason)?);
    }
    priced.sort_by(|a, b| b.score.cmp(&a.score).then_with(|| a.candidate.asset.cmp(&b.candidate.asset)));
    let scores: Vec<_> = priced.iter().map(|priced| priced.score).collect();
    let weights = capped_weights(&scores, occasion.version.cap)
        .map_err(|error| IndexError::Weight { date: occasion.effective, error })?;
    let whole = priced.iter().try_fold(Price::ZERO, |sum, priced| sum.try_add(priced.value))?;
    let any_capped = weights.iter().any(|weight| weight.is_capped);
    let weighting = &occasion.version.weighting;
    let members = priced.into_iter().zip(weights).map(|(priced, weight)| {
        let effect = match (weight.is_capped, any_capped) {
            (true, _) => CapEffect::Capped,
            (false, true) => CapEffect::Raised,
            (false, false) => CapEffect::None,
        };
        member(priced, weight, whole, WeightReason::new(weighting, effect), weighting)
    });
    members.collect()
}

fn price(occasion: &Occasion, candidate: Candidate, reason: InReason) -> Result<Priced, IndexError> {
    let (price, price_date) = occasion.prices.at(&candidate.asset, occasion.effective, occasion.version)?;
    let float = free_float_supply(occasion.index, &candidate, occasion.effective)?;
    let value = basket_value([(float, price)])?;
    let score = match &occasion.version.weighting {
        Weighting::MarketCap => value.units(),
        Weighting::SquareRoot => value.units().checked_mul(1_000_000).ok_or(NumberError::Overflow)?.isqrt(),
        Weighting::Equal => 1,
        Weighting::Fixed { weights } => weights.get(&candidate.asset).map_or(0, |weight| weight.units()),
        Weighting::InverseVolatility { days } => {
            let closes = occasion.prices.closes(&candidate.asset, occasion.announced, days.saturating_add(1));
            inverse_volatility(&closes)?
        }
    };
    Ok(Priced { candidate, reason, price, price_date, float, value, score })
}

/// 10^36 over `√(n Σr² − (Σr)²)` of daily returns at twelve decimals, rounded down: in proportion to one over their
/// sample standard deviation, for as many returns of each asset. Returns that are all alike have no such weight.
fn inverse_volatility(closes: &[Price]) -> Result<i128, NumberError> {
    let (mut count, mut sum, mut squares) = (0i128, 0i128, 0i128);
    for pair in closes.windows(2) {
        let [before, after] = pair else { continue };
        let ratio = after.try_mul_div(RETURN_UNIT, before.units(), Rounding::HalfEven)?;
        let change = ratio.units() - RETURN_UNIT;
        let square = change.checked_mul(change).ok_or(NumberError::Overflow)?;
        squares = squares.checked_add(square).ok_or(NumberError::Overflow)?;
        sum = sum.checked_add(change).ok_or(NumberError::Overflow)?;
        count += 1;
    }
    let spread = squares.checked_mul(count).zip(sum.checked_mul(sum)).ok_or(NumberError::Overflow)?;
    let deviation = (spread.0 - spread.1).isqrt();
    10i128.pow(36).checked_div(deviation).ok_or(NumberError::DivisionByZero)
}

fn member(
    priced: Priced,
    weight: Weight,
    whole: Price,
    why_weight: WeightReason,
    weighting: &Weighting,
) -> Result<Member, IndexError> {
    let Priced { candidate, reason, price, price_date, float, .. } = priced;
    // Without a cap the basket is the free float itself, which no rounding of weights touches.
    let is_whole_float = *weighting == Weighting::MarketCap && why_weight.cap == CapEffect::None;
    // weight·10^-18 × value·10^-18 ÷ price·10^-18 = quantity·10^-18
    let units = whole.try_mul_div(weight.weight.units(), price.units(), Rounding::HalfEven)?.units();
    let by_weight = Quantity::from_units(units, Scale::try_new(QUANTITY_DECIMALS)?);
    Ok(Member {
        asset: candidate.asset,
        rank: (candidate.rank > 0).then_some(candidate.rank),
        market_cap: candidate.market_cap,
        price,
        price_date,
        natural_weight: weight.natural,
        weight: weight.weight,
        quantity: if is_whole_float { float } else { by_weight },
        per_index_point: PerShare::ZERO,
        why_in: reason,
        why_weight,
    })
}
