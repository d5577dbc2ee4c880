//! Files as they come: which column is taken, what counts as a duplicate, and files that are hostile, foreign or broken.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper of a test may fail the test"
)]

use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use strongroom_feeds::{FeedError, Problem, read_filed_coins, read_flows, read_market_prices, read_prices};
use strongroom_units::Symbol;
use tempfile::TempDir;

/// One file in a folder of its own.
struct Paper {
    _folder: TempDir,
    path: PathBuf,
}

fn paper(bytes: impl AsRef<[u8]>) -> Paper {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.csv");
    std::fs::write(&path, bytes).unwrap();
    Paper { _folder: folder, path }
}

fn btc() -> Symbol {
    "BTC".parse().unwrap()
}

type Found = Result<Vec<(String, String)>, FeedError>;

fn shown<K: Display, V: Display>(read: Result<BTreeMap<K, V>, FeedError>) -> Found {
    read.map(|found| found.iter().map(|(date, value)| (date.to_string(), value.to_string())).collect())
}

fn prices(bytes: impl AsRef<[u8]>) -> Found {
    shown(read_prices(&paper(bytes).path, btc()))
}

fn market_prices(bytes: impl AsRef<[u8]>) -> Found {
    shown(read_market_prices(&paper(bytes).path, "IBIT"))
}

fn flows(bytes: impl AsRef<[u8]>) -> Found {
    shown(read_flows(&paper(bytes).path, "IBIT"))
}

fn filed(bytes: impl AsRef<[u8]>) -> Found {
    let read = read_filed_coins(&paper(bytes).path, "IBIT");
    read.map(|found| {
        let text = |coins: &strongroom_feeds::FiledCoins| {
            format!("{}{}", coins.coins, if coins.derived { " derived" } else { "" })
        };
        found.iter().map(|(date, coins)| (date.to_string(), text(coins))).collect()
    })
}

#[track_caller]
fn gives(found: Found, wanted: &[(&str, &str)]) {
    let found = found.unwrap_or_else(|error| panic!("{error}"));
    let found: Vec<_> = found.iter().map(|(date, value)| (date.as_str(), value.as_str())).collect();
    assert_eq!(found, wanted);
}

#[track_caller]
fn problems(found: Found) -> (Vec<Problem>, usize) {
    match found {
        Err(FeedError::RowsWrong { problems, more, .. }) => (problems, more),
        other => panic!("{other:?}"),
    }
}

/// Line and column of every problem.
#[track_caller]
fn places(found: Found) -> Vec<(u64, String)> {
    problems(found).0.into_iter().map(|problem| (problem.line, problem.column)).collect()
}

fn at(places: &[(u64, &str)]) -> Vec<(u64, String)> {
    places.iter().map(|(line, column)| (*line, (*column).to_owned())).collect()
}

#[test]
fn a_price_is_the_close_before_anything_else_whatever_the_order_of_columns() {
    let day = [("2024-01-11", "46368.59")];
    gives(prices("date,close\n2024-01-11,46368.59\n"), &day);
    gives(prices("date,price,close\n2024-01-11,1,46368.59\n"), &day);
    gives(prices("close,open,date\n46368.59,1,2024-01-11\n"), &day);
    gives(prices("date,price\n2024-01-11,46368.59\n"), &day);
    gives(prices("date,eth_usd,btc_usd\n2024-01-11,2500,46368.59\n"), &day);
    gives(prices("DATE,Close\n2024-01-11,46368.59\n"), &day);
    gives(prices(" date , close \n 2024-01-11 , 46368.59 \n"), &day);
    gives(prices("\"date\",\"close\"\n\"2024-01-11\",\"46368.59\"\n"), &day);
}

#[test]
fn rows_of_another_asset_are_not_looked_at() {
    let rows = "2024-01-11,ETH,not a price\n2024-01-11,BTC,2\nno date,SOL,3\n2024-01-12,BTC,4\n";
    for name in ["symbol", "base", "asset"] {
        gives(prices(format!("date,{name},close\n{rows}")), &[("2024-01-11", "2"), ("2024-01-12", "4")]);
    }
    gives(prices("date,symbol,base,close\n2024-01-11,BTC,ETH,5\n"), &[("2024-01-11", "5")]);
    let nothing = prices("date,symbol,close\n2024-01-11,ETH,1\n").unwrap_err();
    assert_eq!(nothing.code(), "file.must_have_the_rows_asked_for");
    assert!(nothing.to_string().ends_with("has no row for BTC"), "{nothing}");
}

