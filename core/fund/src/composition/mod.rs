//! The portfolio composition file (PCF) of a fund for one trade date: what one creation unit is made of.
//!
//! A fund's agent publishes it on the evening of T−1. It has three forms, each read and written without losing a
//! digit: JSON and CSV for everyone, and the NSCC-like fixed-width records that older systems read. Reading ends in a
//! checked [`Composition`] or in a [`CompositionError`] that names the line, the column, the rule, and what to write
//! instead; this module opens no file and knows no clock.
//!
//! # JSON
//!
//! One object of `header` and `components`. Amounts, quantities, dates and names are strings, counts are numbers,
//! flags are booleans; what is absent is left out or `null`. Unknown and repeated names are refused.
//!
//! ```json
//! {
//!   "header": {
//!     "fund_symbol": "BTCX", "fund_name": "Strongroom Bitcoin Trust", "fund_cusip": null,
//!     "when_issued": false, "foreign": false, "exchange": "other",
//!     "trade_date": "2024-01-11", "creation_unit_shares": 40000,
//!     "estimated_cash_per_creation_unit": "-2.91", "estimated_cash_per_share": "0",
//!     "nav_per_creation_unit": "1046000", "nav_per_share": "26.15",
//!     "total_cash_per_creation_unit": "0", "shares_outstanding": 400000,
//!     "dividend": "0", "cash_indicator": null
//!   },
//!   "components": [
//!     { "symbol": "BTC", "cusip": null, "when_issued": false, "foreign": false, "exchange": "other",
//!       "quantity": "22.66000000" }
//!   ]
//! }
//! ```
//!
//! # CSV
//!
//! Two title lines, each followed by its records: the header's titles and one header record, then the components'
//! titles and one record for each component. The titles are the names of the JSON form in the same order; the header
//! has one more at its end, `component_count`, by which a file that was cut short is refused. What is absent is empty.
//!
//! # Fixed width
//!
//! See [`fixed_width`].

mod check;
mod csv;
mod error;
mod fields;
pub mod fixed_width;
mod json;
mod names;

pub use error::{CompositionError, CompositionRule};
pub use names::{CashIndicator, Cusip, Exchange, FundName, Listing};

use check::Broken;
use error::Place;
use strongroom_units::time::Date;
use strongroom_units::{Money, Quantity, Rounding, Shares, Symbol};

/// A checked composition: what holds between its fields is listed at [`Composition::try_new`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composition {
    header: Header,
    components: Vec<Component>,
}

/// What is said once for the whole creation unit. Amounts are in the fund's currency at up to eight decimals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The fund's symbol.
    pub fund: Symbol,
    /// Its legal name. The legacy layout has none.
    pub name: Option<FundName>,
    /// Its CUSIP.
    pub cusip: Option<Cusip>,
    /// How its shares are listed.
    pub listing: Listing,
    /// The day for whose orders the composition holds.
    pub trade_date: Date,
    /// Shares in one creation unit.
    pub creation_unit: Shares,
    /// Cash per creation unit as estimated on T−1: accumulated income less expenses. Negative is owed by the fund.
    pub estimated_cash: Money,
    /// The same per share.
    pub estimated_cash_per_share: Money,
    /// Net asset value of one creation unit.
    pub nav_per_creation_unit: Money,
    /// Net asset value of one share, as published.
    pub nav_per_share: Money,
    /// All cash per creation unit.
    pub total_cash: Money,
    /// Shares outstanding.
    pub shares_outstanding: Shares,
    /// Dividend, as the agent gives it.
    pub dividend: Money,
    /// The last byte of a long legacy header.
    pub cash_indicator: Option<CashIndicator>,
}

/// One constituent of the creation unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Component {
    /// Its symbol.
    pub symbol: Symbol,
    /// Its CUSIP; coins have none.
    pub cusip: Option<Cusip>,
    /// How it is listed.
    pub listing: Listing,
    /// How much of it is in one creation unit, exactly, at the asset's own scale. Shares have scale 0.
    pub quantity: Quantity,
}

impl Composition {
    /// Components in one composition, at most.
    pub const COMPONENTS_MAX: usize = check::COMPONENTS_MAX;

    /// Refuses a year outside 0 to 9999, a creation unit without shares, negative shares outstanding, more than
    /// [`Self::COMPONENTS_MAX`] components, a symbol listed twice, a quantity of zero or less, and a NAV per creation
    /// unit that is further from NAV per share × shares than one cent a share.
    pub fn try_new(header: Header, components: Vec<Component>) -> Result<Self, CompositionError> {
        Self::try_new_at(header, components, |_| Place::NONE)
    }

