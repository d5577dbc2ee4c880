//! By how many periods a year a figure was scaled, said beside the figure.

use core::fmt;

/// The number of periods in a year that a per-period figure is scaled by.
///
/// The same daily closes give a volatility 20 % higher at 365 than at 252, so the choice travels with the
/// figure. A coin trades every day; a fund's shares trade in exchange sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Annualisation {
    /// One value each calendar day: coins and reference rates.
    CalendarDays365,
    /// One value each exchange session, 252 to the year: shares, and a NAV struck in sessions.
    Sessions252,
    /// One value each month.
    Months12,
    /// The periods are years already, or the figure is wanted per period: nothing is scaled.
    Unscaled,
}

impl Annualisation {
    /// Periods in a year.
    pub const fn periods_per_year(self) -> f64 {
        match self {
            Self::CalendarDays365 => 365.0,
            Self::Sessions252 => 252.0,
            Self::Months12 => 12.0,
            Self::Unscaled => 1.0,
        }
    }

    /// The words to print beside the figure.
    pub const fn label(self) -> &'static str {
        match self {
            Self::CalendarDays365 => "annualised, 365 days",
            Self::Sessions252 => "annualised, 252 sessions",
            Self::Months12 => "annualised, 12 months",
            Self::Unscaled => "not annualised",
        }
    }

    /// An annual rate as the rate of one period that compounds to it: `(1 + annual)^(1/N) - 1`.
    pub(super) fn per_period(self, annual: f64) -> f64 {
        (1.0 + annual).powf(self.periods_per_year().recip()) - 1.0
    }

    pub(super) fn scale_deviation(self, value: f64) -> Annualised {
        Annualised { value: value * self.periods_per_year().sqrt(), by: self }
    }
}

impl fmt::Display for Annualisation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}

/// A figure and the annualisation that made it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Annualised {
    /// The figure: a fraction (0.64 is 64 %) or, for Sharpe and Sortino, a plain ratio.
    pub value: f64,
    /// How it was scaled.
    pub by: Annualisation,
}
