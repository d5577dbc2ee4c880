//! Trades in Parquet give the same rate and the same input hash as the same trades in CSV.
#![cfg(feature = "parquet")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot build its file has failed"
)]

use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use std::path::Path;
use std::sync::Arc;
use strongroom_feeds::{TradesRead, read_trades};
use strongroom_market::rate::{Methodology, RateEvidence, Window};

const CF: &str = include_str!("../../../methodologies/cf-brr.toml");
const END_MS: i64 = 1_723_147_200_000; // 2024-08-08T20:00:00Z

const SCHEMA: &str = "message trades {
    required binary venue (utf8);
    required binary pair (utf8);
    required int64 trade_ts_ms;
    required double price;
    optional int64 size (decimal(18, 8));
}";

/// Venue, milliseconds before the end, price, size in hundred-millionths; one size is missing.
const ROWS: [(&str, i64, f64, Option<i64>); 6] = [
    ("a", 1_000, 61_837.63, Some(2_000_000)),
    ("b", 2_000, 61_840.1, Some(150_000_001)),
    ("a", 600_000, 61_800.25, Some(1)),
    ("b", 600_001, 61_801.0, Some(99_999_999)),
    ("b", 700_000, 61_801.5, None),
    ("a", 4_000_000, 1.0, Some(1)),
];

fn rate(path: &Path) -> (TradesRead, RateEvidence) {
    let methodology = Methodology::parse(CF).unwrap();
    let at = "2024-08-08T20:00:00Z".parse().unwrap();
    let mut window = Window::try_new(&methodology, &"BTC-USD".parse().unwrap(), at).unwrap();
    let read = read_trades(path, &mut window).unwrap();
    (read, window.rate().unwrap())
}

fn texts(group: &mut SerializedRowGroupWriter<'_, std::fs::File>, values: &[&str]) {
    let values: Vec<ByteArray> = values.iter().map(|text| ByteArray::from(*text)).collect();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<ByteArrayType>().write_batch(&values, None, None).unwrap();
    column.close().unwrap();
}

fn write_parquet(path: &Path) {
    let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
    let properties = Arc::new(WriterProperties::builder().build());
    let file = std::fs::File::create(path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, properties).unwrap();
    for rows in ROWS.chunks(4) {
        let mut group = writer.next_row_group().unwrap();
        texts(&mut group, &rows.iter().map(|row| row.0).collect::<Vec<_>>());
        texts(&mut group, &rows.iter().map(|_| "BTC-USD").collect::<Vec<_>>());
        let mut column = group.next_column().unwrap().unwrap();
        let times: Vec<i64> = rows.iter().map(|row| END_MS - row.1).collect();
        column.typed::<Int64Type>().write_batch(&times, None, None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let prices: Vec<f64> = rows.iter().map(|row| row.2).collect();
        column.typed::<DoubleType>().write_batch(&prices, None, None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let sizes: Vec<i64> = rows.iter().filter_map(|row| row.3).collect();
        let levels: Vec<i16> = rows.iter().map(|row| i16::from(row.3.is_some())).collect();
        column.typed::<Int64Type>().write_batch(&sizes, Some(&levels), None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
    }
    writer.close().unwrap();
}

fn write_csv(path: &Path) {
    let mut text = String::from("size,price,trade_ts_ms,pair,venue\n");
    for (venue, before, price, size) in ROWS {
        let size = size.map(|units| format!("{units}e-8")).unwrap_or_default();
        text.push_str(&format!("{size},{price},{},BTC-USD,{venue}\n", END_MS - before));
    }
    std::fs::write(path, text).unwrap();
}

#[test]
fn the_format_of_the_file_changes_nothing() {
    let folder = std::env::temp_dir().join(format!("strongroom-parquet-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (parquet, csv) = (folder.join("trades.parquet"), folder.join("trades.csv"));
    write_parquet(&parquet);
    write_csv(&csv);
    let (read, evidence) = rate(&parquet);
    assert_eq!((read.rows, read.unreadable), (6, 1));
    assert_eq!((read, evidence), rate(&csv));
    std::fs::remove_dir_all(&folder).unwrap();
}
