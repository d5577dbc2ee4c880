//! How far the market price stood from the NAV, day by day: `close / NAV - 1`.
//!
//! Rounding decides whether a day counts as "at NAV", so the figures here are integers: basis points, which are
//! the two decimals of a per cent that the disclosure table shows, rounded half up from the exact quotient.

use super::StatisticsError;
use strongroom_units::time::Date;
use strongroom_units::{Price, Rate, Rounding};

/// Basis points in one: the precision that is displayed and therefore counted.
const BASIS_POINTS: i128 = 10_000;
/// Closing within half a per cent of NAV, the share that issuers publish.
const WITHIN_BPS: i128 = 50;
/// Rule 6c-11(c)(1)(vi): beyond 2 % (one in fifty) ...
const FAR_ONE_IN: i128 = 50;
/// ... for more than seven consecutive trading days must be explained.
const FAR_SESSIONS: usize = 7;

/// Closing price and NAV of one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionPrice {
    /// The session.
    pub date: Date,
    /// Official closing price, or the midpoint at the close; above zero.
    pub close: Price,
    /// NAV per share of the same session; above zero.
    pub nav: Price,
}

/// The largest premium or discount and its first date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extreme {
    /// First session that had it.
    pub date: Date,
    /// `close / NAV - 1`, rounded half up to four decimals (two of a per cent); negative for a discount.
    pub value: Rate,
}

/// Consecutive sessions beyond 2 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Number of sessions.
    pub sessions: usize,
    /// First session of the run.
    pub first: Date,
    /// Last session of the run.
    pub last: Date,
}

impl Run {
    /// Whether Rule 6c-11(c)(1)(vi) asks for a statement of the causes: more than seven sessions.
    pub fn must_be_explained(&self) -> bool {
        self.sessions > FAR_SESSIONS
    }
}

/// The premium and discount table of a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PremiumTable {
    /// Sessions counted; the next three add up to it.
    pub sessions: usize,
    /// Sessions above NAV after rounding to two decimals of a per cent.
    pub at_premium: usize,
    /// Sessions below NAV after rounding.
    pub at_discount: usize,
    /// Sessions at 0.00 %.
    pub at_nav: usize,
    /// The largest premium; `None` if no session closed above NAV.
    pub largest_premium: Option<Extreme>,
    /// The largest discount; `None` if no session closed below NAV.
    pub largest_discount: Option<Extreme>,
    /// Mean of the rounded figures of all sessions, half up at eighteen decimals.
    pub average: Rate,
    /// Mean over the sessions at a premium; `None` if there is none.
    pub average_premium: Option<Rate>,
    /// Mean over the sessions at a discount, negative; `None` if there is none.
    pub average_discount: Option<Rate>,
    /// Sessions that closed within ±0.50 %, bounds included, after rounding.
    pub within_half_percent: usize,
    /// Longest run of sessions more than 2 % away from NAV on either side, judged **before** rounding: 2.004 %
    /// shows as 2.00 and is beyond 2. Of two equally long ones the first; `None` if no session was that far.
    pub longest_run_beyond_two_percent: Option<Run>,
}

impl PremiumTable {
    /// Counts `sessions`, which are consecutive trading days, oldest first. Refuses no session, unsorted or
    /// repeated dates and prices that are not above zero.
    pub fn try_new(sessions: &[SessionPrice]) -> Result<Self, StatisticsError> {
        check(sessions)?;
        let rounded = sessions.iter().map(premium_bps).collect::<Result<Vec<_>, _>>()?;
        let over = |keep: fn(&i128) -> bool| rounded.iter().copied().filter(keep).collect::<Vec<_>>();
        let (premiums, discounts) = (over(|bps| *bps > 0), over(|bps| *bps < 0));
        Ok(Self {
            sessions: sessions.len(),
            at_premium: premiums.len(),
            at_discount: discounts.len(),
            at_nav: sessions.len() - premiums.len() - discounts.len(),
            largest_premium: extreme(sessions, &rounded, premiums.iter().max())?,
            largest_discount: extreme(sessions, &rounded, discounts.iter().min())?,
            average: average(&rounded)?.unwrap_or(Rate::ZERO),
            average_premium: average(&premiums)?,
            average_discount: average(&discounts)?,
            within_half_percent: rounded.iter().filter(|bps| bps.abs() <= WITHIN_BPS).count(),
            longest_run_beyond_two_percent: longest_run(sessions)?,
        })
    }

