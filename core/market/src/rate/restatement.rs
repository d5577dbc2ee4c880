//! When a published rate is corrected.

use super::methodology::Version;
use strongroom_units::time::Timestamp;
use strongroom_units::{NumberError, Price, Rate, Rounding};

/// Whether a corrected rate replaces a published one: it can still be published on the day of the calculation, **and**
/// it differs by more than the methodology's threshold (CF: by more than 0.10 %). Without a threshold, never.
///
/// `day_ends` is the last instant of the calculation day; `now` is when the corrected value could be published.
pub fn must_be_restated(
    version: &Version,
    (published, corrected): (Price, Price),
    (now, day_ends): (Timestamp, Timestamp),
) -> Result<bool, NumberError> {
    let Some(threshold) = version.restatement_threshold else { return Ok(false) };
    let change = corrected.try_sub(published)?;
    let size = if change.is_negative() { change.try_neg()? } else { change };
    let one = 10i128.pow(u32::from(Rate::SCALE));
    let most = published.try_mul_div(threshold.units(), one, Rounding::Floor)?;
    Ok(now <= day_ends && size > most)
}
