//! The CSV form: the header's titles and record, then the components' titles and records.

use super::error::{Place, shown};
use super::fields::{Cell, ComponentFields, HeaderFields, Origin, Style, Written};
use super::{Composition, CompositionError, CompositionRule, lines};
use csv::{ReaderBuilder, StringRecord, WriterBuilder};
use std::borrow::Cow;

const HEADER_TITLES: [&str; 17] = [
    "fund_symbol",
    "fund_name",
    "fund_cusip",
    "when_issued",
    "foreign",
    "exchange",
    "trade_date",
    "creation_unit_shares",
    "estimated_cash_per_creation_unit",
    "estimated_cash_per_share",
    "nav_per_creation_unit",
    "nav_per_share",
    "total_cash_per_creation_unit",
    "shares_outstanding",
    "dividend",
    "cash_indicator",
    "component_count",
];
const COMPONENT_TITLES: [&str; 6] = ["symbol", "cusip", "when_issued", "foreign", "exchange", "quantity"];

/// Index of `component_count`.
const COUNT: usize = 16;

pub(super) fn read(text: &str) -> Result<Composition, CompositionError> {
    lines(text).try_for_each(|line| line.map(drop))?;
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut rows = reader.records().map(|record| record.map(Row).map_err(|error| unreadable(&error)));

    row(rows.next(), "titles of the header")?.is_titles(&HEADER_TITLES)?;
    let header_row = row(rows.next(), "record of the header")?;
    header_row.has(HEADER_TITLES.len())?;
    let header = header_fields(&header_row).header(|index| Ok(header_row.cell(*index)))?;
    row(rows.next(), "titles of the components")?.is_titles(&COMPONENT_TITLES)?;

    let (mut component_lines, mut components) = (Vec::new(), Vec::new());
    for component_row in rows {
        let component_row = component_row?;
        component_row.has(COMPONENT_TITLES.len())?;
        if components.len() == Composition::COMPONENTS_MAX {
            let message = "one component more than can be read";
            return Err(component_row.refuse(0, CompositionRule::ComponentsAreBounded, message));
        }
        let fields = component_fields(&component_row);
        components.push(fields.component(|index| Ok(component_row.cell(*index)))?);
        component_lines.push(component_row.line());
    }
    if i64::try_from(components.len()).ok() != Some(header_row.cell(COUNT).count()?) {
        let message = format!("the file has {} components", components.len());
        return Err(header_row.refuse(COUNT, CompositionRule::ComponentCountMatches, message));
    }
    Composition::try_new_at(header, components, |component| {
        let line = component.and_then(|index| component_lines.get(index).copied());
        Place::new(line.unwrap_or(header_row.line()), 1)
    })
}

fn row(row: Option<Result<Row, CompositionError>>, wanted: &str) -> Result<Row, CompositionError> {
    row.unwrap_or_else(|| {
        let message = format!("the file ends before the {wanted}");
        Err(CompositionError::new(Place::NONE, CompositionRule::CsvTitlesMatch, message))
    })
}

fn unreadable(error: &csv::Error) -> CompositionError {
    let place = error.position().map_or(Place::NONE, |at| Place::new(line_number(at), 1));
    CompositionError::new(place, CompositionRule::CsvRecordHasItsFields, error.to_string())
}

fn line_number(position: &csv::Position) -> usize {
    usize::try_from(position.line()).unwrap_or(usize::MAX)
}

fn header_fields(row: &Row) -> HeaderFields<usize> {
    HeaderFields {
        fund_symbol: 0,
        fund_name: row.filled(1),
        fund_cusip: row.filled(2),
        when_issued: 3,
        foreign: 4,
        exchange: 5,
        trade_date: 6,
        creation_unit_shares: 7,
        estimated_cash_per_creation_unit: 8,
        estimated_cash_per_share: 9,
        nav_per_creation_unit: 10,
        nav_per_share: 11,
        total_cash_per_creation_unit: 12,
        shares_outstanding: 13,
        dividend: 14,
        cash_indicator: row.filled(15),
    }
}

fn component_fields(row: &Row) -> ComponentFields<usize> {
    ComponentFields { symbol: 0, cusip: row.filled(1), when_issued: 2, foreign: 3, exchange: 4, quantity: 5 }
}

/// One record of the file.
struct Row(StringRecord);

impl Row {
    fn line(&self) -> usize {
        self.0.position().map_or(0, line_number)
    }

    fn cell(&self, index: usize) -> Cell<'_> {
        let text = Cow::Borrowed(self.0.get(index).unwrap_or_default());
        Cell { text, style: Style::Untyped, origin: Origin::At(Place::new(self.line(), index + 1)) }
    }

    /// The index, when its field is not empty.
    fn filled(&self, index: usize) -> Option<usize> {
        self.0.get(index).filter(|text| !text.is_empty()).map(|_| index)
    }

    fn has(&self, fields: usize) -> Result<(), CompositionError> {
        if self.0.len() == fields {
            return Ok(());
        }
        let message = format!("the record has {} values instead of {fields}", self.0.len());
        let index = self.0.len().min(fields);
        Err(self.refuse(index, CompositionRule::CsvRecordHasItsFields, message))
    }

    fn is_titles(&self, titles: &[&str]) -> Result<(), CompositionError> {
        if self.0.iter().eq(titles.iter().copied()) {
            return Ok(());
        }
        let matching = self.0.iter().zip(titles).take_while(|(found, wanted)| found == *wanted).count();
        let (found, wanted) = (self.0.get(matching), titles.get(matching));
        let message = format!(
            "found the title `{}` instead of `{}`",
            shown(found.unwrap_or_default()),
            wanted.unwrap_or(&"")
        );
        Err(self.refuse(matching, CompositionRule::CsvTitlesMatch, message))
    }

    fn refuse(&self, index: usize, rule: CompositionRule, message: impl Into<String>) -> CompositionError {
        CompositionError::new(Place::new(self.line(), index + 1), rule, message)
    }
}

pub(super) fn write(composition: &Composition) -> Result<String, CompositionError> {
    let unwritable =
        |message: String| CompositionError::new(Place::NONE, CompositionRule::FileIsWritable, message);
    let bytes = write_bytes(composition).map_err(|error| unwritable(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| unwritable(error.to_string()))
}

fn write_bytes(composition: &Composition) -> Result<Vec<u8>, csv::Error> {
    let mut writer = WriterBuilder::new().has_headers(false).flexible(true).from_writer(Vec::new());
    writer.write_record(HEADER_TITLES)?;
    let header: HeaderFields<Written> = composition.header().into();
    writer.serialize((header, composition.components().len()))?;
    writer.write_record(COMPONENT_TITLES)?;
    for component in composition.components() {
        writer.serialize(ComponentFields::<Written>::from(component))?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}
