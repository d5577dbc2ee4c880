//! Trades in Parquet: the same columns as in CSV, read a batch of rows at a time.
//!
//! Prices and sizes may be decimals, integers, texts or doubles. A double is taken as its shortest decimal text, which
//! is what its writer printed.

use crate::error::FeedError;
use crate::trades::{Cells, Rows, TradesRead, find_columns};
use parquet::basic::ConvertedType;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescPtr;
use std::fs::File;
use std::path::Path;
use strongroom_market::rate::Window;
use strongroom_units::Decimal;

/// Rows of one batch.
const BATCH: usize = 8_192;

/// Reads a Parquet file into windows, row group by row group.
pub(crate) fn read(path: &Path, windows: &mut [Window]) -> Result<TradesRead, FeedError> {
    let unreadable = |source: ParquetError| FeedError::Unreadable {
        path: path.to_owned(),
        source: std::io::Error::other(source),
    };
    let file = File::open(path).map_err(|source| FeedError::Unreadable { path: path.to_owned(), source })?;
    let reader = SerializedFileReader::new(file).map_err(unreadable)?;
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let names: Vec<&str> = schema.columns().iter().map(|column| column.name()).collect();
    let columns = find_columns(path, &names)?;
    let wanted = columns.indices();
    let mut rows = Rows::new(columns.positions(), windows);
    let mut read = TradesRead::default();
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group).map_err(unreadable)?;
        let mut open = Vec::new();
        for index in &wanted {
            let column = group.get_column_reader(*index).map_err(unreadable)?;
            open.push((column, schema.column(*index)));
        }
        loop {
            let mut batch = Batch { columns: Vec::new() };
            for (column, description) in &mut open {
                batch.columns.push(next_values(column, description).map_err(unreadable)?);
            }
            let count = batch.columns.first().map_or(0, Vec::len);
            if count == 0 {
                break;
            }
            for row in 0..count {
                read.rows += 1;
                if !rows.take(&batch.row(row), windows) {
                    read.unreadable += 1;
                }
            }
        }
    }
    Ok(read)
}

/// One value; none for null and for a type that no column of ours has.
enum Value {
    Null,
    Text(String),
    Number(Decimal),
}

struct Batch {
    columns: Vec<Vec<Value>>,
}

struct Row<'a> {
    batch: &'a Batch,
    row: usize,
}

impl Batch {
    fn row(&self, row: usize) -> Row<'_> {
        Row { batch: self, row }
    }
}

impl Cells for Row<'_> {
    fn text(&self, index: usize) -> Option<&str> {
        match self.batch.columns.get(index)?.get(self.row)? {
            Value::Text(text) => Some(text.trim()),
            Value::Null | Value::Number(_) => None,
        }
    }

    fn number(&self, index: usize) -> Option<Decimal> {
        match self.batch.columns.get(index)?.get(self.row)? {
            Value::Number(number) => Some(*number),
            Value::Text(text) => text.trim().parse().ok(),
            Value::Null => None,
        }
    }
}

fn next_values(column: &mut ColumnReader, description: &ColumnDescPtr) -> Result<Vec<Value>, ParquetError> {
    let scale = match description.converted_type() {
        ConvertedType::DECIMAL => u8::try_from(description.type_scale()).unwrap_or(u8::MAX),
        _ => 0,
    };
    let whole = |units: i64| Decimal::try_new(i128::from(units), scale).map_or(Value::Null, Value::Number);
    let double = |value: f64| value.to_string().parse().map_or(Value::Null, Value::Number);
    let levels = description.max_def_level();
    match column {
        ColumnReader::Int32ColumnReader(column) => batch(column, levels, |value| whole(i64::from(*value))),
        ColumnReader::Int64ColumnReader(column) => batch(column, levels, |value| whole(*value)),
        ColumnReader::DoubleColumnReader(column) => batch(column, levels, |value| double(*value)),
        ColumnReader::FloatColumnReader(column) => {
            batch(column, levels, |value| value.to_string().parse().map_or(Value::Null, Value::Number))
        }
        ColumnReader::ByteArrayColumnReader(column) => batch(column, levels, |value| {
            value.as_utf8().map_or(Value::Null, |text| Value::Text(text.to_owned()))
        }),
        _ => Err(ParquetError::General(format!("column {} has a type that is not read", description.name()))),
    }
}

/// The next rows of a column; a row whose definition level is below the column's is null and has no value of its own.
fn batch<T: DataType>(
    column: &mut ColumnReaderImpl<T>,
    levels: i16,
    read: impl Fn(&T::T) -> Value,
) -> Result<Vec<Value>, ParquetError> {
    let (mut values, mut defined) = (Vec::with_capacity(BATCH), Vec::new());
    let (rows, ..) = if levels > 0 {
        column.read_records(BATCH, Some(&mut defined), None, &mut values)?
    } else {
        column.read_records(BATCH, None, None, &mut values)?
    };
    let mut values = values.iter();
    let is_null = |row: usize| levels > 0 && defined.get(row).is_none_or(|level| *level < levels);
    let row = |row| if is_null(row) { Value::Null } else { values.next().map_or(Value::Null, &read) };
    Ok((0..rows).map(row).collect())
}
