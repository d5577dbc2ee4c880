//! Why something about distributions, staking or a fund's life was refused. A refused command changes nothing.

use crate::order::OrderId;
use strongroom_units::time::{Date, Timestamp};
use strongroom_units::{Money, PerShare, Quantity, Shares};
use thiserror::Error;

/// A rule that a command broke. The message says what to do instead; the code never changes meaning.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum LifeRefusal {
    /// The definition has no distributions.
    #[error("the fund distributes nothing; see [distribution] in its definition")]
    DistributionMustBeInDefinition,
    /// Another distribution has the id.
    #[error("the id {0} is taken by a different distribution; use a new id")]
    DistributionIdMustBeUnique(OrderId),
    /// No distribution has the id.
    #[error("no distribution has the id {0}; `strongroom distribution list` shows them")]
    DistributionMustBeDeclared(OrderId),
    /// An amount of zero or less, or with more decimals than are published.
    #[error("{given} a share is not above zero with at most {decimals} decimals")]
    DistributionAmountMustBePublishable {
        /// The amount given.
        given: PerShare,
        /// Decimals of the definition.
        decimals: u8,
    },
    /// Paid in something else than the definition says.
    #[error("the definition pays distributions in {0}")]
    DistributionMustBePaidAsDefined(&'static str),
    /// Dates in the wrong order or on no session.
    #[error(
        "a distribution is declared on one day, has its record date on a later session and is paid on a session after that; not {declared}, {record_date}, {pay_date}"
    )]
    DistributionDatesMustFollowEachOther {
        /// The day of the declaration.
        declared: Date,
        /// The record date.
        record_date: Date,
        /// The day of payment.
        pay_date: Date,
    },
    /// More than there is for it.
    #[error(
        "{wanted} would be distributed, and {there} is there for it: money not owed to holders already, and rewards not yet distributed at the last price"
    )]
    DistributionMustBeCovered {
        /// What all shares would be paid.
        wanted: Quantity,
        /// What is there.
        there: Quantity,
    },
    /// A distribution at another stage.
    #[error("distribution {id} is {stage}; this needs one that is {needed}")]
    DistributionMustBeInStage {
        /// Which.
        id: OrderId,
        /// Its stage.
        stage: &'static str,
        /// What is needed.
        needed: &'static str,
    },
    /// Too early.
    #[error("distribution {id} is paid on {date}, not before")]
    DistributionMustBePaidOnItsDate {
        /// Which.
        id: OrderId,
        /// Its day of payment.
        date: Date,
    },
    /// No whole register.
    #[error(
        "the register of distribution {id} has {shares} of {wanted} shares; import the rest with `strongroom register import`"
    )]
    DistributionMustHaveItsRegister {
        /// Which.
        id: OrderId,
        /// Shares recorded.
        shares: Shares,
        /// Shares at record.
        wanted: Shares,
    },
    /// Not enough money.
    #[error(
        "{needed} are to be paid, and {held} are in cash; sell rewards with `strongroom staking sell` first"
    )]
    DistributionMustBeCoveredByCash {
        /// What is paid.
        needed: Money,
        /// What is there.
        held: Money,
    },
    /// What was paid cannot be taken back.
    #[error(
        "{paid} a share has been paid and cannot be taken back from holders; lower the next distribution instead"
    )]
    DistributionPaidMustNotBeLowered {
        /// What was paid.
        paid: PerShare,
    },
    /// Coins that have left the NAV.
    #[error(
        "a distribution in kind is corrected before its record date; declare a further one for what is missing"
    )]
    DistributionInKindMustBeCorrectedBeforeItsRecordDate,
    /// Nothing waits for the holder.
    #[error("nothing waits for holder {holder} in distribution {id}")]
    ClaimMustHaveSomethingUnclaimed {
        /// Which.
        id: OrderId,
        /// Who.
        holder: String,
    },
    /// A part that is out of turn.
    #[error("part {given} is not the next of the register; part {next} is")]
    RegisterPartsMustFollowEachOther {
        /// The part that is due.
        next: u32,
        /// The part given.
        given: u32,
    },
    /// A part given again with other lines.
    #[error(
        "part {0} of the register is recorded with other holders; a register is read again only after a correction"
    )]
    RegisterMustNotChange(u32),
    /// Too many or no holders in one part.
    #[error("{0} holders in one part; 1 to 10,000 are taken")]
    RegisterPartMustBeBounded(usize),
    /// Holders out of order, or one twice.
    #[error("holder {0:?} does not follow the one before: holders ascend, and each is named once")]
    RegisterHoldersMustAscend(String),
    /// A holder without shares or with a bad id.
    #[error("holder {0:?} needs 1 to 64 printable characters and more than no shares")]
    RegisterHolderMustHoldShares(String),
    /// The register is not that of the fund.
    #[error("the register sums to {given} shares, and {wanted} were outstanding at record")]
    RegisterMustSumToSharesOutstanding {
        /// Sum of the register.
        given: Shares,
        /// Shares at record.
        wanted: Shares,
    },
    /// The definition has no staking.
    #[error("the fund does not stake; see [staking] in its definition")]
    StakingMustBeInDefinition,
    /// Nothing, or less.
    #[error("{0} coins are not above zero")]
    StakingMustMoveSomething(Quantity),
    /// Too little would stay liquid.
    #[error(
        "{left} coins would stay liquid, and {needed} have to: the sleeve of the definition, or what redemptions are due"
    )]
    StakingMustLeaveTheSleeve {
        /// What would stay.
        left: Quantity,
        /// What has to.
        needed: Quantity,
    },
    /// More than is staked.
    #[error("{needed} coins are more than the {held} that are staked")]
    UnstakingMustBeOfWhatIsStaked {
        /// How many are wanted.
        needed: Quantity,
        /// How many are staked.
        held: Quantity,
    },
    /// Nothing is ready.
    #[error("no unstaked coins are free yet; the next are on {0:?}")]
    ReleaseMustHaveSomethingReady(Option<Date>),
    /// A reward for days that have one.
    #[error("rewards are recorded through {0}; record them for a later day")]
    RewardMustFollowTheLast(Date),
    /// A slashing with impossible amounts.
    #[error(
        "{lost} lost and {indemnified} made good do not fit: at most what is lost is made good, and at most what is staked is lost"
    )]
    SlashingMustBeOfWhatIsStaked {
        /// Coins taken.
        lost: Quantity,
        /// Coins made good.
        indemnified: Quantity,
    },
    /// Coins that are owed to shares.
    #[error("{given} coins are neither rewards ({rewards} are left) nor lacking for a distribution")]
    SaleMustBeOfRewards {
        /// Coins to be sold.
        given: Quantity,
        /// Rewards left.
        rewards: Quantity,
    },
    /// A redemption for coins that are staked.
    #[error(
        "{wanted} coins are staked and not free in time: {liquid} are liquid and not promised to earlier redemptions, which is {shares} shares; order fewer, or after coins have been unstaked"
    )]
    RedemptionMustBeCoveredByLiquidCoins {
        /// Coins due.
        wanted: Quantity,
        /// Coins free.
        liquid: Quantity,
        /// How many shares that is.
        shares: Shares,
    },
    /// More shares than there may be.
    #[error(
        "there may be {most} shares, and {there} are there or ordered; creations are suspended until shares are redeemed"
    )]
    CreationMustStayWithinTheCap {
        /// The definition's cap.
        most: Shares,
        /// Shares outstanding and ordered.
        there: Shares,
    },
    /// A ratio of zero, or of one.
    #[error("{new} new shares for {old} old ones are no split")]
    SplitMustChangeTheNumberOfShares {
        /// New.
        new: u32,
        /// Old.
        old: u32,
    },
    /// A day on which it cannot be done.
    #[error(
        "a split is recorded on its session before the strike; {0} is not a session after the last strike that has come"
    )]
    SplitMustBeOnItsSession(Date),
    /// Orders are open.
    #[error("order {0} is open; its shares would be others after the split: settle or withdraw it first")]
    SplitMustFindNoOpenOrders(OrderId),
    /// No shares would be left.
    #[error("{0} shares would be left")]
    SplitMustLeaveShares(Shares),
    /// Money for fractions that is not there.
    #[error("{needed} are owed for fractions of a share, and {held} are in cash")]
    SplitFractionsMustBeCoveredByCash {
        /// What is owed.
        needed: Money,
        /// What is there.
        held: Money,
    },
    /// An order of before.
    #[error("an order for {trade_date} is one of before {event}; settle it in cash outside the fund")]
    LateOrderMustNotPrecedeALifeEvent {
        /// The order's session.
        trade_date: Date,
        /// The day of the split or the record date.
        event: Date,
    },
    /// A change that changes nothing, or is dated wrongly.
    #[error("the change from {from} has to change something and to follow the last one, of {last}")]
    ChangeMustFollowTheLast {
        /// From when.
        from: Date,
        /// From when the last holds.
        last: Date,
    },
    /// A halt that the rule does not know.
    #[error(
        "a market-wide halt of level 1 or 2 begins between 9:30 and 15:25 of a session, one of level 3 before the close; {0} is not"
    )]
    HaltMustBeginInTradingHours(Timestamp),
    /// A halt in the future, or over before it is recorded.
    #[error("a halt has begun and is not over yet: {began} to {until} is not now, {now}")]
    HaltMustBeNow {
        /// Its begin.
        began: Timestamp,
        /// Its end.
        until: Timestamp,
        /// Now.
        now: Timestamp,
    },
    /// Orders wait.
    #[error("trading is halted ({cause}) until {until}; orders are taken again then")]
    OrdersMustWaitForTheHaltToEnd {
        /// Why.
        cause: &'static str,
        /// Until when.
        until: Timestamp,
    },
    /// The fund is at its end.
    #[error(
        "the fund is being wound up, or has been; it takes no orders and strikes no NAV after its liquidation"
    )]
    FundMustNotBeClosing,
    /// The fund has not been closed.
    #[error("close the fund first with `strongroom life close`: orders stop, and open ones settle")]
    FundMustBeClosing,
    /// Something is still on its way.
    #[error("{0} before the liquidation")]
    LiquidationMustFindEverythingSettled(&'static str),
    /// Something given that is not there.
    #[error("the fund does with forks and airdrops what its definition says: {0}")]
    GiftMustFollowThePolicy(&'static str),
}

impl LifeRefusal {
    /// The stable code: the rule that was broken.
    pub fn code(&self) -> &'static str {
        match self {
            Self::DistributionMustBeInDefinition => "distribution.must_be_in_definition",
            Self::DistributionIdMustBeUnique(_) => "distribution.id_must_be_unique",
            Self::DistributionMustBeDeclared(_) => "distribution.must_be_declared",
            Self::DistributionAmountMustBePublishable { .. } => "distribution.amount_must_be_publishable",
            Self::DistributionMustBePaidAsDefined(_) => "distribution.must_be_paid_as_defined",
            Self::DistributionDatesMustFollowEachOther { .. } => "distribution.dates_must_follow_each_other",
            Self::DistributionMustBeCovered { .. } => "distribution.must_be_covered",
            Self::DistributionMustBeInStage { .. } => "distribution.must_be_in_stage",
            Self::DistributionMustBePaidOnItsDate { .. } => "distribution.must_be_paid_on_its_date",
            Self::DistributionMustHaveItsRegister { .. } => "distribution.must_have_its_register",
            Self::DistributionMustBeCoveredByCash { .. } => "distribution.must_be_covered_by_cash",
            Self::DistributionPaidMustNotBeLowered { .. } => "distribution.paid_must_not_be_lowered",
            Self::DistributionInKindMustBeCorrectedBeforeItsRecordDate => {
                "distribution.in_kind_must_be_corrected_before_record"
            }
            Self::ClaimMustHaveSomethingUnclaimed { .. } => "claim.must_have_something_unclaimed",
            Self::RegisterPartsMustFollowEachOther { .. } => "register.parts_must_follow_each_other",
            Self::RegisterMustNotChange(_) => "register.must_not_change",
            Self::RegisterPartMustBeBounded(_) => "register.part_must_be_bounded",
            Self::RegisterHoldersMustAscend(_) => "register.holders_must_ascend",
            Self::RegisterHolderMustHoldShares(_) => "register.holder_must_hold_shares",
            Self::RegisterMustSumToSharesOutstanding { .. } => "register.must_sum_to_shares_outstanding",
            Self::StakingMustBeInDefinition => "staking.must_be_in_definition",
            Self::StakingMustMoveSomething(_) => "staking.must_move_something",
            Self::StakingMustLeaveTheSleeve { .. } => "staking.must_leave_the_sleeve",
            Self::UnstakingMustBeOfWhatIsStaked { .. } => "staking.unstaking_must_be_of_what_is_staked",
            Self::ReleaseMustHaveSomethingReady(_) => "staking.release_must_have_something_ready",
            Self::RewardMustFollowTheLast(_) => "staking.reward_must_follow_the_last",
            Self::SlashingMustBeOfWhatIsStaked { .. } => "staking.slashing_must_be_of_what_is_staked",
            Self::SaleMustBeOfRewards { .. } => "staking.sale_must_be_of_rewards",
            Self::RedemptionMustBeCoveredByLiquidCoins { .. } => {
                "order.redemption_must_be_covered_by_liquid_coins"
            }
            Self::CreationMustStayWithinTheCap { .. } => "order.creation_must_stay_within_the_cap",
            Self::SplitMustChangeTheNumberOfShares { .. } => "split.must_change_the_number_of_shares",
            Self::SplitMustBeOnItsSession(_) => "split.must_be_on_its_session",
            Self::SplitMustFindNoOpenOrders(_) => "split.must_find_no_open_orders",
            Self::SplitMustLeaveShares(_) => "split.must_leave_shares",
            Self::SplitFractionsMustBeCoveredByCash { .. } => "split.fractions_must_be_covered_by_cash",
            Self::LateOrderMustNotPrecedeALifeEvent { .. } => "order.late_must_not_precede_a_life_event",
            Self::ChangeMustFollowTheLast { .. } => "life.change_must_follow_the_last",
            Self::HaltMustBeginInTradingHours(_) => "halt.must_begin_in_trading_hours",
            Self::HaltMustBeNow { .. } => "halt.must_be_now",
            Self::OrdersMustWaitForTheHaltToEnd { .. } => "order.must_wait_for_the_halt_to_end",
            Self::FundMustNotBeClosing => "fund.must_not_be_closing",
            Self::FundMustBeClosing => "fund.must_be_closing",
            Self::LiquidationMustFindEverythingSettled(_) => "liquidation.must_find_everything_settled",
            Self::GiftMustFollowThePolicy(_) => "gift.must_follow_the_policy",
        }
    }
}
