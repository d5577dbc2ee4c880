//! From records to lines.

use super::super::{Composition, CompositionError, CompositionRule, Cusip, Header, Listing};
use super::{ComponentRecord, HeaderRecord, NameRecord, Parent, QuantityRecord, Record, refuse, whole_part};
use strongroom_units::time::Date;
use strongroom_units::{Money, Symbol};

pub(in super::super) fn write(composition: &Composition) -> Result<String, CompositionError> {
    let mut file = String::new();
    for (number, record) in (1..).zip(records(composition)) {
        file.push_str(&self::record(&record, number)?);
        file.push('\n');
    }
    Ok(file)
}

fn records(composition: &Composition) -> Vec<Record> {
    let header = composition.header();
    let component_count = composition.components().len();
    let mut records = vec![Record::Header(HeaderRecord { header: header.clone(), component_count })];
    if let Some(name) = header.name.clone() {
        records.push(Record::Name(NameRecord { fund: header.fund, name }));
    }
    for component in composition.components().iter().copied() {
        let (trade_date, parent) = (header.trade_date, Parent::from(header));
        records.push(Record::Component(ComponentRecord { component, trade_date, parent }));
        if component.quantity.scale().decimals() > 0 {
            let (symbol, cusip, quantity) = (component.symbol, component.cusip, component.quantity);
            records.push(Record::Quantity(QuantityRecord { symbol, cusip, quantity }));
        }
    }
    records
}

pub(super) fn record(record: &Record, number: usize) -> Result<String, CompositionError> {
    let mut line = Line { text: String::with_capacity(151), number };
    match record {
        Record::Header(record) => header(&mut line, record)?,
        Record::Component(record) => component(&mut line, record)?,
        Record::Quantity(record) => quantity(&mut line, record)?,
        Record::Name(record) => name(&mut line, record)?,
    }
    Ok(line.text)
}

fn header(line: &mut Line, record: &HeaderRecord) -> Result<(), CompositionError> {
    let header: &Header = &record.header;
    line.text("01", 2)?;
    line.security(header.fund, header.cusip)?;
    line.listing(header.listing)?;
    line.date(header.trade_date)?;
    line.count(record.component_count, 8)?;
    line.count(header.creation_unit.count(), 8)?;
    line.amount(header.estimated_cash, 14)?;
    line.amount(header.estimated_cash_per_share, 13)?;
    line.amount(header.nav_per_creation_unit, 13)?;
    line.amount(header.nav_per_share, 13)?;
    line.amount(header.total_cash, 13)?;
    line.count(header.shares_outstanding.count(), 12)?;
    line.amount(header.dividend, 13)?;
    header.cash_indicator.map_or(Ok(()), |indicator| line.text(&indicator.to_string(), 1))
}

fn component(line: &mut Line, record: &ComponentRecord) -> Result<(), CompositionError> {
    line.text("02", 2)?;
    line.security(record.component.symbol, record.component.cusip)?;
    line.listing(record.component.listing)?;
    line.date(record.trade_date)?;
    line.count(whole_part(record.component.quantity), 8)?;
    line.security(record.parent.symbol, record.parent.cusip)?;
    line.listing(record.parent.listing)
}

fn quantity(line: &mut Line, record: &QuantityRecord) -> Result<(), CompositionError> {
    let decimals = record.quantity.scale().decimals();
    line.text("03", 2)?;
    line.security(record.symbol, record.cusip)?;
    if decimals == 0 || record.quantity.is_negative() {
        return Err(line.refuse(CompositionRule::QuantityIsPlain, record.quantity));
    }
    line.count(decimals, 2)?;
    line.count(whole_part(record.quantity), 8)?;
    let fraction = record.quantity.units() % 10i128.pow(u32::from(decimals));
    line.count(fraction * 10i128.pow(u32::from(18 - decimals)), 18)
}

fn name(line: &mut Line, record: &NameRecord) -> Result<(), CompositionError> {
    line.text("04", 2)?;
    line.text(record.fund.as_str(), 15)?;
    line.text(record.name.as_str(), 120)
}

/// A line being written; its end is where the next field begins.
struct Line {
    text: String,
    number: usize,
}

impl Line {
    fn refuse(&self, rule: CompositionRule, value: impl ToString) -> CompositionError {
        refuse(self.number, self.text.len(), rule, format!("the value is `{}`", value.to_string()))
    }

    /// Printable ASCII, padded on its right.
    fn text(&mut self, text: &str, width: usize) -> Result<(), CompositionError> {
        let printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if !printable || text.len() > width {
            return Err(self.refuse(CompositionRule::ValueFitsItsField, text));
        }
        self.text.push_str(&format!("{text:<width$}"));
        Ok(())
    }

    /// Digits with leading zeros.
    fn count(
        &mut self,
        count: impl TryInto<u128> + Copy + ToString,
        width: usize,
    ) -> Result<(), CompositionError> {
        let digits = count.try_into().ok().map(|count: u128| format!("{count:0>width$}"));
        let Some(digits) = digits.filter(|digits| digits.len() == width) else {
            return Err(self.refuse(CompositionRule::ValueFitsItsField, count));
        };
        self.text.push_str(&digits);
        Ok(())
    }

    /// Hundredths in `width` digits, and the sign behind them.
    fn amount(&mut self, amount: Money, width: usize) -> Result<(), CompositionError> {
        let hundredth = 10i128.pow(u32::from(Money::SCALE) - 2);
        if amount.units() % hundredth != 0 {
            return Err(self.refuse(CompositionRule::AmountIsInCents, amount));
        }
        let digits = format!("{:0>width$}", (amount.units() / hundredth).unsigned_abs());
        if digits.len() != width {
            return Err(self.refuse(CompositionRule::ValueFitsItsField, amount));
        }
        self.text.push_str(&digits);
        self.text.push(if amount.is_negative() { '-' } else { '+' });
        Ok(())
    }

    fn date(&mut self, date: Date) -> Result<(), CompositionError> {
        self.count(date.year(), 4)?;
        self.count(date.month(), 2)?;
        self.count(date.day(), 2)
    }

    fn security(&mut self, symbol: Symbol, cusip: Option<Cusip>) -> Result<(), CompositionError> {
        self.text(symbol.as_str(), 15)?;
        self.text(cusip.as_ref().map_or("", Cusip::as_str), 9)
    }

    fn listing(&mut self, listing: Listing) -> Result<(), CompositionError> {
        self.count(u8::from(listing.when_issued), 1)?;
        self.count(u8::from(listing.foreign), 1)?;
        self.text(&listing.exchange.digit().to_string(), 1)
    }
}
