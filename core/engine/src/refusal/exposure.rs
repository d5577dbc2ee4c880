//! Rules of funds of derivatives: position, funding, margin, and the end.

use strongroom_units::time::{Date, Timestamp};
use strongroom_units::{Money, Price, Rate, Symbol};
use thiserror::Error;

/// A rule of funds of derivatives that a command broke.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ExposureRefusal {
    /// Something asked of a position that there is none of.
    #[error("fund {0} holds its coins; only a fund of derivatives has exposure, margin and funding")]
    ExposureMustBeOfDerivatives(Symbol),
    /// A reset or roll at the marks of another day.
    #[error("{given} is not the last strike; do this after the strike of {last} and before the next")]
    ExposureMustFollowTheLastStrike {
        /// The last strike.
        last: Date,
        /// The day given.
        given: Date,
    },
    /// Funding of what pays none.
    #[error("the fund's exposure is not by perpetual futures; only they pay funding")]
    FundingMustBeOfAPerpetual,
    /// A rate that has not fallen due.
    #[error("funding of {0} has not fallen due yet; record it afterwards")]
    FundingMustNotBeFromTheFuture(Timestamp),
    /// A rate that is none.
    #[error("a funding rate of {rate} at {at} is not between -1 and 1; one basis point is 0.0001")]
    FundingMustBeAFraction {
        /// When.
        at: Timestamp,
        /// The rate.
        rate: Rate,
    },
    /// Another rate is recorded for the instant.
    #[error("funding of {at} is recorded at {recorded}, not {given}; what was paid is not changed")]
    FundingMustNotChangeSilently {
        /// When.
        at: Timestamp,
        /// What is recorded.
        recorded: Rate,
        /// What was given.
        given: Rate,
    },
    /// Funding of a position that is no longer held.
    #[error(
        "funding of {at} was for what was held before the trade of {traded}; settle the difference as an expense"
    )]
    FundingMustPrecedeTheTrade {
        /// When it fell due.
        at: Timestamp,
        /// When the position was traded.
        traded: Timestamp,
    },
    /// A rate between those that are recorded.
    #[error("funding of {0} is not later than the row before it; give rows in order of time")]
    FundingMustBeInOrder(Timestamp),
    /// Futures that have expired.
    #[error("the futures held expired on {expiry}, before {date}; roll them with `strongroom exposure roll`")]
    FuturesMustBeRolledBeforeExpiry {
        /// When they expired.
        expiry: Date,
        /// The session to be struck.
        date: Date,
    },
    /// A roll of nothing.
    #[error("the fund holds no futures to be rolled")]
    FuturesMustBeHeldToBeRolled,
    /// A price of contracts that is none.
    #[error("a price of {0} for a contract is not above zero")]
    ContractPriceMustBePositive(Price),
    /// Too little margin.
    #[error(
        "the position needs {needed} of margin and would have {there}; move cash with `strongroom margin post`"
    )]
    MarginMustCoverThePosition {
        /// The maintenance margin.
        needed: Money,
        /// What would be there.
        there: Money,
    },
    /// Too little cash.
    #[error("{needed} are needed in cash, which is {held}; move money with `strongroom margin withdraw`")]
    CashMustCoverThePayment {
        /// To be paid.
        needed: Money,
        /// In the bank.
        held: Money,
    },
    /// The end.
    #[error(
        "nothing was left of the fund on {0}: its position is closed, and it takes no commands but settlements"
    )]
    FundMustNotBeWipedOut(Date),
    /// A late order of a fund without coins.
    #[error(
        "fund {0} is exposed by derivatives: a late order would have changed every position since; settle it outside the fund"
    )]
    LateOrderMustBeOfAFundWithCoins(Symbol),
}

impl ExposureRefusal {
    /// The stable code: the rule that was broken.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ExposureMustBeOfDerivatives(_) => "exposure.must_be_of_derivatives",
            Self::ExposureMustFollowTheLastStrike { .. } => "exposure.must_follow_the_last_strike",
            Self::FundingMustBeOfAPerpetual => "funding.must_be_of_a_perpetual",
            Self::FundingMustNotBeFromTheFuture(_) => "funding.must_not_be_from_the_future",
            Self::FundingMustBeAFraction { .. } => "funding.must_be_a_fraction",
            Self::FundingMustNotChangeSilently { .. } => "funding.must_not_change_silently",
            Self::FundingMustPrecedeTheTrade { .. } => "funding.must_precede_the_trade",
            Self::FundingMustBeInOrder(_) => "funding.must_be_in_order",
            Self::FuturesMustBeRolledBeforeExpiry { .. } => "futures.must_be_rolled_before_expiry",
            Self::FuturesMustBeHeldToBeRolled => "futures.must_be_held_to_be_rolled",
            Self::ContractPriceMustBePositive(_) => "exposure.price_must_be_positive",
            Self::MarginMustCoverThePosition { .. } => "margin.must_cover_the_position",
            Self::CashMustCoverThePayment { .. } => "cash.must_cover_the_payment",
            Self::FundMustNotBeWipedOut(_) => "fund.must_not_be_wiped_out",
            Self::LateOrderMustBeOfAFundWithCoins(_) => "order.late_must_be_of_a_fund_with_coins",
        }
    }
}