    /// Share of sessions within ±0.50 %, half up at four decimals: 57 of 61 is 0.9344, shown as 93.44 %.
    pub fn share_within_half_percent(&self) -> Result<Rate, StatisticsError> {
        let count = |sessions: usize| i128::try_from(sessions).unwrap_or(i128::MAX);
        let bps = Rate::from_units(count(self.within_half_percent)).try_mul_div(
            BASIS_POINTS,
            count(self.sessions),
            Rounding::HalfUp,
        )?;
        from_bps(bps.units())
    }
}

fn check(sessions: &[SessionPrice]) -> Result<(), StatisticsError> {
    super::moments::need(1, sessions.len())?;
    let mut before = None;
    for &SessionPrice { date, close, nav } in sessions {
        if before.is_some_and(|before| before >= date) {
            return Err(StatisticsError::DatesMustIncrease { date });
        }
        if close <= Price::ZERO || nav <= Price::ZERO {
            return Err(StatisticsError::ValueMustBePositive { date });
        }
        before = Some(date);
    }
    Ok(())
}

/// `round(10,000 × (close - NAV) / NAV)`: one rounding of the exact quotient, never of a rounded one.
fn premium_bps(session: &SessionPrice) -> Result<i128, StatisticsError> {
    let gap = session.close.try_sub(session.nav)?;
    Ok(gap.try_mul_div(BASIS_POINTS, session.nav.units(), Rounding::HalfUp)?.units())
}

fn is_beyond_two_percent(session: &SessionPrice) -> Result<bool, StatisticsError> {
    let gap = session.close.try_sub(session.nav)?;
    let gap = if gap.is_negative() { gap.try_neg()? } else { gap };
    Ok(gap.try_mul_div(FAR_ONE_IN, 1, Rounding::Down)? > session.nav)
}

fn longest_run(sessions: &[SessionPrice]) -> Result<Option<Run>, StatisticsError> {
    let (mut longest, mut current): (Option<Run>, Option<Run>) = (None, None);
    for session in sessions {
        let date = session.date;
        current = match current {
            _ if !is_beyond_two_percent(session)? => None,
            Some(run) => Some(Run { sessions: run.sessions + 1, last: date, ..run }),
            None => Some(Run { sessions: 1, first: date, last: date }),
        };
        if current.map_or(0, |run| run.sessions) > longest.map_or(0, |run: Run| run.sessions) {
            longest = current;
        }
    }
    Ok(longest)
}

fn extreme(
    sessions: &[SessionPrice],
    rounded: &[i128],
    wanted: Option<&i128>,
) -> Result<Option<Extreme>, StatisticsError> {
    let Some(wanted) = wanted else { return Ok(None) };
    let found = sessions.iter().zip(rounded).find(|(_, bps)| *bps == wanted);
    found.map(|(session, bps)| Ok(Extreme { date: session.date, value: from_bps(*bps)? })).transpose()
}

fn average(bps: &[i128]) -> Result<Option<Rate>, StatisticsError> {
    if bps.is_empty() {
        return Ok(None);
    }
    let mut sum = Rate::ZERO;
    for bps in bps {
        sum = sum.try_add(from_bps(*bps)?)?;
    }
    let count = i128::try_from(bps.len()).unwrap_or(i128::MAX);
    Ok(Some(sum.try_mul_div(1, count, Rounding::HalfUp)?))
}

fn from_bps(bps: i128) -> Result<Rate, StatisticsError> {
    Ok(strongroom_units::Decimal::try_new(bps, 4).and_then(Rate::try_from_decimal)?)
}
