//! Why a number was refused.

use thiserror::Error;

/// A number that cannot be read, does not fit, or would lose digits silently.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NumberError {
    /// The text is not a decimal number.
    #[error("`{0}` is not a decimal number; write it like 1234.5 or 1.2e-7")]
    NotANumber(String),
    /// The value has more decimals than its type keeps.
    #[error("`{text}` has more than {scale} decimals")]
    TooManyDecimals {
        /// The value as given.
        text: String,
        /// Decimals that are kept.
        scale: u8,
    },
    /// The result is outside the range of a 128-bit count of base units.
    #[error("the result does not fit in 128 bits of base units")]
    Overflow,
    /// A division by zero.
    #[error("division by zero")]
    DivisionByZero,
    /// Two quantities of different scales met in one sum.
    #[error("quantities of scale {left} and {right} cannot be added: they are different assets")]
    MixedScales {
        /// Decimals of the left side.
        left: u8,
        /// Decimals of the right side.
        right: u8,
    },
    /// An asset's scale outside 0 to 18.
    #[error("a scale of {0} decimals is outside 0 to 18")]
    ScaleOutOfRange(u8),
}

impl NumberError {
    /// The stable code: the rule that was broken.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotANumber(_) => "number.must_be_decimal",
            Self::TooManyDecimals { .. } => "number.must_fit_its_scale",
            Self::Overflow => "number.must_fit_128_bits",
            Self::DivisionByZero => "number.divisor_must_not_be_zero",
            Self::MixedScales { .. } => "number.scales_must_match",
            Self::ScaleOutOfRange(_) => "number.scale_must_be_0_to_18",
        }
    }
}
