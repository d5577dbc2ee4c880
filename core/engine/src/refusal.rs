//! Why a command was refused. A refused command changes nothing.

mod code;
mod exposure;

use crate::life_refusal::LifeRefusal;
use crate::order::OrderId;
use crate::reserve::ReserveBreach;
pub use exposure::ExposureRefusal;
use strongroom_fund::DefinitionError;
use strongroom_fund::definition::OrderMethod;
use strongroom_fund::lots::LotError;
use strongroom_units::time::{Date, TimeError, Timestamp};
use strongroom_units::{Money, NumberError, Price, Quantity, Rate, Shares, Symbol};
use thiserror::Error;

/// A rule that a command broke. The message says what to do instead; the code never changes meaning.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// No fund in this stream yet.
    #[error("no such fund is open; open one with `strongroom fund open FILE`")]
    FundMustBeOpen,
    /// A fund with this id is open already.
    #[error("fund {0} is open already; its definition cannot be opened twice")]
    FundMustNotBeOpen(Symbol),
    /// The definition cannot be read.
    #[error("the fund definition is refused: {0}")]
    Definition(#[from] DefinitionError),
    /// Time ran backwards.
    #[error(
        "the time {now} is before the last event at {last}; the clock of this machine, or --at, is wrong"
    )]
    ClockMustNotGoBack {
        /// The time given.
        now: Timestamp,
        /// The fund's last event.
        last: Timestamp,
    },
    /// An asset that the fund does not hold.
    #[error("the fund does not hold {0}")]
    AssetMustBeInDefinition(Symbol),
    /// A price that is missing where one per asset is needed.
    #[error("a price of {0} is needed; give one for each asset of the fund")]
    PriceMustBeGiven(Symbol),
    /// A weight that is no part of a whole.
    #[error("the weight {weight} of {asset} is not above zero; leave out what is not to be held")]
    WeightMustBePositive {
        /// The asset.
        asset: Symbol,
        /// Its weight.
        weight: Rate,
    },
    /// Weights that leave something over, or too little.
    #[error("the weights sum to {0}, not to exactly 1")]
    WeightsMustSumToOne(Rate),
    /// A rebalance of a fund that holds one asset.
    #[error("fund {0} holds one asset; only a basket is rebalanced")]
    RebalanceMustBeOfABasket(Symbol),
    /// A rebalance at the prices of another day.
    #[error("{given} is not the last strike; rebalance after the strike of {last} and before the next")]
    RebalanceMustFollowTheLastStrike {
        /// The last strike.
        last: Date,
        /// The day given.
        given: Date,
    },
    /// A second, different rebalance after one strike.
    #[error("the fund was rebalanced on {0} already, to other weights; strike the next session first")]
    RebalanceMustNotBeDoneTwice(Date),
    /// A rebalance while coins of a struck order have not been bought, sold or delivered.
    #[error("order {0} is struck and its coins have not moved; execute or settle it before the rebalance")]
    RebalanceMustFollowExecutions(OrderId),
    /// Something that happened to an asset of a fund of one asset.
    #[error("fund {0} holds one asset; only a basket goes on when one of its assets changes")]
    AssetChangeMustBeOfABasket(Symbol),
    /// Something that happened while coins are on their way.
    #[error("order {0} is dealt and not settled; settle it before the asset changes")]
    AssetChangeMustFollowSettlements(OrderId),
    /// Something that happened to an asset of which there are no coins.
    #[error("the fund holds no {0} to which this could have happened")]
    AssetChangeMustBeOfWhatIsHeld(Symbol),
    /// A migration into itself or into nothing.
    #[error("{asset} cannot become {units} {into}; a migration is into another asset, at a ratio above zero")]
    MigrationMustBeIntoAnother {
        /// The old one.
        asset: Symbol,
        /// The new one.
        into: Symbol,
        /// The ratio.
        units: Rate,
    },
    /// A write-off of all that there is.
    #[error("{0} is all that the fund holds; without it there is no NAV")]
    WriteOffMustLeaveSomething(Symbol),
    /// A cost that is no cost.
    #[error("a cost of {0} of what is traded is outside 0 to 0.1")]
    RebalanceCostMustBeAFraction(Rate),
    /// A late order for baskets that are no longer the fund's.
    #[error(
        "an order for {trade_date} is due coins of before the rebalance of {rebalanced}; settle it in cash outside the fund"
    )]
    LateOrderMustNotPrecedeARebalance {
        /// The order's session.
        trade_date: Date,
        /// The last rebalance.
        rebalanced: Date,
    },
    /// A price of zero or less.
    #[error("row {row}: the price {price} of {date} is not above zero")]
    PriceMustBePositive {
        /// Row in the import, from 1.
        row: usize,
        /// Its date.
        date: Date,
        /// Its price.
        price: Price,
    },
    /// A date given twice with different prices.
    #[error("row {row}: {date} is given twice with different prices")]
    PriceDatesMustDiffer {
        /// Row in the import, from 1.
        row: usize,
        /// The date.
        date: Date,
    },
    /// A price of a strike that has not come.
    #[error("row {row}: the strike of {date} has not come yet; import its price afterwards")]
    PriceMustNotBeFromTheFuture {
        /// Row in the import, from 1.
        row: usize,
        /// The date.
        date: Date,
    },
    /// A price on no session, where the definition refuses those.
    #[error(
        "row {row}: {date} is no session; the definition refuses such rows (tolerance.non_session_price)"
    )]
    PriceMustBeOnASession {
        /// Row in the import, from 1.
        row: usize,
        /// The date.
        date: Date,
    },
    /// Another price is recorded for the day.
    #[error(
        "row {row}: {date} is recorded at {recorded}, not {given}; a recorded price is changed only by `strongroom prices correct`"
    )]
    PriceMustNotChangeSilently {
        /// Row in the import, from 1.
        row: usize,
        /// The date.
        date: Date,
        /// What is recorded.
        recorded: Price,
        /// What was given.
        given: Price,
    },
    /// Nothing recorded to correct.
    #[error("no price of {asset} is recorded for {date}; import it instead")]
    PriceMustBeRecordedToBeCorrected {
        /// Asset.
        asset: Symbol,
        /// Date.
        date: Date,
    },
    /// No methodology for the asset.
    #[error(
        "the definition names no rate methodology for {asset} on {date}; see [[rate]], or import a price"
    )]
    RateMustBeInDefinition {
        /// Asset.
        asset: Symbol,
        /// Date.
        date: Date,
    },
    /// A rate by other rules, of another pair, or for another time.
    #[error("the definition prices {asset} on {date} as {wanted}; this is {given}")]
    RateMustFollowTheDefinition {
        /// Asset.
        asset: Symbol,
        /// Date.
        date: Date,
        /// Methodology, pair and time by the definition.
        wanted: String,
        /// What was given.
        given: String,
    },
    /// A price that was not made by the methodology.
    #[error(
        "the price of {asset} for {date} carries no evidence, and the definition asks for it; compute it with `strongroom prices rate`, or record a decision with `strongroom prices fallback`"
    )]
    PriceMustCarryEvidence {
        /// Asset.
        asset: Symbol,
        /// Date.
        date: Date,
    },
    /// No price for the strike.
    #[error(
        "no price of {asset} is recorded for {date}; import it, no other day's price is used for a strike"
    )]
    PriceMustBeOfTheStrikeDate {
        /// Asset.
        asset: Symbol,
        /// The session.
        date: Date,
    },
    /// The price moved too far.
    #[error(
        "{asset} moved from {before} to {price}, more than the limit of {limit}; check it, then strike with --accept-price REASON or correct it"
    )]
    PriceMustBeWithinJumpLimit {
        /// Asset.
        asset: Symbol,
        /// At the strike before.
        before: Price,
        /// Now.
        price: Price,
        /// The definition's limit, a fraction.
        limit: strongroom_units::Rate,
    },
    /// The price has not moved at all.
    #[error(
        "{asset} has had the very same price {price} for {sessions} sessions: the source looks stale; check it, then strike with --accept-price REASON or correct it"
    )]
    PriceMustNotBeStale {
        /// Asset.
        asset: Symbol,
        /// The price.
        price: Price,
        /// Sessions in a row.
        sessions: usize,
    },
    /// More rows than one import may have.
    #[error("{0} rows in one import; split it, at most 20,000 rows are taken at once")]
    ImportMustBeBounded(usize),
    /// A name that is empty, long or unprintable.
    #[error("an id is 1 to 64 printable ASCII characters without spaces")]
    IdMustBePrintable,
    /// A text that is empty or long.
    #[error("{0} must be 1 to 200 characters on one line")]
    TextMustBeShort(&'static str),
    /// The id names another order.
    #[error("the id {0} is taken by a different order; use a new id")]
    OrderIdMustBeUnique(OrderId),
    /// No open order with this id.
    #[error("no open order has the id {0}; `strongroom order list` shows them")]
    OrderMustBeOpen(OrderId),
    /// Not whole baskets.
    #[error(
        "{shares} shares are not a whole number of baskets of {unit}; the nearest are {} and {}",
        below,
        above
    )]
    OrderMustBeWholeBaskets {
        /// Shares ordered.
        shares: Shares,
        /// Shares in one creation unit.
        unit: Shares,
        /// The next smaller multiple.
        below: Shares,
        /// The next larger multiple.
        above: Shares,
    },
    /// More than one order may hold.
    #[error("{0} shares in one order; at most 10,000,000,000 are taken")]
    OrderMustBeBounded(Shares),
    /// A trade date on no session.
    #[error("{0} is no session of the fund's calendar")]
    TradeDateMustBeASession(Date),
    /// A trade date whose strike has passed.
    #[error("{0} has been struck; order for a later session")]
    TradeDateMustNotBeStruck(Date),
    /// A trade date too far ahead.
    #[error("{0} is more than five sessions ahead")]
    TradeDateMustBeNear(Date),
    /// Orders of this kind are not taken.
    #[error("the fund takes no {method} orders for {date}; see [[order_window]] in its definition")]
    OrderMethodMustBeOffered {
        /// Cash or in kind.
        method: OrderMethod,
        /// Trade date.
        date: Date,
    },
    /// Too late.
    #[error("the cut-off for {date} was {cut_off}; it is {now}: order for a later session")]
    OrderMustArriveBeforeCutoff {
        /// Trade date.
        date: Date,
        /// Cut-off.
        cut_off: Timestamp,
        /// Now.
        now: Timestamp,
    },
    /// More shares than there are.
    #[error("{wanted} shares to redeem, but {available} are outstanding, funded and not yet redeemed")]
    RedemptionMustBeCoveredByShares {
        /// Ordered.
        wanted: Shares,
        /// Outstanding and funded, less redemptions already taken.
        available: Shares,
    },
    /// The last shares.
    #[error(
        "{0} shares are all that are left: without shares there is no NAV per share, and the last ones are paid out when the fund is wound up"
    )]
    RedemptionMustLeaveShares(Shares),
    /// The fund is halted.
    #[error("the fund takes no such orders: {0}")]
    FundMustNotBeHalted(String),
    /// The fund is not halted.
    #[error("the fund is not halted")]
    FundMustBeHalted,
    /// Too late to withdraw.
    #[error("order {0} can no longer be withdrawn: its cut-off has passed")]
    OrderMustBeCancelledBeforeCutoff(OrderId),
    /// An order in the wrong state.
    #[error("order {id} is {state}; this needs an order that is {needed}")]
    OrderMustBeInState {
        /// Which.
        id: OrderId,
        /// Its state.
        state: &'static str,
        /// The state needed.
        needed: &'static str,
    },
    /// Too early to settle.
    #[error("order {id} settles on {date}, not before")]
    OrderMustSettleOnItsDate {
        /// Which.
        id: OrderId,
        /// Its settlement date.
        date: Date,
    },
    /// A late order for a session that has not been struck.
    #[error("{0} has not been struck; submit the order as usual")]
    LateOrderMustBeForAStruckSession(Date),
    /// NAV for a day without a session.
    #[error("{0} is no session of the fund's calendar; NAV is struck on sessions")]
    NavMustBeOnASession(Date),
    /// Struck already.
    #[error("NAV of {0} is struck; a published NAV is never changed, corrections name what they change")]
    NavMustNotBeStruckTwice(Date),
    /// A session was left out.
    #[error("the next NAV to strike is that of {next}, not {given}; strike sessions in order")]
    NavMustStrikeSessionsInOrder {
        /// The session that is due.
        next: Date,
        /// The session asked for.
        given: Date,
    },
    /// Too early.
    #[error("the strike of {date} is at {at}; it is {now}")]
    NavMustNotBeStruckEarly {
        /// Session.
        date: Date,
        /// Strike.
        at: Timestamp,
        /// Now.
        now: Timestamp,
    },
    /// No shares.
    #[error("no shares are outstanding: there is no NAV per share")]
    NavMustHaveSharesOutstanding,
    /// Net assets at or below zero.
    #[error(
        "net assets would be {0}: liabilities exceed the assets; check the inputs before anything is published"
    )]
    NavMustBePositive(Money),
    /// Nothing to pay.
    #[error("less than one cent is accrued and unpaid; there is nothing to pay")]
    PaymentMustHaveSomethingAccrued,
    /// A payment through a day that has not been struck.
    #[error("{0} is not a day with a struck NAV on or before it")]
    PaymentMustBeThroughAStruckDay(Date),
    /// An amount of zero or less.
    #[error("an amount of {0} is not above zero")]
    AmountMustBePositive(Money),
    /// More than a cent's fraction.
    #[error("{0} is not a whole number of cents")]
    AmountMustBeInCents(Money),
    /// A day in the future.
    #[error("{0} is in the future")]
    DateMustNotBeInTheFuture(Date),
    /// A day before the fund.
    #[error("{0} is before the fund's first day")]
    DateMustNotPrecedeTheFund(Date),
    /// Not enough coins in the balance.
    #[error(
        "{needed} {asset} are needed in the {account} balance, which holds {held}; move coins with `strongroom custody transfer`"
    )]
    CustodyMustCoverTheMovement {
        /// Asset.
        asset: Symbol,
        /// Which balance.
        account: &'static str,
        /// Needed.
        needed: Quantity,
        /// Held.
        held: Quantity,
    },
    /// A quantity of zero or less, or from a balance to itself.
    #[error("a transfer needs a quantity above zero and two different balances")]
    TransferMustMoveSomething,
    /// A rule of funds of derivatives.
    #[error(transparent)]
    Exposure(#[from] ExposureRefusal),
    /// The reserve would not cover what is owed.
    #[error("{0}")]
    ReserveMustCoverEntitlement(#[from] ReserveBreach),
    /// A rule about distributions, staking or the fund's life.
    #[error(transparent)]
    Life(#[from] LifeRefusal),
    /// A set of entries that does not balance.
    #[error("the entries do not sum to zero")]
    BooksMustBalance,
    /// Lots do not cover a sale.
    #[error(transparent)]
    Lots(#[from] LotError),
    /// A number that does not fit.
    #[error(transparent)]
    Number(#[from] NumberError),
    /// A date outside the calendar.
    #[error(transparent)]
    Time(#[from] TimeError),
}
