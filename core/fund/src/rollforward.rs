//! The roll-forward of one asset over a period, in coins and in money, as trusts file it: begin + in − out = end.

use serde::{Deserialize, Serialize};
use strongroom_units::time::Date;
use strongroom_units::{Money, NumberError, Price, Quantity, Rounding, Scale};

/// Why coins came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MovementKind {
    /// Bought for the seed or for a cash creation.
    Purchased,
    /// Delivered by a participant.
    ContributedInKind,
    /// Sold for a cash redemption.
    SoldForRedemption,
    /// Delivered to a participant.
    DistributedInKind,
    /// Sold to pay the sponsor fee or another expense.
    SoldForExpenses,
    /// Paid to the sponsor in coins.
    DistributedForSponsorFee,
    /// Bought in a rebalance.
    BoughtInRebalance,
    /// Sold in a rebalance.
    SoldInRebalance,
    /// Received for coins of a predecessor, at their cost.
    ReceivedInMigration,
    /// Given up for coins of a successor, at their cost.
    GivenUpInMigration,
    /// Worth nothing, and gone.
    WrittenOff,
    /// Received for staking or from the network, at their value on the day.
    Rewarded,
    /// Taken by the network, less what the provider made good.
    Slashed,
    /// Sold so that holders can be paid in money.
    SoldForDistribution,
    /// Paid to holders in kind.
    DistributedToHolders,
    /// Sold when the fund was wound up.
    SoldInLiquidation,
}

impl MovementKind {
    /// Every kind, in the order of a statement.
    pub const ALL: [Self; 16] = [
        Self::Purchased,
        Self::ContributedInKind,
        Self::BoughtInRebalance,
        Self::SoldInRebalance,
        Self::ReceivedInMigration,
        Self::GivenUpInMigration,
        Self::Rewarded,
        Self::Slashed,
        Self::WrittenOff,
        Self::SoldForRedemption,
        Self::DistributedInKind,
        Self::SoldForExpenses,
        Self::DistributedForSponsorFee,
        Self::SoldForDistribution,
        Self::DistributedToHolders,
        Self::SoldInLiquidation,
    ];

    /// The line's text in a statement.
    pub fn label(self) -> &'static str {
        match self {
            Self::Purchased => "purchased",
            Self::ContributedInKind => "contributed in kind",
            Self::SoldForRedemption => "sold for redemptions",
            Self::DistributedInKind => "distributed in kind",
            Self::SoldForExpenses => "sold for expenses",
            Self::DistributedForSponsorFee => "distributed for sponsor fee",
            Self::BoughtInRebalance => "bought in rebalances",
            Self::SoldInRebalance => "sold in rebalances",
            Self::ReceivedInMigration => "received in migrations",
            Self::GivenUpInMigration => "given up in migrations",
            Self::WrittenOff => "written off",
            Self::Rewarded => "rewards",
            Self::Slashed => "slashed",
            Self::SoldForDistribution => "sold for distributions",
            Self::DistributedToHolders => "distributed to holders",
            Self::SoldInLiquidation => "sold in liquidation",
        }
    }
}

/// One movement of coins, on a trade-date basis. Coins that leave are negative in quantity, value and cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movement {
    /// The day it was true.
    pub date: Date,
    /// Why.
    pub kind: MovementKind,
    /// Coins in (positive) or out (negative).
    pub quantity: Quantity,
    /// Paid or received, or the value at the strike for movements in kind.
    pub value: Money,
    /// Cost added or relieved.
    pub cost: Money,
}

impl Movement {
    /// Gain realised: value received less cost relieved; zero for coins that come in.
    pub fn realised_gain(&self) -> Result<Money, NumberError> {
        if self.quantity.is_negative() { self.cost.try_sub(self.value) } else { Ok(Money::ZERO) }
    }
}

/// Coins, cost and fair value at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Coins.
    pub quantity: Quantity,
    /// Their cost.
    pub cost: Money,
    /// Their value.
    pub fair_value: Money,
}

/// One line of the roll-forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Why coins moved.
    pub kind: MovementKind,
    /// Coins, signed.
    pub quantity: Quantity,
    /// Money, signed.
    pub value: Money,
    /// Cost, signed.
    pub cost: Money,
    /// Gain realised.
    pub realised_gain: Money,
}

/// The roll-forward of a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollForward {
    /// Before the first day.
    pub begin: Position,
    /// Movements by kind; kinds without a movement are left out.
    pub lines: Vec<Line>,
    /// Gain realised on coins that left.
    pub realised_gain: Money,
    /// Change of fair value over cost.
    pub unrealised_change: Money,
    /// After the last day.
    pub end: Position,
}

/// Rolls the movements from `from` through `through` forward.
///
/// `begin_price` values the coins held before `from` and may be absent when there are none; `end_price` those at
/// the end. Values are rounded half even at eight decimals.
pub fn roll_forward(
    movements: &[Movement],
    scale: Scale,
    (from, through): (Date, Date),
    begin_price: Option<Price>,
    end_price: Option<Price>,
) -> Result<RollForward, NumberError> {
    let before = movements.iter().filter(|movement| movement.date < from);
    let begin = position(before, scale, begin_price)?;
    let end = position(movements.iter().filter(|movement| movement.date <= through), scale, end_price)?;
    let within: Vec<&Movement> = movements.iter().filter(|m| from <= m.date && m.date <= through).collect();
    let mut lines = Vec::new();
    for kind in MovementKind::ALL {
        if within.iter().any(|movement| movement.kind == kind) {
            lines.push(line(kind, within.iter().copied().filter(|movement| movement.kind == kind), scale)?);
        }
    }
    let realised_gain = lines.iter().try_fold(Money::ZERO, |sum, line| sum.try_add(line.realised_gain))?;
    let unrealised = |p: &Position| p.fair_value.try_sub(p.cost);
    let unrealised_change = unrealised(&end)?.try_sub(unrealised(&begin)?)?;
    Ok(RollForward { begin, lines, realised_gain, unrealised_change, end })
}

