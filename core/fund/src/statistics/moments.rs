//! Means and deviations of a list of numbers; nothing here knows dates.

use super::StatisticsError;

/// Returns whose deviation is below a trillionth do not vary: what is left is the noise of 64-bit division.
const NO_DEVIATION: f64 = 1e-12;

/// Arithmetic mean; needs one number.
pub(super) fn mean(values: &[f64]) -> Result<f64, StatisticsError> {
    need(1, values.len())?;
    finite(values.iter().sum::<f64>() / values.len() as f64)
}

/// Sample standard deviation, divisor n − 1; needs two numbers.
pub(super) fn sample_deviation(values: &[f64]) -> Result<f64, StatisticsError> {
    need(2, values.len())?;
    Ok(sample_covariance(values, values)?.sqrt())
}

/// Sample covariance of pairs, divisor n − 1; needs two pairs. Both lists have the same length.
pub(super) fn sample_covariance(left: &[f64], right: &[f64]) -> Result<f64, StatisticsError> {
    need(2, left.len())?;
    let (mean_left, mean_right) = (mean(left)?, mean(right)?);
    let sum: f64 = left.iter().zip(right).map(|(l, r)| (l - mean_left) * (r - mean_right)).sum();
    finite(sum / (left.len() - 1) as f64)
}

/// Root of the mean square of the shortfalls below `target`; the divisor is n, every observation, not only
/// those below it: a fund that rarely falls short has a smaller downside.
pub(super) fn downside_deviation(values: &[f64], target: f64) -> Result<f64, StatisticsError> {
    need(1, values.len())?;
    let squares: f64 = values.iter().map(|value| (value - target).min(0.0).powi(2)).sum();
    finite((squares / values.len() as f64).sqrt())
}

/// Refuses a deviation of zero as a divisor.
pub(super) fn divisor(deviation: f64) -> Result<f64, StatisticsError> {
    if deviation < NO_DEVIATION { Err(StatisticsError::NoVariation) } else { Ok(deviation) }
}

/// Refuses NaN and infinities.
pub(super) fn finite(value: f64) -> Result<f64, StatisticsError> {
    if value.is_finite() { Ok(value) } else { Err(StatisticsError::NotFinite) }
}

/// Refuses fewer than `needed` points.
pub(super) fn need(needed: usize, found: usize) -> Result<(), StatisticsError> {
    if found < needed { Err(StatisticsError::TooFewPoints { needed, found }) } else { Ok(()) }
}