#[test]
fn in_a_file_with_a_column_for_each_asset_an_empty_cell_is_no_price() {
    gives(
        prices("date,btc_usd,eth_usd\n2024-01-11,1.5,\n2024-01-12,,2\n2024-01-13,3,4\n"),
        &[("2024-01-11", "1.5"), ("2024-01-13", "3")],
    );
    // In a file of rows it is a row without its price.
    assert_eq!(places(prices("date,symbol,close\n2024-01-11,BTC,\n")), at(&[(2, "close")]));
}

#[test]
fn a_wide_file_of_many_columns_is_read_by_name() {
    let heading: Vec<String> = (0..500).map(|place| format!("c{place}_usd")).collect();
    let cells = vec!["1"; 500].join(",");
    gives(
        prices(format!("{},btc_usd,date\n{cells},7,2024-01-11\n", heading.join(","))),
        &[("2024-01-11", "7")],
    );
}

#[test]
fn the_close_of_a_share_may_be_adjusted_and_its_name_is_a_ticker_or_a_symbol() {
    gives(
        market_prices("date,ticker,close_adj\n2024-01-11,IBIT,26.63\n2024-01-11,FBTC,1\n"),
        &[("2024-01-11", "26.63")],
    );
    gives(market_prices("date,symbol,price\n2024-01-11,IBIT,26.63\n"), &[("2024-01-11", "26.63")]);
    gives(market_prices("date,close_adj,close\n2024-01-11,1,26.63\n"), &[("2024-01-11", "26.63")]);
}

#[test]
fn flows_are_in_millions_and_an_empty_cell_is_no_figure() {
    gives(
        flows("date,FBTC,IBIT\n2024-01-11,1,111.7\n2024-01-12,2,\n2024-01-16,3,-0.1\n2024-01-17,4,0.0\n"),
        &[("2024-01-11", "111700000"), ("2024-01-16", "-100000"), ("2024-01-17", "0")],
    );
    assert_eq!(places(flows("date,IBIT\n2024-01-11,1\n2024-01-11,1\n")), at(&[(3, "date")]));
    assert_eq!(places(flows("date,IBIT\n2024-01-11,12.5m\n2024-01-12,-\n")), at(&[(2, "IBIT"), (3, "IBIT")]));
    assert_eq!(places(flows("date,IBIT\n2024-01-11,99999999999999999999999999999999\n")), at(&[(2, "IBIT")]));
}

#[test]
fn filed_coins_are_lines_of_their_own_or_the_sum_of_the_others() {
    let heading = "ticker,period_start,period_end,line,quantity\n";
    let rows = "IBIT,2024-04-01,2024-06-30,begin,100\nIBIT,2024-04-01,2024-06-30,purchased,50\n\
                IBIT,2024-04-01,2024-06-30,sold_for_expenses,-3\n";
    gives(filed(format!("{heading}{rows}")), &[("2024-03-31", "100"), ("2024-06-30", "147 derived")]);
    let with_end = format!("{heading}{rows}IBIT,2024-04-01,2024-06-30,end,146.5\n");
    gives(filed(with_end), &[("2024-03-31", "100"), ("2024-06-30", "146.5")]);
    // A line of money only, another trust, and a period without its first line say nothing of coins.
    let silent = "IBIT,2024-04-01,2024-06-30,net_realized,\nETHA,2024-04-01,2024-06-30,begin,x\n\
                  IBIT,2024-07-01,2024-09-30,purchased,5\n";
    gives(filed(format!("{heading}{rows}{silent}")), &[("2024-03-31", "100"), ("2024-06-30", "147 derived")]);
    // What a later filing states is preferred to a sum.
    let later = "IBIT,2024-07-01,2024-09-30,begin,146\n";
    gives(
        filed(format!("{heading}{rows}{later}")),
        &[("2024-03-31", "100"), ("2024-06-30", "146"), ("2024-09-30", "146 derived")],
    );
    assert_eq!(
        places(filed(format!("{heading}IBIT,2024-04-01,soon,begin,many\n"))),
        at(&[(2, "period_end"), (2, "quantity")])
    );
}

#[test]
fn the_same_row_twice_is_one_and_another_price_for_the_day_is_a_problem() {
    gives(prices("date,close\n2024-01-11,5\n2024-01-11,5.00\n"), &[("2024-01-11", "5")]);
    let (found, _) = problems(prices("date,close\n2024-01-11,5\n2024-01-12,6\n2024-01-11,7\n"));
    assert_eq!(
        (found[0].line, found[0].message.as_str()),
        (4, "2024-01-11 is given twice with different prices")
    );
}