impl RollForward {
    /// Whether it foots in coins and in money: begin + lines + realised + change in unrealised = end.
    pub fn foots(&self) -> Result<bool, NumberError> {
        let coins =
            self.lines.iter().try_fold(self.begin.quantity, |sum, line| sum.try_add(line.quantity))?;
        let money = self.lines.iter().try_fold(self.begin.fair_value, |sum, line| sum.try_add(line.value))?;
        let money = money.try_add(self.realised_gain)?.try_add(self.unrealised_change)?;
        Ok(coins == self.end.quantity && money == self.end.fair_value)
    }
}

fn line<'a>(
    kind: MovementKind,
    movements: impl Iterator<Item = &'a Movement>,
    scale: Scale,
) -> Result<Line, NumberError> {
    let zero = Quantity::zero(scale);
    let empty =
        Line { kind, quantity: zero, value: Money::ZERO, cost: Money::ZERO, realised_gain: Money::ZERO };
    movements.into_iter().try_fold(empty, |sum, movement| {
        Ok(Line {
            kind,
            quantity: sum.quantity.try_add(movement.quantity)?,
            value: sum.value.try_add(movement.value)?,
            cost: sum.cost.try_add(movement.cost)?,
            realised_gain: sum.realised_gain.try_add(movement.realised_gain()?)?,
        })
    })
}

fn position<'a>(
    movements: impl Iterator<Item = &'a Movement>,
    scale: Scale,
    price: Option<Price>,
) -> Result<Position, NumberError> {
    let sum = line(MovementKind::Purchased, movements, scale)?;
    let fair_value = price.map_or(Ok(Money::ZERO), |price| price.value(sum.quantity, Rounding::HalfEven))?;
    Ok(Position { quantity: sum.quantity, cost: sum.cost, fair_value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coins(text: &str) -> Quantity {
        Quantity::parse(text, Scale::try_new(8).unwrap()).unwrap()
    }

    fn money(text: &str) -> Money {
        text.parse().unwrap()
    }

    fn check_published(coin_lines: [&str; 5], money_lines: [&str; 8]) {
        use MovementKind::*;
        let [begin, contributed, redeemed, fee, end] = coin_lines;
        let [value, came, went, paid, unrealised, realised_fee, realised_redemption, end_value] = money_lines;
        let line = |kind, quantity: &str, value: &str| Line {
            kind,
            quantity: coins(quantity),
            value: money(value),
            cost: Money::ZERO,
            realised_gain: Money::ZERO,
        };
        let at = |quantity, value| Position {
            quantity: coins(quantity),
            cost: Money::ZERO,
            fair_value: money(value),
        };
        let published = RollForward {
            begin: at(begin, value),
            lines: vec![
                line(ContributedInKind, contributed, came),
                line(DistributedInKind, redeemed, went),
                line(DistributedForSponsorFee, fee, paid),
            ],
            realised_gain: money(realised_fee).try_add(money(realised_redemption)).unwrap(),
            unrealised_change: money(unrealised),
            end: at(end, end_value),
        };
        assert!(published.foots().unwrap());
        let mut wrong = published.clone();
        wrong.end.quantity = wrong.end.quantity.try_add(coins("0.00000001")).unwrap();
        assert!(!wrong.foots().unwrap());
    }

    #[test]
    fn filed_roll_forwards_foot() {
        // GBTC, then Grayscale Bitcoin Mini Trust, first quarter of 2025; money in thousands.
        check_published(
            ["205398.85921873", "1965.72939387", "-13185.34046936", "-737.01795515", "193442.23018809"],
            ["19182244", "192570", "-1227181", "-68939", "-3218384", "57881", "1029931", "15948122"],
        );
        check_published(
            ["38012.91129948", "5034.11266276", "-2437.02849985", "-14.96656384", "40595.02889855"],
            ["3550034", "500979", "-212091", "-1398", "-524750", "302", "33734", "3346810"],
        );
    }

    #[test]
    fn a_period_rolls_forward_from_the_one_before() {
        let row = |date: &str, kind, quantity: &str, value: &str, cost: &str| Movement {
            date: date.parse().unwrap(),
            kind,
            quantity: coins(quantity),
            value: money(value),
            cost: money(cost),
        };
        let movements = [
            row("2024-01-05", MovementKind::Purchased, "10", "400000", "400000"),
            row("2024-04-02", MovementKind::Purchased, "5", "250000", "250000"),
            row("2024-05-02", MovementKind::SoldForRedemption, "-3", "-180000", "-130000"),
        ];
        let period = ("2024-04-01".parse().unwrap(), "2024-06-30".parse().unwrap());
        let scale = Scale::try_new(8).unwrap();
        let prices = (Some("45000".parse().unwrap()), Some("60000".parse().unwrap()));
        let rolled = roll_forward(&movements, scale, period, prices.0, prices.1).unwrap();
        assert_eq!(rolled.begin.fair_value, money("450000"));
        assert_eq!((rolled.end.quantity, rolled.end.cost), (coins("12"), money("520000")));
        assert_eq!((rolled.realised_gain, rolled.unrealised_change), (money("50000"), money("150000")));
        assert!(rolled.foots().unwrap());
    }
}