    /// [`Self::try_new`] for what was read: `place` tells where the header (none) or a component is in the file.
    fn try_new_at(
        header: Header,
        components: Vec<Component>,
        place: impl FnOnce(Option<usize>) -> Place,
    ) -> Result<Self, CompositionError> {
        match check::check(&header, &components) {
            Ok(()) => Ok(Self { header, components }),
            Err(Broken { rule, message, component }) => {
                Err(CompositionError::new(place(component), rule, message))
            }
        }
    }

    /// What is said once.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The constituents, in the order of the file.
    pub fn components(&self) -> &[Component] {
        &self.components
    }

    /// The composition with every amount rounded to cents, as the fixed-width form needs them. Quantities stay exact.
    pub fn to_cents(&self, rounding: Rounding) -> Result<Self, CompositionError> {
        let cents = |money: Money| {
            money.to_cents(rounding).map_err(|error| {
                CompositionError::new(Place::NONE, CompositionRule::AmountIsDecimal, error.to_string())
            })
        };
        let header = Header {
            estimated_cash: cents(self.header.estimated_cash)?,
            estimated_cash_per_share: cents(self.header.estimated_cash_per_share)?,
            nav_per_creation_unit: cents(self.header.nav_per_creation_unit)?,
            nav_per_share: cents(self.header.nav_per_share)?,
            total_cash: cents(self.header.total_cash)?,
            dividend: cents(self.header.dividend)?,
            ..self.header.clone()
        };
        Self::try_new(header, self.components.clone())
    }

    /// Reads the JSON form.
    pub fn from_json(bytes: &[u8]) -> Result<Self, CompositionError> {
        json::read(text_of(bytes)?)
    }

    /// Writes the JSON form, indented, with a line feed at the end.
    pub fn to_json(&self) -> Result<String, CompositionError> {
        json::write(self)
    }

    /// Reads the CSV form.
    pub fn from_csv(bytes: &[u8]) -> Result<Self, CompositionError> {
        csv::read(text_of(bytes)?)
    }

    /// Writes the CSV form, lines ended by a line feed.
    pub fn to_csv(&self) -> Result<String, CompositionError> {
        csv::write(self)
    }

    /// Reads the fixed-width form, strictly: a whole file whose records agree with one another.
    pub fn from_fixed_width(bytes: &[u8]) -> Result<Self, CompositionError> {
        fixed_width::read(text_of(bytes)?)
    }

    /// Writes the fixed-width form, lines ended by a line feed. Refuses what does not fit: an amount with parts of a
    /// cent (see [`Self::to_cents`]) or too many digits, a quantity of 100,000,000 or more, a name outside ASCII.
    pub fn to_fixed_width(&self) -> Result<String, CompositionError> {
        fixed_width::write(self)
    }
}

/// A file of any form, at most.
const BYTES_MAX: usize = 8 * 1024 * 1024;
/// A line of CSV or fixed width, at most.
const LINE_BYTES_MAX: usize = 1024;

fn text_of(bytes: &[u8]) -> Result<&str, CompositionError> {
    if bytes.len() > BYTES_MAX {
        let message = format!("the file has {} bytes", bytes.len());
        return Err(CompositionError::new(Place::NONE, CompositionRule::FileIsBounded, message));
    }
    core::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let before = core::str::from_utf8(before).unwrap_or_default();
        let message = "a byte that is not UTF-8";
        CompositionError::new(place_after(before), CompositionRule::TextIsUtf8, message)
    })
}

/// The place that follows `before`; columns count characters.
fn place_after(before: &str) -> Place {
    let line = before.rsplit('\n').next().unwrap_or_default();
    Place::new(before.matches('\n').count() + 1, line.chars().count() + 1)
}

/// The lines of a file with their numbers, without line ends. A line that is too long is refused.
fn lines(text: &str) -> impl Iterator<Item = Result<(usize, &str), CompositionError>> {
    (1..).zip(text.lines()).map(|(number, line)| {
        if line.len() <= LINE_BYTES_MAX {
            return Ok((number, line));
        }
        let message = format!("the line has {} bytes", line.len());
        let place = Place::new(number, LINE_BYTES_MAX + 1);
        Err(CompositionError::new(place, CompositionRule::LineIsBounded, message))
    })
}