#[test]
fn files_of_other_systems_are_the_same_files() {
    let plain = "date,close\n2024-01-11,5\n2024-01-12,6\n";
    let wanted = [("2024-01-11", "5"), ("2024-01-12", "6")];
    gives(prices(plain), &wanted);
    gives(prices(plain.replace('\n', "\r\n")), &wanted);
    gives(prices(plain.replace('\n', "\r")), &wanted);
    gives(prices(format!("\u{feff}{plain}")), &wanted);
    gives(prices(format!("\u{feff}{}", plain.replace('\n', "\r\n"))), &wanted);
    gives(prices(plain.trim_end()), &wanted);
    gives(prices(format!("{plain}\n\r\n\n")), &wanted);
    gives(prices("\u{feff}\"date\",\"close\"\r\n2024-01-11,\"5\"\r\n2024-01-12,6"), &wanted);
    gives(flows("\u{feff}date,IBIT\r\n2024-01-11,1.5\r\n"), &[("2024-01-11", "1500000")]);
}

#[test]
fn lines_are_counted_as_an_editor_counts_them() {
    let bad = "date,close\n2024-01-11,5\n2024-01-12,six\n\n2024-01-14,\"7\n7\"\n2024-01-15,eight\n";
    assert_eq!(places(prices(bad)), at(&[(3, "close"), (5, "close"), (7, "close")]));
    assert_eq!(places(prices(bad.replace('\n', "\r\n"))), at(&[(3, "close"), (5, "close"), (7, "close")]));
}

#[test]
fn nothing_but_a_date_is_a_date_and_nothing_but_a_number_a_price() {
    for date in ["2024-1-11", "11.01.2024", "2024-02-30", "20240111", "2024-01-11T00:00:00Z", "45302", ""] {
        assert_eq!(places(prices(format!("date,close\n{date},5\n"))), at(&[(2, "date")]), "{date}");
    }
    for price in ["1,000", "\"1,000\"", "$5", "5 USD", "NaN", "inf", "0x10", "--5", "5-", "٥"] {
        let found = prices(format!("date,close\n2024-01-11,{price}\n"));
        assert_eq!(problems(found).0.len(), 1, "{price}");
    }
    for price in ["0", "-1", "0.0"] {
        let (found, _) = problems(prices(format!("date,close\n2024-01-11,{price}\n")));
        assert!(found[0].message.ends_with("is not above zero"), "{}", found[0].message);
    }
}

#[test]
fn every_problem_is_listed_up_to_twenty_and_the_rest_are_counted() {
    let rows: String = (0..50).map(|row| format!("day {row},5\n")).collect();
    let error = prices(format!("date,close\n{rows}")).unwrap_err();
    assert_eq!(error.code(), "file.rows_must_be_sound");
    let text = error.to_string();
    assert!(text.contains("50 problems, nothing was imported"), "{text}");
    assert!(text.contains("\n  line 21, column date:") && !text.contains("line 22,"), "{text}");
    assert!(text.ends_with("\n  and 30 more"), "{text}");
    let one = prices("date,close\n2024-01-11,x\n").unwrap_err().to_string();
    assert!(one.contains("1 problem, nothing was imported"), "{one}");
}

#[test]
fn a_row_of_another_length_or_of_other_bytes_is_named_without_a_column() {
    let (found, _) = problems(prices("date,close\n2024-01-11\n2024-01-12,5,6\n2024-01-13,7\n"));
    let told: Vec<_> = found.iter().map(|problem| (problem.line, problem.message.as_str())).collect();
    assert_eq!(
        told,
        [(2, "the heading has 2 columns, this row has 1"), (3, "the heading has 2 columns, this row has 3"),]
    );
    let (found, _) = problems(prices(b"date,close\n2024-01-11,\xff\xfe\n2024-01-12,5\n"));
    assert_eq!(
        (found[0].line, found[0].column.as_str(), found[0].message.as_str()),
        (2, "", "the row is not UTF-8 text")
    );
    let text = prices("date,close\n2024-01-11\n").unwrap_err().to_string();
    assert!(text.ends_with("\n  line 2: the heading has 2 columns, this row has 1"), "{text}");
}

#[test]
fn huge_cells_are_refused_without_being_repeated() {
    let digits = "9".repeat(1 << 20);
    for cell in [digits.as_str(), &"x".repeat(1 << 20)] {
        let error = prices(format!("date,close\n2024-01-11,{cell}\n")).unwrap_err();
        assert_eq!(error.code(), "file.rows_must_be_sound");
        assert!(error.to_string().len() < 2_000, "{} bytes of error", error.to_string().len());
        let error = prices(format!("date,close\n{cell},1\n")).unwrap_err();
        assert!(error.to_string().len() < 2_000, "{} bytes of error", error.to_string().len());
    }
    let error = prices(format!("{},x\n1,2\n", "h".repeat(1 << 20))).unwrap_err();
    assert!(error.to_string().len() < 2_000, "{} bytes of error", error.to_string().len());
}

