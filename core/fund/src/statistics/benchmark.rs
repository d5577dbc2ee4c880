//! A fund beside its benchmark, on the dates that both have.

use super::moments::{divisor, finite, sample_covariance, sample_deviation};
use super::{Annualisation, Annualised, DatedSeries, StatisticsError};
use strongroom_units::time::Date;

/// Returns of a fund and of its benchmark over the same spans.
///
/// Only dates that both series have are kept, and each return runs from one kept date to the next: a holiday of
/// one market joins two of the other's days instead of shifting them.
#[derive(Debug, Clone, PartialEq)]
pub struct Aligned {
    fund: DatedSeries,
    benchmark: DatedSeries,
    fund_returns: Vec<f64>,
    benchmark_returns: Vec<f64>,
}

impl Aligned {
    /// Keeps the common dates; needs two.
    pub fn try_new(fund: &DatedSeries, benchmark: &DatedSeries) -> Result<Self, StatisticsError> {
        let fund_kept = common(fund, benchmark);
        let benchmark_kept = common(benchmark, fund);
        super::moments::need(2, fund_kept.len())?;
        let (fund, benchmark) = (DatedSeries::try_new(fund_kept)?, DatedSeries::try_new(benchmark_kept)?);
        let plain = |series: &DatedSeries| series.returns().into_iter().map(|(_, step)| step).collect();
        Ok(Self { fund_returns: plain(&fund), benchmark_returns: plain(&benchmark), fund, benchmark })
    }

    /// Number of common dates.
    pub fn dates(&self) -> usize {
        self.fund.points().len()
    }

    /// Slope of the fund's returns on the benchmark's: covariance ÷ variance of the benchmark. Needs three
    /// common dates and a benchmark that varies. No risk-free rate is taken off.
    pub fn beta(&self) -> Result<f64, StatisticsError> {
        let deviation = divisor(sample_deviation(&self.benchmark_returns)?)?;
        finite(sample_covariance(&self.fund_returns, &self.benchmark_returns)? / (deviation * deviation))
    }

    /// Pearson correlation of the returns, −1 to 1. Needs three common dates and both sides to vary.
    pub fn correlation(&self) -> Result<f64, StatisticsError> {
        let fund = divisor(sample_deviation(&self.fund_returns)?)?;
        let benchmark = divisor(sample_deviation(&self.benchmark_returns)?)?;
        let covariance = sample_covariance(&self.fund_returns, &self.benchmark_returns)?;
        finite(covariance / fund / benchmark).map(|value| value.clamp(-1.0, 1.0))
    }

    /// Total return of the fund − total return of the benchmark, from the first common date to the last.
    /// Negative when the fund lags.
    pub fn tracking_difference(&self) -> Result<f64, StatisticsError> {
        finite(self.fund.total_return()? - self.benchmark.total_return()?)
    }

    /// Return of the fund − return of the benchmark, for each span between common dates.
    pub fn return_differences(&self) -> Vec<f64> {
        self.fund_returns
            .iter()
            .zip(&self.benchmark_returns)
            .map(|(fund, benchmark)| fund - benchmark)
            .collect()
    }

    /// [`tracking_error`] of the return differences. Needs three common dates.
    pub fn tracking_error(&self, by: Annualisation) -> Result<Annualised, StatisticsError> {
        tracking_error(&self.return_differences(), by)
    }
}

/// Sample standard deviation (n − 1) of the return differences × √N, in the unit of the differences. Needs two.
pub fn tracking_error(differences: &[f64], by: Annualisation) -> Result<Annualised, StatisticsError> {
    let figure = by.scale_deviation(sample_deviation(differences)?);
    finite(figure.value).map(|_| figure)
}

/// The rows of `kept` whose date `other` has too; both are sorted, so one pass is enough.
fn common(kept: &DatedSeries, other: &DatedSeries) -> Vec<(Date, f64)> {
    let mut others = other.points().iter().map(|&(date, _)| date).peekable();
    let in_both = |&&(date, _): &&(Date, f64)| {
        while others.next_if(|&candidate| candidate < date).is_some() {}
        others.peek() == Some(&date)
    };
    kept.points().iter().filter(in_both).copied().collect()
}
