//! The NSCC-like fixed-width form: ASCII records, one to a line, told apart by their first two bytes.
//!
//! Records `01` and `02` are the layout of an older composition file that many systems still read. Offsets count
//! bytes from 0. An amount is a count of hundredths with leading zeros and a sign byte, `+` or `-`, behind it; text is
//! padded on its right with blanks; an absent CUSIP is nine blanks. A flag is `0` or `1`; an exchange is `0` (NYSE),
//! `1` (AMEX) or `2` (other).
//!
//! `01`, the header, 150 bytes, or 151 with the cash indicator:
//!
//! | Bytes | Field |
//! |---|---|
//! | 2–16 | fund symbol |
//! | 17–25 | fund CUSIP |
//! | 26, 27, 28 | when-issued, foreign, exchange |
//! | 29–36 | trade date, YYYYMMDD |
//! | 37–44 | number of components |
//! | 45–52 | shares in one creation unit |
//! | 53–66, 67 | estimated cash per creation unit, sign |
//! | 68–80, 81 | estimated cash per share, sign |
//! | 82–94, 95 | NAV per creation unit, sign |
//! | 96–108, 109 | NAV per share, sign |
//! | 110–122, 123 | total cash per creation unit, sign |
//! | 124–135 | shares outstanding |
//! | 136–148, 149 | dividend, sign |
//! | 150 | cash indicator, when there is one |
//!
//! `02`, a component, 72 bytes:
//!
//! | Bytes | Field |
//! |---|---|
//! | 2–16 | component symbol |
//! | 17–25 | component CUSIP |
//! | 26, 27, 28 | when-issued, foreign, exchange |
//! | 29–36 | trade date |
//! | 37–44 | quantity per creation unit, whole |
//! | 45–59 | fund symbol |
//! | 60–68 | fund CUSIP |
//! | 69, 70, 71 | when-issued, foreign, exchange of the fund |
//!
//! # Our two extensions
//!
//! The older layout has no room for a part of a coin or for the fund's name. Both are carried by records of their
//! own, so that a reader that skips unknown records still sees every component, with the whole part of its quantity.
//!
//! `03`, the exact quantity of the component record before it, 54 bytes, for each asset with decimals (8 for bitcoin,
//! 18 for ether, 1 to 18). The `02` carries the whole part, cut and not rounded:
//!
//! | Bytes | Field |
//! |---|---|
//! | 2–16 | component symbol |
//! | 17–25 | component CUSIP |
//! | 26–27 | decimals of the asset |
//! | 28–35 | whole part, the same as in the `02` |
//! | 36–53 | decimals, followed by zeros up to 18 digits |
//!
//! So 22.66 BTC are `03BTC`, 21 blanks, `08`, `00000022` and `660000000000000000`.
//!
//! `04`, the fund's name, 137 bytes, right after the header when the fund has a name:
//!
//! | Bytes | Field |
//! |---|---|
//! | 2–16 | fund symbol |
//! | 17–136 | name, in printable ASCII |

mod field;
mod parse;
mod write;

use super::error::Place;
use super::{
    Component, Composition, CompositionError, CompositionRule, Cusip, FundName, Header, Listing, lines,
};
use strongroom_units::time::Date;
use strongroom_units::{Quantity, Symbol};

pub(super) use write::write;

/// One record of the fixed-width form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// `01`.
    Header(HeaderRecord),
    /// `02`.
    Component(ComponentRecord),
    /// `03`.
    Quantity(QuantityRecord),
    /// `04`.
    Name(NameRecord),
}

/// A header, and how many components it announces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderRecord {
    /// The header. Read without a name, which has a record of its own.
    pub header: Header,
    /// Components that follow in a whole file.
    pub component_count: usize,
}

/// A component, and what it repeats of the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ComponentRecord {
    /// The component. Read with a whole quantity, of scale 0.
    pub component: Component,
    /// The header's trade date.
    pub trade_date: Date,
    /// The fund.
    pub parent: Parent,
}

/// The fund as a component record names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    /// The fund's symbol.
    pub symbol: Symbol,
    /// Its CUSIP.
    pub cusip: Option<Cusip>,
    /// How its shares are listed.
    pub listing: Listing,
}

impl From<&Header> for Parent {
    fn from(header: &Header) -> Self {
        Self { symbol: header.fund, cusip: header.cusip, listing: header.listing }
    }
}

/// The exact quantity of the component record before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuantityRecord {
    /// The component's symbol.
    pub symbol: Symbol,
    /// Its CUSIP.
    pub cusip: Option<Cusip>,
    /// Its quantity, of scale 1 to 18.
    pub quantity: Quantity,
}

/// The fund's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameRecord {
    /// The fund's symbol.
    pub fund: Symbol,
    /// Its name.
    pub name: FundName,
}