#[test]
fn a_missing_column_names_those_that_would_do_and_those_there_are() {
    let text = |found: Found| found.unwrap_err().to_string();
    assert!(text(prices("day,close\n")).ends_with("has no column `date`; it has `day`, `close`"));
    assert!(
        text(prices("date,open\n"))
            .ends_with("has no column `close` or `price` or `btc_usd`; it has `date`, `open`")
    );
    assert!(text(flows("date,FBTC\n")).ends_with("has no column `IBIT`; it has `date`, `FBTC`"));
    assert!(text(filed("ticker,period_start\n")).contains("has no column `period_end`"));
    assert_eq!(prices("").unwrap_err().code(), "file.column_must_exist");
    assert_eq!(prices("date,close\n").unwrap_err().code(), "file.must_have_the_rows_asked_for");
}

#[test]
fn what_is_no_file_says_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path(), &folder.path().join("missing.csv")] {
        let error = read_prices(path, btc()).unwrap_err();
        assert_eq!(error.code(), "file.must_be_readable");
        assert!(error.to_string().starts_with(&path.display().to_string()), "{error}");
        assert!(std::error::Error::source(&error).is_some());
    }
}

fn read_every_way(path: &Path) {
    drop(read_prices(path, btc()));
    drop(read_market_prices(path, "IBIT"));
    drop(read_flows(path, "IBIT"));
    drop(read_filed_coins(path, "IBIT"));
}

const HEADINGS: [&str; 5] = [
    "date,close",
    "date,symbol,close,btc_usd",
    "date,ticker,close_adj",
    "date,IBIT",
    "ticker,period_start,period_end,line,quantity",
];

/// Cells that are nearly right, and some that are not.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "20[0-9]{2}-[01][0-9]-[0-3][0-9]",
        4 => "-?[0-9]{1,6}(\\.[0-9]{0,30})?",
        2 => prop::sample::select(vec!["BTC", "IBIT", "begin", "end", "purchased", "", "1e400", "1e-400", "-0", "\"", "\"\"", "9999-12-31", "-9999-01-01"]).prop_map(str::to_owned),
        1 => "[0-9]{30,45}",
        1 => "\\PC{0,12}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(192) })]

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        read_every_way(&paper(bytes).path);
    }

    #[test]
    fn no_bytes_below_a_good_heading_make_a_reader_panic(
        heading in prop::sample::select(HEADINGS.to_vec()),
        bytes in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        let mut file = format!("{heading}\n").into_bytes();
        file.extend(bytes);
        read_every_way(&paper(file).path);
    }

    #[test]
    fn a_file_is_read_whole_or_every_problem_has_a_place_in_it(
        heading in prop::sample::select(HEADINGS.to_vec()),
        rows in prop::collection::vec(prop::collection::vec(cell(), 1..6), 0..40),
    ) {
        let rows: Vec<String> = rows.iter().map(|cells| cells.join(",")).collect();
        let text = format!("{heading}\n{}\n", rows.join("\n"));
        let lines = text.lines().count() as u64;
        for found in [prices(&text), market_prices(&text), flows(&text), filed(&text)] {
            match found {
                Ok(found) => prop_assert!(!found.is_empty() && found.len() <= 2 * rows.len()),
                Err(FeedError::RowsWrong { problems, more, .. }) => {
                    prop_assert!(!problems.is_empty() && (more == 0 || problems.len() == 20));
                    for problem in problems {
                        prop_assert!((2..=lines + 1).contains(&problem.line), "{problem:?} of {lines} lines");
                    }
                }
                Err(error) => prop_assert!(!error.code().is_empty()),
            }
        }
    }

    #[test]
    fn one_bad_row_among_good_ones_is_found_where_it_is(days in 1u32..28, bad in 0u32..28) {
        let bad = bad % days;
        let row = |day: u32| format!("2024-01-{:02},{}\n", day + 1, if day == bad { "?".to_owned() } else { (day + 1).to_string() });
        let rows: String = (0..days).map(row).collect();
        let found = places(prices(format!("date,close\n{rows}")));
        prop_assert_eq!(found, at(&[(u64::from(bad) + 2, "close")]));
    }
}
