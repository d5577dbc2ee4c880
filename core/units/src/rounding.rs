//! Named rounding: no figure loses a digit without saying how.

use serde::{Deserialize, Serialize};

/// What happens to the digits that do not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rounding {
    /// To the nearest; a tie goes to the even neighbour (IEEE 754 roundTiesToEven).
    HalfEven,
    /// To the nearest; a tie goes away from zero, as most published figures are rounded.
    HalfUp,
    /// Towards minus infinity: what the fund owes in coins is never understated by a credit.
    Floor,
    /// Towards plus infinity.
    Ceiling,
    /// Towards zero.
    Down,
}

impl Rounding {
    /// Whether a truncated quotient moves one unit away from zero.
    /// `twice_remainder` is the comparison of 2·|remainder| with |divisor|.
    pub(crate) fn moves_away_from_zero(
        self,
        exact: bool,
        negative: bool,
        quotient_is_odd: bool,
        twice_remainder: core::cmp::Ordering,
    ) -> bool {
        use core::cmp::Ordering::{Equal, Greater, Less};
        if exact {
            return false;
        }
        match self {
            Self::Down => false,
            Self::Floor => negative,
            Self::Ceiling => !negative,
            Self::HalfUp => twice_remainder != Less,
            Self::HalfEven => match twice_remainder {
                Less => false,
                Greater => true,
                Equal => quotient_is_odd,
            },
        }
    }
}
