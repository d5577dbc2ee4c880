//! Weights that sum to exactly one, and the iterative cap.

use super::{ONE, error::WeightError};
use strongroom_units::{NumberError, Rate, Rounding};

/// One member's weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weight {
    /// Its share of all scores, before any cap.
    pub natural: Rate,
    /// Its weight.
    pub weight: Rate,
    /// Whether the cap holds it.
    pub is_capped: bool,
}

/// Weights in proportion to scores, none above `cap`, in the order of the scores.
///
/// Members above the cap are set to it, what they exceed it by is shared among the others in proportion to their scores,
/// and again, until none is above. Scores are of any one unit and above zero.
///
/// Every weight is rounded down at eighteen decimals. What is then missing to one (fewer units of 10^-18 than there are
/// members) goes to the largest uncapped score, the first of equals, as far as the cap leaves room, and then to the next.
pub fn capped_weights(scores: &[i128], cap: Option<Rate>) -> Result<Vec<Weight>, WeightError> {
    if scores.is_empty() {
        return Err(WeightError::NoMembers);
    }
    if scores.iter().any(|score| *score <= 0) {
        return Err(WeightError::ScoreNotPositive);
    }
    let count = i128::try_from(scores.len()).map_err(|_| NumberError::Overflow)?;
    let cap = cap.unwrap_or(ONE);
    if cap <= Rate::ZERO || cap.units().checked_mul(count).ok_or(NumberError::Overflow)? < ONE.units() {
        return Err(WeightError::CapTooLow { cap, members: scores.len() });
    }
    let natural = shares(scores, &vec![false; scores.len()], ONE)?;
    let (mut weights, capped) = cap_repeatedly(scores, cap)?;
    place_remainder(&mut weights, &capped, scores, cap)?;
    let all = natural.into_iter().zip(weights).zip(capped);
    Ok(all.map(|((natural, weight), is_capped)| Weight { natural, weight, is_capped }).collect())
}

fn cap_repeatedly(scores: &[i128], cap: Rate) -> Result<(Vec<Rate>, Vec<bool>), NumberError> {
    let mut capped = vec![false; scores.len()];
    loop {
        let held = capped.iter().filter(|capped| **capped).count() as i128;
        let free = ONE.try_sub(cap.try_mul_div(held, 1, Rounding::Floor)?)?;
        let shared = shares(scores, &capped, free)?;
        let mut found = false;
        for (share, capped) in shared.iter().zip(capped.iter_mut()) {
            if !*capped && *share > cap {
                *capped = true;
                found = true;
            }
        }
        if !found {
            let weights =
                shared.iter().zip(&capped).map(|(share, capped)| if *capped { cap } else { *share });
            return Ok((weights.collect(), capped));
        }
    }
}

/// `free` shared among the scores that are not capped, rounded down; zero for those that are.
fn shares(scores: &[i128], capped: &[bool], free: Rate) -> Result<Vec<Rate>, NumberError> {
    let open = || scores.iter().zip(capped).filter(|(_, capped)| !**capped).map(|(score, _)| *score);
    let total = open().try_fold(0i128, i128::checked_add).ok_or(NumberError::Overflow)?;
    let share = |(score, capped): (&i128, &bool)| {
        if *capped { Ok(Rate::ZERO) } else { free.try_mul_div(*score, total, Rounding::Floor) }
    };
    scores.iter().zip(capped).map(share).collect()
}

fn place_remainder(
    weights: &mut [Rate],
    capped: &[bool],
    scores: &[i128],
    cap: Rate,
) -> Result<(), NumberError> {
    let sum = weights.iter().try_fold(Rate::ZERO, |sum, weight| sum.try_add(*weight))?;
    let mut left = ONE.try_sub(sum)?;
    let mut order: Vec<_> = weights.iter_mut().zip(capped).zip(scores).collect();
    order.sort_by_key(|((_, capped), score)| (**capped, core::cmp::Reverse(**score)));
    for ((weight, _), _) in order {
        let given = left.min(cap.try_sub(*weight)?);
        *weight = weight.try_add(given)?;
        left = left.try_sub(given)?;
    }
    Ok(())
}
