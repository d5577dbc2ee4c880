//! The estimated return of a fund with a daily multiple, as issuers publish it in their prospectuses: a statistic, not money.
//!
//! With the index return R over T years, its annual volatility σ and the factor L, before fees and financing:
//!
//! ```text
//! 1 + fund = (1 + R)^L · exp(−½ · L · (L − 1) · σ² · T)
//! ```
//!
//! The second factor is the decay: below one for every L above 1 and below 0, and deeper the more the index moves.
//! (M. Cheng and A. Madhavan, "The Dynamics of Leveraged and Inverse Exchange-Traded Funds", 2009.)

use thiserror::Error;

/// Days of the year in which volatility is given.
const DAYS_A_YEAR: f64 = 365.0;
/// Largest factor either way.
const FACTOR_MAX: f64 = 10.0;
/// Largest return and volatility: 10 is a thousand per cent.
const SIZE_MAX: f64 = 10.0;
/// Longest period in days.
const DAYS_MAX: u32 = 3_650;

/// A factor, what the index does, and for how long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    factor: f64,
    index_return: f64,
    volatility: f64,
    days: u32,
}

/// Terms of which nothing can be estimated.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[non_exhaustive]
pub enum EstimateError {
    /// No factor, or one that no fund has.
    #[error("a factor of {0} is outside -10 to 10, or zero; write a daily multiple like 2, -1 or 1.5")]
    Factor(f64),
    /// A return of the index that is none.
    #[error("an index return of {0} is not above -1 and at most 10; ten per cent is 0.10")]
    IndexReturn(f64),
    /// A volatility that is none.
    #[error("a volatility of {0} is outside 0 to 10; twenty-five per cent a year is 0.25")]
    Volatility(f64),
    /// A period that is none.
    #[error("{0} days are outside 1 to 3650")]
    Days(u32),
}

impl EstimateError {
    /// The stable code: the rule that was broken.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Factor(_) => "leverage.factor_must_be_within_10",
            Self::IndexReturn(_) => "leverage.index_return_must_be_above_minus_one",
            Self::Volatility(_) => "leverage.volatility_must_be_0_to_10",
            Self::Days(_) => "leverage.days_must_be_1_to_3650",
        }
    }
}

impl Estimate {
    /// Refuses a factor of zero or beyond ±10, a return of −1 or less or above 10, a volatility outside 0 to 10, and a period
    /// outside 1 to 3,650 days. Returns and volatility are fractions, volatility that of 365 days.
    pub fn try_new(
        factor: f64,
        index_return: f64,
        volatility: f64,
        days: u32,
    ) -> Result<Self, EstimateError> {
        if !factor.is_finite() || factor == 0.0 || factor.abs() > FACTOR_MAX {
            return Err(EstimateError::Factor(factor));
        }
        if !(index_return > -1.0 && index_return <= SIZE_MAX) {
            return Err(EstimateError::IndexReturn(index_return));
        }
        if !(0.0..=SIZE_MAX).contains(&volatility) {
            return Err(EstimateError::Volatility(volatility));
        }
        if !(1..=DAYS_MAX).contains(&days) {
            return Err(EstimateError::Days(days));
        }
        Ok(Self { factor, index_return, volatility, days })
    }

    /// The fund's return over the period: −0.061 is a loss of 6.1 %. Before fees, financing and funding.
    pub fn fund_return(&self) -> f64 {
        (1.0 + self.index_return).powf(self.factor) * (1.0 + self.decay()) - 1.0
    }

    /// What volatility alone costs: the fund's return less that of the multiple without it, as a fraction of the latter.
    pub fn decay(&self) -> f64 {
        let years = f64::from(self.days) / DAYS_A_YEAR;
        (-0.5 * self.factor * (self.factor - 1.0) * self.volatility * self.volatility * years).exp() - 1.0
    }

    /// The index return that leaves the fund where it began, at this volatility; none where no return does.
    pub fn break_even(&self) -> Option<f64> {
        let needed = (1.0 + self.decay()).powf(-1.0 / self.factor) - 1.0;
        (needed.is_finite() && needed > -1.0).then_some(needed)
    }
}

/// Estimates over index returns and volatilities, as a prospectus prints them.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Index returns, of the rows.
    pub index_returns: Vec<f64>,
    /// Volatilities, of the columns.
    pub volatilities: Vec<f64>,
    /// Fund returns, row by row.
    pub cells: Vec<Vec<f64>>,
}

impl Table {
    /// The rows and columns that issuers publish: −90 % to +100 % in steps of 10 %, at 10, 25, 50, 75 and 100 % a year.
    pub fn published(factor: f64, days: u32) -> Result<Self, EstimateError> {
        let index_returns: Vec<f64> = (-9..=10).map(|tenths| f64::from(tenths) / 10.0).collect();
        Self::try_new(factor, days, index_returns, vec![0.1, 0.25, 0.5, 0.75, 1.0])
    }

    /// A table of any rows and columns; refuses what [`Estimate::try_new`] refuses.
    pub fn try_new(
        factor: f64,
        days: u32,
        index_returns: Vec<f64>,
        volatilities: Vec<f64>,
    ) -> Result<Self, EstimateError> {
        let cell = |index_return: f64, volatility: f64| {
            Estimate::try_new(factor, index_return, volatility, days).map(|estimate| estimate.fund_return())
        };
        let row = |index_return: &f64| volatilities.iter().map(|v| cell(*index_return, *v)).collect();
        let cells = index_returns.iter().map(row).collect::<Result<Vec<Vec<f64>>, _>>()?;
        Ok(Self { index_returns, volatilities, cells })
    }
}
