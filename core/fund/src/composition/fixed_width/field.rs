//! One field of a fixed-width record: its bytes, and what they mean.

use super::super::error::shown;
use super::super::{CompositionError, CompositionRule, Cusip, Exchange, Listing};
use super::refuse;
use core::ops::Range;
use core::str::FromStr;
use strongroom_units::time::Date;
use strongroom_units::{Money, Symbol};

/// A record's line.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    // INVARIANT: printable ASCII, so that offsets in bytes are offsets in characters.
    pub text: &'a str,
    pub number: usize,
}

impl<'a> Line<'a> {
    /// The field at these bytes, counted from 0.
    pub(super) fn at(self, bytes: Range<usize>) -> Field<'a> {
        let text = self.text.get(bytes.clone()).unwrap_or_default();
        Field { text, offset: bytes.start, number: self.number }
    }

    /// An amount: hundredths at these bytes, and the sign byte behind them.
    pub(super) fn amount(self, bytes: Range<usize>) -> Result<Money, CompositionError> {
        let hundredths = self.at(bytes.clone()).digits()?;
        let sign = self.at(bytes.end..bytes.end + 1);
        let units = hundredths * 10i128.pow(u32::from(Money::SCALE) - 2);
        match sign.text {
            "+" => Ok(Money::from_units(units)),
            "-" => Ok(Money::from_units(-units)),
            _ => Err(sign.refuse(CompositionRule::AmountHasItsSign)),
        }
    }

    /// Three flag bytes from an offset on: when-issued, foreign, exchange.
    pub(super) fn listing(self, offset: usize) -> Result<Listing, CompositionError> {
        Ok(Listing {
            when_issued: self.at(offset..offset + 1).flag()?,
            foreign: self.at(offset + 1..offset + 2).flag()?,
            exchange: self.at(offset + 2..offset + 3).exchange()?,
        })
    }
}

/// A field's bytes and place.
pub(super) struct Field<'a> {
    pub text: &'a str,
    offset: usize,
    number: usize,
}

impl Field<'_> {
    pub(super) fn refuse(&self, rule: CompositionRule) -> CompositionError {
        refuse(self.number, self.offset, rule, format!("found `{}`", shown(self.text)))
    }

    pub(super) fn symbol(&self) -> Result<Symbol, CompositionError> {
        self.padded().parse().map_err(|_| self.refuse(CompositionRule::SymbolIsValid))
    }

    pub(super) fn cusip(&self) -> Result<Option<Cusip>, CompositionError> {
        if self.padded().is_empty() { Ok(None) } else { self.read().map(Some) }
    }

    /// Text that names its own rule.
    pub(super) fn read<V: FromStr<Err = CompositionRule>>(&self) -> Result<V, CompositionError> {
        self.padded().parse().map_err(|rule| self.refuse(rule))
    }

    /// A count of digits that is below 10^18.
    pub(super) fn digits(&self) -> Result<i128, CompositionError> {
        let digits = self.text.len() <= 18 && self.text.bytes().all(|byte| byte.is_ascii_digit());
        let value = self.text.parse().ok().filter(|_| digits);
        value.ok_or_else(|| self.refuse(CompositionRule::CountIsWhole))
    }

    /// A count that fits `V`.
    pub(super) fn count<V: TryFrom<i128>>(&self) -> Result<V, CompositionError> {
        V::try_from(self.digits()?).map_err(|_| self.refuse(CompositionRule::CountIsWhole))
    }

    pub(super) fn date(&self) -> Result<Date, CompositionError> {
        let refuse = || self.refuse(CompositionRule::DateIsValid);
        let date: u32 = self.count().map_err(|_| refuse())?;
        let year = i16::try_from(date / 10_000).map_err(|_| refuse())?;
        let month = i8::try_from(date / 100 % 100).map_err(|_| refuse())?;
        let day = i8::try_from(date % 100).map_err(|_| refuse())?;
        Date::new(year, month, day).map_err(|_| refuse())
    }

    fn flag(&self) -> Result<bool, CompositionError> {
        match self.text {
            "0" => Ok(false),
            "1" => Ok(true),
            _ => Err(self.refuse(CompositionRule::FlagIsValid)),
        }
    }

    fn exchange(&self) -> Result<Exchange, CompositionError> {
        let known = Exchange::ALL.into_iter().find(|exchange| self.text == exchange.digit().to_string());
        known.ok_or_else(|| self.refuse(CompositionRule::ExchangeIsKnown))
    }

    fn padded(&self) -> &str {
        self.text.trim_end_matches(' ')
    }
}
