//! The fields of JSON and CSV: their names and order, and the way from text to values and back.

use super::error::{Place, shown};
use super::{Component, CompositionError, CompositionRule, Exchange, Header, Listing, place_after};
use core::str::FromStr;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use strongroom_units::time::Date;
use strongroom_units::{Money, Quantity, Shares, Symbol};

/// The header's fields: [`Written`] when they are written, raw text when they are read.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeaderFields<T> {
    pub fund_symbol: T,
    pub fund_name: Option<T>,
    pub fund_cusip: Option<T>,
    pub when_issued: T,
    pub foreign: T,
    pub exchange: T,
    pub trade_date: T,
    pub creation_unit_shares: T,
    pub estimated_cash_per_creation_unit: T,
    pub estimated_cash_per_share: T,
    pub nav_per_creation_unit: T,
    pub nav_per_share: T,
    pub total_cash_per_creation_unit: T,
    pub shares_outstanding: T,
    pub dividend: T,
    pub cash_indicator: Option<T>,
}

/// A component's fields.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ComponentFields<T> {
    pub symbol: T,
    pub cusip: Option<T>,
    pub when_issued: T,
    pub foreign: T,
    pub exchange: T,
    pub quantity: T,
}

/// A value as it is written: in JSON by its type, in CSV as text.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Written {
    Text(String),
    Count(i64),
    Flag(bool),
}

fn text(value: impl ToString) -> Written {
    Written::Text(value.to_string())
}

impl From<&Header> for HeaderFields<Written> {
    fn from(header: &Header) -> Self {
        Self {
            fund_symbol: text(header.fund),
            fund_name: header.name.as_ref().map(text),
            fund_cusip: header.cusip.map(text),
            when_issued: Written::Flag(header.listing.when_issued),
            foreign: Written::Flag(header.listing.foreign),
            exchange: text(header.listing.exchange.name()),
            trade_date: text(header.trade_date),
            creation_unit_shares: Written::Count(header.creation_unit.count()),
            estimated_cash_per_creation_unit: text(header.estimated_cash),
            estimated_cash_per_share: text(header.estimated_cash_per_share),
            nav_per_creation_unit: text(header.nav_per_creation_unit),
            nav_per_share: text(header.nav_per_share),
            total_cash_per_creation_unit: text(header.total_cash),
            shares_outstanding: Written::Count(header.shares_outstanding.count()),
            dividend: text(header.dividend),
            cash_indicator: header.cash_indicator.map(text),
        }
    }
}

impl From<&Component> for ComponentFields<Written> {
    fn from(component: &Component) -> Self {
        Self {
            symbol: text(component.symbol),
            cusip: component.cusip.map(text),
            when_issued: Written::Flag(component.listing.when_issued),
            foreign: Written::Flag(component.listing.foreign),
            exchange: text(component.listing.exchange.name()),
            quantity: text(component.quantity),
        }
    }
}

/// How a value stood in its file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// A JSON string.
    Quoted,
    /// A JSON number or boolean.
    Bare,
    /// A CSV field, which has no types.
    Untyped,
}

/// Where a value stands.
#[derive(Clone, Copy)]
pub(super) enum Origin<'a> {
    /// After this text. Its lines are counted only for a refusal: counting them for each value would take time in
    /// the square of the file's length.
    After(&'a str),
    /// At this place.
    At(Place),
}

impl Origin<'_> {
    pub(super) fn place(self) -> Place {
        match self {
            Self::After(before) => place_after(before),
            Self::At(place) => place,
        }
    }
}

/// A value as it was read, with its place.
pub(super) struct Cell<'a> {
    pub text: Cow<'a, str>,
    pub style: Style,
    pub origin: Origin<'a>,
}