impl Record {
    /// Reads one record without its line end, on its own: what it repeats of other records is not compared.
    pub fn parse(line: &[u8]) -> Result<Self, CompositionError> {
        parse::record(super::text_of(line)?, 1)
    }

    /// Writes the record without a line end; refuses what does not fit.
    pub fn to_line(&self) -> Result<String, CompositionError> {
        write::record(self, 1)
    }
}

pub(super) fn read(text: &str) -> Result<Composition, CompositionError> {
    let mut lines = lines(text);
    let first = match lines.next() {
        Some(line) => line?,
        None => (1, ""),
    };
    let Record::Header(HeaderRecord { header, component_count }) = parse::record(first.1, first.0)? else {
        return Err(out_of_order(1, "the first record is no header"));
    };
    let mut file = File { header, component_count, components: Vec::new() };
    for line in lines {
        let (number, line) = line?;
        file.take(number, parse::record(line, number)?)?;
    }
    file.finish()
}

/// What was read so far.
struct File {
    header: Header,
    component_count: usize,
    /// Each with the number of its line.
    components: Vec<(usize, Component)>,
}

impl File {
    fn take(&mut self, number: usize, record: Record) -> Result<(), CompositionError> {
        match record {
            Record::Header(_) => Err(out_of_order(number, "a second header")),
            Record::Name(record) => self.take_name(number, record),
            Record::Component(record) => self.take_component(number, &record),
            Record::Quantity(record) => self.take_quantity(number, &record),
        }
    }

    fn take_name(&mut self, number: usize, record: NameRecord) -> Result<(), CompositionError> {
        if self.header.name.is_some() || !self.components.is_empty() {
            return Err(out_of_order(number, "a name that does not follow its header"));
        }
        if record.fund != self.header.fund {
            let message = format!("the name is of {} and not of {}", record.fund, self.header.fund);
            return Err(refuse(number, 2, CompositionRule::ParentMatches, message));
        }
        self.header.name = Some(record.name);
        Ok(())
    }

    fn take_component(&mut self, number: usize, record: &ComponentRecord) -> Result<(), CompositionError> {
        if record.trade_date != self.header.trade_date {
            let message =
                format!("the component is of {} and not of {}", record.trade_date, self.header.trade_date);
            return Err(refuse(number, 29, CompositionRule::TradeDateMatches, message));
        }
        if record.parent != Parent::from(&self.header) {
            let message = format!("the fund is {:?}", record.parent);
            return Err(refuse(number, 45, CompositionRule::ParentMatches, message));
        }
        if self.components.len() == self.component_count {
            return Err(self.miscounted("more"));
        }
        self.components.push((number, record.component));
        Ok(())
    }

    fn take_quantity(&mut self, number: usize, record: &QuantityRecord) -> Result<(), CompositionError> {
        let Some((_, component)) = self.components.last_mut() else {
            return Err(out_of_order(number, "a quantity before the first component"));
        };
        let has_its_quantity = component.quantity.scale().decimals() > 0;
        if has_its_quantity || (record.symbol, record.cusip) != (component.symbol, component.cusip) {
            let message = format!("a quantity of {} follows {}", record.symbol, component.symbol);
            return Err(refuse(number, 2, CompositionRule::QuantityFollowsItsComponent, message));
        }
        if whole_part(record.quantity) != component.quantity.units() {
            let message = format!("{} after a whole part of {}", record.quantity, component.quantity);
            return Err(refuse(number, 28, CompositionRule::WholePartMatches, message));
        }
        component.quantity = record.quantity;
        Ok(())
    }

    fn finish(self) -> Result<Composition, CompositionError> {
        if self.components.len() != self.component_count {
            return Err(self.miscounted(&self.components.len().to_string()));
        }
        let (numbers, components): (Vec<usize>, Vec<Component>) = self.components.into_iter().unzip();
        Composition::try_new_at(self.header, components, |component| {
            Place::new(component.and_then(|index| numbers.get(index).copied()).unwrap_or(1), 1)
        })
    }

    fn miscounted(&self, found: &str) -> CompositionError {
        let message =
            format!("the header announces {} components, the file has {found}", self.component_count);
        refuse(1, 37, CompositionRule::ComponentCountMatches, message)
    }
}

/// The whole part of a quantity, the rest cut.
fn whole_part(quantity: Quantity) -> i128 {
    quantity.units() / 10i128.pow(u32::from(quantity.scale().decimals()))
}

fn out_of_order(number: usize, message: &str) -> CompositionError {
    refuse(number, 0, CompositionRule::RecordsAreInOrder, message)
}

/// A refusal at an offset from 0 in a line.
fn refuse(
    number: usize,
    offset: usize,
    rule: CompositionRule,
    message: impl Into<String>,
) -> CompositionError {
    CompositionError::new(Place::new(number, offset + 1), rule, message)
}
