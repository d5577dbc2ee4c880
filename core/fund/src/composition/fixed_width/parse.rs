//! From a line to a record.

use super::super::error::shown;
use super::super::{Component, CompositionError, CompositionRule, Header};
use super::field::Line;
use super::{ComponentRecord, HeaderRecord, NameRecord, Parent, QuantityRecord, Record, refuse};
use strongroom_units::{Quantity, Scale, Shares};

pub(super) fn record(text: &str, number: usize) -> Result<Record, CompositionError> {
    let printable = |byte: u8| (b' '..=b'~').contains(&byte);
    if let Some(offset) = text.bytes().position(|byte| !printable(byte)) {
        let message = "a byte that is not printable ASCII";
        return Err(refuse(number, offset, CompositionRule::RecordIsAscii, message));
    }
    let line = Line { text, number };
    match line.at(0..2).text {
        "01" => has_length(line, &[150, 151]).and_then(|()| header(line)).map(Record::Header),
        "02" => has_length(line, &[72]).and_then(|()| component(line)).map(Record::Component),
        "03" => has_length(line, &[54]).and_then(|()| quantity(line)).map(Record::Quantity),
        "04" => has_length(line, &[137]).and_then(|()| name(line)).map(Record::Name),
        _ => {
            let message = format!("the record begins `{}`", shown(text));
            Err(refuse(number, 0, CompositionRule::RecordTypeIsKnown, message))
        }
    }
}

/// Refuses at the first byte that is missing or too many.
fn has_length(line: Line<'_>, allowed: &[usize]) -> Result<(), CompositionError> {
    let length = line.text.len();
    if allowed.contains(&length) {
        return Ok(());
    }
    let longest = allowed.iter().copied().max().unwrap_or(length);
    let message = format!("the record has {length} bytes");
    Err(refuse(line.number, length.min(longest), CompositionRule::RecordHasItsLength, message))
}

fn header(line: Line<'_>) -> Result<HeaderRecord, CompositionError> {
    let indicator = Some(line.at(150..151)).filter(|field| !field.text.is_empty());
    let header = Header {
        fund: line.at(2..17).symbol()?,
        name: None,
        cusip: line.at(17..26).cusip()?,
        listing: line.listing(26)?,
        trade_date: line.at(29..37).date()?,
        creation_unit: Shares::new(line.at(45..53).count()?),
        estimated_cash: line.amount(53..67)?,
        estimated_cash_per_share: line.amount(68..81)?,
        nav_per_creation_unit: line.amount(82..95)?,
        nav_per_share: line.amount(96..109)?,
        total_cash: line.amount(110..123)?,
        shares_outstanding: Shares::new(line.at(124..136).count()?),
        dividend: line.amount(136..149)?,
        cash_indicator: indicator.map(|field| field.read()).transpose()?,
    };
    Ok(HeaderRecord { header, component_count: line.at(37..45).count()? })
}

fn component(line: Line<'_>) -> Result<ComponentRecord, CompositionError> {
    let whole = line.at(37..45).digits()?;
    let component = Component {
        symbol: line.at(2..17).symbol()?,
        cusip: line.at(17..26).cusip()?,
        listing: line.listing(26)?,
        quantity: Quantity::from_units(whole, scale(line, 0)?),
    };
    let parent = Parent {
        symbol: line.at(45..60).symbol()?,
        cusip: line.at(60..69).cusip()?,
        listing: line.listing(69)?,
    };
    Ok(ComponentRecord { component, trade_date: line.at(29..37).date()?, parent })
}

fn quantity(line: Line<'_>) -> Result<QuantityRecord, CompositionError> {
    let decimals: u8 = line.at(26..28).count()?;
    if decimals == 0 {
        return Err(line.at(26..28).refuse(CompositionRule::QuantityIsPlain));
    }
    let scale = scale(line, decimals)?;
    let (whole, fraction) = (line.at(28..36).digits()?, line.at(36..54).digits()?);
    let unused = 10i128.pow(u32::from(18 - scale.decimals()));
    if fraction % unused != 0 {
        return Err(line.at(36..54).refuse(CompositionRule::QuantityIsPlain));
    }
    let units = whole * 10i128.pow(u32::from(decimals)) + fraction / unused;
    Ok(QuantityRecord {
        symbol: line.at(2..17).symbol()?,
        cusip: line.at(17..26).cusip()?,
        quantity: Quantity::from_units(units, scale),
    })
}

fn scale(line: Line<'_>, decimals: u8) -> Result<Scale, CompositionError> {
    Scale::try_new(decimals).map_err(|_| line.at(26..28).refuse(CompositionRule::QuantityIsPlain))
}

fn name(line: Line<'_>) -> Result<NameRecord, CompositionError> {
    Ok(NameRecord { fund: line.at(2..17).symbol()?, name: line.at(17..137).read()? })
}
