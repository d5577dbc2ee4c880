//! What every fixed-scale number has in common, said once.

/// Defines a number that counts units of 10^-`$scale` in an `i128`.
macro_rules! fixed_scale_number {
    ($(#[$doc:meta])* $name:ident, $scale:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "std::borrow::Cow<'_, str>", into = "String")]
        pub struct $name(i128);

        impl $name {
            /// Decimals kept.
            pub const SCALE: u8 = $scale;
            /// Nothing.
            pub const ZERO: Self = Self(0);

            #[doc = concat!("`units` of 10^-", stringify!($scale), ".")]
            pub const fn from_units(units: i128) -> Self {
                Self(units)
            }

            #[doc = concat!("The count of 10^-", stringify!($scale), " units.")]
            pub const fn units(self) -> i128 {
                self.0
            }

            /// The exact value as a [`Decimal`](crate::Decimal); refuses when a digit would be lost.
            pub fn try_from_decimal(value: crate::Decimal) -> Result<Self, crate::NumberError> {
                value.units_at(Self::SCALE).map(Self)
            }

            /// The value as an exact decimal.
            pub fn to_decimal(self) -> crate::Decimal {
                crate::Decimal::from_fixed(self.0, Self::SCALE)
            }

            /// `self + other`, refused when it does not fit.
            pub fn try_add(self, other: Self) -> Result<Self, crate::NumberError> {
                self.0.checked_add(other.0).map(Self).ok_or(crate::NumberError::Overflow)
            }

            /// `self - other`, refused when it does not fit.
            pub fn try_sub(self, other: Self) -> Result<Self, crate::NumberError> {
                self.0.checked_sub(other.0).map(Self).ok_or(crate::NumberError::Overflow)
            }

            /// `-self`, refused when it does not fit.
            pub fn try_neg(self) -> Result<Self, crate::NumberError> {
                self.0.checked_neg().map(Self).ok_or(crate::NumberError::Overflow)
            }

            /// `self × numerator ÷ denominator`, exact in 256 bits and rounded once.
            pub fn try_mul_div(
                self,
                numerator: i128,
                denominator: i128,
                rounding: crate::Rounding,
            ) -> Result<Self, crate::NumberError> {
                crate::wide::mul_div(self.0, numerator, (denominator, 1), rounding).map(Self)
            }

            /// The value kept to `decimals`, the rest rounded away.
            pub fn round_to(self, decimals: u8, rounding: crate::Rounding) -> Result<Self, crate::NumberError> {
                let coarse = crate::wide::rescale(self.0, Self::SCALE, decimals.min(Self::SCALE), rounding)?;
                crate::wide::rescale(coarse, decimals.min(Self::SCALE), Self::SCALE, rounding).map(Self)
            }

            /// Whether the value is below zero.
            pub fn is_negative(self) -> bool {
                self.0 < 0
            }

            /// Whether the value is zero.
            pub fn is_zero(self) -> bool {
                self.0 == 0
            }
        }

        impl core::str::FromStr for $name {
            type Err = crate::NumberError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::try_from_decimal(text.parse()?)
            }
        }

        impl TryFrom<std::borrow::Cow<'_, str>> for $name {
            type Error = crate::NumberError;

            fn try_from(text: std::borrow::Cow<'_, str>) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(&crate::decimal::plain_text(self.0, Self::SCALE, true))
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Display::fmt(self, f)
            }
        }
    };
}

pub(crate) use fixed_scale_number;