impl Cell<'_> {
    fn refuse(&self, rule: CompositionRule) -> CompositionError {
        CompositionError::new(self.origin.place(), rule, format!("found `{}`", shown(&self.text)))
    }

    /// A value of which every text form is read.
    fn read<V: FromStr>(&self, rule: CompositionRule) -> Result<V, CompositionError> {
        if self.style == Style::Bare {
            return Err(self.refuse(CompositionRule::JsonValueIsText));
        }
        self.text.parse().map_err(|_| self.refuse(rule))
    }

    /// A value of which only its own text is read, so that nothing in the text is dropped.
    fn read_plain<V: FromStr + ToString>(&self, rule: CompositionRule) -> Result<V, CompositionError> {
        let value: V = self.read(rule)?;
        if value.to_string() == self.text { Ok(value) } else { Err(self.refuse(rule)) }
    }

    /// A whole number in plain digits.
    pub(super) fn count(&self) -> Result<i64, CompositionError> {
        self.bare()?;
        let count: Option<i64> = self.text.parse().ok();
        count
            .filter(|count| count.to_string() == self.text)
            .ok_or_else(|| self.refuse(CompositionRule::CountIsWhole))
    }

    fn flag(&self) -> Result<bool, CompositionError> {
        self.bare()?;
        self.text.parse().map_err(|_| self.refuse(CompositionRule::FlagIsValid))
    }

    fn bare(&self) -> Result<(), CompositionError> {
        if self.style == Style::Quoted { Err(self.refuse(CompositionRule::JsonValueIsBare)) } else { Ok(()) }
    }

    fn exchange(&self) -> Result<Exchange, CompositionError> {
        let name: String = self.read(CompositionRule::ExchangeIsKnown)?;
        let known = Exchange::ALL.into_iter().find(|exchange| exchange.name() == name);
        known.ok_or_else(|| self.refuse(CompositionRule::ExchangeIsKnown))
    }

    fn money(&self) -> Result<Money, CompositionError> {
        self.read(CompositionRule::AmountIsDecimal)
    }
}

impl<T> HeaderFields<T> {
    /// The header; `cell` gives the text and place of a raw value.
    pub(super) fn header<'a>(
        &'a self,
        cell: impl Fn(&'a T) -> Result<Cell<'a>, CompositionError>,
    ) -> Result<Header, CompositionError> {
        let money = |raw| cell(raw)?.money();
        let shares = |raw| cell(raw)?.count().map(Shares::new);
        Ok(Header {
            fund: cell(&self.fund_symbol)?.read::<Symbol>(CompositionRule::SymbolIsValid)?,
            name: optional(&self.fund_name, &cell, CompositionRule::NameIsValid)?,
            cusip: optional(&self.fund_cusip, &cell, CompositionRule::CusipIsValid)?,
            listing: Listing {
                when_issued: cell(&self.when_issued)?.flag()?,
                foreign: cell(&self.foreign)?.flag()?,
                exchange: cell(&self.exchange)?.exchange()?,
            },
            trade_date: cell(&self.trade_date)?.read_plain::<Date>(CompositionRule::DateIsValid)?,
            creation_unit: shares(&self.creation_unit_shares)?,
            estimated_cash: money(&self.estimated_cash_per_creation_unit)?,
            estimated_cash_per_share: money(&self.estimated_cash_per_share)?,
            nav_per_creation_unit: money(&self.nav_per_creation_unit)?,
            nav_per_share: money(&self.nav_per_share)?,
            total_cash: money(&self.total_cash_per_creation_unit)?,
            shares_outstanding: shares(&self.shares_outstanding)?,
            dividend: money(&self.dividend)?,
            cash_indicator: optional(&self.cash_indicator, &cell, CompositionRule::CashIndicatorIsValid)?,
        })
    }
}

impl<T> ComponentFields<T> {
    /// The component; `cell` gives the text and place of a raw value.
    pub(super) fn component<'a>(
        &'a self,
        cell: impl Fn(&'a T) -> Result<Cell<'a>, CompositionError>,
    ) -> Result<Component, CompositionError> {
        Ok(Component {
            symbol: cell(&self.symbol)?.read::<Symbol>(CompositionRule::SymbolIsValid)?,
            cusip: optional(&self.cusip, &cell, CompositionRule::CusipIsValid)?,
            listing: Listing {
                when_issued: cell(&self.when_issued)?.flag()?,
                foreign: cell(&self.foreign)?.flag()?,
                exchange: cell(&self.exchange)?.exchange()?,
            },
            quantity: cell(&self.quantity)?.read_plain::<Quantity>(CompositionRule::QuantityIsPlain)?,
        })
    }
}

fn optional<'a, T, V: FromStr>(
    raw: &'a Option<T>,
    cell: impl Fn(&'a T) -> Result<Cell<'a>, CompositionError>,
    rule: CompositionRule,
) -> Result<Option<V>, CompositionError> {
    raw.as_ref().map(|raw| cell(raw)?.read(rule)).transpose()
}
