//! A dated series of NAVs or index levels and what can be said of it alone.

use super::moments::{divisor, downside_deviation, finite, mean, sample_deviation};
use super::{Annualisation, Annualised, StatisticsError};
use strongroom_units::time::Date;

/// Days of a Julian year: the convention of [`DatedSeries::compound_annual_growth`].
const DAYS_PER_YEAR: f64 = 365.25;

/// A date and the value on it.
type Point = (Date, f64);

/// Values of strictly later and later dates, each positive and finite. It may be empty.
///
/// Give split-adjusted values: a split is not a return.
#[derive(Debug, Clone, PartialEq)]
pub struct DatedSeries {
    points: Vec<Point>,
}

/// The deepest fall from a high, and when it was over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drawdown {
    /// `1 - trough/peak`, above 0 and at most 1.
    pub depth: f64,
    /// Date of the high (the first, if it was reached twice).
    pub peak: Date,
    /// Date of the lowest value after it.
    pub trough: Date,
    /// First date at or above the high again; `None` while the fall is not made good.
    pub recovered: Option<Date>,
}

impl DatedSeries {
    /// Checks the rows; refuses unsorted or repeated dates and values that are not positive and finite.
    pub fn try_new(points: Vec<(Date, f64)>) -> Result<Self, StatisticsError> {
        let mut before = None;
        for &(date, value) in &points {
            if before.is_some_and(|before| before >= date) {
                return Err(StatisticsError::DatesMustIncrease { date });
            }
            if !value.is_finite() || value <= 0.0 {
                return Err(StatisticsError::ValueMustBePositive { date });
            }
            before = Some(date);
        }
        Ok(Self { points })
    }

    /// The rows, oldest first.
    pub fn points(&self) -> &[(Date, f64)] {
        &self.points
    }

    /// Simple returns `v[i] / v[i-1] - 1`, each with the date on which it ends. Empty for fewer than two points.
    pub fn returns(&self) -> Vec<(Date, f64)> {
        self.steps().map(|(before, (date, value))| (date, value / before - 1.0)).collect()
    }

    /// `last / first - 1`. Needs two points.
    pub fn total_return(&self) -> Result<f64, StatisticsError> {
        let ((_, first), (_, last)) = self.ends()?;
        finite(last / first - 1.0)
    }

    /// Compound annual growth: `(last / first)^(365.25 / calendar days) - 1`. Needs two points.
    ///
    /// A period under 365 days is refused: a return of part of a year must not be shown as an annual one, as the
    /// GIPS standards ask of every performance presentation.
    pub fn compound_annual_growth(&self) -> Result<f64, StatisticsError> {
        let ((from, first), (through, last)) = self.ends()?;
        let days = from.duration_until(through).as_hours() / 24;
        let days = i32::try_from(days).map_err(|_| StatisticsError::NotFinite)?;
        if days < 365 {
            return Err(StatisticsError::ShorterThanAYear { days });
        }
        finite((last / first).powf(DAYS_PER_YEAR / f64::from(days)) - 1.0)
    }

    /// Sample standard deviation (n − 1) of the simple returns × √N. Needs three points; a steady series has 0.
    pub fn volatility(&self, by: Annualisation) -> Result<Annualised, StatisticsError> {
        annualised(sample_deviation(&self.plain_returns())?, by)
    }

    /// Sharpe ratio: `(mean return - risk-free return) / sample deviation (n − 1) × √N`.
    ///
    /// `risk_free` is an annual rate; one period earns the rate that compounds to it. Needs three points and
    /// returns that vary.
    pub fn sharpe_ratio(&self, risk_free: f64, by: Annualisation) -> Result<Annualised, StatisticsError> {
        let returns = self.plain_returns();
        let excess = mean(&returns)? - finite(by.per_period(risk_free))?;
        annualised(excess / divisor(sample_deviation(&returns)?)?, by)
    }

    /// Sortino ratio: `(mean return - target) / downside deviation × √N`, where the downside deviation is
    /// `√(Σ min(return - target, 0)² / n)` with n **all** returns, not only those below the target.
    ///
    /// `target` is an annual rate; one period's target is the rate that compounds to it. Needs two points and
    /// one return below the target.
    pub fn sortino_ratio(&self, target: f64, by: Annualisation) -> Result<Annualised, StatisticsError> {
        let returns = self.plain_returns();
        let target = finite(by.per_period(target))?;
        let excess = mean(&returns)? - target;
        annualised(excess / divisor(downside_deviation(&returns, target)?)?, by)
    }

    /// The deepest fall below an earlier high; of two equally deep ones the first. `None` when the series never
    /// falls, so also for no point or one.
    pub fn max_drawdown(&self) -> Option<Drawdown> {
        let mut high: Option<Point> = None;
        let mut deepest: Option<(Drawdown, f64)> = None;
        for &(date, value) in &self.points {
            let Some((peak, top)) = high.filter(|&(_, top)| value < top) else {
                if high.is_none_or(|(_, top)| value > top) {
                    high = Some((date, value));
                }
                continue;
            };
            let depth = 1.0 - value / top;
            if deepest.is_none_or(|(found, _)| depth > found.depth) {
                deepest = Some((Drawdown { depth, peak, trough: date, recovered: None }, top));
            }
        }
        let (fall, top) = deepest?;
        let recovered = self.points.iter().find(|&&(date, value)| date > fall.trough && value >= top);
        Some(Drawdown { recovered: recovered.map(|&(date, _)| date), ..fall })
    }

    fn steps(&self) -> impl Iterator<Item = (f64, Point)> {
        self.points.iter().zip(self.points.iter().skip(1)).map(|(&(_, before), &after)| (before, after))
    }

    fn plain_returns(&self) -> Vec<f64> {
        self.steps().map(|(before, (_, value))| value / before - 1.0).collect()
    }

    fn ends(&self) -> Result<(Point, Point), StatisticsError> {
        match self.points.as_slice() {
            [first, .., last] => Ok((*first, *last)),
            few => Err(StatisticsError::TooFewPoints { needed: 2, found: few.len() }),
        }
    }
}

fn annualised(per_period: f64, by: Annualisation) -> Result<Annualised, StatisticsError> {
    let figure = by.scale_deviation(per_period);
    finite(figure.value).map(|_| figure)
}
